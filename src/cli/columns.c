/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns are as wide as their widest cell, so all rows are kept until they are printed. */
#include "cli/columns.h"

#include <errno.h>

#define MIN_WIDTH 12
#define PADDING	  3
#define COMPACT	  2

/* Characters, not bytes, take columns. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

int columns_add(struct columns *t, const char *const cell[])
{
	struct columns_row *r = arena_alloc(&t->arena, sizeof(*r));

	if (!r)
		return -ENOMEM;
	for (int i = 0; i < t->n; i++) {
		int width = width_of(cell[i]) + (t->compact ? COMPACT : PADDING);

		r->cell[i] = arena_strdup(&t->arena, cell[i]);
		if (!r->cell[i])
			return -ENOMEM;
		if (width > t->width[i])
			t->width[i] = width;
	}
	if (t->last)
		t->last->next = r;
	else
		t->first = r;
	t->last = r;
	return 0;
}

void columns_print(const struct columns *t, FILE *f)
{
	for (const struct columns_row *r = t->first; r; r = r->next) {
		for (int i = 0; i < t->n - 1; i++) {
			int width = t->width[i];

			if (width < MIN_WIDTH && !t->compact)
				width = MIN_WIDTH;
			fprintf(f, "%s%*s", r->cell[i], width - width_of(r->cell[i]), "");
		}
		fprintf(f, "%s\n", r->cell[t->n - 1]);
	}
}

void columns_done(struct columns *t)
{
	arena_done(&t->arena);
}
