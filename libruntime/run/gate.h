/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gate between create and start: a unix socket in the state directory, made by the parent
 * before the clone, listened on by the container's waiting process. `start` connects and speaks
 * sync.h on the connection; execve closes it, which is how `start` learns that the program runs.
 */
#ifndef OAKUM_RUN_GATE_H
#define OAKUM_RUN_GATE_H

#include <stdint.h>

#include "kernel/ns.h"

struct err;

/* The listening end. Bound as STATE_GATE in @dir. A descriptor, or < 0 with @err. */
int gate_listen(int dir, struct err *err);

/* Wait until somebody opens the gate; the connection, or < 0 with @err. What gate_open() passed
 * comes in @ret_passed, else -1. Meanwhile gate_look() is answered from the procfs @proc. The child
 * calls it. */
int gate_wait(int listener, int proc, int ret_passed[2], struct err *err);

enum { GATE_CLOSED = 1 };

/* Open it, with up to two descriptors (-1: none). 0 and *@ret; GATE_CLOSED: nobody waits behind it
 * (any more). */
int gate_open(int dir, const int passed[2], int *ret, struct err *err);

/* What the process behind the gate shows to who may open it, and to nobody else: it is undumpable,
 * and without root /proc has nothing of it. */
struct gate_view {
	int ns[NS_KINDS]; /* as ns_kind_at() counts, -1: this kernel has no such kind */
	int root;
};

#define GATE_VIEW_NONE ((struct gate_view){.ns = {-1, -1, -1, -1, -1, -1, -1, -1}, .root = -1})

/* 0 and @ret, for gate_view_close(); GATE_CLOSED; < 0 with @err, ETIMEDOUT where it does not answer
 * (it may be frozen). */
int gate_look(int dir, int64_t deadline_ms, struct gate_view *ret, struct err *err);
void gate_view_close(struct gate_view *view);

#endif
