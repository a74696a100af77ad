/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The processes of a container that has no cgroup: those of its pid namespace, else of its user
 * namespace, else its first process and who descends from it.
 */
#ifndef OAKUM_KERNEL_FAMILY_H
#define OAKUM_KERNEL_FAMILY_H

#include <stddef.h>
#include <sys/types.h>

struct err;

/*
 * Their pids, @init's among them, sorted; in @ret (malloc'ed, the caller frees). @kind: a namespace
 * of its own, CLONE_NEWPID or CLONE_NEWUSER: all in it and in those below it are meant, as far as
 * we may look at them. 0: it has neither, and a process whose parent has ended is lost to sight.
 * @init must be held by a pidfd; when it has ended nobody is found. 0, or < 0 with @err. Parent
 * only: it uses the heap.
 */
int family_list(pid_t init, int kind, pid_t **ret, size_t *ret_n, struct err *err);

/*
 * Send @sig to each of them. SIGKILL where it is not a pid namespace, whose init takes all others
 * with it: they are stopped first, until nobody new shows up, and waited for. 0, or < 0 with @err.
 */
int family_signal(pid_t init, int kind, int sig, struct err *err);

#endif
