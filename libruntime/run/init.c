/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stages of the container's first process; see init.h. */
#include "run/init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/creds.h"
#include "kernel/lsm.h"
#include "kernel/netdev.h"
#include "kernel/notify_socket.h"
#include "kernel/signal.h"
#include "kernel/tty.h"
#include "run/gate.h"
#include "run/hooks.h"
#include "run/sync.h"

#define TTY_GROUP 5

extern char **environ;

static bool own(const struct init *in, unsigned kind)
{
	return in->plan->namespaces & kind;
}

/* Wait for the parent without a deadline of our own: its end is our end (PDEATHSIG), and EOF here.
 */
static int await(struct init *in, enum sync_type type, int64_t *ret_value, struct err *err)
{
	struct sync_message m;
	int r = sync_expect(in->sync, type, &m, NULL, CLOCK_FOREVER, err);

	if (r == SYNC_GONE)
		_exit(1);
	if (r == 0 && ret_value)
		*ret_value = m.value;
	return r;
}

static int do_mapping(struct init *in, struct err *err)
{
	int r = in->await_mapping ? await(in, SYNC_MAPPED, NULL, err) : 0;

	if (in->dumpable)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return r;
}

/* SCHED_DEADLINE looks at the CPUs that the process may have, wherever that comes from. */
static void stand_for_cpuset(const char *list)
{
	struct sched_cpus cpus;

	if (list && sched_parse_cpus(list, &cpus) == 0)
		(void)sched_pin(&cpus, NULL);
}

