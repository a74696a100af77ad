/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the supervisor's commands have in common in what they say and return. */
#ifndef OAKUM_CLI_OUTCOME_H
#define OAKUM_CLI_OUTCOME_H

#include "cli/command.h"

struct err;
struct attach_result;

/* Print @err: the exit status. */
int outcome_error(const struct command_context *c, const struct err *err);

/* The exit status after an attachment to @id has ended, with the words that go with it. */
int outcome_attach(const struct command_context *c, const char *id,
		   const struct attach_result *result);

#endif
