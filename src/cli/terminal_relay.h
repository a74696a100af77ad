/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command that stays with its process: run and exec in the foreground. Signals go on to the
 * process, the person's terminal is joined with the process's, and its status comes back.
 */
#ifndef OAKUM_CLI_TERMINAL_RELAY_H
#define OAKUM_CLI_TERMINAL_RELAY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "oakum.h"

/* Bytes on their way from one descriptor to another. */
struct relay_flow {
	int from, to; /* -1: no more */
	size_t start, end;
	char data[4096]; /* PIPE_BUF: a write of that to a pipe that polls writable does not block
			  */
};

struct relay {
	int signals; /* signalfd */
	sigset_t saved_mask;
	struct sigaction saved_pipe;
	bool raw; /* stdin's settings are in saved */
	struct termios saved;
	int person; /* a terminal of 0…2 whose size the process's follows, or -1 */
	struct relay_flow in, out;
	struct oakum *oakum;	   /* for warnings about: */
	int notify;		   /* what the process notifies, -1: nothing */
	const char *notify_socket; /* where it goes, or NULL */
	size_t drained;		   /* since the process has ended */
};

/* Is it a terminal that shows what the process writes, and nothing between? The process's own then
 * makes "\r\n" of a newline and the person's is as raw as can be: what moves the cursor arrives as
 * it was meant. For a pipe or a file a newline stays one, as with runc. */
bool relay_shows(void);

/* Take the signals, before the process exists: none is then lost. 0 or -errno. relay_end() undoes
 * it in any case. */
int relay_begin(struct relay *r);

/* Join stdin and stdout with the terminal of @p (none: nothing), size first. 0 or -errno. Stays the
 * caller's. */
int relay_attach(struct relay *r, const struct oakum_process *p);

/* Until the process has ended and its terminal is empty: *@ret is its exit status, 128 + N for
 * signal N. Reaps it. 0 or -errno. */
int relay_wait(struct relay *r, const struct oakum_process *p, int *ret);

/* Give terminal and signals back. Takes what relay_begin() left, in whatever state. */
void relay_end(struct relay *r);

#endif
