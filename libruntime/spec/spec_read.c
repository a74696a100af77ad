/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine behind the tables: reads an object row by row, records what is wrong with its
 * place, and goes on. Knows nothing of containers; what a member means is in the tables.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "spec/spec_read.h"

static bool after(const struct err *a, int line, int column)
{
	return a->line > line || (a->line == line && a->column > column);
}

/* Keeps the list in the order of the file; beyond its size the first ones of the file stay. */
void spec_record(struct spec_errors *list, const struct err *e)
{
	size_t i = list->n;

	list->total++;
	while (i > 0 && after(&list->v[i - 1], e->line, e->column))
		i--;
	if (i == SPEC_MAX_ERRORS)
		return;
	if (list->n < SPEC_MAX_ERRORS)
		list->n++;
	memmove(&list->v[i + 1], &list->v[i], (list->n - 1 - i) * sizeof(*e));
	list->v[i] = *e;
}

/* A file of nothing but errors must not cost a formatted text for each. */
static bool worth_it(struct spec_reading *r, const struct json *j)
{
	const struct spec_errors *list = r->errors;

	if (list->n < SPEC_MAX_ERRORS ||
	    after(&list->v[SPEC_MAX_ERRORS - 1], (int)j->line, (int)j->column))
		return true;
	r->errors->total++;
	return false;
}

static void place(const struct spec_reading *r, struct err *e, const struct json *j)
{
	const char *slash = strlen(r->file) < sizeof(e->file) ? NULL : strrchr(r->file, '/');

	*e = ERR_INIT;
	(void)snprintf(e->file, sizeof(e->file), "%s", slash ? slash + 1 : r->file);
	e->line = (int)j->line;
	e->column = (int)j->column;
	json_pointer(j, e->pointer, sizeof(e->pointer));
}

static void __attribute__((format(printf, 5, 0)))
fail(struct spec_reading *r, const struct json *j, enum err_kind kind, const char *hint,
     const char *fmt, va_list ap)
{
	char text[400];
	struct err e;

	if (!worth_it(r, j))
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	place(r, &e, j);
	(void)err_kind(&e, kind, 0, "%s", text);
	if (hint)
		err_hint(&e, "%s", hint);
	spec_record(r->errors, &e);
}

void spec_fail(struct spec_reading *r, const struct json *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(r, j, ERR_CONFIG, NULL, fmt, ap);
	va_end(ap);
}

void spec_fail_hint(struct spec_reading *r, const struct json *j, const char *hint, const char *fmt,
		    ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(r, j, ERR_CONFIG, hint, fmt, ap);
	va_end(ap);
}

static void fail_missing(struct spec_reading *r, const struct json *object, const char *name,
			 const char *why, const struct json *near)
{
	struct err e;
	size_t len;

	if (!worth_it(r, object))
		return;
	place(r, &e, object);
	len = strlen(e.pointer);
	(void)snprintf(e.pointer + len, sizeof(e.pointer) - len, "/%s", name);
	if (why)
		(void)err_kind(&e, ERR_CONFIG, 0, "missing: %s", why);
	else
		(void)err_kind(&e, ERR_CONFIG, 0, "missing");
	if (near)
		err_hint(&e, "did you mean it by \"%.64s\" at %u:%u?", near->key, near->line,
			 near->column);
	spec_record(r->errors, &e);
}

void spec_fail_missing(struct spec_reading *r, const struct json *object, const char *name,
		       const char *why)
{
	fail_missing(r, object, name, why, NULL);
}

