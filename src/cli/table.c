/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of the program: those that are here, then those of runc and crun that are not yet.
 */
#include "cli/command.h"

#define ABSENT(word, what)                                                                         \
	(&(const struct command){.name = (word),                                                   \
				 .usage = "",                                                      \
				 .summary = what " (not in this version)",                         \
				 .max_args = -1,                                                   \
				 .flags = COMMAND_ABSENT})

const struct command *const command_table[] = {
	&command_create,
	&command_start,
	&command_state,
	&command_kill,
	&command_delete,
	&command_run,
	&command_exec,
	&command_list,
	&command_ps,
	&command_pause,
	&command_resume,
	&command_spec,
	&command_features,
	&command_up,
	&command_down,
	&command_attach,
	&command_logs,
	&command_wait,
	&command_help,
	&command_generate,
	ABSENT("update", "change the limits of a container"),
	ABSENT("events", "print statistics and events of a container"),
	ABSENT("stats", "print statistics of containers"),
	ABSENT("checkpoint", "save a running container"),
	ABSENT("restore", "run a saved container"),
	ABSENT("mounts", "change the mounts of a container"),
	ABSENT("plan", "print what create would do"),
	ABSENT("doctor", "check what the host offers"),
	NULL,
};
