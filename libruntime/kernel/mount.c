/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One mount operation: find or make the place, make the mount, join the two. Sources are opened
 * before the place is made, so that a missing one leaves nothing behind. The place is a descriptor
 * from path.c, and nothing after that looks at its name (CVE-2019-18837, CVE-2021-30465).
 */
#include "kernel/mount.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/mount_copyup.h"
#include "kernel/mount_fs.h"
#include "kernel/mount_tree.h"
#include "kernel/rootfs.h"

#define DATA_MAX 4096 /* mount(2) takes a page */

static int fail(const struct mount_op *op, int code, struct err *err)
{
	const char *what = op->kind == MOUNT_BIND ? op->source : op->type;

	if (code == EACCES)
		err_hint(err,
			 "on the way is a directory of others: make the place in the root file "
			 "system, or give it to who is root in the container");
	else if (code == EPERM)
		err_hint(err, "it needs rights that this user, or the container's user namespace, "
			      "does not have");
	else if (code == ELOOP)
		err_hint(err, "symbolic links lead in a circle, or out of the root file system");
	else if (code == ENAMETOOLONG)
		err_hint(err, "a name has at most 255 bytes, a path 4095");
	return err_set(err, code, "mount %s on %s", what, op->target);
}

/* The place to mount on: what an image's author can do about it. */
static int fail_target(const struct mount_op *op, int code, struct err *err)
{
	if (code == EISDIR)
		err_hint(err, "a file goes on a file, and the destination is a directory");
	else if (code == ENOTDIR)
		err_hint(err, "a directory goes on a directory, and a file is in the way");
	else if (code == EROFS)
		err_hint(err, "it does not exist and cannot be made there: make it in the root");
	return fail(op, code, err);
}

static bool is_root(const struct mount_op *op)
{
	return op->target[strspn(op->target, "/")] == '\0';
}

/* proc and sysfs: on a directory that nobody can move elsewhere by a link (CVE-2019-19921,
 * CVE-2023-27561). */
static int open_ordinary(struct rootfs *r, const struct mount_op *op, struct err *err)
{
	int fd = path_open_nolink(r->fd, op->target, O_PATH | O_DIRECTORY);

	if (fd == -ENOENT) {
		AUTO_CLOSE int made = path_make_missing(r->fd, op->target);

		fd = made < 0 ? made : path_open_nolink(r->fd, op->target, O_PATH | O_DIRECTORY);
	}
	if (fd == -ELOOP || fd == -ENOTDIR)
		return err_set(err, -fd, "mount %s on %s: must be mounted on ordinary directory",
			       op->type, op->target);
	return fd < 0 ? fail_target(op, -fd, err) : fd;
}

/* The directory to mount on; *@ret_made: it was not there. */
static int open_dir(struct rootfs *r, const struct mount_op *op, bool *ret_made, struct err *err)
{
	int fd;

	*ret_made = false;
	if (op->no_symlink)
		return open_ordinary(r, op, err);
	fd = path_open(r->fd, op->target, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT) {
		*ret_made = true;
		fd = path_make_missing(r->fd, op->target);
	}
	return fd < 0 ? fail_target(op, -fd, err) : fd;
}

/* What is mounted on the root is the root from now on. */
static void replace_root(struct rootfs *r, const struct mount_op *op, int *mnt)
{
	if (is_root(op))
		fd_replace(&r->fd, fd_take(mnt));
}

/* The attributes of a mount that has no others below it. */
static struct mount_change single(const struct mount_op *op)
{
	struct mount_change c = {
		.set = (op->rec_set & ~op->attr_clr) | op->attr_set,
		.clr = (op->rec_clr & ~op->attr_set) | op->attr_clr,
		.soft = op->attr_soft & ~op->rec_set,
		.propagation = op->propagation,
	};

	if (op->late_readonly)
		c.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	return c;
}

typedef int changer(int fd, const struct mount_change *c);

/* The tree first, then its top, which may differ. */
static int change_tree(const struct mount_op *op, int fd, changer *with)
{
	struct mount_change whole = {.set = op->rec_set, .clr = op->rec_clr, .recursive = true};
	struct mount_change top = {
		.set = op->attr_set,
		.clr = op->attr_clr,
		.soft = op->attr_soft & ~op->rec_set,
		.propagation = op->propagation,
	};
	int r;

	if (op->late_readonly)
		top.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	if (op->propagation & MS_REC) {
		whole.propagation = op->propagation;
		top.propagation = 0;
	}
	r = with(fd, &whole);
	return r < 0 ? r : with(fd, &top);
}

