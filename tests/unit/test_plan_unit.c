/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What systemd is told of a container's limits, new ones and changes of what stands in its cgroup;
 * the lines of a resctrl class; and whether there is a unit to tell. Golden plans hold whole
 * scopes, here are the values that few configurations have.
 */
#include "base/str.h"
#include "run/unit.h"
#include "test_plain_cgroup.h"

static struct cgroup_limits l;
static struct plan_properties before, after;
static struct arena arena = ARENA_INIT;
static unsigned version;

/* ";"-separated: those before the process joins, "|", those after. */
static const char *told(const struct cgroup *live)
{
	static char text[4096];
	const struct plan_unit_limits request = {
		.host = &host, .path = "/web", .limits = &l, .systemd = version, .live = live};
	struct strbuf b;

	before = after = (struct plan_properties){.n = 0};
	err = ERR_INIT;
	if (plan_unit_limits(&request, &before, &after, &arena, &err) < 0)
		return "refused";
	strbuf_init(&b, text, sizeof(text));
	for (size_t i = 0; i < before.n; i++)
		strbuf_fmt(&b, "%s;", before.v[i]);
	strbuf_addc(&b, '|');
	for (size_t i = 0; i < after.n; i++)
		strbuf_fmt(&b, "%s;", after.v[i]);
	return text;
}

static void tells(const struct cgroup *live, const char *want)
{
	const char *got = told(live);

	if (strcmp(got, want) != 0) {
		(void)fprintf(stderr, "%s\nis not\n%s\n%s\n", got, want, err.text);
		_exit(1);
	}
	l = no_limits;
}

/* A new cgroup of v2 that "unified" says one thing of. */
static void unified(const char *key, const char *value, const char *want)
{
	const struct cgroup_unified u = {key, value};

	l.unified = &u;
	l.n_unified = 1;
	tells(NULL, want);
}

#define SET(member, ...) (l.member = (typeof(l.member)){true, __VA_ARGS__})
#define INFINITE	 "18446744073709551615"

static void amounts(void)
{
	plain_open(CGROUP_V2, 0);
	tells(NULL, "|");
	unified("memory.max", "1G", "|MemoryMax=uint64 1073741824;");
	unified("memory.high", "max", "|MemoryHigh=uint64 " INFINITE ";");
	unified("memory.low", "0", "|MemoryLow=uint64 0;");
	unified("memory.min", "4096", "|MemoryMin=uint64 4096;");
	unified("memory.swap.max", "5k", "|MemorySwapMax=uint64 5120;");
	unified("memory.zswap.max", "1", "|MemoryZSwapMax=uint64 1;");
	unified("pids.max", "max", "|TasksMax=uint64 " INFINITE ";");
	unified("cpu.weight", "10000", "|CPUWeight=uint64 10000;");
	/* The kernel will say what is wrong with it; and what systemd has no name for is ours. */
	unified("memory.max", "much", "|");
	unified("hugetlb.2MB.max", "1", "|");
	SET(pids_limit, -1);
	tells(NULL, "|TasksMax=uint64 " INFINITE ";");
	host.mode = CGROUP_V1;
	host.h[0].v2 = false;
	host.h[0].controllers = CGROUP_C_MEMORY | CGROUP_C_CPU | CGROUP_C_PIDS;
	SET(memory_limit, 8192);
	SET(cpu_shares, 512);
	SET(pids_limit, 3);
	tells(NULL, "|MemoryLimit=uint64 8192;CPUShares=uint64 512;TasksMax=uint64 3;");
	SET(memory_limit, -1);
	tells(NULL, "|MemoryLimit=uint64 " INFINITE ";");
	l.unified = &(struct cgroup_unified){"memory.max", "1"};
	l.n_unified = 1;
	CHECK(str_eq(told(NULL), "refused"));
	CHECK(str_eq(err.pointer, "/linux/resources/unified/memory.max"));
}

#define QUOTA(period, rate)                                                                        \
	"CPUQuotaPeriodUSec=uint64 " period ";CPUQuotaPerSecUSec=uint64 " rate ";"

