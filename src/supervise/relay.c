/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container's bytes: from its stdout and stderr to the log and the clients, from the clients
 * to its stdin. Nothing here blocks.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervise/supervisor.h"

#define READS 4

/* What one read gives goes to the log first. False: nothing more for now, or for ever. */
static bool pass_on(struct supervisor *s, unsigned stream)
{
	ssize_t n = read(s->output[stream], s->scratch->read, READ_SIZE);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		/* EIO is a terminal's way to say that nobody has it open. Nobody can open it again.
		 */
		fd_replace(&s->output[stream], -1);
		return false;
	}
	s->dirty = true;
	s->exit.bytes[stream] += (uint64_t)n;
	logfile_write(&s->log, (int)stream, s->scratch->read, (size_t)n);
	client_output(s, (int)stream, s->scratch->read, (size_t)n);
	return true;
}

void relay_output(struct supervisor *s, unsigned stream)
{
	uint64_t before;

	/* A full read is followed by another one, but not for ever: the others have their turn. */
	for (int i = 0; i < READS && s->output[stream] >= 0 && !s->output_held; i++) {
		before = s->exit.bytes[stream];
		if (!pass_on(s, stream) || s->exit.bytes[stream] - before < READ_SIZE)
			break;
	}
}

/*
 * What a pipe can hold is what its dead writers left. A process that outlives the container may go
 * on writing: it is not waited for, and not read from without end.
 */
static void drain_stream(struct supervisor *s, unsigned stream)
{
	uint64_t start = s->exit.bytes[stream], most = READ_SIZE;
	int size = fcntl(s->output[stream], F_GETPIPE_SZ);

	if (size > 0)
		most = (uint64_t)size;
	while (s->output[stream] >= 0 && s->exit.bytes[stream] - start <= most)
		if (!pass_on(s, stream))
			break;
}

bool relay_drain(struct supervisor *s)
{
	bool complete = true;

	for (unsigned stream = 1; stream <= 2; stream++) {
		if (s->output[stream] >= 0)
			drain_stream(s, stream);
		complete = complete && s->output[stream] < 0;
		fd_replace(&s->output[stream], -1);
	}
	return complete;
}

void relay_hold(struct supervisor *s)
{
	bool hold = false;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *c = &s->clients[i];

		hold = hold || (c->fd >= 0 && c->first && ring_used(&c->ring) >= CLIENT_HOLD);
	}
	if (hold == s->output_held || s->state >= STATE_DRAINING)
		return;
	s->output_held = hold;
	/* One shot where held: the end of a stream is reported whatever is asked for, and would
	 * spin. */
	for (unsigned stream = 1; stream <= 2; stream++)
		if (s->output[stream] >= 0)
			(void)loop_change(s, s->output[stream], hold ? EPOLLONESHOT : EPOLLIN,
					  EVENT_OUTPUT, stream);
}

static void close_input(struct supervisor *s)
{
	fd_replace(&s->input, -1);
	s->input_armed = false;
}

static void arm_input(struct supervisor *s, bool arm)
{
	if (arm == s->input_armed || s->input < 0)
		return;
	s->input_armed = arm;
	if (arm)
		(void)loop_watch(s, s->input, EPOLLOUT, EVENT_INPUT_ROOM, 0);
	else
		(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->input, NULL);
}

/* Bytes taken; all of them where nobody will ever read them. */
static size_t write_some(struct supervisor *s, const char *data, size_t size)
{
	size_t done = 0;

	while (done < size && s->input >= 0) {
		ssize_t n = write(s->input, data + done, size - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			return done;
		else if (n < 0 && errno != EINTR)
			close_input(s);
	}
	return s->input < 0 ? size : done;
}

bool relay_input(struct supervisor *s, struct client *c, const char *data, size_t size)
{
	size_t done = s->input_armed ? 0 : write_some(s, data, size);

	if (done == size)
		return true;
	memcpy(c->input, data + done, size - done);
	c->input_size = (uint32_t)(size - done);
	c->input_at = 0;
	arm_input(s, true);
	return false;
}

void relay_input_room(struct supervisor *s)
{
	bool waiting = false;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (c->fd < 0 || c->input_size == 0)
			continue;
		if (!waiting)
			c->input_at += (uint32_t)write_some(s, c->input + c->input_at,
							    c->input_size - c->input_at);
		if (c->input_at < c->input_size) {
			waiting = true;
			continue;
		}
		c->input_size = 0;
		client_input_done(s, c);
	}
	arm_input(s, waiting);
}

void relay_input_eof(struct supervisor *s)
{
	static const char end_of_file = 4; /* what ends a line discipline's input: ^D */

	if (s->options->interactive)
		return;
	if (s->terminal >= 0)
		(void)!write(s->terminal, &end_of_file, 1);
	else
		close_input(s);
}
