/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manual pages and completions from the tables. Private to src/cli. */
#ifndef OAKUM_CLI_GENERATE_H
#define OAKUM_CLI_GENERATE_H

#include <stdio.h>

#include "cli/command.h"

/* oakum(1); or oakum-COMMAND(1) of @k. */
void generate_man(FILE *f, const struct command *k);
void generate_bash(FILE *f);
void generate_zsh(FILE *f);
void generate_fish(FILE *f);

/* Is it in --help, the manual and the completions? */
static inline bool generate_shows(const struct command *k)
{
	return !(k->flags & COMMAND_HIDDEN);
}

static inline bool generate_shows_option(const struct option_def *d)
{
	return !(d->flags & OPTION_HIDDEN);
}

/* What a value or a first word is completed with. */
enum generate_kind { GENERATE_NONE, GENERATE_FILE, GENERATE_DIRECTORY, GENERATE_ID };
enum generate_kind generate_kind_of(const struct option_def *d);
bool generate_takes_id(const struct command *k);

#endif
