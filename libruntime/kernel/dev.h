/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device nodes and links of the container, made on a descriptor of its verified /dev.
 * In a user namespace a node is a bind of the host's. The child calls all of it, before pivot_root.
 */
#ifndef OAKUM_KERNEL_DEV_H
#define OAKUM_KERNEL_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct rootfs;

struct dev_node {
	const char *path; /* absolute in the container: "/dev/null" */
	char type;	  /* 'c' 'b' 'p' */
	uint32_t major, minor;
	uint32_t mode; /* permission bits */
	uint32_t uid, gid;
	bool is_default; /* one of ours: an existing node of the same kind is kept */
	int index;	 /* in linux.devices, -1: a default one */
};

/* null zero full random urandom tty, mode 0666. */
extern const struct dev_node dev_defaults[];
extern const size_t dev_defaults_count;

/* Make one node with its parents. Existing: same type and rdev is adjusted, another is an error.
 * @lent: a detached mount of such a node, which stays the caller's, or -1: made here, or the
 * host's. */
int dev_make(struct rootfs *r, const struct dev_node *n, int lent, struct err *err);

/* /dev/fd stdin stdout stderr core(if /proc/kcore exists), ptmx -> pts/ptmx. Existing right ones
 * are kept. */
int dev_links(struct rootfs *r, struct err *err);

/*
 * Put the terminal @slave (a descriptor of the pty's slave) on /dev/console: a detached clone of
 * its mount (open_tree by descriptor) moved onto a file made with O_EXCL|O_NOFOLLOW. Never by the
 * name /dev/pts/N.
 */
int dev_console(struct rootfs *r, int slave, struct err *err);

/*
 * Stdio that is a fake null: for fds 0…2, a descriptor whose name is /dev/null is replaced by the
 * container's own verified null (character device 1:3, opened O_NOFOLLOW), so that the container
 * does not keep the host's; others stay. After pivot_root.
 */
int dev_reopen_null(struct err *err);

/* fchown(2) stdio that is a pipe or socket or FIFO to the container's user so that it can reopen
 * /dev/std*; never a device, regular file or anything not verified. EROFS and EPERM are no
 * failures. */
int dev_chown_stdio(uint32_t uid, uint32_t gid, struct err *err);

#endif
