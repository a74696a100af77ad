/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last steps of every container process, of create and exec alike: where it stands, who it is,
 * what it may do, and execve. Runs in the child; no heap.
 */
#ifndef OAKUM_RUN_PROCESS_H
#define OAKUM_RUN_PROCESS_H

#include <limits.h>

#include "run/plan.h"

struct err;
struct seccomp_filter;

#define PROCESS_HOME_SIZE 512

/*
 * With the container's root as ours: enter the working directory (made if missing, never through a
 * magic link), fill HOME into envp by way of @home, and see that the program exists (ERR_NOT_FOUND,
 * "executable file not found in $PATH").
 */
int process_prepare(const struct plan_process *p, bool make_cwd, char home[PROCESS_HOME_SIZE],
		    struct err *err);

/* Make the working directory where it is missing, in a root that may become read-only. What stands
 * in the way is for process_prepare() to say. */
void process_make_cwd(int root, const struct plan_process *p);

struct process_exec {
	const struct plan_process *plan;
	const struct seccomp_filter *filter; /* NULL: none */
	int proc;			     /* private procfs */
	int channel;			     /* where SYNC_EXEC goes */
	int hook_output[2];		     /* as in struct hooks_setting */
	bool *rehearsal; /* hooks and program are looked at, not executed: set, and _exit(0) */
	bool binfmt;	 /* in one: the kernel may run programs of other machines */
};

/*
 * Become the program. Limits, umask, ids, capabilities, no_new_privs, seccomp, startContainer
 * hooks, execve. The filter is the last but the hooks and execve, so that what it forbids matters
 * to these alone; its listener goes over the channel (SYNC_LISTENER), which answers SYNC_LISTENED
 * when the agent has it. Returns only on failure, < 0 with @err (ERR_NOT_FOUND or
 * ERR_NOT_EXECUTABLE for the program's own faults).
 */
int process_exec(const struct process_exec *x, struct err *err);

#endif
