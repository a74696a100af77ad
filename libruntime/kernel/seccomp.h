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
};

struct seccomp_filter {
	void *insns;	/* struct sock_filter[], mmap(2)ed */
	size_t n;	/* instructions */
	size_t mapped;	/* bytes mapped at insns */
	unsigned flags; /* SECCOMP_FILTER_FLAG_* for seccomp_install(): of the profile's, or
			 * SPEC_ALLOW when it has no list. TSYNC says nothing (one thread),
			 * WAIT_KILLABLE_RECV nothing without a listener: both are accepted and not
			 * passed. */
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

/* Tables for `features`: NULL-terminated. supported flags are asked of the kernel. */
const char *const *seccomp_actions(void);
const char *const *seccomp_operators(void);
const char *const *seccomp_archs(void);
const char *const *seccomp_flags(void);
bool seccomp_flag_supported(const char *flag);

#endif
