/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum restore: let a container go on that `oakum checkpoint` has saved. */
#include "base/fd.h"
#include "cli/command.h"
#include "cli/criu_options.h"
#include "cli/foreground.h"
#include "cli/terminal_relay.h"

static void fill(const struct command_context *c, struct oakum_criu *criu,
		 struct oakum_create *create)
{
	bool detached = opt_bool(c, "detach");

	criu_options(c, criu);
	criu->tcp_close = opt_bool(c, "tcp-close");
	criu->lsm_profile = opt_string(c, "lsm-profile");
	criu->lsm_mount_context = opt_string(c, "lsm-mount-context");
	*create = OAKUM_CREATE(.bundle = opt_string(c, "bundle"),
			       .console_socket = opt_string(c, "console-socket"),
			       .pid_file = opt_string(c, "pid-file"));
	create->no_pivot = opt_bool(c, "no-pivot");
	create->detached = detached;
	create->keep_terminal = !detached && !create->console_socket;
}

static int run(struct command_context *c)
{
	struct oakum_process p = OAKUM_PROCESS_INIT;
	struct oakum_create create;
	struct oakum_criu criu;
	struct relay relay;
	int status = 0, r;

	fill(c, &criu, &create);
	r = create.detached ? 0 : relay_begin(&relay);
	if (r < 0)
		return cli_error(c, OAKUM_E_RUNTIME, -r, "take signals");
	if (oakum_restore(c->oakum, c->args[0], &criu, &create, &p) < 0) {
		if (!create.detached)
			relay_end(&relay);
		return cli_fail(c);
	}
	if (!create.detached) {
		r = relay_attach(&relay, &p);
		status = foreground_stay(c, &relay, &p, r);
	}
	fd_close(p.pidfd);
	fd_close(p.terminal);
	return status;
}

static const struct option_def options[] = {
	CRIU_OPTIONS,
	{"bundle", 'b', "DIR",
	 "directory of config.json and root filesystem (default: the current one)", 0, NULL},
	{"console-socket", 0, "SOCKET", "unix socket that receives the master of the terminal", 0,
	 NULL},
	{"pid-file", 0, "FILE", "write the pid to FILE", 0, NULL},
	{"detach", 'd', NULL, "return when the container runs", 0, NULL},
	{"no-pivot", 0, NULL, "accepted: criu changes the root in its own way", 0, NULL},
	{"no-subreaper", 0, NULL, "accepted: no subreaper is made", 0, NULL},
	{"tcp-close", 0, NULL, "restore TCP connections as closed ones", 0, NULL},
	{"lsm-profile", 0, "TYPE:NAME", "security label instead of the one that was saved", 0,
	 NULL},
	{"lsm-mount-context", 0, "CONTEXT", "SELinux label of mounts instead of those saved", 0,
	 NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_restore = {
	.name = "restore",
	.usage = "ID",
	.summary = "run a saved container",
	.description = "Let a container go on that `oakum checkpoint` has saved: from its images, "
		       "and from a bundle, which says where its mounts come from now. In the "
		       "foreground the command stays with it and deletes it at its end, as `oakum "
		       "run` does. It may be restored under another id.",
	.examples = "oakum restore -d --bundle /srv/web --image-path /var/lib/saved/web web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
