/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * exec: one more process in a container: in its cgroup, its namespaces, with its limits and filter.
 * What it is to be comes from the copy of config.json (or a process.json) and the caller's options:
 * exec_plan.c.
 */
#include "run/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/creds.h"
#include "kernel/dev.h"
#include "kernel/rdt.h"
#include "kernel/rootfs.h"
#include "kernel/tty.h"
#include "run/create.h"
#include "run/entrance.h"
#include "run/listener.h"
#include "run/process.h"
#include "run/sync.h"
#include "run/unit.h"

#define DEFAULT_TIMEOUT_MS 60000
#define TTY_GROUP	   5
#define OUR_NAME	   "oakum:exec" /* until execve(2) gives it another */

struct entry {
	struct oakum *o;
	const struct oakum_exec *options;
	struct err *err;
	struct container c;
	struct plan_process process;
	struct seccomp_filter filter;
	bool have_filter, have_cgroup;
	bool attaches; /* systemd moves the process into its cgroup, which waits for that */
	struct cgroup cgroup;
	int rdt; /* the root of resctrl, -1: it is in no class of its own */
	struct entrance into;
	bool to_root; /* become root of the user namespace that is joined */
	int sync;
	pid_t pid;
	int pidfd, terminal;
	char home[PROCESS_HOME_SIZE];
};

/* ---- the child ---- */

struct joiner {
	struct entry *e;
	int sync;
	int proc, slave;
};

static const char *monitor_of(const struct entry *e)
{
	const char *name = e->c.state.rdt_monitor;

	return name && name[0] ? name : NULL;
}

/* Never the caller's CPUs, nor those of before once it is in the cgroup: the ones asked for, or all
 * that the cgroup allows. */
static int settle_cpus(struct entry *e, struct err *err)
{
	int r = e->process.cpus ? sched_pin(e->process.cpus, err) : 0;

	if (r < 0)
		err_pointer(err, "/process/execCPUAffinity/final");
	if (!e->process.cpus)
		sched_unpin();
	return r;
}

static int join_cgroup(struct joiner *j, struct err *err)
{
	struct entry *e = j->e;
	struct sync_message m;
	/* A class that somebody has removed holds nobody, init neither. */
	int r = e->rdt < 0 ? 0 : rdt_join(e->rdt, e->c.state.rdt_group, monitor_of(e), 0, err);

	if (r >= 0 && e->attaches)
		r = sync_expect(j->sync, SYNC_ATTACHED, &m, NULL, CLOCK_FOREVER, err);
	if (r > 0)
		return err_set(err, ECHILD, "the parent has gone");
	if (r >= 0 && e->have_cgroup)
		r = cgroup_join_self(&e->cgroup, cgroup_v2_fd(&e->cgroup) < 0, err);
	return r < 0 ? r : settle_cpus(e, err);
}

/*
 * Before a user namespace takes the rights away that it needs. Who is not root must be dumpable to
 * write it; its container is in another user namespace, from where nobody may trace us for that.
 */
static int score(struct entry *e, struct err *err)
{
	bool open_up = geteuid() != 0;
	AUTO_CLOSE int proc = -1;
	int r;

	if (!e->process.oom_set)
		return 0;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return err_set(err, errno, "open /proc");
	if (open_up)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	r = creds_oom_score(proc, 0, e->process.oom_score_adj, err);
	if (open_up)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (r < 0)
		err_pointer(err, "/process/oomScoreAdj");
	return r;
}

static int enter(struct joiner *j, struct err *err)
{
	struct entry *e = j->e;
	int r = join_cgroup(j, err);

	if (r == 0)
		r = score(e, err);
	if (r < 0)
		return r;
	if (e->into.kinds && entrance_join(&e->into, e->into.kinds) < 0)
		return err_set(err, errno, "join the container's namespaces");
	if (e->into.root >= 0 && (fchdir(e->into.root) < 0 || chroot(".") < 0))
		return err_set(err, errno, "enter the container's root");
	/* Before we touch anything. */
	if (e->to_root && (r = entrance_become_root(err)) < 0)
		return r;
	if (setsid() < 0 && errno != EPERM)
		return err_set(err, errno, "setsid");
	/* Or the process would hold the caller's. */
	if (e->c.state.keyring && (r = creds_keyring(e->c.state.id, err)) < 0)
		return r;
	j->proc = procfs_open(err);
	return j->proc < 0 ? j->proc : 0;
}

