/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate's two sides; see gate.h. */
#include "run/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "run/state.h"
#include "run/sync.h"

/* The first byte on a connection; the lowest two bits of START are which descriptors come. */
enum { START = 'p', LOOK = 'l' };

/* A path through the directory's descriptor: sun_path is too short for the real one. */
static void put_path(int dir, char *ret, size_t size)
{
	snprintf(ret, size, "/proc/self/fd/%d/" STATE_GATE, dir);
}

int gate_listen(int dir, struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	put_path(dir, a.sun_path, sizeof(a.sun_path));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0)
		return err_set(err, errno, "make the start gate");
	if (fchmodat(dir, STATE_GATE, 0600, 0) < 0)
		return err_set(err, errno, "make the start gate private");
	return fd_take(&fd);
}

/* Each in a message of its own, and the root last. */
static void show(int fd, int proc)
{
	AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < NS_KINDS; i++) {
		AUTO_CLOSE int ns = -1;
		char path[32];
		struct strbuf b;

		strbuf_init(&b, path, sizeof(path));
		strbuf_add(&b, "self/ns/");
		strbuf_add(&b, ns_file_name(ns_kind_at(i)));
		ns = openat(proc, path, O_RDONLY | O_CLOEXEC);
		if (ns >= 0)
			sync_send(fd, SYNC_NAMESPACE, (int64_t)i, ns);
	}
	sync_send(fd, SYNC_ROOT, 0, root);
}

/* The byte says what is wanted and, for a start, which of the two are there. */
static bool receive(int fd, int proc, int ret[2])
{
	int fds[2] = {-1, -1}, n = 2, at = 0;
	char said = 0;

	if (io_recv_fds(fd, &said, 1, fds, &n) != 1)
		return false;
	if (said == LOOK)
		show(fd, proc);
	for (int i = 0; i < 2; i++)
		ret[i] = (said & (1 << i)) && at < n ? fds[at++] : -1;
	return said != LOOK;
}

int gate_wait(int listener, int proc, int ret_passed[2], struct err *err)
{
	AUTO_CLOSE int fd = -1;

	for (;;) {
		fd_replace(&fd, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
		if (fd < 0 && errno == EINTR)
			continue;
		if (fd < 0)
			return err_set(err, errno, "wait at the start gate");
		/* A start that was killed between connect and send has not started anything. */
		if (receive(fd, proc, ret_passed))
			return fd_take(&fd);
	}
}

static int knock(int fd, const int passed[2])
{
	char which = START;
	int fds[2], n = 0;

	for (int i = 0; i < 2; i++) {
		which |= (char)(passed[i] >= 0 ? 1 << i : 0);
		if (passed[i] >= 0)
			fds[n++] = passed[i];
	}
	return io_send_fds(fd, &which, 1, fds, n);
}

/* 0 and the connection in *@ret; GATE_CLOSED; -errno. */
static int connect_gate(int dir, int *ret)
{
	char path[64];
	int fd;

	put_path(dir, path, sizeof(path));
	fd = io_connect(path, SOCK_SEQPACKET, CLOCK_FOREVER);
	if (fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

static int failed(int r, const char *what, struct err *err)
{
	if (r == -ENOENT || r == -ECONNREFUSED || r == -EPIPE || r == -ECONNRESET)
		return GATE_CLOSED;
	return err_set(err, -r, "%s", what);
}

int gate_open(int dir, const int passed[2], int *ret, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r = connect_gate(dir, &fd);

	if (r == 0)
		r = knock(fd, passed);
	if (r < 0)
		return failed(r, "open the start gate", err);
	*ret = fd_take(&fd);
	return 0;
}

static int receive_view(int fd, int64_t deadline_ms, struct gate_view *view, struct err *err)
{
	for (;;) {
		struct sync_message m;
		int got, r = sync_receive(fd, &m, &got, deadline_ms, err);

		if (r != 0)
			return r == SYNC_GONE ? GATE_CLOSED : r;
		if (m.type == SYNC_NAMESPACE && m.value >= 0 && m.value < NS_KINDS)
			fd_replace(&view->ns[m.value], got);
		else
			fd_replace(&view->root, got);
		if (m.type == SYNC_ROOT)
			return 0;
	}
}

int gate_look(int dir, int64_t deadline_ms, struct gate_view *ret, struct err *err)
{
	struct gate_view view = GATE_VIEW_NONE;
	const char look = LOOK;
	AUTO_CLOSE int fd = -1;
	int r = connect_gate(dir, &fd);

	if (r == 0)
		r = io_send_fds(fd, &look, 1, NULL, 0);
	r = r < 0 ? failed(r, "look behind the start gate", err)
		  : receive_view(fd, deadline_ms, &view, err);
	if (r == 0)
		*ret = view;
	else
		gate_view_close(&view);
	return r;
}

void gate_view_close(struct gate_view *view)
{
	for (size_t i = 0; i < NS_KINDS; i++)
		fd_replace(&view->ns[i], -1);
	fd_replace(&view->root, -1);
}
