/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket has no name in any mounted file system: the way to it is the supervisor's own
 * descriptor of its tmpfs, /proc/PID/fd/N/ctl.
 */
#include "supervise/connect.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/str.h"
#include "oakum.h"
#include "supervise/hold.h"
#include "supervise/message.h"

#define END_MS	 2000
#define HELLO_MS 10000

/* The pid in /proc may have changed hands on the way: who listens is asked of the kernel. */
static bool is_listener(int sock, pid_t pid, int pidfd)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.pid == pid &&
	       !proc_ended(pidfd);
}

int connect_open(const struct oakum_state *state, struct connection *ret, struct err *err)
{
	AUTO_CLOSE int pidfd = -1, sock = -1;
	char path[64];
	pid_t pid;
	int fd, r;

	r = oakum_state_supervisor(state, &pidfd, &pid, &fd);
	if (r == 1)
		return CONNECT_NONE;
	if (r < 0)
		return err_set(err, -r, "find the supervisor");
	snprintf(path, sizeof(path), "/proc/%d/fd/%d/" HOLD_SOCKET, (int)pid, fd);
	sock = io_connect(path, SOCK_SEQPACKET, CLOCK_FOREVER);
	if (sock < 0) {
		int code = -sock;

		if (code == ENOENT || code == ECONNREFUSED || proc_ended(pidfd))
			return CONNECT_NONE;
		/* In its last moments the descriptors of a process are root's to see. */
		if (code == EACCES && proc_wait(pidfd, clock_deadline(END_MS)) == PROC_GONE)
			return CONNECT_NONE;
		return err_set(err, code, "connect to the supervisor");
	}
	if (!is_listener(sock, pid, pidfd))
		return CONNECT_NONE;
	ret->sock = fd_take(&sock);
	ret->pidfd = fd_take(&pidfd);
	return CONNECT_DONE;
}

static int silent(const struct connection *c, struct err *err)
{
	struct ucred who = {.pid = 0};
	socklen_t size = sizeof(who);
	char text[200];
	struct strbuf b;

	(void)getsockopt(c->sock, SOL_SOCKET, SO_PEERCRED, &who, &size);
	strbuf_init(&b, text, sizeof(text));
	proc_describe(&b, who.pid);
	err_hint(err, "if it is stopped, let it go on with SIGCONT");
	return err_set(err, ETIMEDOUT, "no answer from the supervisor, process %s", text);
}

int connect_hello(const struct connection *c, uint32_t flags, uint32_t *ret_flags, struct err *err)
{
	struct message_hello hello = {.version = MESSAGE_VERSION, .flags = flags};
	static struct message m;
	ssize_t n;

	/* If this fails, there is an answer to read already, or nobody. */
	(void)message_send(c->sock, MESSAGE_HELLO, 0, &hello, sizeof(hello));
	if (io_poll_until(c->sock, POLLIN, clock_deadline(HELLO_MS)) == 0)
		return silent(c, err);
	n = message_recv(c->sock, &m);
	if (n == -ENOTCONN)
		return CONNECT_NONE;
	if (n >= 0 && m.head.type == MESSAGE_REFUSED) {
		err_hint(err, "it serves 32 clients, each of its own user or of root");
		return err_set(err, ECONNREFUSED, "the supervisor");
	}
	if (n < 0 || m.head.type != MESSAGE_WELCOME || message_get(&m, &hello, sizeof(hello)) < 0)
		return err_set(err, EPROTO, "the supervisor's answer");
	*ret_flags = hello.flags;
	return CONNECT_DONE;
}

void connect_close(struct connection *c, int to_end)
{
	fd_replace(&c->sock, -1);
	if (to_end && c->pidfd >= 0)
		(void)proc_wait(c->pidfd, clock_deadline(END_MS));
	fd_replace(&c->pidfd, -1);
}
