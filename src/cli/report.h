/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where messages go: stderr for the person, the log for the engine. For src/ only. */
#ifndef OAKUM_CLI_REPORT_H
#define OAKUM_CLI_REPORT_H

#include "cli/command.h"

struct err;

/* Set the log up as --log, --log-format, --log-level and --debug say. 0, or < 0 with @err: messages
 * then go to stderr. */
int report_open(struct command_context *c, struct err *err);

/* Print @err and give its exit status. */
int report_err(const struct command_context *c, const struct err *err);

/* struct oakum_options.debug and .warn; @data is the context. */
void report_debug(void *data, const char *line);
void report_warn(void *data, const char *line);

#endif
