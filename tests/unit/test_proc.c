/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes told apart: alive, zombie, reaped, somebody else's; and what became of them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

/* A child that waits for its end; *@ret_pidfd is the caller's. */
static pid_t child(int *ret_pidfd)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	*ret_pidfd = sys_pidfd_open(pid, 0);
	assert_true(*ret_pidfd >= 0);
	return pid;
}

static int reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Each way to recognize a process, through its life. */
static void check_life(bool use_inode)
{
	AUTO_CLOSE int pidfd = -1;
	pid_t pid = child(&pidfd);
	struct proc_id id, other;
	struct err e = ERR_INIT;
	int fd = -1;

	assert_int_equal(proc_identify(pid, use_inode ? pidfd : -1, &id), 0);
	assert_int_equal(id.pid, pid);
	assert_true(id.start > 0);
	if (!use_inode)
		id.inode = 0;
	assert_int_equal(proc_open(&id, &fd, &e), PROC_ALIVE);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_false(proc_ended(fd));
	fd_close(fd);
	assert_int_equal(proc_check(&id), PROC_ALIVE);
	/* The same pid at another time is another process. */
	other = id;
	other.start++;
	other.inode += other.inode > 0;
	fd = -1;
	assert_int_equal(proc_open(&other, &fd, &e), PROC_GONE);
	assert_int_equal(fd, -1);
	assert_int_equal(proc_check(&other), PROC_GONE);

	assert_int_equal(proc_signal(pidfd, SIGKILL, &e), 0);
	assert_int_equal(proc_wait(pidfd, clock_deadline(10000)), PROC_GONE);
	/* A zombie has ended. */
	assert_true(proc_ended(pidfd));
	assert_int_equal(proc_check(&id), PROC_GONE);
	assert_int_equal(proc_open(&id, &fd, &e), PROC_GONE);
	assert_int_equal(reap(pid), SIGKILL);
	assert_true(proc_ended(pidfd));
	assert_int_equal(proc_check(&id), PROC_GONE);
	assert_int_equal(proc_signal(pidfd, SIGTERM, &e), PROC_GONE);
	assert_int_equal(e.kind, ERR_NONE);
}

static void test_life(void **state)
{
	(void)state;
	check_life(true);
	check_life(false);
}

static void test_unknown(void **state)
{
	struct proc_id nothing = {.pid = 0, .start = 1, .inode = 1};
	struct proc_id bare = {.pid = getpid()};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(proc_check(&nothing), PROC_GONE);
	nothing.pid = -1;
	assert_int_equal(proc_check(&nothing), PROC_GONE);
	/* Above the largest pid there can be. */
	nothing.pid = 1 << 23;
	assert_int_equal(proc_check(&nothing), PROC_GONE);
	assert_int_equal(proc_open(&bare, NULL, &e), -EINVAL);
	assert_non_null(strstr(e.text, "neither start time nor inode"));
	assert_true(proc_identify(1 << 23, -1, &bare) < 0);
	assert_int_equal(bare.pid, getpid());
}

static void test_inode(void **state)
{
	AUTO_CLOSE int a = -1, b = -1;
	pid_t one = child(&a), two = child(&b);
	struct proc_id x, y, again;

	(void)state;
	assert_int_equal(proc_identify(one, a, &x), 0);
	assert_int_equal(proc_identify(two, b, &y), 0);
	assert_int_equal(proc_identify(one, -1, &again), 0);
	/* Both 0 before Linux 6.9, where all pidfds are one inode. */
	if (x.inode)
		assert_true(x.inode != y.inode);
	assert_int_equal(x.inode, again.inode);
	assert_int_equal(x.start, again.start);
	kill(one, SIGKILL);
	kill(two, SIGKILL);
	reap(one);
	reap(two);
}

static void test_wait(void **state)
{
	AUTO_CLOSE int pidfd = -1;
	pid_t pid = child(&pidfd);
	int64_t start = clock_now_ms();

	(void)state;
	assert_int_equal(proc_wait(pidfd, 0), 0);
	assert_int_equal(proc_wait(pidfd, clock_deadline(20)), 0);
	assert_true(clock_now_ms() >= start + 20);
	assert_int_equal(proc_wait(-1, CLOCK_FOREVER), -EBADF);
	assert_int_equal(proc_wait(1000, 0), -EBADF);
	assert_false(proc_ended(1000));
	kill(pid, SIGKILL);
	assert_int_equal(proc_wait(pidfd, CLOCK_FOREVER), PROC_GONE);
	reap(pid);
}

static void test_signal_refused(void **state)
{
	AUTO_CLOSE int pidfd = -1;
	pid_t pid = child(&pidfd);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(proc_signal(pidfd, 1000, &e), -EINVAL);
	assert_string_equal(e.text, "send signal 1000");
	kill(pid, SIGKILL);
	reap(pid);
}

