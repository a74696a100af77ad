/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of checkpoint and restore as a request to the library. */
#include "cli/criu_options.h"

void criu_options(const struct command_context *c, struct oakum_criu *ret)
{
	*ret = OAKUM_CRIU(.image_path = opt_string(c, "image-path"),
			  .work_path = opt_string(c, "work-path"),
			  .manage_cgroups_mode = opt_string(c, "manage-cgroups-mode"),
			  .network_lock = opt_string(c, "network-lock"));
	ret->tcp_established = opt_bool(c, "tcp-established");
	ret->ext_unix_sk = opt_bool(c, "ext-unix-sk");
	ret->shell_job = opt_bool(c, "shell-job");
	ret->file_locks = opt_bool(c, "file-locks");
	ret->auto_dedup = opt_bool(c, "auto-dedup");
	ret->lazy_pages = opt_bool(c, "lazy-pages");
	ret->empty_network = opt_string(c, "empty-ns") != NULL;
}
