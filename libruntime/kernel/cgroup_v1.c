/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limit files of cgroup v1, and those that both versions have. As in runc, 0 stands for "not
 * asked for" where 0 cannot be meant: memory, shares, period, quota.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

static struct cgroup_write *add_i64(struct cgroup_writes *ws, int dir, struct cgroup_what what,
				    const char *file, int64_t v)
{
	struct cgroup_write *w = cgroup_writes_add(ws, dir, what, file);

	snprintf(w->value, sizeof(w->value), "%" PRId64, v);
	return w;
}

static struct cgroup_write *add_u64(struct cgroup_writes *ws, int dir, struct cgroup_what what,
				    const char *file, uint64_t v)
{
	struct cgroup_write *w = cgroup_writes_add(ws, dir, what, file);

	snprintf(w->value, sizeof(w->value), "%" PRIu64, v);
	return w;
}

int cgroup_v1_memory(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		     struct err *err)
{
	bool unlimited = l->memory_limit.set && l->memory_limit.v == -1;

	(void)err;
	if (l->memory_limit.set && l->memory_limit.v)
		add_i64(ws, dir, WHAT("memory limit", "limit"), "memory.limit_in_bytes",
			l->memory_limit.v);
	/* An unlimited memory under a limited sum of memory and swap cannot be. */
	if (l->memory_swap.set ? l->memory_swap.v != 0 : unlimited) {
		int64_t v = l->memory_swap.set ? l->memory_swap.v : -1;

		add_i64(ws, dir, WHAT("memory+swap limit", "swap"), "memory.memsw.limit_in_bytes",
			v)
			->if_present = v == -1;
	}
	if (l->memory_reservation.set && l->memory_reservation.v)
		add_i64(ws, dir, WHAT("memory reservation", "reservation"),
			"memory.soft_limit_in_bytes", l->memory_reservation.v);
	if (l->memory_swappiness.set)
		add_u64(ws, dir, WHAT("memory swappiness", "swappiness"), "memory.swappiness",
			l->memory_swappiness.v);
	if (l->memory_disable_oom_killer.set)
		add_u64(ws, dir, WHAT("OOM killer switch", "disableOOMKiller"),
			"memory.oom_control", l->memory_disable_oom_killer.v);
	return 0;
}

int cgroup_v1_cpu(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l, struct err *err)
{
	(void)err;
	if (l->cpu_shares.set && l->cpu_shares.v)
		add_u64(ws, dir, WHAT("cpu shares", "shares"), "cpu.shares", l->cpu_shares.v);
	if (l->cpu_period.set && l->cpu_period.v)
		add_u64(ws, dir, WHAT("cpu period", "period"), "cpu.cfs_period_us",
			l->cpu_period.v);
	if (l->cpu_quota.set && l->cpu_quota.v)
		add_i64(ws, dir, WHAT("cpu quota", "quota"), "cpu.cfs_quota_us", l->cpu_quota.v);
	if (l->cpu_burst.set)
		add_u64(ws, dir, WHAT("cpu burst", "burst"), "cpu.cfs_burst_us", l->cpu_burst.v)
			->if_present = l->cpu_burst.v == 0;
	if (l->cpu_idle.set)
		add_i64(ws, dir, WHAT("cpu idle", "idle"), "cpu.idle", l->cpu_idle.v);
	if (l->cpu_rt_period.set && l->cpu_rt_period.v)
		add_u64(ws, dir, WHAT("cpu realtime period", "realtimePeriod"), "cpu.rt_period_us",
			l->cpu_rt_period.v);
	if (l->cpu_rt_runtime.set && l->cpu_rt_runtime.v)
		add_i64(ws, dir, WHAT("cpu realtime runtime", "realtimeRuntime"),
			"cpu.rt_runtime_us", l->cpu_rt_runtime.v);
	return 0;
}

int cgroup_any_cpuset(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		      struct err *err)
{
	(void)err;
	if (l->cpuset_cpus)
		cgroup_writes_add(ws, dir, WHAT("cpuset cpus", "cpus"), "cpuset.cpus")->text =
			l->cpuset_cpus;
	if (l->cpuset_mems)
		cgroup_writes_add(ws, dir, WHAT("cpuset mems", "mems"), "cpuset.mems")->text =
			l->cpuset_mems;
	return 0;
}

int cgroup_any_pids(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		    struct err *err)
{
	int64_t v = l->pids_limit.v;

	(void)err;
	if (v < 0)
		cgroup_writes_add(ws, dir, WHAT("pids limit", "limit"), "pids.max")->text = "max";
	else
		add_i64(ws, dir, WHAT("pids limit", "limit"), "pids.max", v ? v : 1);
	return 0;
}

