/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The facts about the host and about ourselves; see host.h. */
#include "run/host.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "kernel/subid.h"

static int name_namespace(const struct spec_namespace *ns, int r, struct err *err)
{
	err->kind = ERR_CONFIG;
	err_pointer(err, "/linux/namespaces/%u/path", ns->index);
	return r;
}

static int open_namespaces(const struct spec *spec, bool planning, int join[SPEC_NS_COUNT],
			   struct plan_host *h, struct err *err)
{
	for (int i = 0; i < SPEC_NS_COUNT; i++) {
		const struct spec_namespace *ns = &spec->ns[i];
		int kind = plan_ns_kind((enum spec_ns)i);

		if (!ns->present || !ns->path)
			continue;
		join[i] = ns_open(ns->path, kind, err);
		if (join[i] == -EACCES && planning) {
			*err = ERR_INIT;
			join[i] = -1;
			continue;
		}
		if (join[i] < 0)
			return name_namespace(ns, join[i], err);
		if (ns_same(join[i], kind, NULL) == 1)
			h->own |= (unsigned)kind;
	}
	return 0;
}

static int look_at_users(const struct spec *spec, const int join[SPEC_NS_COUNT],
			 struct arena *arena, struct plan_host *h, struct err *err)
{
	const struct spec_namespace *user = &spec->ns[SPEC_NS_USER];
	bool implied = !user->present && !h->may_unshare;
	int r;

	if (join[SPEC_NS_USER] >= 0 && !(h->own & CLONE_NEWUSER)) {
		r = userns_maps_of(join[SPEC_NS_USER], arena, &h->joined_uids, &h->joined_gids,
				   err);
		return r < 0 ? name_namespace(user, r, err) : 0;
	}
	if ((!user->present && !implied) || spec->uid_map.n)
		return 0;
	if (h->may_unshare || h->uid == 0)
		return userns_own_maps(arena, &h->own_uids, &h->own_gids, err);
	if (!subid_have_helpers())
		return 0;
	r = subid_ranges(SUBID_UIDS, h->uid, arena, &h->sub_uids, err);
	if (r == 0)
		r = subid_ranges(SUBID_GIDS, h->uid, arena, &h->sub_gids, err);
	/* One without the other could not be used: setgroups(2) is denied with a single gid. */
	if (h->sub_uids.n == 0 || h->sub_gids.n == 0)
		h->sub_uids.n = h->sub_gids.n = 0;
	return r;
}

static bool is_usable(const struct cgroup_host *all, const char *path, struct cgroup_host *ret)
{
	char clean[PATH_MAX / 4];

	return path && path_clean(path, clean, sizeof(clean)) > 1 &&
	       cgroup_own(all, clean, ret) > 0;
}

int host_usable_cgroups(const struct cgroup_host *all, const char *wanted, const char *parent,
			struct arena *arena, const struct cgroup_host **ret,
			const char **ret_parent, struct err *err)
{
	struct cgroup_host *usable = arena_alloc(arena, sizeof(*usable));
	char place[PATH_MAX / 8];

	if (!usable)
		return err_set(err, ENOMEM, "look at the cgroups");
	*ret = usable;
	*ret_parent = parent;
	if (is_usable(all, arena_printf(arena, "/%s", wanted ? wanted : parent), usable))
		return 0;
	for (int above = 1; above >= 0 && !wanted; above--) {
		const char *own;

		if (cgroup_own_place(all, above, place, sizeof(place)) != CGROUP_OK)
			break;
		own = arena_printf(arena, "%s%s", place, parent);
		if (!is_usable(all, own, usable))
			continue;
		*ret_parent = own;
		return 0;
	}
	usable->mode = CGROUP_NONE;
	usable->n = 0;
	return 0;
}

static int choose_cgroup(const struct spec *spec, struct arena *arena, struct plan_host *h,
			 struct err *err)
{
	const struct cgroup_host *all = h->cgroups;
	int r = host_usable_cgroups(all, spec->cgroups_path, h->default_cgroup_parent, arena,
				    &h->cgroups, &h->default_cgroup_parent, err);

	h->no_rights = r == 0 && h->cgroups->n == 0 && all->n > 0;
	return r;
}

bool host_no_devices(struct oakum *o)
{
	return handle_rootless(o) && !(userns_may_unshare() && userns_is_first());
}

int host_look(struct oakum *o, const struct spec *spec, int join[SPEC_NS_COUNT],
	      struct arena *arena, struct plan_host *ret, struct err *err)
{
	int r;

	*ret = (struct plan_host){
		.cgroups = handle_cgroups(o, err),
		.default_cgroup_parent = o->cgroup_parent,
		.rootless = handle_rootless(o),
		.may_unshare = userns_may_unshare(),
		.uid = geteuid(),
		.gid = getegid(),
		.listen_fdnames = getenv("LISTEN_FDNAMES"),
		.seccomp_receiver = getenv("RUN_OCI_SECCOMP_RECEIVER"),
	};
	if (!ret->cgroups)
		return -EINVAL;
	ret->no_devices = host_no_devices(o);
	/* What systemd makes is for it to allow. */
	r = ret->rootless && o->manager != OAKUM_CGROUP_SYSTEMD
		    ? choose_cgroup(spec, arena, ret, err)
		    : 0;
	if (r == 0)
		r = open_namespaces(spec, o->planning, join, ret, err);
	return r < 0 ? r : look_at_users(spec, join, arena, ret, err);
}
