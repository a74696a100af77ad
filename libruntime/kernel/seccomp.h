/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Seccomp filters: compiled by libseccomp (SCMP_FLTATR_CTL_OPTIMIZE 2), preceded by a stub that
 * answers ENOSYS for system calls newer than the newest the profile names (as runc does; without it
 * a new C library sees EPERM and gives up), cached as BPF, installed by one seccomp(2).
 */
#ifndef OAKUM_KERNEL_SECCOMP_H
#define OAKUM_KERNEL_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct seccomp_arg {
	unsigned index;
	const char *op; /* "SCMP_CMP_EQ" */
	uint64_t value, value_two;
};

struct seccomp_rule {
	const char *const *names; /* NULL-terminated */
	const char *action;	  /* "SCMP_ACT_ALLOW" */
	bool errno_set;
	uint32_t errno_ret;
	const struct seccomp_arg *args;
	size_t n_args;
};

struct seccomp_profile {
	const char *default_action;
	bool default_errno_set;
	uint32_t default_errno;
	const char *const *architectures; /* NULL-terminated; empty: native */
	const char *const *flags;	  /* NULL-terminated */
	bool flags_present;
	const struct seccomp_rule *rules;
	size_t n_rules;
	bool fail_unknown; /* a system call that libseccomp does not know is an error */
	bool listener;	   /* it will be installed with one: the kernel must have them */
	const void *raw;   /* struct sock_filter[] to use instead of the rules; NULL: none */
	size_t raw_size;   /* bytes */
};

struct seccomp_filter {
	void *insns;	/* struct sock_filter[], mmap(2)ed */
	size_t n;	/* instructions */
	size_t mapped;	/* bytes mapped at insns */
	unsigned flags; /* SECCOMP_FILTER_FLAG_* for seccomp_install(): of the profile's, or
			 * SPEC_ALLOW when it has no list. TSYNC says nothing (one thread) and is
			 * accepted and not passed. */
	unsigned listener_flags; /* those that are of use with a listener alone */
};

/*
 * The filter of @profile: from the cache directory @cachefd (-1: no cache) or compiled and put
 * there. A cache file carries the whole canonical profile, the versions of libseccomp and of the
 * kernel, and a checksum, and is used only if all agree, it is a regular file of our uid with mode
 * 0600 and one link. At most 64 files are kept. Compiling happens in a short-lived child process so
 * that its megabytes are never ours. 0 and *@ret (free with seccomp_free()), or < 0 with @err
 * (@err->pointer below /linux/seccomp).
 */
int seccomp_build(const struct seccomp_profile *profile, int cachefd, struct seccomp_filter *ret,
		  struct err *err);
void seccomp_free(struct seccomp_filter *f);

/* Install it on the calling thread. The child calls it. */
int seccomp_install(const struct seccomp_filter *f, struct err *err);

/*
 * The same with a listener (seccomp_unotify(2)). From this call on each system call of the process
 * may be one that waits for the listener's owner, so the descriptor goes out by a thread that was
 * there before and is not filtered; the process itself only writes (write(2) to an eventfd) and
 * stands still meanwhile.
 *
 * seccomp_messenger_start(): make the thread; before limits and ids change, which could forbid it.
 * seccomp_install_listener(): install, and return when @take has returned. @take runs in the
 * thread, with no more stack than 64 KiB, and does not keep the descriptor; when it fails (< 0) the
 * process ends with status 1 without another system call of its own. With @optional, where the
 * kernel refuses a listener (one is installed already), the filter is installed without. The child
 * calls both.
 */
struct seccomp_messenger {
	int (*take)(void *data, int listener);
	void *data;
	int told, turnstile; /* eventfds */
};
int seccomp_messenger_start(struct seccomp_messenger *m, struct err *err);
int seccomp_install_listener(const struct seccomp_filter *f, struct seccomp_messenger *m,
			     bool optional, struct err *err);

/*
 * Hand @listener to the seccomp agent that listens on the unix socket @path, with @text in front:
 * in one stream, the descriptor with its first byte. Waits for a place in the agent's queue and in
 * its buffer until @deadline_ms, whatever the agent does. 0, or < 0 with @err ("failed to connect
 * with seccomp agent"). @listener stays the caller's.
 */
int seccomp_agent_send(const char *path, const void *text, size_t size, int listener,
		       int64_t deadline_ms, struct err *err);
/* Is there a socket at @path, as far as can be seen without disturbing the agent? 0, or < 0 with
 * the same words. */
int seccomp_agent_look(const char *path, struct err *err);

/* Tables for `features`: NULL-terminated. supported flags are asked of the kernel. */
const char *const *seccomp_actions(void);
const char *const *seccomp_operators(void);
const char *const *seccomp_archs(void);
const char *const *seccomp_flags(void);
bool seccomp_flag_supported(const char *flag);
/* libseccomp's own version: major << 16 | minor << 8 | micro. */
uint32_t seccomp_library(void);

#endif
