/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids, limits, oom score, home and keyring, each in a child of its own. */
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/creds.h"
#include "test_fork.h"

static int open_proc(void)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	CHECK(f);
	CHECK(fputs(text, f) >= 0);
	CHECK(fclose(f) == 0);
}

static void ids_child(void)
{
	static const uint32_t groups[] = {7, 5, 4294967294};
	struct err err = ERR_INIT;
	char text[128];

	CHECK_OK(creds_ids(1000, 4294967294, groups, 3, open_proc(), &err), err);
	own_status("Uid", text, sizeof(text));
	CHECK(strcmp(text, "1000\t1000\t1000\t1000") == 0);
	own_status("Gid", text, sizeof(text));
	CHECK(strcmp(text, "4294967294\t4294967294\t4294967294\t4294967294") == 0);
	own_status("Groups", text, sizeof(text));
	CHECK(strncmp(text, "5 7 4294967294", 14) == 0);
}

static void no_groups_child(void)
{
	static const gid_t before[] = {1, 2};
	struct err err = ERR_INIT;

	CHECK(setgroups(2, before) == 0);
	CHECK_OK(creds_ids(0, 0, NULL, 0, open_proc(), &err), err);
	CHECK(getgroups(0, NULL) == 0);
}

/* (uid_t)-1 means "leave it" to the kernel: the process would stay root. */
static void minus_one_child(void)
{
	struct err err = ERR_INIT;

	CHECK(creds_ids(UINT32_MAX, 1, NULL, 0, open_proc(), &err) < 0);
	CHECK(err.kind == ERR_CONFIG && strstr(err.text, "uid 4294967295"));
	err = ERR_INIT;
	CHECK(creds_ids(1, UINT32_MAX, NULL, 0, open_proc(), &err) < 0);
	CHECK(strstr(err.text, "gid 4294967295"));
	CHECK(getuid() == 0 && getgid() == 0);
}

static void unprivileged_child(void)
{
	struct err err = ERR_INIT;

	CHECK_OK(creds_ids(1000, 1000, NULL, 0, open_proc(), &err), err);
	CHECK(creds_ids(0, 0, NULL, 0, open_proc(), &err) == -EPERM);
}

static void denied_child(void)
{
	static const uint32_t group = 0;
	struct err err = ERR_INIT;
	int proc = open_proc();

	CHECK(unshare(CLONE_NEWUSER) == 0);
	put_file("/proc/self/uid_map", "0 0 1\n");
	put_file("/proc/self/setgroups", "deny");
	put_file("/proc/self/gid_map", "0 0 1\n");
	CHECK_OK(creds_ids(0, 0, NULL, 0, proc, &err), err);
	CHECK(creds_ids(0, 0, &group, 1, proc, &err) < 0);
	CHECK(err.kind == ERR_UNSUPPORTED && strstr(err.text, "denied") && err.hint[0]);
}

static void rlimit_child(void)
{
	struct err err = ERR_INIT;
	struct rlimit have;

	CHECK_OK(creds_rlimit(RLIMIT_CORE, "RLIMIT_CORE", 1, 2, &err), err);
	CHECK(getrlimit(RLIMIT_CORE, &have) == 0 && have.rlim_cur == 1 && have.rlim_max == 2);
	CHECK(creds_rlimit(RLIMIT_CORE, "RLIMIT_CORE", 3, 2, &err) < 0);
	CHECK(err.kind == ERR_CONFIG && strstr(err.text, "RLIMIT_CORE"));

	err = ERR_INIT;
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(creds_rlimit(RLIMIT_CORE, "RLIMIT_CORE", 1, UINT64_MAX, &err) == -EPERM);
	CHECK(strstr(err.text, "above ours, 2") && strstr(err.hint, "CAP_SYS_RESOURCE"));
	err = ERR_INIT;
	CHECK(creds_rlimit(9999, "RLIMIT_NONE", 1, 1, &err) == -EINVAL);
}

static void unlimited_child(void)
{
	struct err err = ERR_INIT;

	/* Allowed to anybody where it is so already. */
	CHECK_OK(creds_rlimit(RLIMIT_CPU, "RLIMIT_CPU", UINT64_MAX, UINT64_MAX, &err), err);
}

