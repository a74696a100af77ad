/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A creation tried out: the container's first process is cloned into its namespaces and goes
 * through its stages like any other, up to the point where it would execute the program, and ends
 * there. Nothing of it reaches the host: no cgroup, no state, no hook; its root is covered by an
 * overlay whose changes go with it. What could not be kept from reaching the host is left out.
 */
#ifndef OAKUM_RUN_REHEARSAL_H
#define OAKUM_RUN_REHEARSAL_H

#include "run/creation.h"

struct rehearsal {
	bool whole;	 /* false: namespaces and ids only, there is no overlay to cover the root */
	bool skipped;	 /* it joins a mount namespace: not tried at all */
	size_t left_out; /* mounts, devices and sysctls that would have reached the host */
};

/* @c has its plan. 0, or < 0 with the error in the handle, that create or start would give. */
int rehearsal_run(struct creation *c, struct rehearsal *ret);

#endif
