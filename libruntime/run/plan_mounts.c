/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan's mounts and devices: "mounts" and "linux.devices" of the configuration, and what /dev
 * always has. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/path.h"
#include "base/str.h"
#include "run/plan.h"

/* A v1 cgroup mount becomes: a tmpfs, a bind a hierarchy, links for its controllers, read-only. */
#define OPS_PER_HIERARCHY 4

struct builder {
	struct mount_op *ops;
	size_t n;
	const struct spec *spec;
	const struct plan_host *host;
	struct plan *plan;
	struct arena *arena;
};

static struct mount_op *add(struct builder *b, const struct mount_op *from)
{
	struct mount_op *op = &b->ops[b->n++];

	*op = *from;
	return op;
}

static bool is_cgroup(const char *type)
{
	return str_eq(type, "cgroup") || str_eq(type, "cgroup2");
}

static int add_controller_links(struct builder *b, const struct mount_op *dir, const char *name,
				struct err *err)
{
	const char *part = name;

	if (!strchr(name, ','))
		return 0;
	while (*part) {
		size_t len = strcspn(part, ",");
		struct mount_op link = {
			.kind = MOUNT_SYMLINK,
			.target = arena_printf(b->arena, "%s/%.*s", dir->target, (int)len, part),
			.source = name,
			.index = dir->index,
		};

		if (!link.target)
			return err_set(err, ENOMEM, "plan cgroup mounts");
		add(b, &link);
		part += len + (part[len] == ',');
	}
	return 0;
}

static const char *lives_in(const struct plan *p)
{
	return p->delegate ? p->delegate : p->cgroup;
}

static int add_cgroup_v1(struct builder *b, const struct mount_op *asked, struct err *err)
{
	struct cgroup_view *view = arena_array(b->arena, CGROUP_MAX, sizeof(*view));
	struct mount_op top = *asked;
	bool readonly = asked->attr_set & MOUNT_ATTR_RDONLY;
	size_t n;

	if (!view)
		return err_set(err, ENOMEM, "plan cgroup mounts");
	n = cgroup_view(b->host->cgroups, lives_in(b->plan), view);
	top.kind = MOUNT_FS;
	top.type = "tmpfs";
	top.source = "tmpfs";
	top.data = "mode=755,size=1m";
	top.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	top.sb_flags &= ~(unsigned long)MS_RDONLY;
	add(b, &top);
	for (size_t i = 0; i < n; i++) {
		struct mount_op bind = {
			.kind = MOUNT_BIND,
			.target = arena_printf(b->arena, "%s/%s", asked->target, view[i].name),
			.source = view[i].dir,
			.attr_set = asked->attr_set,
			.attr_clr = asked->attr_clr,
			.index = asked->index,
		};
		int r;

		if (!bind.target)
			return err_set(err, ENOMEM, "plan cgroup mounts");
		add(b, &bind);
		r = add_controller_links(b, asked, view[i].name, err);
		if (r < 0)
			return r;
	}
	if (readonly)
		add(b, &(struct mount_op){.kind = MOUNT_REMOUNT,
					  .target = asked->target,
					  .attr_set = MOUNT_ATTR_RDONLY,
					  .index = asked->index});
	return 0;
}

/* May it remount what we have mounted? Then read-only would be in the way of it and protect
 * nothing.
 */
static bool may_remount(const struct builder *b)
{
	return !(b->plan->namespaces & CLONE_NEWUSER) &&
	       (b->spec->process.caps.bounding & UINT64_C(1) << CAP_SYS_ADMIN);
}

/* Its own directory shows the same tree as a fresh cgroup2 mount in a cgroup namespace would, at a
 * hundredth of the cost. */
