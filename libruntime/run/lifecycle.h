/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands on an existing container have in common: find it, lock it, read it, look at it.
 */
#ifndef OAKUM_RUN_LIFECYCLE_H
#define OAKUM_RUN_LIFECYCLE_H

#include "kernel/family.h"
#include "run/handle.h"
#include "run/state.h"

struct spec;

struct container {
	struct arena arena;
	struct state state;
	enum oakum_status status;
	int dir; /* ROOT/ID; carries the lock if one was taken */
};

#define CONTAINER_INIT ((struct container){.arena = ARENA_INIT, .dir = -1})

/* Open, optionally lock (waiting for another command at most 10 s), read, look. 0, or < 0 with
 * @err. */
int container_open(struct oakum *o, const char *id, bool lock, struct container *ret,
		   struct err *err);
/* The words that engines look for, and what to do. < 0. */
int container_not_running(const struct container *c, struct err *err);
/* It was made without a cgroup; @lacks: " to freeze", or "". < 0. */
int container_no_cgroup(struct oakum *o, const char *lacks, struct err *err);
void container_close(struct container *c);

/* Open the cgroup at @path, most often c->state.cgroup. 0; CGROUP_GONE: there is none, or @path is
 * ""; < 0 with @err. cgroup_close() whatever it is. */
int container_open_cgroup(struct oakum *o, const char *path, struct cgroup *ret, struct err *err);

/* As oakum_pids() of a container that is open. 0, or < 0 with @err. */
int container_pids(struct oakum *o, const struct container *c, pid_t **ret, size_t *ret_n,
		   struct err *err);

/* Is it by a namespace that its processes are found: without a cgroup, or where they may have
 * stayed outside (exec.c)? */
bool container_has_family(struct oakum *o, const struct container *c);
struct family_id container_family(struct oakum *o, const struct container *c);

/* What to do about who does not die. */
#define DIE_HINT                                                                                   \
	"a process in state D waits for a device or a file system, a traced one for its "          \
	"tracer: delete again when it has gone"

/*
 * Who has not died of SIGKILL in time, with what they wait for, and what to do about it: those in
 * its cgroup @cg (NULL: it has none), else init, with the children whose end it awaits. 0: nobody
 * any more; < 0 with @err.
 */
int container_name_left(const struct container *c, const struct cgroup *cg, struct err *err);

/* Run poststop hooks; a failing one is a warning and the rest run (runtime.md, "Lifecycle" step
 * 13). */
void container_poststop(struct oakum *o, struct container *c);

/* Take a container away whatever its state; see oakum_delete(). The caller holds the lock. */
int container_destroy(struct oakum *o, const char *id, struct container *c,
		      const struct oakum_delete *options, struct err *err);

/*
 * Pass on what the started container notifies (@fd) to @host until it has said READY=1 or has
 * ended. Gives up the lock. Trouble is a warning: the container runs.
 */
void start_await_ready(struct oakum *o, struct container *c, int fd, const char *host);

#define AUTO_CONTAINER __attribute__((cleanup(container_close)))

#endif
