/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd ARG...: the oakum of this build with systemd as its cgroup manager. It is what $OAKUM
 * names where tests/systemd/run -m runs the integration tests, so that no test has to know.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char oakum[] = "oakum";
	char **args = calloc((size_t)argc + 2, sizeof(*args)), *slash;

	if (!args || argc < 1 || setenv("OAKUM_SYSTEMD_HELPER", BUILD "/oakum-systemd", 0) < 0)
		return 125;
	/* By the name that it was called by, if that is one of a runtime. */
	slash = strrchr(argv[0], '/');
	args[0] = strcmp(slash ? slash + 1 : argv[0], "systemd") == 0 ? oakum : argv[0];
	args[1] = "--systemd-cgroup";
	memcpy(args + 2, argv + 1, (size_t)argc * sizeof(*args));
	execv(BUILD "/oakum", args);
	perror(BUILD "/oakum");
	return 125;
}
