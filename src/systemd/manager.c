/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls of org.freedesktop.systemd1.Manager that a container needs. A job is over when its
 * JobRemoved signal says so; the match stands before the call is made, and sd-bus hands signals out
 * in sd_bus_process() alone, so that none is missed and the job's name is known before its end.
 */
#include "systemd/manager.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "systemd/bus.h"
#include "systemd/gvariant.h"

#define NO_UNIT	    SERVICE ".NoSuchUnit"
#define UNIT_EXISTS SERVICE ".UnitExists"
#define NOT_LOADED  SERVICE ".UnitNotLoaded"
#define SUBSCRIBED  SERVICE ".AlreadySubscribed"
#define NO_JOB	    SERVICE ".NoSuchJob"
#define UNIT	    SERVICE ".Unit"
#define JOB	    SERVICE ".Job"
#define SCOPE	    SERVICE ".Scope"
#define FORGET_MS   2000 /* somebody else may hold on to a dead unit */
#define LOOK_MS	    500	 /* between two looks at a job whose end may not have been heard */
#define OURS_MS	    20	 /* ... at a unit that may be ours */

/* ---- signals ---- */

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

static bool job_ended(const struct manager *m)
{
	return m->result[0];
}

static bool is_forgotten(const struct manager *m)
{
	return m->removed;
}

/* ---- connection ---- */

static int add_matches(struct manager *m)
{
	/* Only a bus says who has sent it. */
	const char *sender = m->direct ? NULL : SERVICE;
	int r = sd_bus_match_signal_async(m->bus, NULL, sender, OBJECT, MANAGER, "JobRemoved",
					  on_job_removed, NULL, m);

	if (r >= 0)
		r = sd_bus_match_signal_async(m->bus, NULL, sender, OBJECT, MANAGER, "UnitRemoved",
					      on_unit_removed, NULL, m);
	return r;
}

/* As subscribe() below, without waiting: what is called next is heard after it. */
static int subscribe_again(struct manager *m)
{
	sd_bus_message *call = NULL;
	int r = add_matches(m);

	if (r >= 0)
		r = sd_bus_message_new_method_call(m->bus, &call, SERVICE, OBJECT, MANAGER,
						   "Subscribe");
	if (r >= 0)
		r = sd_bus_message_set_expect_reply(call, 0);
	if (r >= 0)
		r = sd_bus_send(m->bus, call, NULL);
	sd_bus_message_unref(call);
	return r;
}

