/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bundle on this host: what create would refuse, in the order in which it would, by the same code
 * that would refuse it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/create.h"
#include "run/doctor.h"
#include "run/hooks.h"
#include "run/planning.h"
#include "run/rdt.h"
#include "run/rehearsal.h"

/* ---- the state root ---- */

/* Of a new container: its directory, state.json, claim.json and the next state.json beside them,
 * config.json, the gate. */
#define INODES_NEEDED  6
#define BYTES_OF_STATE 16384

/* The state root, or what is there of the way to it; and is it itself? */
static bool find_root(const struct oakum *o, char *dir, size_t size)
{
	bool whole = true;

	snprintf(dir, size, "%s", o->root);
	while (access(dir, F_OK) < 0 && errno == ENOENT && strlen(dir) > 1) {
		char *slash = strrchr(dir, '/');

		whole = false;
		slash[slash == dir] = '\0';
	}
	return whole;
}

static void look_at_space(struct doctor *d, const char *dir, size_t config_size, bool seccomp)
{
	struct err err = ERR_INIT;
	struct statvfs fs;
	uint64_t inodes = INODES_NEEDED, bytes = BYTES_OF_STATE + config_size, room;
	char cache[PATH_MAX + sizeof("/.cache")];

	if (statvfs(dir, &fs) < 0)
		return;
	snprintf(cache, sizeof(cache), "%s/.cache", dir);
	inodes += seccomp && access(cache, F_OK) < 0;
	room = (uint64_t)(geteuid() ? fs.f_bavail : fs.f_bfree) * fs.f_frsize;
	/* A file system that counts no inodes has 0 of 0. */
	if (fs.f_files && fs.f_favail < inodes) {
		err_set(&err, ENOSPC,
			"the state root %s has %llu free inodes, and a container takes %llu",
			d->o->root, (unsigned long long)fs.f_favail, (unsigned long long)inodes);
		err_hint(&err, "see what fills %s: df -i %s", dir, dir);
	} else if (room < bytes) {
		err_set(&err, ENOSPC, "the state root %s has %llu free bytes", d->o->root,
			(unsigned long long)room);
	} else if (fs.f_flag & ST_RDONLY) {
		err_set(&err, EROFS, "the state root %s", d->o->root);
	}
	if (err.kind != ERR_NONE)
		doctor_problem(d, &err);
	else if (fs.f_files)
		doctor_has(d, "room", "%llu inodes, %llu bytes", (unsigned long long)fs.f_favail,
			   (unsigned long long)room);
	else
		doctor_has(d, "room", "%llu bytes", (unsigned long long)room);
}

void doctor_root(struct doctor *d, size_t config_size, bool seccomp)
{
	char dir[PATH_MAX];
	struct err err = ERR_INIT;
	bool whole = find_root(d->o, dir, sizeof(dir));
	AUTO_CLOSE int fd = whole ? state_open_root(d->o, false, &err) : -1;

	doctor_area(d, "state root");
	if (whole && fd < 0) {
		doctor_problem(d, &err);
		return;
	}
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) < 0 && errno != EROFS) {
		err_set(&err, errno, "make the state root %s", d->o->root);
		err_hint(&err, "%s", state_root_hint(d->o));
		doctor_problem(d, &err);
		return;
	}
	doctor_has(d, d->o->root, whole ? NULL : "will be made");
	look_at_space(d, dir, config_size, seccomp);
}

/* ---- what the bundle names ---- */

/* A poststop hook that fails is warned of, no more. */
static void report_hook(struct doctor *d, int kind, const struct err *err)
{
	char text[1024];

	if (kind != SPEC_HOOK_POSTSTOP) {
		doctor_problem(d, err);
		return;
	}
	err_format(err, text, sizeof(text));
	doctor_note(d, "delete will warn", "%s", text);
}

static void look_at_hooks(struct doctor *d, const struct plan *p)
{
	for (int kind = 0; kind < SPEC_HOOK_COUNT; kind++)
		for (size_t i = 0; kind != SPEC_HOOK_START_CONTAINER && i < p->hooks[kind].n; i++) {
			struct err err = ERR_INIT;

			if (hooks_foresee_one(&p->hooks[kind], i, kind, true, &err) < 0)
				report_hook(d, kind, &err);
		}
}

/* Opened by create for its own, and by start. */
static void look_at_hook_outputs(struct doctor *d, const struct creation *c)
{
	struct err err = ERR_INIT;

	if ((c->plan->hook_kinds & ~(1u << SPEC_HOOK_POSTSTOP)) &&
	    hooks_outputs_look(c->state.bundle, c->plan->known, &err) < 0)
		doctor_problem(d, &err);
}

/* What is left of the pages of one CPU's batch (64 in Linux) decides below this. */
#define MEMORY_ENOUGH (512 << 10)

static void look_at_memory(struct doctor *d, const struct plan *p)
{
	int64_t limit = p->limits.memory_limit.set ? p->limits.memory_limit.v : 0;

	if (limit > 0 && limit < MEMORY_ENOUGH)
		doctor_note(d, "memory limit",
			    "with %lld bytes, less than 512 KiB, a program starts at times, and at "
			    "times it is killed",
			    (long long)limit);
}

