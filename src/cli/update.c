/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum update: the options become the JSON that --resources takes, so that both go through one
 * door. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/command.h"

#define TEXT_SIZE 8192

enum kind {
	NUMBER, /* -1 is "no limit" */
	SIZE,	/* the same, with k, m, g */
	TEXT,
};

/* In the order of the JSON: the members of one object stand together. */
static const struct {
	const char *option, *object, *member;
	enum kind kind;
} members[] = {
	{"memory", "memory", "limit", SIZE},
	{"memory-reservation", "memory", "reservation", SIZE},
	{"memory-swap", "memory", "swap", SIZE},
	{"cpu-share", "cpu", "shares", NUMBER},
	{"cpu-quota", "cpu", "quota", NUMBER},
	{"cpu-period", "cpu", "period", NUMBER},
	{"cpu-burst", "cpu", "burst", NUMBER},
	{"cpu-idle", "cpu", "idle", NUMBER},
	{"cpu-rt-period", "cpu", "realtimePeriod", NUMBER},
	{"cpu-rt-runtime", "cpu", "realtimeRuntime", NUMBER},
	{"cpuset-cpus", "cpu", "cpus", TEXT},
	{"cpuset-mems", "cpu", "mems", TEXT},
	{"pids-limit", "pids", "limit", NUMBER},
	{"blkio-weight", "blockIO", "weight", NUMBER},
};

static int put_value(struct command_context *c, size_t i, const char *value, struct strbuf *b)
{
	int64_t number = 0;
	uint64_t size = 0;
	int r = 0;

	if (members[i].kind == TEXT) {
		strbuf_json(b, value);
		return 0;
	}
	if (members[i].kind == NUMBER || value[0] == '-')
		r = str_to_i64(value, INT64_MIN, INT64_MAX, &number);
	else
		r = str_to_size(value, INT64_MAX, &size);
	if (r < 0)
		return cli_error(c, OAKUM_E_USAGE, 0, "--%s: '%s' is %s", members[i].option, value,
				 r == -ERANGE		     ? "out of range"
				 : members[i].kind == NUMBER ? "not a number"
							     : "not a size (512k, 64m, 2g)");
	strbuf_i64(b, size ? (int64_t)size : number);
	return 0;
}

/* The JSON of what was given; 0 or an exit status. @b is empty when nothing was. */
static int put_json(struct command_context *c, struct strbuf *b)
{
	const char *object = NULL;
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(members) && status == 0; i++) {
		const char *value = opt_string(c, members[i].option);

		if (!value)
			continue;
		if (object && str_eq(object, members[i].object))
			strbuf_addc(b, ',');
		else
			strbuf_fmt(b, "%s\"%s\":{", object ? "}," : "{", members[i].object);
		object = members[i].object;
		strbuf_fmt(b, "\"%s\":", members[i].member);
		status = put_value(c, i, value, b);
	}
	if (object)
		strbuf_add(b, "}}");
	return status;
}

static int run(struct command_context *c)
{
	const char *file = opt_string(c, "resources");
	struct oakum_update update = OAKUM_OPTIONS(oakum_update, .file = file);
	char text[TEXT_SIZE];
	struct strbuf b;
	int status;

	strbuf_init(&b, text, sizeof(text));
	status = put_json(c, &b);
	if (status)
		return status;
	if (b.overflow)
		return cli_error(c, OAKUM_E_USAGE, E2BIG, "the values of the options");
	if (!file && !b.len)
		return cli_error(c, OAKUM_E_USAGE, 0, "nothing to change");
	if (file && b.len)
		cli_warn(c, "update: --resources is given: the other options are ignored");
	if (file && str_eq(file, "-"))
		update.file = "/dev/stdin";
	if (!file) {
		update.text = text;
		update.text_size = b.len;
	}
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
	{"l3-cache-schema", 0, "SCHEMA", "L3 cache", OPTION_ABSENT, NULL},
	{"mem-bw-schema", 0, "SCHEMA", "memory bandwidth", OPTION_ABSENT, NULL},
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
		"written in the order that the kernel accepts, growing or shrinking.\n\n"
		"The JSON of --resources is the object \"linux.resources\" of config.json; with "
		"it the other options are ignored. Times are in microseconds, sizes in bytes or "
		"with k, m or g.",
	.examples = "oakum update --memory 512m --pids-limit 200 web\necho "
		    "'{\"cpu\":{\"shares\":512}}' | oakum update -r - web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
