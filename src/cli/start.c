/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum start: let the process of a created container run. */
#include "cli/command.h"

static int run(struct command_context *c)
{
	return oakum_start(c->oakum, c->args[0]) < 0 ? cli_fail(c) : 0;
}

const struct command command_start = {
	.name = "start",
	.usage = "ID",
	.summary = "start the process of a created container",
	.description =
		"Let a created container run. Returns when its program has been executed; "
		"if it cannot be, the exit status is 127 (not found) or 126 (not executable).",
	.examples = "oakum start web",
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
