/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of a supervised container, and its clients: who gets what, and what is said to whom. */
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "test_supervisor.h"

/* ---- output ---- */

static void output_goes_to_all(void **state)
{
	struct client *a, *b, *deaf;
	int to_a = join(false, MESSAGE_WANTS_OUTPUT, &a),
	    to_b = join(true, MESSAGE_WANTS_OUTPUT, &b);
	int to_deaf = join(false, 0, &deaf);

	(void)state;
	assert_int_equal(write(theirs[2], "err", 3), 3);
	relay_output(&s, 2);
	assert_int_equal(s.exit.bytes[2], 3);
	assert_int_equal(s.exit.bytes[1], 0);
	for (int i = 0; i < 2; i++) {
		const struct message *m = next(i ? to_a : to_b, MESSAGE_OUTPUT);

		assert_int_equal(m->head.stream, 2);
		assert_int_equal(m->head.size, 3);
		assert_memory_equal(m->data, "err", 3);
	}
	hears_nothing(to_deaf);
	/* Nothing there, then the end. */
	relay_output(&s, 2);
	assert_true(s.output[2] >= 0);
	fd_replace(&theirs[2], -1);
	relay_output(&s, 2);
	assert_int_equal(s.output[2], -1);
	hears_nothing(to_a);
	close(to_a);
	close(to_b);
	close(to_deaf);
}

/* One that writes more than is read at one go does not keep the others waiting. */
static void output_in_turns(void **state)
{
	static char data[1u << 20];

	(void)state;
	fill(data, sizeof(data));
	assert_true(fcntl(theirs[1], F_SETPIPE_SZ, sizeof(data)) >= (int)sizeof(data));
	assert_int_equal(write(theirs[1], data, sizeof(data)), sizeof(data));
	relay_output(&s, 1);
	assert_int_equal(s.exit.bytes[1], 4 * READ_SIZE);
	/* The end: all that the pipe held, and no complete record while somebody may write. */
	assert_int_equal(write(theirs[2], "x", 1), 1);
	fd_replace(&theirs[1], -1);
	assert_false(relay_drain(&s));
	assert_int_equal(s.exit.bytes[1], sizeof(data));
	assert_int_equal(s.exit.bytes[2], 1);
	assert_int_equal(s.output[1], -1);
	assert_int_equal(s.output[2], -1);
	assert_true(relay_drain(&s));
}

static void drained_to_the_end(void **state)
{
	(void)state;
	assert_int_equal(write(theirs[1], "bytes", 5), 5);
	fd_replace(&theirs[1], -1);
	fd_replace(&theirs[2], -1);
	assert_true(relay_drain(&s));
	assert_int_equal(s.exit.bytes[1], 5);
}

/* Read all that comes to @fd of a client that is served meanwhile: bytes in order, or lost. */
static uint64_t take_all(int fd, struct client *c, const char *data, size_t sent,
			 uint64_t *ret_lost)
{
	static struct message m;
	uint64_t got = 0, lost = 0, n;

	for (;;) {
		ssize_t size = message_recv(fd, &m);

		if (size == -EAGAIN && (ring_used(&c->ring) > 0 || c->lost > 0)) {
			client_event(&s, (unsigned)(c - s.clients), EPOLLOUT);
			continue;
		}
		if (size < 0)
			break;
		if (m.head.type == MESSAGE_LOST) {
			assert_int_equal(message_get(&m, &n, sizeof(n)), 0);
			lost += n;
			continue;
		}
		assert_int_equal(m.head.type, MESSAGE_OUTPUT);
		/* What is lost is lost between: what comes stands where it belongs. */
		assert_true(got + lost + (uint64_t)size <= sent);
		assert_memory_equal(m.data, data + got + lost, (size_t)size);
		got += (uint64_t)size;
	}
	*ret_lost = lost;
	return got;
}

static void a_slow_client_loses(void **state)
{
	static char data[3u << 20];
	struct client *c;
	int fd = join(false, MESSAGE_WANTS_OUTPUT, &c);
	uint64_t got, lost;

	(void)state;
	fill(data, sizeof(data));
	for (size_t at = 0; at < sizeof(data); at += READ_SIZE)
		client_output(&s, 1, data + at, READ_SIZE);
	assert_false(s.output_held);
	assert_true(ring_used(&c->ring) > CLIENT_RING / 2);
	got = take_all(fd, c, data, sizeof(data), &lost);
	assert_true(lost > 0);
	assert_int_equal(got + lost, sizeof(data));
	/* It has been told, and goes on. */
	client_output(&s, 2, "more", 4);
	assert_memory_equal(next(fd, MESSAGE_OUTPUT)->data, "more", 4);
	client_trim(&s);
	client_output(&s, 2, "again", 5);
	assert_memory_equal(next(fd, MESSAGE_OUTPUT)->data, "again", 5);
	close(fd);
}

