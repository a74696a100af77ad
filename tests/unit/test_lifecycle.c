/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handle and what every command on a container begins with: which state root it is, the words
 * of failures, finding a container, `state` and `list`, poststop hooks, and who has not died.
 */
#include "run/create.h"
#include "spec/spec.h"
#include "test_state.h"

/* ---- the handle ---- */

static void root_is(const char *wanted, const char *want, const char *parent)
{
	struct oakum *h;

	assert_int_equal(new_handle(wanted, &h), 0);
	assert_string_equal(h->root, want);
	assert_string_equal(h->cgroup_parent, parent);
	oakum_free(h);
}

static void refused(const struct oakum_options *options, const char *why)
{
	struct oakum *h;

	assert_true(oakum_new(options, &h) < 0);
	assert_int_equal(oakum_error_kind(h), OAKUM_E_USAGE);
	if (!strstr(oakum_error_text(h, 0), why))
		fail_msg("%s", oakum_error_text(h, 0));
	oakum_free(h);
}

static void wanted_roots(void **state)
{
	char cwd[2048], want[2400], path[1100];
	struct oakum *h;

	(void)state;
	root_is("/a//b/./../c/", "/a/c", "/oakum-85b0cbe3");
	root_is("/srv/oakum", "/srv/oakum", "/oakum-5181c485");
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(want, sizeof(want), "%s/here", cwd);
	assert_int_equal(new_handle("here", &h), 0);
	assert_string_equal(h->root, want);
	oakum_free(h);
	refused(NULL, "an option structure of 0 bytes");
	refused(&(struct oakum_options){.size = 3}, "an option structure of 3 bytes");
	refused(&OAKUM_OPTIONS(oakum_options, .root = ""), "the state root is empty");
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[1024] = '\0';
	refused(&OAKUM_OPTIONS(oakum_options, .root = path), "ENAMETOOLONG");
	path[1023] = '\0';
	assert_int_equal(new_handle(path, &h), 0);
	oakum_free(h);
	oakum_free(NULL);
}

static void body_default_roots(void)
{
	CHECK(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1) == 0 && unsetenv("USER") == 0);
	CHECK(!handle_is_user());
	root_is(NULL, "/run/oakum", "/oakum");
	CHECK(setresuid(65534, 65534, 65534) == 0);
	CHECK(handle_is_user());
	root_is(NULL, "/run/user/7/oakum", "/oakum");
	/* His name is believed of no other than root of a user namespace. */
	CHECK(setenv("USER", "root", 1) == 0);
	root_is(NULL, "/run/user/7/oakum", "/oakum");
	CHECK(setenv("XDG_RUNTIME_DIR", "elsewhere", 1) == 0);
	root_is(NULL, "/run/oakum", "/oakum");
	CHECK(unsetenv("XDG_RUNTIME_DIR") == 0);
	root_is(NULL, "/run/oakum", "/oakum");
	CHECK(str_starts(state_root_hint(&(struct oakum){.root_is_default = true}), "set XDG_"));
	CHECK(str_starts(state_root_hint(&(struct oakum){.root_is_default = false}), "name a "));
}

/* Root of a user namespace is a user, unless he says that he is root. */
static void body_roots_in_userns(void)
{
	CHECK(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1) == 0 && unsetenv("USER") == 0);
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(io_write_at(AT_FDCWD, "/proc/self/setgroups", "deny") == 0);
	CHECK(io_write_at(AT_FDCWD, "/proc/self/uid_map", "0 0 1") == 0);
	CHECK(geteuid() == 0);
	root_is(NULL, "/run/user/7/oakum", "/oakum");
	CHECK(setenv("USER", "somebody", 1) == 0);
	root_is(NULL, "/run/user/7/oakum", "/oakum");
	CHECK(setenv("USER", "root", 1) == 0);
	root_is(NULL, "/run/oakum", "/oakum");
	CHECK(str_starts(state_root_hint(&(struct oakum){.root_is_default = true}), "unset USER"));
}

static void default_roots(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(body_default_roots), 0);
	assert_int_equal(in_child(body_roots_in_userns), 0);
}

static void ends_as(const char *text, const char *hint)
{
	assert_int_equal(handle_end(o, "start", "web", -5), -5);
	assert_string_equal(oakum_error_text(o, 0), text);
	assert_string_equal(oakum_error_hint(o, 0), hint);
}

