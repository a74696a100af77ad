/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * create: from a bundle to a process that waits at the gate. First everything is judged, then the
 * state is written ahead, then the kernel is touched; whatever fails, creation_undo() takes back
 * what was done.
 */
#include "run/create.h"
#include "run/creation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/json.h"
#include "base/json_put.h"
#include "base/names.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/cgroup_stat.h"
#include "kernel/creds.h"
#include "kernel/tty.h"
#include "run/gate.h"
#include "run/hooks.h"
#include "run/init.h"
#include "run/lifecycle.h"
#include "run/plan.h"
#include "run/rdt.h"
#include "run/state.h"
#include "run/sync.h"
#include "run/unit.h"
#include "spec/spec.h"

#define DEFAULT_TIMEOUT_MS 60000
#define UNDO_TIMEOUT_MS	   5000
#define LAST_MOMENT_MS	   200 /* of a process that has left its cgroup already */

extern char **environ;

/* ---- the parent's half of the conversation ---- */

int creation_runtime_hooks(struct creation *c)
{
	static const enum spec_hook_kind kinds[] = {SPEC_HOOK_PRESTART, SPEC_HOOK_CREATE_RUNTIME};
	AUTO_CLOSE int input = -1;
	struct hooks_setting setting = {
		.dir = c->state.bundle,
		.env = (const char *const *)environ,
		.output = {c->hook_output[0], c->hook_output[1]},
	};
	char *json;
	int r = 0;

	c->hooked = true;
	if (c->plan->hook_kinds & (1u << SPEC_HOOK_PRESTART | 1u << SPEC_HOOK_CREATE_RUNTIME)) {
		json = state_hook_json(&c->arena, &c->state, "creating", c->pid);
		input = json ? hooks_input(json, c->err) : err_set(c->err, ENOMEM, "run hooks");
		if (input < 0)
			return input;
		setting.input = input;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
		r = hooks_run(&c->plan->hooks[kinds[i]], kinds[i], &setting, c->err);
	return r;
}

/*
 * Has the kernel killed in the container's cgroup for want of memory? Negative if nobody can know:
 * systemd removes a scope's cgroup as soon as it is empty.
 */
static int ran_out(const struct creation *c)
{
	struct err err = ERR_INIT;
	struct cgroup_oom w;
	uint64_t kills = 0;
	int r;

	if (!c->have_cgroup)
		return 0;
	if (cgroup_oom_open(&c->cgroup, 0, &w, &err) != 0)
		return -1;
	r = cgroup_oom_kills(&w, &kills);
	cgroup_oom_close(&w);
	return r == 0 ? kills > 0 : -1;
}

static int killed(struct creation *c, int signal)
{
	int out = signal == SIGKILL ? ran_out(c) : 0;
	char buf[NAMES_TEXT];

	if (out > 0) {
		err_pointer(c->err, "/linux/resources/memory/limit");
		err_hint(c->err, "the memory limit is too low for it");
		return err_set(c->err, 0,
			       "the container's first process ran out of memory and was killed");
	}
	if (out < 0 && c->plan->limits.memory_limit.set)
		err_hint(c->err, "/linux/resources/memory/limit may be too low for it: its cgroup "
				 "is gone, and with it the count of such kills");
	return err_set(c->err, 0, "the container's first process was killed by %s",
		       names_signal_text(signal, buf));
}

static int died(struct creation *c)
{
	siginfo_t info = {.si_pid = 0};

	/* Its end of the channel closes before it can be waited for. */
	(void)proc_wait(c->pidfd, clock_deadline(1000));
	if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid && info.si_code != CLD_EXITED)
		return killed(c, info.si_status);
	return err_set(c->err, 0, "the container's first process ended unexpectedly");
}

static int converse(struct creation *c)
{
	/* A hook has its own timeout, or none: the child's silence while it runs is no failure. */
	int64_t deadline = c->plan->hook_kinds ? CLOCK_FOREVER : c->deadline;

	for (;;) {
		struct sync_message m;
		int fd, r = sync_receive(c->sync, &m, &fd, deadline, c->err);

		if (r < 0)
			return create_name_late(c->pid, r, c->err);
		if (r == SYNC_GONE)
			return died(c);
		if (m.type == SYNC_TERMINAL) {
			fd_replace(&c->terminal, fd);
			continue;
		}
		fd_close(fd);
		if (m.type == SYNC_FAILED)
			return sync_failure(&m, c->err);
		if (m.type == SYNC_READY)
			return 0;
		if (m.type == SYNC_MOUNTED) {
			r = creation_runtime_hooks(c);
			if (r == 0)
				sync_send(c->sync, SYNC_HOOKED, c->pid, -1);
		} else if (m.type == SYNC_SOURCE) {
			r = creation_send_source(c, m.value);
		} else {
			r = err_set(c->err, EPROTO, "message %d from the child", m.type);
		}
		if (r < 0)
			return r;
	}
}

