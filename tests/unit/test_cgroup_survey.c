/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is foreseen of a cgroup before it is made: places where none can be made, files and
 * controllers that are not there, and what would be written.
 */
#include "test_machine.h"

/* ---- the whole ---- */

static struct err problems[8];
static size_t n_problems;

static void note(void *data, const struct err *e)
{
	CHECK(data == problems && n_problems < ARRAY_SIZE(problems));
	problems[n_problems++] = *e;
}

static size_t survey(const char *path)
{
	n_problems = 0;
	cgroup_survey(&host, path, &l, note, problems);
	return n_problems;
}

static bool says(size_t i, int code, const char *pointer, const char *text, const char *hint)
{
	const struct err *e = &problems[i];

	if (e->code == code && str_eq(e->pointer, pointer) && str_eq(e->text, text) &&
	    str_eq(e->hint, hint))
		return true;
	(void)fprintf(stderr, "%d at \"%s\": %s (%s)\n", e->code, e->pointer, e->text, e->hint);
	return false;
}

static void body_leaf(void)
{
	machine(CGROUP_HYBRID, CGROUP_C_FREEZER);
	CHECK(survey("/a/b") == 0);
	make_dir(V1_DIR "/a/b");
	make_dir(V2_DIR "/a/b");
	CHECK(survey("/a/b") == 0);
	/* In both hierarchies, said once. */
	give(V1_DIR "/a/b/cgroup.procs", "1\n");
	give(V2_DIR "/a/b/cgroup.events", "populated 1\nfrozen 0\n");
	CHECK(survey("/a/b") == 1 && problems[0].kind == ERR_STATE);
	CHECK(says(0, 0, "/linux/cgroupsPath", "cgroup /a/b: container's cgroup is not empty",
		   V1_DIR "/a/b is in use: choose another /linux/cgroupsPath"));
	give(V1_DIR "/a/b/cgroup.procs", "");
	give(V2_DIR "/a/b/cgroup.events", "populated 0\nfrozen 1\n");
	CHECK(survey("/a/b") == 1);
	CHECK(says(0, 0, "/linux/cgroupsPath",
		   "cgroup /a/b: container's cgroup unexpectedly frozen",
		   V2_DIR "/a/b is in use: choose another /linux/cgroupsPath"));
	give(V2_DIR "/a/b/cgroup.events", "populated 0\nfrozen 0\n");
	give(V1_DIR "/a/b/freezer.state", "FREEZING\n");
	CHECK(survey("/a/b") == 1 && strstr(problems[0].hint, V1_DIR));
	/* A file in its place, and above it. */
	CHECK(survey("/a/b/freezer.state") == 1);
	CHECK(says(0, ENOTDIR, "/linux/cgroupsPath",
		   "cgroup /a/b/freezer.state: open cgroup " V1_DIR "/a/b/freezer.state",
		   "it is a file of the cgroup above: choose another name"));
	CHECK(survey("/a/b/freezer.state/c") == 1);
	CHECK(says(0, ENOTDIR, "/linux/cgroupsPath",
		   "cgroup /a/b/freezer.state/c: open cgroup " V1_DIR "/a/b/freezer.state",
		   "it is a file of the cgroup above: choose another name"));
}

