/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recursive copy on descriptors, with a bound. @from may be somebody else's volume: each name in
 * it is opened without following links and its type is checked afterwards. @to is ours alone.
 */
#include "kernel/mount_copyup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/mount_tree.h"

#define DEPTH_MAX  64
#define CHUNK	   (1 << 20)
#define ENTRIES	   4096 /* bytes of directory entries on the stack, a level */
#define XATTR_SIZE 8192 /* names, and a value: longer ones are left out */

static int copy_dir(int from, int to, dev_t dev, int depth, struct err *err);

/* What we may not do is left as the kernel made it. */
static bool tolerable(int code)
{
	return code == EPERM || code == EINVAL || code == EOPNOTSUPP || code == EOVERFLOW;
}

static int copy_xattrs(int from, int to)
{
	char names[XATTR_SIZE], value[XATTR_SIZE];
	ssize_t n = flistxattr(from, names, sizeof(names));

	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		ssize_t size = fgetxattr(from, names + i, value, sizeof(value));

		if (size >= 0 && fsetxattr(to, names + i, value, (size_t)size, 0) < 0 &&
		    errno == ENOSPC)
			return -ENOSPC;
	}
	return 0;
}

/* In this order: a change of owner clears set-id bits and file capabilities. */
static int copy_attributes(int from, int to, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	int r;

	if (fchown(to, st->st_uid, st->st_gid) < 0 && !tolerable(errno))
		return -errno;
	if (fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(from, to);
	if (r < 0)
		return r;
	return futimens(to, times) < 0 ? -errno : 0;
}

static int copy_bytes(int from, int to)
{
	char buf[ENTRIES];
	ssize_t n;

	while ((n = sendfile(to, from, NULL, CHUNK)) > 0)
		;
	if (n == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	while ((n = io_read(from, buf, sizeof(buf))) > 0) {
		int r = io_write(to, buf, (size_t)n);

		if (r < 0)
			return r;
	}
	return (int)n;
}

static int copy_file(int from_dir, int to_dir, const char *name)
{
	AUTO_CLOSE int from = -1, to = -1;
	struct stat st;
	int r;

	from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ESTALE;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	r = copy_bytes(from, to);
	return r < 0 ? r : copy_attributes(from, to, &st);
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return symlinkat(text, to_dir, name) < 0 ? -errno : 0;
}

/* FIFOs, sockets, device nodes; the last only where we may. Names in @to_dir are ours, nobody can
 * exchange them. */
static int copy_node(int to_dir, const char *name, const struct stat *st)
{
	if (mknodat(to_dir, name, st->st_mode & (S_IFMT | 07777), st->st_rdev) < 0)
		return tolerable(errno) ? 1 : -errno;
	return 0;
}

static int copy_metadata(int to_dir, const char *name, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    !tolerable(errno))
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_subdir(int from_dir, int to_dir, const char *name, dev_t dev, int depth,
		       struct err *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	AUTO_CLOSE int from = -1, to = -1;
	struct stat st;
	int r = 0;

	from = openat(from_dir, name, flags);
	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	to = openat(to_dir, name, flags);
	if (to < 0)
		return -errno;
	/* A bind of the same file system has its device. */
	if (st.st_dev == dev && mount_tree_is_root(from) <= 0)
		r = copy_dir(from, to, dev, depth + 1, err);
	return r < 0 ? r : copy_attributes(from, to, &st);
}

static int copy_one(int from, int to, const char *name, dev_t dev, int depth, struct err *err)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return copy_subdir(from, to, name, dev, depth, err);
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name);
	r = S_ISLNK(st.st_mode) ? copy_link(from, to, name) : copy_node(to, name, &st);
	if (r > 0)
		return 0;
	return r < 0 ? r : copy_metadata(to, name, &st);
}

/* getdents64(2) itself: readdir(3) would allocate. */
static int copy_dir(int from, int to, dev_t dev, int depth, struct err *err)
{
	alignas(struct dirent64) char buf[ENTRIES];
	long n;

	if (depth > DEPTH_MAX)
		return err_set(err, ELOOP, "more than %d directories deep", DEPTH_MAX);
	while ((n = syscall(SYS_getdents64, from, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent64 *e =
				(const struct dirent64 *)(const void *)(buf + at);
			int r;

			at += e->d_reclen;
			if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
				continue;
			r = copy_one(from, to, e->d_name, dev, depth, err);
			if (r < 0 && err && err->kind == ERR_NONE)
				err_set(err, -r, "%s", e->d_name);
			if (r < 0)
				return r;
		}
	}
	return n < 0 ? -errno : 0;
}

int mount_copyup(int from, int to, struct err *err)
{
	AUTO_CLOSE int in = -1, out = -1;
	mode_t old_umask;
	struct stat st;
	int r;

	in = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	out = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		return err_set(err, errno, "copy up");
	old_umask = umask(0);
	r = copy_dir(in, out, st.st_dev, 0, err);
	umask(old_umask);
	if (r < 0 && err && err->kind == ERR_NONE)
		return err_set(err, -r, "copy up");
	if (r < 0)
		err_prefix(err, "copy up");
	return r;
}
