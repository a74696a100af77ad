/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A message bus with a systemd on it for the tests, in one process on one socket: it answers what
 * the helper asks, or does not.
 *
 *	manager SOCKET LOG [METHOD=HOW]... [CGROUP-DIRECTORY]...
 *
 * HOW: mute (never answer), die (exit), error (answer with one), odd (with one that nobody knows),
 * away (answered by the bus, which says that it has left), again (so, once), lost (so, once, when
 * it was done), cut (the connection ends, once, instead of an answer), torn (so, once, when it was
 * done), exists (the error that there is such a unit), busy (of GetUnitProcesses: somebody
 * is in it), and for JobRemoved: mute, lost (and there is no such job), cut (so, and the connection
 * ends, once), or another result than "done". accept=mute: never accept a connection. A unit that
 *is started gets a directory of its name below each CGROUP-DIRECTORY, and its processes in it. Each
 *call is a line of LOG: its method, the unit, and what properties it has.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT	"/org/freedesktop/systemd1"
#define JOB	OBJECT "/job/1"

static FILE *log_file;
static char **words;
static int n_words;
static char unit[256]; /* the one there is, "" : none */
static bool cutting;   /* this connection is to end */

static void die(const char *what, int code)
{
	(void)fprintf(stderr, "manager: %s: %s\n", what, strerror(code));
	exit(1);
}

static uint32_t inhabitant; /* ... and its first process */

static char *how(const char *method)
{
	static char none[1];
	size_t n = strlen(method);

	for (int i = 0; i < n_words; i++)
		if (strncmp(words[i], method, n) == 0 && words[i][n] == '=')
			return words[i] + n + 1;
	return none;
}

static void send_signal(sd_bus *bus, const char *name, const char *types, ...)
{
	sd_bus_message *s = NULL;
	va_list ap;

	if (sd_bus_message_new_signal(bus, &s, OBJECT, SERVICE ".Manager", name) < 0 ||
	    sd_bus_message_set_sender(s, SERVICE) < 0)
		die(name, EIO);
	va_start(ap, types);
	(void)sd_bus_message_appendv(s, types, ap);
	va_end(ap);
	(void)sd_bus_send(bus, s, NULL);
	sd_bus_message_unref(s);
}

static void end_job(sd_bus *bus)
{
	char *result = how("JobRemoved");

	if (strcmp(result, "cut") == 0) {
		cutting = true;
		(void)strncpy(result, "off", 4);
	} else if (strcmp(result, "off") == 0) {
		send_signal(bus, "JobRemoved", "uoss", 1u, JOB, unit, "done");
	} else if (strcmp(result, "mute") != 0 && strcmp(result, "lost") != 0)
		send_signal(bus, "JobRemoved", "uoss", 1u, JOB, unit, *result ? result : "done");
}

static void place(uint32_t pid)
{
	char path[1024];
	FILE *f;

	for (int i = 0; i < n_words; i++) {
		if (words[i][0] != '/')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", words[i], unit);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			die(path, errno);
		(void)strncat(path, "/cgroup.procs", sizeof(path) - strlen(path) - 1);
		f = fopen(path, "we");
		if (!f || fprintf(f, "%u", pid) < 0 || fclose(f) != 0)
			die(path, errno);
	}
}

/* The one type of value that is looked into is PIDs'; others are printed if they are simple. */
static void log_value(sd_bus_message *m, const char *name)
{
	const char *contents, *text;
	uint64_t t;
	char type;

	if (sd_bus_message_peek_type(m, &type, &contents) < 0 ||
	    sd_bus_message_enter_container(m, 'v', contents) < 0)
		die(name, EIO);
	if (strcmp(contents, "t") == 0 && sd_bus_message_read(m, "t", &t) > 0)
		(void)fprintf(log_file, " %s=%llu", name, (unsigned long long)t);
	else if (strcmp(contents, "s") == 0 && sd_bus_message_read(m, "s", &text) > 0)
		(void)fprintf(log_file, " %s=%s", name, text);
	else
		(void)fprintf(log_file, " %s:%s", name, contents);
	if (strcmp(name, "PIDs") == 0) {
		const void *pids;
		size_t size;

		if (sd_bus_message_read_array(m, 'u', &pids, &size) < 0 || size != 4)
			die("PIDs", EINVAL);
		inhabitant = *(const uint32_t *)pids;
		place(inhabitant);
	} else {
		(void)sd_bus_message_skip(m, NULL);
	}
	(void)sd_bus_message_exit_container(m);
}

