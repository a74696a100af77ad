/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The container's class of cache and memory bandwidth through its life: kernel/rdt.h with the state
 * around it. */
#ifndef OAKUM_RUN_RDT_H
#define OAKUM_RUN_RDT_H

struct container;
struct creation;
struct err;
struct oakum;
struct rdt_request;
struct state;

/*
 * create: open resctrl; take its lock and write down what will be made; make it and drop the lock;
 * put the first process there. Each does nothing where the plan has no class.
 */
int creation_open_rdt(struct creation *c);
int creation_begin_rdt(struct creation *c);
int creation_make_rdt(struct creation *c);
int creation_join_rdt(struct creation *c);

/* After a failed creation, however far it came. */
void creation_undo_rdt(struct creation *c, const char *id);

/*
 * update: write @lines into the class of @c (locked), or make one of its own with them, and put all
 * its threads there. @root is rdt_open()'s. 0, or < 0 with @err.
 */
int rdt_change(struct oakum *o, struct container *c, int root, const char *lines, struct err *err);

/* Wait for resctrl's own lock, which goes with lock_drop(). 0, or < 0 with @err. */
int rdt_lock(int root, struct err *err);

/* Take away what the state says, or, where the state is unreadable (@s is NULL), what bears the
 * mark of @id. No resctrl: nothing is left. */
int rdt_clear(struct oakum *o, const char *id, const struct state *s, struct err *err);

#endif
