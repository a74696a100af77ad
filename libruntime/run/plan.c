/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From what was asked for to what will be done: namespaces, identity, root. Mounts, cgroup and
 * process have files of their own.
 */
#include "run/plan.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "base/path.h"
#include "base/str.h"

static int make_root(const struct spec *spec, const struct plan_options *options, struct plan *p,
		     struct arena *arena, struct err *err)
{
	char clean[PATH_MAX];
	const char *joined;

	joined = spec->root_path[0] == '/'
			 ? spec->root_path
			 : arena_printf(arena, "%s/%s", options->bundle, spec->root_path);
	if (!joined)
		return err_set(err, ENOMEM, "plan the root");
	if (path_clean(joined, clean, sizeof(clean)) < 0) {
		err_pointer(err, "/root/path");
		return err_kind(err, ERR_CONFIG, ENAMETOOLONG, "root path");
	}
	if (str_eq(clean, "/") && p->mounts_namespace && !options->no_pivot) {
		err_pointer(err, "/root/path");
		err_hint(err, "unpack a root file system into a directory of its own");
		return err_kind(err, ERR_CONFIG, 0, "the host's root cannot be a container's root");
	}
	p->rootfs = arena_strdup(arena, clean);
	return p->rootfs ? 0 : err_set(err, ENOMEM, "plan the root");
}

static const struct {
	const char *name;
	unsigned long flags;
} propagations[] = {
	{"private", MS_PRIVATE},       {"rprivate", MS_PRIVATE | MS_REC},
	{"slave", MS_SLAVE},	       {"rslave", MS_SLAVE | MS_REC},
	{"shared", MS_SHARED},	       {"rshared", MS_SHARED | MS_REC},
	{"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
};

static void make_propagation(const struct spec *spec, struct plan *p)
{
	p->propagation = MS_SLAVE | MS_REC;
	for (size_t i = 0; spec->rootfs_propagation && i < ARRAY_SIZE(propagations); i++) {
		if (!str_eq(spec->rootfs_propagation, propagations[i].name))
			continue;
		p->root_propagation = propagations[i].flags;
		if (propagations[i].flags & MS_PRIVATE)
			p->propagation = MS_PRIVATE | MS_REC;
		/* A "shared" bind mount is to stay in its source's peer group. */
		if (propagations[i].flags & MS_SHARED)
			p->propagation = propagations[i].flags;
	}
}

/* Mounts are never made among the host's: without a mount namespace to make them in, there is one.
 */
static void keep_host_mounts(const struct spec *spec, struct plan *p)
{
	if (p->mounts_namespace || !(spec->n_mounts || spec->masked_paths.n ||
				     spec->readonly_paths.n || spec->root_readonly))
		return;
	p->create |= CLONE_NEWNS;
	p->namespaces |= CLONE_NEWNS;
	p->mounts_namespace = p->private_mounts = true;
}

int plan_make_added(const struct spec *spec, const char *bundle, unsigned namespaces,
		    struct arena *arena, struct plan **ret, struct err *err)
{
	const struct plan_options options = {.bundle = bundle, .no_pivot = true};
	struct plan *p = arena_alloc(arena, sizeof(*p));
	int r;

	if (!p)
		return err_set(err, ENOMEM, "plan");
	p->bundle = bundle;
	p->namespaces = namespaces;
	p->cgroup = "";
	p->added = true;
	make_propagation(spec, p);
	r = make_root(spec, &options, p, arena, err);
	if (r == 0 && (plan_copy_idmaps(&spec->uid_map, arena, &p->uids) < 0 ||
		       plan_copy_idmaps(&spec->gid_map, arena, &p->gids) < 0))
		r = err_set(err, ENOMEM, "plan mounts");
	if (r == 0)
		r = plan_add_mounts(spec, p, arena, err);
	if (r == 0)
		*ret = p;
	return r;
}

static int make_process(const struct spec *spec, const struct plan_host *host,
			const struct plan_options *options, struct plan *p, struct arena *arena,
			struct err *err)
{
	struct plan_process_extra extra = {
		.known = &spec->known,
		.seccomp_receiver = host->seccomp_receiver,
		.keep_groups = spec->known.keep_groups,
		.listen_fds = options->listen_fds,
		.preserve_fds = options->preserve_fds,
		.listen_fdnames = host->listen_fdnames,
		.notify = p->notify,
		.watchdog_usec = options->watchdog_usec,
		.spec = spec,
	};
	int r = plan_make_process(&spec->process, &spec->seccomp, &extra, &p->process, arena, err);

	p->process.hooks = spec->hooks[SPEC_HOOK_START_CONTAINER];
	return r;
}

int plan_make(const struct spec *spec, const struct plan_host *host,
	      const struct plan_options *options, struct arena *arena, struct plan **ret,
	      struct err *err)
{
	struct plan *p = arena_alloc(arena, sizeof(*p));
	int r;

	if (!p)
		return err_set(err, ENOMEM, "plan");
	p->id = options->id;
	p->bundle = options->bundle;
	p->cgroups = host->cgroups;
	p->no_pivot = options->no_pivot;
	p->keyring = !options->no_new_keyring;
	p->hostname = spec->hostname;
	p->domainname = spec->domainname;
	p->mount_label = spec->mount_label;
	p->net_devices = spec->net_devices;
	p->n_net_devices = spec->n_net_devices;
	p->root_readonly = spec->root_readonly;
	p->masked = spec->masked_paths;
	p->readonly = spec->readonly_paths;
	p->sysctl = spec->sysctl;
	p->known = &spec->known;
	p->hooks = spec->hooks;
	for (int i = 0; i < SPEC_HOOK_COUNT; i++)
		p->hook_kinds |= spec->hooks[i].n ? 1u << i : 0;
	make_propagation(spec, p);

	r = plan_make_namespaces(spec, host, p, arena, err);
	keep_host_mounts(spec, p);
	if (r == 0)
		r = make_root(spec, options, p, arena, err);
	p->container_hooks_dir = options->hooks_in_root ? p->rootfs : p->bundle;
	if (r == 0)
		r = plan_make_cgroup(spec, host, p, arena, err);
	if (r == 0)
		r = plan_make_rdt(spec, host, p, arena, err);
	if (r == 0 && p->mounts_namespace)
		r = plan_make_mounts(spec, host, p, arena, err);
	if (r == 0)
		r = plan_make_notify(spec, options, p, arena, err);
	if (r == 0)
		r = make_process(spec, host, options, p, arena, err);
	if (r == 0)
		*ret = p;
	return r;
}