static void oom_child(void)
{
	struct err err = ERR_INIT;
	int proc = open_proc();
	char text[16] = "";
	FILE *f;

	CHECK_OK(creds_oom_score(proc, 0, 900, &err), err);
	f = fopen("/proc/self/oom_score_adj", "re");
	CHECK(f && fgets(text, sizeof(text), f) && strcmp(text, "900\n") == 0);
	CHECK(fclose(f) == 0);
	CHECK_OK(creds_oom_score(proc, 0, 900, &err), err);
	CHECK_OK(creds_oom_score(proc, getpid(), 901, &err), err);
	f = fopen("/proc/self/oom_score_adj", "re");
	CHECK(f && fgets(text, sizeof(text), f) && strcmp(text, "901\n") == 0);
	CHECK(fclose(f) == 0);
	CHECK(creds_oom_score(proc, 0, 1001, &err) == -EINVAL);
}

static void oom_lower_child(void)
{
	struct err err = ERR_INIT;
	int proc = open_proc();

	CHECK_OK(creds_oom_score(proc, 0, 500, &err), err);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(creds_oom_score(proc, 0, -1000, &err) == -EACCES);
	CHECK(strstr(err.text, "-1000") && err.hint[0]);
}

/* A file that is no oom_score_adj is refused, not written to. */
static void oom_fake_child(void)
{
	char dir[] = "/tmp/oakum-creds-XXXXXX", path[64];
	struct err err = ERR_INIT;
	int fd;

	CHECK(mkdtemp(dir));
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "%s/self", dir);
	CHECK(mkdir(path, 0700) == 0);
	(void)snprintf(path, sizeof(path), "%s/self/oom_score_adj", dir);
	CHECK(mknod(path, S_IFCHR | 0600, 0x103) == 0); /* null: writes vanish, reads are empty */
	CHECK(creds_oom_score(fd, 0, 7, &err) < 0);
	CHECK(unlink(path) == 0);
	(void)snprintf(path, sizeof(path), "%s/self", dir);
	CHECK(rmdir(path) == 0 && rmdir(dir) == 0);
}

/* A root with nothing but etc/passwd. */
static void enter_root(const char *dir)
{
	CHECK(chdir(dir) == 0 && mkdir("etc", 0755) == 0 && chroot(".") == 0);
}

static void check_home(const char *passwd, uint32_t uid, const char *home)
{
	char buf[64];

	put_file("/etc/passwd", passwd);
	(void)memset(buf, 'x', sizeof(buf));
	creds_home(uid, buf, sizeof(buf));
	if (strcmp(buf, home) != 0)
		(void)fprintf(stderr, "uid %u: %s, expected %s\n", uid, buf, home);
	CHECK(strcmp(buf, home) == 0);
}

