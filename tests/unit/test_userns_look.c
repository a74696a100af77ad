/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user namespace maps, and what we may do in it: ours, and another's. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/fd.h"
#include "kernel/ns.h"
#include "test_fork.h"

static struct err err;

static const struct ns_idmap uid_map[] = {{0, 100000, 1000}, {5000, 0, 1}};
static const struct ns_idmap gid_map[] = {{0, 300000, 10}};
static const struct ns_idmaps uids = {uid_map, 2}, gids = {gid_map, 1};

static bool same(const struct ns_idmaps *a, const struct ns_idmaps *b)
{
	return a->n == b->n && memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0;
}

/* A child in a user namespace of its own, with the maps above; it does @body. */
static pid_t start_mapped(void (*body)(void))
{
	int unshared[2], mapped[2];
	pid_t pid;
	char c = 0;

	CHECK(pipe2(unshared, O_CLOEXEC) == 0 && pipe2(mapped, O_CLOEXEC) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close(mapped[1]);
		CHECK(unshare(CLONE_NEWUSER) == 0);
		CHECK(write(unshared[1], &c, 1) == 1);
		CHECK(read(mapped[0], &c, 1) == 1);
		body();
		_exit(0);
	}
	close(unshared[1]);
	CHECK(read(unshared[0], &c, 1) == 1);
	CHECK_OK(userns_map(pid, &uids, &gids, USERNS_MAP_MS, &err), err);
	CHECK(write(mapped[1], &c, 1) == 1);
	close(unshared[0]);
	close(mapped[0]);
	close(mapped[1]);
	return pid;
}

static void ends_well(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(status == 0);
}

static void have_our_maps(void)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct ns_idmaps u, g;
	uint32_t id;

	CHECK_OK(userns_own_maps(&arena, &u, &g, &err), err);
	CHECK(same(&u, &uids) && same(&g, &gids));
	CHECK(userns_find(&u, 999) == &u.v[0] && !userns_find(&u, 1000));
	CHECK(userns_host_id(&u, 999, &id) && id == 100999);
	CHECK(userns_host_id(&u, 5000, &id) && id == 0);
	CHECK(!userns_host_id(&u, 5001, &id));
	CHECK(!userns_is_first() && !userns_is_root());
}

static void body_own(void)
{
	ends_well(start_mapped(have_our_maps));
}

/* The mount namespace is still the parent's. */
static void may_not_mount(void)
{
	CHECK(userns_may_unshare());
	CHECK(!userns_may_mount());
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(userns_may_mount());
}

static void body_rights(void)
{
	ends_well(start_mapped(may_not_mount));
}

static void no_rights_left(void)
{
	CHECK(userns_may_unshare());
	CHECK(setgid(1) == 0 && setuid(1) == 0);
	CHECK(!userns_may_unshare());
	CHECK(!userns_is_root());
}

static void sit(void)
{
	for (;;)
		(void)pause();
}

static void body_of_another(void)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct ns_idmaps u, g;
	pid_t pid = start_mapped(sit);
	char path[64];
	int ns, files;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(ns >= 0);
	CHECK_OK(userns_maps_of(ns, &arena, &u, &g, &err), err);
	CHECK(same(&u, &uids) && same(&g, &gids));
	/* Once more, and no descriptor and no child stays. */
	files = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(files);
	CHECK_OK(userns_maps_of(ns, &arena, &u, &g, &err), err);
	CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) == files);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	CHECK(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
}

static void body_may_not_join(void)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct ns_idmaps u, g;
	int ns = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	int other = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	/* Another kind of namespace, then one above us. */
	CHECK(ns >= 0 && other >= 0);
	CHECK(userns_maps_of(other, &arena, &u, &g, &err) == -EINVAL);
	err = ERR_INIT;
	CHECK(setgid(1) == 0 && setuid(1) == 0);
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(userns_maps_of(ns, &arena, &u, &g, &err) == -EPERM);
	CHECK(err.code == EPERM && strstr(err.text, "user namespace"));
}

#define ALONE(name, body)                                                                          \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(body), 0);                                               \
	}

ALONE(own, body_own)
ALONE(rights, body_rights)
ALONE(dropped, no_rights_left)
ALONE(of_another, body_of_another)
ALONE(may_not_join, body_may_not_join)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),	     cmocka_unit_test(test_rights),
		cmocka_unit_test(test_dropped),	     cmocka_unit_test(test_of_another),
		cmocka_unit_test(test_may_not_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
