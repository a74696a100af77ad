/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oakum spec: a config.json to start from. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "cli/command.h"

/* O_EXCL: never somebody's edited file, never through a symlink. */
static int write_new(const struct command_context *c, const char *name, const char *text,
		     size_t size)
{
	const char *bundle = opt_string(c, "bundle");
	AUTO_CLOSE int dir = open(bundle ? bundle : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = -1;
	int r;

	if (dir < 0)
		return cli_error(c, OAKUM_E_RUNTIME, errno, "open the bundle %s",
				 bundle ? bundle : ".");
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return cli_error(c, OAKUM_E_EXISTS, 0, "File %s exists. Remove it first", name);
	if (fd < 0)
		return cli_error(c, OAKUM_E_RUNTIME, errno, "create %s", name);
	r = io_write(fd, text, size);
	if (r == 0)
		return 0;
	(void)unlinkat(dir, name, 0);
	return cli_error(c, OAKUM_E_RUNTIME, -r, "write %s", name);
}

static int run(struct command_context *c)
{
	const char *name = opt_string(c, "file");
	AUTO_FREE char *text = NULL;
	size_t size = 0;

	if (oakum_spec(c->oakum, opt_bool(c, "rootless"), &text, &size) < 0)
		return cli_fail(c);
	return write_new(c, name ? name : "config.json", text, size);
}

static const struct option_def options[] = {
	{"bundle", 'b', "DIR", "where to write it (default: the current directory)", 0, NULL},
	{"file", 'f', "FILE", "name of the file, relative to DIR (default: config.json)", 0, NULL},
	{"rootless", 0, NULL, "for a user without privileges: a user namespace with one id", 0,
	 NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct command command_spec = {
	.name = "spec",
	.usage = "",
	.summary = "write a config.json to start from",
	.description = "Write a configuration that runs sh in a root filesystem called rootfs. An "
		       "existing file is never overwritten.",
	.examples = "mkdir -p web/rootfs && oakum spec --bundle web",
	.options = options,
	.run = run,
};
