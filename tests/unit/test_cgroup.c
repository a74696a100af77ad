/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making, joining and removing a container's cgroup, and what may go wrong with each. */
#include "test_cgroup.h"

static void body_probe(void)
{
	for (size_t i = 0; i < host.n; i++) {
		CHECK(host.h[i].mount[0] == '/' && host.h[i].root[0] == '/');
		CHECK(host.h[i].v2 == (host.h[i].controllers == 0));
	}
	CHECK(host.mode == CGROUP_V2 ? host.n == 1 && host.h[0].v2 : v1_of(UINT32_MAX) >= 0);
	CHECK((host.mode == CGROUP_HYBRID || host.mode == CGROUP_V2) == (v2_of() >= 0));
}
HERE_AND_V2(probe)

/* A plain directory with a controller's name, or one on another file system, is no hierarchy. */
static void body_probe_covered(void)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("none", TOP, "tmpfs", 0, NULL) == 0);
	CHECK(mkdir(TOP "/memory", 0755) == 0 && mkdir(TOP "/unified", 0755) == 0);
	CHECK_OK(cgroup_probe(&host, &err), err);
	CHECK(host.mode == CGROUP_NONE && host.n == 0);
	CHECK(cgroup_create(&cg, "/x", &no_limits, &err) < 0 && err.kind == ERR_UNSUPPORTED);
	CHECK(strstr(err.text, TOP));

	CHECK(mount("none", TOP "/unified", "cgroup2", 0, NULL) == 0);
	CHECK_OK(cgroup_probe(&host, &err), err);
	CHECK(host.mode == CGROUP_V2 && host.n == 1 && strcmp(host.h[0].name, "unified") == 0);
	CHECK(mount("none", TOP "/unified", "tmpfs", 0, NULL) == 0);
	CHECK_OK(cgroup_probe(&host, &err), err);
	CHECK(host.mode == CGROUP_NONE);
	CHECK(umount(TOP "/unified") == 0 && umount(TOP "/unified") == 0 && umount(TOP) == 0);
	CHECK_OK(cgroup_probe(&host, &err), err);
}
HERE_AND_V2(probe_covered)

static void body_life(void)
{
	pid_t pid, *pids;
	size_t n;

	CHECK_OK(cgroup_create(&cg, below("/a/b"), &no_limits, &err), err);
	for (size_t i = 0; i < host.n; i++) {
		char mark[8];

		CHECK(is_dir(in_hierarchy(i, base, "a/b")) && cg.fd[i] >= 0);
		CHECK((cg.tasks[i] >= 0) == !host.h[i].v2);
		CHECK(getxattr(in_hierarchy(i, base, "a"), "trusted.oakum", mark, 8) > 0);
		CHECK(getxattr(in_hierarchy(i, base, ""), "trusted.oakum", mark, 8) > 0);
	}
	CHECK(cgroup_v2_fd(&cg) == (v2_of() < 0 ? -1 : cg.fd[v2_of()]));
	CHECK(cgroup_populated(&cg) == 0);
	pid = start_member(&cg, sit);
	CHECK(cgroup_populated(&cg) == 1);
	for (size_t i = 0; i < host.n; i++) {
		char text[64], want[32];

		(void)snprintf(want, sizeof(want), "%d", (int)pid);
		CHECK(io_read_at(cg.fd[i], "cgroup.procs", text, sizeof(text)) > 0);
		CHECK(strcmp(text, want) == 0);
	}
	CHECK_OK(cgroup_pids(&cg, &pids, &n, &err), err);
	CHECK(n == 1 && pids[0] == pid);
	free(pids);
	CHECK_OK(cgroup_signal_all(&cg, SIGTERM, &err), err);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(cgroup_wait_empty(&cg, clock_deadline(5000), &err) == 0);
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
	CHECK(!anything_left());
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == CGROUP_GONE);
	CHECK(cgroup_open(&cg, below("/a/b"), &err) == CGROUP_GONE);
	CHECK(cgroup_signal_all(&cg, SIGKILL, &err) == CGROUP_GONE);
	CHECK(cgroup_freeze(&cg, true, clock_deadline(1000), &err) == CGROUP_GONE);
	CHECK(cgroup_populated(&cg) == 0 && cgroup_is_frozen(&host, below("/a/b")) == 0);
	CHECK(cgroup_pids(&cg, &pids, &n, &err) == 0 && n == 0);
	free(pids);
}
HERE_AND_V2(life)

