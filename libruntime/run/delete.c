/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * delete: finish whatever any command began. The order is the reverse of create's: processes,
 * cgroup, hooks, and the record of it all last, so that a delete that is killed can be repeated.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "run/lifecycle.h"
#include "run/oom.h"
#include "run/rdt.h"
#include "run/unit.h"

#define DEFAULT_WAIT_MS	   10000
#define SUPERVISOR_WAIT_MS 2000
#define HELPER_WAIT_MS	   2000 /* dying takes a moment */
#define UNIT_WAIT_MS	   2000 /* systemd has it at least, also where the dying took all the time */
#define QUOTA_WAIT_MS	   500	/* who has time to die has died */

static int64_t end_of_wait(const struct oakum_delete *options)
{
	int64_t ms = options->wait_ms;

	return clock_deadline(ms == 0 ? DEFAULT_WAIT_MS : ms < 0 ? 0 : ms);
}

static int await_init(const struct container *c, const struct cgroup *cg, int64_t deadline,
		      struct err *err)
{
	int64_t patience = clock_deadline(QUOTA_WAIT_MS);
	AUTO_CLOSE int pidfd = -1;
	int r = c->state.init.pid > 0 ? proc_open(&c->state.init, &pidfd, err) : PROC_GONE;

	if (r != PROC_ALIVE)
		return r < 0 ? r : 0;
	r = proc_wait(pidfd, patience < deadline ? patience : deadline);
	if (r == 0) {
		if (cg)
			cgroup_lift_quota(cg);
		r = proc_wait(pidfd, deadline);
	}
	if (r == 0)
		return container_name_left(c, cg, err);
	return r < 0 ? err_set(err, -r, "wait for the container's end") : 0;
}

/* Init has ended, and most often nobody else is left: then the directories go without a look into
 * them. */
static bool clear_empty(struct oakum *o, const struct container *c, const char *path)
{
	struct err ignored = ERR_INIT;
	const struct cgroup_host *host;

	if (!c || unit_exists(o, &c->state) || c->status != OAKUM_STOPPED || !path[0] ||
	    c->state.init.pid <= 0 || proc_check(&c->state.init) != PROC_GONE)
		return false;
	host = handle_cgroups(o, &ignored);
	if (host)
		oom_note(o, c);
	return host && cgroup_remove_empty(host, path) == 0;
}

/* systemd would kill who is left, politely and for a long time: it is asked when nobody is.
 * UNIT_IN_USE: it is another's, and its cgroup is. */
static int clear_unit(struct oakum *o, const struct container *c, struct cgroup *cg,
		      int64_t deadline, struct err *err)
{
	int64_t least;
	int r = 0;

	if (!c || !unit_exists(o, &c->state))
		return 0;
	if (cg)
		r = cgroup_wait_empty(cg, deadline, err);
	least = clock_deadline(UNIT_WAIT_MS);
	if (deadline < least)
		deadline = least;
	/* The removal says who is left. */
	return r != 0 ? 0 : unit_stop(&c->state, state_claimed(c->dir, &c->state), deadline, err);
}

/*
 * A creation that ended before the cgroup was its own: who lives there is somebody else, but for
 * the process of systemd's helper, which dies with the creation. True: it is left as it is.
 */
static bool is_of_others(struct oakum *o, const struct container *c, struct cgroup *cg)
{
	int64_t wait = unit_exists(o, &c->state) ? HELPER_WAIT_MS : 0;
	struct err err = ERR_INIT;

	if (state_claimed(c->dir, &c->state) ||
	    cgroup_wait_empty(cg, clock_deadline(wait), &err) == 0)
		return false;
	err_set(&err, 0, "cgroup %s is left as it is: this container has never had it to itself",
		cg->path);
	handle_warn(o, &err);
	return true;
}

/* Frozen, sharing the host's pid namespace, forking: all of it dies, then the directories go. */
static int clear_cgroup(struct oakum *o, const struct container *c, const char *path,
			const struct oakum_delete *options, struct err *err)
{
	int64_t deadline = end_of_wait(options);
	struct cgroup cg;
	bool gone;
	int r;

	if (clear_empty(o, c, path))
		return 0;
	r = container_open_cgroup(o, path, &cg, err);
	if (r == 0 && c && is_of_others(o, c, &cg)) {
		cgroup_close(&cg);
		return 0;
	}
	if (r == 0 && c && c->status != OAKUM_STOPPED && options->force)
		cgroup_bring_back(&cg);
	if (r == 0 && cgroup_populated(&cg) != 0)
		r = cgroup_signal_all(&cg, SIGKILL, err);
	gone = r == CGROUP_GONE;
	if (r >= 0 && c) {
		int waited = await_init(c, gone ? NULL : &cg, deadline, err);

		if (waited < 0)
			r = waited;
	}
	if (r == 0 && c)
		oom_note(o, c);
	if (r >= 0)
		r = clear_unit(o, c, gone ? NULL : &cg, deadline, err);
	/* Where it is gone, what was made above it is not. What another unit has is systemd's,
	 * which would not hear of its end where we remove it. */
	if (r == 0 && path[0])
		r = cgroup_remove(&cg, deadline, err);
	if (r == CGROUP_BUSY) {
		err_hint(err, DIE_HINT);
		r = -EBUSY;
	}
	cgroup_close(&cg);
	return r < 0 ? r : 0;
}