/* In a child: names that make /proc/PID/stat hard to read. */
static void test_describe(void **state)
{
	static const char *const names[] = {"plain", "a b) S 1", ")))", "(", ""};
	char text[256], want[64];
	struct strbuf b;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_CLOSE int pidfd = -1;
		struct proc_id id;
		int ready[2], status;
		pid_t pid;
		char c;

		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			prctl(PR_SET_NAME, names[i]);
			fd_close(ready[0]);
			fd_close(ready[1]);
			for (;;)
				pause();
		}
		fd_close(ready[1]);
		assert_int_equal(read(ready[0], &c, 1), 0);
		fd_close(ready[0]);
		assert_true(proc_state(pid) == 'S' || proc_state(pid) == 'R');
		(void)snprintf(want, sizeof(want), "%d (%s, state ", (int)pid, names[i]);
		strbuf_init(&b, text, sizeof(text));
		proc_describe(&b, pid);
		assert_memory_equal(text, want, strlen(want));
		assert_null(strstr(text, "traced"));
		assert_int_equal(proc_identify(pid, -1, &id), 0);
		id.inode = 0;
		assert_int_equal(proc_check(&id), PROC_ALIVE);
		kill(pid, SIGKILL);
		pidfd = sys_pidfd_open(pid, 0);
		assert_int_equal(proc_wait(pidfd, CLOCK_FOREVER), PROC_GONE);
		assert_int_equal(proc_state(pid), 'Z');
		strbuf_init(&b, text, sizeof(text));
		proc_describe_children(&b, getpid(), 3);
		assert_memory_equal(text, want, strlen(want));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(proc_state(pid), '?');
		(void)snprintf(want, sizeof(want), "%d (?, state ?)", (int)pid);
		strbuf_init(&b, text, sizeof(text));
		proc_describe(&b, pid);
		assert_string_equal(text, want);
	}
}

static bool kernel_tells_exit(void)
{
	AUTO_CLOSE int own = sys_pidfd_open(getpid(), 0);
	int status, r = proc_exit_status(own, &status);

	return r == -EAGAIN;
}

/* The status of a grandchild that its own parent has reaped. */
static void check_status(int how, bool by_signal)
{
	AUTO_CLOSE int pidfd = -1;
	int to[2], from[2], status = 77, r;
	pid_t parent, pid;
	char go = 'x';

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0) {
		pid = fork();
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (read(to[0], &go, 1) != 1)
				_exit(99);
			if (by_signal)
				kill(getpid(), how);
			_exit(how);
		}
		if (write(from[1], &pid, sizeof(pid)) != sizeof(pid) ||
		    waitpid(pid, NULL, 0) != pid)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(from[0], &pid, sizeof(pid)), sizeof(pid));
	pidfd = sys_pidfd_open(pid, 0);
	assert_true(pidfd >= 0);
	r = proc_exit_status(pidfd, &status);
	assert_true(r < 0);
	assert_int_equal(write(to[1], &go, 1), 1);
	assert_int_equal(reap(parent), 0);
	r = proc_exit_status(pidfd, &status);
	if (kernel_tells_exit()) {
		assert_int_equal(r, 0);
		if (by_signal)
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == how);
		else
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == how);
	} else {
		assert_true(r < 0);
		assert_int_equal(status, 77);
	}
	for (int i = 0; i < 2; i++) {
		fd_close(to[i]);
		fd_close(from[i]);
	}
}

static void test_exit_status(void **state)
{
	AUTO_CLOSE int pidfd = -1, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid = child(&pidfd);
	int status = 77;

	(void)state;
	check_status(0, false);
	check_status(42, false);
	check_status(SIGTERM, true);
	assert_true(proc_exit_status(null, &status) < 0);
	kill(pid, SIGKILL);
	assert_int_equal(proc_wait(pidfd, CLOCK_FOREVER), PROC_GONE);
	/* A zombie is its parent's still. */
	assert_true(proc_exit_status(pidfd, &status) < 0);
	assert_int_equal(status, 77);
	reap(pid);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* The child interrupts us before it ends. */
static void test_reap(void **state)
{
	struct sigaction count = {.sa_handler = count_alarm}, before;
	pid_t parent = getpid(), pid;
	int status = 0;

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &count, &before), 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 3; i++) {
			(void)poll(NULL, 0, 10);
			kill(parent, SIGALRM);
		}
		_exit(7);
	}
	assert_true(pid > 0);
	assert_int_equal(proc_reap(pid, &status), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	assert_true(alarms > 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_int_equal(proc_reap(pid, NULL), -ECHILD);
}

static void test_boot_id(void **state)
{
	char one[PROC_BOOT_ID_SIZE], two[PROC_BOOT_ID_SIZE];
	int proc;

	(void)state;
	assert_int_equal(proc_boot_id(AT_FDCWD, one), 0);
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(proc_boot_id(proc, two), 0);
	close(proc);
	assert_int_equal(strlen(one), 36);
	assert_int_equal(strspn(one, "0123456789abcdef-"), 36);
	assert_string_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),	       cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_inode),	       cmocka_unit_test(test_wait),
		cmocka_unit_test(test_signal_refused), cmocka_unit_test(test_describe),
		cmocka_unit_test(test_exit_status),    cmocka_unit_test(test_boot_id),
		cmocka_unit_test(test_reap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
