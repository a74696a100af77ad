/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this kernel has of what came with the years, asked of the kernel itself and not read from
 * its version: distributions bring things back, and filters take them away. */
#ifndef OAKUM_KERNEL_FEATURE_H
#define OAKUM_KERNEL_FEATURE_H

#include <stdbool.h>
#include <stddef.h>

enum feature_answer {
	FEATURE_NO, /* not in this kernel, or kept from us by a filter */
	FEATURE_YES,
	FEATURE_UNKNOWN, /* cannot be seen from here */
};

struct feature {
	const char *name;    /* "openat2" */
	const char *since;   /* "5.6" of Linux */
	const char *without; /* what is done, or cannot be done, where it is missing */
	bool needed;	     /* no container without it */
	enum feature_answer (*probe)(void);
};

/* The @i-th, or NULL behind the last. A probe changes nothing; some make a child for a moment. */
const struct feature *feature_at(size_t i);

/* Can this process make a user namespace and be root in it? 0, or the errno that says why not:
 * ENOSPC (the limit is reached or 0), EPERM (forbidden to it), EINVAL (not in the kernel), EACCES
 * (it can be made, but gives no rights: AppArmor's restriction). */
int feature_user_namespace(void);

#endif
