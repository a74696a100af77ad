/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to systemd's manager: the connection, and calls that end at the deadline of the manager's
 * struct. */
#ifndef OAKUM_SYSTEMD_BUS_H
#define OAKUM_SYSTEMD_BUS_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "systemd/manager.h"

#define SERVICE	   "org.freedesktop.systemd1"
#define OBJECT	   "/org/freedesktop/systemd1"
#define MANAGER	   SERVICE ".Manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

/* An answer that is an error, or none, in words. Returns < 0. */
int bus_complain(const struct manager *m, int r, const sd_bus_error *e, struct err *err);

bool bus_is_error(const sd_bus_error *e, const char *name);

/* Over the bus; as root to the system's manager, where that has no bus, over its own socket. */
int bus_open(struct manager *m, struct err *err);

/* Handle what comes until @done. 0, -ETIMEDOUT or -errno. */
int bus_wait(struct manager *m, bool (*done)(const struct manager *), int64_t deadline_ms);

/* For sd_bus_call(), until the deadline. */
uint64_t bus_usec_left(const struct manager *m);

/*
 * systemd has executed itself anew (daemon-reexec) and so left the bus, which answers at once in
 * its place; or the connection broke, as the bus was started anew, and has been made again (what
 * m->bus was is gone). Whether the call was heard nobody knows, and signals may have been missed.
 * True, after a moment: ask again.
 */
bool bus_again(struct manager *m, int r, sd_bus_error *e);

/* Call a method that may be heard twice. @ret may be NULL. < 0 with @e. */
int bus_call(struct manager *m, const char *object, const char *interface, const char *method,
	     sd_bus_error *e, sd_bus_message **ret, const char *types, ...);

/* A property that is text; to be freed. < 0 with @e. */
int bus_get(struct manager *m, const char *object, const char *interface, const char *name,
	    sd_bus_error *e, char **ret);

#endif
