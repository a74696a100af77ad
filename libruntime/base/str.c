/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers from text and text from numbers, without locale, heap or leniency.
 * Every number that a user, an engine or a file hands us comes through here.
 */
#include "base/str.h"

#include <errno.h>
#include <stdio.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 0 and *@ret, -EINVAL or -ERANGE. A text that is no number is never "out of range". */
static int parse_digits(const char *s, size_t len, uint64_t *ret)
{
	bool over = false;
	uint64_t v = 0;

	if (len == 0 || (s[0] == '0' && len > 1))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(s[i]))
			return -EINVAL;
		over |= __builtin_mul_overflow(v, 10, &v);
		over |= __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v);
	}
	if (over)
		return -ERANGE;
	*ret = v;
	return 0;
}

int strn_to_u64(const char *s, size_t len, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	int r = parse_digits(s, len, &v);

	if (r < 0)
		return r;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int str_to_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	return strn_to_u64(s, strlen(s), min, max, ret);
}

int str_to_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = s[0] == '-';
	uint64_t v;
	int64_t value;
	int r = parse_digits(s + negative, strlen(s + negative), &v);

	if (r < 0)
		return r;
	if (negative && v == 0)
		return -EINVAL;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	value = negative ? -(int64_t)(v - 1) - 1 : (int64_t)v;
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int str_to_octal(const char *s, uint32_t max, uint32_t *ret)
{
	bool over = false;
	uint32_t v = 0;

	if (!s[0])
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '7')
			return -EINVAL;
		over |= __builtin_mul_overflow(v, 8, &v);
		v |= (uint32_t)(*s - '0');
	}
	if (over || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The power of two of the unit @s, or -EINVAL. */
static int size_shift(const char *s)
{
	static const char units[] = "bkmgt";
	char c = lower(s[0]);
	const char *unit = c ? strchr(units, c) : NULL;

	if (!c)
		return 0;
	if (!unit)
		return -EINVAL;
	s++;
	if (c != 'b') {
		if (*s == 'i')
			s++;
		if (lower(*s) == 'b')
			s++;
	}
	return *s ? -EINVAL : (int)(unit - units) * 10;
}

/* Milliseconds of the unit at *@p, and *@p behind it; 0: no such unit. */
static uint64_t unit_ms(const char **p)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {
		{"s", 1000},
		{"ms", 1},
		{"m", 60000},
		{"h", 3600000},
	};
	size_t len = strspn(*p, "hms");

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == len && strncmp(*p, units[i].name, len) == 0) {
			*p += len;
			return units[i].ms;
		}
	return 0;
}

/* The @len digits after the point as parts of @unit, rounded up; what is below 1e-9 only rounds. */
static uint64_t fraction_of(const char *s, size_t len, uint64_t unit)
{
	const uint64_t one = 1000000000;
	uint64_t v = 0;
	bool rest = false;

	for (size_t i = 0; i < len || i < 9; i++) {
		uint64_t d = i < len ? (uint64_t)(s[i] - '0') : 0;

		if (i < 9)
			v = v * 10 + d;
		else if (d)
			rest = true;
	}
	/* v < 1e9: no overflow in 128 bits, and no more than @unit. */
	return (uint64_t)(((unsigned __int128)v * unit + rest + one - 1) / one);
}

/* The digits at *@p, with a point and more of them or without: 0, and *@p behind them. */
static int parse_decimal(const char **p, uint64_t *ret_whole, const char **ret_part,
			 size_t *ret_len)
{
	size_t whole = strspn(*p, "0123456789");
	int r = parse_digits(*p, whole, ret_whole);

	*p += whole;
	*ret_part = *p + 1;
	*ret_len = **p == '.' ? strspn(*ret_part, "0123456789") : 0;
	if (**p == '.' && *ret_len == 0)
		return -EINVAL;
	*p += *ret_len ? *ret_len + 1 : 0;
	return r;
}

