/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors: owned, handed over visibly, closed on every path. */
#ifndef OAKUM_BASE_FD_H
#define OAKUM_BASE_FD_H

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static inline void fd_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static inline void fd_cleanup(int *fd)
{
	fd_close(*fd);
}

static inline void free_cleanup(void *p)
{
	free(*(void **)p);
}

#define AUTO_CLOSE __attribute__((cleanup(fd_cleanup)))
#define AUTO_FREE  __attribute__((cleanup(free_cleanup)))

/* Hand a descriptor over: the caller's variable becomes -1. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Close what @fd holds and put @with there. */
static inline void fd_replace(int *fd, int with)
{
	fd_close(*fd);
	*fd = with;
}

/* Set or clear FD_CLOEXEC. 0, or -errno. The child may call it. */
int fd_cloexec(int fd, bool on);

/* Set or clear O_NONBLOCK. 0, or -errno. The child may call it. */
int fd_nonblock(int fd, bool on);

/*
 * Mark every descriptor from @first on close-on-exec (close_range(2), CLOSE_RANGE_CLOEXEC;
 * where the kernel lacks it, each entry of /proc/self/fd). 0, or -errno. The child may call it.
 */
int fd_cloexec_from(unsigned first);

/* Close every descriptor from @first on. 0, or -errno. The child may call it. */
int fd_close_from(unsigned first);

/* "/proc/self/fd/N" of @fd in @buf. Returns @buf. The child may call it. */
#define FD_PATH_SIZE 32
const char *fd_path(int fd, char buf[FD_PATH_SIZE]);

#endif
