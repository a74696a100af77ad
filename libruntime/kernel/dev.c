/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nodes and links below the container's /dev. The directory is a descriptor from path.c, a /dev
 * that is a link leads nowhere but inside the root (CVE-2026-41579, CVE-2026-47766), the last
 * component is never followed, and what is there already is judged by type and number, never by its
 * name (CVE-2026-88264, CVE-2026-88265).
 */
#include "kernel/dev.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/mount_tree.h"
#include "kernel/rootfs.h"

#define NULL_RDEV makedev(1, 3)
#define PTMX_RDEV makedev(5, 2)

#define DEFAULT(name, major_, minor_)                                                              \
	{                                                                                          \
		.path = "/dev/" name, .type = 'c', .major = major_, .minor = minor_, .mode = 0666, \
		.is_default = true, .index = -1                                                    \
	}

const struct dev_node dev_defaults[] = {
	DEFAULT("null", 1, 3),	 DEFAULT("zero", 1, 5),	   DEFAULT("full", 1, 7),
	DEFAULT("random", 1, 8), DEFAULT("urandom", 1, 9), DEFAULT("tty", 5, 0),
};
const size_t dev_defaults_count = ARRAY_SIZE(dev_defaults);

static mode_t type_of(const struct dev_node *n)
{
	return n->type == 'b' ? S_IFBLK : n->type == 'p' ? S_IFIFO : S_IFCHR;
}

static dev_t rdev_of(const struct dev_node *n)
{
	return n->type == 'p' ? 0 : makedev(n->major, n->minor);
}

static bool is_same(const struct stat *st, const struct dev_node *n)
{
	return (st->st_mode & S_IFMT) == type_of(n) &&
	       (n->type == 'p' || st->st_rdev == rdev_of(n));
}

static int fail(const struct dev_node *n, int code, struct err *err)
{
	return err_set(err, code, "device %s", n->path);
}

/* "self/fd/N" in our own procfs, or the host's name for it. */
static int change_mode(const struct rootfs *r, int fd, mode_t mode)
{
	char path[FD_PATH_SIZE];
	const char *name = fd_path(fd, path);
	int dir = AT_FDCWD;

	if (r->proc >= 0) {
		dir = r->proc;
		name += strlen("/proc/");
	}
	return fchmodat(dir, name, mode, 0) < 0 ? -errno : 0;
}

