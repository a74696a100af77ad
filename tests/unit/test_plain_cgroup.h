/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plain directory stands in for a cgroup: few machines have all controllers, and what the kernel
 * would answer can be written into a file.
 */
#ifndef OAKUM_TESTS_TEST_PLAIN_CGROUP_H
#define OAKUM_TESTS_TEST_PLAIN_CGROUP_H

#include <dirent.h>

#include "test_cgroup.h"

static char dir[64];

/* Its files are the only hierarchy of @mode, with @controllers (v1), in `host` and in `cg`. */
static inline void plain_open(enum cgroup_mode mode, uint32_t controllers)
{
	host = (struct cgroup_host){.mode = mode, .n = 1};
	host.h[0].v2 = mode == CGROUP_V2;
	host.h[0].controllers = controllers;
	strcpy(host.h[0].mount, dir);
	cgroup_init(&cg, &host);
	cg.fd[0] = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(cg.fd[0] >= 0);
}

static inline void put(const char *name, const char *text)
{
	int fd = openat(cg.fd[0], name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline bool is(const char *name, const char *want)
{
	const char *got = text_of(0, name);

	if (strcmp(got, want) == 0)
		return true;
	(void)fprintf(stderr, "%s is %s, not %s\n", name, got, want);
	return false;
}

static inline void plain_make(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, sizeof(dir), "%s/oakum-unit-XXXXXX",
		       tmp && strlen(tmp) < 30 ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
}

static inline void plain_remove(void)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
	assert_int_equal(rmdir(dir), 0);
}

/* @body in a child, with an empty directory. */
static inline void plain_run(void (*body)(void))
{
	int status;

	plain_make();
	status = in_child(body);
	plain_remove();
	assert_int_equal(status, 0);
}

#endif
