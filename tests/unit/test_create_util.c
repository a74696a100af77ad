/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What create and exec owe the outside: pid files, sockets, warnings, a helper's end, why a process
 * did not become its program; what exec makes of its options; and what the host is asked before a
 * plan is made.
 */
#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/json.h"
#include "base/names.h"
#include "kernel/lsm.h"
#include "run/create.h"
#include "run/exec.h"
#include "run/host.h"
#include "run/plan.h"
#include "spec/spec.h"
#include "test_state.h"

static const char *in_top(const char *name)
{
	static char path[4][256];
	static unsigned at;
	char *p = path[at++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", top, name);
	return p;
}

static void file_is(const char *path, const char *want)
{
	char text[64];

	assert_true(io_read_at(AT_FDCWD, path, text, sizeof(text)) >= 0);
	assert_string_equal(text, want);
}

/* ---- files ---- */

static void pid_file(void **state)
{
	const char *path = in_top("pid"), *link = in_top("link");
	struct stat st;

	(void)state;
	assert_int_equal(create_write_pid(NULL, 5, &err), 0);
	assert_int_equal(create_check_pid_file(NULL, &err), 0);
	assert_int_equal(create_check_pid_file(path, &err), 0);
	assert_int_equal(create_write_pid(path, 123, &err), 0);
	file_is(path, "123");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(create_write_pid(path, INT32_MAX, &err), 0);
	file_is(path, "2147483647");
	/* A link is replaced, what it names is not touched. */
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(create_write_pid(link, 7, &err), 0);
	file_is(link, "7");
	file_is(path, "2147483647");
	assert_int_equal(unlink(path) + unlink(link), 0);
}

static void bad_pid_file(void **state)
{
	const char *taken = in_top("taken"), *nowhere = in_top("no/pid"), *none = in_top("");

	(void)state;
	assert_int_equal(create_check_pid_file(nowhere, &err), -ENOENT);
	assert_string_equal(err.hint, "its directory has to be there, and ours to write");
	failed_as(ERR_RUNTIME, ENOENT, "write the pid file ");
	assert_int_equal(create_write_pid(nowhere, 1, &err), -ENOENT);
	failed_as(ERR_RUNTIME, ENOENT, "write the pid file ");
	assert_true(create_check_pid_file(none, &err) < 0);
	failed_as(ERR_USAGE, 0, "has no name");
	assert_true(create_write_pid(none, 1, &err) < 0);
	failed_as(ERR_USAGE, 0, "has no name");
	/* That of the root is there, whoever may write in it. */
	assert_int_not_equal(create_check_pid_file("/oakum.pid", &err), -ENOENT);
	err = ERR_INIT;
	assert_true(create_check_pid_file("", &err) < 0);
	failed_as(ERR_USAGE, 0, "pid file \"\" has no name");
	assert_int_equal(mkdir(taken, 0700), 0);
	assert_int_equal(create_write_pid(taken, 1, &err), -EISDIR);
	assert_string_equal(err.hint, "a directory has that name: choose another");
	failed_as(ERR_RUNTIME, EISDIR, taken);
	/* Nothing temporary stays: the directories go. */
	assert_int_equal(rmdir(taken), 0);
}

static void cache(void **state)
{
	struct stat st;
	int fd = create_open_cache(o);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(stat(in_root(".cache"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	fd = create_open_cache(o);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rmdir(in_root(".cache")), 0);
	assert_int_equal(symlink(top, in_root(".cache")), 0);
	assert_int_equal(create_open_cache(o), -1);
	assert_int_equal(unlink(in_root(".cache")), 0);
	assert_int_equal(chmod(root, 0777), 0);
	assert_int_equal(create_open_cache(o), -1);
}

static void reading(void **state)
{
	const char *text = "given";
	size_t size = 5;

	(void)state;
	assert_int_equal(create_read("/no/such", &arena, &text, &size, &err), 0);
	assert_string_equal(text, "given");
	text = NULL;
	assert_int_equal(create_read(in_top("x"), &arena, &text, &size, &err), -ENOENT);
	assert_null(text);
	put_text(AT_FDCWD, in_top("x"), "{}");
	assert_int_equal(create_read(in_top("x"), &arena, &text, &size, &err), 0);
	assert_string_equal(text, "{}");
	assert_int_equal(size, 2);
	assert_int_equal(unlink(in_top("x")), 0);
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void pidfd_socket(void **state)
{
	const char *path = in_top("socket");
	int at, got = -1, n = 1, peer;
	struct stat st;
	char text[16];

	(void)state;
	assert_int_equal(create_look_pidfd(NULL, &err) | create_send_pidfd(NULL, -1, &err), 0);
	assert_int_equal(create_look_pidfd(path, &err), -ENOENT);
	assert_non_null(strstr(err.hint, "has to listen there before"));
	failed_as(ERR_RUNTIME, ENOENT, "connect to the pidfd socket ");
	put_text(AT_FDCWD, path, "");
	assert_int_equal(create_look_pidfd(path, &err), -ECONNREFUSED);
	failed_as(ERR_RUNTIME, ECONNREFUSED, path);
	assert_int_equal(unlink(path), 0);
	at = listen_at(path);
	assert_int_equal(create_look_pidfd(path, &err), 0);
	assert_int_equal(create_send_pidfd(path, STDERR_FILENO, &err), 0);
	peer = accept4(at, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(io_recv_fds(peer, text, sizeof(text), &got, &n), 5);
	assert_memory_equal(text, "pidfd", 5);
	assert_int_equal(n, 1);
	assert_int_equal(fstat(got, &st), 0);
	close(got);
	close(peer);
	close(at);
	/* It looks as if somebody were there. */
	assert_int_equal(create_look_pidfd(path, &err), 0);
	assert_int_equal(create_send_pidfd(path, STDERR_FILENO, &err), -ECONNREFUSED);
	failed_as(ERR_RUNTIME, ECONNREFUSED, path);
	assert_int_equal(unlink(path), 0);
}

/* ---- words ---- */

static char debugged[512];

static void keep_debug(void *data, const char *line)
{
	strcat(strcat(data, line), "\n");
}

static void notes(void **state)
{
	static const struct spec_note list[] = {{3, 4, true, "/maskedPath", "did you mean it?"},
						{5, 6, false, "/x", "ignored"}};
	static struct spec_errors errors;

	(void)state;
	errors.notes = (struct spec_note *)list;
	errors.n_notes = 2;
	o->debug = keep_debug;
	o->debug_data = debugged;
	assert_int_equal(create_parsed(o, &errors, "c.json", 0), 0);
	assert_string_equal(warned, "c.json:3:4: /maskedPath: did you mean it?\n");
	assert_string_equal(debugged, "c.json:5:6: /x: ignored\n");
	warned[0] = '\0';
	o->strict = true;
	assert_int_equal(create_parsed(o, &errors, "c.json", 0), -EINVAL);
	assert_string_equal(warned, "");
	assert_int_equal(oakum_error_count(o), 2);
	assert_string_equal(oakum_error_text(o, 0), "c.json:3:4: /maskedPath: did you mean it?");
	assert_string_equal(oakum_error_hint(o, 1), "refused because of --strict");
	assert_int_equal(create_parsed(o, &errors, "c.json", -ENOMEM), -ENOMEM);
}

static void ambient(void **state)
{
	struct plan_process p = {.caps = {.ambient = 1 << 0 | 1 << 5 | 1 << 7,
					  .permitted = 1 << 5 | 1 << 7,
					  .inheritable = 1 << 0 | 1 << 7}};

	(void)state;
	create_warn_ambient(o, &p);
	assert_string_equal(warned, "/process/capabilities/ambient: can't raise ambient capability "
				    "CAP_CHOWN, CAP_KILL: not both permitted and inheritable\n");
	warned[0] = '\0';
	p.caps.ambient = 1 << 7;
	create_warn_ambient(o, &p);
	assert_string_equal(warned, "");
	p.caps = (struct caps){.ambient = UINT64_MAX};
	create_warn_ambient(o, &p);
	assert_non_null(strstr(warned, "CAP_CHOWN, CAP_DAC_OVERRIDE, "));
	assert_non_null(strstr(warned, "…: not both"));
}

static void labels(void **state)
{
	struct plan_process p = {.apparmor = "unconfined"};
	bool apparmor = lsm_enabled(LSM_APPARMOR), selinux = lsm_enabled(LSM_SELINUX);

	(void)state;
	assert_int_equal(create_check_labels(&p, &err), 0);
	assert_int_equal(p.apparmor != NULL, apparmor);
	p.apparmor = "web";
	if (apparmor) {
		assert_int_equal(create_check_labels(&p, &err), 0);
		assert_string_equal(p.apparmor, "web");
	} else {
		assert_true(create_check_labels(&p, &err) < 0);
		assert_string_equal(err.pointer, "/process/apparmorProfile");
		failed_as(ERR_UNSUPPORTED, 0, "profile \"web\": AppArmor is not enabled");
	}
	p = (struct plan_process){.selinux = "a:b:c:s0"};
	if (selinux) {
		assert_int_equal(create_check_labels(&p, &err), 0);
	} else {
		assert_true(create_check_labels(&p, &err) < 0);
		assert_string_equal(err.pointer, "/process/selinuxLabel");
		failed_as(ERR_UNSUPPORTED, 0, "label \"a:b:c:s0\": SELinux is not enabled");
	}
}

/* ---- children ---- */

static int helper(void *data, struct err *e)
{
	const char *what = data;

	if (str_eq(what, "fail"))
		return err_set(e, ENOENT, "open it");
	if (str_eq(what, "end"))
		_exit(0);
	while (str_eq(what, "hang"))
		(void)pause();
	return 0;
}

static void helpers(void **state)
{
	int64_t deadline = clock_deadline(20000);

	(void)state;
	assert_int_equal(create_helper(helper, "good", deadline, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(create_helper(helper, "fail", deadline, &err), -ENOENT);
	failed_as(ERR_RUNTIME, ENOENT, "open it");
	assert_int_equal(create_helper(helper, "end", deadline, &err), -ECHILD);
	failed_as(ERR_RUNTIME, ECHILD, "has ended early");
	assert_int_equal(create_helper(helper, "hang", clock_deadline(0), &err), -ETIMEDOUT);
	assert_true(str_starts(err.text, "process "));
	failed_as(ERR_RUNTIME, ETIMEDOUT, "): a process of ours in the container does not come");
	/* None of them is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(create_name_late(getpid(), -EPIPE, &err), -EPIPE);
	assert_int_equal(err.kind, ERR_NONE);
}

/* A child that has ended by @sig or, if that is 0, with status 1, and is not reaped. */
static pid_t dead_child(int sig)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGSYS, SIG_DFL);
		if (sig)
			(void)raise(sig);
		_exit(1);
	}
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	return pid;
}

static void not_executed(int sig, enum err_kind kind, const char *text)
{
	char comm[16];
	pid_t pid = dead_child(sig);

	assert_int_equal(prctl(PR_GET_NAME, comm), 0);
	assert_true(create_executed(pid, comm, true, &err) < 0);
	assert_string_equal(err.pointer, kind == ERR_NOT_EXECUTABLE ? "/linux/seccomp" : "");
	failed_as(kind, 0, text);
	/* It has another name: its program was executed, and has ended since. */
	assert_int_equal(create_executed(pid, "another", true, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void executed(void **state)
{
	struct proc_id id;
	pid_t pid = start_child(&id);
	char comm[16];

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, comm), 0);
	assert_int_equal(create_executed(pid, comm, true, &err), 0);
	assert_true(create_executed(pid, comm, false, &err) < 0);
	failed_as(ERR_RUNTIME, 0, "the process ended before its program was executed");
	end_child(pid);
	not_executed(SIGKILL, ERR_RUNTIME, "was killed before its program was executed");
	not_executed(SIGSYS, ERR_NOT_EXECUTABLE, "kills the process for executing its program");
	not_executed(SIGTERM, ERR_NOT_EXECUTABLE, "from saying so: killed by SIGTERM");
	not_executed(0, ERR_NOT_EXECUTABLE, "and from saying so");
}

/* ---- what exec makes of its options ---- */

static const char config[] =
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"annotations\":{"
	"\"run.oci.keep_original_groups\":\"1\"},\"process\":{\"cwd\":\"/work\",\"terminal\":true,"
	"\"args\":[\"init\"],\"env\":[\"A=1\",\"B=2\"],\"user\":{\"uid\":1,\"gid\":2,\"umask\":7,"
	"\"additionalGids\":[3]},\"oomScoreAdj\":5,\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":"
	"1,\"hard\":2}],\"capabilities\":{\"inheritable\":[\"CAP_KILL\"]}}}";
static const char process[] = "{\"cwd\":\"/\",\"args\":[\"sh\"],\"user\":{\"uid\":9,\"gid\":9}}";

static struct container c;

static int plan_exec(const struct oakum_exec *x, struct plan_process *ret)
{
	err = ERR_INIT;
	return exec_plan(o, x, &c, ret, &err);
}

static int make_configured(void **state)
{
	struct state s;

	if (make_top(state) < 0)
		return -1;
	s = plain_state("web");
	c = CONTAINER_INIT;
	c.dir = make_container(&s);
	c.state = s;
	c.state.listener = "";
	assert_int_equal(state_keep_config(c.dir, config, sizeof(config) - 1, &err), 0);
	return 0;
}

static int remove_configured(void **state)
{
	assert_int_equal(state_remove(o, "web", c.dir, &err), 0);
	container_close(&c);
	return remove_top(state);
}

static const char *const sh[] = {"sh", NULL};

static void plain_exec(void **state)
{
	struct oakum_exec x = OAKUM_EXEC(.args = NULL);
	struct plan_process p;

	(void)state;
	/* The container's own program is not run twice. */
	assert_true(plan_exec(&x, &p) < 0);
	failed_as(ERR_USAGE, 0, "no command to execute");
	x.args = sh;
	assert_int_equal(plan_exec(&x, &p), 0);
	assert_string_equal(p.argv[0], "sh");
	assert_string_equal(p.cwd, "/work");
	assert_false(p.terminal);
	assert_int_equal(p.uid, 1);
	assert_int_equal(p.gid, 2);
	assert_int_equal(p.n_groups, CREDS_KEEP_GROUPS);
	assert_int_equal(p.umask, 7);
	assert_int_equal(p.oom_score_adj, 5);
	assert_int_equal(p.n_rlimits, 1);
	assert_string_equal(p.envp[0], "A=1");
	assert_string_equal(p.envp[1], "B=2");
	assert_int_equal(p.home_slot, 2);
	assert_null(p.apparmor);
}

static void exec_options(void **state)
{
	static const char *const env[] = {"B=3", "C=", "A=x=y", "C=4", "AB=5", NULL};
	static const char *const groups[] = {"0", "4294967294", NULL};
	static const char *const caps[] = {"CAP_KILL", "CAP_CHOWN", NULL};
	struct oakum_exec x = OAKUM_EXEC(.args = sh, .env = env, .user = "5:6", .groups = groups,
					 .caps = caps, .cwd = "/elsewhere", .terminal = true,
					 .no_new_privileges = true, .preserve_fds = 2);
	struct plan_process p;

	(void)state;
	assert_int_equal(plan_exec(&x, &p), 0);
	/* In the place of those of the same name, the last of them. */
	assert_string_equal(p.envp[0], "A=x=y");
	assert_string_equal(p.envp[1], "B=3");
	assert_string_equal(p.envp[2], "C=4");
	assert_string_equal(p.envp[3], "AB=5");
	assert_int_equal(p.home_slot, 4);
	assert_int_equal(p.uid, 5);
	assert_int_equal(p.gid, 6);
	assert_int_equal(p.n_groups, 3);
	assert_int_equal(p.groups[0], 3);
	assert_int_equal(p.groups[1], 0);
	assert_int_equal(p.groups[2], 4294967294u);
	assert_true(p.caps.effective == (1 << 5 | 1 << 0));
	assert_true(p.caps.bounding == p.caps.effective && p.caps.permitted == p.caps.effective);
	/* Where it is inheritable already. */
	assert_true(p.caps.ambient == 1 << 5);
	assert_string_equal(p.cwd, "/elsewhere");
	assert_true(p.terminal && p.no_new_privileges);
	assert_int_equal(p.keep_fds, 2);
	/* A user without a group keeps the container's. */
	x.user = "7";
	assert_int_equal(plan_exec(&x, &p), 0);
	assert_int_equal(p.uid, 7);
	assert_int_equal(p.gid, 2);
}

static void exec_process_json(void **state)
{
	const char *path = in_top("process.json");
	struct oakum_exec x = OAKUM_EXEC(.process = path, .apparmor = "web");
	struct plan_process p;

	(void)state;
	assert_int_equal(plan_exec(&x, &p), -ENOENT);
	put_text(AT_FDCWD, path, process);
	assert_int_equal(plan_exec(&x, &p), 0);
	assert_string_equal(p.argv[0], "sh");
	assert_int_equal(p.uid, 9);
	assert_string_equal(p.apparmor, "web");
	/* What it does not say. */
	assert_true(p.caps.inheritable == 1 << 5);
	assert_int_equal(p.n_rlimits, 1);
	assert_int_equal(p.oom_score_adj, 5);
	assert_int_equal(p.umask, 7);
	assert_int_equal(p.home_slot, 0);
	x.apparmor = "";
	assert_int_equal(plan_exec(&x, &p), 0);
	assert_null(p.apparmor);
	put_text(AT_FDCWD, path, "{\"cwd\":5,\"args\":[6]}");
	assert_true(plan_exec(&x, &p) < 0);
	assert_int_equal(oakum_error_count(o), 2);
	assert_int_equal(unlink(path), 0);
}

static void exec_refused(void **state)
{
	static const char *const users[] = {
		"", ":", "5:", ":5", "x", "-1", "4294967295", "5:4294967295", "05", "5:6:7", "5 "};
	static const char *const bad_env[] = {"A", NULL}, *const no_name[] = {"=1", NULL};
	static const char *const bad_group[] = {"1", "4294967295", NULL};
	static const char *const bad_cap[] = {"CAP_CHOWN", "CAP_NONE", NULL};
	struct oakum_exec x = OAKUM_EXEC(.args = sh);
	struct plan_process p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		x.user = users[i];
		assert_true(plan_exec(&x, &p) < 0);
		failed_as(ERR_USAGE, 0, "expected UID[:GID]");
	}
	x = OAKUM_EXEC(.args = sh, .env = bad_env);
	assert_true(plan_exec(&x, &p) < 0);
	failed_as(ERR_USAGE, 0, "environment \"A\": expected NAME=VALUE");
	x.env = no_name;
	assert_true(plan_exec(&x, &p) < 0);
	failed_as(ERR_USAGE, 0, "environment \"=1\"");
	x = OAKUM_EXEC(.args = sh, .groups = bad_group);
	assert_true(plan_exec(&x, &p) < 0);
	failed_as(ERR_USAGE, 0, "additional gid \"4294967295\"");
	x = OAKUM_EXEC(.args = sh, .caps = bad_cap);
	assert_true(plan_exec(&x, &p) < 0);
	failed_as(ERR_USAGE, 0, "unknown capability \"CAP_NONE\"");
	x = OAKUM_EXEC(.args = sh, .cwd = "work");
	assert_true(plan_exec(&x, &p) < 0);
	failed_as(ERR_USAGE, 0, "cwd \"work\" is not an absolute path");
	assert_int_equal(unlinkat(c.dir, "config.json", 0), 0);
	assert_int_equal(plan_exec(&OAKUM_EXEC(.args = sh), &p), -ENOENT);
}

/* ---- the host ---- */

static int look(struct spec *spec, int join[SPEC_NS_COUNT], struct plan_host *h)
{
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		join[i] = -1;
	err = ERR_INIT;
	return host_look(o, spec, join, &arena, h, &err);
}

static void namespaces(void **state)
{
	struct spec spec = {
		.ns[SPEC_NS_NETWORK] = {.present = true, .path = "/proc/self/ns/net", .index = 3}};
	struct spec_namespace *net = &spec.ns[SPEC_NS_NETWORK];
	int join[SPEC_NS_COUNT];
	struct plan_host h;

	(void)state;
	assert_int_equal(look(&spec, join, &h), 0);
	assert_int_equal(h.own, CLONE_NEWNET);
	assert_true(join[SPEC_NS_NETWORK] >= 0);
	assert_int_equal(join[SPEC_NS_UTS], -1);
	assert_int_equal(h.uid, geteuid());
	assert_string_equal(h.default_cgroup_parent, o->cgroup_parent);
	close(join[SPEC_NS_NETWORK]);
	net->path = "/proc/self/ns/uts";
	assert_true(look(&spec, join, &h) < 0);
	assert_string_equal(err.pointer, "/linux/namespaces/3/path");
	assert_int_equal(err.kind, ERR_CONFIG);
	net->path = "/no/such";
	assert_int_equal(look(&spec, join, &h), -ENOENT);
	assert_string_equal(err.pointer, "/linux/namespaces/3/path");
	failed_as(ERR_CONFIG, ENOENT, "/no/such");
}

static struct cgroup_host two_hierarchies(void)
{
	struct cgroup_host all = {.mode = CGROUP_V1, .n = 2};

	(void)snprintf(all.h[0].mount, sizeof(all.h[0].mount), "%s", top);
	(void)snprintf(all.h[1].mount, sizeof(all.h[1].mount), "%s/given", top);
	return all;
}

/* Somebody has been given one of two directories. */
static void body_usable_cgroups(void)
{
	struct cgroup_host all = two_hierarchies();
	const struct cgroup_host *usable;
	const char *parent;

	CHECK(setresuid(65534, 65534, 65534) == 0);
	CHECK(host_usable_cgroups(&all, "web", "/oakum", &arena, &usable, &parent, &err) == 0);
	CHECK(usable->mode == CGROUP_V1 && usable->n == 1);
	CHECK(str_eq(usable->h[0].mount, all.h[1].mount) && str_eq(parent, "/oakum"));
	CHECK(host_usable_cgroups(&all, NULL, "/oakum", &arena, &usable, &parent, &err) == 0);
	CHECK(usable->n == 1 && str_eq(parent, "/oakum"));
	all.n = 1;
	CHECK(host_usable_cgroups(&all, "web", "/oakum", &arena, &usable, &parent, &err) == 0);
	CHECK(usable->mode == CGROUP_NONE && usable->n == 0);
	CHECK(host_usable_cgroups(&all, NULL, "/oakum", &arena, &usable, &parent, &err) == 0);
	CHECK(usable->mode == CGROUP_NONE && usable->n == 0);
	/* Nothing is above the root. */
	all = two_hierarchies();
	CHECK(host_usable_cgroups(&all, "..", "/oakum", &arena, &usable, &parent, &err) == 0);
	CHECK(usable->n == 0);
}

static void usable_cgroups(void **state)
{
	const char *given = in_top("given");

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(top, 0755), 0);
	assert_int_equal(mkdir(given, 0755), 0);
	assert_int_equal(chmod(given, 0777), 0);
	assert_int_equal(in_child(body_usable_cgroups), 0);
	assert_int_equal(rmdir(given), 0);
}

/* The limit on processes of a hardened bundle; -1: none. */
static int64_t default_pids(int64_t wanted)
{
	static const char *const path[] = {"linux", "resources", "pids", "limit"};
	const struct oakum_hardened x =
		OAKUM_OPTIONS(oakum_hardened, .rootfs = "/r", .args = sh, .pids = wanted);
	const struct json *j;
	struct json *doc;
	int64_t limit = 0;
	size_t size;
	char *text;

	assert_int_equal(oakum_spec_hardened(o, &x, &text, &size), 0);
	assert_int_equal(strlen(text), size);
	assert_int_equal(json_parse(text, size, "spec", &arena, &doc, &err), 0);
	j = doc;
	for (size_t i = 0; i < ARRAY_SIZE(path) && j; i++)
		j = json_get(j, path[i]);
	assert_true(!j || json_i64(j, 0, INT64_MAX, &limit) == 0);
	free(text);
	return j ? limit : -1;
}

static void hardened_pids(void **state)
{
	struct cgroup_hierarchy *h = &o->cgroups.h[0];
	size_t size;
	char *text;

	(void)state;
	o->rootless = 0;
	assert_int_equal(default_pids(0), -1);
	assert_int_equal(default_pids(5), 5);
	o->cgroups_known = true;
	o->cgroups.mode = CGROUP_V1;
	o->cgroups.n = 1;
	h->controllers = CGROUP_C_CPU;
	assert_int_equal(default_pids(0), -1);
	h->controllers |= CGROUP_C_PIDS;
	assert_true(default_pids(0) > 0);
	/* In v2 a cgroup has what the one above it offers. */
	h->controllers = 0;
	h->v2 = true;
	(void)snprintf(h->mount, sizeof(h->mount), "%s", top);
	assert_int_equal(default_pids(0), -1);
	put_text(AT_FDCWD, in_top("cgroup.controllers"), "cpu memory\n");
	assert_int_equal(default_pids(0), -1);
	put_text(AT_FDCWD, in_top("cgroup.controllers"), "cpu pids\n");
	assert_true(default_pids(0) > 0);
	assert_int_equal(unlink(in_top("cgroup.controllers")), 0);
	assert_true(oakum_spec_hardened(o, NULL, &text, &size) < 0);
	assert_non_null(strstr(oakum_error_text(o, 0), "spec: an option structure"));
}

static size_t count(const struct json *j, const char *key)
{
	j = json_get(j, key);
	assert_non_null(j);
	assert_int_equal(j->type, JSON_ARRAY);
	return j->len;
}

static void features(void **state)
{
	const struct json *linux_;
	struct json *doc;
	char *text;

	(void)state;
	assert_int_equal(oakum_features(o, &text), 0);
	assert_int_equal(json_parse(text, strlen(text), "features", &arena, &doc, &err), 0);
	free(text);
	assert_string_equal(json_get(doc, "ociVersionMax")->text, oakum_spec_version());
	assert_int_equal(count(doc, "hooks"), SPEC_HOOK_COUNT);
	assert_true(count(doc, "mountOptions") > 50);
	linux_ = json_get(doc, "linux");
	assert_int_equal(count(linux_, "namespaces"), SPEC_NS_COUNT);
	assert_true(count(linux_, "capabilities") > 30);
	assert_int_equal(count(json_get(linux_, "memoryPolicy"), "modes"), 7);
}

#define CONFIGURED(name) cmocka_unit_test_setup_teardown(name, make_configured, remove_configured)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATE_TEST(pid_file),	       STATE_TEST(bad_pid_file),  STATE_TEST(cache),
		STATE_TEST(reading),	       STATE_TEST(pidfd_socket),  STATE_TEST(notes),
		STATE_TEST(ambient),	       STATE_TEST(labels),	  STATE_TEST(helpers),
		STATE_TEST(executed),	       CONFIGURED(plain_exec),	  CONFIGURED(exec_options),
		CONFIGURED(exec_process_json), CONFIGURED(exec_refused),  STATE_TEST(namespaces),
		STATE_TEST(usable_cgroups),    STATE_TEST(hardened_pids), STATE_TEST(features),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
