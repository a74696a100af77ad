/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mounts: binds and tmpfs more, or less, for a container that lives. What is bound is opened here,
 * with our view of the host; a process of ours that has joined the container's user and mount
 * namespaces, and no other, puts it in its place. The container's configuration stays as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "kernel/ns.h"
#include "kernel/rootfs.h"
#include "run/create.h"
#include "run/entrance.h"
#include "run/plan.h"
#include "spec/spec.h"

#define TIMEOUT_MS 10000

struct change {
	const struct mount_op *ops;
	size_t n;
	int *sources; /* as many, -1: none */
	struct entrance into;
	bool remove;
};

/* ---- the process that joins ---- */

static int join(const struct change *x, struct rootfs *root, struct err *err)
{
	int r;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* Of our own pid namespace, in which descriptors are looked up. */
	root->proc = procfs_open(err);
	if (root->proc < 0)
		return root->proc;
	if (entrance_join(&x->into, x->into.kinds & (CLONE_NEWUSER | CLONE_NEWNS)) < 0)
		return err_set(err, errno, "join the container's namespaces");
	if ((x->into.kinds & CLONE_NEWUSER) && (r = entrance_become_root(err)) < 0)
		return r;
	root->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root->fd < 0 ? err_set(err, errno, "open the container's root") : 0;
}

/* All, or none: what was added goes again when one fails. */
static int add(const struct change *x, struct rootfs *root, struct err *err)
{
	for (size_t i = 0; i < x->n; i++) {
		struct err ignored = ERR_INIT;
		int r = mount_apply(root, &x->ops[i], x->sources[i], err);

		if (r == 0)
			continue;
		err_pointer(err, "/%zu", i);
		while (i-- > 0)
			(void)mount_remove(root, &x->ops[i], &ignored);
		return r;
	}
	return 0;
}

/* The last one first, as they lie on each other. */
static int take_away(const struct change *x, struct rootfs *root, struct err *err)
{
	for (size_t i = x->n; i-- > 0;) {
		int r = mount_remove(root, &x->ops[i], err);

		if (r < 0) {
			err_pointer(err, "/%zu", i);
			return r;
		}
	}
	return 0;
}

static int change_mounts(void *data, struct err *err)
{
	const struct change *x = data;
	struct rootfs root = ROOTFS_INIT;
	int r = join(x, &root, err);

	umask(0);
	if (r == 0)
		r = x->remove ? take_away(x, &root, err) : add(x, &root, err);
	return r;
}

/* ---- ours ---- */

/* What one is called in, an array of its own and not in config.json. */
static int read_mounts(struct oakum *o, const struct oakum_mounts *m, struct container *c,
		       struct spec *ret, struct err *err)
{
	struct spec_errors *errors = arena_alloc(&c->arena, sizeof(*errors));
	const char *name = create_input_name(m->file, "mounts");
	int r;

	if (!errors)
		return err_set(err, ENOMEM, "read the mounts");
	r = spec_parse_mounts(m->text, m->text_size, name, &c->arena, ret, errors);
	return create_parsed(o, errors, name, r);
}

static int make_plan(struct oakum *o, const struct oakum_mounts *m, struct container *c,
		     struct plan **ret, struct err *err)
{
	struct spec *spec;
	int r = state_load_config(c->dir, &c->arena, &spec, err);

	if (r == 0)
		r = read_mounts(o, m, c, spec, err);
	if (r == 0)
		r = plan_make_added(spec, c->state.bundle, c->state.namespaces, &c->arena, ret,
				    err);
	if (r < 0)
		err_top(err, "/mounts");
	return r;
}

static int open_source(const struct mount_op *op, pid_t init, struct err *err)
{
	AUTO_CLOSE int userns = -1, tree = -1;
	int r;

	if (!userns_may_unshare() || !userns_may_mount())
		return err_kind(err, ERR_UNSUPPORTED, EPERM,
				"to bring in %s needs rights over the host's mounts", op->source);
	tree = mount_open_source(op, err);
	if (tree < 0 || op->idmap.kind == IDMAP_NONE)
		return tree < 0 ? tree : fd_take(&tree);
	if (op->idmap.kind == IDMAP_OWN) {
		userns = idmap_userns(&op->idmap, err);
		if (userns < 0)
			return userns;
	} else {
		userns = ns_of(init, CLONE_NEWUSER);
		if (userns < 0)
			return err_set(err, -userns, "open the container's user namespace");
	}
	r = idmap_apply(tree, userns, op->idmap.recursive, err);
	return r < 0 ? r : fd_take(&tree);
}

static int open_sources(struct change *x, const struct container *c, struct err *err)
{
	for (size_t i = 0; !x->remove && i < x->n; i++) {
		if (x->ops[i].kind != MOUNT_BIND)
			continue;
		x->sources[i] = open_source(&x->ops[i], c->state.init.pid, err);
		if (x->sources[i] < 0) {
			err_pointer(err, "/%zu", i);
			return x->sources[i];
		}
	}
	return 0;
}

static int check(const struct container *c, struct err *err)
{
	if (c->status != OAKUM_CREATED && c->status != OAKUM_RUNNING && c->status != OAKUM_PAUSED)
		return container_not_running(c, err);
	if (!(c->state.namespaces & CLONE_NEWNS)) {
		err_hint(err, "mount on the host: it sees what the host sees");
		return err_kind(err, ERR_UNSUPPORTED, 0,
				"the container has no mount namespace of its own");
	}
	return 0;
}

static int apply(struct change *x, const struct container *c, struct err *err)
{
	int64_t deadline = clock_deadline(TIMEOUT_MS);
	int r = entrance_open(c, deadline, &x->into, err);

	if (r == ENTRANCE_GONE)
		return container_not_running(c, err);
	if (r == 0)
		r = open_sources(x, c, err);
	return r < 0 ? r : create_helper(change_mounts, x, deadline, err);
}

static int change(struct oakum *o, const char *id, const struct oakum_mounts *m, struct err *err)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	struct change x = {.into = ENTRANCE_NONE, .remove = m->remove};
	struct oakum_mounts given = *m;
	struct plan *plan;
	int r = create_read_first(o, id, m->file, &c.arena, &given.text, &given.text_size, err);

	if (r == 0)
		r = container_open(o, id, true, &c, err);
	if (r == 0)
		r = check(&c, err);
	if (r == 0)
		r = make_plan(o, &given, &c, &plan, err);
	if (r < 0)
		return r;
	x.ops = plan->mounts;
	x.n = plan->n_mounts;
	x.sources = arena_array(&c.arena, x.n + 1, sizeof(*x.sources));
	if (!x.sources)
		return err_set(err, ENOMEM, "change mounts");
	for (size_t i = 0; i < x.n; i++)
		x.sources[i] = -1;
	r = apply(&x, &c, err);
	for (size_t i = 0; i < x.n; i++)
		fd_close(x.sources[i]);
	entrance_close(&x.into);
	return r;
}

int oakum_mounts(struct oakum *o, const char *id, const struct oakum_mounts *options)
{
	struct err *err = handle_begin(o);
	int r = HANDLE_CHECK_OPTIONS(o, options, oakum_mounts);

	if (r == 0 && !options->file == !options->text)
		r = err_kind(err, ERR_USAGE, 0, "either a file or a text");
	if (r == 0)
		r = change(o, id, options, err);
	return handle_end(o, "mounts", id, r);
}
