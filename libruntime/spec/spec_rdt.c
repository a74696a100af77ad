/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "linux.intelRdt" (config-linux.md): names, and lines that the kernel's resctrl is given. */
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

/* A page, which is as much as the kernel takes at once, less the ends of lines. */
#define SCHEMATA_MAX 4000

#define AT(member) offsetof(struct spec_rdt, member)

/* A line has the form "L3:0=ff;1=f0". */
static bool good_line(const char *line)
{
	size_t name = strcspn(line, ":");

	return name > 0 && line[name] == ':' && line[name + 1] && !strchr(line, '\n');
}

static void read_bandwidth(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text;

	spec_read_word(r, j, &text, arg);
	if (text && (!str_starts(text, "MB:") || !good_line(text)))
		spec_fail(r, j, "expected one line that begins with MB:");
	else if (text)
		*(const char **)out = text;
}

static void read_cache(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text;

	spec_read_word(r, j, &text, arg);
	if (text && (!strchr(text, ':') || strlen(text) > SCHEMATA_MAX))
		spec_fail(r, j, "expected a line such as L3:0=ff, at most %d bytes", SCHEMATA_MAX);
	else if (text)
		*(const char **)out = text;
}

static void read_schemata(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_strings *lines = out;
	size_t before = r->errors->total, sum = 0;

	spec_read_strings(r, j, lines, arg);
	if (r->errors->total != before)
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		sum += strlen(lines->v[c->index]) + 1;
		if (!good_line(lines->v[c->index]))
			spec_fail(r, c, "expected one line such as L3:0=ff");
	}
	if (sum > SCHEMATA_MAX)
		spec_fail(r, j, "%zu bytes are more than the %d that the kernel takes at once", sum,
			  SCHEMATA_MAX);
}

static const struct spec_field rdt_fields[] = {
	{"closID", spec_read_word, AT(clos_id), NULL, 0},
	{"l3CacheSchema", read_cache, AT(cache), NULL, 0},
	{"memBwSchema", read_bandwidth, AT(bandwidth), NULL, 0},
	{"schemata", read_schemata, AT(schemata), NULL, 0},
	{"enableMonitoring", spec_read_bool, AT(monitoring), NULL, 0},
	/* Names of 1.2 for the same thing: resctrl counts all or nothing. */
	{"enableCMT", spec_read_bool, AT(cache_monitoring), NULL, 0},
	{"enableMBM", spec_read_bool, AT(bandwidth_monitoring), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

void spec_read_rdt(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_rdt *rdt = out;

	(void)arg;
	rdt->present = true;
	spec_read_fields(r, j, rdt, rdt_fields);
	rdt->monitoring |= rdt->cache_monitoring | rdt->bandwidth_monitoring;
}
