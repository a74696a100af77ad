/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names both ways, and the text for numbers that have none. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/names.h"

static void parses_names(void **state)
{
	static const struct {
		const char *text;
		int sig;
	} good[] = {
		{"TERM", SIGTERM}, {"SIGTERM", SIGTERM}, {"sigterm", SIGTERM},
		{"term", SIGTERM}, {"15", SIGTERM},	 {"0", 0},
		{"64", 64},	   {"IOT", SIGABRT},	 {"SIGCLD", SIGCHLD},
		{"POLL", SIGIO},   {"KILL", SIGKILL},	 {"STKFLT", SIGSTKFLT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(names_signal_number(good[i].text), good[i].sig);
	assert_int_equal(names_signal_number("RTMIN"), SIGRTMIN);
	assert_int_equal(names_signal_number("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(names_signal_number("rtmax-1"), SIGRTMAX - 1);
	assert_int_equal(names_signal_number("RTMAX-30"), SIGRTMAX - 30);
}

static void refuses_what_is_none(void **state)
{
	static const char *const bad[] = {
		"",	      "SIG",	   "SIGSIGTERM",
		"65",	      "-1",	   "+9",
		"09",	      "9 ",	   " 9",
		"TERMX",      "TER",	   "RTMIN-1",
		"RTMAX+1",    "RTMIN+",	   "RTMIN+31",
		"RTMAX-31",   "RTMIN+0x1", "99999999999999999999",
		"4294967305", "\xd9\xa9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(names_signal_number(bad[i]), -EINVAL);
	assert_int_equal(names_signal_number(NULL), -EINVAL);
}

static void names_are_read_back(void **state)
{
	(void)state;
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		const char *name = names_signal(sig);

		if (sig > 31 && sig < SIGRTMIN) {
			assert_null(name);
			continue;
		}
		assert_non_null(name);
		assert_int_equal(strncmp(name, "SIG", 3), 0);
		assert_int_equal(names_signal_number(name), sig);
		assert_int_equal(names_signal_number(name + 3), sig);
	}
	assert_null(names_signal(0));
	assert_null(names_signal(-1));
	assert_null(names_signal(SIGRTMAX + 1));
	assert_string_equal(names_signal(SIGRTMIN + 3), "SIGRTMIN+3");
	assert_string_equal(names_signal(SIGRTMAX), "SIGRTMAX");
}

static void capabilities(void **state)
{
	(void)state;
	assert_int_equal(names_capability_number("CAP_SYS_ADMIN"), CAP_SYS_ADMIN);
	assert_int_equal(names_capability_number("sys_admin"), CAP_SYS_ADMIN);
	assert_int_equal(names_capability_number("Cap_Bpf"), CAP_BPF);
	assert_int_equal(names_capability_number("CAP_"), -1);
	assert_int_equal(names_capability_number(""), -1);
	assert_int_equal(names_capability_number("CAP_CHOWNX"), -1);
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		assert_int_equal(names_capability_number(names_capability(cap)), cap);
	assert_null(names_capability(CAP_LAST_CAP + 1));
	assert_null(names_capability(-1));
}

static void texts(void **state)
{
	char buf[NAMES_TEXT];

	(void)state;
	assert_string_equal(names_signal_text(SIGKILL, buf), "SIGKILL");
	assert_string_equal(names_signal_text(33, buf), "signal 33");
	assert_string_equal(names_signal_text(INT32_MIN, buf), "signal -2147483648");
	assert_string_equal(names_capability_text(CAP_CHOWN, buf), "CAP_CHOWN");
	assert_string_equal(names_capability_text(INT32_MIN, buf), "capability -2147483648");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_names),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(names_are_read_back),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
