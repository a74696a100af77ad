/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running hooks: what an error says of them, where their output goes, and that none can hold us. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/seccomp.h"
#include "run/hooks.h"
#include "test_fork.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/oakum-hooks-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const files[] = {"out", "err", "fifo", "link"};
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlinkat(fd, files[i], 0);
	return rmdir(dir);
}

/* One shell script as the only createRuntime hook. */
static int run_as(const char *script, int timeout_s, struct hooks_setting *setting, struct err *err)
{
	static const char *const env[] = {"PATH=/usr/bin:/bin", "GIVEN=yes", NULL};
	const char *args[] = {"sh", "-c", script, NULL};
	struct spec_hook hook = {
		.path = "/bin/sh", .args = {args, 3}, .timeout = {timeout_s > 0, timeout_s}};
	const struct spec_hooks hooks = {&hook, 1};
	AUTO_CLOSE int input = hooks_input("{\"id\":\"x\"}", err);

	if (input < 0)
		return input;
	setting->input = input;
	setting->env = env;
	return hooks_run(&hooks, SPEC_HOOK_CREATE_RUNTIME, setting, err);
}

static int run(const char *script, int timeout_s, struct err *err)
{
	struct hooks_setting setting = HOOKS_SETTING(.dir = dir);

	*err = ERR_INIT;
	return run_as(script, timeout_s, &setting, err);
}

static void good(const char *script)
{
	struct err err;

	if (run(script, 0, &err) < 0)
		fail_msg("%s: %s", script, err.text);
}

static void bad(const char *script, int timeout_s, const char *text)
{
	struct err err;

	assert_true(run(script, timeout_s, &err) < 0);
	assert_string_equal(err.pointer, "/hooks/createRuntime/0");
	if (strcmp(err.text, text) != 0)
		fail_msg("%s: \"%s\" is not \"%s\"", script, err.text, text);
}

#define FAILED "error running createRuntime hook #0: /bin/sh: "

static void what_it_sees(void **state)
{
	char script[200];

	(void)state;
	good("test \"$(cat)\" = '{\"id\":\"x\"}'");
	good("test $GIVEN = yes");
	snprintf(script, sizeof(script), "test \"$(pwd)\" = %s", dir);
	good(script);
	/* Standard output goes nowhere, and there is nothing but 0, 1, 2. */
	good("test \"$(readlink /proc/$$/fd/1)\" = /dev/null");
	good("for f in /proc/$$/fd/*; do case ${f##*/} in [0-3]) ;; *) exit 1 ;; esac; "
	     "done");
}

static void what_an_error_says(void **state)
{
	struct err err;

	(void)state;
	bad("exit 3", 0, FAILED "exit status 3");
	bad("echo one >&2; echo two >&2; exit 1", 0, FAILED "exit status 1: one two");
	bad("kill -9 $$", 0, FAILED "killed by SIGKILL");
	bad("echo last >&2; kill -SYS $$", 0, FAILED "killed by SIGSYS (bad system call): last");
	/* From a whole line on where the beginning is lost. */
	assert_true(run("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done >&2; "
			"echo end >&2; exit 1",
			0, &err) < 0);
	assert_true(str_starts(err.text, FAILED "exit status 1: line 29"));
	assert_non_null(strstr(err.text, " line 2998 line 2999 end"));
}

static void time_is_limited(void **state)
{
	int64_t began = clock_now_ms();
	struct err err;

	(void)state;
	bad("echo waiting >&2; sleep 100", 1, FAILED "killed after its timeout of 1 s: waiting");
	assert_true(run("trap '' TERM INT HUP; while :; do echo y; done >&2", 1, &err) < 0);
	assert_true(str_starts(err.text, FAILED "killed after its timeout of 1 s: y y y"));
	assert_true(clock_now_ms() - began < 30000);
}

