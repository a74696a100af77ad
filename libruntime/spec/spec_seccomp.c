/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "linux.seccomp": names checked from tables. Which system calls exist is the compiler's
 * business (kernel/seccomp.c): a name nobody knows is no error here, as in both peers.
 */
#include "base/str.h"
#include "spec/spec_read.h"

static const struct spec_int index_range = {.type = SPEC_U32, .max = 5};
static const struct spec_int value_range = {.type = SPEC_U64, .max = UINT64_MAX};
static const struct spec_int errno_range = {.type = SPEC_U32, .option = true, .max = 65535};

static const char *const actions[] = {
	"SCMP_ACT_KILL",	"SCMP_ACT_KILL_PROCESS",
	"SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",
	"SCMP_ACT_ERRNO",	"SCMP_ACT_TRACE",
	"SCMP_ACT_ALLOW",	"SCMP_ACT_LOG",
	"SCMP_ACT_NOTIFY",	NULL,
};

/* In the order of enum scmp_compare of libseccomp, which begins with 1. */
static const char *const operators[] = {
	"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",	    "SCMP_CMP_EQ",
	"SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL,
};

static const char *const architectures[] = {
	"SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",	    "SCMP_ARCH_ARM",
	"SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",	   "SCMP_ARCH_MIPS64",	    "SCMP_ARCH_MIPS64N32",
	"SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
	"SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",	    "SCMP_ARCH_S390X",
	"SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",	    "SCMP_ARCH_LOONGARCH64",
	"SCMP_ARCH_M68K",    "SCMP_ARCH_SH",	   "SCMP_ARCH_SHEB",	    NULL,
};

static const char *const flags[] = {
	"SECCOMP_FILTER_FLAG_TSYNC",
	"SECCOMP_FILTER_FLAG_LOG",
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW",
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
	NULL,
};

/* Position of the string @j in @names; an error that says @what and -1. */
static int find_name(struct spec_reading *r, const struct json *j, const char *const *names,
		     const char *what)
{
	const char *text = spec_string(r, j);
	char found[96];

	for (int i = 0; text && names[i]; i++)
		if (str_eq(names[i], text))
			return i;
	if (!text)
		return -1;
	spec_describe(j, found, sizeof(found));
	spec_fail(r, j, "unknown %s, found %s", what, found);
	return -1;
}

static void read_action(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	int i = find_name(r, j, actions, "action");

	(void)arg;
	if (i >= 0)
		*(const char **)out = actions[i];
}

static void read_operator(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_seccomp_arg *a = out;
	int i = find_name(r, j, operators, "operator");

	(void)arg;
	if (i < 0)
		return;
	a->op = i + 1;
	a->op_name = operators[i];
}

struct name_list {
	const char *const *names;
	const char *what;
};

static const struct name_list architecture_names = {architectures, "architecture"};
static const struct name_list flag_names = {flags, "flag"};

static void read_names(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const struct name_list *list = arg;
	size_t before = r->errors->total;

	spec_read_strings(r, j, out, NULL);
	if (r->errors->total != before)
		return;
	for (const struct json *c = j->child; c; c = c->next)
		(void)find_name(r, c, list->names, list->what);
}

/* "" is absent: a serializer may write it. */
static void read_listener(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	if (j->type != JSON_STRING || j->len > 0)
		spec_read_path(r, j, out, arg);
}

static void read_flags(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_seccomp *s = out;

	s->flags_present = true;
	read_names(r, j, &s->flags, arg);
}

static void read_syscalls(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_strings *names = out;
	size_t before = r->errors->total;

	spec_read_strings(r, j, out, arg);
	if (r->errors->total != before)
		return;
	if (names->n == 0)
		spec_fail(r, j, "must name at least one system call");
	for (const struct json *c = j->child; c; c = c->next)
		if (c->len == 0)
			spec_fail(r, c, "must not be empty");
}

