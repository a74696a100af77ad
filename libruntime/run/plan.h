/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every decision about a container, made once, before anything touches the kernel: pure data
 * from the configuration and a few facts about the host. Parent and child read the same bytes;
 * nothing in it changes after plan_make().
 */
#ifndef OAKUM_RUN_PLAN_H
#define OAKUM_RUN_PLAN_H

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "kernel/caps.h"
#include "kernel/cgroup.h"
#include "kernel/creds.h"
#include "kernel/dev.h"
#include "kernel/mount.h"
#include "kernel/ns.h"
#include "kernel/rdt.h"
#include "kernel/sched.h"
#include "kernel/seccomp.h"
#include "kernel/timens.h"
#include "spec/spec.h"

struct strbuf;

/* systemd as the cgroup manager. */
struct plan_systemd {
	bool wanted, user; /* the user's manager, not the system's */
	unsigned version;  /* 252; 0: not asked */
	const char *root;  /* the manager's own control group, "" or NULL: the root */
};

/* What the plan may know about the host. */
struct plan_host {
	struct plan_systemd systemd;
	const struct cgroup_host *cgroups;
	const char *default_cgroup_parent; /* "/oakum", or another for a state root of one's own */
	bool rootless;			   /* without rights over cgroups it goes on without them */
	bool no_rights;	 /* rootless, and no hierarchy lets us make the cgroup: ->cgroups is none */
	bool no_devices; /* device rules are not for us to write */
	bool may_unshare;  /* CAP_SYS_ADMIN in our own user namespace */
	uint32_t uid, gid; /* ours */
	unsigned own;	   /* CLONE_NEW* whose path leads to our own namespace */
	struct ns_idmaps joined_uids, joined_gids; /* of the user namespace that is joined */
	struct ns_idmaps own_uids, own_gids; /* of ours, where everything may have to be mapped */
	struct ns_idmaps sub_uids, sub_gids; /* subordinate ranges: ->host, ->size */
	const char *listen_fdnames;	     /* of the caller, or NULL */
	const char *seccomp_receiver;	     /* RUN_OCI_SECCOMP_RECEIVER of the caller, or NULL */
};

/* What the command line adds to the configuration. */
struct plan_options {
	const char *id;
	const char *bundle; /* absolute */
	bool no_pivot, no_new_keyring;
	bool hooks_in_root; /* createContainer hooks run in the root, not in the bundle */
	unsigned preserve_fds, listen_fds;
	const char *notify_socket; /* of the caller, a good one, or NULL */
	uint64_t watchdog_usec;	   /* told with it; 0: none */
};

/* Where the listener of the seccomp filter goes. */
struct plan_listener {
	const char *path;     /* unix socket; NULL: there is no listener */
	const char *metadata; /* NULL: none */
	bool required;	      /* some rule notifies; else failures are ignored */
};

struct plan_rlimit {
	int resource;
	const char *name;
	uint64_t soft, hard;
};

/* The last steps to execve, the same for the container's process and for exec. */
struct plan_process {
	const char *const *argv;
	const char **envp; /* with one free slot before the end where @home_slot says so */
	int home_slot;	   /* index to fill with "HOME=…", or -1 */
	const char *path;  /* value of PATH in envp, or a default */
	const char *cwd;
	uint32_t uid, gid;
	const uint32_t *groups;
	size_t n_groups; /* CREDS_KEEP_GROUPS: those of the caller stay */
	bool umask_set;
	uint32_t umask;
	struct caps caps;
	const struct plan_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	bool oom_set;
	int oom_score_adj;
	bool terminal;
	uint16_t rows, columns;
	const struct sched_request *scheduler; /* NULL: as it is */
	bool io_priority_set;
	int io_class, io_priority;
	const char *io_class_name;
	const struct sched_cpus *first_cpus, *cpus; /* while it joins, and at the end; NULL: all
						       that the cgroup allows. exec only. */
	const char *first_cpus_text, *cpus_text;    /* as they were written */
	const struct mempolicy_request *memory;	    /* NULL: as it is */
	const char *apparmor, *selinux;		    /* labels of the program; NULL: none */
	bool personality_set;
	uint32_t personality;
	unsigned keep_fds;		       /* 3…3+n-1 reach the program */
	const struct seccomp_profile *seccomp; /* NULL: none */
	struct plan_listener listener;
	struct spec_hooks hooks; /* startContainer; none for exec */
	const char *hook_state;	 /* their standard input */
};

