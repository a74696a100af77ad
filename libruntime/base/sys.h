/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls and constants that the C library may not have yet: the only file of the tree
 * with #if. Thin: each returns what the kernel returns, -1 with errno like libc.
 */
#ifndef OAKUM_BASE_SYS_H
#define OAKUM_BASE_SYS_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef PIDFD_INFO_EXIT
#define PIDFD_INFO_EXIT (1UL << 3)
#endif
/* Of linux/nsfs.h: a number that is given once a boot; Linux 6.11 for mount namespaces, 6.18 for
 * all. */
#ifndef NS_GET_MNTNS_ID
#define NS_GET_MNTNS_ID _IOR(0xb7, 0x5, __u64)
#endif
#ifndef NS_GET_ID
#define NS_GET_ID _IOR(0xb7, 13, __u64)
#endif

/* The first version of the kernel's struct pidfd_info, which later kernels still take. */
struct sys_pidfd_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};

/* 32-bit machines kept the calls with 16-bit ids under the plain names. */
#ifdef SYS_setresuid32
#define SYS_NR_SETRESUID SYS_setresuid32
#define SYS_NR_SETRESGID SYS_setresgid32
#define SYS_NR_SETGROUPS SYS_setgroups32
#else
#define SYS_NR_SETRESUID SYS_setresuid
#define SYS_NR_SETRESGID SYS_setresgid
#define SYS_NR_SETGROUPS SYS_setgroups
#endif

/* The architectures whose programs this machine runs, for a filter of our own; and where clone(2)
 * has its flags. */
#if defined(__x86_64__)
#define SYS_SECCOMP_ARCHS "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
#elif defined(__aarch64__)
#define SYS_SECCOMP_ARCHS "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM",
#elif defined(__s390x__)
#define SYS_SECCOMP_ARCHS "SCMP_ARCH_S390X", "SCMP_ARCH_S390",
#else
#define SYS_SECCOMP_ARCHS
#endif
#if defined(__s390x__)
#define SYS_CLONE_FLAGS_INDEX 1
#else
#define SYS_CLONE_FLAGS_INDEX 0
#endif

int sys_clone3(struct clone_args *args); /* fork-like: child returns 0 on its copy of the stack */
int sys_openat2(int dirfd, const char *path, const struct open_how *how);
int sys_fsopen(const char *type, unsigned flags);
int sys_fsconfig(int fs, unsigned cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fs, unsigned flags, unsigned attr);
int sys_fspick(int dirfd, const char *path, unsigned flags);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);

/* PIDFD_GET_INFO (Linux 6.13): @info->mask says what is asked for, then what was given. */
int sys_pidfd_get_info(int pidfd, struct sys_pidfd_info *info);

#endif
