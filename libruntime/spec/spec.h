/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was asked for: config.json (OCI runtime-spec 1.3, config.md and config-linux.md) as C
 * structures. Parsing makes no system call. Everything lives in the caller's arena.
 *
 * Only what oakum applies is here. A member that the specification knows and oakum does not
 * apply yet is an error that names its pointer (unless it is empty: null, "", {}, []); a member
 * that the specification does not know is ignored, as it demands, and noted (struct spec_note).
 */
#ifndef OAKUM_SPEC_SPEC_H
#define OAKUM_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct json;

/* A list of strings; @v ends in NULL, so it serves as argv and envp. @n does not count it. */
struct spec_strings {
	const char **v;
	size_t n;
};

struct spec_pair {
	const char *key, *value;
};

struct spec_pairs {
	struct spec_pair *v;
	size_t n;
};

#define SPEC_OPTION(type)                                                                          \
	struct {                                                                                   \
		bool set;                                                                          \
		type v;                                                                            \
	}

struct spec_idmap {
	uint32_t container, host, size;
};

struct spec_idmaps {
	struct spec_idmap *v;
	size_t n;
};

enum spec_ns {
	SPEC_NS_PID,
	SPEC_NS_NETWORK,
	SPEC_NS_IPC,
	SPEC_NS_UTS,
	SPEC_NS_MOUNT,
	SPEC_NS_USER,
	SPEC_NS_CGROUP,
	SPEC_NS_TIME,
	SPEC_NS_COUNT
};

struct spec_namespace {
	bool present;
	const char *path; /* NULL: a new one */
	uint32_t index;	  /* in linux.namespaces */
};

enum spec_clock { SPEC_CLOCK_MONOTONIC, SPEC_CLOCK_BOOTTIME, SPEC_CLOCK_COUNT };

/* linux.timeOffsets: what is added to a clock in the time namespace. */
struct spec_time_offset {
	bool set;
	int64_t secs;
	uint32_t nanosecs; /* 0…999999999 */
};

struct spec_mount {
	const char *destination;   /* never empty; may be relative (to "/") */
	const char *type, *source; /* NULL if absent */
	struct spec_strings options;
	struct spec_idmaps uid_map, gid_map; /* both or neither */
};

struct spec_rlimit {
	int resource;	     /* RLIMIT_* */
	const char *name;    /* "RLIMIT_NOFILE" */
	uint64_t soft, hard; /* RLIM_INFINITY possible */
};

struct spec_caps {
	bool present; /* process.capabilities is there */
	uint64_t bounding, effective, inheritable, permitted, ambient; /* 1 << CAP_* */
};

/* process.scheduler (sched_setattr(2)); the numbers are the kernel's. */
struct spec_scheduler {
	bool present;
	uint32_t policy; /* SCHED_OTHER … */
	uint64_t flags;	 /* SCHED_FLAG_* */
	int nice;
	uint32_t priority;
	SPEC_OPTION(uint64_t) runtime, deadline, period; /* nanoseconds, SCHED_DEADLINE */
};

/* process.ioPriority (ioprio_set(2)). */
struct spec_io_priority {
	bool present;
	int class;    /* IOPRIO_CLASS_* as number */
	int priority; /* 0…7 */
};

/* linux.memoryPolicy (set_mempolicy(2)); MPOL_* as numbers. */
struct spec_memory_policy {
	bool present;
	int mode;
	unsigned flags;
	const char *nodes; /* a list of numbers, or "" */
};

/* linux.intelRdt (resctrl). */
struct spec_rdt {
	bool present;
	const char *clos_id;	       /* NULL if absent or "" */
	const char *cache, *bandwidth; /* l3CacheSchema: lines; memBwSchema: "MB:…"; or NULL */
	struct spec_strings schemata;  /* one line each */
	bool monitoring;	       /* enableMonitoring, or one of the two others */
	bool cache_monitoring, bandwidth_monitoring;
};

/* linux.netDevices: an interface of the host, and its name in the container. */
struct spec_net_device {
	const char *name, *new_name;
};

