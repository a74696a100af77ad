/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filters: what the instructions answer, by an interpreter of their BPF against a plain reading of
 * the profile; and what the kernel answers, in children that install them.
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "test_seccomp.h"

#define RETURNS_ERRNO(e) (SECCOMP_RET_ERRNO | (e))

static unsigned long steps;

/* An interpreter of classic BPF, as far as filters use it. */
static bool jumps(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	case BPF_JSET:
		return a & i->k;
	default:
		fail_msg("jump %#x", i->code);
		return false;
	}
}

static uint32_t interpret(const struct sock_filter *insns, size_t n,
			  const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &insns[pc];

		steps++;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k % 4 == 0 && i->k < sizeof(*data));
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			assert_int_equal(BPF_CLASS(i->code), BPF_JMP);
			assert_int_equal(BPF_SRC(i->code), BPF_K);
			pc += jumps(i, a) ? i->jt : i->jf;
		}
	}
	fail_msg("the program ends without an answer");
	return 0;
}

static uint32_t ask(const struct seccomp_filter *f, uint32_t arch, uint32_t nr,
		    const uint64_t *args)
{
	struct seccomp_data data = {.nr = (int)nr, .arch = arch};

	if (args)
		memcpy(data.args, args, sizeof(data.args));
	return interpret(f->insns, f->n, &data);
}

/* The stub alone: every architecture and number around the border. */
static void stub_answers(void **state)
{
	const struct seccomp_stub_arch archs[] = {
		{.audit = AUDIT_ARCH_X86_64,
		 .has_plain = true,
		 .plain = 437,
		 .has_x32 = true,
		 .x32 = X32 | 547},
		{.audit = AUDIT_ARCH_I386, .has_plain = true, .plain = 439},
		{.audit = AUDIT_ARCH_AARCH64},
		{.audit = AUDIT_ARCH_ARM, .has_plain = true, .plain = 441, .own_from = 0xf0000},
	};
	static const struct {
		uint32_t arch, nr;
		bool enosys;
	} cases[] = {
		{AUDIT_ARCH_X86_64, 0, false},	      {AUDIT_ARCH_X86_64, 437, false},
		{AUDIT_ARCH_X86_64, 438, true},	      {AUDIT_ARCH_X86_64, 0x3fffffff, true},
		{AUDIT_ARCH_X86_64, X32, false},      {AUDIT_ARCH_X86_64, X32 | 547, false},
		{AUDIT_ARCH_X86_64, X32 | 548, true}, {AUDIT_ARCH_X86_64, 0xffffffff, true},
		{AUDIT_ARCH_I386, 439, false},	      {AUDIT_ARCH_I386, 440, true},
		{AUDIT_ARCH_I386, X32, true},	      {AUDIT_ARCH_AARCH64, 9999, false},
		{AUDIT_ARCH_ARM, 441, false},	      {AUDIT_ARCH_ARM, 442, true},
		{AUDIT_ARCH_ARM, 0xeffff, true},      {AUDIT_ARCH_ARM, 0xf0000, false},
		{AUDIT_ARCH_ARM, 0xf0005, false},     {AUDIT_ARCH_S390X, 9999, false},
	};
	struct sock_filter insns[64];
	int n = seccomp_stub(archs, COUNT(archs), insns, COUNT(insns) - 1);

	(void)state;
	assert_true(n > 0);
	insns[n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct seccomp_data data = {.nr = (int)cases[i].nr, .arch = cases[i].arch};

		assert_int_equal(interpret(insns, (size_t)n + 1, &data),
				 cases[i].enosys ? RETURNS_ERRNO(ENOSYS) : SECCOMP_RET_ALLOW);
	}
	assert_int_equal(seccomp_stub(archs, COUNT(archs), insns, 5), -E2BIG);
	assert_int_equal(seccomp_stub(archs, 2 * SECCOMP_STUB_ARCHS, insns, 64), -E2BIG);
	/* Nothing named: nothing to say. */
	assert_int_equal(seccomp_stub(&archs[2], 1, insns, 64), 0);
}