static void log_properties(sd_bus_message *m)
{
	const char *name;

	if (sd_bus_message_enter_container(m, 'a', "(sv)") < 0)
		die("properties", EIO);
	while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
		if (sd_bus_message_read(m, "s", &name) < 0)
			die("properties", EIO);
		log_value(m, name);
		(void)sd_bus_message_exit_container(m);
	}
	(void)sd_bus_message_exit_container(m);
}

/* What a call is to do and its line in the log, before it is answered: the caller may look at once.
 */
static void do_call(sd_bus_message *m, const char *method)
{
	const char *name, *mode;
	int runtime;

	if (strcmp(method, "StartTransientUnit") == 0) {
		(void)sd_bus_message_read(m, "ss", &name, &mode);
		(void)snprintf(unit, sizeof(unit), "%s", name);
		(void)fprintf(log_file, " %s %s", name, mode);
		log_properties(m);
	} else if (strcmp(method, "SetUnitProperties") == 0) {
		(void)sd_bus_message_read(m, "sb", &name, &runtime);
		(void)fprintf(log_file, " %s", name);
		log_properties(m);
	} else if (strcmp(method, "StopUnit") == 0) {
		(void)sd_bus_message_read(m, "s", &name);
		(void)fprintf(log_file, " %s", name);
	}
	(void)sd_bus_message_rewind(m, 1);
}

static int answer_property(sd_bus_message *m)
{
	const char *interface, *name;
	char path[300];

	(void)sd_bus_message_read(m, "ss", &interface, &name);
	if (strcmp(name, "Version") == 0)
		return sd_bus_reply_method_return(m, "v", "s", "252.1");
	if (strstr(interface, ".Job") &&
	    (strcmp(how("JobRemoved"), "lost") == 0 || strcmp(how("JobRemoved"), "off") == 0))
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_OBJECT, "no such job");
	if (strcmp(name, "ActiveState") == 0)
		return sd_bus_reply_method_return(m, "v", "s", unit[0] ? "active" : "inactive");
	(void)snprintf(path, sizeof(path), "/%s", strstr(interface, ".Manager") ? "" : unit);
	return sd_bus_reply_method_return(m, "v", "s", path);
}

static int answer_start(sd_bus_message *m)
{
	int r = sd_bus_reply_method_return(m, "o", JOB);

	end_job(sd_bus_message_get_bus(m));
	return r;
}

static int answer_stop(sd_bus_message *m)
{
	const char *name;
	int r;

	(void)sd_bus_message_read(m, "s", &name);
	if (strcmp(name, unit) != 0)
		return sd_bus_reply_method_errorf(m, SERVICE ".NoSuchUnit", "Unit %s not loaded.",
						  name);
	r = sd_bus_reply_method_return(m, "o", JOB);
	end_job(sd_bus_message_get_bus(m));
	send_signal(sd_bus_message_get_bus(m), "UnitRemoved", "so", unit, OBJECT "/unit/x");
	unit[0] = '\0';
	return r;
}

static int answer(sd_bus_message *m, const char *method)
{
	if (strcmp(method, "Hello") == 0)
		return sd_bus_reply_method_return(m, "s", ":1.1");
	if (strcmp(method, "Get") == 0)
		return answer_property(m);
	if (strcmp(method, "StartTransientUnit") == 0)
		return answer_start(m);
	if (strcmp(method, "StopUnit") == 0)
		return answer_stop(m);
	if (strcmp(method, "GetUnitProcesses") == 0 && unit[0] && inhabitant &&
	    kill((pid_t)inhabitant, 0) == 0)
		return sd_bus_reply_method_return(m, "a(sus)", 1, "/x.scope", inhabitant, "x");
	if (strcmp(method, "GetUnitProcesses") == 0 && unit[0])
		return sd_bus_reply_method_return(m, "a(sus)", 0);
	if (strcmp(method, "GetUnit") == 0 || strcmp(method, "GetUnitProcesses") == 0)
		return unit[0] ? sd_bus_reply_method_return(m, "o", OBJECT "/unit/x")
			       : sd_bus_reply_method_errorf(m, SERVICE ".NoSuchUnit", "gone");
	return sd_bus_reply_method_return(m, NULL);
}

