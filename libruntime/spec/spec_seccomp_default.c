/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The system call filter of `oakum up --rootfs`: what docker's default profile comes to for
 * docker's fourteen default capabilities. All that is not named fails with EPERM. Names of other
 * architectures are harmless: the compiler of filters passes over them.
 */
#include <errno.h>

#include "base/sys.h"
#include "spec/spec_write.h"

/* Without conditions. Of the capabilities' calls only chroot is left (CAP_SYS_CHROOT). */
/* clang-format off */
static const char *const allowed[] = {
	"accept", "accept4", "access", "adjtimex", "alarm", "arch_prctl", "arm_fadvise64_64",
	"arm_sync_file_range", "bind", "breakpoint", "brk", "cacheflush", "cachestat", "capget",
	"capset", "chdir", "chmod", "chown", "chown32", "chroot", "clock_adjtime",
	"clock_adjtime64", "clock_getres", "clock_getres_time64", "clock_gettime",
	"clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "close", "close_range",
	"connect", "copy_file_range", "creat", "dup", "dup2", "dup3", "epoll_create",
	"epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2",
	"epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "execve", "execveat", "exit",
	"exit_group", "faccessat", "faccessat2", "fadvise64", "fadvise64_64", "fallocate",
	"fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32",
	"fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr", "flistxattr", "flock", "fork",
	"fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64",
	"fsync", "ftruncate", "ftruncate64", "futex", "futex_requeue", "futex_time64",
	"futex_wait", "futex_waitv", "futex_wake", "futimesat", "get_robust_list",
	"get_thread_area", "getcpu", "getcwd", "getdents", "getdents64", "getegid", "getegid32",
	"geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", "getitimer",
	"getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom",
	"getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit", "getrusage",
	"getsid", "getsockname", "getsockopt", "gettid", "gettimeofday", "getuid", "getuid32",
	"getxattr", "getxattrat", "inotify_add_watch", "inotify_init", "inotify_init1",
	"inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents", "io_pgetevents",
	"io_pgetevents_time64", "io_setup", "io_submit", "ioctl", "ioprio_get", "ioprio_set",
	"ipc", "kill", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self",
	"lchown", "lchown32", "lgetxattr", "link", "linkat", "listen", "listmount", "listxattr",
	"listxattrat", "llistxattr", "_llseek", "lremovexattr", "lseek", "lsetxattr", "lstat",
	"lstat64", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret",
	"mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap",
	"mmap2", "modify_ldt", "mprotect", "mq_getsetattr", "mq_notify", "mq_open",
	"mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64",
	"mq_unlink", "mremap", "mseal", "msgctl", "msgget", "msgrcv", "msgsnd", "msync",
	"munlock", "munlockall", "munmap", "name_to_handle_at", "nanosleep", "newfstatat",
	"_newselect", "open", "openat", "openat2", "pause", "pidfd_open", "pidfd_send_signal",
	"pipe", "pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect", "poll", "ppoll",
	"ppoll_time64", "prctl", "pread64", "preadv", "preadv2", "prlimit64", "process_mrelease",
	"process_vm_readv", "process_vm_writev", "pselect6", "pselect6_time64", "ptrace",
	"pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat",
	"readv", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg",
	"remap_file_pages", "removexattr", "removexattrat", "rename", "renameat", "renameat2",
	"restart_syscall", "riscv_flush_icache", "riscv_hwprobe", "rmdir", "rseq",
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
	"rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo",
	"s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr",
	"sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
	"sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
	"sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam",
	"sched_setscheduler", "sched_yield", "seccomp", "select", "semctl", "semget", "semop",
	"semtimedop", "semtimedop_time64", "send", "sendfile", "sendfile64", "sendmmsg",
	"sendmsg", "sendto", "set_robust_list", "set_thread_area", "set_tid_address", "set_tls",
	"setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups",
	"setgroups32", "setitimer", "setpgid", "setpriority", "setregid", "setregid32",
	"setresgid", "setresgid32", "setresuid", "setresuid32", "setreuid", "setreuid32",
	"setrlimit", "setsid", "setsockopt", "setuid", "setuid32", "setxattr", "setxattrat",
	"shmat", "shmctl", "shmdt", "shmget", "shutdown", "sigaltstack", "signalfd", "signalfd4",
	"sigprocmask", "sigreturn", "socketcall", "socketpair", "splice", "stat", "stat64",
	"statfs", "statfs64", "statmount", "statx", "symlink", "symlinkat", "sync",
	"sync_file_range", "sync_file_range2", "syncfs", "sysinfo", "tee", "tgkill", "time",
	"timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64",
	"timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime",
	"timerfd_gettime64", "timerfd_settime", "timerfd_settime64", "times", "tkill",
	"truncate", "truncate64", "ugetrlimit", "umask", "uname", "unlink", "unlinkat",
	"uretprobe", "utime", "utimensat", "utimensat_time64", "utimes", "vfork", "vmsplice",
	"wait4", "waitid", "waitpid", "write", "writev",
	NULL,
};
/* clang-format on */

