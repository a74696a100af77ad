/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernel/mount.h on real mounts: places, attributes, file systems, and nothing outside of the root.
 */
#include "kernel/mount.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "base/arena.h"
#include "kernel/mount_tree.h"
#include "test_sandbox.h"

#define ROUNDS 2000

static struct arena arena;

/* Options separated by blanks. */
static struct mount_op make_op(const char *type, const char *source, const char *target,
			       const char *options)
{
	struct mount_op op = {.type = type, .source = source, .target = target, .index = 0};
	char *text = arena_strdup(&arena, options);
	const char *list[16];
	size_t n = 0;

	for (char *p = text; *p;) {
		list[n++] = p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = '\0';
	}
	CHECK_OK(mount_parse_options(&op, list, n, &arena, &err), err);
	return op;
}

static int try_mount(const char *type, const char *source, const char *target, const char *options)
{
	struct mount_op op = make_op(type, source, target, options);

	err = ERR_INIT;
	return mount_apply(&root, &op, -1, &err);
}

static void do_mount(const char *type, const char *source, const char *target, const char *options)
{
	int before = count_fds();

	CHECK_OK(try_mount(type, source, target, options), err);
	CHECK(count_fds() == before);
}

static void check_error(int r, int code, const char *text)
{
	if (r >= 0 || err.code != code || !strstr(err.text, text))
		(void)fprintf(stderr, "%d: %s (errno %d)\n", r, err.text, err.code);
	CHECK(r < 0 && err.code == code && strstr(err.text, text));
}

/* A source with flags, and one more mount below it. */
static void make_source(void)
{
	CHECK(mkdir(in_box("root/src"), 0755) == 0);
	CHECK(mount("flagged", in_box("root/src"), "tmpfs",
		    MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME, "mode=755") == 0);
	CHECK(mkdir(in_box("root/src/sub"), 0755) == 0);
	CHECK(mount("below", in_box("root/src/sub"), "tmpfs", MS_NOEXEC, "mode=755") == 0);
	put_file(in_box("root/src/file"), "data");
	put_file(in_box("root/src/sub/file"), "below");
}

