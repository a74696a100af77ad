/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/stop_signal.h"

#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "oakum.h"

int stop_signal_of(const struct oakum_state *state)
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
	sig = name && name->type == JSON_STRING ? oakum_signal_parse(name->text) : -1;
	return sig > 0 ? sig : SIGTERM;
}
