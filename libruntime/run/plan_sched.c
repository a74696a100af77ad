/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan's process: scheduler, CPUs, I/O priority, memory policy and personality. */
#include <errno.h>

#include "run/plan.h"

static int make_scheduler(const struct spec_scheduler *from, bool cpuset, struct plan_process *ret,
			  struct arena *arena)
{
	struct sched_request *q;
	uint64_t number;

	if (!from->present)
		return 0;
	q = arena_alloc(arena, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct sched_request){
		.name = spec_word(SPEC_POLICIES, from->policy, &number),
		.policy = from->policy,
		.flags = from->flags,
		.nice = from->nice,
		.priority = from->priority,
		.runtime = from->runtime.v,
		.deadline = from->deadline.v,
		.period = from->period.v,
		.cpuset = cpuset,
	};
	ret->scheduler = q;
	return 0;
}

static int make_cpus(const char *list, const struct sched_cpus **ret, struct arena *arena)
{
	struct sched_cpus *cpus;

	if (!list)
		return 0;
	cpus = arena_alloc(arena, sizeof(*cpus));
	if (!cpus)
		return -ENOMEM;
	*ret = cpus;
	return sched_parse_cpus(list, cpus);
}

static int make_affinity(const struct spec_process *process, struct plan_process *ret,
			 struct arena *arena, struct err *err)
{
	int r = make_cpus(process->affinity_initial, &ret->first_cpus, arena);

	if (r < 0) {
		err_pointer(err, "/process/execCPUAffinity/initial");
		return err_kind(err, ERR_CONFIG, -r, "CPUs \"%s\"", process->affinity_initial);
	}
	r = make_cpus(process->affinity_final, &ret->cpus, arena);
	if (r < 0) {
		err_pointer(err, "/process/execCPUAffinity/final");
		return err_kind(err, ERR_CONFIG, -r, "CPUs \"%s\"", process->affinity_final);
	}
	ret->first_cpus_text = process->affinity_initial;
	ret->cpus_text = process->affinity_final;
	return 0;
}

static int make_memory(const struct spec_memory_policy *from, struct plan_process *ret,
		       struct arena *arena)
{
	struct mempolicy_request *q;
	uint64_t number;

	if (!from->present)
		return 0;
	q = arena_alloc(arena, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct mempolicy_request){
		.name = spec_word(SPEC_MEMORY_MODES, (size_t)from->mode, &number),
		.mode = from->mode,
		.flags = from->flags,
		.nodes = from->nodes,
	};
	ret->memory = q;
	return 0;
}

int plan_make_sched(const struct spec_process *process, const struct plan_process_extra *extra,
		    struct plan_process *ret, struct arena *arena, struct err *err)
{
	const struct spec *spec = extra->spec;
	uint64_t number;

	if (process->io_priority.present) {
		ret->io_priority_set = true;
		ret->io_class = process->io_priority.class;
		ret->io_class_name = spec_word(SPEC_IO_CLASSES, (size_t)ret->io_class - 1, &number);
		ret->io_priority = process->io_priority.priority;
	}
	ret->personality_set = spec->personality.set;
	ret->personality = spec->personality.v;
	if (make_scheduler(&process->scheduler, spec->resources.cpuset_cpus, ret, arena) < 0 ||
	    make_memory(&spec->memory_policy, ret, arena) < 0)
		return err_set(err, ENOMEM, "plan the process");
	return extra->exec ? make_affinity(process, ret, arena, err) : 0;
}
