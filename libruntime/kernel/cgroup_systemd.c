/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The runtime's side of the systemd helper: start it, ask it, never wait for it beyond a deadline.
 */
#include "kernel/cgroup_systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/str.h"
#include "kernel/signal.h"
#include "kernel/systemd_message.h"

/* The helper's own deadline is the earlier one: its words say more than our silence. */
#define GRACE_MS 500

extern char **environ;

bool cgroup_systemd_built(void)
{
	return OAKUM_SYSTEMD_HELPER[0] != '\0';
}

static const char *helper_path(void)
{
	const char *path = getenv(CGROUP_SYSTEMD_HELPER_ENV);

	return path && path[0] == '/' ? path : OAKUM_SYSTEMD_HELPER;
}

static int64_t wait_until(int64_t deadline_ms)
{
	const char *text = getenv(CGROUP_SYSTEMD_WAIT_ENV);
	uint64_t wait = CGROUP_SYSTEMD_WAIT_MS;
	int64_t end;

	if (text)
		(void)str_to_u64(text, 1, 3600000, &wait);
	end = clock_deadline((int64_t)wait);
	return deadline_ms < end ? deadline_ms : end;
}

static _Noreturn void become_helper(const char *path, int sock, pid_t parent)
{
	struct systemd_answer answer = {.version = SYSTEMD_MESSAGE_VERSION};
	char *argv[] = {(char *)path, NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(127);
	signal_reset();
	/* Ours must not be one of the numbers it is to have. */
	if (sock <= SYSTEMD_HELPER_FD)
		sock = fcntl(sock, F_DUPFD_CLOEXEC, SYSTEMD_HELPER_FD + 1);
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
	}
	if (dup2(sock, SYSTEMD_HELPER_FD) == SYSTEMD_HELPER_FD &&
	    fd_close_from(SYSTEMD_HELPER_FD + 1) == 0)
		execve(path, argv, environ);
	answer.result = -errno;
	(void)send(SYSTEMD_HELPER_FD, &answer, sizeof(answer), MSG_NOSIGNAL);
	_exit(127);
}

