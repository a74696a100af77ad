/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls of org.freedesktop.systemd1.Manager that a container needs. A job is over when its
 * JobRemoved signal says so; the match stands before the call is made, and sd-bus hands signals out
 * in sd_bus_process() alone, so that none is missed and the job's name is known before its end.
 */
#include "systemd/manager.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "systemd/gvariant.h"

#define SERVICE	    "org.freedesktop.systemd1"
#define OBJECT	    "/org/freedesktop/systemd1"
#define MANAGER	    SERVICE ".Manager"
#define NO_UNIT	    SERVICE ".NoSuchUnit"
#define UNIT_EXISTS SERVICE ".UnitExists"
#define NOT_LOADED  SERVICE ".UnitNotLoaded"
#define FORGET_MS   2000 /* somebody else may hold on to a dead unit */
#define SCOPE	    SERVICE ".Scope"

static uint64_t usec_left(int64_t deadline_ms)
{
	int ms = clock_poll_ms(deadline_ms);

	/* 0 would be sd-bus's default. */
	return ms < 0 ? UINT64_MAX : ms == 0 ? 1 : (uint64_t)ms * 1000;
}

/* An answer that is an error, or none, in words. */
static int complain(const struct manager *m, int r, const sd_bus_error *e, struct err *err)
{
	int code = e && e->name ? sd_bus_error_get_errno(e) : -r;
	bool late = r == -ETIMEDOUT || (e && sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY)) ||
		    (e && sd_bus_error_has_name(e, SD_BUS_ERROR_TIMEOUT));

	if (late) {
		err_hint(err, "is systemd busy? `systemctl %slist-jobs` and `busctl %sstatus` say",
			 m->user ? "--user " : "", m->user ? "--user " : "");
		return err_set(err, ETIMEDOUT, "no answer from systemd");
	}
	/* An error without a number of its own is EIO, which says less than its words. */
	if (e && e->message)
		return err_set(err, code == EIO ? 0 : code, "%s (%s)", e->message, e->name);
	return err_set(err, code, "D-Bus");
}

static bool is_error(const sd_bus_error *e, const char *name)
{
	return e->name && str_eq(e->name, name);
}

/* ---- connection ---- */

static int on_job_removed(sd_bus_message *signal, void *data, sd_bus_error *ret)
{
	struct manager *m = data;
	const char *job, *unit, *result;
	uint32_t id;

	(void)ret;
	if (sd_bus_message_read(signal, "uoss", &id, &job, &unit, &result) >= 0 &&
	    str_eq(job, m->job))
		snprintf(m->result, sizeof(m->result), "%s", result);
	return 0;
}

static int on_unit_removed(sd_bus_message *signal, void *data, sd_bus_error *ret)
{
	struct manager *m = data;
	const char *unit, *path;

	(void)ret;
	if (sd_bus_message_read(signal, "so", &unit, &path) >= 0 && m->unit &&
	    str_eq(unit, m->unit))
		m->removed = true;
	return 0;
}

static bool is_connected(const struct manager *m)
{
	return sd_bus_is_ready(m->bus) > 0;
}

static bool job_ended(const struct manager *m)
{
	return m->result[0];
}

static bool is_forgotten(const struct manager *m)
{
	return m->removed;
}

