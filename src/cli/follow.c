/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that print until they are told to end; see follow.h. */
#include "cli/follow.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/str.h"

bool follow_wait(int fd)
{
	struct pollfd fds[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = STDOUT_FILENO, .events = 0},
	};

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		if (errno != EINTR)
			return false;
	return !(fds[1].revents & (POLLERR | POLLHUP));
}
