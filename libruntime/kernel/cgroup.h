/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control groups by their file system: v1 (one hierarchy a controller), hybrid (v1 and a v2 tree
 * beside it, with or without controllers) and v2 (unified). A container's cgroup is one path in
 * every hierarchy. What the hierarchies are is read from mountinfo and believed only where
 * statfs(2) agrees.
 *
 * cgroup.c makes, opens and joins; cgroup_probe.c finds the hierarchies; cgroup_limit.c chooses,
 * and cgroup_v1.c, cgroup_v2.c, cgroup_io.c and cgroup_unified.c know, the limit files;
 * cgroup_devices.c turns device rules into v1 lines and cgroup_bpf.c into a v2 eBPF program;
 * cgroup_freeze.c stops and resumes; cgroup_procs.c lists, signals and waits for the processes;
 * cgroup_own.c finds what is delegated; cgroup_walk.c walks sub-cgroups; cgroup_remove.c takes it
 * all away.
 */
#ifndef OAKUM_KERNEL_CGROUP_H
#define OAKUM_KERNEL_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum cgroup_mode { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };

#define CGROUP_MAX 24 /* hierarchies */

struct cgroup_hierarchy {
	char name[48];	 /* directory name below /sys/fs/cgroup: "memory", "cpu,cpuacct", "systemd",
			    "unified"; v2 alone: "" */
	char mount[128]; /* "/sys/fs/cgroup/memory" */
	char root[128]; /* root of the mount in its hierarchy (field 4 of mountinfo), usually "/" */
	bool v2;
	uint32_t controllers; /* CGROUP_C_* bound to it (v1) */
};

enum {
	CGROUP_C_CPU = 1 << 0,
	CGROUP_C_CPUACCT = 1 << 1,
	CGROUP_C_CPUSET = 1 << 2,
	CGROUP_C_MEMORY = 1 << 3,
	CGROUP_C_DEVICES = 1 << 4,
	CGROUP_C_FREEZER = 1 << 5,
	CGROUP_C_PIDS = 1 << 6,
	CGROUP_C_BLKIO = 1 << 7,
	CGROUP_C_HUGETLB = 1 << 8,
	CGROUP_C_NET_CLS = 1 << 9,
	CGROUP_C_NET_PRIO = 1 << 10,
	CGROUP_C_PERF_EVENT = 1 << 11,
	CGROUP_C_RDMA = 1 << 12,
	CGROUP_C_MISC = 1 << 13,
	CGROUP_C_NAMED = 1 << 14, /* name=systemd … */
	/* What v2 has as controllers. */
	CGROUP_C_V2 = CGROUP_C_CPU | CGROUP_C_CPUSET | CGROUP_C_MEMORY | CGROUP_C_PIDS |
		      CGROUP_C_BLKIO | CGROUP_C_HUGETLB | CGROUP_C_RDMA | CGROUP_C_MISC,
	/* Those of them that a threaded cgroup may have (cgroups(7), "Thread mode"). */
	CGROUP_C_THREADED = CGROUP_C_CPU | CGROUP_C_CPUSET | CGROUP_C_PIDS,
};

struct cgroup_host {
	enum cgroup_mode mode;
	size_t n;
	struct cgroup_hierarchy h[CGROUP_MAX]; /* in the order of mountinfo */
};

/* One look at this mount namespace. No cgroup file system at all is CGROUP_NONE, not an error.
 * Cheap: one read of mountinfo, a statfs a hierarchy. */
int cgroup_probe(struct cgroup_host *ret, struct err *err);

/*
 * Of @host, the hierarchies in which the modes of what is there let us make @path (absolute) and
 * move a process there: what is left to who has no rights over the tree. How many; mode CGROUP_NONE
 * if none.
 */
size_t cgroup_own(const struct cgroup_host *host, const char *path, struct cgroup_host *ret);

/*
 * Where such a one may hope to make cgroups: our own in v2, or the one @above it, whose controllers
 * may still be passed on since no process lives in it. "" is the top. CGROUP_GONE: there is none.
 */
int cgroup_own_place(const struct cgroup_host *host, bool above, char *ret, size_t size);

/*
 * Has a manager of systemd started us, as the first process of a unit, and are we the only one in
 * its cgroup? For a systemd that says so in no other way: before 248.
 */
bool cgroup_own_alone(const struct cgroup_host *host);

