/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a supervisor to its end, with a child for the container, and what the service manager
 * hears of it. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#include "base/sys.h"
#include "test_supervisor.h"

/* ---- the loop ---- */

/* The container's process. */
static pid_t begin(void (*body)(void))
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		fd_replace(&s.input, -1);
		body();
		_exit(0);
	}
	s.pidfd = sys_pidfd_open(pid, 0);
	assert_true(s.pidfd >= 0);
	assert_int_equal(loop_watch(&s, s.pidfd, EPOLLIN | EPOLLET, EVENT_ENDED, 0), 0);
	for (int i = 0; i < 3; i++)
		fd_replace(&theirs[i], -1);
	return pid;
}

static void take_sigterm(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	s.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	assert_int_equal(loop_watch(&s, s.signals, EPOLLIN, EVENT_SIGNAL, 0), 0);
}

static void record_is(int status, int sig, bool complete)
{
	struct exit_record r;
	struct err err = ERR_INIT;

	assert_int_equal(exit_read(s.dir, &r, &err), EXIT_PRESENT);
	assert_true(r.known);
	assert_int_equal(r.status, status);
	assert_int_equal(r.signal, sig);
	assert_int_equal(r.oom_kills, -1);
	assert_int_equal(s.exit.complete, complete);
}

static void exit_is(int fd, int status, int sig)
{
	struct message_exit m;

	assert_int_equal(message_get(next(fd, MESSAGE_EXIT), &m, sizeof(m)), 0);
	assert_int_equal(m.status, status);
	assert_int_equal(m.signal, sig);
	assert_int_equal(m.known, 1);
	assert_int_equal(m.oom_kills, -1);
}

static void echoes(void)
{
	char text[16];
	ssize_t n;

	CHECK(fcntl(theirs[0], F_SETFL, 0) == 0);
	n = read(theirs[0], text, sizeof(text));
	CHECK(n > 0 && write(theirs[1], text, (size_t)n) == n);
	_exit(7);
}

static void fails(void)
{
	_exit(1);
}

static void a_whole_life(void **state)
{
	struct client *c, *silent;
	int fd = join(true, MESSAGE_WANTS_OUTPUT, &c), ends[2], status;
	pid_t pid;

	(void)state;
	/* One that has connected and never says a word does not keep us for ever: it goes. */
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	silent = client_add(&s, ends[0]);
	assert_non_null(silent);
	close(ends[1]);
	assert_int_equal(message_send(fd, MESSAGE_INPUT, 0, "ping", 4), 0);
	pid = begin(echoes);
	loop_run(&s);
	next(fd, MESSAGE_INPUT_DONE);
	assert_memory_equal(next(fd, MESSAGE_OUTPUT)->data, "ping", 4);
	exit_is(fd, 7, 0);
	record_is(7, 0, true);
	assert_int_equal(s.exit.bytes[1], 4);
	assert_int_equal(s.pidfd, -1);
	assert_int_equal(s.input, -1);
	assert_false(client_any(&s));
	/* Reaped. */
	assert_int_equal(waitpid(pid, &status, WNOHANG), -1);
	close(fd);
}

static void sleeps(void)
{
	sigset_t set;

	sigemptyset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	pause();
}

static void a_signal_stops_it(void **state)
{
	struct client *c;
	int fd = join(false, 0, &c);

	(void)state;
	take_sigterm();
	(void)begin(sleeps);
	/* Pending until the loop looks: the second one changes nothing. */
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	loop_run(&s);
	exit_is(fd, 0, SIGTERM);
	record_is(0, SIGTERM, true);
	close(fd);
}

static void waits_for_int(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	_exit(sigwait(&set, &sig) == 0 ? 9 : 1);
}

/* As it is, and how long it may take is the unit's to say. */
static void a_signal_of_a_unit_is_passed_on(void **state)
{
	struct client *c;
	int fd = join(false, 0, &c);
	sigset_t set;

	(void)state;
	o.unit = true;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	s.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	assert_int_equal(loop_watch(&s, s.signals, EPOLLIN, EVENT_SIGNAL, 0), 0);
	(void)begin(waits_for_int);
	assert_int_equal(kill(getpid(), SIGINT), 0);
	loop_run(&s);
	exit_is(fd, 9, 0);
	record_is(9, 0, true);
	close(fd);
}

static void a_client_sends_a_signal(void **state)
{
	const int32_t sig = SIGKILL;
	struct client *c;
	int fd = join(false, 0, &c);

	(void)state;
	assert_int_equal(message_send(fd, MESSAGE_SIGNAL, 0, &sig, sizeof(sig)), 0);
	(void)begin(sleeps);
	loop_run(&s);
	exit_is(fd, 0, SIGKILL);
	record_is(0, SIGKILL, true);
	close(fd);
}

/* Somebody still has the output open, who comes late is told all the same. */
static void told_after_the_end(void **state)
{
	struct message_hello hello = {.version = MESSAGE_VERSION};
	int late, keep = fcntl(theirs[1], F_DUPFD_CLOEXEC, 3);
	struct err err = ERR_INIT;

	(void)state;
	s.listener = hold_listen(s.dir, &err);
	late = connect_to();
	assert_int_equal(message_send(late, MESSAGE_HELLO, 0, &hello, sizeof(hello)), 0);
	(void)begin(fails);
	loop_run(&s);
	next(late, MESSAGE_WELCOME);
	exit_is(late, 1, 0);
	record_is(1, 0, false);
	close(late);
	close(keep);
}

