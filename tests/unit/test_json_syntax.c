/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words for a text that is no JSON, asked for by hand: how far the parser came is made up. Each
 * text ends where its memory ends, so that reading beyond it is a fault.
 */
#include "base/json_syntax.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "base/str.h"
#include "test_fork.h"

static char *room; /* a page, behind which there is none */
static long page;
static struct err err;

static int set_up(void **state)
{
	(void)state;
	page = sysconf(_SC_PAGESIZE);
	room = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	return room != MAP_FAILED && mprotect(room + page, (size_t)page, PROT_NONE) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(room, 2 * (size_t)page);
}

static const char *at_edge(const char *text, size_t size)
{
	return memcpy(room + page - size, text, size);
}

static struct json_progress progress(const char *text, size_t end, const struct json *container)
{
	size_t size = strlen(text);

	err = ERR_INIT;
	return (struct json_progress){.data = at_edge(text, size),
				      .file = "file.json",
				      .size = size,
				      .end = end,
				      .container = container};
}

static void said(uint32_t line, uint32_t column, const char *pointer, const char *text)
{
	assert_string_equal(err.text, text);
	assert_string_equal(err.pointer, pointer);
	assert_string_equal(err.file, "file.json");
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_int_equal(err.line, line);
	assert_int_equal(err.column, column);
}

static void places(void **state)
{
	static const char text[] = "a\n\xc3\xa9\xe2\x82\xac\tb\r\n\n\xf0\x9f\x98\x80x";
	static const struct {
		size_t at;
		uint32_t line, column;
	} rows[] = {{0, 1, 1}, {1, 1, 2},  {2, 2, 1},  {4, 2, 2},  {7, 2, 3}, {8, 2, 4},
		    {9, 2, 5}, {10, 2, 6}, {11, 3, 1}, {12, 4, 1}, {16, 4, 2}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t line, column;

		/* What stands there is not looked at. */
		json_place(at_edge(text, rows[i].at), rows[i].at, &line, &column);
		assert_int_equal(line, rows[i].line);
		assert_int_equal(column, rows[i].column);
	}
	assert_int_equal(json_skip_blanks(at_edge(" \t\r\nx ", 6), 6, 0), 4);
	assert_int_equal(json_skip_blanks(at_edge("x  ", 3), 3, 1), 3);
	assert_int_equal(json_skip_blanks(at_edge("\v\f", 2), 2, 0), 0);
	assert_int_equal(json_skip_blanks(at_edge("x", 1), 1, 1), 1);
}

static void failures(void **state)
{
	struct json top = {.type = JSON_OBJECT};
	struct json list = {.type = JSON_ARRAY, .key = "a/b", .parent = &top};
	struct json item = {.type = JSON_OBJECT, .index = 3, .parent = &list};
	struct json_progress p = progress("{}\n{}", 0, NULL);
	char text[400];

	(void)state;
	assert_int_equal(json_fail_at(&p, 4, &err, "%s %d", "word", 7), -EINVAL);
	said(2, 2, "", "word 7");
	p = progress("{}", 0, &item);
	json_fail_at(&p, 0, &err, "x");
	said(1, 1, "/a~1b/3", "x");
	p.key = "~";
	err = ERR_INIT;
	json_fail_at(&p, 0, &err, "x");
	said(1, 1, "/a~1b/3/~0", "x");
	/* The first one to name a place wins; a long text is cut. */
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	json_fail_at(&p, 1, &err, "%s", text);
	assert_int_equal(strlen(err.text), 255);
	assert_int_equal(json_fail_at(&p, 1, NULL, "x"), -EINVAL);
}

/* @string between its quotes, at the end of the text. */
static int check(const char *string)
{
	struct json_progress p = progress(string, 0, NULL);

	return json_check_string(&p, 0, p.size, &err);
}

