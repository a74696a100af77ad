/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file system that no path of the system leads to. */
#include "supervise/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

#define BACKLOG 32

static int make_here(struct err *err)
{
	static const char *const options[][2] = {
		{"nr_inodes", "16"}, {"size", "64k"}, {"mode", "0700"}, {"source", "oakum"}};
	AUTO_CLOSE int fs = -1;
	int fd;

	fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_set(err, errno, "make a tmpfs for the supervisor");
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

static int map_self(const char *file, unsigned id)
{
	char text[32];

	snprintf(text, sizeof(text), "0 %u 1", id);
	return io_write_at(AT_FDCWD, file, text);
}

/* Where our one id has every right over the mounts. Never returns; the descriptor, or the error's
 * text, goes to @to. */
static _Noreturn void make_for(int to)
{
	unsigned uid = geteuid(), gid = getegid();
	struct err err = ERR_INIT;
	int fd = -1, r = 0;

	/* Our /proc files belong to root where a parent has made us undumpable. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		r = err_set(&err, errno, "make a user namespace for the supervisor's tmpfs");
	if (r == 0 && (r = map_self("/proc/self/uid_map", uid)) == 0 &&
	    (r = io_write_at(AT_FDCWD, "/proc/self/setgroups", "deny")) == 0)
		r = map_self("/proc/self/gid_map", gid);
	if (r < 0 && err.kind == ERR_NONE)
		err_set(&err, -r, "map our ids for the supervisor's tmpfs");
	if (r == 0)
		fd = make_here(&err);
	if (fd >= 0)
		(void)io_send_fds(to, "", 1, &fd, 1);
	else
		(void)send(to, &err, sizeof(err), MSG_NOSIGNAL);
	_exit(0);
}

/* Without the right to mount: by a process in namespaces of its own, which end with it. The tmpfs
 * belongs to them and lives as long as its descriptor does. */
static int make_apart(struct err *err)
{
	union {
		struct err err;
		char byte;
	} answer = {.err = ERR_INIT};
	int ends[2], fd = -1, n = 1;
	ssize_t got;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, errno, "make a socket pair");
	pid = fork();
	if (pid == 0)
		make_for(ends[1]);
	close(ends[1]);
	got = pid < 0 ? -errno : io_recv_fds(ends[0], &answer, sizeof(answer), &fd, &n);
	close(ends[0]);
	if (pid > 0)
		(void)proc_reap(pid, NULL);
	if (got == 1 && n == 1)
		return fd;
	if (got == sizeof(answer.err))
		*err = answer.err;
	else
		err_set(err, got < 0 ? (int)-got : EPROTO, "make the supervisor's tmpfs");
	err_hint(err, "a supervised container needs the right to mount (CAP_SYS_ADMIN), or that to "
		      "make user namespaces");
	return -EPERM;
}

int hold_make(struct err *err)
{
	int fd = make_here(err);

	if (fd >= 0 || err->code != EPERM)
		return fd;
	*err = ERR_INIT;
	return make_apart(err);
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
