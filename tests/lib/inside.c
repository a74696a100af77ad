/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clang-format off */
/*
 * What the tests run inside containers where busybox cannot say enough. Static; nothing of oakum's.
 *
 *	inside fds              one line a descriptor: number, space, readlink
 *	inside errno NR [A…]    make the system call, print its result or the errno's number
 *	inside keyring          the description of the session keyring
 *	inside ids              uid, gid and groups as the kernel has them
 *	inside tty              whether 0-2 are terminals, ONLCR, rows and columns
 *	inside exit N           exit with N
 *	inside signal N         die of signal N
 *	inside ignore           ignore TERM, INT and HUP and wait
 *	inside open PATH FLAGS  open with r, w or rw; print "ok" or the errno's number
 *	inside listen           print LISTEN_FDS, LISTEN_PID and its own pid
 *	inside clock            the clocks monotonic and boottime, in whole seconds
 *	inside mute DIR FD      mount on DIR a file system that never answers, FD being of /dev/fuse; print
 *	                        "ok" or the errno's number, and hold it until stdin ends
 *	inside trace PID [exit] trace PID, print "ok", let go when stdin ends; never wait for it.
 *	                        exit: it stops on its way out, which SIGKILL does not end
 *	inside bomb             fork whenever the kernel allows it; all but the first end at times, to be
 *	                        followed by a child, so that no number lasts
 *	inside fill N           write N lines of 80 bytes, numbered
 *	inside sched            policy, nice, priority, reset-on-fork, I/O class and priority,
 *	                        memory mode and nodes, personality, as the kernel has them
 *	inside recvfd SOCKET    listen on SOCKET, take one descriptor, print what it is, copy it to
 *	                        stdout until end of file (a console socket's other end; also
 *	                        used outside)
 *	inside recvpid SOCKET   the same for a pidfd: print the pid it stands for
 *	inside connect SOCKET   connect and print "ok" or the errno's number
 *	inside grab N           N rounds over /proc: open each other process's exe, mem and fd
 *	                        directory; print how many could be opened for writing or listed
 *	inside notified SOCK N  take N datagrams, print each as a line ('@NAME': abstract)
 *	inside notify TEXT      send TEXT ('|': new line; BARRIER: with a pipe) to $NOTIFY_SOCKET
 */
/* clang-format on */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int answer(long r)
{
	if (r < 0)
		printf("%d\n", errno);
	else
		printf("ok\n");
	return r < 0;
}

static int fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	if (!d)
		return 1;
	while ((e = readdir(d))) {
		char target[4096];
		ssize_t n;

		if (e->d_name[0] == '.' || atoi(e->d_name) == dirfd(d))
			continue;
		n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		printf("%s %.*s\n", e->d_name, (int)(n < 0 ? 0 : n), target);
	}
	closedir(d);
	return 0;
}

static int ids(void)
{
	gid_t groups[65536];
	int n = getgroups(65536, groups);

	printf("uid=%u gid=%u groups=", getuid(), getgid());
	for (int i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", groups[i]);
	printf("\n");
	return 0;
}

static int keyring(void)
{
	char text[512] = "";

	if (syscall(SYS_keyctl, 6 /* KEYCTL_DESCRIBE */, -3 /* session */, text, sizeof(text)) < 0)
		return answer(-1);
	puts(text);
	return 0;
}

static int tty(void)
{
	struct winsize w = {0};
	struct termios t;

	printf("tty %d %d %d\n", isatty(0), isatty(1), isatty(2));
	if (tcgetattr(0, &t) == 0)
		printf("onlcr %d\n", !!(t.c_oflag & ONLCR));
	if (ioctl(0, TIOCGWINSZ, &w) == 0)
		printf("rows %u columns %u\n", w.ws_row, w.ws_col);
	return 0;
}

static int at(const char *path, struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(a->sun_path))
		return -1;
	memcpy(a->sun_path, path, strlen(path));
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int receive(const char *path, int as_pid)
{
	char c[CMSG_SPACE(sizeof(int))], text[512], buffer[4096], *pid;
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text) - 1};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof(c)};
	struct sockaddr_un a;
	int s, k, fd, info;
	struct cmsghdr *h;
	ssize_t n;

	/* Whoever finds the socket can connect to it. */
	snprintf(buffer, sizeof(buffer), "%s~", path);
	s = at(buffer, &a);
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s, 1) < 0 ||
	    rename(buffer, path) < 0)
		return answer(-1);
	k = accept(s, NULL, NULL);
	n = k < 0 ? -1 : recvmsg(k, &m, 0);
	h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	if (!h || h->cmsg_type != SCM_RIGHTS)
		return answer(-1);
	memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	unlink(path);
	if (as_pid) {
		snprintf(buffer, sizeof(buffer), "/proc/self/fdinfo/%d", fd);
		info = open(buffer, O_RDONLY);
		n = read(info, buffer, sizeof(buffer) - 1);
		buffer[n > 0 ? n : 0] = '\0';
		pid = strstr(buffer, "\nPid:");
		printf("%d\n", pid ? atoi(pid + 5) : -1);
		return 0;
	}
	printf("terminal %d\n", isatty(fd));
	fflush(stdout);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(1, buffer, (size_t)n) != n)
			return 1;
	return 0;
}

