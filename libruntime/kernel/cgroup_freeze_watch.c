/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Being told when a cgroup is frozen or thawed by whoever it may be. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define V1_FILE "freezer.state"

/* v1's file cannot be polled, but a write to it is seen like any other. */
static int watch_v1(int dir)
{
	AUTO_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[FD_PATH_SIZE + sizeof("/" V1_FILE)];

	if (fd < 0)
		return -errno;
	(void)fd_path(dir, path);
	memcpy(path + strlen(path), "/" V1_FILE, sizeof("/" V1_FILE));
	if (inotify_add_watch(fd, path, IN_MODIFY) < 0)
		return -errno;
	return fd_take(&fd);
}

int cgroup_freeze_watch_open(const struct cgroup *cg, struct cgroup_freeze_watch *ret,
			     struct err *err)
{
	struct cgroup_freeze_watch w = CGROUP_FREEZE_WATCH_INIT;
	int i = cgroup_freezer(cg), r;

	*ret = w;
	if (i < 0)
		return CGROUP_GONE;
	w.v2 = cg->host->h[i].v2;
	w.dir = fcntl(cg->fd[i], F_DUPFD_CLOEXEC, 3);
	if (w.dir < 0)
		return err_set(err, errno, "watch the freezer of cgroup %s", cg->path);
	w.fd = w.v2 ? openat(w.dir, "cgroup.events", O_RDONLY | O_CLOEXEC) : watch_v1(w.dir);
	r = w.fd >= 0 ? 0 : w.v2 ? -errno : w.fd;
	if (r < 0)
		w.fd = -1;
	/* fs.inotify.max_user_instances and _watches: then it is only looked at. */
	if (r == 0 || (!w.v2 && (r == -EMFILE || r == -ENOSPC))) {
		*ret = w;
		return 0;
	}
	cgroup_freeze_watch_close(&w);
	if (cgroup_means_gone(r))
		return CGROUP_GONE;
	return err_set(err, -r, "watch the freezer of cgroup %s", cg->path);
}

void cgroup_freeze_watch_close(struct cgroup_freeze_watch *w)
{
	fd_replace(&w->fd, -1);
	fd_replace(&w->dir, -1);
}

static int look_v1(const struct cgroup_freeze_watch *w)
{
	char notices[4096] __attribute__((aligned(8))), state[16];
	ssize_t n;

	/* Emptied first: a write after the look is a new notice. */
	while (w->fd >= 0 && read(w->fd, notices, sizeof(notices)) > 0)
		;
	n = io_read_at(w->dir, V1_FILE, state, sizeof(state));
	if (n < 0)
		return cgroup_means_gone((int)n) ? CGROUP_GONE : (int)n;
	if (str_eq(state, "FROZEN"))
		return CGROUP_FROZEN;
	return str_eq(state, "FREEZING") ? CGROUP_BUSY : 0;
}

int cgroup_freeze_watch_look(const struct cgroup_freeze_watch *w)
{
	int r;

	if (!w->v2)
		return look_v1(w);
	r = cgroup_event(w->fd, "frozen");
	if (r == -ENODATA)
		return 0; /* Linux before 5.2 */
	if (r < 0)
		return cgroup_means_gone(r) ? CGROUP_GONE : r;
	return r ? CGROUP_FROZEN : 0;
}
