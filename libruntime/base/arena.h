/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that lives as long as one command's data: handed out from mmap(2)ed chunks,
 * freed all at once and given back to the kernel (a supervisor keeps none of it).
 */
#ifndef OAKUM_BASE_ARENA_H
#define OAKUM_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used, limit;	    /* bytes handed out; 0: no limit */
};

#define ARENA_INIT ((struct arena){.chunks = NULL})

/*
 * Zeroed, aligned for any type. NULL when memory or the arena's limit is exhausted.
 * The child must not allocate.
 */
void *arena_alloc(struct arena *a, size_t size);
/* @n zeroed elements; NULL also on overflow of @n * @size. */
void *arena_array(struct arena *a, size_t n, size_t size);
/*
 * @array (NULL while it is empty) with a place for one more behind its @n elements; it doubles, and
 * may move then. NULL when memory is exhausted; @array is as it was. For arrays that begin in here.
 */
void *arena_grow(struct arena *a, void *array, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);

/* munmap(2) everything. Takes a zeroed arena. Usable again afterwards. */
void arena_done(struct arena *a);

/* Forget everything handed out but keep one chunk for the next round (it is zeroed as it is handed
 * out again). */
void arena_reset(struct arena *a);

#define AUTO_ARENA __attribute__((cleanup(arena_done)))

#endif
