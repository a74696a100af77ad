/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A place to mount in: a child with its own mount namespace and a tmpfs with a "root" and, beside
 * it, an "out" that nothing may touch. The "ways" are the kernel as it is, and with system calls
 * taken away.
 */
#ifndef OAKUM_TESTS_TEST_SANDBOX_H
#define OAKUM_TESTS_TEST_SANDBOX_H

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/sys.h"
#include "kernel/rootfs.h"
#include "test_fork.h"

enum way {
	WAY_NATIVE,
	WAY_NO_OPENAT2,	   /* ENOSYS */
	WAY_EPERM_OPENAT2, /* as old filters answer */
	WAY_NO_SETATTR,	   /* Linux 5.2 to 5.11 */
	WAY_OLD,	   /* before Linux 5.2 */
	WAY_EPERM_OLD,
};

static const char *const way_names[] = {"as it is",	   "openat2 ENOSYS",
					"openat2 EPERM",   "mount_setattr ENOSYS",
					"mount(2) ENOSYS", "mount(2) EPERM"};

static char box[64]; /* absolute, without symbolic links */
static enum way way;
static struct rootfs root = ROOTFS_INIT;
static struct err err;

/* Below the box; never freed, the child is short-lived. */
static inline char *in_box(const char *path)
{
	size_t size = strlen(box) + strlen(path) + 2;
	char *p = malloc(size);

	CHECK(p);
	CHECK(snprintf(p, size, "%s/%s", box, path) < (int)size);
	return p;
}

static inline void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline bool has_text(const char *path, const char *text)
{
	char buf[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	fd_close(fd);
	return n >= 0 && strcmp(buf, text) == 0;
}

static inline mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_mode;
}

static inline bool exists(const char *path)
{
	return mode_of(path) != 0;
}

static inline void deny(const int *calls, size_t n, int error)
{
	struct sock_filter code[32];
	struct sock_fprog program = {.filter = code};
	size_t at = 0;

	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < n; i++) {
		code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							  (unsigned)calls[i], 0, 1);
		code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							  SECCOMP_RET_ERRNO | (unsigned)error);
	}
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)at;
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static inline void take_away(void)
{
	static const int old[] = {SYS_openat2,	SYS_open_tree, SYS_move_mount, SYS_fsopen,
				  SYS_fsconfig, SYS_fsmount,   SYS_fspick,     SYS_mount_setattr};
	static const int setattr[] = {SYS_mount_setattr};

	if (way == WAY_NO_OPENAT2 || way == WAY_EPERM_OPENAT2)
		deny(old, 1, way == WAY_NO_OPENAT2 ? ENOSYS : EPERM);
	if (way == WAY_NO_SETATTR)
		deny(setattr, 1, ENOSYS);
	if (way == WAY_OLD || way == WAY_EPERM_OLD)
		deny(old, sizeof(old) / sizeof(old[0]), way == WAY_OLD ? ENOSYS : EPERM);
}

/* In the child. */
static inline void enter_box(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

	/* cmocka's handlers would go on with the next test, here. */
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)signal(faults[i], SIG_DFL);
	err = ERR_INIT;
	umask(022);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("box", box, "tmpfs", 0, "mode=755") == 0);
	CHECK(mkdir(in_box("root"), 0755) == 0);
	CHECK(mkdir(in_box("out"), 0755) == 0);
	put_file(in_box("out/canary"), "alive");
	take_away();
}

/* The root as rootfs_enter() leaves it. */
static inline void enter_root(void)
{
	enter_box();
	CHECK_OK(rootfs_enter(&root, in_box("root"), MS_PRIVATE | MS_REC, &err), err);
}

/* Nothing has been made, changed or mounted outside of the root. */
static inline void check_canary(void)
{
	char line[4096], want[128];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	CHECK(has_text(in_box("out/canary"), "alive"));
	CHECK(rename(in_box("out/canary"), in_box("canary")) == 0);
	CHECK(rmdir(in_box("out")) == 0);
	CHECK(mkdir(in_box("out"), 0755) == 0);
	CHECK(rename(in_box("canary"), in_box("out/canary")) == 0);
	CHECK(snprintf(want, sizeof(want), " %s/", box) < (int)sizeof(want));
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, want);

		CHECK(!at || strncmp(at + strlen(want), "root", 4) == 0);
	}
	(void)fclose(f);
}

/* What follows the mount point in a line of mountinfo, if it is @point; else NULL. */
static inline const char *after_point(const char *line, const char *point)
{
	for (int field = 0; field < 4; field++) {
		line = strchr(line, ' ');
		CHECK(line);
		line++;
	}
	return strncmp(line, point, strlen(point)) == 0 && line[strlen(point)] == ' '
		       ? line + strlen(point) + 1
		       : NULL;
}

/* The last line of mountinfo about @point: its options and what follows, or NULL. */
static inline const char *mount_line(const char *point)
{
	static char found[4096];
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	bool any = false;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		const char *rest = after_point(line, point);

		any = any || rest;
		if (rest)
			(void)snprintf(found, sizeof(found), "%s", rest);
	}
	(void)fclose(f);
	return any ? found : NULL;
}

/* Is @word among the mount's own options? */
static inline bool mount_has(const char *point, const char *word)
{
	const char *line = mount_line(point);
	size_t len = strlen(word);

	CHECK(line);
	for (const char *p = line; *p && *p != ' ';) {
		size_t n = strcspn(p, ", ");

		if (n == len && strncmp(p, word, n) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

static inline int count_mounts(const char *point)
{
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += after_point(line, point) != NULL;
	(void)fclose(f);
	return n;
}

static inline int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A process that exchanges two names until it is ended. */
static inline pid_t start_racer(const char *a, const char *b)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		(void)renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static inline void stop_racer(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static inline void run_ways(void (*body)(void), unsigned which)
{
	for (unsigned i = 0; i < sizeof(way_names) / sizeof(way_names[0]); i++) {
		int status;

		if (!(which & 1u << i))
			continue;
		way = (enum way)i;
		status = in_child(body);
		if (status != 0)
			print_error("way: %s\n", way_names[i]);
		assert_int_equal(status, 0);
	}
}

#define TEST(name, ways)                                                                           \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		run_ways(name##_body, ways);                                                       \
	}

#define PATH_WAYS  (1u << WAY_NATIVE | 1u << WAY_NO_OPENAT2 | 1u << WAY_EPERM_OPENAT2)
#define MOUNT_WAYS (1u << WAY_NATIVE | 1u << WAY_NO_SETATTR | 1u << WAY_OLD | 1u << WAY_EPERM_OLD)
#define NATIVE	   (1u << WAY_NATIVE)

static inline int make_box(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char made[64], *real;

	(void)state;
	(void)snprintf(made, sizeof(made), "%s/oakum-unit-XXXXXX",
		       tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	if (!mkdtemp(made))
		return -1;
	real = realpath(made, NULL);
	if (!real)
		return -1;
	(void)snprintf(box, sizeof(box), "%s", real);
	free(real);
	return 0;
}

static inline int remove_box(void **state)
{
	(void)state;
	return rmdir(box);
}

#endif
