/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes by pidfd: a pid is only a number, so every signal goes through a pidfd whose
 * process has been checked against what was recorded when it was ours for certain.
 */
#ifndef OAKUM_BASE_PROC_H
#define OAKUM_BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct strbuf;

/* What identifies a process for ever. Written to state.json. */
struct proc_id {
	pid_t pid;	/* in our pid namespace; 0: none */
	uint64_t start; /* field 22 of /proc/PID/stat, clock ticks since boot; 0: unknown */
	uint64_t inode; /* st_ino of its pidfd (unique per boot from Linux 6.9 on); 0: unknown */
};

enum { PROC_ALIVE = 0, PROC_GONE = 1 };

/* Fill @ret for a live process that the caller holds (@pidfd may be -1: it is opened). 0 or -errno.
 */
int proc_identify(pid_t pid, int pidfd, struct proc_id *ret);

/*
 * Open a pidfd for @id and check that it still is that process, by the inode where both are
 * known, else by the start time. PROC_ALIVE: *@ret_pidfd is the caller's. PROC_GONE: it has
 * ended (a zombie counts as ended) or the pid is somebody else's now. < 0: @err.
 * @ret_pidfd may be NULL.
 */
int proc_open(const struct proc_id *id, int *ret_pidfd, struct err *err);

/* As proc_open() without keeping the pidfd: the quick look of `list` and `state`. */
int proc_check(const struct proc_id *id);

/* Has the process of @pidfd ended? True also for a zombie. */
bool proc_ended(int pidfd);

/* pidfd_send_signal(2). 0, PROC_GONE or < 0 with @err. */
int proc_signal(int pidfd, int sig, struct err *err);

/* Wait for the end of the process of @pidfd. PROC_GONE: it has ended; 0: the deadline passed; < 0.
 */
int proc_wait(int pidfd, int64_t deadline_ms);

/* Wait for the end of our child @pid, whatever signals come meanwhile. 0 and, if wanted, the status
 * of waitpid(2); or -errno. */
int proc_reap(pid_t pid, int *ret_status);

/* The same at most until @deadline_ms, then -ETIMEDOUT. Before Linux 5.3 there is no deadline. */
int proc_reap_until(pid_t pid, int64_t deadline_ms, int *ret_status);

/* Kill our child @pid (<= 0: there is none) and reap it; @pidfd may be -1. False: it has not ended
 * in two seconds (state D), and is for whoever adopts it. */
bool proc_end(pid_t pid, int pidfd);

/* Its parent and its session (0: in another pid namespace), and its start time as in struct
 * proc_id. 0, -ESRCH for a zombie, or -errno. */
struct proc_origin {
	pid_t parent, session;
	uint64_t start;
};
int proc_origin(pid_t pid, struct proc_origin *ret);

/* The state letter of @pid, of a process or a thread; '?' where unknown. */
char proc_state(pid_t pid);

/*
 * Is @pid on its way out, beyond anybody's help, or gone? It is once SIGKILL is pending or the
 * kernel has begun to take it down (PF_EXITING in the flags of proc_pid_stat(5)).
 */
bool proc_dying(pid_t pid);

/*
 * Has @pid died, or is it dying, by the name @comm, so that no execve(2) has given it another? Then
 * *@ret_status is its wait status, 0 where we may not know it.
 */
bool proc_died_as(pid_t pid, const char *comm, int *ret_status);

/*
 * Add who @pid is and what it waits for, for messages: "12 (cat, state D in request_wait_answer)",
 * "13 (sleep, state Z, traced by 99 (gdb))"; "12 (?, state ?)" where it is unknown. The kernel's
 * function is told to root only.
 */
void proc_describe(struct strbuf *b, pid_t pid);

/* Add those children of @pid that are still there, at most @max: "12 (cat, state D in …), 13 …". It
 * says nothing where the kernel lists no children. */
void proc_describe_children(struct strbuf *b, pid_t pid, int max);

/* The pid in the line @key ("Tgid", "TracerPid") of /proc/PID/status (proc(5)). 0: nobody whom we
 * may see. */
pid_t proc_status_pid(pid_t pid, const char *key);

/* Where the kernel has put @tid to sleep: a function's name, "" if it does not say. */
#define PROC_WCHAN_SIZE 128
void proc_wchan(pid_t tid, char ret[PROC_WCHAN_SIZE]);

/*
 * The exit status of a process of which we are not the parent (PIDFD_GET_INFO with
 * PIDFD_INFO_EXIT, Linux 6.15): 0 and a wait status, or -errno where the kernel cannot tell
 * (-ENOTTY, -EINVAL) or it has not been reaped yet (-EAGAIN).
 */
int proc_exit_status(int pidfd, int *ret_status);

/* sys/kernel/random/boot_id of the procfs @proc, or of /proc with AT_FDCWD; 36 characters. 0 or
 * -errno. */
#define PROC_BOOT_ID_SIZE 40
int proc_boot_id(int proc, char buf[PROC_BOOT_ID_SIZE]);

#endif
