/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stopping, resuming and killing: on real cgroups, and on plain directories where a kernel is slow.
 */
#include <sys/prctl.h>
#include <time.h>

#include "kernel/cgroup_internal.h"
#include "test_plain_cgroup.h"

/* A pipe that a member writes to as long as it runs. */
static int ticks[2];

static void tick(void)
{
	struct timespec pause_1ms = {.tv_nsec = 1000000};

	for (;;) {
		if (write(ticks[1], "x", 1) != 1)
			_exit(1);
		(void)nanosleep(&pause_1ms, NULL);
	}
}

static bool does_tick(void)
{
	char buf[4096];

	while (io_poll_until(ticks[0], POLLIN, 0) > 0)
		CHECK(read(ticks[0], buf, sizeof(buf)) > 0);
	return io_poll_until(ticks[0], POLLIN, clock_deadline(100)) > 0;
}

static void kill_and_remove(pid_t pid)
{
	int status;

	CHECK_OK(cgroup_signal_all(&cg, SIGKILL, &err), err);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
}

static void body_pause(void)
{
	pid_t pid;

	CHECK(pipe2(ticks, O_CLOEXEC) == 0);
	CHECK_OK(cgroup_create(&cg, below("/f"), &no_limits, &err), err);
	/* Empty ones freeze as well. */
	CHECK_OK(cgroup_freeze(&cg, true, clock_deadline(5000), &err), err);
	CHECK(cgroup_is_frozen(&host, below("/f")) == 1);
	CHECK_OK(cgroup_freeze(&cg, false, clock_deadline(5000), &err), err);
	pid = start_member(&cg, tick);
	CHECK(does_tick());
	for (int i = 0; i < 20; i++) {
		CHECK_OK(cgroup_freeze(&cg, true, clock_deadline(5000), &err), err);
		CHECK(cgroup_is_frozen(&host, below("/f")) == 1);
		CHECK(i > 1 || !does_tick());
		CHECK_OK(cgroup_freeze(&cg, true, clock_deadline(5000), &err), err);
		CHECK_OK(cgroup_freeze(&cg, false, clock_deadline(5000), &err), err);
		CHECK(cgroup_is_frozen(&host, below("/f")) == 0);
		CHECK(i > 1 || does_tick());
	}
	/* Killed while it is frozen, with a frozen sub-cgroup besides. */
	CHECK_OK(cgroup_freeze(&cg, true, clock_deadline(5000), &err), err);
	kill_and_remove(pid);
}
HERE_AND_V2(pause)

static void body_frozen_below(void)
{
	struct cgroup sub;
	pid_t pid;

	CHECK_OK(cgroup_create(&cg, below("/s"), &no_limits, &err), err);
	cgroup_init(&sub, &host);
	CHECK_OK(cgroup_create(&sub, below("/s/t"), &no_limits, &err), err);
	pid = start_member(&sub, sit);
	CHECK_OK(cgroup_freeze(&sub, true, clock_deadline(5000), &err), err);
	cgroup_close(&sub);
	kill_and_remove(pid);
}
HERE_AND_V2(frozen_below)

/* A parent that is frozen keeps it frozen: resume says why it did not. */
static void body_frozen_above(void)
{
	struct cgroup sub;
	pid_t pid;

	CHECK_OK(cgroup_create(&cg, below("/s"), &no_limits, &err), err);
	cgroup_init(&sub, &host);
	CHECK_OK(cgroup_create(&sub, below("/s/t"), &no_limits, &err), err);
	pid = start_member(&sub, sit);
	CHECK_OK(cgroup_freeze(&cg, true, clock_deadline(5000), &err), err);
	err = ERR_INIT;
	CHECK(cgroup_freeze(&sub, false, clock_deadline(30), &err) < 0);
	CHECK(err.code == ETIMEDOUT && strstr(err.text, "a parent of it is frozen"));
	cgroup_close(&sub);
	kill_and_remove(pid);
}
HERE_AND_V2(frozen_above)

static void block_signals(void)
{
	for (int sig = 1; sig < 65; sig++)
		(void)signal(sig, SIG_IGN);
	sit();
}

/* A child that does not want to die, and one in a session of its own. */
static void stubborn(void)
{
	if (fork() == 0) {
		(void)setsid();
		block_signals();
	}
	block_signals();
}

