/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON: what is taken, what is refused with which words and where; damaged texts of all kinds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

/* A text that ends where its memory ends: reading beyond it is a fault. */
struct edge {
	char *map, *data;
	size_t size;
};

static struct edge edge_new(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page;
	struct edge e = {.size = room + page};

	e.map = mmap(NULL, e.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(e.map != MAP_FAILED);
	assert_int_equal(mprotect(e.map + room, page, PROT_NONE), 0);
	e.data = e.map + room - size;
	return e;
}

static void edge_free(struct edge *e)
{
	assert_int_equal(munmap(e->map, e->size), 0);
}

static int parse(const char *text, size_t size, struct arena *a, struct json **j, struct err *e)
{
	struct edge copy = edge_new(size);
	int r;

	memcpy(copy.data, text, size);
	*e = ERR_INIT;
	r = json_parse(copy.data, size, "config.json", a, j, e);
	/* Nothing in the tree may point into the text. */
	edge_free(&copy);
	return r;
}

struct row {
	const char *text;
	size_t size;
	const char *want; /* the compact form, or the formatted error */
};

#define ROW(text, want)                                                                            \
	{                                                                                          \
		text, sizeof(text) - 1, want                                                       \
	}

static const struct row good[] = {
	ROW("12", "12"),
	ROW("null", "null"),
	ROW(" true\r\n\t", "true"),
	ROW("\"x\"", "\"x\""),
	ROW("\"\"", "\"\""),
	ROW("[]", "[]"),
	ROW("{}", "{}"),
	ROW("{ \"\" : [ false , { } , [ ] ] }", "{\"\":[false,{},[]]}"),
	ROW("[-0, 0, 1.50, 1e400, -2E-3, 123456789012345678901234567890]",
	    "[-0,0,1.50,1e400,-2E-3,123456789012345678901234567890]"),
	ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\xc3\xa9\""),
	ROW("\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""),
	ROW("\"\xf0\x9f\x98\x80\x7f\"", "\"\xf0\x9f\x98\x80\\u007f\""),
	ROW("\"\\uD83D\\uDE00\\u20AC\"", "\"\xf0\x9f\x98\x80\xe2\x82\xac\""),
	ROW("{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}"),
	ROW("{\"a\":{\"a\":1},\"b\":{\"a\":2}}", "{\"a\":{\"a\":1},\"b\":{\"a\":2}}"),
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO_ARENA struct arena a = ARENA_INIT;
		struct json *j = NULL;
		char mem[256];
		struct strbuf b;
		struct err e;

		assert_int_equal(parse(good[i].text, good[i].size, &a, &j, &e), 0);
		strbuf_init(&b, mem, sizeof(mem));
		json_write(&b, j);
		assert_string_equal(mem, good[i].want);
	}
}

