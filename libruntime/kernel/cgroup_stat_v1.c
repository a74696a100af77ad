/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The statistics files of cgroup v1. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "kernel/cgroup_stat_internal.h"

#define NS_PER_S 1000000000ull

const char *const cgroup_stat_cpuset_names[CGROUP_STAT_CPUSET_COUNT] = {
	[CGROUP_STAT_CPU_EXCLUSIVE] = "cpu_exclusive",
	[CGROUP_STAT_MEM_HARDWALL] = "mem_hardwall",
	[CGROUP_STAT_MEM_EXCLUSIVE] = "mem_exclusive",
	[CGROUP_STAT_MEMORY_MIGRATE] = "memory_migrate",
	[CGROUP_STAT_MEMORY_SPREAD_PAGE] = "memory_spread_page",
	[CGROUP_STAT_MEMORY_SPREAD_SLAB] = "memory_spread_slab",
	[CGROUP_STAT_MEMORY_PRESSURE] = "memory_pressure",
	[CGROUP_STAT_SCHED_LOAD_BALANCE] = "sched_load_balance",
	[CGROUP_STAT_SCHED_RELAX_DOMAIN_LEVEL] = "sched_relax_domain_level",
};

void stat_v1_cpu(struct stat_reader *rd, struct cgroup_stat *s)
{
	const struct stat_key keys[] = {
		{"nr_periods", &s->cpu.periods, 1},
		{"nr_throttled", &s->cpu.throttled_periods, 1},
		{"throttled_time", &s->cpu.throttled_ns, 1},
	};

	stat_keys(rd, "cpu.stat", keys, ARRAY_SIZE(keys));
}

/* A line with a header, then "CPU USER SYSTEM" a CPU. */
static void read_modes(struct stat_reader *rd, struct cgroup_stat_cpu *cpu)
{
	char *text = stat_text(rd, "cpuacct.usage_all"), *line;
	uint64_t number, user, system;

	while ((line = stat_line(&text))) {
		if (stat_parse(&line, &number) < 0 || stat_parse(&line, &user) < 0 ||
		    stat_parse(&line, &system) < 0)
			continue;
		(void)stat_add(rd, &cpu->percpu_user, user);
		(void)stat_add(rd, &cpu->percpu_kernel, system);
	}
}

void stat_v1_cpuacct(struct stat_reader *rd, struct cgroup_stat *s)
{
	uint64_t tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK), v;
	const struct stat_key keys[] = {
		{"user", &s->cpu.user, tick},
		{"system", &s->cpu.kernel, tick},
	};
	char *text;

	stat_keys(rd, "cpuacct.stat", keys, ARRAY_SIZE(keys));
	s->cpu.total = stat_number(rd, "cpuacct.usage");
	text = stat_text(rd, "cpuacct.usage_percpu");
	while (stat_parse(&text, &v) == 0)
		(void)stat_add(rd, &s->cpu.percpu, v);
	read_modes(rd, &s->cpu);
}

void stat_v1_cpuset(struct stat_reader *rd, struct cgroup_stat *s)
{
	stat_cpus(rd, "cpuset.cpus", &s->cpuset.cpus);
	stat_cpus(rd, "cpuset.mems", &s->cpuset.mems);
	for (size_t i = 0; i < CGROUP_STAT_CPUSET_COUNT; i++) {
		char name[64], *text;

		snprintf(name, sizeof(name), "cpuset.%s", cgroup_stat_cpuset_names[i]);
		text = stat_text(rd, name);
		text[strcspn(text, "\n")] = '\0';
		(void)str_to_i64(text, INT64_MIN, INT64_MAX, &s->cpuset.value[i]);
	}
}

static void read_entry(struct stat_reader *rd, const char *prefix,
		       struct cgroup_stat_memory_entry *ret)
{
	ret->limit = stat_number_of(rd, prefix, ".limit_in_bytes");
	ret->usage = stat_number_of(rd, prefix, ".usage_in_bytes");
	ret->max = stat_number_of(rd, prefix, ".max_usage_in_bytes");
	ret->failcnt = stat_number_of(rd, prefix, ".failcnt");
}

void stat_v1_memory(struct stat_reader *rd, struct cgroup_stat *s)
{
	stat_memory(rd, "cache", &s->memory);
	read_entry(rd, "memory", &s->memory.usage);
	read_entry(rd, "memory.memsw", &s->memory.swap);
	read_entry(rd, "memory.kmem", &s->memory.kernel);
	read_entry(rd, "memory.kmem.tcp", &s->memory.kernel_tcp);
}

/* "8:0 Read 1282048", "8:0 6792"; the sum in the last line, "Total 3477504", is left out. */
static void read_io(struct stat_reader *rd, const char *prefix, const char *name,
		    const char *suffix, struct cgroup_stat_ios *ret)
{
	char file[NAME_MAX + 1], *text, *line;

	snprintf(file, sizeof(file), "%s%s%s", prefix, name, suffix);
	text = stat_text(rd, file);
	while ((line = stat_line(&text))) {
		struct cgroup_stat_io_entry e = {.op = ""}, *more;
		char *value;

		if (stat_parse(&line, &e.major) < 0 || stat_parse(&line, &e.minor) < 0)
			continue;
		value = strchr(line, ' ');
		if (value) {
			*value++ = '\0';
			e.op = line;
		} else {
			value = line;
		}
		if (stat_parse(&value, &e.value) < 0)
			continue;
		more = stat_grow(rd, ret->v, &ret->n, sizeof(*ret->v));
		if (!more)
			return;
		ret->v = more;
		more[ret->n - 1] = e;
	}
}

/* Who does the accounting depends on the scheduler and on the kernel: the first that has some. */
void stat_v1_io(struct stat_reader *rd, struct cgroup_stat *s)
{
	static const char *const names[CGROUP_STAT_IO_COUNT] = {
		[CGROUP_STAT_IO_BYTES] = "io_service_bytes",
		[CGROUP_STAT_IO_SERVICED] = "io_serviced",
		[CGROUP_STAT_IO_QUEUED] = "io_queued",
		[CGROUP_STAT_IO_SERVICE_TIME] = "io_service_time",
		[CGROUP_STAT_IO_WAIT_TIME] = "io_wait_time",
		[CGROUP_STAT_IO_MERGED] = "io_merged",
		[CGROUP_STAT_IO_TIME] = "time",
		[CGROUP_STAT_IO_SECTORS] = "sectors",
	};
	static const struct {
		const char *prefix, *suffix;
	} sources[] = {
		{"blkio.bfq.", "_recursive"},
		{"blkio.", "_recursive"},
		{"blkio.throttle.", "_recursive"},
		{"blkio.throttle.", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sources) && !s->io.kind[CGROUP_STAT_IO_SERVICED].n; i++)
		for (size_t k = 0; k < CGROUP_STAT_IO_COUNT; k++) {
			s->io.kind[k] = (struct cgroup_stat_ios){.n = 0};
			read_io(rd, sources[i].prefix, names[k], sources[i].suffix, &s->io.kind[k]);
		}
}

void stat_v1_hugepage(struct stat_reader *rd, const char *base, struct cgroup_stat_hugepage *ret)
{
	const char *reserved = arena_printf(rd->arena, "%s.rsvd", base);

	/* What is reserved counts from Linux 5.7 on. */
	if (reserved && stat_number_of(rd, reserved, ".limit_in_bytes"))
		base = reserved;
	ret->usage = stat_number_of(rd, base, ".usage_in_bytes");
	ret->max = stat_number_of(rd, base, ".max_usage_in_bytes");
	ret->failcnt = stat_number_of(rd, base, ".failcnt");
}
