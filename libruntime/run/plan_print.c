/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every decision of a plan as text, one a line: what the golden tests compare. */
#include <sched.h>

#include "base/str.h"
#include "kernel/ns.h"
#include "run/plan.h"

static const int kinds[] = {CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET,	  CLONE_NEWIPC,
			    CLONE_NEWUTS,  CLONE_NEWNS,	 CLONE_NEWCGROUP, CLONE_NEWTIME};

static void print_namespaces(const struct plan *p, struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (p->create & (unsigned)kinds[i])
			strbuf_fmt(out, "namespace %s new\n", ns_kind_name(kinds[i]));
	for (size_t i = 0; i < p->n_join; i++)
		strbuf_fmt(out, "namespace %s join %s\n", ns_kind_name(p->join[i].kind),
			   p->join[i].path);
	for (size_t i = 0; i < p->n_offsets; i++)
		strbuf_fmt(out, "clock %s %lld %u\n", p->offsets[i].clock,
			   (long long)p->offsets[i].secs, p->offsets[i].nanosecs);
	if (p->implied_user)
		strbuf_add(out, "namespace user implied\n");
	for (size_t i = 0; i < p->uids.n; i++)
		strbuf_fmt(out, "uid %u %u %u\n", p->uids.v[i].container, p->uids.v[i].host,
			   p->uids.v[i].size);
	for (size_t i = 0; i < p->gids.n; i++)
		strbuf_fmt(out, "gid %u %u %u\n", p->gids.v[i].container, p->gids.v[i].host,
			   p->gids.v[i].size);
}

static void print_idmap(const struct idmap *map, struct strbuf *out)
{
	if (map->kind == IDMAP_NONE)
		return;
	strbuf_add(out, map->recursive ? " ridmap" : " idmap");
	for (size_t i = 0; i < map->n_uids; i++)
		strbuf_fmt(out, " uid %u %u %u", map->uids[i].container, map->uids[i].host,
			   map->uids[i].size);
	for (size_t i = 0; i < map->n_gids; i++)
		strbuf_fmt(out, " gid %u %u %u", map->gids[i].container, map->gids[i].host,
			   map->gids[i].size);
}

static void print_mounts(const struct plan *p, struct strbuf *out)
{
	static const char *const names[] = {"mount", "bind", "remount", "symlink"};

	for (size_t i = 0; i < p->n_mounts; i++) {
		const struct mount_op *m = &p->mounts[i];

		strbuf_fmt(out, "%s %s", names[m->kind], m->target);
		if (m->source)
			strbuf_fmt(out, " from %s", m->source);
		if (m->kind == MOUNT_FS)
			strbuf_fmt(out, " type %s data \"%s\"", m->type, m->data ? m->data : "");
		strbuf_fmt(out, " attr +%llx -%llx", (unsigned long long)m->attr_set,
			   (unsigned long long)m->attr_clr);
		if (m->rec_set || m->rec_clr)
			strbuf_fmt(out, " tree +%llx -%llx", (unsigned long long)m->rec_set,
				   (unsigned long long)m->rec_clr);
		if (m->sb_flags || m->sb_clear)
			strbuf_fmt(out, " super +%lx -%lx", m->sb_flags, m->sb_clear);
		if (m->propagation)
			strbuf_fmt(out, " propagation %lx", m->propagation);
		strbuf_fmt(out, "%s%s%s%s%s%s%s%s%s", m->recursive ? " recursive" : "",
			   m->copyup ? " copyup" : "", m->late_readonly ? " late-readonly" : "",
			   m->no_symlink ? " no-symlink" : "", m->optional ? " optional" : "",
			   m->copy_symlink ? " copy-symlink" : "",
			   m->source_nofollow ? " source-nofollow" : "",
			   m->target_nofollow ? " target-nofollow" : "",
			   m->locked ? " locked" : "");
		if (m->label)
			strbuf_fmt(out, " %s=%s", m->label_key, m->label);
		print_idmap(&m->idmap, out);
		strbuf_addc(out, '\n');
	}
}

