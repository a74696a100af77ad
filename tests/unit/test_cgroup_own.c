/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What somebody without rights over the tree may use of it, and where a process is: on real
 * cgroups. */
#include <sys/xattr.h>

#include "base/str.h"
#include "kernel/cgroup_internal.h"
#include "test_cgroup.h"

#define USER 1000

/* Index of the hierarchy in which systemd would have units. */
static int of_units(void)
{
	return v2_of() >= 0 ? v2_of() : cgroup_find_v1(&host, "systemd");
}

/* @body in a child that lives in /a/b, of which a parent is ours as well. */
static void run_inside(void (*body)(void))
{
	int status;
	pid_t pid;

	CHECK_OK(cgroup_create(&cg, below("/a/b"), &no_limits, &err), err);
	pid = start_member(&cg, body);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
}

static void where(void)
{
	char place[512], buf[16384];

	for (size_t i = 0; i < host.n; i++) {
		struct cgroup_hierarchy h = host.h[i];
		const char *root = host.h[i].root;

		if (!h.v2 && h.controllers != CGROUP_C_FREEZER && !str_eq(h.name, "systemd"))
			continue;
		CHECK(str_eq(cgroup_path_of(&h, getpid(), buf, sizeof(buf)), below("/a/b")));
		/* Of the hierarchy a part may be mounted. */
		(void)snprintf(h.root, sizeof(h.root), "%s%s", str_eq(root, "/") ? "" : root,
			       below("/a"));
		CHECK(str_eq(cgroup_path_of(&h, getpid(), buf, sizeof(buf)), "/b"));
		strcat(h.root, "/other");
		CHECK(!cgroup_path_of(&h, getpid(), buf, sizeof(buf)));
		CHECK(!cgroup_path_of(&host.h[i], -1, buf, sizeof(buf)));
		CHECK(!cgroup_path_of(&host.h[i], getpid(), buf, 8));
	}
	if (v2_of() < 0) {
		CHECK(cgroup_own_place(&host, false, place, sizeof(place)) == CGROUP_GONE);
		return;
	}
	CHECK(cgroup_own_place(&host, false, place, sizeof(place)) == CGROUP_OK);
	CHECK(str_eq(place, below("/a/b")));
	CHECK(cgroup_own_place(&host, true, place, sizeof(place)) == CGROUP_OK);
	CHECK(str_eq(place, below("/a")));
	CHECK(cgroup_own_place(&host, false, place, strlen(below("/a/b"))) == CGROUP_GONE);
	CHECK(cgroup_own_place(&host, false, place, strlen(below("/a/b")) + 1) == CGROUP_OK);
}

static void body_where(void)
{
	run_inside(where);
}
HERE_AND_V2(where)

static void give(size_t i, const char *path, const char *file)
{
	CHECK(chown(in_hierarchy(i, below(path), file), USER, USER) == 0);
}

static size_t own(const char *path)
{
	static struct cgroup_host mine;
	size_t n;

	CHECK(seteuid(USER) == 0);
	n = cgroup_own(&host, path, &mine);
	CHECK(seteuid(0) == 0);
	CHECK(n == mine.n && mine.mode == (n ? host.mode : CGROUP_NONE));
	return n;
}

