/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum generate systemd: a unit that runs a container as a service. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/stop_signal.h"

#define CONFIG_NAME "config.json"
#define CONFIG_MAX  ((size_t)64 << 20)

static const struct option_def options[] = {
	{"bundle", 'b', "DIR",
	 "write the container's configuration to DIR, and use that (for what `up --rootfs` made)",
	 0, NULL},
	{"restart", 0, "WHEN", "Restart= (default: on-failure)", 0, "no on-failure always"},
	{"sdnotify", 0, "WHO", "as of `up`", 0, "runtime container"},
	{NULL, 0, NULL, NULL, 0, NULL},
};

/* One word of ExecStart= (systemd.service(5), "Command lines"). */
static void put_word(FILE *f, const char *word)
{
	bool plain = word[0] && !strpbrk(word, " \"'\\;");

	for (const char *p = word; *p; p++)
		plain &= (unsigned char)*p >= ' ';
	if (!plain)
		fputc('"', f);
	for (; *word; word++) {
		if (*word == '%' || *word == '$')
			fputc(*word, f);
		if (*word == '"' || *word == '\\')
			fputc('\\', f);
		if (*word > 0 && *word < ' ')
			fprintf(f, "\\x%02x", *word);
		else
			fputc(*word, f);
	}
	if (!plain)
		fputc('"', f);
}

struct service {
	const char *id, *program, *root, *bundle; /* root: NULL for the default */
	const char *restart;
	int stop_signal;
	bool container; /* it says itself when it is ready */
	bool user;
};

/* Behind options: an ID may begin as one does. */
static void put_id(FILE *f, const char *id)
{
	fprintf(f, " %s%s\n", id[0] == '-' ? "-- " : "", id);
}

static void put_command(FILE *f, const char *key, const struct service *s)
{
	fputs(key, f);
	put_word(f, s->program);
	if (s->root) {
		fputs(" --root ", f);
		put_word(f, s->root);
	}
}

static void put_unit(FILE *f, const struct service *s)
{
	fprintf(f,
		"# %s.service, written by `oakum generate systemd %s` of oakum %s.\n"
		"[Unit]\n"
		"Description=container %s\n"
		"Documentation=man:oakum-up(1)\n\n"
		"[Service]\n"
		"Type=notify\n"
		"%s"
		"%s"
		"Delegate=yes\n"
		"KillMode=mixed\n"
		"TimeoutStopSec=10\n",
		s->id, s->id, oakum_version(), s->id, s->user ? "" : "Slice=oakum.slice\n",
		s->user && s->container ? "NotifyAccess=all\n" : "");
	if (s->stop_signal != SIGTERM)
		fprintf(f, "KillSignal=%s\n", oakum_signal_name(s->stop_signal));
	/* What dies of its stop signal has been stopped. */
	fprintf(f, "SuccessExitStatus=%d\nRestart=%s\n", 128 + s->stop_signal, s->restart);
	put_command(f, "ExecStart=", s);
	fprintf(f, " up --replace --rm --cgroup unit --log-driver journald%s --bundle ",
		s->container ? " --sdnotify container" : "");
	put_word(f, s->bundle);
	put_id(f, s->id);
	put_command(f, "ExecStopPost=-", s);
	fputs(" delete --force", f);
	put_id(f, s->id);
	fprintf(f, "\n[Install]\nWantedBy=%s\n", s->user ? "default.target" : "multi-user.target");
}

static int write_config(const struct command_context *c, const char *dir, const char *text,
			size_t size)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return cli_error(c, OAKUM_E_RUNTIME, errno, "make the bundle %s", dir);
	return cli_write_new(c, dir, CONFIG_NAME, 0600, text, size);
}

/* A copy in another directory has to name its root by a path that holds there. */
static int check_root(const struct command_context *c, const char *text, size_t size,
		      struct arena *arena)
{
	struct err err = ERR_INIT;
	const struct json *path;
	struct json *top;

	if (json_parse(text, size, CONFIG_NAME, arena, &top, &err) < 0)
		return outcome_error(c, &err);
	path = json_get(json_get(top, "root"), "path");
	if (path && path->type == JSON_STRING && path->text[0] == '/')
		return 0;
	return cli_error(c, OAKUM_E_STATE, 0,
			 "root.path is relative to the bundle the container was made from, whose "
			 "config.json has changed: write it back there");
}

