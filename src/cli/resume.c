/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum resume: undo `oakum pause`. */
#include "cli/command.h"

static int run(struct command_context *c)
{
	return oakum_resume(c->oakum, c->args[0], 0) < 0 ? cli_fail(c) : 0;
}

const struct command command_resume = {
	.name = "resume",
	.usage = "ID",
	.summary = "thaw all processes of a paused container",
	.description = "Thaw a paused container. Returns when its processes run again.",
	.examples = "oakum resume web",
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
