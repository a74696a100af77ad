/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors' flags and ranges; the ranges also as a kernel without close_range(2) has them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/str.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static void test_flags(void **state)
{
	AUTO_CLOSE int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fd_cloexec(fd, true), 0);
	assert_true(is_cloexec(fd));
	assert_int_equal(fd_cloexec(fd, true), 0);
	assert_int_equal(fd_cloexec(fd, false), 0);
	assert_false(is_cloexec(fd));
	assert_int_equal(fd_nonblock(fd, true), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_nonblock(fd, false), 0);
	assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_cloexec(-1, true), -EBADF);
	assert_int_equal(fd_nonblock(-1, true), -EBADF);
}

static void test_own(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), other, kept;

	(void)state;
	kept = fd;
	assert_int_equal(fd_take(&fd), kept);
	assert_int_equal(fd, -1);
	{
		AUTO_CLOSE int owned = kept;

		assert_true(is_open(owned));
	}
	assert_false(is_open(kept));
	fd_close(-1);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	kept = fd;
	other = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	fd_replace(&fd, other);
	assert_int_equal(fd, other);
	assert_false(is_open(kept));
	fd_close(fd);
}

static void test_path(void **state)
{
	char buf[FD_PATH_SIZE];

	(void)state;
	assert_string_equal(fd_path(0, buf), "/proc/self/fd/0");
	assert_ptr_equal(fd_path(2147483647, buf), buf);
	assert_string_equal(buf, "/proc/self/fd/2147483647");
}

/* close_range(2) answers @code from now on. */
static int without_close_range(unsigned code)
{
	struct sock_filter code_of[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = ARRAY_SIZE(code_of), .filter = code_of};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0 ? -errno : 0;
}

/* In a child: 0, or the line that is wrong. */
static int ranges(unsigned code)
{
	int low = fcntl(0, F_DUPFD, 50), high = -1;

	for (int i = 0; i < 300; i++) {
		high = fcntl(low, F_DUPFD, 300 + i);
		if (high != 300 + i)
			return __LINE__;
	}
	if (code && without_close_range(code) < 0)
		return __LINE__;
	if (fd_cloexec_from(300) != 0)
		return __LINE__;
	if (is_cloexec(low) || !is_open(low))
		return __LINE__;
	for (int i = 300; i <= high; i++)
		if (!is_cloexec(i))
			return __LINE__;
	if (fd_close_from(301) != 0)
		return __LINE__;
	for (int i = 301; i <= high; i++)
		if (is_open(i))
			return __LINE__;
	if (!is_open(300) || !is_open(low) || !is_open(0))
		return __LINE__;
	/* The directory that was read for it is closed too. */
	for (int i = 3; i < 300; i++)
		if (i != low && is_open(i) && !is_cloexec(i) && code)
			return __LINE__;
	return fd_close_from(0xffffffffu) == 0 ? 0 : __LINE__;
}

static void check_ranges(unsigned code)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int line;

		fd_close_from(3);
		line = ranges(code);
		_exit(line & 0xff ? line & 0xff : line >> 8);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_ranges(void **state)
{
	(void)state;
	check_ranges(0);
}

static void test_old_kernel(void **state)
{
	(void)state;
	check_ranges(ENOSYS);
	check_ranges(EPERM);
	check_ranges(EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),	   cmocka_unit_test(test_own),
		cmocka_unit_test(test_path),	   cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_old_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
