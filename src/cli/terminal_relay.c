/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One poll loop: signals, the process's end, and the two directions of its terminal. Without a
 * terminal the process has our own descriptors and there is nothing to copy.
 */
#include "cli/terminal_relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/proc.h"

#define DRAIN_MAX  (1u << 20)
#define NOTIFY_MAX 64 /* messages at one go: the terminal has its turn too */

enum { AT_SIGNALS, AT_PROCESS, AT_MASTER, AT_INPUT, AT_OUTPUT, AT_NOTIFY, AT_COUNT };

/* What stays ours: job control, which stops this program, and our own faults and children. */
static void choose_signals(sigset_t *set)
{
	static const int ours[] = {SIGCHLD, SIGPIPE, SIGURG, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT,
				   SIGSEGV, SIGBUS,  SIGFPE, SIGILL,  SIGTRAP, SIGSYS,	SIGABRT};

	sigfillset(set);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigdelset(set, ours[i]);
}

bool relay_shows(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

int relay_begin(struct relay *r)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;

	*r = (struct relay){.signals = -1,
			    .person = -1,
			    .notify = -1,
			    .in = {.from = -1, .to = -1},
			    .out = {.from = -1, .to = -1}};
	choose_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &r->saved_mask);
	/* A reader who has gone is an error of write(2), not our end. */
	sigaction(SIGPIPE, &ignore, &r->saved_pipe);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->signals < 0 ? -errno : 0;
}

int relay_attach(struct relay *r, const struct oakum_process *p)
{
	int fd = 0, got;

	if (p->terminal < 0)
		return 0;
	while (fd <= 2 && !isatty(fd))
		fd++;
	if (fd <= 2) {
		r->person = fd;
		(void)oakum_terminal_copy_size(fd, p->terminal);
	}
	got = fd_nonblock(p->terminal, true);
	if (got < 0)
		return got;
	got = oakum_terminal_raw(STDIN_FILENO, !relay_shows(), &r->saved);
	r->raw = got == 0;
	r->in.from = STDIN_FILENO;
	r->in.to = r->out.from = p->terminal;
	r->out.to = STDOUT_FILENO;
	return 0;
}

void relay_end(struct relay *r)
{
	if (r->raw)
		(void)oakum_terminal_restore(STDIN_FILENO, &r->saved);
	r->raw = false;
	fd_replace(&r->signals, -1);
	fd_replace(&r->notify, -1);
	sigaction(SIGPIPE, &r->saved_pipe, NULL);
	sigprocmask(SIG_SETMASK, &r->saved_mask, NULL);
}

