/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is no error: members that are ignored because nobody knows them, and what they may have been
 * meant to be. A misspelt "maskedPath" masks nothing, and nothing else would say so.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "spec/spec_read.h"

static void __attribute__((format(printf, 4, 0)))
add(struct spec_reading *r, const struct json *j, bool is_warning, const char *fmt, va_list ap)
{
	struct spec_note *n = &r->notes[r->n_notes];
	char pointer[256], text[256];

	if (r->n_notes == SPEC_MAX_NOTES)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	json_pointer(j, pointer, sizeof(pointer));
	*n = (struct spec_note){
		.line = (int)j->line,
		.column = (int)j->column,
		.is_warning = is_warning,
		.pointer = arena_strdup(r->arena, pointer),
		.text = arena_strdup(r->arena, text),
	};
	if (n->pointer && n->text)
		r->n_notes++;
	else
		r->no_memory = true;
}

void spec_note(struct spec_reading *r, const struct json *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, j, false, fmt, ap);
	va_end(ap);
}

void spec_warn(struct spec_reading *r, const struct json *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, j, true, fmt, ap);
	va_end(ap);
}

int spec_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

#define NEAR_MAX  32
#define NEAR_ENDS 2 /* edits at most */

/* Edits from @a to @b (insert, remove, replace), or more than NEAR_ENDS. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NEAR_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > NEAR_MAX || m > NEAR_MAX || n > m + NEAR_ENDS || m > n + NEAR_ENDS)
		return NEAR_MAX;
	for (size_t k = 0; k <= m; k++)
		row[k] = (unsigned)k;
	for (size_t i = 1; i <= n; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t k = 1; k <= m; k++) {
			unsigned best = diagonal + (spec_lower(a[i - 1]) != spec_lower(b[k - 1]));

			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			diagonal = row[k];
			row[k] = best;
		}
	}
	return row[m];
}

static const char *nearest(const struct spec_field *fields, const char *key)
{
	const char *best = NULL;
	unsigned least = NEAR_ENDS + 1;

	for (; fields->name; fields++) {
		unsigned d = distance(key, fields->name);

		if (d < least && strlen(key) > 3) {
			least = d;
			best = fields->name;
		}
	}
	return best;
}

void spec_note_unknown(struct spec_reading *r, const struct json *j,
		       const struct spec_field *fields)
{
	const char *meant = r->n_notes < SPEC_MAX_NOTES ? nearest(fields, j->key) : NULL;

	if (meant)
		spec_warn(r, j, "not known and ignored; did you mean \"%s\"?", meant);
	else if (r->brief)
		spec_warn(r, j, "not known and ignored");
	else
		spec_note(r, j, "not known and ignored");
}

const struct json *spec_near_member(const struct json *object, const char *name,
				    const struct spec_field *fields)
{
	const struct json *best = NULL;
	unsigned least = NEAR_ENDS + 1;

	if (object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *c = object->child; c; c = c->next) {
		unsigned d = distance(c->key, name);

		if (d < least && strlen(c->key) >= 3 && !spec_find_field(fields, c->key)) {
			least = d;
			best = c;
		}
	}
	return best;
}

void spec_strict(struct spec_errors *errors, const char *file)
{
	const char *slash = strrchr(file, '/');

	for (size_t i = 0; i < errors->n_notes; i++) {
		const struct spec_note *n = &errors->notes[i];
		struct err e = {.line = n->line, .column = n->column};

		(void)snprintf(e.file, sizeof(e.file), "%s",
			       strlen(file) >= sizeof(e.file) && slash ? slash + 1 : file);
		err_pointer(&e, "%s", n->pointer);
		(void)err_kind(&e, ERR_CONFIG, 0, "%s", n->text);
		err_hint(&e, "refused because of --strict");
		spec_record(errors, &e);
	}
	errors->n_notes = 0;
}
