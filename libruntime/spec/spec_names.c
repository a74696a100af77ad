/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names that the specification uses for numbers of the kernel, and back. Tables only. */
#include <sys/resource.h>

#include "base/str.h"
#include "spec/spec.h"

static const char *const ns_names[SPEC_NS_COUNT] = {
	[SPEC_NS_PID] = "pid",	     [SPEC_NS_NETWORK] = "network", [SPEC_NS_IPC] = "ipc",
	[SPEC_NS_UTS] = "uts",	     [SPEC_NS_MOUNT] = "mount",	    [SPEC_NS_USER] = "user",
	[SPEC_NS_CGROUP] = "cgroup", [SPEC_NS_TIME] = "time",
};

static const char *const hook_names[SPEC_HOOK_COUNT] = {
	[SPEC_HOOK_PRESTART] = "prestart",
	[SPEC_HOOK_CREATE_RUNTIME] = "createRuntime",
	[SPEC_HOOK_CREATE_CONTAINER] = "createContainer",
	[SPEC_HOOK_START_CONTAINER] = "startContainer",
	[SPEC_HOOK_POSTSTART] = "poststart",
	[SPEC_HOOK_POSTSTOP] = "poststop",
};

static const struct {
	const char *name;
	int number;
} rlimits[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
};

_Static_assert(ARRAY_SIZE(rlimits) == RLIMIT_NLIMITS, "an rlimit without a name");

const char *spec_ns_name(enum spec_ns type)
{
	return ns_names[type];
}

const char *spec_hook_name(enum spec_hook_kind kind)
{
	return hook_names[kind];
}

int spec_rlimit_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++)
		if (str_eq(rlimits[i].name, name))
			return rlimits[i].number;
	return -1;
}
