/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real cgroups to test with: as this machine has them, and v2 alone in a mount and cgroup namespace
 * of our own, whatever the machine has. Each test runs in a child; what it makes is below
 * /oakum-unit-PID, and a test after which anything of that is left has failed.
 */
#ifndef OAKUM_TESTS_TEST_CGROUP_H
#define OAKUM_TESTS_TEST_CGROUP_H

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/sys.h"
#include "kernel/cgroup.h"
#include "test_fork.h"

#define TOP "/sys/fs/cgroup"

static struct cgroup_host host;
static struct cgroup cg;
static struct err err;
static const struct cgroup_limits no_limits;
static char base[64]; /* "/oakum-unit-PID" */

/* base + @tail; the last four are kept. */
static inline const char *below(const char *tail)
{
	static char buf[4][512];
	static unsigned at;
	char *p = buf[at++ % 4];

	(void)snprintf(p, sizeof(buf[0]), "%s%s", base, tail);
	return p;
}

static inline const char *in_hierarchy(size_t i, const char *path, const char *file)
{
	static char buf[4][768];
	static unsigned at;
	char *p = buf[at++ % 4];

	(void)snprintf(p, sizeof(buf[0]), "%s%s%s%s", host.h[i].mount, path, *file ? "/" : "",
		       file);
	return p;
}

static inline bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Index of the hierarchy that stops, kills or lists: v1 freezer, else v2. */
static inline int v1_of(uint32_t controller)
{
	for (size_t i = 0; i < host.n; i++)
		if (!host.h[i].v2 && (host.h[i].controllers & controller))
			return (int)i;
	return -1;
}

static inline int v2_of(void)
{
	for (size_t i = 0; i < host.n; i++)
		if (host.h[i].v2)
			return (int)i;
	return -1;
}

/* The text of a file of the container's cgroup in hierarchy @i, "?" if it cannot be read. */
static inline const char *text_of(int i, const char *file)
{
	static char buf[4096];

	if (io_read_at(cg.fd[i], file, buf, sizeof(buf)) < 0)
		return "?";
	return buf;
}

/* A process in @c that does @body. */
static inline pid_t start_member(const struct cgroup *c, void (*body)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(pipe2(ready, O_CLOEXEC) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK_OK(cgroup_join_self(c, true, &err), err);
		CHECK(write(ready[1], "x", 1) == 1);
		close(ready[0]);
		close(ready[1]);
		body();
		_exit(0);
	}
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return pid;
}

static inline void sit(void)
{
	for (;;)
		(void)pause();
}

static inline void setup_host(void)
{
	CHECK_OK(cgroup_probe(&host, &err), err);
	CHECK(host.mode != CGROUP_NONE);
	cgroup_init(&cg, &host);
}

static inline bool anything_left(void)
{
	bool left = false;

	for (size_t i = 0; i < host.n; i++) {
		if (!is_dir(in_hierarchy(i, base, "")))
			continue;
		(void)fprintf(stderr, "left behind: %s\n", in_hierarchy(i, base, ""));
		left = true;
	}
	return left;
}

static void (*current_body)(void);

static inline void run_body(void)
{
	(void)snprintf(base, sizeof(base), "/oakum-unit-%d", (int)getpid());
	setup_host();
	current_body();
	cgroup_close(&cg);
	CHECK(!anything_left());
}

/* What a failed test has left: its processes and cgroups. */
static inline void sweep(pid_t pid)
{
	(void)snprintf(base, sizeof(base), "/oakum-unit-%d", (int)pid);
	setup_host();
	if (cgroup_open(&cg, base, &err) == 0)
		(void)cgroup_signal_all(&cg, SIGKILL, &err);
	(void)cgroup_remove(&cg, clock_deadline(5000), &err);
}

static inline void around_here(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		run_body();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status)
		sweep(pid);
	CHECK(status == 0);
}

/* As the machine is. */
static inline void run_here(void (*body)(void))
{
	current_body = body;
	assert_int_equal(in_child(around_here), 0);
}

static inline void mount_v2(void)
{
	CHECK(umount2(TOP, MNT_DETACH) == 0);
	CHECK(mount("none", TOP, "cgroup2", 0, NULL) == 0);
}

static inline void enter_and_run(void)
{
	mount_v2();
	CHECK(mkdir(TOP "/init", 0755) == 0);
	CHECK(io_write_at(AT_FDCWD, TOP "/init/cgroup.procs", "0") == 0);
	run_body();
}

/* The last processes of a cgroup may be leaving still: populated 0 is announced. */
static inline void wait_until_empty(int dir)
{
	int fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	char buf[256];
	ssize_t n;

	CHECK(fd >= 0);
	while ((n = pread(fd, buf, sizeof(buf) - 1, 0)) > 0) {
		buf[n] = '\0';
		if (strstr(buf, "populated 0"))
			break;
		CHECK(io_poll_until(fd, POLLPRI, clock_deadline(5000)) > 0);
	}
	close(fd);
}

static inline void around_v2(void)
{
	char name[64];
	int top, dir, status;
	pid_t pid;

	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	mount_v2();
	top = open(TOP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(top >= 0);
	(void)snprintf(name, sizeof(name), "oakum-unit-%d", (int)getpid());
	CHECK(mkdirat(top, name, 0755) == 0);
	dir = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(io_write_at(dir, "cgroup.procs", "0") == 0);
		CHECK(unshare(CLONE_NEWCGROUP) == 0);
		enter_and_run();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status) {
		sweep(getpid());
		CHECK(false);
	}
	wait_until_empty(dir);
	(void)unlinkat(dir, "init", AT_REMOVEDIR);
	CHECK(unlinkat(top, name, AT_REMOVEDIR) == 0);
	CHECK(status == 0);
}

/* v2 alone on /sys/fs/cgroup. */
static inline void run_v2(void (*body)(void))
{
	current_body = body;
	assert_int_equal(in_child(around_v2), 0);
}

#define HERE_AND_V2(name)                                                                          \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		run_here(body_##name);                                                             \
	}                                                                                          \
	static void test_##name##_v2(void **state)                                                 \
	{                                                                                          \
		(void)state;                                                                       \
		run_v2(body_##name);                                                               \
	}

#define TEST_HERE_AND_V2(name) cmocka_unit_test(test_##name), cmocka_unit_test(test_##name##_v2)

#endif
