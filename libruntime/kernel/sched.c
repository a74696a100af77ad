/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scheduling policy, CPUs, I/O priority, memory policy and personality of the calling process. */
#include "kernel/sched.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"

/* <linux/sched.h> clashes with <sched.h>; the second is Linux 6.12's. */
#define POLICY_DEADLINE	   6
#define POLICY_EXT	   7
#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_WHO_PGRP	   2
#define NODES		   1024 /* MAX_NUMNODES at most */
#define LIST_MAX	   (SCHED_CPUS - 1)

#define FLAGS_UTIL_CLAMP 0x60 /* _MIN and _MAX */

/* What the kernel says in one number, for each policy in other words. */
static int refused(const struct sched_request *q, int code, struct err *err)
{
	bool deadline = q->policy == POLICY_DEADLINE;

	if (code == EINVAL && q->policy == POLICY_EXT) {
		err_hint(err, "it takes Linux 6.12 with CONFIG_SCHED_CLASS_EXT");
		return err_kind(err, ERR_UNSUPPORTED, code, "sched_setattr: %s", q->name);
	}
	if (code == EOPNOTSUPP && (q->flags & FLAGS_UTIL_CLAMP)) {
		err_hint(err, "it takes Linux 5.3 with CONFIG_UCLAMP_TASK");
		return err_kind(err, ERR_UNSUPPORTED, code, "sched_setattr: utilization clamps");
	}
	if (code == EPERM)
		err_hint(err, deadline
				      ? "it needs CAP_SYS_NICE, and every CPU of its root domain"
				      : "it needs CAP_SYS_NICE, and a realtime policy on cgroup v1 "
					"some cpu.rt_runtime_us");
	else if (code == EINVAL && deadline)
		err_hint(err, "the period, or the deadline where there is none, must lie between "
			      "kernel.sched_deadline_period_min_us and _max_us");
	else if (code == EBUSY && deadline)
		err_hint(err, "so much of the CPUs is not left for deadlines "
			      "(kernel.sched_rt_runtime_us)");
	return err_set(err, code, "sched_setattr: %s", q->name);
}

int sched_apply(const struct sched_request *q, struct err *err)
{
	struct sched_attr a = {
		.size = sizeof(a),
		.sched_policy = q->policy,
		.sched_flags = q->flags,
		.sched_nice = q->nice,
		.sched_priority = q->priority,
		.sched_runtime = q->runtime,
		.sched_deadline = q->deadline,
		.sched_period = q->period,
	};

	if (syscall(SYS_sched_setattr, 0, &a, 0) == 0)
		return 0;
	if (errno == EPERM && q->cpuset) {
		err_hint(err, "leave /linux/resources/cpu/cpus out, or take another policy");
		return err_set(err, EPERM,
			       "process scheduler can't be used together with AllowedCPUs");
	}
	return refused(q, errno, err);
}

static bool list_number(const char **text, uint64_t *ret)
{
	size_t len = strspn(*text, "0123456789");

	if (strn_to_u64(*text, len, 0, LIST_MAX, ret) < 0)
		return false;
	*text += len;
	return true;
}

/* Calls for each range "A-B" of a list; -EINVAL where it is none or a number is not below @max. */
static int read_list(const char *text, unsigned char *bits, uint64_t max)
{
	uint64_t first, last;

	for (;;) {
		if (!list_number(&text, &first))
			return -EINVAL;
		last = first;
		if (*text == '-' && (text++, !list_number(&text, &last)))
			return -EINVAL;
		if (last < first || last >= max)
			return -EINVAL;
		for (uint64_t i = first; i <= last; i++)
			bits[i / 8] |= (unsigned char)(1u << (i % 8));
		if (*text == '\0')
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

int sched_parse_cpus(const char *list, struct sched_cpus *ret)
{
	struct sched_cpus cpus = {.bits = {0}};
	int r = read_list(list, cpus.bits, SCHED_CPUS);

	if (r == 0)
		*ret = cpus;
	return r;
}

/* The system call itself: the library's wrapper wants a set of its own size. */
static int set_affinity(const struct sched_cpus *cpus)
{
	return syscall(SYS_sched_setaffinity, 0, sizeof(cpus->bits), cpus->bits) < 0 ? -errno : 0;
}

int sched_pinned(struct sched_cpus *ret)
{
	struct sched_cpus cpus = {.bits = {0}};

	if (syscall(SYS_sched_getaffinity, 0, sizeof(cpus.bits), cpus.bits) < 0)
		return -errno;
	*ret = cpus;
	return 0;
}

int sched_pin(const struct sched_cpus *cpus, struct err *err)
{
	int r = set_affinity(cpus);

	if (r == -EINVAL)
		err_hint(err, "none of them is a CPU that the cgroup may use");
	return r < 0 ? err_set(err, -r, "set the CPU affinity") : 0;
}

void sched_unpin(void)
{
	struct sched_cpus all;

	memset(&all, 0xff, sizeof(all));
	(void)set_affinity(&all);
}

int ioprio_apply(int class, const char *name, int priority, struct err *err)
{
	int value = class << IOPRIO_CLASS_SHIFT | priority;

	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, 0, value) == 0)
		return 0;
	if (errno == EPERM)
		err_hint(err, "IOPRIO_CLASS_RT needs CAP_SYS_NICE");
	return err_set(err, errno, "ioprio_set: %s, priority %d", name, priority);
}

static const char *mode_since(const struct mempolicy_request *q)
{
	if (q->mode == 6) /* MPOL_WEIGHTED_INTERLEAVE */
		return "6.9";
	if (q->mode == 5) /* MPOL_PREFERRED_MANY */
		return q->flags & MPOL_F_NUMA_BALANCING ? "6.10" : "5.15";
	if (q->flags & MPOL_F_NUMA_BALANCING)
		return "5.12, and MPOL_BIND or MPOL_PREFERRED_MANY";
	return q->mode == MPOL_LOCAL ? "3.8" : "2.6.26";
}

int mempolicy_apply(const struct mempolicy_request *q, struct err *err)
{
	union {
		unsigned char bytes[NODES / 8];
		unsigned long words[NODES / 8 / sizeof(long)];
	} nodes = {.bytes = {0}};
	long r;

	if (*q->nodes && read_list(q->nodes, nodes.bytes, NODES) < 0) {
		err_hint(err, "/sys/devices/system/node/online has the nodes of this machine");
		return err_set(err, EINVAL, "invalid memory policy node \"%s\"", q->nodes);
	}
	/* The kernel takes one less than the number of bits that it is given. */
	r = syscall(SYS_set_mempolicy, q->mode | (int)q->flags, *q->nodes ? nodes.words : NULL,
		    *q->nodes ? NODES + 1 : 0);
	if (r == 0)
		return 0;
	if (errno == ENOSYS)
		return err_kind(err, ERR_UNSUPPORTED, ENOSYS,
				"set_mempolicy: this kernel has no NUMA (CONFIG_NUMA)");
	if (errno == EINVAL)
		err_hint(err,
			 "it has a node that this machine or cpuset does not have, or takes "
			 "Linux %s",
			 mode_since(q));
	return err_set(err, errno, "set_mempolicy: %s, nodes \"%s\"", q->name, q->nodes);
}

int personality_apply(uint32_t persona, struct err *err)
{
	return personality(persona) < 0 ? err_set(err, errno, "personality 0x%x", (unsigned)persona)
					: 0;
}
