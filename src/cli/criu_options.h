/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What checkpoint and restore have in common. Private to src/cli. */
#ifndef OAKUM_CLI_CRIU_OPTIONS_H
#define OAKUM_CLI_CRIU_OPTIONS_H

#include "cli/command.h"

/* clang-format off */
#define CRIU_OPTIONS \
	{"image-path", 0, "DIR", "directory of the images (default: checkpoint)", 0, NULL}, \
	{"work-path", 0, "DIR", "directory of criu's log (default: that of the images)", 0, NULL}, \
	{"tcp-established", 0, NULL, "keep TCP connections", 0, NULL}, \
	{"ext-unix-sk", 0, NULL, "allow unix sockets to outside of the container", 0, NULL}, \
	{"shell-job", 0, NULL, "allow a terminal that is not the container's own", 0, NULL}, \
	{"file-locks", 0, NULL, "keep file locks", 0, NULL}, \
	{"auto-dedup", 0, NULL, "free what is twice in the images, or has been read", 0, NULL}, \
	{"lazy-pages", 0, NULL, "leave memory to be fetched when it is used", 0, NULL}, \
	{"manage-cgroups-mode", 0, "MODE", "what becomes of cgroups (default: soft)", 0, \
	 "soft full strict ignore"}, \
	{"network-lock", 0, "METHOD", "how the network is stopped meanwhile (default: criu's)", 0, \
	 "iptables nftables skip"}, \
	{"empty-ns", 0, "NAMESPACE", "neither save nor restore what is in it", OPTION_REPEAT, \
	 "network"}
/* clang-format on */

/* Fill @ret from the options of @c. */
void criu_options(const struct command_context *c, struct oakum_criu *ret);

#endif