struct plan_join {
	enum spec_ns ns;
	int kind; /* CLONE_NEW* */
	const char *path;
	const char *pointer; /* "/linux/namespaces/2/path" */
};

/* Properties of a unit: "NAME=VALUE", the value in GVariant's text format. */
struct plan_properties {
	const char **v;
	size_t n;
	bool no_memory;
};

/* The scope that systemd makes for the container. */
struct plan_unit {
	const char *name, *slice; /* "oakum-web.scope", "system.slice" */
	bool user;
	struct plan_properties start; /* it begins with them */
	struct plan_properties set;   /* once the container's process is in it */
};

struct plan {
	const char *id, *bundle, *rootfs; /* absolute */
	unsigned create;		  /* CLONE_NEW* made new */
	struct plan_join join[SPEC_NS_COUNT];
	size_t n_join;
	unsigned namespaces;	     /* create | the kinds joined */
	bool implied_user;	     /* the user namespace is not in the configuration */
	struct ns_idmaps uids, gids; /* of the user namespace, also of one that is joined */
	struct timens_offset offsets[SPEC_CLOCK_COUNT]; /* of the new time namespace */
	size_t n_offsets;
	const char *hostname, *domainname;
	const struct spec_net_device *net_devices;
	size_t n_net_devices;

	bool private_mounts; /* none was asked for, but mounts: the host's are not to be touched */
	bool mounts_namespace; /* it has one of its own: pivot, mounts, devices, masks */
	bool no_pivot;
	bool added;			/* mounts for a container that lives, nothing else */
	unsigned long propagation;	/* of the new tree while it is built */
	unsigned long root_propagation; /* of "/" at the end, 0: leave */
	bool root_readonly;
	const struct mount_op *mounts;
	size_t n_mounts;
	bool setup_dev; /* default nodes and links are ours to make */
	const struct dev_node *devices;
	size_t n_devices;
	struct spec_strings masked, readonly;
	struct spec_pairs sysctl;
	bool keyring;
	const char *mount_label; /* of new file systems, NULL: none */

	const struct cgroup_host *cgroups; /* of the host */
	const char *cgroup;		   /* "" : none */
	struct plan_unit *unit;		   /* made by systemd; NULL: by us */
	const char *delegate; /* sub-cgroup of it where the process lives; NULL: in it */
	struct cgroup_limits limits;
	const struct rdt_request *rdt; /* NULL: none */

	const char *notify; /* directory of the notify socket inside, NULL: none */

	const struct spec_known *known; /* annotations */
	const char *container_hooks_dir;
	const struct spec_hooks *hooks; /* [SPEC_HOOK_COUNT] */
	unsigned hook_kinds;		/* 1 << kind */
	struct plan_process process;
};

/* Made by the child itself, when it is in its cgroup and has its rights; the others by its clone.
 * Of an ipc namespace the mqueue file system belongs to whom it was made by, so in a user namespace
 * its root makes it. */
static inline unsigned plan_made_later(const struct plan *p)
{
	return CLONE_NEWCGROUP | CLONE_NEWTIME | (p->namespaces & CLONE_NEWUSER ? CLONE_NEWIPC : 0);
}

/* Decide. 0 and *@ret in @arena, or < 0 with @err (pointer set). Makes no system call. */
int plan_make(const struct spec *spec, const struct plan_host *host,
	      const struct plan_options *options, struct arena *arena, struct plan **ret,
	      struct err *err);

/*
 * The mounts of @spec, binds and tmpfs, as they are to be added to a container that lives, with
 * these CLONE_NEW*. 0 and *@ret in @arena, or < 0 with @err (pointer set).
 */
int plan_make_added(const struct spec *spec, const char *bundle, unsigned namespaces,
		    struct arena *arena, struct plan **ret, struct err *err);

/* CLONE_NEW* of a kind. */
int plan_ns_kind(enum spec_ns ns);

/* Is the source of this mount the host's to have now? One that lies in the rootfs or in the
 * container's cgroup may appear with what is made before it. */
bool plan_has_source(const struct plan *p, const struct mount_op *op);

/* In @arena. 0 or -ENOMEM. */
int plan_copy_idmaps(const struct spec_idmaps *from, struct arena *arena, struct ns_idmaps *ret);