static const struct row bad[] = {
	ROW("", "1:1: the file is empty"),
	ROW("  \n", "2:1: the file is empty"),
	ROW("{", "1:2: unexpected end of file inside the outermost object"),
	ROW("[1", "1:3: unexpected end of file inside the outermost array"),
	ROW("\"a", "1:3: unexpected end of file"),
	ROW("-", "1:2: unexpected end of file"),
	ROW("{\"a\"", "1:5: unexpected end of file inside /a"),
	ROW("{\"a\":", "1:6: unexpected end of file inside /a"),
	ROW("{\"a\":{\"b\":[1,2", "1:15: unexpected end of file inside /a/b"),
	ROW("{\"a\":{\"b\":[1,\"x", "1:16: unexpected end of file inside /a/b"),
	ROW("{\"a\":[{\"b\":tru", "1:15: unexpected end of file inside /a/0/b"),
	ROW("{\"a\":1.", "1:8: unexpected end of file inside /a"),
	ROW("{\"a\":1e+", "1:9: unexpected end of file inside /a"),
	ROW("{\"a\":\"\\", "1:8: unexpected end of file inside /a"),
	ROW("{\"a\":\"\\u12", "1:11: unexpected end of file inside /a"),
	ROW("{\"a\":1,", "1:8: unexpected end of file inside the outermost object"),
	ROW("{\"a\":nil}", "1:6: /a: unknown word nil"),
	ROW("[NaN]", "1:2: unknown word NaN"),
	ROW("[-Infinity]", "1:2: malformed number -"),
	ROW("[True]", "1:2: unknown word True"),
	ROW("[1,]", "1:4: expected a value, found ']'"),
	ROW("[1,,2]", "1:4: expected a value, found ','"),
	ROW("[1 2]", "1:4: expected ',' or ']', found '2'"),
	ROW("{\"a\":1,}", "1:8: expected a key, found '}'"),
	ROW("{\"a\":1 \"b\":2}", "1:8: expected ',' or '}', found '\"'"),
	ROW("{\"a\" 1}", "1:6: /a: expected ':', found '1'"),
	ROW("{\"a\":}", "1:6: /a: expected a value, found '}'"),
	ROW("{\"a\":1:2}", "1:7: expected ',' or '}', found ':'"),
	ROW("{,}", "1:2: expected a key or '}', found ','"),
	ROW("{1:2}", "1:2: expected a key or '}', found '1'"),
	ROW("[}", "1:2: expected a value or ']', found '}'"),
	ROW("]", "1:1: expected a value, found ']'"),
	ROW("'a'", "1:1: expected a value, found '''"),
	ROW("[\xc3\xa9]", "1:2: expected a value or ']', found '\xc3\xa9'"),
	ROW("[\x01]", "1:2: expected a value or ']', found byte 0x01"),
	ROW("[01]", "1:2: /0: a number with a leading zero"),
	ROW("[+1]", "1:2: expected a value or ']', found '+'"),
	ROW("[.5]", "1:2: expected a value or ']', found '.'"),
	ROW("[1.]", "1:2: malformed number 1."),
	ROW("[1e]", "1:2: malformed number 1e"),
	ROW("[0x1]", "1:3: expected ',' or ']', found 'x'"),
	ROW("// x\n{}", "1:1: JSON has no comments"),
	ROW("{\n/* */}", "2:1: JSON has no comments"),
	ROW("\xef\xbb\xbf{}", "1:1: the file begins with a byte order mark"),
	ROW("\xff\xfe{\0}\0", "1:1: the file is not UTF-8"),
	ROW("\0{\0}", "1:1: the file is not UTF-8"),
	ROW("{}x", "1:3: expected the end of the file, found 'x'"),
	ROW("{}\n{}", "2:1: expected the end of the file, found '{'"),
	ROW("{}\0", "1:3: expected the end of the file, found byte 0x00"),
	ROW("1 2", "1:3: expected the end of the file, found '2'"),
	ROW("nullx", "1:5: expected the end of the file, found 'x'"),
	ROW("{\"a\":\"\\u0000\"}", "1:7: /a: U+0000 in a string"),
	ROW("{\"a\\u0000\":1}", "1:4: U+0000 in a string"),
	ROW("\"\\ud800\"", "1:2: lone surrogate \\ud800 in a string"),
	ROW("\"\\udc00\"", "1:2: lone surrogate \\udc00 in a string"),
	ROW("\"\\ud800\\u0041\"", "1:2: lone surrogate \\ud800 in a string"),
	ROW("\"\\ud800\\ud800\"", "1:2: lone surrogate \\ud800 in a string"),
	ROW("\"\\ud800x\\udc00\"", "1:2: lone surrogate \\ud800 in a string"),
	ROW("\"\\ud83d\\ude00\\ude00\"", "1:14: lone surrogate \\ude00 in a string"),
	ROW("\"\xc0\x80\"", "1:2: byte 0xc0 in a string is not UTF-8"),
	ROW("\"\xed\xa0\x80\"", "1:2: byte 0xed in a string is not UTF-8"),
	ROW("\"\xf4\x90\x80\x80\"", "1:2: byte 0xf4 in a string is not UTF-8"),
	ROW("\"\xc3\xa9\xff\"", "1:3: byte 0xff in a string is not UTF-8"),
	ROW("\"\xc3\"", "1:2: byte 0xc3 in a string is not UTF-8"),
	ROW("{\"\xff\":1}", "1:3: byte 0xff in a string is not UTF-8"),
	ROW("\"a\nb\"", "1:3: the line ends inside a string"),
	ROW("\"a\tb\"", "1:3: byte 0x09 in a string has to be written \\u0009"),
	ROW("\"\0\"", "1:2: byte 0x00 in a string has to be written \\u0000"),
	ROW("\"\\q\"", "1:2: unknown escape: 'q' after a backslash"),
	ROW("\"\\u12g4\"", "1:2: \\u without four hexadecimal digits"),
	ROW("{\"a\":1,\"a\":1}", "1:12: /a: given twice (first at 1:6)"),
	ROW("{\"p\":{\"args\":[1],\n \"\\u0061rgs\":[]}}",
	    "2:14: /p/args: given twice (first at 1:14)"),
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_ARENA struct arena a = ARENA_INIT;
		struct json *j = NULL;
		char line[700], want[256];
		struct err e;

		if (parse(bad[i].text, bad[i].size, &a, &j, &e) != -EINVAL)
			fail_msg("row %zu was taken: %s", i, bad[i].text);
		assert_null(j);
		assert_int_equal(e.kind, ERR_CONFIG);
		err_format(&e, line, sizeof(line));
		snprintf(want, sizeof(want), "config.json:%s", bad[i].want);
		assert_string_equal(line, want);
		assert_int_equal(parse(bad[i].text, bad[i].size, &a, &j, &(struct err){0}),
				 -EINVAL);
	}
}

