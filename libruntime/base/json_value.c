/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to a JSON tree: members, exact integers, where a value stands, and text again. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",	    [JSON_BOOL] = "a boolean", [JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
	};

	return names[type];
}

static bool same_fold(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		char x = *a >= 'A' && *a <= 'Z' ? (char)(*a | 0x20) : *a;
		char y = *b >= 'A' && *b <= 'Z' ? (char)(*b | 0x20) : *b;

		if (x != y)
			return false;
	}
	return *a == *b;
}

struct json *json_get(const struct json *object, const char *key)
{
	struct json *folded = NULL;

	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (struct json *c = object->child; c; c = c->next) {
		if (str_eq(c->key, key))
			return c;
		if (!folded && same_fold(c->key, key))
			folded = c;
	}
	return folded;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The exponent behind the digits at @s, held within what a text of our size can undo. */
static int64_t exponent(const char *s)
{
	const int64_t most = INT64_C(1) << 40;
	bool negative;
	int64_t v = 0;

	if (*s != 'e' && *s != 'E')
		return 0;
	negative = s[1] == '-';
	for (s += s[1] == '-' || s[1] == '+' ? 2 : 1; is_digit(*s); s++)
		if (v < most)
			v = v * 10 + (*s - '0');
	return negative ? -v : v;
}

/*
 * The number as written, sign apart, in whole arithmetic: significant digits without the zeros
 * at both ends, times a power of ten. 0 and *@ret, -EINVAL (not integral) or -ERANGE.
 */
static int magnitude(const char *s, uint64_t *ret)
{
	int64_t power = 0, zeros = 0, digits = 0;
	bool fraction = false, over = false;
	uint64_t v = 0;

	for (; is_digit(*s) || *s == '.'; s++) {
		if (*s == '.') {
			fraction = true;
			continue;
		}
		power -= fraction;
		if (*s == '0') {
			zeros += digits > 0;
			continue;
		}
		/* Zeros count once a digit follows them; those at the end only raise the power. */
		for (digits += zeros; zeros > 0; zeros--)
			over |= __builtin_mul_overflow(v, 10, &v);
		digits++;
		over |= __builtin_mul_overflow(v, 10, &v);
		over |= __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v);
	}
	power += zeros + exponent(s);
	if (digits > 0 && power < 0)
		return -EINVAL;
	if (digits > 0 && (over || power > 20))
		return -ERANGE;
	for (; digits > 0 && power > 0; power--)
		over |= __builtin_mul_overflow(v, 10, &v);
	if (over)
		return -ERANGE;
	*ret = v;
	return 0;
}

/* 0, -EINVAL or -ERANGE. */
static int read_number(const struct json *j, bool *ret_negative, uint64_t *ret)
{
	if (j->type != JSON_NUMBER)
		return -EINVAL;
	*ret_negative = j->text[0] == '-';
	return magnitude(j->text + *ret_negative, ret);
}

int json_u64(const struct json *j, uint64_t min, uint64_t max, uint64_t *ret)
{
	bool negative;
	uint64_t v;
	int r = read_number(j, &negative, &v);

	if (r < 0)
		return r;
	if ((negative && v > 0) || v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int json_i64(const struct json *j, int64_t min, int64_t max, int64_t *ret)
{
	bool negative;
	int64_t value;
	uint64_t v;
	int r = read_number(j, &negative, &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	value = negative && v > 0 ? -(int64_t)(v - 1) - 1 : (int64_t)v;
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

/* A text that grows to the front. */
struct back {
	char *start, *at;
	bool overflow;
};

static void put_front(struct back *b, char c)
{
	if (b->at == b->start)
		b->overflow = true;
	else if (!b->overflow)
		*--b->at = c;
}

static void put_key(struct back *b, const char *key)
{
	for (size_t i = strlen(key); i > 0 && !b->overflow; i--) {
		char c = key[i - 1];

		if (c == '~' || c == '/') {
			put_front(b, c == '~' ? '0' : '1');
			c = '~';
		}
		put_front(b, c);
	}
}

static void put_index(struct back *b, uint32_t index)
{
	do {
		put_front(b, (char)('0' + index % 10));
		index /= 10;
	} while (index);
}

/* "…" over the first bytes, and over what it would leave of a character. */
static void mark_cut(struct back *b, const char *end)
{
	size_t room = (size_t)(end - b->at);
	char *p = b->at;

	if (room < 3) {
		b->at = (char *)end;
		return;
	}
	p += 3;
	while (p < end && ((unsigned char)*p & 0xc0) == 0x80)
		p++;
	b->at = p - 3;
	memcpy(b->at, "\xe2\x80\xa6", 3);
}

void json_pointer(const struct json *j, char *buf, size_t size)
{
	struct back b;
	char *end;

	if (size == 0)
		return;
	end = buf + size - 1;
	b = (struct back){.start = buf, .at = end};
	*end = '\0';
	for (; j && j->parent && !b.overflow; j = j->parent) {
		if (j->key)
			put_key(&b, j->key);
		else
			put_index(&b, j->index);
		put_front(&b, '/');
	}
	if (b.overflow)
		mark_cut(&b, end);
	memmove(buf, b.at, (size_t)(end - b.at) + 1);
}

void json_write(struct strbuf *b, const struct json *j)
{
	bool object = j->type == JSON_OBJECT;

	switch (j->type) {
	case JSON_NULL:
		strbuf_add(b, "null");
		return;
	case JSON_BOOL:
		strbuf_add(b, j->boolean ? "true" : "false");
		return;
	case JSON_NUMBER:
		strbuf_addn(b, j->text, j->len);
		return;
	case JSON_STRING:
		strbuf_json(b, j->text);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	strbuf_addc(b, object ? '{' : '[');
	for (const struct json *c = j->child; c; c = c->next) {
		if (c != j->child)
			strbuf_addc(b, ',');
		if (object) {
			strbuf_json(b, c->key);
			strbuf_addc(b, ':');
		}
		json_write(b, c);
	}
	strbuf_addc(b, object ? '}' : ']');
}
