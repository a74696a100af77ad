/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * events: what happens to a container, from the descriptors that the kernel announces it on, in one
 * epoll instance; nothing is asked for again and again but what it does not announce: after
 * cgroup v1 has said that memory ran out, the kill that follows, and the end of v1's FREEZING.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "run/oom.h"
#include "run/stats.h"

#define AGAIN_FIRST_US 500
#define AGAIN_LAST_US  100000
#define OOM_SETTLE_MS  2000 /* from v1's notice to the kill */
#define REAP_MS	       2000 /* for somebody to reap a container that has ended */
#define READY	       8

enum source {
	SOURCE_PROCESS,
	SOURCE_INTERVAL,
	SOURCE_OOM,
	SOURCE_FREEZER,
	SOURCE_AGAIN,
	SOURCE_COUNT
};

struct oakum_events {
	struct oakum *o;
	struct container c;
	struct cgroup cg;
	struct oom_watch oom;
	struct cgroup_freeze_watch freezer;
	int epoll, pidfd, interval, again;
	struct oakum_stats *stats;		       /* handed out last */
	bool oom_known;				       /* as of the last look */
	int64_t again_us, oom_until_ms, reap_until_ms; /* 0: not waiting */
	uint64_t oom_told;
	bool stuck_told; /* of a process that waits for memory */
	bool frozen, frozen_told;
	bool due;   /* statistics */
	bool ended; /* known to have; EXIT is next, or told */
	bool exit_told;
	struct oakum_event exit;
};

const char *oakum_event_name(enum oakum_event_type type)
{
	static const char *const names[] = {"stats", "oom", "paused", "resumed", "exit"};

	return (size_t)type < ARRAY_SIZE(names) ? names[type] : "unknown";
}

/* ---- watching ---- */

