/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * start's half of the conversation at the gate: a child stands in for the container's process, so
 * that it can say what no real one says in time.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "oakum.h"
#include "run/gate.h"
#include "run/state.h"
#include "run/sync.h"
#include "test_fork.h"

static char root[64], agent_path[128];
static int agent = -1;
static struct oakum *o;

static int set_up(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct oakum_options options = OAKUM_OPTIONS(oakum_options, .root = root, .rootless = -1,
						     .cgroup_manager = OAKUM_CGROUP_DISABLED);

	(void)state;
	snprintf(root, sizeof(root), "/tmp/oakum-start-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(agent_path, sizeof(agent_path), "%s/agent", root);
	memcpy(a.sun_path, agent_path, strlen(agent_path));
	agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(agent, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(agent, 4) < 0)
		return -1;
	return oakum_new(&options, &o);
}

static int tear_down(void **state)
{
	(void)state;
	oakum_free(o);
	close(agent);
	unlink(agent_path);
	return rmdir(root);
}

/* The stand-in; it dies with us. */
static pid_t stand_in(int gate, int lock, void (*body)(int channel))
{
	pid_t pid = fork();
	int passed[2], channel;

	if (pid != 0)
		return pid;
	alarm(30);
	close(lock);
	channel = gate_wait(gate, -1, passed, NULL);
	if (channel < 0)
		_exit(1);
	close(gate);
	body(channel);
	_exit(0);
}

static const char config[] =
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/"
	"\",\"args\":[\"x\"],"
	"\"user\":{\"uid\":0,\"gid\":0}},\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_"
	"ALLOW\","
	"\"listenerPath\":\"%s\",\"listenerMetadata\":\"who\",\"syscalls\":[{\"names\":[\"mkdir\"],"
	"\"action\":\"SCMP_ACT_NOTIFY\"}]}}}";

/* A created container whose process does @body when the gate opens. */
static pid_t make(void (*body)(int channel))
{
	struct state s = {.oci_version = "1.2.0",
			  .id = "web",
			  .bundle = root,
			  .rootfs = root,
			  .created = "2026-11-23T13:05:59Z",
			  .boot_id = handle_boot_id(o),
			  .cgroup = "",
			  .complete = true,
			  .listener = agent_path};
	struct err err = ERR_INIT;
	AUTO_CLOSE int dir = -1, gate = -1;
	char text[1024];
	pid_t pid;
	int n;

	assert_int_equal(state_make(o, "web", &dir, &err), 0);
	gate = gate_listen(dir, &err);
	assert_true(gate >= 0);
	pid = stand_in(gate, dir, body);
	assert_true(pid > 0);
	assert_int_equal(proc_identify(pid, -1, &s.init), 0);
	assert_int_equal(state_write(dir, &s, &err), 0);
	n = snprintf(text, sizeof(text), config, agent_path);
	assert_int_equal(state_keep_config(dir, text, (size_t)n, &err), 0);
	return pid;
}

static void take_away(pid_t pid, int want_status)
{
	AUTO_CLOSE int dir = -1;
	struct err err = ERR_INIT;
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, want_status);
	assert_int_equal(state_open(o, "web", &dir, &err), 0);
	assert_int_equal(state_remove(o, "web", dir, &err), 0);
}

static int start(const struct oakum_start *options, const char *want)
{
	int r = oakum_start(o, "web", options);

	if (want && (r >= 0 || !strstr(oakum_error_text(o, 0), want)))
		fail_msg("%d: %s", r, oakum_error_text(o, 0));
	if (!want && r < 0)
		fail_msg("%s", oakum_error_text(o, 0));
	return r;
}

static void send_listener(int channel)
{
	struct sync_message m;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	sync_send(channel, SYNC_EXEC, 0, -1);
	sync_send(channel, SYNC_LISTENER, 1, null);
	if (sync_expect(channel, SYNC_LISTENED, &m, NULL, CLOCK_FOREVER, NULL) != 0)
		_exit(3);
}

