/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subordinate ids as the files of a system have them, and as they should not have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "kernel/subid.h"

static char file[] = "/tmp/test-subid.XXXXXX";

static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
}

/* The ranges of @uid as "FIRST+SIZE FIRST+SIZE " */
static const char *ranges(const char *name, uint32_t uid)
{
	static char text[8192];
	struct err err = ERR_INIT;
	struct arena arena = ARENA_INIT;
	struct ns_idmaps maps;
	size_t len = 0;

	text[0] = '\0';
	assert_int_equal(subid_ranges(name, uid, &arena, &maps, &err), 0);
	for (size_t i = 0; i < maps.n && len < sizeof(text) - 32; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u+%u ", maps.v[i].host,
					maps.v[i].size);
	arena_done(&arena);
	return text;
}

static void by_name_and_by_number_in_their_order(void **state)
{
	(void)state;
	/* 0 is root in every passwd(5). */
	write_file("nobody:900000:65536\nroot:200000:1000\n00:1:1\n0:300000:65536\n1000:5:5\n");
	assert_string_equal(ranges(file, 0), "200000+1000 300000+65536 ");
	assert_string_equal(ranges(file, 1000), "5+5 ");
	assert_string_equal(ranges(file, 1001), "");
}

static void without_a_name_in_passwd_the_sessions(void **state)
{
	(void)state;
	write_file("somebody:400000:10\n");
	setenv("USER", "somebody", 1);
	assert_string_equal(ranges(file, 4200000000u), "400000+10 ");
	assert_string_equal(ranges(file, 0), "");
	unsetenv("USER");
	assert_string_equal(ranges(file, 4200000000u), "");
}

static void what_cannot_be_read_is_not_there(void **state)
{
	(void)state;
	write_file("0\n0:\n0:1\n0::5\n0:5:\n0:x:5\n0:5:-1\n0:5:0\n:5:5\n\n"
		   "# 0:7:7\n0:4294967290:10\n0:4294967295:1\n0:99999999999:1\n 0:8:8\n0:9:9");
	assert_string_equal(ranges(file, 0), "9+9 ");
	write_file("");
	assert_string_equal(ranges(file, 0), "");
	assert_string_equal(ranges("/nowhere/subuid", 0), "");
}

static void more_ranges_than_a_map_takes(void **state)
{
	FILE *f = fopen(file, "w");
	struct err err = ERR_INIT;
	struct arena arena = ARENA_INIT;
	struct ns_idmaps maps;

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 400; i++)
		fprintf(f, "0:%d:1\n", 1000 + i);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(subid_ranges(file, 0, &arena, &maps, &err), 0);
	assert_in_range(maps.n, 1, 339);
	assert_int_equal(maps.v[maps.n - 1].host, 1000 + maps.n - 1);
	arena_done(&arena);
}

static void a_file_that_is_none_is_an_error(void **state)
{
	struct err err = ERR_INIT;
	struct arena arena = ARENA_INIT;
	struct ns_idmaps maps;

	(void)state;
	assert_true(subid_ranges("/", 0, &arena, &maps, &err) < 0);
	assert_string_not_equal(err.text, "");
	arena_done(&arena);
}

static void the_helpers_are_looked_for_in_path(void **state)
{
	(void)state;
	setenv("PATH", "/nowhere::/dev", 1);
	assert_false(subid_have_helpers());
	unsetenv("PATH");
	assert_false(subid_have_helpers());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name_and_by_number_in_their_order),
		cmocka_unit_test(without_a_name_in_passwd_the_sessions),
		cmocka_unit_test(what_cannot_be_read_is_not_there),
		cmocka_unit_test(more_ranges_than_a_map_takes),
		cmocka_unit_test(a_file_that_is_none_is_an_error),
		cmocka_unit_test(the_helpers_are_looked_for_in_path),
	};
	int fd = mkstemp(file), r;

	if (fd < 0)
		return 1;
	close(fd);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file);
	return r;
}
