/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to plan_print*.c: the half about the process. */
#ifndef OAKUM_RUN_PLAN_PRINT_H
#define OAKUM_RUN_PLAN_PRINT_H

#include "run/plan_writer.h"

struct plan;

/* What the process becomes when it is started, up to startContainer hooks; and the program. */
void plan_print_process(const struct plan *p, struct plan_writer *w);
void plan_print_program(const struct plan *p, struct plan_writer *w);

#endif
