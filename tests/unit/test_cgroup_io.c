/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Block I/O, huge pages, network, rdma and the unified map: which file gets which words. Plain
 * directories stand in for cgroups, since few machines have all of these controllers.
 */
#include "kernel/cgroup_internal.h"
#include "test_plain_cgroup.h"

static struct cgroup_limits l;

static void drop(const char *name)
{
	CHECK(unlinkat(cg.fd[0], name, 0) == 0);
}

/* It is emptied for the next. */
static bool was(const char *name, const char *want)
{
	bool same = is(name, want);

	put(name, "");
	return same;
}

static void apply(void)
{
	err = ERR_INIT;
	CHECK_OK(cgroup_limit(&cg, &l, true, &err), err);
	l = no_limits;
}

static bool refused(const char *words)
{
	int r;

	err = ERR_INIT;
	r = cgroup_limit(&cg, &l, true, &err);
	l = no_limits;
	if (r < 0 && strstr(err.text, words))
		return true;
	(void)fprintf(stderr, "%d: %s lacks %s\n", r, err.text, words);
	return false;
}

static const struct cgroup_io_weight one_weight = {8, 16, 750, 0};
static const struct cgroup_io_weight leaf_weight = {8, 16, 0, 300};

static const struct cgroup_io_rate *rate(enum cgroup_io_kind kind, uint64_t v)
{
	static struct cgroup_io_rate r;

	r = (struct cgroup_io_rate){kind, 8, 16, v};
	return &r;
}

static void set_rate(enum cgroup_io_kind kind, uint64_t v)
{
	l.io_rates = rate(kind, v);
	l.n_io_rates = 1;
}

static void v1_io(void)
{
	static const char *const files[] = {
		"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
		"blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device"};

	l.io_weight = (typeof(l.io_weight)){true, 500};
	CHECK(refused("controller blkio of this kernel has no blkio.weight"));
	CHECK(strstr(err.hint, "bfq"));
	l.io_leaf_weight = (typeof(l.io_leaf_weight)){true, 500};
	CHECK(refused("blkio.leaf_weight") && strstr(err.hint, "Linux 5.0"));
	put("blkio.weight", "");
	l.io_weight = (typeof(l.io_weight)){true, 500};
	apply();
	CHECK(was("blkio.weight", "500"));
	/* bfq first, where there is both. */
	put("blkio.bfq.weight", "");
	put("blkio.bfq.weight_device", "");
	l.io_weight = (typeof(l.io_weight)){true, 400};
	l.io_weights = &one_weight;
	l.n_io_weights = 1;
	apply();
	CHECK(was("blkio.bfq.weight", "400") && was("blkio.weight", ""));
	CHECK(was("blkio.bfq.weight_device", "8:16 750"));
	put("blkio.leaf_weight_device", "");
	l.io_weights = &leaf_weight;
	l.n_io_weights = 1;
	apply();
	CHECK(was("blkio.leaf_weight_device", "8:16 300"));
	for (int kind = 0; kind < CGROUP_IO_COUNT; kind++) {
		put(files[kind], "");
		set_rate((enum cgroup_io_kind)kind, 1048576);
		apply();
		CHECK(was(files[kind], "8:16 1048576"));
		set_rate((enum cgroup_io_kind)kind, 0);
		apply();
		CHECK(was(files[kind], "8:16 0"));
		drop(files[kind]);
	}
	drop("blkio.weight");
	drop("blkio.bfq.weight");
	drop("blkio.bfq.weight_device");
	drop("blkio.leaf_weight_device");
}

static void v1_network(void)
{
	static const struct cgroup_net_priority net[] = {{"eth0", 5}, {"lo", 0}};

	put("net_cls.classid", "");
	put("net_prio.ifpriomap", "");
	l.net_class = (typeof(l.net_class)){true, 1048577};
	l.net_priorities = net;
	l.n_net_priorities = 1;
	apply();
	CHECK(was("net_cls.classid", "1048577") && was("net_prio.ifpriomap", "eth0 5"));
	drop("net_cls.classid");
	drop("net_prio.ifpriomap");
}

static void realtime(void)
{
	put("cpu.rt_runtime_us", "");
	put("cpu.rt_period_us", "");
	l.cpu_rt_runtime = (typeof(l.cpu_rt_runtime)){true, 5000};
	l.cpu_rt_period = (typeof(l.cpu_rt_period)){true, 10000};
	apply();
	CHECK(was("cpu.rt_runtime_us", "5000") && was("cpu.rt_period_us", "10000"));
	drop("cpu.rt_runtime_us");
	drop("cpu.rt_period_us");
}

