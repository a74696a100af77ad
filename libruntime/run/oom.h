/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OOM kills, counted beyond the cgroup's end. The kernel's counter goes with the cgroup, so who
 * watches leaves a file in the state directory, and `delete` writes the last number into it before
 * it removes the cgroup: the watcher's descriptor outlives both. Private to run/.
 */
#ifndef OAKUM_RUN_OOM_H
#define OAKUM_RUN_OOM_H

#include "kernel/cgroup_stat.h"
#include "run/lifecycle.h"

struct oom_watch {
	struct cgroup_oom cg;
	int ledger;
	uint64_t before, seen; /* kills: when it was opened, and since then */
	uint64_t above;	       /* in the parent, when it was opened */
};

#define OOM_WATCH_INIT ((struct oom_watch){.cg = CGROUP_OOM_INIT, .ledger = -1})

/* @flags: CGROUP_OOM_NOTIFY or 0. 0; CGROUP_GONE: nobody counts here; < 0 with @err. */
int oom_watch_open(const struct container *c, const struct cgroup *cg, unsigned flags,
		   struct oom_watch *ret, struct err *err);
void oom_watch_close(struct oom_watch *w);

/* Look again: ->seen never shrinks. 0; CGROUP_GONE: it is final; OOM_UNKNOWN: the cgroup went
 * without `delete`, and there may have been more. Of a scope, which systemd removes as soon as it
 * is empty, the slice's own count may still prove that there were not. */
enum { OOM_UNKNOWN = 2 };
int oom_watch_look(struct oom_watch *w);

/* For delete: write down what is known for those who watch, if anybody does. */
void oom_note(struct oakum *o, const struct container *c);

#endif
