/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the supervisor says to the service manager (sd_notify(3)), as the unit's main process: `up`
 * while it stays, the supervisor itself after --detach.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/supervisor.h"

#define MESSAGES_MAX	64 /* in one turn */
#define WATCHDOG_MIN_MS 1  /* whatever is asked for: more often would fill the manager's queue */

static struct oakum_notify manager(const struct supervisor *s)
{
	const struct supervise_notify *n = &s->options->notify;
	pid_t main_pid = s->options->foreground ? n->main_pid : getpid();

	return OAKUM_OPTIONS(oakum_notify, .socket = n->socket, .main_pid = main_pid,
			     .sender = main_pid);
}

void manager_begin(struct supervisor *s)
{
	const struct supervise_notify *n = &s->options->notify;
	struct oakum_notify to = manager(s);
	char text[32];

	s->watchdog_ms = CLOCK_FOREVER;
	if (n->watchdog_usec > 0 && !n->container)
		s->watchdog_ms = clock_now_ms();
	if (!n->container || s->options->foreground)
		return;
	/* `up` is going to end before the container is ready. */
	to.sender = n->main_pid;
	snprintf(text, sizeof(text), "MAINPID=%d", to.main_pid);
	(void)oakum_notify_tell(NULL, &to, text, false);
}

void manager_relay(struct supervisor *s)
{
	struct oakum_notify to = manager(s);

	if (s->notify >= 0)
		(void)oakum_notify_relay(NULL, s->notify, &to, MESSAGES_MAX);
}

void manager_watchdog(struct supervisor *s)
{
	struct oakum_notify to;
	int64_t half;

	if (clock_now_ms() < s->watchdog_ms)
		return;
	to = manager(s);
	(void)oakum_notify_tell(NULL, &to, "WATCHDOG=1", false);
	half = (int64_t)(s->options->notify.watchdog_usec / 2000);
	s->watchdog_ms = clock_deadline(half > 0 ? half : WATCHDOG_MIN_MS);
}

void manager_exit_text(bool known, int status, int signal, char *ret, size_t size)
{
	const char *name = signal ? oakum_signal_name(signal) : NULL;

	if (!known)
		snprintf(ret, size, "STATUS=the container has ended");
	else if (signal)
		snprintf(ret, size, "STATUS=the container was killed by %s",
			 name ? name : "a signal");
	else
		snprintf(ret, size, "STATUS=the container exited with status %d", status);
}

void manager_exit(struct supervisor *s)
{
	const struct exit_record *e = &s->exit;
	const struct oakum_notify to = manager(s);
	char text[MANAGER_TEXT_SIZE];

	s->watchdog_ms = CLOCK_FOREVER;
	if (s->options->foreground)
		return;
	manager_exit_text(e->known, e->status, e->signal, text, sizeof(text));
	(void)oakum_notify_tell(NULL, &to, text, false);
}
