/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the parent to the container's first process: who joins which namespace, and when. Rights
 * decide the order. A user namespace takes away what we had outside of it and gives what is
 * inside, so whatever can be joined before it is, and the rest after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/ns.h"
#include "run/create.h"
#include "run/creation.h"
#include "run/init.h"
#include "run/sync.h"
#include "run/unit.h"

static char *hook_json(struct creation *c, const char *status, char **ret_pid)
{
	/* A pid with as many digits as there can be, blanked: the child fills in its own. */
	char *text = state_hook_json(&c->arena, &c->state, status, 1111111111);

	*ret_pid = text ? strstr(text, "1111111111") : NULL;
	if (*ret_pid)
		memset(*ret_pid, ' ', INIT_PID_DIGITS);
	return text;
}

static const struct cgroup *lives_in(const struct creation *c)
{
	return c->have_delegate ? &c->delegate : c->have_cgroup ? &c->cgroup : NULL;
}

static int prepare_init(struct creation *c, struct init *in, int child_sync)
{
	*in = (struct init){
		.plan = c->plan,
		.cgroup = lives_in(c),
		.in_v2 = lives_in(c) && cgroup_v2_fd(lives_in(c)) >= 0,
		.filter = c->have_filter ? &c->filter : NULL,
		.sync = child_sync,
		.parent_end = c->sync,
		.gate = c->gate,
		.sources = c->sources,
		.devices = c->devices,
		.root = ROOTFS_INIT,
		.mask = MASK_INIT,
		.tty_slave = -1,
		.notify = -1,
		.rehearsal = c->rehearsal,
		.cover = c->cover,
		.binfmt = c->binfmt,
	};
	for (size_t i = 0; i < ARRAY_SIZE(in->join); i++)
		in->join[i] = i < c->plan->n_join ? c->join[c->plan->join[i].ns] : -1;
	memcpy(in->stdio, c->options->stdio, sizeof(in->stdio));
	in->plain_terminal = c->options->plain_terminal;
	memcpy(in->hook_output, c->hook_output, sizeof(in->hook_output));
	in->root.path = c->plan->rootfs;
	in->root.userns = c->plan->namespaces & CLONE_NEWUSER;
	if (c->plan->hook_kinds) {
		in->hook_creating = hook_json(c, "creating", &in->hook_pid_creating);
		in->hook_created = hook_json(c, "created", &in->hook_pid_created);
		if (!in->hook_creating || !in->hook_created)
			return err_set(c->err, ENOMEM, "prepare the state for hooks");
		c->plan->process.hook_state = in->hook_created;
	}
	return 0;
}

bool creation_attaches(const struct creation *c)
{
	return c->plan->unit && unit_attaches(c->plan->unit->name, c->plan->unit->user);
}

/* The v2 cgroup that the first process is made in, or -1. */
static int cloned_into(const struct creation *c)
{
	return lives_in(c) && !creation_attaches(c) ? cgroup_v2_fd(lives_in(c)) : -1;
}

static void fill_clone(const struct creation *c, struct clone_args *args, int into, unsigned flags)
{
	*args = (struct clone_args){
		.flags =
			(c->plan->create & ~plan_made_later(c->plan)) | CLONE_CLEAR_SIGHAND | flags,
		.exit_signal = SIGCHLD,
	};
	if (into >= 0) {
		args->flags |= CLONE_INTO_CGROUP;
		args->cgroup = (uint64_t)into;
	}
}

/*
 * The maps of a process are written by its parent, and what an undumpable process has in /proc
 * belongs to root: where that is not us, the child begins dumpable and is until it is mapped.
 * Nobody in another user namespace may trace it for that, and in its own there is nobody else.
 */
static pid_t clone_mappable(struct init *in, struct clone_args *args)
{
	int before = prctl(PR_GET_DUMPABLE), code;
	bool stay_open = (args->flags & CLONE_NEWUSER) && geteuid() != 0;
	bool open_up = stay_open && before == 0;
	pid_t pid;

	if (open_up)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	in->dumpable = stay_open;
	pid = sys_clone3(args);
	if (pid == 0)
		init_main(in);
	code = errno;
	if (open_up)
		prctl(PR_SET_DUMPABLE, before, 0, 0, 0);
	errno = code;
	return pid;
}

static int clone_failed(int code, struct err *err)
{
	if (code == EPERM)
		err_hint(err, "new namespaces need CAP_SYS_ADMIN, or a user namespace of the "
			      "container's own");
	if (code == ENOSPC || code == EUSERS)
		err_hint(err, "the limits on namespaces are in /proc/sys/user");
	if (code == ENOSYS) {
		err_hint(err, "Linux 5.3 has it; a seccomp filter around us may forbid it");
		return err_kind(err, ERR_UNSUPPORTED, code, "clone3");
	}
	return err_set(err, code, "clone");
}

static unsigned joined_kinds(const struct creation *c)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < c->plan->n_join; i++)
		kinds |= (unsigned)c->plan->join[i].kind;
	return kinds;
}

/* ---- a process in between ---- */

/* Join what is still to be joined of the kinds in @which. Where we have no right to, it is left for
 * later if it may be (@later). */
static int join_all(const struct plan *p, struct init *in, unsigned which, bool later,
		    struct err *err)
{
	for (size_t i = 0; i < p->n_join; i++) {
		const struct plan_join *j = &p->join[i];
		int r;

		if (in->join[i] < 0 || !((unsigned)j->kind & which))
			continue;
		r = ns_join(in->join[i], j->kind, err);
		if (r == -EPERM && later) {
			*err = ERR_INIT;
			continue;
		}
		if (r < 0) {
			err_pointer(err, "%s", j->pointer);
			return r;
		}
		in->join[i] = -1;
	}
	return 0;
}