static void pages_and_rdma(bool v2)
{
	static const struct cgroup_hugepage pages[] = {{"2MB", 4194304}, {"1GB", 0}};
	static const struct cgroup_rdma rdma[] = {{"mlx5_0", {true, 3}, {true, 10000}},
						  {"mlx5_1", {false, 0}, {true, 7}}};
	const char *two = v2 ? "hugetlb.2MB.max" : "hugetlb.2MB.limit_in_bytes";
	const char *reserved = v2 ? "hugetlb.2MB.rsvd.max" : "hugetlb.2MB.rsvd.limit_in_bytes";
	const char *one = v2 ? "hugetlb.1GB.max" : "hugetlb.1GB.limit_in_bytes";

	put(two, "");
	put(reserved, "");
	put(one, "");
	l.hugepages = pages;
	l.n_hugepages = 2;
	apply();
	CHECK(was(two, "4194304") && was(reserved, "4194304") && was(one, "0"));
	drop(one);
	l.hugepages = pages;
	l.n_hugepages = 2;
	CHECK(refused(one));
	drop(two);
	drop(reserved);
	put("rdma.max", "");
	l.rdma = rdma;
	l.n_rdma = 1;
	apply();
	CHECK(was("rdma.max", "mlx5_0 hca_handle=3 hca_object=10000"));
	l.rdma = rdma + 1;
	l.n_rdma = 1;
	apply();
	CHECK(was("rdma.max", "mlx5_1 hca_object=7"));
	drop("rdma.max");
}

static bool begins(const char *name, const char *want)
{
	const char *got = text_of(0, name);

	if (strncmp(got, want, strlen(want)) == 0)
		return true;
	(void)fprintf(stderr, "%s is %s, not %s…\n", name, got, want);
	return false;
}

/* A rate that comes before huge pages that no kernel has. */
static void refuse_late(uint64_t rate_asked)
{
	static const struct cgroup_hugepage none = {"7MB", 1};

	set_rate(CGROUP_IO_READ_BPS, rate_asked);
	l.pids_limit = (typeof(l.pids_limit)){true, 7};
	l.hugepages = &none;
	l.n_hugepages = 1;
	CHECK(refused("huge page"));
}

/* What was written before a refusal is as it was: of files with a line for each device, the line.
 */
static void undone(bool v2)
{
	const char *file = v2 ? "io.max" : "blkio.throttle.read_bps_device";

	put("pids.max", "5\n");
	put(file, "");
	refuse_late(7);
	CHECK(begins("pids.max", "5"));
	CHECK(begins(file, v2 ? "8:16 rbps=max wbps=max riops=max wiops=max" : "8:16 0"));
	put(file, v2 ? "8:1 rbps=1 wbps=max riops=max wiops=max\n"
		       "8:16 rbps=2000000 wbps=3 riops=max wiops=max\n"
		     : "8:1 1\n8:16 2000000\n");
	refuse_late(1048576);
	CHECK(begins(file, v2 ? "8:16 rbps=2000000 wbps=3 riops=max wiops=max" : "8:16 2000000"));
	drop(file);
	drop("pids.max");
}

static void body_v1(void)
{
	plain_open(CGROUP_V1, UINT32_MAX);
	v1_io();
	v1_network();
	realtime();
	pages_and_rdma(false);
	undone(false);
}

static void v2_io(void)
{
	static const char *const keys[] = {"rbps", "wbps", "riops", "wiops"};

	put("io.weight", "");
	l.io_weight = (typeof(l.io_weight)){true, 750};
	l.io_weights = NULL;
	apply();
	CHECK(was("io.weight", "7475"));
	l.io_weights = &one_weight;
	l.n_io_weights = 1;
	apply();
	CHECK(was("io.weight", "8:16 7475"));
	put("io.bfq.weight", "");
	l.io_weight = (typeof(l.io_weight)){true, 10};
	apply();
	CHECK(was("io.bfq.weight", "10") && was("io.weight", ""));
	l.io_leaf_weight = (typeof(l.io_leaf_weight)){true, 10};
	CHECK(refused("leaf weight") && err.kind == ERR_UNSUPPORTED);
	put("io.max", "");
	for (int kind = 0; kind < CGROUP_IO_COUNT; kind++) {
		char want[64];

		(void)snprintf(want, sizeof(want), "8:16 %s=18446744073709551615", keys[kind]);
		set_rate((enum cgroup_io_kind)kind, UINT64_MAX);
		apply();
		CHECK(was("io.max", want));
	}
	set_rate(CGROUP_IO_READ_BPS, 0);
	apply();
	CHECK(was("io.max", "8:16 rbps=max"));
	drop("io.max");
	drop("io.weight");
	drop("io.bfq.weight");
}