static void test_no_err(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_ARENA struct arena a = ARENA_INIT;
		struct json *j;

		assert_int_equal(json_parse(bad[i].text, bad[i].size, "x", &a, &j, NULL), -EINVAL);
	}
}

static const char config[] = "{\n"
			     "\t\"ociVersion\": \"1.0.2\",\n"
			     "\t\"process\": {\n"
			     "\t\t\"args\": [\"\xc3\xa9\", \"\\ud83d\\ude00\"], \"cwd\": \"/\",\n"
			     "\t\t\"user\": {\"uid\": 0, \"gid\": 1e3},\n"
			     "\t\t\"capabilities\": {\n"
			     "\t\t\t\"effective\": [\"CAP_KILL\", \"CAP_CHOWN\"]\n"
			     "\t\t}\n"
			     "\t},\n"
			     "\t\"list\": [null, true, false, -1.5, {}, []]\n"
			     "}\n";

static void test_places(void **state)
{
	static const struct {
		const char *pointer;
		uint32_t line, column;
	} rows[] = {
		{"", 1, 1},
		{"/ociVersion", 2, 16},
		{"/process", 3, 13},
		{"/process/args", 4, 11},
		{"/process/args/0", 4, 12},
		{"/process/args/1", 4, 17},
		{"/process/cwd", 4, 41},
		{"/process/user/gid", 5, 29},
		{"/process/capabilities/effective/1", 7, 30},
		{"/list/0", 10, 11},
		{"/list/3", 10, 30},
		{"/list/5", 10, 40},
	};
	AUTO_ARENA struct arena a = ARENA_INIT;
	struct json *top;
	struct err e;

	(void)state;
	assert_int_equal(parse(config, sizeof(config) - 1, &a, &top, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[64], back[64], *at = path, *name;
		struct json *j = top;

		strcpy(path, rows[i].pointer);
		(void)strsep(&at, "/");
		while ((name = strsep(&at, "/"))) {
			struct json *c = json_get(j, name);

			if (j->type == JSON_ARRAY)
				for (c = j->child; c && c->index != (uint32_t)atoi(name);)
					c = c->next;
			assert_non_null(c);
			assert_ptr_equal(c->parent, j);
			j = c;
		}
		json_pointer(j, back, sizeof(back));
		assert_string_equal(back, rows[i].pointer);
		if (j->line != rows[i].line || j->column != rows[i].column)
			fail_msg("%s at %u:%u", back, j->line, j->column);
	}
	assert_int_equal(json_get(json_get(top, "process"), "args")->len, 2);
}

static void test_get(void **state)
{
	static const char text[] = "{\"CWD\":1,\"cwd\":2,\"Args\":3,\"ARGS\":4,\"\xc3\x89\":5}";
	AUTO_ARENA struct arena a = ARENA_INIT;
	struct json *j;
	struct err e;

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, &a, &j, &e), 0);
	assert_string_equal(json_get(j, "cwd")->text, "2");
	assert_string_equal(json_get(j, "CWD")->text, "1");
	assert_string_equal(json_get(j, "args")->text, "3");
	assert_null(json_get(j, "arg"));
	assert_null(json_get(j, "argsx"));
	assert_null(json_get(j, "\xc3\xa9"));
	assert_null(json_get(j->child, "cwd"));
	assert_null(json_get(NULL, "cwd"));
}

