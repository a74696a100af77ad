/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum plan: what create would do with a bundle. */
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/container_options.h"

static int run(struct command_context *c)
{
	const char *id = opt_string(c, "id"), *format = opt_string(c, "format");
	struct oakum_create request = OAKUM_CREATE();
	AUTO_FREE char *text = NULL;
	int status = container_preserve_fds(c, &request.preserve_fds), failed;

	if (status)
		return status;
	request.bundle = c->n_args ? c->args[0] : opt_string(c, "bundle");
	request.config = opt_string(c, "config");
	request.no_pivot = opt_bool(c, "no-pivot");
	request.no_new_keyring = opt_bool(c, "no-new-keyring");
	request.listen_fds = cli_listen_fds();
	failed = oakum_plan(c->oakum, id, &request, format && str_eq(format, "json"), &text);
	if (text)
		status = cli_output(c, text, strlen(text));
	return failed < 0 ? cli_fail(c) : status;
}

static const struct option_def options[] = {
	{"bundle", 'b', "DIR", "the same as BUNDLE", 0, NULL},
	{"config", 'f', "FILE", "configuration instead of config.json in the bundle", 0, NULL},
	{"id", 0, "ID", "the container's name to be (default: ID)", 0, NULL},
	{"format", 0, "FORMAT", "form of the output (default: text)", 0, "text json"},
	{"no-pivot", 0, NULL, "as for create", 0, NULL},
	{"no-new-keyring", 0, NULL, "as for create", 0, NULL},
	{"preserve-fds", 0, "N", "as for create", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_plan = {
	.name = "plan",
	.usage = "[BUNDLE]",
	.summary = "print what create would do with a bundle",
	.description =
		"Print every step that create and start would make of the bundle (default: the "
		"current directory), in their order, and make none of them: namespaces and id "
		"mappings, the cgroup and each file written in it, mounts with their flags, "
		"devices, masks, sysctls, when which hook runs, what the process becomes."
		"\n\n"
		"It needs no privileges. What create would refuse is an error with the same exit "
		"status; where the configuration itself is good, the plan is printed all the same. "
		"With --format json it is one object, with the stages and the steps in each.",
	.examples = "oakum plan /srv/web\n"
		    "oakum plan --format json /srv/web | jq '.stages[] | select(.stage == "
		    "\"mounts\")'",
	.options = options,
	.run = run,
	.max_args = 1,
};
