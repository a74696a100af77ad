/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Completions for bash, zsh and fish: commands, options, their choices, and ids from `oakum list
 * -q`. */
#include <string.h>

#include "base/str.h"
#include "cli/generate.h"

/* @text inside single quotes of a shell. @special is escaped with a backslash besides. */
static void put_quoted(FILE *f, const char *text, const char *special)
{
	for (const char *p = text; *p; p++) {
		if (strchr(special, *p))
			fputc('\\', f);
		if (*p == '\'')
			fputs("'\\''", f);
		else
			fputc(*p, f);
	}
}

static void put_bash_options(FILE *f, const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->name; d++)
		if (generate_shows_option(d))
			fprintf(f, "--%s%s ", d->name, d->metavar ? "=" : "");
}

static void put_bash_values(FILE *f, const char *command, const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->name; d++) {
		enum generate_kind kind = generate_kind_of(d);

		if (!generate_shows_option(d) || !d->metavar)
			continue;
		fprintf(f, "\t%s,--%s", command, d->name);
		if (d->letter)
			fprintf(f, "|%s,-%c", command, d->letter);
		if (d->choices)
			fprintf(f, ") words='%s' ;;\n", d->choices);
		else if (kind == GENERATE_NONE)
			fputs(") return ;;\n", f);
		else
			fprintf(f, ") kind=%s ;;\n",
				kind == GENERATE_DIRECTORY ? "directory" : "file");
	}
}

static void put_bash_commands(FILE *f)
{
	for (const struct command *const *t = command_table; *t; t++) {
		if (!generate_shows(*t))
			continue;
		fprintf(f, "\t%s)\n\t\toptions='", (*t)->name);
		put_bash_options(f, (*t)->options);
		fprintf(f, "--help'\n\t\tids=%s\n\t\t;;\n", generate_takes_id(*t) ? "yes" : "");
	}
}

static void put_names(FILE *f)
{
	for (const struct command *const *t = command_table; *t; t++)
		if (generate_shows(*t))
			fprintf(f, "%s ", (*t)->name);
}

void generate_bash(FILE *f)
{
	fputs("# bash completion for oakum(1), written by the program from its option tables\n"
	      "_oakum()\n{\n"
	      "\tlocal cur prev words='' kind='' options='' ids='' command='' root=() i word\n"
	      "\tCOMPREPLY=()\n"
	      "\tcur=${COMP_WORDS[COMP_CWORD]}\n"
	      "\tprev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tif [[ $cur == = ]]; then\n\t\tcur=''\n"
	      "\telif [[ $prev == = ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tword=${COMP_WORDS[i]}\n"
	      "\t\tcase $word in\n",
	      f);
	for (const struct option_def *d = command_globals; d->name; d++)
		if (d->metavar && !(d->flags & OPTION_OPTIONAL) && generate_shows_option(d))
			fprintf(f, "%s--%s", d == command_globals ? "\t\t" : "|", d->name);
	fputs(")\n"
	      "\t\t\t[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
	      "\t\t\t((i++))\n"
	      "\t\t\t[[ $word == --root ]] && root=(--root \"${COMP_WORDS[i]}\")\n"
	      "\t\t\t;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*)\n\t\t\tcommand=$word\n\t\t\tbreak\n\t\t\t;;\n"
	      "\t\tesac\n\tdone\n"
	      "\tcase $command in\n\t'')\n\t\toptions='",
	      f);
	put_bash_options(f, command_globals);
	fputs("'\n\t\twords='", f);
	put_names(f);
	fputs("'\n\t\t;;\n", f);
	put_bash_commands(f);
	fputs("\tesac\n\tcase $command,$prev in\n", f);
	put_bash_values(f, "", command_globals);
	for (const struct command *const *t = command_table; *t; t++)
		if (generate_shows(*t))
			put_bash_values(f, (*t)->name, (*t)->options);
	fputs("\t*)\n"
	      "\t\t[[ $cur == -* ]] && words=$options\n"
	      "\t\t[[ $cur != -* && $ids ]] && words=$(oakum \"${root[@]}\" list -q 2>/dev/null)\n"
	      "\t\t;;\n\tesac\n"
	      "\tcase $kind in\n"
	      "\tfile) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
	      "\tdirectory) COMPREPLY=($(compgen -d -- \"$cur\")) ;;\n"
	      "\t*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
	      "\tesac\n"
	      "\t[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
	      "\treturn 0\n}\n"
	      "complete -o filenames -F _oakum oakum\n",
	      f);
}