static int change_with(const struct mount_op *op, int fd, changer *with)
{
	struct mount_change c = single(op);

	return op->recursive || op->kind == MOUNT_REMOUNT ? change_tree(op, fd, with)
							  : with(fd, &c);
}

/* Of a mount in its place. */
static int change(const struct mount_op *op, int fd, struct err *err)
{
	int r = change_with(op, fd, mount_tree_change);

	if (r == -ENOSYS)
		return err_kind(
			err, ERR_UNSUPPORTED, ENOSYS,
			"mount on %s: recursive attributes need mount_setattr(2) (Linux 5.12)",
			op->target);
	return r < 0 ? err_set(err, -r, "set the attributes of the mount on %s", op->target) : 0;
}

/* In a user namespace what the source forbids may not be lifted: kept where nobody asked, refused
 * where somebody did. Fills @ret, a copy of @op. */
static int keep_locked(const struct mount_op *op, int mnt, struct mount_op *ret, struct err *err)
{
	const uint64_t lockable =
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	const uint64_t times = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
	uint64_t now, want = op->attr_set & times;
	int r = mount_tree_attr(mnt, &now);

	if (r < 0)
		return err_set(err, -r, "look at the source %s", op->source);
	*ret = *op;
	ret->attr_soft &= ~(now & lockable);
	if ((op->attr_clr | op->rec_clr) & now & lockable & ~op->attr_set) {
		err_hint(err, "its source has the flag, and a user namespace may not lift it");
		return err_set(err, EPERM, "mount %s on %s", op->source, op->target);
	}
	if ((op->attr_clr & MOUNT_ATTR__ATIME) && want != (now & times)) {
		err_hint(err, "a user namespace may not change the kind of access time");
		return err_set(err, EPERM, "mount %s on %s", op->source, op->target);
	}
	return 0;
}

/* 0, or -errno as mount_tree_change_detached(). */
static int leave_peers(const struct mount_op *op, int mnt, changer *with)
{
	struct mount_change c = {.propagation = op->source_propagation};

	return op->source_propagation ? with(mnt, &c) : 0;
}

/* Give a detached mount its attributes and its place, so that it is never seen without them; where
 * mount_setattr(2) is missing, the other way round. */
static int attach(const struct mount_op *op, int mnt, int target, struct err *err)
{
	struct mount_op kept;
	int r = 0, e;

	if (op->locked) {
		r = keep_locked(op, mnt, &kept, err);
		if (r < 0)
			return r;
		op = &kept;
	}
	r = leave_peers(op, mnt, mount_tree_change_detached);
	if (r == 0)
		r = change_with(op, mnt, mount_tree_change_detached);
	if (r < 0 && !mount_tree_missing(r))
		return err_set(err, -r, "set the attributes of the mount on %s", op->target);
	e = mount_tree_attach(mnt, target);
	if (e < 0)
		return fail(op, -e, err);
	if (r == 0)
		return 0;
	r = leave_peers(op, mnt, mount_tree_change);
	if (r < 0)
		return err_set(err, -r, "take the mount on %s out of its peer group", op->target);
	return change(op, mnt, err);
}

/* After mount(2): find what has been mounted, change it. */
static int settle_old(struct rootfs *r, const struct mount_op *op, int target, int *ret,
		      struct err *err)
{
	int fd = is_root(op) ? -ENOSYS : mount_tree_reopen(r, op->target, target);

	if (fd == -ENOSYS)
		return err_kind(err, ERR_UNSUPPORTED, ENOSYS,
				"mount on %s: needs open_tree(2) (Linux 5.2)", op->target);
	if (fd < 0)
		return fail(op, -fd, err);
	*ret = fd;
	return 0;
}

/* The host's /proc or /sys with all that is mounted on it, in place of one that may not be made. */
static int apply_host(struct rootfs *r, const struct mount_op *op, int target, struct err *err)
{
	const char *source = str_eq(op->type, "proc") ? "/proc" : "/sys";
	struct mount_change c = {
		.set = op->attr_set | op->rec_set,
		.propagation = op->propagation,
		.recursive = true,
	};
	AUTO_CLOSE int tree = -1;
	int e;

	tree = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return fail(op, EPERM, err);
	/* The kind of access time may be locked in a user namespace; the host's stays. */
	c.set &= ~(uint64_t)(MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME);
	e = mount_tree_change_detached(tree, &c);
	if (e < 0)
		return err_set(err, -e, "set the attributes of the host's %s on %s", source,
			       op->target);
	e = mount_tree_attach(tree, target);
	if (e < 0)
		return fail(op, -e, err);
	replace_root(r, op, &tree);
	return 0;
}

