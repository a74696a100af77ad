/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernel/dev.h: nodes, links and the console, and what an image may have put in their place. */
#include "kernel/dev.h"

#include <pty.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "kernel/mount.h"
#include "kernel/tty.h"
#include "test_sandbox.h"

#define ROUNDS 1000

static void make_defaults(void)
{
	for (size_t i = 0; i < dev_defaults_count; i++)
		CHECK_OK(dev_make(&root, &dev_defaults[i], -1, &err), err);
}

static bool is_device(const char *path, mode_t type, unsigned major, unsigned minor, mode_t mode)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type &&
	       st.st_rdev == makedev(major, minor) && (st.st_mode & 07777) == mode;
}

static void defaults_body(void)
{
	struct dev_node n = dev_defaults[2];
	struct stat st;
	int before;

	enter_root();
	before = count_fds();
	umask(077);
	CHECK(dev_defaults_count == 6);
	make_defaults();
	CHECK(is_device(in_box("root/dev/null"), S_IFCHR, 1, 3, 0666));
	CHECK(is_device(in_box("root/dev/zero"), S_IFCHR, 1, 5, 0666));
	CHECK(is_device(in_box("root/dev/full"), S_IFCHR, 1, 7, 0666));
	CHECK(is_device(in_box("root/dev/random"), S_IFCHR, 1, 8, 0666));
	CHECK(is_device(in_box("root/dev/urandom"), S_IFCHR, 1, 9, 0666));
	CHECK(is_device(in_box("root/dev/tty"), S_IFCHR, 5, 0, 0666));
	CHECK(umask(077) == 077);
	/* A directory that gives its group on. */
	CHECK(mkdir(in_box("root/g"), 0755) == 0 && chown(in_box("root/g"), 0, 77) == 0);
	CHECK(chmod(in_box("root/g"), 02755) == 0);
	n.path = "/g/full";
	CHECK_OK(dev_make(&root, &n, -1, &err), err);
	CHECK(lstat(in_box("root/g/full"), &st) == 0 && st.st_gid == 0 &&
	      st.st_rdev == makedev(1, 7));
	/* One that is there is kept as it is. */
	CHECK(chmod(in_box("root/dev/null"), 0600) == 0);
	make_defaults();
	CHECK(is_device(in_box("root/dev/null"), S_IFCHR, 1, 3, 0600));
	CHECK(count_fds() == before);
}

static struct dev_node node(const char *path, char type, unsigned major, unsigned minor)
{
	return (struct dev_node){.path = path,
				 .type = type,
				 .major = major,
				 .minor = minor,
				 .mode = 0640,
				 .uid = 11,
				 .gid = 22};
}

static void configured_body(void)
{
	struct dev_node n = node("/dev/deep/er/loop", 'b', 7, 3);
	struct stat st;

	enter_root();
	root.proc = procfs_open(&err);
	CHECK_OK(root.proc, err);
	CHECK_OK(dev_make(&root, &n, -1, &err), err);
	CHECK(is_device(in_box("root/dev/deep/er/loop"), S_IFBLK, 7, 3, 0640));
	CHECK(stat(in_box("root/dev/deep/er/loop"), &st) == 0 && st.st_uid == 11 &&
	      st.st_gid == 22);
	/* The same again is adjusted. */
	n.mode = 04755;
	n.uid = 12;
	CHECK_OK(dev_make(&root, &n, -1, &err), err);
	CHECK(is_device(in_box("root/dev/deep/er/loop"), S_IFBLK, 7, 3, 04755));
	CHECK(stat(in_box("root/dev/deep/er/loop"), &st) == 0 && st.st_uid == 12);
	n.minor = 4;
	CHECK(dev_make(&root, &n, -1, &err) == -EEXIST && strstr(err.text, "/dev/deep/er/loop"));
	n = node("/dev/pipe/", 'p', 0, 0);
	CHECK_OK(dev_make(&root, &n, -1, &err), err);
	CHECK_OK(dev_make(&root, &n, -1, &err), err);
	CHECK(is_device(in_box("root/dev/pipe"), S_IFIFO, 0, 0, 0640));
	/* Without a procfs of our own the host's name does. */
	close(root.proc);
	root.proc = -1;
	n.mode = 0777;
	CHECK_OK(dev_make(&root, &n, -1, &err), err);
	CHECK(is_device(in_box("root/dev/pipe"), S_IFIFO, 0, 0, 0777));
	n = node("/dev/../../../escape", 'c', 1, 3);
	CHECK_OK(dev_make(&root, &n, -1, &err), err);
	CHECK(is_device(in_box("root/escape"), S_IFCHR, 1, 3, 0640) && !exists(in_box("escape")));
	n.path = "/dev/..";
	CHECK(dev_make(&root, &n, -1, &err) == -EINVAL);
	check_canary();
}

