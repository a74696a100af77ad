/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is passed on of a container's notifications, and to whom. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/notify_socket.h"
#include "test_fork.h"

static char dir[64], host_path[128];
static int host = -1, inside[2]; /* inside[1] is the container's */

static int bound(const char *name)
{
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = strlen(name);

	memcpy(a.sun_path, name, n);
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(bind(s, (struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
			 0);
	return s;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/oakum-notify-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(host_path, sizeof(host_path), "%s/host", dir);
	host = bound(host_path);
	return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, inside);
}

static int tear_down(void **state)
{
	(void)state;
	close(host);
	close(inside[0]);
	close(inside[1]);
	unlink(host_path);
	return rmdir(dir);
}

static int pass(const char *path, pid_t main_pid, struct err *err)
{
	const struct notify_host to = {.path = path, .main_pid = main_pid};

	return notify_socket_relay(inside[0], &to, err);
}

static int relay(const char *said, pid_t pid)
{
	struct err err = ERR_INIT;
	int r;

	assert_int_equal(send(inside[1], said, strlen(said), 0), (ssize_t)strlen(said));
	r = pass(host_path, pid, &err);
	if (r < 0)
		fail_msg("%s", err.text);
	return r;
}

static const char *heard(void)
{
	static char text[8192];
	ssize_t n = recv(host, text, sizeof(text) - 1, 0);

	if (n < 0)
		return NULL;
	text[n] = '\0';
	return text;
}

static void lines(void **state)
{
	static const struct {
		const char *said, *heard;
	} rows[] = {
		{"READY=1", "READY=1"},
		{"READY=1\n", "READY=1"},
		{"STATUS=a b=c\nREADY=0\nWATCHDOG=1", "STATUS=a b=c\nWATCHDOG=1"},
		{"\n\nSTOPPING=1\n\n", "STOPPING=1"},
		{"WATCHDOG=trigger\nERRNO=5\nBUSERROR=x\nEXIT_STATUS=7\nMONOTONIC_USEC=1\n"
		 "WATCHDOG_USEC=2\nEXTEND_TIMEOUT_USEC=3\nRELOADING=1",
		 "WATCHDOG=trigger\nERRNO=5\nBUSERROR=x\nEXIT_STATUS=7\nMONOTONIC_USEC=1\n"
		 "WATCHDOG_USEC=2\nEXTEND_TIMEOUT_USEC=3\nRELOADING=1"},
		{"MAINPID=1", NULL},
		{"FDSTORE=1\nFDNAME=x", NULL},
		{"NOTIFYACCESS=all", NULL},
		{"READY=11", NULL},
		{" READY=1", NULL},
		{"BARRIER=1", NULL}, /* without a descriptor */
		{"X_READY=1\nMAINPID=5\nSTATUS=", "STATUS="},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *got;

		assert_true(relay(rows[i].said, 0) & NOTIFY_TAKEN);
		got = heard();
		if (!got != !rows[i].heard || (got && strcmp(got, rows[i].heard) != 0))
			fail_msg("%s: %s", rows[i].said, got ? got : "nothing");
		assert_null(heard());
	}
	assert_int_equal(pass(host_path, 0, NULL), NOTIFY_EMPTY);
}

static void ready(void **state)
{
	(void)state;
	assert_int_equal(relay("STATUS=x", 77), NOTIFY_TAKEN);
	assert_string_equal(heard(), "STATUS=x");
	assert_int_equal(relay("READY=1\nMAINPID=1", 77), NOTIFY_TAKEN | NOTIFY_READY);
	assert_string_equal(heard(), "READY=1\nMAINPID=77");
	/* Nobody to tell: read all the same. */
	assert_int_equal(send(inside[1], "READY=1", 7, 0), 7);
	assert_int_equal(pass(NULL, 0, NULL), NOTIFY_TAKEN);
	assert_int_equal(pass(NULL, 0, NULL), NOTIFY_EMPTY);
}

/* A message longer than any manager takes is none; one with a NUL in a line loses that line. */
static void odd_messages(void **state)
{
	static char large[6000];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, "STATUS=", 7);
	assert_int_equal(relay(large, 0), NOTIFY_TAKEN);
	assert_null(heard());
	assert_int_equal(send(inside[1], "STATUS=a\0b\nREADY=1", 18, 0), 18);
	assert_int_equal(pass(host_path, 0, NULL), NOTIFY_TAKEN | NOTIFY_READY);
	assert_string_equal(heard(), "READY=1");
	assert_int_equal(send(inside[1], "", 0, 0), 0);
	assert_int_equal(pass(host_path, 0, NULL), NOTIFY_TAKEN);
	large[4000] = '\0';
	assert_int_equal(relay(large, 0), NOTIFY_TAKEN);
	assert_int_equal(strlen(heard()), 4000);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Descriptors stay out, but that of a barrier, which is passed on and not kept. */
static void descriptors(void **state)
{
	int ends[2], before = count_fds(), fds[3], n = 3;
	struct err err = ERR_INIT;
	char text[64];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(
		io_send_fds(inside[1], "READY=1\nFDSTORE=1", 17, (int[]){ends[1], ends[1]}, 2), 0);
	assert_int_equal(pass(host_path, 0, &err), NOTIFY_TAKEN | NOTIFY_READY);
	assert_int_equal(io_recv_fds(host, text, sizeof(text), fds, &n), 7);
	assert_int_equal(n, 0);

	assert_int_equal(io_send_fds(inside[1], "BARRIER=1", 9, &ends[1], 1), 0);
	assert_int_equal(pass(host_path, 0, &err), NOTIFY_TAKEN);
	close(ends[1]);
	assert_int_equal(io_poll_until(ends[0], 0, clock_deadline(20)), 0);
	n = 3;
	assert_int_equal(io_recv_fds(host, text, sizeof(text), fds, &n), 9);
	assert_int_equal(n, 1);
	close(fds[0]);
	assert_true(io_poll_until(ends[0], 0, clock_deadline(1000)) & POLLHUP);
	close(ends[0]);
	assert_int_equal(count_fds(), before);
}

static void barrier(void **state)
{
	const struct notify_host manager = {.path = host_path}, nobody = {.path = "/no/such"};
	struct err err = ERR_INIT;

	(void)state;
	/* Nobody reads: until the deadline. Then what was sent is there, and was read by then. */
	assert_int_equal(notify_socket_barrier(&manager, clock_deadline(50), &err), -ETIMEDOUT);
	assert_string_equal(heard(), "BARRIER=1");
	assert_int_equal(notify_socket_barrier(&nobody, clock_deadline(50), &err), -ENOENT);
}

/* Who said what has come to the manager, as it sees it. */
static pid_t heard_from(void)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char text[64];
	struct iovec iov = {text, sizeof(text)};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.room,
			   .msg_controllen = sizeof(control.room)};
	struct cmsghdr *c;
	struct ucred creds;

	assert_true(recvmsg(host, &m, 0) > 0);
	c = CMSG_FIRSTHDR(&m);
	assert_non_null(c);
	assert_int_equal(c->cmsg_type, SCM_CREDENTIALS);
	memcpy(&creds, CMSG_DATA(c), sizeof(creds));
	return creds.pid;
}