/* How many of the first @max bytes end with a whole character. */
static size_t cut(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

void spec_describe(const struct json *j, char *buf, size_t size)
{
	size_t n = j->text ? cut(j->text, j->len, size - 24) : 0;

	if (j->type == JSON_STRING)
		(void)snprintf(buf, size, "the string \"%.*s%s\"", (int)n, j->text,
			       n < j->len ? "…" : "");
	else if (j->type == JSON_NUMBER)
		(void)snprintf(buf, size, "the number %.*s%s", (int)n, j->text,
			       n < j->len ? "…" : "");
	else if (j->type == JSON_BOOL)
		(void)snprintf(buf, size, "%s", j->boolean ? "true" : "false");
	else if (j->type == JSON_NULL)
		(void)snprintf(buf, size, "null");
	else
		(void)snprintf(buf, size, "%s", json_type_name(j->type));
}

void spec_fail_type(struct spec_reading *r, const struct json *j, const char *what)
{
	char found[96];

	spec_describe(j, found, sizeof(found));
	spec_fail(r, j, "expected %s, found %s", what, found);
}

void *spec_alloc(struct spec_reading *r, size_t n, size_t size)
{
	void *p = arena_array(r->arena, n, size);

	if (!p) {
		r->no_memory = true;
		/* Counted, so that nobody goes on with what was not read. */
		r->errors->total++;
	}
	return p;
}

const struct json *spec_given(const struct json *object, const char *name)
{
	const struct json *j = json_get(object, name);

	return j && j->type != JSON_NULL ? j : NULL;
}

bool spec_empty(const struct json *j)
{
	int64_t number;

	switch (j->type) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return !j->boolean;
	case JSON_NUMBER:
		return json_i64(j, 0, 0, &number) == 0;
	case JSON_STRING:
	case JSON_ARRAY:
		return j->len == 0;
	case JSON_OBJECT:
		for (const struct json *c = j->child; c; c = c->next)
			if (!spec_empty(c))
				return false;
		return true;
	}
	return false;
}

bool spec_is(struct spec_reading *r, const struct json *j, enum json_type type, size_t max)
{
	if (j->type != type) {
		spec_fail_type(r, j, json_type_name(type));
		return false;
	}
	if (j->len <= max)
		return true;
	spec_fail(r, j, "%zu members are more than the %zu allowed", j->len, max);
	return false;
}

const char *spec_string(struct spec_reading *r, const struct json *j)
{
	if (j->type == JSON_STRING)
		return j->text;
	spec_fail_type(r, j, "a string");
	return NULL;
}

static bool same_but_case(const char *a, const char *b)
{
	for (; *a && spec_lower(*a) == spec_lower(*b); a++, b++)
		;
	return spec_lower(*a) == spec_lower(*b);
}

const struct spec_field *spec_find_field(const struct spec_field *fields, const char *key)
{
	const struct spec_field *f;

	for (f = fields; f->name; f++)
		if (str_eq(f->name, key))
			return f;
	for (f = fields; f->name; f++)
		if (same_but_case(f->name, key))
			return f;
	return NULL;
}

/* Another object of the same name but for its case: Go's decoder, and so runc, takes both. Not
 * where one member stands in both. */
static bool may_add(struct spec_reading *r, const struct json *first, const struct json *j,
		    const struct spec_field *f)
{
	if (!(f->flags & SPEC_TWICE) || first->type != JSON_OBJECT || j->type != JSON_OBJECT ||
	    str_eq(first->key, j->key))
		return false;
	for (const struct json *a = first->child; a; a = a->next)
		for (const struct json *b = j->child; b; b = b->next)
			if (strcasecmp(a->key, b->key) == 0)
				return false;
	spec_warn(r, j, "taken together with \"%s\" at %u:%u", first->key, first->line,
		  first->column);
	return true;
}

static void read_members(struct spec_reading *r, const struct json *j, void *base,
			 const struct spec_field *fields, const struct json **seen)
{
	for (const struct json *c = j->child; c; c = c->next) {
		const struct spec_field *f = spec_find_field(fields, c->key);
		const struct json *first;

		if (!f) {
			spec_note_unknown(r, c, fields);
			continue;
		}
		first = seen[f - fields];
		if (first && !may_add(r, first, c, f)) {
			spec_fail(r, c, "given twice, first as \"%s\" at %u:%u", first->key,
				  first->line, first->column);
			continue;
		}
		seen[f - fields] = c;
		if (c->type != JSON_NULL)
			f->read(r, c, (char *)base + f->offset, f->arg);
	}
}

void (*spec_observer)(const struct json *object, const struct spec_field *fields);

