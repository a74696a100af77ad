/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A rehearsal must not leave mount points and device nodes in somebody's root: here the root is
 * covered by an overlay of itself whose changes are in a tmpfs that goes with the namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "kernel/rootfs.h"

int rootfs_cover(const char *path, struct err *err)
{
	AUTO_CLOSE int lower = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int cover = -1;
	char options[192];

	if (lower < 0)
		return err_set(err, errno, "open %s", path);
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_set(err, errno, "take the mounts out of the host's propagation");
	/* The changes are kept below the overlay that shows them. */
	if (mount("rehearsal", path, "tmpfs", 0, "mode=755") < 0)
		return ROOTFS_BARE;
	cover = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cover < 0 || mkdirat(cover, "upper", 0755) < 0 || mkdirat(cover, "work", 0755) < 0)
		return ROOTFS_BARE;
	snprintf(options, sizeof(options),
		 "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d/upper,"
		 "workdir=/proc/self/fd/%d/work",
		 lower, cover, cover);
	return mount("rehearsal", path, "overlay", 0, options) < 0 ? ROOTFS_BARE : 0;
}
