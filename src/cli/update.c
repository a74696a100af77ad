/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum update: other limits for a container that lives. */
#include <errno.h>

#include "base/str.h"
#include "cli/command.h"
#include "cli/update_options.h"

#define TEXT_SIZE 8192

static int run(struct command_context *c)
{
	const char *file = opt_string(c, "resources");
	struct oakum_update update = OAKUM_OPTIONS(oakum_update, .file = file);
	char text[TEXT_SIZE], rdt_text[TEXT_SIZE];
	struct strbuf b, rdt;
	int status;

	strbuf_init(&b, text, sizeof(text));
	strbuf_init(&rdt, rdt_text, sizeof(rdt_text));
	status = update_options(c, &b, &rdt);
	if (status)
		return status;
	if (b.overflow || rdt.overflow)
		return cli_error(c, OAKUM_E_USAGE, E2BIG, "the values of the options");
	if (opt_string(c, "kernel-memory") || opt_string(c, "kernel-memory-tcp"))
		cli_warn(
			c,
			"update: limits of kernel memory are ignored: no kernel has them any more");
	else if (!file && !b.len && !rdt.len)
		return cli_error(c, OAKUM_E_USAGE, 0, "nothing to change");
	if (file && b.len)
		cli_warn(c, "update: --resources is given: the other options are ignored");
	if (!file && b.len) {
		update.text = text;
		update.text_size = b.len;
	}
	if (rdt.len) {
		update.rdt = rdt_text;
		update.rdt_size = rdt.len;
	}
	if (!update.file && !update.text && !update.rdt)
		return 0;
	return oakum_update(c->oakum, c->args[0], &update) < 0 ? cli_fail(c) : 0;
}

static const struct option_def options[] = {
	{"blkio-weight", 0, "WEIGHT", "block I/O weight, 10 to 1000", 0, NULL},
	{"cpu-burst", 0, "US", "CPU time beyond the quota that may be saved up", 0, NULL},
	{"cpu-idle", 0, "0|1", "schedule the container only when nobody else wants the CPU", 0,
	 NULL},
	{"cpu-period", 0, "US", "period of the CPU quota", 0, NULL},
	{"cpu-quota", 0, "US", "CPU time in each period; -1: no limit", 0, NULL},
	{"cpu-rt-period", 0, "US", "period of the realtime CPU time (cgroup v1)", 0, NULL},
	{"cpu-rt-runtime", 0, "US", "realtime CPU time in each period (cgroup v1)", 0, NULL},
	{"cpu-share", 0, "SHARES", "relative CPU weight, 2 to 262144", 0, NULL},
	{"cpuset-cpus", 0, "LIST", "CPUs to run on: 0-3,7", 0, NULL},
	{"cpuset-mems", 0, "LIST", "memory nodes to use", 0, NULL},
	{"kernel-memory", 0, "SIZE", "accepted and not used", OPTION_HIDDEN, NULL},
	{"kernel-memory-tcp", 0, "SIZE", "accepted and not used", OPTION_HIDDEN, NULL},
	{"l3-cache-schema", 0, "LINES", "shares of the L3 cache: L3:0=ff;1=f0", 0, NULL},
	{"mem-bw-schema", 0, "LINE", "shares of memory bandwidth: MB:0=50;1=100", 0, NULL},
	{"memory", 0, "SIZE", "memory limit; -1: none", 0, NULL},
	{"memory-reservation", 0, "SIZE", "memory reservation; -1: none", 0, NULL},
	{"memory-swap", 0, "SIZE", "limit of memory and swap together; -1: none", 0, NULL},
	{"pids-limit", 0, "N", "most processes and threads; -1: no limit", 0, NULL},
	{"resources", 'r', "FILE", "read the JSON of linux.resources (- is standard input)", 0,
	 NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_update = {
	.name = "update",
	.usage = "ID",
	.summary = "change the limits of a container",
	.description =
		"Change limits of a container that is created, running or paused; it goes on "
		"meanwhile. What is not named stays as it is. Limits that depend on each other are "
		"written in the order that the kernel accepts, growing or shrinking. When one is "
		"refused, "
		"the others are put back; device rules come last.\n\n"
		"The JSON of --resources is the object \"linux.resources\" of config.json; with "
		"it the other options are ignored, but for those of cache and memory bandwidth. "
		"These "
		"are written into the container's class in resctrl; one that is in none gets its "
		"own. "
		"Times are in microseconds, sizes in bytes or "
		"with k, m or g.",
	.examples = "oakum update --memory 512m --pids-limit 200 web\necho "
		    "'{\"cpu\":{\"shares\":512}}' | oakum update -r - web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
