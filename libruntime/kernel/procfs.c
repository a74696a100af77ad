/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our own procfs: on no mount tree, so nothing that a container mounts over /proc stands between us
 * and the kernel (CVE-2019-16884, CVE-2025-52881). Not the /proc of the container: that is a mount
 * like others.
 */
#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/sys.h"
#include "kernel/rootfs.h"

#define PROC_ROOT_INODE 1

static int open_private(void)
{
	AUTO_CLOSE int fs = -1;
	int fd;

	fs = sys_fsopen("proc", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = sys_fsmount(fs, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Is it the root of a procfs, not a directory of one that has been bound there? */
static int check(int fd)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	return fs.f_type == PROC_SUPER_MAGIC && st.st_ino == PROC_ROOT_INODE ? 0 : -EXDEV;
}

/* The host's /proc: alone, as a detached copy, if that may be had (a locked mount below forbids
 * it). */
static int open_host(void)
{
	AUTO_CLOSE int fd = -1;
	int r;

	fd = sys_open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = check(fd);
	return r < 0 ? r : fd_take(&fd);
}

int procfs_open(struct err *err)
{
	int fd = open_private();

	if (fd < 0)
		fd = open_host();
	if (fd == -EXDEV)
		return err_set(err, EXDEV, "open a procfs: none may be mounted, and /proc is none");
	if (fd < 0)
		return err_set(err, -fd, "open a procfs");
	return fd;
}
