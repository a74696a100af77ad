/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Classes and monitoring groups in a directory that stands in for resctrl. */
#include "test_rdt.h"
#include "base/arena.h"
#include "kernel/rdt.h"
#include "run/stats.h"

static struct err err;

static int look(const struct rdt_request *q, bool *make)
{
	err = ERR_INIT;
	return rdt_look(root, q, make, &err);
}

static void expect_error(int r, enum err_kind kind, const char *words)
{
	if (r < 0 && err.kind == kind && strstr(err.text, words))
		return;
	(void)fprintf(stderr, "%d, kind %d: %s; not: %s\n", r, (int)err.kind, err.text, words);
	_exit(1);
}

static void body_new_class(void)
{
	struct rdt_request q = {.group = "web",
				.schema = "L3:0=f0\nMB:0=20\n",
				.schemata = "L2:0=3\n",
				.mark = "/oakum/web"};
	bool make = false;

	resctrl_make();
	CHECK_OK(look(&q, &make), err);
	CHECK(make && !is_there("web"));
	CHECK_OK(rdt_make(root, &q, make, &err), err);
	/* The second write stands before the rest of the first in a plain file. */
	CHECK(holds("web/schemata", "L2:0=3\n\nMB:0=20") && holds("web/mark", "/oakum/web"));
	CHECK(rdt_join(root, "web", NULL, 4711, &err) == 0 && holds("web/tasks", "4711"));
	CHECK(rdt_join(root, "none", NULL, 1, &err) == RDT_GONE);
	put(root, "web/tasks", "");
	/* It is what the state says, whatever became of the mark. */
	CHECK(unlinkat(root, "web/mark", 0) == 0);
	CHECK_OK(rdt_remove(root, "web", NULL, false, &err), err);
	CHECK(is_there("web"));
	CHECK_OK(rdt_remove(root, "web", NULL, true, &err), err);
	CHECK(!is_there("web"));
	CHECK_OK(rdt_remove(root, "web", NULL, true, &err), err);
	resctrl_remove();
}

static void body_existing_class(void)
{
	struct rdt_request q = {.group = "gold", .must_exist = true, .mark = "m"};
	bool make = true;

	resctrl_make();
	expect_error(look(&q, &make), ERR_CONFIG, "resctrl class gold");
	CHECK(err.code == ENOENT && make);
	CHECK(mkdirat(root, "gold", 0755) == 0);
	put(root, "gold/schemata", "  L3:0=00ff0;1=3\n  MB:0=30;1=70\n");
	CHECK_OK(look(&q, &make), err);
	CHECK(!make);
	q.must_exist = false;
	/* Zeros in front, order, what is left out, and what the kernel rounds up make no
	 * difference. */
	q.schema = "L3:1=3;0=ff0\nMB:0=21\n";
	CHECK_OK(look(&q, &make), err);
	CHECK_OK(rdt_make(root, &q, make, &err), err);
	CHECK(holds("gold/schemata", "  L3:0=00ff0;1=3\n  MB:0=30;1=70") && !is_there("gold/mark"));
	q.schema = "L3:0=ff1\n";
	expect_error(look(&q, &make), ERR_CONFIG,
		     "class gold exists and does not have \"L3:0=ff1\"");
	q.schema = "MB:0=30\nMB:1=60\n";
	expect_error(look(&q, &make), ERR_CONFIG, "\"MB:1=60\"");
	q.schema = "L3:7=3\n";
	expect_error(look(&q, &make), ERR_CONFIG, "L3:7=3");
	q.schema = "L3CODE:0=3\n";
	expect_error(look(&q, &make), ERR_CONFIG, "L3CODE:0=3");
	q.schema = "L3:rubbish\n";
	expect_error(look(&q, &make), ERR_CONFIG, "L3:rubbish");
	/* Somebody else's class stays. */
	CHECK_OK(rdt_remove(root, "gold", NULL, false, &err), err);
	CHECK(is_there("gold"));
	resctrl_remove();
}

