/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What mounting is made of, piece by piece: copies and attributes of trees, new file systems and
 * what is said of their options, a tree copied into another, the cover of a rehearsal.
 */
#include <limits.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/io.h"
#include "base/str.h"
#include "kernel/mount.h"
#include "kernel/mount_copyup.h"
#include "kernel/mount_fs.h"
#include "kernel/mount_tree.h"
#include "test_sandbox.h"

static int open_path(const char *path)
{
	int fd = open(in_box(path), O_PATH | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* A directory with a tmpfs on it: a descriptor of that. */
static int put_mount(const char *path, unsigned long flags)
{
	CHECK(mkdir(in_box(path), 0755) == 0);
	CHECK(mount("test", in_box(path), "tmpfs", flags, NULL) == 0);
	return open_path(path);
}

/* ---- mount_tree ---- */

static void flags_body(void)
{
	static const struct {
		unsigned long ms;
		uint64_t attr;
	} rows[] = {
		{0, 0},
		{MS_RDONLY, MOUNT_ATTR_RDONLY},
		{MS_NOSUID, MOUNT_ATTR_NOSUID},
		{MS_NODEV, MOUNT_ATTR_NODEV},
		{MS_NOEXEC, MOUNT_ATTR_NOEXEC},
		{MS_NOATIME, MOUNT_ATTR_NOATIME},
		{MS_STRICTATIME, MOUNT_ATTR_STRICTATIME},
		{MS_NODIRATIME, MOUNT_ATTR_NODIRATIME},
		{MS_NOSUID | MS_NOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
	};
	unsigned long ms = 1;
	uint64_t attr = 1;

	enter_box();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[8];
		int fd;

		(void)snprintf(name, sizeof(name), "m%zu", i);
		fd = put_mount(name, rows[i].ms);
		CHECK(mount_tree_attr(fd, &attr) == 0 && attr == rows[i].attr);
		CHECK(mount_tree_ms_flags(attr) == rows[i].ms);
		CHECK(mount_tree_current(fd, &ms) == 0);
		CHECK(ms == (rows[i].ms | (attr & MOUNT_ATTR__ATIME ? 0 : MS_RELATIME)));
		CHECK(mount_tree_is_root(fd) == 1);
		close(fd);
	}
	CHECK(mount_tree_is_root(open_path("out")) == 0 && mount_tree_is_root(-1) == -EBADF);
	ms = attr = 5;
	CHECK(mount_tree_attr(-1, &attr) == -EBADF && mount_tree_current(-1, &ms) == -EBADF);
	CHECK(ms == 5 && attr == 5);
}

/* A mount with another in it. */
static int nested(void)
{
	int fd = put_mount("a", MS_NOATIME);

	(void)put_mount("a/sub", 0);
	put_file(in_box("a/sub/file"), "deep");
	CHECK(mkdir(in_box("b"), 0755) == 0);
	return fd;
}

static void clone_body(void)
{
	const struct mount_change c = {.set = MOUNT_ATTR_NODEV, .recursive = true};
	int from, tree;

	enter_box();
	from = nested();
	tree = mount_tree_clone(from, false);
	CHECK(tree >= 0 && (fcntl(tree, F_GETFD) & FD_CLOEXEC));
	CHECK(mount_tree_attach(tree, open_path("b")) == 0);
	CHECK(exists(in_box("b/sub")) && !exists(in_box("b/sub/file")));
	CHECK(mount_has(in_box("b"), "noatime"));
	/* It cannot be attached twice; the descriptor is of what is attached now. */
	CHECK(mount_tree_is_root(tree) == 1);
	tree = mount_tree_clone(from, true);
	CHECK(mount_tree_place(tree, open_path("b"), &c) == 0);
	CHECK(has_text(in_box("b/sub/file"), "deep"));
	CHECK(mount_has(in_box("b/sub"), "nodev") && !mount_has(in_box("a/sub"), "nodev"));
	CHECK(mount_tree_attach(open_path("out"), open_path("b")) < 0);
	CHECK(mount_tree_clone(-1, false) == -EBADF);
}

/* With mount_setattr(2), or by mount(2) of what is attached, as far as that goes. */
static void change_body(void)
{
	bool old = way != WAY_NATIVE;
	struct mount_change c = {.set = MOUNT_ATTR_NOEXEC, .soft = MOUNT_ATTR__ATIME};
	int fd, tree;

	enter_box();
	fd = nested();
	CHECK(mount_tree_change(fd, &c) == 0);
	CHECK(mount_has(in_box("a"), "noexec") && mount_has(in_box("a"), "relatime"));
	CHECK(!mount_has(in_box("a/sub"), "noexec"));
	c = (struct mount_change){.clr = MOUNT_ATTR_NOEXEC, .propagation = MS_SHARED};
	CHECK(mount_tree_change(fd, &c) == 0);
	CHECK(!mount_has(in_box("a"), "noexec") && strstr(mount_line(in_box("a")), "shared:"));
	CHECK(!strstr(mount_line(in_box("a/sub")), "shared:"));
	c = (struct mount_change){.propagation = MS_SHARED | MS_REC};
	CHECK(mount_tree_change(fd, &c) == 0);
	CHECK(strstr(mount_line(in_box("a/sub")), "shared:"));
	CHECK(mount_tree_change(fd, &(struct mount_change){0}) == 0);
	c = (struct mount_change){.set = MOUNT_ATTR_RDONLY, .recursive = true};
	CHECK(mount_tree_missing(mount_tree_change(fd, &c)) == old);
	CHECK(mount_has(in_box("a/sub"), "ro") == !old);
	CHECK(mount_tree_missing(mount_tree_change_detached(fd, &c)) == old);
	/* Of no mount at all. */
	c = (struct mount_change){.set = MOUNT_ATTR_RDONLY};
	CHECK(mount_tree_change(open_path("out"), &c) == (way == WAY_EPERM_OLD ? -EPERM : -EINVAL));
	if (way == WAY_NO_SETATTR) {
		/* One that is on no tree yet is changed when it is. */
		tree = mount_tree_clone(fd, false);
		c.set = MOUNT_ATTR_NOSUID;
		CHECK(mount_tree_change(tree, &c) < 0);
		CHECK(mount_tree_place(tree, open_path("b"), &c) == 0);
		CHECK(mount_has(in_box("b"), "nosuid"));
	}
}

static void old_calls_body(void)
{
	enter_box();
	(void)nested();
	CHECK(mount_tree_bind_old(open_path("a"), open_path("b"), false) == 0);
	CHECK(!exists(in_box("b/sub/file")));
	CHECK(mount_tree_bind_old(open_path("a"), open_path("b"), true) == 0);
	CHECK(has_text(in_box("b/sub/file"), "deep"));
	CHECK(mount_tree_new_old("src", open_path("b"), "tmpfs", MS_NOSUID, "size=64k") == 0);
	CHECK(mount_has(in_box("b"), "nosuid") && strstr(mount_line(in_box("b")), "tmpfs src"));
	CHECK(strstr(mount_line(in_box("b")), "size=64k"));
	CHECK(mount_tree_new_old("x", open_path("b"), "no-such-fs", 0, NULL) == -ENODEV);
	CHECK(mount_tree_bind_old(-1, open_path("b"), false) == -ENOENT);
}

/* ---- mount_fs ---- */

static struct mount_op tmpfs(const char *data)
{
	return (struct mount_op){.kind = MOUNT_FS, .type = "tmpfs", .target = "/t", .data = data};
}

static bool fails(int r, int code, const char *text)
{
	bool same = r == -code && err.code == code && str_starts(err.text, text);

	if (!same)
		(void)fprintf(stderr, "%d: %s\n", r, err.text);
	err = ERR_INIT;
	return same;
}

static void make_fs_body(void)
{
	struct mount_op op = tmpfs("size=64k,,mode=700");
	struct statvfs st;
	struct stat root_st;
	int before, fd = -1;

	enter_box();
	before = count_fds();
	op.source = "name";
	op.sb_flags = MS_RDONLY;
	if (way != WAY_NATIVE) {
		CHECK(mount_fs_make(&op, "", 0, &fd, &err) == MOUNT_FS_OLD && fd == -1);
		return;
	}
	CHECK_OK(mount_fs_make(&op, "mode=711", MOUNT_ATTR_NOSUID, &fd, &err), err);
	CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) && count_fds() == before + 1);
	CHECK(fstatvfs(fd, &st) == 0 && st.f_blocks * st.f_frsize == 65536);
	CHECK((st.f_flag & (ST_NOSUID | ST_RDONLY)) == (ST_NOSUID | ST_RDONLY));
	CHECK(fstat(fd, &root_st) == 0 && (root_st.st_mode & 07777) == 0711);
	CHECK(mkdir(in_box("t"), 0755) == 0);
	CHECK(mount_tree_attach(fd, open_path("t")) == 0);
	CHECK(strstr(mount_line(in_box("t")), "tmpfs name ro"));
}

