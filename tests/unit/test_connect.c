/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way to a supervisor and what is learnt there: its tmpfs and socket, who listens on it, how
 * the container ended, and the client's side of an attachment.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <termios.h>

#include "base/io.h"
#include "supervise/attach.h"
#include "supervise/connect.h"
#include "supervise/ended.h"
#include "supervise/hold.h"
#include "test_root.h"

static struct err err;

/* ---- hold.c ---- */

static void look_at(int fd)
{
	struct statfs fs;
	struct stat st;
	char name[16];
	int made = 0;

	CHECK(fstatfs(fd, &fs) == 0 && fstat(fd, &st) == 0);
	CHECK(fs.f_type == TMPFS_MAGIC);
	CHECK(fs.f_blocks * (unsigned long)fs.f_bsize == 65536);
	CHECK((fs.f_flags & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) ==
	      (ST_NOSUID | ST_NODEV | ST_NOEXEC));
	CHECK(st.st_mode == (S_IFDIR | 0700) && st.st_uid == geteuid());
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	do
		(void)snprintf(name, sizeof(name), "f%d", ++made);
	while (made < 100 && mkfifoat(fd, name, 0600) == 0);
	CHECK(errno == ENOSPC && made == 16);
}

static void made_by_root(void)
{
	int fd = hold_make(&err);

	CHECK_OK(fd, err);
	look_at(fd);
}

/* Without the right to mount, if user namespaces are to be had. */
static void made_by_a_user(void)
{
	int fd;

	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	err = ERR_INIT;
	fd = hold_make(&err);
	if (fd >= 0) {
		look_at(fd);
		return;
	}
	CHECK(fd == -EPERM && err.code > 0);
	CHECK(strstr(err.text, "supervisor's tmpfs"));
	CHECK(strncmp(err.hint, "a supervised container needs the right to mount", 47) == 0);
}

static void makes_a_tmpfs(void **state)
{
	char path[64], before[64];
	struct stat st;
	ssize_t n;
	int fd;

	(void)state;
	assert_int_equal(in_child(made_by_root), 0);
	assert_int_equal(in_child(made_by_a_user), 0);
	/* No path of the system leads to it. */
	fd = hold_make(&err);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, before, sizeof(before) - 1);
	assert_true(n > 0);
	before[n] = '\0';
	assert_string_equal(before, "/");
	close(fd);
}

static void fifos(void **state)
{
	int hold = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct hold_fifo out, in;
	struct stat st;
	char byte;

	(void)state;
	umask(077);
	assert_int_equal(hold_fifo(hold, "out", O_RDONLY, O_RDWR, &out, &err), 0);
	umask(022);
	assert_int_equal(fstatat(hold, "out", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFIFO | 0666);
	assert_int_equal(fcntl(out.ours, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
			 O_RDONLY | O_NONBLOCK);
	assert_int_equal(fcntl(out.theirs, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
	assert_int_equal(write(out.theirs, "x", 1), 1);
	assert_int_equal(read(out.ours, &byte, 1), 1);
	/* They see no end when we are gone. */
	close(out.ours);
	assert_int_equal(write(out.theirs, "x", 1), 1);
	assert_int_equal(hold_fifo(hold, "in", O_WRONLY, O_RDONLY, &in, &err), 0);
	close(in.ours);
	assert_int_equal(read(in.theirs, &byte, 1), 0);
	assert_true(hold_fifo(hold, "in", O_WRONLY, O_RDONLY, &in, &err) < 0);
	assert_int_equal(err.code, EEXIST);
	assert_string_equal(err.text, "make the FIFO in");
	close(out.theirs);
	close(in.theirs);
	close(hold);
}

static void one_socket(void **state)
{
	int hold = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	(void)state;
	err = ERR_INIT;
	fd = hold_listen(hold, &err);
	assert_true(fd >= 0);
	assert_true(hold_listen(hold, &err) < 0);
	assert_int_equal(err.code, EADDRINUSE);
	assert_string_equal(err.text, "bind the control socket");
	close(fd);
	close(hold);
}

/* ---- connect.c, ended.c ---- */

static int ready[2];

static void answer(void)
{
	static struct message m;
	const struct message_hello hello = {.version = MESSAGE_VERSION,
					    .flags = MESSAGE_HAS_TERMINAL};
	const struct message_exit end = {.status = 9, .known = 1, .oom_kills = 2};
	int hold = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd, listener = hold_listen(hold, &err);

	CHECK_OK(listener, err);
	CHECK(fcntl(listener, F_SETFL, 0) == 0);
	CHECK(write(ready[1], &hold, sizeof(hold)) == sizeof(hold));
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (message_recv(fd, &m) >= 0 && m.head.type == MESSAGE_HELLO)
			break;
		close(fd);
	}
	CHECK(message_send(fd, MESSAGE_WELCOME, 0, &hello, sizeof(hello)) == 0);
	CHECK(message_send(fd, MESSAGE_OUTPUT, 1, "bytes", 5) == 0);
	CHECK(message_send(fd, MESSAGE_EXIT, 0, &end, sizeof(end)) == 0);
}

/* A process that @body is, which says its descriptor of the control directory. */
static pid_t supervise(void (*body)(void), int *ret_fd)
{
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		body();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], ret_fd, sizeof(*ret_fd)), sizeof(*ret_fd));
	close(ready[0]);
	return pid;
}