static int add_cgroup_v2(struct builder *b, const struct mount_op *asked, struct err *err)
{
	struct cgroup_view *view = arena_array(b->arena, CGROUP_MAX, sizeof(*view));
	struct mount_op bind = *asked;

	if (!view)
		return err_set(err, ENOMEM, "plan cgroup mounts");
	if (cgroup_view(b->host->cgroups, lives_in(b->plan), view) == 0)
		return err_kind(err, ERR_UNSUPPORTED, 0, "no cgroup file system to show");
	bind.kind = MOUNT_BIND;
	bind.source = view[0].dir;
	bind.data = "";
	if (!(b->plan->namespaces & CLONE_NEWCGROUP)) {
		bind.source = b->host->cgroups->h[0].mount;
		if (!may_remount(b)) {
			bind.attr_set |= MOUNT_ATTR_RDONLY;
			bind.attr_clr &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		}
	}
	add(b, &bind);
	return 0;
}

/* Without a cgroup of its own it sees the host's, whoever may write to that (CVE-2023-25809). */
static void add_host_cgroups(struct builder *b, const struct mount_op *asked)
{
	struct mount_op bind = *asked;

	bind.kind = MOUNT_BIND;
	bind.source = "/sys/fs/cgroup";
	bind.data = "";
	bind.recursive = true;
	bind.attr_set =
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	bind.attr_clr = 0;
	bind.rec_set = MOUNT_ATTR_RDONLY;
	add(b, &bind);
}

static int add_cgroup(struct builder *b, const struct mount_op *asked, struct err *err)
{
	if (b->plan->cgroup[0] == '\0') {
		add_host_cgroups(b, asked);
		return 0;
	}
	if (b->host->cgroups->mode == CGROUP_V2)
		return add_cgroup_v2(b, asked, err);
	return add_cgroup_v1(b, asked, err);
}

static int clean_target(struct builder *b, const char *destination, const char **ret,
			struct err *err)
{
	const char *slashed = arena_printf(b->arena, "/%s", destination), *root = b->plan->rootfs;
	char clean[PATH_MAX];
	const char *inside;

	if (!slashed)
		return err_set(err, ENOMEM, "plan mounts");
	if (path_clean(slashed, clean, sizeof(clean)) < 0)
		return err_kind(err, ERR_CONFIG, ENAMETOOLONG, "destination");
	/* Given as the host sees it, below the root: both peers take that. */
	inside = path_below(clean, root);
	*ret = arena_strdup(b->arena, inside && *inside ? inside : clean);
	return *ret ? 0 : err_set(err, ENOMEM, "plan mounts");
}

/* Whose ids: those of the entry, of the option, or the container's. */
static int plan_idmap(struct builder *b, const struct spec_mount *m, struct mount_op *op,
		      struct err *err)
{
	const struct plan *p = b->plan;
	const struct idmap_relative container = {p->uids, p->gids};
	int r;

	if (m->uid_map.n) {
		op->idmap.kind = IDMAP_OWN;
		r = plan_copy_idmaps(&m->uid_map, b->arena, &op->idmap.uids);
		if (r == 0)
			r = plan_copy_idmaps(&m->gid_map, b->arena, &op->idmap.gids);
		return r < 0 ? err_set(err, -r, "plan mounts") : 0;
	}
	if (op->idmap_text) {
		op->idmap.kind = IDMAP_OWN;
		return idmap_parse(op->idmap_text, &container, b->arena, &op->idmap, err);
	}
	if (op->idmap.kind == IDMAP_CONTAINER && !(p->namespaces & CLONE_NEWUSER))
		return err_kind(
			err, ERR_CONFIG, 0,
			"an id-mapped mount needs uidMappings and gidMappings of its own, or "
			"a user namespace of the container's");
	return 0;
}

static const char *bind_source(struct builder *b, const char *source)
{
	if (!source || source[0] == '/')
		return source;
	return arena_printf(b->arena, "%s/%s", b->plan->bundle, source);
}

/* New file systems get the container's label; those of the kernel have labels of their own. */
static void label_mount(const struct builder *b, struct mount_op *op)
{
	static const char *const own[] = {"proc", "sysfs", "mqueue"};
	const char *key = b->spec->known.mount_context_type;

	if (op->kind != MOUNT_FS || !b->spec->mount_label)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (str_eq(op->type, own[i]))
			return;
	op->label = b->spec->mount_label;
	op->label_key = key ? key : "context";
}