static void words_of_failures(void **state)
{
	struct err *e;

	(void)state;
	assert_int_equal(handle_end(o, "start", "web", 3), 3);
	assert_int_equal(oakum_error_count(o), 0);
	assert_string_equal(oakum_error_text(o, 0), "");
	assert_string_equal(oakum_error_hint(o, 0), "");
	ends_as("start web: unexpected failure: Input/output error (EIO)",
		"the kernel's log (dmesg) says more");
	assert_int_equal(oakum_error_count(o), 1);
	assert_int_equal(oakum_error_errno(o), EIO);
	assert_string_equal(oakum_error_text(o, 1), "");

	e = handle_begin(o);
	assert_int_equal(oakum_error_count(o), 0);
	err_pointer(e, "/mounts/0");
	err_hint(e, "our own advice");
	err_set(e, ENOSPC, "mount");
	ends_as("start web: /mounts/0: mount: No space left on device (ENOSPC)", "our own advice");
	e = handle_begin(o);
	err_pointer(e, "/linux/rdt");
	err_kind(e, ERR_UNSUPPORTED, 0, "no resctrl");
	ends_as("start web: /linux/rdt: no resctrl", "leave it out, or take a host that has it");
	/* A place in a file is said first of all. */
	e = handle_begin(o);
	e->line = 3;
	e->column = 4;
	err_kind(e, ERR_CONFIG, 0, "wrong");
	ends_as("config.json:3:4: wrong", "");
	/* What the user has called. */
	o->command = "run";
	e = handle_begin(o);
	err_set(e, 0, "no");
	assert_int_equal(handle_end(o, "create", NULL, -1), -1);
	assert_string_equal(oakum_error_text(o, 0), "run: no");
	o->command = NULL;
}

static void more_than_one(void **state)
{
	static struct spec_errors errors;

	(void)state;
	errors.n = errors.total = 3;
	err_pointer(&errors.v[0], "/a");
	err_kind(&errors.v[0], ERR_CONFIG, 0, "first");
	err_kind(&errors.v[1], ERR_CONFIG, ERANGE, "second");
	err_hint(&errors.v[2], "advice");
	err_kind(&errors.v[2], ERR_CONFIG, 0, "third");
	assert_int_equal(create_refuse(o, &errors), -EINVAL);
	assert_int_equal(oakum_error_count(o), 3);
	assert_string_equal(oakum_error_text(o, 0), "/a: first");
	assert_string_equal(oakum_error_text(o, 1),
			    "second: Numerical result out of range (ERANGE)");
	assert_string_equal(oakum_error_hint(o, 2), "advice");
	assert_string_equal(oakum_error_text(o, 3), "");
	/* In place of those before, as doctor does it. */
	errors.v[0].code = ENOTDIR;
	errors.n = 1;
	assert_int_equal(create_refuse(o, &errors), -ENOTDIR);
	assert_int_equal(oakum_error_count(o), 1);
}

static void decided_once(void **state)
{
	struct err ignored = ERR_INIT;
	const struct cgroup_host *host = handle_cgroups(o, &ignored);

	(void)state;
	assert_int_equal(host->mode, CGROUP_NONE);
	assert_int_equal(host->n, 0);
	assert_ptr_equal(handle_cgroups(o, &ignored), host);
	assert_int_equal(handle_rootless(o), geteuid() != 0);
	o->rootless = 1;
	assert_true(handle_rootless(o));
	assert_int_equal(strlen(handle_boot_id(o)), 36);
}

/* ---- finding a container ---- */