/* What the agent was told. */
static void heard(pid_t pid)
{
	char text[1024], want[600];
	AUTO_CLOSE int k = accept4(agent, NULL, NULL, SOCK_CLOEXEC);
	int fd = -1, n = 1;
	ssize_t got = io_recv_fds(k, text, sizeof(text) - 1, &fd, &n);
	struct stat st;

	assert_true(got > 0);
	text[got] = '\0';
	assert_int_equal(n, 1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	close(fd);
	snprintf(
		want, sizeof(want),
		"{\"ociVersion\":\"0.2.0\",\"fds\":[\"seccompFd\"],\"pid\":%d,\"metadata\":\"who\","
		"\"state\":{\"ociVersion\":\"1.2.0\",\"id\":\"web\",\"status\":\"creating\","
		"\"pid\":%d,\"bundle\":\"%s\"}}",
		pid, pid, root);
	assert_string_equal(text, want);
}

static void hang(int channel)
{
	send_listener(channel);
	pause();
}

static void agent_does_not_let_it(void **state)
{
	const struct oakum_start options = OAKUM_OPTIONS(oakum_start, .timeout_ms = 200);
	int64_t began = clock_now_ms();
	pid_t pid = make(hang);

	(void)state;
	assert_int_equal(start(&options, "the seccomp agent has not let the program be executed"),
			 -ETIMEDOUT);
	assert_true(clock_now_ms() - began < 20000);
	heard(pid);
	take_away(pid, SIGKILL);
}

static void go(int channel)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0)
		_exit(4);
	sync_send(channel, SYNC_NOTIFY, 0, ends[0]);
	send_listener(channel);
	if (send(ends[1], "READY=1", 7, 0) != 7)
		_exit(5);
	/* The end of file that execve makes. */
	close(channel);
}

static void listener_and_notifications(void **state)
{
	int notify = -1;
	const struct oakum_start options = OAKUM_OPTIONS(oakum_start, .ret_notify = &notify);
	pid_t pid = make(go);

	(void)state;
	start(&options, NULL);
	heard(pid);
	assert_true(notify >= 0);
	assert_true(io_poll_until(notify, POLLIN, clock_deadline(5000)) > 0);
	assert_int_equal(oakum_notify_relay(o, notify, &(struct oakum_notify){.size = 1}, 10), 0);
	assert_true(oakum_notify_relay(o, notify, &OAKUM_OPTIONS(oakum_notify), 10) >= 1);
	close(notify);
	take_away(pid, 0);
}

/* The other end goes before it has answered. */
static void hear_the_end(int channel)
{
	struct sync_message m;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	sync_send(channel, SYNC_LISTENER, 1, null);
	_exit(sync_expect(channel, SYNC_LISTENED, &m, NULL, CLOCK_FOREVER, NULL) == SYNC_GONE ? 6
											      : 7);
}

static void no_agent(void **state)
{
	char elsewhere[140];
	pid_t pid;
	int status;

	(void)state;
	snprintf(elsewhere, sizeof(elsewhere), "%s.away", agent_path);
	assert_int_equal(rename(agent_path, elsewhere), 0);
	pid = make(hear_the_end);
	start(NULL, "failed to connect with seccomp agent");
	assert_int_equal(rename(elsewhere, agent_path), 0);
	/* Killed by start, or by itself for having heard it: whichever is first. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_true(status == SIGKILL || WEXITSTATUS(status) == 6);
	pid = fork();
	if (pid == 0)
		_exit(0);
	take_away(pid, 0);
}

static void a_listener_without_descriptor(int channel)
{
	sync_send(channel, SYNC_LISTENER, 1, -1);
	pause();
}

static void nonsense(void **state)
{
	pid_t pid = make(a_listener_without_descriptor);

	(void)state;
	start(NULL, "take the seccomp listener");
	take_away(pid, SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agent_does_not_let_it),
		cmocka_unit_test(listener_and_notifications),
		cmocka_unit_test(no_agent),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