struct spec_process {
	bool present;
	bool terminal;
	SPEC_OPTION(uint16_t) console_rows;    /* consoleSize.height */
	SPEC_OPTION(uint16_t) console_columns; /* consoleSize.width */
	uint32_t uid, gid;		       /* 0…4294967294 */
	uint32_t *groups;		       /* additionalGids */
	size_t n_groups;
	SPEC_OPTION(uint32_t) umask;
	struct spec_strings args, env; /* env: last duplicate wins, once each */
	const char *cwd;	       /* absolute */
	struct spec_caps caps;
	struct spec_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	SPEC_OPTION(int) oom_score_adj;
	struct spec_scheduler scheduler;
	struct spec_io_priority io_priority;
	const char *apparmor, *selinux;		       /* NULL if absent or "" */
	const char *affinity_initial, *affinity_final; /* execCPUAffinity: lists, NULL if absent */
};

struct spec_device {
	const char *path; /* absolute, no ".." */
	char type;	  /* 'c' 'b' 'p' ('u' is read as 'c') */
	int64_t major, minor;
	SPEC_OPTION(uint32_t) mode; /* permission bits */
	SPEC_OPTION(uint32_t) uid, gid;
};

struct spec_device_rule {
	bool allow;
	char type;	      /* 'a' 'b' 'c' */
	int64_t major, minor; /* -1: any */
	bool read, write, mknod;
};

/* linux.resources.blockIO: a weight of 0 is "not set", as engines write it. */
struct spec_io_weight {
	int64_t major, minor;
	SPEC_OPTION(uint64_t) weight, leaf_weight;
};

struct spec_io_rate {
	int64_t major, minor;
	uint64_t rate; /* bytes or operations a second; 0: no limit */
};

enum spec_io_kind {
	SPEC_IO_READ_BPS,
	SPEC_IO_WRITE_BPS,
	SPEC_IO_READ_IOPS,
	SPEC_IO_WRITE_IOPS,
	SPEC_IO_COUNT
};

struct spec_io {
	SPEC_OPTION(uint64_t) weight, leaf_weight; /* 10…1000 */
	struct spec_io_weight *weights;
	size_t n_weights;
	struct spec_io_rates {
		struct spec_io_rate *v;
		size_t n;
	} rates[SPEC_IO_COUNT];
};

struct spec_hugepage {
	const char *size; /* "2MB" */
	uint64_t limit;	  /* bytes */
};

struct spec_net_priority {
	const char *name;
	uint32_t priority;
};

struct spec_rdma {
	const char *device;
	SPEC_OPTION(uint32_t) handles, objects;
};

struct spec_resources {
	struct spec_device_rule *devices;
	size_t n_devices;
	SPEC_OPTION(int64_t) memory_limit, memory_reservation, memory_swap; /* bytes; -1: none */
	SPEC_OPTION(uint64_t) memory_swappiness;
	SPEC_OPTION(bool) memory_disable_oom_killer, memory_check_before_update;
	SPEC_OPTION(uint64_t) cpu_shares, cpu_period, cpu_burst;
	SPEC_OPTION(int64_t) cpu_quota, cpu_idle;
	SPEC_OPTION(int64_t) cpu_rt_runtime;
	SPEC_OPTION(uint64_t) cpu_rt_period;
	const char *cpuset_cpus, *cpuset_mems; /* NULL if absent or "" */
	SPEC_OPTION(int64_t) pids_limit;
	struct spec_io io;
	struct spec_hugepage *hugepages;
	size_t n_hugepages;
	SPEC_OPTION(uint32_t) net_class;
	struct spec_net_priority *net_priorities;
	size_t n_net_priorities;
	struct spec_rdma *rdma;
	size_t n_rdma;
	struct spec_pairs
		unified; /* "memory.high": "512M"; each key has the form CONTROLLER.NAME */
};

struct spec_seccomp_arg {
	unsigned index; /* 0…5 */
	uint64_t value, value_two;
	int op;		     /* enum scmp_compare of <seccomp.h> as number */
	const char *op_name; /* "SCMP_CMP_EQ" */
};

struct spec_seccomp_rule {
	struct spec_strings names;
	const char *action; /* "SCMP_ACT_…", known */
	SPEC_OPTION(uint32_t) errno_ret;
	struct spec_seccomp_arg *args;
	size_t n_args;
};

struct spec_seccomp {
	bool present;
	const char *default_action;
	SPEC_OPTION(uint32_t) default_errno_ret;
	struct spec_strings architectures; /* "SCMP_ARCH_…", known */
	struct spec_strings flags;	   /* "SECCOMP_FILTER_FLAG_…", known */
	bool flags_present;	   /* absent and [] differ: absent means SPEC_ALLOW if supported */
	const char *listener_path; /* absolute; NULL if absent or "" */
	const char *listener_metadata; /* NULL if absent or "" */
	struct spec_seccomp_rule *rules;
	size_t n_rules;
};

