/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which containers `stats` shows, and their pictures; see stats_rows.h. */
#include "cli/stats_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void row_done(struct stats_row *row)
{
	free(row->id);
	oakum_stats_free(row->now);
	oakum_stats_free(row->before);
}

void stats_rows_done(struct stats_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		row_done(&rows->v[i]);
	free(rows->v);
	*rows = (struct stats_rows){.n = 0};
}

static int add_id(struct stats_rows *rows, const char *id)
{
	struct stats_row *more = reallocarray(rows->v, rows->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	rows->v = more;
	more[rows->n] = (struct stats_row){.id = strdup(id)};
	if (!more[rows->n].id)
		return -ENOMEM;
	rows->n++;
	return 0;
}

static int add_running(void *data, const struct oakum_state *s)
{
	enum oakum_status status = oakum_state_status(s);

	if (status != OAKUM_RUNNING && status != OAKUM_PAUSED)
		return 0;
	return add_id(data, oakum_state_id(s));
}

static bool has_id(const struct stats_rows *rows, const char *id)
{
	for (size_t i = 0; i < rows->n; i++)
		if (str_eq(rows->v[i].id, id))
			return true;
	return false;
}

/* The ids, without pictures; one that is named twice stands once. */
static int choose(const struct command_context *c, struct stats_rows *rows)
{
	int r = 0;

	if (!c->n_args)
		r = oakum_list(c->oakum, add_running, NULL, rows);
	for (int i = 0; i < c->n_args && r == 0; i++)
		if (!has_id(rows, c->args[i]))
			r = add_id(rows, c->args[i]);
	if (r == 0)
		return 0;
	return oakum_error_count(c->oakum) ? cli_fail(c)
					   : cli_error(c, OAKUM_E_RUNTIME, -r, "list containers");
}

/* The last picture of @old's row for @id is handed over. */
static struct oakum_stats *find_last(struct stats_rows *old, const char *id)
{
	struct oakum_stats *last;

	for (size_t i = 0; i < old->n; i++)
		if (str_eq(old->v[i].id, id)) {
			last = old->v[i].now;
			old->v[i].now = NULL;
			return last;
		}
	return NULL;
}

/* Has it ended, or nothing to be counted, so that it is left out? */
static bool is_left_out(const struct command_context *c, bool first)
{
	enum oakum_error_kind kind = oakum_error_kind(c->oakum);

	if (c->n_args)
		return !first && kind == OAKUM_E_STATE;
	return kind == OAKUM_E_STATE || kind == OAKUM_E_UNSUPPORTED;
}

int stats_rows_take(const struct command_context *c, struct stats_rows *rows, bool first)
{
	struct stats_rows fresh = {.n = 0};
	int status = choose(c, &fresh);
	size_t kept = 0;

	for (size_t i = 0; i < fresh.n; i++) {
		struct stats_row *row = &fresh.v[i];

		if (status == 0 && oakum_stats(c->oakum, row->id, &row->now) < 0 &&
		    !is_left_out(c, first))
			status = cli_fail(c);
		if (!row->now) {
			row_done(row);
			continue;
		}
		row->before = find_last(rows, row->id);
		fresh.v[kept++] = *row;
	}
	fresh.n = kept;
	stats_rows_done(rows);
	*rows = fresh;
	return status;
}

bool stats_row_cpu(const struct stats_row *row, uint64_t *ret)
{
	uint64_t from = 0, to = 0, used_before = 0, used = 0;

	if (!row->before)
		return false;
	(void)oakum_stats_value(row->before, OAKUM_STAT_TIME_NS, &from);
	(void)oakum_stats_value(row->now, OAKUM_STAT_TIME_NS, &to);
	(void)oakum_stats_value(row->before, OAKUM_STAT_CPU_NS, &used_before);
	(void)oakum_stats_value(row->now, OAKUM_STAT_CPU_NS, &used);
	/* Less than before: another container of that name. */
	if (to <= from || used < used_before)
		return false;
	/* The time between is as long as somebody has stopped us: the product may be too large. */
	*ret = (uint64_t)((double)(used - used_before) * 10000 / (double)(to - from));
	return true;
}
