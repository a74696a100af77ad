/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan's numbers as the words they were written with. Private to plan_print*.c. */
#ifndef OAKUM_RUN_PLAN_WORDS_H
#define OAKUM_RUN_PLAN_WORDS_H

#include <stdint.h>

#include "run/plan_writer.h"
#include "spec/spec.h"

struct mount_op;

/* The option words of a mount, "nosuid", "rro", "rslave", and of its superblock, as lists. */
void plan_mount_words(struct plan_writer *w, const struct mount_op *op);

/* "rslave"; NULL for 0. */
const char *plan_propagation(unsigned long flags);

/* The set as a list of names, "CAP_CHOWN"; what has no name as number. */
void plan_caps(struct plan_writer *w, const char *name, uint64_t set);

/* The word of a number of @table, else the number; and those of the bits of @set. */
void plan_spec_word(struct plan_writer *w, const char *name, enum spec_words table,
		    uint64_t number);
void plan_spec_bits(struct plan_writer *w, const char *name, enum spec_words table, uint64_t set);

#endif
