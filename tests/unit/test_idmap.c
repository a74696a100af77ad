/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Id mappings of mounts: the text, and a real mapping of a tmpfs. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/sys.h"
#include "kernel/idmap.h"
#include "test_fork.h"

static struct err err;

static void test_parse(void **state)
{
	static const struct ns_idmap maps[] = {{0, 0, 1}, {1, 2, 1000}};
	static const struct idmap_relative container = {{maps, 2}, {maps, 2}}, nobody;
	static const char *const bad[] = {
		"uids=0-1-0;gids=0-1-1",
		"uids=0-1;gids=0-1-1",
		"uids=0-1-2;gids=0-1-2;uids=0-1-2",
		"uids=0-1-2;pids=0-1-2",
		"uids=0-1-2#;gids=0-1-2",
		"uids=0-4294967296-1;gids=0-1-2",
		"uids=@0-5000-1;gids=0-1-2",
		"uids=@0-1001-1",
		"uids=++0-1-1;gids=0-1-1",
		"uids=0-1-2,gids=0-1-2",
		"uids=5-1-4294967292",
		"uids=",
		"uid=0-1-2",
		"uids=-1-1-1;gids=0-1-2",
	};
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct idmap m = {.kind = IDMAP_OWN};

	(void)state;
	assert_int_equal(
		idmap_parse("uids=0-1000-10#10-11-1;gids=@1-3-10", &container, &arena, &m, &err),
		0);
	assert_true(m.uids.n == 2 && m.gids.n == 1);
	assert_true(m.uids.v[0].container == 0 && m.uids.v[0].host == 1000 &&
		    m.uids.v[0].size == 10);
	assert_true(m.uids.v[1].container == 10 && m.uids.v[1].host == 11 && m.uids.v[1].size == 1);
	assert_true(m.gids.v[0].container == 1 && m.gids.v[0].host == 4 && m.gids.v[0].size == 10);
	/* A range of the container's may be several on the host; what is left out is the
	 * container's.
	 */
	m = (struct idmap){.kind = IDMAP_OWN};
	assert_int_equal(idmap_parse("uids=@7-0-3#@0-1000-1;", &container, &arena, &m, &err), 0);
	assert_true(m.uids.n == 3 && m.gids.v == maps && m.gids.n == 2);
	assert_true(m.uids.v[0].container == 7 && m.uids.v[0].host == 0 && m.uids.v[0].size == 1);
	assert_true(m.uids.v[1].container == 8 && m.uids.v[1].host == 2 && m.uids.v[1].size == 2);
	assert_true(m.uids.v[2].container == 0 && m.uids.v[2].host == 1001 &&
		    m.uids.v[2].size == 1);
	/* What the container does not map ends a range. */
	m = (struct idmap){.kind = IDMAP_OWN};
	assert_int_equal(
		idmap_parse("uids=@0-999-10#@90-0-1;gids=+0-1-10", &container, &arena, &m, &err),
		0);
	assert_true(m.uids.n == 2 && m.uids.v[0].host == 1000 && m.uids.v[0].size == 2);
	assert_true(m.uids.v[1].container == 90 && m.uids.v[1].host == 0 && m.uids.v[1].size == 1);
	assert_true(m.gids.n == 1 && m.gids.v[0].host == 1 && m.gids.v[0].size == 10);
	assert_int_equal(idmap_parse("gids=0-1-4294967295", &container, &arena, &m, &err), 0);
	assert_int_equal(idmap_parse("gids=0-1-1", &nobody, &arena, &m, &err), -EINVAL);
	assert_non_null(strstr(err.text, "left out"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err = ERR_INIT;
		if (idmap_parse(bad[i], &container, &arena, &m, &err) >= 0)
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(err.kind, ERR_CONFIG);
	}
}

/* A detached tmpfs, its root's owner seen through the mapping. */
static void body_apply(void)
{
	static const struct ns_idmap ids = {0, 100000, 65536};
	struct idmap map = {IDMAP_OWN, false, {&ids, 1}, {&ids, 1}};
	AUTO_CLOSE int fs = sys_fsopen("tmpfs", 1), userns = -1, mnt = -1;
	struct stat st;
	int r;

	if (fs < 0)
		return;
	CHECK(sys_fsconfig(fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) == 0);
	mnt = sys_fsmount(fs, 1, 0);
	CHECK(mnt >= 0);
	userns = idmap_userns(&map, &err);
	CHECK_OK(userns, err);
	r = idmap_apply(mnt, userns, false, &err);
	if (r < 0) {
		CHECK(err.kind == ERR_UNSUPPORTED);
		return;
	}
	CHECK(fstat(mnt, &st) == 0 && st.st_uid == 100000 && st.st_gid == 100000);
	/* Once only. */
	err = ERR_INIT;
	CHECK(idmap_apply(mnt, userns, false, &err) < 0 && err.text[0]);
}

static void test_apply(void **state)
{
	(void)state;
	assert_int_equal(in_child(body_apply), 0);
}

static void body_refused(void)
{
	static const struct ns_idmap ids[] = {{0, 0, 10}, {5, 100, 10}};
	struct idmap map = {IDMAP_OWN, false, {ids, 2}, {ids, 2}};

	CHECK(idmap_userns(&map, &err) < 0 && strstr(err.text, "uid_map"));
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(body_refused), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse),
					   cmocka_unit_test(test_apply),
					   cmocka_unit_test(test_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
