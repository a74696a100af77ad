/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine made up: a tmpfs with what the cases need stands in for all of sysfs and for the
 * cgroups in it. Each test has one to itself, in a child with its own mount namespace.
 */
#ifndef OAKUM_TESTS_TEST_MACHINE_H
#define OAKUM_TESTS_TEST_MACHINE_H

#include "base/str.h"
#include "kernel/cgroup_internal.h"
#include "test_cgroup.h"

#define V1_DIR TOP "/one"
#define V2_DIR TOP "/two"

static struct cgroup_limits l;

static inline void make_parents(const char *path)
{
	char part[512];

	CHECK(strlen(path) < sizeof(part));
	strcpy(part, path);
	for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		CHECK(mkdir(part, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

static inline void make_dir(const char *path)
{
	make_parents(path);
	CHECK(mkdir(path, 0755) == 0 || errno == EEXIST);
}

static inline void give(const char *path, const char *text)
{
	int fd;

	make_parents(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline void add_hierarchy(bool v2, const char *mount, uint32_t controllers)
{
	struct cgroup_hierarchy *h = &host.h[host.n++];

	*h = (struct cgroup_hierarchy){.v2 = v2, .controllers = controllers, .root = "/"};
	strcpy(h->mount, mount);
	make_dir(mount);
}

static inline void machine(enum cgroup_mode mode, uint32_t v1)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("none", "/sys", "tmpfs", 0, "mode=755") == 0);
	umask(022);
	host = (struct cgroup_host){.mode = mode};
	if (mode != CGROUP_V2)
		add_hierarchy(false, V1_DIR, v1);
	if (mode != CGROUP_V1)
		add_hierarchy(true, V2_DIR, 0);
	cgroup_init(&cg, &host);
	l = no_limits;
}

#define CASE(name)                                                                                 \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(body_##name), 0);                                        \
	}

#endif