static void the_first_client_is_waited_for(void **state)
{
	static char data[2u << 20];
	struct client *c;
	int fd = join(true, MESSAGE_WANTS_OUTPUT, &c);
	uint64_t got, lost;
	size_t sent = 0;

	(void)state;
	fill(data, sizeof(data));
	while (!s.output_held && sent < sizeof(data)) {
		client_output(&s, 1, data + sent, READ_SIZE);
		sent += READ_SIZE;
	}
	assert_true(s.output_held);
	assert_true(ring_used(&c->ring) >= CLIENT_HOLD);
	/* The container's bytes stay in its pipe. */
	assert_int_equal(write(theirs[1], "kept", 4), 4);
	relay_output(&s, 1);
	assert_int_equal(s.exit.bytes[1], 0);
	got = take_all(fd, c, data, sent, &lost);
	assert_int_equal(got, sent);
	assert_int_equal(lost, 0);
	assert_false(s.output_held);
	relay_output(&s, 1);
	assert_int_equal(s.exit.bytes[1], 4);
	/* One that goes while the container waits for it lets it go on. */
	while (!s.output_held)
		client_output(&s, 1, data, READ_SIZE);
	client_drop(&s, c);
	assert_false(s.output_held);
	close(fd);
}

/* ---- input ---- */

static void send_input(int fd, const struct client *c, const char *data, size_t size)
{
	assert_int_equal(message_send(fd, MESSAGE_INPUT, 0, data, size), 0);
	client_event(&s, (unsigned)(c - s.clients), EPOLLIN);
}

static void input_is_passed_on(void **state)
{
	static char data[MESSAGE_INPUT_MAX], got[MESSAGE_INPUT_MAX];
	struct client *a, *b;
	int to_a = join(false, 0, &a), to_b = join(false, 0, &b);
	size_t sent = 0, room;

	(void)state;
	fill(data, sizeof(data));
	assert_true(fcntl(s.input, F_SETPIPE_SZ, 4096) > 0);
	room = (size_t)fcntl(s.input, F_GETPIPE_SZ);
	assert_true(room < sizeof(data));
	send_input(to_a, a, "few", 3);
	next(to_a, MESSAGE_INPUT_DONE);
	assert_int_equal(read(theirs[0], got, sizeof(got)), 3);
	/* More than fits: not done yet, and the other one's waits behind it. */
	send_input(to_a, a, data, sizeof(data));
	hears_nothing(to_a);
	assert_true(s.input_armed);
	send_input(to_b, b, "last", 4);
	hears_nothing(to_b);
	while (sent < sizeof(data)) {
		ssize_t n = read(theirs[0], got, room);

		assert_true(n > 0);
		n = n > (ssize_t)(sizeof(data) - sent) ? (ssize_t)(sizeof(data) - sent) : n;
		assert_memory_equal(got, data + sent, (size_t)n);
		sent += (size_t)n;
		relay_input_room(&s);
	}
	next(to_a, MESSAGE_INPUT_DONE);
	next(to_b, MESSAGE_INPUT_DONE);
	assert_false(s.input_armed);
	assert_int_equal(read(theirs[0], got, sizeof(got)), 4);
	assert_memory_equal(got, "last", 4);
	close(to_a);
	close(to_b);
}

static void input_nobody_reads(void **state)
{
	struct client *c;
	int fd = join(false, 0, &c);

	(void)state;
	fd_replace(&theirs[0], -1);
	send_input(fd, c, "x", 1);
	next(fd, MESSAGE_INPUT_DONE);
	assert_int_equal(s.input, -1);
	send_input(fd, c, "y", 1);
	next(fd, MESSAGE_INPUT_DONE);
	close(fd);
}

static void input_ends(void **state)
{
	struct client *c;
	int fd = join(false, 0, &c);
	char got[4];

	(void)state;
	o.interactive = true;
	assert_int_equal(message_send(fd, MESSAGE_INPUT_EOF, 0, NULL, 0), 0);
	client_event(&s, 0, EPOLLIN);
	assert_int_equal(read(theirs[0], got, 1), -1);
	o.interactive = false;
	assert_int_equal(message_send(fd, MESSAGE_INPUT_EOF, 0, NULL, 0), 0);
	client_event(&s, 0, EPOLLIN);
	assert_int_equal(read(theirs[0], got, 1), 0);
	assert_int_equal(s.input, -1);
	close(fd);
}

/* Of a terminal the end is a character, and its size comes from the client. */
static void input_of_a_terminal(void **state)
{
	struct message_winsize size = {.rows = 33, .columns = 77};
	struct winsize got = {.ws_row = 0};
	struct client *c;
	char name[64], byte;
	int fd, slave;

	(void)state;
	s.terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(grantpt(s.terminal), 0);
	assert_int_equal(unlockpt(s.terminal), 0);
	assert_int_equal(ptsname_r(s.terminal, name, sizeof(name)), 0);
	slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_true(slave >= 0);
	fd = join(false, 0, &c);
	assert_int_equal(message_send(fd, MESSAGE_WINSIZE, 0, &size, sizeof(size)), 0);
	client_event(&s, 0, EPOLLIN);
	assert_int_equal(ioctl(slave, TIOCGWINSZ, &got), 0);
	assert_int_equal(got.ws_row, 33);
	assert_int_equal(got.ws_col, 77);
	relay_input_eof(&s);
	assert_int_equal(read(slave, &byte, 1), 0);
	assert_true(s.input >= 0);
	close(slave);
	close(fd);
}

