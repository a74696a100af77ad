/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan's cgroup: its path, its limits, and the device rules every container gets. */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "run/plan.h"

/* After the configuration's own rules, as runc and crun do: nodes may be made, the harmless ones
 * opened. */
static const struct cgroup_device_rule default_rules[] = {
	{true, 'c', -1, -1, .mknod = true},	{true, 'b', -1, -1, .mknod = true},
	{true, 'c', 1, 3, true, true, true},	/* null */
	{true, 'c', 1, 5, true, true, true},	/* zero */
	{true, 'c', 1, 7, true, true, true},	/* full */
	{true, 'c', 1, 8, true, true, true},	/* random */
	{true, 'c', 1, 9, true, true, true},	/* urandom */
	{true, 'c', 5, 0, true, true, true},	/* tty */
	{true, 'c', 5, 1, true, true, true},	/* console */
	{true, 'c', 5, 2, true, true, true},	/* ptmx */
	{true, 'c', 10, 200, true, true, true}, /* net/tun: of no use without CAP_NET_ADMIN */
	{true, 'c', 136, -1, true, true, true}, /* pts */
};

int plan_make_device_rules(const struct spec_resources *r, struct cgroup_limits *l,
			   struct arena *arena, struct err *err)
{
	size_t n_defaults = ARRAY_SIZE(default_rules), n = 0;
	struct cgroup_device_rule *rules =
		arena_array(arena, 1 + r->n_devices + n_defaults, sizeof(*rules));

	if (!rules)
		return err_set(err, ENOMEM, "plan device rules");
	rules[n++] = (struct cgroup_device_rule){false, 'a', -1, -1, true, true, true};
	for (size_t i = 0; i < r->n_devices; i++) {
		const struct spec_device_rule *from = &r->devices[i];

		rules[n++] = (struct cgroup_device_rule){from->allow, from->type, from->major,
							 from->minor, from->read, from->write,
							 from->mknod};
	}
	memcpy(rules + n, default_rules, sizeof(default_rules));
	l->devices = rules;
	l->n_devices = n + n_defaults;
	return 0;
}

/* The first limit that was asked for, for the message of a host without cgroups; NULL if none. */
static const char *any_limit(const struct cgroup_limits *l)
{
	if (l->memory_limit.set || l->memory_reservation.set || l->memory_swap.set ||
	    l->memory_swappiness.set || l->memory_disable_oom_killer.v)
		return "/linux/resources/memory";
	if (l->cpu_shares.set || l->cpu_quota.set || l->cpu_period.set || l->cpuset_cpus ||
	    l->cpuset_mems || l->cpu_rt_runtime.set || l->cpu_rt_period.set || l->cpu_burst.v > 0 ||
	    l->cpu_idle.v > 0)
		return "/linux/resources/cpu";
	if (l->io_weight.set || l->io_leaf_weight.set || l->n_io_weights || l->n_io_rates)
		return "/linux/resources/blockIO";
	if (l->n_hugepages)
		return "/linux/resources/hugepageLimits";
	if (l->net_class.set || l->n_net_priorities)
		return "/linux/resources/network";
	if (l->n_rdma || l->n_unified)
		return l->n_rdma ? "/linux/resources/rdma" : "/linux/resources/unified";
	return l->pids_limit.set ? "/linux/resources/pids" : NULL;
}

static int make_path(const struct spec *spec, const struct plan_host *host, struct plan *p,
		     struct arena *arena, struct err *err)
{
	char clean[PATH_MAX / 4];
	const char *path;

	if (host->systemd.wanted) {
		int r = plan_make_unit(spec, host, p, &path, arena, err);

		if (r < 0)
			return r;
	} else if (!spec->cgroups_path) {
		path = arena_printf(arena, "%s/%s", host->default_cgroup_parent, p->id);
	} else {
		path = arena_printf(arena, "/%s", spec->cgroups_path);
	}
	if (!path)
		return err_set(err, ENOMEM, "plan the cgroup");
	if (path_clean(path, clean, sizeof(clean)) < 0) {
		err_pointer(err, "/linux/cgroupsPath");
		return err_kind(err, ERR_CONFIG, ENAMETOOLONG, "path of the cgroup");
	}
	if (strlen(clean) < 2) {
		err_pointer(err, "/linux/cgroupsPath");
		return err_kind(err, ERR_CONFIG, 0, "no usable path below the root cgroup");
	}
	p->cgroup = arena_strdup(arena, clean);
	return p->cgroup ? 0 : err_set(err, ENOMEM, "plan the cgroup");
}

