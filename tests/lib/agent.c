/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A seccomp agent for the tests (config-linux.md, "Seccomp"). Static; nothing of oakum's.
 *
 *	agent SOCKET OUT N continue          let every notified system call go on
 *	agent SOCKET OUT N errno NR ERRNO    answer NR with ERRNO, let all others go on
 *	agent SOCKET OUT N close             take the listener and close it
 *	agent SOCKET OUT N mute              take the listener and answer nothing
 *	agent SOCKET OUT 0 hang              never accept, with a full queue
 *
 * It ends when it has had N listeners and their processes have gone, or by a signal. Each message
 *is a line of OUT, each system call that was notified (its number) a line of OUT.calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_MAX (1 << 20)

struct orders {
	const char *how;
	int nr, error;
	int calls; /* OUT.calls */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int answer(const struct orders *o, int listener)
{
	struct seccomp_notif_resp resp = {0};
	struct seccomp_notif req;

	memset(&req, 0, sizeof(req));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return errno == ENOENT || errno == EINTR ? 0 : -1;
	dprintf(o->calls, "%d\n", req.data.nr);
	resp.id = req.id;
	if (strcmp(o->how, "errno") == 0 && req.data.nr == o->nr)
		resp.error = -o->error;
	else
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	/* ENOENT: the process has been killed meanwhile. */
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) < 0 && errno != ENOENT ? -1 : 0;
}

/* Until all who have the filter are gone. */
static void serve(const struct orders *o, int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};

	if (strcmp(o->how, "close") == 0)
		return;
	for (;;) {
		if (strcmp(o->how, "mute") == 0)
			p.events = 0;
		if (poll(&p, 1, -1) < 0 || (p.revents & (POLLHUP | POLLERR)))
			return;
		if ((p.revents & POLLIN) && answer(o, listener) < 0)
			return;
	}
}

/* One message, all of it: the sender closes the connection behind it. */
static int take(int sock, int out)
{
	static char text[MESSAGE_MAX];
	char control[CMSG_SPACE(16 * sizeof(int))];
	size_t len = 0;
	int listener = -1;

	for (;;) {
		struct iovec iov = {text + len, sizeof(text) - len - 1};
		struct msghdr m = {.msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
		struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

		if (n < 0)
			die("recvmsg");
		if (n == 0)
			break;
		len += (size_t)n;
		if (!c || c->cmsg_type != SCM_RIGHTS)
			continue;
		if (c->cmsg_len != CMSG_LEN(sizeof(int)) || listener >= 0) {
			fprintf(stderr, "agent: not one descriptor\n");
			exit(1);
		}
		memcpy(&listener, CMSG_DATA(c), sizeof(listener));
	}
	text[len] = '\n';
	if (write(out, text, len + 1) != (ssize_t)len + 1)
		die("write");
	return listener;
}

static int listen_at(const char *path, int backlog)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s, backlog) < 0)
		die(path);
	return s;
}

static void fill_queue(const char *path, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s;

	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	do
		s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	while (s >= 0 && connect(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	if (rename(path, name) < 0)
		die(name);
	pause();
}

int main(int argc, char **argv)
{
	struct orders o = {.how = argc > 4 ? argv[4] : ""};
	int s, out, n;
	char name[4096];

	if (argc < 5 || (strcmp(o.how, "errno") == 0 && argc < 7)) {
		fprintf(stderr, "usage: agent SOCKET OUT N HOW\n");
		return 2;
	}
	if (argc >= 7) {
		o.nr = atoi(argv[5]);
		o.error = atoi(argv[6]);
	}
	snprintf(name, sizeof(name), "%s.calls", argv[2]);
	out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	o.calls = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (out < 0 || o.calls < 0)
		die(argv[2]);
	/* Whoever finds the socket finds it as it is to be. */
	snprintf(name, sizeof(name), "%s~", argv[1]);
	s = listen_at(name, strcmp(o.how, "hang") == 0 ? 0 : 16);
	if (strcmp(o.how, "hang") == 0)
		fill_queue(name, argv[1]);
	else if (rename(name, argv[1]) < 0)
		die(argv[1]);
	n = atoi(argv[3]);
	for (int i = 0; i < n; i++) {
		int k = accept4(s, NULL, NULL, SOCK_CLOEXEC), listener;

		if (k < 0)
			die("accept");
		listener = take(k, out);
		close(k);
		if (listener < 0) {
			fprintf(stderr, "agent: no descriptor\n");
			return 1;
		}
		/* Two containers may be served at once. */
		if (fork() == 0) {
			close(s);
			serve(&o, listener);
			_exit(0);
		}
		close(listener);
	}
	close(s);
	unlink(argv[1]);
	while (wait(NULL) > 0)
		;
	return 0;
}
