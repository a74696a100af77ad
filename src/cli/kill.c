/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum kill: send a signal to a container. */
#include <signal.h>

#include "cli/command.h"
#include "cli/match.h"

static int kill_one(struct command_context *c, const char *id, void *data)
{
	const int *sig = data;

	return oakum_kill(c->oakum, id, *sig, opt_bool(c, "all")) < 0 ? cli_fail(c) : 0;
}

static int run(struct command_context *c)
{
	int sig = c->n_args > 1 ? oakum_signal_parse(c->args[1]) : SIGTERM;

	if (sig < 0)
		return cli_error(c, OAKUM_E_USAGE, 0, "unknown signal '%s'", c->args[1]);
	if (opt_bool(c, "regex"))
		return match_each(c, c->args[0], kill_one, &sig);
	return kill_one(c, c->args[0], &sig);
}

static const struct option_def options[] = {
	{"all", 'a', NULL, "send it to every process of the container", 0, NULL},
	{"regex", 'r', NULL, "ID is a regular expression: signal every container that matches", 0,
	 NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_kill = {
	.name = "kill",
	.usage = "ID [SIGNAL]",
	.summary = "send a signal to a container",
	.description =
		"Send SIGNAL (a name with or without SIG, or a number; default: TERM) to the "
		"first process of the container. A process that has ended is never mistaken "
		"for another one with the same pid. KILL also ends a paused container.",
	.examples = "oakum kill web KILL",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 2,
};