/* ---- clients ---- */

static void bad_messages(void **state)
{
	static char large[MESSAGE_INPUT_MAX + 1];
	static const struct message_hello old = {.version = MESSAGE_VERSION + 1};
	const int32_t none = 0, many = SIGRTMAX + 1;
	const struct {
		enum message_type type;
		const void *data;
		size_t size;
	} rows[] = {
		{MESSAGE_HELLO, &old, sizeof(old)},
		{MESSAGE_HELLO, &old, 4},
		{MESSAGE_INPUT, large, sizeof(large)},
		{MESSAGE_WINSIZE, large, 3},
		{MESSAGE_SIGNAL, &none, sizeof(none)},
		{MESSAGE_SIGNAL, &many, sizeof(many)},
		{MESSAGE_SIGNAL, &none, 1},
		{MESSAGE_EXIT, NULL, 0},
		{0, NULL, 0},
		{255, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct client *c;
		int fd = join(false, 0, &c);
		struct message m;

		assert_int_equal(message_send(fd, rows[i].type, 0, rows[i].data, rows[i].size), 0);
		client_event(&s, (unsigned)(c - s.clients), EPOLLIN);
		assert_int_equal(c->fd, -1);
		assert_int_equal(message_recv(fd, &m), -ENOTCONN);
		close(fd);
	}
	assert_false(client_any(&s));
}

/* A second INPUT before the first is done. */
static void input_out_of_turn(void **state)
{
	static char data[MESSAGE_INPUT_MAX];
	struct client *c;
	int fd = join(false, 0, &c);

	(void)state;
	assert_true(fcntl(s.input, F_SETPIPE_SZ, 4096) > 0);
	send_input(fd, c, data, sizeof(data));
	assert_true(c->fd >= 0);
	send_input(fd, c, data, 1);
	assert_int_equal(c->fd, -1);
	close(fd);
}

static void as_nobody(void)
{
	struct message m;
	int fd;

	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	fd = connect_to();
	CHECK(fd >= 0);
	/* Nobody answers before the parent accepts: the socket is ours until the end. */
	CHECK(fcntl(fd, F_SETFL, 0) == 0);
	CHECK(message_recv(fd, &m) == 0);
	CHECK(m.head.type == MESSAGE_REFUSED);
}

static void accept_one(void)
{
	struct err err = ERR_INIT;
	pid_t pid;
	int status;

	s.listener = hold_listen(s.dir, &err);
	CHECK(s.listener >= 0);
	CHECK(chmod(place, 0755) == 0 && chmod(in_place(HOLD_SOCKET), 0777) == 0);
	pid = fork();
	if (pid == 0) {
		as_nobody();
		_exit(0);
	}
	CHECK(fcntl(s.listener, F_SETFL, 0) == 0);
	CHECK(client_connect(&s));
	CHECK(!client_any(&s));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	/* Root may, whoever we are. */
	CHECK(connect_to() >= 0);
	CHECK(seteuid(65534) == 0);
	CHECK(client_connect(&s));
	CHECK(client_any(&s));
	CHECK(seteuid(0) == 0);
}

static void another_user_is_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(accept_one), 0);
}

static void only_so_many(void **state)
{
	struct err err = ERR_INIT;
	int fds[CLIENTS_MAX + 1];

	(void)state;
	s.listener = hold_listen(s.dir, &err);
	assert_true(s.listener >= 0);
	assert_false(client_connect(&s));
	for (int i = 0; i <= CLIENTS_MAX; i++) {
		fds[i] = connect_to();
		assert_true(fds[i] >= 0);
		assert_true(client_connect(&s));
	}
	next(fds[CLIENTS_MAX], MESSAGE_REFUSED);
	hears_nothing(fds[0]);
	/* A free place is taken again. */
	client_drop(&s, &s.clients[5]);
	close(fds[CLIENTS_MAX]);
	fds[CLIENTS_MAX] = connect_to();
	assert_true(client_connect(&s));
	hears_nothing(fds[CLIENTS_MAX]);
	for (int i = 0; i <= CLIENTS_MAX; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(output_goes_to_all),
		TEST(output_in_turns),
		TEST(drained_to_the_end),
		TEST(a_slow_client_loses),
		TEST(the_first_client_is_waited_for),
		TEST(input_is_passed_on),
		TEST(input_nobody_reads),
		TEST(input_ends),
		TEST(input_of_a_terminal),
		TEST(bad_messages),
		TEST(input_out_of_turn),
		TEST(another_user_is_refused),
		TEST(only_so_many),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
