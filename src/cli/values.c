/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What commands ask of their parsed options, and of the environment. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/options.h"

static const struct option_def *find(const struct option_def *table, const char *name)
{
	for (const struct option_def *d = table; d && d->name; d++)
		if (str_eq(d->name, name))
			return d;
	return NULL;
}

/* A name of the command hides a global one: spec has a --rootless of its own. */
static const struct option_def *definition(const struct command_context *c, const char *name)
{
	const struct option_def *d = c->command ? find(c->command->options, name) : NULL;

	return d ? d : find(command_globals, name);
}

static const char *value_of(const struct command_context *c, const struct option_def *d)
{
	for (size_t i = c->n_values; i-- > 0;)
		if (c->values[i].def == d)
			return c->values[i].value;
	return NULL;
}

const char *opt_string(const struct command_context *c, const char *name)
{
	return value_of(c, definition(c, name));
}

const char *options_global(const struct command_context *c, const char *name)
{
	return value_of(c, find(command_globals, name));
}

bool opt_bool(const struct command_context *c, const char *name)
{
	const char *value = opt_string(c, name);

	return value && str_eq(value, "true");
}

const char **opt_list(const struct command_context *c, const char *name)
{
	const struct option_def *d = definition(c, name);
	const char **list;
	size_t n = 0;

	if (!value_of(c, d))
		return NULL;
	list = calloc(c->n_values + 1, sizeof(*list));
	for (size_t i = 0; list && i < c->n_values; i++)
		if (c->values[i].def == d)
			list[n++] = c->values[i].value;
	return list;
}

static int bad_value(const struct command_context *c, const char *name, const char *what, int r)
{
	return cli_error(c, OAKUM_E_USAGE, 0, "--%s: '%s' is %s", name, opt_string(c, name),
			 r == -ERANGE ? "out of range" : what);
}

int opt_u64(const struct command_context *c, const char *name, uint64_t min, uint64_t max,
	    uint64_t *ret)
{
	const char *value = opt_string(c, name);
	int r = value ? str_to_u64(value, min, max, ret) : 0;

	return r < 0 ? bad_value(c, name, "not a number", r) : 0;
}

int opt_size(const struct command_context *c, const char *name, uint64_t max, uint64_t *ret)
{
	const char *value = opt_string(c, name);
	int r = value ? str_to_size(value, max, ret) : 0;

	return r < 0 ? bad_value(c, name, "not a size (512k, 64m, 2g)", r) : 0;
}

int opt_ms(const struct command_context *c, const char *name, int64_t max_ms, int64_t *ret)
{
	const char *value = opt_string(c, name);
	int r = value ? str_to_ms(value, max_ms, ret) : 0;

	return r < 0 ? bad_value(c, name, "not a duration (10, 1.5s, 250ms, 2m30s)", r) : 0;
}

enum cli_pid cli_whose_pid(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t pid;

	if (!text)
		return CLI_PID_UNSAID;
	return str_to_u64(text, 1, INT_MAX, &pid) == 0 && (pid_t)pid == getpid() ? CLI_PID_OURS
										 : CLI_PID_OTHER;
}

/* Those from 3 on up to @max that the caller has handed down. What we have opened ourselves since
 * is closed on execution. */
static unsigned handed_down(uint64_t max)
{
	unsigned n = 0;

	while (n < max) {
		int flags = fcntl((int)n + 3, F_GETFD);

		if (flags < 0 || (flags & FD_CLOEXEC))
			break;
		n++;
	}
	return n;
}

unsigned cli_listen_fds(void)
{
	const char *fds = getenv("LISTEN_FDS");
	uint64_t n = 0;

	if (cli_whose_pid("LISTEN_PID") == CLI_PID_OTHER)
		return 0;
	if (!fds || str_to_u64(fds, 0, INT_MAX / 2, &n) < 0)
		return 0;
	return handed_down(n);
}
