/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum create: a container whose process waits for `oakum start`. */
#include "base/fd.h"
#include "cli/command.h"
#include "cli/container_options.h"

static int run(struct command_context *c)
{
	struct oakum_process p = OAKUM_PROCESS_INIT;
	struct oakum_create request;
	int status = container_request(c, &request);

	if (status)
		return status;
	request.detached = true;
	if (oakum_create(c->oakum, c->args[0], &request, &p) < 0)
		return cli_fail(c);
	fd_close(p.pidfd);
	fd_close(p.terminal);
	return 0;
}

static const struct option_def options[] = {
	CONTAINER_OPTIONS,
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_create = {
	.name = "create",
	.usage = "ID",
	.summary = "create a container",
	.description =
		"Make a container from a bundle: a directory with a config.json and a root "
		"filesystem. "
		"Its process is there when the command returns, and waits for `oakum start`. Its "
		"standard input, output and error are those of the command, unless the "
		"configuration asks for a terminal: then --console-socket says who gets its master."
		"\n\n"
		"A bad configuration is refused before anything has been made. On failure nothing "
		"is "
		"left.",
	.examples = "oakum create --bundle /srv/web web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
	.flags = COMMAND_PROTECT,
};