static void body_kill(void)
{
	pid_t pid, *pids;
	size_t n = 0;

	CHECK_OK(cgroup_create(&cg, below("/k"), &no_limits, &err), err);
	pid = start_member(&cg, stubborn);
	for (int64_t until = clock_deadline(5000); n < 2 && clock_now_ms() < until; free(pids))
		CHECK_OK(cgroup_pids(&cg, &pids, &n, &err), err);
	CHECK(n == 2);
	/* Signal 0 hits nobody. */
	CHECK_OK(cgroup_signal_all(&cg, 0, &err), err);
	CHECK(cgroup_populated(&cg) == 1);
	kill_and_remove(pid);
}
HERE_AND_V2(kill)

/* Every process makes two more and ends, for as long as it lives below the limit. */
static void bomb(void)
{
	for (;;) {
		pid_t pid = fork();

		if (pid < 0) {
			(void)sched_yield();
			continue;
		}
		if (pid > 0)
			_exit(0);
		if (fork() < 0)
			continue;
	}
}

static void body_bomb(void)
{
	struct cgroup_limits limits = {.pids_limit = {true, 60}};
	bool limited = v1_of(CGROUP_C_PIDS) >= 0;
	pid_t pid;

	CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	for (int i = 0; i < 5; i++) {
		CHECK_OK(cgroup_create(&cg, below("/b"), limited ? &limits : &no_limits, &err),
			 err);
		if (limited)
			CHECK_OK(cgroup_limit(&cg, &limits, false, &err), err);
		pid = start_member(&cg, limited ? bomb : sit);
		(void)pid;
		(void)io_poll_until(-1, 0, clock_deadline(50));
		CHECK_OK(cgroup_signal_all(&cg, SIGKILL, &err), err);
		CHECK(cgroup_wait_empty(&cg, clock_deadline(5000), &err) == 0);
		CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
	}
}
HERE_AND_V2(bomb)

/* The same on v1 without cgroup.kill: the freezer stops them. */
static void body_bomb_v1(void)
{
	int v2 = v2_of();

	if (v2 >= 0) {
		memmove(&host.h[v2], &host.h[v2 + 1],
			(host.n - (size_t)v2 - 1) * sizeof(host.h[0]));
		host.n--;
	}
	host.mode = host.n ? CGROUP_V1 : CGROUP_NONE;
	if (host.n)
		body_bomb();
}

static void test_bomb_v1(void **state)
{
	(void)state;
	run_here(body_bomb_v1);
}

/* --- plain directories ----------------------------------------------------------------------- */

static void plain(bool v2)
{
	plain_make();
	plain_open(v2 ? CGROUP_V2 : CGROUP_V1, v2 ? 0 : CGROUP_C_FREEZER);
	strcpy(cg.path, "/plain");
	err = ERR_INIT;
}

static void plain_done(void)
{
	cgroup_close(&cg);
	plain_remove();
}

static void test_timeout_v2(void **state)
{
	char self[32], want[64];
	int64_t before = clock_now_ms();

	(void)state;
	plain(true);
	(void)snprintf(self, sizeof(self), "%d\n", (int)getpid());
	put("cgroup.events", "populated 1\nfrozen 0\n");
	put("cgroup.freeze", "0");
	put("cgroup.threads", self);
	assert_int_equal(cgroup_freeze(&cg, true, clock_deadline(50), &err), -ETIMEDOUT);
	assert_true(clock_now_ms() - before >= 49);
	assert_true(clock_now_ms() - before < 2000);
	(void)snprintf(want, sizeof(want), "not frozen: %d (test_cgroup_fre", (int)getpid());
	assert_non_null(strstr(err.text, want));
	assert_true(is("cgroup.freeze", "0"));
	plain_done();
}