static int take_terminal(struct joiner *j, struct err *err)
{
	const struct plan_process *p = &j->e->process;
	AUTO_CLOSE int dir = -1;
	struct tty tty;
	int r;

	if (!p->terminal)
		return p->uid ? dev_chown_stdio(p->uid, p->gid, err) : 0;
	dir = open("/dev/pts", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, errno, "open the container's /dev/pts");
	r = tty_open(dir, p->rows, p->columns, &tty, err);
	if (r < 0)
		return r;
	sync_send(j->sync, SYNC_TERMINAL, 0, tty.master);
	close(tty.master);
	r = j->e->options->plain_terminal ? tty_plain(tty.slave, err) : 0;
	if (r == 0)
		r = tty_chown(tty.slave, p->uid, TTY_GROUP, err);
	return r < 0 ? r : tty_take(tty.slave, err);
}

static int finish(struct joiner *j, struct err *err)
{
	struct entry *e = j->e;
	struct process_exec x = {
		.plan = &e->process,
		.filter = e->have_filter ? &e->filter : NULL,
		.proc = j->proc,
		.channel = j->sync,
		.hook_output = {-1, -1},
	};
	int r = process_prepare(&e->process, false, e->home, err);

	if (r < 0)
		return r;
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	return process_exec(&x, err);
}

static _Noreturn void child_main(struct entry *e, int sync)
{
	struct joiner j = {.e = e, .sync = sync, .proc = -1, .slave = -1};
	struct err err = ERR_INIT;
	const int *stdio = e->options->stdio;
	int r;

	/* Before the container can see us (CVE-2016-9962); no descriptor of the host's survives
	 * execve. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_NAME, OUR_NAME, 0, 0, 0);
	/* The parent's end, inherited: the parent's death must show as end of file. */
	fd_replace(&e->sync, -1);
	if (sync_is_gone(sync))
		_exit(255);
	for (int i = 0; i < 3; i++)
		if (stdio[i] >= 0 && stdio[i] != i)
			dup2(stdio[i], i);
	r = enter(&j, &err);
	if (r == 0)
		r = take_terminal(&j, &err);
	if (r == 0)
		r = finish(&j, &err);
	sync_send_error(sync, &err);
	_exit(err.kind == ERR_NOT_FOUND ? 127 : err.kind == ERR_NOT_EXECUTABLE ? 126 : 255);
}

/* ---- the parent ---- */

static int check_status(struct entry *e)
{
	switch (e->c.status) {
	case OAKUM_CREATED:
	case OAKUM_RUNNING:
		return 0;
	case OAKUM_PAUSED:
		if (e->options->ignore_paused)
			return 0;
		err_hint(e->err, "resume it, or use --ignore-paused");
		return err_kind(e->err, ERR_STATE, 0, "cannot exec in a paused container");
	default:
		return err_kind(e->err, ERR_STATE, 0, "cannot exec in a container that is %s",
				oakum_status_name(e->c.status));
	}
}

/* "PATH", or "CONTROLLER,…:PATH" */
static int enter_sub(struct entry *e, const char *text)
{
	const char *colon = strchr(text, ':');
	char *controllers = NULL;
	int r;

	if (colon) {
		controllers = arena_printf(&e->c.arena, "%.*s", (int)(colon - text), text);
		if (!controllers)
			return err_set(e->err, ENOMEM, "sub-cgroup");
		text = colon + 1;
	}
	r = cgroup_enter_sub(&e->cgroup, controllers, text, e->err);
	if (r == CGROUP_GONE) {
		err_hint(e->err, "a sub-cgroup is made before a process is started in it");
		/* In the words of runc, whose callers look for them. */
		return err_kind(e->err, ERR_USAGE, 0,
				"adding pid to cgroup %s/%s/cgroup.procs: no such file or "
				"directory (ENOENT)",
				e->c.state.cgroup, text + strspn(text, "/"));
	}
	return r;
}