/* One half of x86_64 named: the other is left to the filter. */
static void stub_half_of_x86(void **state)
{
	const struct seccomp_stub_arch plain = {
		.audit = AUDIT_ARCH_X86_64, .has_plain = true, .plain = 10};
	const struct seccomp_stub_arch x32 = {
		.audit = AUDIT_ARCH_X86_64, .has_x32 = true, .x32 = X32 | 10};
	static const uint32_t numbers[] = {0, 10, 11, X32, X32 | 10, X32 | 11};
	struct sock_filter insns[32];

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++)
		for (int half = 0; half < 2; half++) {
			struct seccomp_data data = {.nr = (int)numbers[i],
						    .arch = AUDIT_ARCH_X86_64};
			int n = seccomp_stub(half ? &x32 : &plain, 1, insns, 31);
			bool enosys = (numbers[i] & 0xff) == 11 && !!(numbers[i] & X32) == half;

			assert_true(n > 0);
			insns[n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 7);
			assert_int_equal(interpret(insns, (size_t)n + 1, &data),
					 enosys ? RETURNS_ERRNO(ENOSYS) : 7);
		}
}

static bool listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static uint32_t newest(uint32_t token, const char *const *a, const char *const *b)
{
	int max = -1;

	for (; *a || *b; a += *a != NULL) {
		const char *name = *a ? *a : *b++;
		int nr = seccomp_syscall_resolve_name_arch(token, name);

		max = nr > max ? nr : max;
	}
	return (uint32_t)max;
}

/* The plain reading: allow what is listed, personality(8) too, EPERM for the rest, ENOSYS for the
 * new. */
static uint32_t expected(const char *const *names, uint32_t token, uint32_t nr,
			 const uint64_t *args)
{
	AUTO_FREE char *name = seccomp_syscall_resolve_num_arch(token, (int)nr);

	if (nr > newest(token, names, NAMES("personality")))
		return RETURNS_ERRNO(ENOSYS);
	if (!name)
		return RETURNS_ERRNO(EPERM);
	if (strcmp(name, "personality") == 0)
		return args[0] == 8 ? SECCOMP_RET_ALLOW : RETURNS_ERRNO(EPERM);
	return listed(names, name) ? SECCOMP_RET_ALLOW : RETURNS_ERRNO(EPERM);
}

/* socketcall(2) and ipc(2) of i386 carry many calls in one number. */
static bool multiplexed(uint32_t token, uint32_t nr)
{
	return token == SCMP_ARCH_X86 && (nr == 102 || nr == 117);
}

static size_t probe(const struct seccomp_filter *f, const char *const *names, uint32_t token)
{
	static const uint64_t values[] = {0, 8, 9, UINT64_C(0x100000008)};
	uint32_t arch = token == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : token;
	uint32_t bit = token == SCMP_ARCH_X32 ? X32 : 0;
	size_t probes = 0;

	for (uint32_t nr = 0; nr < 700; nr++)
		for (size_t v = 0; v < COUNT(values); v++) {
			uint64_t args[6] = {values[v]};
			uint32_t want, got;

			/* Where arguments have 32 bits, libseccomp looks at no more. */
			if (multiplexed(token, nr) ||
			    (token != SCMP_ARCH_X86_64 && values[v] >> 32))
				continue;
			want = expected(names, token, nr | bit, args);
			got = ask(f, arch, nr | bit, args);
			if (want != got)
				fail_msg("arch %#x nr %u arg %#lx: %#x, expected %#x", token, nr,
					 (unsigned long)values[v], got, want);
			probes++;
		}
	return probes;
}

