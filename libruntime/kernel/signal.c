/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signal names as people and engines write them, and the clean signal state that a program is
 * born with. The real-time signals are named from both ends, as kill(1) of the shells does.
 */
#include "kernel/signal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <unistd.h>

#include "base/str.h"

#define LAST_CLASSIC 31

/* All begin with "SIG", so that one table serves with and without it. */
static const char *const names[LAST_CLASSIC + 1] = {
	[SIGHUP] = "SIGHUP",	   [SIGINT] = "SIGINT",	      [SIGQUIT] = "SIGQUIT",
	[SIGILL] = "SIGILL",	   [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
	[SIGBUS] = "SIGBUS",	   [SIGFPE] = "SIGFPE",	      [SIGKILL] = "SIGKILL",
	[SIGUSR1] = "SIGUSR1",	   [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
	[SIGPIPE] = "SIGPIPE",	   [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
	[SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD",     [SIGCONT] = "SIGCONT",
	[SIGSTOP] = "SIGSTOP",	   [SIGTSTP] = "SIGTSTP",     [SIGTTIN] = "SIGTTIN",
	[SIGTTOU] = "SIGTTOU",	   [SIGURG] = "SIGURG",	      [SIGXCPU] = "SIGXCPU",
	[SIGXFSZ] = "SIGXFSZ",	   [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
	[SIGWINCH] = "SIGWINCH",   [SIGIO] = "SIGIO",	      [SIGPWR] = "SIGPWR",
	[SIGSYS] = "SIGSYS",
};

static const struct {
	const char *name;
	int sig;
} aliases[] = {
	{"IOT", SIGABRT},
	{"CLD", SIGCHLD},
	{"POLL", SIGIO},
	{"UNUSED", SIGSYS},
};

static const char *const from_min[] = {
	"SIGRTMIN",    "SIGRTMIN+1",  "SIGRTMIN+2",  "SIGRTMIN+3",  "SIGRTMIN+4",  "SIGRTMIN+5",
	"SIGRTMIN+6",  "SIGRTMIN+7",  "SIGRTMIN+8",  "SIGRTMIN+9",  "SIGRTMIN+10", "SIGRTMIN+11",
	"SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15",
};

static const char *const from_max[] = {
	"SIGRTMAX",    "SIGRTMAX-1",  "SIGRTMAX-2",  "SIGRTMAX-3",  "SIGRTMAX-4",
	"SIGRTMAX-5",  "SIGRTMAX-6",  "SIGRTMAX-7",  "SIGRTMAX-8",  "SIGRTMAX-9",
	"SIGRTMAX-10", "SIGRTMAX-11", "SIGRTMAX-12", "SIGRTMAX-13", "SIGRTMAX-14",
};

static int parse_realtime(const char *text)
{
	uint64_t offset = 0, room = (uint64_t)(SIGRTMAX - SIGRTMIN);
	bool up = strncasecmp(text, "RTMIN", 5) == 0;
	const char *rest = text + 5;

	if (!up && strncasecmp(text, "RTMAX", 5) != 0)
		return -EINVAL;
	if (*rest) {
		if (*rest != (up ? '+' : '-') || str_to_u64(rest + 1, 0, room, &offset) < 0)
			return -EINVAL;
	}
	return up ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

int signal_parse(const char *text)
{
	uint64_t number;

	if (!text)
		return -EINVAL;
	if (*text >= '0' && *text <= '9')
		return str_to_u64(text, 0, (uint64_t)SIGRTMAX, &number) < 0 ? -EINVAL : (int)number;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int sig = 1; sig <= LAST_CLASSIC; sig++)
		if (names[sig] && strcasecmp(text, names[sig] + 3) == 0)
			return sig;
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcasecmp(text, aliases[i].name) == 0)
			return aliases[i].sig;
	return parse_realtime(text);
}

const char *signal_name(int sig)
{
	if (sig < 1 || sig > SIGRTMAX)
		return NULL;
	if (sig <= LAST_CLASSIC)
		return names[sig];
	if (sig < SIGRTMIN)
		return NULL;
	if ((size_t)(sig - SIGRTMIN) < ARRAY_SIZE(from_min))
		return from_min[sig - SIGRTMIN];
	if ((size_t)(SIGRTMAX - sig) < ARRAY_SIZE(from_max))
		return from_max[SIGRTMAX - sig];
	return NULL;
}

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