/*
 * The cgroup that systemd has delegated to us (Delegate= of systemd.resource-control(5)): our own,
 * or, where DelegateSubgroup= is set, the one above. A user's manager says nothing of it before
 * systemd 254, so with @claim one that is ours is taken for delegated. In v2 we move to its
 * sub-cgroup @sub, unless we are in a sub-cgroup already: no controller could be passed on from
 * where a process lives. CGROUP_GONE: there is none. < 0 with @err.
 */
int cgroup_own_unit(const struct cgroup_host *host, bool claim, const char *sub, char *ret,
		    size_t size, struct err *err);

#define CGROUP_OPTION(type)                                                                        \
	struct {                                                                                   \
		bool set;                                                                          \
		type v;                                                                            \
	}

struct cgroup_device_rule {
	bool allow;
	char type;	      /* 'a' 'b' 'c' */
	int64_t major, minor; /* -1: any */
	bool read, write, mknod;
};

struct cgroup_io_weight {
	uint32_t major, minor;
	uint64_t weight, leaf_weight; /* 10…1000; 0: not set */
};

enum cgroup_io_kind {
	CGROUP_IO_READ_BPS,
	CGROUP_IO_WRITE_BPS,
	CGROUP_IO_READ_IOPS,
	CGROUP_IO_WRITE_IOPS,
	CGROUP_IO_COUNT
};

struct cgroup_io_rate {
	enum cgroup_io_kind kind;
	uint32_t major, minor;
	uint64_t rate; /* a second; 0: no limit */
};

struct cgroup_hugepage {
	const char *size; /* "2MB" */
	uint64_t limit;	  /* bytes */
};

struct cgroup_net_priority {
	const char *name;
	uint32_t priority;
};

struct cgroup_rdma {
	const char *device;
	CGROUP_OPTION(uint32_t) handles, objects;
};

struct cgroup_unified {
	const char *key,
		*value; /* "memory.high"; a value of several lines is written line by line */
};

/* Limits; what is not set is not written. */
struct cgroup_limits {
	CGROUP_OPTION(int64_t)
	memory_limit, memory_reservation,
		memory_swap; /* bytes, -1: unlimited; swap includes memory, as in OCI */
	CGROUP_OPTION(uint64_t) memory_swappiness;     /* v1 */
	CGROUP_OPTION(bool) memory_disable_oom_killer; /* v1 */
	CGROUP_OPTION(uint64_t) cpu_shares, cpu_period, cpu_burst;
	CGROUP_OPTION(int64_t) cpu_quota, cpu_idle;
	CGROUP_OPTION(int64_t) cpu_rt_runtime; /* v1, as the period: microseconds */
	CGROUP_OPTION(uint64_t) cpu_rt_period;
	const char *cpuset_cpus, *cpuset_mems;	  /* NULL: leave */
	CGROUP_OPTION(int64_t) pids_limit;	  /* -1: max; 0 means 1 */
	const struct cgroup_device_rule *devices; /* in order, the caller has put the default ones
						     in; what none names is denied */
	size_t n_devices;
	bool memory_check; /* refuse a memory limit below what is in use (v2; v1 always does) */
	CGROUP_OPTION(uint64_t) io_weight, io_leaf_weight; /* 10…1000 */
	const struct cgroup_io_weight *io_weights;
	size_t n_io_weights;
	const struct cgroup_io_rate *io_rates;
	size_t n_io_rates;
	const struct cgroup_hugepage *hugepages;
	size_t n_hugepages;
	CGROUP_OPTION(uint32_t) net_class; /* v1, as the priorities */
	const struct cgroup_net_priority *net_priorities;
	size_t n_net_priorities;
	const struct cgroup_rdma *rdma;
	size_t n_rdma;
	const struct cgroup_unified *unified; /* v2; after all others */
	size_t n_unified;
};

/* The cgroup of one container, opened. */
struct cgroup {
	const struct cgroup_host *host;
	char path[PATH_MAX / 4]; /* in every hierarchy, absolute: "/oakum/web" */
	int fd[CGROUP_MAX];    /* O_PATH|O_DIRECTORY of the container's directory, -1: absent there;
				  index as host->h */
	int tasks[CGROUP_MAX]; /* v1: "tasks" opened for writing by cgroup_create(), -1 else */
};

enum { CGROUP_OK = 0, CGROUP_GONE = 1, CGROUP_BUSY = 2, CGROUP_FROZEN = 3 };

