/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A time namespace with offsets of its clocks: time_namespaces(7). Joining one is ns.c's. */
#ifndef OAKUM_KERNEL_TIMENS_H
#define OAKUM_KERNEL_TIMENS_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct timens_offset {
	const char *clock; /* "monotonic" or "boottime" */
	int64_t secs;
	uint32_t nanosecs;
};

/*
 * The caller's own timens_offsets, for timens_make(). The kernel judges writes by the rights of who
 * opened it: in the user namespace that is to own the time namespace, or as that one's owner. Call
 * it before anything of a container can see the caller: it may become dumpable for the moment. A
 * descriptor, or < 0 with @err. The child calls it.
 */
int timens_open(struct err *err);

/*
 * Make a time namespace, set its offsets and enter it at once, not with the next execve, so that
 * hooks and exec find the same clocks as the program. @offsets stays the caller's. The child calls
 * it, single-threaded.
 */
int timens_make(int offsets, const struct timens_offset *v, size_t n, struct err *err);

#endif
