/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum events: a line of JSON for each thing that happens to a container, until it ends. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/json_put.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/follow.h"

#define INTERVAL_MS 5000
#define LINE_SIZE   1024 /* without "data" */

static void put_exit(struct strbuf *b, const struct oakum_event *event)
{
	json_put_object(b, "data");
	json_put_flag(b, "known", event->known);
	json_put_i64(b, "status", event->status);
	json_put_i64(b, "signal", event->signal);
	json_put_count(b, "oom_kills", event->oom_known ? (int64_t)event->oom_kills : -1);
	strbuf_addc(b, '}');
}

/* One write, so that a reader never sees half a line. 0, or an exit status. */
static int print(struct command_context *c, const struct oakum_event *event)
{
	const char *data = event->stats ? oakum_stats_json(event->stats) : NULL;
	size_t size = LINE_SIZE + (data ? strlen(data) : 0);
	AUTO_FREE char *line = malloc(size);
	struct strbuf b;

	if (!line || (event->stats && !data))
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "print an event");
	strbuf_init(&b, line, size);
	strbuf_addc(&b, '{');
	json_put_text(&b, "type", oakum_event_name(event->type));
	json_put_text(&b, "id", c->args[0]);
	if (data) {
		json_put_key(&b, "data");
		strbuf_add(&b, data);
	}
	if (event->type == OAKUM_EVENT_EXIT)
		put_exit(&b, event);
	strbuf_add(&b, "}\n");
	return cli_output(c, b.p, b.len);
}

static int print_once(struct command_context *c)
{
	struct oakum_event event = {.type = OAKUM_EVENT_STATS};
	struct oakum_stats *stats;
	int status;

	if (oakum_stats(c->oakum, c->args[0], &stats) < 0)
		return cli_fail(c);
	event.stats = stats;
	status = print(c, &event);
	oakum_stats_free(stats);
	return status;
}

static int follow(struct command_context *c, struct oakum_events *e)
{
	struct oakum_event event;
	int status = 0;

	while (status == 0) {
		int r = oakum_events_next(e, 0, &event);

		if (r == OAKUM_NO_MORE)
			return 0;
		if (r < 0)
			return cli_fail(c);
		if (r == 0)
			status = print(c, &event);
		else if (!follow_wait(oakum_events_fd(e)))
			return 0;
	}
	return status;
}

static int run(struct command_context *c)
{
	struct oakum_watch watch = OAKUM_OPTIONS(oakum_watch, .interval_ms = INTERVAL_MS);
	struct oakum_events *e;
	int status = opt_ms(c, "interval", INT_MAX, &watch.interval_ms);

	if (status)
		return status;
	if (watch.interval_ms <= 0)
		return cli_error(c, OAKUM_E_USAGE, 0,
				 "--interval: duration interval must be greater than 0");
	if (opt_bool(c, "stats"))
		return print_once(c);
	if (oakum_events_open(c->oakum, c->args[0], &watch, &e) < 0)
		return cli_fail(c);
	status = follow(c, e);
	oakum_events_close(e);
	return status;
}

static const struct option_def options[] = {
	{"interval", 0, "TIME", "time between statistics (default: 5s)", 0, NULL},
	{"stats", 0, NULL, "print the statistics once and end", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_events = {
	.name = "events",
	.usage = "ID",
	.summary = "print statistics and events of a container",
	.description =
		"Print one line of JSON for each event, {\"type\":TYPE,\"id\":ID,\"data\":…}, "
		"until "
		"the container ends.\n\n"
		"stats: what it uses, at every interval, with the members that runc prints; rdma "
		"and network interfaces (of a network namespace of its own) where there are any, "
		"psi on cgroup v2.\n\n"
		"oom: one of its processes was killed because memory ran out; on cgroup v1 with "
		"the OOM killer switched off: a process waits for memory. On cgroup v1 a kill in "
		"a sub-cgroup with a limit of its own is told with the next statistics.\n\n"
		"paused, resumed: it was frozen or thawed, by whomever.\n\n"
		"exit: it has ended; data has \"known\", and if true \"status\" and \"signal\" "
		"(Linux 6.15 and later), and \"oom_kills\", the number of oom lines there should "
		"have been, or null where it is not known.",
	.examples = "oakum events web\noakum events --stats web | jq .data.memory.usage",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
