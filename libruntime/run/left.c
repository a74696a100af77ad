/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is still there although SIGKILL was sent, and why. */
#include <errno.h>

#include "base/str.h"
#include "run/lifecycle.h"

/* The init of a pid namespace does not end before all others in it are reaped. */
static int name_init(pid_t pid, struct err *err)
{
	char text[400], children[300];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	proc_describe(&b, pid);
	strbuf_init(&b, children, sizeof(children));
	proc_describe_children(&b, pid, 3);
	return err_kind(err, ERR_RUNTIME, ETIMEDOUT,
			"wait for the container's end: process %s is still there%s%s", text,
			children[0] ? ", and waits for " : "", children);
}

static int name_left(const struct container *c, const struct cgroup *cg, struct err *err)
{
	if (cg && cgroup_name_left(cg, err) == CGROUP_BUSY)
		return -EBUSY;
	if (c->state.init.pid <= 0 || proc_check(&c->state.init) != PROC_ALIVE)
		return 0;
	return name_init(c->state.init.pid, err);
}

int container_name_left(const struct container *c, const struct cgroup *cg, struct err *err)
{
	int r = name_left(c, cg, err);

	if (r < 0)
		err_hint(err, DIE_HINT);
	return r;
}
