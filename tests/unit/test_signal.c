/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signal names both ways, and the state that signal_reset() leaves. */
#include <signal.h>
#include <strings.h>

#include "kernel/signal.h"
#include "test_fork.h"

static void parses_names(void **state)
{
	static const struct {
		const char *text;
		int sig;
	} good[] = {
		{"TERM", SIGTERM}, {"SIGTERM", SIGTERM}, {"sigterm", SIGTERM},
		{"term", SIGTERM}, {"15", SIGTERM},	 {"0", 0},
		{"64", 64},	   {"IOT", SIGABRT},	 {"SIGCLD", SIGCHLD},
		{"POLL", SIGIO},   {"KILL", SIGKILL},	 {"STKFLT", SIGSTKFLT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(signal_parse(good[i].text), good[i].sig);
	assert_int_equal(signal_parse("RTMIN"), SIGRTMIN);
	assert_int_equal(signal_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signal_parse("rtmax-1"), SIGRTMAX - 1);
	assert_int_equal(signal_parse("RTMAX-30"), SIGRTMAX - 30);
}

static void refuses_what_is_none(void **state)
{
	static const char *const bad[] = {
		"",	      "SIG",	   "SIGSIGTERM",
		"65",	      "-1",	   "+9",
		"09",	      "9 ",	   " 9",
		"TERMX",      "TER",	   "RTMIN-1",
		"RTMAX+1",    "RTMIN+",	   "RTMIN+31",
		"RTMAX-31",   "RTMIN+0x1", "99999999999999999999",
		"4294967305", "\xd9\xa9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(signal_parse(bad[i]), -EINVAL);
	assert_int_equal(signal_parse(NULL), -EINVAL);
}

static void names_are_read_back(void **state)
{
	(void)state;
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		const char *name = signal_name(sig);

		if (sig > 31 && sig < SIGRTMIN) {
			assert_null(name);
			continue;
		}
		assert_non_null(name);
		assert_int_equal(strncmp(name, "SIG", 3), 0);
		assert_int_equal(signal_parse(name), sig);
		assert_int_equal(signal_parse(name + 3), sig);
	}
	assert_null(signal_name(0));
	assert_null(signal_name(-1));
	assert_null(signal_name(SIGRTMAX + 1));
	assert_string_equal(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
	assert_string_equal(signal_name(SIGRTMAX), "SIGRTMAX");
}

static void reset_child(void)
{
	sigset_t all, now;
	struct sigaction act;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		(void)signal(sig, SIG_IGN);
	(void)sigfillset(&all);
	CHECK(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	signal_reset();
	CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		CHECK(sigismember(&now, sig) != 1);
		if (sigaction(sig, NULL, &act) == 0)
			CHECK(act.sa_handler == SIG_DFL);
	}
}

static void reset_leaves_defaults(void **state)
{
	(void)state;
	assert_int_equal(in_child(reset_child), 0);
}

static void obeying_child(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	CHECK(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	(void)signal(SIGTERM, SIG_IGN);
	signal_obey();
	(void)raise(SIGUSR1);
	(void)raise(SIGTERM);
}

static void obeys_what_asks_for_an_end(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(in_child(obeying_child)), 128 + SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_names),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(names_are_read_back),
		cmocka_unit_test(reset_leaves_defaults),
		cmocka_unit_test(obeys_what_asks_for_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
