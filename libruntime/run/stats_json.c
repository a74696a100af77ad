/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics as the JSON that `runc events` prints in "data": the same members in the same order,
 * with the zeroes that Go leaves out left out. Beyond runc: "rdma", on hosts that have it.
 */
#include <string.h>

#include "base/json_put.h"
#include "base/str.h"
#include "run/stats.h"

/* Room for what is there once, and for one of what there may be many of. */
#define FIXED	  4096
#define NUMBER	  21
#define IO_ENTRY  128
#define INTERFACE 512
#define ENTRY	  160

static void put_list(struct strbuf *b, const char *name, const struct cgroup_stat_list *l)
{
	if (!l->n)
		return;
	json_put_array(b, name);
	for (size_t i = 0; i < l->n; i++) {
		json_put_item(b);
		strbuf_u64(b, l->v[i]);
	}
	strbuf_addc(b, ']');
}

/* Hundredths as the shortest decimal: 125 is 1.25, 110 is 1.1, 200 is 2. */
static void put_hundredths(struct strbuf *b, const char *name, uint32_t v)
{
	json_put_u64(b, name, v / 100);
	if (v % 100 == 0)
		return;
	strbuf_addc(b, '.');
	strbuf_u64(b, v / 10 % 10);
	if (v % 10)
		strbuf_u64(b, v % 10);
}

static void put_stall(struct strbuf *b, const char *name, const struct cgroup_stat_stall *s)
{
	json_put_object(b, name);
	put_hundredths(b, "avg10", s->avg10);
	put_hundredths(b, "avg60", s->avg60);
	put_hundredths(b, "avg300", s->avg300);
	json_put_u64(b, "total", s->total);
	strbuf_addc(b, '}');
}

static void put_pressure(struct strbuf *b, const struct oakum_stats *s,
			 const struct cgroup_stat_pressure *p)
{
	if (!s->pure_v2 || !p->known)
		return;
	json_put_object(b, "psi");
	put_stall(b, "some", &p->some);
	put_stall(b, "full", &p->full);
	strbuf_addc(b, '}');
}

static void put_cpu(struct strbuf *b, const struct oakum_stats *s)
{
	const struct cgroup_stat_cpu *c = &s->cg.cpu;

	json_put_object(b, "cpu");
	json_put_object(b, "usage");
	json_put_some(b, "total", c->total);
	put_list(b, "percpu", &c->percpu);
	put_list(b, "percpu_kernel", &c->percpu_kernel);
	put_list(b, "percpu_user", &c->percpu_user);
	json_put_u64(b, "kernel", c->kernel);
	json_put_u64(b, "user", c->user);
	strbuf_addc(b, '}');
	json_put_object(b, "throttling");
	json_put_some(b, "periods", c->periods);
	json_put_some(b, "throttledPeriods", c->throttled_periods);
	json_put_some(b, "throttledTime", c->throttled_ns);
	strbuf_addc(b, '}');
	put_pressure(b, s, &c->pressure);
	strbuf_addc(b, '}');
}

static void put_cpuset(struct strbuf *b, const struct oakum_stats *s)
{
	const struct cgroup_stat_cpuset *c = &s->cg.cpuset;

	json_put_object(b, "cpuset");
	put_list(b, "cpus", &c->cpus);
	for (size_t i = 0; i < CGROUP_STAT_CPUSET_COUNT; i++) {
		json_put_i64(b, cgroup_stat_cpuset_names[i], c->value[i]);
		if (i == CGROUP_STAT_CPU_EXCLUSIVE)
			put_list(b, "mems", &c->mems);
	}
	strbuf_addc(b, '}');
}

static void put_entry(struct strbuf *b, const char *name, const struct cgroup_stat_memory_entry *e)
{
	json_put_object(b, name);
	json_put_u64(b, "limit", e->limit);
	json_put_some(b, "usage", e->usage);
	json_put_some(b, "max", e->max);
	json_put_u64(b, "failcnt", e->failcnt);
	strbuf_addc(b, '}');
}

static void put_memory(struct strbuf *b, const struct oakum_stats *s)
{
	const struct cgroup_stat_memory *m = &s->cg.memory;

	json_put_object(b, "memory");
	json_put_some(b, "cache", m->cache);
	put_entry(b, "usage", &m->usage);
	put_entry(b, "swap", &m->swap);
	put_entry(b, "kernel", &m->kernel);
	put_entry(b, "kernelTCP", &m->kernel_tcp);
	if (m->n_raw) {
		json_put_object(b, "raw");
		for (size_t i = 0; i < m->n_raw; i++)
			json_put_u64(b, m->raw[i].name, m->raw[i].value);
		strbuf_addc(b, '}');
	}
	put_pressure(b, s, &m->pressure);
	strbuf_addc(b, '}');
}