static void bind_flags_body(void)
{
	const char *d = in_box("root/d"), *sub = in_box("root/d/sub"), *src = in_box("root/src");

	enter_root();
	make_source();
	/* No option keeps the source's flags. */
	do_mount("none", src, "/d", "bind");
	CHECK(mount_has(d, "nosuid") && mount_has(d, "nodev") && mount_has(d, "noexec"));
	CHECK(mount_has(d, "noatime") && mount_has(d, "rw"));
	CHECK(has_text(in_box("root/d/file"), "data") && !exists(in_box("root/d/sub/file")));
	CHECK(umount2(d, MNT_DETACH) == 0);
	/* One clears those not asked for; the access time stays. */
	do_mount("none", src, "/d", "bind dev");
	CHECK(!mount_has(d, "nosuid") && !mount_has(d, "nodev") && !mount_has(d, "noexec"));
	CHECK(mount_has(d, "noatime"));
	CHECK(umount2(d, MNT_DETACH) == 0);
	do_mount("bind", src, "/d", "ro nosuid relatime");
	CHECK(mount_has(d, "ro") && mount_has(d, "nosuid") && !mount_has(d, "nodev"));
	CHECK(mount_has(d, "relatime") && !mount_has(d, "noatime"));
	CHECK(mount_has(src, "rw") && mount_has(src, "noatime"));
	CHECK(umount2(d, MNT_DETACH) == 0);
	do_mount("bind", src, "/d", "rbind ro nodev");
	CHECK(mount_has(d, "ro") && mount_has(sub, "rw") && mount_has(sub, "noexec"));
	CHECK(has_text(in_box("root/d/sub/file"), "below"));
	CHECK(open(in_box("root/d/new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 &&
	      errno == EROFS);
	check_canary();
}

static void bind_recursive_body(void)
{
	const char *d = in_box("root/d"), *sub = in_box("root/d/sub"), *src = in_box("root/src");
	int r;

	enter_root();
	make_source();
	r = try_mount("bind", src, "/d", "rbind rro");
	if (way != WAY_NATIVE) {
		check_error(r, way == WAY_EPERM_OLD ? EPERM : ENOSYS, "attributes");
		CHECK(way == WAY_EPERM_OLD || err.kind == ERR_UNSUPPORTED);
		return;
	}
	CHECK_OK(r, err);
	CHECK(mount_has(d, "ro") && mount_has(sub, "ro") && mount_has(sub, "noexec") &&
	      mount_has(d, "nosuid"));
	CHECK(umount2(d, MNT_DETACH) == 0);
	do_mount("bind", src, "/d", "rbind rexec rstrictatime ro");
	CHECK(mount_has(d, "ro") && mount_has(sub, "rw") && !mount_has(sub, "noexec"));
	CHECK(!mount_has(sub, "relatime") && !mount_has(d, "noatime"));
	CHECK(umount2(d, MNT_DETACH) == 0);
	do_mount("bind", src, "/d", "rbind rnoatime rnodiratime rnosymfollow");
	CHECK(mount_has(sub, "noatime") && mount_has(sub, "nodiratime") &&
	      mount_has(sub, "nosymfollow"));
	/* On a single mount the recursive words do the same. */
	do_mount("tmpfs", "tmpfs", "/t", "rro rnosuid");
	CHECK(mount_has(in_box("root/t"), "ro") && mount_has(in_box("root/t"), "nosuid"));
	do_mount("bind", src, "/e", "rro suid");
	CHECK(mount_has(in_box("root/e"), "ro") && !mount_has(in_box("root/e"), "nosuid"));
}

/* Off again, and not at the source's peers. */
static void drop(const char *path)
{
	CHECK(mount(NULL, path, NULL, MS_PRIVATE | MS_REC, NULL) == 0);
	CHECK(umount2(path, MNT_DETACH) == 0);
}

static void propagation_body(void)
{
	const char *d = in_box("root/d"), *sub = in_box("root/d/sub"), *src = in_box("root/src");

	enter_root();
	make_source();
	CHECK(mount(NULL, src, NULL, MS_SHARED | MS_REC, NULL) == 0);
	do_mount("bind", src, "/d", "rbind");
	CHECK(strstr(mount_line(d), " shared:") && strstr(mount_line(sub), " shared:"));
	drop(d);
	do_mount("bind", src, "/d", "rbind rprivate ro");
	CHECK(!strstr(mount_line(d), " shared:") && !strstr(mount_line(sub), " shared:"));
	CHECK(mount_has(d, "ro") && mount_has(sub, "rw"));
	drop(d);
	do_mount("bind", src, "/d", "rbind slave");
	CHECK(strstr(mount_line(d), " master:") && strstr(mount_line(sub), " shared:"));
	drop(d);
	do_mount("bind", src, "/d", "bind rslave");
	CHECK(strstr(mount_line(d), " master:"));
	do_mount("tmpfs", "tmpfs", "/t", "shared");
	CHECK(strstr(mount_line(in_box("root/t")), " shared:"));
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
}

static void places_body(void)
{
	struct stat st;

	enter_root();
	make_source();
	CHECK(mkfifo(in_box("root/src/fifo"), 0600) == 0);
	make_socket(in_box("root/src/sock"));
	do_mount("bind", in_box("root/src/file"), "/made/by/us/file", "ro");
	CHECK(has_text(in_box("root/made/by/us/file"), "data"));
	CHECK((mode_of(in_box("root/made/by")) & 07777) == 0755);
	do_mount("bind", in_box("root/src/fifo"), "/fifo", "");
	CHECK(S_ISFIFO(mode_of(in_box("root/fifo"))));
	do_mount("bind", in_box("root/src/sock"), "/sock", "");
	CHECK(S_ISSOCK(mode_of(in_box("root/sock"))));
	/* Links are those of the root, dangling ones too, whatever the source is. */
	CHECK(symlink("/usr/zone", in_box("root/link")) == 0);
	do_mount("bind", in_box("root/src/file"), "/link", "");
	CHECK(has_text(in_box("root/usr/zone"), "data"));
	CHECK(symlink("/var/lib", in_box("root/var-link")) == 0);
	do_mount("bind", in_box("root/src"), "/var-link/x", "");
	CHECK(has_text(in_box("root/var/lib/x/file"), "data"));
	CHECK(symlink(in_box("out"), in_box("root/escape")) == 0);
	do_mount("bind", in_box("root/src"), "/escape/x", "");
	/* A source by a link of the host. */
	CHECK(symlink(in_box("root/src"), in_box("root/src-link")) == 0);
	do_mount("bind", in_box("root/src-link"), "/by-link", "");
	CHECK(has_text(in_box("root/by-link/file"), "data"));
	check_error(try_mount("bind", in_box("root/src/file"), "/by-link", ""), EISDIR, "/by-link");
	check_error(try_mount("bind", in_box("root/src"), "/link", ""), ENOTDIR, "/link");
	check_error(try_mount("bind", in_box("none"), "/never/made", ""), ENOENT, in_box("none"));
	CHECK(lstat(in_box("root/never"), &st) < 0);
	check_canary();
}

static void optional_body(void)
{
	struct mount_op op;

	enter_root();
	op = make_op("bind", in_box("none"), "/never/made", "");
	op.optional = true;
	CHECK_OK(mount_apply(&root, &op, -1, &err), err);
	CHECK(!exists(in_box("root/never")));
	CHECK(mount_open_source(&op, &err) == -ENOENT && err.code == ENOENT);
}

/* The tree comes from another process, and stays the caller's. */
static void given_source_body(void)
{
	struct mount_op op;
	int fd;

	enter_root();
	make_source();
	op = make_op("bind", in_box("root/src"), "/d", "rbind ro");
	fd = mount_open_source(&op, &err);
	CHECK_OK(fd, err);
	/* What the name leads to now does not matter any more. */
	CHECK(symlink("out", in_box("later")) == 0);
	op.source = in_box("later");
	CHECK_OK(mount_apply(&root, &op, fd, &err), err);
	CHECK(fcntl(fd, F_GETFD) >= 0);
	CHECK(has_text(in_box("root/d/sub/file"), "below") && mount_has(in_box("root/d"), "ro"));
}

static mode_t top_mode(const char *path)
{
	return mode_of(in_box(path)) & 07777;
}

static void tmpfs_body(void)
{
	enter_root();
	CHECK(mkdir(in_box("root/a"), 0700) == 0 && chmod(in_box("root/a"), 0710) == 0);
	do_mount("tmpfs", "tmpfs", "/a", "size=64k");
	CHECK(top_mode("root/a") == 0710 && strstr(mount_line(in_box("root/a")), "size=64k"));
	CHECK(mkdir(in_box("root/b"), 0700) == 0 && chmod(in_box("root/b"), 07755) == 0);
	do_mount("tmpfs", "tmpfs", "/b", "nosuid");
	CHECK(top_mode("root/b") == 07755 && mount_has(in_box("root/b"), "nosuid"));
	do_mount("tmpfs", "tmpfs", "/b", "mode=755");
	CHECK(top_mode("root/b") == 0755);
	do_mount("tmpfs", "source", "/new/dir", "");
	CHECK(top_mode("root/new/dir") == 01777 &&
	      !strstr(mount_line(in_box("root/new/dir")), "mode="));
	CHECK(strstr(mount_line(in_box("root/new/dir")), "tmpfs source"));
	CHECK(top_mode("root/new") == 0755);
	/* A word that begins with another's name is no "mode=". */
	CHECK(mkdir(in_box("root/c"), 0700) == 0);
	do_mount("tmpfs", "tmpfs", "/c", "sync lazytime noswap");
	CHECK(top_mode("root/c") == 0700 &&
	      strstr(strstr(mount_line(in_box("root/c")), " - "), "sync"));
}

static void late_readonly_body(void)
{
	struct mount_op op;

	enter_root();
	op = make_op("tmpfs", "tmpfs", "/dev", "ro nosuid");
	CHECK_OK(mount_apply(&root, &op, -1, &err), err);
	CHECK(mount_has(in_box("root/dev"), "rw") && mount_has(in_box("root/dev"), "nosuid"));
	put_file(in_box("root/dev/made"), "x");
	CHECK_OK(mount_finish(&root, &op, &err), err);
	CHECK(mount_has(in_box("root/dev"), "ro") && mount_has(in_box("root/dev"), "nosuid"));
	CHECK(unlink(in_box("root/dev/made")) < 0 && errno == EROFS);
	op.target = "/none";
	check_error(mount_finish(&root, &op, &err), ENOENT, "/none");
	CHECK(mkdir(in_box("root/plain"), 0755) == 0);
	op.target = "/plain";
	err = ERR_INIT;
	check_error(mount_finish(&root, &op, &err), EINVAL, "nothing is mounted");
	op = make_op("sysfs", "sysfs", "/sys", "ro");
	CHECK(mount_finish(&root, &op, &err) == 0);
}

static void bad_options_body(void)
{
	char longer[600] = "size=";

	enter_root();
	check_error(try_mount("tmpfs", "tmpfs", "/a", "frobnicate=7"), EINVAL,
		    way == WAY_NATIVE ? "frobnicate" : "mount tmpfs on /a");
	check_error(try_mount("tmpfs", "tmpfs", "/a", "size=many"), EINVAL,
		    way == WAY_NATIVE ? "option \"size=many\": tmpfs: Bad value"
				      : "mount tmpfs on /a");
	CHECK(count_mounts(in_box("root/a")) == 0);
	check_error(try_mount("nosuchfs", "x", "/a", ""), ENODEV, "nosuchfs");
	memset(longer + 5, '0', sizeof(longer) - 7);
	longer[sizeof(longer) - 2] = '1';
	/* Longer than fsconfig(2) takes: mount(2) does. */
	do_mount("tmpfs", "tmpfs", "/long", longer);
	do_mount("tmpfs", "tmpfs", "/quiet", "silent iversion noatime");
	CHECK(mount_has(in_box("root/quiet"), "noatime"));
	CHECK(mkdir(in_box("root/l,1"), 0755) == 0 && mkdir(in_box("root/l2"), 0755) == 0);
	put_file(in_box("root/l,1/one"), "1");
	put_file(in_box("root/l2/two"), "2");
	if (try_mount("overlay", "overlay", "/o",
		      arena_printf(&arena, "lowerdir=%s:%s", in_box("root/l\\,1"),
				   in_box("root/l2"))) == 0)
		CHECK(has_text(in_box("root/o/one"), "1") && has_text(in_box("root/o/two"), "2"));
	else
		CHECK(err.code == ENODEV || err.code == EINVAL);
}

static void kernel_fs_body(void)
{
	struct mount_op op;

	enter_root();
	do_mount("proc", "proc", "/proc", "nosuid noexec nodev");
	CHECK(exists(in_box("root/proc/self/status")) && mount_has(in_box("root/proc"), "noexec"));
	CHECK(top_mode("root/proc") == 0555);
	do_mount("sysfs", "sysfs", "/sys", "ro nosuid noexec nodev");
	CHECK(exists(in_box("root/sys/kernel")) && mount_has(in_box("root/sys"), "ro"));
	do_mount("tmpfs", "tmpfs", "/dev", "nosuid strictatime mode=755 size=65536k");
	CHECK(!mount_has(in_box("root/dev"), "relatime"));
	do_mount("devpts", "devpts", "/dev/pts",
		 "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5");
	CHECK(S_ISCHR(mode_of(in_box("root/dev/pts/ptmx"))) &&
	      top_mode("root/dev/pts/ptmx") == 0666);
	CHECK(strstr(mount_line(in_box("root/dev/pts")), "gid=5,mode=620,ptmxmode=666"));
	do_mount("mqueue", "mqueue", "/dev/mqueue", "nosuid noexec nodev");
	CHECK(strstr(mount_line(in_box("root/dev/mqueue")), " - mqueue "));
	op = make_op("tmpfs", "tmpfs", "/sys/fs/cgroup", "mode=755");
	CHECK_OK(mount_apply(&root, &op, -1, &err), err);
	CHECK(strstr(mount_line(in_box("root/sys/fs/cgroup")), " - tmpfs "));
}

static void ordinary_body(void)
{
	static const char *const texts[] = {"real", "/", "/proc/1/root", "dangling/there",
					    "../out"};
	struct mount_op op;

	enter_root();
	CHECK(mkdir(in_box("root/real"), 0755) == 0);
	op = make_op("proc", "proc", "/proc", "");
	op.no_symlink = true;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK(symlink(texts[i], in_box("root/proc")) == 0);
		err = ERR_INIT;
		check_error(mount_apply(&root, &op, -1, &err), ELOOP,
			    "must be mounted on ordinary directory");
		CHECK(unlink(in_box("root/proc")) == 0);
	}
	CHECK(!exists(in_box("root/dangling")));
	put_file(in_box("root/proc"), "");
	err = ERR_INIT;
	check_error(mount_apply(&root, &op, -1, &err), ENOTDIR,
		    "must be mounted on ordinary directory");
	CHECK(unlink(in_box("root/proc")) == 0);
	op.target = "/a/proc";
	CHECK(symlink("real", in_box("root/a")) == 0);
	err = ERR_INIT;
	check_error(mount_apply(&root, &op, -1, &err), ELOOP,
		    "must be mounted on ordinary directory");
	CHECK(!exists(in_box("root/real/proc")));
	op.target = "/b/proc";
	CHECK_OK(mount_apply(&root, &op, -1, &err), err);
	CHECK(exists(in_box("root/b/proc/self/stat")));
	check_canary();
}

static void fill_for_copy(void)
{
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
	char deep[256] = "root/c";

	CHECK(mkdir(in_box("root/c"), 0750) == 0 && chmod(in_box("root/c"), 0751) == 0);
	CHECK(mkdir(in_box("root/c/dir"), 0700) == 0 && chmod(in_box("root/c/dir"), 01770) == 0);
	put_file(in_box("root/c/dir/file"), "content");
	CHECK(chown(in_box("root/c/dir/file"), 12, 34) == 0 &&
	      chmod(in_box("root/c/dir/file"), 04751) == 0);
	CHECK(setxattr(in_box("root/c/dir/file"), "trusted.oakum-test", "v", 1, 0) == 0);
	CHECK(utimensat(AT_FDCWD, in_box("root/c/dir/file"), times, 0) == 0);
	CHECK(symlink("/no/where", in_box("root/c/link")) == 0);
	CHECK(lchown(in_box("root/c/link"), 7, 8) == 0);
	CHECK(mkfifo(in_box("root/c/fifo"), 0640) == 0);
	CHECK(mknod(in_box("root/c/null"), S_IFCHR | 0666, makedev(1, 3)) == 0);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(deep, sizeof(deep), "root/c/dir/many-%d", i);
		put_file(in_box(deep), "x");
	}
	CHECK(mkdir(in_box("root/c/mounted"), 0755) == 0);
	CHECK(mount("other", in_box("root/c/mounted"), "tmpfs", 0, "mode=755") == 0);
	put_file(in_box("root/c/mounted/not-this"), "x");
	CHECK(utimensat(AT_FDCWD, in_box("root/c/dir"), times, 0) == 0);
}

