/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernel/tty.h: a container's terminal, and the one a person sits at. */
#include "kernel/tty.h"

#include <pty.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "base/io.h"
#include "test_sandbox.h"

static int open_pts(void)
{
	int fd = open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static void open_body(void)
{
	struct tty tty = {-1, -1};
	struct winsize size;
	struct termios t;
	char buf[32] = "";
	int pts;

	enter_box();
	pts = open_pts();
	CHECK_OK(tty_open(pts, 33, 99, &tty, &err), err);
	CHECK(isatty(tty.slave) && (fcntl(tty.slave, F_GETFD) & FD_CLOEXEC));
	CHECK(fcntl(tty.master, F_GETFD) & FD_CLOEXEC);
	CHECK(ioctl(tty.master, TIOCGWINSZ, &size) == 0 && size.ws_row == 33 && size.ws_col == 99);
	CHECK(tcgetattr(tty.slave, &t) == 0 && (t.c_oflag & ONLCR));
	CHECK(write(tty.slave, "a\nb", 3) == 3);
	CHECK(read(tty.master, buf, sizeof(buf)) == 4 && memcmp(buf, "a\r\nb", 4) == 0);
	/* What the container writes is what comes out. */
	CHECK_OK(tty_plain(tty.slave, &err), err);
	CHECK(write(tty.slave, "a\nb", 3) == 3);
	CHECK(read(tty.master, buf, sizeof(buf)) == 3 && memcmp(buf, "a\nb", 3) == 0);
	CHECK_OK(tty_open(pts, 0, 0, &tty, &err), err);
	CHECK(ioctl(tty.slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 0 && size.ws_col == 0);
	CHECK_OK(tty_open(pts, 65535, 65535, &tty, &err), err);
	CHECK(ioctl(tty.slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 65535);
}

/* "ptmx" is anything but the multiplexer. */
static void fake_body(void)
{
	struct tty tty = {-1, -1};
	int dir, before;

	enter_box();
	dir = open(in_box("out"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	before = count_fds();
	CHECK(tty_open(dir, 0, 0, &tty, &err) == -ENOENT);
	CHECK(symlink("/dev/pts/ptmx", in_box("out/ptmx")) == 0);
	CHECK(tty_open(dir, 0, 0, &tty, &err) == -ENODEV);
	CHECK(unlink(in_box("out/ptmx")) == 0 && mkfifo(in_box("out/ptmx"), 0666) == 0);
	CHECK(tty_open(dir, 0, 0, &tty, &err) == -ENODEV);
	CHECK(unlink(in_box("out/ptmx")) == 0);
	CHECK(mknod(in_box("out/ptmx"), S_IFCHR | 0666, makedev(1, 3)) == 0);
	CHECK(tty_open(dir, 0, 0, &tty, &err) == -ENODEV);
	CHECK(tty.master == -1 && tty.slave == -1 && count_fds() == before);
}

static void take_body(void)
{
	struct tty tty = {-1, -1};
	int said, status;
	pid_t pid;

	enter_box();
	CHECK_OK(tty_open(open_pts(), 0, 0, &tty, &err), err);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		said = fcntl(2, F_DUPFD_CLOEXEC, 10);
		CHECK(setsid() > 0);
		if (tty_take(tty.slave, &err) < 0 || tcgetsid(0) != getpid())
			(void)dup2(said, 2);
		CHECK(tcgetsid(0) == getpid());
		for (int i = 0; i < 3; i++)
			CHECK(isatty(i) && !(fcntl(i, F_GETFD) & FD_CLOEXEC));
		CHECK(open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	/* Without a session of one's own it is an error. */
	CHECK(tty_take(open(in_box("out/canary"), O_RDONLY | O_CLOEXEC), &err) == -ENOTTY);
}

static void chown_body(void)
{
	struct tty tty = {-1, -1};
	struct stat st;
	gid_t gid;

	enter_box();
	CHECK_OK(tty_open(open_pts(), 0, 0, &tty, &err), err);
	CHECK(fstat(tty.slave, &st) == 0);
	gid = st.st_gid;
	CHECK_OK(tty_chown(tty.slave, 1234, (uint32_t)-1, &err), err);
	CHECK(fstat(tty.slave, &st) == 0 && st.st_uid == 1234 && st.st_gid == gid);
	CHECK_OK(tty_chown(tty.slave, 1234, 5, &err), err);
	CHECK(fstat(tty.slave, &st) == 0 && st.st_uid == 1234 && st.st_gid == 5);
	CHECK(tty_chown(-1, 0, 0, &err) == -EBADF);
}

static int listen_at(const char *dir, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(chdir(dir) == 0);
	memcpy(address.sun_path, name, strlen(name) + 1);
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0);
	CHECK(chdir("/") == 0);
	return fd;
}

static void check_sent(int sock, const char *path)
{
	struct tty tty = {-1, -1};
	char name[64] = "", want[64];
	int got[2], n = 2, number, conn;

	CHECK_OK(tty_open(open_pts(), 0, 0, &tty, &err), err);
	CHECK_OK(tty_send(path, tty.master, &err), err);
	conn = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
	CHECK(conn >= 0);
	CHECK(io_recv_fds(conn, name, sizeof(name) - 1, got, &n) > 0 && n == 1);
	CHECK(ioctl(got[0], TIOCGPTN, &number) == 0);
	(void)snprintf(want, sizeof(want), "/dev/pts/%d", number);
	CHECK(strcmp(name, want) == 0);
	CHECK(read(conn, name, 1) == 0);
	close(conn);
}

static void send_body(void)
{
	char deep[200] = "out/";

	enter_box();
	check_sent(listen_at(in_box("out"), "sock"), in_box("out/sock"));
	memset(deep + 4, 'd', 150);
	CHECK(mkdir(in_box(deep), 0755) == 0);
	(void)strncat(deep, "/s", sizeof(deep) - strlen(deep) - 1);
	check_sent(listen_at(in_box("out/"
				    "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
				    "ddddddddddddd"
				    "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
				    "ddddddddddddd"),
			     "s"),
		   in_box(deep));
	CHECK(tty_send(in_box("out/none"), 0, &err) < 0);
}

static void send_errors_body(void)
{
	struct tty tty = {-1, -1};
	char longer[5000];
	int before;

	enter_box();
	CHECK_OK(tty_open(open_pts(), 0, 0, &tty, &err), err);
	before = count_fds();
	CHECK(tty_send(in_box("out/none"), tty.master, &err) == -ENOENT &&
	      strstr(err.text, "out/none"));
	CHECK(tty_send(in_box("out/canary"), tty.master, &err) == -ECONNREFUSED);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK(tty_send(longer, tty.master, &err) == -ENAMETOOLONG);
	CHECK(tty_send(in_box("out/none"), open(in_box("out/canary"), O_RDONLY), &err) == -ENOTTY);
	CHECK(count_fds() == before + 1);
}

static void person_body(void)
{
	struct termios saved, now, again;
	struct winsize size = {.ws_row = 7, .ws_col = 70};
	int master, slave, other, other_slave, file;

	enter_box();
	CHECK(openpty(&master, &slave, NULL, NULL, &size) == 0);
	CHECK(openpty(&other, &other_slave, NULL, NULL, NULL) == 0);
	file = open(in_box("out/canary"), O_RDWR | O_CLOEXEC);
	CHECK(tcgetattr(slave, &now) == 0);
	CHECK(tty_raw(slave, false, &saved) == 0);
	CHECK(tcgetattr(slave, &now) == 0 && !(now.c_oflag & OPOST));
	CHECK(tty_restore(slave, &saved) == 0 && tcgetattr(slave, &now) == 0);
	CHECK(tty_raw(slave, true, &saved) == 0);
	CHECK(saved.c_lflag == now.c_lflag && (saved.c_lflag & ICANON));
	CHECK(tcgetattr(slave, &now) == 0 && !(now.c_lflag & (ICANON | ECHO | ISIG)));
	CHECK((now.c_oflag & OPOST) && (now.c_oflag & ONLCR));
	CHECK(tty_restore(slave, &saved) == 0);
	CHECK(tcgetattr(slave, &again) == 0 && again.c_lflag == saved.c_lflag &&
	      again.c_iflag == saved.c_iflag);
	CHECK(tty_copy_size(slave, other) == 0);
	memset(&size, 0, sizeof(size));
	CHECK(ioctl(other_slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 7 && size.ws_col == 70);
	CHECK(tty_raw(file, true, &saved) == TTY_NONE && tty_restore(file, &saved) == TTY_NONE);
	CHECK(tty_copy_size(file, other) == TTY_NONE && tty_copy_size(other, file) == TTY_NONE);
	CHECK(tty_raw(-1, true, &saved) == -EBADF && tty_copy_size(-1, other) == -EBADF);
}

TEST(open, NATIVE)
TEST(fake, NATIVE)
TEST(take, NATIVE)
TEST(chown, NATIVE)
TEST(send, NATIVE)
TEST(send_errors, NATIVE)
TEST(person, NATIVE)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),   cmocka_unit_test(test_fake),
		cmocka_unit_test(test_take),   cmocka_unit_test(test_chown),
		cmocka_unit_test(test_send),   cmocka_unit_test(test_send_errors),
		cmocka_unit_test(test_person),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
