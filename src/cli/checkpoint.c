/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum checkpoint: save a running container. */
#include <limits.h>

#include "cli/command.h"
#include "cli/criu_options.h"

static int run(struct command_context *c)
{
	struct oakum_criu request;
	uint64_t fd = 0;
	int status = opt_u64(c, "status-fd", 0, INT_MAX, &fd);

	if (status)
		return status;
	criu_options(c, &request);
	if (opt_string(c, "status-fd"))
		request.status_fd = (int)fd;
	request.parent_path = opt_string(c, "parent-path");
	request.page_server = opt_string(c, "page-server");
	request.leave_running = opt_bool(c, "leave-running");
	request.pre_dump = opt_bool(c, "pre-dump");
	request.tcp_skip_in_flight = opt_bool(c, "tcp-skip-in-flight");
	request.link_remap = opt_bool(c, "link-remap");
	return oakum_checkpoint(c->oakum, c->args[0], &request) < 0 ? cli_fail(c) : 0;
}

static const struct option_def options[] = {
	CRIU_OPTIONS,
	{"leave-running", 0, NULL, "let the container go on, and do not delete it", 0, NULL},
	{"pre-dump", 0, NULL, "save memory alone, and let the container go on", 0, NULL},
	{"parent-path", 0, "DIR", "images of the pre-dump before, relative to those of this one", 0,
	 NULL},
	{"tcp-skip-in-flight", 0, NULL, "leave out TCP connections that are being made", 0, NULL},
	{"link-remap", 0, NULL, "save files that have been removed by linking them again", 0, NULL},
	{"page-server", 0, "ADDRESS:PORT", "send memory there instead of writing images", 0, NULL},
	{"status-fd", 0, "N", "write a zero byte to descriptor N when lazy pages can be had", 0,
	 NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_checkpoint = {
	.name = "checkpoint",
	.usage = "ID",
	.summary = "save a running container",
	.description =
		"Save the processes of a container with criu(8), which has to be installed, and "
		"delete the container: `oakum restore` makes it go on, here or on another host "
		"that "
		"has its bundle. What criu refuses is said with the last lines of its log, and the "
		"container goes on.\n\n"
		"The annotation org.criu.config names a configuration file of criu; without it "
		"/etc/criu/crun.conf, or /etc/criu/runc.conf, is used.",
	.examples = "oakum checkpoint --image-path /var/lib/saved/web web\n"
		    "oakum checkpoint --pre-dump --image-path before web",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = 1,
};
