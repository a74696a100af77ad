/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start: open the gate, learn whether the program runs, run the poststart hooks. */
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "run/gate.h"
#include "run/hooks.h"
#include "run/lifecycle.h"
#include "run/sync.h"
#include "spec/spec.h"

extern char **environ;

/* The connection ends by execve (after SYNC_EXEC) or by the end of the process (before it). */
static int await_exec(int channel, struct err *err)
{
	bool exec = false;

	for (;;) {
		struct sync_message m;
		int r = sync_receive(channel, &m, NULL, CLOCK_FOREVER, err);

		if (r < 0)
			return r;
		if (r == SYNC_GONE && exec)
			return 0;
		if (r == SYNC_GONE)
			return err_set(
				err, 0,
				"the container's process ended before its program was executed");
		if (m.type == SYNC_FAILED) {
			*err = m.err;
			return m.err.code ? -m.err.code : -EINVAL;
		}
		exec = m.type == SYNC_EXEC;
	}
}

static int run_poststart(struct container *c, struct err *err)
{
	struct spec *spec;
	struct hooks_setting setting = {-1, c->state.bundle, (const char *const *)environ};
	AUTO_CLOSE int input = -1;
	char *json;
	int r;

	if (!(c->state.hooks & (1u << SPEC_HOOK_POSTSTART)))
		return 0;
	r = state_load_config(c->dir, &c->arena, &spec, err);
	if (r < 0)
		return r;
	json = state_hook_json(&c->arena, &c->state, "running", c->state.init.pid);
	input = json ? hooks_input(json, err) : err_set(err, ENOMEM, "run hooks");
	if (input < 0)
		return input;
	setting.input = input;
	return hooks_run(spec->hooks[SPEC_HOOK_POSTSTART].v, spec->hooks[SPEC_HOOK_POSTSTART].n,
			 SPEC_HOOK_POSTSTART, &setting, err);
}

static int check_created(enum oakum_status status, struct err *err)
{
	if (status == OAKUM_CREATED)
		return 0;
	if (status == OAKUM_RUNNING)
		return err_kind(err, ERR_STATE, 0, "cannot start an already running container");
	return err_kind(err, ERR_STATE, 0, "cannot start a container that is %s",
			oakum_status_name(status));
}

static int start(struct oakum *o, const char *id, struct container *c, struct err *err)
{
	AUTO_CLOSE int channel = -1;
	struct err ignored = ERR_INIT;
	int r = check_created(c->status, err);

	if (r < 0)
		return r;
	r = gate_open(c->dir, &channel, err);
	if (r == GATE_CLOSED)
		return err_kind(err, ERR_STATE, 0, "cannot start a container that has stopped");
	if (r < 0)
		return r;
	r = await_exec(channel, err);
	unlinkat(c->dir, STATE_GATE, 0);
	if (r < 0)
		return r;
	handle_debug(o, "start %s: process %d runs", id, c->state.init.pid);
	r = run_poststart(c, err);
	/* The specification: a failing poststart hook stops the container. */
	if (r < 0)
		container_destroy(o, id, c, 0, &ignored);
	return r;
}

int oakum_start(struct oakum *o, const char *id)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	struct err *err = handle_begin(o);
	int r = container_open(o, id, true, &c, err);

	if (r == 0)
		r = start(o, id, &c, err);
	return handle_end(o, "start", id, r);
}
