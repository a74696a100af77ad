/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What would be written into the cgroup of a container, without a cgroup: for a plan, and to refuse
 * what this host's kind of cgroups cannot say before anything has been made.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

struct dry {
	struct cgroup cg; /* with its path, and nothing opened */
	const struct cgroup_limits *limits;
	cgroup_dry_visitor *each;
	void *data;
	struct err *err;
};

static int dry_controller(struct dry *d, const struct cgroup_controller *c)
{
	struct cgroup_writes ws = {.cg = &d->cg};
	int i = cgroup_find(d->cg.host, c->bit), r;

	if (i < 0) {
		i = cgroup_find_v2(d->cg.host);
		ws.v2 = true;
	}
	if (i < 0)
		r = cgroup_no_hierarchy(&d->cg, c, d->err);
	else
		r = (ws.v2 ? c->v2 : c->v1)(&ws, d->cg.fd[i], d->limits, d->err);
	if (r == 0 && ws.no_memory)
		r = err_set(d->err, ENOMEM, "look at the limits");
	for (size_t k = 0; r == 0 && d->each && k < ws.n; k++) {
		const struct cgroup_write *w = &ws.w[k];
		const struct cgroup_dry_write write = {
			.hierarchy = &d->cg.host->h[i],
			.before = c->before,
			.pointer = c->pointer,
			.member = w->what.member,
			.file = w->file,
			.value = w->text ? w->text : w->value,
			.if_present = w->if_present,
			.bfq = w->has_other ? w->name : NULL,
		};

		d->each(d->data, &write);
	}
	cgroup_writes_done(&ws);
	if (r < 0)
		err_pointer(d->err, "%s", c->pointer);
	return r;
}

static int dry_devices(const struct dry *d)
{
	int r = 0;

	if (d->limits->n_devices && cgroup_find(d->cg.host, CGROUP_C_DEVICES) >= 0)
		r = cgroup_devices_check(d->limits->devices, d->limits->n_devices, d->err);
	if (r < 0)
		err_pointer(d->err, "/linux/resources/devices");
	return r;
}

static int dry_unified(const struct dry *d)
{
	uint32_t need;
	int r = cgroup_unified_need(&d->cg, d->limits, &need, d->err);

	for (size_t i = 0; r == 0 && d->each && i < d->limits->n_unified; i++) {
		const struct cgroup_dry_write write = {
			.hierarchy = &d->cg.host->h[cgroup_find_v2(d->cg.host)],
			.pointer = "/linux/resources/unified",
			.member = d->limits->unified[i].key,
			.file = d->limits->unified[i].key,
			.value = d->limits->unified[i].value,
		};

		d->each(d->data, &write);
	}
	return r;
}

static int dry_all(struct dry *d)
{
	int r = 0;

	for (int late = 0; late < 2; late++)
		for (size_t i = 0; r == 0 && i < cgroup_controllers_count; i++) {
			const struct cgroup_controller *c = &cgroup_controllers[i];

			if (c->before == !late && c->wanted(d->limits))
				r = dry_controller(d, c);
		}
	if (r == 0)
		r = dry_devices(d);
	return r < 0 ? r : dry_unified(d);
}

int cgroup_dry(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits,
	       cgroup_dry_visitor *each, void *data, struct err *err)
{
	struct dry d = {.limits = limits, .each = each, .data = data, .err = err};
	int r;

	cgroup_init(&d.cg, host);
	r = cgroup_set_path(&d.cg, path, err);
	return r < 0 ? r : dry_all(&d);
}

int cgroup_dry_update(const struct cgroup *cg, const struct cgroup_limits *limits,
		      cgroup_dry_visitor *each, void *data, struct err *err)
{
	/* Its descriptors are looked through, and stay the caller's. */
	struct dry d = {.cg = *cg, .limits = limits, .each = each, .data = data, .err = err};

	return dry_all(&d);
}

uint32_t cgroup_dry_need(const struct cgroup_host *host, const struct cgroup_limits *limits)
{
	struct err ignored = ERR_INIT;
	struct cgroup cg;
	uint32_t need = 0;

	if (cgroup_find_v2(host) < 0)
		return 0;
	cgroup_init(&cg, host);
	for (size_t i = 0; i < cgroup_controllers_count; i++)
		if (cgroup_controllers[i].wanted(limits) &&
		    cgroup_find(host, cgroup_controllers[i].bit) < 0)
			need |= cgroup_controllers[i].bit & CGROUP_C_V2;
	(void)cgroup_unified_need(&cg, limits, &need, &ignored);
	return need;
}

int cgroup_check_offered(const struct cgroup_host *host, const char *path,
			 const struct cgroup_limits *limits, struct err *err)
{
	uint32_t need = cgroup_dry_need(host, limits), lacking;
	char file[CGROUP_DIR_MAX], text[256];
	struct cgroup cg;
	int r;

	if (!need)
		return 0;
	snprintf(file, sizeof(file), "%s/cgroup.controllers", host->h[cgroup_find_v2(host)].mount);
	/* Who cannot read it learns by trying. */
	if (io_read_at(AT_FDCWD, file, text, sizeof(text)) < 0)
		return 0;
	lacking = need & ~cgroup_v2_parse(text);
	cgroup_init(&cg, host);
	r = lacking ? cgroup_set_path(&cg, path, err) : 0;
	for (size_t i = 0; r == 0 && i < cgroup_controllers_count; i++) {
		const struct cgroup_controller *c = &cgroup_controllers[i];

		if (!(c->bit & lacking))
			continue;
		r = cgroup_missing(&cg, c->limit, c->name, err);
		cgroup_blame(limits, c->bit, err);
	}
	/* What there is no limit for but by the name of its file. */
	if (r == 0 && (lacking & CGROUP_C_MISC)) {
		r = cgroup_missing(&cg, "misc limit", "misc", err);
		cgroup_blame(limits, CGROUP_C_MISC, err);
	}
	return r;
}

uint32_t cgroup_controllers_offered(const struct cgroup_host *host)
{
	char file[CGROUP_DIR_MAX], text[256];
	uint32_t have = 0;

	for (size_t i = 0; i < host->n; i++) {
		have |= host->h[i].controllers;
		if (!host->h[i].v2)
			continue;
		snprintf(file, sizeof(file), "%s/cgroup.controllers", host->h[i].mount);
		if (io_read_at(AT_FDCWD, file, text, sizeof(text)) > 0)
			have |= cgroup_v2_parse(text);
	}
	return have;
}
