/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A lock belongs to an open file description: who has it, who waits, and who has let go. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/lock.h"

static char dir[] = "/tmp/test-lock.XXXXXX";

/* A description of its own. */
static int open_dir(void)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void one_at_a_time(void **state)
{
	int a = open_dir(), b = open_dir();

	(void)state;
	assert_int_equal(lock_take(a, clock_deadline(0)), 0);
	/* The same description has it already. */
	assert_int_equal(lock_take(a, clock_deadline(0)), 0);
	assert_int_equal(lock_take(b, clock_deadline(0)), -EBUSY);
	assert_int_equal(lock_take(b, clock_deadline(20)), -EBUSY);
	lock_drop(a);
	assert_int_equal(lock_take(b, clock_deadline(0)), 0);
	close(b);
	assert_int_equal(lock_take(a, clock_deadline(0)), 0);
	close(a);
}

static void dropped_for_all_who_hold_the_description(void **state)
{
	int a = open_dir(), b = open_dir(), twin = dup(a);

	(void)state;
	assert_int_equal(lock_take(a, clock_deadline(0)), 0);
	close(a);
	assert_int_equal(lock_take(b, clock_deadline(0)), -EBUSY);
	lock_drop(twin);
	assert_int_equal(lock_take(b, clock_deadline(0)), 0);
	close(b);
	close(twin);
}

static void the_end_of_who_has_it_is_waited_for(void **state)
{
	int locked[2], go[2], fd, status;
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(locked), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (lock_take(fd, CLOCK_FOREVER) < 0 || write(locked[1], "x", 1) != 1)
			_exit(1);
		_exit(read(go[0], &c, 1) != 1);
	}
	assert_int_equal(read(locked[0], &c, 1), 1);
	fd = open_dir();
	assert_int_equal(lock_take(fd, clock_deadline(0)), -EBUSY);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(lock_take(fd, clock_deadline(10000)), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	close(locked[0]);
	close(locked[1]);
	close(go[0]);
	close(go[1]);
}

static void what_is_no_descriptor_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(lock_take(-1, clock_deadline(0)), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(dropped_for_all_who_hold_the_description),
		cmocka_unit_test(the_end_of_who_has_it_is_waited_for),
		cmocka_unit_test(what_is_no_descriptor_is_an_error),
	};

	int r;

	if (!mkdtemp(dir))
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return r;
}