static void large_profile(void **state)
{
	struct seccomp_filter f;
	size_t probes = 0;
	struct large l;

	(void)state;
	large_init(&l, "uname");
	build(&l.profile, -1, &f);
	assert_true(f.n > 300);
	steps = 0;
	probes += probe(&f, l.names, SCMP_ARCH_X86_64);
	probes += probe(&f, l.names, SCMP_ARCH_X86);
	probes += probe(&f, l.names, SCMP_ARCH_X32);
	assert_true(probes > 6900);
	/* A tree, not a chain of all numbers: the kernel walks it for every call when it installs.
	 */
	assert_true(steps / probes < 40);
	/* An architecture that is not in it. */
	assert_int_equal(ask(&f, AUDIT_ARCH_AARCH64, 0, NULL), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(ask(&f, AUDIT_ARCH_AARCH64, 9999, NULL), SECCOMP_RET_KILL_THREAD);
	seccomp_free(&f);
	assert_null(f.insns);
	seccomp_free(&f);
	seccomp_free(NULL);
}

/* Without a list of architectures: the native one alone. */
static void native_only(void **state)
{
	struct seccomp_filter f;
	struct large l;

	(void)state;
	large_init(&l, "uname");
	l.profile.architectures = NULL;
	build(&l.profile, -1, &f);
	assert_int_equal(ask(&f, seccomp_arch_native(), SYS_getpid, NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&f, seccomp_arch_native(), SYS_uname, NULL), RETURNS_ERRNO(EPERM));
	assert_int_equal(ask(&f, AUDIT_ARCH_S390X, SYS_getpid, NULL), SECCOMP_RET_KILL_THREAD);
	if (seccomp_arch_native() == SCMP_ARCH_X86_64) {
		assert_int_equal(ask(&f, AUDIT_ARCH_I386, 20, NULL), SECCOMP_RET_KILL_THREAD);
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, X32 | 39, NULL),
				 SECCOMP_RET_KILL_THREAD);
	}
	seccomp_free(&f);
}

/* What the answer is for uname(2) under each action, and beyond the newest under each default. */
static void actions(void **state)
{
	static const struct {
		const char *action;
		bool set;
		uint32_t ret, answer;
		bool stub;
	} cases[] = {
		{"SCMP_ACT_ALLOW", false, 0, SECCOMP_RET_ALLOW, false},
		{"SCMP_ACT_ERRNO", false, 0, RETURNS_ERRNO(EPERM), true},
		{"SCMP_ACT_ERRNO", true, 0, RETURNS_ERRNO(0), true},
		{"SCMP_ACT_ERRNO", true, ENXIO, RETURNS_ERRNO(ENXIO), true},
		{"SCMP_ACT_ERRNO", true, ENOSYS, RETURNS_ERRNO(ENOSYS), false},
		{"SCMP_ACT_KILL", false, 0, SECCOMP_RET_KILL_THREAD, true},
		{"SCMP_ACT_KILL_THREAD", true, 3, SECCOMP_RET_KILL_THREAD, true},
		{"SCMP_ACT_KILL_PROCESS", false, 0, SECCOMP_RET_KILL_PROCESS, true},
		{"SCMP_ACT_TRAP", false, 0, SECCOMP_RET_TRAP, true},
		{"SCMP_ACT_TRACE", false, 0, SECCOMP_RET_TRACE | EPERM, false},
		{"SCMP_ACT_TRACE", true, 77, SECCOMP_RET_TRACE | 77, false},
		{"SCMP_ACT_LOG", false, 0, SECCOMP_RET_LOG, false},
	};
	uint32_t native = seccomp_arch_native();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool allows = strcmp(cases[i].action, "SCMP_ACT_ALLOW") == 0;
		const struct seccomp_rule one = {.names = NAMES("uname"),
						 .action = cases[i].action,
						 .errno_set = cases[i].set,
						 .errno_ret = cases[i].ret};
		const struct seccomp_rule other = {.names = NAMES("getpid"),
						   .action = allows ? "SCMP_ACT_TRAP"
								    : "SCMP_ACT_ALLOW"};
		struct seccomp_profile p =
			simple(allows ? "SCMP_ACT_TRAP" : "SCMP_ACT_ALLOW", &one);
		struct seccomp_filter f;

		build(&p, -1, &f);
		assert_int_equal(ask(&f, native, SYS_uname, NULL), cases[i].answer);
		seccomp_free(&f);

		p = simple(cases[i].action, &other);
		p.default_errno_set = cases[i].set;
		p.default_errno = cases[i].ret;
		build(&p, -1, &f);
		assert_int_equal(ask(&f, native, 0, NULL), cases[i].answer);
		assert_int_equal(ask(&f, native, 600, NULL),
				 cases[i].stub ? RETURNS_ERRNO(ENOSYS) : cases[i].answer);
		seccomp_free(&f);
	}
}