static void bad_options_body(void)
{
	static char long_option[300] = "huge=", text[400];
	struct mount_op op = tmpfs("mode=700,size=x");
	int before, fd = -7;

	enter_box();
	before = count_fds();
	CHECK(fails(mount_fs_make(&op, "", 0, &fd, &err), EINVAL,
		    "mount tmpfs on /t: option \"size=x\": tmpfs: Bad value for 'size'"));
	CHECK(fails(mount_fs_look(&op, &err), EINVAL, "mount tmpfs on /t: option \"size=x\""));
	op.data = "size=64k,flag";
	CHECK(fails(mount_fs_make(&op, "", 0, &fd, &err), EINVAL,
		    "mount tmpfs on /t: option \"flag\": tmpfs: Unknown parameter 'flag'"));
	op.data = NULL;
	CHECK(fails(mount_fs_make(&op, "mode=9", 0, &fd, &err), EINVAL,
		    "mount tmpfs on /t: option \"mode=9\""));
	op.label = "label";
	op.label_key = "no-such-key";
	CHECK(fails(mount_fs_make(&op, "", 0, &fd, &err), EINVAL,
		    "mount tmpfs on /t: option \"no-such-key\""));
	op = tmpfs(NULL);
	op.type = "no-such-fs";
	CHECK(mount_fs_make(&op, "", 0, &fd, &err) == -ENODEV && err.kind == ERR_UNSUPPORTED);
	CHECK(str_eq(err.text, "mount no-such-fs on /t: a file system this kernel has not"));
	/* mount(2) may know better. */
	CHECK(mount_fs_look(&op, &err) == 0);
	op = tmpfs("lowerdir=/a\\,b");
	CHECK(mount_fs_make(&op, "", 0, &fd, &err) == MOUNT_FS_OLD);
	memset(long_option + 5, 'x', 250);
	(void)snprintf(text, sizeof(text), "mode=700,%s", long_option);
	op = tmpfs(text);
	CHECK(fails(mount_fs_make(&op, "", 0, &fd, &err), EINVAL, "mount tmpfs on /t: option"));
	strcat(text, "x");
	CHECK(mount_fs_make(&op, "", 0, &fd, &err) == MOUNT_FS_OLD);
	op = tmpfs(NULL);
	op.source = long_option;
	strcat(long_option, "x");
	CHECK(mount_fs_make(&op, "", 0, &fd, &err) == MOUNT_FS_OLD);
	op = tmpfs(NULL);
	op.sb_flags = MS_I_VERSION;
	CHECK(mount_fs_make(&op, "", 0, &fd, &err) == MOUNT_FS_OLD);
	CHECK(mount_fs_reconfigure(&op, open_path("root"), &err) == MOUNT_FS_OLD);
	CHECK(fd == -7 && count_fds() == before + 1);
}

