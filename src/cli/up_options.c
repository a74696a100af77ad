/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of `up`, judged before anything is made. */
#include "cli/up_options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/command.h"
#include "supervise/logfile.h"
#include "supervise/supervisor.h"

#define CPUS_MAX 65536.0

static int fill_log(struct command_context *c, struct supervise_options *o)
{
	const char *text = opt_string(c, "log-driver");

	if (!text || logfile_parse(text, &o->driver, &o->log_path) == 0)
		return 0;
	return cli_error(c, OAKUM_E_USAGE, 0, "--log-driver %s: want default, none or file:PATH",
			 text);
}

static int needs_rootfs(struct command_context *c)
{
	static const char *const names[] = {"tty",	"env",	   "mount",    "memory",
					    "cpus",	"pids",	   "user",     "workdir",
					    "hostname", "network", "read-only"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (opt_string(c, names[i]))
			return cli_error(c, OAKUM_E_USAGE, 0,
					 "--%s needs --rootfs: a bundle says it in its config.json",
					 names[i]);
	if (c->n_args > 1)
		return cli_error(c, OAKUM_E_USAGE, 0,
				 "a COMMAND needs --rootfs: a bundle names its own in config.json");
	return 0;
}

static int parse_cpus(struct command_context *c, double *ret)
{
	const char *text = opt_string(c, "cpus");
	double cpus;
	char *end;

	if (!text)
		return 0;
	if (strspn(text, "0123456789.") == strlen(text)) {
		cpus = strtod(text, &end);
		if (end != text && !*end && cpus > 0 && cpus <= CPUS_MAX) {
			*ret = cpus;
			return 0;
		}
	}
	return cli_error(c, OAKUM_E_USAGE, 0, "--cpus %s: want a number above 0, such as 1.5",
			 text);
}

static int fill_limits(struct command_context *c, struct oakum_hardened *h)
{
	uint64_t memory = 0, pids = 0;
	int status = opt_size(c, "memory", INT64_MAX, &memory);

	if (status == 0)
		status = opt_u64(c, "pids", 1, INT32_MAX, &pids);
	h->memory = (int64_t)memory;
	h->pids = (int64_t)pids;
	return status ? status : parse_cpus(c, &h->cpus);
}

static int make_config(struct command_context *c, struct supervise_options *o, const char *rootfs)
{
	AUTO_FREE const char **env = opt_list(c, "env");
	AUTO_FREE const char **mounts = opt_list(c, "mount");
	AUTO_FREE char *real = realpath(rootfs, NULL);
	const char *network = opt_string(c, "network");
	struct oakum_hardened h = OAKUM_OPTIONS(
		oakum_hardened, .id = o->id, .rootfs = real, .env = env, .mounts = mounts,
		.user = opt_string(c, "user"), .workdir = opt_string(c, "workdir"),
		.hostname = opt_string(c, "hostname"), .terminal = opt_bool(c, "tty"),
		.read_only = opt_bool(c, "read-only"),
		.host_network = network && str_eq(network, "host"));
	int status;

	if (!real)
		return cli_error(c, OAKUM_E_CONFIG, errno, "rootfs %s", rootfs);
	if (c->n_args > 1)
		h.args = (const char *const *)c->args + 1;
	status = fill_limits(c, &h);
	if (status)
		return status;
	if (oakum_spec_hardened(c->oakum, &h, &o->config_text, &o->create.config_text_size) < 0)
		return cli_fail(c);
	o->create.config_text = o->config_text;
	return 0;
}

/* The supervisor opens the state root again at the end, and from another directory. */
static int fill_handle(struct command_context *c, struct supervise_options *o, char *root,
		       size_t size)
{
	const char *given = opt_string(c, "root");
	char here[PATH_MAX];

	cli_handle_options(c, &o->handle);
	if (!given)
		return 0;
	if (given[0] != '/' && !getcwd(here, sizeof(here)))
		return cli_error(c, OAKUM_E_RUNTIME, errno, "find the current directory");
	if ((size_t)snprintf(root, size, given[0] == '/' ? "%s%s" : "%s/%s",
			     given[0] == '/' ? "" : here, given) >= size)
		return cli_error(c, OAKUM_E_USAGE, ENAMETOOLONG, "--root %s", given);
	o->handle.root = root;
	return 0;
}

int up_options(struct command_context *c, struct supervise_options *o, char *root, size_t size)
{
	const char *rootfs = opt_string(c, "rootfs"), *bundle = opt_string(c, "bundle");
	const char *bad = str_bad_id(o->id);
	int status;

	if (bad)
		return cli_error(c, OAKUM_E_USAGE, 0, "invalid container ID: %s", bad);
	if (rootfs && bundle)
		return cli_error(c, OAKUM_E_USAGE, 0, "--rootfs and --bundle exclude each other");
	o->foreground = !opt_bool(c, "detach");
	o->interactive = !o->foreground && opt_bool(c, "interactive");
	o->remove = opt_bool(c, "rm");
	o->create.bundle = bundle;
	o->create.listen_fds = cli_listen_fds();
	(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &o->size);
	status = fill_log(c, o);
	if (status == 0)
		status = opt_ms(c, "timeout", INT32_MAX, &o->create.timeout_ms);
	if (status == 0)
		status = fill_handle(c, o, root, size);
	if (status)
		return status;
	return rootfs ? make_config(c, o, rootfs) : needs_rootfs(c);
}
