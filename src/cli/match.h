/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands for all containers whose id matches a regular expression, as crun has them. */
#ifndef OAKUM_CLI_MATCH_H
#define OAKUM_CLI_MATCH_H

#include "cli/command.h"

/*
 * Call @each for every container whose id matches the extended regular expression @pattern
 * (regex(7)), sorted. All of them are tried; the exit status is 0, or that of the first failure.
 */
int match_each(struct command_context *c, const char *pattern,
	       int (*each)(struct command_context *c, const char *id, void *data), void *data);

#endif
