/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate's two sides; see gate.h. */
#include "run/gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "run/state.h"

/* A path through the directory's descriptor: sun_path is too short for the real one. */
static socklen_t address(int dir, struct sockaddr_un *a)
{
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/" STATE_GATE, dir);
	return sizeof(*a);
}

int gate_listen(int dir, struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	socklen_t len = address(dir, &a);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 1) < 0)
		return err_set(err, errno, "make the start gate");
	if (fchmodat(dir, STATE_GATE, 0600, 0) < 0)
		return err_set(err, errno, "make the start gate private");
	return fd_take(&fd);
}

int gate_wait(int listener, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char byte;
	ssize_t n;

	for (;;) {
		fd_replace(&fd, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
		if (fd < 0 && errno == EINTR)
			continue;
		if (fd < 0)
			return err_set(err, errno, "wait at the start gate");
		/* A start that was killed between connect and send has not started anything. */
		n = recv(fd, &byte, 1, 0);
		if (n == 1)
			return fd_take(&fd);
	}
}

int gate_open(int dir, int *ret, struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	socklen_t len = address(dir, &a);

	if (fd < 0)
		return err_set(err, errno, "make a socket");
	if (connect(fd, (struct sockaddr *)&a, len) < 0 || send(fd, "s", 1, MSG_NOSIGNAL) != 1) {
		if (errno == ENOENT || errno == ECONNREFUSED || errno == EPIPE ||
		    errno == ECONNRESET)
			return GATE_CLOSED;
		return err_set(err, errno, "open the start gate");
	}
	*ret = fd_take(&fd);
	return 0;
}
