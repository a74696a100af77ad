/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics: which files become which members of runc's JSON. Plain directories stand in for
 * cgroups, since few machines have all of these controllers.
 */
#include "base/arena.h"
#include "kernel/cgroup_stat_internal.h"
#include "run/stats.h"
#include "test_cgroup.h"

static char dir[64];
static struct oakum_stats s;

static void put(const char *name, const char *text)
{
	int fd = openat(cg.fd[0], name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void make_cgroup(enum cgroup_mode mode, uint32_t controllers)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/oakum-stats.XXXXXX");
	CHECK(mkdtemp(dir));
	host = (struct cgroup_host){.mode = mode, .n = 1};
	host.h[0].v2 = mode == CGROUP_V2;
	host.h[0].controllers = controllers;
	cgroup_init(&cg, &host);
	cg.fd[0] = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(cg.fd[0] >= 0);
	put("cgroup.procs", "");
}

static int take(void)
{
	int r;

	arena_done(&s.arena);
	err = ERR_INIT;
	s = (struct oakum_stats){.arena = ARENA_INIT, .pure_v2 = host.mode == CGROUP_V2};
	r = cgroup_stat(&cg, &s.arena, &s.cg, &err);
	CHECK(r >= 0);
	return r;
}

static bool prints(const char *want)
{
	const char *json = oakum_stats_json(&s);

	if (json && strcmp(json, want) == 0)
		return true;
	(void)fprintf(stderr, "%s\nis not\n%s\n", json ? json : "(nothing)", want);
	return false;
}

static uint64_t value(enum oakum_stat what)
{
	uint64_t v = 0;

	return oakum_stats_value(&s, what, &v) ? v : UINT64_MAX;
}

static void clean(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	CHECK(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			CHECK(unlinkat(dirfd(d), e->d_name, 0) == 0);
	closedir(d);
	CHECK(rmdir(dir) == 0);
	cgroup_close(&cg);
	arena_done(&s.arena);
}

#define V1_EMPTY_CPUSET                                                                            \
	"\"cpuset\":{\"cpu_exclusive\":0,\"mem_hardwall\":0,\"mem_exclusive\":0,"                  \
	"\"memory_migrate\":0,\"memory_spread_page\":0,\"memory_spread_slab\":0,"                  \
	"\"memory_pressure\":0,\"sched_load_balance\":0,\"sched_relax_domain_level\":0}"
#define EMPTY_ENTRY "{\"limit\":0,\"failcnt\":0}"
#define TAIL	    "\"intel_rdt\":{},\"network_interfaces\":null"

static void nothing_there(void)
{
	make_cgroup(CGROUP_V1, CGROUP_C_CPU | CGROUP_C_CPUACCT | CGROUP_C_CPUSET | CGROUP_C_MEMORY |
				       CGROUP_C_PIDS | CGROUP_C_BLKIO | CGROUP_C_HUGETLB |
				       CGROUP_C_RDMA);
	CHECK(take() == 0);
	CHECK(prints(
		"{\"cpu\":{\"usage\":{\"kernel\":0,\"user\":0},\"throttling\":{}}," V1_EMPTY_CPUSET
		",\"memory\":{\"usage\":" EMPTY_ENTRY ",\"swap\":" EMPTY_ENTRY
		",\"kernel\":" EMPTY_ENTRY ",\"kernelTCP\":" EMPTY_ENTRY
		"},\"pids\":{},\"blkio\":{},\"hugetlb\":{}," TAIL "}"));
	CHECK(value(OAKUM_STAT_MEMORY) == UINT64_MAX);
	CHECK(value(OAKUM_STAT_MEMORY_LIMIT) == UINT64_MAX);
	CHECK(value(OAKUM_STAT_PIDS_LIMIT) == UINT64_MAX);
	CHECK(value(OAKUM_STAT_NETWORK_SENT) == UINT64_MAX);
	CHECK(value(OAKUM_STAT_CPU_PRESSURE) == UINT64_MAX);
	CHECK(unlinkat(cg.fd[0], "cgroup.procs", 0) == 0);
	CHECK(take() == CGROUP_GONE);
	clean();
}

static void put_v1_memory(const char *prefix, const char *limit, const char *usage)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s.limit_in_bytes", prefix);
	put(name, limit);
	(void)snprintf(name, sizeof(name), "%s.usage_in_bytes", prefix);
	put(name, usage);
	(void)snprintf(name, sizeof(name), "%s.max_usage_in_bytes", prefix);
	put(name, "9\n");
	(void)snprintf(name, sizeof(name), "%s.failcnt", prefix);
	put(name, "3\n");
}

static void put_v1(void)
{
	put("cpu.stat", "nr_periods 5\nnr_throttled 2\nthrottled_time 777\nnr_bursts 0\n");
	put("cpuacct.usage", "12345\n");
	put("cpuacct.usage_percpu", "1000 0 11345 \n");
	put("cpuacct.usage_all", "cpu user system\n0 400 600\n1 0 0\n2 11000 345\n");
	put("cpuacct.stat", "user 3\nsystem 7\n");
	put("cpuset.cpus", "0-2,7\n");
	put("cpuset.mems", "0\n");
	put("cpuset.sched_load_balance", "1\n");
	put("cpuset.sched_relax_domain_level", "-1\n");
	put("memory.stat", "cache 4096\nactive_anon 1\ntotal_inactive_file 1000\n");
	put_v1_memory("memory", "65536\n", "5000\n");
	put_v1_memory("memory.memsw", "9223372036854771712\n", "5000\n");
	put("pids.current", "4\n");
	put("pids.max", "max\n");
	/* bfq has the files, and counts nothing: the throttling layer does. */
	put("blkio.bfq.io_serviced_recursive", "Total 0\n");
	put("blkio.throttle.io_serviced_recursive",
	    "8:0 Read 4\n8:0 Write 0\n8:0 Total 4\nTotal 4\n");
	put("blkio.throttle.io_service_bytes_recursive",
	    "8:0 Read 16384\n8:16 Write 512\nTotal 1\n");
	put("hugetlb.2MB.limit_in_bytes", "0\n");
	put("hugetlb.2MB.usage_in_bytes", "1\n");
	put("hugetlb.2MB.rsvd.limit_in_bytes", "4194304\n");
	put("hugetlb.2MB.rsvd.usage_in_bytes", "2097152\n");
	put("hugetlb.2MB.rsvd.failcnt", "6\n");
	put("hugetlb.1GB.limit_in_bytes", "0\n");
	put("rdma.current",
	    "mlx4_0 hca_handle=2 hca_object=2000\nocrdma1 hca_handle=0 hca_object=0\n");
	put("rdma.max", "mlx4_0 hca_handle=3 hca_object=max\n");
}

static void v1_members(void)
{
	make_cgroup(CGROUP_V1, CGROUP_C_CPU | CGROUP_C_CPUACCT | CGROUP_C_CPUSET | CGROUP_C_MEMORY |
				       CGROUP_C_PIDS | CGROUP_C_BLKIO | CGROUP_C_HUGETLB |
				       CGROUP_C_RDMA);
	put_v1();
	CHECK(take() == 0);
	CHECK(prints(
		"{\"cpu\":{\"usage\":{\"total\":12345,\"percpu\":[1000,0,11345],"
		"\"percpu_kernel\":[600,0,345],\"percpu_user\":[400,0,11000],"
		"\"kernel\":70000000,\"user\":30000000},"
		"\"throttling\":{\"periods\":5,\"throttledPeriods\":2,\"throttledTime\":777}},"
		"\"cpuset\":{\"cpus\":[0,1,2,7],\"cpu_exclusive\":0,\"mems\":[0],\"mem_hardwall\":"
		"0,"
		"\"mem_exclusive\":0,\"memory_migrate\":0,\"memory_spread_page\":0,"
		"\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_balance\":1,"
		"\"sched_relax_domain_level\":-1},"
		"\"memory\":{\"cache\":4096,\"usage\":{\"limit\":65536,\"usage\":5000,\"max\":9,"
		"\"failcnt\":3},\"swap\":{\"limit\":9223372036854771712,\"usage\":5000,\"max\":9,"
		"\"failcnt\":3},\"kernel\":" EMPTY_ENTRY ",\"kernelTCP\":" EMPTY_ENTRY
		",\"raw\":{\"active_anon\":1,\"cache\":4096,\"total_inactive_file\":1000}},"
		"\"pids\":{\"current\":4},"
		"\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":"
		"16384},"
		"{\"major\":8,\"minor\":16,\"op\":\"Write\",\"value\":512}],"
		"\"ioServicedRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":4},"
		"{\"major\":8,\"op\":\"Write\"},{\"major\":8,\"op\":\"Total\",\"value\":4}]},"
		"\"hugetlb\":{\"1GB\":{\"failcnt\":0},\"2MB\":{\"usage\":2097152,\"failcnt\":6}}"
		"," TAIL ",\"rdma\":{\"rdma_limit\":[{\"device\":\"mlx4_0\",\"hca_handles\":3,"
		"\"hca_objects\":4294967295}],\"rdma_current\":[{\"device\":\"mlx4_0\","
		"\"hca_handles\":2,\"hca_objects\":2000},{\"device\":\"ocrdma1\"}]}}"));
	CHECK(value(OAKUM_STAT_CPU_NS) == 12345);
	CHECK(value(OAKUM_STAT_MEMORY) == 4000);
	CHECK(value(OAKUM_STAT_MEMORY_LIMIT) == 65536);
	CHECK(value(OAKUM_STAT_PIDS) == 4);
	CHECK(value(OAKUM_STAT_PIDS_LIMIT) == UINT64_MAX);
	CHECK(value(OAKUM_STAT_BLOCK_READ) == 16384);
	CHECK(value(OAKUM_STAT_BLOCK_WRITTEN) == 512);
	clean();
}

