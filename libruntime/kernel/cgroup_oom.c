/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OOM kills of a cgroup, counted by the kernel; see cgroup_stat.h. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/mountinfo.h"
#include "base/str.h"
#include "kernel/cgroup_stat_internal.h"

#define V1_FILE "memory.oom_control"
#define V2_FILE "memory.events"

/* cgroup_key(), or CGROUP_GONE. */
static int read_key(int fd, const char *key, uint64_t *ret)
{
	int r = cgroup_key(fd, key, ret);

	return cgroup_means_gone(r) ? CGROUP_GONE : r;
}

/* "EVENT_FD CONTROL_FD" in cgroup.event_control. */
static int notify_v1(struct cgroup_oom *w)
{
	char text[32];

	w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->event < 0)
		return -errno;
	snprintf(text, sizeof(text), "%d %d", w->event, w->file);
	return io_write_at(w->dir, "cgroup.event_control", text);
}

int cgroup_oom_open(const struct cgroup *cg, unsigned flags, struct cgroup_oom *ret,
		    struct err *err)
{
	int h = cgroup_find(cg->host, CGROUP_C_MEMORY);
	bool v1 = h >= 0;
	const char *file = v1 ? V1_FILE : V2_FILE;
	struct cgroup_oom w = CGROUP_OOM_INIT;
	int r = 0;

	*ret = w;
	if (!v1)
		h = cgroup_find_v2(cg->host);
	if (h < 0 || cg->fd[h] < 0)
		return CGROUP_GONE;
	w.dir = fcntl(cg->fd[h], F_DUPFD_CLOEXEC, 3);
	if (w.dir >= 0)
		w.file = openat(w.dir, file, O_RDONLY | O_CLOEXEC);
	if (w.file < 0)
		r = -errno;
	else if (v1 && (flags & CGROUP_OOM_NOTIFY))
		r = notify_v1(&w);
	if (r == 0 && !v1 && (flags & CGROUP_OOM_MANAGED)) {
		/* The root has no such file. */
		w.above = openat(w.dir, "../" V2_FILE, O_RDONLY | O_CLOEXEC);
		w.emptied = openat(w.dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	}
	if (r == 0) {
		*ret = w;
		return 0;
	}
	cgroup_oom_close(&w);
	if (cgroup_means_gone(r))
		return CGROUP_GONE;
	return err_set(err, -r, "watch %s of cgroup %s", file, cg->path);
}

void cgroup_oom_close(struct cgroup_oom *w)
{
	fd_replace(&w->emptied, -1);
	fd_replace(&w->above, -1);
	fd_replace(&w->event, -1);
	fd_replace(&w->file, -1);
	fd_replace(&w->dir, -1);
}

/* v1 counts a kill in the cgroup of who was killed, and nowhere above it. */
static int add_v1(int dir, void *data)
{
	AUTO_CLOSE int fd = openat(dir, V1_FILE, O_RDONLY | O_CLOEXEC);
	uint64_t *sum = data, n;
	int r = fd < 0 ? (cgroup_means_gone(-errno) ? CGROUP_GONE : -errno)
		       : read_key(fd, "oom_kill", &n);

	if (r == 0)
		*sum += n;
	return r == CGROUP_GONE ? 0 : r;
}

int cgroup_oom_kills(const struct cgroup_oom *w, uint64_t *ret)
{
	uint64_t n = 0;
	int r = read_key(w->file, "oom_kill", &n);

	if (r == 0 && faccessat(w->dir, V2_FILE, F_OK, 0) < 0) {
		n = 0;
		r = cgroup_walk(w->dir, add_v1, &n);
		/* The walk skips what vanishes, the top as well. */
		if (r == 0 && faccessat(w->dir, V1_FILE, F_OK, 0) < 0)
			r = CGROUP_GONE;
	}
	if (r == 0)
		*ret = n;
	return r;
}

static int is_local(void *data, const struct mountinfo *m)
{
	(void)data;
	return strcmp(m->type, "cgroup2") == 0 && strstr(m->rest, "memory_localevents");
}

bool cgroup_oom_counts_below(void)
{
	return mountinfo_each("/proc/self/mountinfo", is_local, NULL) == 0;
}

int cgroup_oom_kills_above(const struct cgroup_oom *w, uint64_t *ret)
{
	return w->above < 0 ? CGROUP_GONE : read_key(w->above, "oom_kill", ret);
}

bool cgroup_oom_is_stuck(const struct cgroup_oom *w)
{
	uint64_t off = 0, under = 0;

	return read_key(w->file, "oom_kill_disable", &off) == 0 &&
	       read_key(w->file, "under_oom", &under) == 0 && off && under;
}
