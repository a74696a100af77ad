/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written back when a later limit is refused, in the form in which each file takes it.
 * Plain files stand in for the kernel's: as these, they say what was written last.
 */
#include "kernel/cgroup_internal.h"
#include "test_plain_cgroup.h"

static struct cgroup_undo undo;

static void note(const char *file, const char *text)
{
	cgroup_undo_note(&undo,
			 &(struct cgroup_write){.dir = cg.fd[0], .file = file, .text = text});
}

/* All goes back. */
static void go_back(void)
{
	cgroup_undo_do(&undo);
	cgroup_undo_done(&undo);
	CHECK(!undo.last);
}

/* @file says @before, "@written" is written into it, and goes back by @want. */
static void check_one(const char *file, const char *before, const char *written, const char *want)
{
	put(file, before);
	note(file, written);
	put(file, "");
	go_back();
	CHECK(is(file, want));
}

static void body_forms(void)
{
	plain_open(CGROUP_V2, 0);
	check_one("pids.max", "max\n", "12", "max");
	check_one("cpu.max", "max 100000\n", "5000 10000", "max 100000");
	/* An empty list is written as a line of its own; what is in effect stands for it. */
	check_one("cgroup.type", "", "threaded", "");
	put("cpuset.cpus.effective", "0-3\n");
	check_one("cpuset.cpus", "\n", "1", "0-3");
	check_one("cpuset.cpus", "2\n", "1", "2");
	/* The line of this device or page size, and of no other that begins alike. */
	check_one("io.weight", "default 100\n8:160 3\n8:16 250\n", "8:16 700", "8:16 250");
	check_one("io.weight", "default 100\n8:160 3\n", "8:16 700", "8:16 default");
	check_one("io.weight", "default 150\n8:160 3\n", "default 700", "default 150");
	check_one("io.max", "8:0 rbps=1 wbps=max riops=max wiops=max\n", "8:16 rbps=5",
		  "8:16 rbps=max wbps=max riops=max wiops=max");
	check_one("io.max", "8:16 rbps=1 wbps=max riops=max wiops=max\n", "8:16 rbps=5",
		  "8:16 rbps=1 wbps=max riops=max wiops=max");
	check_one("blkio.throttle.read_bps_device", "", "8:16 4096", "8:16 0");
	check_one("net_prio.ifpriomap", "lo 0\neth0 4\n", "eth0 9", "eth0 4");
	/* Three lines, of which the first is what is written. */
	check_one("memory.oom_control", "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n", "0", "1");
}

static void body_once(void)
{
	plain_open(CGROUP_V2, 0);
	put("pids.max", "7\n");
	put("io.weight", "default 100\n8:16 250\n8:32 350\n");
	note("pids.max", "12");
	note("io.weight", "8:16 1");
	put("pids.max", "12\n");
	put("io.weight", "default 100\n8:16 1\n8:32 350\n");
	/* What was there at the first counts; another device is another. */
	note("pids.max", "13");
	note("io.weight", "8:16 2");
	CHECK(undo.last && undo.last->before && !undo.last->before->before);
	note("io.weight", "8:32 2");
	CHECK(undo.last->before->before && !undo.last->before->before->before);
	put("pids.max", "");
	go_back();
	CHECK(is("pids.max", "7"));
}

/* Leaving the idle state is not all: it takes the weight. */
static void body_idle(void)
{
	plain_open(CGROUP_V2, 0);
	put("cpu.idle", "0\n");
	put("cpu.weight", "300\n");
	note("cpu.idle", "1");
	put("cpu.idle", "");
	put("cpu.weight", "");
	go_back();
	CHECK(is("cpu.idle", "0"));
	CHECK(is("cpu.weight", "300"));
}

static void body_not_known(void)
{
	plain_open(CGROUP_V2, 0);
	/* Not there; of several lines where one is written; nobody wants it. */
	note("pids.max", "12");
	put("odd", "one\ntwo\n");
	note("odd", "1");
	CHECK(!undo.last);
	cgroup_undo_note(NULL, &(struct cgroup_write){.dir = cg.fd[0], .file = "odd", .text = "1"});
	/* One that has gone does not keep the others from going back, and is not tried for ever. */
	put("a", "1\n");
	put("b", "2\n");
	put("c", "3\n");
	note("a", "9");
	note("b", "9");
	note("c", "9");
	put("a", "");
	put("c", "");
	CHECK(unlinkat(cg.fd[0], "b", 0) == 0);
	go_back();
	CHECK(is("a", "1"));
	CHECK(is("c", "3"));
	CHECK(is("b", "?"));
}

#define PLAIN(name)                                                                                \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		plain_run(body_##name);                                                            \
	}

PLAIN(forms)
PLAIN(once)
PLAIN(idle)
PLAIN(not_known)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