/* Written for root's ids: in a user namespace that was not asked for, the group of terminals may
 * not exist. */
static int drop_missing_group(const struct builder *b, struct mount_op *op, struct err *err)
{
	const char *gid = strstr(op->data, "gid="), *rest;
	uint64_t value;
	size_t len;

	if (!b->plan->implied_user || op->kind != MOUNT_FS || !str_eq(op->type, "devpts") || !gid ||
	    (gid > op->data && gid[-1] != ','))
		return 0;
	len = strcspn(gid + 4, ",");
	if (strn_to_u64(gid + 4, len, 0, UINT32_MAX, &value) < 0 ||
	    userns_find(&b->plan->gids, (uint32_t)value))
		return 0;
	/* With the comma before it, or the one after. */
	rest = gid + 4 + len;
	if (gid > op->data)
		gid--;
	else
		rest += *rest == ',';
	op->data = arena_printf(b->arena, "%.*s%s", (int)(gid - op->data), op->data, rest);
	return op->data ? 0 : err_set(err, ENOMEM, "plan mounts");
}

/* Others depend on the namespaces and the mounts of whoever makes them. */
static int judge_added(const struct mount_op *op, struct err *err)
{
	if (op->kind != MOUNT_BIND && (op->kind != MOUNT_FS || !str_eq(op->type, "tmpfs")))
		return err_kind(err, ERR_UNSUPPORTED, 0,
				"of a container that lives, only binds and tmpfs can be changed");
	if (str_eq(op->target, "/"))
		return err_kind(err, ERR_CONFIG, 0,
				"the root of a container that lives stays what it is");
	return 0;
}

static int add_mount(struct builder *b, const struct spec_mount *m, int index, struct err *err)
{
	struct mount_op op = {.kind = MOUNT_FS, .data = "", .index = index};
	int r;

	op.type = m->type ? m->type : "none";
	op.source = m->source ? m->source : op.type;
	r = clean_target(b, m->destination, &op.target, err);
	if (r == 0)
		r = mount_parse_options(&op, m->options.v, m->options.n, b->arena, err);
	if (r == 0)
		r = b->plan->added ? judge_added(&op, err) : drop_missing_group(b, &op, err);
	if (r < 0)
		return r;
	if (is_cgroup(op.type) && op.kind == MOUNT_FS)
		return add_cgroup(b, &op, err);
	if (op.kind == MOUNT_BIND) {
		op.source = bind_source(b, m->source);
		if (!op.source)
			return err_kind(err, ERR_CONFIG, 0, "a bind mount needs a source");
		op.locked = b->plan->namespaces & CLONE_NEWUSER;
		r = plan_idmap(b, m, &op, err);
		if (r < 0)
			return r;
	}
	if (op.copyup && str_eq(op.target, "/"))
		return err_kind(err, ERR_CONFIG, 0, "tmpcopyup of the root");
	label_mount(b, &op);
	op.no_symlink =
		op.kind == MOUNT_FS && (str_eq(op.type, "proc") || str_eq(op.type, "sysfs"));
	if (str_eq(op.target, "/dev")) {
		b->plan->setup_dev = op.kind != MOUNT_BIND;
		if (op.kind == MOUNT_FS &&
		    ((op.attr_set & MOUNT_ATTR_RDONLY) || (op.sb_flags & MS_RDONLY))) {
			op.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
			op.sb_flags &= ~(unsigned long)MS_RDONLY;
			op.late_readonly = true;
		}
	}
	add(b, &op);
	return 0;
}

static bool is_default_device(const char *path)
{
	for (size_t i = 0; i < dev_defaults_count; i++)
		if (str_eq(dev_defaults[i].path, path))
			return true;
	return str_eq(path, "/dev/ptmx") || str_eq(path, "/dev/console");
}

