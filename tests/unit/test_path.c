/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/path.h: resolution stays in the root whatever is in it, by openat2 and by the walk. */
#include "base/path.h"

#include "test_sandbox.h"

#define ROUNDS 3000

static int root_fd;

static void enter_plain(void)
{
	enter_box();
	root_fd = open(in_box("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(root_fd >= 0);
}

static bool is_in_root(int fd, const char *path)
{
	char full[4096];
	struct stat a, b;

	CHECK(snprintf(full, sizeof(full), "%s/root/%s", box, path) < (int)sizeof(full));
	return fstat(fd, &a) == 0 && lstat(full, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

/* Open, compare with what should be found, close. */
static void check_open(const char *path, const char *want)
{
	int fd = path_open(root_fd, path, O_PATH);

	if (fd < 0 || !is_in_root(fd, want))
		(void)fprintf(stderr, "path_open(%s): %d\n", path, fd);
	CHECK(fd >= 0 && is_in_root(fd, want));
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void open_body(void)
{
	enter_plain();
	CHECK(mkdir(in_box("root/a"), 0755) == 0 && mkdir(in_box("root/a/b"), 0755) == 0);
	put_file(in_box("root/a/b/f"), "x");
	CHECK(symlink("/a/b", in_box("root/abs")) == 0);
	CHECK(symlink("../../../a", in_box("root/a/up")) == 0);
	CHECK(symlink("abs/../up/b/f", in_box("root/a/chain")) == 0);
	CHECK(symlink("/abs", in_box("root/a/two")) == 0);
	CHECK(symlink("loop", in_box("root/loop")) == 0);
	CHECK(symlink(in_box("out/canary"), in_box("root/escape")) == 0);
	CHECK(symlink("/", in_box("root/top")) == 0);
	check_open("/", "");
	check_open("", "");
	check_open(".", "");
	check_open("..", "");
	check_open("/../../../a/b", "a/b");
	check_open("a//b/./f", "a/b/f");
	check_open("/a/b/", "a/b");
	check_open("abs/f", "a/b/f");
	check_open("a/two/f", "a/b/f");
	check_open("a/up/up/b", "a/b");
	check_open("a/b/../../a/b/f", "a/b/f");
	check_open("abs/../b/f", "a/b/f");
	check_open("top/top/../a", "a");
	check_open("top", "");
	CHECK(path_open(root_fd, "a/chain", O_PATH) == -ENOENT);
	CHECK(path_open(root_fd, "escape", O_PATH) == -ENOENT);
	CHECK(path_open(root_fd, "loop", O_PATH) == -ELOOP);
	CHECK(path_open(root_fd, "loop/x", O_PATH) == -ELOOP);
	CHECK(path_open(root_fd, "a/b/f/g", O_PATH) == -ENOTDIR);
	CHECK(path_open(root_fd, "a/b/f/", O_PATH) == -ENOTDIR);
	CHECK(path_open(root_fd, "a/b/f/..", O_PATH) == -ENOTDIR);
	CHECK(path_open(root_fd, "a/b/f", O_PATH | O_DIRECTORY) == -ENOTDIR);
	CHECK(path_open(root_fd, "abs", O_RDONLY | O_NOFOLLOW) == -ELOOP);
	CHECK(path_open(root_fd, "new", O_WRONLY | O_CREAT) == -EINVAL);
	check_canary();
}

static void last_link_body(void)
{
	struct stat st;
	int fd;

	enter_plain();
	CHECK(mkdir(in_box("root/d"), 0755) == 0);
	CHECK(symlink("d", in_box("root/link")) == 0);
	fd = path_open(root_fd, "link", O_PATH | O_NOFOLLOW);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode));
	close(fd);
	fd = path_open(root_fd, "link/", O_PATH | O_NOFOLLOW);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode));
	close(fd);
	CHECK(path_open_nolink(root_fd, "link", O_PATH) == -ELOOP);
	CHECK(path_open_nolink(root_fd, "link", O_PATH | O_NOFOLLOW) == -ELOOP);
	CHECK(path_open_nolink(root_fd, "link/x", O_PATH) == -ELOOP);
	fd = path_open_nolink(root_fd, "/d/../d", O_PATH | O_DIRECTORY);
	CHECK(fd >= 0 && is_in_root(fd, "d"));
}

/* A magic link leads to where no path goes. */
static void magic_links_body(void)
{
	int out, fd;
	char name[64];

	enter_plain();
	CHECK(mkdir(in_box("root/proc"), 0755) == 0);
	CHECK(mount("proc", in_box("root/proc"), "proc", 0, NULL) == 0);
	out = open(in_box("out"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(name, sizeof(name), "proc/self/fd/%d", out);
	fd = path_open(root_fd, name, O_PATH);
	CHECK(fd == -ELOOP || fd == -ENOENT);
	(void)snprintf(name, sizeof(name), "proc/self/fd/%d/canary", out);
	CHECK(path_open(root_fd, name, O_PATH) < 0);
	CHECK(path_mkdirs(root_fd, "proc/self/root/tmp/made") < 0 ||
	      exists(in_box("root/tmp/made")));
	CHECK(!exists("/tmp/made"));
	check_canary();
}

static void check_made(const char *path, const char *want, mode_t mode)
{
	int fd = path_mkdirs(root_fd, path);
	struct stat st;

	if (fd < 0)
		(void)fprintf(stderr, "path_mkdirs(%s): %s\n", path, strerror(-fd));
	CHECK(fd >= 0 && is_in_root(fd, want));
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == mode);
	CHECK((fcntl(fd, F_GETFL) & O_PATH) && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
	close(fd);
}

static void mkdirs_body(void)
{
	int before;

	enter_plain();
	umask(077);
	before = count_fds();
	check_made("/", "", 0755);
	check_made("a/b/c", "a/b/c", 0755);
	check_made("/a/b/c/", "a/b/c", 0755);
	CHECK((mode_of(in_box("root/a/b")) & 07777) == 0755);
	CHECK(umask(077) == 077);
	/* setgid goes on as the kernel has it. */
	CHECK(mkdir(in_box("root/g"), 0700) == 0 && chown(in_box("root/g"), 0, 1234) == 0);
	CHECK(chmod(in_box("root/g"), 02755) == 0);
	check_made("g/x/y", "g/x/y", 02755);
	CHECK(symlink("/made/by/link", in_box("root/dangling")) == 0);
	check_made("dangling", "made/by/link", 0755);
	CHECK(symlink("../../middle/../m", in_box("root/a/rel")) == 0);
	check_made("a/rel/sub", "m/sub", 0755);
	CHECK(exists(in_box("root/middle")));
	CHECK(symlink("second", in_box("root/first")) == 0 &&
	      symlink("third", in_box("root/second")) == 0);
	check_made("first/z", "third/z", 0755);
	check_made("n1/../n2/./n3", "n2/n3", 0755);
	put_file(in_box("root/file"), "");
	CHECK(path_mkdirs(root_fd, "file") == -ENOTDIR);
	CHECK(path_mkdirs(root_fd, "file/x") == -ENOTDIR);
	CHECK(path_mkdirs(root_fd, "new/../file/x") == -ENOTDIR);
	CHECK(symlink("loop", in_box("root/loop")) == 0);
	CHECK(path_mkdirs(root_fd, "loop/x") == -ELOOP);
	CHECK(symlink(in_box("out/made"), in_box("root/escape")) == 0);
	fd_close(path_mkdirs(root_fd, "escape"));
	CHECK(!exists(in_box("out/made")));
	CHECK(count_fds() == before);
	check_canary();
}

static void limits_body(void)
{
	static char longer[8192], name[300];

	enter_plain();
	memset(longer, 'x', sizeof(longer) - 1);
	memset(name, 'y', sizeof(name) - 1);
	CHECK(path_open(root_fd, longer, O_PATH) == -ENAMETOOLONG);
	CHECK(path_open(root_fd, name, O_PATH) == -ENAMETOOLONG);
	CHECK(path_mkdirs(root_fd, longer) == -ENAMETOOLONG);
	CHECK(path_mkdirs(root_fd, name) == -ENAMETOOLONG);
	CHECK(path_mkfile(root_fd, name) == -ENAMETOOLONG);
	for (size_t i = 0; i + 2 < sizeof(longer); i += 2)
		memcpy(longer + i, "a/", 2);
	longer[4000] = '\0';
	fd_close(path_mkdirs(root_fd, longer));
	CHECK(path_open(root_fd, longer, O_PATH) >= 0);
}

static void check_file(const char *path, const char *want)
{
	int fd = path_mkfile(root_fd, path);

	if (fd < 0)
		(void)fprintf(stderr, "path_mkfile(%s): %s\n", path, strerror(-fd));
	CHECK(fd >= 0 && is_in_root(fd, want));
	CHECK(fcntl(fd, F_GETFL) & O_PATH);
	close(fd);
}

static void mkfile_body(void)
{
	int before;

	enter_plain();
	before = count_fds();
	check_file("etc/hosts", "etc/hosts");
	put_file(in_box("root/etc/hosts"), "kept");
	check_file("/etc/hosts", "etc/hosts");
	CHECK(has_text(in_box("root/etc/hosts"), "kept"));
	CHECK(symlink("/usr/zone/UTC", in_box("root/etc/localtime")) == 0);
	check_file("etc/localtime", "usr/zone/UTC");
	CHECK(symlink("../../../run/r", in_box("root/etc/resolv.conf")) == 0);
	check_file("etc/resolv.conf", "run/r");
	CHECK(mkfifo(in_box("root/fifo"), 0600) == 0);
	check_file("fifo", "fifo");
	CHECK(path_mkfile(root_fd, "etc") == -EISDIR);
	CHECK(path_mkfile(root_fd, "/") == -EISDIR);
	CHECK(path_mkfile(root_fd, "etc/none/") == -EISDIR);
	CHECK(path_mkfile(root_fd, "fifo/x") == -ENOTDIR);
	CHECK(symlink(in_box("out/made"), in_box("root/escape")) == 0);
	fd_close(path_mkfile(root_fd, "escape"));
	CHECK(!exists(in_box("out/made")));
	CHECK(count_fds() == before);
	check_canary();
}

static void parent_body(void)
{
	char name[256];
	int fd;

	enter_plain();
	fd = path_parent(root_fd, "/dev/sub/null", name, sizeof(name));
	CHECK(fd >= 0 && is_in_root(fd, "dev/sub") && strcmp(name, "null") == 0);
	fd = path_parent(root_fd, "top", name, sizeof(name));
	CHECK(fd >= 0 && is_in_root(fd, "") && strcmp(name, "top") == 0);
	fd = path_parent(root_fd, "/dev/slash//", name, sizeof(name));
	CHECK(fd >= 0 && is_in_root(fd, "dev") && strcmp(name, "slash") == 0);
	fd = path_parent(root_fd, "/dev/x/.", name, sizeof(name));
	CHECK(fd >= 0 && is_in_root(fd, "dev") && strcmp(name, "x") == 0);
	CHECK(path_parent(root_fd, "/", name, sizeof(name)) == -EINVAL);
	CHECK(path_parent(root_fd, "", name, sizeof(name)) == -EINVAL);
	CHECK(path_parent(root_fd, "a/..", name, sizeof(name)) == -EINVAL);
	CHECK(path_parent(root_fd, "a/longname", name, 4) == -ENAMETOOLONG);
	fd = path_parent(root_fd, "/dev/../../host/zz", name, sizeof(name));
	CHECK(fd >= 0 && is_in_root(fd, "host") && strcmp(name, "zz") == 0);
	check_canary();
}

/* The middle of a path is a directory now and a link to the outside then. */
static void race_body(void)
{
	pid_t racer;
	int done = 0;

	enter_plain();
	CHECK(mkdir(in_box("root/mid"), 0755) == 0);
	CHECK(symlink(in_box("out"), in_box("root/swap")) == 0);
	racer = start_racer(in_box("root/mid"), in_box("root/swap"));
	for (int i = 0; i < ROUNDS; i++) {
		char path[64];
		int fd;

		(void)snprintf(path, sizeof(path), "mid/d%d/../e%d", i % 50, i);
		fd = path_mkdirs(root_fd, path);
		done += fd >= 0;
		fd_close(fd);
		(void)snprintf(path, sizeof(path), "mid/f%d", i);
		fd_close(path_mkfile(root_fd, path));
	}
	stop_racer(racer);
	CHECK(done > 0);
	check_canary();
}

TEST(open, PATH_WAYS)
TEST(last_link, PATH_WAYS)
TEST(magic_links, PATH_WAYS)
TEST(mkdirs, PATH_WAYS)
TEST(limits, PATH_WAYS)
TEST(mkfile, PATH_WAYS)
TEST(parent, PATH_WAYS)
TEST(race, PATH_WAYS)

static void test_clean(void **state)
{
	static const struct {
		const char *in, *out;
		bool dotdot;
	} cases[] = {
		{"", "/", false},
		{"/", "/", false},
		{"//", "/", false},
		{".", "/", false},
		{"..", "/", true},
		{"/../..", "/", true},
		{"a", "/a", false},
		{"/a//b/", "/a/b", false},
		{"/a/./b/.", "/a/b", false},
		{"/a/../b", "/b", true},
		{"/a/b/../../../c", "/c", true},
		{"/..a/b..", "/..a/b..", false},
		{"/a/...", "/a/...", false},
		{"a/b/..", "/a", true},
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(path_clean(cases[i].in, buf, sizeof(buf)), strlen(cases[i].out));
		assert_string_equal(buf, cases[i].out);
		assert_int_equal(path_has_dotdot(cases[i].in), cases[i].dotdot);
	}
	assert_int_equal(path_clean("/123456789012345", buf, sizeof(buf)), -ENAMETOOLONG);
	assert_int_equal(path_clean("/12345678901234", buf, sizeof(buf)), 15);
	assert_int_equal(path_clean("/", buf, 1), -ENAMETOOLONG);
}

static void test_below(void **state)
{
	static const struct {
		const char *path, *dir, *rest;
	} cases[] = {
		{"/a/b/c", "/a", "/b/c"}, {"/a", "/a", ""},	{"/ab", "/a", NULL},
		{"/a", "/ab", NULL},	  {"/a", "/a/b", NULL}, {"/a/b", "/", "/a/b"},
		{"/", "/", ""},		  {"/", "/a", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *rest = path_below(cases[i].path, cases[i].dir);

		if (cases[i].rest && rest)
			assert_string_equal(rest, cases[i].rest);
		else
			assert_ptr_equal(rest, cases[i].rest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),	  cmocka_unit_test(test_open),
		cmocka_unit_test(test_last_link), cmocka_unit_test(test_magic_links),
		cmocka_unit_test(test_mkdirs),	  cmocka_unit_test(test_limits),
		cmocka_unit_test(test_mkfile),	  cmocka_unit_test(test_parent),
		cmocka_unit_test(test_race),	  cmocka_unit_test(test_below),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