static bool has_host_version(const struct mount_op *op)
{
	return str_eq(op->type, "proc") || str_eq(op->type, "sysfs");
}

static int apply_fs_old(struct rootfs *r, const struct mount_op *op, int target, const char *mode,
			struct err *err)
{
	struct mount_change c = single(op);
	const char *data = op->data ? op->data : "";
	char all[DATA_MAX];
	AUTO_CLOSE int mnt = -1;
	struct strbuf b;
	int e;

	strbuf_init(&b, all, sizeof(all));
	strbuf_add(&b, data);
	strbuf_add(&b, data[0] && mode[0] ? "," : "");
	strbuf_add(&b, mode);
	/* In quotes: its categories may have commas. */
	if (op->label)
		strbuf_fmt(&b, "%s%s=\"%s\"", b.len ? "," : "", op->label_key, op->label);
	if (b.overflow)
		return fail(op, E2BIG, err);
	e = mount_tree_new_old(op->source, target, op->type,
			       op->sb_flags | (op->copyup ? 0 : mount_tree_ms_flags(c.set)), all);
	if (e == -EPERM && has_host_version(op))
		return apply_host(r, op, target, err);
	if (e < 0)
		return fail(op, -e, err);
	if (!op->copyup && !op->propagation && !is_root(op))
		return 0;
	e = settle_old(r, op, target, &mnt, err);
	if (e == 0 && op->copyup)
		e = mount_copyup(target, mnt, err);
	return e < 0 ? e : change(op, mnt, err);
}

/* Is @name one of the comma-separated options of @data? */
static bool has_option(const char *data, const char *name)
{
	size_t len = strlen(name);

	for (; data && *data; data += strcspn(data, ","), data += *data == ',')
		if (str_starts(data, name) && data[len] == '=')
			return true;
	return false;
}

/* A tmpfs shows the mode of the directory it hides; 1777, its own default, where there was none. */
static int inherit_mode(const struct mount_op *op, int target, char *buf, size_t size)
{
	static const char digits[] = "01234567";
	struct strbuf b;
	struct stat st;

	strbuf_init(&b, buf, size);
	if (!str_eq(op->type, "tmpfs") || has_option(op->data, "mode"))
		return 0;
	if (fstat(target, &st) < 0)
		return -errno;
	strbuf_add(&b, "mode=");
	for (int shift = 9; shift >= 0; shift -= 3)
		strbuf_addc(&b, digits[(st.st_mode >> shift) & 7]);
	return 0;
}

static int apply_fs_new(struct rootfs *r, const struct mount_op *op, int target, const char *mode,
			struct err *err)
{
	struct mount_change c = single(op);
	struct mount_op rest = *op;
	AUTO_CLOSE int mnt = -1;
	int e;

	/* fsmount(2) sets the attributes; read-only has to wait for the copy. */
	rest.attr_set = rest.attr_clr = rest.rec_set = rest.rec_clr = 0;
	if (op->copyup) {
		rest.attr_set = c.set & MOUNT_ATTR_RDONLY;
		c.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	}
	e = mount_fs_make(op, mode, c.set, &mnt, err);
	if (e != 0)
		return e;
	if (op->copyup)
		e = mount_copyup(target, mnt, err);
	if (e == 0)
		e = attach(&rest, mnt, target, err);
	if (e == 0)
		replace_root(r, op, &mnt);
	return e;
}

static int apply_fs(struct rootfs *r, const struct mount_op *op, struct err *err)
{
	AUTO_CLOSE int target = -1;
	char mode[16] = "";
	bool made;
	int e;

	if (op->copyup && is_root(op))
		return err_kind(err, ERR_CONFIG, EINVAL, "mount %s on /: tmpcopyup of the root",
				op->type);
	target = open_dir(r, op, &made, err);
	if (target < 0)
		return target;
	if (op->dry)
		return mount_fs_look(op, err);
	e = made ? 0 : inherit_mode(op, target, mode, sizeof(mode));
	if (e < 0)
		return fail(op, -e, err);
	e = apply_fs_new(r, op, target, mode, err);
	return e == MOUNT_FS_OLD ? apply_fs_old(r, op, target, mode, err) : e;
}

