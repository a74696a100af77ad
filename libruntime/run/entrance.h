/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By what another process enters a container: the namespaces and the root of its first one. */
#ifndef OAKUM_RUN_ENTRANCE_H
#define OAKUM_RUN_ENTRANCE_H

#include "run/gate.h"
#include "run/lifecycle.h"

struct entrance {
	int init;	/* pidfd of the container's first process */
	unsigned kinds; /* CLONE_NEW* to join; the pid namespace is for the children of who does */
	int root;	/* of a container without a mount namespace, else -1 */
	bool asked;	/* the process waits and has shown its namespaces itself: @view */
	struct gate_view view;
};

#define ENTRANCE_NONE ((struct entrance){.init = -1, .root = -1, .view = GATE_VIEW_NONE})

enum { ENTRANCE_GONE = 1 };

/* 0 and @ret; ENTRANCE_GONE: the first process has ended; < 0 with @err. entrance_close() whatever
 * it is. */
int entrance_open(const struct container *c, int64_t deadline_ms, struct entrance *ret,
		  struct err *err);
void entrance_close(struct entrance *e);

/* setns(2) to those of @kinds. 0, or -1 and errno. The child may call it. */
int entrance_join(const struct entrance *e, unsigned kinds);

/* Joining a user namespace leaves our ids as they were: be its root, and not to be traced. The
 * child calls it. */
int entrance_become_root(struct err *err);

#endif
