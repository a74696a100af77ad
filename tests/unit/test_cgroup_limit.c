/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits. v1 on the machine's own hierarchies, where it has them; v2 on plain directories with the
 * kernel's file names, since a machine with v1 has no controllers there; the conversions of both.
 */
#include "test_plain_cgroup.h"

#define MIB (INT64_C(1) << 20)

static struct cgroup_limits l;

/* --- v1 --------------------------------------------------------------------------------------- */

static void apply(bool update)
{
	err = ERR_INIT;
	CHECK_OK(cgroup_limit(&cg, &l, update, &err), err);
	l = no_limits;
}

static int refused(void)
{
	int r;

	err = ERR_INIT;
	r = cgroup_limit(&cg, &l, true, &err);
	l = no_limits;
	CHECK(r < 0 && err.text[0]);
	return r;
}

static bool has(uint32_t controller, const char *file, const char *want)
{
	const char *got = text_of(v1_of(controller), file);

	if (strcmp(got, want) == 0)
		return true;
	(void)fprintf(stderr, "%s is %s, not %s\n", file, got, want);
	return false;
}

static void v1_memory(void)
{
	uint32_t m = CGROUP_C_MEMORY;
	bool swap = strcmp(text_of(v1_of(m), "memory.memsw.limit_in_bytes"), "?") != 0;

	l.memory_limit = (typeof(l.memory_limit)){true, 64 * MIB};
	l.memory_reservation = (typeof(l.memory_reservation)){true, 32 * MIB};
	l.memory_swappiness = (typeof(l.memory_swappiness)){true, 10};
	if (swap)
		l.memory_swap = (typeof(l.memory_swap)){true, 64 * MIB};
	apply(false);
	CHECK(has(m, "memory.limit_in_bytes", "67108864"));
	CHECK(has(m, "memory.soft_limit_in_bytes", "33554432"));
	CHECK(has(m, "memory.swappiness", "10"));
	if (!swap) {
		l.memory_swap = (typeof(l.memory_swap)){true, 64 * MIB};
		CHECK(refused() == -ENOENT && err.kind == ERR_UNSUPPORTED);
		CHECK(strstr(err.text, "swap accounting"));
		return;
	}
	/* Grow, shrink, each in the only order that the kernel takes. */
	for (int64_t size = 256; size >= 16; size /= 4) {
		char want[32];

		l.memory_limit = (typeof(l.memory_limit)){true, size * MIB};
		l.memory_swap = (typeof(l.memory_swap)){true, size * MIB};
		apply(true);
		(void)snprintf(want, sizeof(want), "%lld", (long long)(size * MIB));
		CHECK(has(m, "memory.limit_in_bytes", want));
		CHECK(has(m, "memory.memsw.limit_in_bytes", want));
	}
	/* More memory than the sum that stands. */
	l.memory_limit = (typeof(l.memory_limit)){true, 512 * MIB};
	CHECK(refused() == -EINVAL && strstr(err.text, "memory limit: write 536870912"));
	/* Unlimited memory takes the sum with it. */
	l.memory_limit = (typeof(l.memory_limit)){true, -1};
	apply(true);
	CHECK(strlen(text_of(v1_of(m), "memory.limit_in_bytes")) > 17);
	CHECK(strlen(text_of(v1_of(m), "memory.memsw.limit_in_bytes")) > 17);
}

