/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The programs that we talk to: criu and the helper for systemd. This program plays both, each in
 * the ways that $TEST_ROLE names; what it was asked for it writes into $TEST_LOG.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/pb.h"
#include "base/str.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/criu.h"
#include "kernel/systemd_message.h"
#include "test_fork.h"
#include "test_pb.h"

static char dir[] = "/tmp/oakum-children-XXXXXX", self[PATH_MAX], path[128];
static struct err err;

static const char *at(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static bool is_role(const char *name)
{
	return str_eq(getenv("TEST_ROLE"), name);
}

static void play(const char *role)
{
	err = ERR_INIT;
	CHECK(setenv("TEST_ROLE", role, 1) == 0 && setenv("TEST_LOG", at("log"), 1) == 0);
	CHECK(unlink(path) == 0 || errno == ENOENT);
}

static void log_word(const char *word)
{
	int fd = open(getenv("TEST_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	CHECK(write(fd, word, strlen(word)) == (ssize_t)strlen(word));
	close(fd);
}

/* What it has written since play(). */
static bool logged(const char *want)
{
	char text[256] = "";

	(void)io_read_at(AT_FDCWD, at("log"), text, sizeof(text));
	if (str_eq(text, want))
		return true;
	(void)fprintf(stderr, "logged \"%s\"\n", text);
	return false;
}

static bool says(enum err_kind kind, int code, const char *text, const char *hint)
{
	bool same = err.kind == kind && err.code == code && str_starts(err.text, text) &&
		    strstr(err.hint, hint);

	if (!same)
		(void)fprintf(stderr, "%d %d: %s (%s)\n", err.kind, err.code, err.text, err.hint);
	err = ERR_INIT;
	return same;
}

/* ---- the helper for systemd, its part ---- */

/* Everything that the request says, in one line. */
static void echo(const struct systemd_request *q, ssize_t n, struct systemd_answer *a)
{
	struct strbuf b;
	const char *text = (const char *)(q + 1), *end = (const char *)q + n;

	strbuf_init(&b, a->text, sizeof(a->text));
	strbuf_fmt(&b, "%u %u %d fds=%d", q->verb, q->user, q->pid, count_fds());
	for (; text < end; text += strlen(text) + 1)
		strbuf_fmt(&b, "|%s", text);
	a->result = -EIO;
	a->code = ENOTTY;
	a->kind = ERR_CONFIG;
	strcpy(a->hint, "try this");
}

static void answer(const struct systemd_request *q, ssize_t n, struct systemd_answer *a)
{
	char word[8];

	(void)snprintf(word, sizeof(word), "%u ", q->verb);
	log_word(word);
	if (is_role("in use"))
		a->result = q->verb == SYSTEMD_HELLO  ? 0
			    : q->verb == SYSTEMD_STOP ? SYSTEMD_GONE
						      : SYSTEMD_IN_USE;
	if (is_role("echo") && q->verb != SYSTEMD_HELLO)
		echo(q, n, a);
	if (is_role("echo hello"))
		echo(q, n, a);
	if (is_role("other version"))
		a->version++;
	if (is_role("ends") || (is_role("ends later") && q->verb != SYSTEMD_HELLO))
		_exit(0);
	(void)send(SYSTEMD_HELPER_FD, a, is_role("short") ? 3 : sizeof(*a), 0);
}

static int be_helper(void)
{
	static union {
		struct systemd_request q;
		char bytes[SYSTEMD_MESSAGE_MAX];
	} u;
	ssize_t n;

	while ((n = recv(SYSTEMD_HELPER_FD, &u, sizeof(u), 0)) > 0) {
		struct systemd_answer a = {.version = SYSTEMD_MESSAGE_VERSION, .systemd = 252};

		strcpy(a.path, u.q.verb == SYSTEMD_HELLO ? "/manager" : "/made/u.scope");
		answer(&u.q, n, &a);
	}
	return 0;
}

/* ---- and ours ---- */

static struct cgroup_systemd s = CGROUP_SYSTEMD_INIT;

static int open_helper(const char *role, bool user)
{
	play(role);
	return cgroup_systemd_open(&s, user, CLOCK_FOREVER, &err);
}

static void done_helper(void)
{
	cgroup_systemd_close(&s);
	CHECK(s.sock == -1 && s.pid == 0);
	cgroup_systemd_close(&s);
	CHECK(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
}

static void talk(void)
{
	const char *const some[] = {"A=1", "B='x y'"};
	int before = count_fds();

	CHECK_OK(open_helper("good", false), err);
	CHECK(s.version == 252 && str_eq(s.root, "/manager") && count_fds() == before + 1);
	CHECK(cgroup_systemd_start(&s, "u.scope", "/made/u.scope", some, 2, CLOCK_FOREVER, &err) ==
	      0);
	CHECK(cgroup_systemd_release(&s, CLOCK_FOREVER, &err) == 0);
	CHECK(cgroup_systemd_set(&s, "u.scope", some, 2, CLOCK_FOREVER, &err) == 0);
	CHECK(cgroup_systemd_set(&s, "u.scope", NULL, 0, CLOCK_FOREVER, &err) == 0);
	CHECK(cgroup_systemd_attach(&s, "u.scope", NULL, 5, CLOCK_FOREVER, &err) == 0);
	CHECK(cgroup_systemd_stop(&s, "u.scope", true, CLOCK_FOREVER, &err) == 0);
	CHECK(cgroup_systemd_stop(&s, "u.scope", false, CLOCK_FOREVER, &err) == 0);
	CHECK(logged("1 2 3 4 5 6 7 "));
	/* A scope elsewhere is stopped again. */
	CHECK(cgroup_systemd_start(&s, "u.scope", "/other", NULL, 0, CLOCK_FOREVER, &err) < 0);
	CHECK(says(ERR_UNSUPPORTED, 0,
		   "systemd has put u.scope into cgroup \"/made/u.scope\", not into /other", ""));
	CHECK(logged("1 2 3 4 5 6 7 2 6 "));
	done_helper();
	CHECK(count_fds() == before);

	CHECK_OK(open_helper("in use", true), err);
	CHECK(cgroup_systemd_start(&s, "u.scope", "/", NULL, 0, CLOCK_FOREVER, &err) ==
	      CGROUP_SYSTEMD_IN_USE);
	CHECK(says(ERR_STATE, EEXIST, "start u.scope: systemd has a unit of that name",
		   "`systemctl status u.scope`"));
	CHECK(cgroup_systemd_stop(&s, "u.scope", true, CLOCK_FOREVER, &err) == 0);
	CHECK(cgroup_systemd_stop(&s, "u.scope", false, CLOCK_FOREVER, &err) ==
	      CGROUP_SYSTEMD_IN_USE);
	done_helper();
}

/* What the helper hears, and how its refusals are told. */
static void refusals(void)
{
	static char large[SYSTEMD_MESSAGE_MAX];
	const char *const some[] = {"A=1", "B='x y'"}, *const much[] = {large};
	size_t room = sizeof(large) - sizeof(struct systemd_request) - sizeof("u.scope");

	CHECK(open_helper("echo hello", true) == -ENOTTY && s.sock == -1);
	CHECK(says(ERR_CONFIG, ENOTTY, "connect to the user's systemd: 1 1 0 fds=4", "try this"));
	CHECK(open_helper("echo hello", false) == -ENOTTY);
	CHECK(says(ERR_CONFIG, ENOTTY, "connect to systemd: 1 0 0 fds=4", "try this"));
	CHECK_OK(open_helper("echo", false), err);
	CHECK(cgroup_systemd_start(&s, "u.scope", "/", some, 2, CLOCK_FOREVER, &err) == -ENOTTY);
	CHECK(says(ERR_CONFIG, ENOTTY, "start u.scope: 2 0 0 fds=4|u.scope|A=1|B='x y'", ""));
	CHECK(cgroup_systemd_attach(&s, "u.scope", "/in", 77, CLOCK_FOREVER, &err) == -ENOTTY);
	CHECK(says(ERR_CONFIG, ENOTTY, "move process 77 into u.scope: 5 0 77 fds=4|u.scope|/in",
		   ""));
	CHECK(cgroup_systemd_set(&s, "u.scope", some, 1, CLOCK_FOREVER, &err) == -ENOTTY);
	CHECK(says(ERR_CONFIG, ENOTTY, "set properties of u.scope: 4 0 0 fds=4|u.scope|A=1", ""));
	CHECK(cgroup_systemd_release(&s, CLOCK_FOREVER, &err) == -ENOTTY);
	CHECK(says(ERR_CONFIG, ENOTTY, "leave the scope to the container: 3 0 0 fds=4", ""));
	CHECK(cgroup_systemd_stop(&s, "u.scope", false, CLOCK_FOREVER, &err) == -ENOTTY);
	CHECK(says(ERR_CONFIG, ENOTTY, "stop u.scope: 7 0 0 fds=4|u.scope", ""));
	/* As much as fits, and a byte more. */
	memset(large, 'x', room - 1);
	CHECK(cgroup_systemd_set(&s, "u.scope", much, 1, CLOCK_FOREVER, &err) == -ENOTTY);
	CHECK(logged("1 2 5 4 3 7 4 "));
	err = ERR_INIT;
	large[room - 1] = 'x';
	CHECK(cgroup_systemd_set(&s, "u.scope", much, 1, CLOCK_FOREVER, &err) == -E2BIG);
	CHECK(says(ERR_CONFIG, E2BIG, "more properties of u.scope than fit into 131072 bytes", ""));
	CHECK(logged("1 2 5 4 3 7 4 "));
	done_helper();
}

static void trouble(void)
{
	CHECK(open_helper("ends", false) == -EPIPE);
	CHECK(says(ERR_RUNTIME, EPIPE,
		   "connect to systemd: the systemd helper has ended unexpectedly", ""));
	CHECK_OK(open_helper("ends later", false), err);
	CHECK(cgroup_systemd_release(&s, CLOCK_FOREVER, &err) == -EPIPE);
	/* Nobody is there any more to be told. */
	CHECK(cgroup_systemd_release(&s, CLOCK_FOREVER, &err) == -EPIPE);
	done_helper();
	CHECK(open_helper("other version", false) == -EPROTO);
	CHECK(says(ERR_UNSUPPORTED, EPROTO, "connect to systemd: the systemd helper /", ""));
	CHECK(open_helper("short", false) == -EPROTO);
	/* It has no time at all. */
	play("good");
	CHECK(cgroup_systemd_open(&s, false, clock_now_ms() - 60000, &err) == -ETIMEDOUT);
	CHECK(says(ERR_RUNTIME, ETIMEDOUT, "connect to systemd: no answer from systemd",
		   "systemctl list-jobs"));
	done_helper();
	CHECK(setenv(CGROUP_SYSTEMD_HELPER_ENV, "/none/such", 1) == 0);
	CHECK(open_helper("good", false) == -ENOENT);
	CHECK(says(ERR_UNSUPPORTED, ENOENT, "the systemd helper /none/such", "install it"));
	CHECK(close(open(at("empty"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755)) == 0);
	CHECK(setenv(CGROUP_SYSTEMD_HELPER_ENV, path, 1) == 0);
	CHECK(open_helper("good", false) == -ENOEXEC);
	CHECK(says(ERR_UNSUPPORTED, ENOEXEC, "execute the systemd helper /", ""));
	CHECK(unlink(at("empty")) == 0);
	done_helper();
}

static void not_built(void)
{
	CHECK(open_helper("good", false) < 0);
	CHECK(says(ERR_UNSUPPORTED, 0, "the systemd cgroup manager is not in this build of oakum",
		   "--cgroup-manager=cgroupfs"));
}

static void with_helper(void (*body)(void))
{
	CHECK(setenv(CGROUP_SYSTEMD_HELPER_ENV, self, 1) == 0);
	if (cgroup_systemd_built())
		body();
	else
		not_built();
}

static void talk_child(void)
{
	with_helper(talk);
}

static void refusals_child(void)
{
	with_helper(refusals);
}

static void trouble_child(void)
{
	with_helper(trouble);
}

/* ---- criu, its part ---- */

static void put_answer(int sock, unsigned type, bool success, const struct pb_out *inner,
		       unsigned field, int fd)
{
	unsigned char mem[256];
	struct pb_out m;

	pb_init(&m, mem, sizeof(mem));
	pb_u64(&m, 1, type);
	pb_flag(&m, 2, success);
	if (inner)
		pb_message(&m, field, inner);
	CHECK(!m.overflow && io_send_fds(sock, mem, m.len, &fd, fd >= 0) == 0);
}

static void notify(int sock, const char *what, int pid, int fd)
{
	static const unsigned char yes[] = {0x08, 6, 0x18, 1};
	unsigned char mem[64], reply[64];
	struct pb_out m;
	ssize_t n;

	pb_init(&m, mem, sizeof(mem));
	pb_text(&m, 1, what);
	pb_i64(&m, 2, pid);
	put_answer(sock, 6, true, &m, 5, fd);
	n = recv(sock, reply, sizeof(reply), 0);
	if (n == 0) {
		log_word("given up");
		_exit(0);
	}
	CHECK(n == sizeof(yes) && memcmp(reply, yes, sizeof(yes)) == 0);
	log_word("go on ");
}

/* That of the options in the request @q: an integer, or of a pair the second; -1: there is none. */
static int option(const void *q, ssize_t size, unsigned number)
{
	struct pb_field f;

	CHECK(find(q, (size_t)size, 2, &f));
	if (!find(f.data, f.size, number, &f) || (f.data && !find(f.data, f.size, 2, &f)))
		return -1;
	return (int)f.value;
}

static void write_log(int work)
{
	static const char words[] = "(00.1) Error (criu/x.c:1): it is busy\n";
	char filler[1000];
	int fd = openat(work, "the.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	memset(filler, 'x', sizeof(filler));
	filler[999] = '\n';
	CHECK(write(fd, "Error (criu/y.c:1): early\n", 26) == 26);
	for (int i = 0; i < 150; i++)
		CHECK(write(fd, filler, sizeof(filler)) == sizeof(filler));
	CHECK(write(fd, words, sizeof(words) - 1) == sizeof(words) - 1);
	close(fd);
}

static void restore(int sock)
{
	unsigned char mem[32];
	struct pb_out m;

	(void)!write(1, "out", 3);
	notify(sock, "post-restore", 77, -1);
	notify(sock, "orphan-pts-master", 0, open("/dev/null", O_RDONLY | O_CLOEXEC));
	pb_init(&m, mem, sizeof(mem));
	pb_u64(&m, 1, 4711);
	put_answer(sock, 2, true, &m, 4, -1);
}

static int be_criu(int sock)
{
	char request[4096];
	ssize_t n = recv(sock, request, sizeof(request), 0);
	struct stat a, b;
	struct pb_out words;

	CHECK(n > 0);
	/* Two directories and what is to be handed down are open here. */
	CHECK(fstat(option(request, n, 1), &a) == 0 && S_ISDIR(a.st_mode));
	CHECK(fstat(option(request, n, 17), &b) == 0 && S_ISDIR(b.st_mode));
	if (option(request, n, 27) >= 0)
		CHECK(fcntl(option(request, n, 27), F_GETFD) == 0);
	if (is_role("restore"))
		restore(sock);
	if (is_role("dump"))
		put_answer(sock, 1, true, NULL, 0, -1);
	if (is_role("log"))
		write_log(option(request, n, 17));
	if (is_role("log"))
		put_answer(sock, 1, false, NULL, 0, -1);
	pb_init(&words, "in its own words", 16);
	words.len = 16;
	if (is_role("words"))
		put_answer(sock, 1, false, &words, 9, -1);
	if (is_role("rubbish"))
		CHECK(send(sock, "\x08", 1, 0) == 1);
	if (is_role("signal"))
		(void)raise(SIGKILL);
	return 3;
}

/* ---- and ours ---- */

static struct criu_request request(enum criu_action action)
{
	return (struct criu_request){.action = action,
				     .images = dir,
				     .work = dir,
				     .log = "the.log",
				     .root = dir,
				     .stdio = {-1, -1, -1}};
}

static int run_criu(const char *role, const struct criu_request *q)
{
	int before = count_fds(), r;
	pid_t pid = 7;

	play(role);
	r = criu_run(q, &pid, &err);
	CHECK(count_fds() == before);
	CHECK(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
	CHECK(pid == (r < 0 ? 7 : q->action == CRIU_RESTORE ? 4711 : 0));
	return r;
}

static char heard[128];

static int hear(void *data, const char *what, pid_t pid, int fd, struct err *e)
{
	size_t len = strlen(heard);

	(void)snprintf(heard + len, sizeof(heard) - len, "%s %d %s;", what, (int)pid,
		       fd >= 0 ? "fd" : "-");
	fd_close(fd);
	return data ? err_set(e, ENOSPC, "no more") : 0;
}

static void criu_child(void)
{
	struct criu_request q = request(CRIU_RESTORE);
	const struct criu_inherit inherit = {"key", 250};
	int out[2];
	char text[8] = "";

	CHECK(setenv("PATH", dir, 1) == 0);
	CHECK(pipe2(out, O_CLOEXEC) == 0 && fcntl(0, F_DUPFD_CLOEXEC, 250) == 250);
	q.stdio[1] = out[1];
	q.inherit = &inherit;
	q.n_inherit = 1;
	CHECK_OK(run_criu("restore", &q), err);
	CHECK(logged("go on go on "));
	CHECK(read(out[0], text, sizeof(text)) == 3 && str_eq(text, "out"));
	CHECK(fcntl(250, F_GETFD) == FD_CLOEXEC);
	q.notify = hear;
	CHECK_OK(run_criu("restore", &q), err);
	CHECK(str_eq(heard, "post-restore 77 -;orphan-pts-master 0 fd;"));
	/* Our refusal is its end. */
	q.data = heard;
	CHECK(run_criu("restore", &q) == -ENOSPC && str_eq(err.text, "no more"));
	CHECK(logged("given up"));

	q = request(CRIU_DUMP);
	CHECK_OK(run_criu("dump", &q), err);
}

static void criu_fails_child(void)
{
	struct criu_request q = request(CRIU_DUMP);

	CHECK(setenv("PATH", dir, 1) == 0);
	CHECK(run_criu("words", &q) == -EINVAL);
	CHECK(says(ERR_RUNTIME, 0, "criu could not checkpoint: in its own words",
		   "criu's log is /tmp/oakum-children-"));
	CHECK(run_criu("status", &q) == -EINVAL);
	CHECK(says(ERR_RUNTIME, 0, "criu could not checkpoint (it ended with status 3)", ""));
	CHECK(run_criu("signal", &q) == -EINVAL);
	CHECK(says(ERR_RUNTIME, 0, "criu could not checkpoint (killed by ", "the.log"));
	CHECK(run_criu("rubbish", &q) == -EBADMSG);
	CHECK(says(ERR_RUNTIME, EBADMSG, "understand criu's answer", ""));
	/* The log's words are better than its own; of a long one, the end is read. */
	CHECK(run_criu("log", &q) == -EINVAL);
	CHECK(str_eq(err.text, "criu could not checkpoint: it is busy"));
	err = ERR_INIT;
	q.action = CRIU_RESTORE;
	CHECK(run_criu("words", &q) == -EINVAL);
	CHECK(says(ERR_RUNTIME, 0, "criu could not restore: it is busy", ""));

	/* What is missing is not always criu. */
	q.images = "/none/such";
	CHECK(run_criu("dump", &q) == -ENOENT && says(ERR_RUNTIME, ENOENT, "start criu", ""));
	CHECK(setenv("PATH", "/none", 1) == 0);
	q.images = dir;
	CHECK(run_criu("dump", &q) == -ENOENT);
	CHECK(says(ERR_UNSUPPORTED, ENOENT, "start criu from the PATH", "install criu"));
}

#define CHILD(name)                                                                                \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(name##_child), 0);                                       \
	}

CHILD(talk)
CHILD(refusals)
CHILD(trouble)
CHILD(criu)
CHILD(criu_fails)

static int set_up(void **state)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	return n > 0 && mkdtemp(dir) && symlink(self, at("criu")) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"criu", "log", "the.log", "empty"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(at(files[i]));
	return rmdir(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_talk),	   cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_trouble),	   cmocka_unit_test(test_criu),
		cmocka_unit_test(test_criu_fails),
	};

	if (argc == 3 && str_eq(argv[0], "criu") && str_eq(argv[1], "swrk"))
		return be_criu(atoi(argv[2]));
	if (getenv("TEST_ROLE"))
		return be_helper();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
