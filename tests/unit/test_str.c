/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers in text, by tables; text under construction; ids. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str.h"

#define UNTOUCHED 77

static void test_u64(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int r;
		uint64_t v;
	} rows[] = {
		{"0", UINT64_MAX, 0, 0},
		{"1", UINT64_MAX, 0, 1},
		{"42", 42, 0, 42},
		{"43", 42, -ERANGE, 0},
		{"4294967294", 4294967294, 0, 4294967294},
		{"4294967295", 4294967294, -ERANGE, 0},
		{"4294967295", UINT32_MAX, 0, UINT32_MAX},
		{"4294967296", UINT32_MAX, -ERANGE, 0},
		{"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, -ERANGE, 0},
		{"99999999999999999999999999", UINT64_MAX, -ERANGE, 0},
		{"18446744073709551616x", UINT64_MAX, -EINVAL, 0},
		{"", UINT64_MAX, -EINVAL, 0},
		{"01", UINT64_MAX, -EINVAL, 0},
		{"00", UINT64_MAX, -EINVAL, 0},
		{"+1", UINT64_MAX, -EINVAL, 0},
		{"-1", UINT64_MAX, -EINVAL, 0},
		{"-0", UINT64_MAX, -EINVAL, 0},
		{"0x1", UINT64_MAX, -EINVAL, 0},
		{"1abc", UINT64_MAX, -EINVAL, 0},
		{" 1", UINT64_MAX, -EINVAL, 0},
		{"1 ", UINT64_MAX, -EINVAL, 0},
		{"1\n", UINT64_MAX, -EINVAL, 0},
		{"1.0", UINT64_MAX, -EINVAL, 0},
		{"1e3", UINT64_MAX, -EINVAL, 0},
		{"1_000", UINT64_MAX, -EINVAL, 0},
		{"\xd9\xa1\xd9\xa2", UINT64_MAX, -EINVAL, 0},	      /* Arabic digits */
		{"\xef\xbc\x91\xef\xbc\x92", UINT64_MAX, -EINVAL, 0}, /* full-width digits */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t v = UNTOUCHED;
		int r = str_to_u64(rows[i].text, 0, rows[i].max, &v);

		if (r != rows[i].r || v != (r ? UNTOUCHED : rows[i].v))
			fail_msg("\"%s\": %d, %ju", rows[i].text, r, (uintmax_t)v);
	}
}

static void test_bounds(void **state)
{
	uint64_t v = UNTOUCHED;

	(void)state;
	assert_int_equal(str_to_u64("4", 5, 10, &v), -ERANGE);
	assert_int_equal(str_to_u64("11", 5, 10, &v), -ERANGE);
	assert_int_equal(v, UNTOUCHED);
	assert_int_equal(str_to_u64("5", 5, 10, &v), 0);
	assert_int_equal(v, 5);
	assert_int_equal(strn_to_u64("123456", 3, 0, 1000, &v), 0);
	assert_int_equal(v, 123);
	assert_int_equal(strn_to_u64("123", 0, 0, 1000, &v), -EINVAL);
	assert_int_equal(strn_to_u64("12\0", 3, 0, 1000, &v), -EINVAL);
}

static void test_i64(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t v;
	} rows[] = {
		{"0", 0, 0},
		{"-1", 0, -1},
		{"9223372036854775807", 0, INT64_MAX},
		{"-9223372036854775808", 0, INT64_MIN},
		{"9223372036854775808", -ERANGE, 0},
		{"-9223372036854775809", -ERANGE, 0},
		{"-18446744073709551616", -ERANGE, 0},
		{"-0", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{"--1", -EINVAL, 0},
		{"-01", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{"- 1", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"-1x", -EINVAL, 0},
	};
	int64_t v = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r;

		v = UNTOUCHED;
		r = str_to_i64(rows[i].text, INT64_MIN, INT64_MAX, &v);
		if (r != rows[i].r || v != (r ? UNTOUCHED : rows[i].v))
			fail_msg("\"%s\": %d, %jd", rows[i].text, r, (intmax_t)v);
	}
	v = UNTOUCHED;
	assert_int_equal(str_to_i64("-1001", -1000, 1000, &v), -ERANGE);
	assert_int_equal(str_to_i64("1001", -1000, 1000, &v), -ERANGE);
	assert_int_equal(v, UNTOUCHED);
	assert_int_equal(str_to_i64("-1000", -1000, 1000, &v), 0);
	assert_int_equal(v, -1000);
}

