/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking a container's cgroup away with all that it made below, and the parents that were made for
 * it. A process that is being killed still counts for a moment; how long that may take is the
 * caller's deadline, and who is left then is named.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define NAMED_MAX 10

/*
 * Does it carry our mark? Or one of the names that only our own default paths have ("oakum",
 * "oakum-" and eight hexadecimal digits): who is killed between mkdir(2) and setxattr(2) leaves no
 * mark. errno else.
 */
static bool is_ours(const char *dir)
{
	const char *name = strrchr(dir, '/') + 1;
	char value[8];

	if (getxattr(dir, CGROUP_MARK, value, sizeof(value)) >= 0 ||
	    getxattr(dir, CGROUP_USER_MARK, value, sizeof(value)) >= 0)
		return true;
	if (str_eq(name, "oakum"))
		return true;
	return str_starts(name, "oakum-") && strlen(name) == 14 &&
	       strspn(name + 6, "0123456789abcdef") == 8;
}

void cgroup_remove_parents(const char *dir, size_t mount_len)
{
	char part[CGROUP_DIR_MAX];
	char *slash;
	struct stat st;

	memcpy(part, dir, strlen(dir) + 1);
	while ((slash = strrchr(part + mount_len, '/')) && slash > part + mount_len) {
		*slash = '\0';
		/* kernfs counts subdirectories in the link count. */
		if (stat(part, &st) == 0 && st.st_nlink > 2)
			return;
		if (!is_ours(part)) {
			if (errno == ENOENT)
				continue;
			return;
		}
		/* Somebody else's container may live in it: then it stays, and its removal is
		 * theirs. */
		if (rmdir(part) < 0 && errno != ENOENT)
			return;
	}
}

static int copy_name(const char *name, void *data)
{
	snprintf(data, PATH_MAX, "%s", name);
	return 1;
}

/*
 * Empty @top of sub-cgroups, the deepest first. One descriptor at a time and no path, whatever the
 * depth. 0, -EBUSY: one has processes, or -errno.
 */
static int remove_below(int top)
{
	AUTO_CLOSE int cur = openat(top, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool from_below = false; /* we came up from a sub-cgroup that has no more sub-cgroups */
	char name[PATH_MAX];	 /* kernfs knows no NAME_MAX */
	size_t depth = 0;

	while (cur >= 0) {
		int r = cgroup_subdirs(cur, copy_name, name), next;

		if (r < 0 && !cgroup_means_gone(r))
			return r;
		if (r <= 0 && depth == 0)
			return 0;
		if (r <= 0) {
			next = openat(cur, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
			depth--;
			from_below = true;
		} else if (unlinkat(cur, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
			from_below = false;
			continue;
		} else if (errno != EBUSY && errno != ENOTEMPTY) {
			return -errno;
		} else if (from_below) {
			return -EBUSY;
		} else {
			next = openat(cur, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (next < 0 && errno == ENOENT)
				continue;
			depth++;
		}
		if (next < 0)
			return -errno;
		fd_replace(&cur, next);
	}
	return -errno;
}

/* "cgroup /a/b: 2 processes left: 12 (sleep, state S), 13 (cat, state D in request_wait_answer)" */
static int name_left(const struct cgroup *cg, int dir, struct err *err)
{
	bool held = cgroup_freeze_from_above(cg->host, cg->path);
	struct cgroup_pidlist l = {.p = NULL};
	char text[400] = "";
	struct strbuf b;
	size_t i;

	strbuf_init(&b, text, sizeof(text));
	(void)cgroup_list(dir, "cgroup.procs", &l);
	cgroup_pidlist_sort(&l);
	for (i = 0; i < l.n && i < NAMED_MAX; i++) {
		strbuf_add(&b, i ? ", " : ": ");
		proc_describe(&b, l.p[i]);
	}
	if (i < l.n)
		strbuf_fmt(&b, " and %zu more", l.n - i);
	if (l.hidden)
		strbuf_add(&b, " and some of another pid namespace");
	if (held)
		err_hint(err, "who is frozen does not die: thaw that parent, then delete again");
	if (l.n || l.hidden)
		err_kind(err, ERR_RUNTIME, EBUSY, "cgroup %s: %s%zu process%s left%s", cg->path,
			 held ? "a parent of it is frozen, " : "", l.n, l.n == 1 ? "" : "es", text);
	else
		err_kind(err, ERR_RUNTIME, EBUSY,
			 "cgroup %s: busy, though no process is left in it", cg->path);
	cgroup_pidlist_done(&l);
	return CGROUP_BUSY;
}

int cgroup_name_left(const struct cgroup *cg, struct err *err)
{
	int i = cgroup_freezer(cg);

	if (i < 0 || cgroup_dir_populated(cg->fd[i], cg->host->h[i].v2) <= 0)
		return 0;
	return name_left(cg, cg->fd[i], err);
}

/* One hierarchy. 0, CGROUP_GONE, CGROUP_BUSY with @err, or < 0 with @err. */
static int remove_leaf(const struct cgroup *cg, const char *dir, bool v2, int64_t deadline_ms,
		       struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int64_t step = 0;

	for (;;) {
		int r;

		if (rmdir(dir) == 0)
			return 0;
		if (errno == ENOENT)
			return CGROUP_GONE;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return err_set(err, errno, "remove cgroup %s", dir);
		if (fd < 0)
			fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_set(err, errno, "open cgroup %s", dir);
		r = remove_below(fd);
		if (r == 0 && rmdir(dir) == 0)
			return 0;
		if (r < 0 && r != -EBUSY)
			return err_set(err, -r, "remove the sub-cgroups of %s", dir);
		r = cgroup_dir_wait(fd, v2, deadline_ms);
		if (r < 0)
			return err_set(err, -r, "wait until cgroup %s is empty", dir);
		/* Empty and still busy: the kernel is about to let go. */
		if (r == CGROUP_BUSY || !cgroup_backoff(&step, deadline_ms))
			return name_left(cg, fd, err);
	}
}

int cgroup_remove(struct cgroup *cg, int64_t deadline_ms, struct err *err)
{
	int ret = CGROUP_GONE;

	cgroup_close(cg);
	for (size_t i = 0; i < cg->host->n; i++) {
		const struct cgroup_hierarchy *h = &cg->host->h[i];
		char dir[CGROUP_DIR_MAX];
		size_t mount_len = cgroup_dir(h, cg->path, dir);
		int r = remove_leaf(cg, dir, h->v2, deadline_ms, err);

		if (r < 0 || r == CGROUP_BUSY)
			return r;
		if (r == 0)
			ret = 0;
		cgroup_remove_parents(dir, mount_len);
	}
	return ret;
}

int cgroup_remove_empty(const struct cgroup_host *host, const char *path)
{
	struct cgroup cg = {.host = host};
	struct err ignored = ERR_INIT;
	bool busy = cgroup_set_path(&cg, path, &ignored) < 0;

	for (size_t i = 0; !busy && i < host->n; i++) {
		char dir[CGROUP_DIR_MAX];
		size_t mount_len = cgroup_dir(&host->h[i], cg.path, dir);

		busy = rmdir(dir) < 0 && errno != ENOENT;
		if (!busy)
			cgroup_remove_parents(dir, mount_len);
	}
	return busy ? CGROUP_BUSY : 0;
}
