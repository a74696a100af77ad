/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who the process is: ids, groups, umask, limits, oom score, HOME. The child calls all of it. */
#ifndef OAKUM_KERNEL_CREDS_H
#define OAKUM_KERNEL_CREDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* As @n: leave the additional groups as they are. */
#define CREDS_KEEP_GROUPS SIZE_MAX

/* setgroups(2) (skipped where /proc/self/setgroups says deny and @n is 0), setresgid, setresuid;
 * read back. @proc: procfs_open(). */
int creds_ids(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t n, int proc,
	      struct err *err);

/* prlimit(2). @name for the message ("RLIMIT_NOFILE"). */
int creds_rlimit(int resource, const char *name, uint64_t soft, uint64_t hard, struct err *err);

/*
 * Write oom_score_adj of @pid (0: our own) through the procfs @proc and read it back. To lower it
 * takes CAP_SYS_RESOURCE in the first user namespace; and of an undumpable process the file is
 * root's there, so in another one it cannot write its own.
 */
int creds_oom_score(int proc, pid_t pid, int value, struct err *err);

/*
 * HOME of @uid from /etc/passwd of the root that is the caller's now (symlinks fine, regular file
 * read in blocks, at most 64 MiB of it, lines of any length): "/root" for 0 and "/" otherwise when
 * there is no entry or no file. Always succeeds.
 */
void creds_home(uint32_t uid, char *buf, size_t size);

/* KEYCTL_JOIN_SESSION_KEYRING with the name "_ses.ID"; searchable by its owner. ENOSYS, EPERM by an
 * outer seccomp and EDQUOT answered as in runc: ENOSYS ignored, others an error. */
int creds_keyring(const char *id, struct err *err);

#endif
