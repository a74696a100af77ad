/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attach: this terminal to a supervised container. */
#include "supervise/attach.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/report.h"
#include "supervise/connect.h"

static const struct option_def options[] = {
	{"no-stdin", 0, NULL, "pass no input on", 0, NULL},
	{"sig-proxy", 0, "BOOL", "pass signals on (default: true); false: they end the attachment",
	 OPTION_OPTIONAL, "true false"},
	{"detach-keys", 0, "KEYS", "keys that detach from a terminal (default: ctrl-p,ctrl-q)", 0,
	 NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

static int attach(struct command_context *c, struct connection *connection,
		  struct attach_options *o)
{
	struct attach_result result;
	struct err err = ERR_INIT;
	uint32_t flags = 0;
	int r = connect_hello(connection, MESSAGE_WANTS_OUTPUT, &flags, &err);

	if (r == CONNECT_NONE)
		return cli_error(c, OAKUM_E_STATE, 0, "%s has just ended", c->args[0]);
	o->sock = connection->sock;
	o->terminal = flags & MESSAGE_HAS_TERMINAL;
	if (r == 0)
		r = attach_run(o, &result, &err);
	if (r < 0)
		return outcome_error(c, &err);
	connect_close(connection, result.end == ATTACH_EXITED);
	return outcome_attach(c, c->args[0], &result);
}

static int run(struct command_context *c)
{
	const char *keys = opt_string(c, "detach-keys"), *proxy = opt_string(c, "sig-proxy");
	struct attach_options o = {.input = !opt_bool(c, "no-stdin"),
				   .warn = report_warn,
				   .warn_data = c,
				   .signals = !proxy || !str_eq(proxy, "false")};
	struct connection connection = {.sock = -1, .pidfd = -1};
	struct oakum_state *state;
	struct err err = ERR_INIT;
	int r;

	if (keys_parse(keys ? keys : KEYS_DEFAULT, &o.keys) < 0)
		return cli_error(c, OAKUM_E_USAGE, 0,
				 "--detach-keys %s: want keys such as \"ctrl-p,ctrl-q\" or \"a\"",
				 keys);
	if (oakum_state(c->oakum, c->args[0], &state) < 0)
		return cli_fail(c);
	r = connect_open(state, &connection, &err);
	oakum_state_free(state);
	if (r < 0)
		return outcome_error(c, &err);
	if (r == CONNECT_NONE)
		return cli_error(
			c, OAKUM_E_STATE, 0,
			"%s has no supervisor: it was not made by `oakum up`, or has ended, or its "
			"supervisor was killed",
			c->args[0]);
	r = attach(c, &connection, &o);
	connect_close(&connection, false);
	return r;
}

const struct command command_attach = {
	.name = "attach",
	.usage = "ID",
	.summary = "connect stdin and the output to a supervised container",
	.description = "Shows what the container writes from now on and passes input and signals "
		       "on. Ends with "
		       "the container's exit status. Up to 32 clients may be attached. One that "
		       "does not read "
		       "as fast as the container writes never holds it up: it loses output, and is "
		       "told how many "
		       "bytes (the log has them).\n\n"
		       "End of input ends the container's stdin only if it was started in the "
		       "foreground; the "
		       "stdin of `up -d --interactive` stays open.",
	.examples = "oakum attach web\noakum attach --no-stdin --sig-proxy=false web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
