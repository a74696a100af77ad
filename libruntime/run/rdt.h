/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The container's class of cache and memory bandwidth through its life: kernel/rdt.h with the state
 * around it. */
#ifndef OAKUM_RUN_RDT_H
#define OAKUM_RUN_RDT_H

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

/* Take away what the state says, or, where the state is unreadable (@s is NULL), what bears the
 * mark of @id. No resctrl: nothing is left. */
int rdt_clear(struct oakum *o, const char *id, const struct state *s, struct err *err);

#endif