struct number {
	const char *text;
	int r64, ru64;
	int64_t i;
	uint64_t u;
};

static const struct number numbers[] = {
	{"0", 0, 0, 0, 0},
	{"-0", 0, 0, 0, 0},
	{"-0.0e5", 0, 0, 0, 0},
	{"0e99999999999999999999", 0, 0, 0, 0},
	{"1", 0, 0, 1, 1},
	{"-1", 0, -ERANGE, -1, 0},
	{"1.0", 0, 0, 1, 1},
	{"1e3", 0, 0, 1000, 1000},
	{"1E+3", 0, 0, 1000, 1000},
	{"1.5e1", 0, 0, 15, 15},
	{"1500e-2", 0, 0, 15, 15},
	{"0.015e3", 0, 0, 15, 15},
	{"100.50", -EINVAL, -EINVAL, 0, 0},
	{"1.5", -EINVAL, -EINVAL, 0, 0},
	{"-1.5", -EINVAL, -EINVAL, 0, 0},
	{"1e-1", -EINVAL, -EINVAL, 0, 0},
	{"1e-99999999999999999999", -EINVAL, -EINVAL, 0, 0},
	{"1005", 0, 0, 1005, 1005},
	{"9007199254740993", 0, 0, 9007199254740993, 9007199254740993},
	{"9007199254740993.0", 0, 0, 9007199254740993, 9007199254740993},
	{"9223372036854775807", 0, 0, INT64_MAX, INT64_MAX},
	{"9223372036854775808", -ERANGE, 0, 0, 9223372036854775808u},
	{"-9223372036854775808", 0, -ERANGE, INT64_MIN, 0},
	{"-9223372036854775809", -ERANGE, -ERANGE, 0, 0},
	{"18446744073709551615", -ERANGE, 0, 0, UINT64_MAX},
	{"1844674407370955161.5e1", -ERANGE, 0, 0, UINT64_MAX},
	{"18446744073709551616", -ERANGE, -ERANGE, 0, 0},
	{"1e19", -ERANGE, 0, 0, 10000000000000000000u},
	{"1e20", -ERANGE, -ERANGE, 0, 0},
	{"1e400", -ERANGE, -ERANGE, 0, 0},
	{"1e99999999999999999999", -ERANGE, -ERANGE, 0, 0},
	{"100000000000000000000000000e-20", 0, 0, 1000000, 1000000},
	{"0.00000000000000000000000000001e30", 0, 0, 10, 10},
	{"123456789012345678901234567890", -ERANGE, -ERANGE, 0, 0},
	{"123456789012345678901234567890.5", -EINVAL, -EINVAL, 0, 0},
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct number *n = &numbers[i];
		AUTO_ARENA struct arena a = ARENA_INIT;
		int64_t v = 77;
		uint64_t u = 77;
		struct json *j;
		struct err e;

		assert_int_equal(parse(n->text, strlen(n->text), &a, &j, &e), 0);
		if (json_i64(j, INT64_MIN, INT64_MAX, &v) != n->r64 || v != (n->r64 ? 77 : n->i))
			fail_msg("%s as i64: %jd", n->text, (intmax_t)v);
		if (json_u64(j, 0, UINT64_MAX, &u) != n->ru64 || u != (n->ru64 ? 77 : n->u))
			fail_msg("%s as u64: %ju", n->text, (uintmax_t)u);
	}
}

