/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* update: other limits for a container that lives. Nothing is remembered: the kernel has them. */
#include <errno.h>

#include "base/fd.h"
#include "base/str.h"
#include "kernel/rdt.h"
#include "run/create.h"
#include "run/host.h"
#include "run/lifecycle.h"
#include "run/plan.h"
#include "run/rdt.h"
#include "run/unit.h"
#include "spec/spec.h"

static int read_resources(struct oakum *o, const struct oakum_update *u, struct container *c,
			  struct spec_resources *ret, struct err *err)
{
	struct spec_errors *errors = arena_alloc(&c->arena, sizeof(*errors));
	const char *name = create_input_name(u->file, "options");
	int r;

	if (!errors)
		return err_set(err, ENOMEM, "read the limits");
	r = spec_parse_resources(u->text, u->text_size, name, &c->arena, ret, errors);
	return create_parsed(o, errors, name, r);
}

struct telling {
	const struct cgroup *cg;
	const struct cgroup_limits *limits;
	struct container *c;
};

static int tell_systemd(void *data, struct err *err)
{
	struct telling *t = data;

	return unit_update(&t->c->state, t->cg, t->limits, &t->c->arena, err);
}

static int apply(struct oakum *o, struct container *c, const struct cgroup_limits *limits,
		 struct err *err)
{
	struct cgroup cg;
	struct telling telling = {&cg, limits, c};
	int r;

	if (!c->state.cgroup[0])
		return container_no_cgroup(o, "", err);
	r = container_open_cgroup(o, c->state.cgroup, &cg, err);
	if (r == CGROUP_GONE)
		r = container_not_running(c, err);
	else if (r == 0 && unit_exists(o, &c->state))
		r = cgroup_limit_managed(&cg, limits, tell_systemd, &telling, err);
	else if (r == 0)
		r = cgroup_limit(&cg, limits, true, err);
	if (r < 0)
		err_top(err, "/linux/resources");
	cgroup_close(&cg);
	return r;
}

/* As at creation: not those of a user, whom engines give them with all else. */
static int make_device_rules(struct oakum *o, struct container *c, const struct spec_resources *r,
			     struct cgroup_limits *limits, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (!r->n_devices)
		return 0;
	if (!c->state.user_unit && !host_no_devices(o))
		return plan_make_device_rules(r, limits, &c->arena, err);
	(void)err_set(&ignored, 0,
		      "/devices: ignored: device rules are not for this user to write");
	handle_warn(o, &ignored);
	return 0;
}

static int change_limits(struct oakum *o, const struct oakum_update *u, struct container *c,
			 struct err *err)
{
	struct cgroup_limits limits = {.n_devices = 0};
	struct spec_resources resources = {.n_devices = 0};
	int r = read_resources(o, u, c, &resources, err);

	if (r == 0)
		r = plan_make_limits(&resources, &limits, &c->arena, err);
	if (r == 0)
		r = make_device_rules(o, c, &resources, &limits, err);
	return r < 0 ? r : apply(o, c, &limits, err);
}

/* Its lines in @ret, NULL if there are none, and resctrl's root in @ret_root. */
static int read_rdt(struct oakum *o, const struct oakum_update *u, struct container *c,
		    const char **ret, int *ret_root, struct err *err)
{
	struct spec_errors *errors = arena_alloc(&c->arena, sizeof(*errors));
	struct spec_rdt rdt = {.present = false};
	int r;

	if (!u->rdt)
		return 0;
	if (!errors)
		return err_set(err, ENOMEM, "read the schemata");
	r = spec_parse_rdt(u->rdt, u->rdt_size, "options", &c->arena, &rdt, errors);
	r = create_parsed(o, errors, "options", r);
	if (r < 0)
		return r;
	if (rdt.clos_id || rdt.monitoring)
		return err_kind(err, ERR_CONFIG, 0,
				"a container that lives stays in its resctrl class");
	*ret = plan_rdt_lines(&rdt, &c->arena);
	if (!*ret)
		return err_set(err, ENOMEM, "read the schemata");
	*ret_root = rdt_open(err);
	return *ret_root < 0 ? *ret_root : 0;
}

static int update(struct oakum *o, const char *id, const struct oakum_update *u, struct err *err)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	AUTO_CLOSE int rdt = -1;
	struct oakum_update given = *u;
	const char *lines = NULL;
	int r = create_read_first(o, id, u->file, &c.arena, &given.text, &given.text_size, err);

	if (r == 0)
		r = container_open(o, id, true, &c, err);
	if (r == 0 && (c.status == OAKUM_STOPPED || c.status == OAKUM_CREATING))
		r = container_not_running(&c, err);
	/* What cannot be had is found before anything is changed. */
	if (r == 0)
		r = read_rdt(o, u, &c, &lines, &rdt, err);
	if (r == 0 && given.text)
		r = change_limits(o, &given, &c, err);
	if (r == 0 && lines)
		r = rdt_change(o, &c, rdt, lines, err);
	return r;
}

int oakum_update(struct oakum *o, const char *id, const struct oakum_update *options)
{
	struct err *err = handle_begin(o);
	int r = HANDLE_CHECK_OPTIONS(o, options, oakum_update);

	if (r == 0 && options->file && options->text)
		r = err_kind(err, ERR_USAGE, 0, "either a file or a text");
	if (r == 0 && !options->file && !options->text && !options->rdt)
		r = err_kind(err, ERR_USAGE, 0, "nothing to change");
	if (r == 0)
		r = update(o, id, options, err);
	return handle_end(o, "update", id, r);
}
