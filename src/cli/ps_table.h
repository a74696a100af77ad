/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ps(1) of the host, filtered. Private to src/cli. */
#ifndef OAKUM_CLI_PS_TABLE_H
#define OAKUM_CLI_PS_TABLE_H

#include <stdio.h>

#include "cli/command.h"

struct ps_pids {
	const pid_t *v; /* sorted */
	size_t n;
};

/* The header and the lines of @pids, from ps(1) with the words behind the ID, to @out. 0, or the
 * exit status after an error. */
int ps_table(const struct command_context *c, const struct ps_pids *pids, FILE *out);

#endif
