/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Into the new root and out of the old one. What is mounted in between is mount.c's, dev.c's and
 * mask.c's.
 */
#include "kernel/rootfs.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/mountinfo.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/mount_tree.h"

#define KINDS	   (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)
#define SWEEPS_MAX 64 /* times that mountinfo is read to hide the host's procs */

/* Can a mount of this namespace still be in a peer group of the host's after mount(2) with
 * @propagation? */
static bool may_share(unsigned long propagation)
{
	return !(propagation & MS_REC) || (propagation & MS_SHARED);
}

/* Climb from @fd to the root of the mount it is in, and take that mount out of its peer group. */
static int unshare_parent(int fd, unsigned long propagation)
{
	AUTO_CLOSE int at = -1;
	struct mount_change change = {
		.propagation = propagation & MS_SLAVE ? MS_SLAVE : MS_PRIVATE,
	};

	at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; at >= 0 && i < PATH_MAX; i++) {
		int r = mount_tree_is_root(at);

		if (r < 0)
			return r;
		if (r)
			return mount_tree_change(at, &change);
		fd_replace(&at, openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
	}
	return at < 0 ? -errno : -ELOOP;
}

/* Bind the directory @fd on itself; the new mount's root. */
static int bind_self(int fd)
{
	AUTO_CLOSE int tree = -1;
	int r;

	tree = mount_tree_clone(fd, true);
	if (tree < 0)
		return tree;
	r = mount_tree_attach(tree, fd);
	return r < 0 ? r : fd_take(&tree);
}

static int bind_self_old(int fd, const char *path)
{
	int r = mount_tree_bind_old(fd, fd, true);

	if (r < 0)
		return r;
	r = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

int rootfs_enter(struct rootfs *r, const char *path, unsigned long propagation, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	int root;

	/* A copy of an unbindable mount cannot be made; rootfs_pivot() gets to it. */
	if (propagation & MS_UNBINDABLE)
		propagation = MS_PRIVATE | MS_REC;
	if (!(propagation & KINDS))
		propagation = MS_SLAVE | MS_REC;
	if (mount(NULL, "/", NULL, propagation, NULL) < 0)
		return err_set(err, errno, "change the propagation of /");
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, errno, "open rootfs %s", path);
	r->old_shared = may_share(propagation);
	if (r->old_shared) {
		int e = unshare_parent(dir, propagation);

		if (e < 0)
			return err_set(err, -e, "make the parent mount of %s private", path);
	}
	root = bind_self(dir);
	if (mount_tree_missing(root))
		root = bind_self_old(dir, path);
	if (root < 0)
		return err_set(err, -root, "bind rootfs %s", path);
	fd_replace(&r->fd, root);
	r->path = path;
	return 0;
}

int rootfs_readonly(struct rootfs *r, struct err *err)
{
	struct mount_change change = {.set = MOUNT_ATTR_RDONLY};
	int e = mount_tree_change(r->fd, &change);

	return e < 0 ? err_set(err, -e, "make the root read-only") : 0;
}

/* By way of the working directory: there may be no /proc any more. */
static int detach_old(int old)
{
	/* The host's mounts must not see the unmounting of their copies. */
	if (old >= 0 && (fchdir(old) < 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0))
		return -errno;
	return umount2(".", MNT_DETACH) < 0 ? -errno : 0;
}

int rootfs_pivot(struct rootfs *r, unsigned long propagation, struct err *err)
{
	AUTO_CLOSE int old = -1;
	int e;

	if (r->old_shared) {
		old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (old < 0)
			return err_set(err, errno, "open the old root");
	}
	if (fchdir(r->fd) < 0)
		return err_set(err, errno, "go to rootfs %s", r->path);
	/* Both on one directory: the old root ends on top of the new one and needs no place in it.
	 */
	if (sys_pivot_root(".", ".") < 0)
		return err_set(err, errno, "pivot_root to %s", r->path);
	e = detach_old(old);
	if (e < 0)
		return err_set(err, -e, "detach the old root");
	if (chdir("/") < 0)
		return err_set(err, errno, "chdir to /");
	if ((propagation & KINDS) && mount(NULL, "/", NULL, propagation & KINDS, NULL) < 0)
		return err_set(err, errno, "set the propagation of the root");
	return 0;
}

static int enter_root(struct rootfs *r, struct err *err)
{
	if (fchdir(r->fd) < 0)
		return err_set(err, errno, "go to rootfs %s", r->path);
	if (chroot(".") < 0)
		return err_set(err, errno, "chroot to %s", r->path);
	return chdir("/") < 0 ? err_set(err, errno, "chdir to /") : 0;
}

int rootfs_chroot(struct rootfs *r, struct err *err)
{
	if (r->fd < 0)
		r->fd = open(r->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->fd < 0)
		return err_set(err, errno, "open rootfs %s", r->path);
	return enter_root(r, err);
}

/* Unmount the first proc or sysfs outside of @inside; where it is locked, put an empty tmpfs on it.
 * 1: something was done. */
static int hide_one(char *line, const char *inside, struct err *err)
{
	struct mountinfo m;

	if (mountinfo_parse(line, &m) < 0 || path_below(m.point, inside))
		return 0;
	if (!str_eq(m.type, "proc") && !str_eq(m.type, "sysfs"))
		return 0;
	if (umount2(m.point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 1;
	/* Another mount stands before it. */
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return err_set(err, errno, "unmount %s", m.point);
	if (mount("tmpfs", m.point, "tmpfs", MS_RDONLY, "nr_inodes=2") < 0)
		return err_set(err, errno, "cover %s", m.point);
	return 0;
}

/* One pass over mountinfo with a fixed buffer. 1: mounts have gone, the list must be read again. */
static int hide_all(int proc, const char *inside, struct err *err)
{
	char buf[3 * PATH_MAX];
	AUTO_CLOSE int fd = -1;
	size_t have = 0;
	int done = 0;

	fd = openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "open mountinfo");
	for (;;) {
		ssize_t n = io_read(fd, buf + have, sizeof(buf) - 1 - have);
		char *line = buf, *end;

		if (n < 0)
			return err_set(err, (int)-n, "read mountinfo");
		have += (size_t)n;
		buf[have] = '\0';
		while ((end = strchr(line, '\n'))) {
			int r;

			*end = '\0';
			r = hide_one(line, inside, err);
			if (r < 0)
				return r;
			done |= r;
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		if (n == 0)
			return done;
		if (have == sizeof(buf) - 1)
			return err_set(err, E2BIG, "a line of mountinfo");
		memmove(buf, line, have);
	}
}

int rootfs_move(struct rootfs *r, struct err *err)
{
	char inside[PATH_MAX], name[FD_PATH_SIZE + 16] = "";
	struct strbuf b;
	ssize_t n;
	int e = 1;

	strbuf_init(&b, name, sizeof(name));
	strbuf_add(&b, "self/fd/");
	strbuf_u64(&b, (uint64_t)r->fd);
	n = readlinkat(r->proc, name, inside, sizeof(inside) - 1);
	if (n < 0)
		return err_set(err, errno, "find out where the root is");
	inside[n] = '\0';
	/* The host's peers must not see what is unmounted here. */
	if (r->old_shared && mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_set(err, errno, "change the propagation of /");
	for (int i = 0; e > 0 && i < SWEEPS_MAX; i++)
		e = hide_all(r->proc, inside, err);
	if (e < 0)
		return e;
	if (fchdir(r->fd) < 0)
		return err_set(err, errno, "go to rootfs %s", r->path);
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return err_set(err, errno, "move %s to /", r->path);
	return enter_root(r, err);
}
