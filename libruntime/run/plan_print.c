/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every decision of a plan in the order in which it is carried out: what `oakum plan` prints and
 * the golden tests compare. The container's process is in plan_print_process.c.
 */
#include "run/plan_print.h"

#include <inttypes.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/str.h"
#include "kernel/ns.h"
#include "run/plan.h"
#include "run/plan_words.h"

static const int kinds[] = {CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET,	  CLONE_NEWIPC,
			    CLONE_NEWUTS,  CLONE_NEWNS,	 CLONE_NEWCGROUP, CLONE_NEWTIME};

static void print_container(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "container");
	plan_step(w, "id");
	plan_text(w, "id", p->id);
	plan_step(w, "bundle");
	plan_text(w, "path", p->bundle);
	plan_step(w, "root");
	plan_text(w, "path", p->rootfs);
	plan_flag(w, "read-only", p->root_readonly);
}

/* ---- cgroup ---- */

struct writes {
	struct plan_writer *w;
	bool before;
};

static void print_write(void *data, const struct cgroup_dry_write *write)
{
	const struct writes *writes = data;
	struct plan_writer *w = writes->w;

	if (write->before != writes->before)
		return;
	plan_step(w, "write");
	plan_text(w, "file", write->file);
	plan_text(w, "value", write->value);
	if (write->hierarchy->name[0])
		plan_text(w, "hierarchy", write->hierarchy->name);
	plan_flag(w, "if the kernel has it", write->if_present);
	plan_text(w, "with bfq", write->bfq);
}

static void print_writes(const struct plan *p, bool before, struct plan_writer *w)
{
	struct writes writes = {w, before};

	/* What cannot be written was refused by plan_make(). */
	(void)cgroup_dry(p->cgroups, p->cgroup, &p->limits, print_write, &writes, NULL);
}

static void print_device_rules(const struct plan *p, struct plan_writer *w)
{
	for (size_t i = 0; i < p->limits.n_devices; i++) {
		const struct cgroup_device_rule *r = &p->limits.devices[i];
		char numbers[2][24];

		for (int k = 0; k < 2; k++) {
			struct strbuf b;
			int64_t v = k ? r->minor : r->major;

			strbuf_init(&b, numbers[k], sizeof(numbers[k]));
			if (v < 0)
				strbuf_addc(&b, '*');
			else
				strbuf_i64(&b, v);
		}
		plan_step(w, r->allow ? "allow" : "deny");
		plan_fmt(w, "devices", "%c", r->type);
		plan_fmt(w, "number", "%s:%s", numbers[0], numbers[1]);
		plan_fmt(w, "access", "%s%s%s", r->read ? "r" : "", r->write ? "w" : "",
			 r->mknod ? "m" : "");
	}
}

static void print_enable(const struct plan *p, struct plan_writer *w)
{
	uint32_t need = cgroup_dry_need(p->cgroups, &p->limits), bit;
	const char *name;

	if (!need)
		return;
	plan_step(w, "enable");
	plan_list(w, "controllers");
	for (size_t i = 0; (name = cgroup_controller_name(i, &bit)); i++)
		if (need & bit)
			plan_word(w, bit == CGROUP_C_BLKIO ? "io" : name);
	plan_text(w, "in", "cgroup.subtree_control of its parents");
}

static void print_properties(const struct plan_properties *l, struct plan_writer *w)
{
	for (size_t i = 0; i < l->n; i++) {
		plan_step(w, "property");
		plan_text(w, "text", l->v[i]);
	}
}

static void print_unit(const struct plan *p, struct plan_writer *w)
{
	if (!p->unit)
		return;
	plan_step(w, "ask systemd");
	plan_text(w, "unit", p->unit->name);
	plan_text(w, "slice", p->unit->slice);
	plan_text(w, "manager", p->unit->user ? "user" : "system");
	print_properties(&p->unit->start, w);
}

