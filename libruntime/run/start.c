/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start: open the gate, learn whether the program runs, run the poststart hooks. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "kernel/notify_socket.h"
#include "run/create.h"
#include "run/gate.h"
#include "run/hooks.h"
#include "run/init.h"
#include "run/lifecycle.h"
#include "run/listener.h"
#include "run/plan.h"
#include "run/sync.h"
#include "spec/spec.h"

extern char **environ;

/* For its execve; where an agent answers for its system calls, hooks included. */
#define EXEC_TIMEOUT_MS 60000
#define END_TIMEOUT_MS	2000

/* With the listener handed over, the process is at the agent's mercy; we are not. */
static int64_t agent_deadline(const struct spec *spec, int64_t ms)
{
	const struct spec_hooks *hooks = &spec->hooks[SPEC_HOOK_START_CONTAINER];

	for (size_t i = 0; i < hooks->n; i++)
		ms += hooks->v[i].timeout.set ? hooks->v[i].timeout.v * INT64_C(1000) : 0;
	return clock_deadline(ms);
}

/* One start on its way. */
struct starting {
	struct container *c;
	const struct oakum_start *options;
	int channel;	  /* to the process */
	int64_t deadline; /* for its execve */
	int notify;	  /* what it notifies comes here, -1: nothing */
	bool agent;	  /* one answers for its system calls */
};

static int64_t timeout_of(const struct starting *s)
{
	return s->options->timeout_ms ? s->options->timeout_ms : EXEC_TIMEOUT_MS;
}

static int pass_listener(struct starting *s, int fd, struct err *err)
{
	struct container *c = s->c;
	/* As the specification has it: the filter is part of the creation. */
	const struct listener_process process = {&c->state, "creating", c->state.init.pid};
	struct plan_listener listener;
	AUTO_CLOSE int taken = fd;
	struct spec *spec;
	int r = state_load_config(c->dir, &c->arena, &spec, err);

	if (r == 0)
		r = plan_make_listener(&spec->seccomp, &spec->known,
				       c->state.listener[0] ? c->state.listener : NULL, &listener,
				       err);
	if (r == 0)
		r = listener_pass(&listener, &process, fd_take(&taken), &c->arena, err);
	if (r == 0) {
		s->deadline = agent_deadline(spec, timeout_of(s));
		s->agent = true;
		sync_send(s->channel, SYNC_LISTENED, 0, -1);
	}
	return r;
}

/* The connection ends by execve (after SYNC_EXEC) or by the end of the process (before it). */
static int await_exec(struct starting *s, struct err *err)
{
	bool exec = false;
	struct sync_message said = {.type = 0};

	for (;;) {
		struct sync_message m;
		int fd, r = sync_receive(s->channel, &m, &fd, s->deadline, err);

		if (r == -ETIMEDOUT && s->agent) {
			*err = ERR_INIT;
			err_hint(err, "look at the agent: it has to answer for what it is asked");
			return err_set(err, ETIMEDOUT,
				       "the seccomp agent has not let the program be executed");
		}
		if (r != 0 && said.type == SYNC_FAILED)
			return sync_failure(&said, err);
		if (r < 0)
			return create_name_late(s->c->state.init.pid, r, err);
		if (r == 0 && m.type == SYNC_LISTENER) {
			r = pass_listener(s, fd, err);
			if (r < 0)
				return r;
			continue;
		}
		if (r == 0 && m.type == SYNC_NOTIFY) {
			fd_replace(&s->notify, fd);
			continue;
		}
		fd_close(fd);
		if (r == SYNC_GONE)
			return create_executed(s->c->state.init.pid, INIT_NAME, exec, err);
		exec |= m.type == SYNC_EXEC;
		/* The last word is the best: it may still look for the reason. */
		if (m.type == SYNC_FAILED)
			said = m;
	}
}

/* It has not become the program: it ends, and has ended when `start` says so. */
static void end_process(const struct container *c)
{
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int pidfd = -1;

	if (proc_open(&c->state.init, &pidfd, &ignored) != PROC_ALIVE)
		return;
	proc_signal(pidfd, SIGKILL, &ignored);
	proc_wait(pidfd, clock_deadline(END_TIMEOUT_MS));
}

