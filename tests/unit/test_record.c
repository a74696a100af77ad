/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log's format: what goes in comes out, whatever the borders of the reads and buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "supervise/record.h"

#define NOW "2026-11-23T13:05:59.123456789Z"

static size_t format(const char *in, size_t size, char *out, size_t out_size, size_t *taken)
{
	struct record_prefix p;

	record_prefix(&p, NOW, RECORD_STDOUT);
	return record_format(&p, in, size, out, out_size, taken);
}

static void check_format(const char *in, const char *expected)
{
	char out[1024];
	size_t taken, n = format(in, strlen(in), out, sizeof(out), &taken);

	assert_int_equal(taken, strlen(in));
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(out, expected, n);
}

static void formats_lines(void **state)
{
	(void)state;
	check_format("a\n", NOW " stdout F a\n");
	check_format("a\nbc\n", NOW " stdout F a\n" NOW " stdout F bc\n");
	check_format("\n", NOW " stdout F \n");
	check_format("a\nb", NOW " stdout F a\n" NOW " stdout P b\n");
	check_format("", "");
}

static void names_the_stream(void **state)
{
	struct record_prefix p;
	char out[128];
	size_t taken, n;

	(void)state;
	record_prefix(&p, NOW, RECORD_STDERR);
	n = record_format(&p, "x\n", 2, out, sizeof(out), &taken);
	assert_int_equal(n, strlen(NOW " stderr F x\n"));
	assert_memory_equal(out, NOW " stderr F x\n", n);
}

static void parses_what_it_formats(void **state)
{
	static const char line[] = NOW " stderr P a\0 b\r";
	struct record r;

	(void)state;
	assert_true(record_parse(line, sizeof(line) - 1, &r));
	assert_int_equal(r.stream, RECORD_STDERR);
	assert_false(r.full);
	assert_int_equal(r.time_len, strlen(NOW));
	assert_int_equal(r.text_len, 5);
	assert_memory_equal(r.text, "a\0 b\r", 5);
	assert_true(record_parse(NOW " stdout F ", strlen(NOW " stdout F "), &r));
	assert_true(r.full);
	assert_int_equal(r.text_len, 0);
}

static void refuses_other_lines(void **state)
{
	static const char *const bad[] = {
		"",
		"hello",
		NOW,
		NOW " ",
		NOW " stdout",
		NOW " stdout F",
		NOW " stdout X a",
		NOW " stdin F a",
		NOW " stdout Fa",
		"2026 stdout F a",
		"2026-11-23T13:05:59.1234567890123456789012345Z stdout F a",
	};
	struct record r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(record_parse(bad[i], strlen(bad[i]), &r));
}

/* Undo the format; the number of full lines is returned. */
static size_t unformat(const char *log, size_t size, char *out, size_t *ret_size)
{
	size_t lines = 0, n = 0;

	for (size_t at = 0; at < size;) {
		const char *newline = memchr(log + at, '\n', size - at);
		struct record r;

		assert_non_null(newline);
		assert_true(record_parse(log + at, (size_t)(newline - log) - at, &r));
		memcpy(out + n, r.text, r.text_len);
		n += r.text_len;
		if (r.full)
			out[n++] = '\n';
		lines += r.full;
		at = (size_t)(newline - log) + 1;
	}
	*ret_size = n;
	return lines;
}

/* Random bytes with newlines, cut at random, through buffers of every awkward size. */
static void keeps_every_byte(void **state)
{
	enum { SIZE = 4000 };
	static char in[SIZE], log[SIZE * 60], out[SIZE];
	unsigned seed = 7;

	(void)state;
	for (size_t room = 60; room < 400; room += 13) {
		size_t used = 0, done = 0, newlines = 0, n;

		for (size_t i = 0; i < SIZE; i++) {
			in[i] = (char)rand_r(&seed);
			if (rand_r(&seed) % 30 == 0)
				in[i] = '\n';
			newlines += in[i] == '\n';
		}
		while (done < SIZE) {
			size_t piece = 1 + (size_t)rand_r(&seed) % 700, taken;

			piece = piece < SIZE - done ? piece : SIZE - done;
			used += format(in + done, piece, log + used, room, &taken);
			assert_true(taken > 0 && taken <= piece);
			done += taken;
		}
		assert_int_equal(unformat(log, used, out, &n), newlines);
		assert_int_equal(n, SIZE);
		assert_memory_equal(in, out, SIZE);
	}
}

static void stays_within_the_buffer(void **state)
{
	char in[500], out[300];
	size_t taken;

	(void)state;
	memset(in, 'x', sizeof(in));
	for (size_t room = 42; room < sizeof(out) - 1; room++) {
		memset(out, '!', sizeof(out));
		assert_true(format(in, sizeof(in), out, room, &taken) <= room);
		assert_int_equal(out[room], '!');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_lines),	  cmocka_unit_test(names_the_stream),
		cmocka_unit_test(parses_what_it_formats), cmocka_unit_test(refuses_other_lines),
		cmocka_unit_test(keeps_every_byte),	  cmocka_unit_test(stays_within_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
