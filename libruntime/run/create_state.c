/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written down while a container comes to life: all that is known before anything is done,
 * that its cgroup is its own, and who its first process is.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_put.h"
#include "base/str.h"
#include "kernel/family.h"
#include "run/creation.h"

static char *annotations_json(struct creation *c)
{
	const struct spec_pairs *a = &c->spec->annotations;
	size_t size = 16;
	struct strbuf b;
	char *mem;

	for (size_t i = 0; i < a->n; i++)
		size += 8 + 6 * (strlen(a->v[i].key) + strlen(a->v[i].value));
	mem = arena_alloc(&c->arena, size);
	if (!mem)
		return NULL;
	strbuf_init(&b, mem, size);
	strbuf_add(&b, a->n ? "{" : "");
	for (size_t i = 0; i < a->n; i++)
		json_put_text(&b, a->v[i].key, a->v[i].value);
	strbuf_add(&b, a->n ? "}" : "");
	return mem;
}

static int fill_state(struct creation *c, const char *id)
{
	struct state *s = &c->state;

	clock_text(c->created);
	s->oci_version = c->spec->version;
	s->id = id;
	s->rootfs = c->plan->rootfs;
	s->created = c->created;
	s->boot_id = handle_boot_id(c->o);
	s->cgroup = c->plan->cgroup;
	s->unit = c->plan->unit ? c->plan->unit->name : NULL;
	s->user_unit = c->plan->unit && c->plan->unit->user;
	s->delegate = c->plan->delegate;
	s->listener = c->plan->process.listener.path;
	s->owner = geteuid();
	s->terminal = c->spec->process.terminal;
	s->chrooted = !c->plan->mounts_namespace;
	s->keyring = c->plan->keyring;
	s->namespaces = c->plan->namespaces;
	s->own_namespaces = c->plan->create;
	s->hooks = c->plan->hook_kinds;
	s->supervisor_fd = -1;
	s->annotations = annotations_json(c);
	if (!s->annotations || proc_identify(getpid(), -1, &s->creator) < 0)
		return err_set(c->err, ENOMEM, "prepare the state");
	if (c->options->supervised) {
		s->supervisor = s->creator;
		s->supervisor_fd = c->options->supervisor_fd;
	}
	return 0;
}

int creation_begin_state(struct creation *c, const char *id)
{
	int r = fill_state(c, id);

	if (r == 0)
		r = state_make(c->o, id, &c->dir, c->err);
	if (r < 0)
		return r;
	c->state_made = true;
	r = state_write(c->dir, &c->state, c->err);
	return r < 0 ? r : state_keep_config(c->dir, c->text, c->text_size, c->err);
}

/* Its cgroup, if it has one, may not have all of its processes. */
static bool has_family(const struct creation *c)
{
	return !c->state.cgroup || !c->state.cgroup[0] || handle_rootless(c->o);
}

void creation_note_family(struct creation *c)
{
	struct family_id id = {.kind = state_family_kind(&c->state)};

	if (!has_family(c))
		return;
	family_identify(c->pid, &id);
	c->state.family_ns = id.ns;
	c->state.family_ns_id = id.ns_id;
}

int creation_end_state(struct creation *c)
{
	int r = 0;

	c->state.complete = true;
	if (has_family(c))
		r = state_write_claim(c->dir, &c->state, c->err);
	return r < 0 ? r : state_write(c->dir, &c->state, c->err);
}
