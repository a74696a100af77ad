/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pseudo terminals. The slave is had from the master, not from a name that a container may have
 * replaced (CVE-2025-52565). Where the slave is mounted is dev.c's.
 */
#include "kernel/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define PTMX_RDEV makedev(5, 2)

static int open_master(int dir, struct err *err)
{
	const int flags = O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;
	AUTO_CLOSE int seen = -1, fd = -1;
	struct stat st;

	seen = openat(dir, "ptmx", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (seen < 0 || fstat(seen, &st) < 0)
		return err_set(err, errno, "open ptmx");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != PTMX_RDEV)
		return err_set(err, ENODEV, "ptmx is not the terminal multiplexer");
	fd = openat(dir, "ptmx", flags);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "open ptmx");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != PTMX_RDEV)
		return err_set(err, ENODEV, "ptmx is not the terminal multiplexer");
	return fd_take(&fd);
}

static int open_slave(int master, struct err *err)
{
	int locked = 0, fd;

	if (ioctl(master, TIOCSPTLCK, &locked) < 0)
		return err_set(err, errno, "unlock the terminal");
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open the terminal's slave (Linux 4.13)") : fd;
}

int tty_plain(int slave, struct err *err)
{
	struct termios t;

	if (tcgetattr(slave, &t) < 0)
		return err_set(err, errno, "read the terminal's modes");
	t.c_oflag &= ~(tcflag_t)ONLCR;
	return tcsetattr(slave, TCSANOW, &t) < 0 ? err_set(err, errno, "set the terminal's modes")
						 : 0;
}

int tty_open(int ptmx_dir, uint16_t rows, uint16_t columns, struct tty *ret, struct err *err)
{
	const struct winsize size = {.ws_row = rows, .ws_col = columns};
	AUTO_CLOSE int master = -1, slave = -1;

	master = open_master(ptmx_dir, err);
	if (master < 0)
		return master;
	slave = open_slave(master, err);
	if (slave < 0)
		return slave;
	if ((rows || columns) && ioctl(slave, TIOCSWINSZ, &size) < 0)
		return err_set(err, errno, "set the terminal's size");
	ret->master = fd_take(&master);
	ret->slave = fd_take(&slave);
	return 0;
}

int tty_take(int slave, struct err *err)
{
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_set(err, errno, "make the terminal the controlling one");
	for (int i = 0; i < 3; i++) {
		int r = slave == i ? fd_cloexec(i, false) : dup2(slave, i) < 0 ? -errno : 0;

		if (r < 0)
			return err_set(err, -r, "put the terminal on descriptor %d", i);
	}
	return 0;
}

int tty_chown(int slave, uint32_t uid, uint32_t gid, struct err *err)
{
	struct stat st;

	if (fstat(slave, &st) < 0)
		return err_set(err, errno, "look at the terminal");
	if (st.st_uid == uid && (gid == (uint32_t)-1 || st.st_gid == gid))
		return 0;
	if (fchown(slave, uid, gid) == 0)
		return 0;
	/* A user namespace with few ids has no group of terminals: then it keeps its own. */
	if (errno == EINVAL && gid != (uint32_t)-1)
		return tty_chown(slave, uid, (uint32_t)-1, err);
	return err_set(err, errno, "change the owner of the terminal to %u", uid);
}

int tty_send(const char *path, int master, struct err *err)
{
	AUTO_CLOSE int sock = -1;
	unsigned number;
	char name[32];
	struct strbuf b;
	int r;

	if (ioctl(master, TIOCGPTN, &number) < 0)
		return err_set(err, errno, "find the terminal's number");
	strbuf_init(&b, name, sizeof(name));
	strbuf_add(&b, "/dev/pts/");
	strbuf_u64(&b, number);
	sock = io_connect(path, SOCK_STREAM, clock_deadline(IO_CONNECT_MS));
	if (sock < 0) {
		err_hint(err, "whoever is to hold the terminal has to listen there before");
		return err_set(err, -sock, "connect to console socket %s", path);
	}
	r = io_send_fds(sock, name, b.len, &master, 1);
	return r < 0 ? err_set(err, -r, "send the terminal to console socket %s", path) : 0;
}

/* A background process that sets a terminal's modes is stopped by SIGTTOU, unless it blocks it. */
static int set_quietly(int fd, const struct termios *t)
{
	sigset_t block, old;
	int r;

	sigemptyset(&block);
	sigaddset(&block, SIGTTOU);
	if (sigprocmask(SIG_BLOCK, &block, &old) < 0)
		return -errno;
	r = tcsetattr(fd, TCSANOW, t) < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

int tty_raw(int fd, bool newlines, struct termios *ret_saved)
{
	struct termios saved, raw;
	int r;

	if (tcgetattr(fd, &saved) < 0)
		return errno == ENOTTY ? TTY_NONE : -errno;
	raw = saved;
	cfmakeraw(&raw);
	if (newlines)
		raw.c_oflag |= OPOST;
	r = set_quietly(fd, &raw);
	if (r == 0)
		*ret_saved = saved;
	return r;
}

int tty_restore(int fd, const struct termios *saved)
{
	int r = set_quietly(fd, saved);

	return r == -ENOTTY ? TTY_NONE : r;
}

int tty_copy_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) < 0 || ioctl(to, TIOCSWINSZ, &size) < 0)
		return errno == ENOTTY || errno == EINVAL ? TTY_NONE : -errno;
	return 0;
}
