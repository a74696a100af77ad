/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The channel between a new process and its parent, and the gate where it waits: what crosses,
 * whose descriptors are whose, and what an end that is gone, silent or talking nonsense is taken
 * for.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "run/gate.h"
#include "run/listener.h"
#include "run/plan.h"
#include "run/state.h"
#include "run/sync.h"
#include "test_sandbox.h"

static char top[64];
static int dir = -1;

static int make_dir(void **state)
{
	(void)state;
	err = ERR_INIT;
	snprintf(top, sizeof(top), "/tmp/oakum-gate-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlinkat(dir, STATE_GATE, 0);
	close(dir);
	return rmdir(top);
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static bool is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

static void failed_as(int code, const char *text)
{
	if (err.code != code || !strstr(err.text, text))
		fail_msg("errno %d: %s", err.code, err.text);
	err = ERR_INIT;
}

/* ---- the channel ---- */

static int ends[2];

static int make_pair(void **state)
{
	(void)state;
	err = ERR_INIT;
	return sync_pair(ends, &err);
}

static int close_pair(void **state)
{
	(void)state;
	fd_replace(&ends[0], -1);
	fd_replace(&ends[1], -1);
	return 0;
}

static void messages(void **state)
{
	struct sync_message m;
	int fd = 77, before = count_fds();

	(void)state;
	assert_true(is_cloexec(ends[0]) && is_cloexec(ends[1]));
	sync_send(ends[0], SYNC_MIDDLE, INT64_MIN, -1);
	sync_send(ends[0], SYNC_TERMINAL, 5, ends[0]);
	sync_send(ends[0], SYNC_TERMINAL, 6, ends[0]);
	assert_int_equal(sync_receive(ends[1], &m, &fd, CLOCK_FOREVER, &err), 0);
	assert_int_equal(m.type, SYNC_MIDDLE);
	assert_true(m.value == INT64_MIN);
	assert_int_equal(fd, -1);
	assert_int_equal(m.err.kind, ERR_NONE);
	assert_int_equal(sync_expect(ends[1], SYNC_TERMINAL, &m, &fd, CLOCK_FOREVER, &err), 0);
	assert_int_equal(m.value, 5);
	assert_true(same_file(fd, ends[0]) && is_cloexec(fd));
	close(fd);
	/* Not wanted: closed. */
	assert_int_equal(sync_receive(ends[1], &m, NULL, CLOCK_FOREVER, &err), 0);
	assert_int_equal(count_fds(), before);
}

static void ends_of_it(void **state)
{
	struct sync_message m;
	int fd = 77;

	(void)state;
	assert_int_equal(sync_receive(ends[1], &m, &fd, clock_deadline(0), &err), -ETIMEDOUT);
	failed_as(ETIMEDOUT, "wait for the other process");
	assert_int_equal(fd, -1);
	assert_int_equal(sync_receive(-1, &m, NULL, clock_deadline(0), &err), -EBADF);
	failed_as(EBADF, "wait for the other process");
	assert_false(sync_is_gone(ends[1]));
	sync_send(ends[0], SYNC_READY, 0, -1);
	assert_false(sync_is_gone(ends[1]));
	fd_replace(&ends[0], -1);
	assert_true(sync_is_gone(ends[1]));
	/* What it has said is still heard; saying anything to it is no failure. */
	assert_int_equal(sync_expect(ends[1], SYNC_READY, &m, NULL, CLOCK_FOREVER, &err), 0);
	assert_int_equal(sync_expect(ends[1], SYNC_READY, &m, NULL, CLOCK_FOREVER, &err),
			 SYNC_GONE);
	sync_send(ends[1], SYNC_MAPPED, 0, -1);
	sync_send(ends[1], SYNC_MAPPED, 0, ends[1]);
	sync_send_error(ends[1], &err);
	assert_int_equal(err.kind, ERR_NONE);
}

static void failures(void **state)
{
	struct err told = ERR_INIT;
	struct sync_message m;

	(void)state;
	err_pointer(&told, "/mounts/3");
	err_hint(&told, "advice");
	err_kind(&told, ERR_CONFIG, ENOENT, "mount %s", "proc");
	sync_send_error(ends[0], &told);
	assert_int_equal(sync_expect(ends[1], SYNC_READY, &m, NULL, CLOCK_FOREVER, &err), -ENOENT);
	assert_string_equal(err.pointer, "/mounts/3");
	assert_string_equal(err.hint, "advice");
	assert_int_equal(err.kind, ERR_CONFIG);
	failed_as(ENOENT, "mount proc");
	/* One without a number is a failure all the same. */
	told.code = 0;
	sync_send_error(ends[0], &told);
	assert_int_equal(sync_expect(ends[1], SYNC_READY, &m, NULL, CLOCK_FOREVER, &err), -EINVAL);
	assert_int_equal(sync_failure(&m, NULL), -EINVAL);
}

static void nonsense(void **state)
{
	struct sync_message m;
	int fd = 77, before = count_fds();

	(void)state;
	sync_send(ends[0], SYNC_TERMINAL, 0, ends[0]);
	assert_int_equal(sync_expect(ends[1], SYNC_READY, &m, &fd, CLOCK_FOREVER, &err), -EPROTO);
	failed_as(EPROTO, "message 6 where 7 was expected");
	assert_int_equal(fd, -1);
	/* Less than a message is none, and what came with it is nobody's. */
	assert_int_equal(io_send_fds(ends[0], "abc", 3, &ends[0], 1), 0);
	assert_int_equal(sync_receive(ends[1], &m, &fd, CLOCK_FOREVER, &err), -EPROTO);
	failed_as(EPROTO, "receive from the other process");
	assert_int_equal(fd, -1);
	assert_int_equal(count_fds(), before);
}

/* A seccomp filter may refuse sendmsg(2): what matters is said by write(2). */
static void body_filtered(void)
{
	static const int calls[] = {SYS_sendmsg};
	struct err told = ERR_INIT;
	struct sync_message m;

	err_set(&told, EPERM, "refused");
	deny(calls, 1, EPERM);
	sync_send(ends[0], SYNC_EXEC, 3, -1);
	sync_send_error(ends[0], &told);
	CHECK(sync_expect(ends[1], SYNC_EXEC, &m, NULL, CLOCK_FOREVER, &err) == 0);
	CHECK(m.value == 3);
	CHECK(sync_expect(ends[1], SYNC_EXEC, &m, NULL, CLOCK_FOREVER, &err) == -EPERM);
	CHECK(str_eq(err.text, "refused"));
}

static void filtered(void **state)
{
	(void)state;
	assert_int_equal(in_child(body_filtered), 0);
}

/* ---- the gate ---- */

static void closed_gates(void **state)
{
	const int nothing[2] = {-1, -1};
	struct gate_view view = GATE_VIEW_NONE;
	struct stat st;
	int fd = 77, gate;

	(void)state;
	assert_int_equal(gate_open(dir, nothing, &fd, &err), GATE_CLOSED);
	assert_int_equal(gate_look(dir, CLOCK_FOREVER, &view, &err), GATE_CLOSED);
	gate = gate_listen(dir, &err);
	assert_true(gate >= 0 && is_cloexec(gate));
	assert_int_equal(fstatat(dir, STATE_GATE, &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	assert_int_equal(gate_listen(dir, &err), -EADDRINUSE);
	failed_as(EADDRINUSE, "make the start gate");
	/* Its process has died. */
	close(gate);
	assert_int_equal(gate_open(dir, nothing, &fd, &err), GATE_CLOSED);
	assert_int_equal(gate_look(dir, CLOCK_FOREVER, &view, &err), GATE_CLOSED);
	assert_int_equal(fd, 77);
	assert_int_equal(unlinkat(dir, STATE_GATE, 0), 0);
	assert_int_equal(mkdirat(dir, STATE_GATE, 0700), 0);
	assert_int_equal(gate_open(dir, nothing, &fd, &err), GATE_CLOSED);
	assert_int_equal(unlinkat(dir, STATE_GATE, AT_REMOVEDIR), 0);
}

/* The other side answers later: a connection waits to be accepted. */
static void open_with(int gate, const int passed[2])
{
	int ours = -1, theirs, got[2] = {77, 77};
	struct sync_message m;

	assert_int_equal(gate_open(dir, passed, &ours, &err), 0);
	theirs = gate_wait(gate, -1, got, &err);
	assert_true(theirs >= 0 && is_cloexec(theirs));
	for (int i = 0; i < 2; i++) {
		if (passed[i] < 0)
			assert_int_equal(got[i], -1);
		else
			assert_true(same_file(got[i], passed[i]));
		fd_close(got[i]);
	}
	sync_send(theirs, SYNC_EXEC, 0, -1);
	close(theirs);
	assert_int_equal(sync_expect(ours, SYNC_EXEC, &m, NULL, CLOCK_FOREVER, &err), 0);
	assert_int_equal(sync_expect(ours, SYNC_EXEC, &m, NULL, CLOCK_FOREVER, &err), SYNC_GONE);
	close(ours);
}

static void passed_through(void **state)
{
	int a = open("/dev/null", O_RDONLY | O_CLOEXEC), gate = gate_listen(dir, &err);
	int before = count_fds();
	char path[128];

	(void)state;
	open_with(gate, (const int[]){-1, -1});
	open_with(gate, (const int[]){a, -1});
	open_with(gate, (const int[]){-1, dir});
	open_with(gate, (const int[]){a, dir});
	/* One that was killed between connect and send has not started anything. */
	snprintf(path, sizeof(path), "%s/" STATE_GATE, top);
	close(io_connect(path, SOCK_SEQPACKET, CLOCK_FOREVER));
	open_with(gate, (const int[]){-1, a});
	assert_int_equal(count_fds(), before);
	close(a);
	close(gate);
}

static void wait_at(int gate, int proc)
{
	int got[2];

	alarm(30);
	_exit(gate_wait(gate, proc, got, NULL) < 0);
}

static void looks(void **state)
{
	AUTO_CLOSE int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct gate_view view = GATE_VIEW_NONE;
	int gate = gate_listen(dir, &err), ours, status, before = count_fds();
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		wait_at(gate, proc);
	close(gate);
	assert_int_equal(gate_look(dir, clock_deadline(20000), &view, &err), 0);
	assert_true(same_file(view.root, slash));
	for (size_t i = 0; i < NS_KINDS; i++) {
		AUTO_CLOSE int own = -1;
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_file_name(ns_kind_at(i)));
		own = open(path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(view.ns[i] >= 0, own >= 0);
		assert_true(own < 0 || same_file(view.ns[i], own));
	}
	gate_view_close(&view);
	assert_memory_equal(&view, &GATE_VIEW_NONE, sizeof(view));
	/* Twice, and then it is opened. */
	assert_int_equal(gate_look(dir, clock_deadline(20000), &view, &err), 0);
	gate_view_close(&view);
	assert_int_equal(gate_open(dir, (const int[]){-1, -1}, &ours, &err), 0);
	close(ours);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count_fds(), before - 1);
}

static void silent(void **state)
{
	struct gate_view view = {.root = 77};
	int gate = gate_listen(dir, &err);
	pid_t pid;

	(void)state;
	assert_int_equal(gate_look(dir, clock_deadline(0), &view, &err), -ETIMEDOUT);
	failed_as(ETIMEDOUT, "wait for the other process");
	assert_int_equal(view.root, 77);
	/* It ends instead of an answer. */
	close(accept4(gate, NULL, NULL, SOCK_CLOEXEC));
	pid = fork();
	if (pid == 0)
		_exit(accept(gate, NULL, NULL) < 0);
	assert_int_equal(gate_look(dir, clock_deadline(20000), &view, &err), GATE_CLOSED);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(view.root, 77);
	close(gate);
	assert_true(gate_wait(-1, -1, (int[2]){0}, &err) < 0);
	failed_as(EBADF, "wait at the start gate");
}

/* ---- the seccomp listener ---- */

static void no_agent(void **state)
{
	struct state s = {
		.oci_version = "1.2.0", .id = "web", .bundle = "/b", .rootfs = "/r", .cgroup = ""};
	const struct listener_process who = {.state = &s, .status = "creating", .pid = 5};
	struct plan_listener l = {.path = "/no/such/agent"};
	struct arena arena = ARENA_INIT;
	int before = count_fds();

	(void)state;
	assert_true(listener_pass(&l, &who, -1, &arena, &err) < 0);
	failed_as(EPROTO, "take the seccomp listener");
	/* Taken over in any case; missed only where some rule needs it. */
	assert_int_equal(listener_pass(&l, &who, dup(dir), &arena, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	l.required = true;
	assert_int_equal(listener_pass(&l, &who, dup(dir), &arena, &err), -ENOENT);
	assert_string_equal(err.pointer, "/linux/seccomp/listenerPath");
	assert_string_equal(err.hint, "start the agent that answers for this profile");
	err = ERR_INIT;
	l.path = NULL;
	assert_true(listener_pass(&l, &who, dup(dir), &arena, &err) < 0);
	failed_as(EPROTO, "take the seccomp listener");
	assert_int_equal(count_fds(), before);
	arena_done(&arena);
}

#define CHANNEL(name) cmocka_unit_test_setup_teardown(name, make_pair, close_pair)
#define GATE(name)    cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHANNEL(messages), CHANNEL(ends_of_it), CHANNEL(failures),    CHANNEL(nonsense),
		CHANNEL(filtered), GATE(closed_gates),	GATE(passed_through), GATE(looks),
		GATE(silent),	   GATE(no_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
