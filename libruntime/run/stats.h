/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container uses, asked of the kernel. Private to run/. */
#ifndef OAKUM_RUN_STATS_H
#define OAKUM_RUN_STATS_H

#include "kernel/cgroup_stat.h"
#include "kernel/netdev.h"
#include "kernel/rdt.h"
#include "run/lifecycle.h"

struct oakum_stats {
	struct arena arena;
	struct cgroup_stat cg;
	bool pure_v2; /* pressure is part of what runc prints */
	uint64_t time_ns;
	bool has_network;
	struct netdev_stat *interfaces;
	size_t n_interfaces;
	bool has_rdt;
	struct rdt_stat rdt;
	char *json;
};

/* Open the cgroup of @c; cgroup_close() in any case. 0, or < 0 with @err: there is none, or not any
 * more. */
int stats_open(struct oakum *o, const struct container *c, struct cgroup *cg, struct err *err);

/* 0 and *@ret; CGROUP_GONE: the container has ended; < 0 with @err. */
int stats_take(const struct container *c, const struct cgroup *cg, struct oakum_stats **ret,
	       struct err *err);

#endif
