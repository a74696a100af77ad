/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What create and run have in common: their options, once, and what these ask of the library.
 * Private to src/cli. */
#ifndef OAKUM_CLI_CONTAINER_OPTIONS_H
#define OAKUM_CLI_CONTAINER_OPTIONS_H

#include "cli/command.h"

/* clang-format off */
#define CONTAINER_OPTIONS \
	{"bundle", 'b', "DIR", "directory of config.json and root filesystem (default: the current one)", 0, NULL}, \
	{"config", 'f', "FILE", "configuration instead of config.json in the bundle", 0, NULL}, \
	{"console-socket", 0, "SOCKET", "unix socket that receives the master of the terminal", 0, NULL}, \
	{"pidfd-socket", 0, "SOCKET", "unix socket that receives a pidfd of the process", 0, NULL}, \
	{"pid-file", 0, "FILE", "write the pid to FILE", 0, NULL}, \
	{"no-pivot", 0, NULL, "MS_MOVE and chroot(2) instead of pivot_root(2), as in an initramfs", 0, NULL}, \
	{"no-new-keyring", 0, NULL, "keep the session keyring of the caller", 0, NULL}, \
	{"no-subreaper", 0, NULL, "accepted: no subreaper is made", 0, NULL}, \
	{"preserve-fds", 0, "N", "pass on N descriptors behind 0 to 2 and those of LISTEN_FDS", 0, NULL}
/* clang-format on */

/* Fill @ret from the options of @c. 0, or the exit status after an error. */
int container_request(const struct command_context *c, struct oakum_create *ret);

/* --preserve-fds. 0, or the exit status after an error. */
int container_preserve_fds(const struct command_context *c, unsigned *ret);

#endif
