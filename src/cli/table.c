/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of the program, in the order of --help. */
#include "cli/command.h"

const struct option_def command_globals[] = {
	{"root", 0, "DIR", "state root (default: /run/oakum, or $XDG_RUNTIME_DIR/oakum)", 0, NULL},
	{"log", 0, "FILE", "write errors and debug lines to FILE too", 0, NULL},
	{"log-format", 0, "FORMAT", "form of the log (default: text)", 0, "text json"},
	{"log-level", 0, "LEVEL", "least important level of the log (default: warning)", 0,
	 "error warning info debug"},
	{"debug", 0, NULL, "the same as --log-level debug", 0, NULL},
	{"cgroup-manager", 0, "MANAGER", "who makes cgroups (default: cgroupfs)", 0,
	 "cgroupfs systemd disabled"},
	{"systemd-cgroup", 0, NULL, "the same as --cgroup-manager systemd", 0, NULL},
	{"rootless", 0, "WHEN", "go on where rights over cgroups are missing", OPTION_OPTIONAL,
	 "auto true false"},
	{"strict", 0, NULL, "refuse what a configuration has and nobody knows", 0, NULL},
	{"criu", 0, "FILE", "accepted and not used", OPTION_HIDDEN, NULL},
	{"help", 'h', NULL, "print this help, or that of a command", 0, NULL},
	{"version", 'v', NULL, "print the version", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

/* clang-format off */
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
	&command_update,
	&command_mounts,
	&command_checkpoint,
	&command_restore,
	&command_events,
	&command_spec,
	&command_features,
	&command_plan,
	&command_doctor,
	&command_up,
	&command_down,
	&command_attach,
	&command_logs,
	&command_wait,
	&command_stats,
	&command_generate_systemd,
	&command_help,
	&command_generate,
	NULL,
};
/* clang-format on */