static void print_devices(const struct plan *p, struct strbuf *out)
{
	for (size_t i = 0; i < p->n_devices; i++) {
		const struct dev_node *d = &p->devices[i];

		strbuf_fmt(out, "device %s %c %u:%u %04o %u:%u\n", d->path, d->type, d->major,
			   d->minor, d->mode, d->uid, d->gid);
	}
}

static void print_limit(struct strbuf *out, const char *name, bool set, int64_t v)
{
	if (set)
		strbuf_fmt(out, "limit %s %lld\n", name, (long long)v);
}

static void print_io(const struct cgroup_limits *l, struct strbuf *out)
{
	static const char *const kinds_of_rate[] = {"read-bps", "write-bps", "read-iops",
						    "write-iops"};

	print_limit(out, "io.weight", l->io_weight.set, (int64_t)l->io_weight.v);
	print_limit(out, "io.leaf-weight", l->io_leaf_weight.set, (int64_t)l->io_leaf_weight.v);
	for (size_t i = 0; i < l->n_io_weights; i++)
		strbuf_fmt(out, "limit io.weight %u:%u %llu leaf %llu\n", l->io_weights[i].major,
			   l->io_weights[i].minor, (unsigned long long)l->io_weights[i].weight,
			   (unsigned long long)l->io_weights[i].leaf_weight);
	for (size_t i = 0; i < l->n_io_rates; i++)
		strbuf_fmt(out, "limit io.%s %u:%u %llu\n", kinds_of_rate[l->io_rates[i].kind],
			   l->io_rates[i].major, l->io_rates[i].minor,
			   (unsigned long long)l->io_rates[i].rate);
}

static void print_others(const struct cgroup_limits *l, struct strbuf *out)
{
	for (size_t i = 0; i < l->n_hugepages; i++)
		strbuf_fmt(out, "limit hugetlb.%s %llu\n", l->hugepages[i].size,
			   (unsigned long long)l->hugepages[i].limit);
	print_limit(out, "net.class", l->net_class.set, l->net_class.v);
	for (size_t i = 0; i < l->n_net_priorities; i++)
		strbuf_fmt(out, "limit net.priority %s %u\n", l->net_priorities[i].name,
			   l->net_priorities[i].priority);
	for (size_t i = 0; i < l->n_rdma; i++) {
		strbuf_fmt(out, "limit rdma %s", l->rdma[i].device);
		if (l->rdma[i].handles.set)
			strbuf_fmt(out, " handles %u", l->rdma[i].handles.v);
		if (l->rdma[i].objects.set)
			strbuf_fmt(out, " objects %u", l->rdma[i].objects.v);
		strbuf_addc(out, '\n');
	}
	for (size_t i = 0; i < l->n_unified; i++)
		strbuf_fmt(out, "limit unified %s %s\n", l->unified[i].key, l->unified[i].value);
}