void spec_read_fields(struct spec_reading *r, const struct json *j, void *base,
		      const struct spec_field *fields)
{
	const struct json *seen[SPEC_MAX_FIELDS] = {NULL};
	unsigned required = SPEC_REQUIRED | (r->whole ? SPEC_REQUIRED_CONFIG : 0);

	if (!spec_is(r, j, JSON_OBJECT, SIZE_MAX))
		return;
	if (spec_observer)
		spec_observer(j, fields);
	read_members(r, j, base, fields, seen);
	for (size_t i = 0; fields[i].name; i++)
		if ((fields[i].flags & required) && (!seen[i] || seen[i]->type == JSON_NULL))
			fail_missing(r, j, fields[i].name, NULL,
				     spec_near_member(j, fields[i].name, fields));
}

void spec_read_object(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	spec_read_fields(r, j, out, arg);
}

void spec_read_list(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const struct spec_list *list = arg;
	struct {
		void *v;
		size_t n;
	} result;

	if (!spec_is(r, j, JSON_ARRAY, list->max))
		return;
	result.n = j->len;
	result.v = spec_alloc(r, j->len + 1, list->size);
	if (!result.v)
		return;
	memcpy(out, &result, sizeof(result));
	for (const struct json *c = j->child; c; c = c->next) {
		char *element = (char *)result.v + c->index * list->size;
		size_t before = r->errors->total;

		spec_read_fields(r, c, element, list->fields);
		if (list->check && r->errors->total == before)
			list->check(r, c, element);
	}
}

struct option16 {
	bool set;
	uint16_t v;
};

struct option32 {
	bool set;
	uint32_t v;
};

struct option64 {
	bool set;
	uint64_t v;
};

/* Where in a SPEC_OPTION() the value is. */
static size_t value_offset(enum spec_int_type type)
{
	switch (type) {
	case SPEC_U16:
		return offsetof(struct option16, v);
	case SPEC_U32:
	case SPEC_INT:
		return offsetof(struct option32, v);
	case SPEC_U64:
	case SPEC_I64:
		return offsetof(struct option64, v);
	}
	return 0;
}

static void store(void *out, const struct spec_int *in, int64_t i, uint64_t u)
{
	void *at = out;

	if (in->option) {
		*(bool *)out = true;
		at = (char *)out + value_offset(in->type);
	}
	switch (in->type) {
	case SPEC_U16:
		*(uint16_t *)at = (uint16_t)u;
		break;
	case SPEC_U32:
		*(uint32_t *)at = (uint32_t)u;
		break;
	case SPEC_INT:
		*(int *)at = (int)i;
		break;
	case SPEC_U64:
		*(uint64_t *)at = u;
		break;
	case SPEC_I64:
		*(int64_t *)at = i;
		break;
	}
}

void spec_read_int(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const struct spec_int *in = arg;
	uint64_t u = 0;
	int64_t i = 0;
	int rc;

	if (j->type != JSON_NUMBER) {
		spec_fail_type(r, j, "an integer");
		return;
	}
	if (in->type == SPEC_INT || in->type == SPEC_I64)
		rc = json_i64(j, in->min, (int64_t)in->max, &i);
	else
		rc = json_u64(j, (uint64_t)in->min, in->max, &u);
	if (rc == 0)
		store(out, in, i, u);
	else if (rc == -ERANGE)
		spec_fail(r, j, "%.*s is out of range (%lld..%llu)", (int)cut(j->text, j->len, 40),
			  j->text, (long long)in->min, (unsigned long long)in->max);
	else
		spec_fail_type(r, j, "an integer");
}

void spec_read_bool(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	(void)arg;
	if (j->type == JSON_BOOL)
		*(bool *)out = j->boolean;
	else
		spec_fail_type(r, j, "true or false");
}

void spec_read_bool_option(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	bool *option = out; /* SPEC_OPTION(bool): two of them */

	spec_read_bool(r, j, &option[1], arg);
	option[0] = j->type == JSON_BOOL;
}

void spec_read_text(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	(void)arg;
	*(const char **)out = spec_string(r, j);
}

