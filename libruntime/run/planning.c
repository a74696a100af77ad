/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan: what create would do, said and not done. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/create.h"
#include "run/creation.h"
#include "run/planning.h"

#define FIRST_SIZE 65536
#define LAST_SIZE  (256u << 20) /* a configuration has 16 MiB at most */

static void keep_warning(void *data, const char *line)
{
	struct planning *p = data;

	if (p->n_warnings < PLANNING_WARNINGS)
		p->warnings[p->n_warnings] = arena_strdup(&p->creation.arena, line);
	if (p->n_warnings < PLANNING_WARNINGS && p->warnings[p->n_warnings])
		p->n_warnings++;
}

/* What an ordinary user may not look at is no fault of the bundle. */
static void keep_problem(void *data, const struct err *err)
{
	struct planning *p = data;
	char line[1024];

	if ((err->code == EACCES || err->code == EPERM) && geteuid() != 0) {
		err_format(err, line, sizeof(line));
		keep_warning(p, line);
		return;
	}
	p->problems->total++;
	if (p->problems->n < SPEC_MAX_ERRORS)
		p->problems->v[p->problems->n++] = *err;
}

int planning_begin(struct oakum *o, const char *id, const struct oakum_create *options,
		   struct planning *p)
{
	struct creation *c = &p->creation;
	int r;

	*p = (struct planning){.warn = o->warn, .warn_data = o->warn_data};
	*c = (struct creation){.systemd = CGROUP_SYSTEMD_INIT,
			       .o = o,
			       .options = options,
			       .err = &o->err,
			       .arena = ARENA_INIT,
			       .rdt = -1};
	for (size_t i = 0; i < ARRAY_SIZE(c->join); i++)
		c->join[i] = -1;
	o->planning = true;
	o->warn = keep_warning;
	o->warn_data = p;
	p->problems = arena_alloc(&c->arena, sizeof(*p->problems));
	if (!p->problems)
		return err_set(c->err, ENOMEM, "plan");
	r = creation_read(c, id);
	if (r < 0)
		return r;
	create_warn_ambient(o, &c->plan->process);
	creation_survey(c, keep_problem, p);
	return 0;
}

void planning_end(struct planning *p)
{
	struct creation *c = &p->creation;

	c->o->planning = false;
	c->o->warn = p->warn;
	c->o->warn_data = p->warn_data;
	for (size_t i = 0; i < ARRAY_SIZE(c->join); i++)
		fd_close(c->join[i]);
	arena_done(&c->arena);
}

static int print(const struct planning *p, bool json, char **ret, struct err *err)
{
	for (size_t size = FIRST_SIZE; size <= LAST_SIZE; size *= 4) {
		AUTO_FREE char *mem = malloc(size);
		struct strbuf b;

		if (!mem)
			return err_set(err, ENOMEM, "print the plan");
		strbuf_init(&b, mem, size);
		plan_print(p->creation.plan, p->warnings, json, &b);
		if (b.overflow)
			continue;
		*ret = mem;
		mem = NULL;
		return 0;
	}
	return err_set(err, EOVERFLOW, "print the plan");
}

int oakum_plan(struct oakum *o, const char *id, const struct oakum_create *options, bool json,
	       char **ret)
{
	struct planning p;
	struct err *err = handle_begin(o);
	int r = HANDLE_CHECK_OPTIONS(o, options, oakum_create);

	*ret = NULL;
	if (r < 0)
		return handle_end(o, "plan", id, r);
	r = planning_begin(o, id ? id : "ID", options, &p);
	if (r == 0)
		r = print(&p, json, ret, err);
	if (r == 0 && p.problems->n)
		r = create_refuse(o, p.problems);
	planning_end(&p);
	return handle_end(o, "plan", id, r);
}
