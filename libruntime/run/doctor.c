/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor: what this host, or a bundle on this host, cannot do. The findings are written down as
 * they are made; what would make create fail is also the answer of the call. */
#include "run/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/create.h"

#define REPORT_SIZE (1u << 20)

void doctor_area(struct doctor *d, const char *name)
{
	d->area = name;
	if (!d->text)
		plan_stage(&d->w, name);
}

/* "  lacks   time namespaces (Linux 5.6): no /linux/timeOffsets" */
static void find_in_text(struct doctor *d, const char *verdict, const char *what, const char *since,
			 const char *detail)
{
	char safe[2048];

	if (d->area)
		strbuf_fmt(d->text, "%s\n", d->area);
	d->area = NULL;
	strbuf_fmt(d->text, "  %-7s ", verdict);
	(void)str_printable(what, safe, sizeof(safe));
	strbuf_add(d->text, safe);
	if (since)
		strbuf_fmt(d->text, " (Linux %s)", since);
	(void)str_printable(detail, safe, sizeof(safe));
	strbuf_add(d->text, detail[0] ? ": " : "");
	strbuf_add(d->text, safe);
	strbuf_addc(d->text, '\n');
}

static void find(struct doctor *d, const char *verdict, const char *what, const char *since,
		 const char *detail)
{
	if (d->text) {
		find_in_text(d, verdict, what, since, detail);
		return;
	}
	plan_step(&d->w, verdict);
	plan_text(&d->w, "what", what);
	plan_text(&d->w, "since", since);
	plan_text(&d->w, "detail", detail[0] ? detail : NULL);
}

void doctor_has(struct doctor *d, const char *what, const char *fmt, ...)
{
	char text[1024] = "";
	va_list ap;

	va_start(ap, fmt);
	if (fmt)
		(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	find(d, "has", what, NULL, text);
}

void doctor_lacks(struct doctor *d, const char *what, const char *since, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	find(d, "lacks", what, since, text);
}

void doctor_note(struct doctor *d, const char *what, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	find(d, "note", what, NULL, text);
}

void doctor_problem(struct doctor *d, const struct err *err)
{
	char text[1024], line[1280];
	struct err e = *err;

	err_advise(&e);
	err_format(&e, text, sizeof(text));
	(void)snprintf(line, sizeof(line), "%s%s%s", text, e.hint[0] ? "; " : "", e.hint);
	if (d->text) {
		find_in_text(d, "fails", line, NULL, "");
	} else {
		plan_step(&d->w, "fails");
		plan_text(&d->w, "what", text);
		plan_text(&d->w, "pointer", err->pointer[0] ? err->pointer : NULL);
		plan_text(&d->w, "advice", e.hint[0] ? e.hint : NULL);
	}
	d->problems->total++;
	if (d->problems->n < SPEC_MAX_ERRORS)
		d->problems->v[d->problems->n++] = *err;
}

void doctor_report_problem(void *data, const struct err *err)
{
	doctor_problem(data, err);
}

static int examine(struct oakum *o, const char *id, const struct oakum_create *bundle, bool json,
		   struct strbuf *b)
{
	static const struct plan_writer_names names = {"areas", "area", "findings", "verdict"};
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct doctor d = {.o = o, .arena = &arena, .text = json ? NULL : b};

	d.problems = arena_alloc(&arena, sizeof(*d.problems));
	if (!d.problems)
		return err_set(&o->err, ENOMEM, "examine the host");
	if (json)
		plan_writer_begin(&d.w, b, json, &names);
	doctor_host(&d);
	if (bundle)
		doctor_bundle(&d, id, bundle);
	else
		doctor_root(&d, 0, false);
	if (json)
		plan_writer_end(&d.w);
	if (b->overflow)
		return err_set(&o->err, EOVERFLOW, "write the report");
	return d.problems->n ? create_refuse(o, d.problems) : 0;
}

int oakum_doctor(struct oakum *o, const char *id, const struct oakum_create *bundle, bool json,
		 char **ret)
{
	struct err *err = handle_begin(o);
	int r = bundle ? HANDLE_CHECK_OPTIONS(o, bundle, oakum_create) : 0;
	struct strbuf b;
	char *mem;

	*ret = NULL;
	if (r < 0)
		return handle_end(o, "doctor", NULL, r);
	mem = malloc(REPORT_SIZE);
	if (!mem)
		return handle_end(o, "doctor", NULL, err_set(err, ENOMEM, "examine the host"));
	strbuf_init(&b, mem, REPORT_SIZE);
	r = examine(o, id, bundle, json, &b);
	if (b.overflow)
		free(mem);
	else
		*ret = mem;
	return handle_end(o, "doctor", NULL, r);
}
