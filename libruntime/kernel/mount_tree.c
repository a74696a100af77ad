/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The primitives of mounting, new way and old. What they are used for is in mount.c, mask.c, dev.c,
 * rootfs.c. */
#include "kernel/mount_tree.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/rootfs.h"

#define PROPAGATIONS (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

static const struct {
	uint64_t attr;
	unsigned long ms, st;
} flags_table[] = {
	{MOUNT_ATTR_RDONLY, MS_RDONLY, ST_RDONLY},
	{MOUNT_ATTR_NOSUID, MS_NOSUID, ST_NOSUID},
	{MOUNT_ATTR_NODEV, MS_NODEV, ST_NODEV},
	{MOUNT_ATTR_NOEXEC, MS_NOEXEC, ST_NOEXEC},
	{MOUNT_ATTR_NOATIME, MS_NOATIME, ST_NOATIME},
	{MOUNT_ATTR_STRICTATIME, MS_STRICTATIME, 0},
	{MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, ST_NODIRATIME},
	{MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW, 0x2000 /* ST_NOSYMFOLLOW, Linux 5.10 */},
};

int mount_tree_clone(int fd, bool recursive)
{
	unsigned flags = AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	int tree = sys_open_tree(fd, "", flags | (recursive ? AT_RECURSIVE : 0));

	return tree < 0 ? -errno : tree;
}

int mount_tree_attach(int tree, int target)
{
	int r = sys_move_mount(tree, "", target, "",
			       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);

	return r < 0 ? -errno : 0;
}

int mount_tree_is_root(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &st) < 0)
		return -errno;
	return !!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

unsigned long mount_tree_ms_flags(uint64_t attr)
{
	unsigned long ms = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags_table); i++)
		if (attr & flags_table[i].attr)
			ms |= flags_table[i].ms;
	return ms;
}

int mount_tree_attr(int fd, uint64_t *ret)
{
	struct statvfs st;
	uint64_t attr = 0;

	if (fstatvfs(fd, &st) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(flags_table); i++)
		if (st.f_flag & flags_table[i].st)
			attr |= flags_table[i].attr;
	if (!(st.f_flag & (ST_NOATIME | ST_RELATIME)))
		attr |= MOUNT_ATTR_STRICTATIME;
	*ret = attr;
	return 0;
}

static unsigned long with_relatime(uint64_t attr)
{
	return mount_tree_ms_flags(attr) | (attr & MOUNT_ATTR__ATIME ? 0 : MS_RELATIME);
}

int mount_tree_current(int fd, unsigned long *ret_ms)
{
	uint64_t attr = 0;
	int r = mount_tree_attr(fd, &attr);

	if (r == 0)
		*ret_ms = with_relatime(attr);
	return r;
}

static int remount(int fd, uint64_t attr)
{
	unsigned long flags = MS_REMOUNT | MS_BIND | with_relatime(attr);
	char path[FD_PATH_SIZE];

	return mount(NULL, fd_path(fd, path), NULL, flags, NULL) < 0 ? -errno : 0;
}

static int change_old(int fd, const struct mount_change *c)
{
	char path[FD_PATH_SIZE];
	uint64_t attr = 0;
	int r;

	if (c->set || c->clr || c->soft) {
		if (c->recursive)
			return -ENOSYS;
		r = mount_tree_attr(fd, &attr);
		if (r < 0)
			return r;
		r = remount(fd, (attr & ~(c->clr | c->soft)) | c->set);
		if (r == -EPERM && c->soft)
			r = remount(fd, (attr & ~c->clr) | c->set);
		if (r < 0)
			return r;
	}
	if (c->propagation && mount(NULL, fd_path(fd, path), NULL, c->propagation, NULL) < 0)
		return -errno;
	return 0;
}

static int set_attr(int fd, const struct mount_attr *attr, bool recursive)
{
	struct mount_attr copy = *attr;
	unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	if (!copy.attr_set && !copy.attr_clr && !copy.propagation)
		return 0;
	return sys_mount_setattr(fd, "", flags, &copy) < 0 ? -errno : 0;
}

int mount_tree_change_detached(int fd, const struct mount_change *c)
{
	struct mount_attr attr = {
		.attr_set = c->set,
		.attr_clr = c->clr | c->soft,
	};
	struct mount_attr spread = {.propagation = c->propagation & PROPAGATIONS};
	bool deep = c->propagation & MS_REC;
	int r;

	/* One call where both go equally deep. */
	if (spread.propagation && deep == c->recursive) {
		attr.propagation = spread.propagation;
		spread.propagation = 0;
	}
	r = set_attr(fd, &attr, c->recursive);
	if (r == -EPERM && c->soft) {
		attr.attr_clr = c->clr;
		r = set_attr(fd, &attr, c->recursive);
	}
	return r < 0 ? r : set_attr(fd, &spread, deep);
}

int mount_tree_change(int fd, const struct mount_change *c)
{
	int r = mount_tree_change_detached(fd, c), old;

	if (!mount_tree_missing(r))
		return r;
	old = change_old(fd, c);
	return r == -EPERM && old < 0 ? r : old;
}

int mount_tree_place(int tree, int target, const struct mount_change *c)
{
	int changed = mount_tree_change_detached(tree, c), r;

	if (changed < 0 && !mount_tree_missing(changed))
		return changed;
	r = mount_tree_attach(tree, target);
	return r < 0 || changed == 0 ? r : mount_tree_change(tree, c);
}

int mount_tree_bind_old(int from, int target, bool recursive)
{
	char from_path[FD_PATH_SIZE], target_path[FD_PATH_SIZE];
	unsigned long flags = MS_BIND | (recursive ? MS_REC : 0);

	if (mount(fd_path(from, from_path), fd_path(target, target_path), NULL, flags, NULL) < 0)
		return -errno;
	return 0;
}

int mount_tree_new_old(const char *source, int target, const char *type, unsigned long flags,
		       const char *data)
{
	char path[FD_PATH_SIZE];

	if (mount(source, fd_path(target, path), type, flags, data) < 0)
		return -errno;
	return 0;
}

static int mount_id(int fd, uint64_t *ret)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) < 0)
		return -errno;
	*ret = st.stx_mnt_id;
	return st.stx_mask & STATX_MNT_ID ? 0 : -ENOSYS;
}

int mount_tree_reopen(const struct rootfs *r, const char *path, int target)
{
	AUTO_CLOSE int fd = -1;
	uint64_t there, below;
	int e;

	fd = path_open(r->fd, path, O_PATH);
	if (fd < 0)
		return fd;
	e = mount_tree_is_root(fd);
	if (e < 0)
		return e;
	if (e == 0)
		return -ESTALE;
	e = mount_id(fd, &there);
	if (e == 0)
		e = mount_id(target, &below);
	if (e < 0)
		return e;
	return there == below ? -ESTALE : fd_take(&fd);
}
