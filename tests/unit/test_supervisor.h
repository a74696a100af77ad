/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A supervisor in parts: pipes for a container's stdio, sockets for its clients, a directory for
 * what it writes down.
 */
#ifndef OAKUM_TESTS_TEST_SUPERVISOR_H
#define OAKUM_TESTS_TEST_SUPERVISOR_H

#include <fcntl.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "supervise/hold.h"
#include "supervise/supervisor.h"
#include "test_fork.h"

static struct supervise_options o;
static struct supervisor s;
static struct scratch scratch;
static char place[64];
static int theirs[3]; /* the container's ends of its stdio */

static inline const char *in_place(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return path;
}

static inline int set_up(void **state)
{
	int in[2], out[2];

	(void)state;
	o = (struct supervise_options){.id = "x"};
	s = (struct supervisor){.options = &o,
				.hold = -1,
				.listener = -1,
				.signals = -1,
				.pidfd = -1,
				.terminal = -1,
				.notify = -1,
				.deadline_ms = CLOCK_FOREVER,
				.watchdog_ms = CLOCK_FOREVER,
				.log = LOGFILE_INIT,
				.scratch = &scratch};
	s.log.buffer = scratch.format;
	for (int i = 0; i < CLIENTS_MAX; i++)
		client_init(&s.clients[i]);
	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (pipe2(in, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	theirs[0] = in[0];
	s.input = in[1];
	for (int i = 1; i <= 2; i++) {
		if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0 ||
		    loop_watch(&s, out[0], EPOLLIN, EVENT_OUTPUT, (unsigned)i) < 0)
			return -1;
		s.output[i] = out[0];
		theirs[i] = out[1];
	}
	snprintf(place, sizeof(place), "/tmp/oakum-supervisor-XXXXXX");
	if (!mkdtemp(place))
		return -1;
	s.dir = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

static inline int tear_down(void **state)
{
	int *const fds[] = {&s.epoll,	&s.listener, &s.signals, &s.pidfd,     &s.terminal,
			    &s.notify,	&s.input,    &s.dir,	 &s.output[1], &s.output[2],
			    &theirs[0], &theirs[1],  &theirs[2]};

	(void)state;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		client_drop(&s, &s.clients[i]);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fd_replace(fds[i], -1);
	(void)unlink(in_place(HOLD_SOCKET));
	(void)unlink(in_place(EXIT_NAME));
	(void)unlink(in_place("notify"));
	return rmdir(place);
}

/* A client that has said what it wants: its own end. */
static inline int join(bool first, uint32_t flags, struct client **ret)
{
	struct message_hello hello = {.version = MESSAGE_VERSION, .flags = flags};
	struct message m;
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	*ret = client_add(&s, ends[0]);
	assert_non_null(*ret);
	(*ret)->first = first;
	assert_int_equal(message_send(ends[1], MESSAGE_HELLO, 0, &hello, sizeof(hello)), 0);
	client_event(&s, (unsigned)(*ret - s.clients), EPOLLIN);
	assert_int_equal(message_recv(ends[1], &m), sizeof(hello));
	assert_int_equal(m.head.type, MESSAGE_WELCOME);
	assert_int_equal(message_get(&m, &hello, sizeof(hello)), 0);
	assert_int_equal(hello.version, MESSAGE_VERSION);
	assert_int_equal(hello.flags, (s.input >= 0 ? MESSAGE_HAS_INPUT : 0) |
					      (s.terminal >= 0 ? MESSAGE_HAS_TERMINAL : 0));
	return ends[1];
}

/* The client's next message is of @type. */
static inline struct message *next(int fd, enum message_type type)
{
	static struct message m;

	m.head.type = 0;
	if (message_recv(fd, &m) < 0 || m.head.type != type)
		fail_msg("not %d but %d", type, m.head.type);
	return &m;
}

static inline void hears_nothing(int fd)
{
	struct message m;

	assert_int_equal(message_recv(fd, &m), -EAGAIN);
}

static inline void fill(char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 7 + i / 251);
}

static inline int connect_to(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(a.sun_path, in_place(HOLD_SOCKET), strlen(in_place(HOLD_SOCKET)));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