/* A plain file has no events: as if the kernel announced none. */
static void test_unannounced(void **state)
{
	struct timespec pause_50ms = {.tv_nsec = 50000000};
	int events, status;
	pid_t pid;

	(void)state;
	plain(true);
	put("cgroup.events", "populated 1\nfrozen 0\n");
	events = openat(cg.fd[0], "cgroup.events", O_RDWR | O_CLOEXEC);
	assert_true(events >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)nanosleep(&pause_50ms, NULL);
		_exit(pwrite(events, "0", 1, strlen("populated ")) != 1);
	}
	assert_int_equal(cgroup_wait_empty(&cg, clock_deadline(60000), &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(cgroup_event(events, "populated"), 0);
	assert_int_equal(cgroup_await_event(events, "frozen", true, clock_deadline(1)),
			 CGROUP_BUSY);
	assert_int_equal(cgroup_await_event(events, "none", true, CLOCK_FOREVER), -ENODATA);
	close(events);
	plain_done();
}

static void test_timeout_v1(void **state)
{
	char self[32], want[64];

	(void)state;
	plain(false);
	(void)snprintf(self, sizeof(self), "%d\n", (int)getpid());
	/* Its answer never changes: io_write_at() opens without O_TRUNC, and FREEZING is longer. */
	put("freezer.state", "FREEZING");
	put("tasks", self);
	assert_int_equal(cgroup_freeze(&cg, true, clock_deadline(50), &err), -ETIMEDOUT);
	(void)snprintf(want, sizeof(want), "not frozen: %d (test_cgroup_fre", (int)getpid());
	assert_non_null(strstr(err.text, want));
	assert_true(is("freezer.state", "THAWEDNG"));
	plain_done();
}

static void test_answers(void **state)
{
	(void)state;
	plain(true);
	assert_int_equal(cgroup_freeze(&cg, true, clock_deadline(50), &err), CGROUP_GONE);
	put("cgroup.events", "populated 0\n");
	assert_true(cgroup_freeze(&cg, true, clock_deadline(50), &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	put("cgroup.events", "populated 0\nfrozen 1\n");
	put("cgroup.freeze", "0");
	assert_int_equal(cgroup_freeze(&cg, true, 0, &err), 0);
	assert_true(is("cgroup.freeze", "1"));
	plain_done();

	plain(false);
	assert_int_equal(cgroup_freeze(&cg, true, clock_deadline(50), &err), CGROUP_GONE);
	put("freezer.state", "THAWED");
	assert_int_equal(cgroup_freeze(&cg, true, 0, &err), 0);
	assert_true(is("freezer.state", "FROZEN"));
	/* Removed before it was opened: there was a freezer all the same. */
	fd_replace(&cg.fd[0], -1);
	err = ERR_INIT;
	assert_int_equal(cgroup_freeze(&cg, true, 0, &err), CGROUP_GONE);
	cg.fd[0] = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	plain_done();

	host = (struct cgroup_host){.mode = CGROUP_NONE};
	cgroup_init(&cg, &host);
	err = ERR_INIT;
	assert_true(cgroup_freeze(&cg, true, 0, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
}

/* Hybrid, and the container has the v2 tree alone: what watches it takes the freezer that stops it.
 */
static void test_freezer_v2_alone(void **state)
{
	struct cgroup_freeze_watch w;

	(void)state;
	plain(true);
	host.n = 2;
	host.mode = CGROUP_HYBRID;
	host.h[1] = (struct cgroup_hierarchy){.controllers = CGROUP_C_FREEZER};
	assert_int_equal(cgroup_freezer(&cg), 0);
	put("cgroup.events", "populated 1\nfrozen 0\n");
	assert_int_equal(cgroup_freeze_watch_open(&cg, &w, &err), 0);
	assert_true(w.v2);
	assert_int_equal(cgroup_freeze_watch_look(&w), 0);
	put("cgroup.events", "populated 1\nfrozen 1\n");
	assert_int_equal(cgroup_freeze_watch_look(&w), CGROUP_FROZEN);
	cgroup_freeze_watch_close(&w);

	/* v1's, once the container is in it. */
	cg.fd[1] = fcntl(cg.fd[0], F_DUPFD_CLOEXEC, 3);
	assert_int_equal(cgroup_freezer(&cg), 1);
	plain_done();
}

static void test_key(void **state)
{
	uint64_t v = 0;
	int fd;

	(void)state;
	plain(true);
	put("cgroup.events", "populated_not 3\npopulated 18446744073709551615\nfrozen x\n");
	fd = openat(cg.fd[0], "cgroup.events", O_RDONLY | O_CLOEXEC);
	assert_int_equal(cgroup_key(fd, "populated", &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(cgroup_event(fd, "populated"), 1);
	assert_int_equal(cgroup_key(fd, "popul", &v), -ENODATA);
	assert_true(cgroup_event(fd, "frozen") < 0);
	close(fd);
	assert_int_equal(cgroup_key(cg.fd[0], "frozen", &v), -EISDIR);
	plain_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timeout_v2),
		cmocka_unit_test(test_unannounced),
		cmocka_unit_test(test_timeout_v1),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_freezer_v2_alone),
		cmocka_unit_test(test_key),
		TEST_HERE_AND_V2(pause),
		TEST_HERE_AND_V2(frozen_below),
		TEST_HERE_AND_V2(frozen_above),
		TEST_HERE_AND_V2(kill),
		TEST_HERE_AND_V2(bomb),
		cmocka_unit_test(test_bomb_v1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
