/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The processes of a container's cgroup: who they are, a signal to all of them, and waiting until
 * none is left. A pid read from a file is only a number: it is signalled through a pidfd that was
 * opened before the pid was seen in the cgroup once more.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/cgroup_internal.h"

#define CHUNK	       64 /* pidfds open at a time */
#define KILL_ROUNDS    200
#define KILL_TOTAL_MS  5000 /* what is left then is for the caller to wait for and to name */
#define KILL_FREEZE_MS 1000 /* how long a process that will not freeze holds up the kill */
#define LOOK_AGAIN_MS  100  /* a process may also leave by moving to another cgroup: no event */
#define EARLY_LOOKS    6    /* 3 ms in all */

bool cgroup_backoff(int64_t *step_us, int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_now_ms();
	struct timespec ts;

	if (left <= 0)
		return false;
	*step_us = *step_us ? 2 * *step_us : 50;
	if (*step_us > 10000)
		*step_us = 10000;
	ts.tv_sec = 0;
	ts.tv_nsec = *step_us * 1000;
	(void)ppoll(NULL, 0, &ts, NULL);
	return true;
}

int cgroup_key(int fd, const char *key, uint64_t *ret)
{
	char buf[512], *line, *rest = buf;
	size_t len = strlen(key);
	ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return str_to_u64(line + len + 1, 0, UINT64_MAX, ret);
	return -ENODATA;
}

int cgroup_event(int fd, const char *key)
{
	uint64_t v;
	int r = cgroup_key(fd, key, &v);

	return r < 0 ? r : v > 0;
}

int cgroup_await_event(int fd, const char *key, bool want, int64_t deadline_ms)
{
	int64_t step = 0;

	for (int looks = 0;; looks++) {
		int64_t again = clock_deadline(LOOK_AGAIN_MS);
		int r = cgroup_event(fd, key);

		if (cgroup_means_gone(r))
			return CGROUP_GONE;
		if (r < 0 || r == want)
			return r < 0 ? r : 0;
		if (looks < EARLY_LOOKS && cgroup_backoff(&step, deadline_ms))
			continue;
		r = io_poll_until(fd, POLLPRI, again < deadline_ms ? again : deadline_ms);
		if (r < 0)
			return r;
		if (r == 0 && clock_poll_ms(deadline_ms) == 0)
			return CGROUP_BUSY;
	}
}

static int has_process(int dir, void *data)
{
	AUTO_CLOSE int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char c;
	ssize_t n;

	(void)data;
	if (fd < 0)
		return cgroup_means_gone(-errno) ? 0 : -errno;
	n = read(fd, &c, 1);
	return n < 0 ? (cgroup_means_gone(-errno) ? 0 : -errno) : n > 0;
}

