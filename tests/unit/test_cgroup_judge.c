/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values that the kernel will not take, told before there is a cgroup to write them into. */
#include "test_machine.h"

#define DEVICES "/sys/devices/system/"
#define SIZES	"/sys/kernel/mm/hugepages/"

struct row {
	const char *file, *value;
	int code; /* 0: taken; EDOM: refused without an errno */
	const char *says, *hint;
};

static struct cgroup_prospect at;

static struct cgroup_dry_write to_write(const char *file, const char *value, bool v2)
{
	return (struct cgroup_dry_write){
		.hierarchy = &host.h[v2 && host.n > 1], .file = file, .value = value};
}

static void judge(const struct cgroup_dry_write *w, const struct row *row)
{
	int r;

	err = ERR_INIT;
	r = cgroup_judge(&at, w, &err);
	if (r == 0 ? row->code == 0
		   : err.code == (row->code == EDOM ? 0 : row->code) && r < 0 && row->says &&
			     strstr(err.text, row->says) && strstr(err.text, row->value) &&
			     str_eq(err.hint, row->hint ? row->hint : ""))
		return;
	(void)fprintf(stderr, "%s = %s: %d, %s (%d), %s\n", row->file, row->value, r, err.text,
		      err.code, err.hint);
	CHECK(false);
}

static void judge_all(const struct row *rows, size_t n, bool v2)
{
	for (size_t i = 0; i < n; i++) {
		struct cgroup_dry_write w = to_write(rows[i].file, rows[i].value, v2);

		judge(&w, &rows[i]);
	}
}

static void begin_judging(void)
{
	machine(CGROUP_HYBRID, CGROUP_C_CPU);
	at = (struct cgroup_prospect){.host = &host, .path = "/a/b", .limits = &l};
	memset(at.model, -1, sizeof(at.model));
}

#define LACKS  "this machine does not have all of"
#define RDMA   "rdma(8) lists the devices: rdma link"
#define BLOCKS "lsblk(8) lists the block devices"
#define PAGES  "the sizes of this kernel are in /sys/kernel/mm/hugepages"

/* What the machine has. */
static void body_devices(void)
{
	static const struct row any[] = {
		{"hugetlb.2MB.max", "0", 0, NULL, NULL},
		{"hugetlb.1GB.rsvd.limit_in_bytes", "0", 0, NULL, NULL},
		{"hugetlb.64KB.max", "0", 0, NULL, NULL},
		{"hugetlb.XMB.max", "0", 0, NULL, NULL},
		{"rdma.max", "mlx4_0 hca_handle=1", 0, NULL, NULL},
		{"rdma.max", "mlx4_0", 0, NULL, NULL},
		{"rdma.max", "mlx4 hca_handle=1", ENODEV, "rdma.max: ", RDMA},
		{"io.max", "8:0 rbps=1", 0, NULL, NULL},
		{"io.max", "8:16 rbps=1", ENODEV, "io.max: ", BLOCKS},
		{"io.weight", "default 100", 0, NULL, NULL},
		{"blkio.throttle.read_bps_device", "8:0 1", 0, NULL, NULL},
		{"blkio.throttle.read_bps_device", "8:1 1", ENODEV, "blkio.throttle", BLOCKS},
		{"blkio.weight", "500", 0, NULL, NULL},
		/* Of another controller, a colon says nothing. */
		{"devices.allow", "c 8:1 r", 0, NULL, NULL},
	};
	static const struct row missing = {"hugetlb.16GB.max", "", ENOENT,
					   "no hugetlb.16GB.max in this kernel", PAGES};
	struct cgroup_dry_write w;

	begin_judging();
	/* Without such directories nobody knows. */
	w = to_write("io.max", "8:16 rbps=1", true);
	CHECK(cgroup_judge(&at, &w, &err) == 0);
	w = to_write("hugetlb.16GB.max", "0", true);
	CHECK(cgroup_judge(&at, &w, &err) == 0);
	make_dir(SIZES "hugepages-2048kB");
	make_dir(SIZES "hugepages-1048576kB");
	make_dir(SIZES "hugepages-64kB");
	make_dir("/sys/class/infiniband/mlx4_0");
	make_dir("/sys/dev/block/8:0");
	judge_all(any, ARRAY_SIZE(any), false);
	judge_all(any, ARRAY_SIZE(any), true);
	judge(&w, &missing);
	CHECK(err.kind == ERR_UNSUPPORTED);
}