static void what_it_leaves_is_not_waited_for(void **state)
{
	int64_t began = clock_now_ms();

	(void)state;
	good("sleep 20 & exit 0");
	bad("sleep 20 & echo x >&2; exit 2", 0, FAILED "exit status 2: x");
	assert_true(clock_now_ms() - began < 15000);
}

static void read_back(const char *name, const char *want)
{
	AUTO_CLOSE int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
	char text[256];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void files(void **state)
{
	const struct spec_known known = {.hooks_stdout = "out", .hooks_stderr = "err"};
	struct hooks_setting setting = HOOKS_SETTING(.dir = dir);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(hooks_outputs(dir, &known, setting.output, &err), 0);
	assert_int_equal(run_as("echo o1; echo e1 >&2", 0, &setting, &err), 0);
	assert_true(run_as("echo o2; echo e2 >&2; exit 5", 0, &setting, &err) < 0);
	assert_string_equal(err.text, FAILED "exit status 5: e2");
	err = ERR_INIT;
	assert_true(run_as("exit 6", 0, &setting, &err) < 0);
	assert_string_equal(err.text, FAILED "exit status 6");
	hooks_outputs_close(setting.output);
	assert_int_equal(setting.output[0] + setting.output[1], -2);
	read_back("out", "o1\no2\n");
	read_back("err", "e1\ne2\n");
}

static void files_with_care(void **state)
{
	AUTO_CLOSE int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const char *const names[] = {"fifo", "link", "/dev/null", ".", "no/such"};
	struct spec_known known = {.hooks_stdout = NULL};
	int out[2] = {7, 7};

	(void)state;
	assert_int_equal(mkfifoat(at, "fifo", 0600), 0);
	assert_int_equal(symlinkat("out", at, "link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct err err = ERR_INIT;

		known.hooks_stderr = names[i];
		assert_true(hooks_outputs(dir, &known, out, &err) < 0);
		assert_string_equal(err.pointer, "/annotations/run.oci.hooks.stderr");
		assert_int_equal(out[0], -1);
		assert_int_equal(out[1], -1);
	}
	known.hooks_stderr = NULL;
	assert_int_equal(hooks_outputs("/no/such/bundle", &known, out, NULL), 0);
	assert_int_equal(out[1], -1);
}

/* Under a filter as engines have it: no clone3(2), no pidfd. Another child's end is not the hook's.
 */
static void body_filtered(void)
{
	const struct seccomp_rule rule = {
		.names = (const char *const[]){"clone3", "pidfd_open", "close_range", NULL},
		.action = "SCMP_ACT_ERRNO",
		.errno_set = true,
		.errno_ret = ENOSYS};
	const struct seccomp_profile p = {
		.default_action = "SCMP_ACT_ALLOW", .rules = &rule, .n_rules = 1};
	struct seccomp_filter f;
	struct err err = ERR_INIT;
	sigset_t mask;
	pid_t other;

	CHECK_OK(seccomp_build(&p, -1, &f, &err), err);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK_OK(seccomp_install(&f, &err), err);
	other = fork();
	if (other == 0)
		_exit(0);
	CHECK_OK(run("read x; test \"$x\" = '{\"id\":\"x\"}' && sleep 0.2", 0, &err), err);
	CHECK(run("echo why >&2; exit 4", 0, &err) < 0);
	CHECK(str_eq(err.text, FAILED "exit status 4: why"));
	CHECK(run("sleep 100", 1, &err) < 0);
	CHECK(strstr(err.text, "killed after its timeout"));
	/* All as it was: the mask, and the other child to be reaped. */
	CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && !sigismember(&mask, SIGCHLD));
	CHECK(waitpid(other, NULL, 0) == other);
}

static void without_clone3(void **state)
{
	(void)state;
	assert_int_equal(in_child(body_filtered), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_sees),
		cmocka_unit_test(what_an_error_says),
		cmocka_unit_test(time_is_limited),
		cmocka_unit_test(what_it_leaves_is_not_waited_for),
		cmocka_unit_test(files),
		cmocka_unit_test(files_with_care),
		cmocka_unit_test(without_clone3),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
