/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clean signal state that a program is born with, and one for who waits. */
#include "kernel/signal.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/str.h"

void signal_reset(void)
{
	const struct sigaction act = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)sigaction(sig, &act, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void end(int sig)
{
	_exit(128 + sig);
}

void signal_obey(void)
{
	static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	const struct sigaction act = {.sa_handler = end};
	sigset_t these;

	(void)sigemptyset(&these);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
		(void)sigaction(ending[i], &act, NULL);
		(void)sigaddset(&these, ending[i]);
	}
	(void)sigprocmask(SIG_UNBLOCK, &these, NULL);
}
