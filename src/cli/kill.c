/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum kill: send a signal to a container. */
#include <signal.h>

#include "cli/command.h"

static int run(struct command_context *c)
{
	int sig = c->n_args > 1 ? oakum_signal_parse(c->args[1]) : SIGTERM;

	if (sig < 0)
		return cli_error(c, OAKUM_E_USAGE, 0, "unknown signal '%s'", c->args[1]);
	return oakum_kill(c->oakum, c->args[0], sig, opt_bool(c, "all")) < 0 ? cli_fail(c) : 0;
}

static const struct option_def options[] = {
	{"all", 'a', NULL, "send it to every process of the container", 0, NULL},
	{"regex", 'r', NULL, "ID is a regular expression", OPTION_ABSENT, NULL},
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
