/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From results to exit statuses and words. */
#include "cli/outcome.h"

#include "base/err.h"
#include "cli/report.h"
#include "supervise/attach.h"
#include "supervise/exit_record.h"

int outcome_error(const struct command_context *c, const struct err *err)
{
	struct err named = *err;

	err_prefix(&named, "%s %s", c->command->name, c->args[0]);
	return report_err(c, &named);
}

int outcome_attach(const struct command_context *c, const char *id,
		   const struct attach_result *result)
{
	switch (result->end) {
	case ATTACH_EXITED:
		if (result->exit.oom_kills > 0 && (result->exit.status || result->exit.signal))
			cli_warn(c, "%s: memory ran out: the kernel killed %d of its processes", id,
				 result->exit.oom_kills);
		if (result->exit.known)
			return exit_shell_status(result->exit.status, result->exit.signal);
		return cli_error(c, OAKUM_E_RUNTIME, 0, "%s has ended, its exit status is unknown",
				 id);
	case ATTACH_DETACHED:
		return 0;
	case ATTACH_SIGNALLED:
		return 128 + result->signal;
	default:
		return cli_error(
			c, OAKUM_E_RUNTIME, 0,
			"the supervisor of %s was killed: the container goes on without it "
			"(`oakum down %s` ends it)",
			id, id);
	}
}
