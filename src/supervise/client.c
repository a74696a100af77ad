/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The attached: a fixed number of slots, each with a bounded queue. A client that is slow loses
 * output and is told how much; only the first one (`up` in the foreground) makes the
 * container wait, as any pipe would.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "supervise/supervisor.h"

void client_init(struct client *c)
{
	*c = (struct client){.fd = -1};
}

static unsigned index_of(const struct supervisor *s, const struct client *c)
{
	return (unsigned)(c - s->clients);
}

static size_t memory_size(const struct client *c)
{
	return (c->first ? CLIENT_RING_FIRST : CLIENT_RING) + MESSAGE_INPUT_MAX;
}

/* Address space; pages come when they are touched. */
static bool have_memory(struct client *c)
{
	size_t size = memory_size(c);

	if (c->memory)
		return true;
	c->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->memory == MAP_FAILED) {
		c->memory = NULL;
		return false;
	}
	c->input = c->memory;
	ring_init(&c->ring, c->memory + MESSAGE_INPUT_MAX, size - MESSAGE_INPUT_MAX);
	return true;
}

void client_drop(struct supervisor *s, struct client *c)
{
	if (c->fd < 0)
		return;
	fd_close(c->fd);
	if (c->memory)
		munmap(c->memory, memory_size(c));
	client_init(c);
	relay_hold(s);
}

struct client *client_add(struct supervisor *s, int fd)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (c->fd >= 0)
			continue;
		if (loop_watch(s, fd, EPOLLIN, EVENT_CLIENT, i) < 0)
			return NULL;
		client_init(c);
		c->fd = fd;
		return c;
	}
	return NULL;
}

static bool is_welcome(int fd)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}

bool client_connect(struct supervisor *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	if (!is_welcome(fd) || !client_add(s, fd)) {
		(void)message_send(fd, MESSAGE_REFUSED, 0, NULL, 0);
		fd_close(fd);
	}
	return true;
}

static void send_exit(struct supervisor *s, struct client *c)
{
	struct message_exit m = {.status = s->exit.status,
				 .signal = s->exit.signal,
				 .known = s->exit.known,
				 .oom_kills = (int32_t)s->exit.oom_kills};

	if (message_send(c->fd, MESSAGE_EXIT, 0, &m, sizeof(m)) != MESSAGE_FULL)
		client_drop(s, c);
}

/* Everything due to @c, in order, as far as its socket takes it. */
static void flush(struct supervisor *s, struct client *c)
{
	struct iovec iov[2];
	int r = 0;

	if (c->done_due && (r = message_send(c->fd, MESSAGE_INPUT_DONE, 0, NULL, 0)) == 0)
		c->done_due = false;
	while (r == 0 && ring_front(&c->ring, iov)) {
		r = message_send_raw(c->fd, iov);
		if (r == 0)
			ring_pop(&c->ring);
	}
	if (r == 0 && c->lost > 0) {
		r = message_send(c->fd, MESSAGE_LOST, 0, &c->lost, sizeof(c->lost));
		if (r == 0)
			c->lost = 0;
	}
	if (r < 0) {
		client_drop(s, c);
		return;
	}
	if (r == 0 && c->exit_due) {
		send_exit(s, c);
		if (c->fd < 0)
			return;
		r = MESSAGE_FULL;
	}
	(void)loop_change(s, c->fd, r == MESSAGE_FULL ? EPOLLIN | EPOLLOUT : EPOLLIN, EVENT_CLIENT,
			  index_of(s, c));
	relay_hold(s);
}

static bool queue(struct client *c, const struct message_head *head, const char *data)
{
	struct message_head lost = {.type = MESSAGE_LOST, .size = sizeof(c->lost)};

	if (!have_memory(c))
		return false;
	if (c->lost > 0) {
		size_t need = 2 * sizeof(*head) + sizeof(c->lost) + head->size;

		if (c->ring.size - ring_used(&c->ring) < need)
			return false;
		ring_put(&c->ring, &lost, &c->lost, sizeof(c->lost));
		c->lost = 0;
	}
	return ring_put(&c->ring, head, data, head->size);
}

static void output_to(struct supervisor *s, struct client *c, const struct message_head *head,
		      const char *data)
{
	struct iovec iov[2] = {{(void *)head, sizeof(*head)}, {(void *)data, head->size}};
	int r = MESSAGE_FULL;

	if (ring_used(&c->ring) == 0 && c->lost == 0)
		r = message_send_raw(c->fd, iov);
	if (r < 0) {
		client_drop(s, c);
		return;
	}
	if (r == 0)
		return;
	if (!queue(c, head, data))
		c->lost += head->size;
	(void)loop_change(s, c->fd, EPOLLIN | EPOLLOUT, EVENT_CLIENT, index_of(s, c));
	relay_hold(s);
}

