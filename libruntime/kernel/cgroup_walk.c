/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A cgroup with all its sub-cgroups: walking them and listing who lives there. A container with
 * a writable cgroup mount chooses depth and names, so nothing here recurses or builds paths.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define SUBDIRS_MAX (1u << 20)

struct linux_dirent {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

int cgroup_subdirs(int dir, int (*visit)(const char *name, void *data), void *data)
{
	AUTO_CLOSE int fd = -1;
	char buf[2 * PATH_MAX] __attribute__((aligned(8))); /* kernfs knows no NAME_MAX */
	struct stat st;
	long n;

	/* kernfs counts subdirectories in the link count; most cgroups have none. */
	if (fstat(dir, &st) < 0)
		return -errno;
	if (st.st_nlink == 2)
		return 0;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct linux_dirent *d = (const struct linux_dirent *)(buf + at);
			int r;

			at += d->reclen;
			if (d->type != DT_DIR || str_eq(d->name, ".") || str_eq(d->name, ".."))
				continue;
			r = visit(d->name, data);
			if (r)
				return r;
		}
	}
	return n < 0 ? -errno : 0;
}

/* Directories still to be visited, the next one last. */
struct todo {
	struct {
		char *name;
		size_t depth;
	} * v;
	size_t n, cap, depth;
};

static void todo_done(struct todo *t)
{
	while (t->n)
		free(t->v[--t->n].name);
	free(t->v);
}

static int todo_add(const char *name, void *data)
{
	struct todo *t = data;

	if (t->n == SUBDIRS_MAX)
		return -E2BIG;
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 16;
		void *v = realloc(t->v, cap * sizeof(*t->v));

		if (!v)
			return -ENOMEM;
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n].name = strdup(name);
	if (!t->v[t->n].name)
		return -ENOMEM;
	t->v[t->n++].depth = t->depth + 1;
	return 0;
}

/* Visit @dir, and remember what is below. */
static int visit_one(int dir, struct todo *t, int (*visit)(int dir, void *data), void *data)
{
	int r = visit(dir, data);

	if (r)
		return r;
	r = cgroup_subdirs(dir, todo_add, t);
	return cgroup_means_gone(r) ? 0 : r;
}

static int walk(int top, struct todo *t, int (*visit)(int dir, void *data), void *data)
{
	AUTO_CLOSE int cur = -1;
	int r = visit_one(top, t, visit, data);

	while (r == 0 && t->n) {
		size_t depth = t->v[--t->n].depth;
		AUTO_FREE char *name = t->v[t->n].name;
		int next;

		/* ".." of a removed directory is still its parent. */
		for (; t->depth >= depth; t->depth--) {
			next = openat(cur, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
			if (next < 0)
				return -errno;
			fd_replace(&cur, next);
		}
		next = openat(t->depth ? cur : top, name,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && cgroup_means_gone(-errno))
			continue;
		if (next < 0)
			return -errno;
		fd_replace(&cur, next);
		t->depth = depth;
		r = visit_one(cur, t, visit, data);
	}
	return r;
}

int cgroup_walk(int top, int (*visit)(int dir, void *data), void *data)
{
	struct todo t = {.v = NULL};
	int r = walk(top, &t, visit, data);

	todo_done(&t);
	return r;
}

void cgroup_pidlist_done(struct cgroup_pidlist *l)
{
	free(l->p);
	*l = (struct cgroup_pidlist){.p = NULL};
}

static int pidlist_add(struct cgroup_pidlist *l, pid_t pid)
{
	/* What lives in a pid namespace that is not below ours is listed as 0. */
	if (pid == 0) {
		l->hidden = true;
		return 0;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		pid_t *p = reallocarray(l->p, cap, sizeof(*p));

		if (!p)
			return -ENOMEM;
		l->p = p;
		l->cap = cap;
	}
	l->p[l->n++] = pid;
	return 0;
}

struct list_data {
	const char *file;
	struct cgroup_pidlist *l;
	bool threaded; /* one was */
};

static int list_one(int dir, void *data)
{
	struct list_data *d = data;
	AUTO_CLOSE int fd = openat(dir, d->file, O_RDONLY | O_CLOEXEC);
	char buf[4096];
	pid_t pid = 0;
	bool digits = false;
	ssize_t n;

	if (fd < 0)
		return cgroup_means_gone(-errno) ? 0 : -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				pid = pid * 10 + (buf[i] - '0');
				digits = true;
				continue;
			}
			if (digits && pidlist_add(d->l, pid) < 0)
				return -ENOMEM;
			pid = 0;
			digits = false;
		}
	}
	/* A threaded cgroup: its domain, above, lists its processes. */
	if (n < 0 && errno == EOPNOTSUPP) {
		d->threaded = true;
		return 0;
	}
	return n < 0 && !cgroup_means_gone(-errno) ? -errno : 0;
}

const char *cgroup_type(int dir, char buf[CGROUP_TYPE_SIZE])
{
	return io_read_at(dir, "cgroup.type", buf, CGROUP_TYPE_SIZE) > 0 ? buf : "";
}

int cgroup_list(int top, const char *name, struct cgroup_pidlist *l)
{
	struct list_data d = {name, l, false};
	char type[CGROUP_TYPE_SIZE];
	size_t n = l->n;
	int r = cgroup_walk(top, list_one, &d);

	/* Where it is so itself, no domain within reach lists its processes. */
	if (r < 0 || !d.threaded || !str_eq(cgroup_type(top, type), "threaded"))
		return r;
	d.file = "cgroup.threads";
	r = cgroup_walk(top, list_one, &d);
	for (size_t i = n; i < l->n; i++) {
		pid_t pid = proc_status_pid(l->p[i], "Tgid");

		if (pid > 0)
			l->p[n++] = pid;
	}
	l->n = n;
	return r;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

void cgroup_pidlist_sort(struct cgroup_pidlist *l)
{
	size_t n = 0;

	if (!l->n)
		return;
	qsort(l->p, l->n, sizeof(*l->p), compare_pids);
	for (size_t i = 0; i < l->n; i++)
		if (!n || l->p[n - 1] != l->p[i])
			l->p[n++] = l->p[i];
	l->n = n;
}
