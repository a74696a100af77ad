/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the lifecycle asks of systemd. */
#include "run/unit.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "kernel/ns.h"

int unit_look(struct oakum *o, struct cgroup_systemd *s, int64_t deadline_ms, struct arena *arena,
	      struct plan_systemd *ret, struct err *err)
{
	int r;

	*ret = (struct plan_systemd){.wanted = o->manager == OAKUM_CGROUP_SYSTEMD};
	if (!ret->wanted)
		return 0;
	ret->user = handle_rootless(o);
	if (o->planning) {
		ret->root =
			ret->user ? arena_printf(arena, "/user.slice/user-%u.slice/user@%u.service",
						 geteuid(), geteuid())
				  : "";
		return ret->root ? 0 : err_set(err, ENOMEM, "look at systemd");
	}
	r = cgroup_systemd_open(s, ret->user, deadline_ms, err);
	ret->version = s->version;
	ret->root = s->root;
	return r;
}

bool unit_exists(struct oakum *o, const struct state *s)
{
	/* Transient units do not live longer than the machine. */
	return s->unit && s->unit[0] && str_eq(s->boot_id, handle_boot_id(o));
}

bool unit_attaches(const char *name, bool user)
{
	return name && name[0] && user && !userns_is_root();
}

int unit_attach(const struct state *s, const char *sub, pid_t pid, int64_t deadline_ms,
		struct err *err)
{
	struct cgroup_systemd systemd = CGROUP_SYSTEMD_INIT;
	int r = cgroup_systemd_open(&systemd, s->user_unit, deadline_ms, err);

	if (r == 0)
		r = cgroup_systemd_attach(&systemd, s->unit, sub, pid, deadline_ms, err);
	cgroup_systemd_close(&systemd);
	return r;
}

int unit_stop(const struct state *s, bool ours, int64_t deadline_ms, struct err *err)
{
	struct cgroup_systemd systemd = CGROUP_SYSTEMD_INIT;
	int r = cgroup_systemd_open(&systemd, s->user_unit, deadline_ms, err);

	if (r == 0)
		r = cgroup_systemd_stop(&systemd, s->unit, ours, deadline_ms, err);
	cgroup_systemd_close(&systemd);
	return r < 0 ? r : r == CGROUP_SYSTEMD_IN_USE ? UNIT_IN_USE : 0;
}

int unit_update(const struct state *s, const struct cgroup *cg, const struct cgroup_limits *limits,
		struct arena *arena, struct err *err)
{
	struct cgroup_systemd systemd = CGROUP_SYSTEMD_INIT;
	struct plan_properties set = {.n = 0};
	struct plan_unit_limits request = {
		.host = cg->host,
		.path = s->cgroup,
		.limits = limits,
		.live = cg,
	};
	int r = cgroup_systemd_open(&systemd, s->user_unit, CLOCK_FOREVER, err);

	request.systemd = systemd.version;
	if (r == 0)
		r = plan_unit_limits(&request, &set, &set, arena, err);
	if (r == 0 && limits->n_devices)
		plan_unit_devices(limits, true, &set, arena);
	if (r == 0 && set.no_memory)
		r = err_set(err, ENOMEM, "tell systemd of the limits");
	if (r == 0)
		r = cgroup_systemd_set(&systemd, s->unit, set.v, set.n, CLOCK_FOREVER, err);
	cgroup_systemd_close(&systemd);
	return r;
}

bool oakum_unit_alone(struct oakum *o)
{
	const struct cgroup_host *host = handle_cgroups(o, handle_begin(o));

	return host && cgroup_own_alone(host);
}

#define OWN_SUB	      "supervisor"
#define CONTAINER_SUB "container"

int oakum_unit_cgroup(struct oakum *o, bool claim, char **ret)
{
	struct err *err = handle_begin(o);
	const struct cgroup_host *host = handle_cgroups(o, err);
	char place[PATH_MAX / 4];
	int r = host ? cgroup_own_unit(host, claim, OWN_SUB, place, sizeof(place), err) : -EINVAL;

	*ret = NULL;
	if (r == CGROUP_GONE)
		return OAKUM_NO_UNIT;
	if (r == 0 && asprintf(ret, "%s/" CONTAINER_SUB, place) < 0) {
		*ret = NULL;
		r = err_set(err, ENOMEM, "name the container's cgroup");
	}
	err_prefix(err, "use this unit's cgroup");
	return handle_end(o, "up", NULL, r);
}
