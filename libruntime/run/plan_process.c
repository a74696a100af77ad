/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan's process: environment, identity, limits and the seccomp profile, for create and for
 * exec. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kernel/notify_socket.h"
#include "run/plan.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool is_var(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

/* LISTEN_* describe descriptors that only this call can know: the configuration's own are dropped.
 */
static bool is_ours(const char *entry, const struct plan_process_extra *extra)
{
	if (is_var(entry, "HOME"))
		return entry[5] == '\0';
	if (extra->listen_fds == 0)
		return false;
	return is_var(entry, "LISTEN_FDS") || is_var(entry, "LISTEN_PID") ||
	       is_var(entry, "LISTEN_FDNAMES");
}

/* Names that are not one for each descriptor are nobody's: sd_listen_fds_with_names(3) fails. */
static bool are_named(const struct plan_process_extra *extra)
{
	unsigned n = 1;

	if (!extra->listen_fdnames || !extra->listen_fdnames[0])
		return false;
	for (const char *p = extra->listen_fdnames; *p; p++)
		n += *p == ':';
	return n == extra->listen_fds;
}

static int make_env(const struct spec_strings *env, const struct plan_process_extra *extra,
		    struct plan_process *ret, struct arena *arena)
{
	const char **v = arena_array(arena, env->n + 7, sizeof(*v));
	bool home = false;
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	ret->path = DEFAULT_PATH;
	for (size_t i = 0; i < env->n; i++) {
		if (is_ours(env->v[i], extra))
			continue;
		home |= is_var(env->v[i], "HOME");
		if (is_var(env->v[i], "PATH"))
			ret->path = env->v[i] + 5;
		v[n++] = env->v[i];
	}
	if (extra->listen_fds > 0) {
		v[n++] = arena_printf(arena, "LISTEN_FDS=%u", extra->listen_fds);
		v[n++] = "LISTEN_PID=1";
		if (are_named(extra))
			v[n++] = arena_printf(arena, "LISTEN_FDNAMES=%s", extra->listen_fdnames);
	}
	if (extra->notify)
		v[n++] = arena_printf(arena, "NOTIFY_SOCKET=%s/" NOTIFY_NAME, extra->notify);
	if (extra->notify && extra->watchdog_usec > 0)
		v[n++] = arena_printf(arena, "WATCHDOG_USEC=%" PRIu64, extra->watchdog_usec);
	ret->home_slot = home ? -1 : (int)n++;
	ret->envp = v;
	return 0;
}

static bool notifies(const struct spec_seccomp *s)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (str_eq(s->rules[i].action, "SCMP_ACT_NOTIFY"))
			return true;
	return false;
}

int plan_make_listener(const struct spec_seccomp *seccomp, const struct spec_known *known,
		       const char *receiver, struct plan_listener *ret, struct err *err)
{
	bool filter = seccomp->present || known->seccomp_bpf;

	*ret = (struct plan_listener){
		.path = seccomp->listener_path	  ? seccomp->listener_path
			: known->seccomp_receiver ? known->seccomp_receiver
						  : receiver,
		.metadata = seccomp->listener_metadata,
		.required = notifies(seccomp) && !known->seccomp_bpf,
	};
	if (!filter)
		*ret = (struct plan_listener){.path = NULL};
	if (ret->required && !ret->path) {
		err_pointer(err, "/linux/seccomp/listenerPath");
		return err_kind(err, ERR_CONFIG, 0,
				"SCMP_ACT_NOTIFY needs it: the socket of a seccomp agent");
	}
	if (ret->metadata && !ret->path) {
		err_pointer(err, "/linux/seccomp/listenerMetadata");
		return err_kind(err, ERR_CONFIG, 0, "is for a listenerPath, and there is none");
	}
	if (ret->path && ret->path[0] != '/')
		return err_kind(err, ERR_USAGE, 0,
				"RUN_OCI_SECCOMP_RECEIVER \"%s\" is not an absolute path",
				ret->path);
	return 0;
}

