/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines to datagrams; see journal.h. */
#include "supervise/journal.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define ROOM_MS	    1000
#define STREAMS	    2
#define MEMORY_SIZE ((size_t)STREAMS * JOURNAL_LINE)

/* Where the beginning of a line of @stream is kept. */
static char *line_of(const struct journal *j, int stream)
{
	return j->memory + (size_t)(stream - 1) * JOURNAL_LINE;
}

static int connect_it(struct journal *j)
{
	int fd = io_connect(j->socket, SOCK_DGRAM | SOCK_NONBLOCK, CLOCK_FOREVER);

	if (fd < 0)
		return fd;
	fd_replace(&j->fd, fd);
	return 0;
}

int journal_open(struct journal *j, const char *socket_path, const char *id, struct err *err)
{
	int r;

	*j = (struct journal){.fd = -1, .socket = socket_path, .id = id};
	j->memory =
		mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (j->memory == MAP_FAILED) {
		j->memory = NULL;
		return err_set(err, errno, "map memory for lines");
	}
	r = connect_it(j);
	if (r < 0) {
		err_hint(err, "is systemd-journald running?");
		return err_set(err, -r, "connect to the journal, %s", socket_path);
	}
	return 0;
}

/* A journal that was started anew has another socket of the same name. */
static ssize_t send_again(struct journal *j, const struct msghdr *m)
{
	ssize_t r = io_send(j->fd, m);

	if (r == -EAGAIN && !j->full && io_poll_until(j->fd, POLLOUT, clock_deadline(ROOM_MS)) > 0)
		r = io_send(j->fd, m);
	if ((r == -ECONNREFUSED || r == -ENOTCONN) && connect_it(j) == 0)
		r = io_send(j->fd, m);
	return r;
}

#define TEXT(s)                                                                                    \
	{                                                                                          \
		(char *)(s), strlen(s)                                                             \
	}

/* One entry; how many bytes of @line could not be written. */
static size_t put(struct journal *j, int stream, const char *line, size_t size, bool partial)
{
	const uint64_t length = htole64(size);
	struct iovec iov[] = {
		TEXT("CONTAINER_ID="),
		TEXT(j->id),
		TEXT("\nCONTAINER_ID_FULL="),
		TEXT(j->id),
		TEXT("\nCONTAINER_NAME="),
		TEXT(j->id),
		TEXT("\nSYSLOG_IDENTIFIER="),
		TEXT(j->id),
		TEXT(stream == 2 ? "\nCONTAINER_STREAM=stderr\nPRIORITY=3\n"
				 : "\nCONTAINER_STREAM=stdout\nPRIORITY=6\n"),
		TEXT(partial ? "CONTAINER_PARTIAL_MESSAGE=true\n" : ""),
		TEXT("MESSAGE\n"),
		{(void *)&length, sizeof(length)},
		{(void *)line, size},
		TEXT("\n"),
	};
	const struct msghdr m = {.msg_iov = iov, .msg_iovlen = ARRAY_SIZE(iov)};
	ssize_t r = send_again(j, &m);

	j->full = r == -EAGAIN;
	return r < 0 ? size : 0;
}

/* The held beginning of a line, if there is one, with @more of it. */
static size_t put_line(struct journal *j, int stream, const char *more, size_t size, bool partial)
{
	size_t *held = &j->held[stream - 1];
	char *line = line_of(j, stream);
	size_t lost;

	if (*held == 0)
		return put(j, stream, more, size, partial);
	memcpy(line + *held, more, size);
	lost = put(j, stream, line, *held + size, partial);
	*held = 0;
	return lost;
}

size_t journal_write(struct journal *j, int stream, const char *data, size_t size)
{
	size_t *held = &j->held[stream - 1], lost = 0;

	while (size > 0) {
		size_t room = JOURNAL_LINE - *held, n = size < room ? size : room;
		/* A line that is full may have its newline next. */
		const char *newline = memchr(data, '\n', size > room ? room + 1 : n);

		if (newline) {
			n = (size_t)(newline - data);
			lost += put_line(j, stream, data, n, false);
			n++;
		} else if (size > room) {
			lost += put_line(j, stream, data, n, true);
		} else {
			memcpy(line_of(j, stream) + *held, data, n);
			*held += n;
		}
		data += n;
		size -= n;
	}
	return lost;
}

size_t journal_close(struct journal *j)
{
	size_t lost = 0;

	for (int stream = 1; j->fd >= 0 && stream <= STREAMS; stream++)
		if (j->held[stream - 1] > 0)
			lost += put_line(j, stream, "", 0, false);
	fd_replace(&j->fd, -1);
	if (j->memory)
		(void)munmap(j->memory, MEMORY_SIZE);
	j->memory = NULL;
	return lost;
}

void journal_trim(struct journal *j)
{
	if (j->memory && j->held[0] == 0 && j->held[1] == 0)
		(void)madvise(j->memory, MEMORY_SIZE, MADV_DONTNEED);
}
