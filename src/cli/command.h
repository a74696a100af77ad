/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command of oakum(1): a table of options, a function that does it, and what both see.
 *
 * --help, the man page and the completions are written from these tables. The engine (options.c)
 * parses before the handle is opened; a command that runs has a valid command line, its handle
 * and its log. Commands return the exit status of the program.
 */
#ifndef OAKUM_CLI_COMMAND_H
#define OAKUM_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "oakum.h"

enum option_flag {
	OPTION_REPEAT = 1, /* may be given several times: read with opt_list() */
	OPTION_OPTIONAL =
		2,	   /* the value may be left out ("--rootless"): "true" is then its value */
	OPTION_HIDDEN = 4, /* accepted, not shown */
};

/* The last of a table has a name of NULL. */
struct option_def {
	const char *name;    /* long name, without the dashes */
	char letter;	     /* short name, or 0 */
	const char *metavar; /* name of the value; NULL: a switch, read with opt_bool() */
	const char *help;    /* one phrase, lower case, no full stop */
	unsigned flags;	     /* enum option_flag */
	const char *
		choices; /* the only values, separated by blanks, or NULL: checked, and completed */
};

enum command_flag {
	COMMAND_PROTECT = 1,   /* a container process is made: oakum_protect() first */
	COMMAND_NO_HANDLE = 2, /* context.oakum is NULL */
	COMMAND_HIDDEN = 4,    /* not in --help */
	COMMAND_EXEC = 16,     /* own failures are 255 (but a missing program's), as with exec */
};

struct command_context;

struct command {
	const char *name;
	const char *usage;	 /* what follows the options: "ID [SIGNAL]" */
	const char *summary;	 /* one phrase, lower case, no full stop */
	const char *description; /* for the man page and --help: paragraphs, separated by an empty
				    line */
	const char *examples;	 /* one shell line each, for the man page; may be NULL */
	const struct option_def *options;      /* may be NULL */
	int (*run)(struct command_context *c); /* the exit status */
	int min_args, max_args;		       /* words besides options; max -1: any number */
	/* Options end behind this many words besides options: 2 for "ID COMMAND ARG…", 1 for "ID
	 * ARG…"; 0: nowhere but at "--". */
	int options_end;
	unsigned flags; /* enum command_flag */
};

/* One word "--name=value" as given. */
struct option_value {
	const struct option_def *def;
	const char *value; /* "true" or "false" for a switch */
};

enum cli_peer { CLI_OAKUM, CLI_RUNC, CLI_CRUN };

struct command_context {
	const struct command *command;
	const char *
		program; /* the last component of argv[0]: how messages and help name the program */
	enum cli_peer peer; /* whose command line and exit statuses it has */
	struct oakum *oakum;
	char **args; /* words besides options, NULL-terminated */
	int n_args;
	/* Private to options.c and main.c. */
	struct option_value *values;
	size_t n_values;
	bool log_file, log_json;
	bool understood; /* the words of the command line are right */
};

/* The value of the last --@name, or NULL if it was not given. Options of the command first, then
 * the global ones. */
const char *opt_string(const struct command_context *c, const char *name);
/* Is the switch --@name on? */
bool opt_bool(const struct command_context *c, const char *name);
/* All values of --@name in their order, NULL-terminated: freed with free(3), the strings are
 * argv's. NULL if there is none (or no memory). */
const char **opt_list(const struct command_context *c, const char *name);
/* Strict integer, @min…@max; size ("512m"); duration in ms ("1.5s"). 0 (*@ret is untouched if the
 * option was not given), or an exit status after the error has been printed. */
int opt_u64(const struct command_context *c, const char *name, uint64_t min, uint64_t max,
	    uint64_t *ret);
int opt_size(const struct command_context *c, const char *name, uint64_t max, uint64_t *ret);
int opt_ms(const struct command_context *c, const char *name, int64_t max_ms, int64_t *ret);

/* Is the pid that the environment variable names ours? It is told so that those who inherit the
 * environment know that it is not for them (sd_listen_fds(3)). */
enum cli_pid { CLI_PID_UNSAID, CLI_PID_OURS, CLI_PID_OTHER };
enum cli_pid cli_whose_pid(const char *variable);

/* The value of LISTEN_FDS where LISTEN_PID is ours or not set (sd_listen_fds(3)), else 0; of more
 * than there are, those up to the first that is not open. */
unsigned cli_listen_fds(void);

/* Print what went wrong in the last call on the handle, one line an error, to stderr and the log:
 * the exit status. */
int cli_fail(const struct command_context *c);
/* The same for a failure of the command itself. @code: a positive errno, or 0. */
int cli_error(const struct command_context *c, enum oakum_error_kind kind, int code,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The exit status of a failure of class @kind, without printing. */
int cli_status(const struct command_context *c, enum oakum_error_kind kind);
/* The same line for something that does not make the command fail: "oakum: warning: …". */
void cli_warn(const struct command_context *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Write all of it to stdout: 0, or the exit status after an error. */
int cli_output(const struct command_context *c, const char *text, size_t size);

/* Write the file @name, which must not exist, into the directory @bundle (NULL: the current one);
 * on failure nothing is there: 0, or the exit status after an error. */
int cli_write_new(const struct command_context *c, const char *bundle, const char *name,
		  mode_t mode, const char *text, size_t size);

/* What the global options say about the handle; the strings are argv's, the callbacks' data is @c.
 */
void cli_handle_options(struct command_context *c, struct oakum_options *ret);

/* All commands, in the order of --help; the last is NULL. Each stands in the file of its name. */
extern const struct command *const command_table[];
extern const struct option_def command_globals[];

extern const struct command command_help, command_generate;
extern const struct command command_create, command_start, command_state, command_kill,
	command_delete, command_run, command_exec, command_list, command_ps, command_pause,
	command_resume, command_update, command_mounts, command_checkpoint, command_restore,
	command_spec, command_features, command_plan, command_doctor, command_events;
extern const struct command command_up, command_down, command_attach, command_logs, command_wait,
	command_stats, command_generate_systemd;

#endif
