/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan's notify socket: is there one inside, and where. */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "kernel/notify_socket.h"
#include "run/plan.h"

/* Where the host's name is no path, or is as long as an address can be. */
#define OTHER_DIR   "/run/notify"
#define ADDRESS_MAX 107

static bool has_own(const struct spec_strings *env)
{
	for (size_t i = 0; i < env->n; i++)
		if (str_starts(env->v[i], "NOTIFY_SOCKET="))
			return true;
	return false;
}

/* "/run/systemd/notify" outside is "/run/systemd/notify/notify" inside, as crun has it. */
int plan_make_notify(const struct spec *spec, const struct plan_options *options, struct plan *p,
		     struct arena *arena, struct err *err)
{
	const char *host = options->notify_socket;
	char clean[PATH_MAX];

	/* The configuration's own arrangement stands; and nothing is mounted where all is the
	 * host's. */
	if (!host || !p->mounts_namespace || has_own(&spec->process.env))
		return 0;
	p->notify = OTHER_DIR;
	if (host[0] == '/' && path_clean(host, clean, sizeof(clean)) > 1 &&
	    strlen(clean) + strlen("/" NOTIFY_NAME) <= ADDRESS_MAX)
		p->notify = arena_strdup(arena, clean);
	return p->notify ? 0 : err_set(err, ENOMEM, "plan the notify socket");
}