/* In a user namespace the child cannot: it has no rights outside, and its files are not its own. */
static int score_child(struct creation *c)
{
	const struct plan_process *p = &c->plan->process;
	AUTO_CLOSE int proc = -1;
	int r;

	if (!p->oom_set || !c->await_mapping)
		return 0;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return err_set(c->err, errno, "open /proc");
	r = creds_oom_score(proc, c->pid, p->oom_score_adj, c->err);
	if (r < 0)
		err_pointer(c->err, "/process/oomScoreAdj");
	return r;
}

int creation_map_ids(struct creation *c)
{
	const struct plan *p = c->plan;
	int r = 0;

	/* It closes itself to who is not root when it is mapped. */
	creation_note_family(c);
	if (p->create & CLONE_NEWUSER) {
		r = userns_map(c->pid, &p->uids, NULL, clock_deadline(USERNS_MAP_MS), c->err);
		if (r < 0 && c->spec->uid_map.n)
			err_pointer(c->err, "/linux/uidMappings");
		if (r == 0) {
			r = userns_map(c->pid, NULL, &p->gids, clock_deadline(USERNS_MAP_MS),
				       c->err);
			if (r < 0 && c->spec->gid_map.n)
				err_pointer(c->err, "/linux/gidMappings");
		}
		if (r == 0)
			r = creation_idmap(c, true);
	}
	if (r == 0)
		r = score_child(c);
	if (r == 0 && c->await_mapping)
		sync_send(c->sync, SYNC_MAPPED, 0, -1);
	return r;
}

/* Above its own hard limit only a process with CAP_SYS_RESOURCE in the first user namespace may go:
 * that is us. */
int creation_raise_rlimits(struct creation *c)
{
	for (size_t i = 0; i < c->plan->process.n_rlimits; i++) {
		const struct plan_rlimit *l = &c->plan->process.rlimits[i];
		struct rlimit now, want;

		if (prlimit(c->pid, l->resource, NULL, &now) < 0)
			return err_set(c->err, errno, "read the limits of the container");
		if (l->hard <= now.rlim_max)
			continue;
		want = (struct rlimit){now.rlim_cur, l->hard};
		if (prlimit(c->pid, l->resource, &want, NULL) < 0) {
			err_pointer(c->err, "/process/rlimits/%zu", i);
			err_hint(c->err,
				 "our own hard limit is %llu; more needs CAP_SYS_RESOURCE%s",
				 (unsigned long long)now.rlim_max,
				 l->resource == RLIMIT_NOFILE ? ", and fs.nr_open is its bound"
							      : "");
			return err_kind(c->err, ERR_UNSUPPORTED, errno, "set %s to %llu", l->name,
					(unsigned long long)l->hard);
		}
	}
	return 0;
}

/* The pid is recorded: the child unties itself from us and shows it by closing the channel. */
static int let_go(struct creation *c)
{
	struct sync_message m;
	int r;

	sync_send(c->sync, SYNC_RECORDED, 0, -1);
	r = sync_receive(c->sync, &m, NULL, c->deadline, c->err);
	if (r == SYNC_GONE)
		return 0;
	if (r == 0)
		return m.type == SYNC_FAILED
			       ? sync_failure(&m, c->err)
			       : err_set(c->err, EPROTO, "message %d from the child", m.type);
	return r;
}

int creation_publish(struct creation *c)
{
	int r = 0;

	if (proc_identify(c->pid, c->pidfd, &c->state.init) < 0)
		return died(c);
	if (c->options->console_socket)
		r = tty_send(c->options->console_socket, c->terminal, c->err);
	if (r == 0)
		r = create_send_pidfd(c->options->pidfd_socket, c->pidfd, c->err);
	if (r == 0 && c->plan->known->pidfd_receiver) {
		r = create_send_pidfd(c->plan->known->pidfd_receiver, c->pidfd, c->err);
		if (r < 0)
			err_pointer(c->err, "/annotations/run.oci.pidfd_receiver");
	}
	if (r == 0)
		r = create_write_pid(c->options->pid_file, c->pid, c->err);
	return r < 0 ? r : creation_end_state(c);
}