static void reconfigure_body(void)
{
	struct mount_op op = tmpfs("size=128k");
	int fd;

	enter_box();
	fd = put_mount("t", 0);
	op.sb_flags = MS_RDONLY;
	if (way != WAY_NATIVE) {
		CHECK(mount_fs_reconfigure(&op, fd, &err) == MOUNT_FS_OLD);
		return;
	}
	CHECK_OK(mount_fs_reconfigure(&op, fd, &err), err);
	CHECK(strstr(mount_line(in_box("t")), "tmpfs test ro,size=128k"));
	op = tmpfs(NULL);
	op.sb_clear = MS_RDONLY;
	CHECK_OK(mount_fs_reconfigure(&op, fd, &err), err);
	CHECK(strstr(mount_line(in_box("t")), "tmpfs test rw,size=128k"));
	op = tmpfs("size=no");
	CHECK(fails(mount_fs_reconfigure(&op, fd, &err), EINVAL, "mount tmpfs on /t: option"));
	/* Smaller than what is in it. */
	CHECK(truncate(in_box("t"), 0) < 0);
	put_file(in_box("t/file"), "x");
	CHECK(truncate(in_box("t/file"), 5) == 0);
	op = tmpfs("nr_inodes=1");
	CHECK(fails(mount_fs_reconfigure(&op, fd, &err), EINVAL,
		    "mount tmpfs on /t: option \"nr_inodes=1\""));
	op = tmpfs(NULL);
	CHECK(fails(mount_fs_reconfigure(&op, open_path("out"), &err), EINVAL, "remount /t"));
}

