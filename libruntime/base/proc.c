/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes through pidfds, and how to tell that one is still the one that was meant.
 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/names.h"
#include "base/str.h"
#include "base/sys.h"

/* The f_type of a pidfd from Linux 6.9 on; before, all pidfds share one anonymous inode. */
enum { PIDFS_TYPE = 0x50494446 };

#define END_MS 2000

/* /proc/PID/stat: "PID (COMM) STATE PPID …"; COMM may hold blanks and parentheses. */
struct stat_line {
	char text[1024];
	char *comm, *rest; /* into text; rest points at STATE */
};

static int read_stat(pid_t pid, struct stat_line *ret)
{
	char path[32];
	struct strbuf b;
	ssize_t n;
	char *end;

	strbuf_init(&b, path, sizeof(path));
	strbuf_add(&b, "/proc/");
	strbuf_i64(&b, pid);
	strbuf_add(&b, "/stat");
	n = io_read_at(AT_FDCWD, path, ret->text, sizeof(ret->text));
	if (n < 0)
		return (int)n;
	ret->comm = strchr(ret->text, '(');
	end = strrchr(ret->text, ')');
	if (!ret->comm || !end || end < ret->comm || end[1] != ' ' || !end[2])
		return -EBADMSG;
	ret->comm++;
	*end = '\0';
	ret->rest = end + 2;
	return 0;
}

enum {
	FIELD_PARENT = 4,
	FIELD_SESSION = 6,
	FIELD_FLAGS = 9,
	FIELD_START = 22,
	FIELD_EXIT_CODE = 52,
};

#define FLAG_EXITING 0x4 /* the kernel's PF_EXITING */

/* Counted from STATE, which is the third. */
static int read_field(const struct stat_line *line, int number, uint64_t *ret)
{
	const char *at = line->rest;

	for (int field = 3; field < number; field++) {
		at = strchr(at, ' ');
		if (!at)
			return -EBADMSG;
		at++;
	}
	return strn_to_u64(at, strcspn(at, " "), 0, UINT64_MAX, ret) < 0 ? -EBADMSG : 0;
}

static int read_start(pid_t pid, uint64_t *ret)
{
	struct stat_line line;
	int r = read_stat(pid, &line);

	return r < 0 ? r : read_field(&line, FIELD_START, ret);
}

int proc_origin(pid_t pid, struct proc_origin *ret)
{
	struct stat_line line;
	uint64_t parent, session, start;
	int r = read_stat(pid, &line);

	if (r == 0 && (line.rest[0] == 'Z' || line.rest[0] == 'X'))
		return -ESRCH;
	if (r == 0)
		r = read_field(&line, FIELD_PARENT, &parent);
	if (r == 0)
		r = read_field(&line, FIELD_SESSION, &session);
	if (r == 0)
		r = read_field(&line, FIELD_START, &start);
	if (r == 0)
		*ret = (struct proc_origin){(pid_t)parent, (pid_t)session, start};
	return r;
}

static uint64_t pidfd_inode(int pidfd)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(pidfd, &fs) < 0 || fs.f_type != PIDFS_TYPE || fstat(pidfd, &st) < 0)
		return 0;
	return st.st_ino;
}

int proc_identify(pid_t pid, int pidfd, struct proc_id *ret)
{
	AUTO_CLOSE int own = -1;
	struct proc_id id = {.pid = pid};
	int r;

	if (pidfd < 0) {
		own = sys_pidfd_open(pid, 0);
		if (own < 0)
			return -errno;
		pidfd = own;
	}
	id.inode = pidfd_inode(pidfd);
	r = read_start(pid, &id.start);
	/* The inode is enough where procfs is hidden from us. */
	if (r < 0 && id.inode == 0)
		return r;
	*ret = id;
	return 0;
}

bool proc_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int r;

	do {
		r = poll(&p, 1, 0);
	} while (r < 0 && errno == EINTR);
	return r > 0 && !(p.revents & POLLNVAL);
}

