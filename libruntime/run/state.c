/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directory of a container: finding, making, locking and removing it. What stands in
 * state.json is state_json.c.
 */
#include "run/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/lock.h"
#include "base/str.h"
#include "kernel/ns.h"

#define REMOVE_TRIES 100

static int make_parents(const char *path)
{
	char part[PATH_MAX / 4];
	size_t n = strlen(path);

	memcpy(part, path, n + 1);
	for (char *p = part + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int check_owner(const struct oakum *o, int fd, struct err *err)
{
	const char *path = o->root;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "stat the state root %s", path);
	if (st.st_uid != geteuid()) {
		err_hint(err, "%s",
			 o->root_is_default ? state_root_hint(o)
					    : "name a directory of your own with --root");
		return err_kind(err, ERR_UNSUPPORTED, 0,
				"the state root %s belongs to uid %u, not to %u", path, st.st_uid,
				geteuid());
	}
	if (st.st_mode & 022) {
		err_hint(err, "chmod go-w %s", path);
		return err_kind(err, ERR_UNSUPPORTED, 0,
				"the state root %s may be written by others (mode %04o)", path,
				st.st_mode & 07777);
	}
	return 0;
}

const char *state_root_hint(const struct oakum *o)
{
	if (o->root_is_default && !getenv("XDG_RUNTIME_DIR") && !userns_is_root())
		return "set XDG_RUNTIME_DIR, or name a writable directory with --root";
	if (o->root_is_default && !handle_is_user() && !userns_is_first())
		return "unset USER, which says root, to have it in XDG_RUNTIME_DIR, or name a "
		       "writable directory with --root";
	return "name a writable directory with --root";
}

int state_open_root(struct oakum *o, bool make, struct err *err)
{
	AUTO_CLOSE int fd = open(o->root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT && make) {
		r = make_parents(o->root);
		if (r < 0) {
			err_hint(err, "%s", state_root_hint(o));
			return err_set(err, -r, "make the state root %s", o->root);
		}
		fd = open(o->root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		/* What is old in XDG_RUNTIME_DIR may be cleaned up, unless it is sticky. */
		if (fd >= 0 && o->root_is_default && handle_is_user())
			(void)fchmod(fd, 01700);
	}
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		err_hint(err, "name the directory itself with --root");
		return err_kind(err, ERR_UNSUPPORTED, errno, "the state root %s is not a directory",
				o->root);
	}
	if (fd < 0 && errno == EACCES)
		err_hint(err, "%s", state_root_hint(o));
	if (fd < 0)
		return err_set(err, errno, "open the state root %s", o->root);
	r = check_owner(o, fd, err);
	return r < 0 ? r : fd_take(&fd);
}

static int check_id(const char *id, struct err *err)
{
	const char *bad = str_bad_id(id);

	if (!bad)
		return 0;
	err_hint(err, "letters, digits and _ + - . are good, and a point not at the beginning");
	return err_kind(err, ERR_USAGE, 0, "invalid container ID: %s", bad);
}

int state_open(struct oakum *o, const char *id, int *ret_dir, struct err *err)
{
	char path[PATH_MAX / 2];
	struct stat st;
	AUTO_CLOSE int root = -1;
	int dir, r = check_id(id, err);

	if (r < 0)
		return r;
	root = state_open_root(o, false, err);
	if (root == -ENOENT) {
		*err = ERR_INIT;
		return STATE_ABSENT;
	}
	if (root < 0)
		return root;
	dir = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT)
		return STATE_ABSENT;
	snprintf(path, sizeof(path), "%s/%s", o->root, id);
	if (dir < 0)
		return err_set(err, errno, "open %s", path);
	if (fstat(dir, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022)) {
		fd_close(dir);
		err_hint(err, "it has to be ours, and writable for nobody else (chmod go-w)");
		return err_kind(err, ERR_UNSUPPORTED, EPERM, "%s is not ours alone", path);
	}
	*ret_dir = dir;
	return 0;
}

