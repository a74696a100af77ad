/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernel/rootfs.h: in and out of roots, and what the host's mount namespace sees of it. */
#include "kernel/rootfs.h"

#include <sys/vfs.h>

#include "kernel/mount.h"
#include "test_sandbox.h"

#define SLAVE	(MS_SLAVE | MS_REC)
#define PRIVATE (MS_PRIVATE | MS_REC)

static int count_all(void)
{
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n++;
	(void)fclose(f);
	return n;
}

/* Enter @path, prove that we are in it and that nothing of the old root is left. */
static void pivot_into(const char *path, unsigned long propagation, unsigned long final)
{
	int before;

	CHECK(mkdir(in_box("root/proc"), 0755) == 0 || errno == EEXIST);
	put_file(in_box("root/here"), "yes");
	before = count_fds();
	CHECK_OK(rootfs_enter(&root, path, propagation, &err), err);
	CHECK(count_fds() == before + 1);
	CHECK(mount("proc", in_box("root/proc"), "proc", 0, NULL) == 0);
	CHECK_OK(rootfs_pivot(&root, final, &err), err);
	CHECK(count_fds() == before + 1);
	CHECK(has_text("/here", "yes") && !exists(box));
	CHECK(has_text("here", "yes"));
	CHECK(count_all() == 2);
}

static void pivot_body(void)
{
	enter_box();
	pivot_into(in_box("root"), PRIVATE, 0);
	CHECK(!strstr(mount_line("/"), "shared:") && !strstr(mount_line("/"), "master:"));
}

static void pivot_mount_point_body(void)
{
	enter_box();
	CHECK(mount("own", in_box("root"), "tmpfs", 0, NULL) == 0);
	CHECK(mkdir(in_box("root/sub"), 0755) == 0);
	put_file(in_box("root/sub/x"), "below");
	CHECK(mount(in_box("root/sub"), in_box("root/sub"), NULL, MS_BIND, NULL) == 0);
	CHECK(umount(in_box("root/sub")) == 0);
	pivot_into(in_box("root"), SLAVE, 0);
	CHECK(has_text("/sub/x", "below"));
}

static void pivot_link_body(void)
{
	enter_box();
	CHECK(symlink("root", in_box("link")) == 0);
	pivot_into(in_box("link"), PRIVATE, 0);
}

/* The root of the namespace itself. */
static void pivot_slash_body(void)
{
	struct stat before, after;

	enter_box();
	CHECK(stat("/etc", &before) == 0);
	CHECK_OK(rootfs_enter(&root, "/", PRIVATE, &err), err);
	CHECK_OK(rootfs_pivot(&root, 0, &err), err);
	CHECK(stat("/etc", &after) == 0 && after.st_ino == before.st_ino);
	CHECK(has_text(in_box("out/canary"), "alive"));
}

static void propagation_body(void)
{
	static const struct {
		unsigned long enter, final;
		const char *has, *has_not;
	} cases[] = {
		{MS_SHARED | MS_REC, MS_SHARED | MS_REC, "shared:", "master:"},
		{MS_SLAVE | MS_REC, MS_SLAVE | MS_REC, "master:", "shared:"},
		{MS_SLAVE, MS_SLAVE, "master:", "shared:"},
		{MS_PRIVATE | MS_REC, MS_PRIVATE | MS_REC, " - ", "master:"},
		{MS_PRIVATE, 0, " - ", "master:"},
		{MS_UNBINDABLE, MS_UNBINDABLE, "unbindable", "master:"},
		{0, 0, "master:", "shared:"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status, before;
		pid_t pid;

		if (i == 0) {
			enter_box();
			CHECK(mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) == 0);
		}
		before = count_all();
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			/* Every mount has a peer in the parent's namespace now. */
			CHECK(unshare(CLONE_NEWNS) == 0);
			pivot_into(in_box("root"), cases[i].enter, cases[i].final);
			CHECK(strstr(mount_line("/"), cases[i].has) &&
			      !strstr(mount_line("/"), cases[i].has_not));
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		if (status != 0)
			(void)fprintf(stderr, "case %zu\n", i);
		CHECK(status == 0);
		/* Neither new mounts nor unmounting came through. */
		CHECK(count_all() == before && has_text(in_box("out/canary"), "alive"));
		CHECK(count_mounts(box) == 1 && count_mounts(in_box("root")) == 0);
	}
}