static void v1_cpu(void)
{
	uint32_t c = CGROUP_C_CPU;

	l.cpu_shares = (typeof(l.cpu_shares)){true, 2000};
	l.cpu_period = (typeof(l.cpu_period)){true, 50000};
	l.cpu_quota = (typeof(l.cpu_quota)){true, 25000};
	l.cpu_burst = (typeof(l.cpu_burst)){true, 20000};
	apply(false);
	CHECK(has(c, "cpu.shares", "2000") && has(c, "cpu.cfs_period_us", "50000"));
	CHECK(has(c, "cpu.cfs_quota_us", "25000") && has(c, "cpu.cfs_burst_us", "20000"));
	/* The burst must not exceed the quota at any time. */
	l.cpu_quota = (typeof(l.cpu_quota)){true, 10000};
	l.cpu_burst = (typeof(l.cpu_burst)){true, 5000};
	apply(true);
	CHECK(has(c, "cpu.cfs_quota_us", "10000") && has(c, "cpu.cfs_burst_us", "5000"));
	l.cpu_period = (typeof(l.cpu_period)){true, 20000};
	apply(true);
	CHECK(has(c, "cpu.cfs_quota_us", "10000") && has(c, "cpu.cfs_period_us", "20000"));
	l.cpu_quota = (typeof(l.cpu_quota)){true, -1};
	l.cpu_burst = (typeof(l.cpu_burst)){true, 0};
	apply(true);
	CHECK(has(c, "cpu.cfs_quota_us", "-1") && has(c, "cpu.shares", "2000"));
	l.cpu_idle = (typeof(l.cpu_idle)){true, 2};
	CHECK(refused() == -EINVAL && has(c, "cpu.idle", "0"));
	l.cpu_idle = (typeof(l.cpu_idle)){true, 1};
	apply(true);
	CHECK(has(c, "cpu.idle", "1"));
	l.cpu_idle = (typeof(l.cpu_idle)){true, 0};
	l.cpu_shares = (typeof(l.cpu_shares)){true, 512};
	apply(true);
	CHECK(has(c, "cpu.idle", "0") && has(c, "cpu.shares", "512"));
	l.cpu_period = (typeof(l.cpu_period)){true, 100};
	CHECK(refused() == -EINVAL && strstr(err.text, "cpu period: write 100"));
	/* 0 is "not asked for". */
	l.cpu_shares = (typeof(l.cpu_shares)){true, 0};
	l.cpu_period = (typeof(l.cpu_period)){true, 0};
	l.cpu_quota = (typeof(l.cpu_quota)){true, 0};
	apply(true);
	CHECK(has(c, "cpu.shares", "512"));
	l.cpu_quota = (typeof(l.cpu_quota)){true, 10000};
	l.cpu_burst = (typeof(l.cpu_burst)){true, 5000};
	apply(true);
	cgroup_lift_quota(&cg);
	CHECK(has(c, "cpu.cfs_quota_us", "-1"));
}

/* Below a parent that has a limit of its own, growing and shrinking want opposite orders. */
static void v1_cpu_below_limit(void)
{
	struct cgroup_limits sub = no_limits;
	struct cgroup c;

	l.cpu_period = (typeof(l.cpu_period)){true, 100000};
	l.cpu_quota = (typeof(l.cpu_quota)){true, 50000};
	apply(true);
	cgroup_init(&c, &host);
	CHECK_OK(cgroup_create(&c, below("/v1/sub"), &no_limits, &err), err);
	for (int k = 0; k < 4; k++) {
		sub.cpu_period = (typeof(l.cpu_period)){true, k % 2 ? 10000 : 100000};
		sub.cpu_quota = (typeof(l.cpu_quota)){true, k % 2 ? 5000 : 50000};
		CHECK_OK(cgroup_limit(&c, &sub, true, &err), err);
	}
	sub.cpu_quota.v = 6000;
	CHECK(cgroup_limit(&c, &sub, true, &err) == -EINVAL);
	CHECK(cgroup_remove(&c, 0, &err) == 0);
}