static void home_table(void)
{
	static const struct {
		const char *passwd;
		uint32_t uid;
		const char *home;
	} cases[] = {
		{"", 0, "/root"},
		{"", 1, "/"},
		{"a:x:1:1:g:/h:/bin/sh\nb:x:2:2:g:/k:/bin/sh\n", 2, "/k"},
		{"a:x:1:1:g:/first:\nb:x:1:2:g:/second:\n", 1, "/first"},
		{"a:x:1:1:g:/h:", 1, "/h"},
		{"a:x:1:1:g:/h\n", 1, "/h"},
		{"a:x:1:1:g:/h", 1, "/h"},
		{"\n\na:x:1:1:g:/h:\n", 1, "/h"},
		{"root:x:0:0:root:/elsewhere:/bin/sh\n", 0, "/elsewhere"},
		/* A name that looks like the number is not the number. */
		{"1000:x:0:0:evil:/evil:\n", 1000, "/"},
		{"x:1000:0:0:evil:/evil:\n", 1000, "/"},
		{"x:x:01000:0::/evil:\n", 1000, "/"},
		{"x:x:+1000:0::/evil:\n", 1000, "/"},
		{"x:x: 1000:0::/evil:\n", 1000, "/"},
		{"x:x:1000 :0::/evil:\n", 1000, "/"},
		{"x:x:0x3e8:0::/evil:\n", 1000, "/"},
		{"x:x:10000:0::/evil:\n", 1000, "/"},
		{"x:x:100:0::/evil:\n", 1000, "/"},
		{"x:x:4294968296:0::/evil:\n", 1000, "/"},
		{"x:x:0000000000001000:0::/evil:\n", 1000, "/"},
		{"x:x::0::/evil:\n", 0, "/root"},
		{"x:x:1000:0:/evil\ny:x:1000:0::/good:\n", 1000, "/good"},
		/* Homes that are none. */
		{"x:x:1000:0:::\n", 1000, "/"},
		{"x:x:1000:0::relative:\n", 1000, "/"},
		{"x:x:1000:0::/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:\n",
		 1000, "/"},
		{"x:x:1000:0::/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:\n",
		 1000, "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_home(cases[i].passwd, cases[i].uid, cases[i].home);
}

/* A line longer than any block, then ours across the border of two blocks. */
static void home_long_lines(void)
{
	for (size_t pad = 8150; pad < 8195; pad++) {
		char *text = malloc(300000);

		CHECK(text);
		(void)memset(text, 'a', 300000);
		(void)strcpy(text + pad, "\nu:x:77:7:gecos:/home/seven:/bin/sh\n");
		check_home(text, 77, "/home/seven");
		(void)memset(text + pad, 'b', 250000);
		(void)strcpy(text + pad + 250000, "\nu:x:77:7:gecos:/home/seven:/bin/sh\n");
		check_home(text, 77, "/home/seven");
		free(text);
	}
}

static void home_other_files(void)
{
	char buf[64];

	CHECK(unlink("/etc/passwd") == 0);
	creds_home(0, buf, sizeof(buf));
	CHECK(strcmp(buf, "/root") == 0);

	put_file("/etc/real", "u:x:5:5::/five:\n");
	CHECK(symlink("real", "/etc/passwd") == 0);
	creds_home(5, buf, sizeof(buf));
	CHECK(strcmp(buf, "/five") == 0);

	CHECK(unlink("/etc/passwd") == 0 && mkfifo("/etc/passwd", 0600) == 0);
	creds_home(5, buf, sizeof(buf));
	CHECK(strcmp(buf, "/") == 0);
	CHECK(unlink("/etc/passwd") == 0 && mkdir("/etc/passwd", 0700) == 0);
	creds_home(5, buf, sizeof(buf));
	CHECK(strcmp(buf, "/") == 0);

	/* A hole of a terabyte is not read to its end. */
	CHECK(rmdir("/etc/passwd") == 0);
	put_file("/etc/passwd", "");
	CHECK(truncate("/etc/passwd", (off_t)1 << 40) == 0);
	creds_home(5, buf, sizeof(buf));
	CHECK(strcmp(buf, "/") == 0);
	CHECK(unlink("/etc/passwd") == 0 && unlink("/etc/real") == 0 && rmdir("/etc") == 0);
}

static char root_dir[] = "/tmp/oakum-home-XXXXXX";

static void home_child(void)
{
	enter_root(root_dir);
	home_table();
	home_long_lines();
	home_other_files();
}

static void keyring_child(void)
{
	struct err err = ERR_INIT;
	char id[32], expected[64], text[256];
	long key, n;

	(void)snprintf(id, sizeof(id), "test-%d", getpid());
	CHECK_OK(creds_keyring(id, &err), err);
	key = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	if (key < 0 && errno == ENOSYS)
		return;
	CHECK(key > 0);
	n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof(text) - 1);
	CHECK(n > 0 && n < (long)sizeof(text));
	text[n] = '\0';
	(void)snprintf(expected, sizeof(expected), ";_ses.%s", id);
	CHECK(strstr(text, expected));
	/* "keyring;uid;gid;perm;name": the owner may search. */
	CHECK(strtoul(strchr(strchr(strchr(text, ';') + 1, ';') + 1, ';') + 1, NULL, 16) & 0x80000);
}

#define IN_CHILD(name)                                                                             \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(name##_child), 0);                                       \
	}

IN_CHILD(ids)
IN_CHILD(no_groups)
IN_CHILD(minus_one)
IN_CHILD(unprivileged)
IN_CHILD(denied)
IN_CHILD(rlimit)
IN_CHILD(unlimited)
IN_CHILD(oom)
IN_CHILD(oom_lower)
IN_CHILD(oom_fake)
IN_CHILD(keyring)

static void home(void **state)
{
	char path[64];
	int status;

	(void)state;
	assert_non_null(mkdtemp(root_dir));
	status = in_child(home_child);
	(void)snprintf(path, sizeof(path), "%s/etc/passwd", root_dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/etc", root_dir);
	(void)rmdir(path);
	assert_int_equal(rmdir(root_dir), 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids),	     cmocka_unit_test(no_groups),
		cmocka_unit_test(minus_one), cmocka_unit_test(unprivileged),
		cmocka_unit_test(denied),    cmocka_unit_test(rlimit),
		cmocka_unit_test(unlimited), cmocka_unit_test(oom),
		cmocka_unit_test(oom_lower), cmocka_unit_test(oom_fake),
		cmocka_unit_test(home),	     cmocka_unit_test(keyring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
