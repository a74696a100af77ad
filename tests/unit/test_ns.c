/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespace files, the names in a uts namespace, the loopback interface, id maps. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "kernel/netdev.h"
#include "kernel/ns.h"
#include "test_fork.h"

static const int kinds[] = {
	CLONE_NEWPID, CLONE_NEWNET,  CLONE_NEWIPC,    CLONE_NEWUTS,
	CLONE_NEWNS,  CLONE_NEWUSER, CLONE_NEWCGROUP, CLONE_NEWTIME,
};

static void opens_every_kind(void **state)
{
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct err err = ERR_INIT;
		int fd;

		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_file_name(kinds[i]));
		fd = ns_open(path, kinds[i], &err);
		assert_string_equal(err.text, "");
		assert_true(fd >= 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(ns_same(fd, kinds[i], NULL), 1);
		assert_int_equal(ns_same(fd, kinds[i], path), 1);
		assert_int_equal(ns_same(fd, kinds[i], "/proc/self/ns/none"), -ENOENT);
		assert_int_equal(close(fd), 0);
		fd = ns_of(getppid(), kinds[i]);
		assert_true(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)getppid(),
			       ns_file_name(kinds[i]));
		assert_int_equal(ns_same(fd, kinds[i], path), 1);
		assert_int_equal(close(fd), 0);
	}
	assert_int_equal(ns_of(getpid(), 12345), -EINVAL);
	assert_int_equal(ns_of(0, CLONE_NEWNET), -ENOENT);
	assert_null(ns_file_name(12345));
	assert_string_equal(ns_kind_name(CLONE_NEWNET), "network");
	assert_string_equal(ns_kind_name(CLONE_NEWNS), "mount");
	assert_string_equal(ns_kind_name(0), "unknown");
}

