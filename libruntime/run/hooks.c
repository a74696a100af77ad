/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running hooks, in the parent and in the container's first process alike: plain fork and exec, no
 * heap. Which hooks run when is decided by create, init, start and delete.
 */
#include "run/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/sys.h"
#include "kernel/signal.h"

/* What a hook said last, for the error. */
#define TAIL_SIZE 200

struct running {
	pid_t pid;
	int pidfd;
	int output;  /* read end of its stderr */
	int failure; /* read end: errno of a failed execve, EOF when it succeeded */
	char tail[TAIL_SIZE + 1];
	size_t tail_len;
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

struct hook_ends {
	int output, failure;
	pid_t parent;
};

static _Noreturn void become_hook(const struct spec_hook *h, const struct hook_ends *ends,
				  const struct hooks_setting *setting)
{
	const char *const *env = h->env_present ? h->env.v : setting->env;
	const char *argv[] = {h->path, NULL};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), code;
	bool entered;

	/* A hook does not outlive a runtime that is killed: nobody would know of it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != ends->parent)
		_exit(127);
	setpgid(0, 0);
	signal_reset();
	/* The bundle may be gone by the time of poststop. */
	entered = !setting->dir || chdir(setting->dir) == 0 || errno == ENOENT;
	code = errno;
	dup2(setting->input, 0);
	if (null >= 0)
		dup2(null, 1);
	dup2(ends->output, 2);
	fd_cloexec_from(3);
	if (entered) {
		execve(h->path, (char *const *)(h->args.n ? h->args.v : argv), (char *const *)env);
		code = errno;
	}
	(void)io_write(ends->failure, &code, sizeof(code));
	_exit(127);
}

static int spawn(const struct spec_hook *h, const struct hooks_setting *setting,
		 struct running *ret, struct err *err)
{
	struct clone_args args = {.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
				  .exit_signal = SIGCHLD};
	struct hook_ends ends;
	int output[2], failure[2];

	if (pipe2(output, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	if (pipe2(failure, O_CLOEXEC) < 0) {
		close(output[0]);
		close(output[1]);
		return err_set(err, errno, "make a pipe");
	}
	(void)lseek(setting->input, 0, SEEK_SET);
	args.pidfd = (uintptr_t)&ret->pidfd;
	ends = (struct hook_ends){output[1], failure[1], getpid()};
	ret->pid = sys_clone3(&args);
	if (ret->pid == 0)
		become_hook(h, &ends, setting);
	close(output[1]);
	close(failure[1]);
	ret->output = output[0];
	ret->failure = failure[0];
	if (ret->pid < 0) {
		int code = errno;

		close(output[0]);
		close(failure[0]);
		return err_set(err, code, "fork");
	}
	(void)fd_nonblock(ret->output, true);
	return 0;
}

/* Keep the last TAIL_SIZE bytes. */
static void collect(struct running *h)
{
	char block[512];
	ssize_t n;

	while ((n = read(h->output, block, sizeof(block))) > 0) {
		size_t take = (size_t)n < TAIL_SIZE ? (size_t)n : TAIL_SIZE;
		size_t keep = h->tail_len + take > TAIL_SIZE ? TAIL_SIZE - take : h->tail_len;

		memmove(h->tail, h->tail + h->tail_len - keep, keep);
		memcpy(h->tail + keep, block + n - take, take);
		h->tail_len = keep + take;
	}
	if (n == 0) {
		close(h->output);
		h->output = -1;
	}
}

/* 0: it has ended; ETIMEDOUT. A descendant that keeps stderr open is not waited for. */
static int wait_end(struct running *h, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = h->pidfd, .events = POLLIN},
				      {.fd = h->output, .events = POLLIN}};
		int n = poll(p, 2, clock_poll_ms(deadline_ms));

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0 && p[1].revents)
			collect(h);
		if (n > 0 && p[0].revents)
			return 0;
		if (n == 0)
			return ETIMEDOUT;
	}
}

static const char *tail_text(struct running *h)
{
	while (h->tail_len && (h->tail[h->tail_len - 1] == '\n' || h->tail[h->tail_len - 1] == ' '))
		h->tail_len--;
	h->tail[h->tail_len] = '\0';
	for (size_t i = 0; i < h->tail_len; i++)
		if (h->tail[i] == '\n')
			h->tail[i] = ' ';
	return h->tail;
}

static int judge(struct running *h, const struct spec_hook *hook, int timed_out, int status,
		 struct err *err)
{
	int code = 0;

	if (timed_out == ETIMEDOUT)
		return err_set(err, 0, "%s: killed after its timeout of %d s", hook->path,
			       hook->timeout.v);
	if (io_read(h->failure, &code, sizeof(code)) == sizeof(code))
		return err_set(err, code, "execute %s", hook->path);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(err, 0, "%s: killed by signal %d (%s)%s%s", hook->path,
			       WTERMSIG(status),
			       WTERMSIG(status) == SIGSYS ? "bad system call"
							  : signal_name(WTERMSIG(status)),
			       h->tail_len ? ": " : "", tail_text(h));
	return err_set(err, 0, "%s: exit status %d%s%s", hook->path, WEXITSTATUS(status),
		       h->tail_len ? ": " : "", tail_text(h));
}

static int run_one(const struct spec_hook *hook, const struct hooks_setting *setting,
		   struct err *err)
{
	struct running h = {.pidfd = -1, .output = -1, .failure = -1};
	int64_t deadline = clock_deadline(hook->timeout.set ? hook->timeout.v * INT64_C(1000) : -1);
	int status = 0, timed_out, r;

	r = spawn(hook, setting, &h, err);
	if (r < 0)
		return r;
	timed_out = wait_end(&h, deadline);
	if (timed_out)
		kill(-h.pid, SIGKILL); /* not reaped yet, so the group is still the hook's */
	while (waitpid(h.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (h.output >= 0)
		collect(&h);
	r = judge(&h, hook, timed_out, status, err);
	fd_close(h.pidfd);
	fd_close(h.output);
	fd_close(h.failure);
	return r;
}

int hooks_run(const struct spec_hook *hooks, size_t n, enum spec_hook_kind kind,
	      const struct hooks_setting *setting, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = run_one(&hooks[i], setting, err);

		if (r < 0) {
			err_pointer(err, "/hooks/%s/%zu", spec_hook_name(kind), i);
			err_prefix(err, "error running %s hook #%zu", spec_hook_name(kind), i);
			return r;
		}
	}
	return 0;
}
