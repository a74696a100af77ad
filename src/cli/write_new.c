/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of a bundle that was not there. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "cli/command.h"

int cli_write_new(const struct command_context *c, const char *bundle, const char *name,
		  mode_t mode, const char *text, size_t size)
{
	const char *at = bundle ? bundle : "", *slash = bundle ? "/" : "";
	AUTO_CLOSE int dir = open(bundle ? bundle : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = -1;
	int r;

	if (dir < 0)
		return cli_error(c, OAKUM_E_RUNTIME, errno, "open the bundle %s",
				 bundle ? bundle : ".");
	/* O_EXCL: never somebody's edited file, never through a symlink. */
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 && errno == EEXIST)
		return cli_error(c, OAKUM_E_EXISTS, 0, "File %s%s%s exists. Remove it first", at,
				 slash, name);
	if (fd < 0)
		return cli_error(c, OAKUM_E_RUNTIME, errno, "create %s%s%s", at, slash, name);
	r = io_write(fd, text, size);
	if (r == 0)
		return 0;
	(void)unlinkat(dir, name, 0);
	return cli_error(c, OAKUM_E_RUNTIME, -r, "write %s%s%s", at, slash, name);
}
