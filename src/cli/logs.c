/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* logs: what a supervised container wrote. */
#include "supervise/logs.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/report.h"

static const struct option_def options[] = {
	{"follow", 'f', NULL, "go on until the container ends", 0, NULL},
	{"timestamps", 't', NULL, "put the time before each line", 0, NULL},
	{"since", 0, "TIME", "only what was written since: RFC 3339, or a duration such as 10m", 0,
	 NULL},
	{"tail", 'n', "N|all", "only the last N lines", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

static int run(struct command_context *c)
{
	const char *since = opt_string(c, "since"), *tail = opt_string(c, "tail");
	struct logs_options o = {.follow = opt_bool(c, "follow"),
				 .timestamps = opt_bool(c, "timestamps"),
				 .warn = report_warn,
				 .warn_data = c,
				 .tail = LOGS_ALL};
	AUTO_CLOSE int dir = -1, supervisor = -1;
	struct oakum_state *state;
	struct err err = ERR_INIT;
	pid_t pid;
	int fd;

	if (since && logs_parse_since(since, &o.since_ns) < 0)
		return cli_error(c, OAKUM_E_USAGE, 0,
				 "--since %s: want a time such as 2026-11-23T13:05:59Z, or 10m",
				 since);
	if (tail && !str_eq(tail, "all") && str_to_u64(tail, 0, LOGS_ALL - 1, &o.tail) < 0)
		return cli_error(c, OAKUM_E_USAGE, 0, "--tail %s: want a number of lines, or all",
				 tail);
	if (oakum_state(c->oakum, c->args[0], &state) < 0)
		return cli_fail(c);
	if (oakum_state_supervisor(state, &supervisor, &pid, &fd) != 0)
		supervisor = -1;
	oakum_state_free(state);
	if (oakum_directory(c->oakum, c->args[0], &dir) < 0)
		return cli_fail(c);
	o.dir = dir;
	o.supervisor = supervisor;
	return logs_show(&o, &err) < 0 ? outcome_error(c, &err) : 0;
}

const struct command command_logs = {
	.name = "logs",
	.usage = "ID",
	.summary = "show what a supervised container wrote",
	.description = "What the container wrote to its stdout goes to stdout, what it wrote to "
		       "its stderr to "
		       "stderr, byte for byte. Works while the container runs and after it has "
		       "ended, until it is "
		       "deleted. The default log keeps the last 1 to 2 MiB.",
	.examples = "oakum logs -f --tail 20 web\noakum logs --since 10m web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
