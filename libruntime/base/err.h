/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What went wrong, in a form that needs no heap: it works in the child between
 * clone and exec, out of memory, and crosses a socket as bytes.
 *
 * A function either logs or returns; libruntime only returns. The reader sees
 * the chain once, outermost first:
 *   oakum: create web: mounts: /mounts/3: mount proc on /proc: Operation not permitted (EPERM)
 */
#ifndef OAKUM_BASE_ERR_H
#define OAKUM_BASE_ERR_H

#include <errno.h>
#include <stddef.h>

/*
 * The class of a failure. It decides the exit status of the command line
 * (docs/errors.md) and nothing else; library code never branches on it.
 */
enum err_kind {
	ERR_NONE = 0,
	ERR_RUNTIME = 1,	  /* the kernel refused, or a resource is short */
	ERR_USAGE = 2,		  /* the caller's arguments are wrong */
	ERR_CONFIG = 3,		  /* config.json or process.json is wrong */
	ERR_STATE = 4,		  /* no such container, or it is in the wrong state */
	ERR_EXISTS = 5,		  /* the id is in use */
	ERR_UNSUPPORTED = 6,	  /* a right, a kernel feature or a part of oakum is missing */
	ERR_NOT_EXECUTABLE = 126, /* the container's program cannot be executed */
	ERR_NOT_FOUND = 127,	  /* the container's program does not exist */
};

struct err {
	int code;	    /* positive errno; 0: none applies */
	enum err_kind kind; /* ERR_NONE while nothing went wrong */
	int line, column;   /* 1-based place in ->file; 0: none */
	char file[32];	    /* the file that has the place; "": config.json */
	char pointer[128];  /* JSON pointer into config.json ("/mounts/3/options"), or "" */
	char text[512];	    /* what was tried: "mount proc on /proc" */
	char hint[160];	    /* one line: what to do about it, or "" */
};

#define ERR_INIT ((struct err){.code = 0})

/*
 * Record a failure: @code is a positive errno (0: none), the text is cut to fit.
 * Keeps an already set ->pointer and ->kind (a kind of ERR_NONE becomes ERR_RUNTIME;
 * EPERM and ENOSYS do not change it).
 * Returns -@code, or -EINVAL where @code is 0, so that callers can `return err_set(…)`.
 * Takes no lock and no heap; the child may call it. @err may be NULL.
 */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set(), with a class. */
int err_kind(struct err *err, enum err_kind kind, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Put "@fmt: ", of which 200 bytes are kept, in front of the text. Does nothing where no error is
 * set. */
void err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Name the place in config.json; the innermost caller wins (a set pointer is kept). */
void err_pointer(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Take @top off the front of the pointer: what was read was that part of config.json alone. */
void err_top(struct err *err, const char *top);

/* Move the pointer into the text, so that what is put in front from now on stands before it.
 * Nothing where the place in the file is known: that is printed first of all. */
void err_fold(struct err *err);

/* One line of advice; the innermost caller wins. */
void err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Give an error that has no advice yet the general one of its errno: what was wrong with the
 * configuration or the command line says itself what is wanted. Once, on the way out: who is nearer
 * knows better. */
void err_advise(struct err *err);

/* The symbolic name of an errno ("ENOENT") in static storage; NULL where it has none. */
const char *err_name(int code);

/*
 * The whole error as one line without a newline:
 *   "config.json:14:9: /process/user/uid: TEXT: No such file or directory (ENOENT)"
 * The place is printed where ->line is set, the pointer where it is set, the words and the
 * name of ->code where that is set. Control characters and bytes that are not UTF-8 are escaped
 * as \xNN. Returns the length it would have had, as snprintf(3). Not for the child.
 */
size_t err_format(const struct err *err, char *buf, size_t size);

#endif