/* More writes than fit without the heap, in one file. */
static void many(void)
{
	static struct cgroup_io_rate rates[300];
	static struct cgroup_hugepage pages[40];

	put("io.max", "");
	for (size_t i = 0; i < 300; i++)
		rates[i] = (struct cgroup_io_rate){CGROUP_IO_READ_BPS, 8, (uint32_t)i, i + 1};
	l.io_rates = rates;
	l.n_io_rates = 300;
	apply();
	drop("io.max");
	for (size_t i = 0; i < 40; i++)
		pages[i] = (struct cgroup_hugepage){i == 39 ? "3MB" : "2MB", 1};
	put("hugetlb.2MB.max", "");
	l.hugepages = pages;
	l.n_hugepages = 40;
	CHECK(refused("hugetlb.3MB.max"));
	drop("hugetlb.2MB.max");
}

static void unified(void)
{
	static const struct cgroup_unified two[] = {{"memory.high", "512M"},
						    {"io.max", "8:0 rbps=1\n8:16 rbps=2\n"}};
	static const struct cgroup_unified over = {"memory.max", "7777"};
	static const struct cgroup_unified none = {"foo.max", "7"};
	static const struct cgroup_unified part = {"cpuset.cpus.partition", "root"};
	uint32_t need = 0;

	put("memory.high", "");
	put("io.max", "");
	l.unified = two;
	l.n_unified = 2;
	CHECK_OK(cgroup_unified_need(&cg, &l, &need, &err), err);
	CHECK(need == (CGROUP_C_MEMORY | CGROUP_C_BLKIO));
	apply();
	CHECK(was("memory.high", "512M") && strstr(text_of(0, "io.max"), "8:16 rbps=2"));
	drop("io.max");
	l.unified = two;
	l.n_unified = 2;
	CHECK(refused("open io.max: no such file or directory"));
	CHECK(strcmp(err.pointer, "/linux/resources/unified/io.max") == 0);
	drop("memory.high");
	/* It has the last word. */
	put("memory.max", "");
	l.memory_limit = (typeof(l.memory_limit)){true, 4096};
	l.unified = &over;
	l.n_unified = 1;
	apply();
	CHECK(was("memory.max", "7777"));
	drop("memory.max");
	put(part.key, "");
	l.unified = &part;
	l.n_unified = 1;
	apply();
	/* What is not overwritten here stands for what the kernel adds. */
	put(part.key, "root invalid (Parent is not a partition root)\n");
	l.unified = &part;
	l.n_unified = 1;
	CHECK(refused("the kernel made it \"root invalid (Parent is not a partition root)\""));
	CHECK(strcmp(err.pointer, "/linux/resources/unified/cpuset.cpus.partition") == 0);
	drop(part.key);
	l.unified = &none;
	l.n_unified = 1;
	err = ERR_INIT;
	CHECK(cgroup_unified_need(&cg, &l, &need, &err) < 0);
	CHECK(strstr(err.text, "the requested cgroup controller `foo` is not available"));
	host.h[0].v2 = false;
	host.h[0].controllers = CGROUP_C_MEMORY;
	l.unified = &over;
	err = ERR_INIT;
	CHECK(cgroup_unified_need(&cg, &l, &need, &err) < 0);
	CHECK(strstr(err.text, "invalid configuration"));
	host.h[0].v2 = true;
	l = no_limits;
}

static void check_before_update(void)
{
	put("memory.max", "");
	put("memory.swap.max", "");
	put("memory.current", "8192\n");
	put("memory.swap.current", "4096\n");
	l.memory_check = true;
	l.memory_limit = (typeof(l.memory_limit)){true, 4096};
	CHECK(refused("rejecting memory limit"));
	/* What just fits is too little, and of both the swap is spoken of. */
	l.memory_check = true;
	l.memory_limit = (typeof(l.memory_limit)){true, 8192};
	CHECK(refused("rejecting memory limit"));
	l.memory_check = true;
	l.memory_limit = (typeof(l.memory_limit)){true, 4096};
	l.memory_swap = (typeof(l.memory_swap)){true, 8192};
	CHECK(refused("rejecting memory+swap limit"));
	l.memory_check = true;
	l.memory_limit = (typeof(l.memory_limit)){true, 8193};
	l.memory_swap = (typeof(l.memory_swap)){true, 8194};
	CHECK(refused("rejecting memory+swap limit"));
	CHECK(was("memory.max", "") && was("memory.swap.max", ""));
	l.memory_limit = (typeof(l.memory_limit)){true, 4096};
	apply();
	CHECK(strncmp(text_of(0, "memory.max"), "4096", 4) == 0);
	drop("memory.max");
	drop("memory.swap.max");
	drop("memory.current");
	drop("memory.swap.current");
}

