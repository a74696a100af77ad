/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a container and knowing what it is, for every command but create. */
#include "run/lifecycle.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "run/hooks.h"
#include "spec/spec.h"

#define LOCK_TIMEOUT_MS 10000

extern char **environ;

int container_open(struct oakum *o, const char *id, bool lock, struct container *ret,
		   struct err *err)
{
	int r = state_need(o, id, &ret->dir, err);

	if (r == 0 && lock)
		r = state_lock(o, id, ret->dir, clock_deadline(LOCK_TIMEOUT_MS), err);
	if (r == 0)
		r = state_read(ret->dir, &ret->arena, &ret->state, err);
	if (r == STATE_ABSENT) {
		err_hint(err,
			 "`oakum delete --force %s` removes what is left of it, if anything is",
			 id);
		return err_kind(err, ERR_STATE, ENOENT, "container does not exist");
	}
	if (r == 0)
		ret->status = state_status(o, ret->dir, &ret->state);
	return r;
}

int container_not_running(const struct container *c, struct err *err)
{
	if (c->status == OAKUM_CREATING)
		err_hint(err,
			 "it is being made, or that was cut short: see `oakum delete --force`");
	else
		err_hint(err, "it has stopped: `oakum delete %s` removes it", c->state.id);
	return err_kind(err, ERR_STATE, 0, "container not running");
}

int container_no_cgroup(struct oakum *o, const char *lacks, struct err *err)
{
	err_hint(err, handle_rootless(o)
			      ? "have a cgroup delegated to this user, and create it again"
			      : "create it with a cgroup manager other than disabled");
	return err_kind(err, ERR_UNSUPPORTED, 0, "the container has no cgroup%s", lacks);
}

void container_close(struct container *c)
{
	fd_close(c->dir);
	c->dir = -1;
	arena_done(&c->arena);
}

int container_open_cgroup(struct oakum *o, const char *path, struct cgroup *ret, struct err *err)
{
	const struct cgroup_host *host = path[0] ? handle_cgroups(o, err) : NULL;

	cgroup_init(ret, host);
	if (!path[0])
		return CGROUP_GONE;
	return host ? cgroup_open(ret, path, err) : -EINVAL;
}

bool container_has_family(struct oakum *o, const struct container *c)
{
	const unsigned whole = CLONE_NEWPID | CLONE_NEWUSER;

	return !c->state.cgroup[0] || (handle_rootless(o) && (c->state.own_namespaces & whole));
}

struct family_id container_family(struct oakum *o, const struct container *c)
{
	const struct state *s = &c->state;
	struct family_id id = {.init = s->init, .kind = state_family_kind(s)};

	/* After a boot the numbers are others'. */
	if (str_eq(s->boot_id, handle_boot_id(o))) {
		id.ns = s->family_ns;
		id.ns_id = s->family_ns_id;
	}
	return id;
}

void container_poststop(struct oakum *o, struct container *c)
{
	struct err err = ERR_INIT;
	struct spec *spec;
	struct hooks_setting setting =
		HOOKS_SETTING(.dir = c->state.bundle, .env = (const char *const *)environ);
	const struct spec_hooks *hooks;
	AUTO_CLOSE int input = -1;
	char *json;

	if (!(c->state.hooks & (1u << SPEC_HOOK_POSTSTOP)))
		return;
	if (state_load_config(c->dir, &c->arena, &spec, &err) < 0) {
		err_prefix(&err, "poststop hooks");
		handle_warn(o, &err);
		return;
	}
	json = state_hook_json(&c->arena, &c->state, "stopped", 0);
	input = json ? hooks_input(json, &err) : -1;
	setting.input = input;
	if (hooks_outputs(c->state.bundle, &spec->known, setting.output, &err) < 0)
		handle_warn(o, &err);
	hooks = &spec->hooks[SPEC_HOOK_POSTSTOP];
	for (size_t i = 0; input >= 0 && i < hooks->n; i++) {
		err = ERR_INIT;
		if (hooks_run_one(hooks, i, SPEC_HOOK_POSTSTOP, &setting, &err) == 0)
			continue;
		err_prefix(&err, "poststop hook failed with exit code");
		handle_warn(o, &err);
	}
	hooks_outputs_close(setting.output);
}