static void delegated(void)
{
	struct cgroup_host mine;
	char long_path[PATH_MAX / 4 + 1] = "/";
	size_t v2 = v2_of() >= 0;

	CHECK(cgroup_own(&host, below("/a/x/y"), &mine) == host.n && mine.n == host.n);
	CHECK(own(below("/a/x/y")) == 0);
	CHECK(seteuid(USER) == 0);
	CHECK(!cgroup_may(in_hierarchy(0, below("/a"), ""), "", W_OK) && errno == EACCES);
	CHECK(!cgroup_may(in_hierarchy(0, below("/none"), ""), "", X_OK) && errno == ENOENT);
	CHECK(cgroup_may(in_hierarchy(0, below("/a"), ""), "cgroup.procs", R_OK));
	CHECK(seteuid(0) == 0);
	/* The directory; of v2 the right to move to it from where we are, too. */
	for (size_t i = 0; i < host.n; i++)
		give(i, "/a", "");
	CHECK(own(below("/a/x/y")) == host.n - v2);
	if (v2)
		give((size_t)v2_of(), "/a/b", "cgroup.procs");
	CHECK(own(below("/a/x/y")) == host.n - v2);
	if (v2)
		give((size_t)v2_of(), "/a", "cgroup.procs");
	CHECK(own(below("/a/x/y")) == host.n);
	/* Of /ab and /a/b the common one is above both, whatever the names begin with. */
	for (size_t i = 0; i < host.n; i++) {
		CHECK(mkdir(in_hierarchy(i, below("/ab"), ""), 0755) == 0);
		give(i, "/ab", "");
	}
	CHECK(own(below("/ab/c")) == host.n - v2);
	for (size_t i = 0; i < host.n; i++)
		CHECK(rmdir(in_hierarchy(i, below("/ab"), "")) == 0);
	/* Nearer is no use, further is not ours. */
	CHECK(own(below("/a/b/c")) == 0 && own(below("/c")) == 0);
	if (v2) {
		give((size_t)v2_of(), "/a/b", "");
		CHECK(own(below("/a/b/c")) == 1 && own(below("/a/b")) == 1);
	}
	memset(long_path + 1, 'x', sizeof(long_path) - 2);
	CHECK(own("a/x") == 0 && own("") == 0 && own(long_path) == 0);
}

static void body_delegated(void)
{
	run_inside(delegated);
}
HERE_AND_V2(delegated)

static char unit[512];

static int own_unit(bool claim)
{
	err = ERR_INIT;
	strcpy(unit, "?");
	return cgroup_own_unit(&host, claim, "sub", unit, sizeof(unit), &err);
}

static bool is_in(const char *path)
{
	char buf[16384];
	const char *is = cgroup_path_of(&host.h[of_units()], getpid(), buf, sizeof(buf));

	return is && str_eq(is, below(path));
}

static void mark(const char *path, const char *name, const char *value)
{
	CHECK(setxattr(in_hierarchy((size_t)of_units(), below(path), ""), name, value,
		       strlen(value), 0) == 0);
}

/* systemd's marks. */
static void units(void)
{
	bool v2 = v2_of() >= 0;

	CHECK(own_unit(true) == CGROUP_GONE);
	mark("/a/b", "trusted.delegate", "0");
	mark("/a", "trusted.delegate", "11");
	CHECK(own_unit(false) == CGROUP_GONE);
	/* On the one above: we are in its sub-cgroup, and stay. */
	mark("/a", "trusted.delegate", "1");
	CHECK(own_unit(false) == CGROUP_OK && str_eq(unit, below("/a")) && is_in("/a/b"));
	mark("/a/b", "trusted.delegate", "1");
	CHECK(own_unit(false) == CGROUP_OK && str_eq(unit, below("/a/b")));
	CHECK(is_in(v2 ? "/a/b/sub" : "/a/b"));
	CHECK(own_unit(false) == CGROUP_OK && str_eq(unit, below("/a/b")));
	CHECK(is_in(v2 ? "/a/b/sub" : "/a/b"));
	CHECK(cgroup_own_unit(&host, false, "sub", unit, 5, &err) == CGROUP_GONE);
}

static void body_units(void)
{
	if (of_units() >= 0)
		run_inside(units);
}
HERE_AND_V2(units)

/* v1 beside v2: there, no process stands in the way. */
static void body_units_v1(void)
{
	int v2 = v2_of();

	if (cgroup_find_v1(&host, "systemd") < 0)
		return;
	if (v2 >= 0)
		host.h[v2] = host.h[--host.n];
	run_inside(units);
}

static void test_units_v1(void **state)
{
	(void)state;
	run_here(body_units_v1);
}

