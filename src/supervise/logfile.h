/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the container's output is kept: "log" and "log.1" in the state directory (together
 * bounded), a file that the user names (unbounded), the journal, or nowhere. A failed write is
 * counted and never stops the container.
 */
#ifndef OAKUM_SUPERVISE_LOGFILE_H
#define OAKUM_SUPERVISE_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervise/journal.h"

struct err;

#define LOGFILE_NAME "log"
#define LOGFILE_OLD  "log.1"
#define LOGFILE_MAX  (1u << 20)

/* What "log" is, a symlink to nothing, where the log is in the journal: this and the ID. */
#define LOGFILE_JOURNALD "journald:"

enum logfile_driver { LOGFILE_DEFAULT, LOGFILE_FILE, LOGFILE_JOURNAL, LOGFILE_NONE };

struct logfile {
	enum logfile_driver driver;
	int fd;	       /* -1: nothing is kept */
	int dir;       /* the state directory; not owned */
	uint64_t size; /* of the current file; counted for the default driver only */
	uint64_t lost; /* bytes of output that could not be written */
	char *buffer;  /* LOGFILE_BUFFER bytes of the caller's */
	struct journal journal;
};

#define LOGFILE_BUFFER (128u << 10)
#define LOGFILE_INIT   ((struct logfile){.fd = -1, .dir = -1, .journal = JOURNAL_INIT})

/* "default", "none", "journald", "file:PATH"; *@ret_path points into @text. 0 or -EINVAL. */
int logfile_parse(const char *text, enum logfile_driver *ret, const char **ret_path);

/* Open the file of LOGFILE_FILE, or the journal, before there is a container: @id, which has to
 * live as long as @log. 0 or < 0 with @err. */
int logfile_open(struct logfile *log, enum logfile_driver driver, const char *path, const char *id,
		 struct err *err);

/* The state directory exists now: make the log there, or the link to the file of the user. */
int logfile_place(struct logfile *log, int dir, const char *path, struct err *err);

/* Keep @size bytes of @stream (1 or 2), stamped with the time of now. */
void logfile_write(struct logfile *log, int stream, const char *data, size_t size);

/* The descriptor that it has open, or -1. */
int logfile_descriptor(const struct logfile *log);

/* Give back memory, when nothing happens. */
void logfile_trim(struct logfile *log);

void logfile_close(struct logfile *log);

#endif
