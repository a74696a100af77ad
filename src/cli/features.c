/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum features: what this build can do, as JSON. */
#include <stdlib.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/command.h"

static int run(struct command_context *c)
{
	AUTO_FREE char *text = NULL;
	int status;

	if (oakum_features(c->oakum, &text) < 0)
		return cli_fail(c);
	status = cli_output(c, text, strlen(text));
	return status ? status : cli_output(c, "\n", 1);
}

const struct command command_features = {
	.name = "features",
	.usage = "",
	.summary = "print what this build can do",
	.description = "Print the features document of the runtime specification, as JSON.",
	.run = run,
};