static int publish(struct creation *c)
{
	int r = creation_raise_rlimits(c);

	if (r == 0)
		r = creation_publish(c);
	return r < 0 ? r : let_go(c);
}

/* ---- doing ---- */

static int build_filter(struct creation *c)
{
	AUTO_CLOSE int cache = -1;
	int r;

	if (!c->plan->process.seccomp)
		return 0;
	cache = create_open_cache(c->o);
	r = seccomp_build(c->plan->process.seccomp, cache, &c->filter, c->err);
	c->have_filter = r == 0;
	return r;
}

/* To whom: root of the container's own user namespace, as the host knows it. */
static int hand_over_cgroup(struct creation *c)
{
	const struct plan *p = c->plan;
	uint32_t ids[2] = {0, 0};

	if (!(p->create & CLONE_NEWUSER) || c->host.rootless)
		return 0;
	(void)userns_host_id(&p->uids, 0, &ids[0]);
	(void)userns_host_id(&p->gids, 0, &ids[1]);
	return cgroup_delegate(&c->delegate, ids[0], ids[1], c->err);
}

/* The process that keeps the scope has to go there first. */
static int make_below_unit(struct creation *c, const struct cgroup_limits *none)
{
	int r = cgroup_vacate(&c->cgroup, c->plan->delegate, c->err);

	return r < 0 ? r : cgroup_adopt(&c->delegate, c->plan->delegate, none, c->err);
}

static int make_delegate(struct creation *c)
{
	const struct cgroup_limits none = {.memory_limit = {.set = false}};
	int r;

	if (!c->plan->delegate)
		return 0;
	cgroup_init(&c->delegate, c->host.cgroups);
	if (c->plan->unit)
		r = make_below_unit(c, &none);
	else
		r = cgroup_create(&c->delegate, c->plan->delegate, &none, c->err);
	c->have_delegate = r == 0;
	if (r == 0)
		r = hand_over_cgroup(c);
	if (r < 0)
		plan_blame_delegate(c->plan, c->err);
	return r;
}

/* systemd's scope, in which the helper's process waits for the container's. */
static int make_unit(struct creation *c)
{
	const struct plan_unit *u = c->plan->unit;
	int r;

	c->unit_asked = true;
	r = cgroup_systemd_start(&c->systemd, u->name, c->plan->cgroup, u->start.v, u->start.n,
				 c->deadline, c->err);
	if (r == CGROUP_SYSTEMD_IN_USE) {
		c->unit_asked = false; /* it is not ours to stop */
		return -EEXIST;
	}
	if (r < 0 && c->systemd.property)
		plan_blame_property(c->spec, c->err);
	return r < 0 ? r : cgroup_adopt(&c->cgroup, c->plan->cgroup, &c->plan->limits, c->err);
}

int creation_make_cgroup(struct creation *c)
{
	int r;

	if (!c->plan->cgroup[0])
		return 0;
	cgroup_init(&c->cgroup, c->host.cgroups);
	if (c->plan->unit)
		r = make_unit(c);
	else
		r = cgroup_create(&c->cgroup, c->plan->cgroup, &c->plan->limits, c->err);
	if (r < 0) {
		if (c->spec->cgroups_path)
			err_pointer(c->err, "/linux/cgroupsPath");
		err_prefix(c->err, "cgroup %s", c->plan->cgroup);
		return r;
	}
	c->have_cgroup = true;
	return make_delegate(c);
}

/*
 * The container's process is in the cgroup, and the helper's would count in its limits. In v1
 * hierarchies the child joins by itself, which @joined says.
 */
int creation_leave_unit(struct creation *c, bool joined)
{
	int r = 0;

	if (!c->plan->unit)
		return 0;
	/* Hooks may have taken as long as they liked. */
	if (joined != (c->host.cgroups->mode == CGROUP_V2))
		r = cgroup_systemd_release(
			&c->systemd, c->plan->hook_kinds ? CLOCK_FOREVER : c->deadline, c->err);
	if (joined)
		cgroup_systemd_close(&c->systemd);
	return r;
}

