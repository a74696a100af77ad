/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options and configuration of exec put together; pure but for reading the two files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "base/names.h"
#include "base/str.h"
#include "run/create.h"
#include "run/exec.h"
#include "spec/spec.h"

static size_t count(const char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

static int read_process(struct oakum *o, const char *path, struct container *c,
			struct spec_process *ret, struct err *err)
{
	struct spec_errors *errors = arena_alloc(&c->arena, sizeof(*errors));
	size_t size;
	char *text;
	int r;

	if (!errors)
		return err_set(err, ENOMEM, "read %s", path);
	/* It may be a pipe (/dev/fd/N), so this is not io_read_alloc()'s kind of file. */
	r = io_read_stream(path, JSON_MAX_SIZE, &c->arena, &text, &size, err);
	if (r < 0)
		return r;
	r = spec_parse_process(text, size, path, &c->arena, ret, errors);
	return create_parsed(o, errors, path, r);
}

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n + 1) == 0;
}

/* Added variables replace those of the same name where they stand. */
static int add_env(const char *const *more, struct spec_process *p, struct arena *arena,
		   struct err *err)
{
	size_t n = p->env.n, n_more = count(more);
	const char **v = arena_array(arena, n + n_more + 1, sizeof(*v));

	if (!v)
		return err_set(err, ENOMEM, "environment");
	for (size_t i = 0; i < n; i++)
		v[i] = p->env.v[i];
	for (size_t i = 0; i < n_more; i++) {
		size_t k = 0;

		if (!strchr(more[i], '=') || more[i][0] == '=')
			return err_kind(err, ERR_USAGE, 0,
					"environment \"%s\": expected NAME=VALUE", more[i]);
		while (k < n && !same_name(v[k], more[i]))
			k++;
		v[k] = more[i];
		n += k == n;
	}
	p->env = (struct spec_strings){v, n};
	return 0;
}

static int set_user(const char *user, struct spec_process *p, struct err *err)
{
	size_t n = user ? strcspn(user, ":") : 0;
	uint64_t uid, gid = p->gid;

	if (!user)
		return 0;
	if (strn_to_u64(user, n, 0, UINT32_MAX - 1, &uid) < 0 ||
	    (user[n] && str_to_u64(user + n + 1, 0, UINT32_MAX - 1, &gid) < 0))
		return err_kind(err, ERR_USAGE, 0,
				"user \"%s\": expected UID[:GID], each 0…4294967294", user);
	p->uid = (uint32_t)uid;
	p->gid = (uint32_t)gid;
	return 0;
}

static int add_groups(const char *const *groups, struct spec_process *p, struct arena *arena,
		      struct err *err)
{
	size_t n = count(groups);
	uint32_t *v;

	if (n == 0)
		return 0;
	v = arena_array(arena, p->n_groups + n, sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "additional groups");
	if (p->n_groups)
		memcpy(v, p->groups, p->n_groups * sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		uint64_t gid;

		if (str_to_u64(groups[i], 0, UINT32_MAX - 1, &gid) < 0)
			return err_kind(err, ERR_USAGE, 0,
					"additional gid \"%s\": expected 0…4294967294", groups[i]);
		v[p->n_groups + i] = (uint32_t)gid;
	}
	p->groups = v;
	p->n_groups += n;
	return 0;
}

/* Bounding, effective and permitted; ambient too where the capability is inheritable already. */
static int add_caps(const char *const *caps, struct spec_process *p, struct err *err)
{
	for (size_t i = 0; i < count(caps); i++) {
		int cap = names_capability_number(caps[i]);
		uint64_t bit;

		if (cap < 0)
			return err_kind(err, ERR_USAGE, 0, "unknown capability \"%s\"", caps[i]);
		bit = UINT64_C(1) << cap;
		p->caps.bounding |= bit;
		p->caps.effective |= bit;
		p->caps.permitted |= bit;
		p->caps.ambient |= p->caps.inheritable & bit;
	}
	return 0;
}

/* What a process.json does not say and the container's configuration does. */
static void inherit(struct spec_process *p, const struct spec_process *from)
{
	if (!p->caps.present)
		p->caps = from->caps;
	if (p->n_rlimits == 0) {
		p->rlimits = from->rlimits;
		p->n_rlimits = from->n_rlimits;
	}
	if (!p->oom_score_adj.set)
		p->oom_score_adj = from->oom_score_adj;
	if (!p->umask.set)
		p->umask = from->umask;
	if (!p->apparmor)
		p->apparmor = from->apparmor;
	if (!p->selinux)
		p->selinux = from->selinux;
	if (!p->scheduler.present)
		p->scheduler = from->scheduler;
	if (!p->io_priority.present)
		p->io_priority = from->io_priority;
	if (!p->affinity_initial && !p->affinity_final) {
		p->affinity_initial = from->affinity_initial;
		p->affinity_final = from->affinity_final;
	}
}

static int apply_options(const struct oakum_exec *x, struct spec_process *p, struct arena *arena,
			 struct err *err)
{
	int r = set_user(x->user, p, err);

	if (r == 0)
		r = add_groups(x->groups, p, arena, err);
	if (r == 0)
		r = add_caps(x->caps, p, err);
	if (r == 0)
		r = add_env(x->env, p, arena, err);
	if (r < 0)
		return r;
	if (x->cwd && x->cwd[0] != '/')
		return err_kind(err, ERR_USAGE, 0, "cwd \"%s\" is not an absolute path", x->cwd);
	if (x->cwd)
		p->cwd = x->cwd;
	if (x->args && x->args[0])
		p->args = (struct spec_strings){(const char **)x->args, count(x->args)};
	if (p->args.n == 0)
		return err_kind(err, ERR_USAGE, 0, "no command to execute");
	if (x->apparmor)
		p->apparmor = x->apparmor[0] ? x->apparmor : NULL;
	if (x->process_label)
		p->selinux = x->process_label[0] ? x->process_label : NULL;
	p->terminal |= x->terminal;
	p->no_new_privileges |= x->no_new_privileges;
	return 0;
}

int exec_plan(struct oakum *o, const struct oakum_exec *x, struct container *c,
	      struct plan_process *ret, struct err *err)
{
	struct plan_process_extra extra = {
		.listen_fds = x->listen_fds,
		.preserve_fds = x->preserve_fds,
		.listen_fdnames = x->listen_fds ? getenv("LISTEN_FDNAMES") : NULL,
		.exec = true,
	};
	struct spec_process process;
	struct spec *spec;
	int r = state_load_config(c->dir, &c->arena, &spec, err);

	if (r < 0)
		return r;
	if (x->process) {
		r = read_process(o, x->process, c, &process, err);
		if (r < 0)
			return r;
		inherit(&process, &spec->process);
	} else {
		process = spec->process;
		process.terminal = false;
		process.console_rows.set = process.console_columns.set = false;
		process.args = (struct spec_strings){NULL, 0};
	}
	extra.known = &spec->known;
	/* Where the container's own went, wherever that was said. */
	extra.seccomp_receiver =
		c->state.listener[0] ? c->state.listener : getenv("RUN_OCI_SECCOMP_RECEIVER");
	extra.keep_groups = spec->known.keep_groups && count(x->groups) == 0;
	r = apply_options(x, &process, &c->arena, err);
	if (r < 0)
		return r;
	extra.spec = spec;
	return plan_make_process(&process, &spec->seccomp, &extra, ret, &c->arena, err);
}
