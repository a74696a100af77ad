/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A cgroup with what is below and above it, on plain directories: walks and lists, waiting, parents
 * that go and parents that pass on controllers and CPUs, words and keys of the files.
 */
#include "test_machine.h"

static int open_dir(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static bool reads(const char *path, const char *want)
{
	char text[256];

	if (io_read_at(AT_FDCWD, path, text, sizeof(text)) >= 0 && str_eq(text, want))
		return true;
	(void)fprintf(stderr, "%s: \"%s\"\n", path, text);
	return false;
}

/* ---- walking ---- */

static char seen[512];
static const char *stop_at, *remove_at;

/* The directory's path below the hierarchy. */
static int see(int fd, void *data)
{
	char link[64], path[512];
	ssize_t n;

	CHECK(data == seen);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	CHECK(n > 0);
	path[n] = '\0';
	strcat(strcat(seen, path + strlen(V1_DIR)), " ");
	if (remove_at && str_eq(path + strlen(V1_DIR), remove_at))
		CHECK(rmdir(V1_DIR "/a") == 0 || rmdir(V1_DIR "/c") == 0);
	return stop_at && str_eq(path + strlen(V1_DIR), stop_at) ? 7 : 0;
}

static const char *walk(int top, int want)
{
	seen[0] = '\0';
	CHECK(cgroup_walk(top, see, seen) == want);
	return seen;
}

static int count(const char *name, void *data)
{
	int *n = data;

	CHECK(strlen(name) == 1 || strlen(name) == NAME_MAX);
	return ++*n == 2 ? -EDOM : 0;
}

static void body_walk(void)
{
	char name[NAME_MAX + 1], path[NAME_MAX + 64];
	int top, n = 0;

	machine(CGROUP_V1, CGROUP_C_FREEZER);
	top = open_dir(V1_DIR);
	CHECK(str_eq(walk(top, 0), " "));
	CHECK(cgroup_subdirs(top, count, &n) == 0 && n == 0);
	/* Neither a file nor a link is one. */
	give(V1_DIR "/file", "");
	CHECK(symlink("/", V1_DIR "/l") == 0);
	make_dir(V1_DIR "/b/x/y");
	make_dir(V1_DIR "/b/z");
	walk(top, 0);
	CHECK(str_starts(seen, " /b ") && strstr(seen, "/b/x /b/x/y ") && strstr(seen, "/b/z "));
	CHECK(strlen(seen) == strlen(" /b /b/x /b/x/y /b/z "));
	stop_at = "/b/x";
	CHECK(str_ends(walk(top, 7), "/b/x "));
	stop_at = NULL;

	/* One that goes before its turn is passed over, and the walk finds its way. */
	make_dir(V1_DIR "/a");
	make_dir(V1_DIR "/c");
	remove_at = "/b/x/y";
	CHECK(strstr(walk(top, 0), "/b/x/y "));
	remove_at = NULL;
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%s", V1_DIR, name);
	CHECK(mkdir(path, 0755) == 0);
	CHECK(cgroup_subdirs(top, count, &n) == -EDOM && n == 2);
	CHECK(cgroup_subdirs(-1, count, &n) == -EBADF);
}

static void body_list(void)
{
	struct cgroup_pidlist list = {.p = NULL};
	char text[16384] = "";
	size_t len = 0;
	int top;

	machine(CGROUP_V1, CGROUP_C_FREEZER);
	top = open_dir(V1_DIR);
	/* No such file is nobody. */
	CHECK(cgroup_list(top, "cgroup.procs", &list) == 0 && list.n == 0 && !list.hidden);
	give(V1_DIR "/cgroup.procs", "30\n1\n4194304\n");
	give(V1_DIR "/a/b/cgroup.procs", "7\n30\n0\n");
	CHECK(cgroup_list(top, "cgroup.procs", &list) == 0 && list.n == 5 && list.hidden);
	cgroup_pidlist_sort(&list);
	CHECK(list.n == 4 && list.p[0] == 1 && list.p[1] == 7 && list.p[2] == 30);
	CHECK(list.p[3] == 4194304);
	cgroup_pidlist_done(&list);
	CHECK(!list.p && !list.n && !list.hidden);
	cgroup_pidlist_sort(&list);
	/* More than one read, cut anywhere. */
	for (int pid = 10000; pid < 12000; pid++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d\n", 22000 - pid);
	give(V1_DIR "/a/tasks", text);
	CHECK(cgroup_list(top, "tasks", &list) == 0 && list.n == 2000);
	cgroup_pidlist_sort(&list);
	for (int i = 0; i < 2000; i++)
		CHECK(list.p[i] == 10001 + i);
	make_dir(V1_DIR "/a/b/tasks");
	CHECK(cgroup_list(top, "tasks", &list) == -EISDIR);
	cgroup_pidlist_done(&list);
}

/* ---- who lives there ---- */

static void body_populated(void)
{
	int one, two;

	machine(CGROUP_HYBRID, CGROUP_C_FREEZER);
	make_dir(V1_DIR "/a/b");
	one = open_dir(V1_DIR);
	two = open_dir(V2_DIR);
	CHECK(cgroup_dir_populated(one, false) == 0 && cgroup_dir_populated(two, true) == 0);
	give(V1_DIR "/cgroup.procs", "");
	give(V1_DIR "/a/b/cgroup.procs", "");
	CHECK(cgroup_dir_populated(one, false) == 0 && cgroup_dir_wait(one, false, 0) == 0);
	give(V1_DIR "/a/b/cgroup.procs", "0\n");
	CHECK(cgroup_dir_populated(one, false) == 1);
	CHECK(cgroup_dir_wait(one, false, 0) == CGROUP_BUSY);
	give(V1_DIR "/a/b/cgroup.procs", "1\n");
	CHECK(cgroup_dir_wait(one, false, 0) == CGROUP_BUSY);
	make_dir(V1_DIR "/a/cgroup.procs");
	CHECK(cgroup_dir_populated(one, false) == -EISDIR);
	give(V1_DIR "/cgroup.procs", "1\n");
	CHECK(cgroup_dir_wait(one, false, 0) == -EISDIR);

	/* By the event, whatever the files say. */
	CHECK(cgroup_dir_wait(two, true, 0) == 0);
	give(V2_DIR "/cgroup.procs", "1\n");
	give(V2_DIR "/cgroup.events", "populated 0\nfrozen 1\n");
	CHECK(cgroup_dir_populated(two, true) == 0 && cgroup_dir_wait(two, true, 0) == 0);
	give(V2_DIR "/cgroup.events", "frozen 0\npopulated 1\n");
	CHECK(cgroup_dir_populated(two, true) == 1);
	CHECK(cgroup_dir_wait(two, true, 0) == CGROUP_BUSY);
	give(V2_DIR "/cgroup.events", "frozen 0\n");
	CHECK(cgroup_dir_populated(two, true) == -ENODATA);
	CHECK(cgroup_dir_wait(two, true, 0) == -ENODATA);
}

static void body_name_left(void)
{
	char want[64], text[512] = "0\n";

	machine(CGROUP_V1, CGROUP_C_FREEZER);
	CHECK(cgroup_name_left(&cg, &err) == 0);
	make_dir(V1_DIR "/a");
	CHECK_OK(cgroup_open(&cg, "/a", &err), err);
	CHECK(cgroup_name_left(&cg, &err) == 0);
	(void)snprintf(text, sizeof(text), "%d\n", (int)getpid());
	give(V1_DIR "/a/cgroup.procs", text);
	CHECK(cgroup_name_left(&cg, &err) == CGROUP_BUSY);
	CHECK(err.kind == ERR_RUNTIME && err.code == EBUSY);
	(void)snprintf(want, sizeof(want), "cgroup /a: 1 process left: %d (test_cgroup_tre",
		       (int)getpid());
	CHECK(str_starts(err.text, want) && !strstr(err.text, "more"));
	/* The first ten have a name. */
	for (int i = 0; i < 13; i++)
		(void)snprintf(text + strlen(text), 16, "%d\n", 4194291 + i);
	strcat(text, "0\n");
	give(V1_DIR "/a/cgroup.procs", text);
	CHECK(cgroup_name_left(&cg, &err) == CGROUP_BUSY);
	CHECK(str_starts(err.text, "cgroup /a: 14 processes left: "));
	CHECK(str_ends(err.text, " and 4 more and some of another pid namespace"));
	give(V1_DIR "/a/cgroup.procs", "0\n");
	CHECK(cgroup_name_left(&cg, &err) == CGROUP_BUSY);
	CHECK(str_eq(err.text, "cgroup /a: 0 processes left and some of another pid namespace"));
	host.h[0].v2 = true;
	give(V1_DIR "/a/cgroup.procs", "");
	give(V1_DIR "/a/cgroup.events", "populated 1\n");
	CHECK(cgroup_name_left(&cg, &err) == CGROUP_BUSY);
	CHECK(str_eq(err.text, "cgroup /a: busy, though no process is left in it"));
}

static void body_keys(void)
{
	uint64_t n = 99;
	int64_t step = 0;
	int fd;

	machine(CGROUP_V2, 0);
	give(V2_DIR "/f", "oom 4\noom_kill 3\nbig 18446744073709551615\nover 18446744073709551616\n"
			  "word x\nnone\nalso_oom 9\n");
	fd = open(V2_DIR "/f", O_RDONLY | O_CLOEXEC);
	CHECK(cgroup_key(fd, "oom_kill", &n) == 0 && n == 3);
	CHECK(cgroup_key(fd, "oom", &n) == 0 && n == 4);
	CHECK(cgroup_key(fd, "big", &n) == 0 && n == UINT64_MAX);
	CHECK(cgroup_key(fd, "over", &n) == -ERANGE && cgroup_key(fd, "word", &n) == -EINVAL);
	CHECK(cgroup_key(fd, "none", &n) == -ENODATA && cgroup_key(fd, "oo", &n) == -ENODATA);
	CHECK(cgroup_key(-1, "oom", &n) == -EBADF && n == UINT64_MAX);
	CHECK(cgroup_event(fd, "oom") == 1 && cgroup_event(fd, "none") == -ENODATA);
	give(V2_DIR "/f", "oom 0\n");
	CHECK(cgroup_event(fd, "oom") == 0);

	CHECK(!cgroup_backoff(&step, clock_now_ms()) && step == 0);
	CHECK(cgroup_backoff(&step, CLOCK_FOREVER) && step == 50);
	CHECK(cgroup_backoff(&step, CLOCK_FOREVER) && step == 100);
	step = 6000;
	CHECK(cgroup_backoff(&step, CLOCK_FOREVER) && step == 10000);
}

/* ---- parents ---- */

static bool mark(const char *path)
{
	make_dir(path);
	return setxattr(path, CGROUP_MARK, "1", 1, 0) == 0;
}

static void body_remove_parents(void)
{
	const size_t len = strlen(V1_DIR);

	machine(CGROUP_V1, CGROUP_C_CPU);
	CHECK(mark(V1_DIR) && mark(V1_DIR "/a") && mark(V1_DIR "/a/b"));
	cgroup_remove_parents(V1_DIR "/a/b/c", len);
	CHECK(!is_dir(V1_DIR "/a") && is_dir(V1_DIR));
	/* One that is gone already hides none above it. */
	CHECK(mark(V1_DIR "/a"));
	cgroup_remove_parents(V1_DIR "/a/b/c/d", len);
	CHECK(!is_dir(V1_DIR "/a"));
	/* Somebody else's stays, with all above it; one in use does, too. */
	CHECK(mark(V1_DIR "/a") && mark(V1_DIR "/a/b/c"));
	cgroup_remove_parents(V1_DIR "/a/b/c/d", len);
	CHECK(is_dir(V1_DIR "/a/b") && !is_dir(V1_DIR "/a/b/c"));
	CHECK(mark(V1_DIR "/a/b") && mark(V1_DIR "/a/other"));
	cgroup_remove_parents(V1_DIR "/a/b/c", len);
	CHECK(!is_dir(V1_DIR "/a/b") && is_dir(V1_DIR "/a"));
	/* Names that are ours by their look. */
	make_dir(V1_DIR "/oakum/oakum-0123abcd");
	cgroup_remove_parents(V1_DIR "/oakum/oakum-0123abcd/id", len);
	CHECK(!is_dir(V1_DIR "/oakum"));
	make_dir(V1_DIR "/oakum-0123abcX");
	cgroup_remove_parents(V1_DIR "/oakum-0123abcX/id", len);
	make_dir(V1_DIR "/oakum-0123abcd-");
	cgroup_remove_parents(V1_DIR "/oakum-0123abcd-/id", len);
	CHECK(is_dir(V1_DIR "/oakum-0123abcX") && is_dir(V1_DIR "/oakum-0123abcd-"));
}

static void cpusets(const char *path, const char *cpus, const char *mems)
{
	char file[256];

	(void)snprintf(file, sizeof(file), "%s/cpuset.cpus", path);
	give(file, cpus);
	(void)snprintf(file, sizeof(file), "%s/cpuset.mems", path);
	give(file, mems);
}

static void body_fill_cpuset(void)
{
	const size_t len = strlen(V1_DIR);

	machine(CGROUP_V1, CGROUP_C_CPUSET);
	CHECK(cgroup_v1_fill_cpuset(V1_DIR "/a/b", len) == -ENOENT);
	cpusets(V1_DIR, "0-3\n", "0\n");
	cpusets(V1_DIR "/a", "\n", "\n");
	cpusets(V1_DIR "/a/b", "", "");
	CHECK(cgroup_v1_fill_cpuset(V1_DIR "/a/b", len) == 0);
	CHECK(reads(V1_DIR "/a/cpuset.cpus", "0-3") && reads(V1_DIR "/a/cpuset.mems", "0"));
	CHECK(reads(V1_DIR "/a/b/cpuset.cpus", "0-3") && reads(V1_DIR "/a/b/cpuset.mems", "0"));
	/* The nearest parent's, and what is there stays. */
	cpusets(V1_DIR "/a", "2\n", "\n");
	cpusets(V1_DIR "/a/b", "\n", "1\n");
	CHECK(cgroup_v1_fill_cpuset(V1_DIR "/a/b", len) == 0);
	CHECK(reads(V1_DIR "/a/cpuset.cpus", "2") && reads(V1_DIR "/a/cpuset.mems", "0"));
	CHECK(reads(V1_DIR "/a/b/cpuset.cpus", "2") && reads(V1_DIR "/a/b/cpuset.mems", "1"));
	/* Nothing to do: the parents are not even looked at. */
	cpusets(V1_DIR "/a", "\n", "\n");
	CHECK(cgroup_v1_fill_cpuset(V1_DIR "/a/b", len) == 0);
	CHECK(reads(V1_DIR "/a/cpuset.cpus", ""));
	/* Nobody has any. */
	cpusets(V1_DIR, "\n", "\n");
	cpusets(V1_DIR "/a/b", "\n", "1\n");
	CHECK(cgroup_v1_fill_cpuset(V1_DIR "/a/b", len) == -ENOSPC);
}

/* /proc/cgroups says where a controller is that v2 has not. */
static void body_missing(void)
{
	machine(CGROUP_HYBRID, CGROUP_C_PIDS);
	give("/sys/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
			     "cpuset\t0\t1\t1\npids\t8\t4\t1\nblkio\t7\t4\t1\n");
	CHECK(mount("/sys/cgroups", "/proc/cgroups", NULL, MS_BIND, NULL) == 0);
	strcpy(cg.path, "/a/b/c");
	CHECK(cgroup_missing(&cg, "pids limit", "pids", &err) == -ENOENT);
	CHECK(err.kind == ERR_UNSUPPORTED &&
	      str_eq(err.text, "pids limit: controller pids belongs to a cgroup v1 hierarchy, not "
			       "to " V2_DIR));
	CHECK(str_eq(err.hint, "boot with cgroup_no_v1=pids to have it in v2"));
	err = ERR_INIT;
	CHECK(cgroup_missing(&cg, "weight", "io", &err) == -ENOENT);
	CHECK(strstr(err.text, "io belongs to a cgroup v1"));
	err = ERR_INIT;
	CHECK(cgroup_missing(&cg, "cpuset", "cpuset", &err) == -ENOENT);
	CHECK(str_eq(err.text,
		     "cpuset: controller cpuset is not in " V2_DIR "/cgroup.controllers"));
	/* Not what begins alike. */
	err = ERR_INIT;
	CHECK(cgroup_missing(&cg, "cpu limit", "cpu", &err) == -ENOENT);
	CHECK(str_eq(err.text, "cpu limit: controller cpu is not in this kernel"));
	/* The nearest parent that could pass it on; not the cgroup itself. */
	give(V2_DIR "/cgroup.controllers", "cpu\n");
	give(V2_DIR "/a/cgroup.controllers", "cpu\n");
	give(V2_DIR "/a/b/c/cgroup.controllers", "cpu\n");
	err = ERR_INIT;
	CHECK(cgroup_missing(&cg, "cpu limit", "cpu", &err) == -ENOENT);
	CHECK(str_eq(err.text, "cpu limit: controller cpu is not enabled in " V2_DIR
			       "/a/cgroup.subtree_control"));
	CHECK(str_eq(err.hint, "write +cpu into it, or have its owner do so"));
	CHECK(umount("/proc/cgroups") == 0);
}

static void offers(const char *offered, const char *passed)
{
	give(V2_DIR "/cgroup.controllers", offered);
	give(V2_DIR "/cgroup.subtree_control", passed);
	give(V2_DIR "/a/cgroup.controllers", offered);
	give(V2_DIR "/a/cgroup.subtree_control", passed);
	err = ERR_INIT;
}

static void body_enable(void)
{
	uint32_t fault = 0;

	machine(CGROUP_HYBRID, CGROUP_C_PIDS);
	strcpy(cg.path, "/a/b");
	/* All is passed on: nothing is written. */
	offers("cpu io memory\n", "cpu memory\n");
	CHECK_OK(cgroup_v2_enable(&cg, CGROUP_C_MEMORY, &fault, &err), err);
	CHECK(reads(V2_DIR "/cgroup.subtree_control", "cpu memory"));
	/* Beside v1, no more than is needed; a plain file does not answer as the kernel would. */
	offers("cpu io memory\n", "");
	CHECK(cgroup_v2_enable(&cg, CGROUP_C_MEMORY | CGROUP_C_BLKIO, &fault, &err) == -ENOENT);
	CHECK(fault == CGROUP_C_BLKIO);
	CHECK(strstr(err.text, "not enabled in " V2_DIR "/a/cgroup.subtree_control"));
	CHECK(reads(V2_DIR "/cgroup.subtree_control", "+io +memory"));
	CHECK(reads(V2_DIR "/a/cgroup.subtree_control", "+io +memory"));
	/* Alone, all there is; what is there already is not asked for. */
	host.mode = CGROUP_V2;
	offers("cpu io memory pids\n", "cpu\n");
	CHECK_OK(cgroup_v2_enable(&cg, 0, &fault, &err), err);
	CHECK(reads(V2_DIR "/a/cgroup.subtree_control", "+io +memory +pids"));
	/* Who may not, and need not, goes without. */
	offers("cpu memory\n", "");
	CHECK(seteuid(1000) == 0);
	CHECK_OK(cgroup_v2_enable(&cg, 0, &fault, &err), err);
	CHECK(cgroup_v2_enable(&cg, CGROUP_C_MEMORY, &fault, &err) == -EACCES);
	CHECK(err.kind == ERR_UNSUPPORTED);
	CHECK(str_eq(err.text, "memory limit: enable controller memory in " V2_DIR
			       "/cgroup.subtree_control"));
	CHECK(reads(V2_DIR "/cgroup.subtree_control", ""));
}

/* ---- words ---- */

static void body_words(void)
{
	uint32_t bit, all = 0;
	char lots[300];
	int dir;

	machine(CGROUP_V2, 0);
	CHECK(cgroup_v2_parse("cpu memory io\n") ==
	      (CGROUP_C_CPU | CGROUP_C_MEMORY | CGROUP_C_BLKIO));
	CHECK(cgroup_v2_parse("") == 0 && cgroup_v2_parse("cp cpux iox +cpu\n") == 0);
	CHECK(cgroup_v2_parse("  cpuset  hugetlb") == (CGROUP_C_CPUSET | CGROUP_C_HUGETLB));
	CHECK(cgroup_v2_controller_of("io.max") == CGROUP_C_BLKIO);
	CHECK(cgroup_v2_controller_of("hugetlb.2MB.rsvd.max") == CGROUP_C_HUGETLB);
	CHECK(cgroup_v2_controller_of("memory") == CGROUP_C_MEMORY);
	CHECK(cgroup_v2_controller_of("cgroup.procs") == 0);
	CHECK(cgroup_v2_controller_of("memoryx.max") == 0 && cgroup_v2_controller_of("") == 0);
	CHECK(cgroup_v2_controller_of("a_name_of_more_than_thirty_letters.max") == 0);
	for (size_t i = 0; cgroup_controller_name(i, &bit); i++) {
		CHECK(!(all & bit) && bit && !(bit & (bit - 1)));
		all |= bit;
	}
	CHECK(all == CGROUP_C_NAMED - 1);

	dir = open_dir(V2_DIR);
	CHECK(cgroup_v2_read(dir, "c") == 0);
	give(V2_DIR "/c", "pids misc\n");
	CHECK(cgroup_v2_read(dir, "c") == (CGROUP_C_PIDS | CGROUP_C_MISC));
	CHECK(cgroup_v2_read_in(V2_DIR, "c") == (CGROUP_C_PIDS | CGROUP_C_MISC));
	memset(lots, ' ', sizeof(lots));
	memcpy(lots, "pids", 4);
	lots[sizeof(lots) - 1] = '\0';
	give(V2_DIR "/c", lots);
	CHECK(cgroup_v2_read(dir, "c") == 0);
}

static int write_one(const char *key, const char *value)
{
	struct cgroup_unified u = {key, value};

	l.unified = &u;
	l.n_unified = 1;
	err = ERR_INIT;
	return cgroup_unified_write(&cg, &l, NULL, &err);
}

static void body_unified(void)
{
	machine(CGROUP_V2, 0);
	give(V2_DIR "/a/io.max", "");
	CHECK_OK(cgroup_open(&cg, "/a", &err), err);
	/* A write a line: what is left of the first shows behind the last. */
	CHECK(write_one("io.max", "8:0 rbps=1\n\n8:1\n") == 0);
	CHECK(reads(V2_DIR "/a/io.max", "8:1 rbps=1"));
	CHECK(write_one("io.none", "1") == -EINVAL && err.kind == ERR_UNSUPPORTED);
	CHECK(str_eq(err.text, "open io.none: no such file or directory: this kernel does not "
			       "have it"));
	CHECK(str_eq(err.pointer, "/linux/resources/unified/io.none"));
	make_dir(V2_DIR "/a/io.dir");
	CHECK(write_one("io.dir", "") == -EISDIR && write_one("io.dir", "\n\n") == 0);
	CHECK(write_one("io.dir", "5") == -EISDIR && str_eq(err.text, "write 5 to io.dir"));
}

CASE(walk)
CASE(list)
CASE(populated)
CASE(name_left)
CASE(keys)
CASE(remove_parents)
CASE(fill_cpuset)
CASE(missing)
CASE(enable)
CASE(words)
CASE(unified)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),	    cmocka_unit_test(test_list),
		cmocka_unit_test(test_populated),   cmocka_unit_test(test_name_left),
		cmocka_unit_test(test_keys),	    cmocka_unit_test(test_remove_parents),
		cmocka_unit_test(test_fill_cpuset), cmocka_unit_test(test_missing),
		cmocka_unit_test(test_enable),	    cmocka_unit_test(test_words),
		cmocka_unit_test(test_unified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
