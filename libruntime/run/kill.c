/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill, and the pids of a container. */
#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/names.h"
#include "run/lifecycle.h"

/* How long a kill may take to become a death; in state D it takes as long as a device does. On a
 * busy machine one that could die waits for its turn. */
#define DEATH_MS 1000
#define TURNS	 10

/* The signal is on its way, so the command has not failed; who does not die of it is named. */
static void warn_left(struct oakum *o, const struct container *c, const struct cgroup *cg)
{
	struct err err = ERR_INIT;

	if (container_name_left(c, cg, &err) == 0)
		return;
	err_prefix(&err, "%s %s: sent", handle_verb(o, "kill"), c->state.id);
	handle_warn(o, &err);
}

/* Does init, of @pidfd, end of the SIGKILL that it has been sent? */
static bool init_dies(const struct container *c, int pidfd)
{
	for (int i = 0; i < TURNS; i++) {
		if (proc_wait(pidfd, clock_deadline(DEATH_MS)) != 0)
			return true;
		if (proc_state(c->state.init.pid) != 'R')
			return false;
	}
	return false;
}

static int kill_family(struct oakum *o, const struct container *c, int sig, struct err *err)
{
	const struct family_id id = container_family(o, c);
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int pidfd = -1;
	int r;

	if (sig == SIGKILL)
		(void)proc_open(&c->state.init, &pidfd, &ignored);
	r = family_signal(&id, sig, err);
	if (r == 0 && pidfd >= 0 && !init_dies(c, pidfd) && !c->state.cgroup[0])
		warn_left(o, c, NULL);
	return r;
}

static bool all_die(const struct container *c, struct cgroup *cg, int init)
{
	struct err ignored = ERR_INIT;

	return (init < 0 || init_dies(c, init)) &&
	       cgroup_wait_empty(cg, clock_deadline(DEATH_MS), &ignored) != CGROUP_BUSY;
}

static int kill_all(struct oakum *o, const struct container *c, int sig, struct err *err)
{
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int pidfd = -1;
	struct cgroup cg;
	int r = container_open_cgroup(o, c->state.cgroup, &cg, err);

	if (r == 0 && sig == SIGKILL)
		(void)proc_open(&c->state.init, &pidfd, &ignored);
	if (r == 0)
		r = cgroup_signal_all(&cg, sig, err);
	if (r == 0 && sig == SIGKILL && !all_die(c, &cg, pidfd))
		warn_left(o, c, &cg);
	cgroup_close(&cg);
	return r < 0 ? r : 0;
}

static int kill_everyone(struct oakum *o, const struct container *c, int sig, struct err *err)
{
	bool family = container_has_family(o, c);
	int r = family ? kill_family(o, c, sig, err) : 0;

	/* One signal each: but to be killed twice is no harm. */
	if (r == 0 && (!family || (sig == SIGKILL && c->state.cgroup[0])))
		r = kill_all(o, c, sig, err);
	return r;
}

/* A frozen v1 cgroup does not let even SIGKILL through until it is thawed; v2 does. */
static void thaw_to_die(struct oakum *o, const struct container *c)
{
	struct err ignored = ERR_INIT;
	struct cgroup cg;

	if (c->status != OAKUM_PAUSED)
		return;
	if (container_open_cgroup(o, c->state.cgroup, &cg, &ignored) == 0 &&
	    cg.host->mode != CGROUP_V2)
		cgroup_freeze(&cg, false, clock_deadline(1000), &ignored);
	cgroup_close(&cg);
}

static void look_left(struct oakum *o, const struct container *c)
{
	struct err ignored = ERR_INIT;
	struct cgroup cg;
	int r = container_open_cgroup(o, c->state.cgroup, &cg, &ignored);

	warn_left(o, c, r == CGROUP_OK ? &cg : NULL);
	cgroup_close(&cg);
}

static int signal_init(struct oakum *o, const struct container *c, int sig, struct err *err)
{
	AUTO_CLOSE int pidfd = -1;
	int r = proc_open(&c->state.init, &pidfd, err);

	if (r == PROC_ALIVE)
		r = proc_signal(pidfd, sig, err);
	if (r == PROC_GONE)
		return container_not_running(c, err);
	if (r == 0 && sig == SIGKILL) {
		thaw_to_die(o, c);
		/*
		 * A caller's next question is whether it is dead, or its next step one that needs
		 * that: containerd refuses to delete what its shim has not seen end.
		 */
		if (!init_dies(c, pidfd))
			look_left(o, c);
	}
	return r;
}

int oakum_kill(struct oakum *o, const char *id, int sig, bool all)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	struct err *err = handle_begin(o);
	int r = container_open(o, id, false, &c, err);
	bool shared;

	if (r < 0)
		return handle_end(o, "kill", id, r);
	/* Without a pid namespace of its own, init's death ends nobody else. */
	shared = !(c.state.own_namespaces & CLONE_NEWPID);
	if (all || (shared && sig == SIGKILL))
		r = kill_everyone(o, &c, sig, err);
	else if (c.status == OAKUM_STOPPED || c.status == OAKUM_CREATING)
		r = container_not_running(&c, err);
	else
		r = signal_init(o, &c, sig, err);
	return handle_end(o, "kill", id, r);
}

static int list_family(struct oakum *o, const struct container *c, pid_t **ret, size_t *ret_n,
		       struct err *err)
{
	const struct family_id id = container_family(o, c);

	return family_list(&id, ret, ret_n, err);
}

static int list_cgroup(struct oakum *o, const struct container *c, pid_t **ret, size_t *ret_n,
		       struct err *err)
{
	struct cgroup cg;
	int r = container_open_cgroup(o, c->state.cgroup, &cg, err);

	if (r == 0)
		r = cgroup_pids(&cg, ret, ret_n, err);
	cgroup_close(&cg);
	return r < 0 ? r : 0;
}

int container_pids(struct oakum *o, const struct container *c, pid_t **ret, size_t *ret_n,
		   struct err *err)
{
	*ret = NULL;
	*ret_n = 0;
	return container_has_family(o, c) ? list_family(o, c, ret, ret_n, err)
					  : list_cgroup(o, c, ret, ret_n, err);
}

int oakum_pids(struct oakum *o, const char *id, pid_t **ret, size_t *ret_n)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	struct err *err = handle_begin(o);
	int r = container_open(o, id, false, &c, err);

	*ret = NULL;
	*ret_n = 0;
	if (r == 0)
		r = container_pids(o, &c, ret, ret_n, err);
	return handle_end(o, "ps", id, r);
}

int oakum_signal_parse(const char *text)
{
	return names_signal_number(text);
}

const char *oakum_signal_name(int sig)
{
	return names_signal(sig);
}