static void look_at_cgroup(struct doctor *d, const struct creation *c)
{
	const struct plan *p = c->plan;
	struct err err = ERR_INIT;

	if (!p->cgroup[0])
		return;
	cgroup_survey(c->host.cgroups, p->cgroup, &p->limits, doctor_report_problem, d);
	if (p->delegate && cgroup_survey_below(c->host.cgroups, p->cgroup,
					       p->delegate + strlen(p->cgroup), &err) < 0) {
		plan_blame_delegate(p, &err);
		doctor_problem(d, &err);
	}
}

/* A hook in the container, and the thread that passes a listener on, come on top of its process. */
static void look_at_pids(struct doctor *d, const struct plan *p)
{
	struct err err = ERR_INIT;

	if (!p->limits.pids_limit.set || p->limits.pids_limit.v < 0 || p->limits.pids_limit.v > 1 ||
	    (!p->process.hooks.n && !p->process.listener.path))
		return;
	err_pointer(&err, "/linux/resources/pids/limit");
	err_hint(&err, "startContainer hooks and a seccomp agent need two processes at least");
	err_set(&err, EAGAIN, "pids limit: 1");
	doctor_problem(d, &err);
}

/* FUSE: "fd=3,…", a connection that nobody has opened here for it (fuse(8)). */
static bool lacks_connection(const struct mount_op *op)
{
	return (str_eq(op->type, "fuse") || str_eq(op->type, "fuseblk")) &&
	       !str_starts(op->data, "fd=") && !strstr(op->data, ",fd=");
}

static void look_at_file_systems(struct doctor *d, const struct plan *p)
{
	for (size_t i = 0; i < p->n_mounts; i++) {
		const struct mount_op *op = &p->mounts[i];
		struct err err = ERR_INIT;

		if (op->kind != MOUNT_FS)
			continue;
		if (!mount_fs_known(op->type))
			err_kind(&err, ERR_UNSUPPORTED, ENODEV,
				 "mount %s on %s: a file system this kernel has not", op->type,
				 op->target);
		else if (lacks_connection(op))
			err_set(&err, EINVAL, "mount %s on %s: no fd= among its options", op->type,
				op->target);
		if (err.kind == ERR_NONE)
			continue;
		err_pointer(&err, "/mounts/%d", op->index);
		doctor_problem(d, &err);
	}
}

/* It is for the rehearsal too; but what an agent is asked, nobody would answer there. */
static void look_at_filter(struct doctor *d, struct creation *c)
{
	const struct plan_process *p = &c->plan->process;
	struct err err = ERR_INIT;

	if (!p->seccomp)
		return;
	if (seccomp_build(p->seccomp, -1, &c->filter, &err) < 0) {
		doctor_problem(d, &err);
		return;
	}
	doctor_has(d, "seccomp profile", "%zu instructions", c->filter.n);
	c->have_filter = !p->listener.path;
}

static void look_at_rdt(struct doctor *d, struct creation *c)
{
	struct err *own = c->err, err = ERR_INIT;

	c->err = &err;
	if (creation_open_rdt(c) < 0)
		doctor_problem(d, &err);
	fd_close(c->rdt);
	c->rdt = -1;
	c->err = own;
}

static void tell_rehearsal(struct doctor *d, const struct rehearsal *r)
{
	if (r->skipped)
		doctor_note(d, "rehearsal", "not possible: it joins a mount namespace");
	else if (!r->whole)
		doctor_note(d, "rehearsal",
			    "namespaces and ids only: no overlay can cover the root here");
	else
		doctor_has(d, "rehearsal",
			   "namespaces, ids, mounts, devices, sysctls, limits and the program");
	if (r->left_out)
		doctor_note(d, "rehearsal",
			    "%zu mounts, devices and sysctls were left out, since trying them "
			    "would change the host",
			    r->left_out);
}

static void rehearse(struct doctor *d, struct creation *c)
{
	struct rehearsal r;
	struct err *own = c->err, err = ERR_INIT;

	c->err = &err;
	if (rehearsal_run(c, &r) < 0)
		doctor_problem(d, &err);
	else
		tell_rehearsal(d, &r);
	c->err = own;
}

static void keep_errors(struct doctor *d)
{
	doctor_problem(d, &d->o->err);
	for (size_t i = 0; i < d->o->n_more; i++)
		doctor_problem(d, &d->o->more[i]);
}

static void examine(struct doctor *d, struct planning *p)
{
	struct creation *c = &p->creation;

	for (size_t i = 0; i < p->n_warnings; i++)
		doctor_note(d, "configuration", "%s", p->warnings[i]);
	for (size_t i = 0; i < p->problems->n; i++)
		doctor_problem(d, &p->problems->v[i]);
	look_at_filter(d, c);
	doctor_root(d, c->text_size, c->plan->process.seccomp);
	doctor_area(d, "bundle on this host");
	look_at_cgroup(d, c);
	look_at_memory(d, c->plan);
	look_at_pids(d, c->plan);
	look_at_rdt(d, c);
	look_at_file_systems(d, c->plan);
	look_at_hook_outputs(d, c);
	look_at_hooks(d, c->plan);
	if (access(c->plan->rootfs, X_OK) == 0)
		rehearse(d, c);
	seccomp_free(&c->filter);
}

void doctor_bundle(struct doctor *d, const char *id, const struct oakum_create *options)
{
	struct planning p;
	int r = planning_begin(d->o, id, options, &p);

	doctor_area(d, "bundle");
	if (p.creation.state.bundle)
		doctor_has(d, p.creation.state.bundle, NULL);
	if (r < 0)
		keep_errors(d);
	else
		examine(d, &p);
	planning_end(&p);
}
