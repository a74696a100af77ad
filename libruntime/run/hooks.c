/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running hooks, in the parent and in the container's first process alike: plain fork and exec, no
 * heap. Which hooks run when is decided by create, init, start and delete.
 */
#include "run/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/names.h"
#include "base/proc.h"
#include "base/sys.h"
#include "kernel/program.h"
#include "kernel/signal.h"

/* What a hook said last, for the error. */
#define TAIL_SIZE 240
/* Read at one go: one that writes faster than we read must not keep us from its timeout. */
#define COLLECT_MAX (64 << 10)

struct running {
	pid_t pid;
	int ended;   /* pidfd, or a signalfd of SIGCHLD */
	bool signal; /* it is that */
	sigset_t mask;
	int output;  /* read end of its stderr, -1: none */
	off_t from;  /* its stderr is a file: where the hook began to write, else -1 */
	int failure; /* read end: errno of a failed execve, EOF when it succeeded */
	char tail[TAIL_SIZE + 1];
	size_t tail_len;
	bool cut; /* there was more before the tail */
};

int hooks_input(const char *state_json, struct err *err)
{
	AUTO_CLOSE int fd = memfd_create("state", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(err, errno, "memfd_create");
	r = io_write(fd, state_json, strlen(state_json));
	if (r < 0)
		return err_set(err, -r, "write the state for hooks");
	return fd_take(&fd);
}

/* To read as well where that is allowed, for the evidence. O_NONBLOCK: a FIFO would keep us here.
 */
static int open_output(int dir, const char *path)
{
	const int flags = O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	AUTO_CLOSE int fd = openat(dir, path, O_RDWR | flags, 0600);
	struct stat st;

	if (fd < 0 && errno == EACCES)
		fd = openat(dir, path, O_WRONLY | flags, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? fd_take(&fd) : -EINVAL;
}

/* Could it be made: is there a directory for it that we may write? */
static int look_beside(int dir, const char *path)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (strlen(path) >= sizeof(parent))
		return -ENAMETOOLONG;
	if (slash && !slash[1])
		return -EISDIR;
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	return faccessat(dir, parent, W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* What open_output() would say: no file is made, and one that is there is not touched. */
static int look_at_output(int dir, const char *path)
{
	struct stat st;

	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? look_beside(dir, path) : -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return faccessat(dir, path, W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* By open_output() or look_at_output(); *@ret only what was opened. */
static int each_output(const char *bundle, const struct spec_known *known,
		       int (*take)(int dir, const char *path), int ret[2], struct err *err)
{
	static const char *const names[] = {"run.oci.hooks.stdout", "run.oci.hooks.stderr"};
	const char *const paths[] = {known->hooks_stdout, known->hooks_stderr};
	AUTO_CLOSE int dir = -1;

	if (!paths[0] && !paths[1])
		return 0;
	dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		int fd = paths[i] ? take(dir, paths[i]) : -1;

		if (paths[i] && fd < 0) {
			err_pointer(err, "/annotations/%s", names[i]);
			if (fd == -EINVAL || fd == -ELOOP || fd == -ENXIO || fd == -EISDIR)
				err_hint(err, "name a regular file, or one that is to be made");
			else if (fd == -ENOENT || fd == -ENOTDIR)
				err_hint(err, "its directory is for you to make");
			return err_set(err, -fd, "open %s for the hooks' output", paths[i]);
		}
		ret[i] = fd;
	}
	return 0;
}

int hooks_outputs(const char *bundle, const struct spec_known *known, int ret[2], struct err *err)
{
	ret[0] = ret[1] = -1;
	return each_output(bundle, known, open_output, ret, err);
}

int hooks_outputs_look(const char *bundle, const struct spec_known *known, struct err *err)
{
	int none[2];

	return each_output(bundle, known, look_at_output, none, err);
}

void hooks_outputs_close(int outputs[2])
{
	fd_replace(&outputs[0], -1);
	fd_replace(&outputs[1], -1);
}

struct hook_ends {
	int output, failure;
	pid_t parent;
};

static void take_outputs(const struct hooks_setting *setting, const struct hook_ends *ends)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(setting->input, 0);
	if (setting->output[0] >= 0 || null >= 0)
		dup2(setting->output[0] >= 0 ? setting->output[0] : null, 1);
	dup2(ends->output, 2);
	fd_cloexec_from(3);
}

static _Noreturn void become_hook(const struct spec_hook *h, const struct hook_ends *ends,
				  const struct hooks_setting *setting)
{
	const char *const *env = h->env_present ? h->env.v : setting->env;
	const char *argv[] = {h->path, NULL};
	bool entered;
	int code;

	/* A hook does not outlive a runtime that is killed: nobody would know of it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != ends->parent)
		_exit(127);
	setpgid(0, 0);
	signal_reset();
	/* The bundle may be gone by the time of poststop. */
	entered = !setting->dir || chdir(setting->dir) == 0 || errno == ENOENT;
	code = errno;
	take_outputs(setting, ends);
	if (entered) {
		/* An empty name is no program's. */
		execve(setting->dry ? "" : h->path, (char *const *)(h->args.n ? h->args.v : argv),
		       (char *const *)env);
		code = errno;
	}
	(void)io_write(ends->failure, &code, sizeof(code));
	_exit(127);
}

/*
 * Where a seccomp filter refuses clone3(2), as those of engines do, there is no pidfd from birth,
 * and perhaps none at all: SIGCHLD says when to look.
 */
static pid_t fork_watched(struct running *ret)
{
	sigset_t child;
	pid_t pid;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &ret->mask);
	ret->signal = true;
	ret->ended = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	pid = ret->ended < 0 ? -1 : fork();
	return pid;
}

static pid_t make_process(struct running *ret)
{
	struct clone_args args = {.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
				  .exit_signal = SIGCHLD};
	pid_t pid;

	args.pidfd = (uintptr_t)&ret->ended;
	pid = sys_clone3(&args);
	if (pid < 0 && (errno == ENOSYS || errno == EPERM || errno == EACCES)) {
		ret->ended = -1;
		pid = fork_watched(ret);
	}
	return pid;
}

/* The pipe that its stderr goes to, or the file and where its end is now. */
static int prepare_output(const struct hooks_setting *setting, struct running *h, int ret[2])
{
	struct stat st;

	ret[0] = -1;
	ret[1] = setting->output[1];
	if (ret[1] < 0)
		return pipe2(ret, O_CLOEXEC) < 0 ? -errno : 0;
	h->from = fstat(ret[1], &st) == 0 ? st.st_size : -1;
	return 0;
}

static int spawn(const struct spec_hook *hook, const struct hooks_setting *setting,
		 struct running *ret, struct err *err)
{
	int output[2], failure[2], code;
	struct hook_ends ends;

	code = prepare_output(setting, ret, output);
	if (code < 0)
		return err_set(err, -code, "make a pipe");
	ret->output = output[0];
	if (pipe2(failure, O_CLOEXEC) < 0) {
		code = errno;
		if (output[0] >= 0)
			close(output[1]);
		return err_set(err, code, "make a pipe");
	}
	ret->failure = failure[0];
	(void)lseek(setting->input, 0, SEEK_SET);
	ends = (struct hook_ends){output[1], failure[1], getpid()};
	ret->pid = make_process(ret);
	if (ret->pid == 0)
		become_hook(hook, &ends, setting);
	code = errno;
	close(failure[1]);
	if (output[0] >= 0) {
		close(output[1]);
		(void)fd_nonblock(ret->output, true);
	}
	if (ret->pid < 0 && code == EAGAIN)
		err_hint(err, "/linux/resources/pids/limit or RLIMIT_NPROC is reached");
	return ret->pid < 0 ? err_set(err, code, "fork") : 0;
}

/* Keep the last TAIL_SIZE bytes. */
static void keep(struct running *h, const char *block, size_t n)
{
	size_t take = n < TAIL_SIZE ? n : TAIL_SIZE;
	size_t old = h->tail_len + take > TAIL_SIZE ? TAIL_SIZE - take : h->tail_len;

	h->cut |= take < n || old < h->tail_len;
	memmove(h->tail, h->tail + h->tail_len - old, old);
	memcpy(h->tail + old, block + n - take, take);
	h->tail_len = old + take;
}

static void collect(struct running *h)
{
	char block[4096];
	ssize_t n = -1;

	for (size_t total = 0; h->output >= 0 && total < COLLECT_MAX; total += (size_t)n) {
		n = read(h->output, block, sizeof(block));
		if (n <= 0)
			break;
		keep(h, block, (size_t)n);
	}
	if (n == 0)
		fd_replace(&h->output, -1);
}

/* The end of what has been added to the file that is its stderr. */
static void collect_file(struct running *h, int fd)
{
	char block[TAIL_SIZE];
	struct stat st;
	off_t at;
	ssize_t n;

	if (h->from < 0 || fstat(fd, &st) < 0 || st.st_size <= h->from)
		return;
	at = st.st_size - h->from > TAIL_SIZE ? st.st_size - TAIL_SIZE : h->from;
	h->cut = at > h->from;
	n = pread(fd, block, sizeof(block), at);
	if (n > 0)
		keep(h, block, (size_t)n);
}

/* Has it ended? A signal may be another child's. */
static bool reap(struct running *h, int *ret_status)
{
	struct signalfd_siginfo info;
	pid_t pid;

	while (h->signal && read(h->ended, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(h->pid, ret_status, h->signal ? WNOHANG : 0)) < 0 && errno == EINTR)
		;
	return pid != 0;
}

/* 0: it has ended and is reaped; ETIMEDOUT. A descendant that keeps stderr open is not waited for.
 */
static int wait_end(struct running *h, int64_t deadline_ms, int *ret_status)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = h->ended, .events = POLLIN},
				      {.fd = h->output, .events = POLLIN}};
		int n = poll(p, 2, clock_poll_ms(deadline_ms));

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0 && p[1].revents)
			collect(h);
		if (n > 0 && p[0].revents && reap(h, ret_status))
			return 0;
		if (n == 0 || (n > 0 && clock_poll_ms(deadline_ms) == 0))
			return ETIMEDOUT;
	}
}