/* What is on a device wants one. */
static void look_body(void)
{
	static const char *const on_devices[] = {"ext4", "ext3", "ext2", "xfs", "btrfs", "vfat"};
	struct mount_op op = tmpfs("size=64k");
	char list[4096], line[16];
	size_t i = 0;

	enter_box();
	CHECK(mount_fs_known("tmpfs") && mount_fs_known("proc") && !mount_fs_known("no-such-fs"));
	CHECK(mount_fs_look(&op, &err) == 0);
	op.source = "/no/such/file";
	CHECK(mount_fs_look(&op, &err) == 0);
	CHECK(io_read_at(AT_FDCWD, "/proc/filesystems", list, sizeof(list)) > 0);
	for (; i < ARRAY_SIZE(on_devices); i++) {
		(void)snprintf(line, sizeof(line), "\n\t%s\n", on_devices[i]);
		if (strstr(list, line))
			break;
	}
	if (i == ARRAY_SIZE(on_devices))
		return;
	op.data = NULL;
	op.type = on_devices[i];
	CHECK(mount_fs_look(&op, &err) == -ENOENT && str_ends(err.text, ": /no/such/file"));
	err = ERR_INIT;
	op.source = in_box("out/canary");
	CHECK(mount_fs_look(&op, &err) == -ENOTBLK && str_ends(err.text, "out/canary"));
	op.source = NULL;
	CHECK(mount_fs_look(&op, &err) == 0);
}

/* ---- mount_copyup ---- */

static int copy(void)
{
	int from = open_path("from"), to = open_path("to"), r;

	err = ERR_INIT;
	r = mount_copyup(from, to, &err);
	close(from);
	close(to);
	return r;
}

static void begin_copy(void)
{
	enter_box();
	CHECK(mkdir(in_box("from"), 0755) == 0);
	(void)put_mount("to", 0);
}

static void copyup_body(void)
{
	char name[NAME_MAX + 8] = "from/", data[64] = "";
	struct stat st;
	int before, fd;

	begin_copy();
	before = count_fds();
	umask(077);
	CHECK_OK(copy(), err);
	/* More than one piece, with a hole. */
	put_file(in_box("from/large"), "begin");
	fd = open(in_box("from/large"), O_WRONLY | O_CLOEXEC);
	CHECK(fchmod(fd, 0666) == 0 && pwrite(fd, "end", 3, 2500000) == 3);
	close(fd);
	memset(name + 5, 'n', NAME_MAX);
	put_file(in_box(name), "long");
	CHECK(link(in_box("from/large"), in_box("from/hard")) == 0);
	CHECK(mkdir(in_box("from/bound"), 0755) == 0 && mkdir(in_box("from/dir"), 0711) == 0);
	put_file(in_box("from/dir/file"), "x");
	/* A mount, whatever its device is. */
	CHECK(mount(in_box("out"), in_box("from/bound"), NULL, MS_BIND, NULL) == 0);
	CHECK_OK(copy(), err);
	CHECK(umask(077) == 077 && count_fds() == before);
	CHECK(stat(in_box("to/large"), &st) == 0 && st.st_size == 2500003);
	CHECK((st.st_mode & 07777) == 0666 && st.st_nlink == 1 && exists(in_box("to/hard")));
	fd = open(in_box("to/large"), O_RDONLY | O_CLOEXEC);
	CHECK(pread(fd, data, 5, 0) == 5 && str_eq(data, "begin"));
	CHECK(pread(fd, data, 5, 2500000) == 3 && str_starts(data, "end"));
	memcpy(name, "to///", 5);
	CHECK(has_text(in_box(name), "long") && has_text(in_box("to/dir/file"), "x"));
	CHECK(exists(in_box("to/bound")) && !exists(in_box("to/bound/canary")));
}

static void copyup_refused_body(void)
{
	begin_copy();
	CHECK(mkdir(in_box("from/dir"), 0755) == 0);
	put_file(in_box("from/dir/file"), "new");
	CHECK(mkdir(in_box("to/dir"), 0755) == 0);
	umask(027);
	CHECK(fails(copy(), EEXIST, "copy up: dir"));
	CHECK(umask(022) == 027 && !exists(in_box("to/dir/file")));
	CHECK(rmdir(in_box("to/dir")) == 0);
	CHECK(mount("small", in_box("to"), "tmpfs", 0, "nr_inodes=2") == 0);
	CHECK(fails(copy(), ENOSPC, "copy up: file"));
	CHECK(fails(mount_copyup(-1, open_path("to"), &err), EBADF, "copy up"));
	CHECK(fails(mount_copyup(open_path("from"), open_path("from/dir/file"), &err), ENOTDIR,
		    "copy up"));
	CHECK(mount_copyup(-1, -1, NULL) == -EBADF);
}