/* It sees the end by itself; what it holds is the kernel's to free if it does not. */
static void end_supervisor(const struct proc_id *id)
{
	AUTO_CLOSE int pidfd = -1;
	struct err ignored = ERR_INIT;

	if (id->pid <= 0 || id->pid == getpid() || proc_open(id, &pidfd, &ignored) != PROC_ALIVE)
		return;
	if (proc_wait(pidfd, clock_deadline(SUPERVISOR_WAIT_MS)) == PROC_GONE)
		return;
	proc_signal(pidfd, SIGKILL, &ignored);
	proc_wait(pidfd, clock_deadline(SUPERVISOR_WAIT_MS));
}

int container_destroy(struct oakum *o, const char *id, struct container *c,
		      const struct oakum_delete *options, struct err *err)
{
	const struct family_id family = container_family(o, c);
	bool same_boot = str_eq(c->state.boot_id, handle_boot_id(o));
	AUTO_CLOSE int pidfd = -1;
	int r;

	/* Some of them are known by init alone. */
	if (container_has_family(o, c) && family.kind != CLONE_NEWPID)
		family_signal(&family, SIGKILL, err);
	if (c->status != OAKUM_STOPPED && c->state.init.pid > 0 &&
	    proc_open(&c->state.init, &pidfd, err) == PROC_ALIVE)
		proc_signal(pidfd, SIGKILL, err);
	*err = ERR_INIT;
	/* No cgroup lives longer than the machine: one of that path is another's. */
	r = clear_cgroup(o, c, same_boot ? c->state.cgroup : "", options, err);
	if (r == 0)
		r = rdt_clear(o, id, &c->state, err);
	if (r < 0)
		return r;
	container_poststop(o, c);
	r = state_remove(o, id, c->dir, err);
	if (r == 0) {
		handle_debug(o, "delete %s: nothing is left", id);
		fd_replace(&c->dir, -1);
		end_supervisor(&c->state.supervisor);
	}
	return r;
}

static int refuse(const struct container *c, const char *id, struct err *err)
{
	if (c->status == OAKUM_CREATING) {
		err_hint(err, "wait for process %d, or end it", c->state.creator.pid);
		return err_kind(err, ERR_STATE, 0, "the container is being created");
	}
	err_hint(err, "stop it first, or use `oakum delete --force %s`", id);
	return err_kind(err, ERR_STATE, 0,
			"cannot delete a container that is %s: delete needs it stopped",
			oakum_status_name(c->status));
}

static bool may_go(const struct container *c, bool force)
{
	if (c->status == OAKUM_STOPPED || c->status == OAKUM_CREATED)
		return true;
	if (c->status == OAKUM_CREATING)
		return false;
	return force || proc_dying(c->state.init.pid);
}

/* Neither state.json nor a claim: what the id alone tells can still be cleaned. */
static int remove_remains(struct oakum *o, const char *id, struct container *c,
			  const struct oakum_delete *options, struct err *err)
{
	char path[512];
	int r;

	snprintf(path, sizeof(path), "%s/%s", o->cgroup_parent, id);
	*err = ERR_INIT;
	r = clear_cgroup(o, NULL, path, options, err);
	if (r == 0)
		r = rdt_clear(o, id, NULL, err);
	return r < 0 ? r : state_remove(o, id, c->dir, err);
}

/*
 * state.json is unreadable (@r < 0, @err) or was never written (STATE_ABSENT). Where the claim is
 * there, the container came to live, and nobody knows whether it still does.
 */
static int delete_without_state(struct oakum *o, const char *id, struct container *c,
				const struct oakum_delete *options, int r, struct err *err)
{
	struct err claim = ERR_INIT;
	int claimed = state_read_claim(c->dir, &c->arena, &c->state, &claim);

	if (r == STATE_ABSENT && claimed != STATE_ABSENT && !options->force)
		return state_damaged("it is not there", err);
	if (r < 0 && !options->force)
		return r;
	if (claimed != 0)
		return remove_remains(o, id, c, options, err);
	*err = ERR_INIT;
	c->status = OAKUM_RUNNING;
	return container_destroy(o, id, c, options, err);
}

static int find(struct oakum *o, const char *id, struct container *c, struct err *err)
{
	int r = state_open(o, id, &c->dir, err);

	if (r == 0)
		r = state_lock(o, id, c->dir, clock_deadline(DEFAULT_WAIT_MS), err);
	return r;
}

static int delete_container(struct oakum *o, const char *id, const struct oakum_delete *options,
			    struct err *err)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	int r = find(o, id, &c, err);

	if (r == STATE_ABSENT && options->force)
		return 0;
	if (r == STATE_ABSENT)
		return err_kind(err, ERR_STATE, ENOENT, "container does not exist");
	if (r < 0)
		return r;
	r = state_read(c.dir, &c.arena, &c.state, err);
	if (r != 0)
		return delete_without_state(o, id, &c, options, r, err);
	c.status = state_status(o, c.dir, &c.state);
	if (!may_go(&c, options->force))
		return refuse(&c, id, err);
	return container_destroy(o, id, &c, options, err);
}

int oakum_delete(struct oakum *o, const char *id, const struct oakum_delete *options)
{
	struct err *err = handle_begin(o);
	int r = HANDLE_CHECK_OPTIONS(o, options, oakum_delete);

	if (r == 0)
		r = delete_container(o, id, options, err);
	return handle_end(o, "delete", id, r);
}
