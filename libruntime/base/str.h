/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text: the one strict integer parser of the tree, bounded building of strings,
 * JSON quoting. No locale, no heap; the child may call everything here.
 */
#ifndef OAKUM_BASE_STR_H
#define OAKUM_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), len = strlen(suffix);

	return n >= len && strcmp(s + n - len, suffix) == 0;
}

static inline bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/*
 * Decimal integers, nothing else: no sign for unsigned, no leading zero (but "0" itself), no
 * blank, no base prefix, no trailing byte. 0 and *@ret, -EINVAL (not a number), or -ERANGE
 * (outside @min…@max); *@ret is untouched on failure. str_to_i64() takes a leading '-' ("-0" is
 * -EINVAL).
 */
int str_to_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
int str_to_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
/* As str_to_u64() for the first @len bytes of @s, which need not end in NUL. */
int strn_to_u64(const char *s, size_t len, uint64_t min, uint64_t max, uint64_t *ret);

/* Octal with or without leading zeros ("755", "0755"): 0 and *@ret, -EINVAL or -ERANGE. */
int str_to_octal(const char *s, uint32_t max, uint32_t *ret);

/* A size with an optional suffix b k m g t (either case, powers of 1024, an "i"/"iB"/"B" may
 * follow): "512m", "1.5GiB", part of a byte rounded up. 0 and *@ret, -EINVAL or -ERANGE. */
int str_to_size(const char *s, uint64_t max, uint64_t *ret);

/* A duration "10", "10s", "1.5s", "250ms", "2m", "1h30m" (plain: seconds) in milliseconds,
 * a fraction of one rounded up.
 * 0 and *@ret, -EINVAL or -ERANGE. */
int str_to_ms(const char *s, int64_t max_ms, int64_t *ret);

/*
 * The length (1…4) of the UTF-8 character that @s begins with, of at most @n bytes; 0 if it is
 * none (overlong forms, surrogates and what lies above U+10FFFF are none).
 */
size_t str_utf8(const char *s, size_t n);

/*
 * @s into @buf with control characters (also those of C1) and bytes that are not UTF-8 as \xNN:
 * safe for a terminal. Cut to fit; the length it would have had, as snprintf(3).
 */
size_t str_printable(const char *s, char *buf, size_t size);

/*
 * Base64 (RFC 4648, with its padding, nothing else between): 0 and *@ret_size bytes in @buf,
 * -EINVAL, or -E2BIG for more than @size.
 */
int str_base64(const char *s, void *buf, size_t size, size_t *ret_size);

/* A string under construction in the caller's memory. Overflow is sticky and seen at the end. */
struct strbuf {
	char *p; /* always NUL-terminated */
	size_t size, len;
	bool overflow;
};

void strbuf_init(struct strbuf *b, char *mem, size_t size);
void strbuf_add(struct strbuf *b, const char *s);
void strbuf_addn(struct strbuf *b, const char *s, size_t n);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_u64(struct strbuf *b, uint64_t v);
void strbuf_i64(struct strbuf *b, int64_t v);
/* A JSON string with its quotes; control characters, '"' and '\\' escaped; UTF-8 passes,
 * a byte that is none becomes U+FFFD. */
void strbuf_json(struct strbuf *b, const char *s);
/* printf(3) without floating point may be used in the parent; not in the child. */
void strbuf_fmt(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The fold of crun and runc for container ids: [A-Za-z0-9_+-][A-Za-z0-9_+.-]*, at most
 * 255 bytes. NULL if good, else a static text that says what is wrong with it.
 */
const char *str_bad_id(const char *id);

#endif