/* For startContainer hooks: those run where no path of the host's can be opened. */
static int open_outputs(struct container *c, int ret[2], struct err *err)
{
	struct spec *spec;
	int r;

	if (!(c->state.hooks & (1u << SPEC_HOOK_START_CONTAINER)) ||
	    !strstr(c->state.annotations, "\"run.oci.hooks."))
		return 0;
	r = state_load_config(c->dir, &c->arena, &spec, err);
	return r < 0 ? r : hooks_outputs(c->state.bundle, &spec->known, ret, err);
}

static int run_poststart(struct container *c, struct err *err)
{
	struct spec *spec;
	struct hooks_setting setting =
		HOOKS_SETTING(.dir = c->state.bundle, .env = (const char *const *)environ);
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
	r = hooks_outputs(c->state.bundle, &spec->known, setting.output, err);
	if (r == 0)
		r = hooks_run(&spec->hooks[SPEC_HOOK_POSTSTART], SPEC_HOOK_POSTSTART, &setting,
			      err);
	hooks_outputs_close(setting.output);
	return r;
}

static int check_created(enum oakum_status status, struct err *err)
{
	if (status == OAKUM_CREATED)
		return 0;
	if (status == OAKUM_RUNNING)
		err_hint(err, "`oakum exec` runs another program in it");
	else if (status == OAKUM_PAUSED)
		err_hint(err, "`oakum resume` lets it go on");
	else
		err_hint(err, "delete it, and create it again");
	if (status == OAKUM_RUNNING)
		return err_kind(err, ERR_STATE, 0, "cannot start an already running container");
	return err_kind(err, ERR_STATE, 0, "cannot start a container that is %s",
			oakum_status_name(status));
}

static int start(struct oakum *o, const char *id, struct starting *s, struct err *err)
{
	struct container *c = s->c;
	struct err ignored = ERR_INIT;
	int outputs[2] = {-1, -1};
	int r = check_created(c->status, err);

	if (r < 0)
		return r;
	r = open_outputs(c, outputs, err);
	if (r == 0)
		r = gate_open(c->dir, outputs, &s->channel, err);
	hooks_outputs_close(outputs);
	if (r == GATE_CLOSED) {
		err_hint(err, "delete it, and create it anew");
		return err_kind(err, ERR_STATE, 0, "cannot start a container that has stopped");
	}
	if (r < 0)
		return r;
	/* Hooks have their own timeouts, or none. */
	if (!(c->state.hooks & (1u << SPEC_HOOK_START_CONTAINER)))
		s->deadline = clock_deadline(timeout_of(s));
	r = await_exec(s, err);
	unlinkat(c->dir, STATE_GATE, 0);
	if (r < 0) {
		end_process(c);
		return r;
	}
	handle_debug(o, "start %s: process %d runs", id, c->state.init.pid);
	r = run_poststart(c, err);
	/* The specification: a failing poststart hook stops the container. */
	if (r < 0)
		container_destroy(o, id, c, &OAKUM_OPTIONS(oakum_delete), &ignored);
	return r;
}

int oakum_start(struct oakum *o, const char *id, const struct oakum_start *options)
{
	const struct oakum_start none = OAKUM_OPTIONS(oakum_start);
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	struct starting s = {&c, options ? options : &none, -1, CLOCK_FOREVER, -1, false};
	const char *host = s.options->notify_socket;
	struct err *err = handle_begin(o);
	int r = HANDLE_CHECK_OPTIONS(o, s.options, oakum_start);

	if (r == 0)
		r = container_open(o, id, true, &c, err);
	if (r == 0)
		r = start(o, id, &s, err);
	fd_close(s.channel);
	if (r == 0 && s.options->ret_notify)
		*s.options->ret_notify = fd_take(&s.notify);
	else if (r == 0 && s.notify >= 0 && host && !notify_socket_bad(host))
		start_await_ready(o, &c, s.notify, host);
	fd_close(s.notify);
	return r < 0 ? handle_end(o, "start", id, r) : 0;
}
