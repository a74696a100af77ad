/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a profile to BPF, by libseccomp: the only file that uses its allocating half, in a process
 * that exits right after. The rules' meaning is that of the other runtimes: names that this
 * libseccomp does not know are ignored, rules that say what the default says anyway too, and a rule
 * that names one argument twice means "one of them".
 */
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/seccomp_priv.h"

#define ARGS_MAX     6
#define ARM_OWN_FROM 0x0f0000u /* __ARM_NR_BASE: breakpoint, cacheflush, set_tls … */

struct compiler {
	const struct seccomp_profile *profile;
	scmp_filter_ctx ctx;
	uint32_t default_action;
	uint32_t archs[SECCOMP_STUB_ARCHS]; /* tokens; the first is the native one */
	size_t n_archs;
};

uint32_t seccomp_library(void)
{
	const struct scmp_version *v = seccomp_version();

	return v->major << 16 | (v->minor & 0xff) << 8 | (v->micro & 0xff);
}

static int bad_action(const char *name, int code, struct err *err)
{
	if (code == -ERANGE)
		return err_kind(err, ERR_CONFIG, 0, "the errno of seccomp action %s is too large",
				name);
	err_hint(err, "`oakum features` lists those that are known");
	return err_kind(err, ERR_CONFIG, 0, "unknown seccomp action \"%s\"", name);
}

static int add_arch(struct compiler *c, const char *name, struct err *err)
{
	char spelling[SECCOMP_ARCH_SIZE];
	uint32_t token = 0;
	int r;

	if (seccomp_arch_spelling(name, spelling) == 0)
		token = seccomp_arch_resolve_name(spelling);
	if (token == 0) {
		err_hint(err, "`oakum features` lists those that are known");
		return err_kind(err, ERR_UNSUPPORTED, 0,
				"architecture \"%s\" is unknown to this libseccomp", name);
	}
	r = seccomp_arch_add(c->ctx, token);
	if (r < 0 && r != -EEXIST)
		return err_set(err, -r, "add the architecture %s to the seccomp filter", name);
	if (r == 0 && c->n_archs == SECCOMP_STUB_ARCHS)
		return err_set(err, E2BIG, "too many architectures in the seccomp filter");
	if (r == 0)
		c->archs[c->n_archs++] = token;
	return 0;
}

static int begin(struct compiler *c, struct err *err)
{
	const struct seccomp_profile *p = c->profile;
	int r = seccomp_action_value(p->default_action, p->default_errno_set, p->default_errno,
				     &c->default_action);

	if (r < 0) {
		err_pointer(err, "/linux/seccomp/%s",
			    r == -ERANGE ? "defaultErrnoRet" : "defaultAction");
		return bad_action(p->default_action, r, err);
	}
	if (c->default_action == SCMP_ACT_NOTIFY) {
		err_pointer(err, "/linux/seccomp/defaultAction");
		err_hint(err, "name the system calls that the agent is to answer for");
		return err_kind(err, ERR_CONFIG, 0,
				"SCMP_ACT_NOTIFY cannot be used as default action");
	}
	c->ctx = seccomp_init(c->default_action);
	if (!c->ctx)
		return err_set(err, ENOMEM, "begin a seccomp filter");
	/* no_new_privs belongs to the process, not to the filter. 2: a binary tree instead of a
	 * chain. */
	r = seccomp_attr_set(c->ctx, SCMP_FLTATR_CTL_NNP, 0);
	if (r == 0)
		r = seccomp_attr_set(c->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r < 0)
		return err_set(err, -r, "set the attributes of the seccomp filter");
	c->archs[c->n_archs++] = seccomp_arch_native();
	for (size_t i = 0; p->architectures && p->architectures[i]; i++) {
		r = add_arch(c, p->architectures[i], err);
		if (r < 0) {
			err_pointer(err, "/linux/seccomp/architectures/%zu", i);
			return r;
		}
	}
	return 0;
}

/* The conditions of a rule. > 0: some argument is named twice. */
static int conditions(const struct seccomp_rule *rule, struct scmp_arg_cmp *out, struct err *err)
{
	unsigned seen = 0;
	int twice = 0;

	for (size_t i = 0; i < rule->n_args; i++) {
		const struct seccomp_arg *a = &rule->args[i];
		int op = seccomp_operator_value(a->op);

		if (op < 0) {
			err_hint(err, "`oakum features` lists those that are known");
			return err_kind(err, ERR_CONFIG, 0, "unknown seccomp operator \"%s\"",
					a->op);
		}
		if (a->index >= ARGS_MAX)
			return err_kind(err, ERR_CONFIG, 0, "system calls have no argument %u",
					a->index);
		twice |= (int)(seen >> a->index & 1);
		seen |= 1u << a->index;
		/* For MASKED_EQ the mask is "value" and what must be left is "valueTwo". */
		out[i] = SCMP_CMP64(a->index, (enum scmp_compare)op, a->value, a->value_two);
	}
	return twice;
}

/* A name that this libseccomp does not know is passed over, unless that is to be an error. */
static int check_names(const struct compiler *c, size_t index, struct err *err)
{
	const char *const *names = c->profile->rules[index].names;

	for (size_t i = 0; c->profile->fail_unknown && names && names[i]; i++) {
		if (seccomp_syscall_resolve_name(names[i]) != __NR_SCMP_ERROR)
			continue;
		err_pointer(err, "/linux/seccomp/syscalls/%zu/names/%zu", index, i);
		err_hint(err,
			 "leave it out, or the annotation run.oci.seccomp_fail_unknown_syscall");
		return err_kind(err, ERR_CONFIG, 0, "unknown system call \"%s\"", names[i]);
	}
	return 0;
}