static int open_cgroup(struct entry *e)
{
	const char *const *sub = e->options->cgroups;
	bool delegate = e->c.state.delegate[0] && !(sub && *sub);
	int r;

	if (!e->c.state.cgroup[0] && sub && *sub)
		return err_kind(e->err, ERR_USAGE, 0,
				"the container has no cgroup in which %s could be", *sub);
	if (!e->c.state.cgroup[0])
		return 0;
	r = delegate ? container_open_cgroup(e->o, e->c.state.delegate, &e->cgroup, e->err)
		     : CGROUP_GONE;
	/* What it was given it may have taken away. */
	if (r == CGROUP_GONE)
		r = container_open_cgroup(e->o, e->c.state.cgroup, &e->cgroup, e->err);
	/* Also in the v2 tree of a hybrid machine its init may have left it, and it is removed. */
	if (r >= 0 && !(sub && *sub) && cgroup_v2_fd(&e->cgroup) < 0) {
		int followed = cgroup_follow(&e->cgroup, e->c.state.init.pid, e->err);

		r = followed == CGROUP_GONE ? r : followed;
	}
	/* A process that were in no cgroup of the container's would be in the caller's. */
	if (r == CGROUP_GONE)
		return err_set(e->err, ENOENT, "adding pid of the process to cgroups %s",
			       e->c.state.cgroup);
	e->have_cgroup = r == 0;
	for (; r == 0 && sub && *sub; sub++)
		r = enter_sub(e, *sub);
	return r < 0 ? r : 0;
}

static int64_t entry_deadline(const struct entry *e)
{
	return clock_deadline(e->options->timeout_ms ? e->options->timeout_ms : DEFAULT_TIMEOUT_MS);
}

static int open_container(struct entry *e)
{
	int r = entrance_open(&e->c, entry_deadline(e), &e->into, e->err);

	if (r == ENTRANCE_GONE) {
		err_hint(e->err, "delete it, and create it again");
		return err_kind(e->err, ERR_STATE, 0, "cannot exec in a container that is stopped");
	}
	if (r < 0)
		return r;
	e->to_root = e->into.kinds & CLONE_NEWUSER;
	if (e->c.state.rdt_group && e->c.state.rdt_group[0]) {
		struct err ignored = ERR_INIT;

		e->rdt = rdt_open(&ignored);
	}
	return 0;
}

/*
 * Into the container's cgroup, or where its init has gone when that one takes no process any more.
 * Without root a process moves only below what is delegated to the session that it was started in:
 * then it stays there.
 */
static pid_t clone_into(struct entry *e, struct clone_args *args)
{
	int into = e->have_cgroup && !e->attaches ? cgroup_v2_fd(&e->cgroup) : -1;
	pid_t pid;

	if (into >= 0) {
		args->flags |= CLONE_INTO_CGROUP;
		args->cgroup = (uint64_t)into;
	}
	pid = sys_clone3(args);
	if (pid < 0 && errno == EACCES && into >= 0 && handle_rootless(e->o)) {
		args->flags &= ~(uint64_t)CLONE_INTO_CGROUP;
		cgroup_close(&e->cgroup);
		pid = sys_clone3(args);
	}
	if (pid >= 0 || errno != EBUSY || into < 0 || e->options->cgroups)
		return pid;
	if (cgroup_follow(&e->cgroup, e->c.state.init.pid, e->err) != CGROUP_OK) {
		errno = EBUSY;
		return -1;
	}
	args->cgroup = (uint64_t)cgroup_v2_fd(&e->cgroup);
	return sys_clone3(args);
}

static int clone_failed(struct entry *e, int code)
{
	if (code == EBUSY)
		return err_set(e->err, EBUSY,
			       "adding pid of the process to cgroups %s: its controllers are "
			       "given to sub-cgroups",
			       e->c.state.cgroup);
	return err_set(e->err, code, "clone into the container");
}

/* In the user namespace we may join the pid namespace; and need not come back. Makes our child,
 * whose channel is @sync, says on @to which it is, and ends. */
static _Noreturn void middle(struct entry *e, int sync, int to)
{
	struct clone_args args = {.flags = CLONE_PARENT | CLONE_CLEAR_SIGHAND};
	pid_t child = -1;
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	r = score(e, e->err);
	e->process.oom_set = false;
	if (r == 0 && entrance_join(&e->into, (e->into.kinds & CLONE_NEWUSER) | CLONE_NEWPID) < 0)
		r = err_set(e->err, errno, "join the container's user and pid namespaces");
	e->into.kinds &= ~(unsigned)CLONE_NEWUSER;
	if (r == 0) {
		child = clone_into(e, &args);
		if (child == 0) {
			close(to);
			child_main(e, sync);
		}
		if (child < 0)
			r = clone_failed(e, errno);
	}
	if (r < 0)
		sync_send_error(to, e->err);
	else
		sync_send(to, SYNC_MIDDLE, child, -1);
	_exit(r < 0);
}

