/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deadlines that saturate, timers, and moments as text both ways. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"

#define SECOND INT64_C(1000000000)

static void test_deadline(void **state)
{
	int64_t now = clock_now_ms(), d = clock_deadline(5000);

	(void)state;
	assert_true(now > 0);
	assert_true(d >= now + 5000 && d <= clock_now_ms() + 5000);
	assert_true(clock_deadline(-1) == CLOCK_FOREVER);
	assert_true(clock_deadline(CLOCK_FOREVER) == CLOCK_FOREVER);
	assert_true(clock_deadline(INT64_MAX - 1) == CLOCK_FOREVER);
	assert_int_equal(clock_poll_ms(CLOCK_FOREVER), -1);
	assert_int_equal(clock_poll_ms(now - 1), 0);
	assert_int_equal(clock_poll_ms(0), 0);
	assert_int_equal(clock_poll_ms(INT64_MIN), 0);
	assert_in_range(clock_poll_ms(d), 1, 5000);
	assert_int_equal(clock_poll_ms(CLOCK_FOREVER - 1), INT_MAX);
}

static void test_timer(void **state)
{
	int64_t began = clock_now_ms();
	int fd = clock_timer(20000, 5000);
	uint64_t times;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(read(fd, &times, sizeof(times)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(io_poll_until(fd, POLLIN, clock_deadline(5000)) > 0);
	assert_true(clock_now_ms() - began >= 20);
	assert_int_equal(read(fd, &times, sizeof(times)), sizeof(times));
	assert_true(times >= 1);
	assert_true(io_poll_until(fd, POLLIN, clock_deadline(5000)) > 0);
	/* Never, then once after more than a second. */
	assert_int_equal(clock_timer_set(fd, 0, 0), 0);
	assert_int_equal(io_poll_until(fd, POLLIN, clock_deadline(30)), 0);
	assert_int_equal(clock_timer_set(fd, 1000500, 0), 0);
	began = clock_now_ms();
	assert_true(io_poll_until(fd, POLLIN, clock_deadline(5000)) > 0);
	assert_in_range(clock_now_ms() - began, 1000, 4000);
	close(fd);
	assert_int_equal(clock_timer_set(-1, 0, 0), -EBADF);
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00.000000001Z", 1},
		{"1970-01-01T00:00:00.5Z", SECOND / 2},
		{"1970-01-01T00:00:01", SECOND},
		{"1970-01-01 00:00:01z", SECOND},
		{"1970-01-01T01:00:00+01:00", 0},
		{"1970-01-01T00:00:00-00:30", 1800 * SECOND},
		{"1972-02-29T00:00:00Z", 789 * 86400 * SECOND},
		{"2000-02-29T12:34:56.789Z", 951827696 * SECOND + 789000000},
		{"2026-11-23T13:05:59.123456789Z", 1795439159 * SECOND + 123456789},
		{"2026-11-23T13:05:59.1234567899Z", 1795439159 * SECOND + 123456789},
		{"2016-12-31T23:59:60Z", 1483228800 * SECOND},
		{"2262-04-11T23:47:16.854775807Z", INT64_MAX},
		{"2262-04-11T23:47:16.854775808Z", -1},
		{"9999-12-31T23:59:59Z", -1},
		{"1969-12-31T23:59:59Z", -1},
		{"2023-02-29T00:00:00Z", -1},
		{"2100-02-29T00:00:00Z", -1},
		{"2023-13-01T00:00:00Z", -1},
		{"2023-00-01T00:00:00Z", -1},
		{"2023-01-00T00:00:00Z", -1},
		{"2023-04-31T00:00:00Z", -1},
		{"2023-01-01T24:00:00Z", -1},
		{"2023-01-01T00:60:00Z", -1},
		{"2023-01-01T00:00:61Z", -1},
		{"2023-01-01T00:00:00.Z", -1},
		{"2023-01-01T00:00:00+1:00", -1},
		{"2023-01-01T00:00:00+24:00", -1},
		{"2023-01-01T00:00:00+01:60", -1},
		{"2023-01-01T00:00:00Zx", -1},
		{"2023-01-01T00:00", -1},
		{"2023-01-01", -1},
		{"23-01-01T00:00:00Z", -1},
		{" 2023-01-01T00:00:00Z", -1},
		{"now", -1},
		{"", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t ns = clock_parse(rows[i].text);

		if (ns != rows[i].ns)
			fail_msg("\"%s\": %jd, not %jd", rows[i].text, (intmax_t)ns,
				 (intmax_t)rows[i].ns);
	}
}

/* Every day of two centuries as the C library reckons it. */
static void test_calendar(void **state)
{
	(void)state;
	for (time_t day = 0; day < 73000; day++) {
		time_t when = day * 86400 + day % 86400;
		char text[64];
		struct tm tm;

		assert_non_null(gmtime_r(&when, &tm));
		assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		assert_true(clock_parse(text) == when * SECOND);
	}
}

static void test_text(void **state)
{
	char text[CLOCK_TEXT_SIZE], want[32];
	struct timespec before, after;
	struct tm tm;
	int64_t ns;

	(void)state;
	(void)clock_gettime(CLOCK_REALTIME, &before);
	clock_text(text);
	(void)clock_gettime(CLOCK_REALTIME, &after);
	assert_int_equal(strlen(text), strlen("2026-11-23T13:05:59.123456789Z"));
	ns = clock_parse(text);
	assert_true(ns >= before.tv_sec * SECOND + before.tv_nsec);
	assert_true(ns <= after.tv_sec * SECOND + after.tv_nsec);
	before.tv_sec = ns / SECOND;
	assert_non_null(gmtime_r(&before.tv_sec, &tm));
	assert_true(strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.", &tm) > 0);
	assert_memory_equal(text, want, strlen(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadline), cmocka_unit_test(test_timer),
		cmocka_unit_test(test_parse),	 cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
