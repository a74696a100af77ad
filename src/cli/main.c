/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum(1): from the words of the command line to one command with its handle and its log. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/report.h"

/* A descriptor 0…2 that is closed would be taken by the next socket, and the container would get
 * that. */
static void fill_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", O_RDWR | O_NOCTTY) < 0)
			return;
}

static void name_program(struct command_context *c, const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

	c->program = slash ? slash + 1 : argv0 && argv0[0] ? argv0 : "oakum";
	if (str_eq(c->program, "runc"))
		c->peer = CLI_RUNC;
	else if (str_eq(c->program, "crun"))
		c->peer = CLI_CRUN;
}

static int open_handle(struct command_context *c)
{
	struct oakum_options o;

	cli_handle_options(c, &o);
	return oakum_new(&o, &c->oakum);
}

static int run_command(struct command_context *c)
{
	struct err err = ERR_INIT;
	int status;

	if (options_check_words(c, &err) < 0)
		return report_err(c, &err);
	c->understood = true;
	log_debug("%s: oakum %s, commit %s", c->command->name, oakum_version(), oakum_commit());
	if (c->command->flags & COMMAND_NO_HANDLE)
		return c->command->run(c);
	status = open_handle(c) < 0 ? cli_fail(c) : c->command->run(c);
	oakum_free(c->oakum);
	c->oakum = NULL;
	return status;
}

static int act(struct command_context *c, int protect)
{
	if (opt_bool(c, "help"))
		return help_print(c, c->command);
	if (opt_bool(c, "version"))
		return help_version(c);
	if (!c->command && c->peer == CLI_RUNC)
		return help_print(c, NULL);
	if (!c->command)
		return cli_error(c, OAKUM_E_USAGE, 0, "no command; see `%s --help`", c->program);
	if (protect < 0)
		return cli_error(c, OAKUM_E_UNSUPPORTED, -protect,
				 "protect the program's own file (CVE-2019-5736)");
	return run_command(c);
}

int main(int argc, char **argv)
{
	struct command_context c = {.program = "oakum"};
	struct err err = ERR_INIT, log_err = ERR_INIT;
	int protect = 0, r, status;

	/* Before a word of the caller's is read: no path of ours is fit for a set-user-id program.
	 */
	if (getauxval(AT_SECURE)) {
		static const char text[] =
			"oakum: set-user-ID, set-group-ID or file capabilities are not supported\n";

		(void)!write(2, text, sizeof(text) - 1);
		return OAKUM_E_UNSUPPORTED;
	}
	fill_stdio();
	name_program(&c, argv[0]);
	r = options_parse(&c, argc, argv, &err);
	if (r == 0 && c.command && (c.command->flags & COMMAND_PROTECT) && !opt_bool(&c, "help"))
		protect = oakum_protect(argv);
	if (report_open(&c, &log_err) < 0)
		status = report_err(&c, &log_err);
	else if (r < 0)
		status = report_err(&c, &err);
	else
		status = act(&c, protect);
	options_done(&c);
	return status;
}
