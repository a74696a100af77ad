/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * restore: the parent's half of create, with criu in the place of a child that mounts. What the
 * images leave open (sources of mounts, stdio, joined namespaces) is answered from the
 * configuration; more answers than questions do no harm.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/json.h"
#include "base/mountinfo.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/ns.h"
#include "run/creation.h"
#include "run/criu_job.h"
#include "run/rdt.h"
#include "run/restore.h"

#define STDIO_MAX 4096 /* of descriptors.json */

struct restoring {
	struct creation c;
	struct criu_job job;
	int root;	     /* the root file system */
	const char **points; /* of the plan's mounts */
};

/* ---- mount points ---- */

/* The entry on which that at @i is mounted, the last one before it; SIZE_MAX: the root. */
static size_t stands_on(const struct plan *p, size_t i)
{
	const char *target = p->mounts[i].target;

	for (size_t k = i; k-- > 0;) {
		const char *name = path_below(target, p->mounts[k].target);

		if (name && *name)
			return k;
	}
	return SIZE_MAX;
}

/* The directory in which the mount point of @i lies on the host, and its name there: the root, or
 * the source of another bind; -1: what comes with a file system of the container's own. */
static int directory_of(struct restoring *s, size_t i, const char **ret_name)
{
	size_t below = stands_on(s->c.plan, i);
	const struct mount_op *on = below == SIZE_MAX ? NULL : &s->c.plan->mounts[below];

	*ret_name = s->c.plan->mounts[i].target + (on ? strlen(on->target) : 0);
	if (!on)
		return fcntl(s->root, F_DUPFD_CLOEXEC, 0);
	return on->kind == MOUNT_BIND ? open(on->source, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
}

/* criu mounts on what is there. A new file system brings its own mount points with its contents. */
static void make_target(struct restoring *s, size_t i)
{
	const struct mount_op *op = &s->c.plan->mounts[i];
	const char *name;
	AUTO_CLOSE int dir = directory_of(s, i, &name);
	AUTO_CLOSE int made = -1;
	bool file = false;
	struct stat st;

	if (dir < 0 || (op->kind != MOUNT_FS && op->kind != MOUNT_BIND))
		return;
	if (op->kind == MOUNT_BIND)
		file = stat(op->source, &st) == 0 && !S_ISDIR(st.st_mode);
	made = file ? path_mkfile(dir, name) : path_mkdirs(dir, name);
	if (made < 0)
		handle_debug(s->c.o, "restore: make the mount point %s: %s", op->target,
			     strerror(-made));
}

/* @name as it is called when links in @dir have been followed; in the arena, or @name. */
static const char *resolved(struct restoring *s, int dir, const char *name)
{
	char at[FD_PATH_SIZE], root[PATH_MAX], path[PATH_MAX];
	AUTO_CLOSE int fd = dir < 0 ? -1 : path_open(dir, name, O_PATH);
	const char *text = NULL;
	ssize_t n, r;

	if (fd < 0)
		return name;
	r = readlink(fd_path(dir, at), root, sizeof(root) - 1);
	n = readlink(fd_path(fd, at), path, sizeof(path) - 1);
	if (r > 0 && n > r) {
		root[r] = '\0';
		path[n] = '\0';
		text = path_below(path, root);
		if (text)
			text = arena_strdup(&s->c.arena, text);
	}
	return text ? text : name;
}

/* The mount point of @i as the container's kernel shows it: what it lies on has been looked at
 * before it. */
static const char *mount_point(struct restoring *s, size_t i)
{
	const char *name, *point;
	AUTO_CLOSE int dir = directory_of(s, i, &name);
	size_t below = stands_on(s->c.plan, i);

	point = resolved(s, dir, name);
	if (below != SIZE_MAX)
		point = arena_printf(&s->c.arena, "%s%s", s->points[below], point);
	return point ? point : s->c.plan->mounts[i].target;
}

/* ---- sources ---- */

/* What the host has mounted below the source of an rbind came along. */
struct rbind {
	struct criu_job *job;
	const char *target;
	char source[PATH_MAX];
};

static int note_submount(void *data, const struct mountinfo *m)
{
	const struct rbind *b = data;
	const char *name = path_below(m->point, b->source);

	if (name && *name)
		criu_job_external(b->job, "mnt[%s%s]:%s", b->target, name, m->point);
	return 0;
}

static int note_submounts(struct restoring *s, const struct mount_op *op, const char *target)
{
	struct rbind b = {.job = &s->job, .target = target};
	int r = realpath(op->source, b.source)
			? mountinfo_each("/proc/self/mountinfo", note_submount, &b)
			: 0;

	return r < 0 ? err_set(s->c.err, -r, "read /proc/self/mountinfo") : 0;
}

/* A new file system that could not be had is a bind of the host's. */
static const char *stand_in(const struct mount_op *op)
{
	static const char *const types[][2] = {
		{"sysfs", "/sys"}, {"proc", "/proc"}, {"mqueue", "/dev/mqueue"}};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (op->kind == MOUNT_FS && str_eq(op->type, types[i][0]))
			return types[i][1];
	return op->kind == MOUNT_BIND ? op->source : NULL;
}

static int note_mounts(struct restoring *s)
{
	const struct plan *p = s->c.plan;
	int r = 0;

	s->points = arena_array(&s->c.arena, p->n_mounts + 1, sizeof(*s->points));
	if (!s->points)
		return err_set(s->c.err, ENOMEM, "name the mount points");
	for (size_t i = 0; i < p->n_mounts; i++) {
		make_target(s, i);
		s->points[i] = mount_point(s, i);
	}
	for (size_t i = 0; r == 0 && i < p->n_mounts; i++) {
		const struct mount_op *op = &p->mounts[i];
		const char *source = stand_in(op);

		if (!source)
			continue;
		criu_job_external(&s->job, "mnt[%s]:%s", s->points[i], source);
		if (op->kind == MOUNT_BIND && op->recursive)
			r = note_submounts(s, op, s->points[i]);
	}
	for (size_t i = 0; i < p->masked.n; i++)
		criu_job_external(&s->job, "mnt[%s]:/dev/null",
				  resolved(s, s->root, p->masked.v[i]));
	for (size_t i = 0; i < p->readonly.n; i++)
		criu_job_external(&s->job, "mnt[%s]:%s", p->readonly.v[i], p->readonly.v[i]);
	for (size_t i = 0; i < p->n_devices; i++)
		criu_job_external(&s->job, "mnt[%s]:%s", p->devices[i].path, p->devices[i].path);
	return r;
}

/* ---- stdio ---- */

static bool is_key(const char *text)
{
	return str_starts(text, "pipe:[") || str_starts(text, "file[") || str_starts(text, "tty[");
}

static int note_stdio(struct restoring *s)
{
	struct arena *arena = &s->c.arena;
	struct json *list;
	char *text;
	size_t size;
	int fd = 0, r;

	r = io_read_alloc(s->job.images, CRIU_JOB_STDIO, STDIO_MAX, arena, &text, &size, s->c.err);
	if (r == 0)
		r = json_parse(text, size, CRIU_JOB_STDIO, arena, &list, s->c.err);
	if (r < 0) {
		err_prefix(s->c.err, "%s", s->job.request.images);
		return r;
	}
	for (const struct json *j = list->child; j && fd < 3; j = j->next, fd++)
		if (j->type == JSON_STRING && is_key(j->text))
			criu_job_inherit(&s->job, j->text, fd);
	return 0;
}

/* ---- namespaces ---- */

static int note_namespaces(struct restoring *s)
{
	struct creation *c = &s->c;

	for (size_t i = 0; i < c->plan->n_join; i++) {
		const struct plan_join *join = &c->plan->join[i];

		if (join->ns == SPEC_NS_NETWORK)
			criu_job_inherit(&s->job, "extRootNetNS", c->join[join->ns]);
		else if (join->ns == SPEC_NS_PID)
			criu_job_inherit(&s->job, "extRootPidNS", c->join[join->ns]);
		else if (join->ns == SPEC_NS_CGROUP || join->ns == SPEC_NS_MOUNT) {
			err_pointer(c->err, "%s", join->pointer);
			return err_kind(c->err, ERR_UNSUPPORTED, 0,
					"criu cannot restore into the %s namespace of others",
					ns_kind_name(join->kind));
		} else {
			criu_job_join(&s->job, ns_file_name(join->kind), join->path);
		}
	}
	return 0;
}

/* criu restores the clocks by a time namespace, asked for or not: exec is to join it. */
static void look_for_time(struct creation *c)
{
	AUTO_CLOSE int ns = ns_of(c->pid, CLONE_NEWTIME);

	if (ns < 0 || ns_same(ns, CLONE_NEWTIME, NULL) != 0)
		return;
	c->state.namespaces |= CLONE_NEWTIME;
	c->state.own_namespaces |= CLONE_NEWTIME;
}

/* ---- the conversation ---- */

static int restored(struct restoring *s)
{
	struct creation *c = &s->c;
	int r;

	c->pidfd = sys_pidfd_open(c->pid, 0);
	if (c->pidfd < 0)
		return err_set(c->err, errno, "open the restored process");
	look_for_time(c);
	creation_note_family(c);
	r = restore_protect(c, s->job.images);
	if (r == 0)
		r = creation_join_rdt(c);
	if (r == 0)
		r = creation_limit_cgroup(c);
	if (r == 0)
		r = creation_leave_unit(c, true);
	return r < 0 ? r : creation_publish(c);
}

static int notified(void *data, const char *what, pid_t pid, int fd, struct err *err)
{
	struct restoring *s = data;
	AUTO_CLOSE int taken = fd;

	(void)err; /* the creation's own */
	if (str_eq(what, "orphan-pts-master"))
		fd_replace(&s->c.terminal, fd_take(&taken));
	if (pid > 0)
		s->c.pid = pid;
	if (str_eq(what, "setup-namespaces"))
		return creation_runtime_hooks(&s->c);
	return str_eq(what, "post-restore") ? restored(s) : 0;
}

/* criu puts the old root on /tmp of the new one while it changes them, or on a directory that it
 * makes, which it cannot where the root is read-only. */
static int run_criu(struct restoring *s)
{
	bool made = mkdirat(s->root, "tmp", 01777) == 0;
	int r = criu_job_run(&s->job, &s->c.pid);

	if (made)
		unlinkat(s->root, "tmp", AT_REMOVEDIR);
	return r;
}

static int ask(struct restoring *s)
{
	struct creation *c = &s->c;
	struct criu_request *q = &s->job.request;
	int r;

	q->root = c->plan->rootfs;
	memcpy(q->stdio, c->options->stdio, sizeof(q->stdio));
	if (q->cgroup_mode == CRIU_CGROUPS_IGNORE)
		q->enter = c->have_cgroup ? &c->cgroup : NULL;
	else if (c->plan->cgroup[0])
		q->cgroup_root = c->plan->cgroup;
	q->notify = notified;
	q->data = s;
	criu_job_config(&s->job, c->spec);
	s->root = open(c->plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return err_set(c->err, errno, "open rootfs %s", c->plan->rootfs);
	r = note_namespaces(s);
	if (r == 0)
		r = note_mounts(s);
	if (r == 0)
		r = note_stdio(s);
	return r < 0 ? r : run_criu(s);
}

static int perform(struct restoring *s, const char *id)
{
	struct creation *c = &s->c;
	int r = creation_begin_rdt(c);

	if (r == 0)
		r = creation_begin_state(c, id);
	c->state.keyring = false;
	if (r == 0)
		r = creation_make_rdt(c);
	if (r == 0)
		r = creation_make_cgroup(c);
	if (r == 0)
		r = state_claim(c->dir, c->err);
	return r < 0 ? r : ask(s);
}

static int check(const struct creation *c)
{
	if (c->plan->mounts_namespace)
		return 0;
	err_pointer(c->err, "/linux/namespaces");
	return err_kind(c->err, ERR_UNSUPPORTED, 0,
			"criu cannot restore a container without a mount namespace of its own");
}

int oakum_restore(struct oakum *o, const char *id, const struct oakum_criu *options,
		  const struct oakum_create *create, struct oakum_process *ret)
{
	struct restoring s = {.job = CRIU_JOB_INIT, .root = -1};
	struct err *err = handle_begin(o);
	int r = HANDLE_CHECK_OPTIONS(o, options, oakum_criu);

	if (r == 0)
		r = HANDLE_CHECK_OPTIONS(o, create, oakum_create);
	if (r < 0)
		return handle_end(o, "restore", id, r);
	creation_init(&s.c, o, create, err);
	r = creation_judge(&s.c, id);
	if (r == 0)
		r = check(&s.c);
	if (r == 0)
		r = criu_job_begin(&s.job, options, CRIU_RESTORE, &s.c.arena, err);
	if (r == 0) {
		r = perform(&s, id);
		if (r < 0)
			creation_undo(&s.c, id);
	}
	if (r == 0) {
		handle_debug(o, "restore %s: process %d runs", id, s.c.pid);
		creation_hand_over(&s.c, ret);
	} else {
		fd_close(s.c.pidfd);
	}
	fd_close(s.root);
	criu_job_done(&s.job);
	creation_release(&s.c);
	return handle_end(o, "restore", id, r);
}