/* What we may not do is left out; what we may not read is said. */
static void copyup_as_user_body(void)
{
	struct stat st;

	begin_copy();
	put_file(in_box("from/file"), "of root");
	CHECK(mkdir(in_box("from/dir"), 0755) == 0);
	put_file(in_box("from/dir/file"), "below");
	CHECK(mknod(in_box("from/null"), S_IFCHR | 0666, 0x103) == 0);
	CHECK(mkfifo(in_box("from/fifo"), 0644) == 0);
	CHECK(chmod(in_box("to"), 0777) == 0);
	CHECK(seteuid(1000) == 0);
	CHECK_OK(copy(), err);
	CHECK(stat(in_box("to/file"), &st) == 0 && st.st_uid == 1000);
	CHECK(has_text(in_box("to/file"), "of root") && exists(in_box("to/fifo")));
	CHECK(has_text(in_box("to/dir/file"), "below"));
	CHECK(!exists(in_box("to/null")));
	CHECK(seteuid(0) == 0 && chmod(in_box("from/file"), 0600) == 0);
	(void)put_mount("again", 0);
	CHECK(chmod(in_box("again"), 0777) == 0);
	CHECK(mount(in_box("again"), in_box("to"), NULL, MS_BIND, NULL) == 0);
	CHECK(seteuid(1000) == 0);
	CHECK(fails(copy(), EACCES, "copy up: file"));
	CHECK(seteuid(0) == 0);
}

/* ---- rootfs_cover ---- */

static void fill_root(void)
{
	put_file(in_box("root/file"), "below");
	CHECK(chown(in_box("root"), 5, 6) == 0 && chmod(in_box("root"), 02711) == 0);
}

static void check_cover(void)
{
	struct stat st;

	CHECK(has_text(in_box("root/file"), "below"));
	CHECK(stat(in_box("root"), &st) == 0 && st.st_uid == 5 && st.st_gid == 6);
	CHECK((st.st_mode & 07777) == 02711);
	put_file(in_box("root/file"), "above");
	put_file(in_box("root/new"), "above");
	CHECK(umount2(in_box("root"), MNT_DETACH) == 0);
	while (mount_line(in_box("root")))
		CHECK(umount2(in_box("root"), MNT_DETACH) == 0);
	CHECK(has_text(in_box("root/file"), "below") && !exists(in_box("root/new")));
}

static void cover_body(void)
{
	int r;

	enter_box();
	fill_root();
	CHECK(fails(rootfs_cover(&root, in_box("none"), -1, &err), ENOENT, "open "));
	r = rootfs_cover(&root, in_box("root"), -1, &err);
	/* Without overlay there is none. */
	CHECK(r == (mount_fs_known("overlay") ? 0 : ROOTFS_BARE));
	if (r == 0)
		check_cover();
	CHECK(rootfs_cover(&root, in_box("root"), open("/dev/null", O_RDONLY), &err) ==
	      ROOTFS_BARE);
}

/* By another process, for ours. */
static void cover_made_body(void)
{
	int pair[2], n = 1, tree = -1;
	pid_t pid;
	char c;

	enter_box();
	fill_root();
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(rootfs_make_cover(in_box("none")) == -ENOENT);
		tree = rootfs_make_cover(in_box("root"));
		CHECK(tree >= 0 || !mount_fs_known("overlay"));
		CHECK(io_send_fds(pair[1], "x", 1, &tree, tree >= 0) == 0);
		_exit(0);
	}
	CHECK(io_recv_fds(pair[0], &c, 1, &tree, &n) == 1);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(!mount_line(in_box("root")));
	if (n == 0)
		return;
	CHECK_OK(rootfs_cover(&root, in_box("root"), tree, &err), err);
	check_cover();
}

TEST(flags, NATIVE)
TEST(clone, NATIVE)
TEST(change, MOUNT_WAYS)
TEST(old_calls, NATIVE | 1u << WAY_OLD)
TEST(make_fs, NATIVE | 1u << WAY_OLD | 1u << WAY_EPERM_OLD)
TEST(bad_options, NATIVE)
TEST(reconfigure, NATIVE | 1u << WAY_OLD)
TEST(look, NATIVE)
TEST(copyup, NATIVE)
TEST(copyup_refused, NATIVE)
TEST(copyup_as_user, NATIVE)
TEST(cover, NATIVE)
TEST(cover_made, NATIVE)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),	       cmocka_unit_test(test_clone),
		cmocka_unit_test(test_change),	       cmocka_unit_test(test_old_calls),
		cmocka_unit_test(test_make_fs),	       cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_reconfigure),    cmocka_unit_test(test_look),
		cmocka_unit_test(test_copyup),	       cmocka_unit_test(test_copyup_refused),
		cmocka_unit_test(test_copyup_as_user), cmocka_unit_test(test_cover),
		cmocka_unit_test(test_cover_made),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
