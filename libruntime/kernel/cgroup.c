/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cgroup of one container: made, opened, joined. It is one path in every hierarchy; what
 * is written into it is in the other cgroup_*.c files.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

/* A parent may be taken away by another container's cgroup_remove() between our making it and our
 * using it; each time somebody else must have finished one. */
#define MAKE_TRIES 20

void cgroup_init(struct cgroup *cg, const struct cgroup_host *host)
{
	cg->host = host;
	cg->path[0] = '\0';
	for (size_t i = 0; i < CGROUP_MAX; i++)
		cg->fd[i] = cg->tasks[i] = -1;
}

void cgroup_close(struct cgroup *cg)
{
	if (!cg)
		return;
	for (size_t i = 0; i < CGROUP_MAX; i++) {
		fd_replace(&cg->fd[i], -1);
		fd_replace(&cg->tasks[i], -1);
	}
}

size_t cgroup_dir(const struct cgroup_hierarchy *h, const char *path, char buf[CGROUP_DIR_MAX])
{
	size_t len = strlen(h->mount);

	memcpy(buf, h->mount, len);
	memcpy(buf + len, path, strlen(path) + 1);
	return len;
}

int cgroup_set_path(struct cgroup *cg, const char *path, struct err *err)
{
	ssize_t n;

	if (path[0] != '/' || path_has_dotdot(path)) {
		err_hint(err, "write it as /PARENT/NAME");
		return err_kind(err, ERR_CONFIG, EINVAL,
				"cgroup path \"%s\" is not absolute or has \"..\"", path);
	}
	n = path_clean(path, cg->path, sizeof(cg->path));
	if (n < 0)
		return err_kind(err, ERR_CONFIG, ENAMETOOLONG, "cgroup path \"%.60s…\"", path);
	if (n <= 1) {
		err_hint(err, "name one below it");
		return err_kind(err, ERR_CONFIG, EINVAL,
				"cgroup path \"/\" is the root of every cgroup");
	}
	return 0;
}

/* The parents of @dir, top down, with our mark on those that we make. 0 or -errno. */
static int make_parents(const struct cgroup_hierarchy *h, const char *dir, size_t mount_len)
{
	char part[CGROUP_DIR_MAX];

	memcpy(part, dir, strlen(dir) + 1);
	for (char *slash = strchr(part + mount_len + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) == 0) {
			/* Without extended attributes the directory simply stays. */
			if (setxattr(part, CGROUP_MARK, "1", 1, 0) < 0)
				(void)setxattr(part, CGROUP_USER_MARK, "1", 1, 0);
			if (h->controllers & CGROUP_C_CPUSET) {
				char file[CGROUP_DIR_MAX + 32];

				(void)cgroup_v1_fill_cpuset(part, mount_len);
				/* The kernel then copies cpus and mems into each container's
				 * cgroup, which costs a third of reading and writing them. */
				snprintf(file, sizeof(file), "%s/cgroup.clone_children", part);
				(void)io_write_at(AT_FDCWD, file, "1");
			}
		} else if (errno != EEXIST) {
			return -errno;
		}
		*slash = '/';
	}
	return 0;
}

static int cannot_make(const struct cgroup_hierarchy *h, const char *dir, int code, struct err *err)
{
	if (code == EROFS)
		err_hint(err, "%s is mounted read-only; see --cgroup-manager disabled", h->mount);
	else if (code == EACCES || code == EPERM)
		err_hint(err, "have a cgroup delegated to this user");
	else if (code == ENOTDIR)
		err_hint(err, CGROUP_HINT_FILE);
	else if (code == EAGAIN)
		err_hint(err, "cgroup.max.depth or cgroup.max.descendants of a cgroup above it is "
			      "reached");
	return err_set(err, code, "make cgroup %s", dir);
}

/* Make and open the container's directory in one hierarchy. 0: it was there, 1: made, < 0 with
 * @err. */
static int make_leaf(struct cgroup *cg, size_t i, struct err *err)
{
	const struct cgroup_hierarchy *h = &cg->host->h[i];
	char dir[CGROUP_DIR_MAX];
	size_t mount_len = cgroup_dir(h, cg->path, dir);

	for (int tries = 0; tries < MAKE_TRIES; tries++) {
		bool made = mkdir(dir, 0755) == 0;
		int r = made || errno == EEXIST ? 0 : -errno;

		if (r == -ENOENT) {
			r = make_parents(h, dir, mount_len);
			if (r == 0 || r == -ENOENT)
				continue;
		}
		if (r < 0)
			return cannot_make(h, dir, -r, err);
		cg->fd[i] = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (cg->fd[i] >= 0)
			return made;
		if (errno != ENOENT) {
			r = cannot_make(h, dir, errno, err);
			if (made)
				(void)rmdir(dir);
			return r;
		}
	}
	return err_set(err, EAGAIN, "make cgroup %s: it is removed again and again", dir);
}

