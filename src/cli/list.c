/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum list: the containers of a state root. All of it is one write, so that it is fast with
 * hundreds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/columns.h"
#include "cli/command.h"

struct listing {
	const struct command_context *c;
	FILE *out;
	struct columns table;
	bool any;
};

static int add_row(void *data, const struct oakum_state *s)
{
	struct listing *l = data;
	char pid[16];
	const char *const cells[] = {
		oakum_state_id(s),
		pid,
		oakum_status_name(oakum_state_status(s)),
		oakum_state_bundle(s),
		oakum_state_created(s),
		oakum_state_owner(s),
	};

	snprintf(pid, sizeof(pid), "%d", oakum_state_pid(s));
	return columns_add(&l->table, cells);
}

static int add_id(void *data, const char *id)
{
	struct listing *l = data;

	fprintf(l->out, "%s\n", id);
	return 0;
}

/* The state as it is, without the blanks between its tokens. */
static int add_json(void *data, const struct oakum_state *s)
{
	struct listing *l = data;
	const char *json = oakum_state_json(s);
	bool quoted = false;

	if (!json)
		return -ENOMEM;
	fputc(l->any ? ',' : '[', l->out);
	l->any = true;
	for (const char *p = json; *p; p++) {
		if (quoted && *p == '\\' && p[1])
			fputc(*p++, l->out);
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && strchr(" \n\t\r", *p))
			continue;
		fputc(*p, l->out);
	}
	return 0;
}

static void report_bad(void *data, const char *id, const char *text)
{
	const struct listing *l = data;

	cli_warn(l->c, "list %s: %s", id, text);
}

static int put_table(struct listing *l)
{
	static const char *const header[] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
	int r;

	l->table.n = ARRAY_SIZE(header);
	r = columns_add(&l->table, header);
	if (r == 0)
		r = oakum_list(l->c->oakum, add_row, report_bad, l);
	columns_print(&l->table, l->out);
	columns_done(&l->table);
	return r;
}

static int put_json(struct listing *l)
{
	int r = oakum_list(l->c->oakum, add_json, report_bad, l);

	fputs(l->any ? "]\n" : "null\n", l->out);
	return r;
}

static int put_list(struct listing *l)
{
	const char *format = opt_string(l->c, "format");

	if (opt_bool(l->c, "quiet"))
		return oakum_list_ids(l->c->oakum, add_id, l);
	return format && str_eq(format, "json") ? put_json(l) : put_table(l);
}

static int run(struct command_context *c)
{
	AUTO_FREE char *text = NULL;
	struct listing l = {.c = c};
	size_t size = 0;
	int r;

	l.out = open_memstream(&text, &size);
	if (!l.out)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "list containers");
	r = put_list(&l);
	if (fclose(l.out) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0 && oakum_error_count(c->oakum))
		return cli_fail(c);
	if (r < 0)
		return cli_error(c, OAKUM_E_RUNTIME, -r, "list containers");
	return cli_output(c, text, size);
}

static const struct option_def options[] = {
	{"format", 'f', "FORMAT", "form of the list", 0, "table json"},
	{"quiet", 'q', NULL, "print ids only", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_list = {
	.name = "list",
	.usage = "",
	.summary = "list the containers of the state root",
	.description =
		"Print a line for each container of the state root, sorted by id. A state root "
		"that was named with --root and does not exist is an error.",
	.examples = "oakum list\noakum list --format json",
	.options = options,
	.run = run,
};