/* Parents of others stay, those of other containers too. */
static void body_parents(void)
{
	struct cgroup other;

	for (size_t i = 0; i < host.n; i++)
		CHECK(mkdir(in_hierarchy(i, base, ""), 0755) == 0);
	cgroup_init(&other, &host);
	CHECK_OK(cgroup_create(&cg, below("/p/q/one"), &no_limits, &err), err);
	CHECK_OK(cgroup_create(&other, below("/p/two"), &no_limits, &err), err);
	CHECK(cgroup_remove(&cg, 0, &err) == 0);
	for (size_t i = 0; i < host.n; i++)
		CHECK(is_dir(in_hierarchy(i, base, "p/two")) &&
		      !is_dir(in_hierarchy(i, base, "p/q")));
	CHECK(cgroup_remove(&other, 0, &err) == 0);
	for (size_t i = 0; i < host.n; i++) {
		CHECK(is_dir(in_hierarchy(i, base, "")) && !is_dir(in_hierarchy(i, base, "p")));
		CHECK(rmdir(in_hierarchy(i, base, "")) == 0);
	}
}
HERE_AND_V2(parents)

static void body_refused(void)
{
	static const char *const bad[] = {"", "a", "/", "//", "/a/../b", "/.."};
	char name[1100] = "/";
	struct cgroup again;
	pid_t pid;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err = ERR_INIT;
		CHECK(cgroup_create(&cg, bad[i], &no_limits, &err) < 0 && err.kind == ERR_CONFIG);
	}
	memset(name + 1, 'x', 1090);
	CHECK(cgroup_create(&cg, name, &no_limits, &err) < 0 && err.code == ENAMETOOLONG);
	CHECK(!anything_left());

	CHECK_OK(cgroup_create(&cg, below("/c"), &no_limits, &err), err);
	pid = start_member(&cg, sit);
	cgroup_init(&again, &host);
	err = ERR_INIT;
	CHECK(cgroup_create(&again, below("/c"), &no_limits, &err) < 0);
	CHECK(strcmp(err.text, "container's cgroup is not empty") == 0);
	CHECK(cgroup_populated(&cg) == 1);
	CHECK_OK(cgroup_signal_all(&cg, SIGKILL, &err), err);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(cgroup_wait_empty(&cg, clock_deadline(5000), &err) == 0);

	/* Empty, it is taken over, and not removed by a create that fails. */
	CHECK_OK(cgroup_create(&again, below("/c"), &no_limits, &err), err);
	cgroup_close(&again);
	CHECK_OK(cgroup_freeze(&cg, true, clock_deadline(5000), &err), err);
	err = ERR_INIT;
	CHECK(cgroup_create(&again, below("/c"), &no_limits, &err) < 0);
	CHECK(strcmp(err.text, "container's cgroup unexpectedly frozen") == 0);
	for (size_t i = 0; i < host.n; i++)
		CHECK(is_dir(in_hierarchy(i, base, "c")));
	/* Nor below a frozen one, where what this call made goes again. */
	err = ERR_INIT;
	CHECK(cgroup_create(&again, below("/c/d/e"), &no_limits, &err) < 0);
	CHECK(strcmp(err.text, "container's cgroup unexpectedly frozen") == 0);
	for (size_t i = 0; i < host.n; i++)
		CHECK(!is_dir(in_hierarchy(i, base, "c/d")));
	CHECK(cgroup_remove(&cg, clock_deadline(1000), &err) == 0);
}
HERE_AND_V2(refused)

