/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON text, indented with tabs: the pen of spec_default.c and spec_hardened.c. */
#include "spec/spec_write.h"

static void begin(struct spec_writer *w, const char *key)
{
	if (w->filled)
		strbuf_addc(&w->b, ',');
	if (w->depth)
		strbuf_addc(&w->b, '\n');
	for (int i = 0; i < w->depth; i++)
		strbuf_addc(&w->b, '\t');
	if (key) {
		strbuf_json(&w->b, key);
		strbuf_add(&w->b, ": ");
	}
	w->filled = true;
}

void spec_open(struct spec_writer *w, const char *key, char bracket)
{
	begin(w, key);
	strbuf_addc(&w->b, bracket);
	w->depth++;
	w->filled = false;
}

void spec_close(struct spec_writer *w, char bracket)
{
	w->depth--;
	if (w->filled) {
		strbuf_addc(&w->b, '\n');
		for (int i = 0; i < w->depth; i++)
			strbuf_addc(&w->b, '\t');
	}
	strbuf_addc(&w->b, bracket);
	if (w->depth == 0)
		strbuf_addc(&w->b, '\n');
	w->filled = true;
}

void spec_put_text(struct spec_writer *w, const char *key, const char *value)
{
	begin(w, key);
	strbuf_json(&w->b, value);
}

void spec_put_bool(struct spec_writer *w, const char *key, bool value)
{
	begin(w, key);
	strbuf_add(&w->b, value ? "true" : "false");
}

void spec_put_u64(struct spec_writer *w, const char *key, uint64_t value)
{
	begin(w, key);
	strbuf_u64(&w->b, value);
}

void spec_put_i64(struct spec_writer *w, const char *key, int64_t value)
{
	begin(w, key);
	strbuf_i64(&w->b, value);
}

void spec_put_list(struct spec_writer *w, const char *key, const char *const *v)
{
	spec_open(w, key, '[');
	for (; *v; v++)
		spec_put_text(w, NULL, *v);
	spec_close(w, ']');
}

void spec_put_mount(struct spec_writer *w, const char *destination, const char *type,
		    const char *source, const char *const *options)
{
	spec_open(w, NULL, '{');
	spec_put_text(w, "destination", destination);
	spec_put_text(w, "type", type);
	spec_put_text(w, "source", source);
	if (options)
		spec_put_list(w, "options", options);
	spec_close(w, '}');
}
