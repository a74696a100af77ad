/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The containers that `stats` shows, each with its last two pictures. Private to src/cli. */
#ifndef OAKUM_CLI_STATS_ROWS_H
#define OAKUM_CLI_STATS_ROWS_H

#include <stdio.h>

#include "cli/command.h"

struct stats_row {
	char *id;
	struct oakum_stats *now, *before; /* ->before is NULL at first */
};

struct stats_rows {
	struct stats_row *v; /* in the order of the command line, else by id */
	size_t n;
};

/*
 * Take new pictures of the containers of @c's command line, or of all that run or are paused. One
 * that has ended goes; a named one that is not there at the @first time is an error. 0, or an exit
 * status after the error has been printed.
 */
int stats_rows_take(const struct command_context *c, struct stats_rows *rows, bool first);
void stats_rows_done(struct stats_rows *rows);

/* CPU time of the time between the two pictures, in hundredths of a percent of one CPU. False:
 * there was no time between. */
bool stats_row_cpu(const struct stats_row *row, uint64_t *ret);

/* As a table for people (0 or -ENOMEM), and as one line of JSON. */
int stats_put_table(const struct stats_rows *rows, FILE *f);
void stats_put_json(const struct stats_rows *rows, FILE *f);

#endif
