/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handing a cgroup to somebody else (cgroups(7), "Cgroups delegation: delegating a hierarchy to a
 * less privileged user"): the directory and the files that say who lives in it and below it, never
 * those of its limits. v2 only: v1 keeps no delegate within its bounds.
 */
#include <fcntl.h>
#include <string.h>
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
