/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The write-ahead for resctrl: state.json names the class and says whether it will be ours before
 * it is made, all under resctrl's own lock, so that who is killed at any instruction leaves what
 * `delete` finds and nobody else's.
 */
#include "run/rdt.h"

#include <errno.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "run/creation.h"

#define LOCK_WAIT_MS 10000

int rdt_lock(int root, struct err *err)
{
	int r = lock_take(root, clock_deadline(LOCK_WAIT_MS));

	if (r == -EBUSY)
		err_hint(err, "another program holds the lock of resctrl's root directory");
	return r < 0 ? err_set(err, -r, "lock resctrl") : 0;
}

int creation_open_rdt(struct creation *c)
{
	if (!c->plan->rdt)
		return 0;
	c->rdt = rdt_open(c->err);
	if (c->rdt >= 0)
		return 0;
	err_pointer(c->err, "/linux/intelRdt");
	return c->rdt;
}

int creation_begin_rdt(struct creation *c)
{
	const struct rdt_request *q = c->plan->rdt;
	int r = q ? rdt_lock(c->rdt, c->err) : 0;

	if (!q)
		return 0;
	if (r == 0)
		r = rdt_look(c->rdt, q, &c->state.rdt_made, c->err);
	if (r < 0) {
		err_pointer(c->err, "/linux/intelRdt");
		return r;
	}
	c->state.rdt_group = q->group;
	c->state.rdt_monitor = q->monitor;
	return 0;
}

int creation_make_rdt(struct creation *c)
{
	int r = c->plan->rdt ? rdt_make(c->rdt, c->plan->rdt, c->state.rdt_made, c->err) : 0;

	if (c->plan->rdt)
		lock_drop(c->rdt);
	if (r < 0)
		err_pointer(c->err, "/linux/intelRdt");
	return r;
}

int creation_join_rdt(struct creation *c)
{
	const struct rdt_request *q = c->plan->rdt;
	int r = q ? rdt_join(c->rdt, q->group, q->monitor, c->pid, c->err) : 0;

	if (r == RDT_GONE)
		r = err_set(c->err, ENOENT, "resctrl class %s went away", q->group);
	if (r < 0)
		err_pointer(c->err, "/linux/intelRdt");
	return r;
}

void creation_undo_rdt(struct creation *c, const char *id)
{
	struct err ignored = ERR_INIT;

	if (c->rdt < 0)
		return;
	/* Ours, and rdt_clear() takes one of its own. */
	lock_drop(c->rdt);
	(void)rdt_clear(c->o, id, &c->state, &ignored);
}

int rdt_clear(struct oakum *o, const char *id, const struct state *s, struct err *err)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int root = -1;
	const char *mark;
	int r;

	if (s && (!s->rdt_group || !s->rdt_group[0]))
		return 0;
	root = rdt_open(&ignored);
	if (root < 0)
		return 0;
	r = rdt_lock(root, err);
	if (r == 0 && s)
		r = rdt_remove(root, s->rdt_group, s->rdt_monitor, s->rdt_made, err);
	if (r == 0 && !s) {
		mark = plan_rdt_mark(o->cgroup_parent, id, &arena);
		r = mark ? rdt_sweep(root, mark, err) : err_set(err, ENOMEM, "resctrl");
	}
	return r;
}
