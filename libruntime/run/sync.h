/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that crosses between the parent of a new process and the process: one SOCK_SEQPACKET
 * pair, one enum. Every wait has a deadline; the end of the peer is an answer.
 */
#ifndef OAKUM_RUN_SYNC_H
#define OAKUM_RUN_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum sync_type {
	/* parent -> child */
	SYNC_MAPPED = 1, /* uid_map and gid_map are written, or the child of a middle is known */
	SYNC_HOOKED,	 /* prestart and createRuntime hooks have run; value: the pid as the runtime
			    sees it */
	SYNC_RECORDED,	 /* the pid stands in state.json: the child need not die with its parent any
			    more */
	/* child -> parent */
	SYNC_MIDDLE,   /* value: pid of the process that a middle one made (CLONE_PARENT) */
	SYNC_MOUNTED,  /* everything is mounted, before pivot: the runtime's hooks may run */
	SYNC_TERMINAL, /* one descriptor: the master of the container's pty */
	SYNC_READY,    /* set up; after SYNC_RECORDED it closes its end and waits at the gate */
	SYNC_EXEC,     /* execve comes next: end of file means it happened */
	SYNC_SOURCE,   /* value: a bind whose source the parent is to open; the answer is the same
			  with one descriptor */
	SYNC_FAILED,   /* err says what and where */
	SYNC_LISTENER, /* one descriptor: the seccomp filter's listener, for the agent */
	/* parent -> child */
	SYNC_LISTENED, /* the agent has it */
	SYNC_ATTACHED, /* systemd has moved it into its unit's cgroup */
	/* child -> parent */
	SYNC_NOTIFY,	/* one descriptor: what the container notifies comes to it */
	SYNC_NAMESPACE, /* one descriptor: its namespace of ns_kind_at(value) */
	SYNC_ROOT,	/* one descriptor: its root; the last for who looked at the gate */
};

struct sync_message {
	int type; /* enum sync_type */
	int64_t value;
	struct err err; /* SYNC_FAILED only; not sent otherwise */
};

enum { SYNC_GONE = 1 };

/* The pair; both ends close-on-exec. 0, or < 0 with @err. */
int sync_pair(int ret_ends[2], struct err *err);

/* Send; a peer that is gone is no failure (the next receive says so). The child calls it. */
void sync_send(int fd, enum sync_type type, int64_t value, int pass_fd);
void sync_send_error(int fd, const struct err *err);

/* Has the peer closed its end already? The child calls it. */
bool sync_is_gone(int fd);

/*
 * Receive one message. 0 and *@ret (a passed descriptor to *@ret_fd, else -1; may be NULL: closed);
 * SYNC_GONE: the peer has closed its end; < 0 with @err (ETIMEDOUT at the deadline). The child
 * calls it.
 */
int sync_receive(int fd, struct sync_message *ret, int *ret_fd, int64_t deadline_ms,
		 struct err *err);

/* The error of a SYNC_FAILED: to @err, and its code, < 0. */
int sync_failure(const struct sync_message *m, struct err *err);

/* Receive one message that must be of @type; a SYNC_FAILED becomes @err and its code. SYNC_GONE as
 * above. */
int sync_expect(int fd, enum sync_type type, struct sync_message *ret, int *ret_fd,
		int64_t deadline_ms, struct err *err);

#endif