static int launch(struct cgroup_systemd *s, struct err *err)
{
	const char *path = helper_path();
	pid_t parent = getpid();
	int pair[2], code;

	if (!cgroup_systemd_built()) {
		err_hint(err, "use --cgroup-manager=cgroupfs, or build it with libsystemd");
		return err_kind(err, ERR_UNSUPPORTED, 0,
				"the systemd cgroup manager is not in this build of oakum");
	}
	if (access(path, X_OK) < 0) {
		err_hint(err, "install it, or name it in " CGROUP_SYSTEMD_HELPER_ENV);
		return err_kind(err, ERR_UNSUPPORTED, errno, "the systemd helper %s", path);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a socket for the systemd helper");
	s->pid = fork();
	code = errno;
	if (s->pid == 0)
		become_helper(path, pair[1], parent);
	close(pair[1]);
	if (s->pid < 0) {
		close(pair[0]);
		return err_set(err, code, "fork for the systemd helper");
	}
	s->sock = pair[0];
	return 0;
}

void cgroup_systemd_close(struct cgroup_systemd *s)
{
	if (s->sock < 0)
		return;
	fd_replace(&s->sock, -1);
	(void)proc_end(s->pid, -1);
	s->pid = 0;
}

/* The request with its strings as one message; its size, or < 0 with @err. */
static ssize_t pack(char *mem, const struct systemd_request *q, const char *unit,
		    const char *const *properties, size_t n, struct err *err)
{
	size_t at = sizeof(*q);

	memcpy(mem, q, sizeof(*q));
	for (size_t i = 0; unit && i <= n; i++) {
		const char *text = i ? properties[i - 1] : unit;
		size_t len = strlen(text) + 1;

		if (len > SYSTEMD_MESSAGE_MAX - at)
			return err_kind(err, ERR_CONFIG, E2BIG,
					"more properties of %s than fit into %u bytes", unit,
					SYSTEMD_MESSAGE_MAX);
		memcpy(mem + at, text, len);
		at += len;
	}
	return (ssize_t)at;
}

static int silent(const char *what, struct err *err)
{
	err_hint(err, "is systemd busy? `systemctl list-jobs` and `busctl status` say; then try "
		      "again");
	return err_set(err, ETIMEDOUT, "%s: no answer from systemd", what);
}

static int receive(struct cgroup_systemd *s, const char *what, int64_t deadline_ms,
		   struct systemd_answer *ret, struct err *err)
{
	ssize_t n;
	int r = io_poll_until(s->sock, POLLIN, deadline_ms);

	if (r == 0)
		return silent(what, err);
	n = r < 0 ? r : recv(s->sock, ret, sizeof(*ret), MSG_DONTWAIT);
	/* It has not even read what we asked; the kernel says that once, before the answer that it
	 * may have left. */
	if (r > 0 && n < 0 && errno == ECONNRESET)
		n = recv(s->sock, ret, sizeof(*ret), MSG_DONTWAIT);
	if (n == 0)
		return err_set(err, EPIPE, "%s: the systemd helper has ended unexpectedly", what);
	if (n < 0)
		return err_set(err, r < 0 ? -r : errno, "%s: hear from the systemd helper", what);
	if ((size_t)n != sizeof(*ret) || ret->version != SYSTEMD_MESSAGE_VERSION)
		return err_kind(err, ERR_UNSUPPORTED, EPROTO,
				"%s: the systemd helper %s is of another version of oakum", what,
				helper_path());
	ret->path[sizeof(ret->path) - 1] = '\0';
	ret->text[sizeof(ret->text) - 1] = '\0';
	ret->hint[sizeof(ret->hint) - 1] = '\0';
	return 0;
}

static int refused(const struct systemd_answer *a, const char *what, struct err *err)
{
	if (a->hint[0])
		err_hint(err, "%s", a->hint);
	if (!a->text[0])
		return err_kind(err, ERR_UNSUPPORTED, -a->result, "execute the systemd helper %s",
				helper_path());
	return err_kind(err, (enum err_kind)a->kind, a->code, "%s: %s", what, a->text);
}

/* One request and its answer: ->result >= 0, or < 0 with @err. @what begins the message. */
static int ask(struct cgroup_systemd *s, struct systemd_request *q, const char *unit,
	       const char *const *properties, size_t n, const char *what,
	       struct systemd_answer *ret, struct err *err)
{
	AUTO_FREE char *mem = malloc(SYSTEMD_MESSAGE_MAX);
	int64_t deadline = wait_until(q->deadline_ms);
	ssize_t size;
	int r;

	if (!mem)
		return err_set(err, ENOMEM, "%s", what);
	s->property = false;
	q->version = SYSTEMD_MESSAGE_VERSION;
	q->deadline_ms = deadline;
	size = pack(mem, q, unit, properties, n, err);
	if (size < 0)
		return (int)size;
	if (send(s->sock, mem, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EPIPE)
		return err_set(err, errno, "%s: tell the systemd helper", what);
	/* After EPIPE as well: it may have said why. */
	r = receive(s, what, deadline < INT64_MAX - GRACE_MS ? deadline + GRACE_MS : deadline, ret,
		    err);
	if (r < 0)
		return r;
	s->property = ret->result < 0 && ret->property;
	return ret->result < 0 ? refused(ret, what, err) : ret->result;
}

int cgroup_systemd_open(struct cgroup_systemd *s, bool user, int64_t deadline_ms, struct err *err)
{
	struct systemd_request q = {
		.verb = SYSTEMD_HELLO, .deadline_ms = deadline_ms, .user = user};
	struct systemd_answer a;
	int r = launch(s, err);

	if (r < 0)
		return r;
	r = ask(s, &q, NULL, NULL, 0, user ? "connect to the user's systemd" : "connect to systemd",
		&a, err);
	if (r < 0) {
		cgroup_systemd_close(s);
		return r;
	}
	s->version = a.systemd;
	snprintf(s->root, sizeof(s->root), "%s", a.path);
	return 0;
}

static int misplaced(struct cgroup_systemd *s, const char *unit, const char *path,
		     const char *found, int64_t deadline_ms, struct err *err)
{
	struct err ignored = ERR_INIT;

	(void)cgroup_systemd_stop(s, unit, true, deadline_ms, &ignored);
	err_hint(err, "a drop-in may move it: systemctl cat %s", unit);
	return err_kind(err, ERR_UNSUPPORTED, 0,
			"systemd has put %s into cgroup \"%s\", not into %s", unit, found, path);
}

int cgroup_systemd_start(struct cgroup_systemd *s, const char *unit, const char *path,
			 const char *const *properties, size_t n, int64_t deadline_ms,
			 struct err *err)
{
	struct systemd_request q = {.verb = SYSTEMD_START, .deadline_ms = deadline_ms};
	struct systemd_answer a;
	char what[320];
	int r;

	snprintf(what, sizeof(what), "start %s", unit);
	r = ask(s, &q, unit, properties, n, what, &a, err);
	if (r == SYSTEMD_IN_USE) {
		err_hint(err, "`systemctl status %s` shows whose it is", unit);
		err_kind(err, ERR_STATE, EEXIST, "start %s: systemd has a unit of that name", unit);
		return CGROUP_SYSTEMD_IN_USE;
	}
	if (r >= 0 && !str_eq(a.path, path))
		return misplaced(s, unit, path, a.path, deadline_ms, err);
	return r;
}

int cgroup_systemd_release(struct cgroup_systemd *s, int64_t deadline_ms, struct err *err)
{
	struct systemd_request q = {.verb = SYSTEMD_RELEASE, .deadline_ms = deadline_ms};
	struct systemd_answer a;

	return ask(s, &q, NULL, NULL, 0, "leave the scope to the container", &a, err);
}

int cgroup_systemd_set(struct cgroup_systemd *s, const char *unit, const char *const *properties,
		       size_t n, int64_t deadline_ms, struct err *err)
{
	struct systemd_request q = {.verb = SYSTEMD_SET, .deadline_ms = deadline_ms};
	struct systemd_answer a;
	char what[320];

	if (n == 0)
		return 0;
	snprintf(what, sizeof(what), "set properties of %s", unit);
	return ask(s, &q, unit, properties, n, what, &a, err);
}

int cgroup_systemd_attach(struct cgroup_systemd *s, const char *unit, const char *sub, pid_t pid,
			  int64_t deadline_ms, struct err *err)
{
	struct systemd_request q = {.verb = SYSTEMD_ATTACH, .deadline_ms = deadline_ms, .pid = pid};
	struct systemd_answer a;
	char what[320];

	snprintf(what, sizeof(what), "move process %d into %s", pid, unit);
	return ask(s, &q, unit, &sub, sub ? 1 : 0, what, &a, err);
}

int cgroup_systemd_stop(struct cgroup_systemd *s, const char *unit, bool ours, int64_t deadline_ms,
			struct err *err)
{
	struct systemd_request q = {.verb = ours ? SYSTEMD_STOP : SYSTEMD_STOP_EMPTY,
				    .deadline_ms = deadline_ms};
	struct systemd_answer a;
	char what[320];
	int r;

	snprintf(what, sizeof(what), "stop %s", unit);
	r = ask(s, &q, unit, NULL, 0, what, &a, err);
	return r < 0 ? r : r == SYSTEMD_IN_USE ? CGROUP_SYSTEMD_IN_USE : 0;
}
