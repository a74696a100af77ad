/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes that finish, files replaced in one step, descriptors through a socket. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

static char dir_name[256];
static int dir = -1;

static int group_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir_name, sizeof(dir_name), "%s/test_io.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir_name))
		return -1;
	dir = open(dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

/* Fails if anything else than what the tests remove is left: io_replace_at() leaves nothing. */
static int group_teardown(void **state)
{
	(void)state;
	fd_close(dir);
	return rmdir(dir_name);
}

static void make(const char *name, const char *text, size_t size)
{
	AUTO_CLOSE int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, text, size), 0);
}

static void gone(const char *name)
{
	assert_int_equal(unlinkat(dir, name, 0), 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* A pipe that is smaller than the data, a slow reader, and signals all the while. */
static void test_interrupted(void **state)
{
	struct sigaction act = {.sa_handler = on_alarm}, old;
	static char data[300000], back[300000];
	int p[2], status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 251);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(sigaction(SIGUSR1, &act, &old), 0);
	pid = fork();
	if (pid == 0) {
		pid_t parent = getppid();
		int r;

		fd_close(p[1]);
		for (int i = 0; i < 50; i++)
			kill(parent, SIGUSR1);
		r = io_read(p[0], back, sizeof(back)) == sizeof(back) &&
		    memcmp(back, data, sizeof(data)) == 0 && io_read(p[0], back, 1) == 0;
		_exit(r ? 0 : 1);
	}
	fd_close(p[0]);
	assert_int_equal(io_write(p[1], data, sizeof(data)), 0);
	fd_close(p[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	sigaction(SIGUSR1, &old, NULL);
}

static void test_errors(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(io_read(-1, buf, 1), -EBADF);
	assert_int_equal(io_write(-1, buf, 1), -EBADF);
	assert_int_equal(io_write(-1, buf, 0), 0);
}

static void test_read_at(void **state)
{
	char buf[8];

	(void)state;
	make("f", "1234567", 7);
	assert_int_equal(io_read_at(dir, "f", buf, sizeof(buf)), 7);
	assert_string_equal(buf, "1234567");
	assert_int_equal(io_read_at(dir, "f", buf, 7), -EFBIG);
	assert_int_equal(io_read_at(dir, "f", buf, 0), -EINVAL);
	make("f", "ab\n\n", 4);
	assert_int_equal(io_read_at(dir, "f", buf, sizeof(buf)), 3);
	assert_string_equal(buf, "ab\n");
	make("f", "", 0);
	assert_int_equal(io_read_at(dir, "f", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_int_equal(io_read_at(dir, "none", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(symlinkat("f", dir, "l"), 0);
	assert_int_equal(io_read_at(dir, "l", buf, sizeof(buf)), -ELOOP);
	assert_int_equal(io_write_at(dir, "l", "x"), -ELOOP);
	gone("l");
	gone("f");
	/* Nobody writes to it: it must not be waited for. */
	assert_int_equal(mkfifoat(dir, "p", 0600), 0);
	assert_int_equal(io_read_at(dir, "p", buf, sizeof(buf)), 0);
	gone("p");
}

static void test_write_at(void **state)
{
	char buf[16];

	(void)state;
	assert_int_equal(io_write_at(dir, "f", "x"), -ENOENT);
	make("f", "old text", 8);
	assert_int_equal(io_write_at(dir, "f", "new"), 0);
	assert_int_equal(io_read_at(dir, "f", buf, sizeof(buf)), 8);
	assert_string_equal(buf, "new text");
	gone("f");
	assert_int_equal(io_write_at(AT_FDCWD, "/dev/full", "x"), -ENOSPC);
}

static int read_all(const char *name, size_t max, struct arena *a, char **data, size_t *size,
		    struct err *e)
{
	*e = ERR_INIT;
	*size = 0;
	return io_read_alloc(dir, name, max, a, data, size, e);
}

static void test_read_alloc(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	char *data, *big = test_malloc(100000);
	struct err e;
	size_t size;

	(void)state;
	memset(big, 'x', 100000);
	make("f", big, 100000);
	assert_int_equal(read_all("f", 100000, &a, &data, &size, &e), 0);
	assert_int_equal(size, 100000);
	assert_memory_equal(data, big, 100000);
	assert_int_equal(data[100000], '\0');
	assert_int_equal(read_all("f", 99999, &a, &data, &size, &e), -EFBIG);
	assert_non_null(strstr(e.text, "f has more than 99999 bytes"));
	make("f", "", 0);
	assert_int_equal(read_all("f", 10, &a, &data, &size, &e), 0);
	assert_int_equal(size, 0);
	assert_string_equal(data, "");
	gone("f");
	/* procfs says that its files are empty. */
	assert_int_equal(read_all("/proc/self/smaps", 1 << 20, &a, &data, &size, &e), 0);
	assert_true(size > 4096);
	assert_int_equal(strlen(data), size);
	assert_int_equal(read_all("/proc/self/smaps", 1000, &a, &data, &size, &e), -EFBIG);
	a.limit = a.used + 10;
	make("f", big, 1000);
	assert_int_equal(read_all("f", 100000, &a, &data, &size, &e), -ENOMEM);
	gone("f");
	test_free(big);
}

static void check_refused(const char *name, const char *why)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	char *data = NULL;
	struct err e;
	size_t size;

	assert_int_equal(read_all(name, 100, &a, &data, &size, &e), -EINVAL);
	assert_non_null(strstr(e.text, why));
	assert_null(data);
}

static void test_not_regular(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	char *data;
	struct err e;
	size_t size;

	(void)state;
	assert_int_equal(mkfifoat(dir, "p", 0600), 0);
	check_refused("p", "p is a FIFO");
	check_refused(".", ". is a directory");
	check_refused("/dev/zero", "/dev/zero is a device");
	gone("p");
	assert_int_equal(read_all("none", 10, &a, &data, &size, &e), -ENOENT);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.text, "open none");
}

static void test_read_stream(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	char path[FD_PATH_SIZE], *data;
	struct err e = ERR_INIT;
	size_t size;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(io_write(p[1], "hello", 5), 0);
	fd_close(p[1]);
	assert_int_equal(io_read_stream(fd_path(p[0], path), 100, &a, &data, &size, &e), 0);
	assert_int_equal(size, 5);
	assert_string_equal(data, "hello");
	assert_int_equal(io_read_stream("/dev/zero", 10000, &a, &data, &size, &e), -EFBIG);
	assert_int_equal(io_read_stream("/nonexistent", 10, &a, &data, &size, &e), -ENOENT);
	fd_close(p[0]);
}

static void test_replace(void **state)
{
	char buf[16], path[512], longest[300];
	struct stat before, after;

	(void)state;
	assert_int_equal(io_replace_at(dir, "f", "one", 3), 0);
	assert_int_equal(fstatat(dir, "f", &before, 0), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	assert_int_equal(io_replace_at(dir, "f", "two", 3), 0);
	assert_int_equal(fstatat(dir, "f", &after, 0), 0);
	assert_true(after.st_ino != before.st_ino);
	snprintf(path, sizeof(path), "%s/f", dir_name);
	assert_int_equal(io_replace_at(AT_FDCWD, path, "three", 5), 0);
	assert_int_equal(io_read_at(dir, "f", buf, sizeof(buf)), 5);
	assert_string_equal(buf, "three");
	gone("f");
	/* A directory in the way: refused, and no temporary file left (the teardown would see it).
	 */
	assert_int_equal(mkdirat(dir, "d", 0700), 0);
	assert_int_equal(io_replace_at(dir, "d", "x", 1), -EISDIR);
	assert_int_equal(unlinkat(dir, "d", AT_REMOVEDIR), 0);
	assert_int_equal(io_replace_at(dir, "none/f", "x", 1), -ENOENT);
	memset(longest, 'n', sizeof(longest));
	longest[250] = '\0';
	assert_int_equal(io_replace_at(dir, longest, "x", 1), -ENAMETOOLONG);
}

/* Whoever reads while it is replaced sees one or the other, whole. */
static void test_replace_race(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(io_replace_at(dir, "f", "aaaaaaaaaa", 10), 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 2000; i++)
			if (io_replace_at(dir, "f", i % 2 ? "aaaaaaaaaa" : "bbbbb", i % 2 ? 10 : 5))
				_exit(1);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		char buf[32];
		ssize_t n = io_read_at(dir, "f", buf, sizeof(buf));

		assert_true(n > 0);
		assert_true(str_eq(buf, "aaaaaaaaaa") || str_eq(buf, "bbbbb"));
	}
	assert_int_equal(status, 0);
	gone("f");
}

static void test_poll(void **state)
{
	int64_t start = clock_now_ms();
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(io_poll_until(p[0], POLLIN, 0), 0);
	assert_int_equal(io_poll_until(p[0], POLLIN, clock_deadline(30)), 0);
	assert_true(clock_now_ms() >= start + 30);
	assert_int_equal(io_write(p[1], "x", 1), 0);
	assert_int_equal(io_poll_until(p[0], POLLIN, 0), POLLIN);
	assert_int_equal(io_poll_until(p[0], POLLIN, CLOCK_FOREVER), POLLIN);
	fd_close(p[1]);
	assert_true(io_poll_until(p[0], 0, CLOCK_FOREVER) & POLLHUP);
	fd_close(p[0]);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 600; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_fds(void **state)
{
	int s[2], fds[4] = {-1, -1, -1, -1}, n = 4, before, send[300];
	struct stat one, two;
	char buf[16];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	before = count_fds();
	for (int i = 0; i < 300; i++)
		send[i] = i % 2 ? dir : 0;
	assert_int_equal(io_send_fds(s[0], "hello", 5, send, 2), 0);
	assert_int_equal(io_recv_fds(s[1], buf, sizeof(buf), fds, &n), 5);
	assert_int_equal(n, 2);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(fstat(fds[1], &one), 0);
	assert_int_equal(fstat(dir, &two), 0);
	assert_int_equal(one.st_ino, two.st_ino);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	fd_close(fds[0]);
	fd_close(fds[1]);
	/* More than wanted: the rest is closed. */
	n = 1;
	assert_int_equal(io_send_fds(s[0], "x", 1, send, 253), 0);
	assert_int_equal(io_recv_fds(s[1], buf, sizeof(buf), fds, &n), 1);
	assert_int_equal(n, 1);
	fd_close(fds[0]);
	assert_int_equal(io_send_fds(s[0], "x", 1, send, 3), 0);
	assert_int_equal(io_recv_fds(s[1], buf, sizeof(buf), NULL, NULL), 1);
	assert_int_equal(io_send_fds(s[0], "x", 1, send, 254), -EINVAL);
	/* A message that does not fit is an error that keeps nothing. */
	n = 4;
	assert_int_equal(io_send_fds(s[0], "0123456789abcdefg", 17, send, 2), 0);
	assert_int_equal(io_recv_fds(s[1], buf, sizeof(buf), fds, &n), -EMSGSIZE);
	assert_int_equal(n, 0);
	assert_int_equal(count_fds(), before);
	fd_close(s[0]);
	n = 4;
	assert_int_equal(io_recv_fds(s[1], buf, sizeof(buf), fds, &n), 0);
	assert_int_equal(n, 0);
	/* No SIGPIPE. */
	assert_int_equal(io_send_fds(s[1], "x", 1, NULL, 0), -EPIPE);
	fd_close(s[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupted),  cmocka_unit_test(test_errors),
		cmocka_unit_test(test_read_at),	     cmocka_unit_test(test_write_at),
		cmocka_unit_test(test_read_alloc),   cmocka_unit_test(test_not_regular),
		cmocka_unit_test(test_read_stream),  cmocka_unit_test(test_replace),
		cmocka_unit_test(test_replace_race), cmocka_unit_test(test_poll),
		cmocka_unit_test(test_fds),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
