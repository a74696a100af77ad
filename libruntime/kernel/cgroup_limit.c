/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits: which controller a limit belongs to, where that controller lives on this host, and
 * writing the files in an order that the kernel accepts. The files themselves are in cgroup_v1.c
 * and cgroup_v2.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define DEVICE_RULES_MAX 2048

typedef int fill_fn(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		    struct err *err);

static bool wants_memory(const struct cgroup_limits *l)
{
	return l->memory_limit.set || l->memory_reservation.set || l->memory_swap.set ||
	       l->memory_swappiness.set || l->memory_disable_oom_killer.set;
}

static bool wants_cpu(const struct cgroup_limits *l)
{
	return l->cpu_shares.set || l->cpu_period.set || l->cpu_quota.set || l->cpu_burst.set ||
	       l->cpu_idle.set;
}

static bool wants_cpuset(const struct cgroup_limits *l)
{
	return l->cpuset_cpus || l->cpuset_mems;
}

static bool wants_pids(const struct cgroup_limits *l)
{
	return l->pids_limit.set;
}

static const struct controller {
	const char *name, *limit;
	uint32_t bit;
	bool before; /* must stand before a task joins */
	bool (*wanted)(const struct cgroup_limits *l);
	fill_fn *v1, *v2;
} controllers[] = {
	{"cpuset", "cpuset", CGROUP_C_CPUSET, true, wants_cpuset, cgroup_any_cpuset,
	 cgroup_any_cpuset},
	{"memory", "memory limit", CGROUP_C_MEMORY, false, wants_memory, cgroup_v1_memory,
	 cgroup_v2_memory},
	{"cpu", "cpu limit", CGROUP_C_CPU, false, wants_cpu, cgroup_v1_cpu, cgroup_v2_cpu},
	{"pids", "pids limit", CGROUP_C_PIDS, false, wants_pids, cgroup_any_pids, cgroup_any_pids},
};

struct cgroup_write *cgroup_writes_add(struct cgroup_writes *ws, int dir, const char *limit,
				       const char *file)
{
	struct cgroup_write *w = &ws->w[ws->n++];

	*w = (struct cgroup_write){.dir = dir, .limit = limit, .file = file};
	return w;
}

static int explain(const struct cgroup_writes *ws, const struct cgroup_write *w,
		   const char *controller, int r, struct err *err)
{
	const char *text = w->text ? w->text : w->value;

	if (r != -ENOENT)
		return err_set(err, -r, "%s: write %s to %s of cgroup %s", w->limit, text, w->file,
			       ws->cg->path);
	if (ws->v2) {
		char have[256] = "";

		(void)io_read_at(w->dir, "cgroup.controllers", have, sizeof(have));
		if (!(cgroup_v2_parse(have) & cgroup_v2_parse(controller)))
			return cgroup_missing(ws->cg, w->limit, controller, err);
	}
	if (strstr(w->file, "swap.max") || strstr(w->file, "memsw"))
		return err_kind(err, ERR_UNSUPPORTED, ENOENT,
				"%s: swap accounting is off in this kernel (no %s)", w->limit,
				w->file);
	return err_kind(err, ERR_UNSUPPORTED, ENOENT, "%s: controller %s of this kernel has no %s",
			w->limit, controller, w->file);
}

int cgroup_writes_do(struct cgroup_writes *ws, const char *controller, struct err *err)
{
	bool done[ARRAY_SIZE(ws->w)] = {false};
	size_t left = ws->n;

	while (left) {
		const struct cgroup_write *refused = NULL;
		size_t before = left;

		for (size_t i = 0; i < ws->n; i++) {
			struct cgroup_write *w = &ws->w[i];
			int r;

			if (done[i])
				continue;
			r = io_write_at(w->dir, w->file, w->text ? w->text : w->value);
			if (r == -EINVAL) {
				refused = refused ? refused : w;
				continue;
			}
			if (r < 0 && !(r == -ENOENT && w->if_present))
				return explain(ws, w, controller, r, err);
			done[i] = true;
			left--;
		}
		if (left == before)
			return explain(ws, refused, controller, -EINVAL, err);
	}
	return 0;
}