static void print_cgroup(const struct plan *p, struct strbuf *out)
{
	const struct cgroup_limits *l = &p->limits;

	strbuf_fmt(out, "cgroup %s\n", p->cgroup[0] ? p->cgroup : "none");
	if (p->delegate)
		strbuf_fmt(out, "cgroup delegated %s\n", p->delegate);
	print_limit(out, "memory", l->memory_limit.set, l->memory_limit.v);
	print_limit(out, "memory.reservation", l->memory_reservation.set, l->memory_reservation.v);
	print_limit(out, "memory.swap", l->memory_swap.set, l->memory_swap.v);
	print_limit(out, "memory.swappiness", l->memory_swappiness.set,
		    (int64_t)l->memory_swappiness.v);
	print_limit(out, "memory.disableOOMKiller", l->memory_disable_oom_killer.set,
		    l->memory_disable_oom_killer.v);
	print_limit(out, "cpu.shares", l->cpu_shares.set, (int64_t)l->cpu_shares.v);
	print_limit(out, "cpu.quota", l->cpu_quota.set, l->cpu_quota.v);
	print_limit(out, "cpu.period", l->cpu_period.set, (int64_t)l->cpu_period.v);
	print_limit(out, "cpu.burst", l->cpu_burst.set, (int64_t)l->cpu_burst.v);
	print_limit(out, "cpu.idle", l->cpu_idle.set, l->cpu_idle.v);
	print_limit(out, "cpu.rt-runtime", l->cpu_rt_runtime.set, l->cpu_rt_runtime.v);
	print_limit(out, "cpu.rt-period", l->cpu_rt_period.set, (int64_t)l->cpu_rt_period.v);
	print_limit(out, "pids", l->pids_limit.set, l->pids_limit.v);
	if (l->cpuset_cpus)
		strbuf_fmt(out, "limit cpuset.cpus %s\n", l->cpuset_cpus);
	if (l->cpuset_mems)
		strbuf_fmt(out, "limit cpuset.mems %s\n", l->cpuset_mems);
	print_io(l, out);
	print_others(l, out);
	for (size_t i = 0; i < l->n_devices; i++) {
		const struct cgroup_device_rule *r = &l->devices[i];

		strbuf_fmt(out, "device-rule %s %c %lld:%lld %s%s%s\n", r->allow ? "allow" : "deny",
			   r->type, (long long)r->major, (long long)r->minor, r->read ? "r" : "",
			   r->write ? "w" : "", r->mknod ? "m" : "");
	}
}

static void print_sched(const struct plan_process *p, struct strbuf *out)
{
	const struct sched_request *q = p->scheduler;

	if (q)
		strbuf_fmt(
			out,
			"scheduler policy %u flags %llx nice %d priority %u time %llu %llu %llu\n",
			q->policy, (unsigned long long)q->flags, q->nice, q->priority,
			(unsigned long long)q->runtime, (unsigned long long)q->deadline,
			(unsigned long long)q->period);
	if (p->io_priority_set)
		strbuf_fmt(out, "io-priority class %d priority %d\n", p->io_class, p->io_priority);
	if (p->first_cpus_text || p->cpus_text)
		strbuf_fmt(out, "cpus first %s then %s\n",
			   p->first_cpus_text ? p->first_cpus_text : "all",
			   p->cpus_text ? p->cpus_text : "all");
	if (p->memory)
		strbuf_fmt(out, "memory-policy mode %d flags %x nodes \"%s\"\n", p->memory->mode,
			   p->memory->flags, p->memory->nodes);
	if (p->apparmor)
		strbuf_fmt(out, "apparmor %s\n", p->apparmor);
	if (p->selinux)
		strbuf_fmt(out, "selinux %s\n", p->selinux);
	if (p->personality_set)
		strbuf_fmt(out, "personality %x\n", p->personality);
}

