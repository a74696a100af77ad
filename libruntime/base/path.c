/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names inside a root that an attacker may have filled. The fast way is one openat2(2); what it
 * cannot do (making what is missing, kernels without it) is done by a walk that opens each
 * component with O_PATH | O_NOFOLLOW and takes symbolic links apart itself. The walk never opens
 * "..": it goes down again from the root, so that a directory moved away under it does not lead
 * outside.
 */
#include "base/path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

#define LINKS_MAX  40 /* as the kernel's MAXSYMLINKS */
#define AGAIN_MAX  64 /* openat2 says EAGAIN when a rename anywhere races with ".." */
#define APPEAR_MAX 16 /* a name that comes and goes while we make it */
#define SEARCH	   (O_PATH | O_NOFOLLOW | O_CLOEXEC)

struct walk {
	int root;
	int cur;       /* the directory reached; -1: the root */
	bool make;     /* make directories that are missing */
	bool nolink;   /* a symbolic link is an error */
	bool want_dir; /* the last component was followed by a slash */
	int links;
	char *next;	     /* into todo */
	char done[PATH_MAX]; /* the way down to cur: directories only, "a/b" */
	char todo[PATH_MAX];
};

static const char *skip_slashes(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

static bool is_dot(const char *name, size_t len)
{
	return len == 1 && name[0] == '.';
}

static bool is_dotdot(const char *name, size_t len)
{
	return len == 2 && name[0] == '.' && name[1] == '.';
}

static int here(const struct walk *w)
{
	return w->cur >= 0 ? w->cur : w->root;
}

static void leave(struct walk *w)
{
	fd_replace(&w->cur, -1);
	w->done[0] = '\0';
}

static int begin(struct walk *w, int root, const char *path, bool make)
{
	if (strlen(path) >= sizeof(w->todo))
		return -ENAMETOOLONG;
	w->root = root;
	w->cur = -1;
	w->make = make;
	w->nolink = false;
	w->want_dir = false;
	w->links = 0;
	w->next = w->todo;
	w->done[0] = '\0';
	memcpy(w->todo, path, strlen(path) + 1);
	return 0;
}

/* The next component, without "" and "."; false at the end. */
static bool take(struct walk *w, char name[NAME_MAX + 1], int *ret_error)
{
	size_t len;

	*ret_error = 0;
	for (;;) {
		w->next += strspn(w->next, "/");
		len = strcspn(w->next, "/");
		if (!is_dot(w->next, len))
			break;
		w->next += len;
	}
	if (len == 0)
		return false;
	if (len > NAME_MAX) {
		*ret_error = -ENAMETOOLONG;
		return false;
	}
	memcpy(name, w->next, len);
	name[len] = '\0';
	w->next += len;
	return true;
}

/* Does anything but slashes and dots follow? */
static bool at_end(struct walk *w)
{
	const char *p = w->next;

	w->want_dir = *p == '/';
	while (*p == '/' || is_dot(p, strcspn(p, "/")))
		p++;
	return *p == '\0';
}

static int down(struct walk *w, int fd, const char *name)
{
	size_t at = strlen(w->done), len = strlen(name);

	if (at + len + 2 > sizeof(w->done)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	if (at)
		w->done[at++] = '/';
	memcpy(w->done + at, name, len + 1);
	fd_replace(&w->cur, fd);
	return 0;
}

/* "..": the directory above by name, from the root, each component a directory still. */
static int up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');
	char name[NAME_MAX + 1];
	const char *p = w->done;

	fd_replace(&w->cur, -1);
	if (!slash) {
		w->done[0] = '\0';
		return 0;
	}
	*slash = '\0';
	while (*p) {
		size_t len = strcspn(p, "/");
		int fd;

		memcpy(name, p, len);
		name[len] = '\0';
		fd = openat(here(w), name, SEARCH | O_DIRECTORY);
		if (fd < 0)
			return -errno;
		fd_replace(&w->cur, fd);
		p = skip_slashes(p + len);
	}
	return 0;
}

/* Put the text of the symbolic link @fd in front of what is left to do. */
static int follow(struct walk *w, int fd)
{
	char text[PATH_MAX];
	size_t rest = strlen(w->next);
	ssize_t n;

	if (w->nolink || ++w->links > LINKS_MAX)
		return -ELOOP;
	n = readlinkat(fd, "", text, sizeof(text));
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENOENT;
	if ((size_t)n + 1 + rest + 1 > sizeof(w->todo))
		return -ENAMETOOLONG;
	if (text[0] == '/')
		leave(w);
	memmove(w->todo + n + 1, w->next, rest + 1);
	memcpy(w->todo, text, (size_t)n);
	/* A slash behind the link itself must stay one, and must not appear where none was. */
	w->todo[n] = '/';
	w->next = w->todo;
	if (rest == 0)
		w->todo[n] = '\0';
	return 0;
}

/* mkdirat(2) with a mode that no umask changes. umask(2) is the whole process's, for an instant. */
static int make_dir(int dir, const char *name)
{
	mode_t old = umask(0);
	int r = mkdirat(dir, name, 0755) < 0 ? -errno : 0;

	if (old)
		umask(old);
	return r;
}

/* Open one component as it is: a directory, a link, anything. */
static int look(struct walk *w, const char *name, bool make, mode_t *ret_type)
{
	struct stat st;
	int fd = -1, r = 0;

	for (int i = 0; i < APPEAR_MAX; i++) {
		fd = openat(here(w), name, SEARCH);
		r = fd < 0 ? -errno : 0;
		if (r != -ENOENT || !make)
			break;
		r = make_dir(here(w), name);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	if (fd < 0)
		return r < 0 ? r : -ENOENT;
	if (fstat(fd, &st) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_type = st.st_mode & S_IFMT;
	return fd;
}

/* Go into @name: through a link, into a directory. */
static int enter(struct walk *w, const char *name)
{
	AUTO_CLOSE int fd = -1;
	mode_t type;

	fd = look(w, name, w->make, &type);
	if (fd < 0)
		return fd;
	if (type == S_IFLNK)
		return follow(w, fd);
	if (type != S_IFDIR)
		return -ENOTDIR;
	return down(w, fd_take(&fd), name);
}

/* All components but the last one (>0: it is in @name), or all (0: the end is the directory
 * reached). */
static int go(struct walk *w, char name[NAME_MAX + 1], bool all)
{
	int r;

	while (take(w, name, &r)) {
		if (is_dotdot(name, strlen(name))) {
			r = up(w);
		} else {
			if (!all && at_end(w))
				return 1;
			r = enter(w, name);
		}
		if (r < 0)
			return r;
	}
	return r;
}

static int finish(struct walk *w, int r)
{
	fd_replace(&w->cur, -1);
	return r;
}

static int follow_last(struct walk *w, int fd)
{
	int r = follow(w, fd);

	return r < 0 ? r : 1;
}

/* The last component of a path to be opened. 1: it was a link, go on. */
static int open_last(struct walk *w, const char *name, int flags, int *ret_fd)
{
	AUTO_CLOSE int fd = -1;
	mode_t type;

	fd = look(w, name, false, &type);
	if (fd < 0)
		return fd;
	if (type == S_IFLNK && (w->nolink || w->want_dir || !(flags & O_NOFOLLOW)))
		return follow_last(w, fd);
	if (type != S_IFDIR && (w->want_dir || (flags & O_DIRECTORY)))
		return -ENOTDIR;
	if (flags & O_PATH) {
		*ret_fd = fd_take(&fd);
		return 0;
	}
	*ret_fd = openat(here(w), name, flags | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

static int walk_open(int root, const char *path, int flags, bool nolink)
{
	char name[NAME_MAX + 1];
	struct walk w;
	int fd = -1, r = begin(&w, root, path, false);

	if (r < 0)
		return r;
	w.nolink = nolink;
	do {
		r = go(&w, name, false);
		if (r == 0) {
			fd = openat(here(&w), ".", flags | O_CLOEXEC);
			r = fd < 0 ? -errno : 0;
		} else if (r > 0) {
			r = open_last(&w, name, flags, &fd);
		}
	} while (r > 0);
	return finish(&w, r < 0 ? r : fd);
}

static int open_inside(int root, const char *path, int flags, bool nolink)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
			   (nolink ? RESOLVE_NO_SYMLINKS : 0),
	};
	const char *relative = skip_slashes(path);

	if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))
		return -EINVAL;
	if (*relative == '\0')
		relative = ".";
	for (int i = 0; i < AGAIN_MAX; i++) {
		int fd = sys_openat2(root, relative, &how);

		if (fd >= 0)
			return fd;
		if (errno == ENOSYS || errno == EPERM)
			break;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return walk_open(root, relative, flags, nolink);
}

int path_open(int rootfd, const char *path, int flags)
{
	return open_inside(rootfd, path, flags, false);
}

int path_open_nolink(int rootfd, const char *path, int flags)
{
	/* With O_PATH | O_NOFOLLOW the kernel would hand out the link itself. */
	return open_inside(rootfd, path, flags & ~O_NOFOLLOW, true);
}

/* The length of @path without trailing slashes and "." components. */
static size_t trimmed(const char *path)
{
	size_t len = strlen(path);

	while (len) {
		if (path[len - 1] == '/')
			len--;
		else if (path[len - 1] == '.' && (len == 1 || path[len - 2] == '/'))
			len--;
		else
			break;
	}
	return len;
}

/* Cut @path into the last component, which is not "..", and what stands before it ("": the root).
 */
static int split(const char *path, char parent[PATH_MAX], char *name, size_t size)
{
	size_t end = trimmed(path), start = end;

	while (start && path[start - 1] != '/')
		start--;
	if (end == start || is_dotdot(path + start, end - start))
		return -EINVAL;
	if (end - start >= size || start >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(parent, path, start);
	parent[start] = '\0';
	memcpy(name, path + start, end - start);
	name[end - start] = '\0';
	return 0;
}

/* The common case: only the last directory is missing. Anything else, a dangling link or a race
 * with somebody who puts something there, is -ENOENT: it takes the walk. */
static int make_last(int rootfd, const char *path)
{
	char parent[PATH_MAX], name[NAME_MAX + 1];
	AUTO_CLOSE int dir = -1;
	int fd;

	if (split(path, parent, name, sizeof(name)) < 0)
		return -ENOENT;
	dir = path_open(rootfd, parent, O_PATH | O_DIRECTORY);
	if (dir < 0 || make_dir(dir, name) < 0)
		return -ENOENT;
	fd = openat(dir, name, SEARCH | O_DIRECTORY);
	return fd < 0 ? -ENOENT : fd;
}

int path_make_missing(int rootfd, const char *path)
{
	char name[NAME_MAX + 1];
	struct walk w;
	int r = make_last(rootfd, path);

	if (r != -ENOENT)
		return r;
	r = begin(&w, rootfd, path, true);
	if (r < 0)
		return r;
	r = go(&w, name, true);
	if (r == 0) {
		r = openat(here(&w), ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = r < 0 ? -errno : r;
	}
	return finish(&w, r);
}

int path_mkdirs(int rootfd, const char *path)
{
	int r = path_open(rootfd, path, O_PATH | O_DIRECTORY);

	return r == -ENOENT ? path_make_missing(rootfd, path) : r;
}

/* An empty file that nobody had there before, or nothing. */
static int make_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	close(fd);
	return 0;
}

/* 1: go on (it was a link, or has just been made). */
static int find_file(struct walk *w, const char *name, int *ret_fd)
{
	AUTO_CLOSE int fd = -1;
	mode_t type;

	fd = look(w, name, false, &type);
	for (int i = 0; fd == -ENOENT && i < APPEAR_MAX; i++) {
		int r = make_file(here(w), name);

		if (r < 0)
			return r;
		fd = look(w, name, false, &type);
	}
	if (fd < 0)
		return fd;
	if (type == S_IFDIR)
		return -EISDIR;
	if (type == S_IFLNK)
		return follow_last(w, fd);
	*ret_fd = fd_take(&fd);
	return 0;
}

int path_mkfile(int rootfd, const char *path)
{
	char name[NAME_MAX + 1];
	struct walk w;
	struct stat st;
	int fd = -1, r = path_open(rootfd, path, O_PATH);

	if (r >= 0 && fstat(r, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(r);
		return -EISDIR;
	}
	if (r != -ENOENT)
		return r;
	r = begin(&w, rootfd, path, true);
	if (r < 0)
		return r;
	do {
		r = go(&w, name, false);
		if (r == 0 || (r > 0 && w.want_dir))
			r = -EISDIR;
		else if (r > 0)
			r = find_file(&w, name, &fd);
	} while (r > 0);
	return finish(&w, r < 0 ? r : fd);
}

int path_parent(int rootfd, const char *path, char *name, size_t size)
{
	char parent[PATH_MAX];
	int r = split(path, parent, name, size);

	return r < 0 ? r : path_mkdirs(rootfd, parent);
}

bool path_has_dotdot(const char *path)
{
	for (path = skip_slashes(path); *path; path = skip_slashes(path)) {
		size_t len = strcspn(path, "/");

		if (is_dotdot(path, len))
			return true;
		path += len;
	}
	return false;
}

ssize_t path_clean(const char *path, char *buf, size_t size)
{
	size_t at = 0;

	if (size < 2)
		return -ENAMETOOLONG;
	for (path = skip_slashes(path); *path; path = skip_slashes(path)) {
		size_t len = strcspn(path, "/");

		if (is_dotdot(path, len)) {
			while (at && buf[--at] != '/')
				;
		} else if (!is_dot(path, len)) {
			if (at + len + 2 > size)
				return -ENAMETOOLONG;
			buf[at++] = '/';
			memcpy(buf + at, path, len);
			at += len;
		}
		path += len;
	}
	if (at == 0)
		buf[at++] = '/';
	buf[at] = '\0';
	return (ssize_t)at;
}

const char *path_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (str_eq(dir, "/"))
		return str_eq(path, "/") ? path + 1 : path;
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]) ? path + n : NULL;
}