static unsigned left(const struct plan *p, const struct init *in)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < p->n_join; i++)
		if (in->join[i] >= 0)
			kinds |= (unsigned)p->join[i].kind;
	return kinds;
}

/* A mount namespace comes last: it changes what our paths mean. */
static int join_in_order(const struct plan *p, struct init *in, struct err *err)
{
	const unsigned user = CLONE_NEWUSER, mount = CLONE_NEWNS;
	unsigned kinds = left(p, in);
	AUTO_CLOSE int offsets = -1;
	int r;

	if ((kinds & user) && (p->create & CLONE_NEWTIME)) {
		offsets = timens_open(err);
		if (offsets < 0)
			return offsets;
	}
	r = join_all(p, in, kinds & ~(user | mount), true, err);
	if (r == 0 && (kinds & mount))
		r = join_all(p, in, mount, true, err);
	if (r == 0)
		r = join_all(p, in, user, false, err);
	if (r == 0 && (kinds & user))
		r = join_all(p, in, left(p, in) & ~mount, false, err);
	if (r == 0 && offsets >= 0)
		r = init_make_time(in, offsets, err);
	/* Of a pid namespace only children are members. */
	return r < 0 ? r : join_all(p, in, CLONE_NEWPID, false, err);
}

/* Where cgroup2 is mounted with nsdelegate (cgroups(7)), as systemd mounts it, whoever is in
 * another cgroup namespace can neither clone into our cgroup nor go there: we put the child there.
 */
static bool is_moved(const struct creation *c)
{
	return cloned_into(c) >= 0 && (joined_kinds(c) & CLONE_NEWCGROUP);
}

/* It makes our child (CLONE_PARENT), says which, and ends. */
static _Noreturn void middle(struct creation *c, struct init *in)
{
	struct clone_args args;
	struct err err = ERR_INIT;
	pid_t child = -1;

	if (join_in_order(c->plan, in, &err) == 0) {
		fill_clone(c, &args, is_moved(c) ? -1 : cloned_into(c), CLONE_PARENT);
		args.exit_signal = 0;
		child = clone_mappable(in, &args);
		if (child < 0)
			clone_failed(errno, &err);
	}
	if (child < 0) {
		err_fold(&err);
		err_prefix(&err, "namespaces");
		sync_send_error(in->sync, &err);
		_exit(1);
	}
	sync_send(in->sync, SYNC_MIDDLE, child, -1);
	_exit(0);
}

static int clone_by_middle(struct creation *c, struct init *in)
{
	struct sync_message m;
	pid_t helper;
	int r;

	/* Until we know its number. */
	c->await_mapping = in->await_mapping = true;
	helper = fork();
	if (helper == 0)
		middle(c, in);
	if (helper < 0)
		return err_set(c->err, errno, "fork");
	r = sync_expect(c->sync, SYNC_MIDDLE, &m, NULL, c->deadline, c->err);
	(void)proc_end(helper, -1);
	if (r != 0)
		return r < 0 ? r : err_set(c->err, ECHILD, "join the namespaces");
	c->pid = (pid_t)m.value;
	c->pidfd = sys_pidfd_open(c->pid, 0);
	if (c->pidfd < 0)
		return err_set(c->err, errno, "pidfd_open");
	return is_moved(c) ? cgroup_move_v2(lives_in(c), c->pid, c->err) : 0;
}

/* ---- without one ---- */

static int find_pid(const struct creation *c)
{
	for (size_t i = 0; i < c->plan->n_join; i++)
		if (c->plan->join[i].kind == CLONE_NEWPID)
			return (int)i;
	return -1;
}

/* setns(2) to a pid namespace moves our future children only; back afterwards. */
static int clone_direct(struct creation *c, struct init *in)
{
	int i = find_pid(c), r = 0;
	AUTO_CLOSE int own = i >= 0 ? open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC) : -1;
	struct clone_args args;

	if (i >= 0)
		r = ns_join(in->join[i], CLONE_NEWPID, c->err);
	if (r < 0) {
		err_pointer(c->err, "%s", c->plan->join[i].pointer);
		return r;
	}
	if (i >= 0)
		in->join[i] = -1;
	fill_clone(c, &args, cloned_into(c), CLONE_PIDFD);
	args.pidfd = (uintptr_t)&c->pidfd;
	c->await_mapping = in->await_mapping = c->plan->create & CLONE_NEWUSER;
	c->pid = clone_mappable(in, &args);
	r = c->pid < 0 ? -errno : 0;
	if (own >= 0)
		(void)ns_join(own, CLONE_NEWPID, NULL);
	if (r < 0) {
		c->pidfd = -1;
		return clone_failed(-r, c->err);
	}
	return 0;
}

/* A user namespace, joined or new, beside others that are joined: those need rights that it takes
 * away. */
static bool needs_middle(const struct creation *c)
{
	unsigned joined = joined_kinds(c);

	return (joined & CLONE_NEWUSER) ||
	       ((c->plan->create & CLONE_NEWUSER) && (joined & ~(unsigned)CLONE_NEWPID));
}

int creation_spawn(struct creation *c)
{
	int ends[2], r = sync_pair(ends, c->err);
	struct init in;

	if (r < 0)
		return r;
	c->sync = ends[0];
	r = prepare_init(c, &in, ends[1]);
	if (r == 0)
		r = needs_middle(c) ? clone_by_middle(c, &in) : clone_direct(c, &in);
	fd_close(ends[1]);
	fd_replace(&c->gate, -1);
	return r;
}
