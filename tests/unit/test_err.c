/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error object: who wins, what is kept, where it is cut, and the line a reader gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void test_set(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_set(&e, EPERM, "mount %s on %s", "proc", "/proc"), -EPERM);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(e.code, EPERM);
	assert_int_equal(e.kind, ERR_RUNTIME);
	assert_string_equal(e.text, "mount proc on /proc");
	assert_int_equal(err_set(&e, 0, "no code"), -EINVAL);
	assert_int_equal(e.code, 0);
	assert_int_equal(err_set(NULL, EIO, "nobody listens"), -EIO);
	assert_int_equal(err_kind(NULL, ERR_CONFIG, 0, "nobody listens"), -EINVAL);
}

static void test_kept(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_pointer(&e, "/mounts/%d", 3);
	err_pointer(&e, "/mounts");
	err_kind(&e, ERR_CONFIG, 0, "first");
	err_hint(&e, "inner");
	err_hint(&e, "outer");
	err_set(&e, ENOSYS, "second");
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.pointer, "/mounts/3");
	assert_string_equal(e.hint, "inner");
	err_kind(&e, ERR_STATE, 0, "third");
	assert_int_equal(e.kind, ERR_STATE);
	err_kind(&e, ERR_NONE, 0, "fourth");
	assert_int_equal(e.kind, ERR_STATE);
	/* The arguments may be what is being replaced. */
	err_set(&e, EIO, "again: %s", e.text);
	assert_string_equal(e.text, "again: fourth");
}

static void test_prefix(void **state)
{
	struct err e = ERR_INIT, before;

	(void)state;
	before = e;
	err_prefix(&e, "nothing to see");
	assert_memory_equal(&e, &before, sizeof(e));
	err_set(&e, EPERM, "c");
	err_prefix(&e, "%c", 'b');
	err_prefix(&e, "a %d", 1);
	assert_string_equal(e.text, "a 1: b: c");
	err_prefix(NULL, "x");
	/* A long name does not push out what went wrong. */
	err_prefix(&e, "%s%0400d", "\xc3\xa9", 0);
	assert_int_equal(strlen(e.text), 200 + strlen("…: a 1: b: c"));
	assert_non_null(strstr(e.text, "0…: a 1: b: c"));
}

/* Too long texts end at a whole character. */
static void test_cut(void **state)
{
	char text[1200];
	struct err e = ERR_INIT;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 1; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[sizeof(text) - 1] = '\0';
	for (int shift = 0; shift < 3; shift++) {
		size_t len;

		err_set(&e, EIO, "%.*s%s", shift, "abc", text + 1);
		len = strlen(e.text);
		assert_in_range(len, sizeof(e.text) - 2, sizeof(e.text) - 1);
		assert_memory_equal(e.text + len - 2, "\xc3\xa9", 2);
		err_prefix(&e, "%.*s", shift + 1, "abc");
		len = strlen(e.text);
		assert_in_range(len, sizeof(e.text) - 3, sizeof(e.text) - 1);
		assert_memory_equal(e.text + len - 2, "\xc3\xa9", 2);
		err_prefix(&e, "%s", text);
		assert_true(strlen(e.text) < sizeof(e.text));
	}
	memset(text, 'y', 200);
	text[200] = '\0';
	err_pointer(&e, "%s", text);
	err_hint(&e, "%s", text);
	assert_int_equal(strlen(e.pointer), sizeof(e.pointer) - 1);
	assert_int_equal(strlen(e.hint), sizeof(e.hint) - 1);
}

static void test_name(void **state)
{
	(void)state;
	assert_string_equal(err_name(ENOENT), "ENOENT");
	assert_string_equal(err_name(EHWPOISON), "EHWPOISON");
	assert_null(err_name(0));
	assert_null(err_name(-1));
	assert_null(err_name(100000));
}

static void check_line(const struct err *e, const char *want)
{
	char buf[1024], small[8];

	assert_int_equal(err_format(e, buf, sizeof(buf)), strlen(want));
	assert_string_equal(buf, want);
	assert_int_equal(err_format(e, small, sizeof(small)), strlen(want));
	assert_true(strlen(small) < sizeof(small));
	assert_memory_equal(small, want, strlen(small));
	assert_int_equal(err_format(e, NULL, 0), strlen(want));
}

static void test_format(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, ENOENT, "open it");
	check_line(&e, "open it: No such file or directory (ENOENT)");
	err_pointer(&e, "/process/user/uid");
	e.line = 14;
	e.column = 9;
	check_line(&e, "config.json:14:9: /process/user/uid: open it: No such file or directory "
		       "(ENOENT)");
	strcpy(e.file, "process.json");
	err_set(&e, 0, "too large");
	check_line(&e, "process.json:14:9: /process/user/uid: too large");
	e = ERR_INIT;
	err_set(&e, 100000, "odd");
	check_line(&e, "odd: errno 100000");
	err_set(&e, 0, "a\nb\x1b[1m\x7f \xc2\x9b \xff \xc3\xa9");
	check_line(&e, "a\\x0ab\\x1b[1m\\x7f \\xc2\\x9b \\xff \xc3\xa9");
}

static const char *advice(enum err_kind kind, int code, const char *pointer)
{
	static struct err e;

	e = ERR_INIT;
	if (pointer)
		err_pointer(&e, "%s", pointer);
	err_kind(&e, kind, code, "x");
	err_advise(&e);
	return e.hint;
}

static void test_advise(void **state)
{
	/* What containerd, docker and podman look for in an error's text, in any case. */
	static const char *const theirs[] = {
		"not running",	  "no such process", "does not exist",	"permission denied",
		"is a directory", "not a directory", "executable file", "no such file",
	};
	struct err e = ERR_INIT;

	(void)state;
	for (int code = 1; code < 134; code++) {
		const char *got = err_name(code) ? advice(ERR_RUNTIME, code, NULL) : "?";

		assert_true(got[0]);
		for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
			assert_null(strcasestr(got, theirs[i]));
	}
	assert_non_null(strstr(advice(ERR_RUNTIME, EBUSY, NULL), "findmnt"));
	assert_non_null(strstr(advice(ERR_NOT_EXECUTABLE, EMFILE, NULL), "ulimit -n"));
	assert_string_equal(advice(ERR_RUNTIME, 0, NULL), "");
	assert_string_equal(advice(ERR_CONFIG, EINVAL, "/root"), "");
	assert_string_equal(advice(ERR_UNSUPPORTED, 0, NULL), "");
	assert_non_null(strstr(advice(ERR_UNSUPPORTED, 0, "/linux"), "leave it out"));
	/* Who knows better has said it. */
	err_hint(&e, "mine");
	err_set(&e, EBUSY, "x");
	err_advise(&e);
	assert_string_equal(e.hint, "mine");
}

static void test_fold(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_fold(NULL);
	err_pointer(&e, "/mounts/3");
	err_set(&e, EPERM, "mount proc");
	err_fold(&e);
	err_prefix(&e, "create web");
	check_line(&e, "create web: /mounts/3: mount proc: Operation not permitted (EPERM)");
	err_pointer(&e, "/root");
	e.line = 1;
	e.column = 2;
	err_set(&e, 0, "bad");
	err_fold(&e);
	check_line(&e, "config.json:1:2: /root: bad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),    cmocka_unit_test(test_kept),
		cmocka_unit_test(test_prefix), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_name),   cmocka_unit_test(test_format),
		cmocka_unit_test(test_fold),   cmocka_unit_test(test_advise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