/* PER_LINUX, PER_LINUX32, both with UNAME26, and the question for the present one. */
static const uint32_t personalities[] = {0x0, 0x8, 0x20000, 0x20008, 0xffffffff};

/* Families below AF_DECnet; of the others no obsolete one, no AF_ALG and no AF_VSOCK. */
#define FIRST_FAMILIES 12
static const uint32_t families[] = {13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29,
				    30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45};

/* All of CLONE_NEW* but CLONE_NEWTIME, which clone(2) cannot take. */
#define CLONE_NAMESPACES 0x7e020000

static const char *const architectures[] = {SYS_SECCOMP_ARCHS NULL};

static void put_names(struct spec_writer *w, const char *const *names, const char *action)
{
	spec_open(w, NULL, '{');
	spec_put_list(w, "names", names);
	spec_put_text(w, "action", action);
}

/* Allow @name where its argument @index compares so with @value. */
static void put_condition(struct spec_writer *w, const char *name, unsigned index, const char *op,
			  uint64_t value)
{
	put_names(w, (const char *const[]){name, NULL}, "SCMP_ACT_ALLOW");
	spec_open(w, "args", '[');
	spec_open(w, NULL, '{');
	spec_put_u64(w, "index", index);
	spec_put_u64(w, "value", value);
	spec_put_u64(w, "valueTwo", 0);
	spec_put_text(w, "op", op);
	spec_close(w, '}');
	spec_close(w, ']');
	spec_close(w, '}');
}

static void put_conditions(struct spec_writer *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
		put_condition(w, "personality", 0, "SCMP_CMP_EQ", personalities[i]);
	put_condition(w, "socket", 0, "SCMP_CMP_LT", FIRST_FAMILIES);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		put_condition(w, "socket", 0, "SCMP_CMP_EQ", families[i]);
	put_condition(w, "clone", SYS_CLONE_FLAGS_INDEX, "SCMP_CMP_MASKED_EQ", CLONE_NAMESPACES);
}

void spec_put_seccomp(struct spec_writer *w)
{
	spec_open(w, "seccomp", '{');
	spec_put_text(w, "defaultAction", "SCMP_ACT_ERRNO");
	spec_put_u64(w, "defaultErrnoRet", EPERM);
	if (architectures[0])
		spec_put_list(w, "architectures", architectures);
	spec_open(w, "syscalls", '[');
	put_names(w, allowed, "SCMP_ACT_ALLOW");
	spec_close(w, '}');
	put_conditions(w);
	/* Its flags are in memory, where no filter sees them; with ENOSYS libc falls back to clone.
	 */
	put_names(w, (const char *const[]){"clone3", NULL}, "SCMP_ACT_ERRNO");
	spec_put_u64(w, "errnoRet", ENOSYS);
	spec_close(w, '}');
	spec_close(w, ']');
	spec_close(w, '}');
}