static int join(const char *path)
{
	struct sockaddr_un a;
	int s = at(path, &a);

	return answer(s < 0 ? -1 : connect(s, (struct sockaddr *)&a, sizeof(a)));
}

/* '@' stands for an abstract name. */
static socklen_t datagram_address(const char *name, struct sockaddr_un *a)
{
	size_t n = strlen(name);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (n >= sizeof(a->sun_path))
		return 0;
	memcpy(a->sun_path, name, n);
	if (name[0] == '@')
		a->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] != '@'));
}

/* N datagrams, a line each. The descriptors that came with them are closed when they are read. */
static int notified(const char *name, int n)
{
	struct sockaddr_un a;
	socklen_t len = datagram_address(name, &a);
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (name[0] != '@')
		unlink(name);
	if (s < 0 || bind(s, (struct sockaddr *)&a, len) < 0)
		return answer(-1);
	for (int i = 0; i < n; i++) {
		char text[8192];
		ssize_t got = recv(s, text, sizeof(text) - 1, 0);

		for (ssize_t k = 0; k < got; k++)
			if (text[k] == '\n')
				text[k] = '|';
		printf("%.*s\n", (int)(got < 0 ? 0 : got), text);
		fflush(stdout);
	}
	if (name[0] != '@')
		unlink(name);
	return 0;
}

static void attach_fd(struct msghdr *m, char *control, size_t size, int fd)
{
	struct cmsghdr *h;

	m->msg_control = control;
	m->msg_controllen = size;
	h = CMSG_FIRSTHDR(m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(int));
}

/* To $NOTIFY_SOCKET; the barrier is passed when all other ends of the pipe are closed. */
static int notify(const char *text)
{
	const char *name = getenv("NOTIFY_SOCKET");
	char c[CMSG_SPACE(sizeof(int))] = {0}, copy[8192];
	struct iovec iov = {.iov_base = copy};
	struct sockaddr_un a;
	struct msghdr m = {.msg_name = &a, .msg_iov = &iov, .msg_iovlen = 1};
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), ends[2];
	bool barrier = strcmp(text, "BARRIER") == 0;
	struct pollfd p = {.events = 0};

	if (!name || pipe(ends) < 0)
		return 3;
	snprintf(copy, sizeof(copy), "%s", barrier ? "BARRIER=1" : text);
	iov.iov_len = strlen(copy);
	for (size_t k = 0; k < iov.iov_len; k++)
		if (copy[k] == '|')
			copy[k] = '\n';
	m.msg_namelen = datagram_address(name, &a);
	if (barrier)
		attach_fd(&m, c, sizeof(c), ends[1]);
	if (sendmsg(s, &m, 0) < 0)
		return answer(-1);
	close(ends[1]);
	p.fd = ends[0];
	if (barrier && poll(&p, 1, 10000) != 1)
		return 4;
	return answer(0);
}

static long try_one(const char *pid, const char *what, int flags)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/proc/%.200s/%s", pid, what);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

/* Another process of ours has our own executable; what counts is a stranger's, the runtime's. */
static int grab(long rounds)
{
	long exe = 0, mem = 0, fd = 0;

	for (long i = 0; i < rounds; i++) {
		DIR *d = opendir("/proc");
		struct dirent *e;

		while (d && (e = readdir(d))) {
			char link[256], path[300];
			ssize_t n;

			if (e->d_name[0] < '0' || e->d_name[0] > '9' || atoi(e->d_name) == getpid())
				continue;
			snprintf(path, sizeof(path), "/proc/%.200s/exe", e->d_name);
			n = readlink(path, link, sizeof(link) - 1);
			link[n < 0 ? 0 : n] = '\0';
			if (n < 0 || !strstr(link, "oakum"))
				continue;
			exe += try_one(e->d_name, "exe", O_RDWR);
			mem += try_one(e->d_name, "mem", O_RDWR);
			fd += try_one(e->d_name, "fd", O_RDONLY | O_DIRECTORY);
		}
		if (d)
			closedir(d);
	}
	printf("exe %ld mem %ld fd %ld\n", exe, mem, fd);
	return 0;
}

static int fill(long n)
{
	for (long i = 0; i < n; i++)
		printf("%010ld %068d\n", i, 0);
	return fflush(stdout) == 0 ? 0 : 1;
}