static void test_octal(void **state)
{
	uint32_t v = UNTOUCHED;

	(void)state;
	assert_int_equal(str_to_octal("755", 07777, &v), 0);
	assert_int_equal(v, 0755);
	assert_int_equal(str_to_octal("000644", 07777, &v), 0);
	assert_int_equal(v, 0644);
	assert_int_equal(str_to_octal("37777777777", UINT32_MAX, &v), 0);
	assert_int_equal(v, UINT32_MAX);
	v = UNTOUCHED;
	assert_int_equal(str_to_octal("40000000000", UINT32_MAX, &v), -ERANGE);
	assert_int_equal(str_to_octal("10000", 07777, &v), -ERANGE);
	assert_int_equal(str_to_octal("", 07777, &v), -EINVAL);
	assert_int_equal(str_to_octal("8", 07777, &v), -EINVAL);
	assert_int_equal(str_to_octal("0o7", 07777, &v), -EINVAL);
	assert_int_equal(str_to_octal("-1", 07777, &v), -EINVAL);
	assert_int_equal(str_to_octal("7 ", 07777, &v), -EINVAL);
	assert_int_equal(v, UNTOUCHED);
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t v;
	} rows[] = {
		{"0", 0, 0},
		{"512", 0, 512},
		{"512b", 0, 512},
		{"2k", 0, 2048},
		{"512m", 0, 512ull << 20},
		{"512M", 0, 512ull << 20},
		{"512MiB", 0, 512ull << 20},
		{"512mib", 0, 512ull << 20},
		{"512MB", 0, 512ull << 20},
		{"512mi", 0, 512ull << 20},
		{"1g", 0, 1ull << 30},
		{"3T", 0, 3ull << 40},
		{"16777215t", 0, 16777215ull << 40},
		{"16777216t", -ERANGE, 0},
		{"18446744073709551616", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"m", -EINVAL, 0},
		{"-1m", -EINVAL, 0},
		{"1.5g", 0, 3ull << 29},
		{"0.5KiB", 0, 512},
		{"1.5", 0, 2},
		{"16777215.5t", 0, 16777215ull * (1ull << 40) + (1ull << 39)},
		{"18446744073709551615.1", -ERANGE, 0},
		{".5g", -EINVAL, 0},
		{"1.g", -EINVAL, 0},
		{"1.5.5g", -EINVAL, 0},
		{"1 m", -EINVAL, 0},
		{"01m", -EINVAL, 0},
		{"1mm", -EINVAL, 0},
		{"1bb", -EINVAL, 0},
		{"1bi", -EINVAL, 0},
		{"1p", -EINVAL, 0},
		{"1kibx", -EINVAL, 0},
	};
	uint64_t v = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r;

		v = UNTOUCHED;
		r = str_to_size(rows[i].text, UINT64_MAX, &v);
		if (r != rows[i].r || v != (r ? UNTOUCHED : rows[i].v))
			fail_msg("\"%s\": %d, %ju", rows[i].text, r, (uintmax_t)v);
	}
	assert_int_equal(str_to_size("1k", 1023, &v), -ERANGE);
}