/* False where there is nothing more to read. */
static bool fill(struct relay_flow *f)
{
	ssize_t n;

	if (f->start == f->end)
		f->start = f->end = 0;
	n = read(f->from, f->data + f->end, sizeof(f->data) - f->end);
	if (n > 0 && f->to >= 0)
		f->end += (size_t)n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void drain(struct relay_flow *f)
{
	ssize_t n = write(f->to, f->data + f->start, f->end - f->start);

	if (n > 0) {
		f->start += (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* Nobody reads any more: read on, so that the process is not held up by it. */
		f->to = -1;
	}
	if (f->to < 0 || f->start == f->end)
		f->start = f->end = 0;
}

static bool has_room(const struct relay_flow *f)
{
	return f->from >= 0 && (f->start == f->end || f->end < sizeof(f->data));
}

static bool is_pending(const struct relay_flow *f)
{
	return f->to >= 0 && f->start < f->end;
}

static void forward(struct relay *r, const struct oakum_process *p, int sig, bool *ended)
{
	struct err ignored = ERR_INIT;

	if (sig == SIGWINCH && r->person >= 0 && p->terminal >= 0)
		(void)oakum_terminal_copy_size(r->person, p->terminal);
	else if (sig != SIGWINCH && !*ended)
		(void)proc_signal(p->pidfd, sig, &ignored);
	else if (sig != SIGWINCH)
		/* It has ended, and somebody does not want to wait for the rest of its output. */
		r->out.from = r->out.to = -1;
}

static void take_signals(struct relay *r, const struct oakum_process *p, bool *ended)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		forward(r, p, (int)info.ssi_signo, ended);
}

/* A closed terminal would poll as hung up for ever: it is left out. */
static void move(struct relay *r, const struct pollfd *fds)
{
	if (fds[AT_INPUT].revents && has_room(&r->in) && !fill(&r->in))
		r->in.from = -1;
	if (fds[AT_MASTER].revents & POLLHUP)
		r->in.to = r->in.from = -1;
	if ((fds[AT_MASTER].revents & POLLOUT) && is_pending(&r->in))
		drain(&r->in);
	if ((fds[AT_MASTER].revents & ~POLLOUT) && has_room(&r->out) && !fill(&r->out))
		r->out.from = r->in.to = r->in.from = -1;
	if (fds[AT_OUTPUT].revents && is_pending(&r->out))
		drain(&r->out);
}

static void pass_notifications(struct relay *r)
{
	const struct oakum_notify to = OAKUM_OPTIONS(oakum_notify, .socket = r->notify_socket);

	(void)oakum_notify_relay(r->oakum, r->notify, &to, NOTIFY_MAX);
}

/* The next poll(2), and after it whatever is possible. -errno or 0. */
static int step(struct relay *r, const struct oakum_process *p, bool *ended, int timeout)
{
	short master =
		(short)((has_room(&r->out) ? POLLIN : 0) | (is_pending(&r->in) ? POLLOUT : 0));
	struct pollfd fds[AT_COUNT] = {
		[AT_SIGNALS] = {.fd = r->signals, .events = POLLIN},
		[AT_PROCESS] = {.fd = *ended ? -1 : p->pidfd, .events = POLLIN},
		[AT_MASTER] = {.fd = master ? p->terminal : -1, .events = master},
		[AT_INPUT] = {.fd = has_room(&r->in) && !*ended ? r->in.from : -1,
			      .events = POLLIN},
		[AT_NOTIFY] = {.fd = r->notify, .events = POLLIN},
		[AT_OUTPUT] = {.fd = is_pending(&r->out) ? r->out.to : -1, .events = POLLOUT},
	};

	if (poll(fds, AT_COUNT, timeout) < 0 && errno != EINTR)
		return -errno;
	if (fds[AT_PROCESS].revents)
		*ended = true;
	if (fds[AT_SIGNALS].revents)
		take_signals(r, p, ended);
	if (fds[AT_NOTIFY].revents)
		pass_notifications(r);
	move(r, fds);
	return 0;
}

/*
 * Somebody else may hold the terminal open, so the end of it is: nothing there now. A read(2) of
 * the master first brings over all that was written on the other side (Linux 4.5, n_tty_read).
 * Who goes on writing is cut off at what the kernel can have held at the end.
 */
static bool is_empty(struct relay *r)
{
	if (is_pending(&r->out))
		return false;
	if (r->out.from < 0 || r->drained > DRAIN_MAX)
		return true;
	r->out.start = r->out.end = 0;
	if (r->out.to < 0 || !fill(&r->out))
		r->out.from = -1;
	r->drained += r->out.end;
	return r->out.end == 0;
}

static int status_of(int how, int value)
{
	return how == CLD_EXITED ? value : 128 + value;
}

static int reap(int pidfd, int *ret)
{
	siginfo_t info = {.si_pid = 0};
	int r, status;

	do
		r = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED);
	while (r < 0 && errno == EINTR);
	if (r == 0) {
		*ret = status_of(info.si_code, info.si_status);
		return 0;
	}
	if (errno != ECHILD)
		return -errno;
	r = proc_exit_status(pidfd, &status);
	if (r == 0)
		*ret = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return r;
}

int relay_wait(struct relay *r, const struct oakum_process *p, int *ret)
{
	bool ended = false;

	while (!ended || !is_empty(r)) {
		int got = step(r, p, &ended, ended && !is_pending(&r->out) ? 0 : -1);

		if (got < 0)
			return got;
	}
	if (r->notify >= 0)
		pass_notifications(r);
	return reap(p->pidfd, ret);
}