static void body_places(void)
{
	machine(CGROUP_V1, CGROUP_C_CPU);
	make_dir(V1_DIR "/a");
	CHECK(seteuid(1000) == 0);
	CHECK(survey("/a/b/c") == 1);
	CHECK(says(0, EACCES, "", "cgroup /a/b/c: make cgroup " V1_DIR "/a/b/c",
		   V1_DIR "/a is not ours to write: have it delegated"));
	CHECK(seteuid(0) == 0 && chown(V1_DIR "/a", 1000, (gid_t)-1) == 0 && seteuid(1000) == 0);
	CHECK(survey("/a/b/c") == 0);
	CHECK(seteuid(0) == 0);
	CHECK(mount(NULL, "/sys", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHECK(survey("/a/b/c") == 1);
	CHECK(says(0, EROFS, "", "cgroup /a/b/c: make cgroup " V1_DIR "/a/b/c",
		   V1_DIR " is mounted read-only"));
}

/* A parent that does not pass on what is needed. */
static void body_parent(void)
{
	machine(CGROUP_V2, 0);
	give(V2_DIR "/a/cgroup.controllers", "cpu memory\n");
	give(V2_DIR "/a/cgroup.subtree_control", "cpu\n");
	give(V2_DIR "/a/cgroup.type", "domain\n");
	give(V2_DIR "/a/cgroup.procs", "");
	l.memory_limit = (typeof(l.memory_limit)){true, 1 << 30};
	CHECK(survey("/a/b") == 0);
	give(V2_DIR "/a/cgroup.procs", "12345678901234567890\n");
	CHECK(survey("/a/b") == 1 && problems[0].kind == ERR_UNSUPPORTED);
	CHECK(says(0, EBUSY, "",
		   "cgroup /a/b: controllers cannot be enabled in " V2_DIR
		   "/a/cgroup.subtree_control",
		   "processes live in " V2_DIR "/a itself; move them to a sub-cgroup"));
	/* The root has no type, and may have processes. */
	CHECK(unlink(V2_DIR "/a/cgroup.type") == 0);
	CHECK(survey("/a/b") == 0);
	give(V2_DIR "/a/cgroup.type", "domain\n");
	give(V2_DIR "/a/cgroup.subtree_control", "memory\n");
	CHECK(survey("/a/b") == 0);
	/* Threads of a cgroup may compete with its children for CPUs. */
	l = no_limits;
	l.cpu_shares = (typeof(l.cpu_shares)){true, 100};
	CHECK(survey("/a/b") == 0);
	CHECK(chown(V2_DIR "/a", 1000, (gid_t)-1) == 0 && seteuid(1000) == 0);
	CHECK(survey("/a/b") == 1);
	CHECK(says(0, EACCES, "",
		   "cgroup /a/b: controllers cannot be enabled in " V2_DIR
		   "/a/cgroup.subtree_control",
		   "have that cgroup delegated to this user"));
	/* What is not offered is another's to say. */
	l = no_limits;
	l.pids_limit = (typeof(l.pids_limit)){true, 5};
	CHECK(survey("/a/b") == 0);
}

/* Files that the cgroups beside it have not. */
static void body_files(void)
{
	static const struct cgroup_unified keys[] = {{"memory.high", "1M"},
						     {"cpu.uclamp.max", "5"}};
	static const struct cgroup_device_rule rule = {true, 'c', INT64_C(1) << 31, 0, true, 0, 0};

	machine(CGROUP_HYBRID, CGROUP_C_MEMORY);
	l.memory_limit = (typeof(l.memory_limit)){true, 1 << 20};
	l.memory_swap = (typeof(l.memory_swap)){true, 2 << 20};
	/* Nobody is beside it. */
	CHECK(survey("/a") == 0);
	give(V1_DIR "/other/memory.limit_in_bytes", "");
	CHECK(survey("/a") == 1 && problems[0].kind == ERR_UNSUPPORTED);
	CHECK(says(0, ENOENT, "/linux/resources/memory/swap",
		   "memory.memsw.limit_in_bytes: this kernel's cgroups in " V1_DIR
		   " have no such file",
		   "swap accounting is off: boot with swapaccount=1"));
	/* One that is to go back to nothing may be missing. */
	l.memory_swap.v = -1;
	CHECK(survey("/a") == 0);
	l.memory_limit.v = 5;
	CHECK(survey("/a") == 1);
	CHECK(str_eq(problems[0].pointer, "/linux/resources/memory/limit"));

	/* v2 shows the files of what is enabled alone. */
	host.h[0].controllers = CGROUP_C_PIDS;
	l = no_limits;
	l.unified = keys;
	l.n_unified = 2;
	give(V2_DIR "/other/cgroup.controllers", "memory\n");
	CHECK(survey("/a") == 1);
	CHECK(says(0, ENOENT, "/linux/resources/unified/memory.high",
		   "memory.high: this kernel's cgroups in " V2_DIR " have no such file", ""));
	give(V2_DIR "/other/cgroup.controllers", "cpu memory\n");
	CHECK(survey("/a") == 2);

	l = no_limits;
	l.devices = &rule;
	l.n_devices = 1;
	CHECK(survey("/a") == 1 && problems[0].code == ERANGE);
	CHECK(str_eq(problems[0].pointer, "/linux/resources/devices"));
	host.h[0].controllers = CGROUP_C_DEVICES;
	CHECK(survey("/a") == 0);
}

static void body_below(void)
{
	char path[] = V1_DIR "/a/b/c";

	machine(CGROUP_V1, CGROUP_C_CPU);
	give(V1_DIR "/a/cgroup.procs", "");
	make_dir(V1_DIR "/a/sub");
	CHECK(cgroup_survey_below(&host, "/a", "sub", &err) == 0);
	CHECK(cgroup_survey_below(&host, "/a", "new/cgroup.procs", &err) == 0);
	CHECK(cgroup_survey_below(&host, "/a", "//cgroup.procs/sub", &err) == -ENOTDIR);
	CHECK(str_eq(err.text, "make cgroup /a/cgroup.procs/sub"));
	CHECK(str_eq(err.hint, "it is a file of the cgroup above: choose another name"));
	/* Of one that is not there yet, by those beside it. */
	CHECK(cgroup_survey_below(&host, "/new", "cgroup.procs", &err) == -ENOTDIR);
	CHECK(cgroup_survey_below(&host, "/new", "sub", &err) == 0);

	CHECK(!cgroup_find_existing(path, strlen(V1_DIR)) && str_eq(path, V1_DIR "/a"));
	CHECK(cgroup_find_existing(path, strlen(V1_DIR)) && str_eq(path, V1_DIR "/a"));
	CHECK(rename(V1_DIR, TOP "/gone") == 0);
	CHECK(!cgroup_find_existing(path, strlen(V1_DIR)) && str_eq(path, V1_DIR));
}

/* ---- what would be written, and what the host offers ---- */

static char dry[4096];

static void print(void *data, const struct cgroup_dry_write *w)
{
	size_t len = strlen(dry);

	CHECK(data == dry);
	(void)snprintf(dry + len, sizeof(dry) - len, "%s%c %s/%s %s=%s%s%s\n",
		       w->hierarchy->v2 ? "v2" : "v1", w->before ? '<' : '>', w->pointer + 17,
		       w->member ? w->member : "", w->file, w->value, w->if_present ? "?" : "",
		       w->bfq ? w->bfq : "");
}

static bool writes(const char *want)
{
	dry[0] = '\0';
	err = ERR_INIT;
	CHECK_OK(cgroup_dry(&host, "/a", &l, print, dry, &err), err);
	CHECK_OK(cgroup_dry(&host, "/a", &l, NULL, NULL, &err), err);
	if (str_eq(dry, want))
		return true;
	(void)fprintf(stderr, "%s", dry);
	return false;
}

static bool refuses(const char *path, const char *pointer, const char *text)
{
	err = ERR_INIT;
	if (cgroup_dry(&host, path, &l, NULL, NULL, &err) < 0 && strstr(err.text, text) &&
	    str_eq(err.pointer, pointer))
		return true;
	(void)fprintf(stderr, "%s: %s\n", err.pointer, err.text);
	return false;
}

static void body_dry(void)
{
	static const struct cgroup_unified key = {"cpu.uclamp.max", "5"};
	static const struct cgroup_hugepage page = {"2MB", 4096};

	machine(CGROUP_HYBRID, CGROUP_C_MEMORY | CGROUP_C_DEVICES);
	l.cpuset_cpus = "0-1";
	l.memory_limit = (typeof(l.memory_limit)){true, -1};
	l.cpu_burst = (typeof(l.cpu_burst)){true, 0};
	l.io_weight = (typeof(l.io_weight)){true, 1000};
	l.hugepages = &page;
	l.n_hugepages = 1;
	l.unified = &key;
	l.n_unified = 1;
	CHECK(writes("v2< cpu/cpus cpuset.cpus=0-1\n"
		     "v1> memory/limit memory.limit_in_bytes=-1\n"
		     "v1> memory/swap memory.memsw.limit_in_bytes=-1?\n"
		     "v2> cpu/burst cpu.max.burst=0?\n"
		     "v2> blockIO/weight io.weight=10000io.bfq.weight 1000\n"
		     "v2> hugepageLimits/ hugetlb.2MB.max=4096\n"
		     "v2> hugepageLimits/ hugetlb.2MB.rsvd.max=4096?\n"
		     "v2> unified/cpu.uclamp.max cpu.uclamp.max=5\n"));
	CHECK(cgroup_dry_need(&host, &l) ==
	      (CGROUP_C_CPUSET | CGROUP_C_CPU | CGROUP_C_BLKIO | CGROUP_C_HUGETLB));
	CHECK(refuses("a", "", "is not absolute"));

	/* Of one that is there, its files say which weight it is. */
	make_dir(V1_DIR "/a");
	give(V2_DIR "/a/io.bfq.weight", "");
	CHECK_OK(cgroup_open(&cg, "/a", &err), err);
	l = no_limits;
	l.io_weight = (typeof(l.io_weight)){true, 1000};
	dry[0] = '\0';
	CHECK_OK(cgroup_dry_update(&cg, &l, print, dry, &err), err);
	CHECK(str_eq(dry, "v2> blockIO/weight io.bfq.weight=1000\n"));
	CHECK(fcntl(cg.fd[1], F_GETFD) >= 0);
}

static void body_dry_refused(void)
{
	static const struct cgroup_unified keys[] = {{"memory.high", "1"}, {"odd.key", "1"}};
	static const struct cgroup_device_rule rules[] = {
		{true, 'c', 1, -1, true, true, false},
		{false, 'c', 1, 3, false, true, false},
	};

	machine(CGROUP_HYBRID, CGROUP_C_MEMORY | CGROUP_C_DEVICES);
	l.net_class = (typeof(l.net_class)){true, 5};
	CHECK(refuses("/a", "/linux/resources/network/classID", "network class: "));
	CHECK(cgroup_dry_need(&host, &l) == 0);
	l = no_limits;
	l.cpu_rt_period = (typeof(l.cpu_rt_period)){true, 5};
	CHECK(refuses("/a", "/linux/resources/cpu", "realtime"));
	l = no_limits;
	l.devices = rules;
	l.n_devices = 2;
	CHECK(refuses("/a", "/linux/resources/devices", "\"deny c 1:3 w\""));
	l = no_limits;
	l.unified = keys;
	l.n_unified = 2;
	CHECK(refuses("/a", "/linux/resources/unified/memory.high", "belongs to the cgroup v1"));
	host.h[0].controllers = CGROUP_C_PIDS;
	CHECK(refuses("/a", "/linux/resources/unified/odd.key", "`odd` is not available"));
	/* v1 alone, without the controller. */
	host.n = 1;
	CHECK(refuses("/a", "/linux/resources/unified/memory.high", "need cgroup v2"));
	CHECK(cgroup_dry_need(&host, &l) == 0);
	l = no_limits;
	l.memory_limit = (typeof(l.memory_limit)){true, 5};
	CHECK(refuses("/a", "/linux/resources/memory",
		      "memory limit: controller memory is not mounted below /sys/fs/cgroup"));
	CHECK(cgroup_check_offered(&host, "/a", &l, &err) == 0);
}

/* What is needed of v2 and not at its top. */
static void body_offered(void)
{
	static const struct cgroup_unified misc = {"misc.max", "x 1"}, high = {"memory.high", "1"};

	machine(CGROUP_HYBRID, CGROUP_C_PIDS);
	l.memory_limit = (typeof(l.memory_limit)){true, 1};
	l.pids_limit = (typeof(l.pids_limit)){true, 1};
	/* Nothing can be read. */
	CHECK(cgroup_check_offered(&host, "/a", &l, &err) == 0);
	CHECK(cgroup_controllers_offered(&host) == CGROUP_C_PIDS);
	give(V2_DIR "/cgroup.controllers", "cpu memory\n");
	CHECK(cgroup_controllers_offered(&host) ==
	      (CGROUP_C_PIDS | CGROUP_C_CPU | CGROUP_C_MEMORY));
	CHECK(cgroup_check_offered(&host, "/a", &l, &err) == 0);
	give(V2_DIR "/cgroup.controllers", "cpu\n");
	CHECK(cgroup_check_offered(&host, "/a", &l, &err) == -ENOENT);
	CHECK(strstr(err.text, "memory limit: controller memory ") && err.hint[0]);
	CHECK(err.kind == ERR_UNSUPPORTED && str_eq(err.pointer, "/linux/resources/memory"));
	l = no_limits;
	l.unified = &high;
	l.n_unified = 1;
	err = ERR_INIT;
	CHECK(cgroup_check_offered(&host, "/a", &l, &err) == -ENOENT);
	CHECK(str_eq(err.pointer, "/linux/resources/unified/memory.high"));
	l.unified = &misc;
	err = ERR_INIT;
	CHECK(cgroup_check_offered(&host, "/a", &l, &err) == -ENOENT);
	CHECK(strstr(err.text, "misc limit: controller misc "));
	CHECK(str_eq(err.pointer, "/linux/resources/unified/misc.max"));
	give(V2_DIR "/cgroup.controllers", "misc\n");
	CHECK(cgroup_check_offered(&host, "/a", &l, &err) == 0);
}

CASE(leaf)
CASE(places)
CASE(parent)
CASE(files)
CASE(below)
CASE(dry)
CASE(dry_refused)
CASE(offered)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),	    cmocka_unit_test(test_places),
		cmocka_unit_test(test_parent),	    cmocka_unit_test(test_files),
		cmocka_unit_test(test_below),	    cmocka_unit_test(test_dry),
		cmocka_unit_test(test_dry_refused), cmocka_unit_test(test_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
