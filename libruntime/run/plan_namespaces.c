/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan's namespaces: what is made, what is joined, and who is who in a user namespace. What
 * leads to a namespace of our own is none of the container's: it shares that with the host.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/str.h"
#include "run/plan.h"

#define MAP_EXTENTS 340 /* UID_GID_MAP_MAX_EXTENTS, Linux 4.15 */

static const int ns_kind[SPEC_NS_COUNT] = {
	[SPEC_NS_PID] = CLONE_NEWPID,	    [SPEC_NS_NETWORK] = CLONE_NEWNET,
	[SPEC_NS_IPC] = CLONE_NEWIPC,	    [SPEC_NS_UTS] = CLONE_NEWUTS,
	[SPEC_NS_MOUNT] = CLONE_NEWNS,	    [SPEC_NS_USER] = CLONE_NEWUSER,
	[SPEC_NS_CGROUP] = CLONE_NEWCGROUP, [SPEC_NS_TIME] = CLONE_NEWTIME,
};

int plan_ns_kind(enum spec_ns ns)
{
	return ns_kind[ns];
}

/* The one of our own user namespace cannot be joined, that of our mounts must not be filled with
 * the container's. */
static int check_own(const struct spec_namespace *ns, int kind, struct err *err)
{
	if (kind != CLONE_NEWUSER && kind != CLONE_NEWNS)
		return 0;
	err_pointer(err, "/linux/namespaces/%u/path", ns->index);
	err_hint(err, "leave out the path for a new one%s",
		 kind == CLONE_NEWUSER ? ", or the entry for none" : "");
	return err_kind(err, ERR_CONFIG, 0, "%s is the %s namespace that oakum itself is in",
			ns->path, ns_kind_name(kind));
}

/* What would change a namespace that is the host's, though one is named for it. */
static int check_changes(const struct spec *spec, const struct plan_host *host, struct err *err)
{
	if ((host->own & CLONE_NEWUTS) && (spec->hostname || spec->domainname)) {
		err_pointer(err, spec->hostname ? "/hostname" : "/domainname");
		err_hint(err, "leave its path out: then a new one is made");
		return err_kind(err, ERR_CONFIG, 0,
				"the uts namespace is oakum's own: the host would be renamed");
	}
	if ((host->own & CLONE_NEWNET) && spec->n_net_devices) {
		err_pointer(err, "/linux/netDevices");
		err_hint(err, "leave its path out: then a new one is made");
		return err_kind(err, ERR_CONFIG, 0,
				"the network namespace is oakum's own: they are in it already");
	}
	for (size_t i = 0; i < spec->sysctl.n; i++) {
		enum spec_ns ns = spec_sysctl_namespace(spec->sysctl.v[i].key);

		if (ns == SPEC_NS_COUNT || !(host->own & (unsigned)ns_kind[ns]))
			continue;
		err_pointer(err, "/linux/sysctl/%s", spec->sysctl.v[i].key);
		err_hint(err, "leave its path out: then a new one is made");
		return err_kind(err, ERR_CONFIG, 0,
				"the %s namespace is oakum's own: it would change the host",
				spec_ns_name(ns));
	}
	return 0;
}

static int make_namespaces(const struct spec *spec, const struct plan_host *host, struct plan *p,
			   struct arena *arena, struct err *err)
{
	for (int i = 0; i < SPEC_NS_COUNT; i++) {
		const struct spec_namespace *ns = &spec->ns[i];

		if (!ns->present)
			continue;
		if (host->own & (unsigned)ns_kind[i]) {
			int r = check_own(ns, ns_kind[i], err);

			if (r < 0)
				return r;
			continue;
		}
		p->namespaces |= (unsigned)ns_kind[i];
		if (!ns->path) {
			p->create |= (unsigned)ns_kind[i];
			continue;
		}
		p->join[p->n_join++] = (struct plan_join){
			.ns = (enum spec_ns)i,
			.kind = ns_kind[i],
			.path = ns->path,
			.pointer = arena_printf(arena, "/linux/namespaces/%u/path", ns->index),
		};
	}
	/* Whoever may not make the others may make this one, and then the others in it. */
	p->implied_user = !host->may_unshare && !(p->namespaces & CLONE_NEWUSER);
	if (p->implied_user) {
		p->namespaces |= CLONE_NEWUSER;
		p->create |= CLONE_NEWUSER;
	}
	p->mounts_namespace = p->namespaces & CLONE_NEWNS;
	return check_changes(spec, host, err);
}

static void make_time(const struct spec *spec, struct plan *p)
{
	for (int i = 0; i < SPEC_CLOCK_COUNT; i++) {
		const struct spec_time_offset *o = &spec->time_offsets[i];

		if (o->set)
			p->offsets[p->n_offsets++] =
				(struct timens_offset){spec_clock_name(i), o->secs, o->nanosecs};
	}
}