static void print_process(const struct plan_process *p, struct strbuf *out)
{
	for (size_t i = 0; p->argv && p->argv[i]; i++)
		strbuf_fmt(out, "arg %s\n", p->argv[i]);
	for (size_t i = 0; p->envp && (p->envp[i] || (int)i == p->home_slot); i++)
		strbuf_fmt(out, "env %s\n", p->envp[i] ? p->envp[i] : "HOME=(from passwd)");
	strbuf_fmt(out, "cwd %s\nuser %u:%u", p->cwd, p->uid, p->gid);
	if (p->n_groups == CREDS_KEEP_GROUPS)
		strbuf_add(out, " and the caller's groups");
	for (size_t i = 0; p->n_groups != CREDS_KEEP_GROUPS && i < p->n_groups; i++)
		strbuf_fmt(out, " %u", p->groups[i]);
	strbuf_fmt(out, "\numask %04o\n", p->umask_set ? p->umask : 022);
	strbuf_fmt(
		out,
		"caps bounding %llx effective %llx permitted %llx inheritable %llx ambient %llx\n",
		(unsigned long long)p->caps.bounding, (unsigned long long)p->caps.effective,
		(unsigned long long)p->caps.permitted, (unsigned long long)p->caps.inheritable,
		(unsigned long long)p->caps.ambient);
	for (size_t i = 0; i < p->n_rlimits; i++)
		strbuf_fmt(out, "rlimit %s %llu %llu\n", p->rlimits[i].name,
			   (unsigned long long)p->rlimits[i].soft,
			   (unsigned long long)p->rlimits[i].hard);
	if (p->oom_set)
		strbuf_fmt(out, "oom-score %d\n", p->oom_score_adj);
	strbuf_fmt(out, "no-new-privileges %d\nterminal %d %ux%u\nkeep-fds %u\n",
		   p->no_new_privileges, p->terminal, p->rows, p->columns, p->keep_fds);
	print_sched(p, out);
	if (p->seccomp && !p->seccomp->raw)
		strbuf_fmt(out, "seccomp default %s rules %zu\n", p->seccomp->default_action,
			   p->seccomp->n_rules);
	if (p->seccomp && p->seccomp->raw)
		strbuf_fmt(out, "seccomp raw %zu bytes\n", p->seccomp->raw_size);
	if (p->seccomp && p->seccomp->fail_unknown)
		strbuf_add(out, "seccomp unknown system calls fail\n");
	if (p->listener.path)
		strbuf_fmt(out, "seccomp listener %s %s metadata \"%s\"\n", p->listener.path,
			   p->listener.required ? "required" : "optional",
			   p->listener.metadata ? p->listener.metadata : "");
}

void plan_print(const struct plan *p, struct strbuf *out)
{
	strbuf_fmt(out, "id %s\nbundle %s\nrootfs %s%s\n", p->id, p->bundle, p->rootfs,
		   p->root_readonly ? " read-only" : "");
	print_namespaces(p, out);
	if (p->private_mounts)
		strbuf_add(out, "namespace mount for the mounts, not asked for\n");
	if (p->hostname)
		strbuf_fmt(out, "hostname %s\n", p->hostname);
	if (p->domainname)
		strbuf_fmt(out, "domainname %s\n", p->domainname);
	for (size_t i = 0; i < p->n_net_devices; i++)
		strbuf_fmt(out, "network-device %s as %s\n", p->net_devices[i].name,
			   p->net_devices[i].new_name);
	strbuf_fmt(out, "propagation %lx root %lx\n", p->propagation, p->root_propagation);
	print_mounts(p, out);
	print_devices(p, out);
	for (size_t i = 0; i < p->masked.n; i++)
		strbuf_fmt(out, "mask %s\n", p->masked.v[i]);
	for (size_t i = 0; i < p->readonly.n; i++)
		strbuf_fmt(out, "read-only %s\n", p->readonly.v[i]);
	for (size_t i = 0; i < p->sysctl.n; i++)
		strbuf_fmt(out, "sysctl %s %s\n", p->sysctl.v[i].key, p->sysctl.v[i].value);
	print_cgroup(p, out);
	print_process(&p->process, out);
	if (p->notify)
		strbuf_fmt(out, "notify socket in %s\n", p->notify);
	if (p->known->pidfd_receiver)
		strbuf_fmt(out, "pidfd to %s\n", p->known->pidfd_receiver);
	if (p->known->hooks_stdout)
		strbuf_fmt(out, "hooks-stdout %s\n", p->known->hooks_stdout);
	if (p->known->hooks_stderr)
		strbuf_fmt(out, "hooks-stderr %s\n", p->known->hooks_stderr);
	for (int i = 0; i < SPEC_HOOK_COUNT; i++)
		for (size_t k = 0; k < p->hooks[i].n; k++)
			strbuf_fmt(out, "hook %s %s\n", spec_hook_name(i), p->hooks[i].v[k].path);
}