/* The reservation counts what is mapped, the limit what is used; kernels before 5.7 have the latter
 * only. */
int cgroup_any_hugetlb(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		       struct err *err)
{
	(void)err;
	for (size_t i = 0; i < l->n_hugepages; i++) {
		const struct cgroup_hugepage *h = &l->hugepages[i];
		struct cgroup_write *w = cgroup_writes_add_named(
			ws, dir, WHAT("huge page limit", NULL),
			ws->v2 ? "hugetlb.%s.max" : "hugetlb.%s.limit_in_bytes", h->size);

		snprintf(w->value, sizeof(w->value), "%" PRIu64, h->limit);
		w = cgroup_writes_add_named(
			ws, dir, WHAT("huge page reservation", NULL),
			ws->v2 ? "hugetlb.%s.rsvd.max" : "hugetlb.%s.rsvd.limit_in_bytes", h->size);
		snprintf(w->value, sizeof(w->value), "%" PRIu64, h->limit);
		w->if_present = true;
	}
	return 0;
}

int cgroup_any_rdma(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		    struct err *err)
{
	(void)err;
	for (size_t i = 0; i < l->n_rdma; i++) {
		const struct cgroup_rdma *d = &l->rdma[i];
		struct cgroup_write *w =
			cgroup_writes_add(ws, dir, WHAT("rdma limit", NULL), "rdma.max");
		struct strbuf b;

		strbuf_init(&b, w->value, sizeof(w->value));
		strbuf_add(&b, d->device);
		if (d->handles.set)
			strbuf_fmt(&b, " hca_handle=%" PRIu32, d->handles.v);
		if (d->objects.set)
			strbuf_fmt(&b, " hca_object=%" PRIu32, d->objects.v);
	}
	return 0;
}

int cgroup_v1_net_class(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
			struct err *err)
{
	(void)err;
	add_u64(ws, dir, WHAT("network class", NULL), "net_cls.classid", l->net_class.v);
	return 0;
}

int cgroup_v1_net_priorities(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
			     struct err *err)
{
	(void)err;
	for (size_t i = 0; i < l->n_net_priorities; i++) {
		const struct cgroup_net_priority *p = &l->net_priorities[i];
		struct cgroup_write *w = cgroup_writes_add(ws, dir, WHAT("network priority", NULL),
							   "net_prio.ifpriomap");

		snprintf(w->value, sizeof(w->value), "%.64s %" PRIu32, p->name, p->priority);
	}
	return 0;
}

struct cpuset_file {
	const char *name;
	char text[4096];
};

/* The file's text from @dir, 0; or -ENODATA: it is empty, and ->text has still what the parent's
 * was. */
static int read_cpuset(const char *dir, struct cpuset_file *f)
{
	char path[CGROUP_DIR_MAX + 32], text[sizeof(f->text)];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, f->name);
	n = io_read_at(AT_FDCWD, path, text, sizeof(text));
	if (n <= 0)
		return n < 0 ? (int)n : -ENODATA;
	memcpy(f->text, text, (size_t)n + 1);
	return 0;
}

static int write_cpuset(const char *dir, const struct cpuset_file *f)
{
	char path[CGROUP_DIR_MAX + 32];

	if (!f->text[0])
		return -ENOSPC;
	snprintf(path, sizeof(path), "%s/%s", dir, f->name);
	return io_write_at(AT_FDCWD, path, f->text);
}

/* The parents of @part, of which each one is cut off at a slash for a moment, top down. */
static int fill_parents(char *part, size_t mount_len, struct cpuset_file files[2])
{
	size_t len = strlen(part);

	for (size_t end = mount_len; end < len; end++) {
		int r = 0;

		if (part[end] != '/')
			continue;
		part[end] = '\0';
		for (int i = 0; i < 2 && r == 0; i++) {
			r = read_cpuset(part, &files[i]);
			if (r == -ENODATA)
				r = write_cpuset(part, &files[i]);
		}
		part[end] = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_v1_fill_cpuset(const char *dir, size_t mount_len)
{
	struct cpuset_file files[2] = {{.name = "cpuset.cpus"}, {.name = "cpuset.mems"}};
	char part[CGROUP_DIR_MAX];
	bool empty[2];
	int r = 0;

	for (int i = 0; i < 2; i++) {
		r = read_cpuset(dir, &files[i]);
		if (r < 0 && r != -ENODATA)
			return r;
		empty[i] = r == -ENODATA;
		files[i].text[0] = '\0';
	}
	if (!empty[0] && !empty[1])
		return 0;
	memcpy(part, dir, strlen(dir) + 1);
	r = fill_parents(part, mount_len, files);
	for (int i = 0; i < 2 && r == 0; i++)
		if (empty[i])
			r = write_cpuset(dir, &files[i]);
	return r;
}
