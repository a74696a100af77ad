/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON text to a tree: yajl reads the tokens, this file builds the nodes and keeps the limits
 * that yajl does not know. The words for bad syntax are in json_syntax.c, reading the tree in
 * json_value.c.
 */
#include "base/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_syntax.h"

struct parser {
	struct json_progress at;
	struct arena *arena;
	struct err *err;
	int failed; /* what a callback returned to its caller, < 0 */
	yajl_handle yajl;
	bool finishing; /* yajl has all bytes: its offset means nothing */
	bool wide;	/* there are bytes above 0x7f */
	size_t values;
	size_t start;	/* of the token just read */
	size_t line_at; /* first byte of the line it stands in */
	size_t counted; /* up to where bytes inside characters have been counted */
	uint32_t line, inside;
	unsigned depth;
	struct json *open[JSON_MAX_DEPTH], *last[JSON_MAX_DEPTH];
	struct json *top;
	jmp_buf no_memory;
};

/* Every refusal ends yajl's run: its callbacks answer 0 for that. */
static int refuse(struct parser *p, int r)
{
	p->failed = r;
	return 0;
}

static int refuse_memory(struct parser *p)
{
	return refuse(p, err_set(p->err, ENOMEM, "read %s", p->at.file));
}

static size_t consumed(const struct parser *p)
{
	return p->finishing ? p->at.size : yajl_get_bytes_consumed(p->yajl);
}

/*
 * Find the first byte of the token just read: only blanks and one of ",:" may stand between it
 * and the token before. No token reaches over the end of a line.
 */
static void find_start(struct parser *p)
{
	const char *data = p->at.data;
	size_t i = p->at.end;

	for (; i < p->at.size; i++) {
		char c = data[i];

		if (c == '\n') {
			p->line++;
			p->line_at = i + 1;
			p->inside = 0;
		} else if (c != ' ' && c != ',' && c != ':' && c != '\t' && c != '\r') {
			break;
		}
	}
	p->start = i;
}

/* In characters: the bytes inside of them are taken off. Each byte is looked at once. */
static uint32_t start_column(struct parser *p)
{
	size_t i = p->counted > p->line_at ? p->counted : p->line_at;

	for (; p->wide && i < p->start; i++)
		p->inside += ((unsigned char)p->at.data[i] & 0xc0) == 0x80;
	p->counted = p->start;
	return (uint32_t)(p->start - p->line_at) - p->inside + 1;
}

/* Hang @j behind the last child of the innermost open container. */
static void hang(struct parser *p, struct json *j)
{
	struct json *parent;

	if (p->depth == 0) {
		p->top = j;
		return;
	}
	parent = p->open[p->depth - 1];
	j->parent = parent;
	j->key = p->at.key;
	j->index = (uint32_t)parent->len++;
	if (parent->child)
		p->last[p->depth - 1]->next = j;
	else
		parent->child = j;
	p->last[p->depth - 1] = j;
	p->at.key = NULL;
}

/* The node of the token at ->start, or NULL with the refusal recorded. */
static struct json *add(struct parser *p, enum json_type type)
{
	const struct json *parent = p->at.container;
	struct json *j;

	if (p->values++ == JSON_MAX_VALUES) {
		refuse(p, json_fail_at(&p->at, p->start, p->err, "more than %u values in all",
				       JSON_MAX_VALUES));
		return NULL;
	}
	if (parent && parent->len == JSON_MAX_ITEMS) {
		p->at.key = NULL;
		refuse(p, json_fail_at(&p->at, p->start, p->err, "more than %d %s", JSON_MAX_ITEMS,
				       parent->type == JSON_OBJECT ? "members" : "items"));
		return NULL;
	}
	j = arena_alloc(p->arena, sizeof(*j));
	if (!j) {
		refuse_memory(p);
		return NULL;
	}
	j->type = type;
	j->line = p->line;
	j->column = start_column(p);
	hang(p, j);
	p->at.end = consumed(p);
	if (p->depth == 0)
		p->at.done = type < JSON_ARRAY;
	return j;
}