static void print_cgroup(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "cgroup");
	if (!p->cgroup[0]) {
		plan_step(w, "none");
		return;
	}
	print_unit(p, w);
	plan_step(w, "make");
	plan_text(w, "path", p->cgroup);
	plan_list(w, "hierarchies");
	for (size_t i = 0; i < p->cgroups->n; i++)
		plan_word(w, p->cgroups->h[i].name[0] ? p->cgroups->h[i].name : "unified");
	if (p->delegate) {
		plan_step(w, "delegate");
		plan_text(w, "path", p->delegate);
	}
	print_enable(p, w);
	print_writes(p, true, w);
	print_device_rules(p, w);
}

static void print_lines(const char *lines, bool compared, struct plan_writer *w)
{
	for (; lines && *lines; lines += strcspn(lines, "\n") + 1) {
		plan_step(w, "schemata");
		plan_fmt(w, "line", "%.*s", (int)strcspn(lines, "\n"), lines);
		plan_flag(w, "compared with a class that exists", compared);
	}
}

static void print_rdt(const struct rdt_request *q, struct plan_writer *w)
{
	plan_stage(w, "resctrl");
	if (!q)
		return;
	plan_step(w, "class");
	plan_text(w, "name", q->group);
	plan_flag(w, "must exist", q->must_exist);
	plan_text(w, "mark", q->mark);
	print_lines(q->schema, true, w);
	print_lines(q->schemata, false, w);
	if (q->monitor) {
		plan_step(w, "monitoring group");
		plan_text(w, "name", q->monitor);
	}
}

static void print_limits(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "limits");
	if (p->unit)
		print_properties(&p->unit->set, w);
	if (p->cgroup[0])
		print_writes(p, false, w);
	if (p->limits.memory_check) {
		plan_step(w, "check");
		plan_text(w, "what", "memory in use before a smaller limit");
	}
}

/* ---- namespaces and names ---- */

static void print_idmaps(const char *what, const struct ns_idmaps *maps, struct plan_writer *w)
{
	for (size_t i = 0; i < maps->n; i++) {
		plan_step(w, "map");
		plan_text(w, "ids", what);
		plan_unsigned(w, "container", maps->v[i].container);
		plan_unsigned(w, "host", maps->v[i].host);
		plan_unsigned(w, "size", maps->v[i].size);
	}
}

static void print_namespaces(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "namespaces");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!(p->create & (unsigned)kinds[i]))
			continue;
		plan_step(w, "new");
		plan_text(w, "kind", ns_kind_name(kinds[i]));
		plan_flag(w, "though not asked for", kinds[i] == CLONE_NEWUSER && p->implied_user);
	}
	if (p->private_mounts) {
		plan_step(w, "new");
		plan_text(w, "kind", "mount");
		plan_flag(w, "though not asked for", true);
	}
	for (size_t i = 0; i < p->n_join; i++) {
		plan_step(w, "join");
		plan_text(w, "kind", ns_kind_name(p->join[i].kind));
		plan_text(w, "path", p->join[i].path);
	}
	for (size_t i = 0; i < p->n_offsets; i++) {
		plan_step(w, "clock");
		plan_text(w, "clock", p->offsets[i].clock);
		plan_number(w, "secs", p->offsets[i].secs);
		plan_unsigned(w, "nanosecs", p->offsets[i].nanosecs);
	}
	print_idmaps("uids", &p->uids, w);
	print_idmaps("gids", &p->gids, w);
}

static void print_names(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "network");
	if (p->create & CLONE_NEWNET) {
		plan_step(w, "up");
		plan_text(w, "device", "lo");
	}
	for (size_t i = 0; i < p->n_net_devices; i++) {
		plan_step(w, "move");
		plan_text(w, "device", p->net_devices[i].name);
		plan_text(w, "name", p->net_devices[i].new_name);
	}
	plan_stage(w, "names");
	if (p->hostname) {
		plan_step(w, "hostname");
		plan_text(w, "name", p->hostname);
	}
	if (p->domainname) {
		plan_step(w, "domainname");
		plan_text(w, "name", p->domainname);
	}
}