static void finding(void **state)
{
	struct state s = plain_state("web");
	struct container c = CONTAINER_INIT;
	struct cgroup cg;
	int dir;

	(void)state;
	assert_true(container_open(o, "web", false, &c, &err) < 0);
	failed_as(ERR_STATE, ENOENT, "container does not exist");
	dir = make_container(&s);
	assert_int_equal(unlinkat(dir, STATE_FILE, 0), 0);
	assert_true(container_open(o, "web", false, &c, &err) < 0);
	assert_non_null(strstr(err.hint, "`oakum delete --force web`"));
	failed_as(ERR_STATE, ENOENT, "container does not exist");
	container_close(&c);
	assert_int_equal(state_write(dir, &s, &err), 0);
	assert_int_equal(container_open(o, "web", false, &c, &err), 0);
	assert_int_equal(c.status, OAKUM_STOPPED);
	(void)container_not_running(&c, &err);
	assert_string_equal(err.hint, "it has stopped: `oakum delete web` removes it");
	failed_as(ERR_STATE, 0, "container not running");
	c.status = OAKUM_CREATING;
	(void)container_not_running(&c, &err);
	assert_non_null(strstr(err.hint, "it is being made"));
	failed_as(ERR_STATE, 0, "container not running");
	assert_int_equal(container_open_cgroup(o, "", &cg, &err), CGROUP_GONE);
	cgroup_close(&cg);
	container_close(&c);
	assert_int_equal(c.dir, -1);
	close(dir);
	/* With the lock. */
	assert_int_equal(container_open(o, "web", true, &c, &err), 0);
	assert_int_equal(state_open(o, "web", &dir, &err), 0);
	assert_true(state_lock(o, "web", dir, clock_deadline(0), &err) < 0);
	container_close(&c);
	remove_container("web", dir);
}

static void family(void **state)
{
	struct container c = CONTAINER_INIT;
	struct family_id id;

	(void)state;
	c.state = plain_state("web");
	c.state.family_ns = 5;
	c.state.family_ns_id = 6;
	c.state.own_namespaces = CLONE_NEWPID;
	c.state.init.pid = 7;
	o->rootless = 0;
	assert_true(container_has_family(o, &c));
	c.state.cgroup = "/web";
	assert_false(container_has_family(o, &c));
	o->rootless = 1;
	assert_true(container_has_family(o, &c));
	c.state.own_namespaces = CLONE_NEWNS;
	assert_false(container_has_family(o, &c));
	id = container_family(o, &c);
	assert_true(id.ns == 5 && id.ns_id == 6);
	assert_int_equal(id.kind, CLONE_NEWNS);
	assert_int_equal(id.init.pid, 7);
	/* After a boot the numbers are others'. */
	c.state.boot_id = "another";
	id = container_family(o, &c);
	assert_true(id.ns == 0 && id.ns_id == 0);
}

