/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both ends of a container's notifications; see notify_socket.h. */
#include "kernel/notify_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
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
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/mount.h"
#include "kernel/mount_fs.h"
#include "kernel/mount_tree.h"
#include "kernel/rootfs.h"

#define MESSAGE_MAX 4096 /* as systemd takes them */
#define PATIENCE_S  5

/* ---- inside ---- */

#define ATTR (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const struct mount_op tmpfs_op = {
	.kind = MOUNT_FS,
	.target = "the notify socket",
	.source = "notify",
	.type = "tmpfs",
	.data = "nr_inodes=4,size=4k,mode=755",
};

/* A path through the directory's descriptor. */
static int listen_in(int dir, struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char link[FD_PATH_SIZE];
	struct strbuf b;

	strbuf_init(&b, a.sun_path, sizeof(a.sun_path));
	strbuf_add(&b, fd_path(dir, link));
	strbuf_add(&b, "/" NOTIFY_NAME);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    fchmodat(dir, NOTIFY_NAME, 0666, 0) < 0)
		return err_set(err, errno, "make the notify socket");
	return fd_take(&fd);
}

/* Without the new mount API: attached first, filled then. */
static int make_old(struct rootfs *root, const char *dir, int target, int *ret_mount)
{
	int r = mount_tree_new_old(tmpfs_op.source, target, "tmpfs", mount_tree_ms_flags(ATTR),
				   tmpfs_op.data);

	if (r == 0)
		r = *ret_mount = mount_tree_reopen(root, dir, target);
	return r < 0 ? r : 0;
}

int notify_socket_make(struct rootfs *root, const char *dir, struct err *err)
{
	static const struct mount_change protect = {.set = MOUNT_ATTR_RDONLY};
	AUTO_CLOSE int target = path_mkdirs(root->fd, dir);
	AUTO_CLOSE int mount = -1, sock = -1;
	bool attached;
	int r;

	if (target < 0) {
		err_hint(err,
			 "let the root filesystem have that directory, or unset NOTIFY_SOCKET");
		return err_set(err, -target, "make %s for the notify socket", dir);
	}
	r = mount_fs_make(&tmpfs_op, "", ATTR, &mount, err);
	if (r < 0)
		return r;
	attached = r == MOUNT_FS_OLD;
	if (attached && (r = make_old(root, dir, target, &mount)) < 0)
		return err_set(err, -r, "mount the notify socket on %s", dir);
	sock = listen_in(mount, err);
	if (sock < 0)
		return sock;
	r = attached ? 0 : mount_tree_attach(mount, target);
	/* A socket can be sent to on a read-only mount; a file cannot be made there. */
	if (r == 0)
		r = mount_tree_change(mount, &protect);
	return r < 0 ? err_set(err, -r, "mount the notify socket on %s", dir) : fd_take(&sock);
}

/* ---- outside ---- */

struct address {
	struct sockaddr_un a;
	socklen_t len;
};

static bool host_address(const char *host, struct address *ret)
{
	size_t n = strlen(host);

	if ((host[0] != '/' && host[0] != '@') || n < 2 || n >= sizeof(ret->a.sun_path))
		return false;
	*ret = (struct address){.a = {.sun_family = AF_UNIX}};
	memcpy(ret->a.sun_path, host, n);
	if (host[0] == '@')
		ret->a.sun_path[0] = '\0';
	ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (host[0] == '/'));
	return true;
}

const char *notify_socket_bad(const char *host)
{
	struct address ignored;

	if (host_address(host, &ignored))
		return NULL;
	if ((host[0] == '/' || host[0] == '@') && host[1])
		return "longer than an address can be";
	return "neither a path nor an abstract name";
}

/* What a service may say of itself, as conmon and systemd's own containers let it. Pids,
 * descriptors and who else may speak are the host's affair. */
