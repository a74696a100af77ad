/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all mounting is made of: copies of trees, attributes, attaching, each on descriptors, and
 * the mount(2) ways of old kernels and narrow seccomp filters on /proc/self/fd/N. Within kernel/
 * only. Results are -errno; the child may call everything here.
 */
#ifndef OAKUM_KERNEL_MOUNT_TREE_H
#define OAKUM_KERNEL_MOUNT_TREE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

struct rootfs;

/* What is to change of a mount, or of all mounts of its tree. */
struct mount_change {
	uint64_t set, clr; /* MOUNT_ATTR_* */
	uint64_t soft; /* cleared too, unless that is not allowed (locked in a user namespace) */
	unsigned long propagation; /* MS_SHARED …, 0: leave; MS_REC: the whole tree */
	bool recursive;		   /* set, clr and soft are for the whole tree */
};

/* The answer of a system call that is not there, or that a seccomp filter forbids. */
static inline bool mount_tree_missing(int r)
{
	return r == -ENOSYS || r == -EPERM;
}

/* A detached copy of what @fd shows. */
int mount_tree_clone(int fd, bool recursive);

/* Put the detached @tree on what @target shows. @tree is the attached mount's root then. */
int mount_tree_attach(int tree, int target);

/* Apply @c to the mount whose root is @fd; with mount(2) where mount_setattr(2) is missing, which
 * needs an attached mount (-EINVAL) and cannot do trees (-ENOSYS). */
int mount_tree_change(int fd, const struct mount_change *c);

/* The same by mount_setattr(2) alone: for detached mounts. -ENOSYS or -EPERM may mean that it is
 * missing. */
int mount_tree_change_detached(int fd, const struct mount_change *c);

/* Attach @tree with @c done first, or where mount_setattr(2) is missing, afterwards. */
int mount_tree_place(int tree, int target, const struct mount_change *c);

/* 1: @fd is the root of a mount, 0: it is not. */
int mount_tree_is_root(int fd);

/* mount(2) with MS_BIND. */
int mount_tree_bind_old(int from, int target, bool recursive);

/* mount(2) of a file system; @flags as there. */
int mount_tree_new_old(const char *source, int target, const char *type, unsigned long flags,
		       const char *data);

/* MS_* for MOUNT_ATTR_*; and those that the mount of @fd has. */
unsigned long mount_tree_ms_flags(uint64_t attr);
int mount_tree_current(int fd, unsigned long *ret_ms);
/* MOUNT_ATTR_* that the mount of @fd has; relatime, the default, is no bit of them. */
int mount_tree_attr(int fd, uint64_t *ret);

/*
 * The mount that mount(2) has just put on @target, by its @path in the root: there is no other way
 * to it. Refused (-ESTALE) unless it is the root of a mount other than @target's, so that an
 * exchanged @path gives an error.
 */
int mount_tree_reopen(const struct rootfs *r, const char *path, int target);

#endif
