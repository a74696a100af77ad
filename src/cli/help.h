/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --help and --version, in the words of the program that oakum was called as. Private to src/cli.
 */
#ifndef OAKUM_CLI_HELP_H
#define OAKUM_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* Print the help of @k, or of the program (NULL). The exit status. */
int help_print(struct command_context *c, const struct command *k);
int help_version(struct command_context *c);

/* "-b, --bundle=DIR" into @buf. */
void help_option_words(const struct option_def *d, char *buf, size_t size);
/* @text with an indentation of @indent in lines of at most 80 columns; the first begins at @column.
 */
void help_wrap(FILE *f, const char *text, int column, int indent);

#endif