static void test_ranges(void **state)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	uint64_t u = 77;
	int64_t v = 77;
	struct json *j;
	struct err e;

	(void)state;
	assert_int_equal(parse("[4294967296,-5,\"5\",null]", 24, &a, &j, &e), 0);
	j = j->child;
	assert_int_equal(json_u64(j, 0, UINT32_MAX, &u), -ERANGE);
	assert_int_equal(json_u64(j, UINT64_C(1) << 33, UINT64_MAX, &u), -ERANGE);
	assert_int_equal(json_i64(j->next, -4, 4, &v), -ERANGE);
	assert_int_equal(json_i64(j->next, -9, -6, &v), -ERANGE);
	assert_int_equal(json_i64(j->next->next, 0, 9, &v), -EINVAL);
	assert_int_equal(json_u64(j->next->next, 0, 9, &u), -EINVAL);
	assert_int_equal(json_u64(j->next->next->next, 0, 9, &u), -EINVAL);
	assert_int_equal(u, 77);
	assert_int_equal(v, 77);
}

static void test_pointer(void **state)
{
	static const char text[] =
		"{\"a~b/c\":[{\"\":[7]}],\"\xe2\x82\xac\xe2\x82\xac\":{\"x\":1}}";
	AUTO_ARENA struct arena a = ARENA_INIT;
	const struct json *deep, *wide;
	char buf[64];
	struct json *j;
	struct err e;

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, &a, &j, &e), 0);
	deep = j->child->child->child->child;
	json_pointer(deep, buf, sizeof(buf));
	assert_string_equal(buf, "/a~0b~1c/0//0");
	json_pointer(deep, buf, 14);
	assert_string_equal(buf, "/a~0b~1c/0//0");
	json_pointer(deep, buf, 13);
	assert_string_equal(buf, "\xe2\x80\xa6"
				 "b~1c/0//0");
	json_pointer(deep, buf, 1);
	assert_string_equal(buf, "");
	json_pointer(deep, buf, 4);
	assert_string_equal(buf, "\xe2\x80\xa6");
	json_pointer(deep, buf, 3);
	assert_string_equal(buf, "");
	json_pointer(deep, NULL, 0);
	wide = j->child->next->child;
	for (size_t size = 1; size < 12; size++) {
		json_pointer(wide, buf, size);
		assert_true(strlen(buf) < size);
		for (size_t i = 0; buf[i]; i += str_utf8(buf + i, strlen(buf + i)))
			assert_true(str_utf8(buf + i, strlen(buf + i)) > 0);
	}
	json_pointer(j, buf, sizeof(buf));
	assert_string_equal(buf, "");
}

static void check_depth(size_t depth, char open, char close, int want)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	char *text = test_malloc(depth * 6 + 2);
	size_t n = 0;
	struct json *j;
	struct err e;

	for (size_t i = 0; i < depth; i++) {
		if (i > 0 && open == '{')
			n += (size_t)sprintf(text + n, "\"k\":");
		text[n++] = open;
	}
	memset(text + n, close, depth);
	assert_int_equal(parse(text, n + depth, &a, &j, &e), want);
	if (want < 0)
		assert_string_equal(e.text, "nested more than 64 deep");
	test_free(text);
}

static void test_depth(void **state)
{
	(void)state;
	check_depth(JSON_MAX_DEPTH, '[', ']', 0);
	check_depth(JSON_MAX_DEPTH + 1, '[', ']', -EINVAL);
	check_depth(JSON_MAX_DEPTH, '{', '}', 0);
	check_depth(JSON_MAX_DEPTH + 1, '{', '}', -EINVAL);
	check_depth(100000, '[', ']', -EINVAL);
	check_depth(100000, '{', '}', -EINVAL);
}

/* @n times @each (with a counter, if it has a place for one) between @before and @after. */
static char *repeat(const char *before, const char *each, size_t n, const char *after, size_t *size)
{
	size_t len = strlen(before);
	char *text = test_malloc(n * (strlen(each) + 8) + 16);

	strcpy(text, before);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			text[len++] = ',';
		len += (size_t)sprintf(text + len, each, (int)i);
	}
	strcpy(text + len, after);
	*size = len + strlen(after);
	return text;
}

