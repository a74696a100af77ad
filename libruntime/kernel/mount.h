/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One mount of the container, as data: what the plan decided from an entry of "mounts", done
 * with the new mount API on descriptors below the root (fallback: mount(2) on /proc/self/fd/N).
 */
#ifndef OAKUM_KERNEL_MOUNT_H
#define OAKUM_KERNEL_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/idmap.h"

struct arena;
struct err;
struct rootfs;

enum mount_kind {
	MOUNT_FS,      /* a new file system: fsopen(type), options, fsmount */
	MOUNT_BIND,    /* bind or rbind of source */
	MOUNT_REMOUNT, /* change the attributes of what is mounted at target ("remount" without
			  bind) */
	MOUNT_SYMLINK, /* not a mount: a link at target with the text source (cgroup v1 "cpu" ->
			  "cpu,cpuacct") */
};

struct mount_op {
	enum mount_kind kind;
	const char *target; /* in the container, absolute, clean */
	const char *source; /* bind: host path, absolute. fs: its source string. */
	const char *type;   /* fs only */
	const char *data;   /* fs options "size=64m,mode=755" as mount(2) takes them, or "" */
	uint64_t attr_set, attr_clr; /* MOUNT_ATTR_* of the top mount */
	uint64_t attr_soft; /* bind with attributes: those not asked for, cleared where that is
			       allowed */
	uint64_t rec_set, rec_clr; /* MOUNT_ATTR_* of the whole tree */
	unsigned long sb_flags; /* MS_RDONLY MS_SYNCHRONOUS MS_DIRSYNC MS_MANDLOCK MS_LAZYTIME …:
				   the superblock; not for binds */
	unsigned long sb_clear;
	unsigned long propagation;	  /* MS_PRIVATE … with MS_REC, or 0 */
	unsigned long source_propagation; /* bind: made of its tree before that, since one that the
					     parent opened is still in the host's peer groups; or
					     0 */
	bool recursive;			  /* rbind */
	bool copyup;			  /* tmpfs filled with what it hides */
	bool optional;			  /* a source that does not exist is skipped */
	bool late_readonly;   /* "ro" is applied by mount_finish(), when /dev has its nodes */
	bool no_symlink;      /* refuse a symlink anywhere in target: /proc and /sys */
	bool copy_symlink;    /* a source that is a symlink is made again, not mounted */
	bool source_nofollow; /* a source that is a symlink is mounted itself */
	bool target_nofollow; /* mount on a link at target itself */
	bool locked; /* bind in a user namespace: what its source forbids stays forbidden */
	const char *label, *label_key; /* fs: SELinux label, and the option that takes it; NULL */
	struct idmap idmap;	       /* bind only */
	const char *idmap_text;	       /* crun's mapping in the option, not parsed yet; or NULL */
	bool dry;  /* fs: its mount point is made and its options are looked at; not mounted */
	int index; /* in "mounts" of config.json, -1: ours */
};

/*
 * Turn the options of one mount entry into @op (kind, attributes, propagation, data …); target,
 * source and type are set by the caller first. Pure. Knows every option of runc and crun of
 * config-linux.md, runc and crun; 0, or < 0 with @err: an option that is not known for a bind or
 * is an error that names it and its index. Of idmap the kind and the text are set, not the mapping.
 */
int mount_parse_options(struct mount_op *op, const char *const *options, size_t n,
			struct arena *arena, struct err *err);

/* Every option word known, for `features`; ends in NULL. */
const char *const *mount_option_names(void);

/*
 * Open the source of a bind as a detached copy of its tree (open_tree(OPEN_TREE_CLONE)), by the
 * caller's view of the host. A descriptor, or < 0 with @err. Parent or child.
 */
int mount_open_source(const struct mount_op *op, struct err *err);

/*
 * Do it: make the mount point (a directory, or a file where the source is none), mount, set the
 * attributes.
 * @source: a tree from mount_open_source() that stays the caller's, or -1: opened here. The child
 * calls it. A proc that may not be mounted (user namespace, masked host /proc) and a sysfs without
 * an own network namespace fall back to a bind of the host's, as both peers do.
 */
int mount_apply(struct rootfs *r, const struct mount_op *op, int source, struct err *err);

/* False: this kernel has no such file system, and no module of it. */
bool mount_fs_known(const char *type);

/*
 * Take away what is mounted on @op's target, with all below it, at once for names and for whoever
 * has it open when that is closed. @r has a procfs of our own pid namespace; changes the working
 * directory.
 */
int mount_remove(struct rootfs *r, const struct mount_op *op, struct err *err);

/* What had to wait: ro of /dev and of late_readonly mounts. */
int mount_finish(struct rootfs *r, const struct mount_op *op, struct err *err);

#endif
