/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listeners: how one gets out of a process that may make no system call but write(2) any more, and
 * how it reaches an agent, or does not when the agent hangs.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/io.h"
#include "test_seccomp.h"

/* ---- in the process ---- */

static int pair[2]; /* [1] is the child's */
static struct seccomp_filter filter;

static int hand_over(void *data, int listener)
{
	char answer = 'n';

	if (*(bool *)data && io_send_fds(pair[1], "l", 1, &listener, 1) == 0)
		(void)io_read(pair[1], &answer, 1);
	return answer == 'y' ? 0 : -1;
}

/* Everything but write(2) is notified. */
static void build_all_but_write(void)
{
	static const char *names[MANY];
	struct seccomp_rule rule = {.names = names, .action = "SCMP_ACT_NOTIFY"};
	struct seccomp_profile p = simple("SCMP_ACT_ALLOW", &rule);

	many("write", names);
	p.listener = true;
	build(&p, -1, &filter);
}

static void start(struct seccomp_messenger *m, bool *good)
{
	struct err err = ERR_INIT;

	*m = (struct seccomp_messenger){.take = hand_over, .data = good};
	CHECK_OK(seccomp_messenger_start(m, &err), err);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

static void body_notified(void)
{
	struct seccomp_messenger m;
	struct err err = ERR_INIT;
	bool good = true;
	long r;

	start(&m, &good);
	if (seccomp_install_listener(&filter, &m, false, &err) < 0)
		(void)!write(pair[1], "no", 2);
	r = syscall(SYS_getppid);
	(void)!write(pair[1], &r, sizeof(r));
	syscall(SYS_exit_group, 0);
}

static int answer(int listener, int64_t val, bool go_on)
{
	struct seccomp_notif_resp resp = {.val = val};
	struct seccomp_notif req;

	memset(&req, 0, sizeof(req));
	assert_int_equal(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req), 0);
	resp.id = req.id;
	resp.flags = go_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	assert_int_equal(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp), 0);
	return req.data.nr;
}

static int receive_listener(void)
{
	int fd = -1, n = 1;
	char byte;

	assert_int_equal(io_recv_fds(pair[0], &byte, 1, &fd, &n), 1);
	assert_int_equal(n, 1);
	return fd;
}

static void out_of_a_mute_process(void **state)
{
	int listener, status;
	pid_t pid;
	long r = 0;

	(void)state;
	build_all_but_write();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		body_notified();
		_exit(9);
	}
	close(pair[1]);
	listener = receive_listener();
	/* Until the answer the process stands still: nothing to be notified of. */
	assert_int_equal(io_poll_until(listener, POLLIN, clock_deadline(50)), 0);
	assert_int_equal(write(pair[0], "y", 1), 1);
	assert_int_equal(answer(listener, 4711, false), SYS_getppid);
	assert_int_equal(io_read(pair[0], &r, sizeof(r)), sizeof(r));
	assert_int_equal(r, 4711);
	assert_int_equal(answer(listener, 0, true), SYS_exit_group);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(listener);
	close(pair[0]);
	seccomp_free(&filter);
}

static void body_refused(void)
{
	struct seccomp_messenger m;
	struct err err = ERR_INIT;
	bool good = false;

	start(&m, &good);
	(void)seccomp_install_listener(&filter, &m, false, &err);
	/* Never reached: a system call here would wait for ever. */
	syscall(SYS_getppid);
	_exit(3);
}

static void nobody_takes_it(void **state)
{
	(void)state;
	build_all_but_write();
	assert_int_equal(in_child(body_refused), 0x100);
	seccomp_free(&filter);
}

static void body_second(void)
{
	struct seccomp_messenger m[3];
	struct err err = ERR_INIT;
	bool good = true;

	for (int i = 0; i < 3; i++)
		start(&m[i], &good);
	CHECK_OK(seccomp_install_listener(&filter, &m[0], false, &err), err);
	CHECK(seccomp_install_listener(&filter, &m[1], false, &err) == -EBUSY);
	CHECK(strstr(err.hint, "one listener"));
	err = ERR_INIT;
	CHECK_OK(seccomp_install_listener(&filter, &m[2], true, &err), err);
	CHECK(syscall(SYS_uname, NULL) < 0 && errno == ENOSYS);
}

static void *keep_it(void *arg)
{
	int *listener = arg;

	*listener = receive_listener();
	assert_int_equal(write(pair[0], "y", 1), 1);
	return NULL;
}

static void one_listener_a_process(void **state)
{
	const struct seccomp_rule rule = {.names = NAMES("uname"), .action = "SCMP_ACT_NOTIFY"};
	struct seccomp_profile p = simple("SCMP_ACT_ALLOW", &rule);
	int listener = -1, status;
	pthread_t t;

	(void)state;
	p.listener = true;
	build(&p, -1, &filter);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pthread_create(&t, NULL, keep_it, &listener), 0);
	status = in_child(body_second);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(status, 0);
	close(listener);
	close(pair[0]);
	close(pair[1]);
	seccomp_free(&filter);
}

/* ---- the agent ---- */

static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int listen_at(const char *name, int backlog)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_CLOSE int at = open(in_dir(name), O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* In a directory of that name, else with it. */
	if (at >= 0)
		snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/s", at);
	else
		memcpy(a.sun_path, in_dir(name), strlen(in_dir(name)));
	assert_true(s >= 0);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s, backlog), 0);
	return s;
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/oakum-agent-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

