/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other shares of cache and memory bandwidth for a container that lives. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/str.h"
#include "kernel/rdt.h"
#include "run/lifecycle.h"
#include "run/plan.h"
#include "run/rdt.h"

#define ROUNDS_MAX 20

struct joining {
	int root;
	const char *group;
	pid_t *seen; /* threads that were put there in this round */
	size_t n_seen;
	bool fresh; /* one that was not in the round before */
	const pid_t *last;
	size_t n_last;
	struct err *err;
};

static bool was_there(const struct joining *j, pid_t tid)
{
	for (size_t i = 0; i < j->n_last; i++)
		if (j->last[i] == tid)
			return true;
	return false;
}

static int join_thread(struct joining *j, pid_t tid)
{
	pid_t *more = reallocarray(j->seen, j->n_seen + 1, sizeof(*more));
	int r;

	if (!more)
		return err_set(j->err, ENOMEM, "put threads into resctrl class %s", j->group);
	j->seen = more;
	more[j->n_seen++] = tid;
	if (was_there(j, tid))
		return 0;
	j->fresh = true;
	r = rdt_join(j->root, j->group, NULL, tid, j->err);
	if (r == -ESRCH) {
		*j->err = ERR_INIT; /* it has ended */
		return 0;
	}
	return r == RDT_GONE ? err_set(j->err, ENOENT, "resctrl class %s went away", j->group) : r;
}

static int join_process(struct joining *j, pid_t pid)
{
	char path[64];
	struct dirent *e;
	DIR *d;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && r == 0 && (e = readdir(d))) {
		uint64_t tid;

		if (str_to_u64(e->d_name, 1, INT_MAX, &tid) == 0)
			r = join_thread(j, (pid_t)tid);
	}
	if (d)
		closedir(d);
	return r;
}

/* A child is born into its parent's class: who was forked meanwhile by a thread that had not been
 * moved yet is met by the next round. */
static int join_all(struct oakum *o, const struct container *c, int root, struct err *err)
{
	struct joining j = {.root = root, .group = c->state.rdt_group, .fresh = true, .err = err};
	AUTO_FREE pid_t *last = NULL;
	int r = 0;

	for (int round = 0; round < ROUNDS_MAX && j.fresh && r == 0; round++) {
		AUTO_FREE pid_t *pids = NULL;
		size_t n = 0;

		free(last);
		last = j.seen;
		j.last = last;
		j.n_last = j.n_seen;
		j.seen = NULL;
		j.n_seen = 0;
		j.fresh = false;
		r = container_pids(o, c, &pids, &n, err);
		for (size_t i = 0; i < n && r == 0; i++)
			r = join_process(&j, pids[i]);
	}
	free(j.seen);
	return r;
}

/* A class of its own, as create would have made it: written down first. */
static int make_class(struct oakum *o, struct container *c, int root, const char *lines,
		      struct err *err)
{
	const char *id = c->state.id, *bad = rdt_bad_name(id);
	struct rdt_request q = {.group = id,
				.schemata = lines,
				.mark = plan_rdt_mark(o->cgroup_parent, id, &c->arena)};
	struct err ignored = ERR_INIT;
	int r;

	if (bad)
		return err_kind(err, ERR_USAGE, 0, "the container's id \"%s\" names a group: %s",
				id, bad);
	if (!q.mark)
		return err_set(err, ENOMEM, "make a resctrl class");
	r = rdt_look(root, &q, &c->state.rdt_made, err);
	if (r < 0)
		return r;
	c->state.rdt_group = id;
	r = state_write(c->dir, &c->state, err);
	if (r == 0)
		r = rdt_make(root, &q, c->state.rdt_made, err);
	/* Once threads are there, the class is delete's to remove. */
	if (r == 0)
		r = state_write_claim(c->dir, &c->state, err);
	if (r == 0)
		return join_all(o, c, root, err);
	(void)rdt_remove(root, id, NULL, c->state.rdt_made, &ignored);
	c->state.rdt_group = NULL;
	c->state.rdt_made = false;
	(void)state_write(c->dir, &c->state, &ignored);
	return r;
}

int rdt_change(struct oakum *o, struct container *c, int root, const char *lines, struct err *err)
{
	const char *group = c->state.rdt_group;
	int r = rdt_lock(root, err);

	if (r < 0)
		return r;
	if (group && group[0])
		r = rdt_update(root, group, lines, err);
	else
		r = make_class(o, c, root, lines, err);
	lock_drop(root);
	return r == RDT_GONE ? err_set(err, ENOENT, "resctrl class %s went away", group) : r;
}
