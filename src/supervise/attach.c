/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One poll loop over the supervisor, our stdin and our signals. Writing to our stdout may block:
 * what then piles up is the supervisor's to bound.
 */
#include "supervise/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "oakum.h"

#define LOST_MS 1000

struct session {
	const struct attach_options *o;
	struct attach_result *result;
	struct keys keys;
	struct message m;
	struct termios saved;
	bool raw;
	bool input_open; /* our stdin has not ended */
	bool input_sent; /* INPUT_DONE is awaited */
	uint64_t lost;	 /* and not told of yet */
	int64_t lost_due_ms;
	int signals;
	bool resized; /* is what WINCH says */
	sigset_t old_mask;
};

enum { GO_ON = 1 };

static void send_size(struct session *s)
{
	struct winsize size;
	struct message_winsize m;

	if (!s->o->terminal || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	m = (struct message_winsize){.rows = size.ws_row, .columns = size.ws_col};
	(void)message_send(s->o->sock, MESSAGE_WINSIZE, 0, &m, sizeof(m));
}

static bool has_terminal(void)
{
	AUTO_CLOSE int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	return fd >= 0;
}

void attach_signals(sigset_t *ret)
{
	static const int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		sigaddset(ret, wanted[i]);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		sigaddset(ret, sig);
	if (!has_terminal())
		sigaddset(ret, SIGWINCH);
}

static int open_signals(struct session *s, struct err *err)
{
	sigset_t set;

	attach_signals(&set);
	s->resized = !sigismember(&set, SIGWINCH);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, &s->old_mask);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? err_set(err, errno, "watch for signals") : 0;
}

static int on_signal(struct session *s)
{
	struct signalfd_siginfo info;
	int32_t sig;

	if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return GO_ON;
	sig = (int32_t)info.ssi_signo;
	if (sig == SIGWINCH && (s->resized || !s->o->signals)) {
		send_size(s);
		return GO_ON;
	}
	if (!s->o->signals) {
		s->result->end = ATTACH_SIGNALLED;
		s->result->signal = sig;
		return 0;
	}
	(void)message_send(s->o->sock, MESSAGE_SIGNAL, 0, &sig, sizeof(sig));
	return GO_ON;
}

static int write_output(const struct session *s, struct err *err)
{
	int fd = s->m.head.stream == 2 ? STDERR_FILENO : STDOUT_FILENO;
	size_t done = 0;

	while (done < s->m.head.size) {
		ssize_t n = write(fd, s->m.data + done, s->m.head.size - done);

		/* A non-blocking descriptor that we share with others is not ours to change. */
		if (n < 0 && errno == EAGAIN)
			(void)io_poll_until(fd, POLLOUT, INT64_MAX);
		else if (n < 0 && errno != EINTR)
			return err_set(err, errno, "write the container's output");
		else if (n > 0)
			done += (size_t)n;
	}
	return GO_ON;
}

static void say_lost(struct session *s)
{
	char line[96];

	snprintf(line, sizeof(line),
		 "output lost: %" PRIu64 " bytes came faster than they were read here", s->lost);
	s->o->warn(s->o->warn_data, line);
	s->lost = 0;
}

/* At most once a second: the words must not be more than the output. */
static void on_lost(struct session *s)
{
	uint64_t bytes;

	if (message_get(&s->m, &bytes, sizeof(bytes)) < 0)
		return;
	s->lost += bytes;
	if (clock_now_ms() < s->lost_due_ms)
		return;
	say_lost(s);
	s->lost_due_ms = clock_deadline(LOST_MS);
}

static int on_message(struct session *s, struct err *err)
{
	ssize_t n = message_recv(s->o->sock, &s->m);

	if (n == -ENOTCONN) {
		s->result->end = ATTACH_ABANDONED;
		return 0;
	}
	if (n < 0)
		return err_set(err, (int)-n, "read from the supervisor");
	switch (s->m.head.type) {
	case MESSAGE_OUTPUT:
		return write_output(s, err);
	case MESSAGE_LOST:
		on_lost(s);
		return GO_ON;
	case MESSAGE_INPUT_DONE:
		s->input_sent = false;
		return GO_ON;
	case MESSAGE_EXIT:
		if (message_get(&s->m, &s->result->exit, sizeof(s->result->exit)) < 0)
			return err_set(err, EPROTO, "the exit status");
		s->result->end = ATTACH_EXITED;
		return 0;
	default:
		return GO_ON;
	}
}

static int on_input(struct session *s)
{
	char typed[MESSAGE_INPUT_MAX - KEYS_MAX], out[MESSAGE_INPUT_MAX];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));
	size_t size = 0;
	bool detach = false;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return GO_ON;
	if (n <= 0) {
		s->input_open = false;
		(void)message_send(s->o->sock, MESSAGE_INPUT_EOF, 0, NULL, 0);
		return GO_ON;
	}
	if (s->raw) {
		detach = keys_feed(&s->keys, typed, (size_t)n, out, &size);
	} else {
		memcpy(out, typed, (size_t)n);
		size = (size_t)n;
	}
	if (size > 0) {
		s->input_sent = true;
		(void)message_send(s->o->sock, MESSAGE_INPUT, 0, out, size);
	}
	if (!detach)
		return GO_ON;
	s->result->end = ATTACH_DETACHED;
	return 0;
}

/* The output first: what comes before the end is not to be lost for it. */
static int turn(struct session *s, struct err *err)
{
	struct pollfd p[3] = {{s->o->sock, POLLIN, 0},
			      {s->signals, POLLIN, 0},
			      {s->input_open && !s->input_sent ? STDIN_FILENO : -1, POLLIN, 0}};
	int r = GO_ON;

	if (poll(p, 3, -1) < 0)
		return errno == EINTR ? GO_ON : err_set(err, errno, "wait for the supervisor");
	if (p[0].revents)
		r = on_message(s, err);
	if (r == GO_ON && p[1].revents)
		r = on_signal(s);
	if (r == GO_ON && p[2].revents)
		r = on_input(s);
	return r;
}

int attach_run(const struct attach_options *options, struct attach_result *ret, struct err *err)
{
	static struct session session;
	struct session *s = &session;
	int r;

	*ret = (struct attach_result){.end = ATTACH_ABANDONED};
	*s = (struct session){.o = options,
			      .result = ret,
			      .keys = options->keys,
			      .input_open = options->input,
			      .signals = -1};
	if ((r = open_signals(s, err)) < 0)
		return r;
	if (options->terminal && options->input)
		s->raw = oakum_terminal_raw(STDIN_FILENO, true, &s->saved) == 0;
	send_size(s);
	do {
		r = turn(s, err);
	} while (r == GO_ON);
	if (s->lost > 0)
		say_lost(s);
	if (s->raw)
		(void)oakum_terminal_restore(STDIN_FILENO, &s->saved);
	fd_close(s->signals);
	sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	return r;
}
