/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/stop_signal.h"

#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/command.h"
#include "oakum.h"

int stop_signal_of(struct command_context *c, const struct oakum_state *state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const char *text = oakum_state_json(state);
	struct err ignored = ERR_INIT;
	const struct json *name;
	struct json *top;
	int sig;

	if (!text || json_parse(text, strlen(text), "state", &arena, &top, &ignored) < 0)
		return SIGTERM;
	name = json_get(json_get(top, "annotations"), STOP_SIGNAL_ANNOTATION);
	if (!name || name->type != JSON_STRING || !name->text[0])
		return SIGTERM;
	sig = oakum_signal_parse(name->text);
	if (sig > 0)
		return sig;
	cli_warn(c, "annotation " STOP_SIGNAL_ANNOTATION ": \"%.100s\" is no signal; TERM is taken",
		 name->text);
	return SIGTERM;
}
