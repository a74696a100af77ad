/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "linux.resources" as requests to the cgroup, the same for create and update. Device rules are in
 * plan_cgroup.c. */
#include <errno.h>

#include "base/str.h"
#include "run/plan.h"

#define COPY(to, from)                                                                             \
	do {                                                                                       \
		(to).set = (from).set;                                                             \
		(to).v = (from).v;                                                                 \
	} while (0)

/* 0 has no meaning for these: engines write it for "not set", and runc reads it so. */
#define COPY_NONZERO(to, from)                                                                     \
	do {                                                                                       \
		(to).set = (from).set && (from).v != 0;                                            \
		(to).v = (from).v;                                                                 \
	} while (0)

static void copy_numbers(const struct spec_resources *r, struct cgroup_limits *l)
{
	COPY_NONZERO(l->memory_limit, r->memory_limit);
	COPY_NONZERO(l->memory_reservation, r->memory_reservation);
	COPY_NONZERO(l->memory_swap, r->memory_swap);
	COPY(l->memory_swappiness, r->memory_swappiness);
	COPY(l->memory_disable_oom_killer, r->memory_disable_oom_killer);
	l->memory_check = r->memory_check_before_update.set && r->memory_check_before_update.v;
	COPY_NONZERO(l->cpu_shares, r->cpu_shares);
	COPY_NONZERO(l->cpu_period, r->cpu_period);
	COPY(l->cpu_burst, r->cpu_burst);
	COPY_NONZERO(l->cpu_quota, r->cpu_quota);
	COPY(l->cpu_idle, r->cpu_idle);
	COPY_NONZERO(l->cpu_rt_runtime, r->cpu_rt_runtime);
	COPY_NONZERO(l->cpu_rt_period, r->cpu_rt_period);
	COPY(l->pids_limit, r->pids_limit);
	l->cpuset_cpus = r->cpuset_cpus;
	l->cpuset_mems = r->cpuset_mems;
	COPY_NONZERO(l->io_weight, r->io.weight);
	COPY_NONZERO(l->io_leaf_weight, r->io.leaf_weight);
	COPY_NONZERO(l->net_class, r->net_class);
}

static bool copy_io(const struct spec_io *io, struct cgroup_limits *l, struct arena *arena)
{
	struct cgroup_io_weight *weights = arena_array(arena, io->n_weights + 1, sizeof(*weights));
	struct cgroup_io_rate *rates;
	size_t n = 0;

	for (int kind = 0; kind < SPEC_IO_COUNT; kind++)
		n += io->rates[kind].n;
	rates = arena_array(arena, n + 1, sizeof(*rates));
	if (!weights || !rates)
		return false;
	for (size_t i = 0; i < io->n_weights; i++) {
		const struct spec_io_weight *w = &io->weights[i];

		weights[i] = (struct cgroup_io_weight){(uint32_t)w->major, (uint32_t)w->minor,
						       w->weight.v, w->leaf_weight.v};
	}
	l->io_weights = weights;
	l->n_io_weights = io->n_weights;
	for (int kind = 0; kind < SPEC_IO_COUNT; kind++)
		for (size_t i = 0; i < io->rates[kind].n; i++) {
			const struct spec_io_rate *r = &io->rates[kind].v[i];

			rates[l->n_io_rates++] = (struct cgroup_io_rate){
				(enum cgroup_io_kind)kind, (uint32_t)r->major, (uint32_t)r->minor,
				r->rate};
		}
	l->io_rates = rates;
	return true;
}

_Static_assert((int)SPEC_IO_READ_BPS == CGROUP_IO_READ_BPS &&
		       (int)SPEC_IO_WRITE_IOPS == CGROUP_IO_WRITE_IOPS &&
		       (int)SPEC_IO_COUNT == CGROUP_IO_COUNT,
	       "kinds of block I/O limits");

static bool copy_lists(const struct spec_resources *r, struct cgroup_limits *l, struct arena *arena)
{
	struct cgroup_hugepage *pages = arena_array(arena, r->n_hugepages + 1, sizeof(*pages));
	struct cgroup_net_priority *net = arena_array(arena, r->n_net_priorities + 1, sizeof(*net));
	struct cgroup_rdma *rdma = arena_array(arena, r->n_rdma + 1, sizeof(*rdma));
	struct cgroup_unified *unified = arena_array(arena, r->unified.n + 1, sizeof(*unified));

	if (!pages || !net || !rdma || !unified)
		return false;
	for (size_t i = 0; i < r->n_hugepages; i++)
		pages[i] = (struct cgroup_hugepage){r->hugepages[i].size, r->hugepages[i].limit};
	for (size_t i = 0; i < r->n_net_priorities; i++)
		net[i] = (struct cgroup_net_priority){r->net_priorities[i].name,
						      r->net_priorities[i].priority};
	for (size_t i = 0; i < r->n_rdma; i++) {
		rdma[i].device = r->rdma[i].device;
		COPY(rdma[i].handles, r->rdma[i].handles);
		COPY(rdma[i].objects, r->rdma[i].objects);
	}
	for (size_t i = 0; i < r->unified.n; i++)
		unified[i] = (struct cgroup_unified){r->unified.v[i].key, r->unified.v[i].value};
	l->hugepages = pages;
	l->n_hugepages = r->n_hugepages;
	l->net_priorities = net;
	l->n_net_priorities = r->n_net_priorities;
	l->rdma = rdma;
	l->n_rdma = r->n_rdma;
	l->unified = unified;
	l->n_unified = r->unified.n;
	return true;
}

int plan_make_limits(const struct spec_resources *r, struct cgroup_limits *l, struct arena *arena,
		     struct err *err)
{
	copy_numbers(r, l);
	if (!copy_io(&r->io, l, arena) || !copy_lists(r, l, arena))
		return err_set(err, ENOMEM, "plan limits");
	return 0;
}