static void sender(void **state)
{
	const int on = 1;
	pid_t other = getppid();
	struct notify_host to = {.path = host_path, .sender = other};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(setsockopt(host, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	assert_int_equal(notify_socket_tell(&to, "READY=1", &err), 0);
	assert_int_equal(heard_from(), geteuid() == 0 ? other : getpid());
	/* Where the kernel does not let us, the word goes all the same. */
	to.sender = INT_MAX;
	assert_int_equal(notify_socket_tell(&to, "READY=1", &err), 0);
	assert_int_equal(heard_from(), getpid());
	to.path = NULL;
	assert_int_equal(notify_socket_tell(&to, "READY=1", &err), 0);
	to.path = "/no/such";
	assert_int_equal(notify_socket_tell(&to, "READY=1", &err), -ENOENT);
}

/* A manager that does not read: what is not worth a wait is dropped at once. */
static void a_full_queue(void **state)
{
	struct err err = ERR_INIT;
	int64_t began = clock_now_ms();
	int r = NOTIFY_TAKEN;

	(void)state;
	for (int i = 0; i < 5000 && r == NOTIFY_TAKEN; i++)
		r = relay("WATCHDOG=1", 0);
	assert_int_equal(r, NOTIFY_TAKEN);
	assert_true(clock_now_ms() - began < 4000);
	assert_int_equal(send(inside[1], "READY=1", 7, 0), 7);
	assert_int_equal(pass(host_path, 0, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "READY=1"));
	while (heard())
		;
}

static void read_later(int how_many)
{
	poll(NULL, 0, 300);
	while (how_many--)
		(void)!heard();
	_exit(0);
}

/* Our own changes of state wait for room, whoever is told; a watchdog's answer does not. */
static void own_words_and_a_full_queue(void **state)
{
	static const char *const states[] = {"READY=1\nSTATUS=x", "STATUS=x\nMAINPID=7",
					     "STOPPING=1", "STATUS=last"};
	const struct notify_host to = {.path = host_path};
	const struct notify_host last = {.path = host_path, .patient = true};
	struct err err = ERR_INIT;
	int status;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		int64_t began;
		int n = 0;
		pid_t reader;

		while (notify_socket_tell(&to, "WATCHDOG=1", &err) == 0)
			n++;
		began = clock_now_ms();
		assert_int_equal(notify_socket_tell(&to, "WATCHDOG=1", &err), -EAGAIN);
		assert_int_equal(notify_socket_tell(&to, "STATUS=READY=1", &err), -EAGAIN);
		assert_true(clock_now_ms() - began < 200);
		reader = fork();
		if (reader == 0)
			read_later(n);
		assert_int_equal(notify_socket_tell(i == 3 ? &last : &to, states[i], &err), 0);
		assert_true(clock_now_ms() - began >= 200);
		assert_int_equal(waitpid(reader, &status, 0), reader);
		while (heard())
			;
	}
}

static void names(void **state)
{
	static const char *const good[] = {"/run/x", "@x", "/x"};
	static const char *const bad[] = {"", "/", "@", "x", "vsock:2:1", "run/x"};
	char abstract[64], longest[120];
	struct err err = ERR_INIT;
	int s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_null(notify_socket_bad(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_non_null(notify_socket_bad(bad[i]));
	memset(longest, '/', sizeof(longest));
	longest[107] = '\0';
	assert_null(notify_socket_bad(longest));
	longest[107] = '/';
	longest[108] = '\0';
	assert_non_null(notify_socket_bad(longest));

	snprintf(abstract, sizeof(abstract), "@oakum-unit-%d", getpid());
	s = bound(abstract);
	assert_int_equal(send(inside[1], "READY=1", 7, 0), 7);
	assert_int_equal(pass(abstract, 5, &err), NOTIFY_TAKEN | NOTIFY_READY);
	assert_int_equal(recv(s, longest, sizeof(longest), 0), 17);
	close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(ready),
		cmocka_unit_test(odd_messages),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(barrier),
		cmocka_unit_test(a_full_queue),
		cmocka_unit_test(own_words_and_a_full_queue),
		cmocka_unit_test(sender),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
