/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parent does about the sources of binds, since the child may have no right to: it maps
 * the ids of detached trees, at once where the mapping is known, those of a new user namespace once
 * that is mapped; and it opens a source when the child asks for it, one that an earlier mount has
 * brought, or one that was too many to be held.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/create.h"
#include "run/creation.h"
#include "run/init.h"
#include "run/sync.h"

#define FETCH_TIMEOUT_MS 30000 /* newuidmap and newgidmap may have their part in it */

/* The user namespace whose ids @op shows, a descriptor of the caller's. */
static int open_userns(struct creation *c, const struct mount_op *op, struct err *err)
{
	int fd;

	if (op->idmap.kind == IDMAP_OWN)
		return idmap_userns(&op->idmap, err);
	if (c->join[SPEC_NS_USER] >= 0) {
		fd = fcntl(c->join[SPEC_NS_USER], F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? err_set(err, errno, "dup") : fd;
	}
	fd = ns_of(c->pid, CLONE_NEWUSER);
	return fd < 0 ? err_set(err, -fd, "open the container's user namespace") : fd;
}

static int map_tree(struct creation *c, const struct mount_op *op, int tree, struct err *err)
{
	AUTO_CLOSE int userns = open_userns(c, op, err);

	return userns < 0 ? userns : idmap_apply(tree, userns, op->idmap.recursive, err);
}

static bool waits_for_child(const struct creation *c, const struct mount_op *op)
{
	return op->idmap.kind == IDMAP_CONTAINER && (c->plan->create & CLONE_NEWUSER);
}

int creation_idmap(struct creation *c, bool child)
{
	for (size_t i = 0; i < c->plan->n_mounts; i++) {
		const struct mount_op *op = &c->plan->mounts[i];
		int r;

		if (op->idmap.kind == IDMAP_NONE || c->sources[i] < 0 ||
		    waits_for_child(c, op) != child)
			continue;
		r = map_tree(c, op, c->sources[i], c->err);
		if (r < 0) {
			err_pointer(c->err, "/mounts/%d", op->index);
			return r;
		}
	}
	return 0;
}

struct fetching {
	struct creation *c;
	int64_t index;
};

/* In the mount namespace of the child, where the source is; with our rights. The child gets it, or
 * the error. */
static int fetch(void *data, struct err *unused)
{
	struct creation *c = ((struct fetching *)data)->c;
	int64_t index = ((struct fetching *)data)->index;
	const struct mount_op *op = &c->plan->mounts[index];
	bool mapped = op->idmap.kind != IDMAP_NONE;
	struct err err = ERR_INIT;
	int ns = ns_of(c->pid, CLONE_NEWNS), tree = -1;

	/* The user namespace first: its path is of our own /proc. */
	AUTO_CLOSE int userns = mapped ? open_userns(c, op, &err) : -1;

	if (mapped && userns < 0)
		fd_replace(&ns, -1);
	else if (ns < 0)
		err_set(&err, -ns, "open the container's mount namespace");
	else if (setns(ns, CLONE_NEWNS) < 0)
		err_set(&err, errno, "join the container's mount namespace");
	else
		tree = mount_open_source(op, &err);
	if (tree >= 0 && mapped && idmap_apply(tree, userns, op->idmap.recursive, &err) < 0)
		fd_replace(&tree, -1);
	if (tree >= 0)
		sync_send(c->sync, SYNC_SOURCE, index, tree);
	else
		sync_send_error(c->sync, &err);
	(void)unused;
	return 0;
}

/* Where the host's mounts are. */
static int send_host_source(struct creation *c, const struct mount_op *op, int64_t index)
{
	AUTO_CLOSE int tree = mount_open_source(op, c->err);
	int r = tree;

	if (r >= 0 && op->idmap.kind != IDMAP_NONE)
		r = map_tree(c, op, tree, c->err);
	if (r < 0)
		err_pointer(c->err, "/mounts/%d", op->index);
	else
		sync_send(c->sync, SYNC_SOURCE, index, tree);
	return r < 0 ? r : 0;
}

int creation_send_source(struct creation *c, int64_t index)
{
	const struct plan *p = c->plan;
	int r;

	if (index < 0 || (size_t)index >= p->n_mounts || p->mounts[index].kind != MOUNT_BIND)
		return err_set(c->err, EPROTO, "a source that is none");
	if (c->sources[index] == INIT_SOURCE_LATER)
		return send_host_source(c, &p->mounts[index], index);
	/* Hooks may have had all of the creation's time. */
	r = create_helper(fetch, &(struct fetching){c, index},
			  p->hook_kinds ? clock_deadline(FETCH_TIMEOUT_MS) : c->deadline, c->err);
	if (r < 0)
		err_pointer(c->err, "/mounts/%d", p->mounts[index].index);
	return r;
}