void cgroup_init(struct cgroup *cg, const struct cgroup_host *host);
void cgroup_close(struct cgroup *cg);

/*
 * Make @path in every hierarchy, with its parents (each parent that we make carries the
 * extended attribute trusted.oakum so that cgroup_remove() may take it away again; v2: the
 * controllers that @limits needs are enabled in the parents' cgroup.subtree_control, and, where
 * there is no v1, all that the kernel lets us; v1 cpuset: empty cpus and mems are filled from the
 * parent). Writes what must stand before a task joins: cpuset and, in v1, device rules. Opens
 * directories and v1 tasks files. Refused at once, never waited for: a target that has processes
 * ("container's cgroup is not empty") or is frozen ("container's cgroup unexpectedly frozen"). On
 * failure what this call made is removed. @cg has been cgroup_init()ed.
 */
int cgroup_create(struct cgroup *cg, const char *path, const struct cgroup_limits *limits,
		  struct err *err);

/*
 * The same of a cgroup that systemd has made and keeps with a process of its own: that somebody
 * lives in it is no failure. Hierarchies that systemd has not made it in get it too, those of v1
 * only where we may.
 */
int cgroup_adopt(struct cgroup *cg, const char *path, const struct cgroup_limits *limits,
		 struct err *err);

/*
 * Make @path, a sub-cgroup of @cg, in the v2 hierarchy and move all processes of @cg there: then
 * controllers may be given to it. (With processes in @cg itself that would make it threaded, and
 * its sub-cgroups useless.) 0, also without v2, or < 0 with @err.
 */
int cgroup_vacate(const struct cgroup *cg, const char *path, struct err *err);

/*
 * Give the v2 directory and what the kernel lets a delegate write (never limits) to @uid and @gid:
 * the root of a user namespace may then make sub-cgroups of its own. 0, or < 0 with @err.
 */
int cgroup_delegate(const struct cgroup *cg, uint32_t uid, uint32_t gid, struct err *err);

/* Open an existing one. CGROUP_GONE: in no hierarchy. */
int cgroup_open(struct cgroup *cg, const char *path, struct err *err);

/*
 * Turn the descriptors of @cg, opened before, to its sub-cgroup @sub (relative, no ".."), in the
 * hierarchies of the v1 controllers @controllers ("cpu,memory"), or NULL: wherever there is one.
 * CGROUP_GONE: there is none. < 0 with @err: "unknown controller".
 */
int cgroup_enter_sub(struct cgroup *cg, const char *controllers, const char *sub, struct err *err);

/* As cgroup_open() of what cgroup_freeze() needs, and nothing else. */
int cgroup_open_freezer(struct cgroup *cg, const char *path, struct err *err);

/*
 * Write the remaining limits (all of them when @update: then a failure puts back what stood there
 * before, but for device rules), in an order the kernel accepts whether they grow or shrink; v2:
 * attach the device program. A limit whose controller is missing is an error (ERR_UNSUPPORTED) that
 * names the limit, the controller and where it is missing.
 */
int cgroup_limit(struct cgroup *cg, const struct cgroup_limits *limits, bool update,
		 struct err *err);

/* The cpu quota that stands in a directory of the cpu controller, in microseconds; a quota of -1 is
 * none. 0, or -errno with what a new cgroup has. */
struct cgroup_quota {
	int64_t quota;
	uint64_t period;
};
int cgroup_quota_read(int dir, bool v2, struct cgroup_quota *ret);

/*
 * cgroup_limit() as an update of a cgroup that has a manager, whom @tell tells of it, 0 or < 0 with
 * @err: only when all files have taken their limits, and they go back to what they said if he
 * refuses. Then they are written again, since he has written them in his own way: systemd rounds
 * a quota to whole percents.
 */
typedef int cgroup_tell(void *data, struct err *err);
int cgroup_limit_managed(struct cgroup *cg, const struct cgroup_limits *limits, cgroup_tell *tell,
			 void *data, struct err *err);

/* One write that cgroup_create() (@before) or cgroup_limit() would make into a new cgroup. */
struct cgroup_dry_write {
	const struct cgroup_hierarchy *hierarchy;
	bool before;		      /* the process joins */
	const char *pointer, *member; /* in config.json; the second may be NULL */
	const char *file, *value;
	bool if_present; /* skipped where the kernel has no such file */
	const char *bfq; /* "FILE VALUE" instead, where the kernel has the bfq scheduler; or NULL */
};
typedef void cgroup_dry_visitor(void *data, const struct cgroup_dry_write *w);