/* Who was called has left the bus, or the bus has. */
static int away(sd_bus_message *m, const char *method, char *orders)
{
	bool cut = strcmp(orders, "cut") == 0 || strcmp(orders, "torn") == 0;

	if (strcmp(orders, "lost") == 0 || strcmp(orders, "torn") == 0) {
		do_call(m, method);
		(void)memcpy(orders, strcmp(method, "StartTransientUnit") == 0 ? "made" : "\0",
			     strcmp(method, "StartTransientUnit") == 0 ? 5 : 1);
	} else if (strcmp(orders, "again") == 0 || cut) {
		orders[0] = '\0';
	}
	cutting = cut;
	if (cut)
		return 1;
	return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_NO_REPLY, "the recipient has left");
}

static int on_message(sd_bus_message *m, void *data, sd_bus_error *e)
{
	const char *method = sd_bus_message_get_member(m);
	char *orders;
	int r = 1;

	(void)data;
	(void)e;
	if (!method || sd_bus_message_is_signal(m, NULL, NULL))
		return 0;
	orders = how(method);
	(void)fprintf(log_file, "%s", method);
	if (strcmp(orders, "die") == 0)
		exit(0);
	if (!orders[0])
		do_call(m, method);
	(void)fputc('\n', log_file);
	(void)fflush(log_file);
	if (strcmp(orders, "error") == 0)
		r = sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED, "not to you");
	else if (strcmp(orders, "away") == 0 || strcmp(orders, "again") == 0 ||
		 strcmp(orders, "lost") == 0 || strcmp(orders, "cut") == 0 ||
		 strcmp(orders, "torn") == 0)
		r = away(m, method, orders);
	else if (strcmp(orders, "exists") == 0 || strcmp(orders, "made") == 0)
		r = sd_bus_reply_method_errorf(m, SERVICE ".UnitExists", "there is one");
	else if (strcmp(orders, "odd") == 0)
		r = sd_bus_reply_method_errorf(m, "org.example.Odd", "odd words");
	else if (strcmp(orders, "busy") == 0)
		r = sd_bus_reply_method_return(m, "a(sus)", 1, "/x.scope", 1u, "init");
	else if (strcmp(orders, "mute") != 0)
		r = answer(m, method);
	return r < 0 ? r : 1;
}

static void serve(int fd)
{
	sd_id128_t id =
		SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10);
	sd_bus *bus = NULL;

	if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 ||
	    sd_bus_set_server(bus, 1, id) < 0 || sd_bus_set_trusted(bus, 1) < 0 ||
	    sd_bus_add_filter(bus, NULL, on_message, NULL) < 0 || sd_bus_start(bus) < 0)
		die("begin to serve", EIO);
	for (;;) {
		int r = sd_bus_process(bus, NULL);

		if (r < 0 || cutting || (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0))
			break;
	}
	cutting = false;
	(void)sd_bus_flush(bus);
	sd_bus_close_unref(bus);
}

int main(int argc, char **argv)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc < 3 || strlen(argv[1]) + 1 >= sizeof(a.sun_path))
		die("usage: manager SOCKET LOG [METHOD=HOW]... [CGROUP-DIRECTORY]...", EINVAL);
	words = argv + 3;
	n_words = argc - 3;
	log_file = fopen(argv[2], "we");
	/* Whoever finds the socket can connect to it. */
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s~", argv[1]);
	if (!log_file || fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, 10) < 0 || rename(a.sun_path, argv[1]) < 0)
		die(argv[1], errno);
	if (strcmp(how("accept"), "mute") == 0)
		for (;;)
			pause();
	for (;;) {
		int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (one >= 0)
			serve(one);
	}
}