static void put_pids(struct strbuf *b, const struct oakum_stats *s)
{
	json_put_object(b, "pids");
	json_put_some(b, "current", s->cg.pids);
	if (s->cg.pids_limit != CGROUP_STAT_MAX)
		json_put_some(b, "limit", s->cg.pids_limit);
	strbuf_addc(b, '}');
}

static void put_io_list(struct strbuf *b, const char *name, const struct cgroup_stat_ios *l)
{
	if (!l->n)
		return;
	json_put_array(b, name);
	for (size_t i = 0; i < l->n; i++) {
		json_put_item(b);
		strbuf_addc(b, '{');
		json_put_some(b, "major", l->v[i].major);
		json_put_some(b, "minor", l->v[i].minor);
		if (l->v[i].op[0])
			json_put_text(b, "op", l->v[i].op);
		json_put_some(b, "value", l->v[i].value);
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, ']');
}

static void put_io(struct strbuf *b, const struct oakum_stats *s)
{
	static const char *const names[CGROUP_STAT_IO_COUNT] = {
		[CGROUP_STAT_IO_BYTES] = "ioServiceBytesRecursive",
		[CGROUP_STAT_IO_SERVICED] = "ioServicedRecursive",
		[CGROUP_STAT_IO_QUEUED] = "ioQueueRecursive",
		[CGROUP_STAT_IO_SERVICE_TIME] = "ioServiceTimeRecursive",
		[CGROUP_STAT_IO_WAIT_TIME] = "ioWaitTimeRecursive",
		[CGROUP_STAT_IO_MERGED] = "ioMergedRecursive",
		[CGROUP_STAT_IO_TIME] = "ioTimeRecursive",
		[CGROUP_STAT_IO_SECTORS] = "sectorsRecursive",
	};

	json_put_object(b, "blkio");
	for (size_t i = 0; i < CGROUP_STAT_IO_COUNT; i++)
		put_io_list(b, names[i], &s->cg.io.kind[i]);
	put_pressure(b, s, &s->cg.io.pressure);
	strbuf_addc(b, '}');
}

static void put_hugetlb(struct strbuf *b, const struct oakum_stats *s)
{
	json_put_object(b, "hugetlb");
	for (size_t i = 0; i < s->cg.n_hugepages; i++) {
		const struct cgroup_stat_hugepage *h = &s->cg.hugepages[i];

		json_put_object(b, h->size);
		json_put_some(b, "usage", h->usage);
		json_put_some(b, "max", h->max);
		json_put_u64(b, "failcnt", h->failcnt);
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, '}');
}

static void put_optional_text(struct strbuf *b, const char *name, const char *value)
{
	if (value && value[0])
		json_put_text(b, name, value);
}

static void put_rdt_domains(struct strbuf *b, const struct rdt_stat *r)
{
	for (int occupancy = 0; occupancy <= 1; occupancy++) {
		if (occupancy ? !r->has_cmt : !r->has_mbm)
			continue;
		json_put_array(b, occupancy ? "cmt_stats" : "mbm_stats");
		for (size_t i = 0; i < r->n_domains; i++) {
			json_put_item(b);
			strbuf_addc(b, '{');
			if (occupancy) {
				json_put_some(b, "llc_occupancy", r->domains[i].llc_occupancy);
			} else {
				json_put_some(b, "mbm_total_bytes", r->domains[i].mbm_total);
				json_put_some(b, "mbm_local_bytes", r->domains[i].mbm_local);
			}
			strbuf_addc(b, '}');
		}
		strbuf_addc(b, ']');
	}
}

static void put_rdt(struct strbuf *b, const struct oakum_stats *s)
{
	const struct rdt_stat *r = &s->rdt;

	json_put_object(b, "intel_rdt");
	if (s->has_rdt && r->l3_mask) {
		json_put_object(b, "l3_cache_info");
		put_optional_text(b, "cbm_mask", r->l3_mask);
		json_put_some(b, "min_cbm_bits", r->l3_min_bits);
		json_put_some(b, "num_closids", r->l3_closids);
		strbuf_addc(b, '}');
		put_optional_text(b, "l3_cache_schema_root", r->l3_root);
		put_optional_text(b, "l3_cache_schema", r->l3);
	}
	if (s->has_rdt && r->has_mb) {
		json_put_object(b, "mem_bw_info");
		json_put_some(b, "bandwidth_gran", r->mb_granularity);
		json_put_some(b, "delay_linear", r->mb_linear);
		json_put_some(b, "min_bandwidth", r->mb_minimum);
		json_put_some(b, "num_closids", r->mb_closids);
		strbuf_addc(b, '}');
		put_optional_text(b, "mem_bw_schema_root", r->mb_root);
		put_optional_text(b, "mem_bw_schema", r->mb);
	}
	if (s->has_rdt) {
		put_optional_text(b, "schemata", r->schemata);
		put_rdt_domains(b, r);
	}
	strbuf_addc(b, '}');
}

