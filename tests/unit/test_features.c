/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of the kernel: system calls by number, probes with calls taken away, clocks. */
#include <linux/openat2.h>
#include <time.h>

#include "base/str.h"
#include "kernel/feature.h"
#include "kernel/timens.h"
#include "test_sandbox.h"

/* ---- base/sys.c: -1 and errno, as libc has it ---- */

static bool fails(int r, int code)
{
	return r == -1 && errno == code;
}

static void calls_body(void)
{
	struct open_how how = {.flags = O_PATH, .resolve = RESOLVE_BENEATH};
	struct sys_pidfd_info info = {.mask = 0};
	struct clone_args args = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	char *argv[] = {"sh", "-c", "exit 7", NULL}, **none = argv + 3;
	int out = open("/dev/null", O_RDONLY | O_CLOEXEC), pidfd = -1, status, r;

	CHECK(fails(sys_openat2(AT_FDCWD, "/", &how), EXDEV));
	CHECK(fails(sys_openat2(-1, "x", &how), EBADF));
	CHECK(fails(sys_fsopen("no-such-fs", 0), ENODEV));
	CHECK(fails(sys_fsconfig(out, FSCONFIG_SET_FLAG, "ro", NULL, 0), EINVAL));
	CHECK(fails(sys_fsmount(out, 0, 0), EINVAL));
	CHECK(fails(sys_fspick(AT_FDCWD, "/no/such", 0), ENOENT));
	CHECK(fails(sys_open_tree(-1, "x", 0), EBADF));
	CHECK(fails(sys_move_mount(-1, "", -1, "", 1 << 30), EINVAL));
	CHECK(fails(sys_mount_setattr(AT_FDCWD, "/no/such", 0, &attr), ENOENT));
	CHECK(fails(sys_pivot_root("/no/such", "/"), ENOENT));
	CHECK(fails(sys_pidfd_open(-1, 0), EINVAL));
	CHECK(fails(sys_pidfd_send_signal(-1, 0, NULL, 0), EBADF));
	CHECK(fails(sys_close_range(2, 1, 0), EINVAL));
	CHECK(fails(sys_execveat(AT_FDCWD, "/no/such", argv, none, 0), ENOENT));
	CHECK(fails(sys_pidfd_get_info(out, &info), ENOTTY));

	args.pidfd = (uintptr_t)&pidfd;
	r = sys_clone3(&args);
	if (r == 0)
		_exit(sys_execveat(AT_FDCWD, "/bin/sh", argv, none, 0) ? 1 : 2);
	CHECK(sys_pidfd_open(getpid(), 0) >= 0 && r > 0 && waitpid(r, &status, 0) == r &&
	      WEXITSTATUS(status) == 7);
	CHECK(fails(sys_pidfd_send_signal(pidfd, SIGTERM, NULL, 0), ESRCH));
	CHECK(sys_close_range((unsigned)out, (unsigned)out, 0) == 0);
	CHECK(fcntl(out, F_GETFD) < 0 && fcntl(pidfd, F_GETFD) >= 0);
}

/* ---- probes ---- */

static enum feature_answer ask(const char *name)
{
	const struct feature *f;
	enum feature_answer answer;

	for (size_t i = 0; (f = feature_at(i)); i++) {
		int before = count_fds();

		if (!str_eq(f->name, name))
			continue;
		answer = f->probe();
		/* Nothing stays behind. */
		CHECK(count_fds() == before && waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
		return answer;
	}
	CHECK(false);
	return FEATURE_UNKNOWN;
}

static const struct {
	const char *name;
	int call;
	bool by_enosys_alone; /* EPERM may be the kernel's own answer */
} calls[] = {
	{"openat2", SYS_openat2, false},
	{"clone3", SYS_clone3, false},
	{"clone3 into a cgroup", SYS_clone3, false},
	{"pidfd_open", SYS_pidfd_open, false},
	{"pidfd_send_signal", SYS_pidfd_send_signal, false},
	{"new mount calls (fsopen)", SYS_fsopen, true},
	{"mount_setattr", SYS_mount_setattr, true},
	{"close_range", SYS_close_range, false},
	{"session keyrings", SYS_keyctl, true},
};

static void probes_body(void)
{
	const struct feature *f;
	size_t n = 0, needed = 0;

	for (; (f = feature_at(n)); n++) {
		CHECK(f->name[0] && f->since[0] >= '2' && f->since[0] <= '9' && f->without[0]);
		needed += f->needed;
		for (size_t i = 0; i < n; i++)
			CHECK(!str_eq(feature_at(i)->name, f->name));
		/* What the tests themselves run on. */
		if (f->needed || str_starts(f->name, "openat2"))
			CHECK(ask(f->name) == FEATURE_YES);
	}
	CHECK(n == 17 && needed == 3 && !feature_at(n) && !feature_at(SIZE_MAX));
	CHECK(ask("exit status by pidfd") != FEATURE_UNKNOWN);
}

static size_t taken;
static int taken_code;

static void without_call(void)
{
	deny(&calls[taken].call, 1, taken_code);
	CHECK(ask(calls[taken].name) ==
	      (calls[taken].by_enosys_alone && taken_code == EPERM ? FEATURE_YES : FEATURE_NO));
}

static void test_without_calls(void **state)
{
	static const int codes[] = {ENOSYS, EPERM};

	(void)state;
	for (taken = 0; taken < ARRAY_SIZE(calls); taken++)
		for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
			taken_code = codes[i];
			if (in_child(without_call) != 0)
				fail_msg("%s without its call", calls[taken].name);
		}
}

