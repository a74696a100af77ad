/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arena: pages from mmap(2), handed out from the front, never taken back one by one.
 * Fresh pages are zero, so nothing is cleared. They are had all at once (MAP_POPULATE): that
 * costs less than a fault for each as soon as a few of them are used. The first chunk is small,
 * since most arenas hold one state.json.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_SIZE ((size_t)64 << 10)
#define FIRST_SIZE ((size_t)16 << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used; /* both with this header */
};

#define FIRST_PLACES 16 /* of an array that grows; a power of two */

#define ALIGN  _Alignof(max_align_t)
#define HEADER ((sizeof(struct arena_chunk) + ALIGN - 1) & ~(ALIGN - 1))

static struct arena_chunk *chunk_new(size_t size)
{
	struct arena_chunk *c;

	c = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
		 0);
	if (c == MAP_FAILED)
		return NULL;
	c->size = size;
	c->used = HEADER;
	return c;
}

/* A chunk with room for @size bytes. One made for a large piece goes behind the newest, which
 * stays in use for the small ones. */
static struct arena_chunk *chunk_for(struct arena *a, size_t size)
{
	size_t usual = a->chunks ? CHUNK_SIZE : FIRST_SIZE;
	bool large = size > usual / 4;
	struct arena_chunk *c;

	if (size > SIZE_MAX - HEADER - 4095)
		return NULL;
	c = chunk_new(large ? (HEADER + size + 4095) & ~(size_t)4095 : usual);
	if (!c)
		return NULL;
	if (large && a->chunks) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = a->chunks;
		a->chunks = c;
	}
	return c;
}

static void *take(struct arena *a, size_t size, size_t align)
{
	struct arena_chunk *c = a->chunks;
	size_t at;

	if (size == 0)
		size = 1;
	if (a->limit > 0 && (a->used > a->limit || size > a->limit - a->used))
		return NULL;
	at = c ? (c->used + align - 1) & ~(align - 1) : 0;
	if (!c || at > c->size || size > c->size - at) {
		c = chunk_for(a, size);
		if (!c)
			return NULL;
		at = c->used;
	}
	c->used = at + size;
	a->used += size;
	return (char *)c + at;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return take(a, size, ALIGN);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return arena_alloc(a, bytes);
}

void *arena_grow(struct arena *a, void *array, size_t n, size_t size)
{
	bool full = n == 0 || (n >= FIRST_PLACES && (n & (n - 1)) == 0);
	void *more;

	if (!full)
		return array;
	more = n > SIZE_MAX / 2 ? NULL : arena_array(a, n ? 2 * n : FIRST_PLACES, size);
	if (more && n)
		memcpy(more, array, n * size);
	return more;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = len < SIZE_MAX ? take(a, len + 1, 1) : NULL;

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char small[256], *text;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	text = n < 0 ? NULL : take(a, (size_t)n + 1, 1);
	if (text && (size_t)n < sizeof(small))
		memcpy(text, small, (size_t)n);
	else if (text)
		(void)vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return text;
}

void arena_done(struct arena *a)
{
	struct arena_chunk *next;

	for (struct arena_chunk *c = a->chunks; c; c = next) {
		next = c->next;
		(void)munmap(c, c->size);
	}
	a->chunks = NULL;
	a->used = 0;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *keep = a->chunks;

	if (!keep)
		return;
	a->chunks = keep->next;
	arena_done(a);
	memset((char *)keep + HEADER, 0, keep->used - HEADER);
	keep->next = NULL;
	keep->used = HEADER;
	a->chunks = keep;
}