static int put_supervised(void **state, pid_t supervisor, int fd)
{
	struct state s = {.bundle = "/b", .supervisor_fd = fd};

	assert_int_equal(proc_identify(supervisor, -1, &s.supervisor), 0);
	return put_state(state, "x", &s);
}

static int open_x(void **state, struct connection *ret)
{
	struct line *l = *state;
	struct oakum_state *s;
	int r;

	assert_int_equal(oakum_state(l->c.oakum, "x", &s), 0);
	err = ERR_INIT;
	r = connect_open(s, ret, &err);
	oakum_state_free(s);
	return r;
}

static void asks_the_supervisor(void **state)
{
	struct line *l = *state;
	struct connection c;
	struct exit_record r;
	int fd, status;
	pid_t pid = supervise(answer, &fd);

	close(put_supervised(state, pid, fd));
	assert_int_equal(open_x(state, &c), CONNECT_DONE);
	assert_true(c.sock >= 0 && c.pidfd >= 0);
	connect_close(&c, 0);
	assert_true(c.sock < 0 && c.pidfd < 0);
	assert_int_equal(ended_wait(l->c.oakum, "x", &r, &err), ENDED_DONE);
	assert_int_equal(r.status, 9);
	assert_int_equal(r.signal, 0);
	assert_true(r.known);
	assert_int_equal(r.oom_kills, 2);
	/* It has been waited for. */
	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_int_equal(status, 0);
	assert_int_equal(open_x(state, &c), CONNECT_NONE);
}

static void waits(void)
{
	int hold = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(write(ready[1], &hold, sizeof(hold)) == sizeof(hold));
	pause();
}

/* Somebody else listens there, as after its pid has changed hands; or nobody. */
static void not_the_supervisor(void **state)
{
	int fd, listener, hold = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = supervise(waits, &fd);
	struct connection c;

	close(put_supervised(state, pid, fd));
	assert_int_equal(open_x(state, &c), CONNECT_NONE);
	listener = hold_listen(hold, &err);
	assert_true(listener >= 0);
	assert_int_equal(open_x(state, &c), CONNECT_NONE);
	close(listener);
	assert_int_equal(open_x(state, &c), CONNECT_NONE);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(hold);
}

