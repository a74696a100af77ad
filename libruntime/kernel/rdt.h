/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Classes of cache and memory bandwidth: the resctrl file system (Linux 4.10; monitoring 4.14). All
 * but rdt_open() work on a descriptor of its root directory. Who looks and then makes, or removes,
 * holds an exclusive flock(2) on that descriptor meanwhile, as the kernel's documentation wants it.
 */
#ifndef OAKUM_KERNEL_RDT_H
#define OAKUM_KERNEL_RDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct err;

struct rdt_request {
	const char *group;    /* the class: a name, or "/" for the one of the root directory */
	bool must_exist;      /* it is not ours to make */
	const char *schema;   /* lines that a class which exists must have already; NULL: none */
	const char *schemata; /* lines that are written after them in any case; NULL: none */
	const char *monitor;  /* name of a monitoring group in the class; NULL: none */
	const char *mark;     /* who made it: value of the extended attribute trusted.oakum */
};

/* Why @name cannot be that of a class or a monitoring group, in static words, or NULL. */
const char *rdt_bad_name(const char *name);

/* The root directory, from mountinfo. A descriptor, or < 0 with @err (ERR_UNSUPPORTED: the kernel
 * or the CPU lacks it, or it is not mounted). */
int rdt_open(struct err *err);

/* The part of it that needs no resctrl: its mount point in the file @mountinfo. 0, -ENOENT: it is
 * not in there, or -errno. */
int rdt_find(const char *mountinfo, char *buf, size_t size);

/* The directory of the class @group. 0; RDT_GONE: there is none; < 0 with @err. */
enum { RDT_GONE = 1 };
int rdt_open_class(int root, const char *group, int *ret, struct err *err);
/* That of the monitoring group @name in the class @dir, or -errno. */
int rdt_open_monitor(int dir, const char *name);

/* Can @q be had? 0 and whether the class is to be made, or < 0 with @err. Changes nothing. */
int rdt_look(int root, const struct rdt_request *q, bool *ret_make, struct err *err);

/*
 * Make the class if @make, the monitoring group if there is one, and write the schemata. < 0 with
 * @err: part of it may be done, and rdt_remove() takes it away.
 */
int rdt_make(int root, const struct rdt_request *q, bool make, struct err *err);

/* Put the process @pid, which has a single thread, there; 0: the calling one. The child may call
 * it. 0; RDT_GONE: there is no such class; < 0 with @err. */
int rdt_join(int root, const char *group, const char *monitor, pid_t pid, struct err *err);

/* Take the monitoring group away, and the class if @made (or another of us has made it) and nobody
 * is in it. What is gone already is no error. */
int rdt_remove(int root, const char *group, const char *monitor, bool made, struct err *err);

/* The same for all that bears @mark, where it is not known what that is. */
int rdt_sweep(int root, const char *mark, struct err *err);

/* Write the lines @schemata, of which each replaces its resource and domains, into the class
 * @group. 0, RDT_GONE, or < 0 with @err. */
int rdt_update(int root, const char *group, const char *schemata, struct err *err);

/* What resctrl says of a class. Texts are NULL, numbers 0, where the CPU lacks it. */
struct rdt_stat {
	const char *l3_mask; /* full cache: "fffff" */
	uint64_t l3_min_bits, l3_closids;
	const char *l3_root, *l3; /* "L3:0=ff;1=ff" of all and of the class */
	uint64_t mb_granularity, mb_linear, mb_minimum, mb_closids;
	bool has_mb;
	const char *mb_root, *mb;
	const char *schemata; /* of the class, whole */
	struct rdt_stat_domain {
		uint64_t llc_occupancy, mbm_total, mbm_local;
	} * domains; /* a cache each, in the order of their names */
	size_t n_domains;
	bool has_cmt, has_mbm;
};

/* Read it into @arena. @monitor: the group whose counters are wanted, or NULL. 0, RDT_GONE, or < 0
 * with @err. */
int rdt_stat(int root, const char *group, const char *monitor, struct arena *arena,
	     struct rdt_stat *ret, struct err *err);

#endif
