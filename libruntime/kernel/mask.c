/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hiding and protecting paths of the container. The null and the empty directory that hide others
 * come from us, never from a name in the rootfs (CVE-2025-31133), and are read-only, so that nobody
 * changes the mode of the host's null through its copy.
 */
#include "kernel/mask.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "kernel/mount.h"
#include "kernel/mount_fs.h"
#include "kernel/mount_tree.h"
#include "kernel/rootfs.h"

#define NULL_RDEV makedev(1, 3)

int mask_prepare(struct mask *m, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;

	fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "open /dev/null");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != NULL_RDEV)
		return err_set(err, ENODEV, "/dev/null is not the null device");
	m->null_dev = st.st_dev;
	m->null_ino = st.st_ino;
	fd_replace(&m->null, fd_take(&fd));
	return 0;
}

static const struct mount_op empty_op = {
	.kind = MOUNT_FS,
	.target = "a masked path",
	.source = "tmpfs",
	.type = "tmpfs",
	.data = "nr_inodes=2,mode=755",
};

#define HIDDEN (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* The file system that all masked directories show. */
static int make_empty(struct mask *m, struct err *err)
{
	struct stat st;
	int fd = -1, r = mount_fs_make(&empty_op, "", HIDDEN, &fd, err);

	if (r != 0)
		return r;
	if (fstat(fd, &st) < 0) {
		r = -errno;
		close(fd);
		return err_set(err, -r, "look at the empty directory");
	}
	m->empty_dev = st.st_dev;
	fd_replace(&m->empty, fd);
	return 0;
}

/* Without the new mount API each directory gets its own. */
static int mask_dir_old(int target, const char *path, struct err *err)
{
	int r = mount_tree_new_old("tmpfs", target, "tmpfs", mount_tree_ms_flags(HIDDEN),
				   empty_op.data);

	return r < 0 ? err_set(err, -r, "mask %s", path) : 0;
}

static int mask_dir(struct mask *m, int target, const char *path, struct err *err)
{
	AUTO_CLOSE int copy = -1;
	bool first = m->empty < 0;
	int r = first ? make_empty(m, err) : 0;

	if (r == MOUNT_FS_OLD)
		return mask_dir_old(target, path, err);
	if (r < 0)
		return r;
	/* Only an attached mount can be copied (before Linux 6.15): the first one is used itself.
	 */
	if (!first) {
		copy = mount_tree_clone(m->empty, false);
		if (copy < 0)
			return err_set(err, -copy, "mask %s", path);
	}
	r = mount_tree_attach(first ? m->empty : copy, target);
	return r < 0 ? err_set(err, -r, "mask %s", path) : 0;
}

static int mask_file_old(struct mask *m, struct rootfs *r, int target, const char *path,
			 struct err *err)
{
	static const struct mount_change protect = {.set = MOUNT_ATTR_RDONLY};
	AUTO_CLOSE int mnt = -1;
	int e = mount_tree_bind_old(m->null, target, false);

	if (e == 0)
		e = mnt = mount_tree_reopen(r, path, target);
	if (e >= 0)
		e = mount_tree_change(mnt, &protect);
	return e < 0 ? err_set(err, -e, "mask %s", path) : 0;
}

static int mask_file(struct mask *m, struct rootfs *r, int target, const char *path,
		     struct err *err)
{
	static const struct mount_change protect = {
		.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	};
	AUTO_CLOSE int copy = -1;
	int e;

	if (m->null < 0)
		return err_set(err, EBADF, "mask %s: the null device has not been opened", path);
	copy = mount_tree_clone(m->null, false);
	if (mount_tree_missing(copy))
		return mask_file_old(m, r, target, path, err);
	if (copy < 0)
		return err_set(err, -copy, "mask %s", path);
	/* The first copy is protected; the others are copies of it. */
	e = m->null_ready ? mount_tree_attach(copy, target)
			  : mount_tree_place(copy, target, &protect);
	if (e < 0)
		return err_set(err, -e, "mask %s", path);
	if (!m->null_ready) {
		fd_replace(&m->null, fd_take(&copy));
		m->null_ready = true;
	}
	return 0;
}

int mask_path(struct mask *m, struct rootfs *r, const char *path, struct err *err)
{
	AUTO_CLOSE int target = -1;
	struct stat st;

	target = path_open(r->fd, path, O_PATH);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0 || fstat(target, &st) < 0)
		return err_set(err, target < 0 ? -target : errno, "mask %s", path);
	/* Masked already. */
	if (S_ISDIR(st.st_mode) && m->empty >= 0 && st.st_dev == m->empty_dev)
		return 0;
	if (S_ISCHR(st.st_mode) && st.st_dev == m->null_dev && st.st_ino == m->null_ino)
		return 0;
	if (S_ISDIR(st.st_mode))
		return mask_dir(m, target, path, err);
	return mask_file(m, r, target, path, err);
}

/* A bind of it on itself; the copy keeps the flags of the mount that it was in. */
static int protect_old(struct rootfs *r, const char *path, int target, const struct mount_change *c)
{
	AUTO_CLOSE int mnt = -1;
	int e = mount_tree_bind_old(target, target, true);

	if (e < 0)
		return e;
	mnt = mount_tree_reopen(r, path, target);
	return mnt < 0 ? mnt : mount_tree_change(mnt, c);
}

int mask_readonly(struct rootfs *r, const char *path, struct err *err)
{
	static const struct mount_change change = {.set = MOUNT_ATTR_RDONLY};
	AUTO_CLOSE int target = -1, copy = -1;
	int e;

	target = path_open(r->fd, path, O_PATH);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_set(err, -target, "make %s read-only", path);
	copy = mount_tree_clone(target, true);
	e = copy < 0 ? copy : mount_tree_place(copy, target, &change);
	if (mount_tree_missing(copy))
		e = protect_old(r, path, target, &change);
	return e < 0 ? err_set(err, -e, "make %s read-only", path) : 0;
}

void mask_done(struct mask *m)
{
	fd_replace(&m->null, -1);
	fd_replace(&m->empty, -1);
}