struct spec_hook {
	const char *path;	  /* absolute */
	struct spec_strings args; /* args.n == 0: argv is { path } */
	struct spec_strings env;
	bool env_present;	  /* absent: the hook inherits the caller's environment */
	SPEC_OPTION(int) timeout; /* seconds, > 0 */
};

enum spec_hook_kind {
	SPEC_HOOK_PRESTART,
	SPEC_HOOK_CREATE_RUNTIME,
	SPEC_HOOK_CREATE_CONTAINER,
	SPEC_HOOK_START_CONTAINER,
	SPEC_HOOK_POSTSTART,
	SPEC_HOOK_POSTSTOP,
	SPEC_HOOK_COUNT
};

struct spec_hooks {
	struct spec_hook *v;
	size_t n;
};

/* The annotations that oakum knows, read (spec_annotation.c). What is absent is NULL or false. */
struct spec_known {
	const char *pidfd_receiver; /* absolute */
	bool keep_groups;
	const char *hooks_stdout, *hooks_stderr; /* as written, relative to the bundle */
	const char *seccomp_receiver;		 /* absolute */
	bool seccomp_fail_unknown;
	const void *seccomp_bpf;	      /* struct sock_filter[], decoded */
	size_t seccomp_bpf_size;	      /* bytes */
	const char *delegate_cgroup;	      /* relative, no "..", never "" */
	const char *systemd_subgroup;	      /* "" is none, NULL is not said */
	struct spec_pairs systemd_properties; /* "CPUWeight", GVariant text */
	const char *mount_context_type;	      /* "context", "fscontext", … */
	const char *criu_config;	      /* absolute */
};

struct spec {
	const char *version;   /* ociVersion, 1.x.y */
	const char *root_path; /* as written, never empty */
	bool root_readonly;
	const char *hostname, *domainname; /* NULL if absent or "" */
	struct spec_mount *mounts;
	size_t n_mounts;
	struct spec_process process;
	struct spec_hooks hooks[SPEC_HOOK_COUNT];
	struct spec_pairs annotations;
	struct spec_known known;

	struct spec_namespace ns[SPEC_NS_COUNT];
	struct spec_idmaps uid_map, gid_map;
	struct spec_time_offset time_offsets[SPEC_CLOCK_COUNT];
	struct spec_device *devices;
	size_t n_devices;
	const char *cgroups_path; /* NULL if absent or "" */
	struct spec_resources resources;
	struct spec_pairs
		sysctl; /* as written; separators are those that stand first, '.' or '/' */
	struct spec_seccomp seccomp;
	struct spec_strings masked_paths, readonly_paths;
	const char *mount_label; /* NULL if absent or "" */
	struct spec_memory_policy memory_policy;
	struct spec_rdt rdt;
	struct spec_net_device *net_devices;
	size_t n_net_devices;
	SPEC_OPTION(uint32_t) personality; /* PER_LINUX or PER_LINUX32 */
	const char *rootfs_propagation;	   /* "private", "rslave", …, known; NULL if absent */
};

/* What is no error: a member that is ignored; a warning: what is probably not as it was meant. */
struct spec_note {
	int line, column;
	bool is_warning;
	const char *pointer, *text;
};

/* Every problem found, not only the first. */
#define SPEC_MAX_ERRORS 20
struct spec_errors {
	struct err v[SPEC_MAX_ERRORS];
	size_t n;		 /* recorded */
	size_t total;		 /* found */
	struct spec_note *notes; /* in the arena; whether there are errors or not */
	size_t n_notes;
};

/* For those who want no member ignored: notes and warnings become errors, in their places. */
void spec_strict(struct spec_errors *errors, const char *file);

/*
 * Parse and check a bundle's configuration: syntax, types, ranges, required members, and all
 * that can be judged without asking the kernel (ns duplicates, mappings that overlap, unknown
 * capability, signal, rlimit, seccomp names, paths with "..", contradictions such as a
 * hostname without a uts namespace, a sysctl that is not namespaced or whose namespace is
 * not new). @file is the name for messages.
 * 0 and *@ret in @arena, or -EINVAL with @errors filled in the order of the file: each has
 * ERR_CONFIG (ERR_UNSUPPORTED: known, not applied yet), pointer, line and column. -ENOMEM: one
 * error without a place.
 *
 * On success: root, process, args and cwd are there; every spec_strings ends in NULL, also an
 * absent one; rules of device cgroups are complete (type 'a', -1 and "rwm" where absent). Whether a
 * joined namespace is the host's own cannot be judged here.
 */