/* Owner first: changing it clears set-id bits. */
static int adjust(const struct rootfs *r, const struct dev_node *n, int fd, const struct stat *st)
{
	bool owner = st->st_uid != n->uid || st->st_gid != n->gid;

	if (owner && fchownat(fd, "", n->uid, n->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	if (owner || (st->st_mode & 07777) != n->mode)
		return change_mode(r, fd, n->mode);
	return 0;
}

/* What @name in @dir is, unfollowed; a descriptor, or -errno. */
static int look(int dir, const char *name, struct stat *ret)
{
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* Bring what is there to what was asked for; @made: it is ours. */
static int check_node(struct rootfs *r, const struct dev_node *n, int dir, const char *name,
		      bool made, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int e;

	fd = look(dir, name, &st);
	if (fd < 0)
		return fail(n, -fd, err);
	if (!is_same(&st, n)) {
		err_hint(err, "remove it from the root, or the device from /linux/devices");
		return err_set(err, EEXIST, "device %s: something else is there", n->path);
	}
	if (n->is_default && !made)
		return 0;
	e = adjust(r, n, fd, &st);
	return e < 0 ? fail(n, -e, err) : 0;
}

/* mknodat(2) with a mode that no umask changes. */
static int make_node(const struct dev_node *n, int dir, const char *name)
{
	mode_t old = umask(0);
	int r = mknodat(dir, name, type_of(n) | n->mode, rdev_of(n)) < 0 ? -errno : 0;

	if (old)
		umask(old);
	return r;
}

/* The host's node of the same name, if it is the same device. */
static int open_host(const struct dev_node *n, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;

	fd = open(n->path, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		err_hint(err, "in a user namespace the host's node is lent: it has to be there");
		return err_set(err, errno, "device %s: open the host's", n->path);
	}
	if (fstat(fd, &st) < 0)
		return fail(n, errno, err);
	if (!is_same(&st, n)) {
		err_hint(err, "make the host's node with these numbers, or name another path");
		return err_set(err, ENODEV, "device %s: the host's is another one", n->path);
	}
	return fd_take(&fd);
}

/* An empty file to bind on. >0: it is the device already; *@ret_fd: opened. */
static int make_place(const struct dev_node *n, int dir, const char *name, int *ret_fd,
		      struct err *err)
{
	const int flags = O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	AUTO_CLOSE int made = openat(dir, name, flags, 0644), fd = -1;
	struct stat st;

	if (made < 0 && errno != EEXIST)
		return fail(n, errno, err);
	fd = look(dir, name, &st);
	if (fd < 0)
		return fail(n, -fd, err);
	if (is_same(&st, n))
		return 1;
	if (!S_ISREG(st.st_mode)) {
		err_hint(err, "remove it from the root, or the device from /linux/devices");
		return err_set(err, EEXIST, "device %s: something else is there", n->path);
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

static int bind_node(struct rootfs *r, const struct dev_node *n, int dir, const char *name,
		     int lent, struct err *err)
{
	/* Writing to a device takes no writable mount, changing the host's node does. */
	static const struct mount_change harmless = {
		.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	};
	AUTO_CLOSE int host = -1, tree = -1, place = -1;
	int e;

	e = make_place(n, dir, name, &place, err);
	if (e != 0)
		return e < 0 ? e : 0;
	if (lent >= 0) {
		e = mount_tree_place(lent, place, &harmless);
		return e < 0 ? fail(n, -e, err) : 0;
	}
	host = open_host(n, err);
	if (host < 0)
		return host;
	tree = mount_tree_clone(host, false);
	if (tree >= 0) {
		e = mount_tree_place(tree, place, &harmless);
	} else if (mount_tree_missing(tree)) {
		e = mount_tree_bind_old(host, place, false);
		if (e == 0)
			e = tree = mount_tree_reopen(r, n->path, place);
		if (e >= 0)
			e = mount_tree_change(tree, &harmless);
	} else {
		e = tree;
	}
	return e < 0 ? fail(n, -e, err) : 0;
}

/* A new node is right but for what its directory gave it: the group, or an ACL's mask. */
static bool is_as_asked(const struct dev_node *n, int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_same(&st, n) &&
	       (st.st_mode & 07777) == n->mode && st.st_uid == n->uid && st.st_gid == n->gid;
}

int dev_make(struct rootfs *r, const struct dev_node *n, int lent, struct err *err)
{
	char name[NAME_MAX + 1];
	AUTO_CLOSE int dir = -1;
	int e;

	dir = path_parent(r->fd, n->path, name, sizeof(name));
	if (dir < 0)
		return fail(n, -dir, err);
	/* In a user namespace a node that could be made would not open; a FIFO does. */
	if (r->userns && n->type != 'p')
		return bind_node(r, n, dir, name, lent, err);
	e = make_node(n, dir, name);
	if (e == -EPERM)
		return bind_node(r, n, dir, name, lent, err);
	if (e < 0 && e != -EEXIST)
		return fail(n, -e, err);
	if (e == 0 && is_as_asked(n, dir, name))
		return 0;
	return check_node(r, n, dir, name, e == 0, err);
}

static const struct link {
	const char *name, *text, *also;
} links[] = {
	{"fd", "/proc/self/fd", "/proc/self/fd/"}, {"stdin", "/proc/self/fd/0", "fd/0"},
	{"stdout", "/proc/self/fd/1", "fd/1"},	   {"stderr", "/proc/self/fd/2", "fd/2"},
	{"core", "/proc/kcore", "/proc/kcore"},	   {"ptmx", "pts/ptmx", "/dev/pts/ptmx"},
};

static bool is_ptmx(const struct link *l)
{
	return str_eq(l->name, "ptmx");
}

/* 1: what is there does. */
static int check_link(int dev, const struct link *l)
{
	char text[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstatat(dev, l->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (is_ptmx(l) && S_ISCHR(st.st_mode) && st.st_rdev == PTMX_RDEV)
		return 1;
	if (!S_ISLNK(st.st_mode))
		return 0;
	n = readlinkat(dev, l->name, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return str_eq(text, l->text) || str_eq(text, l->also);
}

static int make_link(int dev, const struct link *l, struct err *err)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		int r;

		if (symlinkat(l->text, dev, l->name) == 0)
			return 0;
		if (errno != EEXIST)
			return err_set(err, errno, "link /dev/%s", l->name);
		r = check_link(dev, l);
		if (r < 0)
			return err_set(err, -r, "link /dev/%s", l->name);
		if (r > 0)
			return 0;
		/* An image's own ptmx opens no terminal of the container's devpts. */
		if (!is_ptmx(l) || unlinkat(dev, l->name, 0) < 0)
			break;
	}
	return err_set(err, EEXIST, "link /dev/%s to %s: something else is there", l->name,
		       l->text);
}

static bool is_wanted(const struct rootfs *r, const struct link *l)
{
	if (!str_eq(l->name, "core"))
		return true;
	if (r->proc >= 0)
		return faccessat(r->proc, "kcore", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return access("/proc/kcore", F_OK) == 0;
}

int dev_links(struct rootfs *r, struct err *err)
{
	AUTO_CLOSE int dev = -1;

	dev = path_mkdirs(r->fd, "/dev");
	if (dev < 0)
		return err_set(err, -dev, "open /dev of the container");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		int e = is_wanted(r, &links[i]) ? make_link(dev, &links[i], err) : 0;

		if (e < 0)
			return e;
	}
	return 0;
}

/* A file for the terminal: made here, or a file or device that is no link (an earlier console). */
static int make_console(int dir, const char *name, struct err *err)
{
	const int flags = O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	AUTO_CLOSE int made = openat(dir, name, flags, 0600), fd = -1;
	struct stat st;

	if (made < 0 && errno != EEXIST)
		return err_set(err, errno, "make /dev/console");
	fd = look(dir, name, &st);
	if (fd < 0)
		return err_set(err, -fd, "open /dev/console");
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return err_set(err, EEXIST, "/dev/console is neither a file nor a device");
	return fd_take(&fd);
}

int dev_console(struct rootfs *r, int slave, struct err *err)
{
	char name[NAME_MAX + 1];
	AUTO_CLOSE int dir = -1, place = -1, tree = -1;
	int e;

	if (!isatty(slave))
		return err_set(err, ENOTTY, "put the terminal on /dev/console");
	dir = path_parent(r->fd, "/dev/console", name, sizeof(name));
	if (dir < 0)
		return err_set(err, -dir, "open /dev of the container");
	place = make_console(dir, name, err);
	if (place < 0)
		return place;
	tree = mount_tree_clone(slave, false);
	if (mount_tree_missing(tree))
		e = mount_tree_bind_old(slave, place, false);
	else
		e = tree < 0 ? tree : mount_tree_attach(tree, place);
	return e < 0 ? err_set(err, -e, "put the terminal on /dev/console") : 0;
}

static bool is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == NULL_RDEV;
}

/* The container's null: looked at before it is opened, and again after. -1: there is none. */
static int open_null(int flags)
{
	AUTO_CLOSE int seen = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -1;

	if (seen < 0 || !is_null(seen))
		return -1;
	fd = open("/dev/null",
		  (flags & O_ACCMODE) | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !is_null(fd) || fd_nonblock(fd, false) < 0)
		return -1;
	return fd_take(&fd);
}

int dev_reopen_null(struct err *err)
{
	for (int i = 0; i < 3; i++) {
		AUTO_CLOSE int own = -1;
		int flags;

		if (!is_null(i))
			continue;
		flags = fcntl(i, F_GETFL);
		own = flags < 0 ? -1 : open_null(flags);
		/* Without a true null of its own the container keeps the one it was given. */
		if (own >= 0 && dup2(own, i) < 0)
			return err_set(err, errno,
				       "replace descriptor %d by the container's /dev/null", i);
	}
	return 0;
}

int dev_chown_stdio(uint32_t uid, uint32_t gid, struct err *err)
{
	for (int i = 0; i < 3; i++) {
		struct stat st;

		if (fstat(i, &st) < 0 || (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)))
			continue;
		if (st.st_uid == uid && st.st_gid == gid)
			continue;
		/* EINVAL: an id that the user namespace has not. */
		if (fchown(i, uid, gid) < 0 && errno != EROFS && errno != EPERM && errno != EINVAL)
			return err_set(err, errno, "change the owner of descriptor %d", i);
	}
	return 0;
}
