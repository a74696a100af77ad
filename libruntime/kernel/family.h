/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The processes of a container that has no cgroup: those of its pid namespace, else of its user
 * namespace, else of its mount namespace and who descends from them, else its first process and who
 * descends from it.
 */
#ifndef OAKUM_KERNEL_FAMILY_H
#define OAKUM_KERNEL_FAMILY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/proc.h"

struct err;

/*
 * Whose. @kind is a namespace of its own: CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWNS, or 0: it has
 * none. All in it and in those below it are meant, as far as we may look at them. The two numbers
 * find them when the first process has ended: family_identify() while it lives, 0 where unknown.
 */
struct family_id {
	struct proc_id init;
	int kind;
	uint64_t ns;	/* inode of the namespace */
	uint64_t ns_id; /* ns_id() of it */
};

/* Fill in the two numbers of the namespace in which the live process @pid is, if we may look. */
void family_identify(pid_t pid, struct family_id *id);

/*
 * Their pids, sorted; in @ret (malloc'ed, the caller frees). Nobody where init has ended with its
 * pid namespace, or where nothing proves that the namespace is still the one that it was: without
 * ns_id there has to be one process in it of the session that init began. 0, or < 0 with @err.
 * Parent only: it uses the heap.
 */
int family_list(const struct family_id *id, pid_t **ret, size_t *ret_n, struct err *err);

/*
 * Send @sig to each of them. SIGKILL where it is not a pid namespace, whose init takes all others
 * with it: they are stopped first, until nobody new shows up, and waited for. 0, or < 0 with @err.
 */
int family_signal(const struct family_id *id, int sig, struct err *err);

#endif
