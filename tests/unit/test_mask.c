/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernel/mask.h: hidden and read-only paths, by our null and our directory only. */
#include "kernel/mask.h"

#include <sys/sysmacros.h>

#include "test_sandbox.h"

static struct mask mask = MASK_INIT;

static void prepare(void)
{
	enter_root();
	CHECK_OK(mask_prepare(&mask, &err), err);
}

static void hide(const char *path)
{
	CHECK_OK(mask_path(&mask, &root, path, &err), err);
}

static void files_body(void)
{
	mode_t null_mode = mode_of("/dev/null");
	struct stat a, b;
	int before, fd;

	prepare();
	before = count_fds();
	put_file(in_box("root/secret"), "secret");
	put_file(in_box("root/other"), "secret");
	hide("/secret");
	hide("/other");
	CHECK(count_fds() == before);
	CHECK(has_text(in_box("root/secret"), "") && has_text(in_box("root/other"), ""));
	CHECK(stat(in_box("root/secret"), &a) == 0 && S_ISCHR(a.st_mode) &&
	      a.st_rdev == makedev(1, 3));
	CHECK(stat("/dev/null", &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	/* It is the host's node: nobody may change it from inside. */
	CHECK(chmod(in_box("root/secret"), 0600) < 0 && errno == EROFS);
	CHECK(chmod(in_box("root/other"), 0600) < 0 && errno == EROFS);
	CHECK(mode_of("/dev/null") == null_mode);
	fd = open(in_box("root/other"), O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
	CHECK(unlink(in_box("root/secret")) < 0 && errno == EBUSY);
	/* Once. */
	hide("/secret");
	CHECK(count_mounts(in_box("root/secret")) == 1);
	mask_done(&mask);
	mask_done(&mask);
	CHECK(mask.null == -1 && mask.empty == -1);
	check_canary();
}

static void dirs_body(void)
{
	struct stat a, b;
	int before;

	prepare();
	before = count_fds();
	CHECK(mkdir(in_box("root/a"), 0755) == 0 && mkdir(in_box("root/b"), 0755) == 0);
	put_file(in_box("root/a/secret"), "secret");
	put_file(in_box("root/b/secret"), "secret");
	hide("/a");
	hide("/b");
	hide("/a");
	CHECK(count_fds() - before <= 1);
	CHECK(!exists(in_box("root/a/secret")) && !exists(in_box("root/b/secret")));
	CHECK(mkdir(in_box("root/a/x"), 0755) < 0 && errno == EROFS);
	CHECK(mkdir(in_box("root/b/x"), 0755) < 0 && errno == EROFS);
	CHECK(stat(in_box("root/a"), &a) == 0 && stat(in_box("root/b"), &b) == 0);
	CHECK(S_ISDIR(a.st_mode) && (a.st_mode & 07777) == 0755);
	if (way == WAY_NATIVE) {
		CHECK(a.st_dev == b.st_dev);
		CHECK(count_mounts(in_box("root/a")) == 1);
	}
	CHECK(mount_has(in_box("root/b"), "nosuid") && mount_has(in_box("root/b"), "noexec"));
}

/* Missing paths are fine, links are those of the root. */
static void paths_body(void)
{
	prepare();
	hide("/none");
	hide("/none/below");
	put_file(in_box("root/file"), "secret");
	hide("/file/below");
	CHECK(symlink("/file", in_box("root/link")) == 0);
	hide("/link");
	CHECK(has_text(in_box("root/file"), ""));
	CHECK(symlink(in_box("out/canary"), in_box("root/escape")) == 0);
	hide("/escape");
	CHECK(symlink("../../../../out", in_box("root/up")) == 0);
	hide("/up");
	CHECK(symlink("loop", in_box("root/loop")) == 0);
	CHECK(mask_path(&mask, &root, "/loop", &err) == -ELOOP && strstr(err.text, "/loop"));
	CHECK(mkfifo(in_box("root/fifo"), 0666) == 0);
	hide("/fifo");
	CHECK(has_text(in_box("root/fifo"), ""));
	check_canary();
}

/* The container's own "null" is no tool of ours. */
static void fake_null_body(void)
{
	prepare();
	CHECK(mkdir(in_box("root/dev"), 0755) == 0);
	CHECK(symlink(in_box("out/canary"), in_box("root/dev/null")) == 0);
	put_file(in_box("root/secret"), "secret");
	hide("/secret");
	CHECK(has_text(in_box("root/secret"), ""));
	/* Nor is another device the null because it has its number as a file has none. */
	CHECK(mknod(in_box("root/zero"), S_IFCHR | 0666, makedev(1, 5)) == 0);
	hide("/zero");
	CHECK(has_text(in_box("root/zero"), ""));
	check_canary();
}

static void bad_host_body(void)
{
	enter_box();
	CHECK(mount("fake", "/dev", "tmpfs", 0, NULL) == 0);
	CHECK(mask_prepare(&mask, &err) == -ENOENT);
	put_file("/dev/null", "");
	CHECK(mask_prepare(&mask, &err) == -ENODEV && strstr(err.text, "null"));
	CHECK(unlink("/dev/null") == 0 && mknod("/dev/null", S_IFCHR | 0666, makedev(1, 5)) == 0);
	CHECK(mask_prepare(&mask, &err) == -ENODEV && mask.null == -1);
}

static void readonly_body(void)
{
	int before;

	enter_root();
	CHECK(mkdir(in_box("root/proc"), 0755) == 0 && mkdir(in_box("root/d"), 0755) == 0);
	CHECK(mount("proc", in_box("root/proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ==
	      0);
	CHECK(mkdir(in_box("root/d/sub"), 0755) == 0);
	CHECK(mount("sub", in_box("root/d/sub"), "tmpfs", MS_NOSUID, NULL) == 0);
	put_file(in_box("root/d/file"), "x");
	before = count_fds();
	CHECK_OK(mask_readonly(&root, "/proc/sys", &err), err);
	CHECK(mount_has(in_box("root/proc/sys"), "ro") &&
	      mount_has(in_box("root/proc/sys"), "noexec"));
	CHECK(mount_has(in_box("root/proc/sys"), "nosuid") && mount_has(in_box("root/proc"), "rw"));
	CHECK(open(in_box("root/proc/sys/kernel/hostname"), O_WRONLY | O_CLOEXEC) < 0 &&
	      errno == EROFS);
	CHECK_OK(mask_readonly(&root, "/d", &err), err);
	CHECK(mkdir(in_box("root/d/new"), 0755) < 0 && errno == EROFS);
	/* What is mounted below stays as it was asked for. */
	CHECK(mkdir(in_box("root/d/sub/new"), 0755) == 0 &&
	      mount_has(in_box("root/d/sub"), "nosuid"));
	CHECK_OK(mask_readonly(&root, "/none", &err), err);
	CHECK_OK(mask_readonly(&root, "/d/file", &err), err);
	CHECK_OK(mask_readonly(&root, "/d/file/below", &err), err);
	CHECK(symlink(in_box("out"), in_box("root/escape")) == 0);
	CHECK_OK(mask_readonly(&root, "/escape", &err), err);
	CHECK(count_fds() == before);
	check_canary();
}

static void userns_body(void)
{
	enter_box();
	CHECK(mkdir(in_box("root/proc"), 0755) == 0 && mkdir(in_box("root/a"), 0755) == 0);
	put_file(in_box("root/secret"), "secret");
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) == 0);
	put_file("/proc/self/setgroups", "deny");
	put_file("/proc/self/uid_map", "0 0 1");
	put_file("/proc/self/gid_map", "0 0 1");
	CHECK_OK(rootfs_enter(&root, in_box("root"), MS_PRIVATE | MS_REC, &err), err);
	CHECK(mount("/proc", in_box("root/proc"), NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK_OK(mask_prepare(&mask, &err), err);
	hide("/secret");
	hide("/a");
	hide("/proc/version");
	CHECK(has_text(in_box("root/secret"), "") && has_text(in_box("root/proc/version"), ""));
	CHECK(mkdir(in_box("root/a/x"), 0755) < 0 && errno == EROFS);
	CHECK_OK(mask_readonly(&root, "/proc/sys", &err), err);
	CHECK(mount_has(in_box("root/proc/sys"), "ro"));
	check_canary();
}

TEST(files, MOUNT_WAYS)
TEST(dirs, MOUNT_WAYS)
TEST(paths, MOUNT_WAYS)
TEST(fake_null, MOUNT_WAYS)
TEST(bad_host, NATIVE)
TEST(readonly, MOUNT_WAYS)
TEST(userns, MOUNT_WAYS)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),	 cmocka_unit_test(test_dirs),
		cmocka_unit_test(test_paths),	 cmocka_unit_test(test_fake_null),
		cmocka_unit_test(test_bad_host), cmocka_unit_test(test_readonly),
		cmocka_unit_test(test_userns),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
