/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reading side of the log: the records of "log.1" and "log" in order, through rotations that
 * happen meanwhile. Needs no supervisor.
 */
#ifndef OAKUM_SUPERVISE_LOGREADER_H
#define OAKUM_SUPERVISE_LOGREADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervise/record.h"

struct err;

#define LOGREADER_SIZE (256u << 10)

struct logreader {
	int dir;	   /* not owned */
	int fd;		   /* what is read now */
	int next;	   /* "log" while "log.1" is read, else -1 */
	uint64_t bad;	   /* lines that are no records, skipped */
	bool missed;	   /* whole files were rotated away before they were read */
	bool last;	   /* what is read now has been rotated: its end is final */
	size_t start, end; /* what is unread of the buffer */
	char *buffer;
};

#define LOGREADER_INIT ((struct logreader){.dir = -1, .fd = -1, .next = -1})

enum { LOGREADER_RECORD = 1, LOGREADER_END = 0 };

/* LOGREADER_END: ready. LOGREADER_ABSENT: no log is kept. < 0: @err. Closed by logreader_close() in
 * all cases. */
enum { LOGREADER_ABSENT = 2 };
int logreader_open(struct logreader *l, int dir, struct err *err);

/* LOGREADER_RECORD and *@ret, valid until the next call; LOGREADER_END: nothing more for now; < 0:
 * @err. */
int logreader_next(struct logreader *l, struct record *ret, struct err *err);

/* A second reader of the same files, to be used after @l is done with: it begins at their start. 0
 * or < 0 with @err. */
int logreader_clone(const struct logreader *l, struct logreader *ret, struct err *err);
void logreader_rewind(struct logreader *l);

void logreader_close(struct logreader *l);

#endif