void client_output(struct supervisor *s, int stream, const char *data, size_t size)
{
	struct message_head head = {.type = MESSAGE_OUTPUT, .stream = (uint8_t)stream};

	for (size_t at = 0; at < size; at += head.size) {
		head.size = (uint32_t)(size - at < MESSAGE_MAX ? size - at : MESSAGE_MAX);
		for (unsigned i = 0; i < CLIENTS_MAX; i++)
			if (s->clients[i].fd >= 0 && s->clients[i].output[stream])
				output_to(s, &s->clients[i], &head, data + at);
	}
}

void client_input_done(struct supervisor *s, struct client *c)
{
	c->done_due = true;
	flush(s, c);
}

static int hello(struct supervisor *s, struct client *c, const struct message *m)
{
	struct message_hello in, out = {.version = MESSAGE_VERSION};

	if (message_get(m, &in, sizeof(in)) < 0 || in.version != MESSAGE_VERSION)
		return -EPROTO;
	c->greeted = true;
	c->output[1] = c->output[2] = in.flags & MESSAGE_WANTS_OUTPUT;
	out.flags = (s->terminal >= 0 ? MESSAGE_HAS_TERMINAL : 0) |
		    (s->input >= 0 ? MESSAGE_HAS_INPUT : 0);
	if (message_send(c->fd, MESSAGE_WELCOME, 0, &out, sizeof(out)) != 0)
		return -EPIPE;
	if (s->state >= STATE_DRAINING) {
		c->exit_due = true;
		flush(s, c);
	}
	return 0;
}

static int input(struct supervisor *s, struct client *c, const struct message *m)
{
	if (c->input_size > 0 || m->head.size > MESSAGE_INPUT_MAX || !have_memory(c))
		return -EPROTO;
	if (relay_input(s, c, m->data, m->head.size))
		client_input_done(s, c);
	return 0;
}

static int winsize(struct supervisor *s, const struct message *m)
{
	struct message_winsize in;
	struct winsize size;

	if (message_get(m, &in, sizeof(in)) < 0)
		return -EPROTO;
	size = (struct winsize){.ws_row = in.rows, .ws_col = in.columns};
	if (s->terminal >= 0)
		(void)ioctl(s->terminal, TIOCSWINSZ, &size);
	return 0;
}

static int signal_from(struct supervisor *s, const struct message *m)
{
	int32_t sig;

	if (message_get(m, &sig, sizeof(sig)) < 0 || sig < 1 || sig > SIGRTMAX)
		return -EPROTO;
	/* Reaped only at the very end, so this is the container's process, or nothing any more. */
	if (s->pidfd >= 0)
		(void)sys_pidfd_send_signal(s->pidfd, sig, NULL, 0);
	return 0;
}

static int handle(struct supervisor *s, struct client *c, const struct message *m)
{
	switch (m->head.type) {
	case MESSAGE_HELLO:
		return hello(s, c, m);
	case MESSAGE_INPUT:
		return input(s, c, m);
	case MESSAGE_INPUT_EOF:
		relay_input_eof(s);
		return 0;
	case MESSAGE_WINSIZE:
		return winsize(s, m);
	case MESSAGE_SIGNAL:
		return signal_from(s, m);
	default:
		return -EPROTO;
	}
}

void client_event(struct supervisor *s, unsigned index, uint32_t epoll_events)
{
	struct client *c = &s->clients[index];
	ssize_t n;

	if (c->fd >= 0 && (epoll_events & EPOLLOUT))
		flush(s, c);
	if (c->fd < 0 || !(epoll_events & ~(uint32_t)EPOLLOUT))
		return;
	s->dirty = true;
	n = message_recv(c->fd, &s->scratch->message);
	if (n == -EAGAIN)
		return;
	if (n < 0 || handle(s, c, &s->scratch->message) < 0)
		client_drop(s, c);
}

void client_exit(struct supervisor *s)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		/* Who has connected and not yet spoken is told after its WELCOME. */
		if (c->fd < 0 || !c->greeted)
			continue;
		c->exit_due = true;
		flush(s, c);
	}
}

bool client_any(const struct supervisor *s)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0)
			return true;
	return false;
}

void client_trim(struct supervisor *s)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (c->memory && ring_used(&c->ring) == 0 && c->input_size == 0)
			(void)madvise(c->memory, memory_size(c), MADV_DONTNEED);
	}
}