/* The sum of @whole units and the fraction behind the point, or -ERANGE. */
static int in_units(uint64_t whole, const char *part, size_t len, uint64_t unit, uint64_t max,
		    uint64_t *ret)
{
	uint64_t v;

	if (__builtin_mul_overflow(whole, unit, &v) ||
	    __builtin_add_overflow(v, fraction_of(part, len, unit), &v) || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int str_to_size(const char *s, uint64_t max, uint64_t *ret)
{
	const char *part;
	size_t len;
	uint64_t whole;
	int r = parse_decimal(&s, &whole, &part, &len), shift = size_shift(s);

	if (shift < 0)
		return shift;
	return r < 0 ? r : in_units(whole, part, len, UINT64_C(1) << shift, max, ret);
}

int str_to_ms(const char *s, int64_t max_ms, int64_t *ret)
{
	uint64_t sum = 0;
	int range = max_ms < 0 ? -ERANGE : 0;
	const char *first = s;

	do {
		const char *part;
		uint64_t whole, unit, v = 0;
		size_t len;
		int r = parse_decimal(&s, &whole, &part, &len);

		if (r == -EINVAL)
			return r;
		unit = first && !*s ? 1000 : unit_ms(&s);
		first = NULL;
		if (unit == 0)
			return -EINVAL;
		if (r == 0 && range == 0)
			r = in_units(whole, part, len, unit, (uint64_t)max_ms - sum, &v);
		if (r < 0)
			range = r;
		sum += v;
	} while (*s);
	if (range == 0)
		*ret = (int64_t)sum;
	return range;
}

static bool continues(const unsigned char *u, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if ((u[i] & 0xc0) != 0x80)
			return false;
	return true;
}

size_t str_utf8(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (n == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	if (u[0] == 0xe0)
		low = 0xa0;
	else if (u[0] == 0xed)
		high = 0x9f;
	else if (u[0] == 0xf0)
		low = 0x90;
	else if (u[0] == 0xf4)
		high = 0x8f;
	return u[1] >= low && u[1] <= high && continues(u, 2, len) ? len : 0;
}

static bool is_control(const char *s, size_t len)
{
	unsigned char c = (unsigned char)s[0];

	return (len == 1 && (c < 0x20 || c == 0x7f)) ||
	       (len == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0);
}

size_t str_printable(const char *s, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t left = strlen(s), full = 0, used = 0;

	while (left > 0) {
		size_t len = str_utf8(s, left);
		char piece[4] = {'\\', 'x', hex[(unsigned char)*s >> 4], hex[*s & 15]};
		const char *from = s;
		size_t n = len;

		if (len == 0 || is_control(s, len)) {
			from = piece;
			n = sizeof(piece);
			len = 1;
		}
		/* All of a character or nothing; after the first cut nothing more. */
		if (used == full && full + n < size) {
			memcpy(buf + used, from, n);
			used += n;
		}
		full += n;
		s += len;
		left -= len;
	}
	if (size > 0)
		buf[used] = '\0';
	return full;
}

void strbuf_init(struct strbuf *b, char *mem, size_t size)
{
	*b = (struct strbuf){.p = mem, .size = size, .overflow = size == 0};
	if (size > 0)
		mem[0] = '\0';
}

void strbuf_addn(struct strbuf *b, const char *s, size_t n)
{
	if (b->overflow)
		return;
	if (n >= b->size - b->len) {
		n = b->size - b->len - 1;
		b->overflow = true;
	}
	memcpy(b->p + b->len, s, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void strbuf_add(struct strbuf *b, const char *s)
{
	strbuf_addn(b, s, strlen(s));
}

void strbuf_addc(struct strbuf *b, char c)
{
	strbuf_addn(b, &c, 1);
}

void strbuf_u64(struct strbuf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	strbuf_addn(b, digits + at, sizeof(digits) - at);
}

void strbuf_i64(struct strbuf *b, int64_t v)
{
	if (v < 0)
		strbuf_addc(b, '-');
	strbuf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void add_escape(struct strbuf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *found = strchr(plain, c);
	char u[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (found) {
		u[1] = letters[found - plain];
		strbuf_addn(b, u, 2);
		return;
	}
	strbuf_addn(b, u, sizeof(u));
}

void strbuf_json(struct strbuf *b, const char *s)
{
	const char *plain = s, *end = s + strlen(s);

	strbuf_addc(b, '"');
	while (s < end) {
		size_t len = str_utf8(s, (size_t)(end - s));
		unsigned char c = (unsigned char)*s;

		if (len > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
			s += len;
			continue;
		}
		strbuf_addn(b, plain, (size_t)(s - plain));
		if (len == 0)
			strbuf_add(b, "\\ufffd");
		else
			add_escape(b, c);
		plain = ++s;
	}
	strbuf_addn(b, plain, (size_t)(s - plain));
	strbuf_addc(b, '"');
}

void strbuf_fmt(struct strbuf *b, const char *fmt, ...)
{
	size_t room = b->size - b->len;
	va_list ap;
	int n;

	if (b->overflow)
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		b->overflow = true;
		b->len = n < 0 ? b->len : b->size - 1;
		b->p[b->len] = '\0';
		return;
	}
	b->len += (size_t)n;
}

static bool is_id_char(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '+' ||
	       c == '-' || c == '.';
}

const char *str_bad_id(const char *id)
{
	size_t len = strnlen(id, 256);

	if (len == 0)
		return "it is empty";
	if (len > 255)
		return "it is longer than 255 bytes";
	if (id[0] == '.')
		return "it begins with a dot";
	for (size_t i = 0; i < len; i++)
		if (!is_id_char(id[i]))
			return id[i] == '/' ? "invalid character `/` in the ID: only letters, "
					      "digits and _ + - . may stand in it"
					    : "invalid character: only letters, digits and _ + - "
					      ". may stand in it";
	return NULL;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of four characters: the bytes in it, or -EINVAL. Bits that padding cuts off are 0. */
static int base64_group(const char *s, bool last, uint8_t out[3])
{
	int pad = !last || s[3] != '=' ? 0 : s[2] == '=' ? 2 : 1;
	uint32_t bits = 0;

	for (int i = 0; i < 4; i++) {
		int d = i < 4 - pad ? base64_digit(s[i]) : 0;

		if (d < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)d;
	}
	if (pad && (bits & ((1u << (8 * pad)) - 1)))
		return -EINVAL;
	for (int i = 0; i < 3; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return 3 - pad;
}

int str_base64(const char *s, void *buf, size_t size, size_t *ret_size)
{
	size_t len = strlen(s), n = 0;

	if (len % 4)
		return -EINVAL;
	for (size_t i = 0; i < len; i += 4) {
		uint8_t three[3];
		int r = base64_group(s + i, i + 4 == len, three);

		if (r < 0)
			return r;
		if (n + (size_t)r > size)
			return -E2BIG;
		memcpy((uint8_t *)buf + n, three, (size_t)r);
		n += (size_t)r;
	}
	*ret_size = n;
	return 0;
}