static void put_network(struct strbuf *b, const struct oakum_stats *s)
{
	if (!s->n_interfaces) {
		json_put_key(b, "network_interfaces");
		strbuf_add(b, "null");
		return;
	}
	json_put_array(b, "network_interfaces");
	for (size_t i = 0; i < s->n_interfaces; i++) {
		const struct netdev_stat *n = &s->interfaces[i];

		json_put_item(b);
		strbuf_addc(b, '{');
		json_put_text(b, "Name", n->name);
		json_put_u64(b, "RxBytes", n->rx_bytes);
		json_put_u64(b, "RxPackets", n->rx_packets);
		json_put_u64(b, "RxErrors", n->rx_errors);
		json_put_u64(b, "RxDropped", n->rx_dropped);
		json_put_u64(b, "TxBytes", n->tx_bytes);
		json_put_u64(b, "TxPackets", n->tx_packets);
		json_put_u64(b, "TxErrors", n->tx_errors);
		json_put_u64(b, "TxDropped", n->tx_dropped);
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, ']');
}

static void put_rdma_list(struct strbuf *b, const char *name, const struct cgroup_stat_rdma *v,
			  size_t n)
{
	json_put_array(b, name);
	for (size_t i = 0; i < n; i++) {
		json_put_item(b);
		strbuf_addc(b, '{');
		json_put_text(b, "device", v[i].device);
		/* As runc's library has it: 32 bits, of which all are "max". */
		json_put_some(b, "hca_handles", v[i].handles & UINT32_MAX);
		json_put_some(b, "hca_objects", v[i].objects & UINT32_MAX);
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, ']');
}

static void put_rdma(struct strbuf *b, const struct oakum_stats *s)
{
	if (!s->cg.n_rdma_current && !s->cg.n_rdma_limit)
		return;
	json_put_object(b, "rdma");
	put_rdma_list(b, "rdma_limit", s->cg.rdma_limit, s->cg.n_rdma_limit);
	put_rdma_list(b, "rdma_current", s->cg.rdma_current, s->cg.n_rdma_current);
	strbuf_addc(b, '}');
}

/* A byte of text may take six. */
static size_t escaped(const char *text)
{
	return text ? 6 * strlen(text) : 0;
}

static size_t estimate(const struct oakum_stats *s)
{
	const struct cgroup_stat *g = &s->cg;
	size_t size = FIXED;

	size += NUMBER * (g->cpu.percpu.n + g->cpu.percpu_kernel.n + g->cpu.percpu_user.n +
			  g->cpuset.cpus.n + g->cpuset.mems.n);
	for (size_t i = 0; i < g->memory.n_raw; i++)
		size += escaped(g->memory.raw[i].name) + NUMBER + 4;
	for (size_t i = 0; i < CGROUP_STAT_IO_COUNT; i++)
		for (size_t k = 0; k < g->io.kind[i].n; k++)
			size += IO_ENTRY + escaped(g->io.kind[i].v[k].op);
	for (size_t i = 0; i < g->n_rdma_current; i++)
		size += ENTRY + escaped(g->rdma_current[i].device);
	for (size_t i = 0; i < g->n_rdma_limit; i++)
		size += ENTRY + escaped(g->rdma_limit[i].device);
	for (size_t i = 0; i < g->n_hugepages; i++)
		size += ENTRY + escaped(g->hugepages[i].size);
	for (size_t i = 0; i < s->n_interfaces; i++)
		size += INTERFACE + escaped(s->interfaces[i].name);
	size += escaped(s->rdt.l3_mask) + escaped(s->rdt.l3_root) + escaped(s->rdt.l3) +
		escaped(s->rdt.mb_root) + escaped(s->rdt.mb) + escaped(s->rdt.schemata);
	return size + ENTRY * s->rdt.n_domains;
}

const char *oakum_stats_json(const struct oakum_stats *s)
{
	struct oakum_stats *w = (struct oakum_stats *)s; /* the text is a cache, not a property */
	size_t size = estimate(s);
	char *mem = s->json ? NULL : arena_alloc(&w->arena, size);
	struct strbuf b;

	if (s->json || !mem)
		return s->json;
	strbuf_init(&b, mem, size);
	strbuf_addc(&b, '{');
	put_cpu(&b, s);
	put_cpuset(&b, s);
	put_memory(&b, s);
	put_pids(&b, s);
	put_io(&b, s);
	put_hugetlb(&b, s);
	put_rdt(&b, s);
	put_network(&b, s);
	put_rdma(&b, s);
	strbuf_addc(&b, '}');
	if (!b.overflow)
		w->json = mem;
	return w->json;
}