static int add_one(struct compiler *c, uint32_t action, const char *name, size_t n,
		   const struct scmp_arg_cmp *cmp, struct err *err)
{
	int nr = seccomp_syscall_resolve_name(name), r;

	if (nr == __NR_SCMP_ERROR)
		return 0;
	r = seccomp_rule_add_array(c->ctx, action, nr, (unsigned)n, cmp);
	/* An earlier rule decides the same calls already: the first one holds. */
	if (r == 0 || r == -EEXIST)
		return 0;
	return err_set(err, -r, "add a seccomp rule for %s", name);
}

static int add_names(struct compiler *c, const struct seccomp_rule *rule, uint32_t action, size_t n,
		     const struct scmp_arg_cmp *cmp, struct err *err)
{
	for (size_t i = 0; rule->names && rule->names[i]; i++) {
		int r = add_one(c, action, rule->names[i], n, cmp, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Alternatives are a rule each. */
static int add_each(struct compiler *c, const struct seccomp_rule *rule, uint32_t action,
		    const struct scmp_arg_cmp *cmp, struct err *err)
{
	for (size_t i = 0; i < rule->n_args; i++) {
		int r = add_names(c, rule, action, 1, cmp + i, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_rule(struct compiler *c, size_t index, struct err *err)
{
	const struct seccomp_rule *rule = &c->profile->rules[index];
	struct scmp_arg_cmp cmp[2 * ARGS_MAX];
	uint32_t action;
	int r = seccomp_action_value(rule->action, rule->errno_set, rule->errno_ret, &action);

	if (r < 0) {
		err_pointer(err, "/linux/seccomp/syscalls/%zu/%s", index,
			    r == -ERANGE ? "errnoRet" : "action");
		return bad_action(rule->action, r, err);
	}
	r = check_names(c, index, err);
	if (r < 0 || action == c->default_action)
		return r;
	if (rule->n_args > ARRAY_SIZE(cmp)) {
		err_pointer(err, "/linux/seccomp/syscalls/%zu/args", index);
		return err_kind(err, ERR_CONFIG, 0, "more than %zu conditions in a seccomp rule",
				ARRAY_SIZE(cmp));
	}
	r = conditions(rule, cmp, err);
	if (r > 0)
		r = add_each(c, rule, action, cmp, err);
	else if (r == 0)
		r = add_names(c, rule, action, rule->n_args, cmp, err);
	if (r < 0)
		err_pointer(err, "/linux/seccomp/syscalls/%zu", index);
	return r;
}

static void note_newest(struct seccomp_stub_arch *a, uint32_t token, uint32_t nr)
{
	if (token == SCMP_ARCH_X32) {
		nr |= SECCOMP_STUB_X32;
		a->x32 = a->has_x32 && a->x32 > nr ? a->x32 : nr;
		a->has_x32 = true;
		return;
	}
	if (a->own_from && nr >= a->own_from)
		return;
	a->plain = a->has_plain && a->plain > nr ? a->plain : nr;
	a->has_plain = true;
}

static void find_newest(const struct seccomp_profile *p, uint32_t token,
			struct seccomp_stub_arch *a)
{
	for (size_t i = 0; i < p->n_rules; i++)
		for (size_t j = 0; p->rules[i].names && p->rules[i].names[j]; j++) {
			int nr = seccomp_syscall_resolve_name_arch(token, p->rules[i].names[j]);

			/* Negative: unknown, or only known to other architectures. */
			if (nr >= 0)
				note_newest(a, token, (uint32_t)nr);
		}
}

/* A default that lets calls through, or says ENOSYS itself, needs no stub. A tracer wants to see
 * them. */
static bool wants_stub(uint32_t action)
{
	return action != SCMP_ACT_ALLOW && action != SCMP_ACT_LOG &&
	       (action & 0xffff0000u) != SCMP_ACT_TRACE(0) && action != SCMP_ACT_ERRNO(ENOSYS);
}

static int write_stub(const struct compiler *c, int out, struct err *err)
{
	struct seccomp_stub_arch archs[SECCOMP_STUB_ARCHS] = {0};
	struct sock_filter insns[10 * SECCOMP_STUB_ARCHS + 2];
	size_t n = 0;
	int count, r;

	if (!wants_stub(c->default_action))
		return 0;
	for (size_t i = 0; i < c->n_archs; i++) {
		uint32_t audit = c->archs[i] == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : c->archs[i];
		size_t slot = 0;

		while (slot < n && archs[slot].audit != audit)
			slot++;
		n += slot == n;
		archs[slot].audit = audit;
		archs[slot].own_from = audit == SCMP_ARCH_ARM ? ARM_OWN_FROM : 0;
		find_newest(c->profile, c->archs[i], &archs[slot]);
	}
	count = seccomp_stub(archs, n, insns, ARRAY_SIZE(insns));
	if (count < 0)
		return err_set(err, -count, "write the stub of the seccomp filter");
	r = io_write(out, insns, (size_t)count * sizeof(insns[0]));
	return r < 0 ? err_set(err, -r, "write the stub of the seccomp filter") : 0;
}

int seccomp_compile(const struct seccomp_profile *profile, int out, struct err *err)
{
	struct compiler c = {.profile = profile};
	int r = begin(&c, err);

	for (size_t i = 0; r == 0 && i < profile->n_rules; i++)
		r = add_rule(&c, i, err);
	if (r == 0)
		r = write_stub(&c, out, err);
	if (r == 0) {
		r = seccomp_export_bpf(c.ctx, out);
		if (r < 0)
			r = err_set(err, -r, "compile the seccomp filter");
	}
	if (c.ctx)
		seccomp_release(c.ctx);
	return r;
}
