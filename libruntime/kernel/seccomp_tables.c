/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of a seccomp profile and what they stand for. The lists that `features` prints are the
 * same ones. */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/str.h"
#include "kernel/seccomp_priv.h"

#define MAX_ERRNO     4095 /* the kernel cuts larger ones */
#define DEFAULT_ERRNO EPERM

static const char *const actions[] = {
	"SCMP_ACT_ALLOW",	"SCMP_ACT_ERRNO",
	"SCMP_ACT_KILL",	"SCMP_ACT_KILL_PROCESS",
	"SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
	"SCMP_ACT_NOTIFY",	"SCMP_ACT_TRACE",
	"SCMP_ACT_TRAP",	NULL,
};

static const uint32_t action_values[] = {
	SCMP_ACT_ALLOW,	       SCMP_ACT_ERRNO(0),    SCMP_ACT_KILL_THREAD,
	SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG,
	SCMP_ACT_NOTIFY,       SCMP_ACT_TRACE(0),    SCMP_ACT_TRAP,
};

static const char *const operators[] = {
	"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",	    "SCMP_CMP_EQ",
	"SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL,
};

static const int operator_values[] = {
	SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,	      SCMP_CMP_EQ,
	SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ,
};

static const char *const flags[] = {
	"SECCOMP_FILTER_FLAG_TSYNC",
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW",
	"SECCOMP_FILTER_FLAG_LOG",
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
	NULL,
};

static const int flag_values[] = {
	SECCOMP_FILTER_FLAG_TSYNC,
	SECCOMP_FILTER_FLAG_SPEC_ALLOW,
	SECCOMP_FILTER_FLAG_LOG,
	SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};

_Static_assert(ARRAY_SIZE(actions) == ARRAY_SIZE(action_values) + 1, "an action without value");
_Static_assert(ARRAY_SIZE(operators) == ARRAY_SIZE(operator_values) + 1,
	       "an operator without value");
_Static_assert(ARRAY_SIZE(flags) == ARRAY_SIZE(flag_values) + 1, "a flag without value");

static const char *const archs[] = {
	"SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",	    "SCMP_ARCH_ARM",
	"SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",	   "SCMP_ARCH_MIPS64",	    "SCMP_ARCH_MIPS64N32",
	"SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
	"SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",	    "SCMP_ARCH_S390X",
	"SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",	    NULL,
};

static int find(const char *const *list, const char *name)
{
	for (int i = 0; list[i]; i++)
		if (str_eq(list[i], name))
			return i;
	return -EINVAL;
}

int seccomp_action_value(const char *name, bool errno_set, uint32_t errno_ret, uint32_t *ret)
{
	uint32_t data = errno_set ? errno_ret : DEFAULT_ERRNO;
	int i = find(actions, name);

	if (i < 0)
		return i;
	if (action_values[i] == SCMP_ACT_ERRNO(0)) {
		if (data > MAX_ERRNO)
			return -ERANGE;
	} else if (action_values[i] == SCMP_ACT_TRACE(0)) {
		if (data > SECCOMP_RET_DATA)
			return -ERANGE;
	} else {
		data = 0;
	}
	*ret = action_values[i] | data;
	return 0;
}

int seccomp_operator_value(const char *name)
{
	int i = find(operators, name);

	return i < 0 ? i : operator_values[i];
}

int seccomp_flag_value(const char *name)
{
	int i = find(flags, name);

	return i < 0 ? i : flag_values[i];
}

int seccomp_arch_spelling(const char *name, char buf[SECCOMP_ARCH_SIZE])
{
	static const char prefix[] = "SCMP_ARCH_";
	size_t len;

	if (!str_starts(name, prefix))
		return -EINVAL;
	name += sizeof(prefix) - 1;
	len = strlen(name);
	if (len == 0 || len >= SECCOMP_ARCH_SIZE)
		return -EINVAL;
	for (size_t i = 0; i <= len; i++)
		buf[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
	return 0;
}

const char *const *seccomp_actions(void)
{
	return actions;
}

const char *const *seccomp_operators(void)
{
	return operators;
}

const char *const *seccomp_archs(void)
{
	return archs;
}

const char *const *seccomp_flags(void)
{
	return flags;
}
