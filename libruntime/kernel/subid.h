/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subordinate ids: subuid(5), subgid(5). What they grant is newuidmap's to judge; this only reads.
 */
#ifndef OAKUM_KERNEL_SUBID_H
#define OAKUM_KERNEL_SUBID_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/ns.h"

#define SUBID_UIDS "/etc/subuid"
#define SUBID_GIDS "/etc/subgid"

struct arena;
struct err;

/*
 * The ranges of the user @uid in @file, by the number or by the name that passwd(5) has for it, in
 * the order of the file: ->host and ->size in @arena. None, or no such file: none. A line that
 * cannot be read is as if it were not there. The parent calls it.
 */
int subid_ranges(const char *file, uint32_t uid, struct arena *arena, struct ns_idmaps *ret,
		 struct err *err);

/* Are newuidmap(1) and newgidmap(1) in the PATH? */
bool subid_have_helpers(void);

#endif