static void test_ms(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t v;
	} rows[] = {
		{"0", 0, 0},
		{"10", 0, 10000},
		{"10s", 0, 10000},
		{"1.5s", 0, 1500},
		{"1.5", 0, 1500},
		{"250ms", 0, 250},
		{"2m", 0, 120000},
		{"1.5m", 0, 90000},
		{"1h", 0, 3600000},
		{"0.001", 0, 1},
		{"0.0001", 0, 1},
		{"0.00000000001s", 0, 1},
		{"0.10000000000s", 0, 100},
		{"0.5ms", 0, 1},
		{"1000000000", 0, INT64_C(1000000000000)},
		{"9223372036854775807", -ERANGE, 0},
		{"99999999999999999999h", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{".5", -EINVAL, 0},
		{"1.", -EINVAL, 0},
		{"1.s", -EINVAL, 0},
		{"1.5.5", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{"1d", -EINVAL, 0},
		{"1h30m", 0, 5400000},
		{"1m0.5s", 0, 60500},
		{"2s250ms", 0, 2250},
		{"1h30", -EINVAL, 0},
		{"1hm", -EINVAL, 0},
		{"1m30s ", -EINVAL, 0},
		{"5msh", -EINVAL, 0},
		{"2562047788015h13m", -ERANGE, 0},
		{"1 s", -EINVAL, 0},
		{"1S", -EINVAL, 0},
		{"01s", -EINVAL, 0},
		{"1e3", -EINVAL, 0},
		{"inf", -EINVAL, 0},
	};
	int64_t v = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r;

		v = UNTOUCHED;
		r = str_to_ms(rows[i].text, INT64_MAX, &v);
		if (r != rows[i].r || v != (r ? UNTOUCHED : rows[i].v))
			fail_msg("\"%s\": %d, %jd", rows[i].text, r, (intmax_t)v);
	}
	assert_int_equal(str_to_ms("2", 1999, &v), -ERANGE);
	assert_int_equal(str_to_ms("0", -1, &v), -ERANGE);
	assert_int_equal(str_to_ms("1s1ms", 1000, &v), -ERANGE);
}

