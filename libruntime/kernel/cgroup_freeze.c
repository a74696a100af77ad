/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stopping and resuming every task of a cgroup. A request that was written is not a freeze that
 * happened: both directions wait for the kernel's answer, and a freeze that does not come is taken
 * back and its culprit named.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

int cgroup_freezer(const struct cgroup *cg)
{
	int i = cgroup_find(cg->host, CGROUP_C_FREEZER);

	if (i < 0 || cg->fd[i] < 0)
		i = cgroup_find_v2(cg->host);
	return i >= 0 && cg->fd[i] >= 0 ? i : -1;
}

int cgroup_freeze_request(int dir, bool v2, bool want)
{
	if (v2)
		return io_write_at(dir, "cgroup.freeze", want ? "1" : "0");
	return io_write_at(dir, "freezer.state", want ? "FROZEN" : "THAWED");
}

int cgroup_freeze_look(int dir, bool v2)
{
	char state[16];
	ssize_t n;

	if (v2) {
		AUTO_CLOSE int fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
		int r = fd < 0 ? -errno : cgroup_event(fd, "frozen");

		/* Linux before 5.2 cannot freeze a v2 cgroup. */
		return cgroup_means_gone(r) || r == -ENODATA ? 0 : r;
	}
	n = io_read_at(dir, "freezer.state", state, sizeof(state));
	if (n < 0)
		return cgroup_means_gone((int)n) ? 0 : (int)n;
	return !str_eq(state, "THAWED");
}

static int thaw_one(int dir, void *data)
{
	int r = cgroup_freeze_request(dir, false, false);

	(void)data;
	return cgroup_means_gone(r) ? 0 : r;
}

int cgroup_thaw_tree(int dir)
{
	return cgroup_walk(dir, thaw_one, NULL);
}

/*
 * Does a task sleep in the freezer's own function? get_signal() is where v2's is inlined (Linux
 * 6.18), or where a task is stopped, which counts as frozen.
 */
static bool in_freezer(pid_t tid)
{
	char wchan[PROC_WCHAN_SIZE];

	proc_wchan(tid, wchan);
	return strstr(wchan, "refrigerator") || strstr(wchan, "freezer") ||
	       strstr(wchan, "freezing") || str_eq(wchan, "get_signal");
}

/* Those of @dir who are not in the freezer. */
static void list_suspects(int dir, bool v2, struct cgroup_pidlist *ret)
{
	size_t n = 0;

	(void)cgroup_list(dir, v2 ? "cgroup.threads" : "tasks", ret);
	cgroup_pidlist_sort(ret);
	for (size_t i = 0; i < ret->n; i++)
		if (!in_freezer(ret->p[i]))
			ret->p[n++] = ret->p[i];
	ret->n = n;
}

/*
 * Add to @b, "; not frozen: 12 (cat, state D in request_wait_answer)", up to three of the suspects
 * in one of @states, and take those out of the list. Who sleeps in any other way than D can be
 * frozen.
 */
static void name_culprits(struct cgroup_pidlist *suspects, const char *states, struct strbuf *b)
{
	static const char head[] = "; not frozen: ";
	size_t n = 0;
	int named = 0;

	for (size_t i = 0; i < suspects->n; i++) {
		char state = proc_state(suspects->p[i]);

		if (named == 3 || !strchr(states, state)) {
			suspects->p[n++] = suspects->p[i];
			continue;
		}
		named++;
		strbuf_add(b, b->len ? ", " : head);
		proc_describe(b, suspects->p[i]);
	}
	suspects->n = n;
}

static int freeze_v2(int dir, bool want, int64_t deadline_ms, struct err *err)
{
	AUTO_CLOSE int events = -1;
	int r;

	/* Opened before the request, so that an immediate answer is not lost. */
	events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events < 0 && cgroup_means_gone(-errno))
		return CGROUP_GONE;
	if (events < 0)
		return err_set(err, errno, "open cgroup.events");
	if (cgroup_event(events, "frozen") == -ENODATA) {
		err_hint(err, "a newer kernel has it, and so has cgroup v1");
		return err_kind(err, ERR_UNSUPPORTED, ENOSYS,
				"cgroup v2 has no freezer in this kernel (it came with Linux 5.2)");
	}
	r = cgroup_freeze_request(dir, true, want);
	if (cgroup_means_gone(r))
		return CGROUP_GONE;
	if (r < 0)
		return err_set(err, -r, "write cgroup.freeze");
	r = cgroup_await_event(events, "frozen", want, deadline_ms);
	if (r == CGROUP_BUSY)
		return -ETIMEDOUT;
	return r < 0 ? err_set(err, -r, "wait for cgroup.events") : r;
}

