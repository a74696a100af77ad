/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state that signal_reset() leaves. */
#include <signal.h>
#include <strings.h>

#include "kernel/signal.h"
#include "test_fork.h"

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
		cmocka_unit_test(reset_leaves_defaults),
		cmocka_unit_test(obeys_what_asks_for_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
