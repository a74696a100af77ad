/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The statistics files of cgroup v2, told in v1's terms as runc does: times in nanoseconds, swap
 * together with memory, I/O as operations. */
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "kernel/cgroup_stat_internal.h"

#define NS_PER_US 1000

void stat_v2_cpu(struct stat_reader *rd, struct cgroup_stat *s)
{
	const struct stat_key keys[] = {
		{"usage_usec", &s->cpu.total, NS_PER_US},
		{"user_usec", &s->cpu.user, NS_PER_US},
		{"system_usec", &s->cpu.kernel, NS_PER_US},
		{"nr_periods", &s->cpu.periods, 1},
		{"nr_throttled", &s->cpu.throttled_periods, 1},
		{"throttled_usec", &s->cpu.throttled_ns, NS_PER_US},
	};

	stat_keys(rd, "cpu.stat", keys, ARRAY_SIZE(keys));
}

static void read_entry(struct stat_reader *rd, const char *prefix,
		       struct cgroup_stat_memory_entry *ret)
{
	ret->usage = stat_number_of(rd, prefix, ".current");
	ret->limit = stat_number_of(rd, prefix, ".max");
	ret->max = stat_number_of(rd, prefix, ".peak"); /* Linux 5.19; of swap 6.5 */
}

void stat_v2_memory(struct stat_reader *rd, struct cgroup_stat *s)
{
	struct cgroup_stat_memory *m = &s->memory;

	stat_memory(rd, "file", m);
	if (!m->n_raw)
		return;
	read_entry(rd, "memory", &m->usage);
	read_entry(rd, "memory.swap", &m->swap);
	m->swap.usage += m->usage.usage;
	if (m->swap.limit != CGROUP_STAT_MAX && m->usage.limit != CGROUP_STAT_MAX)
		m->swap.limit += m->usage.limit;
	else
		m->swap.limit = CGROUP_STAT_MAX;
	/* Two peaks need not have been at one time. */
	m->swap.max = 0;
}

/* "8:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=0 dios=0" */
void stat_v2_io(struct stat_reader *rd, struct cgroup_stat *s)
{
	static const struct {
		const char *name, *op;
		enum cgroup_stat_io_kind kind;
	} fields[] = {
		{"rbytes=", "Read", CGROUP_STAT_IO_BYTES},
		{"wbytes=", "Write", CGROUP_STAT_IO_BYTES},
		{"rios=", "Read", CGROUP_STAT_IO_SERVICED},
		{"wios=", "Write", CGROUP_STAT_IO_SERVICED},
	};
	char *text = stat_text(rd, "io.stat"), *line, *word;

	while ((line = stat_line(&text))) {
		struct cgroup_stat_io_entry e = {.op = ""};

		if (stat_parse(&line, &e.major) < 0 || stat_parse(&line, &e.minor) < 0)
			continue;
		while ((word = strsep(&line, " ")))
			for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
				struct cgroup_stat_ios *l = &s->io.kind[fields[i].kind];
				char *value = word + strlen(fields[i].name);
				struct cgroup_stat_io_entry *more;

				if (!str_starts(word, fields[i].name) ||
				    stat_parse(&value, &e.value) < 0)
					continue;
				more = stat_grow(rd, l->v, &l->n, sizeof(*l->v));
				if (!more)
					return;
				l->v = more;
				e.op = fields[i].op;
				more[l->n - 1] = e;
			}
	}
}

void stat_v2_hugepage(struct stat_reader *rd, const char *base, struct cgroup_stat_hugepage *ret)
{
	const struct stat_key keys[] = {{"max", &ret->failcnt, 1}};
	const char *events = arena_printf(rd->arena, "%s.events", base);
	const char *reserved = arena_printf(rd->arena, "%s.rsvd", base);

	if (!events || !reserved)
		return;
	stat_keys(rd, events, keys, ARRAY_SIZE(keys));
	ret->usage = stat_number_of(
		rd,
		cgroup_has_file(rd->dir, arena_printf(rd->arena, "%s.current", reserved)) ? reserved
											  : base,
		".current");
}
