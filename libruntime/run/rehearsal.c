/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan of a rehearsal, less what would reach the host, and the conversation with its process;
 * see rehearsal.h. */
#include "run/rehearsal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "run/create.h"
#include "run/init.h"
#include "run/sync.h"

#define TIMEOUT_MS 20000

/* File systems without anything below them: made again, they change nothing. */
static const char *const harmless[] = {"proc", "sysfs", "tmpfs", "devpts", "mqueue", "ramfs"};

static bool is_harmless(const struct mount_op *op)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (str_eq(harmless[i], op->type))
			return true;
	/* The work directory of one that may be written is emptied. */
	return str_eq(op->type, "overlay") && !strstr(op->data, "upperdir=");
}

/* Does @path lie in something of the host's that one of the first @n mounts brings in? */
static bool in_bind(const struct mount_op *mounts, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (mounts[i].kind == MOUNT_BIND && path_below(path, mounts[i].target))
			return true;
	return false;
}

static bool may_mount(const struct plan *p, size_t i)
{
	const struct mount_op *op = &p->mounts[i];

	/* A mount point may have to be made in it. */
	if (in_bind(p->mounts, i, op->target))
		return false;
	/* The container's own cgroup is not there; and what else is not, has been found out. */
	if (op->kind == MOUNT_BIND && op->source && op->source[0] == '/' &&
	    faccessat(AT_FDCWD, op->source, F_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return op->kind != MOUNT_FS || mount_fs_known(op->type);
}

static int filter_mounts(const struct plan *from, struct plan *to, struct arena *arena,
			 size_t *left_out)
{
	struct mount_op *ops = arena_array(arena, from->n_mounts + 1, sizeof(*ops));

	if (!ops)
		return -ENOMEM;
	to->mounts = ops;
	to->n_mounts = 0;
	for (size_t i = 0; i < from->n_mounts; i++) {
		if (!may_mount(from, i)) {
			++*left_out;
			continue;
		}
		ops[to->n_mounts] = from->mounts[i];
		ops[to->n_mounts].dry =
			ops[to->n_mounts].kind == MOUNT_FS && !is_harmless(&ops[to->n_mounts]);
		*left_out += ops[to->n_mounts].dry;
		/* What is mounted in it must not come back to the host. */
		if (ops[to->n_mounts].propagation & MS_SHARED)
			ops[to->n_mounts].propagation = MS_SLAVE | MS_REC;
		to->n_mounts++;
	}
	return 0;
}

/* One that we would make for it is not made here; who may not, sees what the child says. */
static int filter_devices(struct creation *c, struct plan *to, size_t *left_out)
{
	const struct plan *from = c->plan;
	struct dev_node *nodes = arena_array(&c->arena, from->n_devices + 1, sizeof(*nodes));

	if (!nodes)
		return err_set(c->err, ENOMEM, "rehearse");
	to->devices = nodes;
	to->n_devices = 0;
	for (size_t i = 0; i < from->n_devices; i++) {
		int lent = c->host.rootless ? 0 : creation_would_lend(c, &from->devices[i]);

		if (lent < 0)
			return lent;
		if (lent || in_bind(from->mounts, from->n_mounts, from->devices[i].path))
			++*left_out;
		else
			nodes[to->n_devices++] = from->devices[i];
	}
	return 0;
}

/* Names and sysctls of a namespace that is somebody else's stay as they are. */
static void spare_joined(struct plan *p, size_t *left_out)
{
	if (!(p->create & CLONE_NEWUTS))
		p->hostname = p->domainname = NULL;
	if (p->n_join) {
		*left_out += p->sysctl.n;
		p->sysctl.n = 0;
	}
}

/* A copy of the plan with nothing in it that reaches the host. */
static int make_plan(struct creation *c, struct plan *to, size_t *left_out)
{
	const struct plan *from = c->plan;
	static const struct spec_hooks none[SPEC_HOOK_COUNT];

	*to = *from;
	to->hooks = none;
	to->hook_kinds = 0;
	to->process.listener = (struct plan_listener){.path = NULL};
	to->n_net_devices = 0;
	to->notify = NULL;
	to->propagation = MS_SLAVE | MS_REC;
	to->root_propagation = 0;
	spare_joined(to, left_out);
	if (in_bind(from->mounts, from->n_mounts, from->process.cwd))
		to->process.cwd = "/";
	if (filter_mounts(from, to, &c->arena, left_out) < 0)
		return err_set(c->err, ENOMEM, "rehearse");
	if (in_bind(from->mounts, from->n_mounts, "/dev"))
		to->setup_dev = false;
	return filter_devices(c, to, left_out);
}

/* Any handler of binfmt_misc: "register" and "status" are its own files. */
static bool have_binfmt(void)
{
	DIR *d = opendir("/proc/sys/fs/binfmt_misc");
	const struct dirent *e;
	bool found = false;

	while (d && (e = readdir(d)))
		found |= e->d_name[0] != '.' && !str_eq(e->d_name, "register") &&
			 !str_eq(e->d_name, "status");
	if (d)
		closedir(d);
	return found;
}

static int ended(struct creation *c, bool exec)
{
	int r = exec && *c->rehearsal ? 1 : create_executed(c->pid, INIT_NAME, exec, c->err);

	if (r == 0)
		return err_set(c->err, 0, "the rehearsal's process ended unexpectedly");
	return r < 0 ? r : 0;
}

static int converse(struct creation *c, struct rehearsal *ret)
{
	struct sync_message said = {.type = 0};
	bool exec = false;

	for (;;) {
		struct sync_message m;
		int r = sync_receive(c->sync, &m, NULL, c->deadline, c->err);

		if (r != 0 && said.type == SYNC_FAILED)
			return sync_failure(&said, c->err);
		if (r < 0)
			return r;
		if (r == SYNC_GONE)
			return ended(c, exec);
		/* The last word is the best: it may still look for the reason. */
		if (m.type == SYNC_FAILED)
			said = m;
		if (m.type == SYNC_SOURCE)
			r = creation_send_source(c, m.value);
		if (m.type == SYNC_READY) {
			ret->whole = m.value == 0;
			exec |= !ret->whole;
			r = creation_raise_rlimits(c);
			sync_send(c->sync, SYNC_RECORDED, 0, -1);
		}
		exec |= m.type == SYNC_EXEC;
		if (r < 0)
			return r;
	}
}

/* -1: the child makes it. */
static int make_cover(const struct creation *c)
{
	struct err ignored = ERR_INIT;
	struct sync_message m;
	int ends[2], fd = -1;
	pid_t pid;

	if (!(c->plan->create & CLONE_NEWUSER) || c->host.rootless || sync_pair(ends, &ignored) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		fd = rootfs_make_cover(c->plan->rootfs);
		if (fd >= 0)
			sync_send(ends[1], SYNC_SOURCE, 0, fd);
		_exit(0);
	}
	close(ends[1]);
	if (pid > 0 && sync_receive(ends[0], &m, &fd, c->deadline, &ignored) != 0)
		fd = -1;
	(void)proc_end(pid, -1);
	close(ends[0]);
	return fd;
}

static int perform(struct creation *c, struct rehearsal *ret)
{
	int r = creation_open_sources(c);

	if (r == 0)
		r = creation_idmap(c, false);
	if (r == 0)
		r = creation_spawn(c);
	if (r == 0)
		r = creation_map_ids(c);
	return r < 0 ? r : converse(c, ret);
}

int rehearsal_run(struct creation *c, struct rehearsal *ret)
{
	struct plan *whole = c->plan, some;
	int r;

	*ret = (struct rehearsal){.whole = false};
	if (whole->mounts_namespace && !(whole->create & CLONE_NEWNS)) {
		ret->skipped = true;
		return 0;
	}
	r = make_plan(c, &some, &ret->left_out);
	if (r < 0)
		return r;
	c->rehearsal =
		mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->rehearsal == MAP_FAILED)
		return err_set(c->err, errno, "rehearse");
	c->plan = &some;
	c->binfmt = have_binfmt();
	c->deadline = clock_deadline(TIMEOUT_MS);
	c->sync = c->gate = c->dir = c->pidfd = -1;
	c->hook_output[0] = c->hook_output[1] = -1;
	c->cover = make_cover(c);
	r = perform(c, ret);
	fd_close(c->cover);
	(void)proc_end(c->pid, c->pidfd);
	fd_close(c->pidfd);
	fd_close(c->sync);
	for (size_t i = 0; c->sources && i < some.n_mounts; i++)
		fd_close(c->sources[i]);
	c->plan = whole;
	(void)munmap(c->rehearsal, sizeof(bool));
	c->rehearsal = NULL;
	return r;
}