void plan_blame_delegate(const struct plan *p, struct err *err)
{
	err_pointer(err, "/annotations/%s",
		    p->known->delegate_cgroup ? "run.oci.delegate-cgroup"
					      : "run.oci.systemd.subgroup");
}

/* Limits stay above, out of the container's reach. */
static int make_delegate(const char *sub, struct plan *p, struct arena *arena, struct err *err)
{
	const char *joined = arena_printf(arena, "%s/%s", p->cgroup, sub);
	char clean[PATH_MAX / 4];

	if (!joined)
		return err_set(err, ENOMEM, "plan the cgroup");
	if (path_clean(joined, clean, sizeof(clean)) < 0) {
		plan_blame_delegate(p, err);
		return err_kind(err, ERR_CONFIG, ENAMETOOLONG, "sub-cgroup");
	}
	if (!str_eq(clean, p->cgroup))
		p->delegate = arena_strdup(arena, clean);
	return 0;
}

/* The sub-cgroup that the process is to live in; NULL: none. With both, one is in the other. */
static int wanted_delegate(const struct spec *spec, const struct plan_host *host,
			   struct arena *arena, const char **ret, struct err *err)
{
	const char *sub = host->systemd.wanted ? spec->known.systemd_subgroup : NULL;
	const char *inner = spec->known.delegate_cgroup;

	if (!sub || !sub[0])
		*ret = inner;
	else if (!inner)
		*ret = sub;
	else if (!(*ret = arena_printf(arena, "%s/%s", sub, inner)))
		return err_set(err, ENOMEM, "plan the cgroup");
	return 0;
}

static int no_rights(const struct spec *spec, const char *limit, struct err *err)
{
	err_hint(err, "have a cgroup delegated to this user, or leave %s out",
		 limit ? limit : "/linux/cgroupsPath");
	if (spec->cgroups_path)
		return err_kind(err, ERR_UNSUPPORTED, EACCES,
				"unable to apply cgroup configuration: make cgroup %s: permission "
				"denied",
				spec->cgroups_path);
	return err_kind(err, ERR_UNSUPPORTED, EACCES,
			"rootless needs no limits + no cgrouppath when no permission is granted "
			"for cgroups");
}

int plan_make_cgroup(const struct spec *spec, const struct plan_host *host, struct plan *p,
		     struct arena *arena, struct err *err)
{
	const char *limit, *delegate;
	int r = plan_make_limits(&spec->resources, &p->limits, arena, err);

	if (r == 0)
		r = wanted_delegate(spec, host, arena, &delegate, err);
	if (r < 0)
		return r;
	p->cgroup = "";
	if (host->cgroups->mode == CGROUP_NONE) {
		if (spec->known.delegate_cgroup) {
			err_pointer(err, "/annotations/run.oci.delegate-cgroup");
			return err_kind(err, ERR_UNSUPPORTED, 0,
					"there are no cgroups to delegate");
		}
		limit = any_limit(&p->limits);
		if (!limit && !spec->cgroups_path)
			return 0;
		err_pointer(err, "%s", limit ? limit : "/linux/cgroupsPath");
		if (host->no_rights)
			return no_rights(spec, limit, err);
		return err_kind(
			err, ERR_UNSUPPORTED, 0,
			"there are no cgroups (none is mounted, or the manager is disabled)");
	}
	/* A user's manager has no right to them, nor have we who ask it; in the user namespace of
	 * such a container no node can be made. */
	if (!host->systemd.user && !host->no_devices)
		r = plan_make_device_rules(&spec->resources, &p->limits, arena, err);
	if (r == 0)
		r = make_path(spec, host, p, arena, err);
	/* What these cgroups cannot say is known now. */
	if (r == 0)
		r = cgroup_dry(host->cgroups, p->cgroup, &p->limits, NULL, NULL, err);
	if (r == 0 && p->unit)
		r = plan_make_unit_properties(spec, host, p, arena, err);
	return r == 0 && delegate ? make_delegate(delegate, p, arena, err) : r;
}