int state_need(struct oakum *o, const char *id, int *ret_dir, struct err *err)
{
	int r = state_open(o, id, ret_dir, err);

	if (r != STATE_ABSENT)
		return r;
	err_hint(err, "`oakum list` shows the containers of %s", o->root);
	return err_kind(err, ERR_STATE, ENOENT, "container does not exist");
}

/* Is @dir still what the name says, and nobody else's? */
static bool still_there(int root, const char *id, int dir)
{
	struct stat a, b;

	return fstat(dir, &a) == 0 && fstatat(root, id, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev &&
	       faccessat(dir, "state.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

int state_make(struct oakum *o, const char *id, int *ret_dir, struct err *err)
{
	AUTO_CLOSE int root = -1;
	AUTO_CLOSE int dir = -1;
	int r = check_id(id, err);

	if (r < 0)
		return r;
	root = state_open_root(o, true, err);
	if (root < 0)
		return root;
	if (mkdirat(root, id, 0700) < 0) {
		r = errno;
		if (r == EEXIST) {
			err_hint(err,
				 "choose another id, or remove it with `oakum delete --force %s`",
				 id);
			return err_kind(err, ERR_EXISTS, 0,
					"a container with this id already exists");
		}
		err_hint(err, r == ENOSPC || r == EDQUOT
				      ? "the state root is full: free space or inodes there"
				      : "name a writable directory with --root");
		return err_set(err, r, "make %s/%s", o->root, id);
	}
	dir = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || flock(dir, LOCK_EX) < 0) {
		r = errno;
		unlinkat(root, id, AT_REMOVEDIR);
		return err_set(err, r, "lock %s/%s", o->root, id);
	}
	if (!still_there(root, id, dir))
		return err_kind(err, ERR_STATE, 0,
				"the container was deleted while it was being made");
	*ret_dir = fd_take(&dir);
	return 0;
}

int state_lock(struct oakum *o, const char *id, int dir, int64_t deadline_ms, struct err *err)
{
	int r = lock_take(dir, deadline_ms);
	struct stat st;

	if (r == -EBUSY) {
		err_hint(err, "wait for it, or end that command");
		return err_kind(err, ERR_STATE, 0, "another command is working on this container");
	}
	if (r < 0)
		return err_set(err, -r, "lock %s/%s", o->root, id);
	if (fstat(dir, &st) < 0)
		return err_set(err, errno, "look at %s/%s", o->root, id);
	/* A delete may have run between our open and our lock: a removed directory has no link. */
	return st.st_nlink ? 0 : STATE_ABSENT;
}

/* state.json is the last to go: as long as it is there, another delete knows what to do. */
static int empty_directory(int dir)
{
	AUTO_CLOSE int scan = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = scan < 0 ? NULL : fdopendir(scan);
	struct dirent *e;

	if (!d)
		return -errno;
	scan = -1;
	while ((e = readdir(d))) {
		if (str_eq(e->d_name, ".") || str_eq(e->d_name, "..") ||
		    str_eq(e->d_name, "state.json"))
			continue;
		if (unlinkat(dir, e->d_name, 0) < 0 && errno == EISDIR)
			unlinkat(dir, e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
	unlinkat(dir, "state.json", 0);
	return 0;
}

int state_remove(struct oakum *o, const char *id, int dir, struct err *err)
{
	AUTO_CLOSE int root = state_open_root(o, false, err);

	if (root < 0)
		return root;
	/* A supervisor may be writing its last lines: a bounded number of files, so a bounded race.
	 */
	for (int i = 0; i < REMOVE_TRIES; i++) {
		int r = empty_directory(dir);

		if (r < 0)
			return err_set(err, -r, "read %s/%s", o->root, id);
		if (unlinkat(root, id, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTEMPTY)
			break;
	}
	return err_set(err, errno, "remove %s/%s", o->root, id);
}
