/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A rehearsal must not leave mount points and device nodes in somebody's root: here the root is
 * covered by an overlay of itself whose changes are in a tmpfs that goes with the namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/sys.h"
#include "kernel/rootfs.h"

/* The covered directory looks as the one below it, where we may say so. */
static int lay(int lower, int cover)
{
	char options[192], target[32];
	struct stat st;

	if (mkdirat(cover, "upper", 0755) < 0 || mkdirat(cover, "work", 0755) < 0 ||
	    fstat(lower, &st) < 0)
		return -errno;
	if (fchownat(cover, "upper", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fchmodat(cover, "upper", st.st_mode & 07777, 0) < 0)
		return -errno;
	snprintf(options, sizeof(options),
		 "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d/upper,"
		 "workdir=/proc/self/fd/%d/work",
		 lower, cover, cover);
	snprintf(target, sizeof(target), "/proc/self/fd/%d", cover);
	return mount("rehearsal", target, "overlay", 0, options) < 0 ? -errno : 0;
}

/* We still are who may go to the root, whose id need not be mapped: nothing can be made so. */
static int lay_as_root(int lower, int cover)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 || lay(lower, cover) < 0);
	if (pid < 0 || proc_reap(pid, &status) < 0)
		return -errno;
	return status ? -EPERM : 0;
}

/* The changes are kept below the overlay that shows them. */
static int stack(const char *path, int lower, bool userns)
{
	AUTO_CLOSE int cover = -1;

	if (mount("rehearsal", path, "tmpfs", 0, userns ? "mode=755,uid=0,gid=0" : "mode=755") < 0)
		return -errno;
	cover = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cover < 0)
		return -errno;
	return userns ? lay_as_root(lower, cover) : lay(lower, cover);
}

int rootfs_make_cover(const char *path)
{
	AUTO_CLOSE int lower = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return -errno;
	/* An overlay takes no layer of another mount namespace. */
	lower = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (lower < 0)
		return -errno;
	r = stack(path, lower, false);
	if (r < 0)
		return r;
	r = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return r < 0 ? -errno : r;
}

int rootfs_cover(const struct rootfs *r, const char *path, int ready, struct err *err)
{
	AUTO_CLOSE int lower = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (lower < 0)
		return err_set(err, errno, "open %s", path);
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_set(err, errno, "take the mounts out of the host's propagation");
	if (ready >= 0)
		return sys_move_mount(ready, "", lower, "",
				      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
			       ? ROOTFS_BARE
			       : 0;
	return stack(path, lower, r->userns) < 0 ? ROOTFS_BARE : 0;
}
