/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who watches a container: its events, and the OOM kills that outlive its cgroup. */
#include "run/oom.h"
#include "test_state.h"

/* A plain directory as the cgroup "/cg" in the only hierarchy; nobody lives in it. */
static int make_cgroup(enum cgroup_mode mode, uint32_t controllers)
{
	struct cgroup_hierarchy *h = &o->cgroups.h[0];
	char path[96];

	o->cgroups_known = true;
	o->cgroups.mode = mode;
	o->cgroups.n = 1;
	h->v2 = mode == CGROUP_V2;
	h->controllers = controllers;
	(void)snprintf(h->mount, sizeof(h->mount), "%s", top);
	(void)snprintf(path, sizeof(path), "%s/cg", top);
	assert_int_equal(mkdir(path, 0755), 0);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void remove_cgroup(int cg, const char *file)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/cg", top);
	assert_int_equal(unlinkat(cg, "cgroup.procs", 0), 0);
	assert_int_equal(unlinkat(cg, file, 0), 0);
	assert_int_equal(rmdir(path), 0);
	close(cg);
}

static void events(void **state)
{
	struct oakum_watch options = OAKUM_OPTIONS(oakum_watch);
	struct state s = plain_state("web");
	struct oakum_events *e = NULL;
	struct oakum_event event;
	uint64_t cpu = 0;
	pid_t pid;
	int dir = make_container(&s), cg = make_cgroup(CGROUP_V1, CGROUP_C_CPUACCT);

	(void)state;
	assert_true(oakum_events_open(o, "web", &options, &e) < 0);
	assert_string_equal(oakum_error_text(o, 0), "events web: container not running");
	assert_null(e);
	s.complete = true;
	pid = start_child(&s.init);
	assert_int_equal(state_write(dir, &s, &err), 0);
	assert_true(oakum_events_open(o, "web", &options, &e) < 0);
	assert_non_null(strstr(oakum_error_text(o, 0), "the container has no cgroup"));
	s.cgroup = "/cg";
	assert_int_equal(state_write(dir, &s, &err), 0);
	put_text(cg, "cgroup.procs", "");
	put_text(cg, "cpuacct.usage", "12345\n");
	assert_true(oakum_events_open(o, "web", &(struct oakum_watch){.size = 1}, &e) < 0);
	options.interval_ms = 1;
	assert_int_equal(oakum_events_open(o, "web", &options, &e), 0);
	assert_int_equal(oakum_events_next(e, 20000, &event), 0);
	assert_int_equal(event.type, OAKUM_EVENT_STATS);
	assert_true(oakum_stats_value(event.stats, OAKUM_STAT_CPU_NS, &cpu));
	assert_int_equal(cpu, 12345);
	oakum_events_close(e);

	options.interval_ms = 0;
	assert_int_equal(oakum_events_open(o, "web", &options, &e), 0);
	assert_true(oakum_events_fd(e) >= 0);
	assert_int_equal(oakum_events_next(e, 0, &event), OAKUM_NO_EVENT);
	end_child(pid);
	assert_int_equal(oakum_events_next(e, 20000, &event), 0);
	assert_int_equal(event.type, OAKUM_EVENT_EXIT);
	assert_int_equal(event.oom_kills, 0);
	/* Older kernels do not say. */
	assert_int_equal(event.signal, event.known ? SIGKILL : 0);
	assert_int_equal(event.status, 0);
	assert_int_equal(oakum_events_next(e, 20000, &event), OAKUM_NO_MORE);
	oakum_events_close(e);
	oakum_events_close(NULL);
	remove_cgroup(cg, "cpuacct.usage");
	remove_container("web", dir);
	assert_string_equal(oakum_event_name(OAKUM_EVENT_EXIT), "exit");
	assert_string_equal(oakum_event_name((enum oakum_event_type)9), "unknown");
}

static struct oakum_oom *oom;

