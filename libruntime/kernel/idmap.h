/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Id-mapped mounts (mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12): the owners on a file system
 * show through the mount as others. The mapping is a user namespace. Only a process with
 * CAP_SYS_ADMIN over the file system may do it, so a container's first process in a user namespace
 * of its own may not: its parent does it on the detached tree.
 */
#ifndef OAKUM_KERNEL_IDMAP_H
#define OAKUM_KERNEL_IDMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/ns.h"

struct arena;
struct err;

/* Whose ids a mount maps. */
enum idmap_kind {
	IDMAP_NONE,
	IDMAP_CONTAINER, /* those of the container's user namespace */
	IDMAP_OWN,	 /* ->uids and ->gids */
};

/* ->container is the id on the file system, ->host the one it shows as. */
struct idmap {
	enum idmap_kind kind;
	bool recursive; /* the whole tree, not only its top */
	struct ns_idmaps uids, gids;
};

/*
 * The text behind "idmap=": "uids=0-1000-10#10-2000-1;gids=0-1000-10", each triple the first id on
 * the file system, the first it shows as, and how many. '@' before a triple: the second is an id in
 * the container, to be translated by its user namespace's mappings @uids and @gids, range by range,
 * as far as they go.
 * A kind that is left out is mapped as the container's ids are. 0 and *@ret (arrays in @arena, or
 * the container's), or < 0 with @err. Pure.
 */
struct idmap_relative {
	struct ns_idmaps uids, gids;
};
int idmap_parse(const char *text, const struct idmap_relative *container, struct arena *arena,
		struct idmap *ret, struct err *err);

/* A user namespace with these mappings: a descriptor, or < 0 with @err. Makes a child for a moment:
 * for the parent only. */
int idmap_userns(const struct idmap *map, struct err *err);

/* Map the ids of the detached tree @tree by the user namespace @userns. */
int idmap_apply(int tree, int userns, bool recursive, struct err *err);

#endif
