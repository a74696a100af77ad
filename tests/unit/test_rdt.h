/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plain directory stands in for resctrl and the test plays the kernel: what mkdir(2) and rmdir(2)
 * do there, the mark, the mount and its type. The definitions here take the place of the C
 * library's in the whole test.
 */
#ifndef OAKUM_TESTS_TEST_RDT_H
#define OAKUM_TESTS_TEST_RDT_H

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "test_fork.h"

static char top[64];	/* the root directory */
static int root = -1;	/* a descriptor of it */
static int free_groups; /* how many mkdir(2) will still make */
static bool is_mounted; /* is it in mountinfo? */

static inline void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline bool holds(const char *name, const char *want)
{
	char text[4096];
	ssize_t n = io_read_at(root, name, text, sizeof(text));

	if (n >= 0 && strcmp(text, want) == 0)
		return true;
	(void)fprintf(stderr, "%s: \"%s\"\n", name, n < 0 ? "(unreadable)" : text);
	return false;
}

static inline bool is_there(const char *name)
{
	return faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline int make_directory(int dir, const char *name)
{
	return (int)syscall(SYS_mkdirat, dir, name, 0755);
}

/* Is @dir a `mon_groups`? */
static inline bool is_for_monitors(int dir)
{
	char path[64], link[4096];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	n = readlink(path, link, sizeof(link) - 1);
	CHECK(n > 0);
	link[n] = '\0';
	return strcmp(strrchr(link, '/'), "/mon_groups") == 0;
}

int mkdirat(int dir, const char *name, mode_t mode)
{
	AUTO_CLOSE int made = -1;

	(void)mode;
	if (free_groups == 0) {
		errno = ENOSPC;
		return -1;
	}
	free_groups--;
	if (make_directory(dir, name) < 0)
		return -1;
	made = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(made >= 0);
	put(made, "tasks", "");
	if (!is_for_monitors(dir)) {
		put(made, "schemata", "");
		CHECK(make_directory(made, "mon_groups") == 0);
	}
	return 0;
}

static inline void empty(int dir)
{
	AUTO_CLOSE int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(fd);
	struct dirent *e;

	CHECK(d);
	fd = -1;
	while ((e = readdir(d))) {
		AUTO_CLOSE int below = -1;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (e->d_type != DT_DIR) {
			CHECK(syscall(SYS_unlinkat, dir, e->d_name, 0) == 0);
			continue;
		}
		below = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		empty(below);
		CHECK(syscall(SYS_unlinkat, dir, e->d_name, AT_REMOVEDIR) == 0);
	}
	closedir(d);
}

/* rmdir(2) of a class takes its files and its monitoring groups with it. */
int unlinkat(int dir, const char *name, int flags)
{
	AUTO_CLOSE int fd = -1;

	if (flags & AT_REMOVEDIR) {
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return -1;
		empty(fd);
	}
	return (int)syscall(SYS_unlinkat, dir, name, flags);
}

int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	char text[512];

	(void)flags;
	CHECK(strcmp(name, "trusted.oakum") == 0 && size < sizeof(text));
	memcpy(text, value, size);
	text[size] = '\0';
	put(fd, "mark", text);
	return 0;
}

ssize_t fgetxattr(int fd, const char *name, void *value, size_t size)
{
	ssize_t n = io_read_at(fd, "mark", value, size);

	CHECK(strcmp(name, "trusted.oakum") == 0);
	if (n >= 0)
		return n;
	errno = ENODATA;
	return -1;
}

/* The mount table has one line more, where it is mounted. */
FILE *fopen(const char *path, const char *mode)
{
	FILE *f;
	int fd;

	if (strcmp(path, "/proc/self/mountinfo") == 0) {
		f = tmpfile();
		CHECK(f);
		(void)fputs("21 1 0:20 / /sys rw - sysfs sysfs rw\n", f);
		if (is_mounted)
			(void)fprintf(f,
				      "34 21 0:30 / %s rw,relatime shared:9 - resctrl resctrl rw\n",
				      top);
		rewind(f);
		return f;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(mode[0] == 'r');
	return fd < 0 ? NULL : fdopen(fd, "r");
}

int fstatfs(int fd, struct statfs *buf)
{
	(void)fd;
	memset(buf, 0, sizeof(*buf));
	buf->f_type = RDTGROUP_SUPER_MAGIC;
	return 0;
}

static inline void resctrl_make(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(top, sizeof(top), "%s/oakum-unit-XXXXXX",
		       tmp && strlen(tmp) < 30 ? tmp : "/tmp");
	CHECK(mkdtemp(top));
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(root >= 0);
	free_groups = 16;
	is_mounted = true;
	put(root, "tasks", "");
	put(root, "schemata", "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n");
	CHECK(make_directory(root, "mon_groups") == 0 && make_directory(root, "mon_data") == 0);
	CHECK(make_directory(root, "info") == 0 && make_directory(root, "info/MB") == 0);
	put(root, "info/last_cmd_status", "ok\n");
	put(root, "info/MB/bandwidth_gran", "10\n");
}

static inline void resctrl_remove(void)
{
	empty(root);
	CHECK(rmdir(top) == 0);
	close(root);
}

#endif
