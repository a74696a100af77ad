/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of the log in its three forms, read back through a socket that keeps writes apart. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"

static int in = -1, out = -1;

static int setup(void **state)
{
	int s[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s) < 0)
		return -1;
	in = s[0];
	out = s[1];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fd_close(in);
	fd_close(out);
	return 0;
}

/* What one write(2) brought, "" if there was none. */
static const char *line(void)
{
	static char buf[20000];
	ssize_t n = recv(in, buf, sizeof(buf) - 1, 0);

	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static void test_plain(void **state)
{
	(void)state;
	log_setup(&(struct log_options){.fd = out, .level = LOG_LEVEL_INFO, .program = "prog"});
	errno = ENOTTY;
	log_error("create %s: %d", "web", 7);
	assert_int_equal(errno, ENOTTY);
	assert_string_equal(line(), "prog: create web: 7\n");
	log_warning("w");
	assert_string_equal(line(), "prog: warning: w\n");
	log_info("a\nb\x1b[0m \xff");
	assert_string_equal(line(), "prog: info: a\\x0ab\\x1b[0m \\xff\n");
	log_debug("d");
	assert_string_equal(line(), "");
	assert_true(log_enabled(LOG_LEVEL_INFO));
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
	log_setup(&(struct log_options){.fd = out});
	log_error("x");
	assert_string_equal(line(), "oakum: x\n");
	log_warning("not at this level");
	assert_string_equal(line(), "");
}

static void test_file(void **state)
{
	char moment[64];
	const char *text, *rest;

	(void)state;
	log_setup(&(struct log_options){.fd = out, .form = LOG_FILE, .level = LOG_LEVEL_DEBUG});
	log_debug("say \"%s\"\n", "x");
	text = line();
	assert_memory_equal(text, "time=\"", 6);
	rest = strchr(text + 6, '"');
	assert_non_null(rest);
	memcpy(moment, text + 6, (size_t)(rest - text) - 6);
	moment[rest - text - 6] = '\0';
	assert_true(clock_parse(moment) > 0);
	assert_string_equal(rest, "\" level=debug msg=\"say \\\"x\\\"\\n\"\n");
}

static void check_json(const char *text, const char *level, const char *msg)
{
	AUTO_ARENA struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct json *j;

	assert_int_equal(strlen(text), strcspn(text, "\n") + 1);
	assert_int_equal(json_parse(text, strlen(text), "log", &a, &j, &e), 0);
	assert_string_equal(json_get(j, "level")->text, level);
	assert_string_equal(json_get(j, "msg")->text, msg);
	assert_true(clock_parse(json_get(j, "time")->text) > 0);
	assert_int_equal(j->len, 3);
}

static void test_json(void **state)
{
	char big[5000], cut[2048];

	(void)state;
	log_setup(&(struct log_options){.fd = out, .json = true, .level = LOG_LEVEL_WARNING});
	log_error("a \"b\"\n\\ %s", "\xc3\xa9 \xff");
	check_json(line(), "error", "a \"b\"\n\\ \xc3\xa9 \xef\xbf\xbd");
	log_warning("w");
	check_json(line(), "warning", "w");
	/* The worst that can be written still is one whole line. */
	memset(big, 1, sizeof(big));
	big[sizeof(big) - 1] = '\0';
	memset(cut, 1, sizeof(cut));
	cut[sizeof(cut) - 1] = '\0';
	log_error("%s", big);
	check_json(line(), "error", cut);
	log_setup(&(struct log_options){.fd = out, .program = "prog"});
	log_error("%s", big);
	assert_int_equal(strlen(line()), strlen("prog: ") + 4 * 2047 + 1);
}

/* What a log service gets: each message is one datagram, and none has a line of the message's. */
static void test_services(void **state)
{
	char want[128];

	(void)state;
	log_setup(&(struct log_options){
		.fd = out, .form = LOG_SYSLOG, .ident = "web", .level = LOG_LEVEL_DEBUG});
	log_error("a\nb");
	(void)snprintf(want, sizeof(want), "<11>web[%d]: a\\x0ab\n", (int)getpid());
	assert_string_equal(line(), want);
	log_debug("c");
	(void)snprintf(want, sizeof(want), "<15>web[%d]: c\n", (int)getpid());
	assert_string_equal(line(), want);
	log_setup(&(struct log_options){.fd = out, .form = LOG_JOURNAL, .ident = "web"});
	log_error("a\nPRIORITY=7");
	assert_string_equal(line(),
			    "PRIORITY=3\nSYSLOG_IDENTIFIER=web\nMESSAGE=a\\x0aPRIORITY=7\n");
}

static void test_broken(void **state)
{
	(void)state;
	log_setup(&(struct log_options){.fd = -1});
	errno = 0;
	log_error("nobody hears it");
	assert_int_equal(errno, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_services, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
