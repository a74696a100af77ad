/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The seccomp listener of a process that is about to be executed, on its way to the agent: what
 * start and exec do when SYNC_LISTENER comes. */
#ifndef OAKUM_RUN_LISTENER_H
#define OAKUM_RUN_LISTENER_H

#include <stdint.h>
#include <sys/types.h>

struct arena;
struct err;
struct plan_listener;
struct state;

/* How long an agent may take to accept the listener. */
#define LISTENER_TIMEOUT_MS 10000

/* About whom the agent is told. */
struct listener_process {
	const struct state *state;
	const char *status; /* of the container */
	pid_t pid;	    /* of the process, as the runtime sees it */
};

/*
 * Send @fd with the ContainerProcessState of config-linux.md ("Seccomp"). Takes @fd over. 0, also
 * where it failed and nobody needs it; < 0 with @err. Blocks at most LISTENER_TIMEOUT_MS.
 */
int listener_pass(const struct plan_listener *listener, const struct listener_process *process,
		  int fd, struct arena *arena, struct err *err);

#endif
