/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * maskedPaths and readonlyPaths (config-linux.md). A file is hidden by a clone of the host's
 * /dev/null that has been checked to be character device 1:3; all directories share one empty
 * read-only tmpfs. A path that does not exist is skipped. The child calls it before pivot_root
 * (paths are resolved in r->fd).
 */
#ifndef OAKUM_KERNEL_MASK_H
#define OAKUM_KERNEL_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;
struct rootfs;

struct mask {
	int null;  /* the host's null, then the first copy of it in the container; -1 before */
	int empty; /* the empty tmpfs in the container; -1 until needed */
	bool null_ready; /* null is the copy */
	dev_t null_dev, empty_dev;
	ino_t null_ino;
};

#define MASK_INIT ((struct mask){.null = -1, .empty = -1})

/* Open the host's null while the host's /dev is still in view. 0, or < 0 with @err. */
int mask_prepare(struct mask *m, struct err *err);
int mask_path(struct mask *m, struct rootfs *r, const char *path, struct err *err);
int mask_readonly(struct rootfs *r, const char *path, struct err *err);
void mask_done(struct mask *m);

#endif
