/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One packet in, one packet out; what they mean is for client.c and attach.c. */
#include "supervise/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"

int message_send_raw(int fd, const struct iovec iov[2])
{
	struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = iov[1].iov_len ? 2 : 1};

	ssize_t n = io_send(fd, &msg);

	/* Both mean that it may fit later: the peer's queue or this socket's buffer is full. */
	if (n == -EAGAIN || n == -ENOBUFS)
		return MESSAGE_FULL;
	return n < 0 ? (int)n : 0;
}

int message_send(int fd, enum message_type type, uint8_t stream, const void *data, size_t size)
{
	struct message_head head = {
		.type = (uint8_t)type, .stream = stream, .size = (uint32_t)size};
	struct iovec iov[2] = {{&head, sizeof(head)}, {(void *)data, size}};

	return message_send_raw(fd, iov);
}

ssize_t message_recv(int fd, struct message *ret)
{
	struct iovec iov = {ret, sizeof(*ret)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	/* A peer that closed without having read all we sent is told once, ahead of what it had
	 * sent. */
	do {
		n = recvmsg(fd, &msg, 0);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENOTCONN;
	if ((msg.msg_flags & MSG_TRUNC) || (size_t)n < sizeof(ret->head) ||
	    ret->head.size != (size_t)n - sizeof(ret->head))
		return -EPROTO;
	return (ssize_t)ret->head.size;
}

int message_get(const struct message *m, void *ret, size_t size)
{
	if (m->head.size != size)
		return -EPROTO;
	memcpy(ret, m->data, size);
	return 0;
}