bool plan_has_source(const struct plan *p, const struct mount_op *op)
{
	if (op->kind != MOUNT_BIND || op->index < 0 || op->optional || !op->source)
		return false;
	if (!str_eq(p->rootfs, "/") && path_below(op->source, p->rootfs))
		return false;
	return !(p->cgroup[0] && strstr(op->source, p->cgroup));
}

/* A source that the parent opens among the host's mounts is made what the container's copy of those
 * is, but where the entry's own word takes all of it out of its peer groups. */
static void make_sources(struct plan *p, struct mount_op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned long own = ops[i].propagation;
		bool leaves = (own & MS_REC) && (own & (MS_PRIVATE | MS_UNBINDABLE));

		if (ops[i].idmap.kind == IDMAP_NONE && !(p->namespaces & CLONE_NEWUSER) &&
		    !p->added)
			continue;
		if (plan_has_source(p, &ops[i]) && (p->propagation & MS_REC) && !leaves &&
		    own != p->propagation)
			ops[i].source_propagation = p->propagation;
	}
}

/* A mount on the very path of a device is what the user wants to be there (/dev/urandom on
 * /dev/random), and nothing of the host's, which it may be, is to be changed. */
static bool is_mount_point(const struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->n_mounts; i++)
		if (str_eq(p->mounts[i].target, path))
			return true;
	return false;
}

static int make_devices(const struct spec *spec, struct plan *p, struct arena *arena,
			struct err *err)
{
	struct dev_node *nodes =
		arena_array(arena, dev_defaults_count + spec->n_devices, sizeof(*nodes));
	size_t n = 0;

	if (!nodes)
		return err_set(err, ENOMEM, "plan devices");
	for (size_t i = 0; p->setup_dev && i < dev_defaults_count; i++)
		if (!is_mount_point(p, dev_defaults[i].path))
			nodes[n++] = dev_defaults[i];
	for (size_t i = 0; i < spec->n_devices; i++) {
		const struct spec_device *d = &spec->devices[i];

		/* A configured /dev/null and its like repeat what is there already. */
		if ((p->setup_dev && is_default_device(d->path)) || is_mount_point(p, d->path))
			continue;
		nodes[n++] = (struct dev_node){
			.path = d->path,
			.type = d->type,
			.major = (uint32_t)d->major,
			.minor = (uint32_t)d->minor,
			.mode = d->mode.set ? d->mode.v : 0666,
			.uid = d->uid.set ? d->uid.v : 0,
			.gid = d->gid.set ? d->gid.v : 0,
			.index = (int)i,
		};
	}
	p->devices = nodes;
	p->n_devices = n;
	return 0;
}

static int add_mounts(struct builder *b, struct err *err)
{
	const struct spec *spec = b->spec;
	size_t room = 0;

	for (size_t i = 0; i < spec->n_mounts; i++) {
		const char *type = spec->mounts[i].type;

		room += type && is_cgroup(type) ? 2 + OPS_PER_HIERARCHY * CGROUP_MAX : 1;
	}
	b->ops = arena_array(b->arena, room + 1, sizeof(*b->ops));
	if (!b->ops)
		return err_set(err, ENOMEM, "plan mounts");
	for (size_t i = 0; i < spec->n_mounts; i++) {
		int r = add_mount(b, &spec->mounts[i], (int)i, err);

		if (r < 0) {
			err_pointer(err, "/mounts/%zu", i);
			return r;
		}
	}
	make_sources(b->plan, b->ops, b->n);
	b->plan->mounts = b->ops;
	b->plan->n_mounts = b->n;
	return 0;
}

int plan_make_mounts(const struct spec *spec, const struct plan_host *host, struct plan *p,
		     struct arena *arena, struct err *err)
{
	struct builder b = {.spec = spec, .host = host, .plan = p, .arena = arena};
	int r;

	p->setup_dev = true;
	r = add_mounts(&b, err);
	return r < 0 ? r : make_devices(spec, p, arena, err);
}

int plan_add_mounts(const struct spec *spec, struct plan *p, struct arena *arena, struct err *err)
{
	struct builder b = {.spec = spec, .plan = p, .arena = arena};

	return add_mounts(&b, err);
}