static void put_v2(void)
{
	put("cpu.stat", "usage_usec 10\nuser_usec 7\nsystem_usec 3\nnr_periods 4\nnr_throttled 1\n"
			"throttled_usec 5\n");
	put("cpu.pressure", "some avg10=1.25 avg60=0.10 avg300=0.05 total=123\n"
			    "full avg10=100.00 avg60=0.00 avg300=0.00 total=45\n");
	put("memory.stat", "anon 100\nfile 8192\ninactive_file 2000\n");
	put("memory.current", "10000\n");
	put("memory.max", "65536\n");
	put("memory.peak", "11000\n");
	put("memory.swap.current", "500\n");
	put("memory.swap.max", "1000\n");
	put("memory.swap.peak", "600\n");
	put("pids.current", "2\n");
	put("pids.max", "20\n");
	put("io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n7:1 \n");
	put("hugetlb.2MB.max", "max\n");
	put("hugetlb.2MB.rsvd.max", "max\n");
	put("hugetlb.2MB.current", "7\n");
	put("hugetlb.2MB.rsvd.current", "2097152\n");
	put("hugetlb.2MB.events", "max 9\n");
}

static void v2_members(void)
{
	make_cgroup(CGROUP_V2, 0);
	put_v2();
	CHECK(take() == 0);
	CHECK(prints(
		"{\"cpu\":{\"usage\":{\"total\":10000,\"kernel\":3000,\"user\":7000},"
		"\"throttling\":{\"periods\":4,\"throttledPeriods\":1,\"throttledTime\":5000},"
		"\"psi\":{\"some\":{\"avg10\":1.25,\"avg60\":0.1,\"avg300\":0.05,\"total\":123},"
		"\"full\":{\"avg10\":100,\"avg60\":0,\"avg300\":0,\"total\":45}}}," V1_EMPTY_CPUSET
		",\"memory\":{\"cache\":8192,\"usage\":{\"limit\":65536,\"usage\":10000,"
		"\"max\":11000,\"failcnt\":0},\"swap\":{\"limit\":66536,\"usage\":10500,"
		"\"failcnt\":0},\"kernel\":" EMPTY_ENTRY ",\"kernelTCP\":" EMPTY_ENTRY
		",\"raw\":{\"anon\":100,\"file\":8192,\"inactive_file\":2000}},"
		"\"pids\":{\"current\":2,\"limit\":20},"
		"\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":1},"
		"{\"major\":8,\"op\":\"Write\",\"value\":2}],\"ioServicedRecursive\":[{\"major\":8,"
		"\"op\":\"Read\",\"value\":3},{\"major\":8,\"op\":\"Write\",\"value\":4}]},"
		"\"hugetlb\":{\"2MB\":{\"usage\":2097152,\"failcnt\":9}}," TAIL "}"));
	CHECK(value(OAKUM_STAT_MEMORY) == 8000);
	CHECK(value(OAKUM_STAT_PIDS_LIMIT) == 20);
	CHECK(value(OAKUM_STAT_CPU_PRESSURE) == 125);
	CHECK(value(OAKUM_STAT_IO_PRESSURE) == UINT64_MAX);

	/* No limits, and a kernel without accounting of swap. */
	put("memory.max", "max\n");
	CHECK(unlinkat(cg.fd[0], "memory.swap.max", 0) == 0);
	CHECK(unlinkat(cg.fd[0], "memory.swap.current", 0) == 0);
	CHECK(take() == 0);
	CHECK(strstr(oakum_stats_json(&s),
		     "\"usage\":{\"limit\":18446744073709551615,\"usage\":10000,\"max\":11000,"
		     "\"failcnt\":0},\"swap\":{\"limit\":18446744073709551615,\"usage\":10000,"
		     "\"failcnt\":0}"));
	CHECK(value(OAKUM_STAT_MEMORY_LIMIT) == UINT64_MAX);
	clean();
}