static void operators(void **state)
{
	static const struct {
		const char *op;
		uint64_t value, two;
		uint64_t yes[3], no[3];
	} cases[] = {
		{"SCMP_CMP_EQ", 5, 0, {5, 5, 5}, {4, 6, 0x100000005}},
		{"SCMP_CMP_NE", 5, 0, {4, 6, 0x100000005}, {5, 5, 5}},
		{"SCMP_CMP_LT", 5, 0, {4, 0, 1}, {5, 6, 0x100000000}},
		{"SCMP_CMP_LE", 5, 0, {5, 0, 4}, {6, 7, 0x100000000}},
		{"SCMP_CMP_GT", 5, 0, {6, 7, 0x100000000}, {5, 0, 4}},
		{"SCMP_CMP_GE", 5, 0, {5, 6, 0x100000000}, {4, 0, 3}},
		/* value is the mask, valueTwo what must be left. */
		{"SCMP_CMP_MASKED_EQ", 0xf0, 0x10, {0x10, 0x1f, 0x110}, {0x20, 0x30, 0}},
		{"SCMP_CMP_MASKED_EQ",
		 0x7e020000,
		 0,
		 {0, 17, 0x1200011},
		 {0x10000000, 0x20000, 0x40000000}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct seccomp_arg arg = {1, cases[i].op, cases[i].value, cases[i].two};
		const struct seccomp_rule rule = {.names = NAMES("uname"),
						  .action = "SCMP_ACT_ERRNO",
						  .args = &arg,
						  .n_args = 1};
		const struct seccomp_profile p = simple("SCMP_ACT_ALLOW", &rule);
		struct seccomp_filter f;

		build(&p, -1, &f);
		for (int j = 0; j < 3; j++) {
			uint64_t yes[6] = {0, cases[i].yes[j]}, no[6] = {0, cases[i].no[j]};

			assert_int_equal(ask(&f, seccomp_arch_native(), SYS_uname, yes),
					 RETURNS_ERRNO(EPERM));
			assert_int_equal(ask(&f, seccomp_arch_native(), SYS_uname, no),
					 SECCOMP_RET_ALLOW);
		}
		seccomp_free(&f);
	}
}

/* Different arguments: all must hold. The same one twice: either. */
static void several_conditions(void **state)
{
	const struct seccomp_arg both[] = {{0, "SCMP_CMP_EQ", 1, 0}, {2, "SCMP_CMP_EQ", 2, 0}};
	const struct seccomp_arg either[] = {{0, "SCMP_CMP_EQ", 1, 0}, {0, "SCMP_CMP_EQ", 2, 0}};
	const struct seccomp_rule rules[] = {
		{.names = NAMES("read"), .action = "SCMP_ACT_ERRNO", .args = both, .n_args = 2},
		{.names = NAMES("write"), .action = "SCMP_ACT_ERRNO", .args = either, .n_args = 2},
	};
	const struct seccomp_profile p = {
		.default_action = "SCMP_ACT_ALLOW", .rules = rules, .n_rules = 2};
	uint32_t native = seccomp_arch_native(), no = RETURNS_ERRNO(EPERM);
	struct seccomp_filter f;

	(void)state;
	build(&p, -1, &f);
	assert_int_equal(ask(&f, native, SYS_read, (uint64_t[6]){1, 0, 2}), no);
	assert_int_equal(ask(&f, native, SYS_read, (uint64_t[6]){1, 0, 3}), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&f, native, SYS_read, (uint64_t[6]){0, 0, 2}), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&f, native, SYS_write, (uint64_t[6]){1}), no);
	assert_int_equal(ask(&f, native, SYS_write, (uint64_t[6]){2}), no);
	assert_int_equal(ask(&f, native, SYS_write, (uint64_t[6]){3}), SECCOMP_RET_ALLOW);
	seccomp_free(&f);
}