void spec_read_word(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text = spec_string(r, j);

	(void)arg;
	*(const char **)out = text && *text ? text : NULL;
}

void spec_read_filled(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text = spec_string(r, j);

	(void)arg;
	if (text && !*text)
		spec_fail(r, j, "must not be empty");
	*(const char **)out = text;
}

void spec_check_path(struct spec_reading *r, const struct json *j, const char *path)
{
	if (path && strlen(path) >= PATH_MAX)
		spec_fail(r, j, "%zu bytes are more than the %d of a path", strlen(path),
			  PATH_MAX - 1);
}

void spec_read_path(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text = spec_string(r, j);
	char found[96];

	(void)arg;
	*(const char **)out = text;
	spec_check_path(r, j, text);
	if (!text || *text == '/')
		return;
	spec_describe(j, found, sizeof(found));
	if (*text)
		spec_fail(r, j, "expected an absolute path, found %s", found);
	else
		spec_fail(r, j, "must not be empty");
}

/* The mistake of a string in the place of a list has one likely cure. */
static bool is_string_list(struct spec_reading *r, const struct json *j, size_t max)
{
	char found[96], hint[120];

	if (j->type == JSON_ARRAY)
		return spec_is(r, j, JSON_ARRAY, max);
	spec_describe(j, found, sizeof(found));
	if (j->type == JSON_STRING && j->len < 60)
		(void)snprintf(hint, sizeof(hint), "did you mean [\"%s\"]?", j->text);
	else
		hint[0] = '\0';
	spec_fail_hint(r, j, hint[0] ? hint : NULL, "expected an array of strings, found %s",
		       found);
	return false;
}

void spec_read_strings(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_strings *list = out;
	size_t max = arg ? *(const size_t *)arg : JSON_MAX_ITEMS;

	if (!is_string_list(r, j, max))
		return;
	list->v = spec_alloc(r, j->len + 1, sizeof(*list->v));
	if (!list->v)
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		const char *text = spec_string(r, c);

		if (text)
			list->v[list->n++] = text;
	}
}

void spec_read_paths(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	static const size_t max = SPEC_MAX_PATHS;
	size_t before = r->errors->total;

	(void)arg;
	spec_read_strings(r, j, out, &max);
	if (r->errors->total != before)
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		const char *path;

		spec_read_path(r, c, &path, NULL);
	}
}

void spec_read_ignored(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	(void)r;
	(void)j;
	(void)out;
	(void)arg;
}

void spec_read_noted(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	(void)out;
	(void)arg;
	spec_note(r, j, "deprecated and ignored");
}

void spec_read_unapplied(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	(void)out;
	(void)arg;
	if (!spec_empty(j))
		spec_fail_unapplied(r, j);
}

void spec_fail_unsupported(struct spec_reading *r, const struct json *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(r, j, ERR_UNSUPPORTED, NULL, fmt, ap);
	va_end(ap);
}

void spec_fail_unapplied(struct spec_reading *r, const struct json *j)
{
	spec_fail_unsupported(r, j, "is not applied yet by this version of oakum");
}

bool spec_set_init(struct spec_reading *r, struct spec_set *set, size_t n)
{
	size_t size = 8;

	while (size < 2 * n)
		size *= 2;
	set->mask = size - 1;
	set->slots = spec_alloc(r, size, sizeof(*set->slots));
	return set->slots;
}

ssize_t spec_set_add(struct spec_set *set, const char *key, size_t len, size_t index)
{
	/* Seeded by an address, so that a file cannot be made to collide. */
	uint64_t hash = 14695981039346656037u ^ (uintptr_t)set->slots;
	struct spec_slot *slot;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)key[i]) * 1099511628211u;
	for (size_t i = hash ^ (hash >> 32);; i++) {
		slot = &set->slots[i & set->mask];
		if (!slot->key)
			break;
		if (slot->len == len && memcmp(slot->key, key, len) == 0)
			return (ssize_t)slot->index;
	}
	*slot = (struct spec_slot){.key = key, .len = len, .index = index};
	return -1;
}
