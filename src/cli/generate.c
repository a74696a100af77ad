/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum __generate: what the build installs besides the program. */
#include "cli/generate.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/options.h"

enum generate_kind generate_kind_of(const struct option_def *d)
{
	if (!d->metavar)
		return GENERATE_NONE;
	if (str_eq(d->metavar, "DIR"))
		return GENERATE_DIRECTORY;
	if (str_eq(d->metavar, "FILE") || str_eq(d->metavar, "SOCKET"))
		return GENERATE_FILE;
	return GENERATE_NONE;
}

bool generate_takes_id(const struct command *k)
{
	bool makes = str_eq(k->name, "create") || str_eq(k->name, "run") || str_eq(k->name, "up");

	return (str_starts(k->usage, "ID") || str_starts(k->usage, "[ID")) && !makes;
}

static void put_flags(FILE *f, const char *command, const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->name; d++) {
		fprintf(f, "%s --%s", command, d->name);
		if (d->letter)
			fprintf(f, " -%c", d->letter);
		fprintf(f, "%s\n", d->flags & OPTION_HIDDEN ? " (hidden)" : "");
	}
}

/* Every flag of every command, for the table of docs/compat.md. */
static void generate_flags(FILE *f)
{
	put_flags(f, "*", command_globals);
	for (const struct command *const *t = command_table; *t; t++)
		if (!((*t)->flags & COMMAND_HIDDEN))
			put_flags(f, (*t)->name, (*t)->options);
}

static bool generate(FILE *f, const char *what, const struct command *k)
{
	if (str_eq(what, "flags"))
		generate_flags(f);
	else if (str_eq(what, "man"))
		generate_man(f, k);
	else if (str_eq(what, "bash"))
		generate_bash(f);
	else if (str_eq(what, "zsh"))
		generate_zsh(f);
	else if (str_eq(what, "fish"))
		generate_fish(f);
	else
		return false;
	return true;
}

static int run(struct command_context *c)
{
	const struct command *k = c->n_args > 1 ? options_find_command(c->args[1]) : NULL;
	AUTO_FREE char *text = NULL;
	size_t size = 0;
	bool known;
	FILE *f;

	if (c->n_args > 1 && !k)
		return cli_error(c, OAKUM_E_USAGE, 0, "unknown command '%s'", c->args[1]);
	f = open_memstream(&text, &size);
	if (!f)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "write it");
	known = generate(f, c->args[0], k);
	if (fclose(f) != 0)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "write it");
	if (!known)
		return cli_error(c, OAKUM_E_USAGE, 0, "'%s' is none of: man bash zsh fish flags",
				 c->args[0]);
	return cli_output(c, text, size);
}

const struct command command_generate = {
	.name = "__generate",
	.usage = "man|bash|zsh|fish|flags [COMMAND]",
	.summary = "write the manual, a completion or the list of flags",
	.run = run,
	.min_args = 1,
	.max_args = 2,
	.flags = COMMAND_NO_HANDLE | COMMAND_HIDDEN,
};