static void copyup_body(void)
{
	struct stat st;
	char v[8];

	enter_root();
	fill_for_copy();
	do_mount("tmpfs", "tmpfs", "/c", "tmpcopyup size=4m nosuid");
	CHECK(strstr(mount_line(in_box("root/c")), " - tmpfs ") &&
	      mount_has(in_box("root/c"), "nosuid"));
	CHECK(top_mode("root/c") == 0751 && top_mode("root/c/dir") == 01770);
	CHECK(has_text(in_box("root/c/dir/file"), "content"));
	CHECK(stat(in_box("root/c/dir/file"), &st) == 0);
	CHECK(st.st_uid == 12 && st.st_gid == 34 && (st.st_mode & 07777) == 04751 &&
	      st.st_mtime == 2000);
	CHECK(getxattr(in_box("root/c/dir/file"), "trusted.oakum-test", v, sizeof(v)) == 1 &&
	      v[0] == 'v');
	CHECK(stat(in_box("root/c/dir"), &st) == 0 && st.st_mtime == 2000);
	CHECK(readlink(in_box("root/c/link"), v, sizeof(v)) == 8);
	CHECK(lstat(in_box("root/c/link"), &st) == 0 && st.st_uid == 7 && st.st_gid == 8);
	CHECK(S_ISFIFO(mode_of(in_box("root/c/fifo"))) && top_mode("root/c/fifo") == 0640);
	CHECK(S_ISCHR(mode_of(in_box("root/c/null"))) && exists(in_box("root/c/dir/many-299")));
	CHECK(exists(in_box("root/c/mounted")) && !exists(in_box("root/c/mounted/not-this")));
	put_file(in_box("root/c/dir/file"), "changed");
	CHECK(umount(in_box("root/c")) == 0);
	CHECK(has_text(in_box("root/c/dir/file"), "content"));
	/* Read-only comes after the copy. */
	do_mount("tmpfs", "tmpfs", "/c", "tmpcopyup rro");
	CHECK(mount_has(in_box("root/c"), "ro") && has_text(in_box("root/c/dir/file"), "content"));
	CHECK(umount(in_box("root/c")) == 0);
	do_mount("tmpfs", "tmpfs", "/c-new", "tmpcopyup");
	CHECK(top_mode("root/c-new") == 01777);
}