static void quotas(void)
{
	plain_open(CGROUP_V2, 0);
	unified("cpu.max", "50000", "|" QUOTA("100000", "500000"));
	unified("cpu.max", "50000 20000", "|" QUOTA("20000", "2500000"));
	unified("cpu.max", "max 20000", "|" QUOTA("20000", INFINITE));
	/* Rounded up to what systemd makes of it. */
	unified("cpu.max", "1000 1000000", "|" QUOTA("1000000", "10000"));
	unified("cpu.max", "10001 1000000", "|" QUOTA("1000000", "20000"));
	/* More than can be multiplied. */
	unified("cpu.max", "18446744073709551614 1000", "|" QUOTA("1000", INFINITE));
	SET(cpu_quota, -1);
	tells(NULL, "|" QUOTA("100000", INFINITE));
	/* What the update leaves alone is what stands there. */
	put("cpu.max", "25000 100000\n");
	SET(cpu_period, 50000);
	tells(&cg, "|" QUOTA("50000", "500000"));
	SET(cpu_quota, 70000);
	tells(&cg, "|" QUOTA("100000", "700000"));
	put("cpu.max", "max 40000\n");
	SET(cpu_quota, 20000);
	tells(&cg, "|" QUOTA("40000", "500000"));
	SET(cpu_period, 1000);
	tells(&cg, "|" QUOTA("1000", INFINITE));
	SET(pids_limit, 7);
	tells(&cg, "|TasksMax=uint64 7;");
}

static void quotas_v1(void)
{
	plain_open(CGROUP_V1, CGROUP_C_CPU);
	SET(cpu_quota, 5000);
	tells(NULL, "|" QUOTA("100000", "50000"));
	put("cpu.cfs_period_us", "40000\n");
	put("cpu.cfs_quota_us", "-1\n");
	SET(cpu_quota, 20000);
	tells(&cg, "|" QUOTA("40000", "500000"));
	SET(cpu_period, 10000);
	tells(&cg, "|" QUOTA("10000", INFINITE));
	put("cpu.cfs_quota_us", "20000\n");
	SET(cpu_period, 10000);
	tells(&cg, "|" QUOTA("10000", "2000000"));
}

static void idle(void)
{
	plain_open(CGROUP_V2, 0);
	SET(cpu_idle, 1);
	tells(NULL, "|CPUWeight=uint64 0;");
	version = 252;
	SET(cpu_idle, 1);
	tells(NULL, "|CPUWeight=uint64 0;");
	SET(cpu_idle, 0);
	tells(NULL, "|");
	/* There it would be an error. */
	version = 251;
	SET(cpu_idle, 1);
	tells(NULL, "|");
}

static void cpus(void)
{
	plain_open(CGROUP_V2, 0);
	l.cpuset_cpus = "0-3,7";
	l.cpuset_mems = "1";
	tells(NULL, "AllowedCPUs=@ay [0x8f];AllowedMemoryNodes=@ay [0x02];|");
	unified("cpuset.cpus", "8", "|AllowedCPUs=@ay [0x00,0x01];");
	unified("cpuset.cpus", "15,0", "|AllowedCPUs=@ay [0x01,0x80];");
	unified("cpuset.mems", "0,", "|AllowedMemoryNodes=@ay [0x01];");
	unified("cpuset.cpus", "3-1", "|");
	unified("cpuset.cpus", "0-", "|");
	unified("cpuset.cpus", "x", "|");
	unified("cpuset.cpus", "8192", "|");
	unified("cpuset.cpus", "0-8192", "|");
	l.cpuset_cpus = "8191";
	CHECK(str_starts(told(NULL), "AllowedCPUs=@ay [0x00,0x00,"));
	CHECK(str_ends(before.v[0], ",0x00,0x80]"));
	CHECK(strlen(before.v[0]) > 1024 * 4);
	/* v1 has no property for it. */
	host.mode = CGROUP_V1;
	host.h[0].v2 = false;
	host.h[0].controllers = CGROUP_C_CPUSET;
	tells(NULL, "|");
}

static void block_io(void)
{
	plain_open(CGROUP_V2, 0);
	unified("io.weight", "300", "|IOWeight=uint64 300;");
	unified("io.weight", "default 10000", "|IOWeight=uint64 10000;");
	unified("io.weight", "8:0 1", "|IODeviceWeight=[('/dev/block/8:0',uint64 1)];");
	unified("io.bfq.weight", "1000", "|IOWeight=uint64 10000;");
	unified("io.bfq.weight", "10", "|IOWeight=uint64 1;");
	unified("io.bfq.weight", "9", "|IOWeight=uint64 9;");
	unified("io.bfq.weight", "505", "|IOWeight=uint64 5000;");
	unified("io.weight", "0", "|");
	unified("io.weight", "10001", "|");
	unified("io.max", "8:0 rbps=1048576 wbps=max riops=5\n8:16 wiops=7 rbps=2",
		"|IOReadBandwidthMax=[('/dev/block/8:0',uint64 1048576),"
		"('/dev/block/8:16',uint64 2)];"
		"IOWriteBandwidthMax=[('/dev/block/8:0',uint64 " INFINITE ")];"
		"IOReadIOPSMax=[('/dev/block/8:0',uint64 5)];"
		"IOWriteIOPSMax=[('/dev/block/8:16',uint64 7)];");
	unified("io.max", "8:0 rbps=x wbps riops= other=1 =2", "|");
}

