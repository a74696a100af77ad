/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan's class of cache and memory bandwidth (linux.intelRdt). */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "run/plan.h"

static size_t line_length(const char *line)
{
	size_t n = strcspn(line, "\n");

	return line[n] ? n + 1 : n;
}

/* The lines of the cache but those of the bandwidth, which has a member of its own. */
static char *make_schema(const struct spec_rdt *from, struct arena *arena)
{
	size_t size = 3 + (from->cache ? strlen(from->cache) : 0) +
		      (from->bandwidth ? strlen(from->bandwidth) : 0);
	char *mem = arena_alloc(arena, size);
	struct strbuf b;

	if (!mem)
		return NULL;
	strbuf_init(&b, mem, size);
	for (const char *line = from->cache; line && *line; line += line_length(line)) {
		if (str_starts(line, "MB:") || *line == '\n')
			continue;
		strbuf_addn(&b, line, strcspn(line, "\n"));
		strbuf_addc(&b, '\n');
	}
	if (from->bandwidth) {
		strbuf_add(&b, from->bandwidth);
		strbuf_addc(&b, '\n');
	}
	return mem;
}

static char *make_schemata(const struct spec_strings *lines, struct arena *arena)
{
	size_t size = 1;
	struct strbuf b;
	char *mem;

	for (size_t i = 0; i < lines->n; i++)
		size += strlen(lines->v[i]) + 1;
	mem = arena_alloc(arena, size);
	if (!mem)
		return NULL;
	strbuf_init(&b, mem, size);
	for (size_t i = 0; i < lines->n; i++) {
		strbuf_add(&b, lines->v[i]);
		strbuf_addc(&b, '\n');
	}
	return mem;
}

/* The id is the name where there is no closID, and that of the monitoring group. */
static int check_names(const struct spec_rdt *from, const char *id, struct err *err)
{
	const char *bad =
		from->clos_id && !str_eq(from->clos_id, "/") ? rdt_bad_name(from->clos_id) : NULL;

	if (bad) {
		err_pointer(err, "/linux/intelRdt/closID");
		return err_kind(err, ERR_CONFIG, 0, "\"%s\": %s", from->clos_id, bad);
	}
	bad = !from->clos_id || from->monitoring ? rdt_bad_name(id) : NULL;
	if (!bad)
		return 0;
	err_pointer(err, "/linux/intelRdt");
	return err_kind(err, ERR_USAGE, 0, "the container's id \"%s\" names a group: %s", id, bad);
}

int plan_make_rdt(const struct spec *spec, const struct plan_host *host, struct plan *p,
		  struct arena *arena, struct err *err)
{
	const struct spec_rdt *from = &spec->rdt;
	struct rdt_request *q;
	const char *schema, *schemata, *mark;
	int r;

	if (!from->present)
		return 0;
	r = check_names(from, p->id, err);
	if (r < 0)
		return r;
	q = arena_alloc(arena, sizeof(*q));
	schema = make_schema(from, arena);
	schemata = make_schemata(&from->schemata, arena);
	mark = plan_rdt_mark(host->default_cgroup_parent, p->id, arena);
	if (!q || !schema || !schemata || !mark)
		return err_set(err, ENOMEM, "plan the resctrl class");
	*q = (struct rdt_request){
		.group = from->clos_id ? from->clos_id : p->id,
		.schema = *schema ? schema : NULL,
		.schemata = *schemata ? schemata : NULL,
		.monitor = from->monitoring ? p->id : NULL,
		.must_exist = from->clos_id && !*schema && !*schemata,
		.mark = mark,
	};
	p->rdt = q;
	return 0;
}

const char *plan_rdt_lines(const struct spec_rdt *from, struct arena *arena)
{
	const char *schema = make_schema(from, arena);
	const char *schemata = make_schemata(&from->schemata, arena);

	return schema && schemata ? arena_printf(arena, "%s%s", schema, schemata) : NULL;
}

const char *plan_rdt_mark(const char *cgroup_parent, const char *id, struct arena *arena)
{
	return arena_printf(arena, "%s/%s", cgroup_parent, id);
}
