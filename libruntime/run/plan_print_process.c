/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The half of a printed plan that happens at start: from a waiting process to the program. */
#include <inttypes.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "base/str.h"
#include "run/plan.h"
#include "run/plan_print.h"
#include "run/plan_words.h"

static void print_scheduler(const struct sched_request *q, struct plan_writer *w)
{
	plan_step(w, "scheduler");
	plan_spec_word(w, "policy", SPEC_POLICIES, q->policy);
	plan_spec_bits(w, "flags", SPEC_SCHED_FLAGS, q->flags);
	if (q->nice)
		plan_number(w, "nice", q->nice);
	if (q->priority)
		plan_unsigned(w, "priority", q->priority);
	if (q->runtime || q->deadline || q->period) {
		plan_unsigned(w, "runtime", q->runtime);
		plan_unsigned(w, "deadline", q->deadline);
		plan_unsigned(w, "period", q->period);
	}
}

static void print_scheduling(const struct plan_process *p, struct plan_writer *w)
{
	if (p->first_cpus_text || p->cpus_text) {
		plan_step(w, "cpus");
		plan_text(w, "while it joins", p->first_cpus_text ? p->first_cpus_text : "all");
		plan_text(w, "then", p->cpus_text ? p->cpus_text : "all");
	}
	if (p->personality_set) {
		plan_step(w, "personality");
		if (p->personality == PER_LINUX32 || p->personality == PER_LINUX)
			plan_text(w, "domain", p->personality == PER_LINUX ? "LINUX" : "LINUX32");
		else
			plan_fmt(w, "domain", "0x%x", p->personality);
	}
	if (p->memory) {
		plan_step(w, "memory policy");
		plan_spec_word(w, "mode", SPEC_MEMORY_MODES, (uint64_t)p->memory->mode);
		plan_text(w, "nodes", p->memory->nodes);
		plan_spec_bits(w, "flags", SPEC_MEMORY_FLAGS, p->memory->flags);
	}
	if (p->io_priority_set) {
		plan_step(w, "I/O priority");
		plan_spec_word(w, "class", SPEC_IO_CLASSES, (uint64_t)p->io_class);
		plan_number(w, "priority", p->io_priority);
	}
	if (p->scheduler)
		print_scheduler(p->scheduler, w);
}

static void put_limit(struct plan_writer *w, const char *name, uint64_t v)
{
	if (v == RLIM_INFINITY)
		plan_text(w, name, "unlimited");
	else
		plan_unsigned(w, name, v);
}

static void print_rlimits(const struct plan_process *p, struct plan_writer *w)
{
	for (size_t i = 0; i < p->n_rlimits; i++) {
		plan_step(w, "rlimit");
		plan_text(w, "resource", p->rlimits[i].name);
		put_limit(w, "soft", p->rlimits[i].soft);
		put_limit(w, "hard", p->rlimits[i].hard);
	}
}

static void print_caps(const struct caps *caps, struct plan_writer *w)
{
	const struct {
		const char *name;
		uint64_t set;
	} sets[] = {
		{"bounding", caps->bounding},	{"effective", caps->effective},
		{"permitted", caps->permitted}, {"inheritable", caps->inheritable},
		{"ambient", caps->ambient},
	};
	uint64_t any = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		any |= sets[i].set;
	if (!any)
		plan_step(w, "no capabilities");
	for (size_t i = 0; any && i < ARRAY_SIZE(sets); i++) {
		plan_step(w, sets[i].name);
		plan_caps(w, "capabilities", sets[i].set);
	}
}

static void print_user(const struct plan_process *p, struct plan_writer *w)
{
	plan_step(w, "user");
	plan_fmt(w, "ids", "%u:%u", p->uid, p->gid);
	if (p->n_groups == CREDS_KEEP_GROUPS) {
		plan_text(w, "groups", "the caller's");
	} else if (p->n_groups) {
		plan_list(w, "groups");
		for (size_t i = 0; i < p->n_groups; i++)
			plan_word_fmt(w, "%u", p->groups[i]);
	}
	plan_fmt(w, "umask", "%04o", p->umask_set ? p->umask : 022);
	print_caps(&p->caps, w);
	if (p->no_new_privileges)
		plan_step(w, "no new privileges");
}

static size_t count_action(const struct seccomp_profile *s, const char *action, size_t *ret_names)
{
	size_t n = 0;

	*ret_names = 0;
	for (size_t i = 0; i < s->n_rules; i++) {
		if (!str_eq(s->rules[i].action, action))
			continue;
		n++;
		for (const char *const *name = s->rules[i].names; *name; name++)
			++*ret_names;
	}
	return n;
}

/* A profile has hundreds of names: how many of each fate. */
static void print_seccomp(const struct plan_process *p, struct plan_writer *w)
{
	const struct seccomp_profile *s = p->seccomp;

	if (!s)
		return;
	plan_step(w, "seccomp");
	if (s->raw) {
		plan_fmt(w, "filter", "%zu bytes as given", s->raw_size);
	} else {
		plan_text(w, "default", s->default_action);
		if (s->default_errno_set)
			plan_unsigned(w, "errno", s->default_errno);
		plan_words(w, "architectures", s->architectures);
		if (s->flags_present) {
			plan_list(w, "flags");
			for (const char *const *f = s->flags; *f; f++)
				plan_word(w, *f);
		}
		plan_flag(w, "unknown system calls fail", s->fail_unknown);
	}
	for (const char *const *a = seccomp_actions(); !s->raw && *a; a++) {
		size_t names, rules = count_action(s, *a, &names);

		if (rules)
			plan_fmt(w, *a, "%zu system calls in %zu rules", names, rules);
	}
	if (!p->listener.path)
		return;
	plan_step(w, "seccomp agent");
	plan_text(w, "path", p->listener.path);
	plan_flag(w, "required", p->listener.required);
	plan_text(w, "metadata", p->listener.metadata);
}

void plan_print_process(const struct plan *plan, struct plan_writer *w)
{
	const struct plan_process *p = &plan->process;

	plan_stage(w, "start");
	for (size_t i = 0; p->envp && (p->envp[i] || (int)i == p->home_slot); i++) {
		plan_step(w, "env");
		plan_text(w, "variable", p->envp[i] ? p->envp[i] : "HOME=(from passwd)");
	}
	if (p->oom_set) {
		plan_step(w, "OOM score");
		plan_number(w, "adjustment", p->oom_score_adj);
	}
	print_rlimits(p, w);
	print_scheduling(p, w);
	print_user(p, w);
	if (p->apparmor) {
		plan_step(w, "AppArmor");
		plan_text(w, "profile", p->apparmor);
	}
	if (p->selinux) {
		plan_step(w, "SELinux");
		plan_text(w, "label", p->selinux);
	}
	print_seccomp(p, w);
}

void plan_print_program(const struct plan *plan, struct plan_writer *w)
{
	const struct plan_process *p = &plan->process;

	plan_step(w, "execute");
	plan_words(w, "args", p->argv);
	plan_text(w, "in", p->cwd);
	plan_flag(w, "terminal", p->terminal);
	if (p->keep_fds)
		plan_unsigned(w, "descriptors kept from 3 on", p->keep_fds);
}
