/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* flock(2) with a deadline. */
#include "base/lock.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/sys.h"

/*
 * flock(2) has no deadline. A child shares our open file description, so a lock that it gets
 * is ours; we wait for its end, which a pidfd tells, and end it ourselves at the deadline.
 */
static int take_slowly(int fd, int64_t deadline_ms)
{
	struct clone_args args = {.exit_signal = SIGCHLD, .flags = CLONE_PIDFD};
	AUTO_CLOSE int pidfd = -1;
	int status = 0, r;
	pid_t pid;

	args.pidfd = (uintptr_t)&pidfd;
	pid = sys_clone3(&args);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(flock(fd, LOCK_EX) < 0);
	r = io_poll_until(pidfd, POLLIN, deadline_ms);
	if (r <= 0)
		sys_pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	(void)proc_reap(pid, &status);
	if (r < 0)
		return r;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

int lock_take(int fd, int64_t deadline_ms)
{
	int r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;

	return r == -EWOULDBLOCK ? take_slowly(fd, deadline_ms) : r;
}

void lock_drop(int fd)
{
	(void)flock(fd, LOCK_UN);
}