static void copyup_limits_body(void)
{
	enter_root();
	check_error(try_mount("tmpfs", "tmpfs", "/", "tmpcopyup"), EINVAL, "tmpcopyup");
	fill_for_copy();
	check_error(try_mount("tmpfs", "tmpfs", "/c", "tmpcopyup size=16k"), ENOSPC, "copy up");
	CHECK(way != WAY_NATIVE || !mount_line(in_box("root/c")));
	CHECK(chdir(in_box("root/c")) == 0);
	for (int i = 0; i < 70; i++)
		CHECK(mkdir("deeper", 0755) == 0 && chdir("deeper") == 0);
	check_error(try_mount("tmpfs", "tmpfs", "/c", "tmpcopyup"), ELOOP, "directories deep");
}

static void remount_body(void)
{
	const char *a = in_box("root/a");

	enter_root();
	do_mount("tmpfs", "tmpfs", "/a", "nosuid size=64k");
	do_mount("none", "none", "/a", "remount bind ro");
	CHECK(mount_has(a, "ro") && mount_has(a, "nosuid"));
	CHECK(strstr(strstr(mount_line(a), " - "), "tmpfs rw"));
	do_mount("tmpfs", "none", "/a", "remount rw noexec size=128k");
	CHECK(mount_has(a, "rw") && mount_has(a, "noexec") && mount_has(a, "nosuid"));
	CHECK(strstr(mount_line(a), "size=128k"));
	check_error(try_mount("tmpfs", "none", "/a", "remount size=no"), EINVAL, "/a");
	CHECK(mkdir(in_box("root/plain"), 0755) == 0);
	check_error(try_mount("none", "none", "/plain", "remount ro"), EINVAL,
		    "nothing is mounted on /plain");
}

