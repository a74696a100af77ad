/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flags of descriptors, one by one and all at once. Nothing here allocates. */
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>

#include "base/str.h"
#include "base/sys.h"

/* In linux/close_range.h, which systems older than Linux 5.11 do not have. */
enum { RANGE_CLOEXEC = 4 };

int fd_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);
	int want = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;

	if (flags < 0 || (want != flags && fcntl(fd, F_SETFD, want) < 0))
		return -errno;
	return 0;
}

int fd_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);
	int want = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;

	if (flags < 0 || (want != flags && fcntl(fd, F_SETFL, want) < 0))
		return -errno;
	return 0;
}

static void treat(int fd, bool keep)
{
	if (keep)
		(void)fd_cloexec(fd, true);
	else
		fd_close(fd);
}

/*
 * procfs lists descriptors by number, so that closing those already listed does not make
 * it skip others.
 */
static int each_from(unsigned first, bool keep)
{
	AUTO_CLOSE int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char buf[2048] __attribute__((aligned(8)));
	ssize_t n;

	if (dir < 0)
		return -errno;
	while ((n = getdents64(dir, buf, sizeof(buf))) > 0) {
		const struct dirent64 *d;

		for (ssize_t at = 0; at < n; at += d->d_reclen) {
			uint64_t fd;

			d = (const struct dirent64 *)(buf + at);
			if (str_to_u64(d->d_name, first, INT_MAX, &fd) == 0 && (int)fd != dir)
				treat((int)fd, keep);
		}
	}
	return n < 0 ? -errno : 0;
}

/* What a kernel without the call (5.9) or the flag (5.11), or an old seccomp filter, answers. */
static bool lacks_range(int code)
{
	return code == ENOSYS || code == EPERM || code == EINVAL;
}

static int range(unsigned first, bool keep)
{
	if (first > INT_MAX)
		return 0;
	if (sys_close_range(first, UINT_MAX, keep ? RANGE_CLOEXEC : 0) == 0)
		return 0;
	return lacks_range(errno) ? each_from(first, keep) : -errno;
}

int fd_cloexec_from(unsigned first)
{
	return range(first, true);
}

int fd_close_from(unsigned first)
{
	return range(first, false);
}

const char *fd_path(int fd, char buf[FD_PATH_SIZE])
{
	struct strbuf b;

	strbuf_init(&b, buf, FD_PATH_SIZE);
	strbuf_add(&b, "/proc/self/fd/");
	strbuf_i64(&b, fd);
	return buf;
}