static void body_cpusets(void)
{
	static const struct row v1[] = {
		{"cpuset.cpus", "0-1", 0, NULL, NULL},
		{"cpuset.cpus", "1-2", ERANGE, LACKS, NULL},
		{"cpuset.cpus", "x", 0, NULL, NULL},
		{"cpuset.mems", "9", 0, NULL, NULL},
	};
	static const struct row v2[] = {
		{"cpuset.cpus", "0-3", 0, NULL, NULL},
		{"cpuset.cpus", "4", ERANGE, LACKS, NULL},
		{"cpuset.cpus", "0,3,64", ERANGE, LACKS, NULL},
		{"cpuset.mems", "0", 0, NULL, NULL},
		{"cpuset.mems", "1", ERANGE, LACKS, NULL},
	};

	begin_judging();
	judge_all(v2, 1, true);
	give(V1_DIR "/cpuset.cpus", "0-1\n");
	give(DEVICES "cpu/possible", "0-3\n");
	give(DEVICES "node/has_memory", "0\n");
	judge_all(v1, ARRAY_SIZE(v1), false);
	judge_all(v2, ARRAY_SIZE(v2), true);
}

/* By what they are alone. */
static void body_sizes(void)
{
	static char few[24], enough[24];
	const struct row rows[] = {
		{"memory.limit_in_bytes", few, EDOM, "less than any process takes",
		 "the smallest programs start with 1 MiB"},
		{"memory.limit_in_bytes", enough, 0, NULL, NULL},
		{"memory.limit_in_bytes", "-1", 0, NULL, NULL},
		{"memory.max", few, EDOM, "less than any process takes",
		 "the smallest programs start with 1 MiB"},
		{"memory.max", enough, 0, NULL, NULL},
		{"memory.low", "0", 0, NULL, NULL},
		{"pids.max", "4194304", 0, NULL, NULL},
		{"pids.max", "4194305", EINVAL, "more than the kernel's 4194304", NULL},
	};
	long page = sysconf(_SC_PAGESIZE);

	begin_judging();
	(void)snprintf(few, sizeof(few), "%ld", 40 * page - 1);
	(void)snprintf(enough, sizeof(enough), "%ld", 40 * page);
	judge_all(rows, ARRAY_SIZE(rows), false);
	judge_all(rows, ARRAY_SIZE(rows), true);
}

#define ABOVE "is more than the quota"
#define BURST "the burst may not be more than the quota"
#define ALONE "is less than no memory limit at all"
#define BOTH  "give the memory limit as well"
#define NOT   "the parent cgroup has not"
#define GIVE  "give its parent cgroup a cpu.rt_runtime_us"

