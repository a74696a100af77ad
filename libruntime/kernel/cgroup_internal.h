/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the cgroup files of this folder share: finding a hierarchy, walking a cgroup with its
 * sub-cgroups, and the list of limit files to be written. Nobody else includes it.
 */
#ifndef OAKUM_KERNEL_CGROUP_INTERNAL_H
#define OAKUM_KERNEL_CGROUP_INTERNAL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/cgroup.h"

/* A parent directory that carries it was made for a container and goes when it is empty. */
#define CGROUP_MARK	 "trusted.oakum"
#define CGROUP_USER_MARK "user.oakum" /* where we are not root, on v2 */

/* A directory is wanted where the kernel has one of its own files. */
#define CGROUP_HINT_FILE    "it is a file of the cgroup above: choose another name"
#define CGROUP_HINT_WEIGHTS "block I/O weights need the bfq scheduler in the kernel"

/* A cgroup's absolute directory: mount point and path. */
#define CGROUP_DIR_MAX (sizeof(((struct cgroup_hierarchy *)0)->mount) + PATH_MAX / 4)

/* A file below a directory that has been removed is ENOENT to open and ENODEV to read and write. */
static inline bool cgroup_means_gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

/* Index of the v1 hierarchy of @controller, or -1. */
int cgroup_find(const struct cgroup_host *host, uint32_t controller);

/* Index of the v1 hierarchy of one controller, or of a name such as "systemd"; -1: none. */
int cgroup_find_v1(const struct cgroup_host *host, const char *name);

/* Index of the v2 hierarchy, or -1. */
int cgroup_find_v2(const struct cgroup_host *host);

/* @path below the mount of @h. Returns the length of the mount point within @buf. */
size_t cgroup_dir(const struct cgroup_hierarchy *h, const char *path, char buf[CGROUP_DIR_MAX]);

/* Judge and clean @path, and keep it in @cg. 0 or < 0 with @err. */
int cgroup_set_path(struct cgroup *cg, const char *path, struct err *err);

/*
 * The path of @pid in @h, v2, the v1 freezer or systemd's own v1 tree, below what is mounted: that
 * may be a part of the hierarchy, and the kernel's path begins at its top. NULL: it is outside, or
 * cannot be told. Points into @buf.
 */
const char *cgroup_path_of(const struct cgroup_hierarchy *h, pid_t pid, char *buf, size_t size);

/* The deepest directory on the way to @dir that is there, cut out of it. True: it is @dir itself.
 */
bool cgroup_find_existing(char *dir, size_t mount_len);

/* The number behind @key in a flat-keyed file ("key number" lines) that is open, from its
 * beginning. 0 or -errno (-ENODATA: no such key). */
int cgroup_key(int fd, const char *key, uint64_t *ret);
/* The same of a switch, such as those of cgroup.events: 1, 0 or -errno. */
int cgroup_event(int fd, const char *key);

/*
 * Wait until @key of @fd, a cgroup.events, is @want. 0, CGROUP_GONE, CGROUP_BUSY at the deadline,
 * or -errno. The kernel announces changes of a cgroup's file at most every 10 ms
 * (CGROUP_FILE_NOTIFY_MIN_INTV of kernel/cgroup/cgroup.c), and what is waited for mostly takes much
 * less; where nothing else happens on the machine, Linux 6.1 has been seen not to announce one
 * until something did. So it is looked at by itself as well, soon at first.
 */
int cgroup_await_event(int fd, const char *key, bool want, int64_t deadline_ms);

/*
 * Call @visit for @top and each sub-cgroup, parents first, with a descriptor of its directory that
 * is the walk's. Any depth: one descriptor at a time, names on the heap. What vanishes meanwhile is
 * skipped. 0, the first value other than 0 that @visit returned, or -errno.
 */
int cgroup_walk(int top, int (*visit)(int dir, void *data), void *data);

/* Call @visit for each name of a subdirectory of @dir; stops at a value other than 0 and returns
 * it. */
int cgroup_subdirs(int dir, int (*visit)(const char *name, void *data), void *data);

/* Pids, growing. */
struct cgroup_pidlist {
	pid_t *p;
	size_t n, cap;
	bool hidden; /* processes of another pid namespace live here as well */
};

void cgroup_pidlist_done(struct cgroup_pidlist *l);

/* Add the numbers in the file @name ("cgroup.procs", "tasks", …) of @top and its sub-cgroups. 0 or
 * -errno. */
int cgroup_list(int top, const char *name, struct cgroup_pidlist *l);

/* What cgroup.type says of the v2 directory @dir, in @buf; "" where there is none. */
#define CGROUP_TYPE_SIZE 32
const char *cgroup_type(int dir, char buf[CGROUP_TYPE_SIZE]);

/* Move @pid into the cgroup @dir. 0 or -errno. */
int cgroup_put(int dir, pid_t pid);

/* Sort, and each once. */
void cgroup_pidlist_sort(struct cgroup_pidlist *l);

/* Does a process live in @top or below? 1, 0 or -errno. @v2: by cgroup.events. */
int cgroup_dir_populated(int top, bool v2);

