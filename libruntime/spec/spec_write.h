/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private to spec/: writes a configuration as JSON text, one member a line, indented with tabs.
 * Overflow of the memory is sticky (struct strbuf) and seen at the end.
 */
#ifndef OAKUM_SPEC_SPEC_WRITE_H
#define OAKUM_SPEC_SPEC_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct spec_writer {
	struct strbuf b;
	int depth;
	bool filled; /* the open object or array has a member */
};

/* @key NULL: an element of an array. @bracket is '{' or '['. */
void spec_open(struct spec_writer *w, const char *key, char bracket);
void spec_close(struct spec_writer *w, char bracket);
void spec_put_text(struct spec_writer *w, const char *key, const char *value);
void spec_put_bool(struct spec_writer *w, const char *key, bool value);
void spec_put_u64(struct spec_writer *w, const char *key, uint64_t value);
void spec_put_i64(struct spec_writer *w, const char *key, int64_t value);
/* An array of the strings of @v up to its NULL. */
void spec_put_list(struct spec_writer *w, const char *key, const char *const *v);

/* One mount; @options ends in NULL or is NULL. */
void spec_put_mount(struct spec_writer *w, const char *destination, const char *type,
		    const char *source, const char *const *options);

/* "linux.seccomp" as docker's default profile is for docker's default capabilities. */
void spec_put_seccomp(struct spec_writer *w);

/* What both written bundles share. */
extern const char *const spec_readonly_paths[];

#endif
