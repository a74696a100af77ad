/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum delete: take away what is left of a container. */
#include "cli/command.h"
#include "cli/match.h"

#define WAIT_MAX_MS (24 * 3600 * INT64_C(1000))

static int delete_one(struct command_context *c, const char *id, void *data)
{
	return oakum_delete(c->oakum, id, data) < 0 ? cli_fail(c) : 0;
}

static int run(struct command_context *c)
{
	struct oakum_delete request = OAKUM_OPTIONS(oakum_delete, .force = opt_bool(c, "force"));
	int status = opt_ms(c, "wait", WAIT_MAX_MS, &request.wait_ms);

	if (status)
		return status;
	if (request.wait_ms == 0 && opt_string(c, "wait"))
		request.wait_ms = -1;
	if (opt_bool(c, "regex"))
		return match_each(c, c->args[0], delete_one, &request);
	return delete_one(c, c->args[0], &request);
}

static const struct option_def options[] = {
	{"force", 'f', NULL, "kill it first; an unknown ID is no error", 0, NULL},
	{"wait", 0, "DURATION", "how long to wait for dying processes (default: 10s; 0: not)", 0,
	 NULL},
	{"regex", 'r', NULL, "ID is a regular expression: delete every container that matches", 0,
	 NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_delete = {
	.name = "delete",
	.usage = "ID",
	.summary = "delete a container",
	.description = "Take away a container that has stopped or was never started: its cgroups, "
		       "its state, "
		       "its log. A process that is just dying is waited for; if it does not go, "
		       "each process "
		       "that is left is named. With --force a running container is killed, and "
		       "what a killed "
		       "`oakum create` has left is cleared up.",
	.examples = "oakum delete web\noakum delete --force --wait=30s web\noakum delete --force "
		    "--regex '^test-'",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
