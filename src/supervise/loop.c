/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a supervisor from a running container on, as a table: for every state and event the
 * action, which returns the next state. Before it, launch.c creates; after it, nothing is left.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sys.h"
#include "supervise/supervisor.h"

#define STOP_MS	 10000 /* from SIGTERM to SIGKILL */
#define TELL_MS	 2000  /* for clients that do not read how it ended */
#define QUIET_MS 100   /* then the scratch pages go back */
#define EVENTS	 16

typedef enum state (*action)(struct supervisor *s, unsigned index, uint32_t epoll_events);

static int control(struct supervisor *s, int op, int fd, uint32_t events, enum event event,
		   unsigned index)
{
	struct epoll_event e = {.events = events, .data.u64 = (uint64_t)event << 32 | index};

	return epoll_ctl(s->epoll, op, fd, &e) < 0 ? -errno : 0;
}

int loop_watch(struct supervisor *s, int fd, uint32_t epoll_events, enum event event,
	       unsigned index)
{
	return control(s, EPOLL_CTL_ADD, fd, epoll_events, event, index);
}

int loop_change(struct supervisor *s, int fd, uint32_t epoll_events, enum event event,
		unsigned index)
{
	return control(s, EPOLL_CTL_MOD, fd, epoll_events, event, index);
}

static enum state on_output(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	(void)epoll_events;
	relay_output(s, index);
	return s->state;
}

static enum state on_input_room(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	(void)index;
	(void)epoll_events;
	relay_input_room(s);
	return s->state;
}

static enum state on_connect(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	(void)index;
	(void)epoll_events;
	client_connect(s);
	return s->state;
}

static enum state on_client(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	client_event(s, index, epoll_events);
	return s->state;
}

static enum state on_notify(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	(void)index;
	(void)epoll_events;
	manager_relay(s);
	return s->state;
}