static int watch(struct oakum_events *e, int fd, uint32_t events, enum source source)
{
	struct epoll_event event = {.events = events, .data.u32 = source};

	if (fd < 0)
		return 0;
	return epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void unwatch(struct oakum_events *e, int fd)
{
	(void)epoll_ctl(e->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static int make_timers(struct oakum_events *e, int64_t interval_ms)
{
	e->again = clock_timer(0, 0);
	if (e->again < 0 || interval_ms <= 0)
		return e->again < 0 ? e->again : 0;
	e->interval = clock_timer(interval_ms * 1000, interval_ms * 1000);
	return e->interval < 0 ? e->interval : 0;
}

/* Soon at first, then less and less often. */
static void look_again(struct oakum_events *e)
{
	e->again_us = e->again_us ? 2 * e->again_us : AGAIN_FIRST_US;
	if (e->again_us > AGAIN_LAST_US)
		e->again_us = AGAIN_LAST_US;
	(void)clock_timer_set(e->again, e->again_us, 0);
}

static int watch_all(struct oakum_events *e, int64_t interval_ms, struct err *err)
{
	bool v2 = e->oom.cg.event < 0;
	int r;

	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	r = e->epoll < 0 ? -errno : make_timers(e, interval_ms);
	if (r == 0)
		r = watch(e, e->pidfd, EPOLLIN, SOURCE_PROCESS);
	if (r == 0)
		r = watch(e, e->interval, EPOLLIN, SOURCE_INTERVAL);
	if (r == 0)
		r = watch(e, e->again, EPOLLIN, SOURCE_AGAIN);
	if (r == 0)
		r = watch(e, v2 ? e->oom.cg.file : e->oom.cg.event, v2 ? EPOLLPRI : EPOLLIN,
			  SOURCE_OOM);
	if (r == 0)
		r = watch(e, e->freezer.fd, e->freezer.v2 ? EPOLLPRI : EPOLLIN, SOURCE_FREEZER);
	return r < 0 ? err_set(err, -r, "watch the container") : 0;
}

/* ---- what happened ---- */

static void look_oom(struct oakum_events *e)
{
	uint64_t before = e->oom.seen;

	if (e->oom.cg.file < 0)
		return;
	e->oom_known = oom_watch_look(&e->oom) != OOM_UNKNOWN;
	if (e->oom.seen > before) {
		e->oom_until_ms = 0;
		e->stuck_told = false;
	}
}

static void look_frozen(struct oakum_events *e)
{
	int r = e->freezer.dir < 0 ? -1 : cgroup_freeze_watch_look(&e->freezer);

	if (r == 0 || r == CGROUP_FROZEN)
		e->frozen = r == CGROUP_FROZEN;
}

static bool is_freezing(const struct oakum_events *e)
{
	return e->freezer.dir >= 0 && cgroup_freeze_watch_look(&e->freezer) == CGROUP_BUSY;
}

static void set_exit(struct oakum_events *e)
{
	int status;

	e->ended = true;
	e->exit = (struct oakum_event){
		.type = OAKUM_EVENT_EXIT, .oom_kills = e->oom.seen, .oom_known = e->oom_known};
	if (e->pidfd < 0 || proc_exit_status(e->pidfd, &status) < 0)
		return;
	e->exit.known = true;
	e->exit.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	e->exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* It has ended, and the kernel tells how once its parent has reaped it, which POLLHUP says. */
static void on_process(struct oakum_events *e, uint32_t events)
{
	struct epoll_event hangup = {.events = 0, .data.u32 = SOURCE_PROCESS};
	int status;

	look_oom(e);
	if ((events & EPOLLHUP) || proc_exit_status(e->pidfd, &status) != -EAGAIN) {
		unwatch(e, e->pidfd);
		set_exit(e);
		return;
	}
	(void)epoll_ctl(e->epoll, EPOLL_CTL_MOD, e->pidfd, &hangup);
	e->reap_until_ms = clock_deadline(REAP_MS);
	look_again(e);
}

static void on_interval(struct oakum_events *e)
{
	uint64_t times;

	if (read(e->interval, &times, sizeof(times)) == (ssize_t)sizeof(times))
		e->due = true;
	/* What v1 does not announce: a kill in a sub-cgroup, a parent that was frozen. */
	look_oom(e);
	look_frozen(e);
}

/* v1 speaks before it kills; v2 afterwards. */
static void on_oom(struct oakum_events *e)
{
	uint64_t times;

	if (e->oom.cg.event < 0) {
		if (oom_watch_look(&e->oom) != 0)
			unwatch(e, e->oom.cg.file);
		return;
	}
	(void)!read(e->oom.cg.event, &times, sizeof(times));
	e->oom_until_ms = clock_deadline(OOM_SETTLE_MS);
	e->again_us = 0;
	look_oom(e);
	if (e->oom_until_ms)
		look_again(e);
}

static void on_freezer(struct oakum_events *e)
{
	/* Emptied, maybe, and systemd is about to remove a scope. */
	if (e->freezer.v2)
		look_oom(e);
	if (cgroup_freeze_watch_look(&e->freezer) == CGROUP_GONE) {
		unwatch(e, e->freezer.fd);
		return;
	}
	look_frozen(e);
	if (is_freezing(e))
		look_again(e);
}

static bool is_over(int64_t *deadline_ms)
{
	if (!*deadline_ms || clock_now_ms() < *deadline_ms)
		return false;
	*deadline_ms = 0;
	return true;
}

static void on_again(struct oakum_events *e)
{
	uint64_t times;

	(void)!read(e->again, &times, sizeof(times));
	look_oom(e);
	look_frozen(e);
	if (is_over(&e->reap_until_ms) && !e->ended)
		set_exit(e);
	(void)is_over(&e->oom_until_ms);
	if ((e->reap_until_ms && !e->ended) || e->oom_until_ms || is_freezing(e))
		look_again(e);
	else
		e->again_us = 0;
}

static void dispatch(struct oakum_events *e, enum source source, uint32_t events)
{
	switch (source) {
	case SOURCE_PROCESS:
		on_process(e, events);
		break;
	case SOURCE_INTERVAL:
		on_interval(e);
		break;
	case SOURCE_OOM:
		on_oom(e);
		break;
	case SOURCE_FREEZER:
		on_freezer(e);
		break;
	case SOURCE_AGAIN:
		on_again(e);
		break;
	case SOURCE_COUNT:
		break;
	}
}

/* ---- telling ---- */

static int tell_stats(struct oakum_events *e, struct oakum_event *ret)
{
	struct err *err = handle_begin(e->o);
	int r = stats_take(&e->c, &e->cg, &e->stats, err);

	e->due = false;
	/* The cgroup went: the end, which the process may not have announced yet. */
	if (r == CGROUP_GONE) {
		if (e->pidfd < 0)
			set_exit(e);
		return OAKUM_NO_EVENT;
	}
	if (r < 0)
		return handle_end(e->o, "events", e->c.state.id, r);
	*ret = (struct oakum_event){.type = OAKUM_EVENT_STATS, .stats = e->stats};
	return 0;
}

static bool tell_oom(struct oakum_events *e)
{
	if (e->oom_told < e->oom.seen) {
		e->oom_told++;
		return true;
	}
	if (!e->oom_until_ms || e->stuck_told || !cgroup_oom_is_stuck(&e->oom.cg))
		return false;
	e->stuck_told = true;
	return true;
}

/* What is known and not told yet; OAKUM_NO_EVENT: nothing. */
static int tell(struct oakum_events *e, struct oakum_event *ret)
{
	int r = OAKUM_NO_EVENT;

	oakum_stats_free(e->stats);
	e->stats = NULL;
	if (tell_oom(e)) {
		*ret = (struct oakum_event){.type = OAKUM_EVENT_OOM, .oom_kills = e->oom_told};
		return 0;
	}
	if (e->frozen != e->frozen_told) {
		e->frozen_told = e->frozen;
		*ret = (struct oakum_event){.type = e->frozen ? OAKUM_EVENT_PAUSED
							      : OAKUM_EVENT_RESUMED};
		return 0;
	}
	if (e->due && !e->ended)
		r = tell_stats(e, ret);
	if (r != OAKUM_NO_EVENT || !e->ended)
		return r;
	if (e->exit_told)
		return OAKUM_NO_MORE;
	e->exit_told = true;
	*ret = e->exit;
	return 0;
}

static int fail_wait(struct oakum_events *e, int code)
{
	struct err *err = handle_begin(e->o);

	return handle_end(e->o, "events", e->c.state.id, err_set(err, code, "wait for events"));
}

int oakum_events_next(struct oakum_events *e, int64_t timeout_ms, struct oakum_event *ret)
{
	int64_t deadline = clock_deadline(timeout_ms);
	struct epoll_event ready[READY];

	for (;;) {
		int r = tell(e, ret), n;

		if (r != OAKUM_NO_EVENT)
			return r;
		n = epoll_wait(e->epoll, ready, READY, clock_poll_ms(deadline));
		if (n < 0 && errno != EINTR)
			return fail_wait(e, errno);
		for (int i = 0; i < n; i++)
			dispatch(e, ready[i].data.u32, ready[i].events);
		if (n == 0 && clock_now_ms() >= deadline)
			return OAKUM_NO_EVENT;
	}
}

int oakum_events_fd(const struct oakum_events *e)
{
	return e->epoll;
}

/* ---- opening ---- */

static int open_watch(struct oakum *o, const char *id, const struct oakum_watch *options,
		      struct oakum_events *e, struct err *err)
{
	int r = container_open(o, id, false, &e->c, err);

	if (r == 0 && (e->c.status == OAKUM_STOPPED || e->c.status == OAKUM_CREATING))
		r = container_not_running(&e->c, err);
	if (r == 0)
		r = proc_open(&e->c.state.init, &e->pidfd, err);
	if (r == PROC_GONE)
		r = container_not_running(&e->c, err);
	if (r == 0)
		r = stats_open(o, &e->c, &e->cg, err);
	if (r == 0)
		r = oom_watch_open(&e->c, &e->cg, CGROUP_OOM_NOTIFY, &e->oom, err);
	if (r == 0 || r == CGROUP_GONE)
		r = cgroup_freeze_watch_open(&e->cg, &e->freezer, err);
	if (r == 0 || r == CGROUP_GONE)
		r = watch_all(e, options->interval_ms, err);
	if (r < 0)
		return r;
	look_frozen(e);
	e->frozen_told = e->frozen;
	return 0;
}

int oakum_events_open(struct oakum *o, const char *id, const struct oakum_watch *options,
		      struct oakum_events **ret)
{
	struct oakum_events *e = calloc(1, sizeof(*e));
	struct err *err = handle_begin(o);
	int r = HANDLE_CHECK_OPTIONS(o, options, oakum_watch);

	*ret = NULL;
	if (r < 0 || !e) {
		free(e);
		return handle_end(o, "events", id, r < 0 ? r : err_set(err, ENOMEM, "watch"));
	}
	e->o = o;
	e->c = CONTAINER_INIT;
	e->oom = OOM_WATCH_INIT;
	e->freezer = CGROUP_FREEZE_WATCH_INIT;
	e->epoll = e->pidfd = e->interval = e->again = -1;
	cgroup_init(&e->cg, NULL);
	r = open_watch(o, id, options, e, err);
	if (r == 0)
		*ret = e;
	else
		oakum_events_close(e);
	return handle_end(o, "events", id, r);
}

void oakum_events_close(struct oakum_events *e)
{
	if (!e)
		return;
	oakum_stats_free(e->stats);
	fd_close(e->epoll);
	fd_close(e->interval);
	fd_close(e->again);
	fd_close(e->pidfd);
	cgroup_freeze_watch_close(&e->freezer);
	oom_watch_close(&e->oom);
	cgroup_close(&e->cg);
	container_close(&e->c);
	free(e);
}