static void v1_pids(void)
{
	static const struct {
		int64_t limit;
		const char *text;
	} cases[] = {{12345, "12345"}, {-1, "max"}, {0, "1"}, {1, "1"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		l.pids_limit = (typeof(l.pids_limit)){true, cases[i].limit};
		apply(i > 0);
		CHECK(has(CGROUP_C_PIDS, "pids.max", cases[i].text));
	}
}

static void body_v1(void)
{
	int set = v1_of(CGROUP_C_CPUSET);

	if (set >= 0) {
		l.cpuset_cpus = "0";
		l.cpuset_mems = "0";
	}
	CHECK_OK(cgroup_create(&cg, below("/v1"), &l, &err), err);
	l = no_limits;
	if (set >= 0)
		CHECK(has(CGROUP_C_CPUSET, "cpuset.cpus", "0"));
	if (v1_of(CGROUP_C_MEMORY) >= 0)
		v1_memory();
	if (v1_of(CGROUP_C_CPU) >= 0) {
		v1_cpu();
		v1_cpu_below_limit();
	}
	if (v1_of(CGROUP_C_PIDS) >= 0)
		v1_pids();
	CHECK(cgroup_remove(&cg, 0, &err) == 0);
}

static void test_v1(void **state)
{
	(void)state;
	run_here(body_v1);
}

/* Cpus and memory nodes come down from the nearest parent that has some, also through empty ones.
 */
static void body_cpuset(void)
{
	int i = v1_of(CGROUP_C_CPUSET);
	char top[4096];

	if (i < 0)
		return;
	CHECK(io_read_at(AT_FDCWD, in_hierarchy((size_t)i, "/", "cpuset.cpus"), top, sizeof(top)) >
	      0);
	CHECK(mkdir(in_hierarchy((size_t)i, base, ""), 0755) == 0);
	CHECK(mkdir(in_hierarchy((size_t)i, base, "empty"), 0755) == 0);
	for (int round = 0; round < 2; round++) {
		CHECK_OK(cgroup_create(&cg, below("/empty/made/leaf"), &no_limits, &err), err);
		CHECK(strcmp(text_of(i, "cpuset.cpus"), top) == 0);
		CHECK(text_of(i, "cpuset.mems")[0]);
		CHECK(cgroup_remove(&cg, 0, &err) == 0);
	}
	CHECK(rmdir(in_hierarchy((size_t)i, base, "empty")) == 0);
	CHECK(rmdir(in_hierarchy((size_t)i, base, "")) == 0);
}

static void test_cpuset(void **state)
{
	(void)state;
	run_here(body_cpuset);
}

static void v2_limits_hold(void)
{
	CHECK_OK(cgroup_limit(&cg, &l, false, &err), err);
	CHECK(strcmp(text_of(0, "memory.max"), "67108864") == 0);
	CHECK(strcmp(text_of(0, "memory.low"), "33554432") == 0);
	CHECK(strcmp(text_of(0, "cpu.weight"), "170") == 0);
	CHECK(strcmp(text_of(0, "cpu.max"), "25000 50000") == 0);
	CHECK(strcmp(text_of(0, "pids.max"), "1") == 0);
	l = no_limits;
	/* Each alone leaves the others as they were. */
	l.cpu_period = (typeof(l.cpu_period)){true, 100000};
	apply(true);
	CHECK(strcmp(text_of(0, "cpu.max"), "25000 100000") == 0);
	l.cpu_quota = (typeof(l.cpu_quota)){true, -1};
	apply(true);
	CHECK(strcmp(text_of(0, "cpu.max"), "max 100000") == 0);
	l.pids_limit = (typeof(l.pids_limit)){true, -1};
	l.memory_limit = (typeof(l.memory_limit)){true, -1};
	apply(true);
	CHECK(strcmp(text_of(0, "pids.max"), "max") == 0);
	CHECK(strcmp(text_of(0, "memory.max"), "max") == 0);
	l.cpu_idle = (typeof(l.cpu_idle)){true, 2};
	CHECK(refused() < 0);
	CHECK(cgroup_remove(&cg, 0, &err) == 0);
}

/*
 * v2 alone: where it has the controllers, the parents pass them on and the limits hold; where v1
 * has them, the error says which, and where it is missing.
 */
static void body_v2(void)
{
	char offered[256] = " ";

	CHECK(io_read_at(AT_FDCWD, TOP "/cgroup.controllers", offered + 1, sizeof(offered) - 2) >=
	      0);
	strcat(offered, " ");
	l.memory_limit = (typeof(l.memory_limit)){true, 64 * MIB};
	l.memory_reservation = (typeof(l.memory_reservation)){true, 32 * MIB};
	l.cpu_shares = (typeof(l.cpu_shares)){true, 2000};
	l.cpu_period = (typeof(l.cpu_period)){true, 50000};
	l.cpu_quota = (typeof(l.cpu_quota)){true, 25000};
	l.pids_limit = (typeof(l.pids_limit)){true, 0};
	err = ERR_INIT;
	if (strstr(offered, " memory ")) {
		CHECK_OK(cgroup_create(&cg, below("/p/q"), &l, &err), err);
		v2_limits_hold();
		return;
	}
	CHECK(cgroup_create(&cg, below("/m"), &l, &err) < 0 && err.kind == ERR_UNSUPPORTED);
	CHECK(strstr(err.text, "limit: controller "));
	CHECK(strstr(err.text, "v1 hierarchy") || strstr(err.text, "subtree_control"));
	CHECK(!anything_left());
}

static void test_v2(void **state)
{
	(void)state;
	run_v2(body_v2);
}

/* --- v2 on plain directories ------------------------------------------------------------------ */

static void v2_memory(void)
{
	put("memory.max", "");
	put("memory.low", "");
	put("memory.swap.max", "");
	l.memory_limit = (typeof(l.memory_limit)){true, 64 * MIB};
	l.memory_reservation = (typeof(l.memory_reservation)){true, 32 * MIB};
	l.memory_swap = (typeof(l.memory_swap)){true, 96 * MIB};
	apply(false);
	CHECK(is("memory.max", "67108864") && is("memory.low", "33554432"));
	CHECK(is("memory.swap.max", "33554432"));
	/* Swap alone is counted from the limit that stands. */
	put("memory.swap.max", "");
	l.memory_swap = (typeof(l.memory_swap)){true, 65 * MIB};
	apply(true);
	CHECK(is("memory.swap.max", "1048576"));
	l.memory_swap = (typeof(l.memory_swap)){true, 63 * MIB};
	CHECK(refused() && strstr(err.text, "less than the memory limit"));
	put("memory.max", "max");
	l.memory_swap = (typeof(l.memory_swap)){true, 63 * MIB};
	CHECK(refused() && strstr(err.text, "without a memory limit"));
	put("memory.max", "");
	put("memory.swap.max", "");
	l.memory_limit = (typeof(l.memory_limit)){true, -1};
	apply(true);
	CHECK(is("memory.max", "max") && is("memory.swap.max", "max"));
	put("memory.swap.max", "");
	l.memory_swap = (typeof(l.memory_swap)){true, 0};
	apply(true);
	CHECK(is("memory.swap.max", "0"));
	l.memory_swappiness = (typeof(l.memory_swappiness)){true, 10};
	CHECK(refused() && err.kind == ERR_UNSUPPORTED);
	l.memory_disable_oom_killer = (typeof(l.memory_disable_oom_killer)){true, true};
	CHECK(refused() && err.kind == ERR_UNSUPPORTED);
	l.memory_disable_oom_killer = (typeof(l.memory_disable_oom_killer)){true, false};
	apply(true);
	/* No swap accounting: no limit is one thing, a limit another. */
	CHECK(unlinkat(cg.fd[0], "memory.swap.max", 0) == 0);
	l.memory_swap = (typeof(l.memory_swap)){true, -1};
	apply(true);
	l.memory_limit = (typeof(l.memory_limit)){true, MIB};
	l.memory_swap = (typeof(l.memory_swap)){true, 2 * MIB};
	CHECK(refused() && err.kind == ERR_UNSUPPORTED && strstr(err.text, "swap accounting"));
}

static void v2_cpu(void)
{
	put("cpu.weight", "");
	put("cpu.max", "");
	put("cpu.max.burst", "");
	put("cpu.idle", "");
	l.cpu_shares = (typeof(l.cpu_shares)){true, 2000};
	l.cpu_period = (typeof(l.cpu_period)){true, 50000};
	l.cpu_quota = (typeof(l.cpu_quota)){true, 25000};
	l.cpu_burst = (typeof(l.cpu_burst)){true, 100};
	l.cpu_idle = (typeof(l.cpu_idle)){true, 1};
	apply(false);
	CHECK(is("cpu.weight", "170") && is("cpu.max", "25000 50000"));
	CHECK(is("cpu.max.burst", "100") && is("cpu.idle", "1"));
	l.cpu_period = (typeof(l.cpu_period)){true, 90000};
	apply(true);
	CHECK(is("cpu.max", "25000 90000"));
	put("cpu.max", "max 100000");
	l.cpu_period = (typeof(l.cpu_period)){true, 900000};
	apply(true);
	CHECK(is("cpu.max", "max 900000"));
	put("cpu.max", "");
	l.cpu_quota = (typeof(l.cpu_quota)){true, 5000};
	apply(true);
	CHECK(is("cpu.max", "5000"));
	put("cpu.max", "");
	l.cpu_quota = (typeof(l.cpu_quota)){true, -1};
	apply(true);
	CHECK(is("cpu.max", "max"));
	put("cpu.max", "");
	cgroup_lift_quota(&cg);
	CHECK(is("cpu.max", "max"));
	CHECK(unlinkat(cg.fd[0], "cpu.idle", 0) == 0);
	l.cpu_idle = (typeof(l.cpu_idle)){true, 1};
	CHECK(refused() &&
	      strstr(err.text, "cpu idle: controller cpu of this kernel has no cpu.idle"));
}

static void body_v2_files(void)
{
	plain_open(CGROUP_V2, 0);
	put("cgroup.controllers", "cpuset cpu io memory hugetlb pids\n");
	v2_memory();
	v2_cpu();
	put("pids.max", "");
	l.pids_limit = (typeof(l.pids_limit)){true, 0};
	apply(false);
	CHECK(is("pids.max", "1"));
	put("pids.max", "");
	l.pids_limit = (typeof(l.pids_limit)){true, -1};
	apply(true);
	CHECK(is("pids.max", "max"));
	/* cpuset is written by cgroup_create(), and by an update. */
	put("cpuset.cpus", "");
	l.cpuset_cpus = "0-1";
	apply(false);
	CHECK(is("cpuset.cpus", ""));
	l.cpuset_cpus = "0-1";
	apply(true);
	CHECK(is("cpuset.cpus", "0-1"));
}

static void test_v2_files(void **state)
{
	(void)state;
	plain_run(body_v2_files);
}

/*
 * The hash of all weights is that of ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34)) with
 * l = log2(shares), computed once with libm in double and in long double.
 */
static void test_weight(void **state)
{
	uint64_t hash = UINT64_C(1469598103934665603), last = 0;

	(void)state;
	for (uint64_t shares = 0; shares <= 262150; shares++) {
		uint64_t weight = cgroup_shares_to_weight(shares);

		assert_true(weight >= last && weight >= 1 && weight <= 10000);
		last = weight;
		hash = (hash ^ weight) * UINT64_C(1099511628211);
	}
	assert_int_equal(hash, UINT64_C(0xa1b48e8054584b3f));
	assert_int_equal(cgroup_shares_to_weight(2), 1);
	assert_int_equal(cgroup_shares_to_weight(3), 2);
	assert_int_equal(cgroup_shares_to_weight(1024), 100);
	assert_int_equal(cgroup_shares_to_weight(2000), 170);
	assert_int_equal(cgroup_shares_to_weight(260000), 9929);
	assert_int_equal(cgroup_shares_to_weight(262144), 10000);
	assert_int_equal(cgroup_shares_to_weight(UINT64_MAX), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weight), cmocka_unit_test(test_v2_files),
		cmocka_unit_test(test_v1),     cmocka_unit_test(test_cpuset),
		cmocka_unit_test(test_v2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
