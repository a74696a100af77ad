/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A state root of our own, and containers in it that are nothing but what is written down about
 * them: who is said to be their process is a child of ours, or nobody.
 */
#ifndef OAKUM_TESTS_TEST_STATE_H
#define OAKUM_TESTS_TEST_STATE_H

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "run/lifecycle.h"
#include "test_fork.h"

static char top[64], root[80]; /* @top has @root, which nobody has made yet, and nothing else */
static struct oakum *o;
static struct err err;
static struct arena arena = ARENA_INIT;
static char warned[2048]; /* what the handle has warned of, each with its newline */

static inline void keep_warning(void *data, const char *line)
{
	size_t len = strlen(warned);

	(void)data;
	(void)snprintf(warned + len, sizeof(warned) - len, "%s\n", line);
}

static inline int new_handle(const char *path, struct oakum **ret)
{
	const struct oakum_options options =
		OAKUM_OPTIONS(oakum_options, .root = path, .rootless = -1, .warn = keep_warning,
			      .cgroup_manager = OAKUM_CGROUP_DISABLED);

	return oakum_new(&options, ret);
}

static inline int make_top(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)umask(022);
	(void)snprintf(top, sizeof(top), "%s/oakum-unit-XXXXXX",
		       tmp && strlen(tmp) < 30 ? tmp : "/tmp");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(root, sizeof(root), "%s/root", top);
	err = ERR_INIT;
	warned[0] = '\0';
	return new_handle(root, &o);
}

static inline int remove_top(void **state)
{
	(void)state;
	oakum_free(o);
	o = NULL;
	arena_done(&arena);
	(void)rmdir(root);
	return rmdir(top);
}

/* @name below the state root. */
static inline const char *in_root(const char *name)
{
	static char path[4][512];
	static unsigned at;
	char *p = path[at++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", root, name);
	return p;
}

static inline void put_text(int dir, const char *name, const char *text)
{
	AUTO_CLOSE int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* What create writes of a container that has not begun to be one. */
static inline struct state plain_state(const char *id)
{
	return (struct state){.oci_version = "1.2.0",
			      .id = id,
			      .bundle = "/b",
			      .rootfs = "/b/rootfs",
			      .created = "2026-11-23T13:05:59Z",
			      .boot_id = handle_boot_id(o),
			      .cgroup = ""};
}

/* Its directory, which has the lock. */
static inline int make_container(const struct state *s)
{
	int dir = -1;

	assert_int_equal(state_make(o, s->id, &dir, &err), 0);
	assert_int_equal(state_write(dir, s, &err), 0);
	return dir;
}

static inline void remove_container(const char *id, int dir)
{
	assert_int_equal(state_remove(o, id, dir, &err), 0);
	close(dir);
}

/* A child that waits to be killed. */
static inline pid_t start_child(struct proc_id *ret)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	assert_int_equal(proc_identify(pid, -1, ret), 0);
	return pid;
}

static inline void end_child(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static inline void failed_as(enum err_kind kind, int code, const char *text)
{
	if (err.kind != kind || err.code != code || !strstr(err.text, text))
		fail_msg("kind %d, errno %d: %s", err.kind, err.code, err.text);
	err = ERR_INIT;
}

#define STATE_TEST(name) cmocka_unit_test_setup_teardown(name, make_top, remove_top)

#endif
