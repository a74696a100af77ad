/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file system that no path of the system leads to. */
#include "supervise/hold.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

#define BACKLOG 32

int hold_make(struct err *err)
{
	static const char *const options[][2] = {
		{"nr_inodes", "16"}, {"size", "64k"}, {"mode", "0700"}, {"source", "oakum"}};
	AUTO_CLOSE int fs = -1;
	int fd;

	fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0) {
		if (errno == EPERM)
			err_hint(err,
				 "a supervised container needs the right to mount (CAP_SYS_ADMIN)");
		return err_set(err, errno, "make a tmpfs for the supervisor");
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (sys_fsconfig(fs, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0) < 0)
			return err_set(err, errno, "set %s of the supervisor's tmpfs",
				       options[i][0]);
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_set(err, errno, "create the supervisor's tmpfs");
	fd = sys_fsmount(fs, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (fd < 0)
		return err_set(err, errno, "mount the supervisor's tmpfs");
	return fd;
}

int hold_fifo(int hold, const char *name, int ours_flags, int theirs_flags, struct hold_fifo *ret,
	      struct err *err)
{
	AUTO_CLOSE int ours = -1, theirs = -1;

	/*
	 * Anyone may open it who has reached it: that is only who holds it already, such as the
	 * container's user by /dev/stdout. Nobody else gets through the 0700 of the directory.
	 */
	if (mkfifoat(hold, name, 0600) < 0 || fchmodat(hold, name, 0666, 0) < 0)
		return err_set(err, errno, "make the FIFO %s", name);
	/* Theirs first, it can always read: without a reader, opening ours to write would fail. */
	theirs = openat(hold, name, theirs_flags | O_NONBLOCK | O_CLOEXEC);
	if (theirs >= 0)
		ours = openat(hold, name, ours_flags | O_NONBLOCK | O_CLOEXEC);
	if (ours < 0)
		return err_set(err, errno, "open the FIFO %s", name);
	if (fd_nonblock(theirs, false) < 0)
		return err_set(err, EIO, "make the FIFO %s blocking", name);
	ret->ours = fd_take(&ours);
	ret->theirs = fd_take(&theirs);
	return 0;
}

int hold_listen(int hold, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	AUTO_CLOSE int fd = -1;
	char path[FD_PATH_SIZE];

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, errno, "make the control socket");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/" HOLD_SOCKET, fd_path(hold, path));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(err, errno, "bind the control socket");
	if (listen(fd, BACKLOG) < 0)
		return err_set(err, errno, "listen on the control socket");
	return fd_take(&fd);
}
