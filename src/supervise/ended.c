/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who knows how a container ended: its supervisor while there is one, then the exit record, and for
 * a container without either the kernel (since Linux 6.15). When nobody does, it is unknown.
 */
#include "supervise/ended.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/sys.h"
#include "oakum.h"
#include "supervise/connect.h"
#include "supervise/message.h"

#define REAP_MS 2000

enum { NOT_SEEN = 2 };

static void free_state(struct oakum_state **s)
{
	if (*s)
		oakum_state_free(*s);
}
#define AUTO_STATE __attribute__((cleanup(free_state))) struct oakum_state *

static pid_t live_pid(const struct oakum_state *state)
{
	return oakum_state_status(state) == OAKUM_STOPPED ? 0 : oakum_state_pid(state);
}

int ended_hold(struct oakum *o, const char *id, int *ret_pidfd, struct err *err)
{
	AUTO_STATE before = NULL;
	AUTO_STATE after = NULL;
	AUTO_CLOSE int pidfd = -1;
	pid_t pid;

	if (oakum_state(o, id, &before) < 0)
		return ENDED_LIBRARY;
	pid = live_pid(before);
	if (pid > 0 && (pidfd = sys_pidfd_open(pid, 0)) < 0 && errno != ESRCH)
		return err_set(err, errno, "hold process %d", (int)pid);
	/* The state checks its pid against the start time; alive after we hold it means that we
	 * hold the right one. */
	if (pidfd >= 0) {
		if (oakum_state(o, id, &after) < 0)
			return ENDED_LIBRARY;
		if (live_pid(after) != pid)
			fd_replace(&pidfd, -1);
	}
	*ret_pidfd = fd_take(&pidfd);
	return ENDED_DONE;
}

static int ask(const struct connection *c, struct exit_record *ret, struct err *err)
{
	static struct message m;
	struct message_exit end;
	uint32_t flags;
	ssize_t n;
	int r = connect_hello(c, 0, &flags, err);

	if (r != CONNECT_DONE)
		return r < 0 ? r : NOT_SEEN;
	do {
		n = message_recv(c->sock, &m);
	} while (n >= 0 && m.head.type != MESSAGE_EXIT);
	if (n == -ENOTCONN)
		return NOT_SEEN;
	if (n < 0 || message_get(&m, &end, sizeof(end)) < 0)
		return err_set(err, EPROTO, "the supervisor's answer");
	ret->status = end.status;
	ret->signal = end.signal;
	ret->known = end.known;
	ret->oom_kills = end.oom_kills;
	return ENDED_DONE;
}

static int ask_supervisor(const struct oakum_state *state, struct exit_record *ret, struct err *err)
{
	struct connection c;
	int r = connect_open(state, &c, err);

	if (r != CONNECT_DONE)
		return r < 0 ? r : NOT_SEEN;
	r = ask(&c, ret, err);
	/* Nothing of the supervisor is left when we say that the container has ended. */
	connect_close(&c, r == ENDED_DONE);
	return r;
}

static int ask_kernel(struct oakum *o, const char *id, struct exit_record *ret, struct err *err)
{
	AUTO_CLOSE int pidfd = -1;
	int status, r = ended_hold(o, id, &pidfd, err);

	*ret = (struct exit_record){.known = false, .oom_kills = -1};
	if (r != ENDED_DONE || pidfd < 0)
		return r;
	r = proc_wait(pidfd, CLOCK_FOREVER);
	if (r < 0)
		return err_set(err, -r, "wait for the container");
	/* The kernel knows it once the process has been reaped, which POLLHUP tells. */
	r = proc_exit_status(pidfd, &status);
	if (r == -EAGAIN && io_poll_until(pidfd, 0, clock_deadline(REAP_MS)) > 0)
		r = proc_exit_status(pidfd, &status);
	if (r < 0)
		return ENDED_DONE;
	ret->known = true;
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return ENDED_DONE;
}

int ended_wait(struct oakum *o, const char *id, struct exit_record *ret, struct err *err)
{
	AUTO_STATE state = NULL;
	AUTO_CLOSE int dir = -1;
	int r;

	if (oakum_state(o, id, &state) < 0 || oakum_directory(o, id, &dir) < 0)
		return ENDED_LIBRARY;
	r = ask_supervisor(state, ret, err);
	if (r != NOT_SEEN)
		return r;
	r = exit_read(dir, ret, err);
	if (r != EXIT_ABSENT)
		return r;
	return ask_kernel(o, id, ret, err);
}
