/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * oakum run: create and start in one, as runc and crun have it: no supervisor. In the foreground
 * the command stays, passes signals and the terminal on, and deletes the container at its end.
 */
#include <stdlib.h>

#include "base/fd.h"
#include "cli/command.h"
#include "cli/container_options.h"
#include "cli/foreground.h"
#include "cli/terminal_relay.h"

static int start(struct command_context *c, struct relay *relay, const struct oakum_process *p,
		 bool detached)
{
	struct oakum_start request =
		OAKUM_OPTIONS(oakum_start, .notify_socket = getenv("NOTIFY_SOCKET"));
	int r = detached ? 0 : relay_attach(relay, p);
	int status = 0;

	/* Who stays passes on all of it, as long as the container lives. */
	if (!detached)
		request.ret_notify = &relay->notify;
	relay->notify_socket = request.notify_socket;
	relay->oakum = c->oakum;

	if (r < 0)
		status = cli_error(c, OAKUM_E_RUNTIME, -r, "join the terminals");
	else if (oakum_start(c->oakum, c->args[0], &request) < 0)
		status = cli_fail(c);
	if (status == 0)
		return detached ? 0 : foreground_stay(c, relay, p, 0);
	if (!detached)
		relay_end(relay);
	return foreground_clear_up(c, true, status);
}

static int run(struct command_context *c)
{
	struct oakum_process p = OAKUM_PROCESS_INIT;
	bool detached = opt_bool(c, "detach");
	struct oakum_create request;
	struct relay relay;
	int status = container_request(c, &request);
	int r;

	if (status)
		return status;
	r = detached ? 0 : relay_begin(&relay);
	if (r < 0)
		return cli_error(c, OAKUM_E_RUNTIME, -r, "take signals");
	request.detached = detached;
	request.keep_terminal = !detached && !request.console_socket;
	request.plain_terminal = request.keep_terminal && !relay_shows();
	if (oakum_create(c->oakum, c->args[0], &request, &p) < 0) {
		if (!detached)
			relay_end(&relay);
		return cli_fail(c);
	}
	status = start(c, &relay, &p, detached);
	fd_close(p.pidfd);
	fd_close(p.terminal);
	return status;
}

static const struct option_def options[] = {
	CONTAINER_OPTIONS,
	{"detach", 'd', NULL, "return when the container runs", 0, NULL},
	{"keep", 0, NULL, "do not delete the container when it has ended", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_run = {
	.name = "run",
	.usage = "ID",
	.summary = "create and start a container",
	.description =
		"Create and start a container from a bundle. In the foreground the command passes "
		"signals on, joins the terminals, ends with the container's exit status (128 + N "
		"when "
		"signal N ended it) and deletes the container. With --detach it returns when the "
		"container runs, which then has the standard input, output and error of the "
		"command; "
		"`oakum up` is the way to have a container supervised.",
	.examples = "oakum run --bundle /srv/web web\noakum run -d --console-socket=tty.sock web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
	.flags = COMMAND_PROTECT,
};