static void check_repeat(const char *before, const char *each, size_t n, const char *after,
			 const char *want)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	size_t size;
	char *text = repeat(before, each, n, after, &size);
	struct json *j;
	struct err e;
	int r = parse(text, size, &a, &j, &e);

	if (!want) {
		assert_int_equal(r, 0);
		assert_int_equal(j->len, n);
	} else {
		assert_int_equal(r, -EINVAL);
		assert_string_equal(e.text, want);
	}
	test_free(text);
}

static void test_many(void **state)
{
	(void)state;
	check_repeat("[", "0", JSON_MAX_ITEMS, "]", NULL);
	check_repeat("[", "0", JSON_MAX_ITEMS + 1, "]", "more than 65536 items");
	check_repeat("{", "\"%d\":0", JSON_MAX_ITEMS, "}", NULL);
	check_repeat("{", "\"%d\":0", JSON_MAX_ITEMS + 1, "}", "more than 65536 members");
	check_repeat("{", "\"%d\":0", 30000, ",\"777\":1}", "given twice (first at 1:6114)");
	check_repeat("{", "\"%d\":0", 24, ",\"7\":1}", "given twice (first at 1:48)");
	check_repeat("{", "\"%d\":0", 25, ",\"7\":1,\"7\":2,\"9\":3,\"8\":4}",
		     "given twice (first at 1:48)");
	check_repeat("{\"x\":1,\"x\":2,", "\"%d\":0", 40, ",\"7\":1}",
		     "given twice (first at 1:6)");
	check_repeat("[", "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", 33000,
		     "]", "more than 1048576 values in all");
}

static void check_long(size_t len, const char *format, int want)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	char *body = test_malloc(len + 1), *text = test_malloc(len + 32);
	struct json *j;
	struct err e;
	int n;

	memset(body, '1', len);
	body[len] = '\0';
	n = sprintf(text, format, body);
	assert_int_equal(parse(text, (size_t)n, &a, &j, &e), want);
	if (want == -EINVAL)
		assert_string_equal(e.text, "longer than 1048576 bytes");
	if (want == -EFBIG)
		assert_non_null(strstr(e.text, "config.json has more than 16777216 bytes"));
	if (want < 0)
		assert_int_equal(e.kind, ERR_CONFIG);
	test_free(text);
	test_free(body);
}

static void test_long(void **state)
{
	(void)state;
	check_long(JSON_MAX_STRING, "\"%s\"", 0);
	check_long(JSON_MAX_STRING + 1, "\"%s\"", -EINVAL);
	check_long(JSON_MAX_STRING - 1, "\"\\n%s\"", 0);
	check_long(JSON_MAX_STRING, "\"\\n%s\"", -EINVAL);
	check_long(JSON_MAX_STRING, "{\"%s\":1}", 0);
	check_long(JSON_MAX_STRING + 1, "{\"%s\":1}", -EINVAL);
	check_long(JSON_MAX_STRING + 1, "[%s]", -EINVAL);
	check_long(JSON_MAX_SIZE - 2, "\"%s\"", -EINVAL);
	check_long(JSON_MAX_SIZE - 1, "\"%s\"", -EFBIG);
}

/* Memory runs out at every allocation there is: an error, no crash, none lost. */
static void test_memory(void **state)
{
	static const char text[] = "{\"a\":[1,\"\\n\",{\"b\":null}],\"c\":\"\\u00e9\"}";
	struct err e = ERR_INIT;
	size_t limit = 1;
	struct json *j;
	int r;

	(void)state;
	do {
		AUTO_ARENA struct arena a = {.limit = limit};

		e = ERR_INIT;
		r = parse(text, sizeof(text) - 1, &a, &j, &e);
		if (r < 0) {
			assert_int_equal(r, -ENOMEM);
			assert_int_equal(e.code, ENOMEM);
		}
	} while (limit++ < 20000 && r < 0);
	assert_int_equal(r, 0);
	assert_true(limit > 500);
}

