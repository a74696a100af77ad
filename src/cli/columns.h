/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table in columns as runc prints it: each at least 12 wide, 3 between, the last as it is; or
 * compact: as wide as it needs, 2 between. Private to src/cli. */
#ifndef OAKUM_CLI_COLUMNS_H
#define OAKUM_CLI_COLUMNS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"

#define COLUMNS_MAX 8

struct columns_row {
	struct columns_row *next;
	const char *cell[COLUMNS_MAX];
};

struct columns {
	struct arena arena;
	struct columns_row *first, *last;
	int n, width[COLUMNS_MAX];
	bool compact;
};

/* A row of @cell[@t->n], copied. 0 or -ENOMEM. */
int columns_add(struct columns *t, const char *const cell[]);
void columns_print(const struct columns *t, FILE *f);
void columns_done(struct columns *t);

#endif