static void body_root_class(void)
{
	struct rdt_request q = {.group = "/", .must_exist = true, .monitor = "web", .mark = "m"};
	bool make = true;

	resctrl_make();
	CHECK_OK(look(&q, &make), err);
	CHECK(!make);
	CHECK_OK(rdt_make(root, &q, make, &err), err);
	CHECK_OK(rdt_join(root, "/", "web", 12, &err), err);
	CHECK(holds("tasks", "12") && holds("mon_groups/web/tasks", "12"));
	CHECK_OK(rdt_remove(root, "/", "web", true, &err), err);
	CHECK(!is_there("mon_groups/web") && is_there("schemata"));
	resctrl_remove();
}

static void body_monitor(void)
{
	struct rdt_request q = {.group = "gold", .monitor = "web", .mark = "m"};
	bool make = false;

	resctrl_make();
	CHECK_OK(look(&q, &make), err);
	CHECK_OK(rdt_make(root, &q, make, &err), err);
	CHECK(holds("gold/mon_groups/web/mark", "m"));
	CHECK_OK(rdt_join(root, "gold", "web", 99, &err), err);
	CHECK(holds("gold/tasks", "99") && holds("gold/mon_groups/web/tasks", "99"));
	expect_error(look(&q, &make), ERR_EXISTS, "monitoring group web");
	q.monitor = "other";
	CHECK_OK(look(&q, &make), err);
	CHECK_OK(rdt_make(root, &q, make, &err), err);
	/* The class of two goes with the second, whoever has made it. */
	put(root, "gold/tasks", "");
	CHECK_OK(rdt_remove(root, "gold", "web", true, &err), err);
	CHECK(is_there("gold/mon_groups/other") && !is_there("gold/mon_groups/web"));
	CHECK_OK(rdt_remove(root, "gold", "other", false, &err), err);
	CHECK(!is_there("gold"));
	/* A CPU that cannot count. */
	CHECK(unlinkat(root, "mon_groups", AT_REMOVEDIR) == 0);
	expect_error(look(&q, &make), ERR_UNSUPPORTED, "does not monitor");
	CHECK(strstr(err.hint, "cqm"));
	resctrl_remove();
}

/* A class with somebody in it stays; one whose last process is a zombie goes. */
static void body_used(void)
{
	struct rdt_request q = {.group = "web", .mark = "m"};
	siginfo_t info;
	char text[32];
	pid_t pid;

	resctrl_make();
	CHECK_OK(rdt_make(root, &q, true, &err), err);
	(void)snprintf(text, sizeof(text), "%d\n", getpid());
	put(root, "web/tasks", text);
	CHECK_OK(rdt_remove(root, "web", NULL, true, &err), err);
	CHECK(is_there("web"));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(0);
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	(void)snprintf(text, sizeof(text), "%d\n", pid);
	put(root, "web/tasks", text);
	CHECK_OK(rdt_remove(root, "web", NULL, true, &err), err);
	CHECK(!is_there("web"));
	CHECK(waitpid(pid, NULL, 0) == pid);
	resctrl_remove();
}

/* Where no state says what there was, the mark does. */
static void body_sweep(void)
{
	struct rdt_request mine = {.group = "web", .monitor = "web", .mark = "/oakum/web"};
	struct rdt_request shared = {.group = "gold", .monitor = "web", .mark = "/oakum/web"};
	struct rdt_request others = {.group = "db", .monitor = "db", .mark = "/oakum/db"};

	resctrl_make();
	CHECK_OK(rdt_make(root, &mine, true, &err), err);
	CHECK_OK(rdt_make(root, &others, true, &err), err);
	CHECK(mkdirat(root, "gold", 0755) == 0);
	CHECK_OK(rdt_make(root, &shared, false, &err), err);
	shared.group = "/";
	CHECK_OK(rdt_make(root, &shared, false, &err), err);
	CHECK_OK(rdt_sweep(root, "/oakum/web", &err), err);
	CHECK(!is_there("web") && is_there("gold") && !is_there("gold/mon_groups/web"));
	CHECK(!is_there("mon_groups/web") && is_there("db/mon_groups/db"));
	CHECK(is_there("mon_groups") && is_there("mon_data") && is_there("info"));
	resctrl_remove();
}

