/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Would the kernel take this value? Told by what the machine has and by what the other limits are,
 * before there is a cgroup to write it into.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"
#include "kernel/sched.h"

#define PIDS_LIMIT   4194304 /* PID_MAX_LIMIT of the kernel */
#define MEMORY_PAGES 40	     /* what execve(2) alone takes: stack, page tables, the first pages */

static bool is_number(const struct cgroup_dry_write *w, const char *v1, const char *v2,
		      uint64_t *ret)
{
	return (str_eq(w->file, v1) || str_eq(w->file, v2)) &&
	       str_to_u64(w->value, 0, UINT64_MAX, ret) == 0;
}

/* The CPUs or memory nodes of the list @want that @h can give. Who cannot be read is not judged. */
static bool within(const struct cgroup_hierarchy *h, const char *file, const char *want)
{
	bool cpus = str_eq(file, "cpuset.cpus");
	char path[CGROUP_DIR_MAX + 32], text[4096];
	struct sched_cpus asked, have;

	if (h->v2)
		snprintf(path, sizeof(path), "/sys/devices/system/%s",
			 cpus ? "cpu/possible" : "node/has_memory");
	else
		snprintf(path, sizeof(path), "%s/%s", h->mount, file);
	if (io_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
	    sched_parse_cpus(text, &have) < 0 || sched_parse_cpus(want, &asked) < 0)
		return true;
	for (size_t i = 0; i < sizeof(asked.bits); i++)
		if (asked.bits[i] & ~have.bits[i])
			return false;
	return true;
}

/* "hugetlb.2MB.max": is it one of this kernel's sizes? */
static bool has_size(const char *file)
{
	const char *digits = file + strlen("hugetlb.");
	size_t n = strspn(digits, "0123456789");
	char path[64];
	uint64_t kb;

	if (strn_to_u64(digits, n, 0, UINT32_MAX, &kb) < 0)
		return true;
	kb <<= digits[n] == 'G' ? 20 : digits[n] == 'M' ? 10 : 0;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB", kb);
	return access("/sys/kernel/mm/hugepages", F_OK) < 0 || access(path, F_OK) == 0;
}

/* "8:0 …": is there such a block device? */
static bool has_device(const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%.*s", (int)strcspn(value, " "), value);
	return access("/sys/dev/block", F_OK) < 0 || access(path, F_OK) == 0;
}

/* "mlx5_0 …" */
static bool has_rdma(const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/infiniband/%.*s", (int)strcspn(value, " "), value);
	return access(path, F_OK) == 0;
}

/* "MAJOR:MINOR …": weights of all devices have no colon. */
static bool is_of_device(const struct cgroup_dry_write *w)
{
	return (str_starts(w->file, "blkio.") || str_starts(w->file, "io.")) &&
	       strchr(w->value, ':');
}

