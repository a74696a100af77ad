/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One creation on its way: what create_judge.c finds out and create.c and restore.c do.
 * Private to them. */
#ifndef OAKUM_RUN_CREATION_H
#define OAKUM_RUN_CREATION_H

#include "base/arena.h"
#include "base/clock.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/netdev.h"
#include "kernel/seccomp.h"
#include "run/handle.h"
#include "run/plan.h"
#include "run/state.h"
#include "spec/spec.h"

struct creation {
	struct oakum *o;
	const struct oakum_create *options;
	struct err *err;
	struct arena arena;
	struct spec *spec;
	struct plan *plan;
	struct plan_host host;
	const char *text; /* config.json */
	size_t text_size;
	struct state state;
	struct seccomp_filter filter;
	bool have_filter;
	int dir;			/* ROOT/ID, locked */
	struct cgroup cgroup, delegate; /* the second one below the first */
	bool have_cgroup, have_delegate;
	struct cgroup_systemd systemd; /* open where systemd makes the cgroup */
	bool unit_asked;	       /* systemd may have made it */
	int gate, sync;		       /* our end */
	bool await_mapping;
	int join[SPEC_NS_COUNT]; /* each namespace that is given by its path, -1: none */
	int *sources;		 /* of each mount: a tree, INIT_SOURCE_NONE or INIT_SOURCE_LATER */
	int *devices; /* of each device of the plan: a node of ours as a tree, or < 0; NULL: none */
	int hook_output[2];
	int rdt;		/* the root of resctrl, -1: not asked for */
	struct netdev *netdevs; /* handed over, as plan->net_devices; NULL: none yet */
	size_t n_netdevs;
	int netns; /* where they are; held, so that they outlive a child that fails */
	pid_t pid;
	int pidfd, terminal;
	int64_t deadline;
	bool state_made;
	bool hooked;		 /* prestart or createRuntime hooks have had their turn */
	bool *rehearsal, binfmt; /* as in struct init */
	int cover;
	char created[CLOCK_TEXT_SIZE];
};

/* Nothing is held yet; ->options and ->err are looked at until creation_release(). */
void creation_init(struct creation *c, struct oakum *o, const struct oakum_create *options,
		   struct err *err);

/* After all of it: what is done is taken back; what is held is let go of, but the process. */
void creation_undo(struct creation *c, const char *id);
void creation_release(struct creation *c);
/* The process is the caller's now; @ret may be NULL. */
void creation_hand_over(struct creation *c, struct oakum_process *ret);

/* The steps that create and restore have in common: the state, written ahead; the cgroup, and the
 * limits in it; prestart and createRuntime hooks; and telling everybody of the process. */
int creation_begin_state(struct creation *c, const char *id);
int creation_make_cgroup(struct creation *c);
int creation_limit_cgroup(struct creation *c);
int creation_leave_unit(struct creation *c, bool joined);
int creation_runtime_hooks(struct creation *c);
int creation_publish(struct creation *c);

/*
 * Everything that can be known before a side effect: the bundle is read and checked, the plan made,
 * namespaces and mount sources opened. 0, or < 0 with the error in the handle. What it opened is
 * released with the creation.
 */
int creation_judge(struct creation *c, const char *id);

/* The first part of that: the bundle and the plan. */
int creation_read(struct creation *c, const char *id);

/* The second part for those who only want to know: @problem is called for all that would be
 * refused. Opens nothing. */
void creation_survey(struct creation *c, void (*problem)(void *data, const struct err *err),
		     void *data);

/* The last part of judging: open the sources that have to be opened before the clone. */
int creation_open_sources(struct creation *c);

/* Write the maps of the child that was spawned, and let it go on; raise its limits. */
int creation_map_ids(struct creation *c);
int creation_raise_rlimits(struct creation *c);

/* Write down by what its processes are found, while we may look at the first one; and, at the end
 * of all, who that is and that it is complete. */
void creation_note_family(struct creation *c);
int creation_end_state(struct creation *c);

/* Map the ids of the opened sources: @child false before the clone, true once the child's own user
 * namespace has its mappings. */
int creation_idmap(struct creation *c, bool child);

/* Answer SYNC_SOURCE: open the source of bind @index as the child sees it, map its ids if it is
 * mapped, and send it. */
int creation_send_source(struct creation *c, int64_t index);

/* Make the device nodes that a container in a user namespace cannot, and whose like the host does
 * not have. */
int creation_lend_devices(struct creation *c);
/* CREATION_LENDS: @n would be such a one; 0: it would not; < 0 with the error in the handle. */
enum { CREATION_LENDS = 1 };
int creation_would_lend(struct creation *c, const struct dev_node *n);

/* Hand the host's network devices over; and take back those that were, when the creation fails. */
int creation_move_netdevs(struct creation *c);
void creation_return_netdevs(struct creation *c);
/*
 * Is the child moved into its cgroup by systemd? A user may not move a process from a session into
 * a scope of his manager, nor clone it there: what is above the two is not his. The child waits to
 * be mapped meanwhile.
 */
bool creation_attaches(const struct creation *c);

/*
 * Clone the container's first process, into its cgroup and into its new and joined namespaces as
 * far as it has to be born in them: ->sync, ->pid, ->pidfd. It waits for SYNC_MAPPED where
 * ->await_mapping. The gate's listening end goes to it. 0, or < 0 with the error in the handle.
 */
int creation_spawn(struct creation *c);

#endif
