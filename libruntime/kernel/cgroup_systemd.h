/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd as the one who makes the container's cgroup: requests to the helper program, which alone
 * knows D-Bus. The helper lives as long as the connection. It keeps a scope that it has started
 * with a process of its own; who is killed on either side leaves an empty scope, and systemd takes
 * that away.
 */
#ifndef OAKUM_KERNEL_CGROUP_SYSTEMD_H
#define OAKUM_KERNEL_CGROUP_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* How long systemd may take for one request, unless the caller has less. */
#define CGROUP_SYSTEMD_WAIT_MS 25000

/* Variables of the environment: another helper program (absolute), another wait (milliseconds). */
#define CGROUP_SYSTEMD_HELPER_ENV "OAKUM_SYSTEMD_HELPER"
#define CGROUP_SYSTEMD_WAIT_ENV	  "OAKUM_SYSTEMD_TIMEOUT"

struct cgroup_systemd {
	int sock;
	pid_t pid;	  /* the helper: our child */
	unsigned version; /* systemd's */
	bool property;	  /* what failed last was a property: its name or its value */
	char root[1024];  /* the manager's control group, "" : the root */
};
#define CGROUP_SYSTEMD_INIT ((struct cgroup_systemd){.sock = -1})

/* Is there a helper at all? False where oakum was built without libsystemd. */
bool cgroup_systemd_built(void);

/*
 * Start the helper and connect to the system's manager, or to the @user's. 0, or < 0 with @err:
 * ERR_UNSUPPORTED without helper, ETIMEDOUT where the bus does not answer.
 */
int cgroup_systemd_open(struct cgroup_systemd *s, bool user, int64_t deadline_ms, struct err *err);
/* End the helper, and with it the process that keeps a scope. Takes CGROUP_SYSTEMD_INIT too. */
void cgroup_systemd_close(struct cgroup_systemd *s);

/*
 * Make the scope @unit with @properties ("NAME=VALUE", the value in GVariant's text format). When
 * it returns, its job is done and the helper's process is in it. The cgroup must be @path: one that
 * is elsewhere is stopped again and an error. 0; CGROUP_SYSTEMD_IN_USE with @err: somebody has a
 * unit of that name; or < 0 with @err.
 */
enum { CGROUP_SYSTEMD_IN_USE = 1 };
int cgroup_systemd_start(struct cgroup_systemd *s, const char *unit, const char *path,
			 const char *const *properties, size_t n, int64_t deadline_ms,
			 struct err *err);

/* The container's process is in: the helper's goes. 0, or < 0 with @err. */
int cgroup_systemd_release(struct cgroup_systemd *s, int64_t deadline_ms, struct err *err);

/* 0, or < 0 with @err; nothing is asked for where @n is 0. */
int cgroup_systemd_set(struct cgroup_systemd *s, const char *unit, const char *const *properties,
		       size_t n, int64_t deadline_ms, struct err *err);

/* Let systemd move @pid into the scope, or its sub-cgroup @sub ("/inner", or NULL): for who may not
 * do so himself. 0, or < 0 with @err. */
int cgroup_systemd_attach(struct cgroup_systemd *s, const char *unit, const char *sub, pid_t pid,
			  int64_t deadline_ms, struct err *err);

/*
 * Stop @unit, in which nobody lives any more. 0: it is gone; also when it was; < 0 with @err.
 * @ours: the scope is ours for certain; else CGROUP_SYSTEMD_IN_USE where there is a process in it:
 * it is another's, and goes on.
 */
int cgroup_systemd_stop(struct cgroup_systemd *s, const char *unit, bool ours, int64_t deadline_ms,
			struct err *err);

#endif
