/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum pause: stop every process of a container until `oakum resume`. */
#include "cli/command.h"

static int run(struct command_context *c)
{
	return oakum_pause(c->oakum, c->args[0], 0) < 0 ? cli_fail(c) : 0;
}

const struct command command_pause = {
	.name = "pause",
	.usage = "ID",
	.summary = "freeze all processes of a container",
	.description =
		"Freeze all processes of a container. Returns when the kernel says that they "
		"are frozen; if one of them cannot be, all are thawed again and it is named.",
	.examples = "oakum pause web",
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