static void refuses_others(void **state)
{
	char dir[] = "/tmp/oakum-ns-XXXXXX", path[64];
	struct err err = ERR_INIT;

	(void)state;
	assert_true(ns_open("/proc/self/ns/ipc", CLONE_NEWNET, &err) < 0);
	assert_string_equal(err.text, "/proc/self/ns/ipc is an ipc namespace, expected network");
	assert_int_equal(err.kind, ERR_CONFIG);
	err = ERR_INIT;
	assert_true(ns_open("/proc/self/ns/pid", CLONE_NEWUSER, &err) < 0);
	assert_string_equal(err.text, "/proc/self/ns/pid is a pid namespace, expected user");
	err = ERR_INIT;
	assert_true(ns_open("/proc/self/status", CLONE_NEWNET, &err) < 0);
	assert_string_equal(err.text, "/proc/self/status is not a namespace, expected network");
	err = ERR_INIT;
	assert_int_equal(ns_open("/proc/self/ns/none", CLONE_NEWNET, &err), -ENOENT);

	/* A FIFO without a writer would block an ordinary open(2). */
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	err = ERR_INIT;
	assert_true(ns_open(path, CLONE_NEWNET, &err) < 0);
	assert_non_null(strstr(err.text, "not a namespace"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void uts_child(void)
{
	struct err err = ERR_INIT;
	struct utsname before, now;
	char longest[66];
	int host = ns_open("/proc/self/ns/uts", CLONE_NEWUTS, &err);

	CHECK_OK(host, err);
	CHECK(uname(&before) == 0);
	CHECK(unshare(CLONE_NEWUTS) == 0);
	CHECK(ns_same(host, CLONE_NEWUTS, NULL) == 0);
	CHECK_OK(uts_hostname("oakum-test", &err), err);
	CHECK_OK(uts_domainname("oakum.domain", &err), err);
	CHECK(uname(&now) == 0);
	CHECK(strcmp(now.nodename, "oakum-test") == 0);
	CHECK(strcmp(now.domainname, "oakum.domain") == 0);

	(void)memset(longest, 'a', sizeof(longest));
	longest[64] = '\0';
	CHECK_OK(uts_hostname(longest, &err), err);
	longest[64] = 'a';
	longest[65] = '\0';
	CHECK(uts_hostname(longest, &err) == -ENAMETOOLONG);
	CHECK(uts_domainname(longest, &err) == -ENAMETOOLONG);

	err = ERR_INIT;
	CHECK(ns_join(host, CLONE_NEWNET, &err) == -EINVAL);
	CHECK(strcmp(err.text, "join the network namespace") == 0);
	CHECK_OK(ns_join(host, CLONE_NEWUTS, &err), err);
	CHECK(uname(&now) == 0 && strcmp(now.nodename, before.nodename) == 0);
}

static bool is_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	CHECK(close(fd) == 0);
	return request.ifr_flags & IFF_UP;
}

static void loopback_child(void)
{
	struct err err = ERR_INIT;

	CHECK(unshare(CLONE_NEWNET) == 0);
	CHECK(!is_up());
	CHECK_OK(netdev_loopback_up(&err), err);
	CHECK(is_up());
	CHECK_OK(netdev_loopback_up(&err), err);
}

/* A kernel without IPv4, by a filter: socket(AF_INET) fails. */
static void loopback_without_inet_child(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(insns) / sizeof(insns[0]), insns};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	CHECK(socket(AF_INET, SOCK_DGRAM, 0) < 0);
	loopback_child();
}

/* A process in a new user namespace that lives until its pipe is closed. */
struct guest {
	pid_t pid;
	int hold;
};

static struct guest new_guest(void)
{
	int ready[2], hold[2];
	struct guest g;
	char c;

	CHECK(pipe2(ready, O_CLOEXEC) == 0 && pipe2(hold, O_CLOEXEC) == 0);
	g.pid = fork();
	CHECK(g.pid >= 0);
	if (g.pid == 0) {
		(void)close(hold[1]);
		CHECK(unshare(CLONE_NEWUSER) == 0);
		CHECK(write(ready[1], "r", 1) == 1);
		_exit(read(hold[0], &c, 1) == 0 ? 0 : 1);
	}
	(void)close(ready[1]);
	(void)close(hold[0]);
	CHECK(read(ready[0], &c, 1) == 1);
	(void)close(ready[0]);
	g.hold = hold[1];
	return g;
}

static void end_guest(struct guest *g)
{
	CHECK(close(g->hold) == 0);
	CHECK(waitpid(g->pid, NULL, 0) == g->pid);
}

/* The numbers of a file of the guest, one blank between. */
static void read_guest(const struct guest *g, const char *file, char *buf, size_t size)
{
	char path[64], word[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", g->pid, file);
	f = fopen(path, "re");
	CHECK(f);
	buf[0] = '\0';
	while (fscanf(f, "%63s", word) == 1) {
		CHECK(strlen(buf) + strlen(word) + 2 < size);
		(void)strcat(strcat(buf, word), " ");
	}
	(void)fclose(f);
}

static void ids_outside(void **state)
{
	static const struct ns_idmap v[] = {{1, 100000, 10}, {0, 1000, 1}, {4294967290, 5, 5}};
	const struct ns_idmaps maps = {v, 3}, none = {NULL, 0};
	uint32_t id = 42;

	(void)state;
	assert_false(userns_host_id(&maps, 11, &id));
	assert_false(userns_host_id(&maps, 4294967295, &id));
	assert_false(userns_host_id(&none, 0, &id));
	assert_int_equal(id, 42);
	assert_true(userns_host_id(&maps, 0, &id));
	assert_int_equal(id, 1000);
	assert_true(userns_host_id(&maps, 10, &id));
	assert_int_equal(id, 100009);
	assert_true(userns_host_id(&maps, 4294967294, &id));
	assert_int_equal(id, 9);
	assert_ptr_equal(userns_find(&maps, 1), &v[0]);
	assert_null(userns_find(&maps, 4294967289));
}

static void maps_with_rights_child(void)
{
	static const struct ns_idmap uids[] = {{0, 1000, 1}, {1, 100000, 65536}};
	static const struct ns_idmap gids[] = {{0, 0, 4294967295}};
	struct err err = ERR_INIT;
	struct guest g = new_guest();
	char text[128];

	CHECK_OK(userns_map(g.pid, &(struct ns_idmaps){uids, 2}, &(struct ns_idmaps){gids, 1},
			    CLOCK_FOREVER, &err),
		 err);
	read_guest(&g, "uid_map", text, sizeof(text));
	CHECK(strcmp(text, "0 1000 1 1 100000 65536 ") == 0);
	read_guest(&g, "gid_map", text, sizeof(text));
	CHECK(strcmp(text, "0 0 4294967295 ") == 0);
	read_guest(&g, "setgroups", text, sizeof(text));
	CHECK(strcmp(text, "allow ") == 0);
	/* A map is written once. */
	CHECK(userns_map(g.pid, &(struct ns_idmaps){uids, 2}, NULL, CLOCK_FOREVER, &err) < 0);
	end_guest(&g);
}

static void many_maps_child(void)
{
	struct ns_idmap maps[1000];
	struct err err = ERR_INIT;
	struct guest g = new_guest();

	for (uint32_t i = 0; i < 1000; i++)
		maps[i] = (struct ns_idmap){2 * i, 100000 + 2 * i, 1};
	CHECK(userns_map(g.pid, &(struct ns_idmaps){maps, 1000}, NULL, CLOCK_FOREVER, &err) ==
	      -E2BIG);
	CHECK(strstr(err.text, "1000 mappings"));
	err = ERR_INIT;
	CHECK_OK(userns_map(g.pid, &(struct ns_idmaps){maps, 100}, NULL, CLOCK_FOREVER, &err), err);
	err = ERR_INIT;
	maps[1] = maps[0];
	CHECK(userns_map(g.pid, NULL, &(struct ns_idmaps){maps, 2}, CLOCK_FOREVER, &err) ==
	      -EINVAL);
	end_guest(&g);
}

static void drop_rights(void)
{
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	/* The files below /proc/PID belong to root else. */
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

static void own_id_child(void)
{
	static const struct ns_idmap own = {0, 1000, 1};
	struct err err = ERR_INIT;
	struct guest g;
	char text[128];

	drop_rights();
	g = new_guest();
	CHECK_OK(userns_map(g.pid, &(struct ns_idmaps){&own, 1}, &(struct ns_idmaps){&own, 1},
			    CLOCK_FOREVER, &err),
		 err);
	read_guest(&g, "uid_map", text, sizeof(text));
	CHECK(strcmp(text, "0 1000 1 ") == 0);
	read_guest(&g, "gid_map", text, sizeof(text));
	CHECK(strcmp(text, "0 1000 1 ") == 0);
	read_guest(&g, "setgroups", text, sizeof(text));
	CHECK(strcmp(text, "deny ") == 0);
	end_guest(&g);
}

static char helpers[] = "/tmp/oakum-helpers-XXXXXX";
static const struct ns_idmap ranges[] = {{0, 1000, 1}, {1, 100000, 65536}};

static void no_helper_child(void)
{
	struct err err = ERR_INIT;
	struct guest g;

	drop_rights();
	CHECK(setenv("PATH", helpers, 1) == 0);
	g = new_guest();
	CHECK(userns_map(g.pid, &(struct ns_idmaps){ranges, 2}, &(struct ns_idmaps){ranges, 2},
			 CLOCK_FOREVER, &err) == -ENOENT);
	CHECK(err.kind == ERR_UNSUPPORTED && strcmp(err.text, "run newuidmap") == 0 && err.hint[0]);
	end_guest(&g);
}

static void put_script(const char *name, const char *text)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", helpers, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0755), 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static void helper_child(void)
{
	struct err err = ERR_INIT;
	char expected[128];
	struct guest g;

	drop_rights();
	CHECK(setenv("PATH", helpers, 1) == 0);
	g = new_guest();
	/* newuidmap is content, newgidmap refuses and says what it was given. */
	CHECK(userns_map(g.pid, &(struct ns_idmaps){ranges, 2}, &(struct ns_idmaps){ranges, 2},
			 CLOCK_FOREVER, &err) == -EPERM);
	(void)snprintf(expected, sizeof(expected),
		       "newgidmap refused: no: %d 0 1000 1 1 100000 65536", g.pid);
	if (strcmp(err.text, expected) != 0)
		(void)fprintf(stderr, "%s\n", err.text);
	CHECK(strcmp(err.text, expected) == 0 && err.kind == ERR_UNSUPPORTED);
	end_guest(&g);
}

/* One that is silent for ever, with or without its output. */
static void late_helper_child(void)
{
	struct err err = ERR_INIT;
	struct guest g;

	drop_rights();
	CHECK(setenv("PATH", helpers, 1) == 0);
	g = new_guest();
	CHECK(userns_map(g.pid, &(struct ns_idmaps){ranges, 2}, NULL, clock_deadline(200), &err) ==
	      -ETIMEDOUT);
	CHECK(strstr(err.text, "wait for newuidmap, process ") &&
	      strstr(err.text, " (sleep, state "));
	CHECK(waitpid(-1, NULL, WNOHANG) == 0); /* but for the guest */
	end_guest(&g);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

#define IN_CHILD(name)                                                                             \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(name##_child), 0);                                       \
	}

IN_CHILD(uts)
IN_CHILD(loopback)
IN_CHILD(loopback_without_inet)
IN_CHILD(maps_with_rights)
IN_CHILD(many_maps)
IN_CHILD(own_id)

static void helper_programs(void **state)
{
	char path[128];
	int without, with, late, later;

	(void)state;
	assert_non_null(mkdtemp(helpers));
	assert_int_equal(chmod(helpers, 0755), 0);
	without = in_child(no_helper_child);
	put_script("newuidmap", "#!/bin/sh\nexit 0\n");
	put_script("newgidmap", "#!/bin/sh\necho \"no: $*\" >&2\nexit 1\n");
	with = in_child(helper_child);
	put_script("newuidmap", "#!/bin/sh\nexec /bin/sleep 1000\n");
	late = in_child(late_helper_child);
	put_script("newuidmap", "#!/bin/sh\nexec /bin/sleep 1000 >/dev/null 2>&1\n");
	later = in_child(late_helper_child);
	(void)snprintf(path, sizeof(path), "%s/newuidmap", helpers);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/newgidmap", helpers);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(helpers), 0);
	assert_int_equal(without, 0);
	assert_int_equal(with, 0);
	assert_int_equal(late, 0);
	assert_int_equal(later, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_every_kind),
		cmocka_unit_test(refuses_others),
		cmocka_unit_test(uts),
		cmocka_unit_test(loopback),
		cmocka_unit_test(loopback_without_inet),
		cmocka_unit_test(ids_outside),
		cmocka_unit_test(maps_with_rights),
		cmocka_unit_test(many_maps),
		cmocka_unit_test(own_id),
		cmocka_unit_test(helper_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
