/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading and writing that finishes: EINTR is retried, short counts are continued.
 * Everything here may be called in the child, except io_read_alloc().
 */
#ifndef OAKUM_BASE_IO_H
#define OAKUM_BASE_IO_H

#include <stdint.h>
#include <sys/types.h>

struct arena;
struct err;
struct msghdr;

/* Read until @size bytes or EOF. Bytes read, or -errno. */
ssize_t io_read(int fd, void *buf, size_t size);

/* Write all of it. 0, or -errno (bytes may have been written). */
int io_write(int fd, const void *buf, size_t size);

/*
 * Read the file @name below @dirfd into @buf and end it with NUL; one trailing newline
 * is removed. Length, or -errno (-EFBIG: longer than @size - 1). Symlinks in the last
 * component are not followed.
 */
ssize_t io_read_at(int dirfd, const char *name, char *buf, size_t size);

/* Write the string @text with one write(2) to the existing file @name below @dirfd; not through
 * a symlink in the last component. 0 or -errno. */
int io_write_at(int dirfd, const char *name, const char *text);

/*
 * Read a whole regular file of at most @max bytes into the arena, NUL-terminated; opened with
 * O_NONBLOCK and checked by fstat(2), so that a FIFO or a device cannot hang or feed us for ever.
 * @path is relative to @dirfd. 0, or < 0 with @err (EFBIG too large, EINVAL not a regular file).
 */
int io_read_alloc(int dirfd, const char *path, size_t max, struct arena *arena, char **ret_data,
		  size_t *ret_size, struct err *err);
/* The same of an open file; @name for messages. */
int io_read_all(int fd, const char *name, size_t max, struct arena *arena, char **ret_data,
		size_t *ret_size, struct err *err);

/* As io_read_all() of whatever was handed to us as @fd, from where it stands: read until EOF. */
int io_read_rest(int fd, const char *name, size_t max, struct arena *arena, char **ret_data,
		 size_t *ret_size, struct err *err);

/* As io_read_alloc() for what may be a pipe or /dev/fd/N: read until EOF, relative to the caller's
 * directory. ETIMEDOUT: a FIFO that nobody writes to within three seconds. */
int io_read_stream(const char *path, size_t max, struct arena *arena, char **ret_data,
		   size_t *ret_size, struct err *err);

/*
 * Write @size bytes to @name below @dirfd under a temporary name, then rename(2), mode 0600.
 * Readers see the old or the new file. 0 or -errno; on failure the temporary name is gone.
 */
int io_replace_at(int dirfd, const char *name, const void *data, size_t size);

/*
 * poll(2) one descriptor until the absolute CLOCK_MONOTONIC @deadline_ms (INT64_MAX: for ever).
 * > 0: revents. 0: the deadline passed. < 0: -errno.
 */
int io_poll_until(int fd, short events, int64_t deadline_ms);

/* sendmsg(2) without SIGPIPE: bytes sent, or -errno. */
ssize_t io_send(int sock, const struct msghdr *m);

#define IO_CONNECT_MS 10000 /* enough for a listener that is alive */

/*
 * A new AF_UNIX socket of @type (and SOCK_NONBLOCK, if wanted), connected to @path, however long
 * that is: a descriptor, or -errno. -ETIMEDOUT: until @deadline_ms nobody has taken the connection
 * from its queue. Sends wait no longer than that, either.
 */
int io_connect(const char *path, int type, int64_t deadline_ms);

/*
 * Send or receive one datagram on an AF_UNIX socket with up to @nfds descriptors
 * (SCM_RIGHTS; received ones are close-on-exec, those beyond *@nfds are closed).
 * io_send_some() is for streams: bytes sent, which may be fewer than @size, or -errno.
 * io_recv_fds() returns the size of the message (0: the peer is gone), or -errno;
 * descriptors received are the caller's, *@nfds says how many.
 */
ssize_t io_send_some(int sock, const void *data, size_t size, const int *fds, int nfds);
int io_send_fds(int sock, const void *data, size_t size, const int *fds, int nfds);
ssize_t io_recv_fds(int sock, void *data, size_t size, int *fds, int *nfds);

#endif
