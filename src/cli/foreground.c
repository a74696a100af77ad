/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/foreground.h"

int foreground_clear_up(struct command_context *c, bool force, int status)
{
	const struct oakum_delete request = OAKUM_OPTIONS(oakum_delete, .force = force);
	int failed;

	if (oakum_delete(c->oakum, c->args[0], &request) == 0)
		return status;
	/* Somebody else was faster: it is gone, as it should be. */
	if (oakum_error_kind(c->oakum) == OAKUM_E_STATE)
		return status;
	failed = cli_fail(c);
	return status ? status : failed;
}

int foreground_stay(struct command_context *c, struct relay *relay, const struct oakum_process *p,
		    int failed)
{
	int status = 1, r = failed < 0 ? failed : relay_wait(relay, p, &status);

	if (r < 0)
		status = cli_error(c, OAKUM_E_RUNTIME, -r, "wait for %s", c->args[0]);
	relay_end(relay);
	return opt_bool(c, "keep") ? status : foreground_clear_up(c, r < 0, status);
}
