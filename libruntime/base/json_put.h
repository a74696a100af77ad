/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON text under construction: members and items, with a comma where there was one before. */
#ifndef OAKUM_BASE_JSON_PUT_H
#define OAKUM_BASE_JSON_PUT_H

#include <stdbool.h>
#include <stdint.h>

struct strbuf;

/* The next item of an array: only its comma. */
void json_put_item(struct strbuf *b);
/* The next member of an object: its name. */
void json_put_key(struct strbuf *b, const char *name);

void json_put_text(struct strbuf *b, const char *name, const char *value);
void json_put_flag(struct strbuf *b, const char *name, bool on);
void json_put_u64(struct strbuf *b, const char *name, uint64_t value);
void json_put_i64(struct strbuf *b, const char *name, int64_t value);
/* null below 0: not known. */
void json_put_count(struct strbuf *b, const char *name, int64_t value);
/* Go's "omitempty": no member where the value is 0. */
void json_put_some(struct strbuf *b, const char *name, uint64_t value);
/* Begin a member that is an object; strbuf_addc(b, '}') ends it. */
void json_put_object(struct strbuf *b, const char *name);
/* The same of an array; ']'. */
void json_put_array(struct strbuf *b, const char *name);

#endif