/* Only these names lead to "not mounted" here; the host has neither a v1 nor a v2 hierarchy for it.
 */
static int no_hierarchy(const struct cgroup *cg, const struct controller *c, struct err *err)
{
	int i = cgroup_find(cg->host, c->bit);

	if (i >= 0)
		return err_kind(err, ERR_UNSUPPORTED, ENOENT, "%s: there is no cgroup %s in %s",
				c->limit, cg->path, cg->host->h[i].mount);
	if (cgroup_find_v2(cg->host) >= 0)
		return err_kind(err, ERR_UNSUPPORTED, ENOENT, "%s: there is no cgroup %s in %s",
				c->limit, cg->path, cg->host->h[cgroup_find_v2(cg->host)].mount);
	return err_kind(err, ERR_UNSUPPORTED, ENOENT,
			"%s: controller %s is not mounted below /sys/fs/cgroup", c->limit, c->name);
}

static int apply(struct cgroup *cg, const struct controller *c, const struct cgroup_limits *l,
		 struct err *err)
{
	struct cgroup_writes ws = {.cg = cg};
	int i = cgroup_find(cg->host, c->bit), r;

	if (i < 0) {
		i = cgroup_find_v2(cg->host);
		ws.v2 = true;
	}
	if (i < 0 || cg->fd[i] < 0)
		return no_hierarchy(cg, c, err);
	r = (ws.v2 ? c->v2 : c->v1)(&ws, cg->fd[i], l, err);
	return r < 0 ? r : cgroup_writes_do(&ws, c->name, err);
}

/* v1 devices, or else v2's program. */
static int apply_devices(struct cgroup *cg, const struct cgroup_limits *l, bool fresh, bool v2,
			 struct err *err)
{
	int i = cgroup_find(cg->host, CGROUP_C_DEVICES);

	if (!l->n_devices || v2 != (i < 0))
		return 0;
	if (l->n_devices > DEVICE_RULES_MAX)
		return err_kind(err, ERR_CONFIG, E2BIG, "device rules: more than %d",
				DEVICE_RULES_MAX);
	if (v2)
		i = cgroup_find_v2(cg->host);
	if (i < 0 || cg->fd[i] < 0)
		return err_kind(
			err, ERR_UNSUPPORTED, ENOENT,
			"device rules: neither the v1 controller devices nor cgroup v2 is mounted "
			"below /sys/fs/cgroup");
	if (v2)
		return cgroup_devices_v2(cg->fd[i], l->devices, l->n_devices, err);
	return cgroup_devices_v1(cg->fd[i], l->devices, l->n_devices, fresh, err);
}

int cgroup_limit_before(struct cgroup *cg, const struct cgroup_limits *l, bool fresh,
			struct err *err)
{
	int v2 = cgroup_find_v2(cg->host), r;
	uint32_t need = 0;

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		if (controllers[i].wanted(l) && cgroup_find(cg->host, controllers[i].bit) < 0)
			need |= controllers[i].bit;
	if (v2 >= 0 && (need || cg->host->mode == CGROUP_V2)) {
		r = cgroup_v2_enable(cg, need, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (!controllers[i].before || !controllers[i].wanted(l))
			continue;
		r = apply(cg, &controllers[i], l, err);
		if (r < 0)
			return r;
	}
	return apply_devices(cg, l, fresh, false, err);
}

int cgroup_limit(struct cgroup *cg, const struct cgroup_limits *l, bool update, struct err *err)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (!controllers[i].wanted(l) || (controllers[i].before && !update))
			continue;
		r = apply(cg, &controllers[i], l, err);
		if (r < 0)
			return r;
	}
	if (update) {
		r = apply_devices(cg, l, false, false, err);
		if (r < 0)
			return r;
	}
	return apply_devices(cg, l, !update, true, err);
}
