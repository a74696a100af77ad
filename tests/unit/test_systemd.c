/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The systemd helper's parts: values in GVariant's text format as D-Bus has them, and the calls of
 * the manager, against a bus of our own (tests/lib/manager.c).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/str.h"
#include "systemd/gvariant.h"
#include "systemd/manager.h"
#include "test_fork.h"

static struct err err;

/* ---- gvariant.c ---- */

static sd_bus *nobody; /* a bus without a peer, for its messages */

static sd_bus_message *new_message(void)
{
	sd_bus_message *m = NULL;

	err = ERR_INIT;
	assert_true(sd_bus_message_new_signal(nobody, &m, "/x", "x.y", "Z") >= 0);
	return m;
}

static int open_nobody(void **state)
{
	int ends[2];

	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
			       sd_bus_new(&nobody) < 0 ||
			       sd_bus_set_fd(nobody, ends[0], ends[0]) < 0 ||
			       sd_bus_start(nobody) < 0
		       ? -1
		       : 0;
}

static int close_nobody(void **state)
{
	(void)state;
	sd_bus_close(nobody);
	nobody = sd_bus_unref(nobody);
	return 0;
}

static void dump_basic(sd_bus_message *m, char type, FILE *f)
{
	union {
		uint8_t y;
		int b;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
		double d;
		const char *s;
	} v = {.t = 0};

	assert_true(sd_bus_message_read_basic(m, type, &v) > 0);
	if (strchr("sog", type))
		fputs(v.s, f);
	else if (type == 'd')
		fprintf(f, "%g", v.d);
	else if (strchr("ytuqb", type))
		fprintf(f, "%" PRIu64,
			type == 'y'   ? v.y
			: type == 'q' ? v.q
			: type == 'b' ? (uint64_t)v.b
			: type == 'u' ? v.u
				      : v.t);
	else
		fprintf(f, "%" PRId64, type == 'n' ? v.n : type == 'i' ? v.i : v.x);
}

/* What is left of the container: "i 5" of a variant, [1,2], (a,b), {key,value}. */
static void dump(sd_bus_message *m, FILE *f)
{
	static const char types[] = "are", open[] = "[({", close[] = "])}";
	const char *contents, *at;
	bool first = true;
	char type;

	while (sd_bus_message_peek_type(m, &type, &contents) > 0) {
		at = strchr(types, type);
		if (!first)
			fputc(',', f);
		first = false;
		if (type != 'v' && !at) {
			dump_basic(m, type, f);
			continue;
		}
		assert_true(sd_bus_message_enter_container(m, type, contents) > 0);
		if (type == 'v')
			fprintf(f, "%s ", contents);
		else
			fputc(open[at - types], f);
		dump(m, f);
		if (at)
			fputc(close[at - types], f);
		assert_true(sd_bus_message_exit_container(m) >= 0);
	}
}