/* Sub-cgroups as a container makes them, deep and with processes. */
static void body_nested(void)
{
	struct cgroup deep;
	pid_t pid, *pids;
	size_t n;

	CHECK_OK(cgroup_create(&cg, below("/n"), &no_limits, &err), err);
	for (size_t i = 0; i < host.n; i++) {
		CHECK(mkdir(in_hierarchy(i, base, "n/x"), 0755) == 0);
		CHECK(mkdir(in_hierarchy(i, base, "n/x/y"), 0755) == 0);
		CHECK(mkdir(in_hierarchy(i, base, "n/x/z"), 0755) == 0);
		CHECK(mkdir(in_hierarchy(i, base, "n/w"), 0755) == 0);
	}
	cgroup_init(&deep, &host);
	CHECK_OK(cgroup_create(&deep, below("/n/x/y"), &no_limits, &err), err);
	pid = start_member(&deep, sit);
	CHECK_OK(cgroup_pids(&cg, &pids, &n, &err), err);
	CHECK(n == 1 && pids[0] == pid);
	free(pids);
	CHECK(cgroup_populated(&cg) == 1);

	/* Who is left is named. */
	err = ERR_INIT;
	CHECK(cgroup_remove(&cg, clock_deadline(30), &err) == CGROUP_BUSY);
	CHECK(strstr(err.text, "1 process left") && strstr(err.text, "state S"));
	CHECK(cgroup_open(&cg, below("/n"), &err) == 0);
	CHECK(cgroup_wait_empty(&cg, clock_deadline(30), &err) == CGROUP_BUSY);
	CHECK_OK(cgroup_signal_all(&cg, SIGKILL, &err), err);
	/* Not reaped yet: a zombie is no member. */
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	cgroup_close(&deep);
}
HERE_AND_V2(nested)

/* The file system of cgroups takes names that are longer than NAME_MAX. */
static void body_long_name(void)
{
	char name[1000];

	CHECK_OK(cgroup_create(&cg, below("/l"), &no_limits, &err), err);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < host.n; i++)
		CHECK(mkdirat(cg.fd[i], name, 0755) == 0 || errno == ENAMETOOLONG);
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
}
HERE_AND_V2(long_name)