/* Handle what comes until @done. 0, -ETIMEDOUT or -errno. */
static int wait_for(struct manager *m, bool (*done)(const struct manager *), int64_t deadline_ms)
{
	while (!done(m)) {
		int r = sd_bus_process(m->bus, NULL);

		if (r > 0)
			continue;
		if (r == 0 && clock_poll_ms(deadline_ms) == 0)
			return -ETIMEDOUT;
		if (r == 0)
			r = sd_bus_wait(m->bus, usec_left(deadline_ms));
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

static int connect_bus(struct manager *m, int64_t deadline_ms, struct err *err)
{
	int r;

	if (m->user)
		default_user_bus();
	r = m->user ? sd_bus_open_user(&m->bus) : sd_bus_open_system(&m->bus);
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(m->bus, 0);
	if (r >= 0)
		r = wait_for(m, is_connected, deadline_ms);
	if (r == -ETIMEDOUT)
		return complain(m, r, NULL, err);
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

static int call_begin(struct manager *m, int64_t deadline_ms)
{
	return sd_bus_set_method_call_timeout(m->bus, usec_left(deadline_ms));
}

static int subscribe(struct manager *m, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = sd_bus_match_signal_async(m->bus, NULL, SERVICE, OBJECT, MANAGER, "JobRemoved",
					  on_job_removed, NULL, m);

	if (r >= 0)
		r = sd_bus_match_signal_async(m->bus, NULL, SERVICE, OBJECT, MANAGER, "UnitRemoved",
					      on_unit_removed, NULL, m);
	if (r >= 0)
		r = sd_bus_call_method(m->bus, SERVICE, OBJECT, MANAGER, "Subscribe", &e, NULL,
				       NULL);
	if (r < 0)
		complain(m, r, &e, err);
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

static int get_text(struct manager *m, const char *object, const char *interface, const char *name,
		    char **ret, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = sd_bus_get_property_string(m->bus, SERVICE, object, interface, name, &e, ret);

	if (r < 0) {
		complain(m, r, &e, err);
		err_prefix(err, "read %s", name);
	}
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

int manager_open(struct manager *m, bool user, int64_t deadline_ms, char *ret_path, size_t size,
		 struct err *err)
{
	char *version = NULL, *path = NULL;
	int r;

	*m = (struct manager){.user = user};
	r = connect_bus(m, deadline_ms, err);
	if (r == 0)
		r = call_begin(m, deadline_ms);
	if (r >= 0)
		r = get_text(m, OBJECT, MANAGER, "Version", &version, err);
	if (r == 0)
		r = get_text(m, OBJECT, MANAGER, "ControlGroup", &path, err);
	if (r == 0)
		r = subscribe(m, err);
	if (r == 0) {
		/* "252.39-1~deb12u1", "v249.11-g25e4a2c" */
		m->version = (unsigned)strtoul(version + strcspn(version, "0123456789"), NULL, 10);
		snprintf(ret_path, size, "%s", str_eq(path, "/") ? "" : path);
	}
	free(version);
	free(path);
	return r;
}

void manager_close(struct manager *m)
{
	sd_bus_close(m->bus);
	sd_bus_unref(m->bus);
	m->bus = NULL;
}

/* ---- properties ---- */

/* An older systemd refuses the whole call for one that it does not know. */
static const struct {
	const char *name;
	unsigned since;
} young[] = {
	{"AllowedCPUs", 244},	{"AllowedMemoryNodes", 244}, {"CPUQuotaPeriodUSec", 242},
	{"MemoryMin", 240},	{"CollectMode", 236},	     {"MemoryZSwapMax", 253},
	{"MemorySwapMax", 232},
};

static bool knows(const struct manager *m, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(young); i++)
		if (str_eq(young[i].name, name))
			return m->version == 0 || m->version >= young[i].since;
	return true;
}

/* "TimeoutStopSec" is what people write, "TimeoutStopUSec" what the bus has. */
static bool in_seconds(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && str_eq(name + len - 3, "Sec") && name[len - 4] >= 'a' &&
	       name[len - 4] <= 'z';
}

static int append_property(const struct manager *m, sd_bus_message *call, const char *text,
			   struct err *err)
{
	const char *equals = strchr(text, '=');
	char name[128];
	int r;

	if (!equals || equals == text || equals - text >= (int)sizeof(name) - 1)
		return err_kind(err, ERR_CONFIG, EINVAL, "property \"%.100s\"", text);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
	if (!knows(m, name))
		return 0;
	r = sd_bus_message_open_container(call, 'r', "sv");
	if (r >= 0 && in_seconds(name)) {
		snprintf(name + strlen(name) - 3, 5, "USec");
		r = sd_bus_message_append_basic(call, 's', name);
		r = r < 0 ? r : gvariant_append_seconds(call, equals + 1, err);
	} else if (r >= 0) {
		r = sd_bus_message_append_basic(call, 's', name);
		r = r < 0 ? r : gvariant_append(call, equals + 1, err);
	}
	if (r >= 0)
		r = sd_bus_message_close_container(call);
	if (r < 0) {
		if (err->kind == ERR_NONE)
			err_set(err, -r, "append it");
		err_prefix(err, "property %.*s", (int)(equals - text), text);
	}
	return r;
}

/* a(sv), with PIDs where @pid is not 0. */
static int append_properties(const struct manager *m, sd_bus_message *call,
			     const char *const *properties, size_t n, pid_t pid, struct err *err)
{
	int r = sd_bus_message_open_container(call, 'a', "(sv)");

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = append_property(m, call, properties[i], err);
	if (r >= 0 && pid)
		r = sd_bus_message_append(call, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
	return r < 0 ? r : sd_bus_message_close_container(call);
}

/* ---- jobs ---- */

/* The answer names a job: wait for its end. */
static int await_job(struct manager *m, sd_bus_message *reply, int64_t deadline_ms, struct err *err)
{
	const char *job;
	int r = sd_bus_message_read(reply, "o", &job);

	if (r < 0)
		return err_set(err, -r, "read the name of the job");
	snprintf(m->job, sizeof(m->job), "%s", job);
	m->result[0] = '\0';
	r = wait_for(m, job_ended, deadline_ms);
	m->job[0] = '\0';
	if (r == -ETIMEDOUT) {
		err_hint(err, "`systemctl %slist-jobs` shows what it waits for",
			 m->user ? "--user " : "");
		return err_set(err, ETIMEDOUT, "systemd's job has not ended");
	}
	if (r < 0)
		return complain(m, r, NULL, err);
	if (!str_eq(m->result, "done"))
		return err_set(err, 0, "systemd's job has ended with \"%s\"", m->result);
	return 0;
}

static void reset_failed(struct manager *m, const char *unit)
{
	(void)sd_bus_call_method(m->bus, SERVICE, OBJECT, MANAGER, "ResetFailedUnit", NULL, NULL,
				 "s", unit);
}

static int start_once(struct manager *m, const char *unit, const char *const *properties, size_t n,
		      pid_t pid, sd_bus_message **ret, sd_bus_error *e, struct err *err)
{
	sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(m->bus, &call, SERVICE, OBJECT, MANAGER,
					       "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(call, "ss", unit, "fail");
	if (r >= 0)
		r = append_properties(m, call, properties, n, pid, err);
	if (r >= 0)
		r = sd_bus_message_append(call, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call(m->bus, call, 0, e, ret);
	else if (err->kind == ERR_NONE)
		err_set(err, -r, "make the call");
	sd_bus_message_unref(call);
	return r;
}

static int read_control_group(struct manager *m, const char *unit, char *ret_path, size_t size,
			      struct err *err)
{
	char *object = NULL, *path = NULL;
	int r = sd_bus_path_encode(OBJECT "/unit", unit, &object);

	r = r < 0 ? err_set(err, -r, "name the unit")
		  : get_text(m, object, SCOPE, "ControlGroup", &path, err);
	if (r == 0)
		snprintf(ret_path, size, "%s", path);
	free(object);
	free(path);
	return r;
}

int manager_start(struct manager *m, const char *unit, const char *const *properties, size_t n,
		  pid_t pid, int64_t deadline_ms, char *ret_path, size_t size, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r = call_begin(m, deadline_ms);

	if (r >= 0)
		r = start_once(m, unit, properties, n, pid, &reply, &e, err);
	if (r < 0 && is_error(&e, UNIT_EXISTS)) {
		/* One that has failed stays until somebody resets it. */
		sd_bus_error_free(&e);
		reset_failed(m, unit);
		r = start_once(m, unit, properties, n, pid, &reply, &e, err);
	}
	if (r < 0 && is_error(&e, UNIT_EXISTS))
		r = MANAGER_IN_USE;
	else if (r < 0 && err->kind == ERR_NONE)
		complain(m, r, &e, err);
	else if (r >= 0)
		r = await_job(m, reply, deadline_ms, err);
	sd_bus_error_free(&e);
	sd_bus_message_unref(reply);
	return r == 0 ? read_control_group(m, unit, ret_path, size, err) : r;
}

int manager_set(struct manager *m, const char *unit, const char *const *properties, size_t n,
		int64_t deadline_ms, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *call = NULL;
	int r = call_begin(m, deadline_ms);

	if (r >= 0)
		r = sd_bus_message_new_method_call(m->bus, &call, SERVICE, OBJECT, MANAGER,
						   "SetUnitProperties");
	if (r >= 0)
		r = sd_bus_message_append(call, "sb", unit, 1);
	if (r >= 0)
		r = append_properties(m, call, properties, n, 0, err);
	if (r >= 0)
		r = sd_bus_call(m->bus, call, 0, &e, NULL);
	if (r < 0 && err->kind == ERR_NONE)
		complain(m, r, &e, err);
	sd_bus_error_free(&e);
	sd_bus_message_unref(call);
	return r < 0 ? r : 0;
}

int manager_attach(struct manager *m, const char *unit, const char *sub, pid_t pid,
		   int64_t deadline_ms, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = call_begin(m, deadline_ms);

	if (r >= 0)
		r = sd_bus_call_method(m->bus, SERVICE, OBJECT, MANAGER, "AttachProcessesToUnit",
				       &e, NULL, "ssau", unit, sub, 1, (uint32_t)pid);
	if (r < 0)
		complain(m, r, &e, err);
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

/* 0: it is not loaded any more; 1: it is. */
static int is_loaded(struct manager *m, const char *unit)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(m->bus, SERVICE, OBJECT, MANAGER, "GetUnit", &e, NULL, "s",
				   unit);
	bool gone = r < 0 && is_error(&e, NO_UNIT);

	sd_bus_error_free(&e);
	return !gone;
}

int manager_stop(struct manager *m, const char *unit, int64_t deadline_ms, struct err *err)
{
	int64_t soon = clock_deadline(FORGET_MS);
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r = call_begin(m, deadline_ms);

	m->unit = unit;
	m->removed = false;
	if (r >= 0)
		r = sd_bus_call_method(m->bus, SERVICE, OBJECT, MANAGER, "StopUnit", &e, &reply,
				       "ss", unit, "replace");
	if (r < 0 && (is_error(&e, NO_UNIT) || is_error(&e, NOT_LOADED)))
		r = MANAGER_GONE;
	else if (r < 0)
		complain(m, r, &e, err);
	else
		r = await_job(m, reply, deadline_ms, err);
	if (r == 0) {
		reset_failed(m, unit);
		if (is_loaded(m, unit))
			(void)wait_for(m, is_forgotten, soon < deadline_ms ? soon : deadline_ms);
	}
	m->unit = NULL;
	sd_bus_error_free(&e);
	sd_bus_message_unref(reply);
	return r;
}

int manager_look_empty(struct manager *m, const char *unit, int64_t deadline_ms, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r = call_begin(m, deadline_ms);

	if (r >= 0)
		r = sd_bus_call_method(m->bus, SERVICE, OBJECT, MANAGER, "GetUnitProcesses", &e,
				       &reply, "s", unit);
	if (r < 0 && (is_error(&e, NO_UNIT) || is_error(&e, NOT_LOADED))) {
		r = MANAGER_GONE;
	} else if (r < 0) {
		complain(m, r, &e, err);
	} else {
		r = sd_bus_message_enter_container(reply, 'a', "(sus)");
		if (r >= 0)
			r = sd_bus_message_at_end(reply, 0);
		r = r < 0    ? err_set(err, -r, "read the processes of %s", unit)
		    : r == 0 ? MANAGER_IN_USE
			     : 0;
	}
	sd_bus_error_free(&e);
	sd_bus_message_unref(reply);
	return r;
}