static bool may_pass(const char *line, size_t n)
{
	static const char *const whole[] = {"READY=1",	  "RELOADING=1",      "STOPPING=1",
					    "WATCHDOG=1", "WATCHDOG=trigger", NULL};
	static const char *const begins[] = {
		"STATUS=",
		"ERRNO=",
		"BUSERROR=",
		"EXIT_STATUS=",
		"MONOTONIC_USEC=",
		"WATCHDOG_USEC=",
		"EXTEND_TIMEOUT_USEC=",
	};

	for (size_t i = 0; whole[i]; i++)
		if (strlen(whole[i]) == n && memcmp(line, whole[i], n) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (n >= strlen(begins[i]) && memcmp(line, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static bool line_is(const char *line, size_t n, const char *what)
{
	return strlen(what) == n && memcmp(line, what, n) == 0;
}

/* What the host must not miss. */
static bool is_state(const char *line, size_t n)
{
	static const char main_pid[] = "MAINPID=";

	return line_is(line, n, "READY=1") || line_is(line, n, "RELOADING=1") ||
	       line_is(line, n, "STOPPING=1") ||
	       (n >= sizeof(main_pid) && memcmp(line, main_pid, sizeof(main_pid) - 1) == 0);
}

static bool has_state(const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "\n");

		if (is_state(text, n))
			return true;
		if (!text[n])
			return false;
		text += n + 1;
	}
}

struct message {
	char text[MESSAGE_MAX + 32];
	struct strbuf b;
	bool ready, state;
};

static void filter(const char *text, size_t size, struct message *m)
{
	const char *end = text + size;

	strbuf_init(&m->b, m->text, sizeof(m->text));
	m->ready = m->state = false;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((nl ? nl : end) - text);

		if (may_pass(text, n) && !memchr(text, '\0', n)) {
			if (m->b.len)
				strbuf_addc(&m->b, '\n');
			strbuf_addn(&m->b, text, n);
			m->ready |= line_is(text, n, "READY=1");
			m->state |= is_state(text, n);
		}
		text += n + 1;
	}
}

/* One datagram with @fd (-1: none) and as @sender (0: ourselves). 0 or -errno. */
static ssize_t send_one(int sock, const char *text, size_t size, int fd, pid_t sender)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	const struct ucred creds = {.pid = sender, .uid = geteuid(), .gid = getegid()};
	struct iovec iov = {(char *)text, size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room};
	struct cmsghdr *c = &control.align;

	if (fd >= 0) {
		*c = (struct cmsghdr){CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
		m.msg_controllen += CMSG_SPACE(sizeof(fd));
		c = (struct cmsghdr *)(void *)(control.room + m.msg_controllen);
	}
	if (sender > 0) {
		*c = (struct cmsghdr){CMSG_LEN(sizeof(creds)), SOL_SOCKET, SCM_CREDENTIALS};
		memcpy(CMSG_DATA(c), &creds, sizeof(creds));
		m.msg_controllen += CMSG_SPACE(sizeof(creds));
	}
	if (m.msg_controllen == 0)
		m.msg_control = NULL;
	return io_send(sock, &m);
}

/* A full queue is the host's trouble; only a change of state is worth a wait. @text: NULL only asks
 * whether somebody is there. */
static int tell(const struct notify_host *host, const char *text, size_t size, int fd, bool wait)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	AUTO_CLOSE int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pid_t sender = host->sender == getpid() ? 0 : host->sender;
	struct address h;
	ssize_t r;

	if (!host_address(host->path, &h))
		return -EINVAL;
	if (sock < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(sock, (struct sockaddr *)&h.a, h.len) < 0)
		return -errno;
	if (!text)
		return 0;
	r = wait ? 0 : fd_nonblock(sock, true);
	if (r == 0)
		r = send_one(sock, text, size, fd, sender);
	/* Not ours to say, or he has gone. */
	if (sender > 0 && (r == -EPERM || r == -ESRCH))
		r = send_one(sock, text, size, fd, 0);
	return r < 0 ? (int)r : 0;
}

int notify_socket_relay(int from, const struct notify_host *host, struct err *err)
{
	char text[MESSAGE_MAX + 1];
	int fd = -1, n_fds = 1, r;
	AUTO_CLOSE int passed = -1;
	struct message m;
	ssize_t n;

	if (io_poll_until(from, POLLIN, 0) <= 0)
		return NOTIFY_EMPTY;
	n = io_recv_fds(from, text, sizeof(text), &fd, &n_fds);
	passed = n >= 0 && n_fds == 1 ? fd : -1;
	if (n <= 0 || n > MESSAGE_MAX || !host->path)
		return NOTIFY_TAKEN;
	filter(text, (size_t)n, &m);
	if (line_is(text, (size_t)n, "BARRIER=1") && passed >= 0) {
		strbuf_add(&m.b, "BARRIER=1");
		m.state = true;
	} else {
		fd_replace(&passed, -1);
	}
	if (m.b.len == 0)
		return NOTIFY_TAKEN;
	if (m.ready && host->main_pid > 0)
		strbuf_fmt(&m.b, "\nMAINPID=%d", host->main_pid);
	r = tell(host, m.text, m.b.len, passed, m.state);
	if (r < 0 && m.state)
		return err_set(err, -r, "tell %s that the container says %s", host->path, m.text);
	return NOTIFY_TAKEN | (m.ready ? NOTIFY_READY : 0);
}

int notify_socket_tell(const struct notify_host *host, const char *text, struct err *err)
{
	int r = host->path ? tell(host, text, strlen(text), -1, host->patient || has_state(text))
			   : 0;

	return r < 0 ? err_set(err, -r, "tell %s %s", host->path, text) : 0;
}

int notify_socket_look(const struct notify_host *host, struct err *err)
{
	int r = host->path ? tell(host, NULL, 0, -1, false) : 0;

	return r < 0 ? err_set(err, -r, "reach %s", host->path) : 0;
}

int notify_socket_barrier(const struct notify_host *host, int64_t deadline_ms, struct err *err)
{
	static const char text[] = "BARRIER=1";
	AUTO_CLOSE int ours = -1, theirs = -1;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	ours = ends[0];
	theirs = ends[1];
	r = tell(host, text, strlen(text), theirs, true);
	if (r < 0)
		return err_set(err, -r, "send to %s", host->path);
	fd_replace(&theirs, -1);
	r = io_poll_until(ours, 0, deadline_ms);
	if (r <= 0)
		return err_set(err, r < 0 ? -r : ETIMEDOUT, "wait for %s to read", host->path);
	return 0;
}
