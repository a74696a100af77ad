/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last steps to a program: where it stands, its HOME, which file is executed, and what is said
 * where none can be. A shell that has become of a child of ours looks at what it was given.
 */
#include <pwd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/str.h"
#include "run/process.h"
#include "run/sync.h"
#include "test_sandbox.h"

static const char *argv[8];
static const char *envp[8];
static char home[PROCESS_HOME_SIZE];
static struct plan_process p;
static int ends[2];

static void args(const char *name, const char *one, const char *two)
{
	argv[0] = name;
	argv[1] = one;
	argv[2] = two;
}

/* Root without capabilities, of this environment and with this PATH. */
static void begin(const char *path)
{
	enter_box();
	CHECK(mkdir(in_box("a"), 0755) == 0 && mkdir(in_box("b"), 0755) == 0);
	envp[0] = "PATH=unused";
	p = (struct plan_process){
		.argv = argv, .envp = envp, .home_slot = 1, .path = path, .cwd = "/"};
	CHECK_OK(sync_pair(ends, &err), err);
}

static void put_program(const char *name, const char *text, mode_t mode)
{
	put_file(name, text);
	CHECK(chmod(name, mode) == 0);
}

static int prepare(bool make_cwd)
{
	err = ERR_INIT;
	return process_prepare(&p, make_cwd, home, &err);
}

static struct process_exec request(void)
{
	struct err ignored = ERR_INIT;

	return (struct process_exec){.plan = &p,
				     .proc = procfs_open(&ignored),
				     .channel = ends[0],
				     .hook_output = {-1, -1}};
}

static int execute(void)
{
	const struct process_exec x = request();

	err = ERR_INIT;
	return process_exec(&x, &err);
}

static bool failed(enum err_kind kind, const char *pointer, const char *text)
{
	if (err.kind == kind && str_eq(err.pointer, pointer) && strstr(err.text, text))
		return true;
	(void)fprintf(stderr, "kind %d, %s: %s: %d\n", err.kind, err.pointer, err.text, err.code);
	return false;
}

/* And a file on the way to them. */
static const char *both_dirs(void)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/out/canary:%s/a:%s/b", box, box, box);
	return path;
}

/* ---- before the ids are dropped ---- */

static void finds_body(void)
{
	begin(both_dirs());
	args("tool", NULL, NULL);
	CHECK(prepare(false) < 0);
	CHECK(failed(ERR_NOT_FOUND, "/process/args/0",
		     "exec: \"tool\": executable file not found in $PATH"));
	CHECK(strstr(err.hint, both_dirs()));
	/* Whether the user may execute it is not asked yet. */
	put_program(in_box("b/tool"), "", 0);
	CHECK_OK(prepare(false), err);
	p.path = "";
	CHECK(prepare(false) < 0 && err.kind == ERR_NOT_FOUND);
	/* An empty part is where it stands. */
	p.path = "/nowhere:";
	CHECK(prepare(false) < 0);
	p.path = "/nowhere::/no";
	p.cwd = in_box("b");
	CHECK_OK(prepare(false), err);
	args("./tool", NULL, NULL);
	CHECK_OK(prepare(false), err);
	args("./no/tool", NULL, NULL);
	CHECK(prepare(false) < 0);
	CHECK(failed(ERR_NOT_FOUND, "/process/args/0",
		     "exec: \"./no/tool\": stat ./no/tool: no such file or directory"));
	args("./tool/below", NULL, NULL);
	CHECK(prepare(false) < 0 && err.kind == ERR_NOT_FOUND);
	args(in_box("a"), NULL, NULL);
	CHECK(prepare(false) < 0);
	CHECK(failed(ERR_NOT_EXECUTABLE, "/process/args/0", "permission denied"));
	CHECK(str_eq(err.hint, "it is a directory"));
	/* Where we may not look, the user perhaps may. */
	CHECK(chmod(in_box("a"), 0700) == 0 && setresuid(12345, 12345, 12345) == 0);
	args("elsewhere", NULL, NULL);
	p.path = both_dirs();
	p.cwd = "/";
	CHECK_OK(prepare(false), err);
}