/* ---- the file system ---- */

static void print_triples(const char *kind, const struct ns_idmaps *maps, struct plan_writer *w)
{
	for (size_t i = 0; i < maps->n; i++)
		plan_word_fmt(w, "%s:%u-%u-%u", kind, maps->v[i].container, maps->v[i].host,
			      maps->v[i].size);
}

static void print_idmap(const struct idmap *map, struct plan_writer *w)
{
	if (map->kind == IDMAP_NONE)
		return;
	plan_list(w, map->recursive ? "ids mapped, whole tree" : "ids mapped");
	if (map->kind == IDMAP_CONTAINER)
		plan_word(w, "as the container's");
	print_triples("uid", &map->uids, w);
	print_triples("gid", &map->gids, w);
}

static void print_mount(const struct mount_op *m, struct plan_writer *w)
{
	static const char *const verbs[] = {"mount", "bind", "remount", "link"};

	plan_step(w, verbs[m->kind]);
	plan_text(w, "target", m->target);
	if (m->kind == MOUNT_FS)
		plan_text(w, "type", m->type);
	plan_text(w, "source", m->source);
	if (m->kind == MOUNT_FS && m->data && m->data[0])
		plan_text(w, "data", m->data);
	plan_flag(w, "recursive", m->recursive);
	plan_mount_words(w, m);
	plan_text(w, "source made", plan_propagation(m->source_propagation));
	plan_text(w, "propagation", plan_propagation(m->propagation));
	plan_flag(w, "copy up", m->copyup);
	plan_flag(w, "read-only at the end", m->late_readonly);
	plan_flag(w, "no symlink", m->no_symlink);
	plan_flag(w, "optional", m->optional);
	plan_flag(w, "copy symlink", m->copy_symlink);
	plan_flag(w, "source not followed", m->source_nofollow);
	plan_flag(w, "target not followed", m->target_nofollow);
	plan_flag(w, "source's restrictions stay", m->locked);
	if (m->label)
		plan_text(w, m->label_key, m->label);
	print_idmap(&m->idmap, w);
}

static void print_mounts(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "mounts");
	if (p->mounts_namespace) {
		plan_step(w, "propagation");
		plan_text(w, "kind", plan_propagation(p->propagation));
	}
	for (size_t i = 0; i < p->n_mounts; i++)
		print_mount(&p->mounts[i], w);
}

static void print_devices(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "devices");
	for (size_t i = 0; i < p->n_devices; i++) {
		const struct dev_node *d = &p->devices[i];

		plan_step(w, "node");
		plan_text(w, "path", d->path);
		plan_fmt(w, "device", "%c %u:%u", d->type, d->major, d->minor);
		plan_fmt(w, "mode", "%04o", d->mode);
		plan_fmt(w, "owner", "%u:%u", d->uid, d->gid);
	}
	if (p->mounts_namespace && p->setup_dev) {
		plan_step(w, "links");
		plan_text(w, "paths", "/dev/fd stdin stdout stderr core ptmx");
	}
	if (p->notify) {
		plan_step(w, "notify socket");
		plan_text(w, "directory", p->notify);
	}
	if (p->process.terminal) {
		plan_step(w, "terminal");
		plan_fmt(w, "size", "%ux%u", p->process.rows, p->process.columns);
		plan_flag(w, "on /dev/console", p->mounts_namespace && p->setup_dev);
	}
}

