/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum doctor: what this host, or a bundle on it, cannot do. */
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/container_options.h"

static int run(struct command_context *c)
{
	const char *format = opt_string(c, "format"), *id = opt_string(c, "id");
	struct oakum_create bundle = OAKUM_CREATE();
	AUTO_FREE char *text = NULL;
	int status, r;

	bundle.bundle = c->n_args ? c->args[0] : opt_string(c, "bundle");
	bundle.config = opt_string(c, "config");
	bundle.no_pivot = opt_bool(c, "no-pivot");
	r = oakum_doctor(c->oakum, id ? id : "doctor",
			 bundle.bundle || bundle.config ? &bundle : NULL,
			 format && str_eq(format, "json"), &text);
	if (!text)
		return cli_fail(c);
	status = cli_output(c, text, strlen(text));
	return status || r >= 0 ? status : cli_status(c, oakum_error_kind(c->oakum));
}

static const struct option_def options[] = {
	{"bundle", 'b', "DIR", "the same as BUNDLE", 0, NULL},
	{"config", 'f', "FILE", "configuration instead of config.json in the bundle", 0, NULL},
	{"id", 0, "ID", "the container's name to be (default: doctor)", 0, NULL},
	{"format", 0, "FORMAT", "form of the output (default: text)", 0, "text json"},
	{"no-pivot", 0, NULL, "as for create", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_doctor = {
	.name = "doctor",
	.usage = "[BUNDLE]",
	.summary = "check what the host offers, and what a bundle needs of it",
	.description =
		"Say what this host has and lacks: the kernel's features, with the version that "
		"brings each, user namespaces, cgroup controllers and whose they are, subordinate "
		"ids, security modules, seccomp flags, tools, and the room in the state root. What "
		"is lacking is only a failure where no container can do without it."
		"\n\n"
		"With BUNDLE, also for what create or start of it would fail. The bundle is tried "
		"out as far as that changes nothing: a process goes through everything that the "
		"container's first process does, on a copy of the root that nobody else sees, and "
		"ends where the program would begin. Hooks are looked at and not run, a cgroup is "
		"not made."
		"\n\n"
		"The exit status is 0 where nothing fails, else that of create: 3 for a bad "
		"bundle, "
		"6 for what the host does not have or not allow, 1 for what is short, 126 and 127 "
		"for the program.",
	.examples = "oakum doctor\n"
		    "oakum doctor /srv/web\n"
		    "oakum doctor --format json /srv/web | jq -r '.areas[].findings[] | "
		    "select(.verdict == \"fails\").what'",
	.options = options,
	.run = run,
	.max_args = 1,
};
