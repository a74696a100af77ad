/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum ps: the processes of a container, as the host's ps(1) or as a list of pids. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/ps_table.h"

static void put_json(FILE *f, const struct ps_pids *pids)
{
	fputc('[', f);
	for (size_t i = 0; i < pids->n; i++)
		fprintf(f, "%s%d", i ? "," : "", pids->v[i]);
	fputs("]\n", f);
}

static int run(struct command_context *c)
{
	const char *format = opt_string(c, "format");
	bool json = format && str_eq(format, "json");
	AUTO_FREE char *text = NULL;
	AUTO_FREE pid_t *v = NULL;
	size_t size = 0, n = 0;
	int status = 0;
	FILE *out;

	if (oakum_pids(c->oakum, c->args[0], &v, &n) < 0)
		return cli_fail(c);
	out = open_memstream(&text, &size);
	if (!out)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "list processes");
	if (json)
		put_json(out, &(struct ps_pids){v, n});
	else
		status = ps_table(c, &(struct ps_pids){v, n}, out);
	if (fclose(out) != 0 && status == 0)
		status = cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "list processes");
	return status ? status : cli_output(c, text, size);
}

static const struct option_def options[] = {
	{"format", 'f', "FORMAT", "form of the list", 0, "table json"},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_ps = {
	.name = "ps",
	.usage = "ID [PS-OPTION...]",
	.summary = "show the processes of a container",
	.description = "Run ps(1) of the host and print those of its lines that belong to the "
		       "container. What "
		       "follows ID (and -- there) is given to ps(1) (default: -ef); its output "
		       "must have a column "
		       "PID. With "
		       "--format json, print the pids as an array; ps(1) is not needed then. Pids "
		       "are those "
		       "of the host.",
	.examples = "oakum ps web\noakum ps web -e -o pid,rss,args\noakum ps --format json web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = -1,
	.options_end = 1,
};