static void block_io_v1(void)
{
	static const struct cgroup_io_rate rates[] = {{CGROUP_IO_READ_BPS, 8, 0, 100},
						      {CGROUP_IO_WRITE_BPS, 8, 1, 200},
						      {CGROUP_IO_READ_IOPS, 8, 2, 300},
						      {CGROUP_IO_READ_BPS, 8, 3, 400}};
	static const struct cgroup_io_weight weight = {8, 4, 500, 0};

	plain_open(CGROUP_V1, CGROUP_C_BLKIO);
	l.io_rates = rates;
	l.n_io_rates = 4;
	l.io_weights = &weight;
	l.n_io_weights = 1;
	SET(io_weight, 10);
	/* systemd has no words for the number of operations there. */
	tells(NULL, "|BlockIOWeight=uint64 10;"
		    "BlockIOReadBandwidth=[('/dev/block/8:0',uint64 100),"
		    "('/dev/block/8:3',uint64 400)];"
		    "BlockIOWriteBandwidth=[('/dev/block/8:1',uint64 200)];"
		    "BlockIODeviceWeight=[('/dev/block/8:4',uint64 500)];");
}

/* ---- devices ---- */

#define ALLOW(type, major, minor, r, w, m)                                                         \
	{                                                                                          \
		true, type, major, minor, r, w, m                                                  \
	}
#define DENY(type, major, minor, r, w, m)                                                          \
	{                                                                                          \
		false, type, major, minor, r, w, m                                                 \
	}
#define ALLOWED "DevicePolicy='strict';DeviceAllow="

static void rules(const struct cgroup_device_rule *v, size_t n, const char *want)
{
	struct cgroup_limits limits = {.devices = v, .n_devices = n};
	struct plan_properties p = {.n = 0};
	char text[1024];
	struct strbuf b;

	plan_unit_devices(&limits, false, &p, &arena);
	strbuf_init(&b, text, sizeof(text));
	for (size_t i = 0; i < p.n; i++)
		strbuf_fmt(&b, "%s%s", i ? ";" : "", p.v[i]);
	assert_false(p.no_memory);
	assert_string_equal(text, want);
}

#define RULES(want, ...)                                                                           \
	do {                                                                                       \
		static const struct cgroup_device_rule v[] = {__VA_ARGS__};                        \
		rules(v, ARRAY_SIZE(v), want);                                                     \
	} while (0)

static void devices(void **state)
{
	struct cgroup_limits limits = {.n_devices = 0};
	struct plan_properties again = {.n = 0};

	(void)state;
	rules(NULL, 0, "DevicePolicy='strict'");
	RULES("DevicePolicy='auto'", ALLOW('a', -1, -1, 1, 1, 1));
	RULES("DevicePolicy='strict'", ALLOW('a', -1, -1, 1, 1, 1), DENY('a', -1, -1, 1, 1, 1));
	/* All of it but mknod is not everything. */
	RULES(ALLOWED "[('block-*','rw'),('char-*','rw')]", ALLOW('a', -1, -1, 1, 1, 0));
	RULES(ALLOWED "[('/dev/char/1:3','rwm'),('block-8','r')]", DENY('a', -1, -1, 1, 1, 1),
	      ALLOW('c', 1, 3, 1, 1, 1), ALLOW('b', 8, -1, 1, 0, 0));
	/* No word for any major with one minor. */
	RULES(ALLOWED "[('char-*','w')]", ALLOW('c', -1, 5, 0, 1, 0));
	RULES(ALLOWED "[('/dev/char/1:3','rw')]", ALLOW('c', 1, 3, 1, 0, 0),
	      ALLOW('c', 1, 3, 0, 1, 0));
	RULES(ALLOWED "[('/dev/block/1:3','r'),('/dev/char/1:3','w')]", ALLOW('b', 1, 3, 1, 0, 0),
	      ALLOW('c', 1, 3, 0, 1, 0));
	/* A denial takes out what it covers, in part or whole, and nothing else. */
	RULES(ALLOWED "[('/dev/char/1:3','rm')]", ALLOW('c', 1, 3, 1, 1, 1),
	      DENY('c', 1, 3, 0, 1, 0));
	RULES(ALLOWED "[('/dev/block/8:0','r')]", ALLOW('c', 1, 3, 1, 1, 1),
	      ALLOW('b', 8, 0, 1, 1, 0), DENY('c', 1, -1, 1, 1, 1), DENY('a', -1, -1, 0, 1, 0));
	RULES(ALLOWED "[('char-1','rwm')]", ALLOW('c', 1, -1, 1, 1, 1), DENY('c', 1, 3, 1, 1, 1));
	RULES(ALLOWED "[('char-1','rwm')]", ALLOW('c', 1, -1, 1, 1, 1), DENY('b', 1, -1, 1, 1, 1));
	/* After everything was allowed, or denied, all before is forgotten. */
	RULES(ALLOWED "[('/dev/char/5:0','r')]", ALLOW('c', 1, 3, 1, 1, 1),
	      DENY('a', -1, -1, 1, 1, 1), ALLOW('c', 5, 0, 1, 0, 0));
	RULES("DevicePolicy='auto'", ALLOW('a', -1, -1, 1, 1, 1), DENY('c', 1, 3, 1, 1, 1));
	plan_unit_devices(&limits, true, &again, &arena);
	assert_int_equal(again.n, 2);
	assert_string_equal(again.v[0], "DeviceAllow=@a(ss) []");
}