/* A detached copy, or (@ret_plain) where that cannot be made a plain descriptor for mount(2). */
static int open_source(const struct mount_op *op, bool *ret_plain)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? AT_RECURSIVE : 0);
	bool link = op->source_nofollow || op->copy_symlink;
	int fd = sys_open_tree(AT_FDCWD, op->source, flags | (link ? AT_SYMLINK_NOFOLLOW : 0));

	*ret_plain = fd < 0 && mount_tree_missing(-errno);
	if (*ret_plain)
		fd = open(op->source, O_PATH | O_CLOEXEC | (link ? O_NOFOLLOW : 0));
	return fd < 0 ? -errno : fd;
}

int mount_open_source(const struct mount_op *op, struct err *err)
{
	bool plain;
	int fd = open_source(op, &plain);

	return fd < 0 ? err_set(err, -fd, "open %s to mount it on %s", op->source, op->target) : fd;
}

/* Was a descriptor that somebody else opened made by open_tree(2)? */
static bool lacks_open_tree(void)
{
	int fd = sys_open_tree(-1, "", AT_EMPTY_PATH);

	fd_close(fd);
	return fd < 0 && mount_tree_missing(-errno);
}

static int apply_bind_old(struct rootfs *r, const struct mount_op *op, int source, int target,
			  struct err *err)
{
	AUTO_CLOSE int mnt = -1;
	int e = mount_tree_bind_old(source, target, op->recursive);

	if (e < 0)
		return fail(op, -e, err);
	if (!op->attr_set && !op->attr_clr && !op->attr_soft && !op->rec_set && !op->rec_clr &&
	    !op->propagation && !is_root(op))
		return 0;
	e = settle_old(r, op, target, &mnt, err);
	return e < 0 ? e : change(op, mnt, err);
}

/* A link itself, if the target is one: not on a proc, where links are doors. -ENOENT: no link. */
static int open_link_target(struct rootfs *r, const struct mount_op *op)
{
	char name[NAME_MAX + 1];
	AUTO_CLOSE int dir = path_parent(r->fd, op->target, name, sizeof(name));
	AUTO_CLOSE int fd = -1;
	struct statfs fs;
	struct stat st;

	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode))
		return -ENOENT;
	return fs.f_type == PROC_SUPER_MAGIC ? -EPERM : fd_take(&fd);
}

/* The place for @source: a directory, or a file for what is none. */
static int open_bind_target(struct rootfs *r, const struct mount_op *op, int source,
			    struct err *err)
{
	struct stat st;
	bool made;
	int fd;

	if (fstat(source, &st) < 0)
		return fail(op, errno, err);
	if (op->target_nofollow) {
		fd = open_link_target(r, op);
		if (fd != -ENOENT)
			return fd < 0 ? fail(op, -fd, err) : fd;
	}
	if (S_ISDIR(st.st_mode))
		return open_dir(r, op, &made, err);
	fd = path_mkfile(r->fd, op->target);
	return fd < 0 ? fail_target(op, -fd, err) : fd;
}

static int bind_tree(struct rootfs *r, const struct mount_op *op, int source, bool plain,
		     struct err *err)
{
	AUTO_CLOSE int target = -1, mnt = -1;
	int e;

	target = open_bind_target(r, op, source, err);
	if (target < 0)
		return target;
	if (plain)
		return apply_bind_old(r, op, source, target, err);
	e = attach(op, source, target, err);
	if (e < 0 || !is_root(op))
		return e;
	mnt = openat(source, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mnt < 0)
		return fail(op, errno, err);
	replace_root(r, op, &mnt);
	return 0;
}

static int apply_symlink(struct rootfs *r, const struct mount_op *op, struct err *err);

/* A source that is a symlink, made again as it is. 1: it is none. */
static int copy_symlink(struct rootfs *r, const struct mount_op *op, int source, struct err *err)
{
	struct mount_op link = *op;
	char text[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstat(source, &st) < 0)
		return fail(op, errno, err);
	if (!S_ISLNK(st.st_mode))
		return 1;
	n = readlinkat(source, "", text, sizeof(text) - 1);
	if (n < 0)
		return fail(op, errno, err);
	text[n] = '\0';
	link.source = text;
	return apply_symlink(r, &link, err);
}