/* Far deeper than PATH_MAX and the descriptor limit reach. */
static void body_deep(void)
{
	int i = v2_of() >= 0 ? v2_of() : 0, cur, depth = 0;
	pid_t *pids;
	size_t n;

	CHECK_OK(cgroup_create(&cg, below("/deep"), &no_limits, &err), err);
	cur = openat(cg.fd[i], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (; depth < 600; depth++) {
		int next;

		if (mkdirat(cur, "subdirectory", 0755) < 0)
			break;
		next = openat(cur, "subdirectory", O_PATH | O_DIRECTORY | O_CLOEXEC);
		CHECK(next >= 0);
		fd_replace(&cur, next);
	}
	CHECK(depth > 350);
	close(cur);
	CHECK_OK(cgroup_pids(&cg, &pids, &n, &err), err);
	CHECK(n == 0);
	free(pids);
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
}
HERE_AND_V2(deep)

/* Containers that share parents come and go at once: none sees the other's removal. */
static void one_of_many(int k)
{
	char tail[32];

	(void)snprintf(tail, sizeof(tail), "/share/%s%d", k % 2 ? "odd/" : "", k);
	for (int i = 0; i < 40; i++) {
		cgroup_init(&cg, &host);
		CHECK_OK(cgroup_create(&cg, below(tail), &no_limits, &err), err);
		CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
	}
}

static void body_many(void)
{
	pid_t pid[4];
	int status;

	for (int k = 0; k < 4; k++) {
		pid[k] = fork();
		CHECK(pid[k] >= 0);
		if (pid[k] == 0) {
			one_of_many(k);
			_exit(0);
		}
	}
	for (int k = 0; k < 4; k++) {
		CHECK(waitpid(pid[k], &status, 0) == pid[k]);
		CHECK(status == 0);
	}
}
HERE_AND_V2(many)

/* A create that was killed leaves parents and some leaves: a remove finishes it. */
static void body_half(void)
{
	CHECK_OK(cgroup_create(&cg, below("/h/leaf"), &no_limits, &err), err);
	for (size_t i = host.n / 2; i < host.n; i++)
		CHECK(rmdir(in_hierarchy(i, base, "h/leaf")) == 0);
	CHECK(cgroup_remove(&cg, 0, &err) == (host.n > 1 ? 0 : CGROUP_GONE));
}
HERE_AND_V2(half)

/* A create that was killed before it had marked its parents: they are known by name. */
static void body_unmarked(void)
{
	static const char *const ours[] = {"oakum", "oakum-0123abcd"};
	static const char *const others[] = {"oakum-x", "oakum-0123abcg", "oakum-0123abcde", "oak"};
	char path[128];

	for (size_t i = 0; i < host.n; i++)
		CHECK(mkdir(in_hierarchy(i, base, ""), 0755) == 0);
	for (int k = 0; k < 6; k++) {
		const char *name = k < 2 ? ours[k] : others[k - 2];

		for (size_t i = 0; i < host.n; i++)
			CHECK(mkdir(in_hierarchy(i, base, name), 0755) == 0);
		(void)snprintf(path, sizeof(path), "%s/%s/id", base, name);
		CHECK(cgroup_open(&cg, path, &err) == CGROUP_GONE);
		CHECK(cgroup_remove(&cg, 0, &err) == CGROUP_GONE);
		for (size_t i = 0; i < host.n; i++)
			CHECK((rmdir(in_hierarchy(i, base, name)) == 0) == (k >= 2));
	}
	for (size_t i = 0; i < host.n; i++)
		CHECK(rmdir(in_hierarchy(i, base, "")) == 0);
}
HERE_AND_V2(unmarked)

/* One rmdir a hierarchy where that is enough, and nothing done where it is not. */
static void body_remove_empty(void)
{
	pid_t pid;

	CHECK_OK(cgroup_create(&cg, below("/e/f"), &no_limits, &err), err);
	cgroup_close(&cg);
	CHECK(cgroup_remove_empty(&host, below("/e/f")) == 0);
	CHECK(!anything_left());
	CHECK(cgroup_remove_empty(&host, below("/e/f")) == 0);
	CHECK_OK(cgroup_create(&cg, below("/e/f"), &no_limits, &err), err);
	pid = start_member(&cg, sit);
	CHECK(cgroup_remove_empty(&host, below("/e/f")) == CGROUP_BUSY);
	CHECK_OK(cgroup_signal_all(&cg, SIGKILL, &err), err);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
}
HERE_AND_V2(remove_empty)

static void body_view(void)
{
	struct cgroup_view view[CGROUP_MAX];

	CHECK(cgroup_view(&host, "/a", view) == host.n);
	for (size_t i = 0; i < host.n; i++) {
		CHECK(view[i].v2 == host.h[i].v2 && strcmp(view[i].name, host.h[i].name) == 0);
		CHECK(strcmp(view[i].dir, in_hierarchy(i, "/a", "")) == 0);
	}
}
HERE_AND_V2(view)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_HERE_AND_V2(probe),	TEST_HERE_AND_V2(probe_covered),
		TEST_HERE_AND_V2(life),		TEST_HERE_AND_V2(parents),
		TEST_HERE_AND_V2(refused),	TEST_HERE_AND_V2(nested),
		TEST_HERE_AND_V2(deep),		TEST_HERE_AND_V2(many),
		TEST_HERE_AND_V2(half),		TEST_HERE_AND_V2(view),
		TEST_HERE_AND_V2(long_name),	TEST_HERE_AND_V2(unmarked),
		TEST_HERE_AND_V2(remove_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
