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
#include "base/str.h"
#include "base/sys.h"
#include "kernel/ns.h"

#define ROUNDS	 100
#define DEATH_MS 5000

struct member {
	struct proc_id id; /* by its start time */
	pid_t parent, session;
	bool in;
};

struct family {
	struct member *v;
	size_t n, room;
	int kind;
	uint64_t ns, ns_id; /* as in struct family_id */
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

/* Is it in the namespace, or in one below it? */
static bool is_inside(const struct family *f, pid_t pid)
{
	AUTO_CLOSE int fd = f->kind ? ns_of(pid, f->kind) : -1;
	struct stat st;

	while (fd >= 0 && fstat(fd, &st) == 0) {
		if (st.st_ino == f->ns && (!f->ns_id || ns_id(fd) == f->ns_id))
			return true;
		/* EPERM: above it is a namespace that we are not in ourselves. */
		fd_replace(&fd, ioctl(fd, NS_GET_PARENT));
	}
	return false;
}

/* False: it has ended. */
static bool read_member(pid_t pid, struct member *ret)
{
	struct proc_origin origin;

	if (proc_origin(pid, &origin) < 0)
		return false;
	*ret = (struct member){.id = {.pid = pid, .start = origin.start},
			       .parent = origin.parent,
			       .session = origin.session};
	return true;
}

/* A namespace that holds only some of those who descend from it. */
static bool by_descent(const struct family *f)
{
	return f->kind != CLONE_NEWPID && f->kind != CLONE_NEWUSER;
}

/* Every process that may be one of them. @init: 0 where it has ended. 0 or -errno. */
static int look_at_all(struct family *f, pid_t init)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;
	int r = d ? 0 : -errno;

	while (r == 0 && (e = readdir(d))) {
		struct member m;
		uint64_t pid;
		bool in;

		if (!isdigit((unsigned char)e->d_name[0]) ||
		    str_to_u64(e->d_name, 1, INT32_MAX, &pid) < 0)
			continue;
		in = (pid_t)pid == init || is_inside(f, (pid_t)pid);
		if ((!in && !by_descent(f)) || !read_member((pid_t)pid, &m))
			continue;
		m.in = in;
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

/* The session was begun by init, and a number stays taken as long as a session has it. */
static bool is_of_session(const struct family *f, const struct proc_id *init)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].in && f->v[i].session == init->pid && f->v[i].id.pid != init->pid &&
		    f->v[i].id.start >= init->start)
			return true;
	return false;
}

void family_identify(pid_t pid, struct family_id *id)
{
	AUTO_CLOSE int fd = id->kind ? ns_of(pid, id->kind) : -1;
	struct stat st;

	id->ns = id->ns_id = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	id->ns = st.st_ino;
	id->ns_id = ns_id(fd);
}

/* Nobody but those of a container is ever meant. */
static bool is_ours(const struct family_id *id)
{
	struct family_id own = {.kind = id->kind};

	family_identify(getpid(), &own);
	return own.ns == id->ns;
}

/* By what they are to be looked for. False: there is nobody. */
static bool begin(struct family *f, const struct family_id *wanted, bool alive)
{
	struct family_id id = *wanted;

	if (alive && !id.ns)
		family_identify(id.init.pid, &id);
	/* Not ours to look at: a container that waits to be started, alone still. */
	if (!id.ns || is_ours(&id))
		id.kind = 0;
	*f = (struct family){.kind = id.kind, .ns = id.ns, .ns_id = id.ns_id};
	/* The kernel has ended who was in a pid namespace. */
	return alive || (id.kind && id.kind != CLONE_NEWPID);
}

/* 0 or -errno. */
static int gather(struct family *f, const struct family_id *id)
{
	bool alive = proc_check(&id->init) == PROC_ALIVE;
	size_t kept = 0;
	int r;

	if (!begin(f, id, alive))
		return 0;
	r = look_at_all(f, alive ? id->init.pid : 0);
	if (!alive && !f->ns_id && !is_of_session(f, &id->init))
		f->n = 0;
	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), by_pid);
	if (by_descent(f))
		take_descendants(f);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].in)
			f->v[kept++] = f->v[i];
	f->n = kept;
	return r;
}

static int look(struct family *f, const struct family_id *id, struct err *err)
{
	int r = gather(f, id);

	return r < 0 ? err_set(err, -r, "look for the processes of the container") : 0;
}

int family_list(const struct family_id *id, pid_t **ret, size_t *ret_n, struct err *err)
{
	struct family f;
	int r = look(&f, id, err);
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
static int stop_all(struct family *f, const struct family_id *id, struct err *err)
{
	struct family before = {.v = NULL};
	bool more = true;
	int r = 0;

	for (int round = 0; r == 0 && more && round < ROUNDS; round++) {
		more = false;
		r = look(f, id, err);
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

int family_signal(const struct family_id *id, int sig, struct err *err)
{
	struct family f = {.v = NULL};
	bool stop = sig == SIGKILL && id->kind != CLONE_NEWPID;
	int r = stop ? stop_all(&f, id, err) : look(&f, id, err);

	if (r == 0)
		r = signal_each(&f, sig, err);
	if (stop)
		wait_each(&f);
	free(f.v);
	if (r < 0)
		err_prefix(err, "signal the processes of the container");
	return r;
}