static int apply_bind(struct rootfs *r, const struct mount_op *op, int source, struct err *err)
{
	AUTO_CLOSE int own = -1;
	bool plain;
	int e = 1;

	if (source >= 0) {
		if (op->copy_symlink)
			e = copy_symlink(r, op, source, err);
		return e != 1 ? e : bind_tree(r, op, source, lacks_open_tree(), err);
	}
	own = open_source(op, &plain);
	if (own == -ENOENT && op->optional)
		return 0;
	if (own < 0)
		return err_set(err, -own, "open %s to mount it on %s", op->source, op->target);
	if (op->copy_symlink)
		e = copy_symlink(r, op, own, err);
	return e != 1 ? e : bind_tree(r, op, own, plain, err);
}

static int remount_old(const struct mount_op *op, int fd, struct err *err)
{
	char path[FD_PATH_SIZE];
	unsigned long flags = 0;
	int e = mount_tree_current(fd, &flags);

	if (e < 0)
		return err_set(err, -e, "remount %s", op->target);
	flags = (flags | op->sb_flags) & ~op->sb_clear;
	if (mount(NULL, fd_path(fd, path), NULL, MS_REMOUNT | flags, op->data) < 0)
		return err_set(err, errno, "remount %s", op->target);
	return 0;
}

/* Open what is mounted on the target. */
static int open_mounted(struct rootfs *r, const struct mount_op *op, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int e;

	fd = path_open(r->fd, op->target, O_PATH);
	if (fd < 0)
		return err_set(err, -fd, "open the mount on %s", op->target);
	e = mount_tree_is_root(fd);
	if (e == 0)
		return err_set(err, EINVAL, "nothing is mounted on %s", op->target);
	return e < 0 ? err_set(err, -e, "look at the mount on %s", op->target) : fd_take(&fd);
}

static int apply_remount(struct rootfs *r, const struct mount_op *op, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int e = 0;

	fd = open_mounted(r, op, err);
	if (fd < 0)
		return fd;
	if (op->sb_flags || op->sb_clear || (op->data && op->data[0]))
		e = mount_fs_reconfigure(op, fd, err);
	if (e == MOUNT_FS_OLD)
		e = remount_old(op, fd, err);
	return e < 0 ? e : change(op, fd, err);
}

static int apply_symlink(struct rootfs *r, const struct mount_op *op, struct err *err)
{
	char name[NAME_MAX + 1], text[PATH_MAX];
	AUTO_CLOSE int dir = -1;
	ssize_t n;

	dir = path_parent(r->fd, op->target, name, sizeof(name));
	if (dir < 0)
		return err_set(err, -dir, "link %s to %s", op->target, op->source);
	if (symlinkat(op->source, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(err, errno, "link %s to %s", op->target, op->source);
	n = readlinkat(dir, name, text, sizeof(text) - 1);
	if (n >= 0)
		text[n] = '\0';
	if (n >= 0 && str_eq(text, op->source))
		return 0;
	return err_set(err, EEXIST, "link %s to %s", op->target, op->source);
}

int mount_apply(struct rootfs *r, const struct mount_op *op, int source, struct err *err)
{
	switch (op->kind) {
	case MOUNT_FS:
		return apply_fs(r, op, err);
	case MOUNT_BIND:
		return apply_bind(r, op, source, err);
	case MOUNT_REMOUNT:
		return apply_remount(r, op, err);
	case MOUNT_SYMLINK:
		return apply_symlink(r, op, err);
	}
	return err_set(err, EINVAL, "mount on %s: no such kind", op->target);
}

/* By the descriptor of what is mounted: nobody can put another in its place. */
int mount_remove(struct rootfs *r, const struct mount_op *op, struct err *err)
{
	AUTO_CLOSE int fd = op->target_nofollow ? open_link_target(r, op) : -ENOENT;
	char name[32];

	if (fd == -ENOENT)
		fd = open_mounted(r, op, err);
	else if (fd < 0)
		return err_set(err, -fd, "open the mount on %s", op->target);
	if (fd < 0)
		return fd;
	snprintf(name, sizeof(name), "self/fd/%d", fd);
	if (fchdir(r->proc) < 0 || umount2(name, MNT_DETACH) < 0)
		return err_set(err, errno, "unmount %s", op->target);
	return 0;
}

int mount_finish(struct rootfs *r, const struct mount_op *op, struct err *err)
{
	struct mount_change c = {.set = MOUNT_ATTR_RDONLY};
	AUTO_CLOSE int fd = -1;
	int e;

	if (!op->late_readonly)
		return 0;
	fd = open_mounted(r, op, err);
	if (fd < 0)
		return fd;
	e = mount_tree_change(fd, &c);
	return e < 0 ? err_set(err, -e, "make the mount on %s read-only", op->target) : 0;
}