/*
 * Call @each (may be NULL) for every limit file that would be written, in order, device rules
 * excepted. 0, or < 0 with @err and its pointer: something that this host's kind of cgroups cannot
 * say. Changes nothing.
 */
int cgroup_dry(const struct cgroup_host *host, const char *path, const struct cgroup_limits *limits,
	       cgroup_dry_visitor *each, void *data, struct err *err);

/* The same of a cgroup that is there: what cgroup_limit() would write as an update. */
int cgroup_dry_update(const struct cgroup *cg, const struct cgroup_limits *limits,
		      cgroup_dry_visitor *each, void *data, struct err *err);

/* CGROUP_C_* that must be enabled in the v2 hierarchy for @limits. */
uint32_t cgroup_dry_need(const struct cgroup_host *host, const struct cgroup_limits *limits);

/* Does the top of the v2 hierarchy offer them? 0, or < 0 with @err that names the one that is
 * missing, and where it is. */
int cgroup_check_offered(const struct cgroup_host *host, const char *path,
			 const struct cgroup_limits *limits, struct err *err);

/*
 * Call @problem for what would keep cgroup_create() and cgroup_limit() from making @path with
 * @limits on this host now: no right to a directory, one that is in use, a file or a controller
 * that is not there. Makes nothing; what it does not find may still fail.
 */
typedef void cgroup_problem(void *data, const struct err *err);
void cgroup_survey(const struct cgroup_host *host, const char *path,
		   const struct cgroup_limits *limits, cgroup_problem *problem, void *data);

/* Could the sub-cgroup @below be made in @path, which need not be there yet? 0, or < 0 with @err.
 */
int cgroup_survey_below(const struct cgroup_host *host, const char *path, const char *below,
			struct err *err);

/* CGROUP_C_* that some hierarchy of the host has at its top. */
uint32_t cgroup_controllers_offered(const struct cgroup_host *host);

/* Names of CGROUP_C_* bits ("cpu", "memory"), for messages: the @i-th and its bit, or NULL. */
const char *cgroup_controller_name(size_t i, uint32_t *ret_bit);

/* The v2 directory for CLONE_INTO_CGROUP, or -1 (v1; or the kernel cannot). Not handed over. */
int cgroup_v2_fd(const struct cgroup *cg);

/*
 * Turn the v2 descriptor of @cg to the sub-cgroup that @pid lives in. A program that gives
 * controllers to sub-cgroups has left its own cgroup, and no other process may enter it (EBUSY):
 * those it made may be entered. Where @cg has no v2 descriptor, because its directory is gone, that
 * may be anywhere. CGROUP_GONE, and nothing is changed: it lives in @cg itself, or not below it, or
 * has moved on.
 */
int cgroup_follow(struct cgroup *cg, pid_t pid, struct err *err);

/* Put the process @pid into the v2 directory of @cg, which is there. */
int cgroup_move_v2(const struct cgroup *cg, pid_t pid, struct err *err);

/*
 * Join by the single-threaded caller itself: "0" into `tasks` of every v1 hierarchy and, when @v2
 * (it was not cloned into it), cgroup.procs of the v2 one. The child calls it. For exec into v2
 * with controllers enabled below, EBUSY is returned with @err.
 */
int cgroup_join_self(const struct cgroup *cg, bool v2, struct err *err);

/*
 * Stop (@want) or resume every task, and wait until the kernel says so: v1 freezer.state, v2
 * cgroup.events by poll. 0, CGROUP_GONE, or < 0 with @err; after ETIMEDOUT of a freeze it has been
 * thawed again and the error names the process that would not stop. v1 without a freezer hierarchy:
 * the v2 one; none: ERR_UNSUPPORTED.
 */
int cgroup_freeze(struct cgroup *cg, bool want, int64_t deadline_ms, struct err *err);

/* 1: frozen, 0: not, CGROUP_GONE is returned as 0. Quick: the look of `state`. @path instead of an
 * open cgroup, so that `list` opens one file a container. */
int cgroup_is_frozen(const struct cgroup_host *host, const char *path);

/*
 * To be told when it is frozen or thawed: ->fd polls POLLPRI for v2, POLLIN for v1, where it is an
 * inotify(7) watch of who writes freezer.state, or -1 where there may be no more of these.
 */
