/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "systemd/bus.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#define PRIVATE	 "unix:path=/run/systemd/private"
#define AGAIN_MS 20
#define BACK_MS	 5000 /* in which a bus or a systemd that is started anew is back */

uint64_t bus_usec_left(const struct manager *m)
{
	int ms = clock_poll_ms(m->deadline_ms);

	/* 0 would be sd-bus's default. */
	return ms < 0 ? UINT64_MAX : ms == 0 ? 1 : (uint64_t)ms * 1000;
}

bool bus_is_error(const sd_bus_error *e, const char *name)
{
	return e && e->name && str_eq(e->name, name);
}

int bus_complain(const struct manager *m, int r, const sd_bus_error *e, struct err *err)
{
	int code = e && e->name ? sd_bus_error_get_errno(e) : -r;
	bool late =
		r == -ETIMEDOUT || (e && bus_is_error(e, SD_BUS_ERROR_TIMEOUT)) ||
		(e && bus_is_error(e, SD_BUS_ERROR_NO_REPLY) && clock_poll_ms(m->deadline_ms) == 0);

	if (late) {
		err_hint(err, "is systemd busy? `systemctl %slist-jobs` and `busctl %sstatus` say",
			 m->user ? "--user " : "", m->user ? "--user " : "");
		return err_set(err, ETIMEDOUT, "no answer from systemd");
	}
	/* An error without a number of its own is EIO, which says less than its words; and
	 * systemd's own ones have numbers that speak of files. */
	if (e && e->message && (code == EIO || str_starts(e->name, SERVICE ".")))
		code = 0;
	if (e && e->message)
		return err_set(err, code, "%s (%s)", e->message, e->name);
	return err_set(err, code, "D-Bus");
}

/* ---- connection ---- */

static bool is_connected(const struct manager *m)
{
	return sd_bus_is_ready(m->bus) > 0;
}

int bus_wait(struct manager *m, bool (*done)(const struct manager *), int64_t deadline_ms)
{
	while (!done(m)) {
		int r = sd_bus_process(m->bus, NULL);
		int left = clock_poll_ms(deadline_ms);

		if (r > 0)
			continue;
		if (r == 0 && left == 0)
			return -ETIMEDOUT;
		if (r == 0)
			r = sd_bus_wait(m->bus, left < 0 ? UINT64_MAX : (uint64_t)left * 1000);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

/* Where the user's bus is, without a session that says so. */
static void default_user_bus(void)
{
	char path[64];

	if (getenv("DBUS_SESSION_BUS_ADDRESS") || getenv("XDG_RUNTIME_DIR"))
		return;
	snprintf(path, sizeof(path), "/run/user/%u", (unsigned)geteuid());
	setenv("XDG_RUNTIME_DIR", path, 0);
}

static int await_connection(struct manager *m, int r)
{
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(m->bus, 0);
	return r < 0 ? r : bus_wait(m, is_connected, m->deadline_ms);
}

static int open_private(struct manager *m)
{
	int r;

	m->bus = sd_bus_close_unref(m->bus);
	m->direct = true;
	r = sd_bus_new(&m->bus);
	if (r >= 0)
		r = sd_bus_set_address(m->bus, PRIVATE);
	if (r >= 0)
		r = sd_bus_start(m->bus);
	return await_connection(m, r);
}

static int connect_once(struct manager *m)
{
	int r;

	m->bus = sd_bus_close_unref(m->bus);
	m->direct = false;
	r = await_connection(m, m->user ? sd_bus_open_user(&m->bus) : sd_bus_open_system(&m->bus));
	/* Whoever says where the bus is means that one. */
	if (r < 0 && r != -ETIMEDOUT && !m->user && geteuid() == 0 &&
	    !getenv("DBUS_SYSTEM_BUS_ADDRESS") && open_private(m) == 0)
		r = 0;
	return r;
}

/* What the end of the other side looks like from here. */
static bool is_broken(int r)
{
	return r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE || r == -ECONNABORTED;
}

static void rest(const struct manager *m)
{
	int left = clock_poll_ms(m->deadline_ms);

	(void)poll(NULL, 0, left >= 0 && left < AGAIN_MS ? left : AGAIN_MS);
}

/* A new connection in the place of a broken one, which begins as that did. */
static bool connect_again(struct manager *m)
{
	int64_t end = clock_deadline(BACK_MS);
	int r;

	for (;;) {
		r = connect_once(m);
		if (r >= 0 && m->greet)
			r = m->greet(m);
		if (r >= 0 || r == -ETIMEDOUT || clock_poll_ms(end) == 0 ||
		    clock_poll_ms(m->deadline_ms) == 0)
			return r >= 0;
		rest(m);
	}
}

int bus_open(struct manager *m, struct err *err)
{
	int r;

	if (m->user)
		default_user_bus();
	r = connect_once(m);
	if (is_broken(r) && connect_again(m))
		r = 0;
	if (r == -ETIMEDOUT)
		return bus_complain(m, r, NULL, err);
	if (r < 0 && m->user)
		err_hint(err, "is there a session? DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR "
			      "say where its bus is");
	else if (r < 0)
		err_hint(err, "is systemd this machine's init, and dbus running? Else use "
			      "--cgroup-manager=cgroupfs");
	return r < 0 ? err_kind(err, ERR_UNSUPPORTED, -r, "open the %s bus",
				m->user ? "user's" : "system")
		     : 0;
}

/* ---- calls ---- */

bool bus_again(struct manager *m, int r, sd_bus_error *e)
{
	if (r >= 0 || clock_poll_ms(m->deadline_ms) == 0)
		return false;
	if (is_broken(r)) {
		if (!connect_again(m))
			return false;
		/* systemd finds its way back to a new bus after us. */
		m->left = true;
		sd_bus_error_free(e);
		return true;
	}
	if (bus_is_error(e, SD_BUS_ERROR_NO_REPLY))
		m->left = true;
	else if (!m->left || (!bus_is_error(e, SD_BUS_ERROR_SERVICE_UNKNOWN) &&
			      !bus_is_error(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER)))
		return false;
	sd_bus_error_free(e);
	rest(m);
	return true;
}

int bus_call(struct manager *m, const char *object, const char *interface, const char *method,
	     sd_bus_error *e, sd_bus_message **ret, const char *types, ...)
{
	int r;

	do {
		sd_bus_message *call = NULL;
		va_list ap;

		r = sd_bus_message_new_method_call(m->bus, &call, SERVICE, object, interface,
						   method);
		va_start(ap, types);
		if (r >= 0 && types)
			r = sd_bus_message_appendv(call, types, ap);
		va_end(ap);
		if (r >= 0)
			r = sd_bus_call(m->bus, call, bus_usec_left(m), e, ret);
		sd_bus_message_unref(call);
	} while (bus_again(m, r, e));
	return r < 0 ? r : 0;
}

int bus_get(struct manager *m, const char *object, const char *interface, const char *name,
	    sd_bus_error *e, char **ret)
{
	sd_bus_message *reply = NULL;
	const char *text;
	int r = bus_call(m, object, PROPERTIES, "Get", e, &reply, "ss", interface, name);

	if (r == 0)
		r = sd_bus_message_read(reply, "v", "s", &text);
	if (r >= 0) {
		*ret = strdup(text);
		r = *ret ? 0 : -ENOMEM;
	}
	sd_bus_message_unref(reply);
	return r;
}
