/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum mounts: what is mounted in a container that lives. */
#include "base/str.h"
#include "cli/command.h"

static int run(struct command_context *c)
{
	struct oakum_mounts mounts = OAKUM_OPTIONS(oakum_mounts, .file = c->args[2]);

	mounts.remove = str_eq(c->args[0], "remove");
	if (!mounts.remove && !str_eq(c->args[0], "add"))
		return cli_error(c, OAKUM_E_USAGE, 0, "'%s': expected add or remove", c->args[0]);
	return oakum_mounts(c->oakum, c->args[1], &mounts) < 0 ? cli_fail(c) : 0;
}

const struct command command_mounts = {
	.name = "mounts",
	.usage = "[add|remove] CONTAINER FILE",
	.summary = "change the mounts of a container that lives",
	.description =
		"Add the mounts of FILE (- is standard input) to a container that is created, "
		"running or paused, or take away what is mounted at their destinations. FILE is an "
		"array like \"mounts\" of config.json, of bind mounts and tmpfs. Relative sources "
		"are relative to the bundle, missing destinations are made. When one mount cannot "
		"be added, none is.\n\nThe configuration stays as it was: who restores the "
		"container from a checkpoint has to write them into the bundle.",
	.examples = "echo '[{\"destination\": \"/data\", \"source\": \"/srv/data\", \"options\": "
		    "[\"bind\", \"ro\"]}]' | oakum mounts add web -",
	.run = run,
	.min_args = 3,
	.max_args = 3,
};
