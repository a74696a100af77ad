/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container's root as one descriptor: bound to itself in the new mount namespace, filled
 * by the other files of this folder, entered by pivot_root(2). All of it runs in the child.
 */
#ifndef OAKUM_KERNEL_ROOTFS_H
#define OAKUM_KERNEL_ROOTFS_H

#include <stdbool.h>

struct err;

struct rootfs {
	int fd;		  /* O_PATH of the new root mount */
	int proc;	  /* private procfs (never the one a config mounts), see procfs_open() */
	const char *path; /* for messages only */
	bool userns;	  /* in a new user namespace: device nodes are bound, not made */
	bool old_shared;  /* rootfs_enter(): the host's peers may see mounts of the old root */
};

#define ROOTFS_INIT ((struct rootfs){.fd = -1, .proc = -1})

/*
 * A procfs for our own use: fsopen("proc") + fsmount(2), of the caller's pid namespace, on no
 * mount tree. Where that is refused (no new pid namespace in a user namespace), a descriptor of
 * /proc checked with fstatfs(2). Written to only below self/ and sys/. -errno, or the descriptor.
 * Call it in the child before anything of the container can run.
 */
int procfs_open(struct err *err);

/*
 * Take the whole tree of this mount namespace out of the host's propagation (@propagation:
 * MS_SLAVE or MS_PRIVATE, with MS_REC, or the spec's rootfsPropagation as MS_* bits), make the
 * parent mount of @path private where it is shared (pivot_root demands it), bind @path on itself
 * recursively and open it. Fills @r->fd. 0, or < 0 with @err.
 */
int rootfs_enter(struct rootfs *r, const char *path, unsigned long propagation, struct err *err);

/*
 * For a rehearsal: cover @path in this mount namespace with an overlay of itself, so that nothing
 * that is done to the root reaches it. First of all; the namespace is of no other use afterwards.
 * 0; ROOTFS_BARE: that cannot be done here (no overlay, or not for us); < 0 with @err.
 */
enum { ROOTFS_BARE = 1 };
int rootfs_cover(const struct rootfs *r, const char *path, int ready, struct err *err);
/* The same as a tree for @ready (else -1), which then belongs to us and not to the user namespace
 * of who puts it there: changes of what is not mapped in that are as they would be. For a process
 * of its own, which it takes into a mount namespace. The descriptor, or -errno. */
int rootfs_make_cover(const char *path);

/* Remount the root read-only (the top mount only). Before or after rootfs_pivot(). */
int rootfs_readonly(struct rootfs *r, struct err *err);

/* pivot_root(".", "."), detach the old root, chdir("/"). Applies the final @propagation
 * (0: leave) to the root's own mount; MS_REC is ignored, so that each mount below keeps its own. */
int rootfs_pivot(struct rootfs *r, unsigned long propagation, struct err *err);

/* --no-pivot: unmount what would show the host's proc and sysfs, MS_MOVE the root to "/", chroot.
 */
int rootfs_move(struct rootfs *r, struct err *err);

/* No mount namespace at all: chroot(2) only; nothing on the host is mounted or changed. */
int rootfs_chroot(struct rootfs *r, struct err *err);

#endif