static int spawn_by_middle(struct entry *e, int sync)
{
	int64_t deadline = entry_deadline(e);
	struct sync_message m;
	int ends[2], r = sync_pair(ends, e->err);
	pid_t helper;

	if (r < 0)
		return r;
	helper = fork();
	if (helper == 0) {
		close(ends[0]);
		middle(e, sync, ends[1]);
	}
	close(ends[1]);
	r = helper < 0 ? err_set(e->err, errno, "fork")
		       : sync_expect(ends[0], SYNC_MIDDLE, &m, NULL, deadline, e->err);
	close(ends[0]);
	(void)proc_end(helper, -1);
	if (r != 0)
		return r < 0 ? r : err_set(e->err, ECHILD, "join the container's namespaces");
	e->pid = (pid_t)m.value;
	e->pidfd = sys_pidfd_open(e->pid, 0);
	return e->pidfd < 0 ? err_set(e->err, errno, "pidfd_open") : 0;
}

static int spawn(struct entry *e)
{
	bool pid_ns = e->c.state.namespaces & CLONE_NEWPID;
	AUTO_CLOSE int own = pid_ns ? open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC) : -1;
	struct clone_args args = {.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
				  .exit_signal = SIGCHLD};
	int ends[2], r = sync_pair(ends, e->err);
	bool back;

	if (r < 0)
		return r;
	e->sync = ends[0];
	args.pidfd = (uintptr_t)&e->pidfd;
	/* Moves our future children only; back afterwards, if our own is one that we may join: it
	 * belongs to a user namespace above ours where somebody has put us into one. */
	back = own < 0 || setns(own, CLONE_NEWPID) == 0;
	if (pid_ns && (!back || entrance_join(&e->into, CLONE_NEWPID) < 0)) {
		r = errno == EPERM && (!back || (e->into.kinds & CLONE_NEWUSER))
			    ? spawn_by_middle(e, ends[1])
			    : err_set(e->err, errno, "join the container's pid namespace");
		close(ends[1]);
		return r;
	}
	e->pid = clone_into(e, &args);
	if (e->pid == 0)
		child_main(e, ends[1]);
	r = e->pid < 0 ? -errno : 0;
	if (own >= 0)
		(void)setns(own, CLONE_NEWPID);
	close(ends[1]);
	if (r < 0) {
		e->pidfd = -1;
		return clone_failed(e, -r);
	}
	return 0;
}

/*
 * The child is in its v2 cgroup when it is born, and a cpuset there may have none of the CPUs that
 * it is to be born on: they are asked for before, by us, as the specification has it.
 */
static int spawn_on_cpus(struct entry *e)
{
	struct sched_cpus ours;
	int r;

	if (!e->process.first_cpus)
		return spawn(e);
	r = sched_pinned(&ours);
	r = r < 0 ? err_set(e->err, -r, "read the CPU affinity")
		  : sched_pin(e->process.first_cpus, e->err);
	if (r < 0) {
		err_pointer(e->err, "/process/execCPUAffinity/initial");
		return r;
	}
	r = spawn(e);
	(void)sched_pin(&ours, NULL);
	return r;
}

static int pass_listener(struct entry *e, int fd)
{
	const struct listener_process process = {&e->c.state, oakum_status_name(e->c.status),
						 e->pid};
	int r = listener_pass(&e->process.listener, &process, fd, &e->c.arena, e->err);

	if (r == 0)
		sync_send(e->sync, SYNC_LISTENED, 0, -1);
	return r;
}

static int converse(struct entry *e, int64_t deadline)
{
	struct sync_message said = {.type = 0};
	bool exec = false;

	for (;;) {
		struct sync_message m;
		int fd, r = sync_receive(e->sync, &m, &fd, deadline, e->err);

		if (r != 0 && said.type == SYNC_FAILED)
			return sync_failure(&said, e->err);
		if (r < 0)
			return create_name_late(e->pid, r, e->err);
		if (r == SYNC_GONE)
			return create_executed(e->pid, OUR_NAME, exec, e->err);
		if (m.type == SYNC_TERMINAL) {
			fd_replace(&e->terminal, fd);
			continue;
		}
		if (m.type == SYNC_LISTENER) {
			r = pass_listener(e, fd);
			if (r < 0)
				return r;
			continue;
		}
		fd_close(fd);
		/* The last word is the best: it may still look for the reason. */
		if (m.type == SYNC_FAILED)
			said = m;
		exec |= m.type == SYNC_EXEC;
	}
}

