/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of create and run as a request to the library. */
#include "cli/container_options.h"

#include <stdlib.h>

#define PRESERVE_MAX (1u << 20) /* no process can have more open (fs.nr_open) by default */

int container_preserve_fds(const struct command_context *c, unsigned *ret)
{
	uint64_t n = 0;
	int status = opt_u64(c, "preserve-fds", 0, PRESERVE_MAX, &n);

	if (status == 0)
		*ret = (unsigned)n;
	return status;
}

int container_request(const struct command_context *c, struct oakum_create *ret)
{
	struct oakum_create r = OAKUM_CREATE();
	int status = container_preserve_fds(c, &r.preserve_fds);

	if (status)
		return status;
	r.bundle = opt_string(c, "bundle");
	r.config = opt_string(c, "config");
	r.console_socket = opt_string(c, "console-socket");
	r.pidfd_socket = opt_string(c, "pidfd-socket");
	r.pid_file = opt_string(c, "pid-file");
	r.hooks_in_root = c->peer == CLI_RUNC;
	r.no_pivot = opt_bool(c, "no-pivot");
	r.no_new_keyring = opt_bool(c, "no-new-keyring");
	r.listen_fds = cli_listen_fds();
	r.notify_socket = getenv("NOTIFY_SOCKET");
	*ret = r;
	return 0;
}
