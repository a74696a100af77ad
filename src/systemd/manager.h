/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd's manager, of the system or of a user, over D-Bus. Every call ends at its deadline. */
#ifndef OAKUM_SYSTEMD_MANAGER_H
#define OAKUM_SYSTEMD_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

struct err;

struct manager {
	sd_bus *bus;
	bool user;
	bool direct;			/* no bus is between us and it */
	bool left;			/* it has left the bus once: it may come back */
	int64_t deadline_ms;		/* of the call that is being made */
	unsigned version;		/* 252 */
	int (*greet)(struct manager *); /* what a new connection begins with; NULL: nothing */
	bool property;			/* one was refused: its name or its value */
	const char *unit;		/* what is waited for: */
	char job[128];			/* object path of its job; "" : none */
	char result[32];		/* of that job, "" : it has not ended */
	bool removed;			/* systemd has forgotten the unit */
	int asking; /* where a byte is written before a unit is asked for; 0: nowhere */
};

enum { MANAGER_GONE = 1, MANAGER_IN_USE = 2 };

/* Connect, learn the version and the manager's own control group ("" for the root). 0, or < 0 with
 * @err. */
int manager_open(struct manager *m, bool user, int64_t deadline_ms, char *ret_path, size_t size,
		 struct err *err);
void manager_close(struct manager *m);

/*
 * Make the transient @unit with @pid in it, and wait for the job's end; its control group in
 * @ret_path. A dead unit of the same name is cleared away first. 0, MANAGER_IN_USE, or < 0 with
 * @err.
 */
int manager_start(struct manager *m, const char *unit, const char *const *properties, size_t n,
		  pid_t pid, int64_t deadline_ms, char *ret_path, size_t size, struct err *err);

int manager_set(struct manager *m, const char *unit, const char *const *properties, size_t n,
		int64_t deadline_ms, struct err *err);

int manager_attach(struct manager *m, const char *unit, const char *sub, pid_t pid,
		   int64_t deadline_ms, struct err *err);

/* Stop, reset a failure, wait until the unit is forgotten. 0, MANAGER_GONE: there was none, or < 0
 * with @err. */
int manager_stop(struct manager *m, const char *unit, int64_t deadline_ms, struct err *err);

/* Is there nobody in @unit? 0, MANAGER_IN_USE, MANAGER_GONE: there is none, or < 0 with @err. */
int manager_look_empty(struct manager *m, const char *unit, int64_t deadline_ms, struct err *err);

#endif
