/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pause and resume: done when the kernel says so. */
#include <errno.h>

#include "base/clock.h"
#include "run/lifecycle.h"

#define DEFAULT_TIMEOUT_MS 10000

static int check_status(const struct container *c, bool pause, struct err *err)
{
	enum oakum_status status = c->status;

	if (pause && (status == OAKUM_RUNNING || status == OAKUM_CREATED))
		return 0;
	if (!pause && status == OAKUM_PAUSED)
		return 0;
	if (!pause && (status == OAKUM_RUNNING || status == OAKUM_CREATED)) {
		err_hint(err, "it goes on as it is");
		return err_kind(err, ERR_STATE, 0, "container not paused");
	}
	if (status == OAKUM_PAUSED) {
		err_hint(err, "`oakum resume` lets it go on");
		return err_kind(err, ERR_STATE, 0, "container is already paused");
	}
	return container_not_running(c, err);
}

static int freeze(struct oakum *o, const struct container *c, bool pause, int64_t timeout_ms,
		  struct err *err)
{
	const struct cgroup_host *host = handle_cgroups(o, err);
	struct cgroup cg;
	int r;

	if (!host)
		return -EINVAL;
	if (!c->state.cgroup[0])
		return container_no_cgroup(o, " to freeze", err);
	cgroup_init(&cg, host);
	r = cgroup_open_freezer(&cg, c->state.cgroup, err);
	if (r == 0)
		r = cgroup_freeze(&cg, pause,
				  clock_deadline(timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS),
				  err);
	cgroup_close(&cg);
	if (r == CGROUP_GONE)
		return container_not_running(c, err);
	return r;
}

static int change(struct oakum *o, const char *id, bool pause, int64_t timeout_ms)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	struct err *err = handle_begin(o);
	int r = container_open(o, id, true, &c, err);

	if (r == 0)
		r = check_status(&c, pause, err);
	if (r == 0)
		r = freeze(o, &c, pause, timeout_ms, err);
	return handle_end(o, pause ? "pause" : "resume", id, r);
}

int oakum_pause(struct oakum *o, const char *id, int64_t timeout_ms)
{
	return change(o, id, true, timeout_ms);
}

int oakum_resume(struct oakum *o, const char *id, int64_t timeout_ms)
{
	return change(o, id, false, timeout_ms);
}
