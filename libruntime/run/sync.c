/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one channel between parent and child; see sync.h. No heap. */
#include "run/sync.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include <poll.h>

int sync_pair(int ret_ends[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) < 0)
		return err_set(err, errno, "make a socket pair");
	return 0;
}

/* A seccomp filter that is installed already may refuse sendmsg(2), but hardly write(2). */
static void put(int fd, const struct sync_message *m, size_t size)
{
	int r = io_send_fds(fd, m, size, NULL, 0);

	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		(void)io_write(fd, m, size);
}

void sync_send(int fd, enum sync_type type, int64_t value, int pass_fd)
{
	struct sync_message m = {.type = type, .value = value};

	if (pass_fd < 0)
		put(fd, &m, offsetof(struct sync_message, err));
	else
		(void)io_send_fds(fd, &m, offsetof(struct sync_message, err), &pass_fd, 1);
}

void sync_send_error(int fd, const struct err *err)
{
	struct sync_message m = {.type = SYNC_FAILED, .err = *err};

	put(fd, &m, sizeof(m));
}

bool sync_is_gone(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0 && (p.revents & POLLHUP);
}

int sync_receive(int fd, struct sync_message *ret, int *ret_fd, int64_t deadline_ms,
		 struct err *err)
{
	int passed = -1, n_fds = 1;
	ssize_t n;
	int r;

	if (ret_fd)
		*ret_fd = -1;
	r = io_poll_until(fd, POLLIN, deadline_ms);
	if (r < 0)
		return err_set(err, -r, "wait for the other process");
	if (r == 0)
		return err_set(err, ETIMEDOUT, "wait for the other process");

	memset(ret, 0, sizeof(*ret));
	n = io_recv_fds(fd, ret, sizeof(*ret), &passed, &n_fds);
	if (n == 0 || n == -ECONNRESET)
		return SYNC_GONE;
	if (n < 0)
		return err_set(err, (int)-n, "receive from the other process");
	if (n_fds == 0)
		passed = -1;
	if (ret_fd && (size_t)n >= offsetof(struct sync_message, err))
		*ret_fd = passed;
	else
		fd_close(passed);
	if ((size_t)n < offsetof(struct sync_message, err))
		return err_set(err, EPROTO, "receive from the other process");
	return 0;
}

int sync_failure(const struct sync_message *m, struct err *err)
{
	if (err)
		*err = m->err;
	return m->err.code ? -m->err.code : -EINVAL;
}

int sync_expect(int fd, enum sync_type type, struct sync_message *ret, int *ret_fd,
		int64_t deadline_ms, struct err *err)
{
	int r = sync_receive(fd, ret, ret_fd, deadline_ms, err);

	if (r != 0)
		return r;
	if (ret->type == (int)type)
		return 0;
	if (ret_fd) {
		fd_close(*ret_fd);
		*ret_fd = -1;
	}
	if (ret->type != SYNC_FAILED)
		return err_set(err, EPROTO, "message %d where %d was expected", ret->type, type);
	return sync_failure(ret, err);
}
