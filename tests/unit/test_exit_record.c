/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exit.json: what is written comes back, and a file that is damaged is none that ended with 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "supervise/exit_record.h"

static char path[64];
static int dir;

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/oakum-unit-XXXXXX",
		       tmp && strlen(tmp) < 30 ? tmp : "/tmp");
	if (!mkdtemp(path))
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlinkat(dir, EXIT_NAME, 0);
	close(dir);
	return rmdir(path);
}

static void put(const char *text)
{
	int fd = openat(dir, EXIT_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void comes_back(void **state)
{
	static const struct exit_record rows[] = {
		{.status = 0, .known = true, .oom_kills = 0},
		{.status = 255, .known = true, .oom_kills = -1},
		{.signal = 9, .known = true, .oom_kills = 3},
		{.known = false, .oom_kills = -1, .bytes = {0, UINT32_MAX, 1}, .log_lost = 7},
	};
	struct err err = ERR_INIT;
	struct exit_record got;

	(void)state;
	assert_int_equal(exit_read(dir, &got, &err), EXIT_ABSENT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(exit_write(dir, &rows[i]), 0);
		memset(&got, 0x55, sizeof(got));
		assert_int_equal(exit_read(dir, &got, &err), EXIT_PRESENT);
		assert_int_equal(got.status, rows[i].status);
		assert_int_equal(got.signal, rows[i].signal);
		assert_int_equal(got.known, rows[i].known);
		assert_int_equal(got.oom_kills, rows[i].oom_kills);
	}
	/* One name, and no temporary one beside it: tear_down() removes the directory. */
	assert_int_equal(exit_write(-1, &rows[0]), -EBADF);
}

static void damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"null",
		"7",
		"{}",
		"{\"status\":0}",
		"{\"signal\":9,\"known\":true}",
		"{\"status\":256,\"signal\":0}",
		"{\"status\":-1,\"signal\":0}",
		"{\"status\":\"0\",\"signal\":0}",
		"{\"status\":0.5,\"signal\":0}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct exit_record got = {.status = 77};
		struct err err = ERR_INIT;

		put(texts[i]);
		if (exit_read(dir, &got, &err) >= 0 || !err.text[0] || got.status != 77)
			fail_msg("taken: %s", texts[i]);
	}
}

/* Of a later version, or of an earlier one. */
static void other_members(void **state)
{
	struct exit_record got;
	struct err err = ERR_INIT;

	(void)state;
	put("{\"status\":3,\"signal\":0,\"later\":{\"a\":[1]}}");
	assert_int_equal(exit_read(dir, &got, &err), EXIT_PRESENT);
	assert_int_equal(got.status, 3);
	assert_false(got.known);
	assert_int_equal(got.oom_kills, -1);
	put("{\"status\":3,\"signal\":0,\"known\":1,\"oom_kills\":null}");
	assert_int_equal(exit_read(dir, &got, &err), EXIT_PRESENT);
	assert_false(got.known);
	assert_int_equal(got.oom_kills, -1);
}

static void as_a_shell(void **state)
{
	(void)state;
	assert_int_equal(exit_shell_status(0, 0), 0);
	assert_int_equal(exit_shell_status(127, 0), 127);
	assert_int_equal(exit_shell_status(0, 9), 137);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_members, set_up, tear_down),
		cmocka_unit_test(as_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