static const struct spec_field arg_fields[] = {
	{"index", spec_read_int, offsetof(struct spec_seccomp_arg, index), &index_range,
	 SPEC_REQUIRED},
	{"value", spec_read_int, offsetof(struct spec_seccomp_arg, value), &value_range,
	 SPEC_REQUIRED},
	{"valueTwo", spec_read_int, offsetof(struct spec_seccomp_arg, value_two), &value_range, 0},
	{"op", read_operator, 0, NULL, SPEC_REQUIRED},
	{NULL, NULL, 0, NULL, 0},
};

static const struct spec_list arg_list = {
	.fields = arg_fields,
	.size = sizeof(struct spec_seccomp_arg),
	.max = 64,
};

#define RULE(member) offsetof(struct spec_seccomp_rule, member)

static const struct spec_field rule_fields[] = {
	{"names", read_syscalls, RULE(names), NULL, SPEC_REQUIRED},
	{"action", read_action, RULE(action), NULL, SPEC_REQUIRED},
	{"errnoRet", spec_read_int, RULE(errno_ret), &errno_range, 0},
	{"args", spec_read_list, RULE(args), &arg_list, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* 4095 is the kernel's MAX_ERRNO: it cuts what is above; a tracer sees 16 bits. */
static void check_errno(struct spec_reading *r, const struct json *j, const char *action,
			uint32_t value)
{
	if (!j)
		return;
	if (str_eq(action, "SCMP_ACT_ERRNO") && value > 4095)
		spec_fail(r, j, "%u is out of range (0..4095)", value);
	else if (!str_eq(action, "SCMP_ACT_ERRNO") && !str_eq(action, "SCMP_ACT_TRACE") && value)
		spec_fail(r, j,
			  "%u has no meaning for %s: only for SCMP_ACT_ERRNO and "
			  "SCMP_ACT_TRACE",
			  value, action);
}

static void check_rule(struct spec_reading *r, const struct json *j, void *element)
{
	const struct spec_seccomp_rule *rule = element;

	check_errno(r, spec_given(j, "errnoRet"), rule->action, rule->errno_ret.v);
	if (!str_eq(rule->action, "SCMP_ACT_NOTIFY"))
		return;
	/* The process says by it that there is a listener, before anybody can answer. */
	for (const struct json *c = spec_given(j, "names")->child; c; c = c->next)
		if (str_eq(c->text, "write"))
			spec_fail(r, c, "SCMP_ACT_NOTIFY cannot be used for the write syscall");
}

static const struct spec_list rule_list = {
	.fields = rule_fields,
	.size = sizeof(struct spec_seccomp_rule),
	.max = SPEC_MAX_RULES,
	.check = check_rule,
};

SPEC_LIST_LAYOUT(struct spec_seccomp_rule, args, n_args);
SPEC_LIST_LAYOUT(struct spec_seccomp, rules, n_rules);

#define AT(member) offsetof(struct spec_seccomp, member)

static const struct spec_field seccomp_fields[] = {
	{"defaultAction", read_action, AT(default_action), NULL, SPEC_REQUIRED},
	{"defaultErrnoRet", spec_read_int, AT(default_errno_ret), &errno_range, 0},
	{"architectures", read_names, AT(architectures), &architecture_names, 0},
	{"flags", read_flags, 0, &flag_names, 0},
	{"syscalls", spec_read_list, AT(rules), &rule_list, 0},
	{"listenerPath", read_listener, AT(listener_path), NULL, 0},
	{"listenerMetadata", spec_read_word, AT(listener_metadata), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

void spec_read_seccomp(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_seccomp *s = out;
	size_t before = r->errors->total;

	(void)arg;
	s->present = true;
	spec_read_fields(r, j, s, seccomp_fields);
	if (r->errors->total != before)
		return;
	check_errno(r, spec_given(j, "defaultErrnoRet"), s->default_action, s->default_errno_ret.v);
	if (str_eq(s->default_action, "SCMP_ACT_NOTIFY"))
		spec_fail(r, spec_given(j, "defaultAction"),
			  "SCMP_ACT_NOTIFY cannot be used as default action");
}