static void readonly_body(void)
{
	struct mount_op op = {
		.kind = MOUNT_FS, .target = "/t", .type = "tmpfs", .data = "", .source = "t"};

	enter_root();
	CHECK_OK(mount_apply(&root, &op, -1, &err), err);
	CHECK_OK(rootfs_readonly(&root, &err), err);
	CHECK(open(in_box("root/new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 && errno == EROFS);
	put_file(in_box("root/t/new"), "the top mount only");
	CHECK_OK(rootfs_pivot(&root, 0, &err), err);
	CHECK(mkdir("/x", 0755) < 0 && errno == EROFS);
}

static void readonly_after_body(void)
{
	enter_root();
	CHECK_OK(rootfs_pivot(&root, 0, &err), err);
	CHECK(mkdir("/x", 0755) == 0);
	CHECK_OK(rootfs_readonly(&root, &err), err);
	CHECK(mkdir("/y", 0755) < 0 && errno == EROFS);
}

static void move_body(void)
{
	char line[4096];
	FILE *f;

	enter_root();
	root.proc = procfs_open(&err);
	CHECK_OK(root.proc, err);
	CHECK(mkdir(in_box("root/proc"), 0755) == 0);
	CHECK(mount("proc", in_box("root/proc"), "proc", 0, NULL) == 0);
	/* A second one of the host's, with a blank in its name. */
	CHECK(mkdir(in_box("a b"), 0755) == 0);
	CHECK(mount("proc", in_box("a b"), "proc", 0, NULL) == 0);
	put_file(in_box("root/here"), "yes");
	CHECK_OK(rootfs_move(&root, &err), err);
	CHECK(has_text("/here", "yes") && has_text("here", "yes") && !exists(box));
	/* Seen from the root of the namespace: the container's own is the only one left. */
	f = fopen("/proc/self/mountinfo", "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		CHECK(!strstr(line, " - sysfs ") &&
		      (!strstr(line, " - proc ") || strstr(line, " /proc ")));
	(void)fclose(f);
	CHECK(count_mounts("/proc") == 1);
}

static void move_shared_body(void)
{
	int before, status;
	pid_t pid;

	enter_box();
	CHECK(mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) == 0);
	before = count_all();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK_OK(rootfs_enter(&root, in_box("root"), MS_SHARED | MS_REC, &err), err);
		root.proc = procfs_open(&err);
		CHECK_OK(root.proc, err);
		CHECK_OK(rootfs_move(&root, &err), err);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(count_all() == before && exists("/proc/self/stat") && exists("/sys/kernel"));
}

static void chroot_body(void)
{
	enter_box();
	put_file(in_box("root/here"), "yes");
	root.path = in_box("root");
	CHECK(mkdir(in_box("root/proc"), 0755) == 0);
	CHECK(mount("proc", in_box("root/proc"), "proc", 0, NULL) == 0);
	CHECK_OK(rootfs_chroot(&root, &err), err);
	CHECK(has_text("/here", "yes") && has_text("here", "yes") && !exists(box));
}

static void errors_body(void)
{
	enter_box();
	CHECK(rootfs_enter(&root, in_box("none"), PRIVATE, &err) == -ENOENT);
	CHECK(strstr(err.text, in_box("none")) && root.fd == -1);
	err = ERR_INIT;
	put_file(in_box("file"), "");
	CHECK(rootfs_enter(&root, in_box("file"), PRIVATE, &err) == -ENOTDIR &&
	      err.code == ENOTDIR);
	CHECK(count_mounts(in_box("file")) == 0);
}

static bool is_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == 0x9fa0;
}

static void procfs_body(void)
{
	static const int none[] = {SYS_fsopen, SYS_open_tree};
	int fd, before;

	enter_box();
	before = count_fds();
	/* Whatever is mounted over /proc. */
	CHECK(mount("fake", "/proc", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("/proc/self", 0755) == 0);
	fd = procfs_open(&err);
	CHECK_OK(fd, err);
	CHECK(is_procfs(fd) && faccessat(fd, "self/status", F_OK, 0) == 0 &&
	      count_fds() == before + 1);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	deny(none, 2, ENOSYS);
	fd = procfs_open(&err);
	CHECK(fd == -EXDEV && strstr(err.text, "procfs"));
	CHECK(umount("/proc") == 0);
	err = ERR_INIT;
	fd = procfs_open(&err);
	CHECK_OK(fd, err);
	CHECK(is_procfs(fd) && faccessat(fd, "self/status", F_OK, 0) == 0);
	/* A directory of procfs is not its root. */
	CHECK(mount("/proc/sys", "/proc", NULL, MS_BIND, NULL) == 0);
	CHECK(procfs_open(&err) == -EXDEV);
}

TEST(pivot, MOUNT_WAYS)
TEST(pivot_mount_point, MOUNT_WAYS)
TEST(pivot_link, MOUNT_WAYS)
TEST(pivot_slash, NATIVE)
TEST(propagation, MOUNT_WAYS)
TEST(readonly, MOUNT_WAYS)
TEST(readonly_after, NATIVE)
TEST(move, MOUNT_WAYS)
TEST(move_shared, NATIVE)
TEST(chroot, NATIVE)
TEST(errors, MOUNT_WAYS)
TEST(procfs, NATIVE)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pivot),	       cmocka_unit_test(test_pivot_mount_point),
		cmocka_unit_test(test_pivot_link),     cmocka_unit_test(test_pivot_slash),
		cmocka_unit_test(test_propagation),    cmocka_unit_test(test_readonly),
		cmocka_unit_test(test_readonly_after), cmocka_unit_test(test_move),
		cmocka_unit_test(test_move_shared),    cmocka_unit_test(test_chroot),
		cmocka_unit_test(test_errors),	       cmocka_unit_test(test_procfs),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