static bool root_has(const struct cgroup_dry_write *w, const char *file)
{
	char path[CGROUP_DIR_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", w->hierarchy->mount, file);
	return access(path, F_OK) == 0;
}

static bool has_bfq(const struct cgroup_dry_write *w, int model)
{
	return w->hierarchy->v2 ? model >= 0 && cgroup_has_file(model, "io.bfq.weight")
				: root_has(w, "blkio.bfq.io_service_bytes");
}

/* By bfq, or by what was before it in v1 and is beside it in v2. */
static bool has_weights(const struct cgroup_prospect *p, const struct cgroup_dry_write *w)
{
	int model = p->model[w->hierarchy - p->host->h];

	if (has_bfq(w, model))
		return true;
	if (!w->hierarchy->v2)
		return root_has(w, "blkio.leaf_weight");
	return model < 0 || !cgroup_has_file(model, "io.max") ||
	       cgroup_has_file(model, "io.weight");
}

/* A weight of one device, where the kernel has them for those of the bfq scheduler alone. */
static bool lacks_bfq(const struct cgroup_prospect *p, const struct cgroup_dry_write *w)
{
	char path[96], text[256];

	if (!w->bfq || !has_bfq(w, p->model[w->hierarchy - p->host->h]))
		return false;
	snprintf(path, sizeof(path), "/sys/dev/block/%.*s/queue/scheduler",
		 (int)strcspn(w->value, " "), w->value);
	return io_read_at(AT_FDCWD, path, text, sizeof(text)) > 0 && !strstr(text, "[bfq]");
}

/* What the cgroup above allows of realtime; one that is not made yet, nothing. */
static bool has_realtime(const struct cgroup_prospect *p, const struct cgroup_dry_write *w,
			 uint64_t want)
{
	char dir[CGROUP_DIR_MAX], path[CGROUP_DIR_MAX + 32], text[32];
	uint64_t have = 0;

	(void)cgroup_dir(w->hierarchy, p->path, dir);
	*strrchr(dir, '/') = '\0';
	snprintf(path, sizeof(path), "%s/cpu.rt_runtime_us", dir);
	if (io_read_at(AT_FDCWD, path, text, sizeof(text)) > 0)
		(void)str_to_u64(text, 0, UINT64_MAX, &have);
	return want <= have;
}

/* v1: the limit of memory and swap together lies above that of memory, which is none at first: that
 * is as many pages as a long has bytes for. */
static bool swaps_alone(const struct cgroup_prospect *p, const struct cgroup_dry_write *w)
{
	uint64_t n, page = (uint64_t)sysconf(_SC_PAGESIZE);

	return is_number(w, "memory.memsw.limit_in_bytes", "memory.memsw.limit_in_bytes", &n) &&
	       n / page < LONG_MAX / page &&
	       !(p->limits->memory_limit.set && p->limits->memory_limit.v > 0);
}

static bool bursts_above_quota(const struct cgroup_prospect *p, const struct cgroup_dry_write *w)
{
	const struct cgroup_limits *l = p->limits;
	uint64_t n;

	return is_number(w, "cpu.cfs_burst_us", "cpu.max.burst", &n) && l->cpu_quota.set &&
	       l->cpu_quota.v > 0 && n > (uint64_t)l->cpu_quota.v;
}

/* Limits that do not go with each other, or with those of the cgroup above. */
static int judge_relation(const struct cgroup_prospect *p, const struct cgroup_dry_write *w,
			  struct err *err)
{
	uint64_t n;

	if (swaps_alone(p, w)) {
		err_hint(err, "give the memory limit as well");
		return err_set(err, EINVAL,
			       "memory+swap limit: %s is less than no memory limit at all",
			       w->value);
	}
	if (bursts_above_quota(p, w)) {
		err_hint(err, "the burst may not be more than the quota");
		return err_set(err, EINVAL, "cpu burst: %s is more than the quota", w->value);
	}
	if (is_number(w, "cpu.rt_runtime_us", "cpu.rt_runtime_us", &n) && !has_realtime(p, w, n)) {
		err_hint(err, "give its parent cgroup a cpu.rt_runtime_us");
		return err_set(err, EINVAL, "cpu realtime runtime: the parent cgroup has not %s",
			       w->value);
	}
	return 0;
}

/* What no cgroup of this machine takes, said as the kernel will say it. */
static int judge_size(const struct cgroup_dry_write *w, struct err *err)
{
	uint64_t n;

	if (is_number(w, "memory.limit_in_bytes", "memory.max", &n) &&
	    n < MEMORY_PAGES * (uint64_t)sysconf(_SC_PAGESIZE)) {
		err_hint(err, "the smallest programs start with 1 MiB");
		return err_set(err, 0, "memory limit: %s bytes are less than any process takes",
			       w->value);
	}
	if (is_number(w, "pids.max", "pids.max", &n) && n > PIDS_LIMIT)
		return err_set(err, EINVAL, "pids limit: %s is more than the kernel's %d", w->value,
			       PIDS_LIMIT);
	if (str_starts(w->file, "cpuset.") && !within(w->hierarchy, w->file, w->value))
		return err_set(err, ERANGE, "%s: this machine does not have all of %s", w->file,
			       w->value);
	return 0;
}

static int judge_device(const struct cgroup_prospect *p, const struct cgroup_dry_write *w,
			struct err *err)
{
	if (w->bfq && !has_weights(p, w)) {
		err_hint(err, CGROUP_HINT_WEIGHTS);
		return err_kind(err, ERR_UNSUPPORTED, ENOENT, "no %s in this kernel", w->file);
	}
	if (is_of_device(w) && !has_device(w->value)) {
		err_hint(err, "lsblk(8) lists the block devices");
		return err_set(err, ENODEV, "%s: %s", w->file, w->value);
	}
	if (is_of_device(w) && lacks_bfq(p, w)) {
		err_hint(err, "its scheduler is not bfq, which alone knows weights");
		return err_set(err, EOPNOTSUPP, "%s: %s", w->file, w->value);
	}
	if (str_eq(w->file, "rdma.max") && !has_rdma(w->value)) {
		err_hint(err, "rdma(8) lists the devices: rdma link");
		return err_set(err, ENODEV, "%s: %s", w->file, w->value);
	}
	if (str_starts(w->file, "hugetlb.") && !has_size(w->file)) {
		err_hint(err, "the sizes of this kernel are in /sys/kernel/mm/hugepages");
		return err_kind(err, ERR_UNSUPPORTED, ENOENT, "no %s in this kernel", w->file);
	}
	return 0;
}

/* The files of v2 that hold one number, in whose place "max" may stand (cgroup-v2.rst), and what
 * the kernel says of one that lies beyond. */
static const struct {
	const char *file;
	int64_t min, max;
	bool unlimited;
	int beyond;
} numbers[] = {
	{"cgroup.freeze", 0, 1, false, -ERANGE},
	{"cgroup.max.depth", 0, INT32_MAX, true, -ERANGE},
	{"cgroup.max.descendants", 0, INT32_MAX, true, -ERANGE},
	{"cpu.idle", 0, 1, false, -EINVAL},
	{"cpu.max.burst", 0, INT64_MAX, false, -EINVAL},
	{"cpu.weight", 1, 10000, false, -ERANGE},
	{"cpu.weight.nice", -20, 19, false, -ERANGE},
	{"memory.oom.group", 0, 1, false, -EINVAL},
	{"pids.max", 0, INT64_MAX, true, -EINVAL},
};

static const char *const sizes[] = {"memory.high",     "memory.low",	   "memory.max",
				    "memory.min",      "memory.swap.high", "memory.swap.max",
				    "memory.zswap.max"};

/* "10M", as the kernel's memparse() reads it. */
static bool is_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits &&
	       (!text[digits] || (strchr("kKmMgGtTpPeE", text[digits]) && !text[digits + 1]));
}

