/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum state: the state of a container as JSON. */
#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "cli/command.h"

static int run(struct command_context *c)
{
	struct oakum_state *s = NULL;
	const char *json;
	int status;

	if (oakum_state(c->oakum, c->args[0], &s) < 0)
		return cli_fail(c);
	json = oakum_state_json(s);
	status = json ? cli_output(c, json, strlen(json))
		      : cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "print the state");
	if (status == 0)
		status = cli_output(c, "\n", 1);
	oakum_state_free(s);
	return status;
}

const struct command command_state = {
	.name = "state",
	.usage = "ID",
	.summary = "print the state of a container",
	.description = "Print the state that the runtime specification defines, as JSON: creating, "
		       "created, running, paused or stopped, with the pid of the container's first "
		       "process (0 when it has stopped).",
	.examples = "oakum state web",
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
