/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole reads, whole writes, files replaced in one step, waits with a deadline, descriptors
 * through sockets. What the bytes mean is not known here.
 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"

/* The most that one message can carry (SCM_MAX_FD of the kernel). */
#define MAX_FDS	  253
#define WRITER_MS 3000

/* @waits: also for what was handed to us with O_NONBLOCK, which is not ours to take off. */
static ssize_t read_all(int fd, void *buf, size_t size, bool waits)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)buf + done, size - done);

		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		else if (waits && errno == EAGAIN)
			(void)io_poll_until(fd, POLLIN, CLOCK_FOREVER);
		else if (errno != EINTR)
			return -errno;
	}
	return (ssize_t)done;
}

ssize_t io_read(int fd, void *buf, size_t size)
{
	return read_all(fd, buf, size, false);
}

int io_write(int fd, const void *buf, size_t size)
{
	const char *at = buf;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

ssize_t io_read_at(int dirfd, const char *name, char *buf, size_t size)
{
	AUTO_CLOSE int fd = -1;
	char more;
	ssize_t n;

	if (size == 0)
		return -EINVAL;
	/* O_NONBLOCK: a FIFO put there must not hold us. */
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	n = io_read(fd, buf, size - 1);
	if (n < 0)
		return n;
	if ((size_t)n == size - 1) {
		ssize_t r = io_read(fd, &more, 1);

		if (r != 0)
			return r < 0 ? r : -EFBIG;
	}
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return n;
}

int io_write_at(int dirfd, const char *name, const char *text)
{
	AUTO_CLOSE int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = write(fd, text, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* The whole of @fd, which is at least about @guess long. */
static ssize_t read_growing(int fd, size_t guess, size_t max, struct arena *arena, char **ret)
{
	size_t room = guess + 1, len = 0;
	char *data = NULL;

	for (;;) {
		char *bigger = arena_alloc(arena, room + 1);
		ssize_t n;

		if (!bigger)
			return -ENOMEM;
		if (data)
			memcpy(bigger, data, len);
		data = bigger;
		n = read_all(fd, data + len, room - len, true);
		if (n < 0)
			return n;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
		if (len < room)
			break;
		room = room < 2048 ? 4096 : room * 2;
		if (room > max + 1)
			room = max + 1;
	}
	data[len] = '\0';
	*ret = data;
	return (ssize_t)len;
}

/* As much as fstat(2) has said, or less if it has become shorter. (A file in procfs says 0.) */
static ssize_t read_sized(int fd, size_t size, struct arena *arena, char **ret)
{
	char *data = arena_alloc(arena, size + 1);
	ssize_t n = data ? io_read(fd, data, size) : -ENOMEM;

	if (n < 0)
		return n;
	data[n] = '\0';
	*ret = data;
	return n;
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "something else";
	}
}

int io_read_all(int fd, const char *name, size_t max, struct arena *arena, char **ret_data,
		size_t *ret_size, struct err *err)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "fstat %s", name);
	if (!S_ISREG(st.st_mode)) {
		err_hint(err, "name the file itself");
		return err_set(err, 0, "%s is %s, not a regular file", name, type_name(st.st_mode));
	}
	if ((uintmax_t)st.st_size > max)
		n = -EFBIG;
	else if (st.st_size > 0)
		n = read_sized(fd, (size_t)st.st_size, arena, ret_data);
	else
		n = read_growing(fd, 0, max, arena, ret_data);
	if (n == -EFBIG)
		return err_set(err, EFBIG, "%s has more than %zu bytes", name, max);
	if (n < 0)
		return err_set(err, (int)-n, "read %s", name);
	*ret_size = (size_t)n;
	return 0;
}

int io_read_alloc(int dirfd, const char *path, size_t max, struct arena *arena, char **ret_data,
		  size_t *ret_size, struct err *err)
{
	AUTO_CLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_set(err, errno, "open %s", path);
	return io_read_all(fd, path, max, arena, ret_data, ret_size, err);
}

/* A FIFO by name may have its writer a little later than us; a pipe has had it. */
static int await_writer(int fd)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISFIFO(st.st_mode) || fs.f_type == PIPEFS_MAGIC)
		return 1;
	return io_poll_until(fd, POLLIN, clock_deadline(WRITER_MS));
}

int io_read_rest(int fd, const char *name, size_t max, struct arena *arena, char **ret_data,
		 size_t *ret_size, struct err *err)
{
	ssize_t n = read_growing(fd, 4095, max, arena, ret_data);

	if (n == -EFBIG)
		return err_set(err, EFBIG, "%s has more than %zu bytes", name, max);
	if (n < 0)
		return err_set(err, (int)-n, "read %s", name);
	*ret_size = (size_t)n;
	return 0;
}