static int do_cgroup(struct init *in, struct err *err)
{
	int r = in->cgroup ? cgroup_join_self(in->cgroup, !in->in_v2, err) : 0;

	/* The caller's CPUs are not the container's. */
	sched_unpin();
	if (in->rehearsal)
		stand_for_cpuset(in->plan->limits.cpuset_cpus);
	/* Only now: the new namespace's root is the cgroup we are in. */
	if (r == 0 && (in->plan->create & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return err_set(err, errno, "make a cgroup namespace");
	return r;
}

static int do_join(struct init *in, struct err *err)
{
	for (size_t i = 0; i < in->plan->n_join; i++) {
		int r;

		if (in->join[i] < 0)
			continue;
		r = ns_join(in->join[i], in->plan->join[i].kind, err);
		if (r < 0) {
			err_pointer(err, "%s", in->plan->join[i].pointer);
			return r;
		}
	}
	return 0;
}

int init_make_time(struct init *in, int offsets, struct err *err)
{
	int r = timens_make(offsets, in->plan->offsets, in->plan->n_offsets, err);

	if (r < 0 && in->plan->n_offsets)
		err_pointer(err, "/linux/timeOffsets");
	in->timed = true;
	return r;
}

static int do_time(struct init *in, struct err *err)
{
	AUTO_CLOSE int offsets = -1;
	int r;

	if (!(in->plan->create & CLONE_NEWTIME) || in->timed)
		return 0;
	offsets = timens_open(err);
	r = offsets < 0 ? offsets : init_make_time(in, offsets, err);
	return r;
}

static int do_session(struct init *in, struct err *err)
{
	(void)in;
	if (setsid() < 0 && errno != EPERM)
		return err_set(err, errno, "setsid");
	return 0;
}

static int do_network(struct init *in, struct err *err)
{
	return in->plan->create & CLONE_NEWNET ? netdev_loopback_up(err) : 0;
}

static int do_names(struct init *in, struct err *err)
{
	int r = in->plan->hostname ? uts_hostname(in->plan->hostname, err) : 0;

	if (r < 0) {
		err_pointer(err, "/hostname");
		return r;
	}
	r = in->plan->domainname ? uts_domainname(in->plan->domainname, err) : 0;
	if (r < 0)
		err_pointer(err, "/domainname");
	return r;
}

static int do_root(struct init *in, struct err *err)
{
	int r;

	if (!in->plan->mounts_namespace)
		return 0;
	r = in->rehearsal ? rootfs_cover(&in->root, in->plan->rootfs, in->cover, err) : 0;
	in->bare = r == ROOTFS_BARE;
	if (r == 0)
		r = rootfs_enter(&in->root, in->plan->rootfs, in->plan->propagation, err);
	if (r < 0)
		err_pointer(err, "/root/path");
	return r;
}

/* Root of the new user namespace: files made from here on belong to it. An unmapped 0 leaves us as
 * we are. */
static int do_become_root(struct init *in, struct err *err)
{
	if (!own(in, CLONE_NEWUSER))
		return 0;
	if (setresgid(0, 0, 0) < 0 && errno != EINVAL)
		return err_set(err, errno, "setresgid");
	if (setresuid(0, 0, 0) < 0 && errno != EINVAL)
		return err_set(err, errno, "setresuid");
	/* The change of ids has made us dumpable for the namespace's owner and cleared the death
	 * signal. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if ((in->plan->create & plan_made_later(in->plan) & CLONE_NEWIPC) &&
	    unshare(CLONE_NEWIPC) < 0)
		return err_set(err, errno, "make an ipc namespace");
	return 0;
}

/*
 * As root of the user namespace, or exec would not find it again: a keyring's owner must be
 * mapped.
 */
static int do_keyring(struct init *in, struct err *err)
{
	const char *label = in->plan->process.selinux;
	AUTO_CLOSE int proc = -1;
	int r;

	if (!in->plan->keyring)
		return 0;
	if (!label)
		return creds_keyring(in->plan->id, err);
	proc = procfs_open(err);
	r = proc < 0 ? proc : lsm_keyrings(proc, label, err);
	if (proc >= 0 && r < 0)
		err_pointer(err, "/process/selinuxLabel");
	if (r == 0)
		r = creds_keyring(in->plan->id, err);
	return r < 0 ? r : lsm_keyrings(proc, "", err);
}

static int do_proc(struct init *in, struct err *err)
{
	in->root.proc = procfs_open(err);
	return in->root.proc < 0 ? in->root.proc : 0;
}

static void name_mount(const struct mount_op *op, struct err *err)
{
	if (op->index >= 0)
		err_pointer(err, "/mounts/%d", op->index);
}

/* The parent opens a source where we see it, with its own rights, and maps its ids if need be. */
static int ask_source(struct init *in, size_t index, struct err *err)
{
	struct sync_message m;
	int fd = -1, r;

	sync_send(in->sync, SYNC_SOURCE, (int64_t)index, -1);
	r = sync_expect(in->sync, SYNC_SOURCE, &m, &fd, CLOCK_FOREVER, err);
	if (r == SYNC_GONE)
		_exit(1);
	if (r < 0)
		return r;
	return fd < 0 ? err_set(err, EPROTO, "no source came") : fd;
}

/* The source of a bind that is not held, @source says why: < 0, or a descriptor. */
static int open_source(struct init *in, size_t index, int source, struct err *err)
{
	const struct mount_op *op = &in->plan->mounts[index];
	struct err ours;
	int r;

	if (op->idmap.kind != IDMAP_NONE || source == INIT_SOURCE_LATER)
		return ask_source(in, index, err);
	r = mount_open_source(op, err);
	if (r != -EACCES)
		return r;
	/* Root of the user namespace may not be allowed to go where the host's is. */
	ours = *err;
	*err = ERR_INIT;
	r = ask_source(in, index, err);
	if (r < 0)
		*err = ours;
	return r;
}

/* Is it more than mount_apply() can open? */
static bool lacks_source(const struct init *in, const struct mount_op *op, int source)
{
	return source < 0 && op->kind == MOUNT_BIND && !op->optional &&
	       (op->idmap.kind != IDMAP_NONE || own(in, CLONE_NEWUSER));
}

static int do_mounts(struct init *in, struct err *err)
{
	const struct plan *p = in->plan;

	if (!p->mounts_namespace)
		return 0;
	if (p->masked.n) {
		int r = mask_prepare(&in->mask, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < p->n_mounts; i++) {
		AUTO_CLOSE int asked = -1;
		int source = in->sources ? in->sources[i] : INIT_SOURCE_NONE, r = 0;

		if (lacks_source(in, &p->mounts[i], source))
			r = source = asked = open_source(in, i, source, err);
		if (r >= 0)
			r = mount_apply(&in->root, &p->mounts[i], source, err);
		if (r < 0) {
			name_mount(&p->mounts[i], err);
			return r;
		}
	}
	return 0;
}

static int do_devices(struct init *in, struct err *err)
{
	const struct plan *p = in->plan;

	if (!p->mounts_namespace)
		return 0;
	for (size_t i = 0; i < p->n_devices; i++) {
		int lent = in->devices ? in->devices[i] : -1;
		int r = dev_make(&in->root, &p->devices[i], lent, err);

		if (r < 0) {
			if (p->devices[i].index >= 0)
				err_pointer(err, "/linux/devices/%d", p->devices[i].index);
			return r;
		}
	}
	return p->setup_dev ? dev_links(&in->root, err) : 0;
}

static int do_notify(struct init *in, struct err *err)
{
	if (!in->plan->notify)
		return 0;
	in->notify = notify_socket_make(&in->root, in->plan->notify, err);
	return in->notify < 0 ? in->notify : 0;
}

static int open_terminal(struct init *in, struct tty *ret, struct err *err)
{
	const struct plan_process *p = &in->plan->process;
	AUTO_CLOSE int dir = -1;
	struct stat st;

	dir = in->plan->mounts_namespace
		      ? path_open_nolink(in->root.fd, "/dev/pts", O_PATH | O_DIRECTORY)
		      : open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* No devpts of its own: the host's, as for a container without a /dev. */
	if (dir < 0 || fstatat(dir, "ptmx", &st, AT_SYMLINK_NOFOLLOW) < 0)
		fd_replace(&dir, open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (dir < 0)
		return err_set(err, errno, "open /dev/pts");
	return tty_open(dir, p->rows, p->columns, ret, err);
}

static int do_terminal(struct init *in, struct err *err)
{
	const struct plan_process *p = &in->plan->process;
	struct tty tty;
	int r;

	if (!p->terminal)
		return 0;
	r = open_terminal(in, &tty, err);
	if (r < 0)
		return r;
	in->tty_slave = tty.slave;
	sync_send(in->sync, SYNC_TERMINAL, 0, tty.master);
	close(tty.master);
	r = in->plain_terminal ? tty_plain(tty.slave, err) : 0;
	if (r == 0)
		r = tty_chown(tty.slave, p->uid, TTY_GROUP, err);
	if (r == 0 && in->plan->mounts_namespace && in->plan->setup_dev)
		r = dev_console(&in->root, tty.slave, err);
	return r < 0 ? r : tty_take(tty.slave, err);
}

static void put_pid(char *at, int64_t pid)
{
	char digits[24];
	struct strbuf b;

	if (!at)
		return;
	strbuf_init(&b, digits, sizeof(digits));
	strbuf_i64(&b, pid);
	memcpy(at, digits, b.len < INIT_PID_DIGITS ? b.len : INIT_PID_DIGITS);
}

static int do_runtime_hooks(struct init *in, struct err *err)
{
	int64_t pid = 0;
	int r;

	if (!in->plan->hook_kinds)
		return 0;
	/* The hooks of who is not root may look up our namespaces in /proc only then, for a
	 * network. */
	if (in->dumpable)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	sync_send(in->sync, SYNC_MOUNTED, 0, -1);
	r = await(in, SYNC_HOOKED, &pid, err);
	if (in->dumpable)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (r < 0)
		return r;
	put_pid(in->hook_pid_creating, pid);
	put_pid(in->hook_pid_created, pid);
	return 0;
}

static int do_container_hooks(struct init *in, struct err *err)
{
	const struct spec_hooks *hooks = &in->plan->hooks[SPEC_HOOK_CREATE_CONTAINER];
	struct hooks_setting setting = {
		.dir = in->plan->container_hooks_dir,
		.env = (const char *const *)environ,
		.output = {in->hook_output[0], in->hook_output[1]},
	};
	AUTO_CLOSE int input = -1;
	int r;

	if (hooks->n == 0)
		return 0;
	input = hooks_input(in->hook_creating, err);
	if (input < 0)
		return input;
	setting.input = input;
	umask(in->umask);
	r = hooks_run(hooks, SPEC_HOOK_CREATE_CONTAINER, &setting, err);
	umask(0);
	return r;
}

static int do_sysctl(struct init *in, struct err *err)
{
	for (size_t i = 0; i < in->plan->sysctl.n; i++) {
		const struct spec_pair *s = &in->plan->sysctl.v[i];
		int r = sysctl_write(in->root.proc, s->key, s->value, err);

		if (r < 0) {
			err_pointer(err, "/linux/sysctl/%s", s->key);
			return r;
		}
	}
	return 0;
}

static int do_masks(struct init *in, struct err *err)
{
	const struct plan *p = in->plan;
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->readonly.n; i++) {
		r = mask_readonly(&in->root, p->readonly.v[i], err);
		if (r < 0)
			err_pointer(err, "/linux/readonlyPaths/%zu", i);
	}
	for (size_t i = 0; r == 0 && i < p->masked.n; i++) {
		r = mask_path(&in->mask, &in->root, p->masked.v[i], err);
		if (r < 0)
			err_pointer(err, "/linux/maskedPaths/%zu", i);
	}
	mask_done(&in->mask);
	return r;
}

static int do_readonly(struct init *in, struct err *err)
{
	const struct plan *p = in->plan;

	if (!p->mounts_namespace)
		return 0;
	process_make_cwd(in->root.fd, &p->process);
	for (size_t i = 0; i < p->n_mounts; i++) {
		int r = p->mounts[i].late_readonly ? mount_finish(&in->root, &p->mounts[i], err)
						   : 0;

		if (r < 0) {
			name_mount(&p->mounts[i], err);
			return r;
		}
	}
	return p->root_readonly ? rootfs_readonly(&in->root, err) : 0;
}

static int take_root(struct init *in, struct err *err)
{
	const struct plan *p = in->plan;

	if (!p->mounts_namespace) {
		in->root.path = p->rootfs;
		return rootfs_chroot(&in->root, err);
	}
	if (p->no_pivot)
		return rootfs_move(&in->root, err);
	return rootfs_pivot(&in->root, p->root_propagation, err);
}

static int do_pivot(struct init *in, struct err *err)
{
	int r = take_root(in, err);

	if (r < 0)
		err_pointer(err, "/root/path");
	if (r == -ENOENT)
		err_hint(err, "it was deleted meanwhile");
	return r;
}

static int do_score(struct init *in, struct err *err)
{
	const struct plan_process *p = &in->plan->process;
	int r = p->oom_set ? creds_oom_score(in->root.proc, 0, p->oom_score_adj, err) : 0;

	if (r < 0)
		err_pointer(err, "/process/oomScoreAdj");
	return r;
}

static int do_stdio(struct init *in, struct err *err)
{
	const struct plan_process *p = &in->plan->process;
	int r;

	if (p->terminal)
		return 0;
	r = in->plan->mounts_namespace ? dev_reopen_null(err) : 0;
	return r < 0 || p->uid == 0 ? r : dev_chown_stdio(p->uid, p->gid, err);
}

static int do_program(struct init *in, struct err *err)
{
	return process_prepare(&in->plan->process, true, in->home, err);
}

static bool is_among(int fd, const int *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

static void close_between(int from, int to)
{
	if (from < to && sys_close_range((unsigned)from, (unsigned)to - 1, 0) < 0)
		for (int fd = from; fd < to; fd++)
			close(fd);
}

/*
 * A waiting container shows its descriptors to whoever enters it: nothing of the host's may be
 * among them (CVE-2024-21626). Below @first only what is ours, close-on-exec, goes: the rest is the
 * caller's gift.
 */
static void close_all_but(unsigned first, const int *keep, size_t n)
{
	int from = (int)first;

	for (int fd = 3; fd < from; fd++) {
		int flags = is_among(fd, keep, n) ? 0 : fcntl(fd, F_GETFD);

		if (flags > 0 && (flags & FD_CLOEXEC))
			close(fd);
	}
	for (;;) {
		int next = INT_MAX;

		for (size_t i = 0; i < n; i++)
			if (keep[i] >= from && keep[i] < next)
				next = keep[i];
		if (next == INT_MAX)
			break;
		close_between(from, next);
		from = next + 1;
	}
	fd_close_from((unsigned)from);
}

/*
 * Tied to the parent until our pid is written down; then the end of our side of the channel tells
 * it that it may go. In this order no moment leaves a process that nobody knows of.
 */
static int do_gate(struct init *in, struct err *err)
{
	const int keep[] = {in->gate, in->root.proc, in->notify};
	int r;

	sync_send(in->sync, SYNC_READY, in->bare, -1);
	r = await(in, SYNC_RECORDED, NULL, err);
	if (r < 0 || (in->rehearsal && !in->bare))
		return r;
	if (in->bare) {
		*in->rehearsal = true;
		_exit(0);
	}
	if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return err_set(err, errno, "clear the death signal");
	/* An engine may stop what it has not started, from the moment on that the parent goes. */
	signal_obey();
	close_all_but(3 + in->plan->process.keep_fds, keep, ARRAY_SIZE(keep));
	r = gate_wait(in->gate, in->root.proc, in->hook_output, err);
	if (r < 0)
		_exit(1);
	in->sync = r;
	fd_replace(&in->gate, -1);
	if (in->notify >= 0)
		sync_send(in->sync, SYNC_NOTIFY, 0, in->notify);
	fd_replace(&in->notify, -1);
	return 0;
}

static int do_exec(struct init *in, struct err *err)
{
	struct process_exec x = {
		.plan = &in->plan->process,
		.filter = in->filter,
		.proc = in->root.proc,
		.channel = in->sync,
		.hook_output = {in->hook_output[0], in->hook_output[1]},
		.rehearsal = in->rehearsal,
		.binfmt = in->binfmt,
	};

	return process_exec(&x, err);
}

/* What a rehearsal leaves out: what reaches the outside, and what needs a root that is covered. */
enum { OUTSIDE = 1, IN_ROOT = 2 };

static const struct stage {
	const char *name;
	int (*run)(struct init *in, struct err *err);
	unsigned left_out;
} stages[] = {
	{"id mapping", do_mapping, 0},
	{"cgroup", do_cgroup, 0},
	{"namespaces", do_join, 0},
	{"time namespace", do_time, 0},
	{"session", do_session, 0},
	{"network", do_network, 0},
	{"host name", do_names, 0},
	{"root", do_root, 0},
	{"user namespace", do_become_root, 0},
	{"session keyring", do_keyring, OUTSIDE},
	{"procfs", do_proc, 0},
	{"mounts", do_mounts, IN_ROOT},
	{"devices", do_devices, IN_ROOT},
	{"notify socket", do_notify, OUTSIDE},
	{"terminal", do_terminal, OUTSIDE},
	{"hooks", do_runtime_hooks, OUTSIDE},
	{"hooks", do_container_hooks, OUTSIDE},
	{"sysctl", do_sysctl, 0},
	{"masked paths", do_masks, IN_ROOT},
	{"read-only mounts", do_readonly, IN_ROOT},
	{"pivot", do_pivot, IN_ROOT},
	{"OOM score", do_score, 0},
	{"stdio", do_stdio, OUTSIDE},
	{"program", do_program, IN_ROOT},
	{"gate", do_gate, 0},
	{"exec", do_exec, 0},
};

static bool left_out(const struct init *in, const struct stage *s)
{
	return in->rehearsal && ((s->left_out & OUTSIDE) || (in->bare && (s->left_out & IN_ROOT)));
}

static void take_stdio(const int stdio[3])
{
	for (int i = 0; i < 3; i++)
		if (stdio[i] >= 0 && stdio[i] != i)
			dup2(stdio[i], i);
}

_Noreturn void init_main(struct init *in)
{
	struct err err = ERR_INIT;

	/* Before anything of a container can look at us (CVE-2016-9962). */
	if (!in->dumpable)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_NAME, INIT_NAME, 0, 0, 0);
	/* A parent that died before PDEATHSIG was set shows as end of file: if we do not hold its
	 * end ourselves. */
	fd_replace(&in->parent_end, -1);
	take_stdio(in->stdio);
	/* What we make inside has the mode that is asked for; the program's own umask is set before
	 * it runs. */
	in->umask = umask(0);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		if (left_out(in, &stages[i]) || stages[i].run(in, &err) >= 0)
			continue;
		/* The program's own faults speak for themselves, in the words that engines match.
		 */
		err_fold(&err);
		if (err.kind != ERR_NOT_FOUND && err.kind != ERR_NOT_EXECUTABLE && err.text[0])
			err_prefix(&err, "%s", stages[i].name);
		sync_send_error(in->sync, &err);
		break;
	}
	_exit(err.kind == ERR_NOT_FOUND ? 127 : err.kind == ERR_NOT_EXECUTABLE ? 126 : 1);
}
