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

static int look_at(const struct oakum_notify *to, struct notify_host *ret, struct err *err)
{
	int r = handle_check_size(to->size, sizeof(*to), err);

	*ret = (struct notify_host){
		.path = to->socket && !notify_socket_bad(to->socket) ? to->socket : NULL,
		.main_pid = to->main_pid,
		.sender = to->sender,
		.patient = to->patient};
	return r;
}

int oakum_notify_relay(struct oakum *o, int fd, const struct oakum_notify *to, int max)
{
	struct notify_host host;
	struct err ignored = ERR_INIT;
	int n, r = look_at(to, &host, &ignored);

	for (n = 0; n < max && r >= 0; n++) {
		struct err err = ERR_INIT;

		r = notify_socket_relay(fd, &host, &err);
		if (r == NOTIFY_EMPTY)
			break;
		if (r < 0 && o)
			handle_warn(o, &err);
		r = 0;
	}
	return n;
}

static void warn_of_bad(struct oakum *o, const char *socket)
{
	struct err warning = ERR_INIT;

	err_set(&warning, 0, "NOTIFY_SOCKET \"%s\" is %s: ignored", socket,
		notify_socket_bad(socket));
	handle_warn(o, &warning);
}

int oakum_notify_tell(struct oakum *o, const struct oakum_notify *to, const char *text, bool wait)
{
	struct err local = ERR_INIT, *err = o ? handle_begin(o) : &local;
	struct notify_host host;
	int r = look_at(to, &host, err);

	if (r == 0 && text && o && to->socket && !host.path)
		warn_of_bad(o, to->socket);
	if (r == 0)
		r = text ? notify_socket_tell(&host, text, err) : notify_socket_look(&host, err);
	if (r == 0 && wait && host.path)
		r = notify_socket_barrier(&host, clock_deadline(BARRIER_MS), err);
	if (r == 0 || !o)
		return r;
	err_prefix(err, "notify the service manager");
	return handle_end(o, "notify", NULL, r);
}

/* What is there now. True: the host has been told that it is ready, or cannot be. */
static bool relay_some(struct oakum *o, int fd, const struct notify_host *host)
{
	struct err err = ERR_INIT;
	int r;

	do {
		r = notify_socket_relay(fd, host, &err);
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
	const struct notify_host to = {.path = host, .main_pid = c->state.init.pid};
	AUTO_CLOSE int pidfd = -1;
	struct err err = ERR_INIT;
	bool ended = proc_open(&c->state.init, &pidfd, &err) != PROC_ALIVE;

	/* It may take as long as it likes, and is to be killed and deleted meanwhile. */
	(void)flock(c->dir, LOCK_UN);
	for (;;) {
		struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
				      {.fd = pidfd, .events = POLLIN}};

		if (relay_some(o, fd, &to))
			break;
		if (ended)
			return;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		/* Once more around, for what it said last. */
		ended = p[1].revents != 0;
	}
	err = ERR_INIT;
	if (notify_socket_barrier(&to, clock_deadline(BARRIER_MS), &err) < 0)
		handle_debug(o, "start: %s", err.text);
}
