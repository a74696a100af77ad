/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program's own file, out of reach of a container that opens /proc/PID/exe for writing
 * (CVE-2019-5736): executed once more from a read-only clone of its mount that hangs on no mount
 * tree, or, without the right to make one, from a sealed copy in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "oakum.h"

#define SEALS	   (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SEAL_TRIES 20

extern char **environ;

static bool is_protected(int exe)
{
	struct statvfs fs;
	int seals = fcntl(exe, F_GET_SEALS);

	if (seals >= 0 && (seals & SEALS) == SEALS)
		return true;
	return fstatvfs(exe, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

static int clone_readonly(void)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV};
	AUTO_CLOSE int fd =
		sys_open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
		return -errno;
	return fd_take(&fd);
}

/* A page that the kernel itself holds just now, to move it for one, looks to it like one that is
 * being written: EBUSY, after some 150 ms. */
static int seal(int fd)
{
	for (int i = 1; fcntl(fd, F_ADD_SEALS, SEALS) < 0; i++)
		if (errno != EBUSY || i == SEAL_TRIES)
			return -errno;
	return 0;
}

static int copy_sealed(int exe)
{
	AUTO_CLOSE int fd = memfd_create("oakum", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	off_t at = 0;
	int r;

	if (fd < 0 || fstat(exe, &st) < 0)
		return -errno;
	while (at < st.st_size)
		if (sendfile(fd, exe, &at, (size_t)(st.st_size - at)) <= 0)
			return -EIO;
	if (fchmod(fd, 0500) < 0)
		return -errno;
	r = seal(fd);
	return r < 0 ? r : fd_take(&fd);
}

int oakum_protect(char *const argv[])
{
	AUTO_CLOSE int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int fd = -1;

	if (exe < 0)
		return -errno;
	if (is_protected(exe)) {
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		/* execveat(2) from a descriptor named us after its number. */
		prctl(PR_SET_NAME, "oakum", 0, 0, 0);
		return 0;
	}
	fd = clone_readonly();
	if (fd < 0)
		fd = copy_sealed(exe);
	if (fd < 0)
		return fd;
	sys_execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return -errno;
}