/* One line; where the beginning is lost, from the first whole line or character on. */
static const char *tail_text(struct running *h)
{
	char *text = h->tail, *line;

	while (h->tail_len && (h->tail[h->tail_len - 1] == '\n' || h->tail[h->tail_len - 1] == ' '))
		h->tail_len--;
	h->tail[h->tail_len] = '\0';
	line = h->cut ? memchr(text, '\n', h->tail_len) : NULL;
	if (line)
		text = line + 1;
	while (h->cut && ((unsigned char)*text & 0xc0) == 0x80)
		text++;
	for (char *p = text; p < h->tail + h->tail_len; p++)
		if (*p == '\n' || *p == '\0')
			*p = ' ';
	return text;
}

static int not_executed(const char *path, int code, struct err *err)
{
	return err_set(err, code, "execute %s", path);
}

static int judge(struct running *h, const struct spec_hook *hook,
		 const struct hooks_setting *setting, int timed_out, int status, struct err *err)
{
	const char *said = tail_text(h), *colon = *said ? ": " : "";
	char buf[NAMES_TEXT];
	int code = 0;

	if (timed_out == ETIMEDOUT)
		err_hint(err, "see what it waits for, or give it a longer timeout");
	if (timed_out == ETIMEDOUT)
		return err_set(err, 0, "%s: killed after its timeout of %d s%s%s", hook->path,
			       hook->timeout.v, colon, said);
	if (timed_out)
		return err_set(err, timed_out, "wait for %s", hook->path);
	if (io_read(h->failure, &code, sizeof(code)) == sizeof(code)) {
		int r = not_executed(hook->path, code, err);

		program_explain(hook->path, code, setting->filtered, err);
		return r;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (!*said)
		err_hint(err, "it wrote no reason to its standard error: run it by hand, with what "
			      "`oakum state` prints as its input");
	if (WIFSIGNALED(status))
		return err_set(err, 0, "%s: killed by %s%s%s%s", hook->path,
			       names_signal_text(WTERMSIG(status), buf),
			       WTERMSIG(status) == SIGSYS ? " (bad system call)" : "", colon, said);
	return err_set(err, 0, "%s: exit status %d%s%s", hook->path, WEXITSTATUS(status), colon,
		       said);
}

static void finish(struct running *h)
{
	fd_close(h->ended);
	fd_close(h->output);
	fd_close(h->failure);
	if (h->signal)
		sigprocmask(SIG_SETMASK, &h->mask, NULL);
}

static int run(const struct spec_hook *hook, const struct hooks_setting *setting, struct err *err)
{
	struct running h = {.ended = -1, .output = -1, .failure = -1, .from = -1};
	int64_t deadline = clock_deadline(hook->timeout.set ? hook->timeout.v * INT64_C(1000) : -1);
	int status = 0, timed_out, r;

	r = spawn(hook, setting, &h, err);
	if (r == 0) {
		timed_out = wait_end(&h, deadline, &status);
		if (timed_out) {
			kill(-h.pid, SIGKILL);	   /* not reaped: the group is still the hook's */
			(void)proc_end(h.pid, -1); /* it may not have made the group yet */
		}
		collect(&h);
		collect_file(&h, setting->output[1]);
		r = judge(&h, hook, setting, timed_out, status, err);
	}
	finish(&h);
	return r;
}

static int name(size_t i, enum spec_hook_kind kind, int r, struct err *err)
{
	if (r < 0) {
		err_pointer(err, "/hooks/%s/%zu", spec_hook_name(kind), i);
		err_prefix(err, "error running %s hook #%zu", spec_hook_name(kind), i);
	}
	return r;
}

int hooks_run_one(const struct spec_hooks *hooks, size_t i, enum spec_hook_kind kind,
		  const struct hooks_setting *setting, struct err *err)
{
	return name(i, kind, run(&hooks->v[i], setting, err), err);
}

int hooks_foresee_one(const struct spec_hooks *hooks, size_t i, enum spec_hook_kind kind,
		      bool binfmt, struct err *err)
{
	const char *path = hooks->v[i].path;
	int code = program_foresee(path, binfmt, err);

	return name(i, kind, code ? not_executed(path, code, err) : 0, err);
}

int hooks_foresee(const struct spec_hooks *hooks, enum spec_hook_kind kind, bool binfmt,
		  struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < hooks->n; i++)
		r = hooks_foresee_one(hooks, i, kind, binfmt, err);
	return r;
}

int hooks_try(const struct spec_hooks *hooks, enum spec_hook_kind kind,
	      const struct hooks_setting *setting, struct err *err)
{
	int r = run(&hooks->v[0], setting, err);

	if (r != -ENOENT)
		return name(0, kind, r, err);
	*err = ERR_INIT;
	return 0;
}

int hooks_run(const struct spec_hooks *hooks, enum spec_hook_kind kind,
	      const struct hooks_setting *setting, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < hooks->n; i++)
		r = hooks_run_one(hooks, i, kind, setting, err);
	return r;
}
