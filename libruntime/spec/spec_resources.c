/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "linux.resources": memory, cpu, cpuset, pids and device rules. The other controllers are in
 * spec_limits.c.
 */
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

#define MAX_CPU 8191 /* the largest CONFIG_NR_CPUS and MAX_NUMNODES is 8192 */

static const struct spec_int bytes = {
	.type = SPEC_I64, .option = true, .min = -1, .max = INT64_MAX};
static const struct spec_int percent = {.type = SPEC_U64, .option = true, .max = 100};
static const struct spec_int count = {.type = SPEC_U64, .option = true, .max = UINT64_MAX};
static const struct spec_int flag = {.type = SPEC_I64, .option = true, .max = 1};
static const struct spec_int major_range = {.type = SPEC_I64, .min = -1, .max = 4095};
static const struct spec_int minor_range = {.type = SPEC_I64, .min = -1, .max = 1048575};

static void read_rule_type(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text = spec_string(r, j);
	char found[96];

	(void)arg;
	if (!text || !*text)
		return;
	if (strlen(text) == 1 && strchr("abc", *text)) {
		*(char *)out = *text;
		return;
	}
	spec_describe(j, found, sizeof(found));
	spec_fail(r, j, "expected a, b or c, found %s", found);
}

static void read_access(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_device_rule *rule = out;
	const char *text = spec_string(r, j);
	char found[96];

	(void)arg;
	if (!text)
		return;
	rule->read = strchr(text, 'r');
	rule->write = strchr(text, 'w');
	rule->mknod = strchr(text, 'm');
	/* runc takes and drops an "a". */
	if (text[strspn(text, "rwma")] == '\0') {
		if (strchr(text, 'a'))
			spec_warn(r, j, "the letter a has no meaning here and is ignored");
		return;
	}
	spec_describe(j, found, sizeof(found));
	spec_fail(r, j, "expected some of the letters r, w and m, found %s", found);
}