/*
 * PROC_ALIVE, PROC_GONE or -errno. The start time is read by pid, so it is believed only if
 * the process of @pidfd has still not ended afterwards: until then the pid is not given away.
 */
static int compare(const struct proc_id *id, int pidfd)
{
	uint64_t start;
	struct stat st;
	int r;

	if (id->inode) {
		if (fstat(pidfd, &st) < 0)
			return -errno;
		if (st.st_ino != id->inode)
			return PROC_GONE;
		return proc_ended(pidfd) ? PROC_GONE : PROC_ALIVE;
	}
	r = read_start(id->pid, &start);
	if (proc_ended(pidfd))
		return PROC_GONE;
	if (r < 0)
		return r;
	return start == id->start ? PROC_ALIVE : PROC_GONE;
}

/* *@ret is written for PROC_ALIVE only. */
static int open_checked(const struct proc_id *id, int *ret)
{
	AUTO_CLOSE int pidfd = -1;
	int r;

	if (id->pid <= 0)
		return PROC_GONE;
	if (id->inode == 0 && id->start == 0)
		return -EINVAL;
	pidfd = sys_pidfd_open(id->pid, 0);
	/* EINVAL, ENOENT: the number is that of a thread now. */
	if (pidfd < 0)
		return errno == ESRCH || errno == EINVAL || errno == ENOENT ? PROC_GONE : -errno;
	r = compare(id, pidfd);
	if (r == PROC_ALIVE && ret)
		*ret = fd_take(&pidfd);
	return r;
}

int proc_open(const struct proc_id *id, int *ret_pidfd, struct err *err)
{
	int r = open_checked(id, ret_pidfd);

	if (r == -EINVAL && id->inode == 0 && id->start == 0)
		return err_set(err, EINVAL, "process %d: neither start time nor inode is recorded",
			       (int)id->pid);
	if (r < 0)
		return err_set(err, -r, "look for process %d", (int)id->pid);
	return r;
}

int proc_check(const struct proc_id *id)
{
	return open_checked(id, NULL);
}

int proc_signal(int pidfd, int sig, struct err *err)
{
	char buf[NAMES_TEXT];

	if (sys_pidfd_send_signal(pidfd, sig, NULL, 0) == 0)
		return 0;
	if (errno == ESRCH)
		return PROC_GONE;
	return err_set(err, errno, "send %s", names_signal_text(sig, buf));
}

int proc_wait(int pidfd, int64_t deadline_ms)
{
	int r = io_poll_until(pidfd, POLLIN, deadline_ms);

	if (r <= 0)
		return r;
	return r & POLLNVAL ? -EBADF : PROC_GONE;
}