struct cgroup_freeze_watch {
	int fd, dir;
	bool v2;
};
#define CGROUP_FREEZE_WATCH_INIT ((struct cgroup_freeze_watch){.fd = -1, .dir = -1})

/* 0; CGROUP_GONE: there is nothing to watch; < 0 with @err. */
int cgroup_freeze_watch_open(const struct cgroup *cg, struct cgroup_freeze_watch *ret,
			     struct err *err);
void cgroup_freeze_watch_close(struct cgroup_freeze_watch *w);
/* Clear the notice and look: 0: runs; CGROUP_FROZEN; CGROUP_BUSY: on its way there (v1: look
 * again); CGROUP_GONE; -errno. */
int cgroup_freeze_watch_look(const struct cgroup_freeze_watch *w);

/* The same without cgroup_probe(), for the places where a freezer most often is: 0, CGROUP_FROZEN,
 * or CGROUP_GONE: not to be found there, ask cgroup_is_frozen(). */
int cgroup_look_frozen(const char *path);

/*
 * v1: processes of the container that somebody has moved to a frozen cgroup of his own cannot die
 * there; they are moved into the freezer cgroup of @cg. What fails shows when they are waited for.
 */
void cgroup_bring_back(struct cgroup *cg);

/* Lift the cpu quota of who is to die: before Linux 6.18 a process that has used it up waits for
 * the next period even to end. What fails shows when they are waited for. */
void cgroup_lift_quota(const struct cgroup *cg);

/*
 * Send @sig to every process below. SIGKILL: v2 cgroup.kill, else freeze, signal all, thaw, until
 * none is left or the list holds nobody new; a frozen v1 cgroup is thawed after SIGKILL so that it
 * can die. The caller itself is never signalled by us (cgroup.kill does not ask). 0 (also when
 * there is none), CGROUP_GONE, < 0 with @err.
 */
int cgroup_signal_all(struct cgroup *cg, int sig, struct err *err);

/*
 * Pids of all processes below, sub-cgroups included, sorted, each once; in @ret (malloc'ed, the
 * caller frees). CGROUP_GONE gives an empty list and 0.
 */
int cgroup_pids(struct cgroup *cg, pid_t **ret, size_t *ret_n, struct err *err);

/* Does any process live below? 1, 0, or < 0. */
int cgroup_populated(struct cgroup *cg);

/* Wait (v2: cgroup.events; v1: pidfds of its members) until no process is left. 0, CGROUP_BUSY at
 * the deadline, < 0. */
int cgroup_wait_empty(struct cgroup *cg, int64_t deadline_ms, struct err *err);

/*
 * Remove the cgroup with all sub-cgroups from every hierarchy, waiting until @deadline_ms for dying
 * tasks, then the parents that carry our mark and are empty. CGROUP_GONE or 0: it is not there any
 * more. CGROUP_BUSY: @err names each process left (pid, name, state, what it waits for). Closes
 * @cg's descriptors.
 */
int cgroup_remove(struct cgroup *cg, int64_t deadline_ms, struct err *err);

/* Name in @err each process that is left in @cg, as cgroup_remove() does. CGROUP_BUSY, or 0: nobody
 * is seen. */
int cgroup_name_left(const struct cgroup *cg, struct err *err);

/*
 * The quick way for one in which nobody lives any more and below which nothing is: one rmdir(2) a
 * hierarchy, and the parents as cgroup_remove(). 0: it is not there any more. CGROUP_BUSY:
 * something is left; open it and use cgroup_remove().
 */
int cgroup_remove_empty(const struct cgroup_host *host, const char *path);

/*
 * What is mounted for the container's view of /sys/fs/cgroup: one entry a hierarchy, the host path
 * of its own directory and the name below /sys/fs/cgroup. Filled into @ret (size CGROUP_MAX), count
 * returned.
 */
struct cgroup_view {
	const char *name; /* as cgroup_hierarchy.name */
	char dir[PATH_MAX / 2];
	bool v2;
};
size_t cgroup_view(const struct cgroup_host *host, const char *path, struct cgroup_view *ret);

/* shares 2…262144 -> weight 1…10000, the formula of crun 1.23 and runc 1.3.2 (100 at 1024). */
uint64_t cgroup_shares_to_weight(uint64_t shares);

#endif
