/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The message of the runtime specification to a seccomp agent; see listener.h. */
#include "run/listener.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/seccomp.h"
#include "run/plan.h"
#include "run/state.h"

/* Of the message, not of the bundle: the one that the specification's example has, and that agents
 * have always been sent. */
#define MESSAGE_VERSION "0.2.0"

static const char *message(const struct plan_listener *l, const struct listener_process *p,
			   struct arena *arena)
{
	const char *state = state_hook_json(arena, p->state, p->status, p->state->init.pid);
	size_t size =
		256 + (state ? strlen(state) : 0) + (l->metadata ? 6 * strlen(l->metadata) : 0);
	char *mem = state ? arena_alloc(arena, size) : NULL;
	struct strbuf b;

	if (!mem)
		return NULL;
	strbuf_init(&b, mem, size);
	strbuf_add(&b, "{\"ociVersion\":\"" MESSAGE_VERSION "\",\"fds\":[\"seccompFd\"],\"pid\":");
	strbuf_i64(&b, p->pid);
	if (l->metadata) {
		strbuf_add(&b, ",\"metadata\":");
		strbuf_json(&b, l->metadata);
	}
	strbuf_add(&b, ",\"state\":");
	strbuf_add(&b, state);
	strbuf_addc(&b, '}');
	return b.overflow ? NULL : mem;
}

int listener_pass(const struct plan_listener *listener, const struct listener_process *process,
		  int fd, struct arena *arena, struct err *err)
{
	AUTO_CLOSE int taken = fd;
	struct err ignored = ERR_INIT;
	struct err *to = listener->required ? err : &ignored;
	const char *text;
	int r;

	if (taken < 0 || !listener->path)
		return err_set(err, EPROTO, "take the seccomp listener");
	text = message(listener, process, arena);
	if (!text)
		return err_set(err, ENOMEM, "write the message to the seccomp agent");
	r = seccomp_agent_send(listener->path, text, strlen(text), taken,
			       clock_deadline(LISTENER_TIMEOUT_MS), to);
	if (r == 0 || !listener->required)
		return 0;
	err_pointer(err, "/linux/seccomp/listenerPath");
	err_hint(err, "start the agent that answers for this profile");
	return r;
}
