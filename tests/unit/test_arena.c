/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arena: zeroed, aligned, separate pieces; its limit; given back whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void test_pieces(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	unsigned char *pieces[400];
	size_t total = 0;

	(void)state;
	for (size_t i = 0; i < 400; i++) {
		size_t size = i % 50 == 49 ? 40000 : i * 7;

		pieces[i] = arena_alloc(&a, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)(i % 251) + 1, size);
		total += size;
	}
	assert_true(a.used >= total);
	for (size_t i = 0; i < 400; i++) {
		size_t size = i % 50 == 49 ? 40000 : i * 7;

		for (size_t k = 0; k < size; k++)
			assert_int_equal(pieces[i][k], i % 251 + 1);
	}
}

static void test_large(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	char *small = arena_strdup(&a, "small"), *large = arena_alloc(&a, 5 << 20), *next;

	(void)state;
	assert_non_null(large);
	large[0] = large[(5 << 20) - 1] = 'x';
	/* A large piece does not end the chunk that is in use. */
	next = arena_strdup(&a, "next");
	assert_true(next > small && next < small + 4096);
	assert_string_equal(small, "small");
}

static void test_limit(void **state)
{
	AUTO_ARENA struct arena a = {.limit = 100};

	(void)state;
	assert_non_null(arena_alloc(&a, 60));
	assert_null(arena_alloc(&a, 41));
	assert_non_null(arena_alloc(&a, 40));
	assert_null(arena_alloc(&a, 1));
	assert_null(arena_strdup(&a, ""));
	assert_null(arena_printf(&a, "x"));
	arena_done(&a);
	assert_non_null(arena_alloc(&a, 100));
}

static void test_overflow(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	long *v;

	(void)state;
	assert_null(arena_array(&a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 100));
	assert_null(arena_alloc(&a, SIZE_MAX / 2));
	v = arena_array(&a, 10, sizeof(*v));
	assert_non_null(v);
	assert_int_equal(v[9], 0);
	assert_non_null(arena_array(&a, 0, 8));
}

static void test_grow(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	AUTO_ARENA struct arena small = {.limit = 32 * sizeof(int)};
	int *v = NULL, *before;
	size_t n, moved = 0;

	(void)state;
	for (n = 0; n < 5000; n++) {
		before = v;
		v = arena_grow(&a, v, n, sizeof(*v));
		assert_non_null(v);
		moved += v != before;
		v[n] = (int)n;
	}
	for (n = 0; n < 5000; n++)
		assert_int_equal(v[n], n);
	/* 16, 32, …, 8192 */
	assert_int_equal(moved, 10);

	/* What there is stays where memory ends. */
	for (v = NULL, n = 0; (before = arena_grow(&small, v, n, sizeof(*v))); v = before)
		before[n++] = 7;
	assert_int_equal(n, 16);
	assert_int_equal(v[15], 7);
	assert_null(arena_grow(&a, v, SIZE_MAX / 2 + 1, 1));
	assert_null(arena_grow(&a, v, (size_t)1 << 62, sizeof(*v)));
}

static void test_text(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	char big[5000], *s;

	(void)state;
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(&a, "ab", 30), "ab");
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 7), "x-7");
	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	s = arena_printf(&a, "<%s>", big);
	assert_int_equal(strlen(s), sizeof(big) + 1);
	assert_int_equal(s[sizeof(big)], '>');
	big[255] = '\0';
	assert_string_equal(arena_printf(&a, "%s", big), big);
	big[254] = '\0';
	assert_string_equal(arena_printf(&a, "%s", big), big);
}

/* Pages of this process, from /proc/self/statm. */
static long pages(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long n;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &n), 1);
	fclose(f);
	return n;
}

static void test_done(void **state)
{
	struct arena a = ARENA_INIT;
	long before;

	(void)state;
	arena_done(&a);
	before = pages();
	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(&a, 100000));
	assert_true(pages() >= before + 2000);
	arena_done(&a);
	assert_in_range(pages(), 0, before + 64);
	assert_null(a.chunks);
	assert_int_equal(a.used, 0);
}

static void test_reset(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	char *first;

	(void)state;
	arena_reset(&a);
	first = arena_alloc(&a, 1000);
	memset(first, 'x', 1000);
	arena_reset(&a);
	assert_int_equal(a.used, 0);
	assert_ptr_equal(arena_alloc(&a, 1000), first);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(first[i], 0);
	/* With many chunks one stays, whichever it is, and it is clean. */
	for (int i = 0; i < 50; i++)
		memset(arena_alloc(&a, 30000), 'y', 30000);
	arena_reset(&a);
	first = arena_alloc(&a, 60000);
	for (int i = 0; i < 60000; i++)
		assert_int_equal(first[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces), cmocka_unit_test(test_large),
		cmocka_unit_test(test_limit),  cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_grow),   cmocka_unit_test(test_text),
		cmocka_unit_test(test_done),   cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
