/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client's queue and the packets that go through it, against a plain model. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervise/message.h"
#include "supervise/ring.h"

enum { RING = 256 };

static bool put(struct ring *r, const char *data, size_t size)
{
	struct message_head head = {.type = MESSAGE_OUTPUT, .stream = 1, .size = (uint32_t)size};

	return ring_put(r, &head, data, size);
}

static size_t take(struct ring *r, char *out)
{
	char packet[RING];
	struct iovec iov[2];
	size_t n;

	assert_true(ring_front(r, iov));
	memcpy(packet, iov[0].iov_base, iov[0].iov_len);
	memcpy(packet + iov[0].iov_len, iov[1].iov_base, iov[1].iov_len);
	n = iov[0].iov_len + iov[1].iov_len - sizeof(struct message_head);
	memcpy(out, packet + sizeof(struct message_head), n);
	ring_pop(r);
	return n;
}

static void keeps_messages_whole(void **state)
{
	char memory[RING], model[64][100], data[100], out[RING];
	size_t sizes[64], first = 0, last = 0;
	struct ring r;
	unsigned seed = 3, refused = 0;

	(void)state;
	ring_init(&r, memory, RING);
	for (int i = 0; i < 20000; i++) {
		size_t size = (size_t)rand_r(&seed) % sizeof(data), n;

		memset(data, (char)i, size);
		if (rand_r(&seed) % 2) {
			if (put(&r, data, size)) {
				memcpy(model[last % 64], data, size);
				sizes[last++ % 64] = size;
			} else {
				refused++;
				assert_true(ring_used(&r) + size + sizeof(struct message_head) >
					    RING);
			}
		} else if (first < last) {
			n = take(&r, out);
			assert_int_equal(n, sizes[first % 64]);
			assert_memory_equal(out, model[first % 64], n);
			first++;
		}
	}
	assert_true(refused > 100 && last > 1000);
	while (first++ < last)
		take(&r, out);
	assert_int_equal(ring_used(&r), 0);
}

static void is_empty_at_first(void **state)
{
	char memory[RING];
	struct iovec iov[2];
	struct ring r;

	(void)state;
	ring_init(&r, memory, RING);
	assert_false(ring_front(&r, iov));
	assert_int_equal(ring_used(&r), 0);
}

static void takes_what_fits_to_the_byte(void **state)
{
	char memory[RING], data[RING] = {0};
	struct ring r;

	(void)state;
	ring_init(&r, memory, RING);
	assert_false(put(&r, data, RING - sizeof(struct message_head) + 1));
	assert_true(put(&r, data, RING - sizeof(struct message_head)));
	assert_int_equal(ring_used(&r), RING);
}

static void sends_and_receives(void **state)
{
	struct message_exit in = {.status = 3, .known = 1}, out;
	static struct message m;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(message_recv(pair[1], &m), -EAGAIN);
	assert_int_equal(message_send(pair[0], MESSAGE_EXIT, 0, &in, sizeof(in)), 0);
	assert_int_equal(message_recv(pair[1], &m), sizeof(in));
	assert_int_equal(m.head.type, MESSAGE_EXIT);
	assert_int_equal(message_get(&m, &out, sizeof(out)), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(message_get(&m, &out, sizeof(out) - 1), -EPROTO);
	close(pair[0]);
	assert_int_equal(message_recv(pair[1], &m), -ENOTCONN);
	assert_int_equal(message_send(pair[1], MESSAGE_INPUT_EOF, 0, NULL, 0), -EPIPE);
	close(pair[1]);
}

static void refuses_malformed_packets(void **state)
{
	struct message_head head = {.type = MESSAGE_INPUT, .size = 5};
	static struct message m;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(send(pair[0], &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(message_recv(pair[1], &m), -EPROTO);
	assert_int_equal(send(pair[0], "x", 1, 0), 1);
	assert_int_equal(message_recv(pair[1], &m), -EPROTO);
	assert_int_equal(message_send(pair[0], MESSAGE_INPUT, 0, m.data, MESSAGE_MAX), 0);
	assert_int_equal(message_recv(pair[1], &m), MESSAGE_MAX);
	close(pair[0]);
	close(pair[1]);
}

/* A peer that closes with our bytes unread resets the connection; its own last words still count.
 */
static void hears_last_words(void **state)
{
	static struct message m;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(message_send(pair[1], MESSAGE_INPUT, 0, "unread", 6), 0);
	assert_int_equal(message_send(pair[0], MESSAGE_OUTPUT, 1, "last", 4), 0);
	close(pair[0]);
	assert_int_equal(message_recv(pair[1], &m), 4);
	assert_memory_equal(m.data, "last", 4);
	assert_int_equal(message_recv(pair[1], &m), -ENOTCONN);
	close(pair[1]);
}

static void says_when_the_peer_is_full(void **state)
{
	static struct message m;
	int pair[2], sent = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	while (message_send(pair[0], MESSAGE_OUTPUT, 1, m.data, MESSAGE_MAX) == 0)
		assert_true(++sent < 1000);
	assert_int_equal(message_send(pair[0], MESSAGE_OUTPUT, 1, m.data, MESSAGE_MAX),
			 MESSAGE_FULL);
	while (message_recv(pair[1], &m) == MESSAGE_MAX)
		sent--;
	assert_int_equal(sent, 0);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_messages_whole),	       cmocka_unit_test(is_empty_at_first),
		cmocka_unit_test(takes_what_fits_to_the_byte), cmocka_unit_test(sends_and_receives),
		cmocka_unit_test(refuses_malformed_packets),   cmocka_unit_test(hears_last_words),
		cmocka_unit_test(says_when_the_peer_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
