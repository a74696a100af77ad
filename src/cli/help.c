/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Help from the tables. Called as runc or crun, the form is theirs, since test suites and scripts
 * read the first lines of it.
 */
#include "cli/help.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/options.h"

#define WIDTH	    80
#define HELP_COLUMN 30

void help_wrap(FILE *f, const char *text, int column, int indent)
{
	int start = column;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (column > start && column + 1 + (int)len > WIDTH) {
			fprintf(f, "\n%*s", indent, "");
			column = start = indent;
		}
		if (column > start) {
			fputc(' ', f);
			column++;
		}
		fwrite(text, 1, len, f);
		column += (int)len;
		text += len;
		if (text[0] == '\n' && text[1] == '\n') {
			fprintf(f, "\n\n%*s", indent, "");
			column = start = indent;
		}
		text += strspn(text, " \n");
	}
	fputc('\n', f);
}

void help_option_words(const struct option_def *d, char *buf, size_t size)
{
	struct strbuf b;

	strbuf_init(&b, buf, size);
	if (d->letter) {
		strbuf_addc(&b, '-');
		strbuf_addc(&b, d->letter);
		strbuf_add(&b, ", ");
	} else {
		strbuf_add(&b, "    ");
	}
	strbuf_add(&b, "--");
	strbuf_add(&b, d->name);
	if (d->metavar) {
		strbuf_add(&b, d->flags & OPTION_OPTIONAL ? "[=" : "=");
		strbuf_add(&b, d->metavar);
		strbuf_add(&b, d->flags & OPTION_OPTIONAL ? "]" : "");
	}
}

/* runc has the letter behind the name, and one word for every value. */
static void option_words(const struct command_context *c, const struct option_def *d, char *buf,
			 size_t size)
{
	const char *value = d->metavar ? " value" : "";

	if (c->peer != CLI_RUNC)
		help_option_words(d, buf, size);
	else if (d->letter)
		snprintf(buf, size, " --%s%s, -%c%s", d->name, value, d->letter, value);
	else
		snprintf(buf, size, " --%s%s", d->name, value);
}

static void put_options(FILE *f, const struct command_context *c, const struct option_def *table)
{
	char words[128], text[512];

	for (const struct option_def *d = table; d && d->name; d++) {
		int column;

		if (d->flags & OPTION_HIDDEN)
			continue;
		option_words(c, d, words, sizeof(words));
		column = fprintf(f, "  %s", words);
		if (column > HELP_COLUMN - 2) {
			fputc('\n', f);
			column = 0;
		}
		fprintf(f, "%*s", HELP_COLUMN - column, "");
		snprintf(text, sizeof(text), "%s%s%s%s%s", d->help, d->choices ? " (" : "",
			 d->choices ? d->choices : "", d->choices ? ")" : "",
			 d->flags & OPTION_REPEAT ? "; may be repeated" : "");
		help_wrap(f, text, HELP_COLUMN, HELP_COLUMN);
	}
}

/* One a line with each peer's marks, by which scripts and completions find them. */
static void put_commands(FILE *f, const struct command_context *c)
{
	static const char *const forms[] = {"  %-10s  ", "   %-10s  ", "\t%-11s - "};

	for (const struct command *const *t = command_table; *t; t++) {
		if ((*t)->flags & COMMAND_HIDDEN)
			continue;
		fprintf(f, forms[c->peer], (*t)->name);
		if (c->peer == CLI_OAKUM)
			help_wrap(f, (*t)->summary, 14, 14);
		else
			fprintf(f, "%s\n", (*t)->summary);
	}
}

/* The words of a command as runc ("<container-id>") or crun ("CONTAINER") writes them. */
static void put_usage(FILE *f, const struct command_context *c, const struct command *k)
{
	const char *usage = k->usage;
	bool id = str_starts(usage, "ID") && (usage[2] == ' ' || !usage[2]);

	if (id && c->peer != CLI_OAKUM) {
		fputs(c->peer == CLI_RUNC ? "<container-id>" : "CONTAINER", f);
		usage += 2;
	}
	if (c->peer == CLI_CRUN && str_starts(usage, " COMMAND"))
		usage = " cmd";
	fputs(usage, f);
}

static void put_command(FILE *f, const struct command_context *c, const struct command *k)
{
	if (c->peer == CLI_RUNC) {
		fprintf(f, "NAME:\n   %s %s - %s\n\nUSAGE:\n   %s %s [command options] ",
			c->program, k->name, k->summary, c->program, k->name);
		put_usage(f, c, k);
		fputs("\n\nDESCRIPTION:\n   ", f);
		help_wrap(f, k->description ? k->description : k->summary, 3, 3);
		fputs("\nOPTIONS:\n", f);
		put_options(f, c, k->options);
		return;
	}
	if (c->peer == CLI_CRUN)
		fprintf(f, "Usage: %s [OPTION...] %s ", c->program, k->name);
	else
		fprintf(f, "Usage: %s %s [OPTION]... ", c->program, k->name);
	put_usage(f, c, k);
	fputs("\n\n", f);
	help_wrap(f, k->description ? k->description : k->summary, 0, 0);
	fputs("\nOptions:\n", f);
	put_options(f, c, k->options);
	fputs("  -h, --help                  print this help\n", f);
}

static void put_program(FILE *f, const struct command_context *c)
{
	if (c->peer == CLI_RUNC)
		fprintf(f,
			"NAME:\n   runc - Open Container Initiative runtime\n\nUSAGE:\n   "
			"runc [global options] command [command options] [arguments...]\n\n"
			"VERSION:\n   %s\ncommit: %s\nspec: %s\n\nCOMMANDS:\n",
			oakum_version(), oakum_commit(), oakum_spec_version());
	else
		fprintf(f, "Usage: %s [OPTION...] COMMAND [OPTION...] [WORD...]\n\n%s:\n",
			c->program, c->peer == CLI_CRUN ? "COMMANDS" : "Commands");
	put_commands(f, c);
	fputs(c->peer == CLI_RUNC   ? "\nGLOBAL OPTIONS:\n"
	      : c->peer == CLI_CRUN ? "\n"
				    : "\nOptions before the command:\n",
	      f);
	put_options(f, c, command_globals);
	if (c->peer == CLI_OAKUM)
		fprintf(f, "\n`%s COMMAND --help` tells more of a command, oakum(1) of all.\n",
			c->program);
}

/* Made in memory, so that a reader who has gone away is one error and not many. */
int help_print(struct command_context *c, const struct command *k)
{
	AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "write the help");
	if (k)
		put_command(f, c, k);
	else
		put_program(f, c);
	if (fclose(f) != 0)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "write the help");
	return cli_output(c, text, size);
}

static int run_help(struct command_context *c)
{
	const struct command *k = NULL;

	if (c->n_args) {
		k = options_find_command(c->args[0]);
		if (!k)
			return cli_error(c, OAKUM_E_USAGE, 0, "unknown command '%s'", c->args[0]);
	}
	return help_print(c, k);
}

const struct command command_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "print the help of the program or of a command",
	.run = run_help,
	.max_args = 1,
	.flags = COMMAND_NO_HANDLE,
};