static void body_v2(void)
{
	plain_open(CGROUP_V2, 0);
	put("cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma\n");
	v2_io();
	pages_and_rdma(true);
	many();
	unified();
	check_before_update();
	undone(true);
	l.net_class = (typeof(l.net_class)){true, 1};
	CHECK(refused("network class") && err.kind == ERR_UNSUPPORTED);
	l.cpu_rt_period = (typeof(l.cpu_rt_period)){true, 1};
	CHECK(refused("realtime") && err.kind == ERR_UNSUPPORTED);
	drop("cgroup.controllers");
}

static void test_v1(void **state)
{
	(void)state;
	plain_run(body_v1);
}

static void test_v2(void **state)
{
	(void)state;
	plain_run(body_v2);
}

/* ---- the list itself, for a cgroup that is not made yet ---- */

typedef int fill_function(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
			  struct err *err);

/* "FILE=VALUE" each, '?' where it may be missing, and what may stand for it. */
static bool lists(fill_function *fill, bool v2, const char *want)
{
	struct cgroup_writes ws = {.cg = &cg, .v2 = v2};
	char got[1024] = "";
	bool same;

	err = ERR_INIT;
	CHECK_OK(fill(&ws, -1, &l, &err), err);
	for (size_t i = 0; i < ws.n; i++) {
		const struct cgroup_write *w = &ws.w[i];
		size_t len = strlen(got);

		CHECK(w->dir == -1 && !w->done && w->what.limit);
		(void)snprintf(got + len, sizeof(got) - len, "%s=%s%s%s%s;", w->file,
			       w->text ? w->text : w->value, w->if_present ? "?" : "",
			       w->has_other ? "|" : "", w->has_other ? w->name : "");
	}
	same = strcmp(got, want) == 0;
	if (!same)
		(void)fprintf(stderr, "%s\n", got);
	cgroup_writes_done(&ws);
	return same;
}

static bool cannot(fill_function *fill, enum err_kind kind, const char *words)
{
	struct cgroup_writes ws = {.cg = &cg, .v2 = true};

	err = ERR_INIT;
	CHECK(fill(&ws, -1, &l, &err) < 0);
	cgroup_writes_done(&ws);
	return err.kind == kind && strstr(err.text, words);
}

static void io_unmade(void)
{
	static const struct cgroup_io_weight two[] = {{8, 0, 10, 1000}, {7, 1, 0, 0}};

	l = no_limits;
	CHECK(lists(cgroup_v1_io, false, "") && lists(cgroup_v2_io, true, ""));
	l.io_weight = (typeof(l.io_weight)){true, 10};
	l.io_leaf_weight = (typeof(l.io_leaf_weight)){true, 20};
	l.io_weights = two;
	l.n_io_weights = 2;
	set_rate(CGROUP_IO_WRITE_IOPS, 0);
	CHECK(lists(cgroup_v1_io, false,
		    "blkio.weight=10|blkio.bfq.weight 10;blkio.leaf_weight=20;"
		    "blkio.weight_device=8:0 10|blkio.bfq.weight_device 10;"
		    "blkio.leaf_weight_device=8:0 1000;"
		    "blkio.throttle.write_iops_device=8:16 0;"));
	CHECK(cannot(cgroup_v2_io, ERR_UNSUPPORTED, "leaf weight"));
	l.io_leaf_weight.set = false;
	CHECK(cannot(cgroup_v2_io, ERR_UNSUPPORTED, "leaf weight"));
	l.io_weights = &one_weight;
	l.n_io_weights = 1;
	CHECK(lists(cgroup_v2_io, true,
		    "io.weight=1|io.bfq.weight 10;io.weight=8:16 7475|io.bfq.weight 750;"
		    "io.max=8:16 wiops=max;"));
}