static void body_refused(void)
{
	struct rdt_request q = {.group = "web", .schemata = "L3:0=0\n", .mark = "m"};

	resctrl_make();
	free_groups = 0;
	err = ERR_INIT;
	expect_error(rdt_make(root, &q, true, &err), ERR_RUNTIME, "make resctrl class web");
	CHECK(err.code == ENOSPC && strstr(err.hint, "num_closids"));
	free_groups = 1;
	CHECK(mkdirat(root, "web", 0755) == 0);
	CHECK(unlinkat(root, "web/schemata", 0) == 0);
	CHECK(symlinkat("nowhere", root, "web/schemata") == 0);
	put(root, "info/last_cmd_status", "Need to have at least 1 bit set\n");
	err = ERR_INIT;
	expect_error(rdt_make(root, &q, false, &err), ERR_RUNTIME,
		     "write the schemata of resctrl class web");
	CHECK(strstr(err.hint, "the kernel says: Need to have at least 1 bit set"));
	resctrl_remove();
}

static void body_open(void)
{
	int fd;

	resctrl_make();
	fd = rdt_open(&err);
	CHECK(fd >= 0 && faccessat(fd, "mon_data", F_OK, 0) == 0);
	close(fd);
	is_mounted = false;
	err = ERR_INIT;
	expect_error(rdt_open(&err), ERR_UNSUPPORTED, "resctrl");
	CHECK(strstr(err.hint, "mount -t resctrl") || strstr(err.hint, "CONFIG_X86_CPU_RESCTRL"));
	resctrl_remove();
}

static void make_directories(const char *const *names)
{
	for (; *names; names++)
		CHECK(make_directory(root, *names) == 0);
}

/* The members that runc has, from a CPU that has it all. */
static void body_stat(void)
{
	static const char *const directories[] = {"info/L3",

						  "info/L3_MON",
						  "web/mon_data",
						  "web/mon_data/mon_L3_00",
						  "web/mon_data/mon_L3_01",
						  "web/mon_data/other",
						  NULL};
	struct oakum_stats s = {.arena = ARENA_INIT, .has_rdt = true};

	resctrl_make();
	CHECK(rdt_stat(root, "web", NULL, &s.arena, &s.rdt, &err) == RDT_GONE);
	CHECK(mkdirat(root, "web", 0755) == 0);
	make_directories(directories);
	put(root, "info/L3/cbm_mask", "fffff\n");
	put(root, "info/L3/min_cbm_bits", "1\n");
	put(root, "info/L3/num_closids", "16\n");
	put(root, "info/MB/bandwidth_gran", "10\n");
	put(root, "info/MB/delay_linear", "1\n");
	put(root, "info/MB/min_bandwidth", "10\n");
	put(root, "info/MB/num_closids", "8\n");
	put(root, "info/L3_MON/mon_features", "llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n");
	put(root, "schemata", "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n");
	put(root, "web/schemata", "    L3:0=ff;1=f\n    MB:0=50;1=20\n");
	put(root, "web/mon_data/mon_L3_00/llc_occupancy", "16384\n");
	put(root, "web/mon_data/mon_L3_00/mbm_total_bytes", "9\n");
	put(root, "web/mon_data/mon_L3_00/mbm_local_bytes", "Unavailable\n");
	put(root, "web/mon_data/mon_L3_01/mbm_local_bytes", "7\n");
	CHECK_OK(rdt_stat(root, "web", NULL, &s.arena, &s.rdt, &err), err);
	s.json = NULL;
	CHECK(strstr(oakum_stats_json(&s),
		     "\"intel_rdt\":{\"l3_cache_info\":{\"cbm_mask\":\"fffff\",\"min_cbm_bits\":1,"
		     "\"num_closids\":16},\"l3_cache_schema_root\":\"L3:0=fffff;1=fffff\","
		     "\"l3_cache_schema\":\"L3:0=ff;1=f\",\"mem_bw_info\":{\"bandwidth_gran\":10,"
		     "\"delay_linear\":1,\"min_bandwidth\":10,\"num_closids\":8},"
		     "\"mem_bw_schema_root\":\"MB:0=100;1=100\",\"mem_bw_schema\":\"MB:0=50;1=20\","
		     "\"schemata\":\"    L3:0=ff;1=f\\n    MB:0=50;1=20\","
		     "\"mbm_stats\":[{\"mbm_total_bytes\":9},{\"mbm_local_bytes\":7}],"
		     "\"cmt_stats\":[{\"llc_occupancy\":16384},{}]}"));
	arena_done(&s.arena);
	resctrl_remove();
}