static int on_null(void *ctx)
{
	find_start(ctx);
	return add(ctx, JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int value)
{
	struct json *j;

	find_start(ctx);
	j = add(ctx, JSON_BOOL);
	if (j)
		j->boolean = value;
	return j != NULL;
}

/* @text with a NUL, or NULL with the refusal recorded. */
static const char *copy(struct parser *p, const char *text, size_t len)
{
	char *mem;

	if (len > JSON_MAX_STRING) {
		refuse(p, json_fail_at(&p->at, p->start, p->err, "longer than %u bytes",
				       JSON_MAX_STRING));
		return NULL;
	}
	mem = arena_strndup(p->arena, text, len);
	if (!mem)
		refuse_memory(p);
	return mem;
}

static int add_text(struct parser *p, enum json_type type, const char *text, size_t len)
{
	const char *mem = copy(p, text, len);
	struct json *j = mem ? add(p, type) : NULL;

	if (!j)
		return 0;
	j->text = mem;
	j->len = len;
	return 1;
}

static int on_number(void *ctx, const char *text, size_t len)
{
	find_start(ctx);
	return add_text(ctx, JSON_NUMBER, text, len);
}

/* The token is a string that yajl has decoded to @len bytes. */
static int check_string(struct parser *p, size_t len)
{
	size_t end = consumed(p);

	find_start(p);
	/* Every escape is longer than what it stands for. */
	if (!p->wide && end - p->start == len + 2)
		return 0;
	return json_check_string(&p->at, p->start, end, p->err);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	struct parser *p = ctx;
	int r = check_string(p, len);

	if (r < 0)
		return refuse(p, r);
	return add_text(p, JSON_STRING, (const char *)text, len);
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
	struct parser *p = ctx;
	int r = check_string(p, len);

	if (r < 0)
		return refuse(p, r);
	p->at.key = copy(p, (const char *)text, len);
	p->at.end = consumed(p);
	return p->at.key != NULL;
}

static int open_container(struct parser *p, enum json_type type)
{
	struct json *j;

	find_start(p);
	if (p->depth == JSON_MAX_DEPTH)
		return refuse(p, json_fail_at(&p->at, p->start, p->err, "nested more than %d deep",
					      JSON_MAX_DEPTH));
	j = add(p, type);
	if (!j)
		return 0;
	p->open[p->depth++] = j;
	p->at.container = j;
	return 1;
}

static int close_container(struct parser *p)
{
	find_start(p);
	p->depth--;
	p->at.container = p->depth > 0 ? p->open[p->depth - 1] : NULL;
	p->at.done = p->depth == 0;
	p->at.end = consumed(p);
	return 1;
}

static int on_start_map(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_start_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int on_end_array(void *ctx)
{
	return close_container(ctx);
}

static int refuse_twice(struct parser *p, const struct json *first, const struct json *second)
{
	char pointer[128];

	json_pointer(second, pointer, sizeof(pointer));
	err_pointer(p->err, "%s", pointer);
	(void)json_fail_at(&p->at, 0, p->err, "given twice (first at %u:%u)", first->line,
			   first->column);
	if (p->err) {
		p->err->line = (int)second->line;
		p->err->column = (int)second->column;
	}
	return refuse(p, -EINVAL);
}

static int by_key(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a, *y = *(const struct json *const *)b;
	int r = strcmp(x->key, y->key);

	return r ? r : x->index < y->index ? -1 : 1;
}

/* Sorted, so that no choice of keys makes it quadratic. */
static int check_many(struct parser *p, const struct json *object)
{
	const struct json **sorted = arena_array(p->arena, object->len, sizeof(*sorted));
	const struct json *first = NULL, *second = NULL;
	size_t n = 0;

	if (!sorted)
		return refuse_memory(p);
	for (const struct json *c = object->child; c; c = c->next)
		sorted[n++] = c;
	qsort(sorted, n, sizeof(*sorted), by_key);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0)
			continue;
		if (second && second->index < sorted[i]->index)
			continue;
		first = sorted[i - 1];
		second = sorted[i];
	}
	return second ? refuse_twice(p, first, second) : 1;
}

static int check_few(struct parser *p, const struct json *object)
{
	for (const struct json *c = object->child; c; c = c->next)
		for (const struct json *d = object->child; d != c; d = d->next)
			if (strcmp(c->key, d->key) == 0)
				return refuse_twice(p, d, c);
	return 1;
}

static int on_end_map(void *ctx)
{
	struct parser *p = ctx;
	const struct json *object = p->open[p->depth - 1];
	int good = object->len > 24 ? check_many(p, object) : check_few(p, object);

	return good && close_container(p);
}

/*
 * yajl does not look at what its allocator returns, so that running out of memory must not
 * return there. All it holds is in the arena: leaving it by longjmp(3) loses nothing.
 */
static void *yajl_take(void *ctx, size_t size)
{
	struct parser *p = ctx;
	size_t *mem = size < SIZE_MAX - 16 ? arena_alloc(p->arena, size + 16) : NULL;

	if (!mem)
		longjmp(p->no_memory, 1);
	*mem = size;
	return (char *)mem + 16;
}

static void yajl_drop(void *ctx, void *mem)
{
	(void)ctx;
	(void)mem;
}

static void *yajl_grow(void *ctx, void *mem, size_t size)
{
	size_t old = mem ? *(size_t *)((char *)mem - 16) : 0;
	void *bigger;

	if (mem && size <= old)
		return mem;
	bigger = yajl_take(ctx, size);
	if (mem)
		memcpy(bigger, mem, old);
	return bigger;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};

/* As fast as memory: eight bytes at a time. */
static bool has_wide(const char *data, size_t size)
{
	uint64_t all = 0, word;
	size_t i = 0;

	for (; size - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		all |= word;
	}
	for (; i < size; i++)
		all |= (uint64_t)(unsigned char)data[i];
	return all & UINT64_C(0x8080808080808080);
}

static int run(struct parser *p)
{
	yajl_alloc_funcs memory = {
		.malloc = yajl_take, .realloc = yajl_grow, .free = yajl_drop, .ctx = p};
	yajl_status status;

	if (setjmp(p->no_memory)) {
		refuse_memory(p);
		return p->failed;
	}
	p->yajl = yajl_alloc(&callbacks, &memory, p);
	/* json_check_string() is stricter than yajl's check. */
	(void)yajl_config(p->yajl, yajl_dont_validate_strings, 1);
	status = yajl_parse(p->yajl, (const unsigned char *)p->at.data, p->at.size);
	if (status == yajl_status_ok) {
		p->finishing = true;
		status = yajl_complete_parse(p->yajl);
	}
	if (status == yajl_status_client_canceled)
		return p->failed;
	return status == yajl_status_ok ? 0 : json_syntax_fail(&p->at, p->err);
}

int json_parse(const char *data, size_t size, const char *file, struct arena *arena,
	       struct json **ret, struct err *err)
{
	struct parser p = {
		.at = {.data = data, .size = size, .file = file},
		.arena = arena,
		.err = err,
		.line = 1,
	};
	int r;

	if (size > JSON_MAX_SIZE)
		return err_kind(err, ERR_CONFIG, EFBIG, "%s has more than %u bytes", file,
				JSON_MAX_SIZE);
	p.wide = has_wide(data, size);
	r = run(&p);
	if (r == 0)
		*ret = p.top;
	return r;
}
