/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device nodes for a container in a user namespace. Nobody in there may make one, and one that was
 * made would not open; the host's own is bound where it has it under that name. What is left is
 * made by us in the state directory, and bound from there: it has the owner and mode that were
 * asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "run/creation.h"

static int find_owner(struct creation *c, const struct dev_node *n, uint32_t ret[2])
{
	bool uid = userns_host_id(&c->plan->uids, n->uid, &ret[0]);

	if (uid && userns_host_id(&c->plan->gids, n->gid, &ret[1]))
		return 0;
	err_pointer(c->err, "/linux/devices/%d/%s", n->index, uid ? "gid" : "uid");
	err_hint(c->err, "map it in /linux/uidMappings and gidMappings, or name another owner");
	return err_kind(c->err, ERR_CONFIG, 0,
			"device %s: its owner is not mapped in the user namespace", n->path);
}

/* On a mount of its own, without the "nodev" that /run has. */
static int show(int dir, const char *name)
{
	struct mount_attr open_devices = {.attr_clr = MOUNT_ATTR_NODEV};
	AUTO_CLOSE int tree =
		sys_open_tree(dir, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	if (tree < 0 || sys_mount_setattr(tree, "", AT_EMPTY_PATH, &open_devices) < 0)
		return -errno;
	return fd_take(&tree);
}

/* A tree, or -EPERM: we are nobody who may make it. */
static int make(struct creation *c, const struct dev_node *n, struct err *err)
{
	const mode_t type = n->type == 'b' ? S_IFBLK : S_IFCHR;
	uint32_t owner[2] = {0, 0};
	char name[32];
	int r = find_owner(c, n, owner);

	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "device-%d", n->index);
	if (mknodat(c->dir, name, type | 0600, makedev(n->major, n->minor)) < 0)
		return errno == EPERM ? -EPERM : err_set(err, errno, "device %s", n->path);
	if (fchownat(c->dir, name, owner[0], owner[1], AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(c->dir, name, n->mode, 0) < 0)
		return err_set(err, errno, "device %s", n->path);
	r = show(c->dir, name);
	return r < 0 ? err_set(err, -r, "device %s", n->path) : r;
}

static bool host_has(const struct dev_node *n)
{
	const mode_t type = n->type == 'b' ? S_IFBLK : S_IFCHR;
	struct stat st;

	return stat(n->path, &st) == 0 && (st.st_mode & S_IFMT) == type &&
	       st.st_rdev == makedev(n->major, n->minor);
}

int creation_would_lend(struct creation *c, const struct dev_node *n)
{
	const struct plan *p = c->plan;
	uint32_t owner[2];
	int r;

	if (!(p->namespaces & CLONE_NEWUSER) || !p->mounts_namespace || n->index < 0 ||
	    n->type == 'p' || host_has(n))
		return 0;
	r = find_owner(c, n, owner);
	return r < 0 ? r : CREATION_LENDS;
}

int creation_lend_devices(struct creation *c)
{
	const struct plan *p = c->plan;

	if (!(p->namespaces & CLONE_NEWUSER) || !p->mounts_namespace)
		return 0;
	c->devices = arena_array(&c->arena, p->n_devices + 1, sizeof(int));
	if (!c->devices)
		return err_set(c->err, ENOMEM, "make devices");
	for (size_t i = 0; i < p->n_devices; i++)
		c->devices[i] = -1;
	for (size_t i = 0; i < p->n_devices; i++) {
		int r = creation_would_lend(c, &p->devices[i]);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		c->devices[i] = make(c, &p->devices[i], c->err);
		/* The child says what is missing then. */
		if (c->devices[i] < 0 && c->devices[i] != -EPERM)
			return c->devices[i];
	}
	return 0;
}