static void body_update(void)
{
	resctrl_make();
	CHECK(rdt_update(root, "web", "L3:0=f\n", &err) == RDT_GONE);
	CHECK(mkdirat(root, "web", 0755) == 0);
	CHECK_OK(rdt_update(root, "web", "L3:0=f\n", &err), err);
	CHECK(holds("web/schemata", "L3:0=f"));
	CHECK(syscall(SYS_unlinkat, root, "web/schemata", 0) == 0);
	CHECK(make_directory(root, "web/schemata") == 0);
	put(root, "info/last_cmd_status", "Mask out of range\n");
	CHECK(rdt_update(root, "web", "L3:0=f\n", &err) < 0);
	CHECK(strstr(err.text, "write the schemata of resctrl class web"));
	CHECK(strstr(err.hint, "Mask out of range"));
	resctrl_remove();
}

static void body_find(void)
{
	FILE *f = tmpfile();
	char buf[64], tiny[4], path[FD_PATH_SIZE];

	CHECK(f);
	(void)fputs(
		"30 1 0:1 / /a rw - tmpfs resctrl rw\nrubbish - resctrl x\n"
		"31 1 0:2 / /my\\040res\\134ctrl rw,nosuid shared:1 master:2 - resctrl none rw\n",
		f);
	CHECK(fflush(f) == 0);
	(void)fd_path(fileno(f), path);
	CHECK(rdt_find(path, buf, sizeof(buf)) == 0 && strcmp(buf, "/my res\\ctrl") == 0);
	CHECK(rdt_find(path, tiny, sizeof(tiny)) == -ENOENT);
	(void)fclose(f);
	CHECK(!rdt_bad_name("web-1.x") && rdt_bad_name("") && rdt_bad_name("info"));
	CHECK(rdt_bad_name("..") && rdt_bad_name("a/b") && rdt_bad_name("a\nb"));
	CHECK(rdt_bad_name("mon_groups") && rdt_bad_name("mon_data"));
}

#define IN_CHILD(name)                                                                             \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(body_##name), 0);                                        \
	}

IN_CHILD(new_class)
IN_CHILD(existing_class)
IN_CHILD(root_class)
IN_CHILD(monitor)
IN_CHILD(used)
IN_CHILD(sweep)
IN_CHILD(refused)
IN_CHILD(open)
IN_CHILD(find)
IN_CHILD(stat)
IN_CHILD(update)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_class),  cmocka_unit_test(test_existing_class),
		cmocka_unit_test(test_root_class), cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_used),	   cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_refused),	   cmocka_unit_test(test_open),
		cmocka_unit_test(test_find),	   cmocka_unit_test(test_stat),
		cmocka_unit_test(test_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