/* By the files of /proc, where there is one. */
static void no_proc_body(void)
{
	static const char *const names[] = {"pid", "network", "ipc", "user", "cgroup", "time"};
	char text[32];

	enter_box();
	for (size_t i = 0; i < ARRAY_SIZE(names) - 1; i++) {
		(void)snprintf(text, sizeof(text), "%s namespaces", names[i]);
		CHECK(ask(text) == FEATURE_YES);
	}
	CHECK(mount("none", "/proc", "tmpfs", 0, NULL) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(text, sizeof(text), "%s namespaces", names[i]);
		CHECK(ask(text) == FEATURE_UNKNOWN);
	}
	CHECK(mkdir("/proc/self", 0755) == 0 && mkdir("/proc/self/ns", 0755) == 0);
	put_file("/proc/self/ns/net", "");
	CHECK(ask("network namespaces") == FEATURE_YES);
	CHECK(ask("time namespaces") == FEATURE_NO);
	CHECK(umount("/proc") == 0);
}

static void user_namespace_body(void)
{
	static const int unshare_call[] = {SYS_unshare};
	int r;

	enter_box();
	r = feature_user_namespace();
	CHECK(r == 0 || r == EPERM || r == ENOSPC || r == EINVAL || r == EACCES);
	if (r != 0)
		return;
	CHECK(unshare(CLONE_NEWUSER) == 0);
	put_file("/proc/self/setgroups", "deny");
	put_file("/proc/self/uid_map", "0 0 1");
	put_file("/proc/self/gid_map", "0 0 1");
	CHECK(feature_user_namespace() == 0);
	/* Ours alone. */
	put_file("/proc/sys/user/max_user_namespaces", "0");
	CHECK(feature_user_namespace() == ENOSPC);
	put_file("/proc/sys/user/max_user_namespaces", "9");
	CHECK(chroot(in_box("root")) == 0);
	CHECK(feature_user_namespace() == EPERM);
	deny(unshare_call, 1, EINVAL);
	CHECK(feature_user_namespace() == EINVAL);
	CHECK(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
}

/* ---- time ---- */

static bool has_clocks(void)
{
	return access("/proc/self/ns/time", F_OK) == 0;
}

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	CHECK(clock_gettime(clock, &ts) == 0);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static void clocks_body(void)
{
	const struct timens_offset offsets[] = {{"monotonic", 86400, 0},
						{"boottime", 3600, 500000000}};
	int64_t monotonic, boottime, later, passed;
	int fd;

	if (!has_clocks())
		return;
	monotonic = now(CLOCK_MONOTONIC);
	boottime = now(CLOCK_BOOTTIME);
	fd = timens_open(&err);
	CHECK_OK(fd, err);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_OK(timens_make(fd, offsets, 2, &err), err);
	/* We are in it, and not only our children. */
	passed = now(CLOCK_MONOTONIC) - monotonic - 86400000;
	later = now(CLOCK_BOOTTIME) - boottime - 3600500;
	CHECK(passed >= 0 && passed < 60000 && later >= passed - 1 && later < 60000);
	CHECK(fcntl(fd, F_GETFD) >= 0);
}

static void bad_clocks_body(void)
{
	const struct timens_offset unknown = {"none", -5, 0}, before = {"boottime", -(1 << 30), 0};
	const struct timens_offset fraction = {"monotonic", 0, 1000000000};
	int fd;

	if (!has_clocks())
		return;
	fd = timens_open(&err);
	CHECK(timens_make(fd, &unknown, 1, &err) == -EINVAL);
	CHECK(str_eq(err.text, "set the none clock off by -5 s") && !err.hint[0]);
	err = ERR_INIT;
	CHECK(timens_make(fd, &fraction, 1, &err) == -EINVAL);
	err = ERR_INIT;
	CHECK(timens_make(fd, &before, 1, &err) == -ERANGE && err.hint[0]);
	CHECK(str_eq(err.text, "set the boottime clock off by -1073741824 s"));
}

/* An undumpable process has nothing of its own in /proc; afterwards it is undumpable again. */
static void hidden_body(void)
{
	int fd;

	if (!has_clocks())
		return;
	CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	CHECK(open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC) < 0 && errno == EACCES);
	fd = timens_open(&err);
	CHECK_OK(fd, err);
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
	CHECK(timens_make(fd, NULL, 0, &err) == -EPERM);
	CHECK(str_eq(err.text, "make a time namespace"));
}

static void no_clocks_body(void)
{
	enter_box();
	CHECK(mount("none", "/proc", "tmpfs", 0, NULL) == 0);
	CHECK(timens_open(&err) == -ENOENT && err.kind == ERR_UNSUPPORTED);
	CHECK(strstr(err.text, "Linux 5.6"));
	CHECK(mkdir("/proc/self", 0755) == 0);
	put_file("/proc/self/timens_offsets", "");
	CHECK(timens_open(&err) == -EXDEV && strstr(err.text, "not on a proc file system"));
	CHECK(umount("/proc") == 0);
}

TEST(calls, NATIVE)
TEST(probes, NATIVE)
TEST(no_proc, NATIVE)
TEST(user_namespace, NATIVE)
TEST(clocks, NATIVE)
TEST(bad_clocks, NATIVE)
TEST(hidden, NATIVE)
TEST(no_clocks, NATIVE)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),	       cmocka_unit_test(test_probes),
		cmocka_unit_test(test_without_calls),  cmocka_unit_test(test_no_proc),
		cmocka_unit_test(test_user_namespace), cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_bad_clocks),     cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_no_clocks),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