static void memory_unmade(void)
{
	l = no_limits;
	CHECK(lists(cgroup_v1_memory, false, "") && lists(cgroup_v2_memory, true, ""));
	l.memory_limit = (typeof(l.memory_limit)){true, -1};
	CHECK(lists(cgroup_v1_memory, false,
		    "memory.limit_in_bytes=-1;memory.memsw.limit_in_bytes=-1?;"));
	CHECK(lists(cgroup_v2_memory, true, "memory.max=max;memory.swap.max=max?;"));
	l.memory_limit.v = 4096;
	l.memory_swap = (typeof(l.memory_swap)){true, 4096};
	l.memory_reservation = (typeof(l.memory_reservation)){true, -1};
	CHECK(lists(cgroup_v1_memory, false,
		    "memory.limit_in_bytes=4096;memory.memsw.limit_in_bytes=4096;"
		    "memory.soft_limit_in_bytes=-1;"));
	CHECK(lists(cgroup_v2_memory, true, "memory.max=4096;memory.low=max;memory.swap.max=0?;"));
	l.memory_swap.v = 4095;
	CHECK(cannot(cgroup_v2_memory, ERR_CONFIG, "4095 is less than the memory limit 4096"));
	l.memory_limit.v = 0;
	CHECK(cannot(cgroup_v2_memory, ERR_CONFIG, "without a memory limit"));
	CHECK(strcmp(err.hint, "give a limit of memory, other than -1, as well") == 0);
	l = no_limits;
	l.memory_swappiness = (typeof(l.memory_swappiness)){true, 0};
	l.memory_disable_oom_killer = (typeof(l.memory_disable_oom_killer)){true, false};
	CHECK(lists(cgroup_v1_memory, false, "memory.swappiness=0;memory.oom_control=0;"));
}

static void cpu_unmade(void)
{
	l = no_limits;
	l.cpu_shares = (typeof(l.cpu_shares)){true, 0};
	l.cpu_quota = (typeof(l.cpu_quota)){true, 0};
	l.cpu_period = (typeof(l.cpu_period)){true, 0};
	CHECK(lists(cgroup_v1_cpu, false, "") && lists(cgroup_v2_cpu, true, ""));
	l.cpu_period.v = 5000;
	l.cpu_burst = (typeof(l.cpu_burst)){true, 0};
	l.cpu_idle = (typeof(l.cpu_idle)){true, -1};
	CHECK(lists(cgroup_v1_cpu, false,
		    "cpu.cfs_period_us=5000;cpu.cfs_burst_us=0?;cpu.idle=-1;"));
	CHECK(lists(cgroup_v2_cpu, true, "cpu.max=max 5000;cpu.max.burst=0?;cpu.idle=-1;"));
	l.cpu_rt_period = (typeof(l.cpu_rt_period)){true, 1};
	CHECK(cannot(cgroup_v2_cpu, ERR_UNSUPPORTED, "realtime"));
	l = no_limits;
	l.cpu_rt_period = (typeof(l.cpu_rt_period)){true, 0};
	l.cpu_rt_runtime = (typeof(l.cpu_rt_runtime)){true, -1};
	CHECK(lists(cgroup_v1_cpu, false, "cpu.rt_runtime_us=-1;"));
	l.cpuset_mems = "0";
	CHECK(lists(cgroup_any_cpuset, true, "cpuset.mems=0;"));
}

static void others_unmade(void)
{
	static const struct cgroup_hugepage page = {"64KB", UINT64_MAX};
	static const struct cgroup_rdma none = {.device = "mlx4_0"};
	static const struct cgroup_net_priority net = {"eth0", UINT32_MAX};

	l = no_limits;
	l.hugepages = &page;
	l.n_hugepages = 1;
	l.rdma = &none;
	l.n_rdma = 1;
	l.net_priorities = &net;
	l.n_net_priorities = 1;
	CHECK(lists(cgroup_any_hugetlb, false,
		    "hugetlb.64KB.limit_in_bytes=18446744073709551615;"
		    "hugetlb.64KB.rsvd.limit_in_bytes=18446744073709551615?;"));
	CHECK(lists(cgroup_any_rdma, true, "rdma.max=mlx4_0;"));
	CHECK(lists(cgroup_v1_net_priorities, false, "net_prio.ifpriomap=eth0 4294967295;"));
	CHECK(cannot(cgroup_v2_no_network, ERR_UNSUPPORTED, "network priorities: the v1"));
	l.net_class = (typeof(l.net_class)){true, 0};
	CHECK(lists(cgroup_v1_net_class, false, "net_cls.classid=0;"));
	CHECK(cannot(cgroup_v2_no_network, ERR_UNSUPPORTED, "network class: the v1"));
	for (int64_t v = -2; v < 2; v++) {
		l.pids_limit = (typeof(l.pids_limit)){true, v};
		CHECK(lists(cgroup_any_pids, true, v < 0 ? "pids.max=max;" : "pids.max=1;"));
	}
}

static void body_unmade(void)
{
	plain_open(CGROUP_V2, 0);
	io_unmade();
	memory_unmade();
	cpu_unmade();
	others_unmade();
}

static void test_unmade(void **state)
{
	(void)state;
	plain_run(body_unmade);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_v1), cmocka_unit_test(test_v2),
					   cmocka_unit_test(test_unmade)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