static void hellos(void **state)
{
	static const struct message_hello hello = {.version = MESSAGE_VERSION,
						   .flags = MESSAGE_HAS_INPUT};
	static const struct {
		enum message_type type;
		size_t size;
		int r, code;
	} rows[] = {
		{MESSAGE_WELCOME, sizeof(hello), CONNECT_DONE, 0},
		{MESSAGE_WELCOME, 4, -EPROTO, EPROTO},
		{MESSAGE_EXIT, sizeof(hello), -EPROTO, EPROTO},
		{MESSAGE_REFUSED, 0, -ECONNREFUSED, ECONNREFUSED},
		{0, 0, CONNECT_NONE, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct connection c = {.pidfd = -1};
		struct message m;
		uint32_t flags = 77;
		int ends[2];

		err = ERR_INIT;
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
		c.sock = ends[0];
		if (rows[i].type)
			assert_int_equal(
				message_send(ends[1], rows[i].type, 0, &hello, rows[i].size), 0);
		else
			close(ends[1]);
		assert_int_equal(connect_hello(&c, MESSAGE_WANTS_OUTPUT, &flags, &err), rows[i].r);
		assert_int_equal(err.code, rows[i].code);
		assert_int_equal(flags, rows[i].r == CONNECT_DONE ? MESSAGE_HAS_INPUT : 77);
		assert_int_equal(!err.hint[0], rows[i].type != MESSAGE_REFUSED);
		connect_close(&c, 1);
		if (!rows[i].type)
			continue;
		assert_int_equal(message_recv(ends[1], &m), sizeof(hello));
		assert_int_equal(m.head.type, MESSAGE_HELLO);
		close(ends[1]);
	}
}

/* Its supervisor has gone and left a record. */
static void reads_the_record(void **state)
{
	const struct exit_record left = {.signal = 15, .known = true, .oom_kills = 1};
	struct line *l = *state;
	struct exit_record r;
	int dir = put_container(state, "x", "/b", 0, NULL);

	assert_int_equal(exit_write(dir, &left), 0);
	assert_int_equal(ended_wait(l->c.oakum, "x", &r, &err), ENDED_DONE);
	assert_int_equal(r.signal, 15);
	assert_true(r.known);
	assert_int_equal(r.oom_kills, 1);
	close(dir);
}

/* By which poll(2) is called. */
#ifdef SYS_poll
#define POLL SYS_poll
#else
#define POLL SYS_ppoll
#endif

/* Until process @pid waits in poll(2), as far as we may see that. */
static void until_it_polls(pid_t pid)
{
	char path[64], text[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	do {
		(void)sched_yield();
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
	} while (n > 0 && strtol(text, NULL, 10) != POLL);
}

/* Between a process and us, so that somebody reaps it at once. */
static void parent_of_one(void)
{
	pid_t who = getppid(), pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		until_it_polls(who);
		(void)kill(getpid(), SIGKILL);
	}
	CHECK(write(ready[1], &pid, sizeof(pid)) == sizeof(pid));
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void asks_the_kernel(void **state)
{
	struct line *l = *state;
	pid_t init, parent = supervise(parent_of_one, &init);
	struct exit_record r;
	int held = -1, status;

	close(put_container(state, "x", "/b", init, NULL));
	assert_int_equal(ended_hold(l->c.oakum, "x", &held, &err), ENDED_DONE);
	assert_true(held >= 0);
	assert_false(proc_ended(held));
	assert_int_equal(ended_wait(l->c.oakum, "x", &r, &err), ENDED_DONE);
	assert_true(proc_ended(held));
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	/* Since Linux 6.15. */
	assert_int_equal(r.known || proc_exit_status(held, &status) < 0, 1);
	assert_int_equal(r.signal, r.known ? SIGKILL : 0);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.oom_kills, -1);
	close(held);

	assert_int_equal(ended_hold(l->c.oakum, "x", &held, &err), ENDED_DONE);
	assert_int_equal(held, -1);
	assert_int_equal(ended_wait(l->c.oakum, "x", &r, &err), ENDED_DONE);
	assert_false(r.known);
	assert_int_equal(ended_hold(l->c.oakum, "none", &held, &err), ENDED_LIBRARY);
	assert_int_equal(ended_wait(l->c.oakum, "none", &r, &err), ENDED_LIBRARY);
	assert_int_equal(oakum_error_kind(l->c.oakum), OAKUM_E_STATE);
}

/* ---- attach.c: each in a child, whose stdio it is about ---- */

static char warned[256];
static int stdio[3], pair[2];

static void warn(void *data, const char *line)
{
	(void)data;
	(void)snprintf(warned, sizeof(warned), "%s", line);
}

/* Pipes as our stdio; ->sock is one end of a pair, pair[1] the supervisor's. */
static struct attach_options begin(void)
{
	int ends[2];

	warned[0] = '\0';
	err = ERR_INIT;
	for (int i = 0; i < 3; i++) {
		CHECK(pipe2(ends, O_CLOEXEC) == 0);
		/* The error of a CHECK is to be seen. */
		if (i < 2)
			CHECK(dup2(ends[i > 0], i) == i);
		stdio[i] = ends[i == 0];
		close(ends[i > 0]);
	}
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	return (struct attach_options){.sock = pair[0], .warn = warn};
}

static void send_end(int status)
{
	const struct message_exit end = {.status = status, .known = 1};

	CHECK(message_send(pair[1], MESSAGE_EXIT, 0, &end, sizeof(end)) == 0);
}

static void shows(void)
{
	struct attach_options o = begin();
	const uint64_t lost[] = {5, 7};
	struct attach_result r;
	char text[16] = "";

	CHECK(message_send(pair[1], MESSAGE_OUTPUT, 1, "one", 3) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(message_send(pair[1], MESSAGE_LOST, 0, &lost[i], 8) == 0);
	CHECK(message_send(pair[1], MESSAGE_LOST, 0, &lost[0], 4) == 0);
	CHECK(message_send(pair[1], MESSAGE_OUTPUT, 1, "two", 3) == 0);
	send_end(4);
	CHECK_OK(attach_run(&o, &r, &err), err);
	CHECK(r.end == ATTACH_EXITED && r.exit.status == 4 && r.exit.known);
	CHECK(read(stdio[1], text, sizeof(text)) == 6);
	CHECK(strcmp(text, "onetwo") == 0);
	/* The first is told at once, what comes within a second together. */
	CHECK(strcmp(warned, "output lost: 7 bytes came faster than they were read here") == 0);
}

static void peer(void)
{
	struct message m;
	char byte;

	CHECK(message_recv(pair[1], &m) == 3 && m.head.type == MESSAGE_INPUT);
	CHECK(memcmp(m.data, "abc", 3) == 0);
	/* The end of stdin waits until this is done, also in a turn that has come and gone. */
	for (int i = 0; i < 2; i++) {
		CHECK(message_send(pair[1], MESSAGE_OUTPUT, 1, "x", 1) == 0);
		CHECK(read(stdio[1], &byte, 1) == 1);
	}
	CHECK(recv(pair[1], &m, 1, MSG_DONTWAIT | MSG_PEEK) < 0);
	CHECK(message_send(pair[1], MESSAGE_INPUT_DONE, 0, NULL, 0) == 0);
	CHECK(message_recv(pair[1], &m) == 0 && m.head.type == MESSAGE_INPUT_EOF);
	send_end(0);
	_exit(0);
}

static void passes_input(void)
{
	struct attach_options o = begin();
	struct attach_result r;
	int status;
	pid_t pid;

	o.input = true;
	CHECK(write(stdio[0], "abc", 3) == 3);
	close(stdio[0]);
	pid = fork();
	if (pid == 0)
		peer();
	CHECK_OK(attach_run(&o, &r, &err), err);
	CHECK(r.end == ATTACH_EXITED && r.exit.status == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void pending(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(kill(getpid(), sig) == 0);
}

static void takes_signals(void)
{
	struct attach_options o = begin();
	struct attach_result r;

	pending(SIGTERM);
	CHECK_OK(attach_run(&o, &r, &err), err);
	CHECK(r.end == ATTACH_SIGNALLED && r.signal == SIGTERM);
}

static void signal_peer(void)
{
	struct message m;
	int32_t sig;

	CHECK(message_recv(pair[1], &m) == 4 && m.head.type == MESSAGE_SIGNAL);
	CHECK(message_get(&m, &sig, sizeof(sig)) == 0 && sig == SIGUSR1);
	send_end(1);
	_exit(0);
}

static void passes_signals(void)
{
	struct attach_options o = begin();
	struct attach_result r;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		signal_peer();
	o.signals = true;
	pending(SIGUSR1);
	CHECK_OK(attach_run(&o, &r, &err), err);
	CHECK(r.end == ATTACH_EXITED && r.exit.status == 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void fails(void)
{
	struct attach_options o = begin();
	struct attach_result r;

	/* Gone without a word; an end that is none; nobody reads what we print. */
	close(pair[1]);
	CHECK(attach_run(&o, &r, &err) == 0 && r.end == ATTACH_ABANDONED);
	o = begin();
	CHECK(message_send(pair[1], MESSAGE_EXIT, 0, "", 1) == 0);
	CHECK(attach_run(&o, &r, &err) == -EPROTO);
	CHECK(strcmp(err.text, "the exit status") == 0);
	o = begin();
	CHECK(send(pair[1], "x", 1, 0) == 1);
	CHECK(attach_run(&o, &r, &err) == -EPROTO);
	CHECK(strcmp(err.text, "read from the supervisor") == 0);
	o = begin();
	close(stdio[1]);
	CHECK(message_send(pair[1], MESSAGE_OUTPUT, 1, "x", 1) == 0);
	CHECK(attach_run(&o, &r, &err) == -EPIPE);
	CHECK(strcmp(err.text, "write the container's output") == 0);
}

/* ^P^Q after other keys, on a terminal whose settings and size are the person's. */
static void detaches(void)
{
	const struct winsize size = {.ws_row = 12, .ws_col = 34};
	struct attach_options o = begin();
	struct termios before, after;
	struct message_winsize got;
	struct attach_result r;
	struct message m;
	char name[64];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	CHECK(grantpt(master) == 0 && unlockpt(master) == 0);
	CHECK(ptsname_r(master, name, sizeof(name)) == 0);
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(slave >= 0 && dup2(slave, 0) == 0);
	CHECK(ioctl(master, TIOCSWINSZ, &size) == 0 && tcgetattr(0, &before) == 0);
	/* As typed: without an echo or lines from now on, or the keys would not come through. */
	after = before;
	cfmakeraw(&after);
	CHECK(tcsetattr(0, TCSANOW, &after) == 0);
	CHECK(write(master, "ls\020x\020\021", 6) == 6);
	o.terminal = o.input = true;
	CHECK(keys_parse(KEYS_DEFAULT, &o.keys) == 0);
	CHECK_OK(attach_run(&o, &r, &err), err);
	CHECK(r.end == ATTACH_DETACHED);
	CHECK(message_recv(pair[1], &m) > 0 && m.head.type == MESSAGE_WINSIZE);
	CHECK(message_get(&m, &got, sizeof(got)) == 0 && got.rows == 12 && got.columns == 34);
	CHECK(message_recv(pair[1], &m) == 4 && m.head.type == MESSAGE_INPUT);
	CHECK(memcmp(m.data, "ls\020x", 4) == 0);
	CHECK(tcgetattr(0, &before) == 0);
	CHECK(before.c_lflag == after.c_lflag && before.c_oflag == after.c_oflag);
}

#define CHILD(body)                                                                                \
	static void test_##body(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(body), 0);                                               \
	}
CHILD(shows)
CHILD(passes_input)
CHILD(takes_signals)
CHILD(passes_signals)
CHILD(fails)
CHILD(detaches)

#define IN_ROOT(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_a_tmpfs),
		IN_ROOT(fifos),
		IN_ROOT(one_socket),
		IN_ROOT(asks_the_supervisor),
		IN_ROOT(not_the_supervisor),
		IN_ROOT(hellos),
		IN_ROOT(reads_the_record),
		IN_ROOT(asks_the_kernel),
		cmocka_unit_test(test_shows),
		cmocka_unit_test(test_passes_input),
		cmocka_unit_test(test_takes_signals),
		cmocka_unit_test(test_passes_signals),
		cmocka_unit_test(test_fails),
		cmocka_unit_test(test_detaches),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
