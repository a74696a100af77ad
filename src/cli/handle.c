/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The global options as a request for a handle of the library. Apart from main(), because the unit
 * tests have one of their own. */
#include "base/str.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/report.h"

static enum oakum_cgroup_manager manager_of(const struct command_context *c)
{
	const char *name = opt_string(c, "cgroup-manager");

	if (!name)
		return opt_bool(c, "systemd-cgroup") ? OAKUM_CGROUP_SYSTEMD : OAKUM_CGROUPFS;
	if (str_eq(name, "systemd"))
		return OAKUM_CGROUP_SYSTEMD;
	return str_eq(name, "disabled") ? OAKUM_CGROUP_DISABLED : OAKUM_CGROUPFS;
}

static int rootless_of(const struct command_context *c)
{
	const char *value = options_global(c, "rootless");

	return !value || str_eq(value, "auto") ? -1 : str_eq(value, "true");
}

void cli_handle_options(struct command_context *c, struct oakum_options *ret)
{
	*ret = OAKUM_OPTIONS(oakum_options, .root = opt_string(c, "root"),
			     .cgroup_manager = manager_of(c), .rootless = rootless_of(c),
			     .debug = report_debug, .debug_data = c, .warn = report_warn,
			     .warn_data = c, .strict = opt_bool(c, "strict"),
			     .command = c->command->name);
}