/* A client that does not read is left behind when we are told to end. */
static void a_signal_ends_the_telling(void **state)
{
	static char data[64];
	struct client *deaf, *c;
	int to_deaf = join(false, MESSAGE_WANTS_OUTPUT, &deaf), fd = join(false, 0, &c), status;
	pid_t helper, parent = getpid();

	(void)state;
	while (ring_used(&deaf->ring) == 0)
		client_output(&s, 1, data, sizeof(data));
	take_sigterm();
	helper = fork();
	assert_true(helper >= 0);
	if (helper == 0) {
		struct message m;

		(void)fcntl(fd, F_SETFL, 0);
		while (message_recv(fd, &m) >= 0 && m.head.type != MESSAGE_EXIT)
			;
		_exit(m.head.type == MESSAGE_EXIT ? kill(parent, SIGTERM) != 0 : 1);
	}
	close(fd);
	(void)begin(fails);
	loop_run(&s);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_int_equal(status, 0);
	assert_true(deaf->fd >= 0);
	assert_true(deaf->exit_due);
	close(to_deaf);
}

/* ---- manager.c ---- */

static int manager;

static const char *told(void)
{
	static char text[512];
	ssize_t n = recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n < 0)
		return "nothing";
	text[n] = '\0';
	return text;
}

static int with_manager(void **state)
{
	static struct sockaddr_un a;
	int ends[2];

	if (set_up(state) < 0)
		return -1;
	a = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(a.sun_path, in_place("notify"), strlen(in_place("notify")));
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(manager, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return -1;
	s.notify = ends[0];
	fd_replace(&theirs[0], ends[1]);
	o.notify = (struct supervise_notify){.socket = a.sun_path, .main_pid = getppid()};
	return 0;
}

static int without_manager(void **state)
{
	close(manager);
	return tear_down(state);
}

static void speaks_to_the_manager(void **state)
{
	char want[64];

	(void)state;
	/* The container says itself when it is ready, and we go on as the main process. */
	o.notify.container = true;
	manager_begin(&s);
	snprintf(want, sizeof(want), "MAINPID=%d", getpid());
	assert_string_equal(told(), want);
	assert_int_equal(send(theirs[0], "STATUS=up\nMAINPID=1", 19, 0), 19);
	assert_int_equal(send(theirs[0], "READY=1", 7, 0), 7);
	manager_relay(&s);
	assert_string_equal(told(), "STATUS=up");
	snprintf(want, sizeof(want), "READY=1\nMAINPID=%d", getpid());
	assert_string_equal(told(), want);
	/* In the foreground `up` stays that. */
	o.foreground = true;
	manager_begin(&s);
	assert_string_equal(told(), "nothing");
	assert_int_equal(send(theirs[0], "READY=1", 7, 0), 7);
	manager_relay(&s);
	snprintf(want, sizeof(want), "READY=1\nMAINPID=%d", getppid());
	assert_string_equal(told(), want);
	fd_replace(&s.notify, -1);
	manager_relay(&s);
	assert_string_equal(told(), "nothing");
}

static void feeds_the_watchdog(void **state)
{
	int64_t before;

	(void)state;
	manager_begin(&s);
	assert_true(s.watchdog_ms == CLOCK_FOREVER);
	o.notify.watchdog_usec = 30000000;
	o.notify.container = true;
	manager_begin(&s);
	(void)told();
	assert_true(s.watchdog_ms == CLOCK_FOREVER);
	o.notify.container = false;
	manager_begin(&s);
	assert_string_equal(told(), "nothing");
	before = clock_now_ms();
	manager_watchdog(&s);
	assert_string_equal(told(), "WATCHDOG=1");
	/* At half of the time, and not before. */
	assert_true(s.watchdog_ms >= before + 15000 && s.watchdog_ms <= clock_now_ms() + 15000);
	manager_watchdog(&s);
	assert_string_equal(told(), "nothing");
}

static void tells_the_end(void **state)
{
	(void)state;
	manager_exit(&s);
	assert_string_equal(told(), "STATUS=the container has ended");
	s.exit = (struct exit_record){.known = true, .status = 3};
	manager_exit(&s);
	assert_string_equal(told(), "STATUS=the container exited with status 3");
	s.exit = (struct exit_record){.known = true, .signal = SIGSEGV};
	s.watchdog_ms = 0;
	manager_exit(&s);
	assert_string_equal(told(), "STATUS=the container was killed by SIGSEGV");
	manager_watchdog(&s);
	assert_string_equal(told(), "nothing");
	/* Nobody there. */
	o.notify.socket = NULL;
	manager_exit(&s);
	assert_string_equal(told(), "nothing");
}

#define MANAGED(f) cmocka_unit_test_setup_teardown(f, with_manager, without_manager)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_life),
		TEST(a_signal_stops_it),
		TEST(a_signal_of_a_unit_is_passed_on),
		TEST(a_client_sends_a_signal),
		TEST(told_after_the_end),
		TEST(a_signal_ends_the_telling),
		MANAGED(speaks_to_the_manager),
		MANAGED(feeds_the_watchdog),
		MANAGED(tells_the_end),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