int io_read_stream(const char *path, size_t max, struct arena *arena, char **ret_data,
		   size_t *ret_size, struct err *err)
{
	/* O_NONBLOCK: a FIFO that nobody writes to must not hold us; one with a writer may. */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (fd < 0 || fcntl(fd, F_SETFL, 0) < 0)
		return err_set(err, errno, "open %s", path);
	r = await_writer(fd);
	if (r <= 0)
		return err_set(err, r < 0 ? -r : ETIMEDOUT, "wait for who writes to %s", path);
	return io_read_rest(fd, path, max, arena, ret_data, ret_size, err);
}

/* "DIR/NAME" to "DIR/.NAME.0123456789abcdef": the same directory, nobody else's name. */
static int temporary_name(const char *name, char *buf, size_t size)
{
	const char *slash = strrchr(name, '/');
	size_t dir = slash ? (size_t)(slash - name) + 1 : 0;
	uint64_t unique;
	struct strbuf b;

	if (getrandom(&unique, sizeof(unique), 0) != (ssize_t)sizeof(unique))
		return -EIO;
	strbuf_init(&b, buf, size);
	strbuf_addn(&b, name, dir);
	strbuf_addc(&b, '.');
	strbuf_add(&b, name + dir);
	strbuf_addc(&b, '.');
	for (int i = 0; i < 16; i++, unique >>= 4)
		strbuf_addc(&b, "0123456789abcdef"[unique & 15]);
	return b.overflow ? -ENAMETOOLONG : 0;
}

int io_replace_at(int dirfd, const char *name, const void *data, size_t size)
{
	char temporary[4096];
	AUTO_CLOSE int fd = -1;
	int r = temporary_name(name, temporary, sizeof(temporary));

	if (r < 0)
		return r;
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = io_write(fd, data, size);
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, temporary, 0);
	return r;
}

int io_poll_until(int fd, short events, int64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	/* poll(2) would wait for nothing. */
	if (fd < 0)
		return -EBADF;
	for (;;) {
		int wait = clock_poll_ms(deadline_ms);
		int r = poll(&p, 1, wait);

		if (r > 0)
			return p.revents;
		if (r < 0 && errno != EINTR)
			return -errno;
		/* poll(2) takes no more than 24 days at a time. */
		if (r == 0 && clock_poll_ms(deadline_ms) == 0)
			return 0;
	}
}

ssize_t io_send(int sock, const struct msghdr *m)
{
	ssize_t n;

	do {
		n = sendmsg(sock, m, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

union control {
	char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

ssize_t io_send_some(int sock, const void *data, size_t size, const int *fds, int nfds)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control = {0};

	if (nfds < 0 || nfds > MAX_FDS)
		return -EINVAL;
	if (nfds > 0) {
		struct cmsghdr *c = &control.align;

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)nfds * sizeof(int));
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
	}
	return io_send(sock, &m);
}

int io_send_fds(int sock, const void *data, size_t size, const int *fds, int nfds)
{
	ssize_t n = io_send_some(sock, data, size, fds, nfds);

	return n < 0 ? (int)n : (size_t)n == size ? 0 : -EIO;
}

/* A connect(2) to a full queue waits as long as a send may. */
static int set_patience(int sock, int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_now_ms();
	struct timeval t = {.tv_usec = 1};

	if (deadline_ms == CLOCK_FOREVER)
		return 0;
	if (left > 0)
		t = (struct timeval){left / 1000, left % 1000 * 1000};
	return setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0 ? -errno : 0;
}

int io_connect(const char *path, int type, int64_t deadline_ms)
{
	AUTO_CLOSE int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_CLOSE int file = -1;
	char link[FD_PATH_SIZE];
	int r = sock < 0 ? -errno : set_patience(sock, deadline_ms);

	if (r < 0)
		return r;
	if (strlen(path) >= sizeof(a.sun_path)) {
		file = open(path, O_PATH | O_CLOEXEC);
		if (file < 0)
			return -errno;
		path = fd_path(file, link);
	}
	memcpy(a.sun_path, path, strlen(path));
	while ((r = connect(sock, (struct sockaddr *)&a, sizeof(a))) < 0 && errno == EINTR)
		;
	if (r < 0)
		return errno == EAGAIN && !(type & SOCK_NONBLOCK) ? -ETIMEDOUT : -errno;
	return fd_take(&sock);
}

/* The first @max received descriptors to @fds, the rest closed. How many were kept. */
static int keep_fds(struct msghdr *m, int *fds, int max)
{
	int kept = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (kept < max)
				fds[kept++] = fd;
			else
				fd_close(fd);
		}
	}
	return kept;
}

ssize_t io_recv_fds(int sock, void *data, size_t size, int *fds, int *nfds)
{
	struct iovec iov = {.iov_base = data, .iov_len = size};
	union control control = {0};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	int max = nfds ? *nfds : 0;
	int kept;
	ssize_t n;

	if (nfds)
		*nfds = 0;
	do {
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	kept = keep_fds(&m, fds, max);
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		while (kept > 0)
			fd_close(fds[--kept]);
		/* There is room for all that can be sent: the limit of open files was met. */
		return m.msg_flags & MSG_TRUNC ? -EMSGSIZE : -EMFILE;
	}
	if (nfds)
		*nfds = kept;
	return n;
}
