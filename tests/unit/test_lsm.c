/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which file gets which words: a directory stands in for the procfs. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/io.h"
#include "kernel/lsm.h"
#include "test_fork.h"

static struct err err;
static char dir[64];

static bool holds(int proc, const char *name, const char *want)
{
	char text[256];

	return io_read_at(proc, name, text, sizeof(text)) >= 0 && strcmp(text, want) == 0;
}

static void put(int proc, const char *name)
{
	int fd = openat(proc, name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	close(fd);
}

static void body(void)
{
	AUTO_CLOSE int proc = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	static char longest[5000];

	CHECK(mkdirat(proc, "thread-self", 0755) == 0);
	CHECK(mkdirat(proc, "thread-self/attr", 0755) == 0);
	CHECK(lsm_on_exec(proc, LSM_APPARMOR, "p", &err) == -ENOENT);
	CHECK(strstr(err.text, "AppArmor profile \"p\"") && strstr(err.hint, "apparmor_parser"));
	put(proc, "thread-self/attr/exec");
	put(proc, "thread-self/attr/keycreate");
	/* The old place, for both. */
	CHECK_OK(lsm_on_exec(proc, LSM_APPARMOR, "one", &err), err);
	CHECK(holds(proc, "thread-self/attr/exec", "exec one"));
	put(proc, "thread-self/attr/exec");
	CHECK_OK(lsm_on_exec(proc, LSM_SELINUX, "a:b:c:s0:c1,c2", &err), err);
	CHECK(holds(proc, "thread-self/attr/exec", "a:b:c:s0:c1,c2"));
	/* AppArmor's own, where it is. */
	CHECK(mkdirat(proc, "thread-self/attr/apparmor", 0755) == 0);
	put(proc, "thread-self/attr/apparmor/exec");
	CHECK_OK(lsm_on_exec(proc, LSM_APPARMOR, "two", &err), err);
	CHECK(holds(proc, "thread-self/attr/apparmor/exec", "exec two"));
	CHECK(holds(proc, "thread-self/attr/exec", "a:b:c:s0:c1,c2"));
	CHECK_OK(lsm_keyrings(proc, "a:b:c", &err), err);
	CHECK(holds(proc, "thread-self/attr/keycreate", "a:b:c"));
	memset(longest, 'x', sizeof(longest) - 1);
	CHECK(lsm_on_exec(proc, LSM_SELINUX, longest, &err) == -ENAMETOOLONG);
	CHECK(unlinkat(proc, "thread-self/attr/apparmor/exec", 0) == 0);
	CHECK(unlinkat(proc, "thread-self/attr/apparmor", AT_REMOVEDIR) == 0);
	CHECK(unlinkat(proc, "thread-self/attr/exec", 0) == 0);
	CHECK(unlinkat(proc, "thread-self/attr/keycreate", 0) == 0);
	CHECK(unlinkat(proc, "thread-self/attr", AT_REMOVEDIR) == 0);
	CHECK(unlinkat(proc, "thread-self", AT_REMOVEDIR) == 0);
}

static void test_files(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/oakum-unit-XXXXXX",
		       tmp && strlen(tmp) < 30 ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(in_child(body), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_files)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
