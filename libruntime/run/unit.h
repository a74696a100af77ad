/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's systemd unit through its life: the manager looked at, limits changed, the unit
 * stopped. How it is made is in create.c. */
#ifndef OAKUM_RUN_UNIT_H
#define OAKUM_RUN_UNIT_H

#include "kernel/cgroup_systemd.h"
#include "run/handle.h"
#include "run/plan.h"
#include "run/state.h"

/*
 * Where the handle wants systemd as its cgroup manager: connect @s to it and learn what the plan
 * has to know. Where nothing will be done, @s stays closed and the usual is assumed. 0, or < 0 with
 * @err.
 */
int unit_look(struct oakum *o, struct cgroup_systemd *s, int64_t deadline_ms, struct arena *arena,
	      struct plan_systemd *ret, struct err *err);

/* Has this container a unit that may still be there? */
bool unit_exists(struct oakum *o, const struct state *s);

/* Is it systemd that has to move a process of ours there? Out of his session a user may not, nor
 * clone one there. */
bool unit_attaches(const char *name, bool user);

/* Let it move @pid to the unit's cgroup, or its sub-cgroup @sub ("/a", NULL: none). 0, or < 0 with
 * @err. */
int unit_attach(const struct state *s, const char *sub, pid_t pid, int64_t deadline_ms,
		struct err *err);

/* Stop it, once nobody lives in it. 0: there is none any more, or < 0 with @err. @ours: it was made
 * for certain; else one in which somebody lives is another's, left alone, and UNIT_IN_USE. */
enum { UNIT_IN_USE = 1 };
int unit_stop(const struct state *s, bool ours, int64_t deadline_ms, struct err *err);

/* Tell systemd of the limits that are about to be written into @cg. 0, or < 0 with @err. */
int unit_update(const struct state *s, const struct cgroup *cg, const struct cgroup_limits *limits,
		struct arena *arena, struct err *err);

#endif
