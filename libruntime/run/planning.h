/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A creation that is thought through and not carried out: for plan and doctor. Private to run/. */
#ifndef OAKUM_RUN_PLANNING_H
#define OAKUM_RUN_PLANNING_H

#include "run/creation.h"

#define PLANNING_WARNINGS 128

struct planning {
	struct creation creation;
	const char *warnings[PLANNING_WARNINGS + 1]; /* NULL-terminated */
	size_t n_warnings;
	struct spec_errors *problems; /* for which create would refuse the bundle, besides */
	void (*warn)(void *data, const char *line);
	void *warn_data;
};

/*
 * Read the bundle, make the plan, and look at what it names. 0, or < 0 with the errors in the
 * handle: there is no plan. Changes nothing; whatever it returns, planning_end() follows.
 */
int planning_begin(struct oakum *o, const char *id, const struct oakum_create *options,
		   struct planning *ret);
void planning_end(struct planning *p);

#endif
