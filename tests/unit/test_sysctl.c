/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sysctls in namespaces of a child's own, and what must be refused. */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kernel/ns.h"
#include "test_fork.h"

/* Nothing here may touch the host's values. */
static int enter(void)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0);
	return fd;
}

static void check_value(const char *file, const char *expected)
{
	char text[256] = "";
	FILE *f = fopen(file, "re");

	CHECK(f && fgets(text, sizeof(text), f));
	(void)fclose(f);
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, expected) != 0)
		(void)fprintf(stderr, "%s: %s\n", file, text);
	CHECK(strcmp(text, expected) == 0);
}

static void writes_child(void)
{
	struct err err = ERR_INIT;
	int proc = enter();

	CHECK_OK(sysctl_write(proc, "kernel.shm_rmid_forced", "1", &err), err);
	check_value("/proc/sys/kernel/shm_rmid_forced", "1");
	CHECK_OK(sysctl_write(proc, "net/ipv4/ip_forward", "1", &err), err);
	check_value("/proc/sys/net/ipv4/ip_forward", "1");
	CHECK_OK(sysctl_write(proc, "net.ipv4.ip_forward", "0\n", &err), err);
	check_value("/proc/sys/net/ipv4/ip_forward", "0");
	/* Several numbers come back with other blanks, lists in another form. */
	CHECK_OK(sysctl_write(proc, "net.ipv4.ip_local_port_range", "2000 3000", &err), err);
	check_value("/proc/sys/net/ipv4/ip_local_port_range", "2000\t3000");
	CHECK_OK(sysctl_write(proc, "net.ipv4.ip_local_reserved_ports", "1,2,3", &err), err);
	CHECK_OK(sysctl_write(proc, "net.ipv4.ip_local_reserved_ports", "1,2,3", &err), err);
	check_value("/proc/sys/net/ipv4/ip_local_reserved_ports", "1-3");
	CHECK_OK(sysctl_write(proc, "kernel.domainname", "some.domain", &err), err);
	check_value("/proc/sys/kernel/domainname", "some.domain");
	/* One that can only be written. */
	CHECK_OK(sysctl_write(proc, "net.ipv4.route.flush", "1", &err), err);
	CHECK_OK(sysctl_write(proc, "kernel.msgmax", "0", &err), err);
	CHECK_OK(sysctl_write(proc, "kernel.msgmax", "0", &err), err);
}

/* The interface's name has a dot: sysctl(8) swaps the separators, or takes slashes throughout. */
static void dotted_interface_child(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_newname = "eth0.1"};
	struct err err = ERR_INIT;
	int proc = enter(), fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && ioctl(fd, SIOCSIFNAME, &request) == 0);
	CHECK_OK(sysctl_write(proc, "net.ipv4.conf.eth0/1.forwarding", "1", &err), err);
	check_value("/proc/sys/net/ipv4/conf/eth0.1/forwarding", "1");
	CHECK_OK(sysctl_write(proc, "net/ipv4/conf/eth0.1/forwarding", "0", &err), err);
	check_value("/proc/sys/net/ipv4/conf/eth0.1/forwarding", "0");
	CHECK(sysctl_write(proc, "net.ipv4.conf.eth0.1.forwarding", "0", &err) == -ENOENT);
}

static void refuses_child(void)
{
	static const char *const bad[] = {
		"",
		".",
		"/",
		"kernel",
		".kernel.msgmax",
		"kernel.",
		"kernel..msgmax",
		"/kernel/msgmax",
		"kernel//msgmax",
		"net/../kernel/msgmax",
		"../kernel/msgmax",
		"kernel/./msgmax",
		"kernel/msgmax/",
		"net.//.kernel.msgmax",
		"kernel/..",
	};
	struct err err = ERR_INIT;
	char huge[600];
	int proc = enter();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = ERR_INIT;
		CHECK(sysctl_write(proc, bad[i], "1", &err) < 0);
		if (err.kind != ERR_CONFIG)
			(void)fprintf(stderr, "\"%s\": %s\n", bad[i], err.text);
		CHECK(err.kind == ERR_CONFIG);
	}
	(void)memset(huge, 'a', sizeof(huge));
	huge[1] = '.';
	huge[sizeof(huge) - 1] = '\0';
	err = ERR_INIT;
	CHECK(sysctl_write(proc, huge, "1", &err) == -EINVAL);

	err = ERR_INIT;
	CHECK(sysctl_write(proc, "net.ipv4.oakum", "1", &err) == -ENOENT);
	CHECK(strcmp(err.text, "sysctl net.ipv4.oakum: no such sysctl in this kernel") == 0);
	err = ERR_INIT;
	CHECK(sysctl_write(proc, "net.ipv4.ip_forward.more", "1", &err) == -ENOTDIR);
	err = ERR_INIT;
	CHECK(sysctl_write(proc, "net.ipv4.ip_forward", "one", &err) == -EINVAL);
	CHECK(strcmp(err.text, "sysctl net.ipv4.ip_forward: write one") == 0);
	err = ERR_INIT;
	CHECK(sysctl_write(proc, "net.ipv4", "1", &err) == -EISDIR);
}

static char dir[] = "/tmp/oakum-sysctl-XXXXXX";

static void make(const char *name, const char *link)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (link) {
		assert_int_equal(symlink(link, path), 0);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0\n", 2), 2);
	assert_int_equal(close(fd), 0);
}

static void remove_all(void)
{
	static const char *const names[] = {"sys/net/file", "sys/net/link", "sys/out", "sys/net",
					    "sys"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

/* What a container could mount over /proc: plain files, and links to somewhere else. */
static void fake_files(void **state)
{
	struct err err = ERR_INIT;
	char path[128], text[8] = "";
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/sys", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/sys/net", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	make("sys/net/file", NULL);
	make("sys/net/link", "file");
	make("sys/out", "net");

	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(sysctl_write(fd, "net.file", "1", &err) < 0);
	assert_string_equal(err.text, "sysctl net.file: not a file of the proc file system");
	err = ERR_INIT;
	assert_int_equal(sysctl_write(fd, "net.link", "1", &err), -ELOOP);
	assert_int_equal(sysctl_write(fd, "out.file", "1", &err), -ELOOP);
	assert_int_equal(close(fd), 0);

	(void)snprintf(path, sizeof(path), "%s/sys/net/file", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 2);
	assert_string_equal(text, "0\n");
	assert_int_equal(close(fd), 0);
	remove_all();
}

#define IN_CHILD(name)                                                                             \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(name##_child), 0);                                       \
	}

IN_CHILD(writes)
IN_CHILD(dotted_interface)
IN_CHILD(refuses)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(dotted_interface),
		cmocka_unit_test(refuses),
		cmocka_unit_test(fake_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
