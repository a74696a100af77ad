/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum stats: what containers use, as a table that is drawn again and again. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/follow.h"
#include "cli/stats_rows.h"

#define INTERVAL_MS 1000
#define FIRST_MS    500 /* at most, between the two pictures of the first table */
#define CLEAR	    "\033[2J"
#define HOME	    "\033[H"
#define CLEAR_LINE  "\033[2K"
#define TO_BOTTOM   "\033[J"

/* What fits on the terminal, over what was there. */
static void draw(FILE *f, const char *text, bool first)
{
	struct winsize size = {.ws_row = 0};
	int rows = INT_MAX, columns = INT_MAX;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 && size.ws_col > 0) {
		rows = size.ws_row - 1;
		columns = size.ws_col;
	}
	fputs(first ? CLEAR HOME : HOME, f);
	for (; *text && rows > 0; rows--) {
		int len = (int)strcspn(text, "\n");

		fprintf(f, CLEAR_LINE "%.*s\n", len < columns ? len : columns, text);
		text += len + (text[len] == '\n');
	}
	fputs(TO_BOTTOM, f);
}

static int render(const struct stats_rows *rows, bool json, char **ret, size_t *ret_size)
{
	FILE *f = open_memstream(ret, ret_size);
	int r = 0;

	if (!f)
		return -ENOMEM;
	if (json)
		stats_put_json(rows, f);
	else
		r = stats_put_table(rows, f);
	return fclose(f) != 0 ? -ENOMEM : r;
}

static int print(struct command_context *c, const struct stats_rows *rows, bool json, bool live,
		 bool first)
{
	AUTO_FREE char *text = NULL, *drawn = NULL;
	size_t size = 0, drawn_size = 0;
	FILE *f;

	if (render(rows, json, &text, &size) < 0)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "print statistics");
	if (!live)
		return cli_output(c, text, size);
	f = open_memstream(&drawn, &drawn_size);
	if (f)
		draw(f, text, first);
	if (!f || fclose(f) != 0)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "print statistics");
	return cli_output(c, drawn, drawn_size);
}

static int watch(struct command_context *c, struct stats_rows *rows, int timer, bool once)
{
	const char *format = opt_string(c, "format");
	bool json = format && str_eq(format, "json");
	bool live = !json && !once && isatty(STDOUT_FILENO);
	int status = stats_rows_take(c, rows, true);
	uint64_t times;

	for (bool first = true; status == 0; first = false) {
		if (!follow_wait(timer))
			return 0;
		(void)!read(timer, &times, sizeof(times));
		status = stats_rows_take(c, rows, false);
		/* All that were named have ended. */
		if (status == 0 && c->n_args && !rows->n && !once)
			return 0;
		if (status == 0)
			status = print(c, rows, json, live, first);
		if (once)
			break;
	}
	return status;
}

static int run(struct command_context *c)
{
	struct stats_rows rows = {.n = 0};
	AUTO_CLOSE int timer = -1;
	int64_t interval = INTERVAL_MS;
	int status = opt_ms(c, "interval", INT_MAX, &interval);

	if (status)
		return status;
	if (interval <= 0)
		return cli_error(c, OAKUM_E_USAGE, 0, "--interval: it must be greater than 0");
	timer = clock_timer((interval < FIRST_MS ? interval : FIRST_MS) * 1000, interval * 1000);
	if (timer < 0)
		return cli_error(c, OAKUM_E_RUNTIME, -timer, "make a timer");
	status = watch(c, &rows, timer, opt_bool(c, "no-stream"));
	stats_rows_done(&rows);
	return status;
}

static const struct option_def options[] = {
	{"format", 'f', "FORMAT", "form of the list", 0, "table json"},
	{"interval", 0, "TIME", "time between two tables (default: 1s)", 0, NULL},
	{"no-stream", 0, NULL, "print once and end", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_stats = {
	.name = "stats",
	.usage = "[ID...]",
	.summary = "show what containers use, live",
	.description = "Show CPU, memory, processes, network and block I/O of the containers "
		       "named, or of all "
		       "that run or are paused, until interrupted or until all that were named "
		       "have ended. On a "
		       "terminal the table is drawn over the last one; elsewhere one follows the "
		       "other.\n\n"
		       "100 % is one CPU. Memory is what is in use, without file pages that nobody "
		       "has used "
		       "lately; network is of the container's own network namespace. The last "
		       "column is the "
		       "part of the last ten seconds in which some process had to wait for CPU, "
		       "memory or I/O "
		       "(pressure). \"-\" is what nobody counts, and no limit.\n\n"
		       "JSON is an array on one line for each table; sizes are in bytes, and what "
		       "is not known is "
		       "null.",
	.examples = "oakum stats\noakum stats --no-stream --format json web | jq '.[0].memory'",
	.options = options,
	.run = run,
	.min_args = 0,
	.max_args = -1,
};
