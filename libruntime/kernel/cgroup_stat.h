/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a cgroup has used and may use: cgroup_stat.c chooses, cgroup_stat_v1.c and cgroup_stat_v2.c
 * know the files. A controller that is not there leaves zeroes, as does a file that this kernel
 * lacks.
 */
#ifndef OAKUM_KERNEL_CGROUP_STAT_H
#define OAKUM_KERNEL_CGROUP_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct cgroup;
struct err;

#define CGROUP_STAT_MAX UINT64_MAX /* "max": no limit */

struct cgroup_stat_list {
	uint64_t *v;
	size_t n;
};

/* Pressure stall information: percent in hundredths, and microseconds. */
struct cgroup_stat_pressure {
	bool known;
	struct cgroup_stat_stall {
		uint32_t avg10, avg60, avg300;
		uint64_t total;
	} some, full;
};

struct cgroup_stat_cpu {
	uint64_t total, kernel, user; /* ns */
	struct cgroup_stat_list percpu, percpu_kernel, percpu_user;
	uint64_t periods, throttled_periods, throttled_ns;
	struct cgroup_stat_pressure pressure;
};

/* Switches of v1's cpusets. */
enum {
	CGROUP_STAT_CPU_EXCLUSIVE,
	CGROUP_STAT_MEM_HARDWALL,
	CGROUP_STAT_MEM_EXCLUSIVE,
	CGROUP_STAT_MEMORY_MIGRATE,
	CGROUP_STAT_MEMORY_SPREAD_PAGE,
	CGROUP_STAT_MEMORY_SPREAD_SLAB,
	CGROUP_STAT_MEMORY_PRESSURE,
	CGROUP_STAT_SCHED_LOAD_BALANCE,
	CGROUP_STAT_SCHED_RELAX_DOMAIN_LEVEL,
	CGROUP_STAT_CPUSET_COUNT
};
/* "cpu_exclusive" */
extern const char *const cgroup_stat_cpuset_names[CGROUP_STAT_CPUSET_COUNT];

struct cgroup_stat_cpuset {
	struct cgroup_stat_list cpus, mems;
	int64_t value[CGROUP_STAT_CPUSET_COUNT];
};

struct cgroup_stat_memory_entry {
	uint64_t limit, usage, max, failcnt;
};

struct cgroup_stat_named {
	const char *name;
	uint64_t value;
};

struct cgroup_stat_memory {
	uint64_t cache;
	struct cgroup_stat_memory_entry usage, swap, kernel, kernel_tcp; /* swap: with memory */
	struct cgroup_stat_named *raw; /* all of memory.stat, sorted by name */
	size_t n_raw;
	struct cgroup_stat_pressure pressure;
};

enum cgroup_stat_io_kind {
	CGROUP_STAT_IO_BYTES,
	CGROUP_STAT_IO_SERVICED,
	CGROUP_STAT_IO_QUEUED,
	CGROUP_STAT_IO_SERVICE_TIME,
	CGROUP_STAT_IO_WAIT_TIME,
	CGROUP_STAT_IO_MERGED,
	CGROUP_STAT_IO_TIME,
	CGROUP_STAT_IO_SECTORS,
	CGROUP_STAT_IO_COUNT
};

struct cgroup_stat_io_entry {
	uint64_t major, minor;
	const char *op; /* "Read"; "" */
	uint64_t value;
};

struct cgroup_stat_io {
	struct cgroup_stat_ios {
		struct cgroup_stat_io_entry *v;
		size_t n;
	} kind[CGROUP_STAT_IO_COUNT];
	struct cgroup_stat_pressure pressure;
};

struct cgroup_stat_hugepage {
	const char *size; /* "2MB" */
	uint64_t usage, max, failcnt;
};

struct cgroup_stat_rdma {
	const char *device;
	uint64_t handles, objects; /* CGROUP_STAT_MAX */
};

struct cgroup_stat {
	struct cgroup_stat_cpu cpu;
	struct cgroup_stat_cpuset cpuset;
	struct cgroup_stat_memory memory;
	uint64_t pids, pids_limit; /* CGROUP_STAT_MAX */
	struct cgroup_stat_io io;
	struct cgroup_stat_hugepage *hugepages; /* sorted by size as text */
	size_t n_hugepages;
	struct cgroup_stat_rdma *rdma_current, *rdma_limit;
	size_t n_rdma_current, n_rdma_limit;
};

/* Read all of it into @arena. 0, CGROUP_GONE, or < 0 with @err. */
int cgroup_stat(const struct cgroup *cg, struct arena *arena, struct cgroup_stat *ret,
		struct err *err);

/*
 * OOM kills in a cgroup and below, counted by the kernel: v1 memory.oom_control (Linux 4.13), for
 * sub-cgroups that are still there; v2 memory.events.
 */
struct cgroup_oom {
	int dir;   /* the memory directory, a descriptor of its own */
	int file;  /* to be polled in v2 (POLLPRI), and read */
	int event; /* v1: eventfd, readable when memory has run out: a kill is about to follow; -1
		    */
	/* v2, where others remove the cgroup as soon as it is empty; or -1 */
	int above;   /* the parent's memory.events */
	int emptied; /* cgroup.events, to be polled (POLLPRI, by edge: nobody reads it) */
};

#define CGROUP_OOM_INIT                                                                            \
	((struct cgroup_oom){.dir = -1, .file = -1, .event = -1, .above = -1, .emptied = -1})

/* 0; CGROUP_GONE: no memory controller, or no such cgroup; < 0 with @err. @flags: open ->event, or
 * ->above and ->emptied, as well. */
enum { CGROUP_OOM_NOTIFY = 1 << 0, CGROUP_OOM_MANAGED = 1 << 1 };
int cgroup_oom_open(const struct cgroup *cg, unsigned flags, struct cgroup_oom *ret,
		    struct err *err);
void cgroup_oom_close(struct cgroup_oom *w);

/* 0 and *@ret; CGROUP_GONE: the cgroup has been removed; -errno. */
int cgroup_oom_kills(const struct cgroup_oom *w, uint64_t *ret);

/* The same of the parent: of everything below it, also of what has been removed, if
 * cgroup_oom_counts_below(): v2 is not mounted with memory_localevents. */
int cgroup_oom_kills_above(const struct cgroup_oom *w, uint64_t *ret);
bool cgroup_oom_counts_below(void);

/* v1: is somebody waiting for memory while the OOM killer is switched off? */
bool cgroup_oom_is_stuck(const struct cgroup_oom *w);

#endif
