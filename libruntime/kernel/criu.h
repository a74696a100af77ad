/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * criu(8), which saves and restores processes: one request to a `criu swrk` of our own, by its RPC
 * over a socket. There is no library of it here: the messages are few, and a program that is not
 * installed is an error, not a missing dependency.
 */
#ifndef OAKUM_KERNEL_CRIU_H
#define OAKUM_KERNEL_CRIU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup;
struct err;

/* Numbers of the protocol, as all of this header's enums. */
enum criu_action { CRIU_DUMP = 1, CRIU_RESTORE = 2, CRIU_PRE_DUMP = 4 };
enum criu_cgroup_mode {
	CRIU_CGROUPS_IGNORE = 0,
	CRIU_CGROUPS_SOFT = 3,
	CRIU_CGROUPS_FULL = 4,
	CRIU_CGROUPS_STRICT = 5
};
enum criu_network_lock {
	CRIU_LOCK_DEFAULT = 0,
	CRIU_LOCK_IPTABLES = 1,
	CRIU_LOCK_NFTABLES = 2,
	CRIU_LOCK_SKIP = 3
};

/* What criu finds under @key in its images is the descriptor @fd of ours. */
struct criu_inherit {
	const char *key;
	int fd;
};

/* A namespace that a restored process joins: "ipc", "/run/ns/ipc". */
struct criu_join {
	const char *kind, *path;
};

struct criu_request {
	enum criu_action action;
	const char *images, *work; /* directories; work: of the log, may be the same */
	const char *log;	   /* name of the log in it */
	pid_t pid;		   /* dump: the root of the tree */
	const char *root;	   /* root file system as the host sees it */
	bool leave_running, tcp_established, tcp_close, tcp_skip_in_flight, link_remap, ext_unix_sk,
		shell_job, file_locks, auto_dedup, lazy_pages;
	enum criu_cgroup_mode cgroup_mode;
	enum criu_network_lock network_lock;
	uint32_t empty_ns;	 /* CLONE_NEW* */
	const char *parent;	 /* images of the dump before, relative to the images */
	const char *page_server; /* address, or NULL */
	int page_server_port;
	const char *freeze_cgroup, *config_file, *lsm_profile, *lsm_mount_context, *cgroup_root;
	const char *const *external;
	size_t n_external;
	const struct criu_inherit *inherit;
	size_t n_inherit;
	const struct criu_join *join;
	size_t n_join;
	/* restore: */
	int stdio[3];		    /* criu's own, which it hands down; -1: ours */
	const struct cgroup *enter; /* criu itself lives there, NULL: where we are */
	/* Something has happened: "post-restore" and the like, to the process @pid of ours; @fd
	   comes with "orphan-pts-master", is -1 else, and belongs to the callee. < 0 with @err:
	   criu gives up. May be NULL. */
	int (*notify)(void *data, const char *what, pid_t pid, int fd, struct err *err);
	void *data;
};

/*
 * Run criu and wait for its answer. A restored process is our child. 0, or < 0 with @err, which has
 * the last errors in criu's log; ERR_UNSUPPORTED where there is no criu. Blocks as long as criu
 * does. *@ret_pid (may be NULL): the root of a restored tree.
 */
int criu_run(const struct criu_request *request, pid_t *ret_pid, struct err *err);

/* The request as bytes, with the two directories as descriptors of criu: *@ret_size of @buf, or
 * -E2BIG. */
int criu_encode(const struct criu_request *request, const int dirs[2], void *buf, size_t size,
		size_t *ret_size);

/* The last two errors that stand in the log @text before its verdict, into @buf; "" if none. */
void criu_log_errors(const char *text, char *buf, size_t size);

#endif
