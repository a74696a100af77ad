/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detach keys: found across reads, and nothing else is swallowed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "supervise/keys.h"

static struct keys parsed(const char *text)
{
	struct keys k;

	assert_int_equal(keys_parse(text, &k), 0);
	return k;
}

/* Typed in one go, and byte by byte: both must give @expected and @detach. */
static void check(const char *keys, const char *typed, const char *expected, bool detach)
{
	for (int single = 0; single < 2; single++) {
		struct keys k = parsed(keys);
		size_t size = strlen(typed), step = single ? 1 : size, used = 0, n;
		char out[128];
		bool found = false;

		for (size_t at = 0; at < size && !found; at += step) {
			found = keys_feed(&k, typed + at, step, out + used, &n);
			used += n;
		}
		assert_int_equal(found, detach);
		assert_int_equal(used, strlen(expected));
		assert_memory_equal(out, expected, used);
	}
}

static void parses_keys(void **state)
{
	static const char *const bad[] = {"ctrl-",   "ctrl-A", "ctrl-1", "ab",
					  ",",	     "a,",     ",a",	 "ctrl-p,,ctrl-q",
					  "ctrl-pp", "CTRL-p", "ctrl p", "a,b,c,d,e,f,g,h,i"};
	struct keys k;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(keys_parse(bad[i], &k), -EINVAL);
	k = parsed(KEYS_DEFAULT);
	assert_int_equal(k.count, 2);
	assert_int_equal(k.sequence[0], 16);
	assert_int_equal(k.sequence[1], 17);
	k = parsed("ctrl-@,ctrl-[,ctrl-_,x");
	assert_int_equal(k.count, 4);
	assert_memory_equal(k.sequence, "\0\033\037x", 4);
	assert_int_equal(parsed("").count, 0);
}

static void finds_the_sequence(void **state)
{
	(void)state;
	check("ctrl-p,ctrl-q", "ls\n\020\021after", "ls\n", true);
	check("ctrl-p,ctrl-q", "\020\020\021", "\020", true);
	check("a,a,b", "aaab", "a", true);
	check("x", "12x3", "12", true);
}

static void passes_the_rest(void **state)
{
	(void)state;
	check("ctrl-p,ctrl-q", "plain", "plain", false);
	check("ctrl-p,ctrl-q", "a\020b\021c", "a\020b\021c", false);
	check("ctrl-p,ctrl-q", "held\020", "held", false);
	check("a,b,c", "ababd", "ababd", false);
	check("", "\020\021", "\020\021", false);
}

static void passes_nul_bytes_without_keys(void **state)
{
	struct keys k = parsed("");
	char out[8 + KEYS_MAX];
	size_t n;

	(void)state;
	assert_false(keys_feed(&k, "\0a\0", 3, out, &n));
	assert_int_equal(n, 3);
	assert_memory_equal(out, "\0a\0", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_keys),
		cmocka_unit_test(finds_the_sequence),
		cmocka_unit_test(passes_the_rest),
		cmocka_unit_test(passes_nul_bytes_without_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
