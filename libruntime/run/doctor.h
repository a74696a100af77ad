/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A doctor's report on its way. Private to doctor*.c. */
#ifndef OAKUM_RUN_DOCTOR_H
#define OAKUM_RUN_DOCTOR_H

#include "run/handle.h"
#include "run/plan_writer.h"
#include "spec/spec.h"

struct doctor {
	struct oakum *o;
	struct arena *arena;
	struct strbuf *text; /* the report for people; NULL: as JSON, by the writer */
	const char *area;    /* to be named before the next finding; NULL: it was */
	struct plan_writer w;
	struct spec_errors *problems; /* in the order in which create would meet them */
};

/* What follows is about this. */
void doctor_area(struct doctor *d, const char *name);

/* It is there, and what there is to say about it (may be NULL). */
void doctor_has(struct doctor *d, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* It is not there, and what that means; @since: the version of Linux that brings it, or NULL. */
void doctor_lacks(struct doctor *d, const char *what, const char *since, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Worth knowing. */
void doctor_note(struct doctor *d, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* For this create, or start, would fail. */
void doctor_problem(struct doctor *d, const struct err *err);
/* The same for callbacks; @data is the doctor. */
void doctor_report_problem(void *data, const struct err *err);

/* Kernel, namespaces, cgroups, ids, security modules and tools. */
void doctor_host(struct doctor *d);

/* The state root: whose it is, and its space and inodes for one more container, whose configuration
 * has @config_size bytes and a seccomp profile (@seccomp) that wants a place in the cache. */
void doctor_root(struct doctor *d, size_t config_size, bool seccomp);

/* A bundle on this host. */
void doctor_bundle(struct doctor *d, const char *id, const struct oakum_create *options);

#endif