/* A sub-cgroup of the unit's: the one that was asked for, or the one that the container has. */
static int attach(struct entry *e)
{
	const char *const *wanted = e->options->cgroups;
	const struct state *s = &e->c.state;
	const char *sub = s->delegate[0] ? s->delegate + strlen(s->cgroup) : NULL;
	int r;

	if (wanted && *wanted) {
		sub = arena_printf(&e->c.arena, "/%s", *wanted);
		if (!sub)
			return err_set(e->err, ENOMEM, "sub-cgroup");
	}
	r = unit_attach(s, sub, e->pid, clock_deadline(DEFAULT_TIMEOUT_MS), e->err);
	if (r == 0)
		sync_send(e->sync, SYNC_ATTACHED, 0, -1);
	return r;
}

static int publish(struct entry *e)
{
	int r = 0;

	if (e->options->console_socket)
		r = tty_send(e->options->console_socket, e->terminal, e->err);
	if (r == 0)
		r = create_send_pidfd(e->options->pidfd_socket, e->pidfd, e->err);
	return r < 0 ? r : create_write_pid(e->options->pid_file, e->pid, e->err);
}

static int build_filter(struct entry *e)
{
	AUTO_CLOSE int cache = -1;
	int r;

	if (!e->process.seccomp)
		return 0;
	cache = create_open_cache(e->o);
	r = seccomp_build(e->process.seccomp, cache, &e->filter, e->err);
	e->have_filter = r == 0;
	return r;
}

static int check_options(struct entry *e)
{
	const struct oakum_exec *x = e->options;

	for (const char *const *sub = x->cgroups; sub && *sub; sub++)
		if (path_has_dotdot(strchr(*sub, ':') ? strchr(*sub, ':') + 1 : *sub))
			return err_kind(e->err, ERR_USAGE, 0,
					"bad sub cgroup path: %s is not a sub cgroup path: `..` "
					"components are not allowed",
					*sub);
	return create_check_pid_file(x->pid_file, e->err);
}

static int run(struct entry *e, const char *id)
{
	const struct oakum_exec *x = e->options;
	int r = check_options(e);

	if (r == 0)
		r = container_open(e->o, id, false, &e->c, e->err);
	if (r == 0)
		r = check_status(e);
	if (r == 0)
		r = exec_plan(e->o, x, &e->c, &e->process, e->err);
	if (r == 0)
		r = create_check_labels(&e->process, e->err);
	if (r == 0 && e->process.terminal && !x->console_socket && !x->keep_terminal)
		r = err_kind(e->err, ERR_USAGE, 0,
			     "a terminal needs somebody to hold it: use --console-socket");
	if (r == 0) {
		create_warn_ambient(e->o, &e->process);
		r = build_filter(e);
	}
	if (r == 0)
		r = open_cgroup(e);
	if (r == 0)
		r = open_container(e);
	e->attaches = r == 0 && e->have_cgroup && unit_exists(e->o, &e->c.state) &&
		      unit_attaches(e->c.state.unit, e->c.state.user_unit);
	if (r == 0)
		r = spawn_on_cpus(e);
	if (r == 0 && e->attaches)
		r = attach(e);
	if (r == 0)
		r = converse(e, x->ignore_paused ? CLOCK_FOREVER : entry_deadline(e));
	if (r == 0)
		handle_debug(e->o, "exec %s: process %d runs %s", id, e->pid, e->process.argv[0]);
	return r < 0 ? r : publish(e);
}

static void release(struct entry *e)
{
	if (e->have_filter)
		seccomp_free(&e->filter);
	if (e->have_cgroup)
		cgroup_close(&e->cgroup);
	entrance_close(&e->into);
	fd_close(e->rdt);
	fd_close(e->sync);
	container_close(&e->c);
}

int oakum_exec(struct oakum *o, const char *id, const struct oakum_exec *options,
	       struct oakum_process *ret)
{
	struct entry e = {
		.o = o,
		.options = options,
		.err = handle_begin(o),
		.c = CONTAINER_INIT,
		.rdt = -1,
		.into = ENTRANCE_NONE,
		.sync = -1,
		.pidfd = -1,
		.terminal = -1,
	};
	int r = HANDLE_CHECK_OPTIONS(o, options, oakum_exec);

	if (r == 0)
		r = run(&e, id);
	if (r < 0) {
		(void)proc_end(e.pid, e.pidfd);
		fd_close(e.pidfd);
		fd_close(e.terminal);
	} else if (ret) {
		bool keep = options->keep_terminal;

		*ret = (struct oakum_process){
			.pid = e.pid, .pidfd = e.pidfd, .terminal = keep ? e.terminal : -1};
		if (!keep)
			fd_close(e.terminal);
	} else {
		fd_close(e.pidfd);
		fd_close(e.terminal);
	}
	release(&e);
	return handle_end(o, "exec", id, r);
}