static void symlink_body(void)
{
	struct mount_op op = {.kind = MOUNT_SYMLINK, .target = "/sys/cpu", .source = "cpu,cpuacct"};
	char text[32] = "";

	enter_root();
	CHECK_OK(mount_apply(&root, &op, -1, &err), err);
	CHECK(readlink(in_box("root/sys/cpu"), text, sizeof(text)) == 11 &&
	      !strcmp(text, "cpu,cpuacct"));
	CHECK_OK(mount_apply(&root, &op, -1, &err), err);
	op.source = "other";
	check_error(mount_apply(&root, &op, -1, &err), EEXIST, "/sys/cpu");
}

/* What is mounted on "/" is where all that follows goes. */
static void on_root_body(void)
{
	enter_root();
	make_source();
	do_mount("bind", in_box("root/src"), "/", "rbind");
	do_mount("tmpfs", "tmpfs", "/sub/in", "");
	CHECK_OK(rootfs_pivot(&root, 0, &err), err);
	CHECK(has_text("/file", "data") && has_text("/sub/file", "below"));
	CHECK(mode_of("/sub/in") == (S_IFDIR | 01777) && !exists("/src") && !exists(box));
}

static void userns_body(void)
{
	int before;

	enter_box();
	CHECK(mkdir(in_box("src"), 0755) == 0);
	CHECK(mount("locked", in_box("src"), "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY | MS_NOATIME,
		    NULL) == 0);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	put_file("/proc/self/setgroups", "deny");
	put_file("/proc/self/uid_map", "0 0 1");
	put_file("/proc/self/gid_map", "0 0 1");
	CHECK(setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0);
	root.userns = true;
	CHECK_OK(rootfs_enter(&root, in_box("root"), MS_PRIVATE | MS_REC, &err), err);
	before = count_fds();
	do_mount("tmpfs", "tmpfs", "/t", "size=64k nosuid");
	/* No network namespace of its own: the host's, as a whole, with the flags asked for
	 * everywhere. */
	do_mount("sysfs", "sysfs", "/sys", "ro nosuid noexec nodev");
	CHECK(exists(in_box("root/sys/kernel")) && mount_has(in_box("root/sys"), "ro"));
	if (mount_line("/sys/fs/cgroup"))
		CHECK(mount_has(in_box("root/sys/fs/cgroup"), "ro"));
	/* No pid namespace of its own. */
	do_mount("proc", "proc", "/proc", "nosuid noexec nodev");
	CHECK(exists(in_box("root/proc/self/status")) && mount_has(in_box("root/proc"), "nosuid"));
	/* Locked flags stay where they are implied, and make what contradicts them an error. */
	do_mount("bind", in_box("src"), "/d", "noexec");
	CHECK(mount_has(in_box("root/d"), "ro") && mount_has(in_box("root/d"), "noexec"));
	check_error(try_mount("bind", in_box("src"), "/e", "rw"), EPERM, "/e");
	check_error(try_mount("bind", in_box("src"), "/e", "strictatime"), EPERM, "/e");
	CHECK(count_fds() == before);
}