/* ---- resctrl ---- */

static struct spec spec;
static struct plan plan;

static int make_rdt(const char *id)
{
	const struct plan_host h = {.default_cgroup_parent = "/oakum-1"};

	plan = (struct plan){.id = id};
	err = ERR_INIT;
	return plan_make_rdt(&spec, &h, &plan, &arena, &err);
}

static void rdt(void **state)
{
	const char *lines[] = {"L3:1=3", "L2:0=1", NULL};

	(void)state;
	assert_int_equal(make_rdt("web"), 0);
	assert_null(plan.rdt);
	spec.rdt.present = true;
	assert_int_equal(make_rdt("web"), 0);
	assert_string_equal(plan.rdt->group, "web");
	assert_string_equal(plan.rdt->mark, "/oakum-1/web");
	assert_null(plan.rdt->schema);
	assert_null(plan.rdt->schemata);
	assert_null(plan.rdt->monitor);
	assert_false(plan.rdt->must_exist);
	assert_string_equal(plan_rdt_lines(&spec.rdt, &arena), "");
	/* A class without lines is somebody else's. */
	spec.rdt.clos_id = "gold";
	spec.rdt.monitoring = true;
	assert_int_equal(make_rdt("web"), 0);
	assert_true(plan.rdt->must_exist);
	assert_string_equal(plan.rdt->group, "gold");
	assert_string_equal(plan.rdt->monitor, "web");
	spec.rdt.cache = "L3:0=f";
	assert_int_equal(make_rdt("web"), 0);
	assert_false(plan.rdt->must_exist);
	spec.rdt.cache = NULL;
	spec.rdt.schemata = (struct spec_strings){lines, 2};
	assert_int_equal(make_rdt("web"), 0);
	assert_false(plan.rdt->must_exist);
	/* The bandwidth has a member of its own. */
	spec.rdt.cache = "L3:0=f\nMB:0=10\n\nL2:0=1";
	spec.rdt.bandwidth = "MB:0=70";
	assert_int_equal(make_rdt("web"), 0);
	assert_false(plan.rdt->must_exist);
	assert_string_equal(plan.rdt->schema, "L3:0=f\nL2:0=1\nMB:0=70\n");
	assert_string_equal(plan.rdt->schemata, "L3:1=3\nL2:0=1\n");
	assert_string_equal(plan_rdt_lines(&spec.rdt, &arena),
			    "L3:0=f\nL2:0=1\nMB:0=70\nL3:1=3\nL2:0=1\n");
}

static void rdt_names(void **state)
{
	(void)state;
	spec = (struct spec){.rdt = {.present = true, .clos_id = "/"}};
	assert_int_equal(make_rdt("mon_groups"), 0);
	/* The id names a group only where it has to. */
	spec.rdt.monitoring = true;
	assert_true(make_rdt("mon_groups") < 0);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.pointer, "/linux/intelRdt");
	spec.rdt.clos_id = "mon_data";
	assert_true(make_rdt("web") < 0);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.pointer, "/linux/intelRdt/closID");
	assert_non_null(strstr(err.text, "\"mon_data\""));
	spec.rdt = (struct spec_rdt){.present = true};
	assert_true(make_rdt("info") < 0);
	assert_non_null(strstr(err.text, "the container's id \"info\""));
}

