/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loop that joins a person with a process: a child on a pty of its own stands for the
 * container's process, pipes stand for the person.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/sys.h"
#include "cli/terminal_relay.h"

/* The whole command in a child, so that its 0, 1 and signals are its own. */
struct bench {
	pid_t command;
	int in, out;
};

static void child_of(const char *script)
{
	execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	_exit(99);
}

static int stay(const char *script, bool terminal)
{
	struct oakum_process p = OAKUM_PROCESS_INIT;
	struct termios t;
	struct relay r;
	int slave = -1, status = 98;

	alarm(20);
	if (relay_begin(&r) < 0 || (terminal && openpty(&p.terminal, &slave, NULL, NULL, NULL) < 0))
		_exit(97);
	if (terminal) {
		tcgetattr(slave, &t);
		t.c_oflag &= ~(tcflag_t)ONLCR;
		t.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(slave, TCSANOW, &t);
	}
	p.pid = fork();
	if (p.pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		/* What is ignored from the start, as by nohup(1), sh cannot trap. */
		for (int sig = 1; sig < NSIG; sig++)
			signal(sig, SIG_DFL);
		if (terminal)
			login_tty(slave);
		child_of(script);
	}
	fd_close(slave);
	p.pidfd = sys_pidfd_open(p.pid, 0);
	if (relay_attach(&r, &p) < 0 || relay_wait(&r, &p, &status) < 0)
		status = 96;
	relay_end(&r);
	return status;
}

static struct bench begin(const char *script, bool terminal)
{
	struct bench b;
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	b.command = fork();
	if (b.command == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		_exit(stay(script, terminal));
	}
	close(in[0]);
	close(out[1]);
	b.in = in[1];
	b.out = out[0];
	return b;
}

static int end(struct bench *b)
{
	int status;

	fd_close(b->in);
	fd_close(b->out);
	assert_int_equal(waitpid(b->command, &status, 0), b->command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void the_status_comes_back(void **state)
{
	struct bench b = begin("exit 7", false);

	(void)state;
	assert_int_equal(end(&b), 7);
	b = begin("kill -KILL $$", false);
	assert_int_equal(end(&b), 137);
	b = begin("exit 3", true);
	assert_int_equal(end(&b), 3);
}

static void both_ways(void **state)
{
	struct bench b = begin("read x; echo got $x; exit 5", true);
	char text[64] = "";

	(void)state;
	assert_int_equal(io_write(b.in, "word\n", 5), 0);
	assert_true(io_read(b.out, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "got word\n");
	assert_int_equal(end(&b), 5);
}

static void no_byte_is_lost(void **state)
{
	struct bench b =
		begin("i=0; while [ $i -lt 9999 ]; do echo line$i; i=$((i+1)); done", true);
	char text[4096], last[16] = "";
	size_t total = 0;
	ssize_t n;

	(void)state;
	while ((n = read(b.out, text, sizeof(text))) > 0) {
		total += (size_t)n;
		if (n >= 9)
			memcpy(last, text + n - 9, 9);
	}
	/* 10 of "line0\n", 90 of "line10\n", 900, and 8999 up to line9998. */
	assert_int_equal(total, 10 * 6 + 90 * 7 + 900 * 8 + 8999 * 9);
	assert_string_equal(last, "line9998\n");
	assert_int_equal(end(&b), 0);
}

static void a_reader_who_has_gone(void **state)
{
	struct bench b =
		begin("i=0; while [ $i -lt 9999 ]; do echo line$i; i=$((i+1)); done; exit 4", true);
	char c;

	(void)state;
	assert_int_equal(read(b.out, &c, 1), 1);
	fd_replace(&b.out, -1);
	assert_int_equal(end(&b), 4);
}

static void no_input_at_all(void **state)
{
	struct bench b = begin("exit 6", true);

	(void)state;
	fd_replace(&b.in, -1);
	assert_int_equal(end(&b), 6);
}

/* The end is that of the process, whoever else is on its terminal. */
static void others_on_the_terminal(void **state)
{
	struct bench b = begin("(trap '' HUP; echo bg; read x </dev/tty) & read y; exit 2", true);
	char text[64] = "";

	(void)state;
	assert_true(io_read(b.out, text, 3) == 3);
	assert_string_equal(text, "bg\n");
	assert_int_equal(io_write(b.in, "one\ntwo\n", 8), 0);
	assert_int_equal(end(&b), 2);
}

static void signals_go_on(void **state)
{
	static const int sigs[] = {SIGTERM, SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGQUIT};
	char script[128], text[8] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		struct bench b;

		snprintf(script, sizeof(script),
			 "trap 'exit 9' %d; echo; while :; do read x || :; done", sigs[i]);
		b = begin(script, false);
		assert_int_equal(read(b.out, text, 1), 1);
		kill(b.command, sigs[i]);
		fd_replace(&b.in, -1);
		assert_int_equal(end(&b), 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_comes_back), cmocka_unit_test(both_ways),
		cmocka_unit_test(no_byte_is_lost),	 cmocka_unit_test(a_reader_who_has_gone),
		cmocka_unit_test(no_input_at_all),	 cmocka_unit_test(others_on_the_terminal),
		cmocka_unit_test(signals_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