/* Wait until no process lives in @top or below. 0, CGROUP_BUSY or -errno. */
int cgroup_dir_wait(int top, bool v2, int64_t deadline_ms);

/*
 * The wait between two looks at something that the kernel does not announce (v1 freezer.state; a
 * process that has ended but still counts as a member). Grows from 50 us to 10 ms, never beyond the
 * deadline. False once the deadline has passed. Starts from a zeroed *@step_us.
 */
bool cgroup_backoff(int64_t *step_us, int64_t deadline_ms);

/*
 * Limit files to be written. They are tried in order, those refused with EINVAL again after the
 * others, as long as one more is accepted: so memory and memory+swap, or quota, period and
 * burst, may grow or shrink together without the code knowing which of the two it is.
 */
/* "pids limit", for messages, and its member of config.json below the controller's ->pointer; NULL:
 * a list, or what is in two places. */
struct cgroup_what {
	const char *limit, *member;
};
#define WHAT(limit, member) ((struct cgroup_what){limit, member})

struct cgroup_write {
	int dir;
	struct cgroup_what what;
	const char *controller;	   /* "pids" */
	const char *file;	   /* "pids.max" */
	const char *text;	   /* value, or NULL: ->value */
	char value[128], name[64]; /* ->text and ->file may point here while @w stays where it is */
	bool has_other;		   /* there is no cgroup yet: ->name says what may stand for it */
	bool if_present;	   /* a missing file means that there is nothing to limit */
	bool done;
};

/* What stood in a file before. */
struct cgroup_undo_entry {
	struct cgroup_undo_entry *before;
	int dir;
	bool done;
	char file[64], text[256];
};

/* Zeroed is empty. */
struct cgroup_undo {
	struct cgroup_undo_entry *last;
};

/* Remember what @w's file says, if @u is not NULL and it is not known already. */
void cgroup_undo_note(struct cgroup_undo *u, const struct cgroup_write *w);
/* Write it all back, as far as the kernel takes it. */
void cgroup_undo_do(struct cgroup_undo *u);
void cgroup_undo_done(struct cgroup_undo *u);

/* On the heap where they are many. Zeroed is empty. */
struct cgroup_writes {
	const struct cgroup *cg;
	struct cgroup_undo *undo; /* for what is overwritten, or NULL */
	const char *pointer;	  /* of the limits in config.json, or NULL */
	bool v2;
	struct cgroup_write few[16], *w;
	size_t n, room;
	bool no_memory;		   /* cgroup_writes_do() says so */
	struct cgroup_write spare; /* what is handed out then */
};

/* Add one; never NULL. ->file and ->text are the caller's and must stay until they are written. */
struct cgroup_write *cgroup_writes_add(struct cgroup_writes *ws, int dir, struct cgroup_what what,
				       const char *file);
/* The same to a file whose name is put together: "hugetlb.%s.max" with @part. */
struct cgroup_write *cgroup_writes_add_named(struct cgroup_writes *ws, int dir,
					     struct cgroup_what what, const char *format,
					     const char *part);
/* Write them all and empty the list. */
int cgroup_writes_do(struct cgroup_writes *ws, const char *controller, struct err *err);
void cgroup_writes_done(struct cgroup_writes *ws);

/* Which limits belong to which controller, and who knows its files. */
struct cgroup_controller {
	const char *name, *limit;
	const char *pointer; /* of the limits in config.json */
	uint32_t bit;
	bool before; /* must stand before a task joins */
	bool (*wanted)(const struct cgroup_limits *l);
	int (*v1)(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		  struct err *err);
	int (*v2)(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		  struct err *err);
};
extern const struct cgroup_controller cgroup_controllers[];
extern const size_t cgroup_controllers_count;

/* ERR_UNSUPPORTED: the host has neither a v1 nor a v2 hierarchy for @c, or there is no such cgroup
 * in it. */
int cgroup_no_hierarchy(const struct cgroup *cg, const struct cgroup_controller *c,
			struct err *err);

/*
 * Fill @ws with the limits of one controller. 0 or < 0 with @err. @dir: the cgroup; -1: one that is
 * not made yet, whose files have what the kernel begins with.
 */
int cgroup_v1_memory(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		     struct err *err);
int cgroup_v1_cpu(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		  struct err *err);
int cgroup_v2_memory(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		     struct err *err);
int cgroup_v2_cpu(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		  struct err *err);
/* The same files in both versions. */
int cgroup_any_cpuset(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		      struct err *err);
int cgroup_any_pids(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		    struct err *err);
int cgroup_any_hugetlb(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		       struct err *err);
int cgroup_any_rdma(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		    struct err *err);
int cgroup_v1_io(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l, struct err *err);
int cgroup_v2_io(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l, struct err *err);
int cgroup_v1_net_class(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
			struct err *err);
int cgroup_v1_net_priorities(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
			     struct err *err);
/* v2 has neither: < 0 with @err. */
int cgroup_v2_no_network(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
			 struct err *err);

