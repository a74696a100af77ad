/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of `update` as JSON; see update_options.h. */
#include "cli/update_options.h"

#include <errno.h>

#include "base/json_put.h"
#include "base/str.h"
#include "cli/command.h"

enum kind {
	NUMBER, /* -1 is "no limit" */
	SIZE,	/* the same, with k, m, g */
	TEXT,
};

/* In the order of the JSON: the members of one object stand together. */
static const struct {
	const char *option, *object, *member;
	enum kind kind;
	bool zero; /* is a value; else engines write it for "not set", as they do "" */
} members[] = {
	{"memory", "memory", "limit", SIZE, false},
	{"memory-reservation", "memory", "reservation", SIZE, false},
	{"memory-swap", "memory", "swap", SIZE, false},
	{"cpu-share", "cpu", "shares", NUMBER, false},
	{"cpu-quota", "cpu", "quota", NUMBER, false},
	{"cpu-period", "cpu", "period", NUMBER, false},
	{"cpu-burst", "cpu", "burst", NUMBER, true},
	{"cpu-idle", "cpu", "idle", NUMBER, true},
	{"cpu-rt-period", "cpu", "realtimePeriod", NUMBER, false},
	{"cpu-rt-runtime", "cpu", "realtimeRuntime", NUMBER, false},
	{"cpuset-cpus", "cpu", "cpus", TEXT, false},
	{"cpuset-mems", "cpu", "mems", TEXT, false},
	{"pids-limit", "pids", "limit", NUMBER, true},
	{"blkio-weight", "blockIO", "weight", NUMBER, false},
};

static void warn_unset(struct command_context *c, size_t i, const char *value)
{
	cli_warn(c, "update: --%s %s changes nothing%s", members[i].option,
		 value[0] ? value : "\"\"", members[i].kind == SIZE ? "; -1 is no limit" : "");
}

static int put_value(struct command_context *c, size_t i, const char *value, struct strbuf *b)
{
	int64_t number = 0;
	uint64_t size = 0;
	int r = 0;

	if (members[i].kind == TEXT) {
		if (!value[0])
			warn_unset(c, i, value);
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
	if (!size && !number && !members[i].zero)
		warn_unset(c, i, value);
	strbuf_i64(b, size ? (int64_t)size : number);
	return 0;
}

static int put_limits(struct command_context *c, struct strbuf *b)
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

/* That of "linux.intelRdt", also beside --resources. */
static void put_rdt(struct command_context *c, struct strbuf *b)
{
	const char *cache = opt_string(c, "l3-cache-schema");
	const char *bandwidth = opt_string(c, "mem-bw-schema");

	if (!cache && !bandwidth)
		return;
	strbuf_addc(b, '{');
	if (cache)
		json_put_text(b, "l3CacheSchema", cache);
	if (bandwidth)
		json_put_text(b, "memBwSchema", bandwidth);
	strbuf_addc(b, '}');
}

int update_options(struct command_context *c, struct strbuf *limits, struct strbuf *rdt)
{
	put_rdt(c, rdt);
	return put_limits(c, limits);
}
