/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Found by looking at every process there is; see family.h. */
#include "kernel/family.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "kernel/ns.h"

#define ROUNDS	 100
#define DEATH_MS 5000

struct member {
	struct proc_id id; /* by its start time */
	pid_t parent;
	bool in;
};

struct family {
	struct member *v;
	size_t n, room;
	struct stat ns; /* of the first process */
	int kind;
};

static int grow(struct family *f)
{
	size_t room = f->room ? 2 * f->room : 256;
	struct member *v = room > SIZE_MAX / sizeof(*v) ? NULL : realloc(f->v, room * sizeof(*v));

	if (!v)
		return -ENOMEM;
	f->v = v;
	f->room = room;
	return 0;
}

/* Is the namespace @f->ns, or one of those above it? */
static bool is_inside(const struct family *f, pid_t pid)
{
	AUTO_CLOSE int fd = ns_of(pid, f->kind);
	struct stat st;

	while (fd >= 0 && fstat(fd, &st) == 0) {
		if (st.st_ino == f->ns.st_ino && st.st_dev == f->ns.st_dev)
			return true;
		/* EPERM: above it is a namespace that we are not in ourselves. */
		fd_replace(&fd, ioctl(fd, NS_GET_PARENT));
	}
	return false;
}

/* False: it has ended. */
static bool read_member(pid_t pid, struct member *ret)
{
	*ret = (struct member){.id.pid = pid};
	return proc_origin(pid, &ret->parent, &ret->id.start) == 0;
}

/* Every process that may be one of them. 0 or -errno. */
static int look_at_all(struct family *f, pid_t init, int kind)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;
	int r = d ? 0 : -errno;

	while (r == 0 && (e = readdir(d))) {
		struct member m;
		uint64_t pid;

		if (!isdigit((unsigned char)e->d_name[0]) ||
		    str_to_u64(e->d_name, 1, INT32_MAX, &pid) < 0)
			continue;
		if ((kind && !is_inside(f, (pid_t)pid)) || !read_member((pid_t)pid, &m))
			continue;
		m.in = kind || m.id.pid == init;
		if (f->n == f->room)
			r = grow(f);
		if (r == 0)
			f->v[f->n++] = m;
	}
	if (d)
		closedir(d);
	return r;
}

static int by_pid(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return (x->id.pid > y->id.pid) - (x->id.pid < y->id.pid);
}

static struct member *find(const struct family *f, pid_t pid)
{
	const struct member key = {.id.pid = pid};

	return f->n ? bsearch(&key, f->v, f->n, sizeof(key), by_pid) : NULL;
}

/* Whose parent is one of them is one of them. */
static void take_descendants(struct family *f)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < f->n; i++) {
			const struct member *parent = f->v[i].in ? NULL : find(f, f->v[i].parent);

			if (!parent || !parent->in)
				continue;
			f->v[i].in = more = true;
		}
	}
}

/* 0 or -errno. */
static int gather(struct family *f, pid_t init, int kind)
{
	size_t kept = 0;
	AUTO_CLOSE int ns = kind ? ns_of(init, kind) : -1;
	int r;

	/* Not ours to look at: a container that waits to be started, alone still. */
	if (kind && ns == -EACCES)
		kind = 0;
	/* Nobody but those of a container is ever meant. */
	else if (kind && ns >= 0 && ns_same(ns, kind, NULL) != 0)
		kind = 0;
	*f = (struct family){.kind = kind};
	/* A zombie is in none. */
	if (kind && ns < 0)
		return ns == -ENOENT || ns == -ESRCH ? 0 : ns;
	if (kind && fstat(ns, &f->ns) < 0)
		return -errno;
	r = look_at_all(f, init, kind);
	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), by_pid);
	if (!kind)
		take_descendants(f);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].in)
			f->v[kept++] = f->v[i];
	f->n = kept;
	return r;
}

static int look(struct family *f, pid_t init, int kind, struct err *err)
{
	int r = gather(f, init, kind);

	return r < 0 ? err_set(err, -r, "look for the processes of the container") : 0;
}

int family_list(pid_t init, int kind, pid_t **ret, size_t *ret_n, struct err *err)
{
	struct family f;
	int r = look(&f, init, kind, err);
	pid_t *pids = r == 0 ? malloc((f.n + 1) * sizeof(*pids)) : NULL;

	if (r == 0 && !pids)
		r = err_set(err, ENOMEM, "list the processes of the container");
	for (size_t i = 0; pids && i < f.n; i++)
		pids[i] = f.v[i].id.pid;
	free(f.v);
	if (r < 0)
		return r;
	*ret = pids;
	*ret_n = f.n;
	return 0;
}

/* All that can be; < 0 with @err of the last that could not. */
static int signal_each(const struct family *f, int sig, struct err *err)
{
	int failed = 0;

	for (size_t i = 0; i < f->n; i++) {
		AUTO_CLOSE int pidfd = -1;
		int r = proc_open(&f->v[i].id, &pidfd, err);

		if (r == PROC_ALIVE)
			r = proc_signal(pidfd, sig, err);
		if (r < 0)
			failed = r;
	}
	return failed;
}

/* Who is stopped forks no more, and does not lose its place by its parent's death: rounds until one
 * shows nobody new. @f: all of them. */
static int stop_all(struct family *f, pid_t init, int kind, struct err *err)
{
	struct family before = {.v = NULL};
	bool more = true;
	int r = 0;

	for (int round = 0; r == 0 && more && round < ROUNDS; round++) {
		more = false;
		r = look(f, init, kind, err);
		for (size_t i = 0; i < f->n; i++)
			more |= !find(&before, f->v[i].id.pid);
		if (r == 0 && more)
			r = signal_each(f, SIGSTOP, err);
		free(before.v);
		before = *f;
	}
	return r;
}

/* Dying takes a moment, and nobody else waits for them. */
static void wait_each(const struct family *f)
{
	int64_t deadline = clock_deadline(DEATH_MS);
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < f->n; i++) {
		AUTO_CLOSE int pidfd = -1;

		if (proc_open(&f->v[i].id, &pidfd, &ignored) == PROC_ALIVE)
			(void)proc_wait(pidfd, deadline);
	}
}

int family_signal(pid_t init, int kind, int sig, struct err *err)
{
	struct family f = {.v = NULL};
	bool stop = sig == SIGKILL && kind != CLONE_NEWPID;
	int r = stop ? stop_all(&f, init, kind, err) : look(&f, init, kind, err);

	if (r == 0)
		r = signal_each(&f, sig, err);
	if (stop)
		wait_each(&f);
	free(f.v);
	if (r < 0)
		err_prefix(err, "signal the processes of the container");
	return r;
}