static int subscribe(struct manager *m, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = add_matches(m);

	m->greet = subscribe_again;
	if (r >= 0 || bus_again(m, r, &e))
		r = bus_call(m, OBJECT, MANAGER, "Subscribe", &e, NULL, NULL);
	if (r < 0 && bus_is_error(&e, SUBSCRIBED))
		r = 0; /* by a call that was made twice */
	if (r < 0)
		bus_complain(m, r, &e, err);
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

static int get_text(struct manager *m, const char *object, const char *interface, const char *name,
		    char **ret, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = bus_get(m, object, interface, name, &e, ret);

	if (r < 0) {
		bus_complain(m, r, &e, err);
		err_prefix(err, "read %s", name);
	}
	sd_bus_error_free(&e);
	return r;
}

int manager_open(struct manager *m, bool user, int64_t deadline_ms, char *ret_path, size_t size,
		 struct err *err)
{
	char *version = NULL, *path = NULL;
	int r;

	*m = (struct manager){.user = user, .deadline_ms = deadline_ms};
	r = bus_open(m, err);
	if (r == 0)
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

static int append_property(struct manager *m, sd_bus_message *call, const char *text,
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
		m->property = true;
		err_prefix(err, "property %.*s", (int)(equals - text), text);
	}
	return r;
}

/* a(sv), with PIDs where @pid is not 0. */
static int append_properties(struct manager *m, sd_bus_message *call, const char *const *properties,
			     size_t n, pid_t pid, struct err *err)
{
	int r = sd_bus_message_open_container(call, 'a', "(sv)");

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = append_property(m, call, properties[i], err);
	if (r >= 0 && pid)
		r = sd_bus_message_append(call, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
	return r < 0 ? r : sd_bus_message_close_container(call);
}

/* systemd has numbers for them that mean something else in the kernel's mouth. */
static int refuse(struct manager *m, int r, const sd_bus_error *e, struct err *err)
{
	static const char *const names[] = {
		SD_BUS_ERROR_PROPERTY_READ_ONLY,
		SD_BUS_ERROR_UNKNOWN_PROPERTY,
		SD_BUS_ERROR_INVALID_ARGS,
		SD_BUS_ERROR_INVALID_SIGNATURE,
		"System.Error.ENXIO",
		"System.Error.EINVAL",
		"System.Error.ERANGE",
	};

	for (size_t i = 0; e->message && i < ARRAY_SIZE(names); i++)
		if (bus_is_error(e, names[i])) {
			m->property = true;
			return err_set(err, 0, "%s (%s)", e->message, e->name);
		}
	return bus_complain(m, r, e, err);
}

/* ---- jobs ---- */

/* @name of @unit, "" : unknown. */
static void look_at_unit(struct manager *m, const char *unit, const char *name, char *ret,
			 size_t size)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	char *object = NULL, *text = NULL;
	int r = sd_bus_path_encode(OBJECT "/unit", unit, &object);

	if (r >= 0)
		r = bus_get(m, object, UNIT, name, &e, &text);
	snprintf(ret, size, "%s", r < 0 ? "" : text);
	sd_bus_error_free(&e);
	free(object);
	free(text);
}

/* Is it certain that systemd has no such job any more? */
static bool is_no_job(struct manager *m)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	char *state = NULL;
	int r = bus_get(m, m->job, JOB, "State", &e, &state);
	bool none = r < 0 &&
		    (bus_is_error(&e, SD_BUS_ERROR_UNKNOWN_OBJECT) || bus_is_error(&e, NO_JOB));

	sd_bus_error_free(&e);
	free(state);
	return none;
}

/* Until its signal, or @deadline_ms (-ETIMEDOUT); a connection that broke may have had it. */
static int hear_of_job(struct manager *m, int64_t deadline_ms, bool *ret_missed)
{
	int r = bus_wait(m, job_ended, deadline_ms);

	*ret_missed = r != -ETIMEDOUT && bus_again(m, r, NULL);
	return *ret_missed ? -ETIMEDOUT : r;
}

/*
 * Until the job of @unit has ended. Its signal is lost where systemd executes itself anew just
 * then; so it is asked as well, and then the state that the job was for says how it has ended.
 */
static int wait_for_job(struct manager *m, const char *unit, bool starts)
{
	bool over, missed;
	char state[32];
	int r;

	for (;;) {
		int64_t look = clock_deadline(LOOK_MS);
		bool last = m->deadline_ms <= look;

		r = hear_of_job(m, last ? m->deadline_ms : look, &missed);
		if (r != -ETIMEDOUT || (last && !missed))
			return r;
		if (!is_no_job(m))
			continue;
		/* What was on its way has come before the answer. */
		r = hear_of_job(m, clock_now_ms(), &missed);
		if (r != -ETIMEDOUT)
			return r;
		look_at_unit(m, unit, "ActiveState", state, sizeof(state));
		over = starts ? str_eq(state, "active")
			      : str_eq(state, "inactive") || str_eq(state, "failed");
		snprintf(m->result, sizeof(m->result), "%s", over ? "done" : "lost");
		return 0;
	}
}

/* The answer names a job: wait for its end. */
static int await_job(struct manager *m, sd_bus_message *reply, const char *unit, bool starts,
		     struct err *err)
{
	const char *job;
	int r = sd_bus_message_read(reply, "o", &job);

