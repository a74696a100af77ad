/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum list: the containers of a state root. All of it is one write, so that it is fast with
 * hundreds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/command.h"

#define COLUMNS	  6
#define MIN_WIDTH 12 /* runc's table: at least 12 wide, 3 between */
#define PADDING	  3

struct row {
	struct row *next;
	const char *cell[COLUMNS];
};

struct listing {
	const struct command_context *c;
	FILE *out;
	struct arena arena;
	struct row head, *last;
	int width[COLUMNS];
	bool json, first;
};

/* Characters, not bytes, take columns. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void measure(struct listing *l, const struct row *r)
{
	for (int i = 0; i < COLUMNS; i++) {
		int w = width_of(r->cell[i]) + PADDING;

		if (w > l->width[i])
			l->width[i] = w;
	}
}

static int add_row(void *data, const struct oakum_state *s)
{
	struct listing *l = data;
	struct row *r = arena_alloc(&l->arena, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->cell[0] = arena_strdup(&l->arena, oakum_state_id(s));
	r->cell[1] = arena_printf(&l->arena, "%d", oakum_state_pid(s));
	r->cell[2] = oakum_status_name(oakum_state_status(s));
	r->cell[3] = arena_strdup(&l->arena, oakum_state_bundle(s));
	r->cell[4] = arena_strdup(&l->arena, oakum_state_created(s));
	r->cell[5] = arena_strdup(&l->arena, oakum_state_owner(s));
	for (int i = 0; i < COLUMNS; i++)
		if (!r->cell[i])
			return -ENOMEM;
	measure(l, r);
	l->last = l->last->next = r;
	return 0;
}

static int add_id(void *data, const struct oakum_state *s)
{
	struct listing *l = data;

	fprintf(l->out, "%s\n", oakum_state_id(s));
	return 0;
}

/* The state as it is, without the blanks between its tokens. */
static int add_json(void *data, const struct oakum_state *s)
{
	struct listing *l = data;
	bool quoted = false;

	fputc(l->first ? '[' : ',', l->out);
	l->first = false;
	for (const char *p = oakum_state_json(s); *p; p++) {
		if (quoted && *p == '\\') {
			fputc(*p++, l->out);
		} else if (*p == '"') {
			quoted = !quoted;
		} else if (!quoted && strchr(" \n\t\r", *p)) {
			continue;
		}
		fputc(*p, l->out);
	}
	return 0;
}

static void report_bad(void *data, const char *id, const char *text)
{
	const struct listing *l = data;

	cli_warn(l->c, "list %s: %s", id, text);
}

static void put_table(struct listing *l)
{
	for (const struct row *r = &l->head; r; r = r->next) {
		for (int i = 0; i < COLUMNS - 1; i++)
			fprintf(l->out, "%s%*s", r->cell[i], l->width[i] - width_of(r->cell[i]),
				"");
		fprintf(l->out, "%s\n", r->cell[COLUMNS - 1]);
	}
}

static int collect(struct listing *l)
{
	bool quiet = opt_bool(l->c, "quiet");
	int r;

	if (quiet)
		return oakum_list(l->c->oakum, add_id, report_bad, l);
	if (l->json) {
		r = oakum_list(l->c->oakum, add_json, report_bad, l);
		fputs(l->first ? "null\n" : "]\n", l->out);
		return r;
	}
	measure(l, &l->head);
	r = oakum_list(l->c->oakum, add_row, report_bad, l);
	put_table(l);
	return r;
}

static int run(struct command_context *c)
{
	const char *format = opt_string(c, "format");
	AUTO_FREE char *text = NULL;
	size_t size = 0;
	struct listing l = {
		.c = c,
		.head = {.cell = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}},
		.last = &l.head,
		.width = {MIN_WIDTH, MIN_WIDTH, MIN_WIDTH, MIN_WIDTH, MIN_WIDTH},
		.json = format && str_eq(format, "json"),
		.first = true,
	};
	int r;

	l.out = open_memstream(&text, &size);
	if (!l.out)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "list containers");
	r = collect(&l);
	arena_done(&l.arena);
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
