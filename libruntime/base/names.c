/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of capabilities and signals, and back. The real-time signals are named from both ends, as
 * kill(1) of the shells does.
 */
#include "base/names.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

static const char *const capabilities[] = {
	[CAP_CHOWN] = "CAP_CHOWN",
	[CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
	[CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
	[CAP_FOWNER] = "CAP_FOWNER",
	[CAP_FSETID] = "CAP_FSETID",
	[CAP_KILL] = "CAP_KILL",
	[CAP_SETGID] = "CAP_SETGID",
	[CAP_SETUID] = "CAP_SETUID",
	[CAP_SETPCAP] = "CAP_SETPCAP",
	[CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
	[CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
	[CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
	[CAP_NET_ADMIN] = "CAP_NET_ADMIN",
	[CAP_NET_RAW] = "CAP_NET_RAW",
	[CAP_IPC_LOCK] = "CAP_IPC_LOCK",
	[CAP_IPC_OWNER] = "CAP_IPC_OWNER",
	[CAP_SYS_MODULE] = "CAP_SYS_MODULE",
	[CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
	[CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
	[CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
	[CAP_SYS_PACCT] = "CAP_SYS_PACCT",
	[CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
	[CAP_SYS_BOOT] = "CAP_SYS_BOOT",
	[CAP_SYS_NICE] = "CAP_SYS_NICE",
	[CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
	[CAP_SYS_TIME] = "CAP_SYS_TIME",
	[CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
	[CAP_MKNOD] = "CAP_MKNOD",
	[CAP_LEASE] = "CAP_LEASE",
	[CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
	[CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
	[CAP_SETFCAP] = "CAP_SETFCAP",
	[CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
	[CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
	[CAP_SYSLOG] = "CAP_SYSLOG",
	[CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
	[CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
	[CAP_AUDIT_READ] = "CAP_AUDIT_READ",
	[CAP_PERFMON] = "CAP_PERFMON",
	[CAP_BPF] = "CAP_BPF",
	[CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

const char *names_capability(int cap)
{
	return cap >= 0 && (size_t)cap < ARRAY_SIZE(capabilities) ? capabilities[cap] : NULL;
}

/* What stands in @text behind @upper_case, in whatever case, NULL: it does not begin so. ASCII
 * only, whatever the locale. */
static const char *behind(const char *upper_case, const char *text)
{
	for (; *upper_case; upper_case++, text++) {
		char c = *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text;

		if (c != *upper_case)
			return NULL;
	}
	return text;
}

static bool same_name(const char *upper_case, const char *name)
{
	const char *rest = behind(upper_case, name);

	return rest && !*rest;
}

int names_capability_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (same_name(capabilities[i], name) ||
		    same_name(capabilities[i] + strlen("CAP_"), name))
			return (int)i;
	return -1;
}

#define LAST_CLASSIC 31

/* All begin with "SIG", so that one table serves with and without it. */
static const char *const signals[LAST_CLASSIC + 1] = {
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
	const char *rest = behind("RTMIN", text);
	bool up = rest;

	if (!up)
		rest = behind("RTMAX", text);
	if (!rest)
		return -EINVAL;
	if (*rest) {
		if (*rest != (up ? '+' : '-') || str_to_u64(rest + 1, 0, room, &offset) < 0)
			return -EINVAL;
	}
	return up ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

int names_signal_number(const char *text)
{
	uint64_t number;

	if (!text)
		return -EINVAL;
	if (*text >= '0' && *text <= '9')
		return str_to_u64(text, 0, (uint64_t)SIGRTMAX, &number) < 0 ? -EINVAL : (int)number;
	if (behind("SIG", text))
		text = behind("SIG", text);
	for (int sig = 1; sig <= LAST_CLASSIC; sig++)
		if (signals[sig] && same_name(signals[sig] + 3, text))
			return sig;
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (same_name(aliases[i].name, text))
			return aliases[i].sig;
	return parse_realtime(text);
}

const char *names_signal(int sig)
{
	if (sig < 1 || sig > SIGRTMAX)
		return NULL;
	if (sig <= LAST_CLASSIC)
		return signals[sig];
	if (sig < SIGRTMIN)
		return NULL;
	if ((size_t)(sig - SIGRTMIN) < ARRAY_SIZE(from_min))
		return from_min[sig - SIGRTMIN];
	if ((size_t)(SIGRTMAX - sig) < ARRAY_SIZE(from_max))
		return from_max[SIGRTMAX - sig];
	return NULL;
}

static const char *text_of(const char *name, const char *what, int number, char buf[NAMES_TEXT])
{
	struct strbuf b;

	if (name)
		return name;
	strbuf_init(&b, buf, NAMES_TEXT);
	strbuf_fmt(&b, "%s %d", what, number);
	return buf;
}

const char *names_capability_text(int cap, char buf[NAMES_TEXT])
{
	return text_of(names_capability(cap), "capability", cap, buf);
}

const char *names_signal_text(int sig, char buf[NAMES_TEXT])
{
	return text_of(names_signal(sig), "signal", sig, buf);
}