static void in_the_way_body(void)
{
	struct dev_node n = node("/dev/null", 'c', 1, 3);

	enter_root();
	CHECK(mkdir(in_box("root/dev"), 0755) == 0);
	CHECK(symlink(in_box("out/canary"), in_box("root/dev/null")) == 0);
	CHECK(dev_make(&root, &n, -1, &err) == -EEXIST && strstr(err.text, "/dev/null"));
	CHECK(dev_make(&root, &dev_defaults[0], -1, &err) == -EEXIST);
	CHECK(unlink(in_box("root/dev/null")) == 0);
	put_file(in_box("root/dev/null"), "kept");
	CHECK(dev_make(&root, &n, -1, &err) == -EEXIST &&
	      has_text(in_box("root/dev/null"), "kept"));
	CHECK(unlink(in_box("root/dev/null")) == 0);
	/* A pipe has the number of no device. */
	CHECK(mkfifo(in_box("root/dev/null"), 0600) == 0);
	CHECK(dev_make(&root, &n, -1, &err) == -EEXIST);
	CHECK(unlink(in_box("root/dev/null")) == 0);
	CHECK(mknod(in_box("root/dev/null"), S_IFCHR | 0666, makedev(1, 5)) == 0);
	CHECK(dev_make(&root, &n, -1, &err) == -EEXIST);
	check_canary();
}

/* An image's /dev is a link to the host (T-01). */
static void linked_dev_body(void)
{
	static const char *const texts[] = {"out", "../out", "../../../../../../..", "chain", "/"};

	int slave, master;

	enter_root();
	CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	CHECK(symlink(in_box("out"), in_box("root/chain")) == 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK(symlink(i == 0 ? in_box("out") : texts[i], in_box("root/dev")) == 0);
		make_defaults();
		CHECK_OK(dev_links(&root, &err), err);
		CHECK_OK(dev_console(&root, slave, &err), err);
		check_canary();
		CHECK(!exists("/ptmx") && !exists(in_box("null")));
		CHECK(unlink(in_box("root/dev")) == 0);
	}
	put_file(in_box("root/dev"), "");
	CHECK(dev_make(&root, &dev_defaults[0], -1, &err) == -ENOTDIR &&
	      strstr(err.text, "/dev/null"));
	CHECK(dev_links(&root, &err) == -ENOTDIR && strstr(err.text, "/dev"));
	check_canary();
}

static bool leads_to(const char *path, const char *text)
{
	char buf[256] = "";

	return readlink(path, buf, sizeof(buf) - 1) > 0 && strcmp(buf, text) == 0;
}

static void links_body(void)
{
	int before;

	enter_root();
	before = count_fds();
	CHECK_OK(dev_links(&root, &err), err);
	CHECK_OK(dev_links(&root, &err), err);
	CHECK(count_fds() == before);
	CHECK(leads_to(in_box("root/dev/fd"), "/proc/self/fd"));
	CHECK(leads_to(in_box("root/dev/stdin"), "/proc/self/fd/0"));
	CHECK(leads_to(in_box("root/dev/stdout"), "/proc/self/fd/1"));
	CHECK(leads_to(in_box("root/dev/stderr"), "/proc/self/fd/2"));
	CHECK(leads_to(in_box("root/dev/ptmx"), "pts/ptmx"));
	CHECK(exists(in_box("root/dev/core")) == exists("/proc/kcore"));
	/* Those of an image that do. */
	CHECK(unlink(in_box("root/dev/stdin")) == 0 &&
	      symlink("fd/0", in_box("root/dev/stdin")) == 0);
	CHECK(unlink(in_box("root/dev/ptmx")) == 0);
	CHECK(mknod(in_box("root/dev/ptmx"), S_IFCHR | 0644, makedev(5, 2)) == 0);
	CHECK_OK(dev_links(&root, &err), err);
	CHECK(leads_to(in_box("root/dev/stdin"), "fd/0"));
	CHECK(is_device(in_box("root/dev/ptmx"), S_IFCHR, 5, 2, 0644));
	/* And one that does not. */
	CHECK(unlink(in_box("root/dev/ptmx")) == 0);
	CHECK(symlink(in_box("out/canary"), in_box("root/dev/ptmx")) == 0);
	CHECK_OK(dev_links(&root, &err), err);
	CHECK(leads_to(in_box("root/dev/ptmx"), "pts/ptmx"));
	CHECK(unlink(in_box("root/dev/fd")) == 0);
	put_file(in_box("root/dev/fd"), "file");
	CHECK(dev_links(&root, &err) == -EEXIST && strstr(err.text, "/dev/fd"));
	check_canary();
}

