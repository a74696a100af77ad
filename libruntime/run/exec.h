/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an exec'ed process is to be. */
#ifndef OAKUM_RUN_EXEC_H
#define OAKUM_RUN_EXEC_H

#include "run/lifecycle.h"
#include "run/plan.h"

/* From the container's own process (its copy of config.json), or a process.json, with the options
 * on top. Everything lives in @c's arena. 0, or < 0 with @err (further errors of a process.json in
 * the handle). */
int exec_plan(struct oakum *o, const struct oakum_exec *options, struct container *c,
	      struct plan_process *ret, struct err *err);

#endif
