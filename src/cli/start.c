/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum start: let the process of a created container run. */
#include <stdlib.h>

#include "cli/command.h"

static int run(struct command_context *c)
{
	const struct oakum_start request =
		OAKUM_OPTIONS(oakum_start, .notify_socket = getenv("NOTIFY_SOCKET"));

	return oakum_start(c->oakum, c->args[0], &request) < 0 ? cli_fail(c) : 0;
}

const struct command command_start = {
	.name = "start",
	.usage = "ID",
	.summary = "start the process of a created container",
	.description =
		"Let a created container run. Returns when its program has been executed; "
		"if it cannot be, the exit status is 127 (not found) or 126 (not executable). "
		"With NOTIFY_SOCKET in the environment, here and at `oakum create`, it returns "
		"when "
		"the container has said READY=1 and the service manager knows it.",
	.examples = "oakum start web",
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
