/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written down about a container: ROOT/ID/state.json, its lock, its directory.
 * Written ahead of the first side effect and removed after the last, so that `delete`
 * can finish the work of any command that was killed at any instruction.
 */
#ifndef OAKUM_RUN_STATE_H
#define OAKUM_RUN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/proc.h"
#include "run/handle.h"

struct json;

struct state {
	const char *oci_version, *id, *bundle, *rootfs, *created, *boot_id;
	const char *cgroup;   /* path in every hierarchy, "" if none */
	const char *unit;     /* systemd's scope for it, NULL or "" if none */
	bool user_unit;	      /* of the user's manager */
	const char *delegate; /* sub-cgroup where its process lives, "" : in ->cgroup */
	const char *rdt_group, *rdt_monitor; /* resctrl class and group in it; NULL or "": none */
	bool rdt_made;			     /* the class was to be made for it */
	uint32_t owner;			     /* uid */
	bool complete;			     /* false: "creating" */
	bool terminal;
	bool chrooted;		 /* no mount namespace of its own */
	bool keyring;		 /* it has a session keyring of its own, which exec joins */
	unsigned namespaces;	 /* CLONE_NEW* in which it differs from the runtime */
	unsigned own_namespaces; /* those of them that were made new for it */
	uint64_t family_ns, family_ns_id; /* as in struct family_id; 0: not needed, or unknown */
	unsigned hooks;			  /* 1 << enum spec_hook_kind present in config.json */
	struct proc_id init, creator, supervisor;
	int supervisor_fd;
	const char *listener;	 /* socket that gets the seccomp listener, "" if none */
	const char *annotations; /* a JSON object as text, "" if none */
};

enum { STATE_ABSENT = 1 };

/* What to do where the state root cannot be made. Static. */
const char *state_root_hint(const struct oakum *o);

/*
 * Open the state root: a directory, not a symlink, of our uid, not writable by others.
 * @make: create it and its parents (mode 0700). A descriptor; STATE_ABSENT is -ENOENT with @err
 * set.
 */
int state_open_root(struct oakum *o, bool make, struct err *err);

/* Open ROOT/ID. 0 and *@ret_dir, STATE_ABSENT, or < 0 with @err (ERR_USAGE for a bad id). */
int state_open(struct oakum *o, const char *id, int *ret_dir, struct err *err);

/* As state_open() with the words for a container that does not exist (ERR_STATE). 0 or < 0. */
int state_need(struct oakum *o, const char *id, int *ret_dir, struct err *err);

/* Make ROOT/ID and lock it: whoever makes the directory has won. 0 and *@ret_dir, < 0 (ERR_EXISTS).
 */
int state_make(struct oakum *o, const char *id, int *ret_dir, struct err *err);

/*
 * Take the lock of an open directory, waiting for another command until @deadline_ms. It goes with
 * the descriptor. 0; STATE_ABSENT: the container was deleted meanwhile; < 0 with @err (EBUSY names
 * nobody's secret: "another command is working on it").
 */
int state_lock(struct oakum *o, const char *id, int dir, int64_t deadline_ms, struct err *err);

/* Read state.json. 0; STATE_ABSENT: there is none (a creation that was killed at once); < 0:
 * damaged. */
int state_read(int dir, struct arena *arena, struct state *ret, struct err *err);

/* As state_read() of the file @path ("ID/state.json") below the state root @dir, through no
 * symbolic link: what is met by one is STATE_ABSENT. */
int state_read_at(int dir, const char *path, struct arena *arena, struct state *ret,
		  struct err *err);

/* Write it under a temporary name and rename. */
int state_write(int dir, const struct state *s, struct err *err);

/*
 * Its cgroup is its own now, and what state.json says is kept under a second name. state.json is
 * replaced after that, never changed, so that the claim survives whatever befalls it. 0, or < 0
 * with @err.
 */
int state_claim(int dir, struct err *err);

/* Write the claim anew: of what has come to be known since, it is to say it, too. */
int state_write_claim(int dir, const struct state *s, struct err *err);

/* Is the cgroup of @s its own? Until it is, who lives there is somebody else. */
bool state_claimed(int dir, const struct state *s);

/* As state_read(), of the claim. */
int state_read_claim(int dir, struct arena *arena, struct state *ret, struct err *err);

/* state.json is not to be used: @what. < 0. */
int state_damaged(const char *what, struct err *err);

/* Keep the bundle's configuration for exec and the hooks of start and delete; and read it again. */
int state_keep_config(int dir, const char *text, size_t size, struct err *err);
struct spec;
int state_load_config(int dir, struct arena *arena, struct spec **ret, struct err *err);

/* What it is now, asked of the kernel. */
enum oakum_status state_status(struct oakum *o, int dir, const struct state *s);
/* The same where the gate is called @gate below @dir. */
enum oakum_status state_status_at(struct oakum *o, int dir, const char *gate,
				  const struct state *s);

/* The JSON text that `state` prints and hooks read: pieces around the pid and the status, in
 * @arena. */
char *state_hook_json(struct arena *arena, const struct state *s, const char *status, pid_t pid);

/* The kind of namespace by which its processes are found where it has no cgroup, as in struct
 * family_id. */
int state_family_kind(const struct state *s);

/* Remove the directory with what is in it. 0, or < 0 with @err. */
int state_remove(struct oakum *o, const char *id, int dir, struct err *err);

#define STATE_FILE  "state.json"
#define STATE_GATE  "gate"
#define STATE_CLAIM "claim.json"

#endif