static void print_closing(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "sysctl");
	for (size_t i = 0; i < p->sysctl.n; i++) {
		plan_step(w, "write");
		plan_text(w, "name", p->sysctl.v[i].key);
		plan_text(w, "value", p->sysctl.v[i].value);
	}
	plan_stage(w, "paths");
	for (size_t i = 0; i < p->readonly.n; i++) {
		plan_step(w, "read-only");
		plan_text(w, "path", p->readonly.v[i]);
	}
	for (size_t i = 0; i < p->masked.n; i++) {
		plan_step(w, "mask");
		plan_text(w, "path", p->masked.v[i]);
	}
	plan_stage(w, "root");
	plan_step(w, !p->mounts_namespace ? "chroot" : p->no_pivot ? "move" : "pivot");
	plan_text(w, "path", p->rootfs);
	plan_flag(w, "read-only", p->root_readonly);
	plan_text(w, "propagation", plan_propagation(p->root_propagation));
}

/* ---- hooks ---- */

static void print_hooks(const struct plan *p, enum spec_hook_kind kind, const char *where,
			struct plan_writer *w)
{
	for (size_t i = 0; i < p->hooks[kind].n; i++) {
		const struct spec_hook *h = &p->hooks[kind].v[i];

		plan_step(w, "hook");
		plan_text(w, "kind", spec_hook_name(kind));
		plan_text(w, "path", h->path);
		plan_words(w, "args", h->args.v);
		plan_words(w, "env", h->env_present ? h->env.v : NULL);
		plan_flag(w, "no environment", h->env_present && !h->env.n);
		if (h->timeout.set)
			plan_number(w, "timeout", h->timeout.v);
		plan_text(w, "in", where);
	}
}

static void print_early_hooks(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "hooks");
	if (p->known->hooks_stdout || p->known->hooks_stderr) {
		plan_step(w, "output of hooks");
		plan_text(w, "stdout", p->known->hooks_stdout);
		plan_text(w, "stderr", p->known->hooks_stderr);
	}
	print_hooks(p, SPEC_HOOK_PRESTART, "the runtime's namespaces", w);
	print_hooks(p, SPEC_HOOK_CREATE_RUNTIME, "the runtime's namespaces", w);
	print_hooks(p, SPEC_HOOK_CREATE_CONTAINER, "the container's namespaces, the host's root",
		    w);
}

static void print_created(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "created");
	if (p->keyring) {
		plan_step(w, "session keyring");
		plan_fmt(w, "name", "_ses.%s", p->id);
	}
	if (p->known->pidfd_receiver) {
		plan_step(w, "pidfd");
		plan_text(w, "to", p->known->pidfd_receiver);
	}
	plan_step(w, "wait");
	plan_text(w, "for", "start");
}

static void print_after(const struct plan *p, struct plan_writer *w)
{
	plan_stage(w, "after start");
	print_hooks(p, SPEC_HOOK_POSTSTART, "the runtime's namespaces", w);
	plan_stage(w, "after delete");
	print_hooks(p, SPEC_HOOK_POSTSTOP, "the runtime's namespaces", w);
}

static void print_warnings(const char *const *warnings, struct plan_writer *w)
{
	plan_stage(w, "warnings");
	for (; warnings && *warnings; warnings++) {
		plan_step(w, "warning");
		plan_text(w, "text", *warnings);
	}
}

void plan_print(const struct plan *p, const char *const *warnings, bool json, struct strbuf *out)
{
	struct plan_writer w;

	plan_writer_begin(&w, out, json, NULL);
	print_warnings(warnings, &w);
	print_container(p, &w);
	print_rdt(p->rdt, &w);
	print_cgroup(p, &w);
	print_namespaces(p, &w);
	print_limits(p, &w);
	print_names(p, &w);
	print_mounts(p, &w);
	print_devices(p, &w);
	print_early_hooks(p, &w);
	print_closing(p, &w);
	print_created(p, &w);
	plan_print_process(p, &w);
	print_hooks(p, SPEC_HOOK_START_CONTAINER, "the container", &w);
	plan_print_program(p, &w);
	print_after(p, &w);
	plan_writer_end(&w);
}