/* After mount(2) the new mount is looked up by name: what is not it is refused. */
static void reopen_body(void)
{
	int below, top, fd;

	enter_root();
	CHECK(mkdir(in_box("root/a"), 0755) == 0);
	below = open(in_box("root/a"), O_PATH | O_CLOEXEC);
	CHECK(mount_tree_reopen(&root, "/a", below) == -ESTALE);
	CHECK(mount_tree_reopen(&root, "/none", below) == -ENOENT);
	CHECK(mount("t", in_box("root/a"), "tmpfs", 0, NULL) == 0);
	top = open(in_box("root/a"), O_PATH | O_CLOEXEC);
	CHECK(mount_tree_reopen(&root, "/a", top) == -ESTALE);
	fd = mount_tree_reopen(&root, "/a", below);
	CHECK(fd >= 0 && mount_tree_is_root(fd) == 1 && mount_tree_is_root(below) == 0);
}

/* The place is a directory now and a link to the outside then. */
static void race(const char *type, const char *source, const char *target, const char *options)
{
	struct mount_op op = make_op(type, source, target, options);
	int done = 0;
	pid_t racer;

	CHECK(mkdir(in_box("root/v"), 0755) == 0 && mkdir(in_box("root/v/dst"), 0755) == 0);
	CHECK(mkdir(in_box("root/v/dst/dst"), 0755) == 0);
	CHECK(symlink(in_box("out"), in_box("root/v/swap")) == 0);
	racer = start_racer(in_box("root/v/dst"), in_box("root/v/swap"));
	for (int i = 0; i < ROUNDS; i++) {
		err = ERR_INIT;
		if (mount_apply(&root, &op, -1, &err) < 0)
			continue;
		done++;
		if (i % 64 == 0)
			check_canary();
		/* Off again, wherever in the root it is. */
		for (int j = 0; j < 3; j++) {
			(void)umount2(in_box("root/v/dst/dst"), MNT_DETACH | UMOUNT_NOFOLLOW);
			(void)umount2(in_box("root/v/swap/dst"), MNT_DETACH | UMOUNT_NOFOLLOW);
			(void)umount2(in_box("root/v/dst"), MNT_DETACH | UMOUNT_NOFOLLOW);
			(void)umount2(in_box("root/v/swap"), MNT_DETACH | UMOUNT_NOFOLLOW);
		}
	}
	stop_racer(racer);
	CHECK(done > 0);
	check_canary();
	CHECK(umount2(in_box("root"), MNT_DETACH) == 0);
}

