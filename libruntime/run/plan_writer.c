/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two forms of a plan; see plan_writer.h. */
#include "run/plan_writer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

void plan_writer_begin(struct plan_writer *w, struct strbuf *to, bool json,
		       const struct plan_writer_names *names)
{
	static const struct plan_writer_names own = {"stages", "stage", "steps", "do"};

	*w = (struct plan_writer){.to = to, .json = json, .names = names ? names : &own};
	if (json)
		strbuf_fmt(to, "{\"%s\":[", w->names->all);
}

static void end_list(struct plan_writer *w)
{
	if (w->in_list && w->json)
		strbuf_addc(w->to, ']');
	else if (w->in_list && !w->any_word)
		strbuf_add(w->to, " none");
	w->in_list = false;
}

static void end_step(struct plan_writer *w)
{
	end_list(w);
	if (w->in_step)
		strbuf_addc(w->to, w->json ? '}' : '\n');
	w->in_step = false;
}

static void end_stage(struct plan_writer *w)
{
	end_step(w);
	if (w->in_stage && w->json)
		strbuf_add(w->to, "]}");
	w->in_stage = false;
}

void plan_writer_end(struct plan_writer *w)
{
	end_stage(w);
	if (w->json)
		strbuf_add(w->to, "]}\n");
}

void plan_stage(struct plan_writer *w, const char *name)
{
	end_stage(w);
	w->stage = name;
}

/* Shown with its first step. */
static void begin_stage(struct plan_writer *w)
{
	if (w->in_stage)
		return;
	w->in_stage = true;
	if (w->json) {
		strbuf_fmt(w->to, "%s{\"%s\":", w->any_stage ? "," : "", w->names->stage);
		strbuf_json(w->to, w->stage);
		strbuf_fmt(w->to, ",\"%s\":[", w->names->steps);
	} else {
		strbuf_add(w->to, w->stage);
		strbuf_addc(w->to, '\n');
	}
	w->any_stage = true;
	w->any_step = false;
}

void plan_step(struct plan_writer *w, const char *verb)
{
	end_step(w);
	begin_stage(w);
	if (w->json) {
		strbuf_fmt(w->to, "%s{\"%s\":", w->any_step ? "," : "", w->names->step);
		strbuf_json(w->to, verb);
	} else {
		strbuf_add(w->to, "  ");
		strbuf_add(w->to, verb);
	}
	w->any_step = w->in_step = true;
	w->any_fact = false;
}

/* "read-only at the end" as a key: "read_only_at_the_end". */
static void put_key(struct strbuf *b, const char *name)
{
	strbuf_add(b, ",\"");
	for (const char *p = name; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			      (*p >= '0' && *p <= '9');

		if (letter)
			strbuf_addc(b, *p);
		else if (b->len && b->p[b->len - 1] != '_')
			strbuf_addc(b, '_');
	}
	strbuf_add(b, "\":");
}

/* Up to where its value stands. */
static void begin_fact(struct plan_writer *w, const char *name)
{
	end_list(w);
	if (w->json) {
		put_key(w->to, name);
	} else if (w->any_fact) {
		strbuf_add(w->to, ", ");
		strbuf_add(w->to, name);
	}
	w->any_fact = true;
}

/* A word stands as it is where nobody could mistake its end. */
static void put_text(struct plan_writer *w, const char *value)
{
	bool plain = *value;

	for (const char *p = value; *p; p++)
		plain &= *p > ' ' && *p != ',' && *p != '"' && *p != '\\' && *p != 0x7f;
	if (plain && !w->json)
		strbuf_add(w->to, value);
	else
		strbuf_json(w->to, value);
}

static void put_value(struct plan_writer *w, const char *name, const char *value)
{
	begin_fact(w, name);
	if (!w->json)
		strbuf_addc(w->to, ' ');
	put_text(w, value);
}

void plan_text(struct plan_writer *w, const char *name, const char *value)
{
	if (value)
		put_value(w, name, value);
}

void plan_fmt(struct plan_writer *w, const char *name, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_value(w, name, text);
}

void plan_number(struct plan_writer *w, const char *name, int64_t value)
{
	begin_fact(w, name);
	if (!w->json)
		strbuf_addc(w->to, ' ');
	strbuf_i64(w->to, value);
}

void plan_unsigned(struct plan_writer *w, const char *name, uint64_t value)
{
	begin_fact(w, name);
	if (!w->json)
		strbuf_addc(w->to, ' ');
	strbuf_u64(w->to, value);
}

void plan_flag(struct plan_writer *w, const char *name, bool value)
{
	bool first = !w->any_fact;

	if (!value)
		return;
	begin_fact(w, name);
	if (w->json)
		strbuf_add(w->to, "true");
	else if (first)
		strbuf_fmt(w->to, " %s", name);
}

void plan_list(struct plan_writer *w, const char *name)
{
	begin_fact(w, name);
	if (w->json)
		strbuf_addc(w->to, '[');
	w->in_list = true;
	w->any_word = false;
}

void plan_word(struct plan_writer *w, const char *word)
{
	if (!w->json)
		strbuf_addc(w->to, ' ');
	else if (w->any_word)
		strbuf_addc(w->to, ',');
	put_text(w, word);
	w->any_word = true;
}

void plan_word_fmt(struct plan_writer *w, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	plan_word(w, text);
}

void plan_words(struct plan_writer *w, const char *name, const char *const *words)
{
	if (!words || !words[0])
		return;
	plan_list(w, name);
	for (; *words; words++)
		plan_word(w, *words);
}
