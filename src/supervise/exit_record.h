/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a supervised container ended: exit.json in its state directory, written once, read by many.
 */
#ifndef OAKUM_SUPERVISE_EXIT_RECORD_H
#define OAKUM_SUPERVISE_EXIT_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"

struct err;

#define EXIT_NAME "exit.json"

struct exit_record {
	int status, signal; /* one of them is 0 */
	bool known;
	pid_t pid;
	char started[CLOCK_TEXT_SIZE], finished[CLOCK_TEXT_SIZE];
	uint64_t bytes[3]; /* [1] stdout, [2] stderr: read from the container */
	uint64_t log_lost; /* of them, not in the log */
	bool complete;	   /* every byte was read: end of file was seen */
	int64_t oom_kills; /* of its processes, because memory ran out; -1: nobody counted */
};

/* Write it under a temporary name, then rename. 0 or -errno. */
int exit_write(int dir, const struct exit_record *r);

enum { EXIT_PRESENT = 0, EXIT_ABSENT = 1 };
/* EXIT_PRESENT and the fields ->status, ->signal, ->known and ->oom_kills of @ret; EXIT_ABSENT; < 0
 * with @err. */
int exit_read(int dir, struct exit_record *ret, struct err *err);

/* What a shell would say: the status, or 128 + signal. */
int exit_shell_status(int status, int signal);

#endif