static bool holds_size(const char *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (str_eq(file, sizes[i]))
			return true;
	return str_starts(file, "hugetlb.") && str_ends(file, ".max");
}

/* A value of /linux/resources/unified, which is written as it is. */
static int judge_text(const struct cgroup_dry_write *w, struct err *err)
{
	int64_t n;
	int r = 0;

	if (!w->hierarchy->v2 || !w->value[0] || strpbrk(w->value, " \n"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!str_eq(w->file, numbers[i].file) ||
		    (numbers[i].unlimited && str_eq(w->value, "max")))
			continue;
		r = str_to_i64(w->value, numbers[i].min, numbers[i].max, &n);
		/* To what is read without a sign, a sign is none of its characters. */
		if (r == -ERANGE && !(numbers[i].min > 0 && w->value[0] == '-'))
			r = numbers[i].beyond;
		else if (r < 0)
			r = -EINVAL;
	}
	if (holds_size(w->file) && !str_eq(w->value, "max") && !is_size(w->value))
		r = -EINVAL;
	return r < 0 ? err_set(err, -r, "write %.100s to %s", w->value, w->file) : 0;
}

int cgroup_judge(const struct cgroup_prospect *p, const struct cgroup_dry_write *w, struct err *err)
{
	int r = judge_relation(p, w, err);

	if (r == 0)
		r = judge_size(w, err);
	if (r == 0)
		r = judge_device(p, w, err);
	return r < 0 ? r : judge_text(w, err);
}
