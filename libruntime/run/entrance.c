/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way into a container; see entrance.h. */
#include "run/entrance.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"

static bool is_closed(const struct container *c)
{
	int fd = ns_of(c->state.init.pid, CLONE_NEWUSER);

	fd_close(fd);
	return fd == -EACCES;
}

/* A process that waits to be started is undumpable: without root it has to be asked. */
static int ask(const struct container *c, int64_t deadline_ms, struct entrance *e, struct err *err)
{
	int r;

	if (c->status != OAKUM_CREATED || !(c->state.namespaces & CLONE_NEWUSER) || !is_closed(c))
		return 0;
	r = gate_look(c->dir, deadline_ms, &e->view, err);
	e->asked = r == 0;
	/* Started meanwhile: into a program we may look, into what has its hooks still to run not.
	 */
	if (r == GATE_CLOSED && is_closed(c)) {
		err_hint(err, "try again in a moment");
		return err_kind(err, ERR_STATE, EAGAIN,
				"cannot exec in a container that is just being started");
	}
	return r < 0 ? r : 0;
}

/* setns(2) refuses our own user namespace: a joined one may be it. */
static unsigned kinds_to_join(const struct container *c, const struct entrance *e)
{
	unsigned kinds = c->state.namespaces & ~(unsigned)CLONE_NEWPID;
	int fd;

	if (!(kinds & CLONE_NEWUSER) || (c->state.own_namespaces & CLONE_NEWUSER) || e->asked)
		return kinds;
	fd = ns_of(c->state.init.pid, CLONE_NEWUSER);
	if (fd >= 0 && ns_same(fd, CLONE_NEWUSER, NULL) == 1)
		kinds &= ~(unsigned)CLONE_NEWUSER;
	fd_close(fd);
	return kinds;
}

static int open_root(const struct container *c, struct entrance *e, struct err *err)
{
	char path[64];

	if (!c->state.chrooted)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/root", c->state.init.pid);
	e->root = e->asked ? fd_take(&e->view.root) : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return e->root < 0 ? err_set(err, errno, "open the container's root") : 0;
}

int entrance_open(const struct container *c, int64_t deadline_ms, struct entrance *ret,
		  struct err *err)
{
	int r = proc_open(&c->state.init, &ret->init, err);

	if (r == PROC_GONE)
		return ENTRANCE_GONE;
	if (r == 0)
		r = ask(c, deadline_ms, ret, err);
	if (r == 0)
		r = open_root(c, ret, err);
	if (r < 0)
		return r;
	ret->kinds = kinds_to_join(c, ret);
	/* The numbers in /proc/PID were read while the pidfd held the process: they are its own if
	 * it still lives. */
	return proc_ended(ret->init) ? ENTRANCE_GONE : 0;
}

void entrance_close(struct entrance *e)
{
	gate_view_close(&e->view);
	fd_close(e->root);
	fd_close(e->init);
	*e = ENTRANCE_NONE;
}

int entrance_join(const struct entrance *e, unsigned kinds)
{
	if (!e->asked)
		return setns(e->init, (int)kinds);
	for (size_t i = 0; i < NS_KINDS; i++)
		if ((kinds & (unsigned)ns_kind_at(i)) && setns(e->view.ns[i], ns_kind_at(i)) < 0)
			return -1;
	return 0;
}

int entrance_become_root(struct err *err)
{
	if ((setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) && errno != EINVAL)
		return err_set(err, errno, "become root of the user namespace");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return 0;
}
