/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum spec: a config.json to start from. */
#include <stdlib.h>

#include "base/fd.h"
#include "cli/command.h"

static int run(struct command_context *c)
{
	const char *name = opt_string(c, "file"), *bundle = opt_string(c, "bundle");
	AUTO_FREE char *text = NULL;
	size_t size = 0;

	if (oakum_spec(c->oakum, opt_bool(c, "rootless"), &text, &size) < 0)
		return cli_fail(c);
	return cli_write_new(c, bundle, name ? name : "config.json", 0666, text, size);
}

static const struct option_def options[] = {
	{"bundle", 'b', "DIR", "where to write it (default: the current directory)", 0, NULL},
	{"file", 'f', "FILE", "name of the file, relative to DIR (default: config.json)", 0, NULL},
	{"rootless", 0, NULL, "for a user without privileges: a user namespace with one id", 0,
	 NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_spec = {
	.name = "spec",
	.usage = "",
	.summary = "write a config.json to start from",
	.description = "Write a configuration that runs sh in a root filesystem called rootfs. An "
		       "existing file is never overwritten.",
	.examples = "mkdir -p web/rootfs && oakum spec --bundle web",
	.options = options,
	.run = run,
};