/* The parts, one file each. */
int plan_make_namespaces(const struct spec *spec, const struct plan_host *host, struct plan *p,
			 struct arena *arena, struct err *err);
int plan_make_mounts(const struct spec *spec, const struct plan_host *host, struct plan *p,
		     struct arena *arena, struct err *err);
int plan_add_mounts(const struct spec *spec, struct plan *p, struct arena *arena, struct err *err);
int plan_make_cgroup(const struct spec *spec, const struct plan_host *host, struct plan *p,
		     struct arena *arena, struct err *err);
/* Name in @err the annotation that @p->delegate comes from. */
void plan_blame_delegate(const struct plan *p, struct err *err);

/* systemd has refused a property of a unit: where the message names that of an annotation, or names
 * none and there are annotations, @err becomes one of the configuration. */
void plan_blame_property(const struct spec *spec, struct err *err);

/* Name the unit and its cgroup's path. */
int plan_make_unit(const struct spec *spec, const struct plan_host *host, struct plan *p,
		   const char **ret_path, struct arena *arena, struct err *err);
/* Its properties, when the limits are known. */
int plan_make_unit_properties(const struct spec *spec, const struct plan_host *host, struct plan *p,
			      struct arena *arena, struct err *err);

/* Limits as properties of a unit: those that must stand before a process joins, and the others. */
struct plan_unit_limits {
	const struct cgroup_host *host;
	const char *path;
	const struct cgroup_limits *limits;
	unsigned systemd;	   /* its version, 0: any */
	const struct cgroup *live; /* they change what stands in this one; NULL: it is new */
};
int plan_unit_limits(const struct plan_unit_limits *request, struct plan_properties *before,
		     struct plan_properties *after, struct arena *arena, struct err *err);
/* Device rules as DevicePolicy and DeviceAllow; @again: in place of those that stand. Out of memory
 * is said in @ret. */
void plan_unit_devices(const struct cgroup_limits *limits, bool again, struct plan_properties *ret,
		       struct arena *arena);
/* False, and ->no_memory, out of memory. */
bool plan_add_property(struct plan_properties *l, struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Limits without device rules, and the rules with those that every container gets; for update too.
 */
int plan_make_limits(const struct spec_resources *r, struct cgroup_limits *ret, struct arena *arena,
		     struct err *err);
int plan_make_device_rules(const struct spec_resources *r, struct cgroup_limits *ret,
			   struct arena *arena, struct err *err);

struct plan_process_extra {
	const struct spec_known *known; /* annotations */
	const char *seccomp_receiver;	/* of the caller's environment, or NULL */
	unsigned listen_fds, preserve_fds;
	bool keep_groups;
	const char *listen_fdnames; /* of the caller, or NULL */
	const char *notify;	    /* as plan->notify */
	uint64_t watchdog_usec;	    /* with it */
	const struct spec *spec;    /* of the container: memory policy, personality, cpuset */
	bool exec;		    /* execCPUAffinity is for this process */
};
int plan_make_process(const struct spec_process *process, const struct spec_seccomp *seccomp,
		      const struct plan_process_extra *extra, struct plan_process *ret,
		      struct arena *arena, struct err *err);

/* The part of it about scheduling and memory. */
int plan_make_sched(const struct spec_process *process, const struct plan_process_extra *extra,
		    struct plan_process *ret, struct arena *arena, struct err *err);

int plan_make_notify(const struct spec *spec, const struct plan_options *options, struct plan *p,
		     struct arena *arena, struct err *err);

int plan_make_rdt(const struct spec *spec, const struct plan_host *host, struct plan *p,
		  struct arena *arena, struct err *err);
/* All lines of @from, one after the other; NULL out of memory. */
const char *plan_rdt_lines(const struct spec_rdt *from, struct arena *arena);
/* What tells the resctrl groups of the container @id of this state root from others; NULL: no
 * memory. */
const char *plan_rdt_mark(const char *cgroup_parent, const char *id, struct arena *arena);

/* Where the listener goes: listenerPath, the annotation, then @receiver. */
int plan_make_listener(const struct spec_seccomp *seccomp, const struct spec_known *known,
		       const char *receiver, struct plan_listener *ret, struct err *err);

/* Every decision in the order in which it is carried out, as text for people or as JSON. @warnings:
 * NULL-terminated, or NULL. */
void plan_print(const struct plan *p, const char *const *warnings, bool json, struct strbuf *out);

#endif
