/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the calling process is scheduled and where its memory and I/O rank: sched(7), ioprio_set(2),
 * set_mempolicy(2), personality(2). All of it is inherited by what it executes; the child calls it.
 */
#ifndef OAKUM_KERNEL_SCHED_H
#define OAKUM_KERNEL_SCHED_H

#include <stdbool.h>
#include <stdint.h>

struct err;

struct sched_request {
	const char *name; /* of the policy, for messages */
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period; /* nanoseconds */
	bool cpuset; /* the cgroup is limited to some CPUs: SCHED_DEADLINE then gets EPERM */
};

/* sched_setattr(2). Needs CAP_SYS_NICE for most of it. */
int sched_apply(const struct sched_request *q, struct err *err);

#define SCHED_CPUS 8192 /* the largest CONFIG_NR_CPUS */
struct sched_cpus {
	unsigned char bits[SCHED_CPUS / 8]; /* as sched_setaffinity(2) on a little-endian machine */
};

/* The bits of "0-3,7". 0, or -EINVAL: not such a list. Pure. */
int sched_parse_cpus(const char *list, struct sched_cpus *ret);

/* The CPUs that the calling thread runs on. 0 or -errno. */
int sched_pinned(struct sched_cpus *ret);

/* Run on these CPUs only. < 0 with @err where the cgroup or the machine has none of them. */
int sched_pin(const struct sched_cpus *cpus, struct err *err);

/* Run on every CPU that the cgroup allows, whatever the caller was pinned to. Best effort. */
void sched_unpin(void);

/* ioprio_set(2) for the process group of the caller; @name of the class is for messages. */
int ioprio_apply(int class, const char *name, int priority, struct err *err);

/* set_mempolicy(2) with the nodes of a list ("0-1,3", "": none). */
struct mempolicy_request {
	const char *name; /* of the mode, for messages */
	int mode;
	unsigned flags;
	const char *nodes;
};
int mempolicy_apply(const struct mempolicy_request *q, struct err *err);

int personality_apply(uint32_t persona, struct err *err);

#endif