static void race_bind_body(void)
{
	enter_root();
	make_source();
	race("bind", in_box("root/src"), "/v/dst", "rbind ro");
}

static void race_parent_body(void)
{
	enter_root();
	make_source();
	race("bind", in_box("root/src/file"), "/v/dst/file", "");
}

static void race_tmpfs_body(void)
{
	enter_root();
	race("tmpfs", "tmpfs", "/v/dst/dst", "tmpcopyup");
}

TEST(bind_flags, MOUNT_WAYS)
TEST(bind_recursive, MOUNT_WAYS)
TEST(propagation, MOUNT_WAYS)
TEST(places, MOUNT_WAYS)
TEST(optional, MOUNT_WAYS)
TEST(given_source, MOUNT_WAYS)
TEST(tmpfs, MOUNT_WAYS)
TEST(late_readonly, MOUNT_WAYS)
TEST(bad_options, MOUNT_WAYS)
TEST(kernel_fs, MOUNT_WAYS)
TEST(ordinary, MOUNT_WAYS)
TEST(copyup, MOUNT_WAYS)
TEST(copyup_limits, MOUNT_WAYS)
TEST(remount, MOUNT_WAYS)
TEST(symlink, NATIVE)
TEST(reopen, NATIVE)
TEST(on_root, NATIVE | 1u << WAY_NO_SETATTR)
TEST(userns, NATIVE)
TEST(race_bind, NATIVE | 1u << WAY_OLD)
TEST(race_parent, NATIVE | 1u << WAY_OLD)
TEST(race_tmpfs, NATIVE)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind_flags),    cmocka_unit_test(test_bind_recursive),
		cmocka_unit_test(test_propagation),   cmocka_unit_test(test_places),
		cmocka_unit_test(test_optional),      cmocka_unit_test(test_given_source),
		cmocka_unit_test(test_tmpfs),	      cmocka_unit_test(test_late_readonly),
		cmocka_unit_test(test_bad_options),   cmocka_unit_test(test_kernel_fs),
		cmocka_unit_test(test_ordinary),      cmocka_unit_test(test_copyup),
		cmocka_unit_test(test_copyup_limits), cmocka_unit_test(test_remount),
		cmocka_unit_test(test_symlink),	      cmocka_unit_test(test_on_root),
		cmocka_unit_test(test_reopen),	      cmocka_unit_test(test_userns),
		cmocka_unit_test(test_race_bind),     cmocka_unit_test(test_race_parent),
		cmocka_unit_test(test_race_tmpfs),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
