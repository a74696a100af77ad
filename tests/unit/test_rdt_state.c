/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's class through its life: what is written ahead, made, and taken away by the state.
 */
#include <sys/file.h>

#include "kernel/rdt.h"
#include "run/creation.h"
#include "run/lifecycle.h"
#include "run/rdt.h"
#include "test_rdt.h"

static struct err err;
static struct oakum handle = {.cgroup_parent = "/oakum"};
static struct plan plan;
static struct creation c = {.o = &handle, .plan = &plan, .err = &err, .rdt = -1};

static bool is_locked(void)
{
	AUTO_CLOSE int other = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return flock(other, LOCK_EX | LOCK_NB) < 0;
}

static int open_state(void)
{
	char dir[128];

	(void)snprintf(dir, sizeof(dir), "%s/info/state", top);
	CHECK(mkdir(dir, 0700) == 0 || errno == EEXIST);
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* As delete has it: from the file, not from memory. */
static struct state reread(struct arena *arena)
{
	struct state s;
	int fd = open_state();

	c.state.oci_version = "1.3.0";
	c.state.id = "web";
	c.state.bundle = c.state.rootfs = "/b";
	c.state.created = c.state.boot_id = c.state.cgroup = "";
	CHECK_OK(state_write(fd, &c.state, &err), err);
	CHECK_OK(state_read(fd, arena, &s, &err), err);
	close(fd);
	return s;
}

static void begin(const struct rdt_request *q)
{
	resctrl_make();
	plan.rdt = q;
	CHECK_OK(creation_open_rdt(&c), err);
	CHECK(c.rdt >= 0 && !is_locked());
	CHECK_OK(creation_begin_rdt(&c), err);
	CHECK(is_locked());
}

static void body_life(void)
{
	const struct rdt_request q = {.group = "web", .monitor = "web", .mark = "/oakum/web"};
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct state s;

	begin(&q);
	s = reread(&arena);
	CHECK(!is_there("web") && s.rdt_made && strcmp(s.rdt_group, "web") == 0);
	/* Given up here, there is nothing to take away; and the lock is free again. */
	creation_undo_rdt(&c, "web");
	CHECK(!is_locked());
	CHECK_OK(creation_begin_rdt(&c), err);
	CHECK_OK(creation_make_rdt(&c), err);
	CHECK(is_there("web/mon_groups/web") && !is_locked());
	c.pid = 4242;
	CHECK_OK(creation_join_rdt(&c), err);
	CHECK(holds("web/tasks", "4242") && holds("web/mon_groups/web/tasks", "4242"));
	put(root, "web/tasks", "");
	CHECK_OK(rdt_clear(&handle, "web", &s, &err), err);
	CHECK(!is_there("web") && !is_locked());
	resctrl_remove();
}

/* A class that was there stays there; the group in it goes. */
static void body_shared(void)
{
	const struct rdt_request q = {
		.group = "gold", .must_exist = true, .monitor = "web", .mark = "/oakum/web"};
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct state s;

	resctrl_make();
	plan.rdt = &q;
	CHECK_OK(creation_open_rdt(&c), err);
	CHECK(creation_begin_rdt(&c) < 0 && strcmp(err.pointer, "/linux/intelRdt") == 0);
	CHECK(!c.state.rdt_group);
	CHECK(mkdirat(root, "gold", 0755) == 0);
	CHECK_OK(creation_begin_rdt(&c), err);
	CHECK_OK(creation_make_rdt(&c), err);
	s = reread(&arena);
	CHECK(!s.rdt_made && is_there("gold/mon_groups/web"));
	CHECK_OK(rdt_clear(&handle, "web", &s, &err), err);
	CHECK(is_there("gold") && !is_there("gold/mon_groups/web"));
	resctrl_remove();
}

static void body_lost_state(void)
{
	const struct rdt_request q = {.group = "web", .mark = "/oakum/web"};

	begin(&q);
	CHECK_OK(creation_make_rdt(&c), err);
	CHECK_OK(rdt_clear(&handle, "other", NULL, &err), err);
	CHECK(is_there("web"));
	CHECK_OK(rdt_clear(&handle, "web", NULL, &err), err);
	CHECK(!is_there("web"));
	resctrl_remove();
}

/* update: into the class that there is, or a new one with all threads of the process. */
static void body_change(void)
{
	struct container web = CONTAINER_INIT;
	AUTO_ARENA struct arena arena = ARENA_INIT;
	char tid[16];
	struct state s;

	resctrl_make();
	is_mounted = true;
	web.state = (struct state){.oci_version = "1.3.0",
				   .id = "web",
				   .bundle = "/b",
				   .rootfs = "/b",
				   .created = "",
				   .boot_id = "",
				   .cgroup = "",
				   .delegate = "",
				   .listener = "",
				   .annotations = ""};
	CHECK(proc_identify(getpid(), -1, &web.state.init) == 0);
	web.status = OAKUM_RUNNING;
	handle.manager = OAKUM_CGROUP_DISABLED;
	web.dir = open_state();
	CHECK_OK(rdt_change(&handle, &web, root, "L3:0=f\n", &err), err);
	CHECK(holds("web/schemata", "L3:0=f") && !is_locked());
	(void)snprintf(tid, sizeof(tid), "%d", (int)getpid());
	CHECK(holds("web/tasks", tid));
	CHECK_OK(state_read(web.dir, &arena, &s, &err), err);
	CHECK(strcmp(s.rdt_group, "web") == 0 && s.rdt_made);
	CHECK_OK(rdt_change(&handle, &web, root, "MB:0=50\n", &err), err);
	CHECK(holds("web/schemata", "MB:0=50") && !is_locked());
	put(root, "web/tasks", "");
	CHECK_OK(rdt_clear(&handle, "web", &s, &err), err);
	CHECK(!is_there("web"));
	CHECK(rdt_change(&handle, &web, root, "MB:0=50\n", &err) == -ENOENT);
	CHECK(strstr(err.text, "web went away") && !is_locked());

	/* No class is left to be had: nothing is written down. */
	err = ERR_INIT;
	free_groups = 0;
	web.state.rdt_group = NULL;
	CHECK(rdt_change(&handle, &web, root, "MB:0=50\n", &err) == -ENOSPC);
	CHECK_OK(state_read(web.dir, &arena, &s, &err), err);
	CHECK(!s.rdt_group || !s.rdt_group[0]);
	container_close(&web);
	resctrl_remove();
}

/* Without resctrl create says so, and delete has nothing to do. */
static void body_unmounted(void)
{
	const struct rdt_request q = {.group = "web", .mark = "/oakum/web"};
	const struct state s = {.rdt_group = "web", .rdt_made = true}, none = {.rdt_group = ""};

	resctrl_make();
	is_mounted = false;
	plan.rdt = &q;
	CHECK(creation_open_rdt(&c) < 0 && err.kind == ERR_UNSUPPORTED);
	CHECK(strcmp(err.pointer, "/linux/intelRdt") == 0);
	err = ERR_INIT;
	CHECK_OK(rdt_clear(&handle, "web", &s, &err), err);
	CHECK_OK(rdt_clear(&handle, "web", &none, &err), err);
	plan.rdt = NULL;
	CHECK(creation_open_rdt(&c) == 0 && creation_begin_rdt(&c) == 0);
	CHECK(creation_make_rdt(&c) == 0 && creation_join_rdt(&c) == 0);
	resctrl_remove();
}

#define IN_CHILD(name)                                                                             \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(body_##name), 0);                                        \
	}

IN_CHILD(life)
IN_CHILD(change)
IN_CHILD(shared)
IN_CHILD(lost_state)
IN_CHILD(unmounted)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),	  cmocka_unit_test(test_change),
		cmocka_unit_test(test_shared),	  cmocka_unit_test(test_lost_state),
		cmocka_unit_test(test_unmounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