/* docker's rules for socket(2) without CAP_AUDIT_WRITE: alternatives over two arguments. */
static void overlapping_rules(void **state)
{
	const struct seccomp_arg refuse[] = {{0, "SCMP_CMP_EQ", 16, 0}, {2, "SCMP_CMP_EQ", 9, 0}};
	const struct seccomp_arg proto = {2, "SCMP_CMP_NE", 9, 0},
				 family = {0, "SCMP_CMP_NE", 16, 0};
	const struct seccomp_rule rules[] = {
		{.names = NAMES("socket"),
		 .action = "SCMP_ACT_ERRNO",
		 .errno_set = true,
		 .errno_ret = EINVAL,
		 .args = refuse,
		 .n_args = 2},
		{.names = NAMES("socket"), .action = "SCMP_ACT_ALLOW", .args = &proto, .n_args = 1},
		{.names = NAMES("socket"),
		 .action = "SCMP_ACT_ALLOW",
		 .args = &family,
		 .n_args = 1},
		{.names = NAMES("socket"), .action = "SCMP_ACT_ALLOW", .args = &proto, .n_args = 1},
		/* The first of two that contradict each other holds. */
		{.names = NAMES("bpf"), .action = "SCMP_ACT_ALLOW"},
		{.names = NAMES("bpf"),
		 .action = "SCMP_ACT_ERRNO",
		 .errno_set = true,
		 .errno_ret = 1},
	};
	const struct seccomp_profile p = {.default_action = "SCMP_ACT_ERRNO",
					  .default_errno_set = true,
					  .default_errno = ENOSYS,
					  .rules = rules,
					  .n_rules = COUNT(rules)};
	uint32_t native = seccomp_arch_native();
	struct seccomp_filter f;

	(void)state;
	build(&p, -1, &f);
	assert_int_equal(ask(&f, native, SYS_socket, (uint64_t[6]){16, 3, 9}),
			 RETURNS_ERRNO(EINVAL));
	assert_int_equal(ask(&f, native, SYS_socket, (uint64_t[6]){16, 3, 0}), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&f, native, SYS_socket, (uint64_t[6]){2, 1, 9}), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&f, native, SYS_socket, (uint64_t[6]){2, 1, 6}), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&f, native, SYS_bpf, NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&f, native, SYS_uname, NULL), RETURNS_ERRNO(ENOSYS));
	seccomp_free(&f);
}

static void refused(const struct seccomp_profile *p, enum err_kind kind, const char *pointer,
		    const char *words)
{
	struct seccomp_filter f = {0};
	struct err err = ERR_INIT;

	assert_true(seccomp_build(p, -1, &f, &err) < 0);
	assert_null(f.insns);
	assert_string_equal(err.pointer, pointer);
	if (!strstr(err.text, words))
		fail_msg("%s", err.text);
	assert_int_equal(err.kind, kind);
}

static void refusals(void **state)
{
	const struct seccomp_arg bad_op[] = {{0, "SCMP_CMP_EQ", 0, 0}, {1, "SCMP_CMP_XX", 0, 0}};
	const struct seccomp_arg bad_index = {6, "SCMP_CMP_EQ", 0, 0};
	struct seccomp_rule r = {.names = NAMES("uname"), .action = "SCMP_ACT_KILLL"};
	struct seccomp_profile p = simple("SCMP_ACT_ALLOW", &r);

	(void)state;
	refused(&p, ERR_CONFIG, "/linux/seccomp/syscalls/0/action", "\"SCMP_ACT_KILLL\"");
	r = (struct seccomp_rule){.names = NAMES("uname"),
				  .action = "SCMP_ACT_ERRNO",
				  .errno_set = true,
				  .errno_ret = 4096};
	refused(&p, ERR_CONFIG, "/linux/seccomp/syscalls/0/errnoRet", "too large");
	r = (struct seccomp_rule){.names = NAMES("uname"),
				  .action = "SCMP_ACT_TRACE",
				  .errno_set = true,
				  .errno_ret = 65536};
	refused(&p, ERR_CONFIG, "/linux/seccomp/syscalls/0/errnoRet", "too large");
	r = (struct seccomp_rule){
		.names = NAMES("uname"), .action = "SCMP_ACT_TRAP", .args = bad_op, .n_args = 2};
	refused(&p, ERR_CONFIG, "/linux/seccomp/syscalls/0", "\"SCMP_CMP_XX\"");
	r.args = &bad_index;
	r.n_args = 1;
	refused(&p, ERR_CONFIG, "/linux/seccomp/syscalls/0", "no argument 6");

	p = simple("SCMP_ACT_NOTIFY", NULL);
	refused(&p, ERR_CONFIG, "/linux/seccomp/defaultAction", "SCMP_ACT_NOTIFY");
	/* By the rule's action, the default one included. */
	r = (struct seccomp_rule){.names = NAMES("uname", "no_such"), .action = "SCMP_ACT_ALLOW"};
	p = simple("SCMP_ACT_ALLOW", &r);
	p.fail_unknown = true;
	refused(&p, ERR_CONFIG, "/linux/seccomp/syscalls/0/names/1", "\"no_such\"");
	r.action = "SCMP_ACT_LOG";
	refused(&p, ERR_CONFIG, "/linux/seccomp/syscalls/0/names/1", "\"no_such\"");
	p = simple("SCMP_ACT_ERRNO", NULL);
	p.default_errno_set = true;
	p.default_errno = 1 << 30;
	refused(&p, ERR_CONFIG, "/linux/seccomp/defaultErrnoRet", "too large");
	p = simple("SCMP_ACT_ALLOW", NULL);
	p.architectures = NAMES("SCMP_ARCH_X86_64", "SCMP_ARCH_VAX");
	refused(&p, ERR_UNSUPPORTED, "/linux/seccomp/architectures/1", "SCMP_ARCH_VAX");
	p = simple("SCMP_ACT_ALLOW", NULL);
	p.flags_present = true;
	p.flags = NAMES("SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_FLY");
	refused(&p, ERR_CONFIG, "/linux/seccomp/flags/1", "SECCOMP_FILTER_FLAG_FLY");
}

