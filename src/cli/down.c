/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* down: ask a container to end, make it end, delete it. Needs no supervisor. */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/proc.h"
#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/stop_signal.h"
#include "supervise/ended.h"

#define DEFAULT_MS 10000
#define MAX_MS	   (INT64_C(365) * 86400 * 1000)

static const struct option_def options[] = {
	{"timeout", 't', "DURATION", "how long it has before SIGKILL (default: 10s)", 0, NULL},
	{"signal", 's', "SIGNAL",
	 "what asks it to end (default: the annotation " STOP_SIGNAL_ANNOTATION ", or TERM)", 0,
	 NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

/* A signal to what ends meanwhile is no failure. */
static int send(struct command_context *c, int pidfd, int sig, bool all)
{
	if (oakum_kill(c->oakum, c->args[0], sig, all) == 0 || proc_ended(pidfd))
		return 0;
	return cli_fail(c);
}

static int ask(struct command_context *c, enum oakum_status was, int pidfd, int sig)
{
	int status = send(c, pidfd, sig, false);

	/* It waits for a frozen container and is there when it thaws. */
	if (status == 0 && was == OAKUM_PAUSED && oakum_resume(c->oakum, c->args[0], 0) < 0 &&
	    !proc_ended(pidfd))
		return cli_fail(c);
	return status;
}

static int stop(struct command_context *c, enum oakum_status was, int sig, int64_t timeout_ms)
{
	AUTO_CLOSE int pidfd = -1;
	int64_t deadline = clock_deadline(timeout_ms);
	struct err err = ERR_INIT;
	int r = ended_hold(c->oakum, c->args[0], &pidfd, &err);

	if (r != ENDED_DONE)
		return r == ENDED_LIBRARY ? cli_fail(c) : outcome_error(c, &err);
	if (pidfd < 0)
		return 0;
	/* Before its start it can do nothing with a signal. */
	if (was != OAKUM_CREATED && was != OAKUM_CREATING) {
		r = ask(c, was, pidfd, sig);
		if (r)
			return r;
		r = proc_wait(pidfd, deadline);
		if (r == PROC_GONE)
			return 0;
	}
	return send(c, pidfd, SIGKILL, true);
}

static int run(struct command_context *c)
{
	struct oakum_delete delete = OAKUM_OPTIONS(oakum_delete, .force = true);
	const char *name = opt_string(c, "signal");
	int sig = name ? oakum_signal_parse(name) : 0;
	int64_t timeout_ms = DEFAULT_MS;
	struct oakum_state *state;
	enum oakum_status was;
	int status = opt_ms(c, "timeout", MAX_MS, &timeout_ms);

	if (status)
		return status;
	if (name && sig <= 0)
		return cli_error(c, OAKUM_E_USAGE, 0, "--signal %s: no such signal", name);
	if (oakum_state(c->oakum, c->args[0], &state) < 0)
		return cli_fail(c);
	was = oakum_state_status(state);
	if (!name)
		sig = stop_signal_of(c, state);
	oakum_state_free(state);
	status = stop(c, was, sig, timeout_ms);
	if (status)
		return status;
	return oakum_delete(c->oakum, c->args[0], &delete) < 0 ? cli_fail(c) : 0;
}

const struct command command_down = {
	.name = "down",
	.usage = "ID",
	.summary = "stop and delete a container",
	.description = "Sends the stop signal, waits, sends SIGKILL to all of its processes if "
		       "they are still there, "
		       "and deletes the container. A paused container is resumed to get the "
		       "signal. Works with and "
		       "without a supervisor.",
	.examples = "oakum down --timeout 30s web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