/* Nobody may live in it, and a process put there must run. */
static int check_leaf(const struct cgroup *cg, size_t i, bool ours, struct err *err)
{
	const struct cgroup_hierarchy *h = &cg->host->h[i];
	int r = 0;

	if (!ours)
		r = cgroup_dir_populated(cg->fd[i], h->v2);
	if (r > 0) {
		err_hint(err, "end the processes in it, or choose another /linux/cgroupsPath");
		return err_kind(err, ERR_STATE, 0, "container's cgroup is not empty");
	}
	/* A new one as well: it may have a frozen parent. */
	if (r == 0 && (h->v2 || (h->controllers & CGROUP_C_FREEZER)))
		r = cgroup_freeze_look(cg->fd[i], h->v2);
	if (r > 0) {
		err_hint(err, "thaw it or its parent, or choose another /linux/cgroupsPath");
		return err_kind(err, ERR_STATE, 0, "container's cgroup unexpectedly frozen");
	}
	return r < 0 ? err_set(err, -r, "look at cgroup %s%s", h->mount, cg->path) : 0;
}

/* What can only be done below a directory that stands: v1 cpuset's contents, tasks opened. */
static int prepare_leaf(struct cgroup *cg, size_t i, struct err *err)
{
	const struct cgroup_hierarchy *h = &cg->host->h[i];
	char dir[CGROUP_DIR_MAX];
	size_t mount_len = cgroup_dir(h, cg->path, dir);

	if (h->v2)
		return 0;
	if (h->controllers & CGROUP_C_CPUSET) {
		int r = cgroup_v1_fill_cpuset(dir, mount_len);

		if (r < 0)
			return err_set(err, -r,
				       "fill cpuset.cpus and cpuset.mems of %s from its parents",
				       dir);
	}
	cg->tasks[i] = openat(cg->fd[i], "tasks", O_WRONLY | O_CLOEXEC);
	return cg->tasks[i] < 0 ? err_set(err, errno, "open %s/tasks", dir) : 0;
}

static void undo(struct cgroup *cg, const bool *made)
{
	cgroup_close(cg);
	for (size_t i = 0; i < cg->host->n; i++) {
		char dir[CGROUP_DIR_MAX];
		size_t mount_len = cgroup_dir(&cg->host->h[i], cg->path, dir);

		if (made[i])
			(void)rmdir(dir);
		cgroup_remove_parents(dir, mount_len);
	}
}

/* @adopt: what is there is ours. */
static int create(struct cgroup *cg, const char *path, const struct cgroup_limits *limits,
		  bool adopt, struct err *err)
{
	bool made[CGROUP_MAX] = {false};
	int r = cgroup_set_path(cg, path, err), devices;

	if (r < 0)
		return r;
	if (cg->host->n == 0) {
		err_hint(err, "mount cgroup2 there, or go without: --cgroup-manager=disabled");
		return err_kind(err, ERR_UNSUPPORTED, ENOENT,
				"no cgroup is mounted below /sys/fs/cgroup");
	}
	for (size_t i = 0; i < cg->host->n; i++) {
		r = make_leaf(cg, i, err);
		/* v1 hierarchies that a user's manager was not given: there it stays where it is.
		 */
		if (adopt && !cg->host->h[i].v2 && (r == -EACCES || r == -EPERM)) {
			*err = ERR_INIT;
			continue;
		}
		if (r < 0)
			goto fail;
		made[i] = r > 0;
		r = check_leaf(cg, i, made[i] || adopt, err);
		if (r == 0)
			r = prepare_leaf(cg, i, err);
		if (r < 0)
			goto fail;
	}
	devices = cgroup_find(cg->host, CGROUP_C_DEVICES);
	r = cgroup_limit_before(cg, limits, devices < 0 || made[devices], err);
	if (r < 0)
		goto fail;
	return 0;
fail:
	undo(cg, made);
	return r;
}

int cgroup_create(struct cgroup *cg, const char *path, const struct cgroup_limits *limits,
		  struct err *err)
{
	return create(cg, path, limits, false, err);
}

int cgroup_adopt(struct cgroup *cg, const char *path, const struct cgroup_limits *limits,
		 struct err *err)
{
	return create(cg, path, limits, true, err);
}

/* 1: opened, 0: it is not there, < 0 with @err. */
static int open_one(struct cgroup *cg, size_t i, struct err *err)
{
	char dir[CGROUP_DIR_MAX];

	(void)cgroup_dir(&cg->host->h[i], cg->path, dir);
	cg->fd[i] = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cg->fd[i] < 0 && errno != ENOENT)
		return err_set(err, errno, "open cgroup %s", dir);
	return cg->fd[i] >= 0;
}

int cgroup_open(struct cgroup *cg, const char *path, struct err *err)
{
	bool found = false;
	int r = cgroup_set_path(cg, path, err);

	for (size_t i = 0; r >= 0 && i < cg->host->n; i++) {
		r = open_one(cg, i, err);
		found |= r > 0;
	}
	if (r < 0) {
		cgroup_close(cg);
		return r;
	}
	return found ? 0 : CGROUP_GONE;
}

