/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handing a cgroup to somebody else (cgroups(7), "Cgroups delegation: delegating a hierarchy to a
 * less privileged user"): the directory and the files that say who lives in it and below it, never
 * those of its limits. v2 only: v1 keeps no delegate within its bounds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

/* What the kernel says is to be handed over, a name a line (Linux 4.15). */
#define LIST_FILE "/sys/kernel/cgroup/delegate"
static const char oldest[] = "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n";

static int give(int dir, const char *list, uint32_t uid, uint32_t gid)
{
	char name[128];

	if (fchownat(dir, "", uid, gid, AT_EMPTY_PATH) < 0)
		return -errno;
	for (size_t n; *list; list += n + (list[n] == '\n')) {
		n = strcspn(list, "\n");
		if (n == 0 || n >= sizeof(name) || memchr(list, '/', n))
			continue;
		memcpy(name, list, n);
		name[n] = '\0';
		/* "memory.oom.group" and the like are there only with their controller. */
		if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* @dir and its parents below the first @from bytes. 0 or -errno. */
static int make_below(char *dir, size_t from)
{
	for (char *slash = dir + from;;) {
		char *end = strchr(slash + 1, '/');
		int r;

		if (end)
			*end = '\0';
		r = mkdir(dir, 0755) < 0 && errno != EEXIST ? -errno : 0;
		if (end)
			*end = '/';
		if (r < 0 || !end)
			return r;
		slash = end;
	}
}

int cgroup_vacate(const struct cgroup *cg, const char *path, struct err *err)
{
	int i = cgroup_find_v2(cg->host), r;
	struct cgroup_pidlist l = {.p = NULL};
	char file[CGROUP_DIR_MAX + 32], pid[16];
	size_t len;

	if (i < 0 || cg->fd[i] < 0)
		return 0;
	(void)cgroup_dir(&cg->host->h[i], path, file);
	len = strlen(file);
	r = make_below(file, len - strlen(path) + strlen(cg->path));
	if (r == 0)
		r = cgroup_list(cg->fd[i], "cgroup.procs", &l);
	snprintf(file + len, sizeof(file) - len, "/cgroup.procs");
	for (size_t k = 0; r == 0 && k < l.n; k++) {
		snprintf(pid, sizeof(pid), "%d", (int)l.p[k]);
		r = io_write_at(AT_FDCWD, file, pid);
		if (r == -ESRCH)
			r = 0;
	}
	cgroup_pidlist_done(&l);
	return r < 0 ? err_set(err, -r, "move processes into cgroup %s", path) : 0;
}

int cgroup_delegate(const struct cgroup *cg, uint32_t uid, uint32_t gid, struct err *err)
{
	int i = cgroup_find_v2(cg->host), r;
	char list[1024];

	if (i < 0 || cg->fd[i] < 0)
		return 0;
	if (io_read_at(AT_FDCWD, LIST_FILE, list, sizeof(list)) <= 0)
		memcpy(list, oldest, sizeof(oldest));
	r = give(cg->fd[i], list, uid, gid);
	return r < 0 ? err_set(err, -r, "give cgroup %s to %u:%u", cg->path, uid, gid) : 0;
}
