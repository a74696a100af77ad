/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advisory locks between commands: they belong to an open file description and go with it. */
#ifndef OAKUM_BASE_LOCK_H
#define OAKUM_BASE_LOCK_H

#include <stdint.h>

/* Take an exclusive flock(2) on @fd, waiting until @deadline_ms. 0, -EBUSY: somebody has it, or
 * -errno. */
int lock_take(int fd, int64_t deadline_ms);

/* Give it back, whoever else holds the same open file description. */
void lock_drop(int fd);

#endif