/* Who is not root sees but the mark for users; a user's manager gives what it makes. */
static void as_user(void)
{
	mark("/a/b", "trusted.delegate", "1");
	CHECK(seteuid(USER) == 0);
	CHECK(own_unit(true) == CGROUP_GONE && is_in("/a/b"));
	CHECK(seteuid(0) == 0);
	mark("/a/b", "user.delegate", "1");
	CHECK(seteuid(USER) == 0);
	CHECK(own_unit(false) == -EACCES && strstr(err.text, "make cgroup ") &&
	      str_ends(err.text, "/a/b/sub") && is_in("/a/b"));
	CHECK(seteuid(0) == 0);
	CHECK(removexattr(in_hierarchy((size_t)v2_of(), below("/a/b"), ""), "user.delegate") == 0);
	give((size_t)v2_of(), "/a/b", "");
	CHECK(seteuid(USER) == 0);
	CHECK(own_unit(false) == CGROUP_GONE);
	/* It can be made, and not entered. */
	CHECK(own_unit(true) == -EACCES && strstr(err.text, "move to cgroup "));
	CHECK(seteuid(0) == 0);
	give((size_t)v2_of(), "/a/b", "cgroup.procs");
	CHECK(seteuid(USER) == 0);
	CHECK(own_unit(true) == CGROUP_OK && str_eq(unit, below("/a/b")) && is_in("/a/b/sub"));
	CHECK(seteuid(0) == 0);
}

static void body_as_user(void)
{
	run_inside(as_user);
}

static void test_as_user(void **state)
{
	(void)state;
	run_v2(body_as_user);
}

static bool is_at(const char *path)
{
	struct stat a, b;

	return fstat(cg.fd[v2_of()], &a) == 0 &&
	       stat(in_hierarchy((size_t)v2_of(), below(path), ""), &b) == 0 &&
	       a.st_ino == b.st_ino;
}

static void body_follow(void)
{
	struct cgroup at, outside;
	pid_t in, deep, out;

	if (v2_of() < 0) {
		CHECK(cgroup_follow(&cg, getpid(), &err) == CGROUP_GONE);
		return;
	}
	cgroup_init(&at, &host);
	cgroup_init(&outside, &host);
	CHECK_OK(cgroup_create(&cg, below("/f"), &no_limits, &err), err);
	in = start_member(&cg, sit);
	/* Where somebody lives no controllers can be given: nobody could join after that. */
	CHECK_OK(cgroup_create(&at, below("/f/g/h"), &no_limits, &err), err);
	CHECK_OK(cgroup_create(&outside, below("/fo"), &no_limits, &err), err);
	deep = start_member(&at, sit);
	out = start_member(&outside, sit);
	/* In it, or elsewhere: nothing changes. */
	CHECK(cgroup_follow(&cg, in, &err) == CGROUP_GONE && is_at("/f"));
	CHECK(cgroup_follow(&cg, out, &err) == CGROUP_GONE && is_at("/f"));
	CHECK(cgroup_follow(&cg, -1, &err) == CGROUP_GONE && is_at("/f"));
	CHECK(cgroup_follow(&cg, deep, &err) == CGROUP_OK && is_at("/f/g/h"));
	/* Whose directory is gone, that one may be anywhere. */
	fd_replace(&cg.fd[v2_of()], -1);
	CHECK(cgroup_follow(&cg, out, &err) == CGROUP_OK && is_at("/fo"));
	CHECK(cgroup_signal_all(&outside, SIGKILL, &err) == 0 && waitpid(out, NULL, 0) == out);
	CHECK(cgroup_remove(&outside, clock_deadline(5000), &err) == 0);
	CHECK_OK(cgroup_open(&cg, below("/f"), &err), err);
	CHECK(cgroup_signal_all(&cg, SIGKILL, &err) == 0);
	CHECK(waitpid(in, NULL, 0) == in && waitpid(deep, NULL, 0) == deep);
	cgroup_close(&at);
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
}
HERE_AND_V2(follow)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_HERE_AND_V2(where),	TEST_HERE_AND_V2(delegated),
		TEST_HERE_AND_V2(units),	cmocka_unit_test(test_units_v1),
		cmocka_unit_test(test_as_user), TEST_HERE_AND_V2(follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
