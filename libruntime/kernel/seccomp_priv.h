/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of seccomp share: seccomp.c (the door), _tables (names), _compile (libseccomp),
 * _stub (ENOSYS), _cache. */
#ifndef OAKUM_KERNEL_SECCOMP_PRIV_H
#define OAKUM_KERNEL_SECCOMP_PRIV_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/seccomp.h"

struct err;

#define SECCOMP_MAX_INSNS 4096 /* BPF_MAXINSNS of the kernel */

/* Bytes from mmap(2): profiles may be large, and the heap of the process must stay small. */
struct seccomp_bytes {
	uint8_t *p;
	size_t size; /* used */
	size_t mapped;
};

int seccomp_bytes_map(struct seccomp_bytes *b, size_t size);
void seccomp_bytes_done(struct seccomp_bytes *b);

/* _tables */

/* Names to numbers of <linux/seccomp.h> and libseccomp. 0 and *@ret; -EINVAL: unknown; -ERANGE:
 * errno too large. */
int seccomp_action_value(const char *name, bool errno_set, uint32_t errno_ret, uint32_t *ret);
/* enum scmp_compare, or -EINVAL. */
int seccomp_operator_value(const char *name);
/* The SECCOMP_FILTER_FLAG_* bit, or -EINVAL. */
int seccomp_flag_value(const char *name);
/* "x86_64" for "SCMP_ARCH_X86_64", as libseccomp spells it. 0 or -EINVAL. */
#define SECCOMP_ARCH_SIZE 24
int seccomp_arch_spelling(const char *name, char buf[SECCOMP_ARCH_SIZE]);

/* _stub */

#define SECCOMP_STUB_X32   0x40000000u /* __X32_SYSCALL_BIT */
#define SECCOMP_STUB_ARCHS 32

/* The newest system call that the profile names for one AUDIT_ARCH_*. */
struct seccomp_stub_arch {
	uint32_t audit;
	bool has_plain, has_x32; /* names were found: */
	uint32_t plain, x32;	 /* largest number; x32 with its bit */
	uint32_t own_from; /* numbers from here on are the architecture's own (ARM), 0: none */
};

/*
 * Write the stub: ENOSYS above the newest, everything else falls through to what follows.
 * Instructions written, at most 10 per architecture and 2 more, or -E2BIG.
 */
int seccomp_stub(const struct seccomp_stub_arch *archs, size_t n, struct sock_filter *out,
		 size_t size);

/* _compile */

/* Compile @profile into the file @out. Allocates megabytes: for a short-lived process. */
int seccomp_compile(const struct seccomp_profile *profile, int out, struct err *err);

/* _cache */

struct seccomp_key {
	struct seccomp_bytes text; /* all that decides about the filter, in one canonical form */
	uint64_t hash;
};

/* Canonical form and hash. 0 or -errno. seccomp_key_done() frees. */
int seccomp_key_make(const struct seccomp_profile *profile, struct seccomp_key *ret);
void seccomp_key_done(struct seccomp_key *key);

enum { SECCOMP_CACHED = 0, SECCOMP_NOT_CACHED = 1 };

/* Look for it; a file of that name that cannot be trusted is removed. Any trouble is
 * SECCOMP_NOT_CACHED. */
int seccomp_cache_load(int dir, const struct seccomp_key *key, struct seccomp_filter *ret);
/* Keep it, and at most SECCOMP_CACHE_FILES. Trouble is not reported: the filter is good without. */
#define SECCOMP_CACHE_FILES 64
void seccomp_cache_store(int dir, const struct seccomp_key *key, const struct seccomp_filter *f);

#endif
