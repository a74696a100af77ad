/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line of a log as podman and CRI-O write it:
 *   2026-11-23T13:05:59.123456789Z stdout F text
 * F ends a line of the container, P is a piece of one without its newline. The text is
 * the container's bytes, unchanged. No descriptors here: logfile.c writes, logreader.c reads.
 */
#ifndef OAKUM_SUPERVISE_RECORD_H
#define OAKUM_SUPERVISE_RECORD_H

#include <stdbool.h>
#include <stddef.h>

enum { RECORD_STDOUT = 1, RECORD_STDERR = 2 };

/* "TIME stdout " once for all the lines of one read. */
struct record_prefix {
	char text[56];
	size_t len;
};

/* @time as clock_text() gives it. */
void record_prefix(struct record_prefix *p, const char *time, int stream);

/*
 * Format as much of @in as fits into @out as whole records; @out needs room for a prefix and a
 * few bytes. *@ret_taken is how much of @in it was (a line is cut into P records where the room
 * ends). Returns the bytes in @out.
 */
size_t record_format(const struct record_prefix *p, const char *in, size_t in_size, char *out,
		     size_t out_size, size_t *ret_taken);

struct record {
	const char *time; /* time_len bytes */
	size_t time_len;
	int stream;
	bool full;	  /* F */
	const char *text; /* text_len bytes, without the newline */
	size_t text_len;
};

/* Parse one line of a log without its newline. False: it is none of ours. */
bool record_parse(const char *line, size_t len, struct record *ret);

#endif