/*
 * There is no event for freezer.state, so it is looked at again, soon at first, then at most every
 * 10 ms. FROZEN is written each time as the kernel's documentation asks: a task that forked or was
 * moved here while FREEZING is only met by a new attempt.
 */
static int freeze_v1(int dir, bool want, int64_t deadline_ms, struct err *err)
{
	int64_t step = 0;

	do {
		char state[16];
		int r = cgroup_freeze_request(dir, false, want);

		if (cgroup_means_gone(r))
			return CGROUP_GONE;
		if (r < 0)
			return err_set(err, -r, "write freezer.state");
		r = (int)io_read_at(dir, "freezer.state", state, sizeof(state));
		if (cgroup_means_gone(r))
			return CGROUP_GONE;
		if (r < 0)
			return err_set(err, -r, "read freezer.state");
		if (str_eq(state, want ? "FROZEN" : "THAWED"))
			return 0;
	} while (cgroup_backoff(&step, deadline_ms));
	return -ETIMEDOUT;
}

/* Is it a parent that keeps it frozen? */
static bool held_by_parent(int dir, bool v2)
{
	char text[16] = "";

	if (v2)
		return io_read_at(dir, "cgroup.freeze", text, sizeof(text)) > 0 && text[0] == '0';
	return io_read_at(dir, "freezer.parent_freezing", text, sizeof(text)) > 0 && text[0] == '1';
}

bool cgroup_freeze_from_above(const struct cgroup_host *host, const char *path)
{
	int v1 = cgroup_find(host, CGROUP_C_FREEZER);
	char dir[CGROUP_DIR_MAX];
	AUTO_CLOSE int fd = -1;

	if (v1 < 0)
		return false;
	(void)cgroup_dir(&host->h[v1], path, dir);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && held_by_parent(fd, false);
}

static int timed_out(const struct cgroup *cg, int dir, bool v2, bool want, struct err *err)
{
	struct cgroup_pidlist suspects = {.p = NULL};
	char culprits[300];
	struct strbuf b;

	if (!want) {
		bool held = held_by_parent(dir, v2);

		err_hint(err, held ? "thaw that, then try again"
				   : "mend what they wait for, then try again");
		return err_set(err, ETIMEDOUT, "resume cgroup %s: still not thawed%s", cg->path,
			       held ? "; a parent of it is frozen" : "");
	}
	list_suspects(dir, v2, &suspects);
	strbuf_init(&b, culprits, sizeof(culprits));
	/*
	 * The thaw wakes everybody for a moment, so who runs is looked for before it. v1 shows D
	 * also for who is frozen where it slept (Linux 6.1, TASK_FROZEN), so there who is in D
	 * after it.
	 */
	name_culprits(&suspects, v2 ? "DR" : "R", &b);
	/* Nobody may stay half frozen. */
	(void)cgroup_freeze_request(dir, v2, false);
	if (!v2)
		name_culprits(&suspects, "D", &b);
	cgroup_pidlist_done(&suspects);
	err_hint(err, "mend what they wait for, then try again");
	return err_set(err, ETIMEDOUT, "freeze cgroup %s: still not frozen, thawed again%s",
		       cg->path, culprits);
}