static const char *read_back(sd_bus_message *m)
{
	static char text[512];
	FILE *f = fmemopen(text, sizeof(text), "w");

	assert_non_null(f);
	assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
	assert_true(sd_bus_message_rewind(m, 1) >= 0);
	dump(m, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void values(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"5", "i 5"},
		{" \t+7\n", "i 7"},
		{"-2147483648", "i -2147483648"},
		{"2147483647", "i 2147483647"},
		{"0x10", "i 16"},
		{"010", "i 8"},
		{"uint64 18446744073709551615", "t 18446744073709551615"},
		{"uint32 4294967295", "u 4294967295"},
		{"uint32 -0", "u 0"},
		{"int64 -9223372036854775808", "x -9223372036854775808"},
		{"int16 -32768", "n -32768"},
		{"uint16 65535", "q 65535"},
		{"byte 255", "y 255"},
		{"byte 0x1f", "y 31"},
		{"@t 5", "t 5"},
		{"1.5", "d 1.5"},
		{"-1e3", "d -1000"},
		{"double 5", "d 5"},
		{"true", "b 1"},
		{"boolean false", "b 0"},
		{"'a b'", "s a b"},
		{"\"it's\"", "s it's"},
		{"'it\\'s \\\\ \\n.'", "s it's \\ \n."},
		{"'\\u00e9\\u20ac\\U0001F600'", "s \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"''", "s "},
		{"objectpath '/a/b'", "o /a/b"},
		{"signature 'a{sv}'", "g a{sv}"},
		{"b'ab'", "ay [97,98,0]"},
		{"b'\\101\\7\\x'", "ay [65,7,120,0]"},
		{"@ay [0x0f]", "ay [15]"},
		{"['a', 'b']", "as [a,b]"},
		{"@as []", "as []"},
		{"[1, 2.5]", "ad [1,2.5]"},
		{"[uint64 1, 2]", "at [1,2]"},
		{"[1, uint64 2]", "at [1,2]"},
		{"[[1], [2, 3]]", "aai [[1],[2,3]]"},
		{"[('/dev/null', 'rw')]", "a(ss) [(/dev/null,rw)]"},
		{"@a(ss) []", "a(ss) []"},
		{"(1, 'a', true)", "(isb) (1,a,1)"},
		{"(1,)", "(i) (1)"},
		{"{'a': 1, 'b': 2}", "a{si} [{a,1},{b,2}]"},
		{"{'a': <uint32 1>, 'b': <'x'>}", "a{sv} [{a,u 1},{b,s x}]"},
		{"@a{sv} {}", "a{sv} []"},
		{"<<5>>", "v v i 5"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sd_bus_message *m = new_message();

		if (gvariant_append(m, rows[i].text, &err) < 0)
			fail_msg("%s", err.text);
		assert_string_equal(read_back(m), rows[i].want);
		sd_bus_message_unref(m);
	}
}

/* Many beside each other are not deep. */
static void a_long_list(void **state)
{
	sd_bus_message *m = new_message();
	char text[128] = "[", want[128] = "ai [";

	(void)state;
	for (int i = 0; i < 40; i++) {
		strncat(text, i ? ",1" : "1", 3);
		strncat(want, i ? ",1" : "1", 3);
	}
	assert_int_equal(gvariant_append(m, strncat(text, "]", 2), &err), 0);
	assert_string_equal(read_back(m), strncat(want, "]", 2));
	sd_bus_message_unref(m);
}

static void refused_values(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: the error's number says it */
		int code;
	} rows[] = {
		{"", "not a number", 0},
		{"zoo", "not a number", 0},
		{"frob", "something follows the value", 0},
		{"inf", "not a number", 0},
		{"11111111111111111111111111111111111111111", "not a number", 0},
		{"5 6", "something follows the value", 0},
		{"true1", "something follows the value", 0},
		{"'abc", "a string without its end", 0},
		{"'abc\\'", "a string without its end", 0},
		{"'a\\u0000'", "a NUL in a string", 0},
		{"'\\u00e'", "an escape of too few digits", 0},
		{"'\\U0001F60'", "an escape of too few digits", 0},
		{"[1", "a list without its end", 0},
		{"[1 2]", "a list without its end", 0},
		{"[1,]", "not a number", 0},
		{"<1", "a variant without its end", 0},
		{"{'a'}", "a dictionary entry without its value", 0},
		{"[]", "a list of no type", 0},
		{"{}", "a list of no type", 0},
		{"()", "an empty tuple", 0},
		{"[1, 'a']", "members of more than one type", 0},
		{"{'a': 1, 2: 'b'}", "members of more than one type", 0},
		{"@i 'a'", "the value is not of its type", 0},
		{"@ii 5", "the value is not of its type", 0},
		{"@ai (1, 2)", "the value is not of its type", 0},
		{"@(i) (1, 2)", "the value is not of its type", 0},
		{"@(ii) (1,)", "the value is not of its type", 0},
		{"@a{si} [1]", "the value is not of its type", 0},
		{"uint32 5.5", "the value is not of its type", 0},
		{"string 5", "the value is not of its type", 0},
		/* Maybe types. */
		{"@mi 5", "not a number", 0},
		{"just 5", "not a number", 0},
		{"2147483648", NULL, ERANGE},
		{"-2147483649", NULL, ERANGE},
		{"byte 256", NULL, ERANGE},
		{"int16 -32769", NULL, ERANGE},
		{"uint64 18446744073709551616", NULL, ERANGE},
		{"uint64 -1", NULL, EINVAL},
		{"handle 0", NULL, EINVAL},
		{"1.2.3", NULL, EINVAL},
		{"5x", NULL, EINVAL},
		{"--5", NULL, EINVAL},
		{"uint64 +-5", NULL, EINVAL},
		{"0x", NULL, EINVAL},
		{"-", NULL, EINVAL},
		{"objectpath 'a'", NULL, EINVAL},
		{"'\\ud800'", NULL, EINVAL},
		{"{[1]: 2}", NULL, EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sd_bus_message *m = new_message();
		char want[256];

		if (gvariant_append(m, rows[i].text, &err) >= 0)
			fail_msg("%s: taken", rows[i].text);
		snprintf(want, sizeof(want), "%s%s%s", rows[i].text, rows[i].why ? ": " : "",
			 rows[i].why ? rows[i].why : "");
		assert_string_equal(err.text, want);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_int_equal(err.code, rows[i].code);
		sd_bus_message_unref(m);
	}
}

/* As deep as it may be, and one more. */
static void depths(void **state)
{
	(void)state;
	for (size_t n = 31; n <= 32; n++) {
		sd_bus_message *m = new_message();
		char text[128] = "";

		memset(text, '[', n);
		text[n] = '1';
		memset(text + n + 1, ']', n);
		assert_int_equal(gvariant_append(m, text, &err) < 0, n == 32);
		assert_int_equal(!strstr(err.text, "nested too deeply"), n != 32);
		sd_bus_message_unref(m);
	}
}

static void seconds(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"3", "t 3000000"},
		{"uint32 5", "t 5000000"},
		{"double  0.5", "t 500000"},
		{"0.0000015 ", "t 2"},
		{"0", "t 0"},
		{"9007199254", "t 9007199254000000"},
		{"1e12", NULL},
		{"-1", NULL},
		{"", NULL},
		{"uint32 ", NULL},
		{"int16 5", "t 5000000"},
		{"byte 0x10", "t 16000000"},
		{" @t 5", "t 5000000"},
		{"@d 0.5", "t 500000"},
		{"string 5", NULL},
		{"@at 5", NULL},
		{"@", NULL},
		{"5 x", NULL},
		{"5s", NULL},
		{"nan", NULL},
		{"inf", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sd_bus_message *m = new_message();
		char want[64];
		int r = gvariant_append_seconds(m, rows[i].text, &err);

		snprintf(want, sizeof(want), "%s: not a number of seconds", rows[i].text);
		if (rows[i].want && r == 0)
			assert_string_equal(read_back(m), rows[i].want);
		else if (!rows[i].want && r == -EINVAL)
			assert_string_equal(err.text, want);
		else
			fail_msg("%s: %d", rows[i].text, r);
		sd_bus_message_unref(m);
	}
}

/* ---- manager.c ---- */

#define LONG_MS	 20000
#define SHORT_MS 20 /* for what never comes */

static char dir[64];
static pid_t bus_pid;
static struct manager manager;

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* Start the bus, which answers the method of @how as that says; NULL: all of them well. */
static void start_bus(const char *how)
{
	char events[4096], address[128], bus[128], calls[128];
	int watch = inotify_init1(IN_CLOEXEC);

	snprintf(bus, sizeof(bus), "%s", in_dir("bus"));
	snprintf(calls, sizeof(calls), "%s", in_dir("calls"));
	snprintf(address, sizeof(address), "unix:path=%.100s", bus);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	assert_true(inotify_add_watch(watch, dir, IN_MOVED_TO) >= 0);
	bus_pid = fork();
	assert_true(bus_pid >= 0);
	if (bus_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		execl("tests/lib/manager", "manager", bus, calls, how, NULL);
		_exit(127);
	}
	/* It is there under its name when it listens. */
	assert_true(read(watch, events, sizeof(events)) > 0);
	close(watch);
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/oakum-systemd-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	manager_close(&manager);
	if (bus_pid > 0) {
		(void)kill(bus_pid, SIGKILL);
		(void)waitpid(bus_pid, NULL, 0);
	}
	bus_pid = 0;
	(void)unlink(in_dir("bus"));
	(void)unlink(in_dir("calls"));
	return rmdir(dir);
}

static void open_manager(const char *how)
{
	char path[64] = "x";

	start_bus(how);
	err = ERR_INIT;
	if (manager_open(&manager, false, clock_deadline(LONG_MS), path, sizeof(path), &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(path, "");
	assert_int_equal(manager.version, 252);
}

/* The lines of its log. The last one is written after its answer, but before the next. */
static const char *calls(void)
{
	static char text[4096];
	struct err ignored = ERR_INIT;
	ssize_t n;
	int fd;

	(void)manager_look_empty(&manager, "none", clock_deadline(LONG_MS), &ignored);
	fd = open(in_dir("calls"), O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

static int start(const char *const *properties, size_t n, int64_t ms, char path[64])
{
	err = ERR_INIT;
	return manager_start(&manager, "x.scope", properties, n, getpid(), clock_deadline(ms), path,
			     64, &err);
}

static int stop(const char *unit)
{
	err = ERR_INIT;
	return manager_stop(&manager, unit, clock_deadline(LONG_MS), &err);
}

static void a_unit_lives(void **state)
{
	/* What only a younger systemd knows is left out. */
	static const char *const properties[] = {"Delegate=true", "TimeoutStopSec=3",
						 "Description='a=b'", "MemoryZSwapMax=uint64 5",
						 "MemoryMin=uint64 6"};
	char path[64];

	(void)state;
	open_manager(NULL);
	assert_int_equal(stop("x.scope"), MANAGER_GONE);
	assert_int_equal(manager_look_empty(&manager, "x.scope", clock_deadline(LONG_MS), &err),
			 MANAGER_GONE);
	assert_int_equal(start(properties, ARRAY_SIZE(properties), LONG_MS, path), 0);
	assert_string_equal(path, "/x.scope");
	assert_non_null(strstr(calls(), "\nStartTransientUnit x.scope fail Delegate:b "
					"TimeoutStopUSec=3000000 Description=a=b MemoryMin=6 "
					"PIDs:au\n"));
	assert_int_equal(
		manager_set(&manager, "x.scope", properties + 1, 1, clock_deadline(LONG_MS), &err),
		0);
	assert_non_null(strstr(calls(), "\nSetUnitProperties x.scope TimeoutStopUSec=3000000\n"));
	assert_int_equal(
		manager_attach(&manager, "x.scope", "sub", 1, clock_deadline(LONG_MS), &err), 0);
	assert_non_null(strstr(calls(), "\nAttachProcessesToUnit\n"));
	/* With us in it. */
	assert_int_equal(manager_look_empty(&manager, "x.scope", clock_deadline(LONG_MS), &err),
			 MANAGER_IN_USE);
	assert_int_equal(stop("x.scope"), 0);
	assert_non_null(strstr(calls(), "\nStopUnit x.scope\nResetFailedUnit\n"));
	assert_int_equal(stop("x.scope"), MANAGER_GONE);
}

static void a_unit_that_is_empty(void **state)
{
	pid_t pid = fork();
	char path[64];

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	open_manager(NULL);
	err = ERR_INIT;
	assert_int_equal(manager_start(&manager, "x.scope", NULL, 0, pid, clock_deadline(LONG_MS),
				       path, sizeof(path), &err),
			 0);
	assert_int_equal(manager_look_empty(&manager, "x.scope", clock_deadline(LONG_MS), &err), 0);
}

/* An older systemd refuses what it does not know; of one that says nothing all is believed. */
static void versions(void **state)
{
	static const char *const properties[] = {"MemoryMin=uint64 6"};
	static const unsigned known[] = {0, 240, 241}, unknown[] = {239, 1};
	char path[64];

	(void)state;
	open_manager(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		manager.version = unknown[i];
		assert_int_equal(start(properties, 1, LONG_MS, path), 0);
	}
	assert_null(strstr(calls(), "MemoryMin"));
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		char unit[16], want[64];

		manager.version = known[i];
		snprintf(unit, sizeof(unit), "y%zu", i);
		assert_int_equal(
			manager_set(&manager, unit, properties, 1, clock_deadline(LONG_MS), &err),
			0);
		snprintf(want, sizeof(want), "\nSetUnitProperties %s MemoryMin=6\n", unit);
		assert_non_null(strstr(calls(), want));
	}
}

/* An error that has no number is its words. */
static void words_of_systemd(void **state)
{
	(void)state;
	open_manager("GetUnitProcesses=odd");
	err = ERR_INIT;
	assert_true(manager_look_empty(&manager, "x.scope", clock_deadline(LONG_MS), &err) < 0);
	assert_int_equal(err.code, 0);
	assert_string_equal(err.text, "odd words (org.example.Odd)");
}

static void a_unit_in_use(void **state)
{
	(void)state;
	open_manager("GetUnitProcesses=busy");
	assert_int_equal(manager_look_empty(&manager, "x.scope", clock_deadline(LONG_MS), &err),
			 MANAGER_IN_USE);
}

static void bad_properties(void **state)
{
	static const struct {
		const char *property, *why;
	} rows[] = {
		{"Delegate", "property \"Delegate\""},
		{"=true", "property \"=true\""},
		{"Delegate=", "property Delegate: : not a number"},
		{"TimeoutStopSec='3'", "property TimeoutStopSec: '3': not a number of seconds"},
		/* Not a time: there has to be something in front of it. */
		{"Sec=x", "property Sec: x"},
	};
	char path[64];

	(void)state;
	open_manager(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(start(&rows[i].property, 1, LONG_MS, path) < 0);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s", err.text);
		assert_int_equal(err.kind, ERR_CONFIG);
	}
	assert_null(strstr(calls(), "StartTransientUnit"));
}

static void units_that_fail(void **state)
{
	static const struct {
		const char *how;
		int r, code;
		const char *text, *hint, *calls;
	} rows[] = {
		{"StartTransientUnit=exists", MANAGER_IN_USE, 0, "", "",
		 "StartTransientUnit\nResetFailedUnit\nStartTransientUnit\n"},
		{"StartTransientUnit=error", -EACCES, EACCES,
		 "not to you (org.freedesktop.DBus.Error.AccessDenied)", "",
		 "StartTransientUnit\n"},
		{"StartTransientUnit=mute", -ETIMEDOUT, ETIMEDOUT, "no answer from systemd",
		 "is systemd busy? `systemctl list-jobs` and `busctl status` say",
		 "StartTransientUnit\n"},
		{"JobRemoved=failed", -EINVAL, 0, "systemd's job has ended with \"failed\"", "",
		 "StartTransientUnit x.scope fail PIDs:au\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool mute = strstr(rows[i].how, "mute");
		char path[64] = "untouched";
		int r;

		open_manager(rows[i].how);
		r = start(NULL, 0, mute ? SHORT_MS : LONG_MS, path);
		if (mute ? r >= 0 : r != rows[i].r && !(r < 0 && rows[i].r < 0))
			fail_msg("%s: %d", rows[i].how, r);
		assert_int_equal(err.code, rows[i].code);
		assert_string_equal(err.text, rows[i].text);
		assert_string_equal(err.hint, rows[i].hint);
		assert_string_equal(path, "untouched");
		if (!strstr(calls(), rows[i].calls))
			fail_msg("%s: %s", rows[i].how, calls());
		assert_int_equal(remove_dir(state), 0);
		assert_int_equal(make_dir(state), 0);
	}
}

static void no_manager(void **state)
{
	char path[64], address[128];

	(void)state;
	snprintf(address, sizeof(address), "unix:path=%.100s", in_dir("none"));
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	err = ERR_INIT;
	assert_true(manager_open(&manager, false, clock_deadline(LONG_MS), path, sizeof(path),
				 &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_string_equal(err.text, "open the system bus");
	assert_non_null(strstr(err.hint, "--cgroup-manager=cgroupfs"));
	manager_close(&manager);
	/* It is there, and says nothing. */
	start_bus("Get=mute");
	err = ERR_INIT;
	assert_true(manager_open(&manager, false, clock_deadline(SHORT_MS), path, sizeof(path),
				 &err) < 0);
	assert_int_equal(err.code, ETIMEDOUT);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
#define TEST(f)	  cmocka_unit_test_setup_teardown(f, open_nobody, close_nobody)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values),
		TEST(refused_values),
		TEST(depths),
		TEST(a_long_list),
		IN_DIR(versions),
		IN_DIR(words_of_systemd),
		IN_DIR(a_unit_in_use),
		TEST(seconds),
		IN_DIR(a_unit_lives),
		IN_DIR(bad_properties),
		IN_DIR(units_that_fail),
		IN_DIR(no_manager),
		IN_DIR(a_unit_that_is_empty),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
