/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum exec: one more process in a container. */
#include <stdlib.h>

#include "base/fd.h"
#include "cli/command.h"
#include "cli/container_options.h"
#include "cli/terminal_relay.h"

/* The process is there: stay with it. */
static int stay(struct command_context *c, struct relay *relay, const struct oakum_process *p)
{
	int status = 255, r = relay_attach(relay, p);

	if (r == 0)
		r = relay_wait(relay, p, &status);
	relay_end(relay);
	return r < 0 ? cli_error(c, OAKUM_E_RUNTIME, -r, "wait for the process") : status;
}

static int execute(struct command_context *c, const struct oakum_exec *request)
{
	struct oakum_process p = OAKUM_PROCESS_INIT;
	struct relay relay;
	int status = 0, r = request->detached ? 0 : relay_begin(&relay);

	if (r < 0)
		return cli_error(c, OAKUM_E_RUNTIME, -r, "take signals");
	if (oakum_exec(c->oakum, c->args[0], request, &p) < 0) {
		if (!request->detached)
			relay_end(&relay);
		return cli_fail(c);
	}
	if (!request->detached)
		status = stay(c, &relay, &p);
	fd_close(p.pidfd);
	fd_close(p.terminal);
	return status;
}

static void fill(const struct command_context *c, struct oakum_exec *x)
{
	x->process = opt_string(c, "process");
	x->args = x->process ? NULL : (const char *const *)c->args + 1;
	x->cwd = opt_string(c, "cwd");
	x->user = opt_string(c, "user");
	x->terminal = opt_bool(c, "tty");
	x->no_new_privileges = opt_bool(c, "no-new-privs");
	x->ignore_paused = opt_bool(c, "ignore-paused");
	x->detached = opt_bool(c, "detach");
	x->console_socket = opt_string(c, "console-socket");
	x->pid_file = opt_string(c, "pid-file");
	x->pidfd_socket = opt_string(c, "pidfd-socket");
	x->apparmor = opt_string(c, "apparmor");
	x->process_label = opt_string(c, "process-label");
	x->listen_fds = cli_listen_fds();
	x->keep_terminal = !x->detached && !x->console_socket;
	x->plain_terminal = x->keep_terminal && !relay_shows();
}

static int run(struct command_context *c)
{
	AUTO_FREE const char **env = opt_list(c, "env"), **groups = opt_list(c, "additional-gids"),
			     **caps = opt_list(c, "cap"), **cgroups = opt_list(c, "cgroup");
	struct oakum_exec x =
		OAKUM_EXEC(.env = env, .groups = groups, .caps = caps, .cgroups = cgroups);
	int status = container_preserve_fds(c, &x.preserve_fds);

	if (status)
		return status;
	fill(c, &x);
	if (x.process && c->n_args > 1)
		return cli_error(c, OAKUM_E_USAGE, 0, "both --process and a command");
	if (!x.process && c->n_args < 2)
		return cli_error(c, OAKUM_E_USAGE, 0, "no command and no --process");
	return execute(c, &x);
}

static const struct option_def options[] = {
	{"additional-gids", 'g', "GID", "additional group", OPTION_REPEAT, NULL},
	{"apparmor", 0, "PROFILE", "AppArmor profile", 0, NULL},
	{"cap", 'c', "CAP", "add a capability", OPTION_REPEAT, NULL},
	{"cgroup", 0, "[CONTROLLER,...:]PATH", "cgroup below the container's", OPTION_REPEAT, NULL},
	{"console-socket", 0, "SOCKET", "unix socket that receives the master of the terminal", 0,
	 NULL},
	{"cwd", 0, "DIR", "working directory in the container", 0, NULL},
	{"detach", 'd', NULL, "return when the process runs", 0, NULL},
	{"env", 'e', "NAME=VALUE", "add to the environment", OPTION_REPEAT, NULL},
	{"ignore-paused", 0, NULL, "wait until a paused container is resumed", 0, NULL},
	{"no-new-privs", 0, NULL, "no new privileges by execve(2)", 0, NULL},
	{"pid-file", 0, "FILE", "write the pid to FILE", 0, NULL},
	{"pidfd-socket", 0, "SOCKET", "unix socket that receives a pidfd of the process", 0, NULL},
	{"preserve-fds", 0, "N", "pass on N descriptors behind 0 to 2 and those of LISTEN_FDS", 0,
	 NULL},
	{"process", 'p', "FILE", "take all of it from a process.json", 0, NULL},
	{"process-label", 0, "LABEL", "SELinux label", 0, NULL},
	{"tty", 't', NULL, "give it a terminal", 0, NULL},
	{"user", 'u', "UID[:GID]", "user and group", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_exec = {
	.name = "exec",
	.usage = "ID COMMAND [ARG...]",
	.summary = "execute a command in a container",
	.description = "Execute COMMAND in a created or running container, with the rights and "
		       "limits of the "
		       "container and what the options change. All that follows COMMAND is its "
		       "own. In the "
		       "foreground signals are passed on, with --tty the terminals are joined, and "
		       "the exit "
		       "status is that of the command (128 + N when signal N ended it).\n\n"
		       "Failures of oakum itself end with 255; 127 is a command that does not "
		       "exist, 126 one "
		       "that cannot be executed.",
	.examples = "oakum exec web ps\noakum exec -t -u 1000:1000 -e LANG=C web sh -l",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = -1,
	.options_end = 2,
	.flags = COMMAND_PROTECT | COMMAND_EXEC,
};