static int make_seccomp(const struct spec_seccomp *from, const struct spec_known *known,
			struct plan_process *ret, struct arena *arena)
{
	struct seccomp_profile *to;
	struct seccomp_rule *rules;

	if (!from->present && !known->seccomp_bpf)
		return 0;
	to = arena_alloc(arena, sizeof(*to));
	rules = arena_array(arena, from->n_rules + 1, sizeof(*rules));
	if (!to || !rules)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_rules; i++) {
		const struct spec_seccomp_rule *rule = &from->rules[i];
		struct seccomp_arg *args = arena_array(arena, rule->n_args + 1, sizeof(*args));

		if (!args)
			return -ENOMEM;
		for (size_t k = 0; k < rule->n_args; k++)
			args[k] =
				(struct seccomp_arg){rule->args[k].index, rule->args[k].op_name,
						     rule->args[k].value, rule->args[k].value_two};
		rules[i] =
			(struct seccomp_rule){rule->names.v,	 rule->action, rule->errno_ret.set,
					      rule->errno_ret.v, args,	       rule->n_args};
	}
	*to = (struct seccomp_profile){
		.default_action = from->default_action,
		.default_errno_set = from->default_errno_ret.set,
		.default_errno = from->default_errno_ret.v,
		.architectures = from->architectures.v,
		.flags = from->flags.v,
		.flags_present = from->flags_present,
		.rules = rules,
		.n_rules = from->n_rules,
		.fail_unknown = known->seccomp_fail_unknown,
		.listener = ret->listener.path,
		.raw = known->seccomp_bpf,
		.raw_size = known->seccomp_bpf_size,
	};
	ret->seccomp = to;
	return 0;
}

static int make_rlimits(const struct spec_process *process, struct plan_process *ret,
			struct arena *arena)
{
	struct plan_rlimit *v = arena_array(arena, process->n_rlimits + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < process->n_rlimits; i++)
		v[i] = (struct plan_rlimit){process->rlimits[i].resource, process->rlimits[i].name,
					    process->rlimits[i].soft, process->rlimits[i].hard};
	ret->rlimits = v;
	ret->n_rlimits = process->n_rlimits;
	return 0;
}

int plan_make_process(const struct spec_process *process, const struct spec_seccomp *seccomp,
		      const struct plan_process_extra *extra, struct plan_process *ret,
		      struct arena *arena, struct err *err)
{
	int r;

	*ret = (struct plan_process){
		.argv = process->args.v,
		.cwd = process->cwd,
		.uid = process->uid,
		.gid = process->gid,
		.groups = process->groups,
		.n_groups = extra->keep_groups ? CREDS_KEEP_GROUPS : process->n_groups,
		.umask_set = process->umask.set,
		.umask = process->umask.v,
		.caps = {process->caps.bounding, process->caps.effective, process->caps.permitted,
			 process->caps.inheritable, process->caps.ambient},
		.no_new_privileges = process->no_new_privileges,
		.apparmor = process->apparmor,
		.selinux = process->selinux,
		.oom_set = process->oom_score_adj.set,
		.oom_score_adj = process->oom_score_adj.v,
		.terminal = process->terminal,
		.rows = process->console_rows.set ? process->console_rows.v : 0,
		.columns = process->console_columns.set ? process->console_columns.v : 0,
		.keep_fds = extra->listen_fds + extra->preserve_fds,
	};
	r = plan_make_listener(seccomp, extra->known, extra->seccomp_receiver, &ret->listener, err);
	if (r < 0)
		return r;
	if (make_env(&process->env, extra, ret, arena) < 0 ||
	    make_rlimits(process, ret, arena) < 0 ||
	    make_seccomp(seccomp, extra->known, ret, arena) < 0)
		return err_set(err, ENOMEM, "plan the process");
	return plan_make_sched(process, extra, ret, arena, err);
}