static void cwd_body(void)
{
	char now[512];
	int slash;

	begin("/bin");
	args("sh", NULL, NULL);
	slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	p.cwd = in_box("new/deep");
	CHECK(prepare(false) < 0);
	CHECK(failed(ERR_CONFIG, "/process/cwd", "chdir to cwd (\""));
	CHECK(err.code == ENOENT && !exists(p.cwd));
	CHECK_OK(prepare(true), err);
	CHECK(getcwd(now, sizeof(now)) && str_eq(now, p.cwd));
	/* Before the root becomes read-only. */
	p.cwd = in_box("early");
	process_make_cwd(slash, &p);
	CHECK(exists(p.cwd));
	p.cwd = in_box("out/canary");
	CHECK(prepare(true) < 0);
	CHECK(failed(ERR_CONFIG, "/process/cwd", "chdir") && err.code == ENOTDIR);
	/* What comes and goes is not made. */
	p.cwd = "/proc/no/such";
	CHECK(prepare(true) < 0 && err.code == ENOENT);
	p.cwd = "/sys/no";
	CHECK(prepare(true) < 0 && err.code == ENOENT);
	p.cwd = in_box("loop");
	CHECK(symlink(p.cwd, p.cwd) == 0);
	CHECK(prepare(true) < 0 && err.code == ELOOP);
	CHECK(strstr(err.hint, "in a circle"));
	CHECK(mount(NULL, box, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	p.cwd = in_box("late");
	CHECK(prepare(true) < 0 && err.code == EROFS);
	CHECK(strstr(err.hint, "read-only"));
}

static void home_body(void)
{
	const struct passwd *pw;
	char want[512];

	begin("/bin");
	args("sh", NULL, NULL);
	CHECK_OK(prepare(false), err);
	pw = getpwuid(0);
	(void)snprintf(want, sizeof(want), "HOME=%s", pw ? pw->pw_dir : "/");
	CHECK(str_eq(envp[1], want));
	p.uid = 3999999999u;
	CHECK_OK(prepare(false), err);
	CHECK(str_eq(envp[1], "HOME=/"));
	p.home_slot = 0;
	CHECK_OK(prepare(false), err);
	CHECK(str_eq(envp[0], "HOME=/"));
	/* It has one. */
	p.home_slot = -1;
	envp[1] = NULL;
	CHECK_OK(prepare(false), err);
	CHECK(!envp[1]);
}

/* ---- the program ---- */

/* Become a shell that says whether all is as it should be. */
static void become(const char *script)
{
	args("sh", "-c", script);
	CHECK_OK(prepare(false), err);
	(void)execute();
	CHECK_OK(-1, err);
}

static void plain_body(void)
{
	begin("/nowhere:/bin:/usr/bin");
	become("test \"$PATH\" = unused && test -n \"$HOME\" && test \"$(umask)\" = 0022 && "
	       "PATH=/bin:/usr/bin && grep -q '^CapEff:.0000000000000000$' /proc/$$/status && "
	       "grep -q '^NoNewPrivs:.0$' /proc/$$/status");
}

static void rights_body(void)
{
	static const uint32_t groups[] = {7, 8};
	static const struct plan_rlimit limits[] = {{RLIMIT_CORE, "RLIMIT_CORE", 0, 4096},
						    {RLIMIT_NOFILE, "RLIMIT_NOFILE", 50, 60}};

	begin("/bin");
	p.uid = 12345;
	p.gid = 54321;
	p.groups = groups;
	p.n_groups = 2;
	p.umask_set = true;
	p.umask = 0077;
	p.no_new_privileges = true;
	p.rlimits = limits;
	p.n_rlimits = 2;
	p.cwd = in_box("a");
	become("PATH=/bin:/usr/bin && test \"$(umask)\" = 0077 && test \"$(ulimit -n)\" = 50 && "
	       "test \"$(ulimit -Hn)\" = 60 && test \"${PWD##*/}\" = a && "
	       "grep -q '^Uid:.12345.12345.12345.12345$' /proc/$$/status && "
	       "grep -q '^Gid:.54321.54321.54321.54321$' /proc/$$/status && "
	       "grep -q '^Groups:.7 8 *$' /proc/$$/status && "
	       "grep -q '^NoNewPrivs:.1$' /proc/$$/status");
}

static void descriptors_body(void)
{
	begin("/bin");
	fd_replace(&ends[1], -1);
	ends[0] = fcntl(ends[0], F_DUPFD, 20);
	CHECK(dup2(2, 3) == 3 && dup2(2, 4) == 4 && dup2(2, 5) == 5 && dup2(2, 9) == 9);
	p.keep_fds = 2;
	become("test -e /proc/$$/fd/3 && test -e /proc/$$/fd/4 && ! test -e /proc/$$/fd/5 && "
	       "! test -e /proc/$$/fd/9 && ! test -e /proc/$$/fd/20");
}

/* The first that may be executed, and not the first of that name. */
static void path_body(void)
{
	begin(both_dirs());
	put_program(in_box("a/tool"), "#!/bin/sh\nexit 1\n", 0644);
	put_program(in_box("b/tool"), "#!/bin/sh\ntest \"$1\" = x\n", 0755);
	args("tool", "x", NULL);
	CHECK_OK(prepare(false), err);
	(void)execute();
	CHECK_OK(-1, err);
}

static void told_body(void)
{
	struct sync_message m;
	int status;
	pid_t pid;

	begin("/bin");
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close(ends[1]);
		become("exit 7");
	}
	close(ends[0]);
	CHECK(sync_expect(ends[1], SYNC_EXEC, &m, NULL, CLOCK_FOREVER, &err) == 0);
	CHECK(sync_expect(ends[1], SYNC_EXEC, &m, NULL, CLOCK_FOREVER, &err) == SYNC_GONE);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
}

/* ---- no program ---- */

/* What is tried takes all rights away: each in a process of its own. */
#define TRY(...)                                                                                   \
	do {                                                                                       \
		int try_status;                                                                    \
		pid_t try_pid = fork();                                                            \
                                                                                                   \
		if (try_pid == 0) {                                                                \
			CHECK(execute() < 0);                                                      \
			CHECK(__VA_ARGS__);                                                        \
			_exit(0);                                                                  \
		}                                                                                  \
		CHECK(waitpid(try_pid, &try_status, 0) == try_pid && try_status == 0);             \
	} while (0)

static void refused_body(void)
{
	static const struct plan_rlimit bad = {RLIMIT_CORE, "RLIMIT_CORE", 5, 3};

	begin(both_dirs());
	p.rlimits = &bad;
	p.n_rlimits = 1;
	args("tool", NULL, NULL);
	TRY(failed(ERR_CONFIG, "/process/rlimits/0", "RLIMIT_CORE"));
	p.n_rlimits = 0;
	TRY(failed(ERR_NOT_FOUND, "/process/args/0", "not found in $PATH"));
	put_program(in_box("b/tool"), "#!/bin/sh\n", 0644);
	TRY(failed(ERR_NOT_EXECUTABLE, "/process/args/0", "/b/tool: permission denied"));
	put_program(in_box("a/tool"), "no program at all", 0755);
	TRY(failed(ERR_NOT_EXECUTABLE, "/process/args/0", "/a/tool: exec format error"));
	args(in_box("a/tool/x"), NULL, NULL);
	TRY(failed(ERR_NOT_FOUND, "/process/args/0", "/a/tool/x: not a directory"));
	args(in_box("a/no"), NULL, NULL);
	TRY(failed(ERR_NOT_FOUND, "/process/args/0", "/a/no: no such file or directory"));
}

static void too_long_body(void)
{
	static char word[129 * 1024];

	begin("/bin");
	memset(word, 'x', sizeof(word) - 1);
	/* MAX_ARG_STRLEN is 32 pages. */
	args("sh", word, NULL);
	CHECK(execute() < 0);
	CHECK(failed(ERR_NOT_EXECUTABLE, "/process/args/0", "/bin/sh: argument list too long"));
}

/* Where root may not go, before the ids are dropped, the user may not either. */
static void unreachable_body(void)
{
	begin("/bin");
	args("sh", NULL, NULL);
	CHECK(mkdir(in_box("private"), 0700) == 0 && chdir("/") == 0);
	p.cwd = in_box("private");
	p.uid = 12345;
	CHECK(execute() < 0);
	CHECK(failed(ERR_RUNTIME, "/process/cwd", "chdir to cwd (\""));
	CHECK(err.code == EACCES && str_eq(err.hint, "uid 12345 may not search it"));
}

static void missing_cwd_body(void)
{
	begin("/bin");
	args("sh", NULL, NULL);
	CHECK(chdir("/") == 0);
	p.cwd = in_box("missing");
	CHECK(execute() < 0 && err.code == EACCES);
	CHECK(strstr(err.hint, "it does not exist, and we may not make it"));
}

static void outside_body(void)
{
	begin("/bin");
	args("sh", NULL, NULL);
	CHECK(mkdir(in_box("root/proc"), 0755) == 0);
	CHECK(mount("/proc", in_box("root/proc"), NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(chdir(in_box("out")) == 0 && chroot(in_box("root")) == 0);
	p.cwd = "/nowhere";
	CHECK(execute() < 0);
	CHECK(failed(ERR_CONFIG, "/process/cwd",
		     "the working directory \"/nowhere\" is outside the container"));
}

/* ---- a rehearsal ---- */

static bool *rehearsed; /* seen by the parent */

static void rehearse(void)
{
	struct process_exec x = request();

	*rehearsed = false;
	x.rehearsal = rehearsed;
	err = ERR_INIT;
	CHECK(process_exec(&x, &err) < 0);
}

static void good_rehearsal_body(void)
{
	begin("/bin");
	args("sh", "-c", "exit 9");
	rehearse();
	_exit(1);
}

static void bad_rehearsal_body(void)
{
	begin(both_dirs());
	args("tool", NULL, NULL);
	rehearse();
	CHECK(failed(ERR_NOT_FOUND, "/process/args/0", "not found in $PATH"));
	CHECK(!*rehearsed);
}

static void no_program_rehearsal_body(void)
{
	begin(both_dirs());
	args("tool", NULL, NULL);
	put_program(in_box("b/tool"),
		    "\x7f"
		    "ELF",
		    0755);
	rehearse();
	CHECK(failed(ERR_NOT_EXECUTABLE, "/process/args/0", "/b/tool: exec format error"));
	CHECK(!*rehearsed);
}

static void rehearsals(void **state)
{
	(void)state;
	rehearsed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(rehearsed != MAP_FAILED);
	assert_int_equal(in_child(good_rehearsal_body), 0);
	assert_true(*rehearsed);
	assert_int_equal(in_child(bad_rehearsal_body), 0);
	assert_int_equal(in_child(no_program_rehearsal_body), 0);
}

TEST(finds, NATIVE)
TEST(cwd, PATH_WAYS)
TEST(home, NATIVE)
TEST(plain, NATIVE)
TEST(rights, NATIVE)
TEST(descriptors, NATIVE)
TEST(path, NATIVE)
TEST(told, NATIVE)
TEST(refused, NATIVE)
TEST(too_long, NATIVE)
TEST(unreachable, NATIVE)
TEST(missing_cwd, NATIVE)
TEST(outside, NATIVE)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),	    cmocka_unit_test(test_cwd),
		cmocka_unit_test(test_home),	    cmocka_unit_test(test_plain),
		cmocka_unit_test(test_rights),	    cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_path),	    cmocka_unit_test(test_told),
		cmocka_unit_test(test_refused),	    cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_unreachable), cmocka_unit_test(test_missing_cwd),
		cmocka_unit_test(test_outside),	    cmocka_unit_test(rehearsals),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