static void console_body(void)
{
	struct tty tty = {-1, -1};
	struct stat a, b;
	int pts, before;

	enter_root();
	CHECK(mkdir(in_box("root/dev"), 0755) == 0);
	pts = open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK_OK(tty_open(pts, 0, 0, &tty, &err), err);
	before = count_fds();
	CHECK_OK(dev_console(&root, tty.slave, &err), err);
	CHECK(count_fds() == before);
	CHECK(fstat(tty.slave, &a) == 0 && stat(in_box("root/dev/console"), &b) == 0);
	CHECK(a.st_rdev == b.st_rdev && S_ISCHR(b.st_mode) && a.st_ino == b.st_ino);
	CHECK(count_mounts(in_box("root/dev/console")) == 1);
	/* An earlier one in its place: a file or a device. */
	CHECK_OK(dev_console(&root, tty.slave, &err), err);
	CHECK(umount2(in_box("root/dev/console"), MNT_DETACH) == 0);
	CHECK(umount2(in_box("root/dev/console"), MNT_DETACH) == 0);
	CHECK(S_ISREG(mode_of(in_box("root/dev/console"))));
	CHECK(unlink(in_box("root/dev/console")) == 0);
	CHECK(symlink(in_box("out/new"), in_box("root/dev/console")) == 0);
	CHECK(dev_console(&root, tty.slave, &err) == -EEXIST && strstr(err.text, "/dev/console"));
	CHECK(unlink(in_box("root/dev/console")) == 0);
	CHECK(mkdir(in_box("root/dev/console"), 0755) == 0);
	CHECK(dev_console(&root, tty.slave, &err) == -EEXIST);
	CHECK(dev_console(&root, pts, &err) < 0);
	check_canary();
}

/* /dev/console is a link, a directory, a file, by turns (T-22). */
static void console_race_body(void)
{
	struct tty tty = {-1, -1};
	pid_t racer;
	int pts;

	enter_root();
	CHECK(mkdir(in_box("root/dev"), 0755) == 0);
	CHECK(symlink(in_box("out/new"), in_box("root/dev/swap")) == 0);
	put_file(in_box("root/dev/console"), "");
	pts = open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK_OK(tty_open(pts, 0, 0, &tty, &err), err);
	racer = start_racer(in_box("root/dev/console"), in_box("root/dev/swap"));
	for (int i = 0; i < ROUNDS; i++) {
		if (dev_console(&root, tty.slave, &err) < 0)
			continue;
		(void)umount2(in_box("root/dev/console"), MNT_DETACH | UMOUNT_NOFOLLOW);
		(void)umount2(in_box("root/dev/swap"), MNT_DETACH | UMOUNT_NOFOLLOW);
	}
	stop_racer(racer);
	check_canary();
}

static void become_userns(void)
{
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	put_file("/proc/self/setgroups", "deny");
	put_file("/proc/self/uid_map", "0 0 1");
	put_file("/proc/self/gid_map", "0 0 1");
	CHECK(setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0);
}

static void userns_body(void)
{
	struct dev_node n = node("/dev/fifo", 'p', 0, 0);
	int before, fd;

	enter_box();
	become_userns();
	CHECK_OK(rootfs_enter(&root, in_box("root"), MS_PRIVATE | MS_REC, &err), err);
	root.userns = true;
	before = count_fds();
	make_defaults();
	make_defaults();
	CHECK(count_fds() == before);
	CHECK(count_mounts(in_box("root/dev/null")) == 1);
	CHECK(mount_has(in_box("root/dev/null"), "nosuid") &&
	      mount_has(in_box("root/dev/null"), "noexec"));
	fd = open(in_box("root/dev/zero"), O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, &n.mode, 1) == 1);
	close(fd);
	fd = open(in_box("root/dev/null"), O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
	/* It is the host's, and its owner is mapped. */
	CHECK(chmod(in_box("root/dev/null"), 0666) < 0 && errno == EROFS);
	n.uid = n.gid = 0;
	CHECK_OK(dev_make(&root, &n, -1, &err), err);
	CHECK(S_ISFIFO(mode_of(in_box("root/dev/fifo"))));
	/* The host's of that name is another one, or none. */
	n = node("/dev/random", 'c', 1, 3);
	CHECK(dev_make(&root, &n, -1, &err) == -EEXIST);
	CHECK(umount(in_box("root/dev/random")) == 0);
	CHECK(dev_make(&root, &n, -1, &err) == -ENODEV && strstr(err.text, "/dev/random"));
	n.path = "/dev/oakum-no-such";
	CHECK(dev_make(&root, &n, -1, &err) == -ENOENT);
	/* A file that an image has there is a place; a link is none. */
	CHECK(umount(in_box("root/dev/full")) == 0 && exists(in_box("root/dev/full")));
	CHECK(unlink(in_box("root/dev/full")) == 0);
	CHECK(symlink(in_box("out/canary"), in_box("root/dev/full")) == 0);
	CHECK(dev_make(&root, &dev_defaults[2], -1, &err) == -EEXIST);
	check_canary();
}

