/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plan may know about the host, looked up as far as the configuration makes it matter. */
#ifndef OAKUM_RUN_HOST_H
#define OAKUM_RUN_HOST_H

#include "run/handle.h"
#include "run/plan.h"

/*
 * The facts for the plan of @spec. @join: a descriptor of each namespace that is given by its path,
 * -1 else. What is not static is in @arena. 0, or < 0 with @err, where a namespace cannot be opened
 * or joined with its pointer. Changes nothing.
 */
int host_look(struct oakum *o, const struct spec *spec, int join[SPEC_NS_COUNT],
	      struct arena *arena, struct plan_host *ret, struct err *err);

/* Are device rules not for us to write? */
bool host_no_devices(struct oakum *o);

/*
 * Of @all, the hierarchies that somebody without rights over the tree may use for the cgroup
 * @wanted of config.json, or (NULL) for one below @parent or what is delegated to him: then
 * *@ret_parent is that. None: mode CGROUP_NONE. Both are the arena's. 0, or < 0 with @err.
 */
int host_usable_cgroups(const struct cgroup_host *all, const char *wanted, const char *parent,
			struct arena *arena, const struct cgroup_host **ret,
			const char **ret_parent, struct err *err);

#endif