int plan_copy_idmaps(const struct spec_idmaps *from, struct arena *arena, struct ns_idmaps *ret)
{
	struct ns_idmap *to = arena_array(arena, from->n, sizeof(*to));

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < from->n; i++)
		to[i] = (struct ns_idmap){from->v[i].container, from->v[i].host, from->v[i].size};
	*ret = (struct ns_idmaps){to, from->n};
	return 0;
}

/* All that we have ourselves, each id as itself. */
static int map_everything(const struct ns_idmaps *own, struct arena *arena, struct ns_idmaps *ret)
{
	struct ns_idmap *to = arena_array(arena, own->n + 1, sizeof(*to));

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < own->n; i++)
		to[i] = (struct ns_idmap){own->v[i].container, own->v[i].container, own->v[i].size};
	*ret = (struct ns_idmaps){to, own->n};
	return 0;
}

/* As crun does: the process is us, the others are our subordinate ids from 0 on. */
static int map_subordinate(uint32_t id, uint32_t container, const struct ns_idmaps *sub,
			   struct arena *arena, struct ns_idmaps *ret)
{
	struct ns_idmap *to = arena_array(arena, sub->n + 2, sizeof(*to));
	uint64_t at = 0;
	size_t n = 0;

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < sub->n; i++) {
		uint32_t first = sub->v[i].host, size = sub->v[i].size;

		if (at <= container && container < at + size) {
			uint32_t before = (uint32_t)(container - at);

			if (before)
				to[n++] = (struct ns_idmap){(uint32_t)at, first, before};
			to[n++] = (struct ns_idmap){container, id, 1};
			at = (uint64_t)container + 1;
			first += before;
			size -= before;
		}
		if (size > UINT32_MAX - at)
			size = (uint32_t)(UINT32_MAX - at);
		if (size)
			to[n++] = (struct ns_idmap){(uint32_t)at, first, size};
		at += size;
	}
	if (at <= container)
		to[n++] = (struct ns_idmap){container, id, 1};
	*ret = (struct ns_idmaps){to, n};
	return 0;
}

static int default_maps(const struct spec *spec, const struct plan_host *host, struct plan *p,
			struct arena *arena)
{
	int r;

	if (host->may_unshare || host->uid == 0) {
		r = map_everything(&host->own_uids, arena, &p->uids);
		return r < 0 ? r : map_everything(&host->own_gids, arena, &p->gids);
	}
	r = map_subordinate(host->uid, spec->process.uid, &host->sub_uids, arena, &p->uids);
	return r < 0 ? r
		     : map_subordinate(host->gid, spec->process.gid, &host->sub_gids, arena,
				       &p->gids);
}

/* Of maps that the configuration does not give; it has been told of those it does. */
static int check_ids(const struct spec *spec, const struct plan *p, struct err *err)
{
	const struct spec_process *process = &spec->process;

	if (!userns_find(&p->uids, process->uid)) {
		err_pointer(err, "/process/user/uid");
		return err_kind(err, ERR_CONFIG, 0, "%u is not mapped in the user namespace",
				process->uid);
	}
	if (!userns_find(&p->gids, process->gid)) {
		err_pointer(err, "/process/user/gid");
		return err_kind(err, ERR_CONFIG, 0, "%u is not mapped in the user namespace",
				process->gid);
	}
	for (size_t i = 0; i < process->n_groups; i++) {
		if (userns_find(&p->gids, process->groups[i]))
			continue;
		err_pointer(err, "/process/user/additionalGids/%zu", i);
		return err_kind(err, ERR_CONFIG, 0, "%u is not mapped in the user namespace",
				process->groups[i]);
	}
	return 0;
}

static int make_idmaps(const struct spec *spec, const struct plan_host *host, struct plan *p,
		       struct arena *arena, struct err *err)
{
	int r;

	if (!(p->namespaces & CLONE_NEWUSER))
		return 0;
	if ((p->create & CLONE_NEWUSER) && spec->uid_map.n) {
		r = plan_copy_idmaps(&spec->uid_map, arena, &p->uids);
		if (r == 0)
			r = plan_copy_idmaps(&spec->gid_map, arena, &p->gids);
		return r < 0 ? err_set(err, -r, "plan id mappings") : 0;
	}
	if (p->create & CLONE_NEWUSER) {
		r = default_maps(spec, host, p, arena);
		if (r < 0)
			return err_set(err, -r, "plan id mappings");
	} else {
		p->uids = host->joined_uids;
		p->gids = host->joined_gids;
	}
	return check_ids(spec, p, err);
}

int plan_make_namespaces(const struct spec *spec, const struct plan_host *host, struct plan *p,
			 struct arena *arena, struct err *err)
{
	int r = make_namespaces(spec, host, p, arena, err);

	make_time(spec, p);
	return r < 0 ? r : make_idmaps(spec, host, p, arena, err);
}
