/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library's handle: one state root, its settings, the words of the last failure.
 * Private to run/.
 */
#ifndef OAKUM_RUN_HANDLE_H
#define OAKUM_RUN_HANDLE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/proc.h"
#include "kernel/cgroup.h"
#include "oakum.h"

struct oakum {
	char root[PATH_MAX / 4]; /* absolute */
	bool root_is_default;
	/* Where cgroups without a cgroupsPath go. Two roots may use one id: each has its own. */
	char cgroup_parent[32];
	enum oakum_cgroup_manager manager;
	int rootless;  /* 1, 0, or -1: not asked yet */
	bool planning; /* nothing will be done: what we may not look at is taken as it is written */
	bool strict;   /* what a configuration has and nobody knows is an error */
	const char *command; /* what the user has called, or NULL */
	void (*debug)(void *data, const char *line);
	void *debug_data;
	void (*warn)(void *data, const char *line);
	void *warn_data;

	struct err err;	  /* the first, or only, failure */
	struct err *more; /* further ones of a bad configuration; malloc'ed */
	size_t n_more;
	char text[1024], hint[192]; /* rendered by the getters */

	bool cgroups_known;
	struct cgroup_host cgroups; /* probed once, when first needed */
	char boot_id[PROC_BOOT_ID_SIZE];
};

/* Begin a call: forget the last failure. Returns the error to fill. */
struct err *handle_begin(struct oakum *o);

/* Put "VERB ID: " in front and hand the result through: `return handle_end(o, "create", id, r);`
 * The verb is the command that the user has called, where that is known; @id may be NULL. */
const char *handle_verb(const struct oakum *o, const char *verb);
int handle_end(struct oakum *o, const char *verb, const char *id, int r);

/* The host's cgroups, probed on first use; mode CGROUP_NONE for --cgroup-manager=disabled. NULL
 * with @err. */
const struct cgroup_host *handle_cgroups(struct oakum *o, struct err *err);

/* Is this not the host's root, who has a right to everything? Decided once. */
bool handle_rootless(struct oakum *o);

/* Is the default state root in XDG_RUNTIME_DIR? For who is not root, or root of a user namespace
 * alone, as podman is that a user has started: runc's rule, which believes $USER where that says
 * root. */
bool handle_is_user(void);

/* This boot, read once. Never NULL; "" if it cannot be read. */
const char *handle_boot_id(struct oakum *o);

void handle_debug(const struct oakum *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void handle_warn(const struct oakum *o, const struct err *err);

/* Good size for an option struct of @want bytes whose first member says @size? */
#define HANDLE_CHECK_OPTIONS(o, options, type)                                                     \
	handle_check_size((options) ? (options)->size : 0, sizeof(struct type), &(o)->err)
int handle_check_size(size_t size, size_t want, struct err *err);

#endif
