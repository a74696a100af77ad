/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limit files of cgroup v1, and those that both versions have. As in runc, 0 stands for "not
 * asked for" where 0 cannot be meant: memory, shares, period, quota.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "kernel/cgroup_internal.h"

static struct cgroup_write *add_i64(struct cgroup_writes *ws, int dir, const char *limit,
				    const char *file, int64_t v)
{
	struct cgroup_write *w = cgroup_writes_add(ws, dir, limit, file);

	snprintf(w->value, sizeof(w->value), "%" PRId64, v);
	return w;
}

static struct cgroup_write *add_u64(struct cgroup_writes *ws, int dir, const char *limit,
				    const char *file, uint64_t v)
{
	struct cgroup_write *w = cgroup_writes_add(ws, dir, limit, file);

	snprintf(w->value, sizeof(w->value), "%" PRIu64, v);
	return w;
}

int cgroup_v1_memory(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		     struct err *err)
{
	bool unlimited = l->memory_limit.set && l->memory_limit.v == -1;

	(void)err;
	if (l->memory_limit.set && l->memory_limit.v)
		add_i64(ws, dir, "memory limit", "memory.limit_in_bytes", l->memory_limit.v);
	/* An unlimited memory under a limited sum of memory and swap cannot be. */
	if (l->memory_swap.set ? l->memory_swap.v != 0 : unlimited) {
		int64_t v = l->memory_swap.set ? l->memory_swap.v : -1;

		add_i64(ws, dir, "memory+swap limit", "memory.memsw.limit_in_bytes", v)
			->if_present = v == -1;
	}
	if (l->memory_reservation.set && l->memory_reservation.v)
		add_i64(ws, dir, "memory reservation", "memory.soft_limit_in_bytes",
			l->memory_reservation.v);
	if (l->memory_swappiness.set)
		add_u64(ws, dir, "memory swappiness", "memory.swappiness", l->memory_swappiness.v);
	if (l->memory_disable_oom_killer.set)
		add_u64(ws, dir, "OOM killer switch", "memory.oom_control",
			l->memory_disable_oom_killer.v);
	return 0;
}

int cgroup_v1_cpu(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l, struct err *err)
{
	(void)err;
	if (l->cpu_shares.set && l->cpu_shares.v)
		add_u64(ws, dir, "cpu shares", "cpu.shares", l->cpu_shares.v);
	if (l->cpu_period.set && l->cpu_period.v)
		add_u64(ws, dir, "cpu period", "cpu.cfs_period_us", l->cpu_period.v);
	if (l->cpu_quota.set && l->cpu_quota.v)
		add_i64(ws, dir, "cpu quota", "cpu.cfs_quota_us", l->cpu_quota.v);
	if (l->cpu_burst.set)
		add_u64(ws, dir, "cpu burst", "cpu.cfs_burst_us", l->cpu_burst.v)->if_present =
			l->cpu_burst.v == 0;
	if (l->cpu_idle.set)
		add_i64(ws, dir, "cpu idle", "cpu.idle", l->cpu_idle.v);
	return 0;
}

int cgroup_any_cpuset(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		      struct err *err)
{
	(void)err;
	if (l->cpuset_cpus)
		cgroup_writes_add(ws, dir, "cpuset cpus", "cpuset.cpus")->text = l->cpuset_cpus;
	if (l->cpuset_mems)
		cgroup_writes_add(ws, dir, "cpuset mems", "cpuset.mems")->text = l->cpuset_mems;
	return 0;
}

int cgroup_any_pids(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		    struct err *err)
{
	int64_t v = l->pids_limit.v;

	(void)err;
	if (v < 0)
		cgroup_writes_add(ws, dir, "pids limit", "pids.max")->text = "max";
	else
		add_i64(ws, dir, "pids limit", "pids.max", v ? v : 1);
	return 0;
}

/* cpuset.cpus and cpuset.mems of one directory: what is empty is taken from @have, what is not goes
 * there. */
static int fill_one(const char *dir, const char *file, char *have, size_t size)
{
	char name[CGROUP_DIR_MAX + 32], text[4096];
	ssize_t n;

	snprintf(name, sizeof(name), "%s/%s", dir, file);
	n = io_read_at(AT_FDCWD, name, text, sizeof(text));
	if (n < 0)
		return (int)n;
	if (n > 0) {
		memcpy(have, text, (size_t)n + 1 < size ? (size_t)n + 1 : size);
		return 0;
	}
	return have[0] ? io_write_at(AT_FDCWD, name, have) : -ENOSPC;
}

static bool is_filled(const char *dir)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	char name[CGROUP_DIR_MAX + 32], text[4096];

	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s/%s", dir, files[i]);
		if (io_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
			return false;
	}
	return true;
}

int cgroup_v1_fill_cpuset(const char *dir, size_t mount_len)
{
	char part[CGROUP_DIR_MAX], cpus[4096] = "", mems[4096] = "";
	size_t len = strlen(dir);

	if (is_filled(dir))
		return 0;
	memcpy(part, dir, len + 1);
	for (size_t end = mount_len; end <= len; end++) {
		int r;

		if (dir[end] != '/' && dir[end] != '\0')
			continue;
		part[end] = '\0';
		r = fill_one(part, "cpuset.cpus", cpus, sizeof(cpus));
		if (r == 0)
			r = fill_one(part, "cpuset.mems", mems, sizeof(mems));
		if (r < 0)
			return r;
		part[end] = dir[end];
	}
	return 0;
}
