/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wait: until a container has ended. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/outcome.h"
#include "supervise/ended.h"

static const struct option_def options[] = {
	{"exit", 0, NULL, "exit with the container's status", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

static int run(struct command_context *c)
{
	struct exit_record end = {.known = false};
	struct err err = ERR_INIT;
	char text[32];
	int r = ended_wait(c->oakum, c->args[0], &end, &err);
	int status = exit_shell_status(end.status, end.signal);

	if (r == ENDED_LIBRARY)
		return cli_fail(c);
	if (r < 0)
		return outcome_error(c, &err);
	if (end.known)
		snprintf(text, sizeof(text), "%d\n", status);
	else
		snprintf(text, sizeof(text), "unknown\n");
	r = cli_output(c, text, strlen(text));
	if (r || !end.known)
		return r ? r : OAKUM_E_RUNTIME;
	return opt_bool(c, "exit") ? status : 0;
}

const struct command command_wait = {
	.name = "wait",
	.usage = "ID",
	.summary = "wait for a container's end and print its exit status",
	.description = "Prints the status, or 128 + N when signal N killed it, and exits with 0. "
		       "When nobody saw the "
		       "status (the supervisor was killed, or there is none and the kernel is "
		       "older than 6.15) it "
		       "prints \"unknown\" and exits with 1.",
	.examples = "oakum wait job",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
