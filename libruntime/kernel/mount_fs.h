/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new file system as a detached mount, or the superblock of one that is there. Within kernel/
 * only. */
#ifndef OAKUM_KERNEL_MOUNT_FS_H
#define OAKUM_KERNEL_MOUNT_FS_H

#include <stdint.h>

struct err;
struct mount_op;

/* The new mount API is missing, refused, or cannot say what the options say: mount(2) may. */
enum { MOUNT_FS_OLD = 1 };

/*
 * fsopen, options, fsmount with @attr (MOUNT_ATTR_*). @mode: one more option, or "". 0 and the
 * detached mount in
 * *@ret, MOUNT_FS_OLD, or < 0 with @err, which names the option and what the kernel's log of it
 * says. The child calls it.
 */
int mount_fs_make(const struct mount_op *op, const char *mode, uint64_t attr, int *ret,
		  struct err *err);

/* What mount_fs_make() would say of the options before there is a file system. 0, or < 0 with @err.
 */
int mount_fs_look(const struct mount_op *op, struct err *err);

/* Change the superblock of the mount @fd as op->sb_flags, sb_clear and data say. 0, MOUNT_FS_OLD, <
 * 0. */
int mount_fs_reconfigure(const struct mount_op *op, int fd, struct err *err);

#endif
