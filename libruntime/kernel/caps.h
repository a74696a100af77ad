/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capabilities of the process about to be executed: capabilities(7). Raw system calls, no heap. */
#ifndef OAKUM_KERNEL_CAPS_H
#define OAKUM_KERNEL_CAPS_H

#include <stdbool.h>
#include <stdint.h>

struct err;

struct caps {
	uint64_t bounding, effective, permitted, inheritable, ambient; /* 1 << CAP_* */
};

/* Highest capability of this kernel, asked by prctl(2): /proc may be somebody else's. -1: the
 * kernel does not say. */
int caps_last(void);

/*
 * Two steps around setresuid(2): caps_bound() drops the bounding set and sets PR_SET_KEEPCAPS;
 * after the change of ids caps_apply() sets the three sets and raises the ambient one, then reads
 * all five back: a set that differs from the request is an error (never silently smaller), save
 * that ambient capabilities outside permitted & inheritable are left out and counted in
 * *@ret_skipped (a mask; may be NULL). Capabilities unknown to the running kernel are ignored. The
 * child calls both.
 */
int caps_bound(const struct caps *want, struct err *err);
int caps_apply(const struct caps *want, uint64_t *ret_skipped, struct err *err);

#endif