/* '(-b --bundle)'{-b,--bundle}'=[help]:DIR:_files -/' */
static void put_zsh_option(FILE *f, const struct option_def *d)
{
	static const char *const actions[] = {"", "_files", "_files -/", ""};
	const char *star = d->flags & OPTION_REPEAT ? "*" : "";

	fputs(" \\\n\t\t\t", f);
	if (d->letter && !star[0])
		fprintf(f, "'(-%c --%s)'{-%c%s,--%s%s}'", d->letter, d->name, d->letter,
			d->metavar ? "+" : "", d->name, d->metavar ? "=" : "");
	else if (d->letter)
		fprintf(f, "'*'{-%c+,--%s=}'", d->letter, d->name);
	else
		fprintf(f, "'%s--%s%s", star, d->name,
			!d->metavar		     ? ""
			: d->flags & OPTION_OPTIONAL ? "=-"
						     : "=");
	fputc('[', f);
	put_quoted(f, d->help, "[]\\:");
	fputc(']', f);
	if (d->metavar) {
		fputs(d->flags & OPTION_OPTIONAL ? "::" : ":", f);
		put_quoted(f, d->metavar, "[]\\:");
		fputc(':', f);
		if (d->choices)
			fprintf(f, "(%s)", d->choices);
		else
			fputs(actions[generate_kind_of(d)], f);
	}
	fputc('\'', f);
}

static void put_zsh_options(FILE *f, const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->name; d++)
		if (generate_shows_option(d))
			put_zsh_option(f, d);
}

void generate_zsh(FILE *f)
{
	fputs("#compdef oakum\n"
	      "# zsh completion for oakum(1), written by the program from its option tables\n"
	      "_oakum_ids() {\n"
	      "\tlocal -a root ids\n"
	      "\t[[ -n ${opt_args[--root]} ]] && root=(--root ${opt_args[--root]})\n"
	      "\tids=(${(f)\"$(oakum $root list -q 2>/dev/null)\"})\n"
	      "\t_describe -t containers container ids\n}\n"
	      "_oakum_commands() {\n\tlocal -a commands=(\n",
	      f);
	for (const struct command *const *t = command_table; *t; t++) {
		if (!generate_shows(*t))
			continue;
		fprintf(f, "\t\t'%s:", (*t)->name);
		put_quoted(f, (*t)->summary, "\\:");
		fputs("'\n", f);
	}
	fputs("\t)\n\t_describe -t commands command commands\n}\n"
	      "_oakum() {\n\tlocal curcontext=$curcontext state line\n\ttypeset -A opt_args\n"
	      "\t_arguments -C",
	      f);
	put_zsh_options(f, command_globals);
	fputs(" \\\n\t\t\t'1:command:_oakum_commands' '*::word:->words'\n"
	      "\t[[ $state == words ]] || return\n\tcase $line[1] in\n",
	      f);
	for (const struct command *const *t = command_table; *t; t++) {
		if (!generate_shows(*t))
			continue;
		fprintf(f, "\t%s)\n\t\t_arguments -S", (*t)->name);
		put_zsh_options(f, (*t)->options);
		fprintf(f, " \\\n\t\t\t'(-h --help)'{-h,--help}'[print this help]'%s\n\t\t;;\n",
			generate_takes_id(*t) ? " '1:container:_oakum_ids' '*:word:_files'" : "");
	}
	fputs("\tesac\n}\n_oakum \"$@\"\n", f);
}

static void put_fish_options(FILE *f, const char *command, const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->name; d++) {
		enum generate_kind kind = generate_kind_of(d);

		if (!generate_shows_option(d))
			continue;
		if (command)
			fprintf(f, "complete -c oakum -n '__fish_seen_subcommand_from %s'",
				command);
		else
			fputs("complete -c oakum -n __fish_use_subcommand", f);
		if (d->letter)
			fprintf(f, " -s %c", d->letter);
		fprintf(f, " -l %s -d '", d->name);
		put_quoted(f, d->help, "");
		fputc('\'', f);
		if (d->choices)
			fprintf(f, " -x -a '%s'", d->choices);
		else if (kind == GENERATE_DIRECTORY)
			fputs(" -x -a '(__fish_complete_directories)'", f);
		else if (d->metavar)
			fputs(kind == GENERATE_FILE ? " -r -F" : " -x", f);
		fputc('\n', f);
	}
}

void generate_fish(FILE *f)
{
	fputs("# fish completion for oakum(1), written by the program from its option tables\n"
	      "complete -c oakum -f\n",
	      f);
	put_fish_options(f, NULL, command_globals);
	for (const struct command *const *t = command_table; *t; t++) {
		if (!generate_shows(*t))
			continue;
		fprintf(f, "complete -c oakum -n __fish_use_subcommand -a %s -d '", (*t)->name);
		put_quoted(f, (*t)->summary, "");
		fputs("'\n", f);
		put_fish_options(f, (*t)->name, (*t)->options);
		if (generate_takes_id(*t))
			fprintf(f,
				"complete -c oakum -n '__fish_seen_subcommand_from %s' -a "
				"'(oakum list -q 2>/dev/null)'\n",
				(*t)->name);
	}
}
