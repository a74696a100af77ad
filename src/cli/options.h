/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line as a list of values, by the tables of command.h. Private to src/cli. */
#ifndef OAKUM_CLI_OPTIONS_H
#define OAKUM_CLI_OPTIONS_H

#include "cli/command.h"

struct err;

/*
 * Fill @c from the words of main(). 0, or < 0 with @err (ERR_USAGE or ERR_UNSUPPORTED); what was
 * understood before the error is in @c, so that the error can go to the log that was asked for.
 * The strings of @c are argv's; options_done() frees the lists.
 */
int options_parse(struct command_context *c, int argc, char **argv, struct err *err);
void options_done(struct command_context *c);

/* Has @c as many words as its command wants? 0, or < 0 with @err. */
int options_check_words(const struct command_context *c, struct err *err);

/* The value of the last global --@name, or NULL. */
const char *options_global(const struct command_context *c, const char *name);

/* The command called @name, or NULL. */
const struct command *options_find_command(const char *name);

#endif
