/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A cgroup handed over: a plain directory stands in for it. Needs root. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "kernel/cgroup.h"
#include "test_fork.h"

static const char *const given[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
static const char *const kept[] = {"pids.max", "memory.max", "cgroup.freeze", "cgroup.type"};

static void make(int dir, const char *name)
{
	AUTO_CLOSE int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
}

static uint32_t owner(int dir, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir, name, &st, AT_EMPTY_PATH), 0);
	assert_int_equal(st.st_uid + 1, st.st_gid);
	return st.st_uid;
}

static void what_is_given(void **state)
{
	struct cgroup_host host = {.mode = CGROUP_V2, .n = 1, .h = {{.v2 = true}}};
	char path[] = "/tmp/oakum-delegate-XXXXXX";
	struct err err = ERR_INIT;
	struct cgroup cg;
	int dir;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	/* So that owner() can tell both. */
	assert_int_equal(fchown(dir, 0, 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (!str_eq(given[i], "cgroup.threads")) /* one that this kernel has not */
			make(dir, given[i]);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		make(dir, kept[i]);
		assert_int_equal(fchownat(dir, kept[i], 0, 1, 0), 0);
	}

	cgroup_init(&cg, &host);
	assert_int_equal(cgroup_delegate(&cg, 1000, 1001, &err), 0); /* nothing is open */
	assert_int_equal(owner(dir, ""), 0);
	cg.fd[0] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cgroup_delegate(&cg, 1000, 1001, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(owner(dir, ""), 1000);
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (!str_eq(given[i], "cgroup.threads"))
			assert_int_equal(owner(dir, given[i]), 1000);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		assert_int_equal(owner(dir, kept[i]), 0);

	/* v1 keeps no delegate within bounds: nothing is given. */
	host.h[0].v2 = false;
	assert_int_equal(cgroup_delegate(&cg, 2000, 2001, &err), 0);
	assert_int_equal(owner(dir, ""), 1000);

	cgroup_close(&cg);
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		(void)unlinkat(dir, given[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		(void)unlinkat(dir, kept[i], 0);
	close(dir);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
