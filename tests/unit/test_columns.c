/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables as runc prints them, and narrow ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"

static void prints(const char *const rows[][3], size_t n, bool compact, const char *want)
{
	struct columns t = {.n = 3, .compact = compact};
	size_t size = 0;
	char *got = NULL;
	FILE *f = open_memstream(&got, &size);

	assert_non_null(f);
	for (size_t i = 0; i < n; i++) {
		/* The table keeps copies. */
		char copy[3][64];
		const char *cell[3];

		for (int k = 0; k < 3; k++) {
			assert_true(strlen(rows[i][k]) < sizeof(copy[k]));
			cell[k] = strcpy(copy[k], rows[i][k]);
		}
		assert_int_equal(columns_add(&t, cell), 0);
		memset(copy, '!', sizeof(copy));
	}
	columns_print(&t, f);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(got, want);
	free(got);
	columns_done(&t);
}

static void widths(void **state)
{
	static const char *const rows[][3] = {
		{"ID", "STATUS", "OWNER"},
		{"a-rather-long-id", "running", "root"},
		{"", "", ""},
	};

	(void)state;
	prints(rows, 3, false,
	       "ID                 STATUS      OWNER\n"
	       "a-rather-long-id   running     root\n"
	       "                               \n");
	prints(rows, 3, true,
	       "ID                STATUS   OWNER\n"
	       "a-rather-long-id  running  root\n"
	       "                           \n");
	prints(rows, 0, false, "");
}

/* Characters take columns, whatever bytes they have. */
static void characters(void **state)
{
	static const char *const rows[][3] = {{"\xc3\xa9t\xc3\xa9", "x", "y"},
					      {"summer", "x", "y"}};

	(void)state;
	prints(rows, 2, true, "\xc3\xa9t\xc3\xa9     x  y\nsummer  x  y\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(widths), cmocka_unit_test(characters)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