/* By what the others are, and by what the cgroup above has. */
static void body_relations(void)
{
	static const struct row burst[] = {
		{"cpu.cfs_burst_us", "1000", 0, NULL, NULL},
		{"cpu.cfs_burst_us", "1001", EINVAL, ABOVE, BURST},
		{"cpu.max.burst", "1000", 0, NULL, NULL},
		{"cpu.max.burst", "1001", EINVAL, ABOVE, BURST},
	};
	static const struct row free_burst = {"cpu.max.burst", "1001", 0, NULL, NULL};
	static char most[24], less[24];
	const struct row swap[] = {
		{"memory.memsw.limit_in_bytes", "2097152", EINVAL, ALONE, BOTH},
		{"memory.memsw.limit_in_bytes", "-1", 0, NULL, NULL},
		{"memory.memsw.limit_in_bytes", most, 0, NULL, NULL},
		{"memory.memsw.limit_in_bytes", less, EINVAL, ALONE, BOTH},
		{"memory.swap.max", "2097152", 0, NULL, NULL},
	};
	static const struct row realtime[] = {
		{"cpu.rt_runtime_us", "0", 0, NULL, NULL},
		{"cpu.rt_runtime_us", "950", 0, NULL, NULL},
		{"cpu.rt_runtime_us", "951", EINVAL, NOT, GIVE},
		{"cpu.rt_runtime_us", "-1", 0, NULL, NULL},
	};
	static const struct row none = {"cpu.rt_runtime_us", "1", EINVAL, NOT, GIVE};
	long page = sysconf(_SC_PAGESIZE);
	struct cgroup_dry_write w;

	(void)snprintf(most, sizeof(most), "%ld", LONG_MAX / page * page);
	(void)snprintf(less, sizeof(less), "%ld", LONG_MAX / page * page - 1);
	begin_judging();
	w = to_write("cpu.max.burst", "1001", true);
	judge(&w, &free_burst);
	/* No limit; not asked for. */
	for (int64_t quota = -1; quota <= 0; quota++) {
		l.cpu_quota = (typeof(l.cpu_quota)){true, quota};
		judge(&w, &free_burst);
	}
	l.cpu_quota.v = 1000;
	judge_all(burst, ARRAY_SIZE(burst), false);
	judge_all(swap, ARRAY_SIZE(swap), false);
	l.memory_limit = (typeof(l.memory_limit)){true, -1};
	judge_all(swap, 1, false);
	l.memory_limit.v = 1048576;
	w = to_write("memory.memsw.limit_in_bytes", "2097152", false);
	CHECK(cgroup_judge(&at, &w, &err) == 0);
	w = to_write("cpu.rt_runtime_us", "1", false);
	judge(&w, &none);
	give(V1_DIR "/a/cpu.rt_runtime_us", "950\n");
	judge_all(realtime, ARRAY_SIZE(realtime), false);
}

/* The unified map, in whose files people write what they like. */
static void body_texts(void)
{
	static const struct row rows[] = {
		{"cgroup.freeze", "1", 0, NULL, NULL},
		{"cgroup.freeze", "2", ERANGE, "write", NULL},
		{"cgroup.freeze", "max", EINVAL, "write", NULL},
		{"cgroup.max.depth", "max", 0, NULL, NULL},
		{"cgroup.max.depth", "-1", ERANGE, "write", NULL},
		{"cgroup.max.descendants", "2147483647", 0, NULL, NULL},
		{"cgroup.max.descendants", "2147483648", ERANGE, "write", NULL},
		{"cpu.idle", "1", 0, NULL, NULL},
		{"cpu.idle", "2", EINVAL, "write", NULL},
		{"cpu.idle", "-1", EINVAL, "write", NULL},
		{"cpu.max.burst", "-1", EINVAL, "write", NULL},
		{"cpu.weight", "1", 0, NULL, NULL},
		{"cpu.weight", "10000", 0, NULL, NULL},
		{"cpu.weight", "0", ERANGE, "write", NULL},
		{"cpu.weight", "10001", ERANGE, "write", NULL},
		{"cpu.weight", "-1", EINVAL, "write", NULL},
		{"cpu.weight", "1x", EINVAL, "write", NULL},
		{"cpu.weight.nice", "-20", 0, NULL, NULL},
		{"cpu.weight.nice", "19", 0, NULL, NULL},
		{"cpu.weight.nice", "-21", ERANGE, "write", NULL},
		{"cpu.weight.nice", "20", ERANGE, "write", NULL},
		{"memory.oom.group", "1", 0, NULL, NULL},
		{"memory.oom.group", "2", EINVAL, "write", NULL},
		{"pids.max", "max", 0, NULL, NULL},
		{"pids.max", "-1", EINVAL, "write", NULL},
		{"memory.high", "max", 0, NULL, NULL},
		{"memory.high", "10M", 0, NULL, NULL},
		{"memory.low", "1e", 0, NULL, NULL},
		{"memory.min", "10MB", EINVAL, "write", NULL},
		{"memory.swap.max", "M", EINVAL, "write", NULL},
		{"memory.zswap.max", "-1", EINVAL, "write", NULL},
		{"memory.swap.high", "x", EINVAL, "write", NULL},
		{"hugetlb.2MB.max", "1G", 0, NULL, NULL},
		{"hugetlb.2MB.rsvd.max", "1X", EINVAL, "write", NULL},
		{"hugetlb.2MB.events", "1X", 0, NULL, NULL},
		/* Not one value, or not a file that we know. */
		{"memory.high", "", 0, NULL, NULL},
		{"cpu.weight", "0 ", 0, NULL, NULL},
		{"cpu.weight", "0\n", 0, NULL, NULL},
		{"memory.reclaim", "x", 0, NULL, NULL},
	};
	struct cgroup_dry_write w;

	begin_judging();
	judge_all(rows, ARRAY_SIZE(rows), true);
	w = to_write("cpu.idle", "2", false);
	CHECK(cgroup_judge(&at, &w, &err) == 0);
}