int cgroup_freeze(struct cgroup *cg, bool want, int64_t deadline_ms, struct err *err)
{
	int i = cgroup_freezer(cg), r;
	bool v2;

	if (i < 0 && cgroup_find(cg->host, CGROUP_C_FREEZER) < 0 && cgroup_find_v2(cg->host) < 0) {
		err_hint(err, "mount cgroup2, or v1's freezer, there");
		return err_kind(err, ERR_UNSUPPORTED, ENOSYS,
				"%s cgroup %s: no freezer and no v2 hierarchy is mounted below "
				"/sys/fs/cgroup",
				want ? "freeze" : "resume", cg->path);
	}
	if (i < 0)
		return CGROUP_GONE;
	v2 = cg->host->h[i].v2;
	r = v2 ? freeze_v2(cg->fd[i], want, deadline_ms, err)
	       : freeze_v1(cg->fd[i], want, deadline_ms, err);
	if (r == -ETIMEDOUT)
		return timed_out(cg, cg->fd[i], v2, want, err);
	if (r < 0 && want)
		(void)cgroup_freeze_request(cg->fd[i], v2, false);
	if (r < 0)
		err_prefix(err, "%s cgroup %s", want ? "freeze" : "resume", cg->path);
	return r;
}

int cgroup_is_frozen(const struct cgroup_host *host, const char *path)
{
	int v1 = cgroup_find(host, CGROUP_C_FREEZER), v2 = cgroup_find_v2(host);
	char name[CGROUP_DIR_MAX + 32], text[16];
	AUTO_CLOSE int fd = -1;

	if (strlen(path) >= PATH_MAX / 4)
		return 0;
	if (v1 >= 0) {
		snprintf(name, sizeof(name), "%s%s/freezer.state", host->h[v1].mount, path);
		if (io_read_at(AT_FDCWD, name, text, sizeof(text)) > 0)
			return str_eq(text, "FROZEN");
	}
	if (v2 < 0)
		return 0;
	snprintf(name, sizeof(name), "%s%s/cgroup.events", host->h[v2].mount, path);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && cgroup_event(fd, "frozen") == 1;
}

/* Open @top @path @file in the cgroup file system of @magic and nowhere else, or -1. */
static int open_in(const char *top, const char *path, const char *file, unsigned long magic)
{
	char name[CGROUP_DIR_MAX + 32];
	struct statfs fs;
	AUTO_CLOSE int fd = -1;
	int n = snprintf(name, sizeof(name), "%s%s/%s", top, path, file);

	if (n < 0 || (size_t)n >= sizeof(name))
		return -1;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type != magic)
		return -1;
	return fd_take(&fd);
}

int cgroup_look_frozen(const char *path)
{
	static const char frozen[] = "FROZEN\n";
	AUTO_CLOSE int v1 = -1, v2 = -1;
	char text[sizeof(frozen)] = "";

	v1 = open_in("/sys/fs/cgroup/freezer", path, "freezer.state", CGROUP_SUPER_MAGIC);
	if (v1 >= 0)
		return read(v1, text, sizeof(text) - 1) > 0 && str_eq(text, frozen) ? CGROUP_FROZEN
										    : 0;
	v2 = open_in("/sys/fs/cgroup", path, "cgroup.events", CGROUP2_SUPER_MAGIC);
	if (v2 >= 0)
		return cgroup_event(v2, "frozen") == 1 ? CGROUP_FROZEN : 0;
	return CGROUP_GONE;
}

/* A frozen process cannot end, so its number is its own until it is moved. */
static void bring_back_one(const struct cgroup *cg, int i, pid_t pid)
{
	char buf[16384], dir[CGROUP_DIR_MAX];
	const char *path = cgroup_path_of(&cg->host->h[i], pid, buf, sizeof(buf));
	AUTO_CLOSE int fd = -1;

	if (!path || strlen(path) >= PATH_MAX / 4 || path_below(path, cg->path))
		return;
	(void)cgroup_dir(&cg->host->h[i], path, dir);
	fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || cgroup_freeze_look(fd, false) != 1)
		return;
	(void)cgroup_put(cg->fd[i], pid);
}

void cgroup_bring_back(struct cgroup *cg)
{
	int i = cgroup_find(cg->host, CGROUP_C_FREEZER);
	struct cgroup_pidlist l = {.p = NULL};

	if (i < 0 || cg->fd[i] < 0)
		return;
	for (size_t k = 0; k < cg->host->n; k++)
		if (cg->fd[k] >= 0 && (int)k != i)
			(void)cgroup_list(cg->fd[k], "cgroup.procs", &l);
	cgroup_pidlist_sort(&l);
	for (size_t k = 0; k < l.n; k++)
		bring_back_one(cg, i, l.p[k]);
	cgroup_pidlist_done(&l);
}
