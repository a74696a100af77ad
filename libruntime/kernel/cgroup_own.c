/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What somebody without rights over the cgroup tree may use of it: directories that were given to
 * him ("delegated"), by their owner and mode. cgroup-v2.rst, "Delegation".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

bool cgroup_may(const char *dir, const char *file, int how)
{
	char name[CGROUP_DIR_MAX + 32];

	snprintf(name, sizeof(name), "%s%s%s", dir, file[0] ? "/" : "", file);
	return faccessat(AT_FDCWD, name, how, AT_EACCESS) == 0;
}

/* A process may be moved by who may write cgroup.procs of the common ancestor of both places. */
static bool may_move(const struct cgroup_hierarchy *h, const char *path)
{
	char buf[16384], dir[CGROUP_DIR_MAX];
	const char *own = cgroup_path_of(h, getpid(), buf, sizeof(buf));
	size_t common = 0, mount_len;

	if (!own || strlen(own) >= PATH_MAX / 4)
		return false;
	for (size_t i = 0; own[i] == path[i] || !own[i] || !path[i]; i++) {
		if ((!own[i] || own[i] == '/') && (!path[i] || path[i] == '/'))
			common = i;
		if (!own[i] || !path[i])
			break;
	}
	mount_len = cgroup_dir(h, path, dir);
	dir[mount_len + common] = '\0';
	return cgroup_may(dir, "cgroup.procs", W_OK);
}

static bool may_make(const struct cgroup_hierarchy *h, const char *path)
{
	char dir[CGROUP_DIR_MAX];
	size_t mount_len = cgroup_dir(h, path, dir);

	(void)cgroup_find_existing(dir, mount_len);
	return cgroup_may(dir, "", W_OK | X_OK) && (!h->v2 || may_move(h, path));
}

size_t cgroup_own(const struct cgroup_host *host, const char *path, struct cgroup_host *ret)
{
	ret->n = 0;
	ret->mode = CGROUP_NONE;
	if (path[0] != '/' || strlen(path) >= PATH_MAX / 4)
		return 0;
	for (size_t i = 0; i < host->n; i++)
		if (may_make(&host->h[i], path))
			ret->h[ret->n++] = host->h[i];
	if (ret->n)
		ret->mode = host->mode;
	return ret->n;
}

int cgroup_own_place(const struct cgroup_host *host, bool above, char *ret, size_t size)
{
	char buf[16384];
	int i = cgroup_find_v2(host);
	const char *own = i < 0 ? NULL : cgroup_path_of(&host->h[i], getpid(), buf, sizeof(buf));

	if (!own || strlen(own) >= size)
		return CGROUP_GONE;
	snprintf(ret, size, "%s", own);
	if (above && strrchr(ret, '/'))
		*strrchr(ret, '/') = '\0';
	if (str_eq(ret, "/"))
		ret[0] = '\0';
	return CGROUP_OK;
}

/* The hierarchy in which systemd has units: v2, or its own of v1. */
static const struct cgroup_hierarchy *systemd_hierarchy(const struct cgroup_host *host)
{
	int i = cgroup_find_v2(host);

	if (i < 0)
		i = cgroup_find_v1(host, "systemd");
	return i < 0 ? NULL : &host->h[i];
}

/* What systemd writes on what it delegates: "user." is there for who may not read the other one
 * (systemd 251). */
static bool is_delegated(const struct cgroup_hierarchy *h, const char *path)
{
	char dir[CGROUP_DIR_MAX], value[2];

	(void)cgroup_dir(h, path, dir);
	return (getxattr(dir, "trusted.delegate", value, sizeof(value)) == 1 ||
		getxattr(dir, "user.delegate", value, sizeof(value)) == 1) &&
	       value[0] == '1';
}

/* The manager of a user, who is not root, gives him all cgroups that it makes. */
static bool is_ours(const struct cgroup_hierarchy *h, const char *path)
{
	char dir[CGROUP_DIR_MAX];
	struct stat st;

	(void)cgroup_dir(h, path, dir);
	return geteuid() != 0 && stat(dir, &st) == 0 && st.st_uid == geteuid();
}

/* Its managers live in a scope of this name, the system's and each user's, and nobody else. */
#define MANAGER_SCOPE "/init.scope"

bool cgroup_own_alone(const struct cgroup_host *host)
{
	const struct cgroup_hierarchy *h = systemd_hierarchy(host);
	char buf[16384], dir[CGROUP_DIR_MAX], file[CGROUP_DIR_MAX + 32], procs[64], us[32];
	const char *path = h ? cgroup_path_of(h, getppid(), buf, sizeof(buf)) : NULL;
	size_t n = path ? strlen(path) : 0;

	if (n < strlen(MANAGER_SCOPE) || !str_eq(path + n - strlen(MANAGER_SCOPE), MANAGER_SCOPE))
		return false;
	path = cgroup_path_of(h, getpid(), buf, sizeof(buf));
	if (!path || strlen(path) >= PATH_MAX / 4)
		return false;
	(void)cgroup_dir(h, path, dir);
	snprintf(file, sizeof(file), "%s/cgroup.procs", dir);
	snprintf(us, sizeof(us), "%d", getpid());
	return io_read_at(AT_FDCWD, file, procs, sizeof(procs)) > 0 && str_eq(procs, us);
}

static int move_below(const struct cgroup_hierarchy *h, const char *path, const char *sub,
		      struct err *err)
{
	char dir[CGROUP_DIR_MAX], file[CGROUP_DIR_MAX + 64];
	int r;

	(void)cgroup_dir(h, path, dir);
	snprintf(file, sizeof(file), "%s/%s", dir, sub);
	if (mkdir(file, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "make cgroup %s/%s", path, sub);
	snprintf(file, sizeof(file), "%s/%s/cgroup.procs", dir, sub);
	r = io_write_at(AT_FDCWD, file, "0");
	return r < 0 ? err_set(err, -r, "move to cgroup %s/%s", path, sub) : 0;
}

int cgroup_own_unit(const struct cgroup_host *host, bool claim, const char *sub, char *ret,
		    size_t size, struct err *err)
{
	const struct cgroup_hierarchy *h = systemd_hierarchy(host);
	char buf[16384];
	const char *own = h ? cgroup_path_of(h, getpid(), buf, sizeof(buf)) : NULL;

	if (!own || strlen(own) >= size || strlen(own) >= PATH_MAX / 4 - 64)
		return CGROUP_GONE;
	snprintf(ret, size, "%s", own);
	if (is_delegated(h, ret) || (claim && h->v2 && is_ours(h, ret)))
		return h->v2 ? move_below(h, ret, sub, err) : CGROUP_OK;
	if (strrchr(ret, '/') > ret) {
		*strrchr(ret, '/') = '\0';
		if (is_delegated(h, ret))
			return CGROUP_OK;
	}
	return CGROUP_GONE;
}
