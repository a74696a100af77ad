/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What create and exec share on the parent's side of a new process. */
#ifndef OAKUM_RUN_CREATE_H
#define OAKUM_RUN_CREATE_H

#include <stdint.h>
#include <sys/types.h>

#include "run/handle.h"

struct err;
struct spec_errors;

/* The directory of compiled filters below the state root, made when missing; -1 (no cache) if it
 * cannot be. */
int create_open_cache(struct oakum *o);

/*
 * After one of the spec_parse functions has returned @r: the errors go to the handle, what was
 * noted to its debug and warn callbacks; where the handle is strict, notes are errors. @file for
 * messages. Returns @r, or -EINVAL.
 */
int create_parsed(struct oakum *o, struct spec_errors *errors, const char *file, int r);

/* Hand these errors to the handle: -EINVAL, or the code of the first. */
int create_refuse(struct oakum *o, const struct spec_errors *errors);

/* Write the pid as decimal text, atomically, mode 0644; relative to the caller's directory. */
int create_write_pid(const char *path, pid_t pid, struct err *err);

/* Is there a directory for it that we may write? Before any side effect. */
int create_check_pid_file(const char *path, struct err *err);

/* Send a pidfd to the unix socket @path (--pidfd-socket). */
int create_send_pidfd(const char *path, int pidfd, struct err *err);
/* Is there a socket at @path (NULL: none is asked for), as far as can be seen from outside? */
int create_look_pidfd(const char *path, struct err *err);

struct plan_process;

/* Is there the security module for each label that is asked for? 0 or < 0 with @err. AppArmor's
 * "unconfined" needs none, and is taken out where there is none. */
int create_check_labels(struct plan_process *p, struct err *err);

/* Ambient capabilities that are not both permitted and inheritable cannot be raised
 * (capabilities(7)): say so. */
void create_warn_ambient(const struct oakum *o, const struct plan_process *p);

/* The JSON that a caller has given: *@text, with its *@size, or where that is NULL what @file has
 * ("-": standard input), in @arena. 0, or < 0 with @err. */
int create_read(const char *file, struct arena *arena, const char **text, size_t *size,
		struct err *err);

/* The same for the container @id, if it is there at all, before it is locked: what comes through a
 * pipe or is typed may take as long as it likes, and nobody is to wait for that. @file NULL:
 * nothing. */
int create_read_first(struct oakum *o, const char *id, const char *file, struct arena *arena,
		      const char **text, size_t *size, struct err *err);
/* What messages call it; @otherwise where there is no file. */
const char *create_input_name(const char *file, const char *otherwise);

/* Call @body in a process of its own, which may join namespaces, and wait for it, at most until
 * @deadline_ms: what it finds there may keep it for ever. Returns what it returns, with its @err.
 */
int create_helper(int (*body)(void *data, struct err *err), void *data, int64_t deadline_ms,
		  struct err *err);

/*
 * @pid, which was named @comm, has closed the channel: by executing its program? @told: it said
 * that it would (SYNC_EXEC). 0, or < 0 with @err: it has died before, without a word, since a
 * seccomp filter may forbid that as well.
 */
int create_executed(pid_t pid, const char *comm, bool told, struct err *err);

/* Say in @err what the child @pid waits for where @r, from sync_receive(), is -ETIMEDOUT. Returns
 * @r. */
int create_name_late(pid_t pid, int r, struct err *err);

#endif