static void test_truncated(void **state)
{
	(void)state;
	/* The last byte is a newline: without it the text is whole. */
	for (size_t size = 0; size < sizeof(config) - 2; size++) {
		AUTO_ARENA struct arena a = ARENA_INIT;
		struct json *j;
		struct err e;
		char line[700];

		assert_int_equal(parse(config, size, &a, &j, &e), -EINVAL);
		err_format(&e, line, sizeof(line));
		if (size > 0 && !strstr(line, "unexpected end of file inside "))
			fail_msg("cut at %zu: %s", size, line);
	}
}

static void test_truncated_where(void **state)
{
	const char *at = strstr(config, "CAP_CHOWN");
	AUTO_ARENA struct arena a = ARENA_INIT;
	struct json *j;
	struct err e;
	char line[700];

	(void)state;
	assert_int_equal(parse(config, (size_t)(at - config), &a, &j, &e), -EINVAL);
	err_format(&e, line, sizeof(line));
	assert_string_equal(line, "config.json:7:31: unexpected end of file inside "
				  "/process/capabilities/effective");
}

/* Every byte of a good text replaced by each nasty one: taken or refused with a place in it. */
static void test_damaged(void **state)
{
	static const char nasty[] = "\0\x01\n \"\\{}[],:-0eu/\x7f\x80\xc3\xff";
	size_t taken = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(config) - 1; i++) {
		for (size_t k = 0; k < sizeof(nasty) - 1; k++) {
			AUTO_ARENA struct arena a = ARENA_INIT;
			char text[sizeof(config)];
			struct json *j = NULL;
			struct err e;

			memcpy(text, config, sizeof(config));
			text[i] = nasty[k];
			if (parse(text, sizeof(config) - 1, &a, &j, &e) == 0) {
				taken++;
				assert_non_null(j);
				continue;
			}
			refused++;
			assert_in_range(e.line, 1, 13);
			assert_in_range(e.column, 1, 80);
			assert_true(e.text[0]);
		}
	}
	assert_true(taken > 100 && refused > 3000);
}

/* The same generator every time: what it finds can be found again. */
static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void test_mutated(void **state)
{
	uint32_t seed = 2463534242u;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		AUTO_ARENA struct arena a = ARENA_INIT;
		char text[sizeof(config)], again[4096];
		size_t size = sizeof(config) - 1 - next(&seed) % 40;
		struct json *j, *k;
		struct strbuf b;
		struct err e;

		memcpy(text, config, sizeof(config));
		for (uint32_t n = next(&seed) % 4; n > 0; n--) {
			size_t from = next(&seed) % size, to = next(&seed) % size;

			if (next(&seed) & 1)
				text[to] = (char)next(&seed);
			else
				memmove(text + to, text + from, size - (from > to ? from : to));
		}
		if (parse(text, size, &a, &j, &e) < 0) {
			assert_int_equal(e.kind, ERR_CONFIG);
			continue;
		}
		/* What was taken can be written and read again. */
		strbuf_init(&b, again, sizeof(again));
		json_write(&b, j);
		assert_false(b.overflow);
		assert_int_equal(parse(again, b.len, &a, &k, &e), 0);
	}
}

static void test_type_names(void **state)
{
	(void)state;
	assert_string_equal(json_type_name(JSON_NULL), "null");
	assert_string_equal(json_type_name(JSON_BOOL), "a boolean");
	assert_string_equal(json_type_name(JSON_NUMBER), "a number");
	assert_string_equal(json_type_name(JSON_STRING), "a string");
	assert_string_equal(json_type_name(JSON_ARRAY), "an array");
	assert_string_equal(json_type_name(JSON_OBJECT), "an object");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	   cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_err),	   cmocka_unit_test(test_places),
		cmocka_unit_test(test_get),	   cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ranges),	   cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_depth),	   cmocka_unit_test(test_many),
		cmocka_unit_test(test_long),	   cmocka_unit_test(test_memory),
		cmocka_unit_test(test_truncated),  cmocka_unit_test(test_truncated_where),
		cmocka_unit_test(test_damaged),	   cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_type_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