static int populated_event(int top)
{
	AUTO_CLOSE int fd = openat(top, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : cgroup_event(fd, "populated");

	return cgroup_means_gone(r) ? 0 : r;
}

int cgroup_dir_populated(int top, bool v2)
{
	return v2 ? populated_event(top) : cgroup_walk(top, has_process, NULL);
}

static int wait_events(int top, int64_t deadline_ms)
{
	AUTO_CLOSE int fd = openat(top, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : cgroup_await_event(fd, "populated", false, deadline_ms);

	return r == CGROUP_GONE || cgroup_means_gone(r) ? 0 : r;
}

/* Wait for the end of some of @l. True if there was something to wait for. */
static bool wait_some(const struct cgroup_pidlist *l, int64_t deadline_ms)
{
	int64_t until = clock_now_ms() + LOOK_AGAIN_MS;
	bool waited = false;

	if (until > deadline_ms)
		until = deadline_ms;
	for (size_t i = 0; i < l->n && clock_now_ms() < until; i++) {
		AUTO_CLOSE int pidfd = sys_pidfd_open(l->p[i], 0);

		if (pidfd < 0 || io_poll_until(pidfd, POLLIN, 0) != 0)
			continue;
		waited = true;
		(void)io_poll_until(pidfd, POLLIN, until);
	}
	return waited;
}

int cgroup_dir_wait(int top, bool v2, int64_t deadline_ms)
{
	int64_t step = 0;

	if (v2)
		return wait_events(top, deadline_ms);
	for (;;) {
		struct cgroup_pidlist l = {.p = NULL};
		int r = cgroup_list(top, "cgroup.procs", &l);
		bool empty = l.n == 0 && !l.hidden;
		bool waited = r == 0 && !empty && wait_some(&l, deadline_ms);

		cgroup_pidlist_done(&l);
		if (r < 0 || empty)
			return r;
		if (waited ? clock_now_ms() >= deadline_ms : !cgroup_backoff(&step, deadline_ms))
			return CGROUP_BUSY;
	}
}

/* Where the processes are looked for: v2, and of v1 the freezer, else any one. */
static bool is_core(const struct cgroup *cg, size_t i)
{
	int freezer = cgroup_find(cg->host, CGROUP_C_FREEZER);

	if (cg->fd[i] < 0)
		return false;
	if (cg->host->h[i].v2 || (int)i == freezer)
		return true;
	if (freezer >= 0 && cg->fd[freezer] >= 0)
		return false;
	for (size_t k = 0; k < i; k++)
		if (!cg->host->h[k].v2 && cg->fd[k] >= 0)
			return false;
	return true;
}

static int list_all(struct cgroup *cg, bool everywhere, struct cgroup_pidlist *l)
{
	for (size_t i = 0; i < cg->host->n; i++) {
		int r;

		if (cg->fd[i] < 0 || (!everywhere && !is_core(cg, i)))
			continue;
		r = cgroup_list(cg->fd[i], "cgroup.procs", l);
		if (r < 0)
			return r;
	}
	cgroup_pidlist_sort(l);
	return 0;
}

int cgroup_pids(struct cgroup *cg, pid_t **ret, size_t *ret_n, struct err *err)
{
	struct cgroup_pidlist l = {.p = NULL};
	int r = list_all(cg, false, &l);

	if (r < 0) {
		cgroup_pidlist_done(&l);
		return err_set(err, -r, "list the processes of cgroup %s", cg->path);
	}
	*ret = l.p;
	*ret_n = l.n;
	return 0;
}

int cgroup_populated(struct cgroup *cg)
{
	for (size_t i = 0; i < cg->host->n; i++) {
		int r = is_core(cg, i) ? cgroup_dir_populated(cg->fd[i], cg->host->h[i].v2) : 0;

		if (r)
			return r;
	}
	return 0;
}

int cgroup_wait_empty(struct cgroup *cg, int64_t deadline_ms, struct err *err)
{
	/* v2 first: it has an event. Afterwards v1 is empty as well, or nearly. */
	for (int v2 = 1; v2 >= 0; v2--) {
		for (size_t i = 0; i < cg->host->n; i++) {
			int r;

			if (cg->host->h[i].v2 != v2 || !is_core(cg, i))
				continue;
			r = cgroup_dir_wait(cg->fd[i], v2, deadline_ms);
			if (r < 0)
				return err_set(err, -r, "wait until cgroup %s is empty", cg->path);
			if (r > 0)
				return r;
		}
	}
	return 0;
}

static bool contains(const struct cgroup_pidlist *l, pid_t pid)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->p[mid] == pid)
			return true;
		if (l->p[mid] < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/*
 * The order is the point: a pid that is in the cgroup while we hold its pidfd is the process of
 * that pidfd, so a stranger that got a recycled number is never hit.
 */
static int signal_chunk(struct cgroup *cg, const pid_t *pids, size_t n, int sig)
{
	struct cgroup_pidlist now = {.p = NULL};
	int fd[CHUNK], r, failed = 0;

	for (size_t i = 0; i < n; i++)
		fd[i] = pids[i] == getpid() ? -1 : sys_pidfd_open(pids[i], 0);
	r = list_all(cg, true, &now);
	for (size_t i = 0; i < n; i++) {
		if (fd[i] < 0)
			continue;
		if (r == 0 && contains(&now, pids[i]) &&
		    sys_pidfd_send_signal(fd[i], sig, NULL, 0) < 0 && errno != ESRCH)
			failed = -errno;
		fd_close(fd[i]);
	}
	cgroup_pidlist_done(&now);
	return r < 0 ? r : failed;
}

static bool has_new(const struct cgroup_pidlist *now, const struct cgroup_pidlist *before)
{
	for (size_t i = 0; i < now->n; i++)
		if (!contains(before, now->p[i]))
			return true;
	return false;
}

static int signal_list(struct cgroup *cg, const struct cgroup_pidlist *l, int sig)
{
	int failed = 0;

	for (size_t i = 0; i < l->n; i += CHUNK) {
		int r = signal_chunk(cg, l->p + i, l->n - i < CHUNK ? l->n - i : CHUNK, sig);

		if (r < 0)
			failed = r;
	}
	return failed;
}

/*
 * Stop them, so that none forks between our list and our signals; true if all are stopped. Not for
 * ever: what a process did that cannot be frozen now is found by the next round. Not where we are a
 * member ourselves.
 */
static bool hold(struct cgroup *cg, const struct cgroup_pidlist *now)
{
	int i = cgroup_freezer(cg);
	int64_t step = 0, deadline = clock_now_ms() + KILL_FREEZE_MS;
	struct err ignored = ERR_INIT;

	if (i < 0 || contains(now, getpid()))
		return false;
	if (cg->host->h[i].v2)
		return cgroup_freeze(cg, true, deadline, &ignored) == 0;
	/* Not cgroup_freeze(): at the deadline this stays FREEZING. */
	while (cgroup_freeze_request(cg->fd[i], false, true) == 0) {
		char state[16] = "";

		if (io_read_at(cg->fd[i], "freezer.state", state, sizeof(state)) < 0)
			return false;
		if (str_eq(state, "FROZEN"))
			return true;
		if (!cgroup_backoff(&step, deadline))
			return false;
	}
	return false;
}

static void release(struct cgroup *cg)
{
	int i = cgroup_freezer(cg);

	if (i >= 0 && cg->host->h[i].v2)
		(void)cgroup_freeze_request(cg->fd[i], true, false);
	else if (i >= 0)
		(void)cgroup_thaw_tree(cg->fd[i]);
}

/* One round with every process stopped if that can be had. *@ret_held: it could. 0 or -errno. */
static int kill_round(struct cgroup *cg, struct cgroup_pidlist *now, bool *ret_held)
{
	int r;

	*ret_held = hold(cg, now);
	cgroup_pidlist_done(now);
	r = list_all(cg, true, now);
	if (r == 0)
		r = signal_list(cg, now, SIGKILL);
	release(cg);
	return r;
}

/*
 * Rounds until a list holds nobody who has not been signalled: who has SIGKILL pending forks no
 * more. Where they could not be stopped, a child that was being forked while we looked may show up
 * a moment later, so that takes two such lists. @killed: the kernel has done it to those in v2.
 */
static int kill_rounds(struct cgroup *cg, bool killed)
{
	struct cgroup_pidlist before = {.p = NULL};
	int64_t step = 0, end = clock_now_ms() + KILL_TOTAL_MS;
	bool held = killed;
	int r = 0;

	if (killed)
		release(cg);
	for (int round = 0, quiet = 0; round < KILL_ROUNDS && r == 0 && clock_now_ms() < end;
	     round++) {
		struct cgroup_pidlist now = {.p = NULL};

		r = list_all(cg, true, &now);
		quiet = has_new(&now, &before) || round == 0 ? 0 : quiet + 1;
		if (r == 0 && now.n && !quiet)
			r = killed && round == 0 ? signal_list(cg, &now, SIGKILL)
						 : kill_round(cg, &now, &held);
		else if (r == 0)
			r = signal_list(cg, &now, SIGKILL);
		cgroup_pidlist_done(&before);
		before = now;
		if (now.n == 0 || quiet > (held ? 0 : 1))
			break;
		if (quiet)
			(void)cgroup_backoff(&step, CLOCK_FOREVER);
	}
	cgroup_pidlist_done(&before);
	return r;
}

static int signal_once(struct cgroup *cg, int sig)
{
	struct cgroup_pidlist l = {.p = NULL};
	int r = list_all(cg, true, &l);

	if (r == 0)
		r = signal_list(cg, &l, sig);
	cgroup_pidlist_done(&l);
	return r;
}

static bool is_gone(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->host->n; i++)
		if (cg->fd[i] >= 0 &&
		    (faccessat(cg->fd[i], "cgroup.procs", F_OK, 0) == 0 || errno != ENOENT))
			return false;
	return true;
}

int cgroup_signal_all(struct cgroup *cg, int sig, struct err *err)
{
	int v2 = cgroup_find_v2(cg->host), r;
	bool killed = false;

	if (is_gone(cg))
		return CGROUP_GONE;
	/* Linux 5.14; also frozen ones die, and no fork escapes. */
	if (sig == SIGKILL && v2 >= 0 && cg->fd[v2] >= 0)
		killed = io_write_at(cg->fd[v2], "cgroup.kill", "1") == 0;
	if (killed && cg->host->mode == CGROUP_V2)
		return 0;
	r = sig == SIGKILL ? kill_rounds(cg, killed) : signal_once(cg, sig);
	if (r < 0)
		return err_set(err, -r, "signal the processes of cgroup %s", cg->path);
	return 0;
}

const char *cgroup_path_of(const struct cgroup_hierarchy *h, pid_t pid, char *buf, size_t size)
{
	const char *key = h->v2			       ? "\n0::/"
			  : str_eq(h->name, "systemd") ? ":name=systemd:/"
						       : ":freezer:/";
	char name[32], *line, *end;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	if (io_read_at(AT_FDCWD, name, buf, size) < 0)
		return NULL;
	line = h->v2 && str_starts(buf, key + 1) ? buf : strstr(buf, key);
	line = line ? strchr(line, '/') : NULL;
	end = line ? strchr(line, '\n') : NULL;
	if (end)
		*end = '\0';
	return line ? path_below(line, h->root) : NULL;
}

int cgroup_follow(struct cgroup *cg, pid_t pid, struct err *err)
{
	int i = cgroup_find_v2(cg->host), fd;
	char buf[16384], dir[CGROUP_DIR_MAX];
	const char *path, *sub;

	if (i < 0)
		return CGROUP_GONE;
	path = cgroup_path_of(&cg->host->h[i], pid, buf, sizeof(buf));
	/* "/..": out of our sight. */
	if (!path || str_starts(path, "/.."))
		return CGROUP_GONE;
	sub = cg->fd[i] < 0 ? path : path_below(path, cg->path);
	if (!sub || !*sub || strlen(path) >= sizeof(cg->path))
		return CGROUP_GONE;
	(void)cgroup_dir(&cg->host->h[i], path, dir);
	fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? CGROUP_GONE : err_set(err, errno, "open cgroup %s", dir);
	fd_replace(&cg->fd[i], fd);
	return CGROUP_OK;
}
