/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client's side of an attachment: this process' stdio, terminal and signals, and one socket. */
#ifndef OAKUM_SUPERVISE_ATTACH_H
#define OAKUM_SUPERVISE_ATTACH_H

#include <signal.h>
#include <stdbool.h>

#include "supervise/keys.h"
#include "supervise/message.h"

struct err;

struct attach_options {
	int sock;      /* after WELCOME or STARTED */
	bool terminal; /* the container has one */
	bool input;    /* pass stdin on */
	bool signals;  /* pass those of attach_signals() on; else they end the attachment */
	struct keys keys;
	void (*warn)(void *data, const char *line);
	void *warn_data;
};

enum attach_end {
	ATTACH_EXITED,	  /* ->exit is set */
	ATTACH_DETACHED,  /* by the keys; the container goes on */
	ATTACH_SIGNALLED, /* by ->signal; the container goes on */
	ATTACH_ABANDONED, /* the supervisor is gone without a word */
};

struct attach_result {
	enum attach_end end;
	struct message_exit exit;
	int signal;
};

/*
 * What is said to the container through us: TERM INT HUP QUIT USR1 USR2, the real-time signals, and
 * WINCH where there is no terminal whose size it would be about.
 */
void attach_signals(sigset_t *ret);

/* Until one of the ends above: 0. < 0 with @err: our own stdout or the socket fails; the container
 * goes on. */
int attach_run(const struct attach_options *options, struct attach_result *ret, struct err *err);

#endif