static int attach_child(struct creation *c)
{
	const char *sub = c->plan->delegate ? c->plan->delegate + strlen(c->plan->cgroup) : NULL;

	return cgroup_systemd_attach(&c->systemd, c->plan->unit->name, sub, c->pid, c->deadline,
				     c->err);
}

int creation_limit_cgroup(struct creation *c)
{
	const struct plan_unit *u = c->plan->unit;
	int r = creation_leave_unit(c, false);

	/* What systemd writes is the same or rounded: ours comes last. */
	if (r == 0 && u)
		r = cgroup_systemd_set(&c->systemd, u->name, u->set.v, u->set.n, c->deadline,
				       c->err);
	if (r == 0 && c->have_cgroup)
		r = cgroup_limit(&c->cgroup, &c->plan->limits, false, c->err);
	if (r < 0) {
		err_pointer(c->err, "/linux/resources");
		err_prefix(c->err, "cgroup %s", c->plan->cgroup);
	}
	return r;
}

/* What the child says, or that it died. */
static int last_words(struct creation *c)
{
	struct sync_message m;
	int r;

	do
		r = sync_receive(c->sync, &m, NULL, c->deadline, c->err);
	while (r == 0 && m.type != SYNC_FAILED);
	return r < 0 ? r : r == SYNC_GONE ? died(c) : sync_failure(&m, c->err);
}

static int limit_cgroup(struct creation *c)
{
	int r = creation_limit_cgroup(c);

	/* A child that fails leaves an empty scope, and systemd takes that away under our hands. In
	 * v1 it may as well not have come there yet. */
	if (r < 0 && c->plan->unit && cgroup_populated(&c->cgroup) == 0 &&
	    io_poll_until(c->pidfd, POLLIN, clock_deadline(LAST_MOMENT_MS)) > 0) {
		*c->err = ERR_INIT;
		r = last_words(c);
	}
	return r;
}

static int move_netdevs(struct creation *c)
{
	int r = creation_move_netdevs(c);

	/* A child that has failed meanwhile has no namespace any more. */
	if (r < 0 && c->netns == -ENOENT) {
		*c->err = ERR_INIT;
		r = last_words(c);
	}
	return r;
}

static int open_hook_outputs(struct creation *c)
{
	const unsigned ours = 1u << SPEC_HOOK_PRESTART | 1u << SPEC_HOOK_CREATE_RUNTIME |
			      1u << SPEC_HOOK_CREATE_CONTAINER;

	if (!(c->plan->hook_kinds & ours))
		return 0;
	return hooks_outputs(c->state.bundle, c->plan->known, c->hook_output, c->err);
}

static int perform(struct creation *c, const char *id)
{
	int r = build_filter(c);

	create_warn_ambient(c->o, &c->plan->process);
	handle_debug(c->o, "create %s: bundle %s, rootfs %s, cgroup %s, %zu mounts, %zu devices",
		     id, c->state.bundle, c->plan->rootfs,
		     c->plan->cgroup[0] ? c->plan->cgroup : "none", c->plan->n_mounts,
		     c->plan->n_devices);
	if (r == 0)
		r = creation_begin_rdt(c);
	if (r == 0)
		r = creation_begin_state(c, id);
	if (r == 0)
		r = creation_lend_devices(c);
	if (r == 0)
		r = creation_make_rdt(c);
	if (r == 0)
		r = open_hook_outputs(c);
	if (r == 0)
		r = creation_make_cgroup(c);
	if (r == 0)
		r = state_claim(c->dir, c->err);
	if (r == 0) {
		c->gate = gate_listen(c->dir, c->err);
		r = c->gate < 0 ? c->gate : 0;
	}
	if (r == 0)
		r = creation_spawn(c);
	if (r == 0 && creation_attaches(c))
		r = attach_child(c);
	if (r == 0)
		r = creation_map_ids(c);
	if (r == 0)
		r = creation_join_rdt(c);
	if (r == 0)
		r = move_netdevs(c);
	/* The child mounts meanwhile. */
	if (r == 0)
		r = limit_cgroup(c);
	if (r == 0)
		r = converse(c);
	if (r == 0)
		r = creation_leave_unit(c, true);
	return r < 0 ? r : publish(c);
}

/* runtime.md: from the runtime's hooks on, a creation that fails ends as a container does. */
static void run_poststop(struct creation *c)
{
	struct container gone = {.arena = ARENA_INIT, .state = c->state, .dir = c->dir};

	container_poststop(c->o, &gone);
	arena_done(&gone.arena);
}

