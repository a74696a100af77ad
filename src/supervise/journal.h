/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The journal as a container's log: an entry a line, in journald's native protocol
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/). Fields: MESSAGE, PRIORITY (6 stdout, 3 stderr),
 * CONTAINER_ID, CONTAINER_ID_FULL, CONTAINER_NAME and SYSLOG_IDENTIFIER (all the ID),
 * CONTAINER_STREAM, and CONTAINER_PARTIAL_MESSAGE=true on a piece whose line goes on in the next
 * entry.
 */
#ifndef OAKUM_SUPERVISE_JOURNAL_H
#define OAKUM_SUPERVISE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_LINE   (64u << 10) /* a longer line is more than one entry */

struct journal {
	int fd;			 /* -1: closed */
	const char *socket, *id; /* not owned */
	bool full;		 /* the last entry had to be dropped */
	char *memory;		 /* JOURNAL_LINE a stream: the beginning of a line */
	size_t held[2];		 /* bytes of it */
};

#define JOURNAL_INIT ((struct journal){.fd = -1})

/* Connect to the journal's @socket; it and @id live as long as @j. 0, or < 0 with @err. */
int journal_open(struct journal *j, const char *socket, const char *id, struct err *err);

/*
 * Take @size bytes of @stream (1 or 2). A journal that has no room is waited for, at most a second,
 * and after that not again until it has had some. How many bytes could not be written.
 */
size_t journal_write(struct journal *j, int stream, const char *data, size_t size);

/* Write what has no newline yet, and close: how many bytes could not be written. */
size_t journal_close(struct journal *j);

/* Give back the memory that holds nothing. */
void journal_trim(struct journal *j);

#endif
