/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a process is scheduled and where its memory comes from: scheduler, ioPriority,
 * execCPUAffinity, memoryPolicy and personality (config.md, config-linux.md). Names become the
 * kernel's numbers here; what they may be together is judged as far as no kernel is needed.
 */
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/personality.h>

#include "base/str.h"
#include "spec/spec_read.h"

struct name_number {
	const char *name;
	uint64_t number;
};

/* sched(7); SCHED_ISO has a number and was never built. */
static const struct name_number policies[] = {
	{"SCHED_OTHER", 0},    {"SCHED_FIFO", 1}, {"SCHED_RR", 2},
	{"SCHED_BATCH", 3},    {"SCHED_ISO", 4},  {"SCHED_IDLE", 5},
	{"SCHED_DEADLINE", 6}, {"SCHED_EXT", 7},  {NULL, 0},
};

enum { OTHER = 0, FIFO = 1, RR = 2, BATCH = 3, ISO = 4, IDLE = 5, DEADLINE = 6, EXT = 7 };

static const struct name_number sched_flags[] = {
	{"SCHED_FLAG_RESET_ON_FORK", 0x01},  {"SCHED_FLAG_RECLAIM", 0x02},
	{"SCHED_FLAG_DL_OVERRUN", 0x04},     {"SCHED_FLAG_KEEP_POLICY", 0x08},
	{"SCHED_FLAG_KEEP_PARAMS", 0x10},    {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
	{"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}, {NULL, 0},
};

static const struct name_number io_classes[] = {
	{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}, {NULL, 0}};

#define MODES(X)                                                                                   \
	X("MPOL_DEFAULT", 0)                                                                       \
	X("MPOL_PREFERRED", 1)                                                                     \
	X("MPOL_BIND", 2)                                                                          \
	X("MPOL_INTERLEAVE", 3)                                                                    \
	X("MPOL_LOCAL", 4)                                                                         \
	X("MPOL_PREFERRED_MANY", 5)                                                                \
	X("MPOL_WEIGHTED_INTERLEAVE", 6)
#define MODE_FLAGS(X)                                                                              \
	X("MPOL_F_NUMA_BALANCING", 1 << 13)                                                        \
	X("MPOL_F_RELATIVE_NODES", 1 << 14)                                                        \
	X("MPOL_F_STATIC_NODES", 1 << 15)
#define PAIR(name, number) {name, number},
#define NAME(name, number) name,

static const struct name_number modes[] = {MODES(PAIR){NULL, 0}};
static const struct name_number mode_flags[] = {MODE_FLAGS(PAIR){NULL, 0}};

const char *const *spec_memory_modes(void)
{
	static const char *const names[] = {MODES(NAME) NULL};

	return names;
}

const char *const *spec_memory_flags(void)
{
	static const char *const names[] = {MODE_FLAGS(NAME) NULL};

	return names;
}

const char *spec_word(enum spec_words table, size_t i, uint64_t *ret_number)
{
	static const struct {
		const struct name_number *v;
		size_t n;
	} tables[] = {
		[SPEC_POLICIES] = {policies, ARRAY_SIZE(policies) - 1},
		[SPEC_SCHED_FLAGS] = {sched_flags, ARRAY_SIZE(sched_flags) - 1},
		[SPEC_IO_CLASSES] = {io_classes, ARRAY_SIZE(io_classes) - 1},
		[SPEC_MEMORY_MODES] = {modes, ARRAY_SIZE(modes) - 1},
		[SPEC_MEMORY_FLAGS] = {mode_flags, ARRAY_SIZE(mode_flags) - 1},
	};

	if (i >= tables[table].n)
		return NULL;
	*ret_number = tables[table].v[i].number;
	return tables[table].v[i].name;
}

static const struct name_number *look_up(const struct name_number *table, const char *name)
{
	for (; table->name; table++)
		if (str_eq(table->name, name))
			return table;
	return NULL;
}

/* The number of the string @j; an error that says @what, and false. */
static bool read_name(struct spec_reading *r, const struct json *j, const struct name_number *table,
		      const char *what, uint64_t *ret)
{
	const char *text = spec_string(r, j);
	const struct name_number *n = text ? look_up(table, text) : NULL;
	char found[96];

	if (n) {
		*ret = n->number;
		return true;
	}
	if (text) {
		spec_describe(j, found, sizeof(found));
		spec_fail(r, j, "%s, found %s", what, found);
	}
	return false;
}

static void read_flag_list(struct spec_reading *r, const struct json *j,
			   const struct name_number *table, const char *what, uint64_t *ret)
{
	if (!spec_is(r, j, JSON_ARRAY, 64))
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		uint64_t bit = 0;

		if (read_name(r, c, table, what, &bit))
			*ret |= bit;
	}
}

/* ---- process.scheduler ---- */

static void read_policy(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	uint64_t number = 0;

	(void)arg;
	if (read_name(r, j, policies, "unknown scheduling policy", &number))
		*(uint32_t *)out = (uint32_t)number;
	if (number == ISO)
		spec_fail(r, j, "no kernel has SCHED_ISO");
}

static void read_sched_flags(struct spec_reading *r, const struct json *j, void *out,
			     const void *arg)
{
	(void)arg;
	read_flag_list(r, j, sched_flags, "unknown scheduler flag", out);
}

static const struct spec_int nice_range = {.type = SPEC_INT, .min = -20, .max = 19};
static const struct spec_int sched_priority_range = {.type = SPEC_U32, .max = 99};
static const struct spec_int time_range = {.type = SPEC_U64, .option = true, .max = UINT64_MAX};

#define SCHED(member) offsetof(struct spec_scheduler, member)

static const struct spec_field scheduler_fields[] = {
	{"policy", read_policy, SCHED(policy), NULL, SPEC_REQUIRED},
	{"nice", spec_read_int, SCHED(nice), &nice_range, 0},
	{"priority", spec_read_int, SCHED(priority), &sched_priority_range, 0},
	{"flags", read_sched_flags, SCHED(flags), NULL, 0},
	{"runtime", spec_read_int, SCHED(runtime), &time_range, 0},
	{"deadline", spec_read_int, SCHED(deadline), &time_range, 0},
	{"period", spec_read_int, SCHED(period), &time_range, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* What the kernel would answer with a bare EINVAL (sched(7), "SCHED_DEADLINE"). */
static void check_deadline(struct spec_reading *r, const struct json *j,
			   const struct spec_scheduler *s)
{
	static const char what[] = "sched_setattr: `SCHED_DEADLINE`";
	const uint64_t least = 1024, most = INT64_MAX;

	if (!s->runtime.set)
		spec_fail(r, j, "%s requires `runtime`", what);
	else if (!s->deadline.set)
		spec_fail(r, j, "%s requires `deadline`", what);
	else if (s->runtime.v == 0)
		spec_fail(r, json_get(j, "runtime"), "%s runtime must be greater than 0", what);
	else if (s->runtime.v < least || s->runtime.v > most)
		spec_fail(r, json_get(j, "runtime"),
			  "%s runtime `%llu` must be between `%llu` and `%llu`", what,
			  (unsigned long long)s->runtime.v, (unsigned long long)least,
			  (unsigned long long)most);
	else if (s->runtime.v > s->deadline.v)
		spec_fail(r, json_get(j, "runtime"), "%s runtime `%llu` must be <= deadline `%llu`",
			  what, (unsigned long long)s->runtime.v,
			  (unsigned long long)s->deadline.v);
	else if (s->period.set && s->period.v && s->deadline.v > s->period.v)
		spec_fail(r, json_get(j, "deadline"), "%s deadline `%llu` must be <= period `%llu`",
			  what, (unsigned long long)s->deadline.v, (unsigned long long)s->period.v);
}

void spec_read_scheduler(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_scheduler *s = out;
	size_t before = r->errors->total;

	(void)arg;
	s->present = true;
	spec_read_fields(r, j, s, scheduler_fields);
	if (r->errors->total != before)
		return;
	if (s->policy == DEADLINE)
		check_deadline(r, j, s);
	else if (s->runtime.v || s->deadline.v || s->period.v)
		spec_fail(r, j, "runtime, deadline and period belong to SCHED_DEADLINE");
	if (s->priority && s->policy != FIFO && s->policy != RR)
		spec_fail(r, json_get(j, "priority"),
			  "a priority belongs to SCHED_FIFO and SCHED_RR; others have nice");
	if (!s->priority && (s->policy == FIFO || s->policy == RR))
		spec_fail(r, json_get(j, "policy"), "%s needs a priority of 1 to 99",
			  policies[s->policy].name);
}

/* ---- process.ioPriority ---- */

static void read_class(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	uint64_t number = 0;

	(void)arg;
	if (read_name(r, j, io_classes, "unknown I/O priority class", &number))
		*(int *)out = (int)number;
}

static const struct spec_int io_priority_range = {.type = SPEC_INT, .max = 7};

static const struct spec_field io_priority_fields[] = {
	{"class", read_class, offsetof(struct spec_io_priority, class), NULL, SPEC_REQUIRED},
	{"priority", spec_read_int, offsetof(struct spec_io_priority, priority), &io_priority_range,
	 0},
	{NULL, NULL, 0, NULL, 0},
};

void spec_read_io_priority(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_io_priority *p = out;

	(void)arg;
	p->present = true;
	spec_read_fields(r, j, p, io_priority_fields);
}

/* ---- process.execCPUAffinity ---- */

const struct spec_field spec_affinity_fields[] = {
	{"initial", spec_read_cpu_list, offsetof(struct spec_process, affinity_initial), NULL, 0},
	{"final", spec_read_cpu_list, offsetof(struct spec_process, affinity_final), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* ---- linux.memoryPolicy ---- */

static void read_mode(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	uint64_t number = 0;

	(void)arg;
	if (read_name(r, j, modes, "invalid memory policy mode", &number))
		*(int *)out = (int)number;
}

static void read_mode_flags(struct spec_reading *r, const struct json *j, void *out,
			    const void *arg)
{
	uint64_t bits = 0;

	(void)arg;
	read_flag_list(r, j, mode_flags, "invalid memory policy flag", &bits);
	*(unsigned *)out = (unsigned)bits;
}

static bool good_node(const char **text, uint64_t *ret)
{
	size_t len = strspn(*text, "0123456789");

	if (strn_to_u64(*text, len, 0, SPEC_MAX_NODE, ret) < 0)
		return false;
	*text += len;
	return true;
}

/* How many nodes a list names; -1: it is not a list. */
static int count_nodes(const char *text)
{
	uint64_t first, last;
	int n = 0;

	if (!*text)
		return 0;
	for (;;) {
		if (!good_node(&text, &first))
			return -1;
		last = first;
		if (*text == '-' && (text++, !good_node(&text, &last)))
			return -1;
		if (last < first)
			return -1;
		n += (int)(last - first) + 1;
		if (!*text)
			return n;
		if (*text++ != ',')
			return -1;
	}
}

static void read_nodes(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text = spec_string(r, j);

	(void)arg;
	if (!text)
		return;
	*(const char **)out = text;
	if (count_nodes(text) < 0)
		spec_fail(r, j, "invalid memory policy node: expected a list of numbers up to %d",
			  SPEC_MAX_NODE);
}

static const struct spec_field memory_policy_fields[] = {
	{"mode", read_mode, offsetof(struct spec_memory_policy, mode), NULL, 0},
	{"nodes", read_nodes, offsetof(struct spec_memory_policy, nodes), NULL, 0},
	{"flags", read_mode_flags, offsetof(struct spec_memory_policy, flags), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* set_mempolicy(2), "EINVAL". */
static void check_memory_policy(struct spec_reading *r, const struct json *j,
				const struct spec_memory_policy *p)
{
	int n = count_nodes(p->nodes);
	unsigned node_flags = p->flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES);

	if ((p->mode == MPOL_DEFAULT || p->mode == MPOL_LOCAL) && n)
		spec_fail(r, j, "invalid memory policy: mode requires 0 nodes but got %d", n);
	else if (p->mode != MPOL_DEFAULT && p->mode != MPOL_LOCAL && p->mode != MPOL_PREFERRED &&
		 !n)
		spec_fail(r, j, "invalid memory policy: mode requires at least 1 node but got 0");
	else if (node_flags == (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES))
		spec_fail(r, j,
			  "invalid memory policy: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES "
			  "exclude each other");
	else if (p->flags && !n)
		spec_fail(r, j, "invalid memory policy: flags without nodes");
}

void spec_read_memory_policy(struct spec_reading *r, const struct json *j, void *out,
			     const void *arg)
{
	struct spec_memory_policy *p = out;
	size_t before = r->errors->total;

	(void)arg;
	p->present = true;
	p->nodes = "";
	spec_read_fields(r, j, p, memory_policy_fields);
	if (r->errors->total != before)
		return;
	if (!spec_given(j, "mode"))
		spec_fail(r, j, "invalid memory policy mode: none is given");
	else
		check_memory_policy(r, j, p);
}

/* ---- linux.personality ---- */

static const struct name_number domains[] = {
	{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}, {NULL, 0}};

static void read_domain(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	typeof(((struct spec *)0)->personality) *personality = out;
	uint64_t number = 0;

	(void)arg;
	if (!read_name(r, j, domains, "expected LINUX or LINUX32", &number))
		return;
	personality->set = true;
	personality->v = (uint32_t)number;
}

/* The specification names no flag yet. */
static void read_no_flags(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	(void)out;
	(void)arg;
	if (spec_is(r, j, JSON_ARRAY, 64) && j->child)
		spec_fail(r, j, "no flag of a personality is defined");
}

static const struct spec_field personality_fields[] = {
	{"domain", read_domain, 0, NULL, SPEC_REQUIRED},
	{"flags", read_no_flags, 0, NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

void spec_read_personality(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	(void)arg;
	spec_read_fields(r, j, out, personality_fields);
}