	if (r < 0)
		return err_set(err, -r, "read the name of the job");
	snprintf(m->job, sizeof(m->job), "%s", job);
	m->result[0] = '\0';
	r = wait_for_job(m, unit, starts);
	m->job[0] = '\0';
	if (r == -ETIMEDOUT) {
		err_hint(err, "`systemctl %slist-jobs` shows what it waits for",
			 m->user ? "--user " : "");
		return err_set(err, ETIMEDOUT, "systemd's job has not ended");
	}
	if (r < 0)
		return bus_complain(m, r, NULL, err);
	if (!str_eq(m->result, "done"))
		return err_set(err, 0, "systemd's job has ended with \"%s\"", m->result);
	return 0;
}

static void reset_failed(struct manager *m, const char *unit)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;

	(void)bus_call(m, OBJECT, MANAGER, "ResetFailedUnit", &e, NULL, "s", unit);
	sd_bus_error_free(&e);
}

/* How many processes are in @unit, and is @pid among them? < 0 with @e. */
static int look_inside(struct manager *m, const char *unit, pid_t pid, bool *ret_there,
		       sd_bus_error *e)
{
	sd_bus_message *reply = NULL;
	const char *cgroup, *command;
	uint32_t one;
	int n = 0, r = bus_call(m, OBJECT, MANAGER, "GetUnitProcesses", e, &reply, "s", unit);

	*ret_there = false;
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(sus)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(sus)", &cgroup, &one, &command)) > 0) {
		n++;
		*ret_there |= one == (uint32_t)pid;
	}
	sd_bus_message_unref(reply);
	return r < 0 ? r : n;
}

/*
 * A call was made twice, and now there is such a unit: by the first one, if @pid is in it. Where
 * nobody is there yet, its job may not have come to that.
 */
static bool is_ours(struct manager *m, const char *unit, pid_t pid)
{
	char state[32];
	bool there;

	for (;;) {
		sd_bus_error e = SD_BUS_ERROR_NULL;
		int n = look_inside(m, unit, pid, &there, &e);

		sd_bus_error_free(&e);
		if (there || n != 0 || clock_poll_ms(m->deadline_ms) == 0)
			return there;
		look_at_unit(m, unit, "ActiveState", state, sizeof(state));
		if (!str_eq(state, "inactive") && !str_eq(state, "activating"))
			return false;
		(void)poll(NULL, 0, OURS_MS);
	}
}

/* 0 with the job's name in @ret, or without where an earlier try of this call has made it. */
static int start_once(struct manager *m, const char *unit, const char *const *properties, size_t n,
		      pid_t pid, sd_bus_message **ret, sd_bus_error *e, struct err *err)
{
	bool twice = false;
	int r;

	for (;; twice = true) {
		sd_bus_message *call = NULL;

		r = sd_bus_message_new_method_call(m->bus, &call, SERVICE, OBJECT, MANAGER,
						   "StartTransientUnit");
		if (r >= 0)
			r = sd_bus_message_append(call, "ss", unit, "fail");
		if (r >= 0)
			r = append_properties(m, call, properties, n, pid, err);
		if (r >= 0)
			r = sd_bus_message_append(call, "a(sa(sv))", 0);
		if (r >= 0 && m->asking > 0)
			(void)!write(m->asking, "", 1);
		if (r >= 0)
			r = sd_bus_call(m->bus, call, bus_usec_left(m), e, ret);
		else if (err->kind == ERR_NONE)
			err_set(err, -r, "make the call");
		sd_bus_message_unref(call);
		if (!bus_again(m, r, e))
			break;
	}
	if (r < 0 && twice && bus_is_error(e, UNIT_EXISTS) && is_ours(m, unit, pid))
		return 0;
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
	int r;

	m->deadline_ms = deadline_ms;
	r = start_once(m, unit, properties, n, pid, &reply, &e, err);
	if (r < 0 && bus_is_error(&e, UNIT_EXISTS)) {
		/* One that has failed stays until somebody resets it. */
		sd_bus_error_free(&e);
		reset_failed(m, unit);
		r = start_once(m, unit, properties, n, pid, &reply, &e, err);
	}
	if (r < 0 && bus_is_error(&e, UNIT_EXISTS))
		r = MANAGER_IN_USE;
	else if (r < 0 && err->kind == ERR_NONE) {
		/* Another unit, that a property says this one requires. */
		m->property = bus_is_error(&e, NO_UNIT);
		refuse(m, r, &e, err);
	} else if (r >= 0)
		r = reply ? await_job(m, reply, unit, true, err) : 0;
	sd_bus_error_free(&e);
	sd_bus_message_unref(reply);
	return r == 0 ? read_control_group(m, unit, ret_path, size, err) : r;
}