/* More CPUs and names than the first room of an array holds. */
static void many(void)
{
	char text[16384] = "", want[64];
	size_t len = 0;

	make_cgroup(CGROUP_V1, CGROUP_C_CPUACCT | CGROUP_C_MEMORY);
	for (int i = 0; i < 700; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d ", i);
	put("cpuacct.usage_percpu", text);
	len = 0;
	for (int i = 0; i < 300; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "name%03d %d\n", 299 - i,
					i);
	put("memory.stat", text);
	CHECK(take() == 0);
	CHECK(s.cg.cpu.percpu.n == 700 && s.cg.cpu.percpu.v[699] == 699);
	CHECK(s.cg.memory.n_raw == 300);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(want, sizeof(want), "name%03d", i);
		CHECK(strcmp(s.cg.memory.raw[i].name, want) == 0);
		CHECK(s.cg.memory.raw[i].value == (uint64_t)(299 - i));
	}
	clean();
}

/* The longest that each number can be: there is room for the text. */
static void long_numbers(void)
{
	static const char max[] = "18446744073709551615";
	char text[65536] = "";
	size_t len = 0;

	make_cgroup(CGROUP_V1, CGROUP_C_CPU | CGROUP_C_CPUACCT | CGROUP_C_MEMORY | CGROUP_C_PIDS |
				       CGROUP_C_BLKIO | CGROUP_C_RDMA);
	for (int i = 0; i < 900; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ", max);
	put("cpuacct.usage_percpu", text);
	len = 0;
	for (int i = 0; i < 900; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d %s %s\n", i, max, max);
	put("cpuacct.usage_all", text);
	len = 0;
	for (int i = 0; i < 400; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s:%s Read %s\n", max, max,
					max);
	put("blkio.throttle.io_serviced", text);
	put("blkio.throttle.io_service_bytes", text);
	len = 0;
	for (int i = 0; i < 400; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\"name%d\" %s\n", i, max);
	put("memory.stat", text);
	put("rdma.max", "device hca_handle=max hca_object=max\n");
	CHECK(take() == 0);
	CHECK(s.cg.cpu.percpu_user.n == 900 && s.cg.io.kind[CGROUP_STAT_IO_BYTES].n == 400);
	CHECK(oakum_stats_json(&s) && strlen(oakum_stats_json(&s)) > 100000);
	clean();
}

/* Lines that no kernel writes are stepped over. */
static void nonsense(void)
{
	make_cgroup(CGROUP_V1, CGROUP_C_CPUACCT | CGROUP_C_CPUSET | CGROUP_C_MEMORY |
				       CGROUP_C_BLKIO | CGROUP_C_RDMA);
	put("cpuacct.usage", "-1\n");
	put("cpuacct.usage_all", "x\n\n0\n0 1\n0 1 x\n");
	put("cpuset.cpus", "3-1,x\n");
	put("memory.stat", "\nalone\nname x\n 5\ngood 1\n");
	put("blkio.throttle.io_serviced", "8\n8:0\n8:x Read 1\n8:0 Read x\n:\n8:0 Read 1\n");
	put("rdma.current", " =\ndevice hca_handle= x=\n");
	CHECK(take() == 0);
	CHECK(s.cg.cpu.total == 0 && s.cg.cpu.percpu_user.n == 0 && s.cg.cpuset.cpus.n == 0);
	CHECK(s.cg.io.kind[CGROUP_STAT_IO_SERVICED].n == 1);
	CHECK(strstr(oakum_stats_json(&s), "\"good\":1"));
	clean();
}

static void oom_v2(void)
{
	struct cgroup below;
	struct cgroup_oom w;
	uint64_t n = 0;

	make_cgroup(CGROUP_V2, 0);
	CHECK(cgroup_oom_open(&cg, CGROUP_OOM_NOTIFY, &w, &err) == CGROUP_GONE);
	put("memory.events", "low 0\nhigh 0\nmax 12\noom 4\noom_kill 3\noom_group_kill 0\n");
	CHECK_OK(cgroup_oom_open(&cg, CGROUP_OOM_NOTIFY, &w, &err), err);
	CHECK(w.event < 0);
	CHECK(cgroup_oom_kills(&w, &n) == 0 && n == 3);
	put("memory.events", "oom 4\n");
	CHECK(cgroup_oom_kills(&w, &n) == -ENODATA);
	CHECK(w.above < 0 && cgroup_oom_kills_above(&w, &n) == CGROUP_GONE);
	cgroup_oom_close(&w);
	/* What counts for all of them, when this one is gone. */
	CHECK(mkdirat(cg.fd[0], "below", 0755) == 0);
	put("below/memory.events", "oom_kill 1\n");
	put("below/cgroup.events", "populated 1\n");
	put("memory.events", "oom 4\noom_kill 6\n");
	below = cg;
	below.fd[0] = openat(cg.fd[0], "below", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK_OK(cgroup_oom_open(&below, CGROUP_OOM_MANAGED, &w, &err), err);
	CHECK(unlinkat(below.fd[0], "memory.events", 0) == 0);
	CHECK(unlinkat(below.fd[0], "cgroup.events", 0) == 0);
	CHECK(unlinkat(cg.fd[0], "below", AT_REMOVEDIR) == 0);
	CHECK(cgroup_oom_kills_above(&w, &n) == 0 && n == 6);
	CHECK(w.emptied >= 0);
	close(below.fd[0]);
	cgroup_oom_close(&w);
	clean();
}

static void oom_v1(void)
{
	struct cgroup_oom w;
	uint64_t n = 0;

	make_cgroup(CGROUP_V1, CGROUP_C_MEMORY);
	put("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
	put("cgroup.event_control", "");
	CHECK_OK(cgroup_oom_open(&cg, CGROUP_OOM_NOTIFY, &w, &err), err);
	CHECK(w.event >= 0);
	/* Those of sub-cgroups are added. */
	CHECK(mkdirat(cg.fd[0], "sub", 0755) == 0);
	put("sub/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
	CHECK(cgroup_oom_kills(&w, &n) == 0 && n == 7);
	CHECK(!cgroup_oom_is_stuck(&w));
	put("memory.oom_control", "oom_kill_disable 1\nunder_oom 1\noom_kill 2\n");
	CHECK(cgroup_oom_is_stuck(&w));
	CHECK(unlinkat(cg.fd[0], "sub/memory.oom_control", 0) == 0);
	CHECK(unlinkat(cg.fd[0], "sub", AT_REMOVEDIR) == 0);
	cgroup_oom_close(&w);
	clean();
}

/* ---- what reads the files, by itself ---- */

static struct stat_reader reader(void)
{
	arena_done(&s.arena);
	s = (struct oakum_stats){.arena = ARENA_INIT};
	err = ERR_INIT;
	return (struct stat_reader){.dir = cg.fd[0], .arena = &s.arena, .err = &err};
}

static void words(void)
{
	static const struct {
		const char *text, *rest;
		int r;
		uint64_t v;
	} rows[] = {
		{"8:0 Read 1", "0 Read 1", 0, 8},
		{"7 =: x", "x", 0, 7},
		{"max\n", "\n", 0, CGROUP_STAT_MAX},
		{"18446744073709551615", "", 0, UINT64_MAX},
		{"18446744073709551616", "18446744073709551616", -EINVAL, 5},
		{"maximum", "maximum", -EINVAL, 5},
		{"ma", "ma", -EINVAL, 5},
		{"", "", -EINVAL, 5},
		{" 1", " 1", -EINVAL, 5},
		{"-1", "-1", -EINVAL, 5},
		{"1x", "1x", -EINVAL, 5},
	};
	char text[32], lines[] = "\n\none\n\ntwo", *p = lines;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t v = 5;

		p = strcpy(text, rows[i].text);
		CHECK(stat_parse(&p, &v) == rows[i].r && v == rows[i].v);
		CHECK(strcmp(p, rows[i].rest) == 0);
	}
	p = lines;
	CHECK(strcmp(stat_line(&p), "one") == 0 && strcmp(stat_line(&p), "two") == 0);
	CHECK(!stat_line(&p) && !stat_line(&p));
}

static void files(void)
{
	uint64_t a = 1, b = 2, c = 3;
	const struct stat_key keys[] = {{"a", &a, 10}, {"b", &b, 1}, {"c", &c, 1}};
	struct cgroup_stat_list l = {.n = 0};
	struct stat_reader rd;
	char name[300];

	make_cgroup(CGROUP_V2, 0);
	put("keys", "a 7\nab 8\nb x\nb\nmax 4\nc max\n");
	put("number", "42\n");
	put("list", "0,2-4,4095-4096\n9\n");
	put("cut", "1,5-x,7\n");
	rd = reader();
	CHECK(strcmp(stat_text(&rd, "none"), "") == 0 && rd.r == 0);
	stat_keys(&rd, "keys", keys, 3);
	CHECK(a == 70 && b == 2 && c == CGROUP_STAT_MAX);
	CHECK(stat_number(&rd, "number") == 42 && stat_number(&rd, "keys") == 0);
	CHECK(stat_number_of(&rd, "num", "ber") == 42 && stat_number_of(&rd, "number", "s") == 0);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK(stat_number_of(&rd, name, "x") == 0 && rd.r == 0);
	stat_cpus(&rd, "list", &l);
	CHECK(l.n == 6 && l.v[1] == 2 && l.v[3] == 4 && l.v[5] == 4096);
	l.n = 0;
	l.v = NULL;
	stat_cpus(&rd, "cut", &l);
	CHECK(l.n == 1 && l.v[0] == 1);

	/* What is there and cannot be read is a failure, and all is empty after it. */
	CHECK(mkdirat(cg.fd[0], "directory", 0755) == 0);
	CHECK(stat_number(&rd, "directory") == 0 && rd.r == -EINVAL && err.text[0]);
	CHECK(stat_number(&rd, "number") == 0 && strcmp(stat_text(&rd, "number"), "") == 0);
	CHECK(unlinkat(cg.fd[0], "directory", AT_REMOVEDIR) == 0);
	CHECK(mkdirat(cg.fd[0], "memory.stat", 0755) == 0);
	err = ERR_INIT;
	strcpy(cg.path, "/here");
	CHECK(cgroup_stat(&cg, &s.arena, &s.cg, &err) == -EINVAL);
	CHECK(strncmp(err.text, "statistics of cgroup /here: ", 28) == 0);
	CHECK(unlinkat(cg.fd[0], "memory.stat", AT_REMOVEDIR) == 0);
	clean();
}

/* Where each part of v1's I/O comes from, and huge pages by what counts. */
static void parts(void)
{
	struct cgroup_stat_hugepage page = {.size = "2MB"};
	struct stat_reader rd;

	make_cgroup(CGROUP_V1, CGROUP_C_BLKIO);
	put("blkio.io_serviced_recursive", "8:0 Read 1\n");
	put("blkio.time_recursive", "8:0 77\n");
	put("blkio.throttle.io_serviced_recursive", "8:0 Read 2\n");
	rd = reader();
	stat_v1_io(&rd, &s.cg);
	CHECK(s.cg.io.kind[CGROUP_STAT_IO_SERVICED].n == 1);
	CHECK(s.cg.io.kind[CGROUP_STAT_IO_SERVICED].v[0].value == 1);
	CHECK(s.cg.io.kind[CGROUP_STAT_IO_TIME].v[0].value == 77);
	CHECK(s.cg.io.kind[CGROUP_STAT_IO_TIME].v[0].op[0] == '\0');
	put("hugetlb.2MB.usage_in_bytes", "5\n");
	put("hugetlb.2MB.rsvd.usage_in_bytes", "6\n");
	put("hugetlb.2MB.rsvd.limit_in_bytes", "0\n");
	stat_v1_hugepage(&rd, "hugetlb.2MB", &page);
	CHECK(page.usage == 5);
	put("hugetlb.2MB.rsvd.limit_in_bytes", "1\n");
	stat_v1_hugepage(&rd, "hugetlb.2MB", &page);
	CHECK(page.usage == 6);
	put("hugetlb.2MB.current", "7\n");
	stat_v2_hugepage(&rd, "hugetlb.2MB", &page);
	CHECK(page.usage == 7 && page.failcnt == 0);
	/* Without a memory.stat there is no memory controller, whatever else is there. */
	put("memory.current", "9\n");
	stat_v2_memory(&rd, &s.cg);
	CHECK(s.cg.memory.usage.usage == 0 && s.cg.memory.swap.limit == 0);
	clean();
}

#define CASE(name)                                                                                 \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(name), 0);                                               \
	}
CASE(nothing_there)
CASE(v1_members)
CASE(v2_members)
CASE(many)
CASE(long_numbers)
CASE(nonsense)
CASE(oom_v1)
CASE(oom_v2)
CASE(words)
CASE(files)
CASE(parts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_there), cmocka_unit_test(test_v1_members),
		cmocka_unit_test(test_v2_members),    cmocka_unit_test(test_many),
		cmocka_unit_test(test_long_numbers),  cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_words),	      cmocka_unit_test(test_files),
		cmocka_unit_test(test_parts),	      cmocka_unit_test(test_oom_v1),
		cmocka_unit_test(test_oom_v2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
