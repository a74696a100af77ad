/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON (RFC 8259) into a tree in an arena, by yajl. Stricter than most: duplicate members,
 * invalid UTF-8, lone surrogates, U+0000 in strings, comments, BOM, trailing bytes and nesting
 * above JSON_MAX_DEPTH are errors with line and column. Every value knows its place and,
 * through its parents, its JSON pointer (RFC 6901).
 */
#ifndef OAKUM_BASE_JSON_H
#define OAKUM_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

#define JSON_MAX_SIZE	(16u << 20)
#define JSON_MAX_DEPTH	64
#define JSON_MAX_ITEMS	65536 /* members of one object or array */
#define JSON_MAX_STRING (1u << 20)
#define JSON_MAX_VALUES (1u << 20) /* in one document: bounds the memory of 16 MiB of "[0,0," */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	const char *key;  /* member name, NULL in arrays and at the top */
	const char *text; /* string value, or the number as written */
	size_t len;	  /* of text; count of children for arrays and objects */
	bool boolean;
	uint32_t index;	       /* position in the parent */
	uint32_t line, column; /* 1-based, of the value's first byte */
	struct json *parent, *child, *next;
};

/* @file is for messages only. 0 and *@ret (in @arena), or < 0 with @err (ERR_CONFIG, place set). */
int json_parse(const char *data, size_t size, const char *file, struct arena *arena,
	       struct json **ret, struct err *err);

/* The member @key of @object: exact match first, else ASCII case-insensitive as Go's decoder
 * does; NULL if absent or @object is no object. */
struct json *json_get(const struct json *object, const char *key);

/* Exact integers: "1.0" and "1e3" are accepted where integral. 0, -EINVAL (no integer), -ERANGE. */
int json_i64(const struct json *j, int64_t min, int64_t max, int64_t *ret);
int json_u64(const struct json *j, uint64_t min, uint64_t max, uint64_t *ret);

/* The JSON pointer of @j ("" for the top) into @buf, cut at the front with "…" if too long. */
void json_pointer(const struct json *j, char *buf, size_t size);

/* "a string", "an array": for messages. */
const char *json_type_name(enum json_type type);

/* A second writer would drift: text output is made with strbuf_json() and these. */
struct strbuf;
void json_write(struct strbuf *b, const struct json *j); /* compact */

#endif
