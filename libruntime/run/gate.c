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
#include "base/io.h"
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

/* The byte says which of the two are there. */
static bool receive(int fd, int ret[2])
{
	int fds[2] = {-1, -1}, n = 2, at = 0;
	char which = 0;

	if (io_recv_fds(fd, &which, 1, fds, &n) != 1)
		return false;
	for (int i = 0; i < 2; i++)
		ret[i] = (which & (1 << i)) && at < n ? fds[at++] : -1;
	return true;
}

int gate_wait(int listener, int ret_passed[2], struct err *err)
{
	AUTO_CLOSE int fd = -1;

	for (;;) {
		fd_replace(&fd, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
		if (fd < 0 && errno == EINTR)
			continue;
		if (fd < 0)
			return err_set(err, errno, "wait at the start gate");
		/* A start that was killed between connect and send has not started anything. */
		if (receive(fd, ret_passed))
			return fd_take(&fd);
	}
}

static int knock(int fd, const int passed[2])
{
	char which = 's' & ~3;
	int fds[2], n = 0;

	for (int i = 0; i < 2; i++) {
		which |= (char)(passed[i] >= 0 ? 1 << i : 0);
		if (passed[i] >= 0)
			fds[n++] = passed[i];
	}
	return io_send_fds(fd, &which, 1, fds, n);
}

int gate_open(int dir, const int passed[2], int *ret, struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	socklen_t len = address(dir, &a);
	int r;

	if (fd < 0)
		return err_set(err, errno, "make a socket");
	r = connect(fd, (struct sockaddr *)&a, len) < 0 ? -errno : knock(fd, passed);
	if (r == -ENOENT || r == -ECONNREFUSED || r == -EPIPE || r == -ECONNRESET)
		return GATE_CLOSED;
	if (r < 0)
		return err_set(err, -r, "open the start gate");
	*ret = fd_take(&fd);
	return 0;
}
