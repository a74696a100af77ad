/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a started container notifies: passed on by whoever stays with it, or by start until it is
 * ready. */
#include <errno.h>
#include <poll.h>
#include <sys/file.h>

#include "base/clock.h"
#include "base/fd.h"
#include "kernel/notify_socket.h"
#include "run/lifecycle.h"

/* After that a manager that does not read is not waited for. */
#define BARRIER_MS 5000

int oakum_notify_relay(struct oakum *o, int fd, const char *host, int max)
{
	int n, r = NOTIFY_TAKEN;

	for (n = 0; n < max && r != NOTIFY_EMPTY; n++) {
		struct err err = ERR_INIT;

		r = notify_socket_relay(fd, host, 0, &err);
		if (r < 0)
			handle_warn(o, &err);
	}
	return n;
}

/* What is there now. True: the host has been told that it is ready, or cannot be. */
static bool relay_some(struct oakum *o, int fd, const char *host, pid_t pid)
{
	struct err err = ERR_INIT;
	int r;

	do {
		r = notify_socket_relay(fd, host, pid, &err);
		if (r < 0) {
			handle_warn(o, &err);
			return true;
		}
		if (r & NOTIFY_READY)
			return true;
	} while (r != NOTIFY_EMPTY);
	return false;
}

/*
 * For a container that nobody stays with. The service's main process is to be the container's, for
 * this command ends; and it does not end before the manager has read who sent that, which it looks
 * up by our pid.
 */
void start_await_ready(struct oakum *o, struct container *c, int fd, const char *host)
{
	AUTO_CLOSE int pidfd = -1;
	struct err err = ERR_INIT;
	bool ended = proc_open(&c->state.init, &pidfd, &err) != PROC_ALIVE;

	/* It may take as long as it likes, and is to be killed and deleted meanwhile. */
	(void)flock(c->dir, LOCK_UN);
	for (;;) {
		struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
				      {.fd = pidfd, .events = POLLIN}};

		if (relay_some(o, fd, host, c->state.init.pid))
			break;
		if (ended)
			return;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		/* Once more around, for what it said last. */
		ended = p[1].revents != 0;
	}
	err = ERR_INIT;
	if (notify_socket_barrier(host, clock_deadline(BARRIER_MS), &err) < 0)
		handle_debug(o, "start: %s", err.text);
}
