/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a text is no JSON. The parser knows only that it stopped; here the few bytes after the
 * last good token are read again, slowly, to say what was expected there and what was found.
 */
#include "base/json_syntax.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

size_t json_skip_blanks(const char *data, size_t size, size_t at)
{
	while (at < size &&
	       (data[at] == ' ' || data[at] == '\n' || data[at] == '\t' || data[at] == '\r'))
		at++;
	return at;
}

void json_place(const char *data, size_t at, uint32_t *line, uint32_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at; i++) {
		if (data[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)data[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}

static int record(const struct json_progress *p, size_t at, struct err *err, const char *text)
{
	uint32_t line, column;

	if (!err)
		return -EINVAL;
	json_place(p->data, at, &line, &column);
	err->line = (int)line;
	err->column = (int)column;
	(void)snprintf(err->file, sizeof(err->file), "%s", p->file);
	return err_kind(err, ERR_CONFIG, 0, "%s", text);
}

/* The pointer of the member that is being read, else of the container. */
static void current_pointer(const struct json_progress *p, char *buf, size_t size)
{
	struct json member = {.key = p->key, .parent = (struct json *)p->container};

	if (p->key)
		json_pointer(&member, buf, size);
	else
		json_pointer(p->container, buf, size);
}

int json_fail_at(const struct json_progress *p, size_t at, struct err *err, const char *fmt, ...)
{
	char text[256], pointer[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	current_pointer(p, pointer, sizeof(pointer));
	err_pointer(err, "%s", pointer);
	return record(p, at, err, text);
}

static int fail_end(const struct json_progress *p, struct err *err)
{
	char text[256], pointer[128];

	current_pointer(p, pointer, sizeof(pointer));
	if (pointer[0])
		(void)snprintf(text, sizeof(text), "unexpected end of file inside %s", pointer);
	else if (p->container)
		(void)snprintf(text, sizeof(text), "unexpected end of file inside the outermost %s",
			       p->container->type == JSON_OBJECT ? "object" : "array");
	else if (json_skip_blanks(p->data, p->size, 0) == p->size)
		(void)snprintf(text, sizeof(text), "the file is empty");
	else
		(void)snprintf(text, sizeof(text), "unexpected end of file");
	return record(p, p->size, err, text);
}

/* What stands at @at, in quotes if that can be shown. */
static const char *found(const struct json_progress *p, size_t at, char buf[16])
{
	size_t len = str_utf8(p->data + at, p->size - at);
	unsigned char c = (unsigned char)p->data[at];

	if (len == 0 || c < 0x20 || c == 0x7f)
		(void)snprintf(buf, 16, "byte 0x%02x", c);
	else
		(void)snprintf(buf, 16, "'%.*s'", (int)len, p->data + at);
	return buf;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The escape at the backslash @at: its length, 0 if the file ends in it, -1 if there is no such. */
static int escape_length(const struct json_progress *p, size_t at)
{
	if (at + 1 == p->size)
		return 0;
	if (p->data[at + 1] == '\0' || !strchr("\"\\/bfnrtu", p->data[at + 1]))
		return -1;
	if (p->data[at + 1] != 'u')
		return 2;
	for (size_t i = at + 2; i < at + 6; i++) {
		if (i == p->size)
			return 0;
		if (hex_digit(p->data[i]) < 0)
			return -1;
	}
	return 6;
}

static int fail_string(const struct json_progress *p, size_t at, struct err *err)
{
	char what[16];

	at++;
	while (at < p->size) {
		unsigned char c = (unsigned char)p->data[at];
		int n = c == '\\' ? escape_length(p, at) : 1;

		if (c == '"')
			return json_fail_at(p, at, err, "malformed string");
		if (c == '\n')
			return json_fail_at(p, at, err, "the line ends inside a string");
		if (c < 0x20)
			return json_fail_at(p, at, err, "%s in a string has to be written \\u%04x",
					    found(p, at, what), c);
		if (n == 0)
			break;
		if (n < 0 && p->data[at + 1] == 'u')
			return json_fail_at(p, at, err, "\\u without four hexadecimal digits");
		if (n < 0)
			return json_fail_at(p, at, err, "unknown escape: %s after a backslash",
					    found(p, at + 1, what));
		at += (size_t)n;
	}
	return fail_end(p, err);
}

static int fail_number(const struct json_progress *p, size_t at, struct err *err)
{
	size_t from = at, end;

	while (at < p->size && p->data[at] && strchr("0123456789+-.eE", p->data[at]))
		at++;
	end = at;
	if (at == p->size && strchr("+-.eE", p->data[at - 1]))
		return fail_end(p, err);
	if (end - from > 40)
		end = from + 40;
	return json_fail_at(p, from, err, "malformed number %.*s", (int)(end - from),
			    p->data + from);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static int fail_word(const struct json_progress *p, size_t at, struct err *err)
{
	static const char *const words[] = {"true", "false", "null"};
	size_t len = 0;

	while (len < 40 && at + len < p->size && is_word(p->data[at + len]))
		len++;
	for (size_t i = 0; at + len == p->size && i < ARRAY_SIZE(words); i++)
		if (len < strlen(words[i]) && memcmp(words[i], p->data + at, len) == 0)
			return fail_end(p, err);
	return json_fail_at(p, at, err, "unknown word %.*s", (int)len, p->data + at);
}

/* The bytes at @at begin a value, but are none. */
static int fail_token(const struct json_progress *p, size_t at, struct err *err)
{
	if (p->data[at] == '"')
		return fail_string(p, at, err);
	if (p->data[at] == '-' || (p->data[at] >= '0' && p->data[at] <= '9'))
		return fail_number(p, at, err);
	return fail_word(p, at, err);
}

/* The zero was taken for a value already: the place is that one's. */
static int fail_leading_zero(const struct json_progress *p, size_t at, struct err *err)
{
	const struct json *last = p->container ? p->container->child : NULL;
	char pointer[128];

	while (last && last->next)
		last = last->next;
	if (last) {
		json_pointer(last, pointer, sizeof(pointer));
		err_pointer(err, "%s", pointer);
	}
	return json_fail_at(p, at, err, "a number with a leading zero");
}

static int fail_expected(const struct json_progress *p, size_t at, struct err *err,
			 const char *expected)
{
	const char *rest = p->data + at;
	char what[16];

	if (at == 0 && p->size >= 3 && memcmp(rest, "\xef\xbb\xbf", 3) == 0)
		return json_fail_at(p, at, err, "the file begins with a byte order mark");
	if (at == 0 && p->size >= 2 &&
	    (memcmp(rest, "\xff\xfe", 2) == 0 || memcmp(rest, "\xfe\xff", 2) == 0 || !rest[0]))
		return json_fail_at(p, at, err, "the file is not UTF-8");
	if (p->size - at >= 2 && rest[0] == '/' && (rest[1] == '/' || rest[1] == '*'))
		return json_fail_at(p, at, err, "JSON has no comments");
	if (at == p->end && at > 1 && rest[-1] == '0' && rest[0] >= '0' && rest[0] <= '9')
		return fail_leading_zero(p, at - 1, err);
	return json_fail_at(p, at, err, "expected %s, found %s", expected, found(p, at, what));
}

/* The words for what has to come at *@at; a good ':' or ',' there is stepped over. */
static const char *expectation(const struct json_progress *p, size_t *at, bool *value, bool *key)
{
	bool object = p->container && p->container->type == JSON_OBJECT;
	char c = *at < p->size ? p->data[*at] : '\0';

	*value = *key = false;
	if (p->done)
		return "the end of the file";
	if (p->container && !p->key && p->container->len > 0 && c != ',')
		return object ? "',' or '}'" : "',' or ']'";
	if (p->key && c != ':')
		return "':'";
	*key = object && !p->key;
	*value = !*key;
	if (p->container && (p->key || p->container->len > 0)) {
		*at = json_skip_blanks(p->data, p->size, *at + 1);
		return *key ? "a key" : "a value";
	}
	return *key ? "a key or '}'" : p->container ? "a value or ']'" : "a value";
}

int json_syntax_fail(const struct json_progress *p, struct err *err)
{
	size_t at = json_skip_blanks(p->data, p->size, p->end);
	bool value, key;
	const char *expected = expectation(p, &at, &value, &key);

	if (at == p->size)
		return fail_end(p, err);
	if (p->data[at] == '"' && (value || key))
		return fail_token(p, at, err);
	if (value && (p->data[at] == '-' || is_word(p->data[at])))
		return fail_token(p, at, err);
	return fail_expected(p, at, err, expected);
}

static unsigned code_unit(const char *digits)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (unsigned)hex_digit(digits[i]);
	return v;
}

/* The \u escape at the byte @at: bytes to go on by, or -EINVAL. */
static int check_unicode(const struct json_progress *p, size_t at, size_t to, struct err *err)
{
	unsigned unit = code_unit(p->data + at + 2), low;

	if (unit == 0)
		return json_fail_at(p, at, err, "U+0000 in a string");
	if (unit < 0xd800 || unit > 0xdfff)
		return 6;
	low = to - at > 12 && p->data[at + 6] == '\\' && p->data[at + 7] == 'u'
		      ? code_unit(p->data + at + 8)
		      : 0;
	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return json_fail_at(p, at, err, "lone surrogate \\u%04x in a string", unit);
	return 12;
}

int json_check_string(const struct json_progress *p, size_t from, size_t to, struct err *err)
{
	size_t at = from + 1;

	while (at + 1 < to) {
		unsigned char c = (unsigned char)p->data[at];
		size_t len = 1;

		if (c == '\\') {
			int n = p->data[at + 1] == 'u' ? check_unicode(p, at, to, err) : 2;

			if (n < 0)
				return n;
			len = (size_t)n;
		} else if (c >= 0x80) {
			len = str_utf8(p->data + at, to - 1 - at);
			if (len == 0)
				return json_fail_at(p, at, err,
						    "byte 0x%02x in a string is not UTF-8", c);
		}
		at += len;
	}
	return 0;
}