static void strings(void **state)
{
	static const char *const good[] = {
		"\"\"",
		"\"a\\\"\\\\\"",
		"\"\\u0001\\uffff\\ud7ff\\ue000\"",
		"\"\\ud800\\udc00\"",
		"\"\\uDBFF\\uDFFF\"",
		"\"\xc2\x80\xe0\xa0\x80\xf4\x8f\xbf\xbf\"",
		"\"\\\\ud800\"",
	};
	static const struct {
		const char *string;
		uint32_t column;
		const char *text;
	} bad[] = {
		{"\"x\\u0000\"", 3, "U+0000 in a string"},
		{"\"\\udbff\"", 2, "lone surrogate \\udbff in a string"},
		{"\"\\ud800\\ue000\"", 2, "lone surrogate \\ud800 in a string"},
		{"\"\\ud800\\n\\n\\n\"", 2, "lone surrogate \\ud800 in a string"},
		{"\"\\ud800\\ndc00\"", 2, "lone surrogate \\ud800 in a string"},
		{"\"\\udfff\\udc00\"", 2, "lone surrogate \\udfff in a string"},
		{"\"\xe2\x82\"", 2, "byte 0xe2 in a string is not UTF-8"},
		{"\"\xc3\xa9\x80\"", 3, "byte 0x80 in a string is not UTF-8"},
		{"\"\xf4\x90\x80\x80\"", 2, "byte 0xf4 in a string is not UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(check(good[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(check(bad[i].string), -EINVAL);
		said(1, bad[i].column, "", bad[i].text);
	}
}

/* What has to come, by how far it came. */
static void expectations(void **state)
{
	static struct json one = {.type = JSON_NUMBER, .parent = NULL};
	static const struct json object = {.type = JSON_OBJECT}, array = {.type = JSON_ARRAY};
	static const struct json full = {.type = JSON_OBJECT, .len = 1, .child = &one};
	static const struct json list = {.type = JSON_ARRAY, .len = 1, .child = &one};
	static const struct {
		const char *text;
		size_t end;
		const struct json *container;
		const char *key;
		bool done;
		uint32_t column;
		const char *pointer, *want;
	} rows[] = {
		{"", 0, NULL, NULL, false, 1, "", "the file is empty"},
		{"\t", 0, NULL, NULL, false, 2, "", "the file is empty"},
		{"@", 0, NULL, NULL, false, 1, "", "expected a value, found '@'"},
		{"{}  @", 2, NULL, NULL, true, 5, "", "expected the end of the file, found '@'"},
		{"{@", 1, &object, NULL, false, 2, "", "expected a key or '}', found '@'"},
		{"[@", 1, &array, NULL, false, 2, "", "expected a value or ']', found '@'"},
		{"{\"k\"@", 4, &object, "k", false, 5, "/k", "expected ':', found '@'"},
		{"{\"k\": @", 4, &object, "k", false, 7, "/k", "expected a value, found '@'"},
		{"{\"k\":1@", 6, &full, NULL, false, 7, "", "expected ',' or '}', found '@'"},
		{"{\"k\":1,@", 6, &full, NULL, false, 8, "", "expected a key, found '@'"},
		{"[1@", 2, &list, NULL, false, 3, "", "expected ',' or ']', found '@'"},
		{"[1,@", 2, &list, NULL, false, 4, "", "expected a value, found '@'"},
		{"[1,", 2, &list, NULL, false, 4, "",
		 "unexpected end of file inside the outermost array"},
		{"{\"k\":", 4, &object, "k", false, 6, "", "unexpected end of file inside /k"},
		{"/", 0, NULL, NULL, false, 1, "", "expected a value, found '/'"},
		{"/*", 0, NULL, NULL, false, 1, "", "JSON has no comments"},
		{"\xef\xbb\xbf", 0, NULL, NULL, false, 1, "",
		 "the file begins with a byte order mark"},
		{"\xfe\xff", 0, NULL, NULL, false, 1, "", "the file is not UTF-8"},
		{"\xfe", 0, NULL, NULL, false, 1, "", "expected a value, found byte 0xfe"},
		{"\x7f", 0, NULL, NULL, false, 1, "", "expected a value, found byte 0x7f"},
		{"\"\\", 0, NULL, NULL, false, 3, "", "unexpected end of file"},
		{"\"\\u12", 0, NULL, NULL, false, 6, "", "unexpected end of file"},
		{"\"\\x", 0, NULL, NULL, false, 2, "", "unknown escape: 'x' after a backslash"},
		{"-", 0, NULL, NULL, false, 2, "", "unexpected end of file"},
		{"-x", 0, NULL, NULL, false, 1, "", "malformed number -"},
		{"fals", 0, NULL, NULL, false, 5, "", "unexpected end of file"},
		{"a2345678901234567890123456789012345678901", 0, NULL, NULL, false, 1, "",
		 "unknown word a234567890123456789012345678901234567890"},
		{"falsy", 0, NULL, NULL, false, 1, "", "unknown word falsy"},
		{"12345678901234567890123456789012345678901x", 0, NULL, NULL, false, 1, "",
		 "malformed number 1234567890123456789012345678901234567890"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct json_progress p = progress(rows[i].text, rows[i].end, rows[i].container);

		p.key = rows[i].key;
		p.done = rows[i].done;
		assert_int_equal(json_syntax_fail(&p, &err), -EINVAL);
		if (!str_eq(err.text, rows[i].want))
			print_error("row %zu, %s\n", i, rows[i].text);
		said(1, rows[i].column, rows[i].pointer, rows[i].want);
		assert_int_equal(json_syntax_fail(&p, NULL), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(failures),
		cmocka_unit_test(strings),
		cmocka_unit_test(expectations),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