static void kills_are(uint64_t want, int r)
{
	uint64_t n = 77;

	assert_int_equal(oakum_oom_kills(oom, &n), r);
	assert_int_equal(n, want);
}

/* The counter goes with the cgroup: what `delete` has written down is what stays. */
static void oom_kills(void **state)
{
	struct container c = CONTAINER_INIT;
	int cg = make_cgroup(CGROUP_V2, 0), fds[OAKUM_OOM_DESCRIPTORS];
	char text[32];

	(void)state;
	c.state = plain_state("web");
	c.dir = make_container(&c.state);
	assert_int_equal(oakum_oom_open(o, "web", &oom), OAKUM_NOT_COUNTED);
	assert_null(oom);
	c.state.cgroup = "/cg";
	assert_int_equal(state_write(c.dir, &c.state, &err), 0);
	put_text(cg, "cgroup.procs", "");
	put_text(cg, "memory.events", "oom 3\n");
	assert_int_equal(oakum_oom_open(o, "web", &oom), OAKUM_NOT_COUNTED);
	put_text(cg, "memory.events", "oom_kill 3\n");
	/* Nobody watches. */
	oom_note(o, &c);
	assert_int_equal(faccessat(c.dir, "oom", F_OK, 0), -1);
	assert_int_equal(oakum_oom_open(o, "web", &oom), 0);
	kills_are(0, 0);
	put_text(cg, "memory.events", "oom_kill 5\n");
	kills_are(2, 0);
	put_text(cg, "memory.events", "oom_kill 4\n");
	kills_are(2, 0);
	oom_note(o, &c);
	put_text(cg, "memory.events", "oom_kill 10\n");
	oom_note(o, &c);
	put_text(cg, "memory.events", "oom_kill 9\n");
	oom_note(o, &c);
	assert_true(io_read_at(c.dir, "oom", text, sizeof(text)) > 0);
	assert_string_equal(text, "10");
	kills_are(7, 0);
	/* The cgroup is no more. */
	put_text(cg, "memory.events", "");
	kills_are(7, 0);
	put_text(c.dir, "oom", "13");
	kills_are(10, 0);
	put_text(c.dir, "oom", "x");
	kills_are(10, OAKUM_NOT_COUNTED);
	oakum_oom_descriptors(oom, fds);
	assert_true(fds[1] >= 0 && fds[2] >= 0);
	assert_int_equal(oakum_oom_fd(oom), -1);
	oakum_oom_close(oom);
	oakum_oom_descriptors(NULL, fds);
	assert_int_equal(fds[0] + fds[1] + fds[2] + fds[3] + fds[4], -5);
	assert_int_equal(oakum_oom_fd(NULL), -1);
	oakum_oom_close(NULL);

	/* A scope, which systemd has removed: its slice has the number too, among those of others.
	 */
	c.state.unit = "web.scope";
	assert_int_equal(state_write(c.dir, &c.state, &err), 0);
	put_text(cg, "../memory.events", "oom_kill 20\n");
	put_text(cg, "cgroup.events", "populated 1\n");
	put_text(cg, "memory.events", "oom_kill 4\n");
	assert_int_equal(oakum_oom_open(o, "web", &oom), 0);
	assert_true(oakum_oom_fd(oom) >= 0);
	put_text(cg, "memory.events", "");
	kills_are(0, 0);
	put_text(cg, "../memory.events", "oom_kill 22\n");
	kills_are(0, OAKUM_NOT_COUNTED);
	put_text(cg, "memory.events", "oom_kill 6\n");
	kills_are(2, 0);
	put_text(cg, "memory.events", "");
	kills_are(2, 0);
	assert_int_equal(unlinkat(cg, "../memory.events", 0), 0);
	assert_int_equal(unlinkat(cg, "cgroup.events", 0), 0);
	oakum_oom_close(oom);
	remove_cgroup(cg, "memory.events");
	remove_container("web", c.dir);
	assert_true(oakum_oom_open(o, "web", &oom) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {STATE_TEST(events), STATE_TEST(oom_kills)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
