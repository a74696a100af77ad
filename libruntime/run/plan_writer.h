/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plan put into words: stages in their order, in each the steps in theirs, each a verb and facts
 * with names. One description, two forms, so that they cannot say different things:
 *
 *	mounts
 *	  bind /data, source /srv, flags nosuid nodev, recursive
 *
 *	{"stage":"mounts","steps":[{"do":"bind","target":"/data","source":"/srv",
 *	"flags":["nosuid","nodev"],"recursive":true}]}
 */
#ifndef OAKUM_RUN_PLAN_WRITER_H
#define OAKUM_RUN_PLAN_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf;

/* What the parts of the JSON are called: "stages", "stage", "steps", "do". */
struct plan_writer_names {
	const char *all, *stage, *steps, *step;
};

struct plan_writer {
	struct strbuf *to;
	bool json;
	/* Private. */
	const struct plan_writer_names *names;
	const char *stage;
	bool any_stage, any_step, in_stage, in_step, any_fact, in_list, any_word;
};

/* @names: NULL for those above. */
void plan_writer_begin(struct plan_writer *w, struct strbuf *to, bool json,
		       const struct plan_writer_names *names);
/* Closes what is open; nothing may be written after it. */
void plan_writer_end(struct plan_writer *w);

/* What follows belongs to this stage. One without a step is not shown. */
void plan_stage(struct plan_writer *w, const char *name);
/* A step, "mount". Its first fact is what the verb is about: in text its name is left out. */
void plan_step(struct plan_writer *w, const char *verb);

/* Facts of the step. What is NULL or false is no fact. */
void plan_text(struct plan_writer *w, const char *name, const char *value);
void plan_fmt(struct plan_writer *w, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void plan_number(struct plan_writer *w, const char *name, int64_t value);
void plan_unsigned(struct plan_writer *w, const char *name, uint64_t value);
void plan_flag(struct plan_writer *w, const char *name, bool value);
/* A list: words one by one. An empty one is shown where it was begun with plan_list(). */
void plan_list(struct plan_writer *w, const char *name);
void plan_word(struct plan_writer *w, const char *word);
void plan_word_fmt(struct plan_writer *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* All of a NULL-terminated list; no fact where there are none. */
void plan_words(struct plan_writer *w, const char *name, const char *const *words);

#endif
