/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container's first process, from clone to execve: a table of stages, run in order. The name of
 * the stage is what a user reads in an error. No heap, no stdio, no locks: everything it needs is
 * in the plan or opened before.
 */
#ifndef OAKUM_RUN_INIT_H
#define OAKUM_RUN_INIT_H

#include "kernel/cgroup.h"
#include "kernel/mask.h"
#include "kernel/rootfs.h"
#include "kernel/seccomp.h"
#include "run/plan.h"
#include "run/process.h"

#define INIT_NAME "oakum:init" /* until execve(2) gives it another */

#define INIT_SOURCE_NONE  (-1) /* not opened: the child does it, where it comes to it */
#define INIT_SOURCE_LATER (-2) /* the parent opens it when it is asked for */

struct init {
	const struct plan *plan;
	const struct cgroup *cgroup;	     /* NULL: none */
	bool in_v2;			     /* cloned into the v2 cgroup already */
	const struct seccomp_filter *filter; /* NULL: none */
	int sync;			     /* the child's end */
	int parent_end;		 /* inherited; closed first, or its end would never be seen */
	int gate;		 /* listening */
	bool await_mapping;	 /* wait for SYNC_MAPPED before anything else */
	bool dumpable;		 /* born so, until then and for the runtime's hooks */
	int join[SPEC_NS_COUNT]; /* as plan->join; -1: joined before */
	const int *devices; /* of each device: a node made for it, as a tree, or < 0; NULL: none */
	const int *sources; /* of each mount: an opened tree, or one of INIT_SOURCE_*; NULL: none is
			       opened */
	bool timed;	    /* the time namespace is made already */
	/* It is a rehearsal, which ends where the program would be executed, see rehearsal.h: set
	 * when it has come there. In memory that is shared with the parent: the seccomp filter may
	 * leave no other way to say so. NULL: it is none. */
	bool *rehearsal;
	int cover;   /* in one: of rootfs_make_cover(), or -1 */
	bool binfmt; /* in one: programs of other machines may run here */
	bool bare;   /* in one: the root could not be covered, what needs it is left out */
	int stdio[3];
	bool plain_terminal;
	int notify;	    /* receiving end of the notify socket, -1: none; for `start` */
	int hook_output[2]; /* as in struct hooks_setting */
	char *hook_creating,
		*hook_created; /* state for hooks, with INIT_PID_BLANK where the pid goes */
	char *hook_pid_creating, *hook_pid_created;

	/* filled on the way */
	struct rootfs root;
	struct mask mask;
	int tty_slave;
	unsigned umask; /* the caller's, for its hooks */
	char home[PROCESS_HOME_SIZE];
};

/* Room for a pid in the prepared JSON: blanks are nothing to a parser. */
#define INIT_PID_DIGITS 10

/* The new time namespace, by the offsets of timens_open(). */
int init_make_time(struct init *in, int offsets, struct err *err);

/* Never returns: execve, or a report to the parent and _exit. */
_Noreturn void init_main(struct init *in);

#endif