static void dup_to(int fd, int to)
{
	CHECK(fd >= 0 && dup2(fd, to) == to);
	close(fd);
}

static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static void reopen_null_body(void)
{
	struct stat host, now;
	int r, said;

	enter_root();
	make_defaults();
	said = dup(2);
	CHECK(fcntl(said, F_SETFD, FD_CLOEXEC) == 0);
	dup_to(open("/dev/null", O_RDONLY), 0);
	dup_to(open(in_box("out/canary"), O_RDONLY), 1);
	dup_to(open("/dev/null", O_RDWR), 2);
	CHECK(fstat(0, &host) == 0);
	CHECK_OK(rootfs_pivot(&root, 0, &err), err);
	r = dev_reopen_null(&err);
	(void)dup2(said, STDERR_FILENO + 10);
	CHECK(r == 0 && same_file(0, "/dev/null") && same_file(2, "/dev/null") &&
	      !same_file(1, "/dev/null"));
	CHECK((fcntl(0, F_GETFL) & O_ACCMODE) == O_RDONLY &&
	      (fcntl(2, F_GETFL) & O_ACCMODE) == O_RDWR);
	CHECK(!(fcntl(0, F_GETFL) & O_NONBLOCK) && !(fcntl(0, F_GETFD) & FD_CLOEXEC));
	CHECK(fstat(0, &now) == 0 && now.st_dev != host.st_dev);
	dup2(said, 2);
}

/* A fake null is opened by nobody, whatever it is (T-20b). */
static void fake_stdio_body(void)
{
	enter_root();
	CHECK(mkdir(in_box("root/dev"), 0755) == 0);
	dup_to(open("/dev/null", O_RDONLY), 0);
	put_file(in_box("root/f"), "canary");
	CHECK(chown(in_box("root/f"), 5, 6) == 0);
	CHECK_OK(rootfs_pivot(&root, 0, &err), err);
	for (int kind = 0; kind < 6; kind++) {
		struct stat st;

		(void)unlink("/dev/null");
		if (kind == 0)
			CHECK(symlink("/f", "/dev/null") == 0);
		if (kind == 1)
			CHECK(link("/f", "/dev/null") == 0);
		if (kind == 2)
			CHECK(mkfifo("/dev/null", 0666) == 0);
		if (kind == 3)
			CHECK(mknod("/dev/null", S_IFCHR | 0666, makedev(1, 5)) == 0);
		if (kind == 4)
			CHECK(mknod("/dev/null", S_IFBLK | 0666, makedev(1, 3)) == 0);
		CHECK_OK(dev_reopen_null(&err), err);
		CHECK(fstat(0, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
		CHECK_OK(dev_chown_stdio(1000, 1000, &err), err);
		CHECK(stat("/f", &st) == 0 && st.st_uid == 5 && has_text("/f", "canary"));
		CHECK(fstat(0, &st) == 0 && st.st_uid == 0);
	}
}

static void chown_stdio_body(void)
{
	int pipes[2], pair[2], said, before;
	struct stat st;

	enter_box();
	said = fcntl(2, F_DUPFD_CLOEXEC, 10);
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	dup_to(pipes[0], 0);
	dup_to(open(in_box("out/canary"), O_RDONLY), 1);
	dup_to(pair[0], 2);
	before = count_fds();
	CHECK(dev_chown_stdio(123, 456, &err) == 0 && count_fds() == before);
	CHECK(fstat(0, &st) == 0 && st.st_uid == 123 && st.st_gid == 456);
	CHECK(fstat(1, &st) == 0 && st.st_uid == 0);
	CHECK(fstat(2, &st) == 0 && st.st_uid == 123);
	close(0);
	CHECK(dev_chown_stdio(124, 456, &err) == 0);
	dup2(said, 2);
	check_canary();
}

TEST(defaults, PATH_WAYS)
TEST(configured, PATH_WAYS)
TEST(in_the_way, PATH_WAYS)
TEST(linked_dev, PATH_WAYS)
TEST(links, PATH_WAYS)
TEST(console, MOUNT_WAYS)
TEST(console_race, NATIVE)
TEST(userns, MOUNT_WAYS)
TEST(reopen_null, NATIVE)
TEST(fake_stdio, NATIVE)
TEST(chown_stdio, NATIVE)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),     cmocka_unit_test(test_configured),
		cmocka_unit_test(test_in_the_way),   cmocka_unit_test(test_linked_dev),
		cmocka_unit_test(test_links),	     cmocka_unit_test(test_console),
		cmocka_unit_test(test_console_race), cmocka_unit_test(test_userns),
		cmocka_unit_test(test_reopen_null),  cmocka_unit_test(test_fake_stdio),
		cmocka_unit_test(test_chown_stdio),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