int manager_set(struct manager *m, const char *unit, const char *const *properties, size_t n,
		int64_t deadline_ms, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r;

	m->deadline_ms = deadline_ms;
	do {
		sd_bus_message *call = NULL;

		r = sd_bus_message_new_method_call(m->bus, &call, SERVICE, OBJECT, MANAGER,
						   "SetUnitProperties");
		if (r >= 0)
			r = sd_bus_message_append(call, "sb", unit, 1);
		if (r >= 0)
			r = append_properties(m, call, properties, n, 0, err);
		if (r >= 0)
			r = sd_bus_call(m->bus, call, bus_usec_left(m), &e, NULL);
		sd_bus_message_unref(call);
	} while (bus_again(m, r, &e));
	if (r < 0 && err->kind == ERR_NONE)
		refuse(m, r, &e, err);
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

int manager_attach(struct manager *m, const char *unit, const char *sub, pid_t pid,
		   int64_t deadline_ms, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r;

	m->deadline_ms = deadline_ms;
	r = bus_call(m, OBJECT, MANAGER, "AttachProcessesToUnit", &e, NULL, "ssau", unit, sub, 1,
		     (uint32_t)pid);
	if (r < 0)
		bus_complain(m, r, &e, err);
	sd_bus_error_free(&e);
	return r;
}

static bool is_gone(const sd_bus_error *e)
{
	return bus_is_error(e, NO_UNIT) || bus_is_error(e, NOT_LOADED);
}

static bool is_loaded(struct manager *m, const char *unit)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = bus_call(m, OBJECT, MANAGER, "GetUnit", &e, NULL, "s", unit);
	bool gone = r < 0 && bus_is_error(&e, NO_UNIT);

	sd_bus_error_free(&e);
	return !gone;
}

int manager_stop(struct manager *m, const char *unit, int64_t deadline_ms, struct err *err)
{
	int64_t soon = clock_deadline(FORGET_MS);
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	m->deadline_ms = deadline_ms;
	m->unit = unit;
	m->removed = false;
	r = bus_call(m, OBJECT, MANAGER, "StopUnit", &e, &reply, "ss", unit, "replace");
	if (r < 0 && is_gone(&e))
		r = MANAGER_GONE;
	else if (r < 0)
		bus_complain(m, r, &e, err);
	else
		r = await_job(m, reply, unit, false, err);
	if (r == 0) {
		reset_failed(m, unit);
		while (is_loaded(m, unit) &&
		       bus_again(m,
				 bus_wait(m, is_forgotten, soon < deadline_ms ? soon : deadline_ms),
				 NULL))
			;
	}
	m->unit = NULL;
	sd_bus_error_free(&e);
	sd_bus_message_unref(reply);
	return r;
}

int manager_look_empty(struct manager *m, const char *unit, int64_t deadline_ms, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	bool there;
	int r;

	m->deadline_ms = deadline_ms;
	r = look_inside(m, unit, 0, &there, &e);
	if (r < 0 && is_gone(&e))
		r = MANAGER_GONE;
	else if (r < 0)
		bus_complain(m, r, &e, err);
	else
		r = r ? MANAGER_IN_USE : 0;
	sd_bus_error_free(&e);
	return r;
}
