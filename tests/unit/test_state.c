/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written down about containers: whose the state root may be, ids, the lock, state.json
 * and its claim in every condition, and what `state` and `list` make of it.
 */
#include <sys/file.h>

#include "base/json.h"
#include "spec/spec.h"
#include "test_state.h"

/* ---- the root ---- */

static void root_is_made(void **state)
{
	struct oakum *deep;
	struct stat st;
	char path[128];
	int fd;

	(void)state;
	assert_int_equal(state_open_root(o, false, &err), -ENOENT);
	failed_as(ERR_RUNTIME, ENOENT, "open the state root");
	fd = state_open_root(o, true, &err);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	close(fd);
	/* With its parents. */
	snprintf(path, sizeof(path), "%s/a/b", root);
	assert_int_equal(new_handle(path, &deep), 0);
	fd = state_open_root(deep, true, &err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(stat(in_root("a"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(rmdir(path) + rmdir(in_root("a")), 0);
	/* A file is in the way. */
	put_text(AT_FDCWD, in_root("a"), "");
	assert_int_equal(state_open_root(deep, true, &err), -ENOTDIR);
	assert_non_null(strstr(err.hint, "--root"));
	assert_int_equal(unlink(in_root("a")), 0);
	oakum_free(deep);
}

static void root_is_ours_alone(void **state)
{
	(void)state;
	assert_int_equal(symlink(top, root), 0);
	assert_true(state_open_root(o, true, &err) < 0);
	failed_as(ERR_UNSUPPORTED, ENOTDIR, "is not a directory");
	assert_int_equal(unlink(root), 0);
	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(chmod(root, 0775), 0);
	assert_true(state_open_root(o, true, &err) < 0);
	assert_non_null(strstr(err.hint, "chmod go-w"));
	failed_as(ERR_UNSUPPORTED, 0, "may be written by others (mode 0775)");
	assert_int_equal(chmod(root, 0702), 0);
	assert_true(state_open_root(o, true, &err) < 0);
	failed_as(ERR_UNSUPPORTED, 0, "(mode 0702)");
	assert_int_equal(chmod(root, 0755), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(root, 1234, 0), 0);
		assert_true(state_open_root(o, true, &err) < 0);
		assert_string_equal(err.hint, "name a directory of your own with --root");
		failed_as(ERR_UNSUPPORTED, 0, "belongs to uid 1234, not to 0");
		assert_int_equal(chown(root, 0, 0), 0);
	}
	close(state_open_root(o, false, &err));
	assert_int_equal(err.kind, ERR_NONE);
}

/* ---- a container's directory ---- */

static void ids(void **state)
{
	static const char *const bad[] = {"", ".", "..", ".x", "a/b", "a b", "a\n", "\xc3\xa9"};
	char id[257];
	int dir = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(state_open(o, bad[i], &dir, &err) < 0);
		failed_as(ERR_USAGE, 0, "invalid container ID: ");
		assert_true(state_make(o, bad[i], &dir, &err) < 0);
		failed_as(ERR_USAGE, 0, "invalid container ID: ");
	}
	memset(id, 'a', 256);
	id[256] = '\0';
	assert_true(state_make(o, id, &dir, &err) < 0);
	failed_as(ERR_USAGE, 0, "invalid container ID: ");
	id[255] = '\0';
	assert_int_equal(state_make(o, id, &dir, &err), 0);
	remove_container(id, dir);
}

static void opening(void **state)
{
	int dir = -1, other = -1;

	(void)state;
	/* No root, no directory. */
	assert_int_equal(state_open(o, "web", &dir, &err), STATE_ABSENT);
	assert_int_equal(err.kind, ERR_NONE);
	close(state_open_root(o, true, &err));
	assert_int_equal(state_open(o, "web", &dir, &err), STATE_ABSENT);
	assert_true(state_need(o, "web", &dir, &err) < 0);
	assert_non_null(strstr(err.hint, root));
	failed_as(ERR_STATE, ENOENT, "container does not exist");
	assert_int_equal(dir, -1);

	assert_int_equal(state_make(o, "web", &dir, &err), 0);
	assert_true(state_make(o, "web", &other, &err) < 0);
	assert_non_null(strstr(err.hint, "`oakum delete --force web`"));
	failed_as(ERR_EXISTS, 0, "already exists");
	assert_int_equal(state_need(o, "web", &other, &err), 0);
	close(other);
	/* Not through a link, and nobody else's. */
	assert_int_equal(symlink("web", in_root("link")), 0);
	assert_true(state_open(o, "link", &other, &err) < 0);
	failed_as(ERR_RUNTIME, ENOTDIR, "/link");
	assert_int_equal(unlink(in_root("link")), 0);
	assert_int_equal(chmod(in_root("web"), 0720), 0);
	assert_true(state_open(o, "web", &other, &err) < 0);
	failed_as(ERR_UNSUPPORTED, EPERM, "is not ours alone");
	assert_int_equal(chmod(in_root("web"), 0700), 0);
	remove_container("web", dir);
}

static void lock(void **state)
{
	int dir = -1, other = -1;

	(void)state;
	assert_int_equal(state_make(o, "web", &dir, &err), 0);
	assert_int_equal(state_open(o, "web", &other, &err), 0);
	assert_true(state_lock(o, "web", other, clock_deadline(0), &err) < 0);
	assert_string_equal(err.hint, "wait for it, or end that command");
	failed_as(ERR_STATE, 0, "another command is working on this container");
	assert_int_equal(flock(dir, LOCK_UN), 0);
	assert_int_equal(state_lock(o, "web", other, clock_deadline(0), &err), 0);
	assert_int_equal(flock(dir, LOCK_EX | LOCK_NB), -1);
	/* Deleted between our open and our lock. */
	assert_int_equal(state_remove(o, "web", other, &err), 0);
	close(other);
	assert_int_equal(state_lock(o, "web", dir, clock_deadline(0), &err), STATE_ABSENT);
	close(dir);
}

static void removing(void **state)
{
	int dir = -1;

	(void)state;
	assert_int_equal(state_make(o, "web", &dir, &err), 0);
	put_text(dir, "state.json", "");
	put_text(dir, "log", "x");
	assert_int_equal(mkdirat(dir, "hold", 0700), 0);
	assert_int_equal(symlinkat("/", dir, "link"), 0);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(state_remove(o, "web", dir, &err), 0);
	assert_int_equal(access(in_root("web"), F_OK), -1);
	/* Again, as a second delete does. */
	assert_int_equal(state_remove(o, "web", dir, &err), 0);
	close(dir);
	assert_int_equal(state_make(o, "web", &dir, &err), 0);
	assert_int_equal(mkdirat(dir, "full", 0700), 0);
	put_text(dir, "full/x", "");
	assert_true(state_remove(o, "web", dir, &err) < 0);
	failed_as(ERR_RUNTIME, ENOTEMPTY, "remove ");
	assert_int_equal(unlinkat(dir, "full/x", 0), 0);
	remove_container("web", dir);
}

/* ---- state.json ---- */

static const struct state everything = {
	.oci_version = "1.2.0-rc.1",
	.id = "web",
	.bundle = "/b \"quoted\"\n",
	.rootfs = "/r\xc3\xa9",
	.created = "2026-11-23T13:05:59.123456789Z",
	.boot_id = "0f5a6a1e-0000-4000-8000-000000000000",
	.cgroup = "/oakum/web",
	.unit = "oakum-web.scope",
	.user_unit = true,
	.delegate = "a/b",
	.rdt_group = "gold",
	.rdt_monitor = "web",
	.rdt_made = true,
	.owner = 4294967294u,
	.complete = false,
	.terminal = true,
	.chrooted = true,
	.keyring = false,
	.namespaces = 0x7e020080,
	.own_namespaces = CLONE_NEWPID,
	.family_ns = UINT64_MAX,
	.family_ns_id = 3,
	.hooks = 0x3f,
	.init = {7, 8, 9},
	.creator = {INT32_MAX, UINT64_MAX, 0},
	.supervisor = {10, 11, 12},
	.supervisor_fd = 5,
	.listener = "/run/agent",
	.annotations = "{\"a\":\"\\\"\",\"b\":\"\"}",
};

static void same_text(const char *a, const char *b)
{
	assert_string_equal(a, b ? b : "");
}

static void same_proc(const struct proc_id *a, const struct proc_id *b)
{
	assert_int_equal(a->pid, b->pid);
	assert_true(a->start == b->start && a->inode == b->inode);
}

static void same(const struct state *a, const struct state *b)
{
	same_text(a->oci_version, b->oci_version);
	same_text(a->id, b->id);
	same_text(a->bundle, b->bundle);
	same_text(a->rootfs, b->rootfs);
	same_text(a->created, b->created);
	same_text(a->boot_id, b->boot_id);
	same_text(a->cgroup, b->cgroup);
	same_text(a->unit, b->unit);
	same_text(a->delegate, b->delegate);
	same_text(a->rdt_group, b->rdt_group);
	same_text(a->rdt_monitor, b->rdt_monitor);
	same_text(a->listener, b->listener);
	same_text(a->annotations, b->annotations);
	assert_int_equal(a->owner, b->owner);
	assert_int_equal(a->user_unit, b->user_unit);
	assert_int_equal(a->rdt_made, b->rdt_made);
	assert_int_equal(a->complete, b->complete);
	assert_int_equal(a->terminal, b->terminal);
	assert_int_equal(a->chrooted, b->chrooted);
	assert_int_equal(a->keyring, b->keyring);
	assert_int_equal(a->namespaces, b->namespaces);
	assert_int_equal(a->own_namespaces, b->own_namespaces);
	assert_true(a->family_ns == b->family_ns && a->family_ns_id == b->family_ns_id);
	assert_int_equal(a->hooks, b->hooks);
	same_proc(&a->init, &b->init);
	same_proc(&a->creator, &b->creator);
	same_proc(&a->supervisor, &b->supervisor);
	assert_int_equal(a->supervisor_fd, b->supervisor.pid ? b->supervisor_fd : -1);
}

static void written_and_read(void **state)
{
	struct state least = plain_state("least"), s;
	int dir = make_container(&everything);

	(void)state;
	assert_int_equal(state_read(dir, &arena, &s, &err), 0);
	same(&s, &everything);
	assert_int_equal(state_write(dir, &least, &err), 0);
	assert_int_equal(state_read(dir, &arena, &s, &err), 0);
	same(&s, &least);
	remove_container("web", dir);
}

/* What a configuration may make as long as it likes. */
static void long_members(void **state)
{
	struct state s = plain_state("web"), got;
	char *version = malloc(70000);
	struct json *top_value;
	struct err ignored;
	char *json;
	int dir;

	(void)state;
	assert_non_null(version);
	strcpy(version, "1.2.0-");
	memset(version + 6, '"', 69993);
	version[69999] = '\0';
	s.oci_version = version;
	dir = make_container(&s);
	assert_int_equal(state_read(dir, &arena, &got, &err), 0);
	same(&got, &s);
	json = state_hook_json(&arena, &s, "creating", 5);
	assert_int_equal(json_parse(json, strlen(json), "state", &arena, &top_value, &ignored), 0);
	same_text(json_get(top_value, "ociVersion")->text, version);
	remove_container("web", dir);
	free(version);
}

static void is_damaged(int dir, const char *text, const char *why)
{
	struct state s = {.id = "untouched"};

	put_text(dir, STATE_FILE, text);
	assert_true(state_read(dir, &arena, &s, &err) < 0);
	assert_string_equal(err.hint, "`oakum delete --force` removes what is left of it");
	assert_true(str_starts(err.text, "state.json is damaged: "));
	failed_as(ERR_STATE, 0, why);
}

static void damaged(void **state)
{
	struct state s = plain_state("web");
	int dir = make_container(&s);
	AUTO_CLOSE int file = openat(dir, STATE_FILE, O_WRONLY | O_CLOEXEC);

	(void)state;
	is_damaged(dir, "", "empty");
	is_damaged(dir, "{\"format\":1,", "unexpected end of file");
	is_damaged(dir, "[]", "no format number");
	is_damaged(dir, "{}", "no format number");
	is_damaged(dir, "{\"format\":\"1\",\"id\":\"a\",\"bundle\":\"/\"}", "no format number");
	is_damaged(dir, "{\"format\":1,\"bundle\":\"/\"}", "no id or bundle");
	is_damaged(dir, "{\"format\":1,\"id\":7,\"bundle\":\"/\"}", "no id or bundle");
	is_damaged(dir, "{\"format\":1,\"id\":\"a\",\"bundle\":\"\"}", "no id or bundle");
	is_damaged(dir,
		   "{\"format\":1,\"id\":\"a\",\"bundle\":\"/\",\"annotations\":{\"a\":"
		   "[123456789,123456789,123456789,123456789,123456789,123456789,123456789,"
		   "123456789,123456789,123456789,123456789,123456789,123456789]}}",
		   "annotations");
	assert_int_equal(ftruncate(file, (8 << 20) + 1), 0);
	assert_true(state_read(dir, &arena, &s, &err) < 0);
	assert_true(err.kind != ERR_NONE);
	err = ERR_INIT;
	assert_int_equal(unlinkat(dir, STATE_FILE, 0), 0);
	assert_int_equal(state_read(dir, &arena, &s, &err), STATE_ABSENT);
	assert_int_equal(mkdirat(dir, STATE_FILE, 0700), 0);
	assert_true(state_read(dir, &arena, &s, &err) < 0);
	assert_int_equal(unlinkat(dir, STATE_FILE, AT_REMOVEDIR), 0);
	remove_container("web", dir);
}

/* Members of another kind are as if they were not there. */
static void odd_members(void **state)
{
	struct state s = plain_state("web");
	int dir = make_container(&s);

	(void)state;
	put_text(dir, STATE_FILE,
		 "{\"format\":2,\"id\":\"a\",\"bundle\":\"/\",\"cgroup\":5,\"complete\":true,"
		 "\"hooks\":-1,\"init\":[4294967299,1,1],\"creator\":\"7\",\"supervisor\":[7],"
		 "\"annotations\":[],\"owner\":\"x\",\"future\":{}}");
	assert_int_equal(state_read(dir, &arena, &s, &err), 0);
	assert_string_equal(s.cgroup, "");
	assert_false(s.complete);
	assert_int_equal(s.hooks, 0);
	assert_int_equal(s.init.pid, 0);
	assert_int_equal(s.creator.pid, 0);
	assert_int_equal(s.supervisor.pid, 7);
	assert_int_equal(s.supervisor.start, 0);
	assert_int_equal(s.supervisor_fd, 0);
	assert_string_equal(s.annotations, "");
	remove_container("web", dir);
}

static void read_below_the_root(void **state)
{
	struct state s = plain_state("web");
	int dir = make_container(&s);
	AUTO_CLOSE int at = state_open_root(o, false, &err);

	(void)state;
	assert_int_equal(state_read_at(at, "web/state.json", &arena, &s, &err), 0);
	assert_string_equal(s.id, "web");
	assert_int_equal(state_read_at(at, "no/state.json", &arena, &s, &err), STATE_ABSENT);
	assert_int_equal(symlinkat("web", at, "link"), 0);
	assert_int_equal(state_read_at(at, "link/state.json", &arena, &s, &err), STATE_ABSENT);
	assert_int_equal(unlinkat(at, "link", 0), 0);
	put_text(at, "file", "");
	assert_int_equal(state_read_at(at, "file/state.json", &arena, &s, &err), STATE_ABSENT);
	assert_int_equal(unlinkat(at, "file", 0), 0);
	assert_int_equal(renameat(dir, STATE_FILE, dir, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", dir, STATE_FILE), 0);
	assert_int_equal(state_read_at(at, "web/state.json", &arena, &s, &err), STATE_ABSENT);
	/* Nobody writes into it, and it is not waited for. */
	assert_int_equal(unlinkat(dir, STATE_FILE, 0), 0);
	assert_int_equal(mkfifoat(dir, STATE_FILE, 0600), 0);
	assert_true(state_read_at(at, "web/state.json", &arena, &s, &err) < 0);
	failed_as(ERR_RUNTIME, 0, "is a FIFO, not a regular file");
	remove_container("web", dir);
}

static void claim(void **state)
{
	struct state s = plain_state("web"), got;
	int dir = make_container(&s);

	(void)state;
	assert_false(state_claimed(dir, &s));
	assert_int_equal(state_read_claim(dir, &arena, &got, &err), STATE_ABSENT);
	assert_int_equal(state_claim(dir, &err), 0);
	assert_true(state_claimed(dir, &s));
	/* It stays what it was. */
	s.cgroup = "/later";
	assert_int_equal(state_write(dir, &s, &err), 0);
	assert_int_equal(state_read_claim(dir, &arena, &got, &err), 0);
	assert_string_equal(got.cgroup, "");
	assert_int_equal(state_write_claim(dir, &s, &err), 0);
	assert_int_equal(state_read_claim(dir, &arena, &got, &err), 0);
	assert_string_equal(got.cgroup, "/later");
	assert_int_equal(unlinkat(dir, STATE_CLAIM, 0), 0);
	s.complete = true;
	assert_true(state_claimed(dir, &s));
	/* Deleted meanwhile. */
	assert_int_equal(state_remove(o, "web", dir, &err), 0);
	assert_int_equal(state_claim(dir, &err), -ENOENT);
	assert_non_null(strstr(err.hint, "deleted meanwhile"));
	failed_as(ERR_RUNTIME, ENOENT, "write claim.json");
	assert_int_equal(state_write(dir, &s, &err), -ENOENT);
	failed_as(ERR_RUNTIME, ENOENT, "write state.json");
	close(dir);
}

static void configuration(void **state)
{
	static const char good[] =
		"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\","
		"\"args\":[\"x\"],\"user\":{\"uid\":0,\"gid\":0}},\"hostname\":\"\"}";
	struct state s = plain_state("web");
	int dir = make_container(&s);
	struct spec *spec;

	(void)state;
	assert_int_equal(state_load_config(dir, &arena, &spec, &err), -ENOENT);
	err = ERR_INIT;
	assert_int_equal(state_keep_config(dir, good, sizeof(good) - 1, &err), 0);
	assert_int_equal(state_load_config(dir, &arena, &spec, &err), 0);
	assert_string_equal(spec->process.args.v[0], "x");
	assert_int_equal(state_keep_config(dir, "{}", 2, &err), -EEXIST);
	failed_as(ERR_RUNTIME, EEXIST, "make a copy of config.json");
	put_text(dir, "config.json", "{\"ociVersion\":\"7\"}");
	assert_true(state_load_config(dir, &arena, &spec, &err) < 0);
	assert_string_equal(err.pointer, "/root");
	assert_int_equal(err.line, 1);
	remove_container("web", dir);
}

static void what_hooks_read(void **state)
{
	struct state s = plain_state("web");

	(void)state;
	assert_string_equal(state_hook_json(&arena, &s, "stopped", 0),
			    "{\"ociVersion\":\"1.2.0\",\"id\":\"web\",\"status\":\"stopped\","
			    "\"bundle\":\"/b\"}");
	assert_string_equal(state_hook_json(&arena, &everything, "creating", 12),
			    "{\"ociVersion\":\"1.2.0-rc.1\",\"id\":\"web\",\"status\":\"creating\","
			    "\"pid\":12,\"bundle\":\"/b \\\"quoted\\\"\\n\",\"annotations\":"
			    "{\"a\":\"\\\"\",\"b\":\"\"}}");
}

static void status(void **state)
{
	struct state s = plain_state("web");
	int dir = make_container(&s);
	pid_t pid = start_child(&s.creator);

	(void)state;
	assert_int_equal(state_status(o, dir, &s), OAKUM_CREATING);
	s.boot_id = "another";
	assert_int_equal(state_status(o, dir, &s), OAKUM_STOPPED);
	s.boot_id = handle_boot_id(o);
	s.complete = true;
	assert_int_equal(state_status(o, dir, &s), OAKUM_STOPPED);
	s.init = s.creator;
	assert_int_equal(state_status(o, dir, &s), OAKUM_RUNNING);
	put_text(dir, STATE_GATE, "");
	assert_int_equal(state_status(o, dir, &s), OAKUM_CREATED);
	assert_int_equal(state_status_at(o, dir, "another", &s), OAKUM_RUNNING);
	/* The pid is another's now: by the inode where the kernel gives one, else by its start. */
	s.init.inode++;
	s.init.start++;
	assert_int_equal(state_status(o, dir, &s), OAKUM_STOPPED);
	s.init = s.creator;
	s.boot_id = "another";
	assert_int_equal(state_status(o, dir, &s), OAKUM_STOPPED);
	s.boot_id = handle_boot_id(o);
	end_child(pid);
	assert_int_equal(state_status(o, dir, &s), OAKUM_STOPPED);
	s.complete = false;
	assert_int_equal(state_status(o, dir, &s), OAKUM_STOPPED);
	remove_container("web", dir);
}

static void family_kind(void **state)
{
	struct state s = {.own_namespaces = 0};

	(void)state;
	assert_int_equal(state_family_kind(&s), 0);
	s.own_namespaces = CLONE_NEWNET | CLONE_NEWNS;
	assert_int_equal(state_family_kind(&s), CLONE_NEWNS);
	s.own_namespaces |= CLONE_NEWUSER;
	assert_int_equal(state_family_kind(&s), CLONE_NEWUSER);
	s.own_namespaces |= CLONE_NEWPID;
	assert_int_equal(state_family_kind(&s), CLONE_NEWPID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATE_TEST(root_is_made),
		STATE_TEST(root_is_ours_alone),
		STATE_TEST(ids),
		STATE_TEST(opening),
		STATE_TEST(lock),
		STATE_TEST(removing),
		STATE_TEST(written_and_read),
		STATE_TEST(long_members),
		STATE_TEST(damaged),
		STATE_TEST(odd_members),
		STATE_TEST(read_below_the_root),
		STATE_TEST(claim),
		STATE_TEST(configuration),
		STATE_TEST(what_hooks_read),
		STATE_TEST(status),
		STATE_TEST(family_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
