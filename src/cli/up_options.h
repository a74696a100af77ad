/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the command line of `up` to what the supervisor is to do. */
#ifndef OAKUM_CLI_UP_OPTIONS_H
#define OAKUM_CLI_UP_OPTIONS_H

#include <stddef.h>

struct command_context;
struct supervise_options;

/*
 * Fill @o, whose ->id is set. @root holds the state root's absolute path as long as @o is used;
 * ->config_text is then the caller's (free(3)). 0, or an exit status after the error has been
 * printed.
 */
int up_options(struct command_context *c, struct supervise_options *o, char *root, size_t size);

#endif