static void test_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t n, len;
	} rows[] = {
		{"", 0, 0},
		{"a", 1, 1},
		{"\0", 1, 1},
		{"\xc3\xa9", 2, 2},
		{"\xc3\xa9", 1, 0},
		{"\xc3(", 2, 0},
		{"\xe2\x82\xac", 3, 3},
		{"\xe2\x82", 2, 0},
		{"\xe2\x82(", 3, 0},
		{"\xf0\x9f\x98\x80", 4, 4},
		{"\xf4\x8f\xbf\xbf", 4, 4},
		{"\xf4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
		{"\xf5\x80\x80\x80", 4, 0},
		{"\xc0\x80", 2, 0}, /* overlong */
		{"\xc1\xbf", 2, 0},
		{"\xe0\x9f\xbf", 3, 0},
		{"\xe0\xa0\x80", 3, 3},
		{"\xf0\x8f\xbf\xbf", 4, 0},
		{"\xf0\x90\x80\x80", 4, 4},
		{"\xed\x9f\xbf", 3, 3},
		{"\xed\xa0\x80", 3, 0}, /* a surrogate */
		{"\x80", 1, 0},
		{"\xff", 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(str_utf8(rows[i].bytes, rows[i].n), rows[i].len);
}

static void test_printable(void **state)
{
	char buf[16];

	(void)state;
	assert_int_equal(str_printable("a\tb\xc2\x85", buf, sizeof(buf)), 14);
	assert_string_equal(buf, "a\\x09b\\xc2\\x85");
	/* A cut never leaves half an escape or half a character. */
	assert_int_equal(str_printable("a\tb", buf, 5), 6);
	assert_string_equal(buf, "a");
	assert_int_equal(str_printable("\xc3\xa9\xc3\xa9!", buf, 4), 5);
	assert_string_equal(buf, "\xc3\xa9");
}

static void test_strbuf(void **state)
{
	char mem[32];
	struct strbuf b;

	(void)state;
	strbuf_init(&b, mem, sizeof(mem));
	assert_string_equal(b.p, "");
	strbuf_add(&b, "a");
	strbuf_addc(&b, '=');
	strbuf_i64(&b, INT64_MIN);
	strbuf_fmt(&b, "%s", ";");
	assert_string_equal(b.p, "a=-9223372036854775808;");
	assert_int_equal(b.len, 23);
	strbuf_init(&b, mem, sizeof(mem));
	strbuf_u64(&b, UINT64_MAX);
	strbuf_addc(&b, ' ');
	strbuf_u64(&b, 0);
	strbuf_i64(&b, -7);
	assert_string_equal(b.p, "18446744073709551615 0-7");
	assert_false(b.overflow);
}

static void test_overflow(void **state)
{
	char mem[6] = "....#";
	struct strbuf b;

	(void)state;
	strbuf_init(&b, mem, 5);
	strbuf_add(&b, "abcd");
	assert_false(b.overflow);
	strbuf_add(&b, "");
	assert_false(b.overflow);
	strbuf_addc(&b, 'e');
	assert_true(b.overflow);
	assert_string_equal(b.p, "abcd");
	strbuf_init(&b, mem, 5);
	strbuf_fmt(&b, "%d", 12345);
	assert_true(b.overflow);
	assert_string_equal(b.p, "1234");
	strbuf_add(&b, "x");
	assert_int_equal(b.len, 4);
	strbuf_init(&b, mem, 5);
	strbuf_fmt(&b, "%d", 1234);
	assert_false(b.overflow);
	strbuf_init(&b, mem, 0);
	strbuf_add(&b, "x");
	strbuf_fmt(&b, "x");
	assert_true(b.overflow);
	assert_int_equal(mem[5], '\0');
}

static void test_json(void **state)
{
	char mem[128];
	struct strbuf b;

	(void)state;
	strbuf_init(&b, mem, sizeof(mem));
	strbuf_json(&b, "q\" b\\ n\n t\t r\r \b\f \x01 \x1f \x7f / \xc3\xa9 \xff \xc3");
	assert_string_equal(b.p,
			    "\"q\\\" b\\\\ n\\n t\\t r\\r \\b\\f \\u0001 \\u001f \\u007f / \xc3"
			    "\xa9 \\ufffd \\ufffd\"");
	strbuf_init(&b, mem, sizeof(mem));
	strbuf_json(&b, "");
	assert_string_equal(b.p, "\"\"");
}

static void test_id(void **state)
{
	static const char *const good[] = {"a", "A-b_c.d+e", "-x", "+", "_", "0", "a..b"};
	static const char *const bad[] = {"",	  ".",	 "..",	 ".a",	 "a/b",
					  "../x", "a b", "a\nb", "a\tb", "\xc3\xa9",
					  "%s%n", ";rm", "a@b",	 "a:b",	 "a\x7f"};
	char id[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_null(str_bad_id(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_non_null(str_bad_id(bad[i]));
	memset(id, 'x', sizeof(id));
	id[255] = '\0';
	assert_null(str_bad_id(id));
	id[255] = 'x';
	id[256] = '\0';
	assert_non_null(str_bad_id(id));
}

static void test_base64(void **state)
{
	static const char *const wrong[] = {"A",	"AA",	 "AAA",	 "AAAAA", "AA=A",
					    "=AAA",	"A===",	 "AB==", "AAB=",  "A A=",
					    "AA==AAAA", "AA\nA", "AA-_"};
	char out[8];
	size_t n = 99;

	(void)state;
	assert_int_equal(str_base64("", out, 0, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(str_base64("Zm9vYmFy", out, sizeof(out), &n), 0);
	assert_int_equal(n, 6);
	assert_memory_equal(out, "foobar", 6);
	assert_int_equal(str_base64("Zm9vYg==", out, 4, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(str_base64("Zm9vYmE=", out, 5, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(str_base64("+/+/", out, 3, &n), 0);
	assert_memory_equal(out, "\xfb\xff\xbf", 3);
	assert_int_equal(str_base64("Zm9vYmFy", out, 5, &n), -E2BIG);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (str_base64(wrong[i], out, sizeof(out), &n) != -EINVAL)
			fail_msg("%s: taken", wrong[i]);
}

static void test_inline(void **state)
{
	(void)state;
	assert_true(str_eq("a", "a"));
	assert_false(str_eq("a", "ab"));
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("a", "ab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),    cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_i64),    cmocka_unit_test(test_octal),
		cmocka_unit_test(test_size),   cmocka_unit_test(test_ms),
		cmocka_unit_test(test_utf8),   cmocka_unit_test(test_printable),
		cmocka_unit_test(test_strbuf), cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_json),   cmocka_unit_test(test_id),
		cmocka_unit_test(test_inline), cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