/* CGROUP_C_* that the keys of the unified map need; 0 or < 0 with @err (a controller that is not
 * v2's here). */
int cgroup_unified_need(const struct cgroup *cg, const struct cgroup_limits *l, uint32_t *ret,
			struct err *err);
/* Write the unified map. */
int cgroup_unified_write(struct cgroup *cg, const struct cgroup_limits *l, struct cgroup_undo *undo,
			 struct err *err);

/* May we, by the effective ids, do @how (W_OK, X_OK) with @file of the cgroup @dir (absolute), or
 * with the directory itself (""). errno says why not. */
bool cgroup_may(const char *dir, const char *file, int how);

/* Is there a file of that name in the cgroup? */
bool cgroup_has_file(int dir, const char *name);

/* What must stand before a task joins. @fresh: the v1 devices directory is new. */
int cgroup_limit_before(struct cgroup *cg, const struct cgroup_limits *l, bool fresh,
			struct err *err);

/*
 * v1 cpuset: fill empty cpuset.cpus and cpuset.mems of every directory of @dir (an absolute path)
 * below the first @mount_len bytes, from the parent's, top down. 0 or -errno.
 */
int cgroup_v1_fill_cpuset(const char *dir, size_t mount_len);

/*
 * v2: enable @need (CGROUP_C_*) in each parent's cgroup.subtree_control, and, where the host is v2
 * alone, what else there is as far as the kernel lets us. @cg has its leaf. On failure @ret_fault
 * is the one that cannot be had, or 0.
 */
int cgroup_v2_enable(const struct cgroup *cg, uint32_t need, uint32_t *ret_fault, struct err *err);

/* v2: below a threaded cgroup nobody can live in a new one until it is threaded too, which does
 * without the controllers of domains: an error if @need has one. @cg has its leaf. */
int cgroup_v2_thread(const struct cgroup *cg, uint32_t need, uint32_t *ret_fault, struct err *err);

/* Point the error at who wants the controller @bit (CGROUP_C_*): a member of "linux.resources", or
 * a key of its "unified". */
void cgroup_blame(const struct cgroup_limits *l, uint32_t bit, struct err *err);

/* CGROUP_C_* of v2's controller names in @text ("cpu memory pids"). */
uint32_t cgroup_v2_parse(const char *text);

/* The same of the file @file ("cgroup.controllers", "cgroup.subtree_control") of the open directory
 * @dir, or of the one of that name; 0: it cannot be read. */
uint32_t cgroup_v2_read(int dir, const char *file);
uint32_t cgroup_v2_read_in(const char *dir, const char *file);

/* The bit of the controller that the v2 file @file begins with; 0: the core's, or not known. */
uint32_t cgroup_v2_controller_of(const char *file);

/* Where a cgroup is to be made. ->model: a directory of each hierarchy that has what a new cgroup
 * would have, -1: none is there. */
struct cgroup_prospect {
	const struct cgroup_host *host;
	const char *path;
	const struct cgroup_limits *limits;
	int model[CGROUP_MAX];
};

/* 0, or < 0 with @err: what writing @w there would be answered, as far as it can be told. */
int cgroup_judge(const struct cgroup_prospect *p, const struct cgroup_dry_write *w,
		 struct err *err);

/* ERR_UNSUPPORTED, saying where @controller is missing in v2 for @limit. */
int cgroup_missing(const struct cgroup *cg, const char *limit, const char *controller,
		   struct err *err);

/* Write the rules into v1 devices.deny and devices.allow. @fresh: nothing has been written there
 * yet. */
int cgroup_devices_v1(int dir, const struct cgroup_device_rule *rules, size_t n, bool fresh,
		      struct err *err);

/* Can v1 say these rules? 0 or < 0 with @err. */
int cgroup_devices_check(const struct cgroup_device_rule *rules, size_t n, struct err *err);

/* Does the kernel take a program made from them? It is not attached. */
int cgroup_devices_v2_check(const struct cgroup_device_rule *rules, size_t n, struct err *err);

/* Attach a program made from the rules in place of the one that we attached before. */
int cgroup_devices_v2(int dir, const struct cgroup_device_rule *rules, size_t n, struct err *err);

/* Index of the hierarchy whose freezer stops @cg: v1's where @cg is open in it, else v2's. -1: it
 * is in neither. */
int cgroup_freezer(const struct cgroup *cg);

/* v1: ask for a state of the freezer; v2: the same. Without waiting. 0 or -errno. */
int cgroup_freeze_request(int dir, bool v2, bool want);

/* v1: thaw @dir and every sub-cgroup that was frozen by itself. 0 or -errno. */
int cgroup_thaw_tree(int dir);

/* 1: frozen or freezing, 0: not (also where there is no such file), -errno. */
int cgroup_freeze_look(int dir, bool v2);

/* v1: is a parent of @path frozen, so that nobody in it can be thawed, nor die of SIGKILL? */
bool cgroup_freeze_from_above(const struct cgroup_host *host, const char *path);

/* Remove the marked empty parents of @dir, and nothing else. */
void cgroup_remove_parents(const char *dir, size_t mount_len);

#endif
