/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is found and ended of a container without a cgroup, whoever made and left whom. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "kernel/family.h"

static void stay(void)
{
	for (;;)
		pause();
}

#define SESSION 1 /* beside the CLONE_NEW*: it begins one */

struct hello {
	int who;
	pid_t pid;
};

static void say(int to, int who)
{
	struct hello h = {who, getpid()};

	if (write(to, &h, sizeof(h)) != sizeof(h))
		_exit(1);
}

/* A child, and a grandchild whose parent ends at once; each says its pid on @to, we when it has. */
static void populate(int to)
{
	if (fork() == 0) {
		say(to, 1);
		stay();
	}
	if (fork() == 0) {
		if (fork() == 0) {
			say(to, 2);
			stay();
		}
		_exit(0);
	}
	(void)wait(NULL);
	say(to, 0);
	stay();
}

/* The first process, in new namespaces of @flags; @ret: it, its child, its lost grandchild, as we
 * know them. */
static void begin(int flags, pid_t ret[3])
{
	struct hello h;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if ((flags & SESSION) && setsid() < 0)
			_exit(1);
		if ((flags & ~SESSION) && unshare(flags & ~SESSION) < 0)
			_exit(1);
		populate(ends[1]);
	}
	close(ends[1]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(read(ends[0], &h, sizeof(h)), sizeof(h));
		ret[h.who] = h.pid;
	}
	close(ends[0]);
}

static struct family_id family_of(pid_t pid, int kind)
{
	struct family_id id = {.kind = kind};

	assert_int_equal(proc_identify(pid, -1, &id.init), 0);
	family_identify(pid, &id);
	return id;
}

static bool has(const pid_t *v, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == pid)
			return true;
	return false;
}

/* The lost one is ours to reap. */
static void end(const pid_t pids[3])
{
	kill(pids[1], SIGKILL);
	kill(pids[2], SIGKILL);
	kill(pids[0], SIGKILL);
	while (wait(NULL) > 0)
		;
}

static void is_ended(const pid_t *pids, int n)
{
	for (int i = 0; i < n; i++) {
		int status;

		/* The child is reaped by the init that has it when its parent is dead: us. */
		while (waitpid(pids[i], &status, 0) < 0)
			assert_int_equal(errno, EINTR);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
}

static void by_descent(void **state)
{
	struct err err = ERR_INIT;
	struct family_id id;
	pid_t pids[3], *v;
	size_t n;

	(void)state;
	begin(0, pids);
	id = family_of(pids[0], 0);
	assert_int_equal(family_list(&id, &v, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_true(has(v, n, pids[0]) && has(v, n, pids[1]) && !has(v, n, getpid()));
	free(v);
	end(pids);
}

static void by_user_namespace(void **state)
{
	struct err err = ERR_INIT;
	struct family_id id;
	pid_t pids[3], *v;
	size_t n;

	(void)state;
	begin(CLONE_NEWUSER, pids);
	id = family_of(pids[0], CLONE_NEWUSER);
	assert_int_equal(family_list(&id, &v, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_true(has(v, n, pids[0]) && has(v, n, pids[1]) && has(v, n, pids[2]));
	free(v);
	assert_int_equal(family_signal(&id, SIGKILL, &err), 0);
	is_ended(pids, 3);
}

static void one_that_has_ended_has_none(void **state)
{
	struct err err = ERR_INIT;
	pid_t *v, pid = fork();
	const struct family_id id = {.init = {.pid = pid}, .kind = CLONE_NEWUSER};
	siginfo_t info;
	size_t n;

	(void)state;
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER));
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(family_list(&id, &v, &n, &err), 0);
	assert_int_equal(n, 0);
	free(v);
	assert_int_equal(family_signal(&id, SIGKILL, &err), 0);
	(void)waitpid(pid, NULL, 0);
}

/* Those whom the first process has left. */
static size_t n_left(const struct family_id *id, const pid_t pids[3])
{
	struct err err = ERR_INIT;
	size_t n, found = 0;
	pid_t *v;

	assert_int_equal(family_list(id, &v, &n, &err), 0);
	for (int i = 0; i < 3; i++)
		found += has(v, n, pids[i]);
	assert_int_equal(n, found);
	free(v);
	return n;
}

static void who_is_left_by_init(void **state)
{
	struct err err = ERR_INIT;
	struct family_id id, other, nameless;
	pid_t pids[3];

	(void)state;
	begin(CLONE_NEWUSER, pids);
	id = other = nameless = family_of(pids[0], CLONE_NEWUSER);
	assert_true(id.ns);
	assert_int_equal(kill(pids[0], SIGKILL), 0);
	assert_int_equal(waitpid(pids[0], NULL, 0), pids[0]);
	/* The inode alone may be another's by now: no proof, nobody. */
	nameless.ns_id = 0;
	assert_int_equal(n_left(&nameless, pids), 0);
	other.ns_id = id.ns_id + 1;
	assert_int_equal(n_left(&other, pids), 0);
	assert_int_equal(n_left(&id, pids), id.ns_id ? 2 : 0);
	assert_int_equal(family_signal(&id, SIGKILL, &err), 0);
	if (id.ns_id)
		is_ended((const pid_t[]){pids[1], pids[2]}, 2);
	else
		end(pids);
}

static void a_session_is_proof(void **state)
{
	struct err err = ERR_INIT;
	struct family_id id;
	pid_t pids[3];

	(void)state;
	begin(CLONE_NEWUSER | SESSION, pids);
	id = family_of(pids[0], CLONE_NEWUSER);
	id.ns_id = 0;
	assert_int_equal(kill(pids[0], SIGKILL), 0);
	assert_int_equal(waitpid(pids[0], NULL, 0), pids[0]);
	assert_int_equal(n_left(&id, pids), 2);
	assert_int_equal(family_signal(&id, SIGKILL, &err), 0);
	is_ended((const pid_t[]){pids[1], pids[2]}, 2);
}

static void by_mount_namespace(void **state)
{
	struct err err = ERR_INIT;
	struct family_id id;
	pid_t pids[3];

	(void)state;
	if (geteuid() != 0)
		skip();
	begin(CLONE_NEWNS, pids);
	id = family_of(pids[0], CLONE_NEWNS);
	assert_int_equal(n_left(&id, pids), 3);
	assert_int_equal(family_signal(&id, SIGKILL, &err), 0);
	is_ended(pids, 3);
}

static void our_own_namespace_names_nobody(void **state)
{
	struct err err = ERR_INIT;
	struct family_id id;
	pid_t *v, pid = fork();
	size_t n;

	(void)state;
	if (pid == 0)
		stay();
	id = family_of(pid, CLONE_NEWPID);
	assert_int_equal(family_list(&id, &v, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(v[0], pid);
	free(v);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)waitpid(pid, NULL, 0);
}

static int adopt(void **state)
{
	(void)state;
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_descent),
		cmocka_unit_test(by_user_namespace),
		cmocka_unit_test(by_mount_namespace),
		cmocka_unit_test(who_is_left_by_init),
		cmocka_unit_test(a_session_is_proof),
		cmocka_unit_test(one_that_has_ended_has_none),
		cmocka_unit_test(our_own_namespace_names_nobody),
	};

	return cmocka_run_group_tests(tests, adopt, NULL);
}
