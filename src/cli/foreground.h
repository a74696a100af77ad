/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run and restore in the foreground: the command stays with its container to the end. Private to
 * src/cli. */
#ifndef OAKUM_CLI_FOREGROUND_H
#define OAKUM_CLI_FOREGROUND_H

#include "cli/command.h"
#include "cli/terminal_relay.h"

/* Delete it. @status is what the command ends with; a failure to delete is said, and changes only a
 * 0. */
int foreground_clear_up(struct command_context *c, bool force, int status);

/* Until the process has ended: the exit status. @failed: the answer of relay_attach(). Without
 * --keep the container is deleted. Ends the relay. */
int foreground_stay(struct command_context *c, struct relay *relay, const struct oakum_process *p,
		    int failed);

#endif