/* More instructions than the kernel takes: said before it is tried. */
static void too_large(void **state)
{
	static struct seccomp_arg args[3000];
	static struct seccomp_rule rules[3000];
	static const char *const name[] = {"uname", NULL};
	const struct seccomp_profile p = {
		.default_action = "SCMP_ACT_ALLOW", .rules = rules, .n_rules = 3000};

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		args[i] = (struct seccomp_arg){0, "SCMP_CMP_EQ", i << 32 | i, 0};
		rules[i] = (struct seccomp_rule){
			.names = name, .action = "SCMP_ACT_TRAP", .args = &args[i], .n_args = 1};
	}
	refused(&p, ERR_CONFIG, "/linux/seccomp/syscalls", "the kernel takes 4096");
}

static void flags(void **state)
{
	struct seccomp_profile p = simple("SCMP_ACT_ALLOW", NULL);
	struct seccomp_filter f;

	(void)state;
	for (const char *const *flag = seccomp_flags(); *flag; flag++)
		assert_true(seccomp_flag_supported(*flag));
	assert_false(seccomp_flag_supported("SECCOMP_FILTER_FLAG_NEW_LISTENER"));
	assert_false(seccomp_flag_supported(""));

	build(&p, -1, &f);
	assert_int_equal(f.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	seccomp_free(&f);
	p.flags_present = true;
	build(&p, -1, &f);
	assert_int_equal(f.flags, 0);
	seccomp_free(&f);
	p.flags = seccomp_flags();
	build(&p, -1, &f);
	assert_int_equal(f.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_LOG);
	seccomp_free(&f);
}

/* What is compiled goes into a file; one that takes nothing is an error, by who came to it first.
 */
static void compiled(void **state)
{
	static struct seccomp_arg args[13];
	struct seccomp_rule r = {.names = NAMES("uname"), .action = "SCMP_ACT_KILL", .args = args};
	struct seccomp_profile p = simple("SCMP_ACT_ALLOW", &r);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct err err = ERR_INIT;

	(void)state;
	assert_true(full >= 0);
	assert_true(seccomp_compile(&p, full, &err) < 0);
	assert_string_equal(err.text, "compile the seccomp filter");
	p.default_action = "SCMP_ACT_ERRNO";
	assert_int_equal(seccomp_compile(&p, full, &err), -ENOSPC);
	assert_string_equal(err.text, "write the stub of the seccomp filter");
	close(full);
	for (size_t i = 0; i < COUNT(args); i++)
		args[i] = (struct seccomp_arg){0, "SCMP_CMP_EQ", i, 0};
	r.n_args = COUNT(args);
	refused(&p, ERR_CONFIG, "/linux/seccomp/syscalls/0/args", "more than 12 conditions");
	assert_int_equal(seccomp_library() >> 16, seccomp_version()->major);
	assert_int_equal(seccomp_library() >> 8 & 0xff, seccomp_version()->minor);
}

static void tables(void **state)
{
	char spelling[SECCOMP_ARCH_SIZE];
	uint32_t value;

	(void)state;
	for (const char *const *name = seccomp_actions(); *name; name++)
		assert_int_equal(seccomp_action_value(*name, false, 0, &value), 0);
	for (const char *const *name = seccomp_operators(); *name; name++)
		assert_true(seccomp_operator_value(*name) >= 0);
	for (const char *const *name = seccomp_archs(); *name; name++) {
		assert_int_equal(seccomp_arch_spelling(*name, spelling), 0);
		assert_true(seccomp_arch_resolve_name(spelling) != 0);
	}
	assert_int_equal(seccomp_flag_value("SECCOMP_FILTER_FLAG_LOG"), SECCOMP_FILTER_FLAG_LOG);
	assert_int_equal(seccomp_flag_value("SECCOMP_FILTER_FLAG_"), -EINVAL);
	assert_int_equal(seccomp_arch_spelling("x86_64", spelling), -EINVAL);
	assert_int_equal(seccomp_arch_spelling("SCMP_ARCH_", spelling), -EINVAL);
	assert_int_equal(seccomp_arch_spelling("SCMP_ARCH_AAAAAAAAAAAAAAAAAAAAAAAAAAAA", spelling),
			 -EINVAL);
}

/* In the kernel. */
static struct large installed;

static void large_child(void)
{
	struct seccomp_filter f = {0};
	struct err err = ERR_INIT;
	struct utsname u;

	CHECK_OK(seccomp_build(&installed.profile, -1, &f, &err), err);
	install(&f);
	CHECK(uname(&u) < 0 && errno == EPERM);
	CHECK(getppid() > 0);
	CHECK(syscall(600) < 0 && errno == ENOSYS);
	CHECK(syscall(452) < 0 && errno == ENOSYS);
	CHECK(syscall(100000) < 0 && errno == ENOSYS);
	CHECK(personality(8) >= 0);
	CHECK(personality(0x20000) < 0 && errno == EPERM);
}

static void only_native_x32_child(void)
{
	struct seccomp_filter f = {0};
	struct err err = ERR_INIT;

	installed.profile.architectures = NULL;
	CHECK_OK(seccomp_build(&installed.profile, -1, &f, &err), err);
	install(&f);
	(void)syscall(X32 | SYS_getpid);
}

static void kill_child(void)
{
	const struct seccomp_rule rule = {.names = NAMES("uname"),
					  .action = "SCMP_ACT_KILL_PROCESS"};
	const struct seccomp_profile p = simple("SCMP_ACT_ALLOW", &rule);
	struct seccomp_filter f = {0};
	struct err err = ERR_INIT;
	struct utsname u;

	CHECK_OK(seccomp_build(&p, -1, &f, &err), err);
	install(&f);
	(void)uname(&u);
}

/* Without the right to: an error that says what is missing; with no_new_privs it works. */
static void unprivileged_child(void)
{
	const struct seccomp_profile p = simple("SCMP_ACT_ALLOW", NULL);
	struct seccomp_filter f = {0};
	struct err err = ERR_INIT;

	CHECK_OK(seccomp_build(&p, -1, &f, &err), err);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(seccomp_install(&f, &err) == -EACCES && err.hint[0]);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	install(&f);
}

static void bad_program_child(void)
{
	struct sock_filter none = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	const struct seccomp_filter f = {.insns = &none, .n = 1};
	struct err err = ERR_INIT;

	CHECK(seccomp_install(&f, &err) == -EINVAL);
}

static void installs(void **state)
{
	(void)state;
	large_init(&installed, "uname");
	assert_int_equal(in_child(large_child), 0);
	if (seccomp_arch_native() == SCMP_ARCH_X86_64)
		assert_int_equal(WTERMSIG(in_child(only_native_x32_child)), SIGSYS);
	assert_int_equal(WTERMSIG(in_child(kill_child)), SIGSYS);
	assert_int_equal(in_child(unprivileged_child), 0);
	assert_int_equal(in_child(bad_program_child), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stub_answers),
		cmocka_unit_test(stub_half_of_x86),
		cmocka_unit_test(large_profile),
		cmocka_unit_test(native_only),
		cmocka_unit_test(actions),
		cmocka_unit_test(operators),
		cmocka_unit_test(several_conditions),
		cmocka_unit_test(overlapping_rules),
		cmocka_unit_test(refusals),
		cmocka_unit_test(too_large),
		cmocka_unit_test(flags),
		cmocka_unit_test(tables),
		cmocka_unit_test(compiled),
		cmocka_unit_test(installs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