/* The signal that has come; 0: none. */
static int take_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	return read(s->signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* Every process of it, frozen or not: the library's kill, in the only moment that needs the heap.
 */
static void kill_all(struct supervisor *s)
{
	struct oakum *o;

	if (oakum_new(&s->options->handle, &o) == 0)
		(void)oakum_kill(o, s->options->id, SIGKILL, true);
	oakum_free(o);
	(void)sys_pidfd_send_signal(s->pidfd, SIGKILL, NULL, 0);
}

static enum state on_stop(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	int sig;

	(void)index;
	(void)epoll_events;
	sig = take_signal(s);
	if (s->options->unit) {
		(void)sys_pidfd_send_signal(s->pidfd, sig, NULL, 0);
		return s->state;
	}
	(void)sys_pidfd_send_signal(s->pidfd, SIGTERM, NULL, 0);
	s->deadline_ms = clock_deadline(STOP_MS);
	return STATE_STOPPING;
}

static enum state on_stop_again(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	(void)index;
	(void)epoll_events;
	(void)take_signal(s);
	return s->state;
}

static enum state on_kill(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	(void)index;
	(void)epoll_events;
	kill_all(s);
	return s->state;
}

static void set_status(struct supervisor *s, const siginfo_t *info)
{
	s->exit.known = true;
	if (info->si_code == CLD_EXITED)
		s->exit.status = info->si_status;
	else
		s->exit.signal = info->si_status;
}

static int64_t count_oom(struct supervisor *s)
{
	uint64_t n;

	if (!s->oom || oakum_oom_kills(s->oom, &n) != 0)
		return -1;
	return n < INT32_MAX ? (int64_t)n : INT32_MAX;
}

static void delete_container(struct supervisor *s)
{
	struct oakum_delete options = OAKUM_OPTIONS(oakum_delete, .force = true);
	struct oakum *o;

	if (oakum_new(&s->options->handle, &o) == 0)
		(void)oakum_delete(o, s->options->id, &options);
	oakum_free(o);
}

static enum state told(struct supervisor *s)
{
	return client_any(s) ? STATE_DRAINING : STATE_GONE;
}

/*
 * The container has ended: its last bytes, then one record of it all, then the others are told. The
 * zombie is kept until the record is on disk, so that only a SIGKILL before that can lose the
 * status.
 */
static enum state on_ended(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	siginfo_t info = {.si_pid = 0};

	(void)index;
	(void)epoll_events;
	if (waitid(P_PIDFD, (id_t)s->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		s->exit.known = false;
	else if (info.si_pid == 0)
		return s->state;
	else
		set_status(s, &info);

	s->exit.oom_kills = count_oom(s);
	manager_relay(s);
	manager_exit(s);
	s->exit.complete = relay_drain(s);
	logfile_close(&s->log);
	s->exit.log_lost = s->log.lost;
	clock_text(s->exit.finished);
	(void)exit_write(s->dir, &s->exit);
	(void)waitid(P_PIDFD, (id_t)s->pidfd, &info, WEXITED | WNOHANG);
	fd_replace(&s->pidfd, -1);
	fd_replace(&s->input, -1);
	fd_replace(&s->terminal, -1);
	fd_replace(&s->notify, -1);
	if (s->options->remove)
		delete_container(s);

	s->state = STATE_DRAINING;
	s->deadline_ms = clock_deadline(TELL_MS);
	/* Who came before the end is answered, also when nobody is left to come back to. */
	for (int i = 0; i < CLIENTS_MAX && client_connect(s); i++)
		;
	client_exit(s);
	return told(s);
}

static enum state on_client_told(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	client_event(s, index, epoll_events);
	return told(s);
}

/* Who still does not read has had its time; the first client is ours to wait for, as a pipe would.
 */
static enum state on_told_enough(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	(void)index;
	(void)epoll_events;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (!s->clients[i].first)
			client_drop(s, &s->clients[i]);
	return told(s);
}

/* A unit's signals, of which there may be two, go to `up` as well, which is to hear how it ended.
 */
static enum state on_leave(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	(void)index;
	(void)epoll_events;
	(void)take_signal(s);
	return s->options->unit ? s->state : STATE_GONE;
}

static const action table[STATE_COUNT][EVENT_COUNT] = {
	[STATE_RUNNING] =
		{
			[EVENT_OUTPUT] = on_output,
			[EVENT_INPUT_ROOM] = on_input_room,
			[EVENT_ENDED] = on_ended,
			[EVENT_CONNECT] = on_connect,
			[EVENT_CLIENT] = on_client,
			[EVENT_SIGNAL] = on_stop,
			[EVENT_NOTIFY] = on_notify,
		},
	[STATE_STOPPING] =
		{
			[EVENT_OUTPUT] = on_output,
			[EVENT_INPUT_ROOM] = on_input_room,
			[EVENT_ENDED] = on_ended,
			[EVENT_CONNECT] = on_connect,
			[EVENT_CLIENT] = on_client,
			[EVENT_SIGNAL] = on_stop_again,
			[EVENT_NOTIFY] = on_notify,
			[EVENT_DEADLINE] = on_kill,
		},
	[STATE_DRAINING] =
		{
			[EVENT_CONNECT] = on_connect,
			[EVENT_CLIENT] = on_client_told,
			[EVENT_SIGNAL] = on_leave,
			[EVENT_DEADLINE] = on_told_enough,
		},
};

static void dispatch(struct supervisor *s, enum event event, unsigned index, uint32_t epoll_events)
{
	action act = table[s->state][event];

	if (act)
		s->state = act(s, index, epoll_events);
}

static void rest(struct supervisor *s)
{
	(void)madvise(s->scratch, sizeof(*s->scratch), MADV_DONTNEED);
	client_trim(s);
	logfile_trim(&s->log);
	s->dirty = false;
}

static void check_deadline(struct supervisor *s)
{
	if (clock_now_ms() < s->deadline_ms)
		return;
	s->deadline_ms = CLOCK_FOREVER;
	dispatch(s, EVENT_DEADLINE, 0, 0);
}

/*
 * systemd removes the cgroup of a scope, and the count of OOM kills with it, as soon as nobody
 * lives in it. So it is read before anything else is done, which the library keeps, when the
 * container's output ends (the last process has still to leave its cgroup) or its cgroup is emptied
 * (the kernel wakes who polls it before who has an inotify watch on it, as systemd has).
 */
static void count_first(struct supervisor *s, const struct epoll_event *events, int n)
{
	if (s->pidfd < 0 || oakum_oom_fd(s->oom) < 0)
		return;
	for (int i = 0; i < n; i++)
		if (events[i].events & (EPOLLHUP | EPOLLPRI)) {
			(void)count_oom(s);
			return;
		}
}

void loop_run(struct supervisor *s)
{
	struct epoll_event events[EVENTS];

	s->state = STATE_RUNNING;
	s->deadline_ms = CLOCK_FOREVER;
	while (s->state != STATE_GONE) {
		int timeout = clock_poll_ms(s->deadline_ms < s->watchdog_ms ? s->deadline_ms
									    : s->watchdog_ms);
		int n;

		if (s->dirty && (timeout < 0 || timeout > QUIET_MS))
			timeout = QUIET_MS;
		n = epoll_wait(s->epoll, events, EVENTS, timeout);
		if (n == 0 && s->dirty)
			rest(s);
		count_first(s, events, n);
		for (int i = 0; i < n && s->state != STATE_GONE; i++)
			dispatch(s, (enum event)(events[i].data.u64 >> 32),
				 (unsigned)events[i].data.u64, events[i].events);
		check_deadline(s);
		manager_watchdog(s);
	}
}