/* ---- is there a unit? ---- */

static void as_nobody(void)
{
	CHECK(setresuid(65534, 65534, 65534) == 0);
	CHECK(unit_attaches("x.scope", true));
	CHECK(!unit_attaches("x.scope", false));
	CHECK(!unit_attaches("", true) && !unit_attaches(NULL, true));
}

static void unit(void **state)
{
	struct oakum o = {.manager = OAKUM_CGROUPFS, .rootless = 1, .planning = true};
	struct cgroup_systemd systemd = CGROUP_SYSTEMD_INIT;
	struct plan_systemd found;
	struct state s = {.boot_id = handle_boot_id(&o)};
	char want[96];

	(void)state;
	assert_false(unit_exists(&o, &s));
	s.unit = "";
	assert_false(unit_exists(&o, &s));
	s.unit = "oakum-web.scope";
	assert_true(unit_exists(&o, &s));
	s.boot_id = "another";
	assert_false(unit_exists(&o, &s));

	assert_int_equal(unit_look(&o, &systemd, 0, &arena, &found, &err), 0);
	assert_false(found.wanted);
	o.manager = OAKUM_CGROUP_SYSTEMD;
	assert_int_equal(unit_look(&o, &systemd, 0, &arena, &found, &err), 0);
	assert_true(found.wanted && found.user);
	assert_int_equal(found.version, 0);
	snprintf(want, sizeof(want), "/user.slice/user-%u.slice/user@%u.service", geteuid(),
		 geteuid());
	assert_string_equal(found.root, want);
	o.rootless = 0;
	assert_int_equal(unit_look(&o, &systemd, 0, &arena, &found, &err), 0);
	assert_true(found.wanted && !found.user);
	assert_string_equal(found.root, "");
	if (geteuid() != 0)
		return;
	assert_false(unit_attaches("x.scope", true));
	assert_int_equal(in_child(as_nobody), 0);
}

#define CASE(name)                                                                                 \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		plain_run(name);                                                                   \
	}
CASE(amounts)
CASE(quotas)
CASE(quotas_v1)
CASE(idle)
CASE(cpus)
CASE(block_io)
CASE(block_io_v1)

/* Whom an error of a property is blamed on: the pointer, "" : not on an annotation. */
static void blame(void **state)
{
	struct spec_pair pairs[] = {{"MemoryMax", "5"}, {"TimeoutStopSec", "1"}};
	static const struct {
		size_t n;
		const char *text, *want;
	} rows[] = {
		{2, "start x.scope: Cannot set property MemoryMax, or unknown property.",
		 "/annotations/org.systemd.property.MemoryMax"},
		{2, "Cannot set property TimeoutStopUSec, or unknown property.",
		 "/annotations/org.systemd.property.TimeoutStopSec"},
		{2, "property TimeoutStopSec: x: not a number",
		 "/annotations/org.systemd.property.TimeoutStopSec"},
		{2, "Failed to set unit properties: Unexpected message contents", "/annotations"},
		{1, "Failed to set unit properties: Unexpected message contents",
		 "/annotations/org.systemd.property.MemoryMax"},
		{1, "Cannot set property MemoryMaxScale, or unknown property.", ""},
		{0, "Cannot set property MemoryMax, or unknown property.", ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		spec.known.systemd_properties.v = pairs;
		spec.known.systemd_properties.n = rows[i].n;
		err = ERR_INIT;
		(void)err_set(&err, EROFS, "%s", rows[i].text);
		plan_blame_property(&spec, &err);
		assert_string_equal(err.pointer, rows[i].want);
		assert_int_equal(err.kind, rows[i].want[0] ? ERR_CONFIG : ERR_RUNTIME);
		assert_int_equal(err.code, rows[i].want[0] ? 0 : EROFS);
	}
	spec.known.systemd_properties.n = 0;
}

static int done(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_amounts),
		cmocka_unit_test(test_quotas),
		cmocka_unit_test(test_quotas_v1),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_block_io),
		cmocka_unit_test(test_block_io_v1),
		cmocka_unit_test(devices),
		cmocka_unit_test(rdt),
		cmocka_unit_test(rdt_names),
		cmocka_unit_test(unit),
		cmocka_unit_test(blame),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