static void who_is_left(void **state)
{
	struct container c = CONTAINER_INIT;
	char want[80];
	pid_t pid;

	(void)state;
	c.state = plain_state("web");
	assert_int_equal(container_name_left(&c, NULL, &err), 0);
	pid = start_child(&c.state.init);
	assert_int_equal(container_name_left(&c, NULL, &err), -ETIMEDOUT);
	snprintf(want, sizeof(want), "wait for the container's end: process %d (", pid);
	assert_string_equal(err.hint, DIE_HINT);
	assert_null(strstr(err.text, "waits for"));
	failed_as(ERR_RUNTIME, ETIMEDOUT, want);
	end_child(pid);
	assert_int_equal(container_name_left(&c, NULL, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
}

/* ---- state and list ---- */

static void state_as_json(void **state)
{
	struct state s = plain_state("web");
	struct oakum_state *got;
	char want[1024];
	int dir, fd = -1;
	pid_t pid, supervisor;

	(void)state;
	s.annotations = "{\"a\":\"b\"}";
	s.unit = "oakum-web.scope";
	s.owner = 4000000000u;
	s.complete = true;
	s.bundle = "/b\"";
	pid = start_child(&s.init);
	dir = make_container(&s);
	assert_int_equal(oakum_state(o, "web", &got), 0);
	snprintf(want, sizeof(want),
		 "{\n  \"ociVersion\": \"1.2.0\",\n  \"id\": \"web\",\n  \"pid\": %d,\n"
		 "  \"status\": \"running\",\n  \"bundle\": \"/b\\\"\",\n"
		 "  \"rootfs\": \"/b/rootfs\",\n  \"created\": \"2026-11-23T13:05:59Z\",\n"
		 "  \"annotations\": {\"a\":\"b\"},\n  \"owner\": \"4000000000\",\n"
		 "  \"systemd-scope\": \"oakum-web.scope\"\n}",
		 pid);
	assert_string_equal(oakum_state_json(got), want);
	assert_int_equal(oakum_state_supervisor(got, &fd, &supervisor, &fd), 1);
	oakum_state_free(got);
	end_child(pid);
	/* The least, and what has ended has no pid. */
	s.annotations = s.unit = NULL;
	s.owner = 0;
	assert_int_equal(state_write(dir, &s, &err), 0);
	assert_int_equal(oakum_state(o, "web", &got), 0);
	assert_string_equal(
		oakum_state_json(got),
		"{\n  \"ociVersion\": \"1.2.0\",\n  \"id\": \"web\",\n  \"pid\": 0,\n"
		"  \"status\": \"stopped\",\n  \"bundle\": \"/b\\\"\",\n"
		"  \"rootfs\": \"/b/rootfs\",\n  \"created\": \"2026-11-23T13:05:59Z\",\n"
		"  \"owner\": \"root\"\n}");
	oakum_state_free(got);
	oakum_state_free(NULL);
	remove_container("web", dir);
	assert_true(oakum_state(o, "web", &got) < 0);
	assert_null(got);
	assert_string_equal(oakum_status_name((enum oakum_status)5), "unknown");
	assert_string_equal(oakum_status_name(OAKUM_PAUSED), "paused");
}

/* The end of what `state` says of it. */
static void ends_whole(const struct state *s, const char *end)
{
	struct oakum_state *got;
	int dir = make_container(s);

	assert_int_equal(oakum_state(o, s->id, &got), 0);
	assert_true(str_ends(oakum_state_json(got), end));
	oakum_state_free(got);
	remove_container(s->id, dir);
}

/* Longer than there was room for once. */
static void long_state(void **state)
{
	char *text = malloc(5001), id[256] = "";
	struct state s = plain_state(id);

	(void)state;
	assert_non_null(text);
	memset(text, '"', 5000);
	memset(id, 'i', 255);
	text[5000] = id[255] = '\0';
	s.unit = text;
	ends_whole(&s, "\\\"\\\"\"\n}");
	s.unit = "the-end.scope";
	s.oci_version = text;
	ends_whole(&s, "\"the-end.scope\"\n}");
	free(text);
}

static void supervised(void **state)
{
	struct state s = plain_state("web");
	struct oakum_state *got;
	pid_t pid, found = 0;
	int dir, pidfd = -1, fd = -1;

	(void)state;
	pid = start_child(&s.supervisor);
	s.supervisor_fd = 9;
	dir = make_container(&s);
	assert_int_equal(oakum_state(o, "web", &got), 0);
	assert_int_equal(oakum_state_supervisor(got, &pidfd, &found, &fd), 0);
	assert_int_equal(found, pid);
	assert_int_equal(fd, 9);
	close(pidfd);
	end_child(pid);
	assert_int_equal(oakum_state_supervisor(got, &pidfd, &found, &fd), 1);
	oakum_state_free(got);
	remove_container("web", dir);
}

static char seen[512];
static int stop_after;

static int each_state(void *data, const struct oakum_state *s)
{
	strcat(strcat(data, oakum_state_id(s)), " ");
	return --stop_after == 0 ? 7 : 0;
}

static int each_id(void *data, const char *id)
{
	strcat(strcat(data, id), " ");
	return --stop_after == 0 ? 7 : 0;
}

static void each_bad(void *data, const char *id, const char *text)
{
	assert_non_null(strstr(text, "damaged"));
	strcat(strcat(strcat(data, "!"), id), " ");
}

static int listed(int (*list)(void), int stop, const char *want)
{
	int r;

	seen[0] = '\0';
	stop_after = stop;
	r = list();
	assert_string_equal(seen, want);
	return r;
}

static int list_states(void)
{
	return oakum_list(o, each_state, each_bad, seen);
}

static int list_quietly(void)
{
	return oakum_list(o, each_state, NULL, seen);
}

static int list_ids(void)
{
	return oakum_list_ids(o, each_id, seen);
}

static void listing(void **state)
{
	static const char *const names[] = {"b", "a", "a.1", "B"};
	int dir[4], bad = -1;

	(void)state;
	assert_int_equal(listed(list_states, 0, ""), -ENOENT);
	assert_int_equal(listed(list_ids, 0, ""), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct state s = plain_state(names[i]);

		dir[i] = make_container(&s);
	}
	/* Begun and not written yet; no container; not an id; and one that is damaged. */
	assert_int_equal(state_make(o, "begun", &bad, &err), 0);
	put_text(AT_FDCWD, in_root("file"), "");
	assert_int_equal(mkdir(in_root(".cache"), 0700), 0);
	assert_int_equal(listed(list_states, 0, "B a a.1 b "), 0);
	assert_int_equal(listed(list_ids, 0, "B a a.1 b "), 0);
	assert_int_equal(listed(list_states, 2, "B a "), 7);
	assert_int_equal(listed(list_ids, 2, "B a "), 7);
	put_text(dir[1], STATE_FILE, "{");
	assert_int_equal(listed(list_states, 0, "B !a a.1 b "), 0);
	assert_int_equal(listed(list_quietly, 0, "B a.1 b "), 0);
	assert_int_equal(listed(list_ids, 0, "B a a.1 b "), 0);
	assert_int_equal(rmdir(in_root(".cache")) + unlink(in_root("file")), 0);
	remove_container("begun", bad);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		remove_container(names[i], dir[i]);
	assert_int_equal(listed(list_states, 0, ""), 0);
}

/* ---- the end ---- */

static const char hooked[] =
	"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\",\"args\":"
	"[\"x\"],\"user\":{\"uid\":0,\"gid\":0}},\"hooks\":{\"poststop\":["
	"{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"cat >said\"]},"
	"{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"exit 3\"]},"
	"{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"echo again >>said\"]}]}}";

static void poststop(void **state)
{
	struct container c = CONTAINER_INIT;
	char path[96], want[256], text[256];

	(void)state;
	c.state = plain_state("web");
	c.state.bundle = top;
	c.dir = make_container(&c.state);
	snprintf(path, sizeof(path), "%s/said", top);
	assert_int_equal(state_keep_config(c.dir, hooked, sizeof(hooked) - 1, &err), 0);
	/* Not the configuration says that there are some, but what create has found. */
	container_poststop(o, &c);
	assert_int_equal(access(path, F_OK), -1);
	c.state.hooks = 1u << SPEC_HOOK_POSTSTOP;
	container_poststop(o, &c);
	assert_true(io_read_at(AT_FDCWD, path, text, sizeof(text)) > 0);
	snprintf(want, sizeof(want),
		 "{\"ociVersion\":\"1.2.0\",\"id\":\"web\",\"status\":\"stopped\",\"bundle\":"
		 "\"%s\"}again",
		 top);
	assert_string_equal(text, want);
	assert_string_equal(warned, "/hooks/poststop/1: poststop hook failed with exit code: error "
				    "running poststop hook #1: /bin/sh: exit status 3\n");
	warned[0] = '\0';
	put_text(c.dir, "config.json", "{");
	container_poststop(o, &c);
	assert_non_null(strstr(warned, "poststop hooks: "));
	assert_int_equal(unlink(path), 0);
	remove_container("web", c.dir);
	c.dir = -1;
	container_close(&c);
}

/* What is wrong with the call itself, before anything is looked at. */
static void calls(void **state)
{
	struct state s = plain_state("web");
	struct oakum_update u = OAKUM_OPTIONS(oakum_update);
	struct oakum_mounts m = OAKUM_OPTIONS(oakum_mounts);
	int dir = make_container(&s);

	(void)state;
	close(dir);
	assert_true(oakum_update(o, "web", &u) < 0);
	assert_string_equal(oakum_error_text(o, 0), "update web: nothing to change");
	u.file = u.text = "x";
	assert_true(oakum_update(o, "web", &u) < 0);
	assert_string_equal(oakum_error_text(o, 0), "update web: either a file or a text");
	u.file = NULL;
	assert_true(oakum_update(o, "web", &u) < 0);
	assert_string_equal(oakum_error_text(o, 0), "update web: container not running");
	assert_true(oakum_mounts(o, "web", &m) < 0);
	assert_string_equal(oakum_error_text(o, 0), "mounts web: either a file or a text");
	m.file = m.text = "[]";
	assert_true(oakum_mounts(o, "web", &m) < 0);
	assert_string_equal(oakum_error_text(o, 0), "mounts web: either a file or a text");
	m.file = NULL;
	assert_true(oakum_mounts(o, "web", &m) < 0);
	assert_string_equal(oakum_error_text(o, 0), "mounts web: container not running");
	assert_int_equal(state_open(o, "web", &dir, &err), 0);
	remove_container("web", dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATE_TEST(wanted_roots),  STATE_TEST(default_roots), STATE_TEST(words_of_failures),
		STATE_TEST(more_than_one), STATE_TEST(decided_once),  STATE_TEST(finding),
		STATE_TEST(family),	   STATE_TEST(who_is_left),   STATE_TEST(state_as_json),
		STATE_TEST(long_state),	   STATE_TEST(supervised),    STATE_TEST(listing),
		STATE_TEST(poststop),	   STATE_TEST(calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