int spec_parse(const char *data, size_t size, const char *file, struct arena *arena,
	       struct spec **ret, struct spec_errors *errors);

/* The same for a process.json (`exec --process`): env, user and terminal may be absent. */
int spec_parse_process(const char *data, size_t size, const char *file, struct arena *arena,
		       struct spec_process *ret, struct spec_errors *errors);

/* The same for what `update` is given: "linux.intelRdt" or "linux.resources" alone, pointers from
 * its top. */
int spec_parse_rdt(const char *data, size_t size, const char *file, struct arena *arena,
		   struct spec_rdt *ret, struct spec_errors *errors);
int spec_parse_resources(const char *data, size_t size, const char *file, struct arena *arena,
			 struct spec_resources *ret, struct spec_errors *errors);

/* The same for what `mounts` is given: an array as "mounts" has it, which takes the place of that
 * in
 * @spec. */
int spec_parse_mounts(const char *data, size_t size, const char *file, struct arena *arena,
		      struct spec *spec, struct spec_errors *errors);

/* Names as the specification writes them, for messages, features and state. */
const char *spec_ns_name(enum spec_ns type);	      /* "network" */
const char *spec_clock_name(enum spec_clock clock);   /* "boottime" */
const char *spec_hook_name(enum spec_hook_kind kind); /* "createRuntime" */

/* Which namespace has the sysctl @key (as written), SPEC_NS_COUNT: none. Pure. */
enum spec_ns spec_sysctl_namespace(const char *key);

/* "RLIMIT_NOFILE" -> RLIMIT_NOFILE, or -1. */
int spec_rlimit_number(const char *name);

/* The table of the annotations that oakum knows, for `features` and the documentation; NULL behind
 * the last. A name that ends in '.' stands for all that begin so. */
struct spec_annotation {
	const char *name, *meaning;
	bool is_unsafe; /* engines should not take it from a stranger */
};
const struct spec_annotation *spec_annotation(size_t i);

/* The names of linux.memoryPolicy that are known, for features: NULL-terminated. */
const char *const *spec_memory_modes(void);
const char *const *spec_memory_flags(void);

/* Words of the specification that became numbers: the @i-th of a table, or NULL behind the last. */
enum spec_words {
	SPEC_POLICIES,	  /* SCHED_OTHER … */
	SPEC_SCHED_FLAGS, /* bits */
	SPEC_IO_CLASSES,
	SPEC_MEMORY_MODES,
	SPEC_MEMORY_FLAGS, /* bits */
};
const char *spec_word(enum spec_words table, size_t i, uint64_t *ret_number);

/* What `oakum spec` writes: runc's and crun's default bundle, indented with tabs, in @arena.
 * @rootless adds a user namespace mapping the one id @uid/@gid and drops what needs rights. */
struct spec_default {
	bool rootless;
	bool cgroup_v2; /* adds a cgroup namespace, as runc does */
	uint32_t uid, gid;
};
int spec_write_default(const struct spec_default *o, struct arena *arena, char **ret_text,
		       size_t *ret_size);

/*
 * The hardened bundle of `oakum up --rootfs`: docker's default capabilities and seccomp
 * profile, masked and read-only paths, new namespaces, noNewPrivileges. Text of a config.json,
 * so that it goes through the same door as everybody's.
 */
struct spec_hardened {
	const char *rootfs;	   /* absolute */
	const char *const *args;   /* NULL-terminated; empty: { "/bin/sh" } */
	const char *const *env;	   /* "K=V", added to PATH, TERM with a terminal, HOSTNAME */
	const char *const *mounts; /* "type=bind,source=/a,destination=/b,ro" or "/a:/b[:opts]" or
				      "type=tmpfs,destination=/t,size=1m" */
	const char *user;	   /* "UID[:GID]" or NULL */
	const char *workdir, *hostname; /* NULL: "/" and the id */
	const char *id;
	int64_t memory, pids; /* bytes, count; 0: not limited (pids: 4096) */
	bool no_default_pids; /* pids 0 is then no limit: the host has no such controller */
	double cpus;	      /* 0: not limited */
	bool terminal, read_only, host_network;
};
int spec_write_hardened(const struct spec_hardened *o, struct arena *arena, char **ret_text,
			size_t *ret_size, struct err *err);

#endif