static bool enter_one(struct cgroup *cg, size_t i, const char *sub)
{
	int fd = cg->fd[i] < 0 ? -1
			       : openat(cg->fd[i], *sub ? sub : ".",
					O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return false;
	fd_replace(&cg->fd[i], fd);
	return true;
}

/* Does the descriptor show @sub of the cgroup already? */
static bool is_entered(const struct cgroup *cg, size_t i, const char *sub)
{
	char dir[CGROUP_DIR_MAX + 256];
	struct stat here, there;
	size_t len;

	(void)cgroup_dir(&cg->host->h[i], cg->path, dir);
	len = strlen(dir);
	snprintf(dir + len, sizeof(dir) - len, "/%s", sub);
	return cg->fd[i] >= 0 && fstat(cg->fd[i], &here) == 0 && stat(dir, &there) == 0 &&
	       here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

int cgroup_find_v1(const struct cgroup_host *host, const char *name)
{
	uint32_t bit = cgroup_v2_parse(name);

	for (size_t i = 0; i < host->n; i++)
		if (!host->h[i].v2 &&
		    ((bit & host->h[i].controllers) || str_eq(host->h[i].name, name)))
			return (int)i;
	return -1;
}

int cgroup_enter_sub(struct cgroup *cg, const char *controllers, const char *sub, struct err *err)
{
	char list[256], *rest = list, *name;
	bool found = false;

	sub += strspn(sub, "/");
	for (size_t i = 0; !controllers && i < cg->host->n; i++)
		found |= enter_one(cg, i, sub);
	if (!controllers)
		return found ? 0 : CGROUP_GONE;
	snprintf(list, sizeof(list), "%s", controllers);
	while ((name = strsep(&rest, ","))) {
		int i = cgroup_find_v1(cg->host, name);

		if (i < 0)
			return err_kind(err, ERR_USAGE, 0,
					"unknown controller %s: no cgroup v1 hierarchy has it",
					name);
		/* Controllers that are mounted together are one directory. */
		if (is_entered(cg, (size_t)i, sub))
			continue;
		if (!enter_one(cg, (size_t)i, sub))
			return CGROUP_GONE;
	}
	return 0;
}

int cgroup_open_freezer(struct cgroup *cg, const char *path, struct err *err)
{
	int i = cgroup_find(cg->host, CGROUP_C_FREEZER), v2 = cgroup_find_v2(cg->host), r;

	if (i < 0)
		i = v2;
	if (i < 0)
		return cgroup_open(cg, path, err);
	r = cgroup_set_path(cg, path, err);
	if (r == 0)
		r = open_one(cg, (size_t)i, err);
	/* In a hybrid layout it may have been given the v2 tree alone. */
	if (r == 0 && v2 >= 0 && v2 != i)
		r = open_one(cg, (size_t)v2, err);
	return r < 0 ? r : r > 0 ? 0 : CGROUP_GONE;
}

int cgroup_v2_fd(const struct cgroup *cg)
{
	int i = cgroup_find_v2(cg->host);

	return i < 0 ? -1 : cg->fd[i];
}

static int join(const struct cgroup *cg, size_t i, struct err *err)
{
	const char *file = cg->host->h[i].v2 ? "cgroup.procs" : "tasks";
	bool opened = cg->tasks[i] >= 0;
	int fd = opened ? cg->tasks[i] : openat(cg->fd[i], file, O_WRONLY | O_CLOEXEC);
	int failed = 0;

	/* "0" is the writing task. v1's tasks moves it alone and so needs no lock over all
	 * processes, which costs 10 ms in cgroup.procs. */
	if (fd < 0 || write(fd, "0", 1) < 0)
		failed = errno;
	if (!opened)
		fd_close(fd);
	return failed ? err_set(err, failed, "join cgroup %s%s", cg->host->h[i].mount, cg->path)
		      : 0;
}

int cgroup_join_self(const struct cgroup *cg, bool v2, struct err *err)
{
	for (size_t i = 0; i < cg->host->n; i++) {
		int r;

		if (cg->fd[i] < 0 || (cg->host->h[i].v2 && !v2))
			continue;
		r = join(cg, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_put(int dir, pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	return io_write_at(dir, "cgroup.procs", number);
}

int cgroup_move_v2(const struct cgroup *cg, pid_t pid, struct err *err)
{
	int r = cgroup_put(cgroup_v2_fd(cg), pid);

	return r < 0 ? err_set(err, -r, "move process %d into cgroup %s", (int)pid, cg->path) : 0;
}

size_t cgroup_view(const struct cgroup_host *host, const char *path, struct cgroup_view *ret)
{
	for (size_t i = 0; i < host->n; i++) {
		ret[i].name = host->h[i].name;
		ret[i].v2 = host->h[i].v2;
		snprintf(ret[i].dir, sizeof(ret[i].dir), "%s%s", host->h[i].mount, path);
	}
	return host->n;
}
