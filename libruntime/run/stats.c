/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stats: what a container uses now, as numbers for programs and as the JSON that runc prints. */
#include "run/stats.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "base/str.h"

#define NS_PER_S 1000000000ull

/* ---- taking ---- */

int stats_open(struct oakum *o, const struct container *c, struct cgroup *cg, struct err *err)
{
	int r = container_open_cgroup(o, c->state.cgroup, cg, err);

	if (!c->state.cgroup[0])
		return container_no_cgroup(o, ", which has the statistics", err);
	return r == CGROUP_GONE ? container_not_running(c, err) : r;
}

/* The counters of an interface are the container's where the network is. */
static int take_network(const struct container *c, struct oakum_stats *s, struct err *err)
{
	const struct proc_id *init = &c->state.init;
	int r;

	if (!(c->state.namespaces & CLONE_NEWNET) || init->pid <= 0)
		return 0;
	r = netdev_stats(init->pid, &s->arena, &s->interfaces, &s->n_interfaces, err);
	/* Asked afterwards: then the pid was still its own. A process that is ending has no network
	 * before it has ended. */
	if (r == -ENOENT || r == -ESRCH || r == -EINVAL || proc_check(init) != PROC_ALIVE) {
		*err = ERR_INIT;
		s->n_interfaces = 0;
		return 0;
	}
	s->has_network = r == 0;
	return r;
}

static int take_rdt(const struct container *c, struct oakum_stats *s, struct err *err)
{
	AUTO_CLOSE int root = -1;
	int r;

	if (!c->state.rdt_group || !c->state.rdt_group[0])
		return 0;
	root = rdt_open(err);
	if (root < 0)
		return root;
	r = rdt_stat(root, c->state.rdt_group, c->state.rdt_monitor, &s->arena, &s->rdt, err);
	s->has_rdt = r == 0;
	return r < 0 ? r : 0;
}

int stats_take(const struct container *c, const struct cgroup *cg, struct oakum_stats **ret,
	       struct err *err)
{
	struct oakum_stats *s = calloc(1, sizeof(*s));
	struct timespec now;
	int r;

	if (!s)
		return err_set(err, ENOMEM, "read statistics");
	s->arena = ARENA_INIT;
	s->pure_v2 = cg->host->mode == CGROUP_V2;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	s->time_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	r = cgroup_stat(cg, &s->arena, &s->cg, err);
	if (r == 0)
		r = take_network(c, s, err);
	if (r == 0)
		r = take_rdt(c, s, err);
	if (r == 0)
		*ret = s;
	else
		oakum_stats_free(s);
	return r;
}

int oakum_stats(struct oakum *o, const char *id, struct oakum_stats **ret)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	struct err *err = handle_begin(o);
	int r = container_open(o, id, false, &c, err);
	struct cgroup cg;

	*ret = NULL;
	if (r == 0 && (c.status == OAKUM_STOPPED || c.status == OAKUM_CREATING))
		r = container_not_running(&c, err);
	if (r == 0) {
		r = stats_open(o, &c, &cg, err);
		if (r == 0)
			r = stats_take(&c, &cg, ret, err);
		cgroup_close(&cg);
	}
	if (r == CGROUP_GONE)
		r = container_not_running(&c, err);
	return handle_end(o, "stats", id, r);
}

void oakum_stats_free(struct oakum_stats *s)
{
	if (!s)
		return;
	arena_done(&s->arena);
	free(s);
}

/* ---- numbers ---- */

static uint64_t sum_io(const struct oakum_stats *s, const char *op)
{
	const struct cgroup_stat_ios *l = &s->cg.io.kind[CGROUP_STAT_IO_BYTES];
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].op, op))
			sum += l->v[i].value;
	return sum;
}

static uint64_t sum_network(const struct oakum_stats *s, bool sent)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n_interfaces; i++)
		sum += sent ? s->interfaces[i].tx_bytes : s->interfaces[i].rx_bytes;
	return sum;
}

/* What the kernel could take back at once is not what the container needs. */
static uint64_t memory_in_use(const struct cgroup_stat_memory *m)
{
	uint64_t inactive = 0;

	for (size_t i = 0; i < m->n_raw; i++)
		if (str_eq(m->raw[i].name, "total_inactive_file") ||
		    (str_eq(m->raw[i].name, "inactive_file") && !inactive))
			inactive = m->raw[i].value;
	return m->usage.usage > inactive ? m->usage.usage - inactive : 0;
}

static bool pressure(const struct cgroup_stat_pressure *p, uint64_t *ret)
{
	*ret = p->some.avg10;
	return p->known;
}

bool oakum_stats_value(const struct oakum_stats *s, enum oakum_stat what, uint64_t *ret)
{
	const struct cgroup_stat *g = &s->cg;

	switch (what) {
	case OAKUM_STAT_TIME_NS:
		*ret = s->time_ns;
		return true;
	case OAKUM_STAT_CPU_NS:
		*ret = g->cpu.total;
		return true;
	case OAKUM_STAT_MEMORY:
		*ret = memory_in_use(&g->memory);
		return g->memory.n_raw > 0;
	case OAKUM_STAT_MEMORY_LIMIT:
		*ret = g->memory.usage.limit;
		/* v1 has no word for "none": the largest number of whole pages. */
		return g->memory.n_raw > 0 && *ret < INT64_MAX >> 20 << 20;
	case OAKUM_STAT_PIDS:
		*ret = g->pids;
		return g->pids > 0;
	case OAKUM_STAT_PIDS_LIMIT:
		*ret = g->pids_limit;
		return g->pids_limit && g->pids_limit != CGROUP_STAT_MAX;
	case OAKUM_STAT_NETWORK_RECEIVED:
	case OAKUM_STAT_NETWORK_SENT:
		*ret = sum_network(s, what == OAKUM_STAT_NETWORK_SENT);
		return s->has_network;
	case OAKUM_STAT_BLOCK_READ:
	case OAKUM_STAT_BLOCK_WRITTEN:
		*ret = sum_io(s, what == OAKUM_STAT_BLOCK_READ ? "Read" : "Write");
		return true;
	case OAKUM_STAT_CPU_PRESSURE:
		return pressure(&g->cpu.pressure, ret);
	case OAKUM_STAT_MEMORY_PRESSURE:
		return pressure(&g->memory.pressure, ret);
	case OAKUM_STAT_IO_PRESSURE:
		return pressure(&g->io.pressure, ret);
	}
	return false;
}
