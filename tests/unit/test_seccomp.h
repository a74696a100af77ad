/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For the tests of seccomp: profiles, small ones and one of the size that engines write. */
#ifndef OAKUM_TESTS_TEST_SECCOMP_H
#define OAKUM_TESTS_TEST_SECCOMP_H

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>

#include "base/fd.h"
#include "kernel/seccomp_priv.h"
#include "test_fork.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define X32	   0x40000000u

static inline void build(const struct seccomp_profile *p, int cachefd, struct seccomp_filter *ret)
{
	struct err err = ERR_INIT;
	int r = seccomp_build(p, cachefd, ret, &err);

	if (r < 0)
		fail_msg("%s: %s (%d)", err.pointer, err.text, err.code);
	assert_true(ret->n > 0 && ret->mapped >= ret->n * sizeof(struct sock_filter));
}

static inline struct seccomp_profile simple(const char *action, const struct seccomp_rule *rule)
{
	return (struct seccomp_profile){
		.default_action = action, .rules = rule, .n_rules = rule ? 1 : 0};
}

/* A profile like docker's: hundreds of names, three architectures. @skip is left out. */
#define MANY 700
static char *many_names[MANY];

static inline void many(const char *skip, const char **ret)
{
	size_t n = 0;

	for (int nr = 0; nr < 452 && n + 1 < MANY; nr++) {
		if (!many_names[nr])
			many_names[nr] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);
		if (many_names[nr] && strcmp(many_names[nr], skip) != 0 &&
		    strcmp(many_names[nr], "personality") != 0)
			ret[n++] = many_names[nr];
	}
	ret[n++] = "no_such_system_call";
	ret[n++] = "arm_fadvise64_64";
	ret[n++] = "clock_gettime64";
	ret[n] = NULL;
}

static const struct seccomp_arg personality_8 = {0, "SCMP_CMP_EQ", 8, 0};

/* Fills a profile that allows @names and personality(8) on three architectures. */
struct large {
	const char *names[MANY];
	struct seccomp_rule rules[3];
	struct seccomp_profile profile;
};

static inline void large_init(struct large *l, const char *skip)
{
	static const char *const archs[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
					    NULL};
	static const char *const one[] = {"personality", NULL};
	static const char *const two[] = {"uname", "swapon", NULL};

	many(skip, l->names);
	l->rules[0] = (struct seccomp_rule){.names = l->names, .action = "SCMP_ACT_ALLOW"};
	l->rules[1] = (struct seccomp_rule){
		.names = one, .action = "SCMP_ACT_ALLOW", .args = &personality_8, .n_args = 1};
	/* What the default says anyway. */
	l->rules[2] = (struct seccomp_rule){
		.names = two, .action = "SCMP_ACT_ERRNO", .errno_set = true, .errno_ret = EPERM};
	l->profile = (struct seccomp_profile){.default_action = "SCMP_ACT_ERRNO",
					      .architectures = archs,
					      .rules = l->rules,
					      .n_rules = 3};
}

/* In the child: the kernel takes it from here. */
static inline void install(const struct seccomp_filter *f)
{
	struct err err = ERR_INIT;

	CHECK_OK(seccomp_install(f, &err), err);
}

#endif