static const struct spec_field rule_fields[] = {
	{"allow", spec_read_bool, offsetof(struct spec_device_rule, allow), NULL, SPEC_REQUIRED},
	{"type", read_rule_type, offsetof(struct spec_device_rule, type), NULL, 0},
	{"major", spec_read_int, offsetof(struct spec_device_rule, major), &major_range, 0},
	{"minor", spec_read_int, offsetof(struct spec_device_rule, minor), &minor_range, 0},
	{"access", read_access, 0, NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* Absent: any type, any number, every access. */
static void complete_rule(struct spec_reading *r, const struct json *j, void *element)
{
	struct spec_device_rule *rule = element;

	(void)r;
	if (!rule->type)
		rule->type = 'a';
	if (!spec_given(j, "major"))
		rule->major = -1;
	if (!spec_given(j, "minor"))
		rule->minor = -1;
	if (!rule->read && !rule->write && !rule->mknod)
		rule->read = rule->write = rule->mknod = true;
}

static const struct spec_list rule_list = {
	.fields = rule_fields,
	.size = sizeof(struct spec_device_rule),
	.max = SPEC_MAX_RULES,
	.check = complete_rule,
};

SPEC_LIST_LAYOUT(struct spec_resources, devices, n_devices);

#define AT(member) offsetof(struct spec_resources, member)

static const struct spec_field memory_fields[] = {
	{"limit", spec_read_int, AT(memory_limit), &bytes, 0},
	{"reservation", spec_read_int, AT(memory_reservation), &bytes, 0},
	{"swap", spec_read_int, AT(memory_swap), &bytes, 0},
	{"swappiness", spec_read_int, AT(memory_swappiness), &percent, 0},
	{"disableOOMKiller", spec_read_bool_option, AT(memory_disable_oom_killer), NULL, 0},
	{"checkBeforeUpdate", spec_read_bool_option, AT(memory_check_before_update), NULL, 0},
	{"useHierarchy", spec_read_ignored, 0, NULL, 0}, /* always on since Linux 5.11 */
	{"kernel", spec_read_noted, 0, NULL, 0},	 /* deprecated by the specification */
	{"kernelTCP", spec_read_noted, 0, NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

static void read_memory(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_resources *res = out;
	size_t before = r->errors->total;

	spec_read_fields(r, j, res, arg);
	if (r->errors->total != before)
		return;
	if (res->memory_limit.v > 0 && res->memory_swap.v > 0 &&
	    res->memory_swap.v < res->memory_limit.v)
		spec_fail(r, json_get(j, "swap"),
			  "%lld is below limit %lld: swap is the sum of memory and swap",
			  (long long)res->memory_swap.v, (long long)res->memory_limit.v);
}

static bool list_number(const char **text, uint64_t *ret)
{
	size_t len = strspn(*text, "0123456789");

	if (strn_to_u64(*text, len, 0, MAX_CPU, ret) < 0)
		return false;
	*text += len;
	return true;
}

/* The kernel's list format: "0-3,7", also with a stride "0-31:2/4". */
static bool good_list(const char *text)
{
	uint64_t first, last, used, group;

	for (;;) {
		if (!list_number(&text, &first))
			return false;
		last = first;
		if (*text == '-' && (text++, !list_number(&text, &last)))
			return false;
		if (last < first)
			return false;
		if (*text == ':') {
			text++;
			if (!list_number(&text, &used) || *text++ != '/' ||
			    !list_number(&text, &group) || used > group || group == 0)
				return false;
		}
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}

void spec_read_cpu_list(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text;
	char found[96];

	spec_read_word(r, j, &text, arg);
	*(const char **)out = text;
	if (!text || good_list(text))
		return;
	spec_describe(j, found, sizeof(found));
	spec_fail(r, j, "expected a list of numbers up to %d (\"0-3,7\"), found %s", MAX_CPU,
		  found);
}

static const struct spec_field cpu_fields[] = {
	{"shares", spec_read_int, AT(cpu_shares), &count, 0},
	{"quota", spec_read_int, AT(cpu_quota), &bytes, 0},
	{"period", spec_read_int, AT(cpu_period), &count, 0},
	{"burst", spec_read_int, AT(cpu_burst), &count, 0},
	{"idle", spec_read_int, AT(cpu_idle), &flag, 0},
	{"cpus", spec_read_cpu_list, AT(cpuset_cpus), NULL, 0},
	{"mems", spec_read_cpu_list, AT(cpuset_mems), NULL, 0},
	{"realtimeRuntime", spec_read_int, AT(cpu_rt_runtime), &bytes, 0},
	{"realtimePeriod", spec_read_int, AT(cpu_rt_period), &count, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* The kernel takes 1 ms to 1 s for a period and no less than 1 ms for a quota. */
static void read_cpu(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_resources *res = out;
	size_t before = r->errors->total;

	spec_read_fields(r, j, res, arg);
	if (r->errors->total != before)
		return;
	if (res->cpu_period.v && (res->cpu_period.v < 1000 || res->cpu_period.v > 1000000))
		spec_fail(r, json_get(j, "period"),
			  "%llu is out of range (1000..1000000 microseconds)",
			  (unsigned long long)res->cpu_period.v);
	if (res->cpu_shares.v && res->cpu_idle.v) {
		spec_warn(r, json_get(j, "shares"),
			  "unable to apply both shares and idle: what is idle has no shares");
		res->cpu_shares.set = false;
	}
	if (res->cpu_quota.v > 0 && res->cpu_quota.v < 1000)
		spec_fail(r, json_get(j, "quota"),
			  "%lld is out of range (at least 1000 microseconds, or -1)",
			  (long long)res->cpu_quota.v);
}

static const struct spec_field pids_fields[] = {
	{"limit", spec_read_int, AT(pids_limit), &bytes, 0},
	{NULL, NULL, 0, NULL, 0},
};

const struct spec_field spec_resources_fields[] = {
	{"devices", spec_read_list, AT(devices), &rule_list, 0},
	{"memory", read_memory, 0, memory_fields, SPEC_TWICE},
	{"cpu", read_cpu, 0, cpu_fields, SPEC_TWICE},
	{"pids", spec_read_object, 0, pids_fields, SPEC_TWICE},
	{"blockIO", spec_read_object, AT(io), spec_io_fields, 0},
	{"hugepageLimits", spec_read_list, AT(hugepages), &spec_hugepage_list, 0},
	{"network", spec_read_object, 0, spec_network_fields, 0},
	{"rdma", spec_read_rdma, 0, NULL, 0},
	{"unified", spec_read_unified, AT(unified), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};
