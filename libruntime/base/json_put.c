/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON text under construction; see json_put.h. */
#include "base/json_put.h"

#include "base/str.h"

void json_put_item(struct strbuf *b)
{
	if (b->len && !strchr("{[:", b->p[b->len - 1]))
		strbuf_addc(b, ',');
}

void json_put_key(struct strbuf *b, const char *name)
{
	json_put_item(b);
	strbuf_json(b, name);
	strbuf_addc(b, ':');
}

void json_put_text(struct strbuf *b, const char *name, const char *value)
{
	json_put_key(b, name);
	strbuf_json(b, value);
}

void json_put_flag(struct strbuf *b, const char *name, bool on)
{
	json_put_key(b, name);
	strbuf_add(b, on ? "true" : "false");
}

void json_put_u64(struct strbuf *b, const char *name, uint64_t value)
{
	json_put_key(b, name);
	strbuf_u64(b, value);
}

void json_put_i64(struct strbuf *b, const char *name, int64_t value)
{
	json_put_key(b, name);
	strbuf_i64(b, value);
}

void json_put_count(struct strbuf *b, const char *name, int64_t value)
{
	if (value >= 0) {
		json_put_i64(b, name, value);
		return;
	}
	json_put_key(b, name);
	strbuf_add(b, "null");
}

void json_put_some(struct strbuf *b, const char *name, uint64_t value)
{
	if (value)
		json_put_u64(b, name, value);
}

void json_put_object(struct strbuf *b, const char *name)
{
	json_put_key(b, name);
	strbuf_addc(b, '{');
}

void json_put_array(struct strbuf *b, const char *name)
{
	json_put_key(b, name);
	strbuf_addc(b, '[');
}