static void bomb(void)
{
	pid_t first = getpid();

	signal(SIGCHLD, SIG_IGN);
	for (unsigned int n = 0;; n++)
		if (fork() > 0 && n % 4 == 3 && getpid() != first)
			_exit(0);
}

static int listen_env(void)
{
	const char *fds_ = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");

	printf("LISTEN_FDS=%s LISTEN_PID=%s pid=%d\n", fds_ ? fds_ : "-", pid ? pid : "-",
	       getpid());
	return 0;
}

static void ignore(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	puts("ignoring");
	fflush(stdout);
	for (;;)
		pause();
}

static int sched(void)
{
	struct {
		unsigned size, policy;
		unsigned long long flags;
		int nice;
		unsigned priority;
		unsigned long long runtime, deadline, period;
	} a = {.size = sizeof(a)};
	unsigned long nodes[16] = {0};
	int mode = -1, io = (int)syscall(SYS_ioprio_get, 1, 0);

	syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0);
	if (syscall(SYS_get_mempolicy, &mode, nodes, 1024, NULL, 0) < 0)
		mode = -1;
	printf("policy=%u nice=%d priority=%u flags=%llu runtime=%llu io=%d:%d memory=%d:%lx "
	       "personality=%lx\n",
	       a.policy, a.nice, a.priority, a.flags, a.runtime, io >> 13, io & 0x1fff, mode,
	       nodes[0], syscall(SYS_personality, 0xffffffff));
	return 0;
}

static int clocks(void)
{
	struct timespec a, b;

	if (clock_gettime(CLOCK_MONOTONIC, &a) < 0 || clock_gettime(CLOCK_BOOTTIME, &b) < 0)
		return answer(-1);
	printf("%lld %lld\n", (long long)a.tv_sec, (long long)b.tv_sec);
	return 0;
}

static int open_one(const char *path, const char *how)
{
	return answer(open(path, strcmp(how, "rw") == 0 ? O_RDWR
				 : how[0] == 'w'	? O_WRONLY
							: O_RDONLY));
}

static int mute(const char *dir, int fd)
{
	char data[80];

	snprintf(data, sizeof(data), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	printf(mount("mute", dir, "fuse", 0, data) < 0 ? "%d\n" : "ok\n", errno);
	fflush(stdout);
	while (read(0, data, 1) > 0)
		;
	return 0;
}

static int trace(pid_t pid, long options)
{
	char c;

	if (ptrace(PTRACE_SEIZE, pid, NULL, options) < 0)
		return answer(-1);
	puts("ok");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *one = argc > 2 ? argv[2] : "0";

	if (strcmp(what, "fds") == 0)
		return fds();
	if (strcmp(what, "errno") == 0)
		return answer(syscall(atol(one), argc > 3 ? strtol(argv[3], NULL, 0) : 0,
				      argc > 4 ? strtol(argv[4], NULL, 0) : 0,
				      argc > 5 ? strtol(argv[5], NULL, 0) : 0,
				      argc > 6 ? strtol(argv[6], NULL, 0) : 0));
	if (strcmp(what, "keyring") == 0)
		return keyring();
	if (strcmp(what, "ids") == 0)
		return ids();
	if (strcmp(what, "tty") == 0)
		return tty();
	if (strcmp(what, "sched") == 0)
		return sched();
	if (strcmp(what, "clock") == 0)
		return clocks();
	if (strcmp(what, "exit") == 0)
		return atoi(one);
	if (strcmp(what, "signal") == 0) {
		raise(atoi(one));
		pause();
	}
	if (strcmp(what, "ignore") == 0)
		ignore();
	if (strcmp(what, "open") == 0 && argc > 3)
		return open_one(one, argv[3]);
	if (strcmp(what, "listen") == 0)
		return listen_env();
	if (strcmp(what, "bomb") == 0)
		bomb();
	if (strcmp(what, "fill") == 0)
		return fill(atol(one));
	if (strcmp(what, "mute") == 0 && argc > 3)
		return mute(one, atoi(argv[3]));
	if (strcmp(what, "trace") == 0)
		return trace(atoi(one), argc > 3 ? PTRACE_O_TRACEEXIT : 0);
	if (strcmp(what, "recvfd") == 0)
		return receive(one, 0);
	if (strcmp(what, "recvpid") == 0)
		return receive(one, 1);
	if (strcmp(what, "connect") == 0)
		return join(one);
	if (strcmp(what, "notified") == 0 && argc > 3)
		return notified(one, atoi(argv[3]));
	if (strcmp(what, "notify") == 0)
		return notify(one);
	if (strcmp(what, "grab") == 0)
		return grab(atol(one));
	fprintf(stderr, "inside: unknown: %s\n", what);
	return 2;
}