/* Weights of one device are those of its scheduler, where the kernel has bfq at all. */
static void body_bfq(void)
{
	static const struct row taken = {"io.weight", "8:0 500", 0, NULL, NULL};
	static const struct row refused = {"io.weight", "8:0 500", EOPNOTSUPP, "io.weight: ",
					   "its scheduler is not bfq, which alone knows weights"};
	struct cgroup_dry_write w;

	begin_judging();
	give("/sys/dev/block/8:0/queue/scheduler", "[mq-deadline] bfq none\n");
	w = to_write("io.weight", "8:0 500", true);
	w.bfq = "io.bfq.weight 500";
	judge(&w, &taken);
	give(V2_DIR "/other/io.bfq.weight", "default 100\n");
	at.model[1] = open(V2_DIR "/other", O_PATH | O_DIRECTORY | O_CLOEXEC);
	judge(&w, &refused);
	w.bfq = NULL;
	judge(&w, &taken);
	give(V2_DIR "/plain/io.max", "");
	at.model[1] = open(V2_DIR "/plain", O_PATH | O_DIRECTORY | O_CLOEXEC);
	w.bfq = "io.bfq.weight 500";
	CHECK(cgroup_judge(&at, &w, &err) < 0 && err.kind == ERR_UNSUPPORTED);
	err = ERR_INIT;
	give(V2_DIR "/plain/io.weight", "default 100\n");
	judge(&w, &taken);
	at.model[1] = open(V2_DIR "/other", O_PATH | O_DIRECTORY | O_CLOEXEC);
	w.bfq = "io.bfq.weight 500";
	give("/sys/dev/block/8:0/queue/scheduler", "mq-deadline [bfq] none\n");
	judge(&w, &taken);
	give("/sys/dev/block/8:0/queue/scheduler", "[none]\n");
	judge(&w, &refused);
	/* v1 has it in its root. */
	at.model[0] = -1;
	w = to_write("blkio.weight_device", "8:0 500", false);
	w.bfq = "blkio.bfq.weight_device 500";
	CHECK(cgroup_judge(&at, &w, &err) < 0 && err.kind == ERR_UNSUPPORTED);
	err = ERR_INIT;
	give(V1_DIR "/blkio.leaf_weight", "");
	CHECK(cgroup_judge(&at, &w, &err) == 0);
	give(V1_DIR "/blkio.bfq.io_service_bytes", "");
	CHECK(cgroup_judge(&at, &w, &err) == -EOPNOTSUPP);
}

CASE(devices)
CASE(cpusets)
CASE(sizes)
CASE(relations)
CASE(texts)
CASE(bfq)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices), cmocka_unit_test(test_cpusets),
		cmocka_unit_test(test_sizes),	cmocka_unit_test(test_relations),
		cmocka_unit_test(test_texts),	cmocka_unit_test(test_bfq),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
