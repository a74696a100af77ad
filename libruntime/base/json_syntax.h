/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for a text that is no JSON. For json.c only. */
#ifndef OAKUM_BASE_JSON_SYNTAX_H
#define OAKUM_BASE_JSON_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct err;

/* How far the parser came. */
struct json_progress {
	const char *data, *file;
	size_t size;
	size_t end;		      /* behind the last good token */
	const struct json *container; /* the innermost open one, or NULL */
	const char *key;	      /* read, its value not yet; or NULL */
	bool done;		      /* the top-level value is complete */
};

/* @at with blanks skipped. */
size_t json_skip_blanks(const char *data, size_t size, size_t at);

/* Line and column (in characters) of the byte @at, both from 1. */
void json_place(const char *data, size_t at, uint32_t *line, uint32_t *column);

/* Find out why the text after ->end is no JSON and record it. Returns -EINVAL. */
int json_syntax_fail(const struct json_progress *p, struct err *err);

/* Record a failure of kind ERR_CONFIG at the byte @at, inside the open container or member.
 * Returns -EINVAL. */
int json_fail_at(const struct json_progress *p, size_t at, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Check the string whose quotes are the bytes @from and @to - 1: UTF-8, no U+0000, surrogates in
 * pairs; the rest has been checked. 0, or -EINVAL with @err. */
int json_check_string(const struct json_progress *p, size_t from, size_t to, struct err *err);

#endif