void creation_undo(struct creation *c, const char *id)
{
	struct err ignored = ERR_INIT;
	bool left;

	creation_return_netdevs(c);
	left = !proc_end(c->pid, c->pidfd);
	if (c->have_delegate)
		cgroup_close(&c->delegate);
	c->have_delegate = false;
	cgroup_systemd_close(&c->systemd);
	if (c->have_cgroup) {
		cgroup_signal_all(&c->cgroup, SIGKILL, &ignored);
		if (c->unit_asked)
			cgroup_wait_empty(&c->cgroup, clock_deadline(UNDO_TIMEOUT_MS), &ignored);
	}
	/* A helper that was killed has not told whether there is one. */
	if (c->unit_asked &&
	    unit_stop(&c->state, c->have_cgroup, clock_deadline(UNDO_TIMEOUT_MS), &ignored) < 0) {
		/* Its job does not end before who is left does. */
		if (!left)
			err_hint(c->err,
				 "systemd may still have %s: delete it when systemd answers",
				 c->state.unit);
		left = true;
	}
	if (c->have_cgroup &&
	    cgroup_remove(&c->cgroup, clock_deadline(UNDO_TIMEOUT_MS), &ignored) == CGROUP_BUSY)
		left = true;
	if (c->state_made)
		creation_undo_rdt(c, id);
	if (left)
		err_hint(c->err, DIE_HINT);
	if (c->hooked && !left)
		run_poststop(c);
	if (c->state_made && !left)
		state_remove(c->o, id, c->dir, &ignored);
	fd_replace(&c->terminal, -1);
}

void creation_release(struct creation *c)
{
	cgroup_systemd_close(&c->systemd);
	for (size_t i = 0; i < c->n_netdevs; i++)
		netdev_done(&c->netdevs[i]);
	if (c->have_filter)
		seccomp_free(&c->filter);
	if (c->have_delegate)
		cgroup_close(&c->delegate);
	if (c->have_cgroup)
		cgroup_close(&c->cgroup);
	fd_close(c->rdt);
	fd_close(c->netns);
	fd_close(c->dir);
	fd_close(c->gate);
	fd_close(c->sync);
	hooks_outputs_close(c->hook_output);
	for (size_t i = 0; i < ARRAY_SIZE(c->join); i++)
		fd_close(c->join[i]);
	for (size_t i = 0; c->sources && i < c->plan->n_mounts; i++)
		fd_close(c->sources[i]);
	for (size_t i = 0; c->devices && i < c->plan->n_devices; i++)
		fd_close(c->devices[i]);
	arena_done(&c->arena);
}

void creation_hand_over(struct creation *c, struct oakum_process *ret)
{
	if (!ret) {
		fd_close(c->pidfd);
		fd_close(c->terminal);
		return;
	}
	ret->pid = c->pid;
	ret->pidfd = c->pidfd;
	ret->terminal = c->options->keep_terminal ? c->terminal : -1;
	if (!c->options->keep_terminal)
		fd_close(c->terminal);
}

void creation_init(struct creation *c, struct oakum *o, const struct oakum_create *options,
		   struct err *err)
{
	*c = (struct creation){
		.o = o,
		.options = options,
		.err = err,
		.arena = ARENA_INIT,
		.dir = -1,
		.gate = -1,
		.sync = -1,
		.pidfd = -1,
		.terminal = -1,
		.systemd = CGROUP_SYSTEMD_INIT,
		.rdt = -1,
		.netns = -1,
		.hook_output = {-1, -1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(c->join); i++)
		c->join[i] = -1;
	c->deadline =
		clock_deadline(options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS);
}

int oakum_create(struct oakum *o, const char *id, const struct oakum_create *options,
		 struct oakum_process *ret)
{
	struct creation c;
	struct err *err = handle_begin(o);
	int r = HANDLE_CHECK_OPTIONS(o, options, oakum_create);

	if (r < 0)
		return handle_end(o, "create", id, r);
	creation_init(&c, o, options, err);
	r = creation_judge(&c, id);
	if (r == 0) {
		r = perform(&c, id);
		if (r < 0)
			creation_undo(&c, id);
	}
	if (r == 0) {
		handle_debug(o, "create %s: process %d waits at the gate", id, c.pid);
		creation_hand_over(&c, ret);
	} else {
		fd_close(c.pidfd);
	}
	creation_release(&c);
	return handle_end(o, "create", id, r);
}