/*
 * The bundle that a service of the container can use: its own, if it still says what the container
 * was made from, else one that is written. *@ret is the caller's (free(3)).
 */
static int find_bundle(struct command_context *c, const struct oakum_state *state, char **ret)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const char *given = opt_string(c, "bundle"), *own = oakum_state_bundle(state);
	AUTO_CLOSE int dir = -1, bundle = open(own, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;
	char *text, *other;
	size_t size, other_size;
	int status;

	if (oakum_directory(c->oakum, c->args[1], &dir) < 0)
		return cli_fail(c);
	if (io_read_alloc(dir, CONFIG_NAME, CONFIG_MAX, &arena, &text, &size, &err) < 0)
		return outcome_error(c, &err);
	if (bundle >= 0 &&
	    io_read_alloc(bundle, CONFIG_NAME, CONFIG_MAX, &arena, &other, &other_size, &err) ==
		    0 &&
	    other_size == size && memcmp(text, other, size) == 0) {
		if (given)
			return cli_error(c, OAKUM_E_USAGE, 0,
					 "--bundle %s: the container has a bundle, %s", given, own);
		*ret = strdup(own);
		return *ret ? 0 : cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "name the bundle");
	}
	if (!given)
		return cli_error(c, OAKUM_E_STATE, 0,
				 "%s was not made from a bundle that is still there; --bundle DIR "
				 "writes one",
				 c->args[1]);
	status = check_root(c, text, size, &arena);
	if (status == 0)
		status = write_config(c, given, text, size);
	if (status)
		return status;
	*ret = realpath(given, NULL);
	return *ret ? 0 : cli_error(c, OAKUM_E_RUNTIME, errno, "resolve %s", given);
}

static int generate(struct command_context *c, const struct oakum_state *state)
{
	const char *restart = opt_string(c, "restart"), *who = opt_string(c, "sdnotify"),
		   *root = opt_string(c, "root");
	AUTO_FREE char *bundle = NULL, *text = NULL, *real = NULL;
	char program[PATH_MAX];
	struct service s = {.id = c->args[1],
			    .program = program,
			    .restart = restart ? restart : "on-failure",
			    .stop_signal = stop_signal_of(c, state),
			    .container = who && str_eq(who, "container"),
			    .user = geteuid() != 0};
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	size_t size = 0;
	int status;
	FILE *f;

	if (n <= 0)
		return cli_error(c, OAKUM_E_RUNTIME, errno, "find this program");
	program[n] = '\0';
	if (root) {
		s.root = real = realpath(root, NULL);
		if (!real)
			return cli_error(c, OAKUM_E_RUNTIME, errno, "resolve %s", root);
	}
	status = find_bundle(c, state, &bundle);
	if (status)
		return status;
	s.bundle = bundle;
	f = open_memstream(&text, &size);
	if (f)
		put_unit(f, &s);
	if (!f || fclose(f) != 0)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "write the unit");
	return cli_output(c, text, size);
}

static int run(struct command_context *c)
{
	struct oakum_state *state;
	int status;

	if (!str_eq(c->args[0], "systemd"))
		return cli_error(c, OAKUM_E_USAGE, 0, "'%s': all that is generated is systemd",
				 c->args[0]);
	if (oakum_state(c->oakum, c->args[1], &state) < 0)
		return cli_fail(c);
	status = generate(c, state);
	oakum_state_free(state);
	return status;
}

const struct command command_generate_systemd = {
	.name = "generate",
	.usage = "systemd ID",
	.summary = "write a systemd unit for a container",
	.description = "Prints the unit of a service that runs what the container runs, from its "
		       "bundle, under "
		       "`oakum up`: ready when the container runs, in the unit's own cgroup, with "
		       "the journal as "
		       "its log, and with nothing left when it has ended, however it has. The "
		       "container itself "
		       "is not touched; delete it before the service is started.",
	.examples = "oakum generate systemd web >/etc/systemd/system/web.service\n"
		    "oakum generate systemd --bundle /var/lib/oakum/web web",
	.options = options,
	.run = run,
	.min_args = 2,
	.max_args = 2,
};