struct reader {
	int listener; /* the socket */
	size_t size;
	int fd;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	int k = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC), n = 1;
	char block[4096];
	ssize_t got = io_recv_fds(k, block, sizeof(block), &r->fd, &n);

	while (got > 0) {
		r->size += (size_t)got;
		got = read(k, block, sizeof(block));
	}
	close(k);
	return NULL;
}

/* More than a socket's buffer, through a path longer than an address. */
static void a_long_message(void **state)
{
	const size_t size = 3 << 20;
	char *text = malloc(size), name[150], path[160];
	struct err err = ERR_INIT;
	struct reader r = {.fd = -1};
	struct stat a, b;
	pthread_t t;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(path, sizeof(path), "%s/s", name);
	assert_int_equal(mkdir(in_dir(name), 0700), 0);
	r.listener = listen_at(name, 1);
	assert_int_equal(seccomp_agent_look(in_dir(path), &err), 0);
	assert_int_equal(pthread_create(&t, NULL, read_all, &r), 0);
	if (seccomp_agent_send(in_dir(path), text, size, null, clock_deadline(10000), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(r.size, size);
	assert_true(r.fd >= 0);
	assert_int_equal(fstat(null, &a) | fstat(r.fd, &b), 0);
	assert_true(a.st_rdev == b.st_rdev && S_ISCHR(b.st_mode));
	close(r.fd);
	close(r.listener);
	close(null);
	free(text);
	assert_int_equal(unlink(in_dir(path)), 0);
	assert_int_equal(rmdir(in_dir(name)), 0);
}

static void an_agent_that_hangs(void **state)
{
	const size_t size = 3 << 20;
	char *text = calloc(1, size);
	int64_t began = clock_now_ms();
	struct err err = ERR_INIT;
	int s = listen_at("hang", 0), r;

	(void)state;
	assert_non_null(text);
	/* It takes the connection into its queue and reads nothing. */
	r = seccomp_agent_send(in_dir("hang"), text, size, 0, clock_deadline(200), &err);
	assert_int_equal(r, -ETIMEDOUT);
	/* The queue is full. */
	for (int i = 0; i < 3 && err.code == ETIMEDOUT && !strstr(err.text, "failed"); i++) {
		err = ERR_INIT;
		r = seccomp_agent_send(in_dir("hang"), text, size, 0, clock_deadline(200), &err);
		assert_int_equal(r, -ETIMEDOUT);
	}
	assert_non_null(strstr(err.text, "failed to connect with seccomp agent"));
	err = ERR_INIT;
	/* A deadline that has passed already is no wait for ever. */
	r = seccomp_agent_send(in_dir("hang"), text, size, 0, clock_now_ms() - 5, &err);
	assert_int_equal(r, -ETIMEDOUT);
	assert_true(clock_now_ms() - began < 20000);
	close(s);
	free(text);
	assert_int_equal(unlink(in_dir("hang")), 0);
}

static void no_agent(void **state)
{
	struct err err = ERR_INIT;
	int fd;

	(void)state;
	assert_int_equal(seccomp_agent_look(in_dir("none"), &err), -ENOENT);
	assert_non_null(strstr(err.text, "failed to connect with seccomp agent"));
	err = ERR_INIT;
	assert_int_equal(seccomp_agent_send(in_dir("none"), "x", 1, 0, 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, "failed to connect with seccomp agent"));
	fd = open(in_dir("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	err = ERR_INIT;
	assert_int_equal(seccomp_agent_look(in_dir("file"), &err), -ENOTSOCK);
	assert_int_equal(seccomp_agent_send(in_dir("file"), "x", 1, 0, 0, &err), -ECONNREFUSED);
	assert_int_equal(unlink(in_dir("file")), 0);
	close(listen_at("dead", 1));
	assert_int_equal(seccomp_agent_look(in_dir("dead"), &err), 0);
	assert_int_equal(seccomp_agent_send(in_dir("dead"), "x", 1, 0, 0, &err), -ECONNREFUSED);
	assert_int_equal(unlink(in_dir("dead")), 0);
}

/* Ready-made instructions are taken as they are, past rules and cache. */
static void raw(void **state)
{
	const struct sock_filter insns[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
	};
	struct seccomp_profile p = {.raw = insns, .raw_size = sizeof(insns)};

	(void)state;
	build(&p, -1, &filter);
	assert_int_equal(filter.n, 2);
	assert_memory_equal(filter.insns, insns, sizeof(insns));
	seccomp_free(&filter);
}

static void flags_of_a_listener(void **state)
{
	struct seccomp_profile p = simple("SCMP_ACT_ALLOW", NULL);

	(void)state;
	p.flags_present = true;
	p.flags = NAMES("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
			"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	if (!seccomp_flag_supported("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"))
		skip();
	build(&p, -1, &filter);
	assert_int_equal(filter.flags, SECCOMP_FILTER_FLAG_LOG);
	assert_int_equal(filter.listener_flags, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	seccomp_free(&filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_of_a_mute_process),
		cmocka_unit_test(nobody_takes_it),
		cmocka_unit_test(one_listener_a_process),
		cmocka_unit_test(a_long_message),
		cmocka_unit_test(an_agent_that_hangs),
		cmocka_unit_test(no_agent),
		cmocka_unit_test(raw),
		cmocka_unit_test(flags_of_a_listener),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
