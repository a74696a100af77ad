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

static int make_devices(const struct spec_resources *r, struct cgroup_limits *l,
			struct arena *arena)
{
	size_t n_defaults = ARRAY_SIZE(default_rules), n = 0;
	struct cgroup_device_rule *rules =
		arena_array(arena, 1 + r->n_devices + n_defaults, sizeof(*rules));

	if (!rules)
		return -ENOMEM;
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

#define COPY(to, from)                                                                             \
	do {                                                                                       \
		(to).set = (from).set;                                                             \
		(to).v = (from).v;                                                                 \
	} while (0)

/* 0 has no meaning for these: engines write it for "not set", and both peers read it so. */
#define COPY_NONZERO(to, from)                                                                     \
	do {                                                                                       \
		(to).set = (from).set && (from).v != 0;                                            \
		(to).v = (from).v;                                                                 \
	} while (0)

static void copy_limits(const struct spec_resources *r, struct cgroup_limits *l)
{
	COPY_NONZERO(l->memory_limit, r->memory_limit);
	COPY_NONZERO(l->memory_reservation, r->memory_reservation);
	COPY_NONZERO(l->memory_swap, r->memory_swap);
	COPY(l->memory_swappiness, r->memory_swappiness);
	COPY(l->memory_disable_oom_killer, r->memory_disable_oom_killer);
	COPY_NONZERO(l->cpu_shares, r->cpu_shares);
	COPY_NONZERO(l->cpu_period, r->cpu_period);
	COPY(l->cpu_burst, r->cpu_burst);
	COPY_NONZERO(l->cpu_quota, r->cpu_quota);
	COPY(l->cpu_idle, r->cpu_idle);
	COPY(l->pids_limit, r->pids_limit);
	l->cpuset_cpus = r->cpuset_cpus;
	l->cpuset_mems = r->cpuset_mems;
}

/* The first limit that was asked for, for the message of a host without cgroups; NULL if none. */
static const char *any_limit(const struct cgroup_limits *l)
{
	if (l->memory_limit.set || l->memory_reservation.set || l->memory_swap.set)
		return "/linux/resources/memory";
	if (l->cpu_shares.set || l->cpu_quota.set || l->cpu_period.set || l->cpuset_cpus ||
	    l->cpuset_mems)
		return "/linux/resources/cpu";
	return l->pids_limit.set ? "/linux/resources/pids" : NULL;
}

static int make_path(const struct spec *spec, const struct plan_host *host, struct plan *p,
		     struct arena *arena, struct err *err)
{
	char clean[PATH_MAX / 4];
	const char *path;

	if (!spec->cgroups_path) {
		path = arena_printf(arena, "%s/%s", host->default_cgroup_parent, p->id);
	} else if (spec->cgroups_path[0] != '/' && strchr(spec->cgroups_path, ':')) {
		err_pointer(err, "/linux/cgroupsPath");
		err_hint(err, "use --systemd-cgroup, or a path that begins with /");
		return err_kind(err, ERR_CONFIG, 0, "\"%s\" is for the systemd cgroup manager",
				spec->cgroups_path);
	} else {
		path = arena_printf(arena, "/%s", spec->cgroups_path);
	}
	if (!path)
		return err_set(err, ENOMEM, "plan the cgroup");
	if (path_clean(path, clean, sizeof(clean)) < 0 || strlen(clean) < 2) {
		err_pointer(err, "/linux/cgroupsPath");
		return err_kind(err, ERR_CONFIG, 0, "no usable path below the root cgroup");
	}
	p->cgroup = arena_strdup(arena, clean);
	return p->cgroup ? 0 : err_set(err, ENOMEM, "plan the cgroup");
}

int plan_make_cgroup(const struct spec *spec, const struct plan_host *host, struct plan *p,
		     struct arena *arena, struct err *err)
{
	const char *limit;

	copy_limits(&spec->resources, &p->limits);
	p->cgroup = "";
	if (host->cgroups->mode == CGROUP_NONE) {
		limit = any_limit(&p->limits);
		if (!limit && !spec->cgroups_path)
			return 0;
		err_pointer(err, "%s", limit ? limit : "/linux/cgroupsPath");
		return err_kind(
			err, ERR_UNSUPPORTED, 0,
			"there are no cgroups (none is mounted, or the manager is disabled)");
	}
	if (make_devices(&spec->resources, &p->limits, arena) < 0)
		return err_set(err, ENOMEM, "plan device rules");
	return make_path(spec, host, p, arena, err);
}