int proc_reap(pid_t pid, int *ret_status)
{
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int proc_reap_until(pid_t pid, int64_t deadline_ms, int *ret_status)
{
	AUTO_CLOSE int pidfd = sys_pidfd_open(pid, 0);
	int r = pidfd < 0 ? PROC_GONE : proc_wait(pidfd, deadline_ms);

	return r == 0 ? -ETIMEDOUT : r < 0 ? r : proc_reap(pid, ret_status);
}

bool proc_end(pid_t pid, int pidfd)
{
	if (pid <= 0)
		return true;
	if (pidfd < 0)
		kill(pid, SIGKILL); /* our child, not reaped: the pid is still its own */
	else
		sys_pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	return proc_reap_until(pid, clock_deadline(END_MS), NULL) != -ETIMEDOUT;
}

char proc_state(pid_t pid)
{
	struct stat_line line;

	return read_stat(pid, &line) < 0 ? '?' : line.rest[0];
}

static bool is_exiting(const struct stat_line *line)
{
	uint64_t flags;

	return read_field(line, FIELD_FLAGS, &flags) == 0 && (flags & FLAG_EXITING);
}

bool proc_dying(pid_t pid)
{
	char path[64], text[4096];
	struct stat_line line;

	if (read_stat(pid, &line) < 0 || is_exiting(&line))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (io_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return true;
	for (const char *p = strstr(text, "Pnd:"); p; p = strstr(p + 1, "Pnd:"))
		if (strtoull(p + 4, NULL, 16) & (1ull << (SIGKILL - 1)))
			return true;
	return false;
}

bool proc_died_as(pid_t pid, const char *comm, int *ret_status)
{
	struct stat_line line;
	uint64_t status = 0;

	/* execve(2) closes what is to be closed before it gives the new name; and one line is not
	 * written at one moment. Who is seen dying by the old name twice has died by it. */
	for (int i = 0; i < 2; i++)
		if (read_stat(pid, &line) < 0 || !str_eq(line.comm, comm) || !is_exiting(&line))
			return false;
	(void)read_field(&line, FIELD_EXIT_CODE, &status);
	*ret_status = (int)status;
	return true;
}

void proc_wchan(pid_t tid, char ret[PROC_WCHAN_SIZE])
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/wchan", (int)tid);
	if (io_read_at(AT_FDCWD, path, ret, PROC_WCHAN_SIZE) <= 0 || str_eq(ret, "0"))
		ret[0] = '\0';
	/* "ptrace_stop.part.0": how the compiler has cut that function is of no interest. */
	ret[strcspn(ret, ".")] = '\0';
}

pid_t proc_status_pid(pid_t pid, const char *key)
{
	char path[32], line[32], text[4096], *at;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	snprintf(line, sizeof(line), "\n%s:\t", key);
	if (io_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, line);
	return at ? (pid_t)strtol(at + strlen(line), NULL, 10) : 0;
}

/* "12 (NAME, state S": not closed yet. */
static char describe(struct strbuf *b, pid_t pid)
{
	struct stat_line line;
	bool known = read_stat(pid, &line) == 0;

	strbuf_fmt(b, "%d (%s, state %c", (int)pid, known ? line.comm : "?",
		   known ? line.rest[0] : '?');
	return known ? line.rest[0] : '?';
}

void proc_describe(struct strbuf *b, pid_t pid)
{
	char wchan[PROC_WCHAN_SIZE];
	char state = describe(b, pid);
	pid_t tracer = proc_status_pid(pid, "TracerPid");

	proc_wchan(pid, wchan);
	if (wchan[0] && state != 'R')
		strbuf_fmt(b, " in %s", wchan);
	if (tracer > 0) {
		strbuf_add(b, ", traced by ");
		(void)describe(b, tracer);
		strbuf_add(b, ")");
	}
	strbuf_add(b, ")");
}

void proc_describe_children(struct strbuf *b, pid_t pid, int max)
{
	char path[64], text[256], *at = text, *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if (io_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return;
	for (int n = 0; n < max; n++, at = end) {
		pid_t child = (pid_t)strtol(at, &end, 10);

		/* The last number may be cut. */
		if (end == at || *end != ' ')
			return;
		strbuf_add(b, n ? ", " : "");
		proc_describe(b, child);
	}
}

int proc_exit_status(int pidfd, int *ret_status)
{
	struct sys_pidfd_info info = {.mask = PIDFD_INFO_EXIT};

	if (sys_pidfd_get_info(pidfd, &info) < 0)
		return -errno;
	/* The kernel clears what it cannot give: the status is there once the parent has reaped. */
	if (!(info.mask & PIDFD_INFO_EXIT))
		return -EAGAIN;
	*ret_status = info.exit_code;
	return 0;
}

int proc_boot_id(int proc, char buf[PROC_BOOT_ID_SIZE])
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	ssize_t n =
		io_read_at(proc, proc < 0 ? path : path + strlen("/proc/"), buf, PROC_BOOT_ID_SIZE);

	if (n < 0)
		return (int)n;
	return n == 36 ? 0 : -EBADMSG;
}
