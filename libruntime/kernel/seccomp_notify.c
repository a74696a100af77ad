/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filter with a listener: how the descriptor gets out of a process whose every system call may
 * already wait for the one who is to have it. The process does two write(2)s to eventfds, which a
 * profile cannot have notified; an unfiltered thread of it does the rest and ends. Taking the
 * descriptor from outside (pidfd_getfd(2)) would need the rights of a debugger, which Yama and user
 * namespaces deny.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/sys.h"
#include "kernel/seccomp_priv.h"

#define STACK_SIZE  (64u << 10)
#define FULL	    (UINT64_MAX - 1) /* one more and a write to the eventfd waits for a reader */
#define NO_LISTENER (UINT64_C(1) << 32)

/* ---- in the process ---- */

/* The thread. It shares errno with the filtered one, which stands in a system call all the while.
 */
static int carry(void *arg)
{
	struct seccomp_messenger *m = arg;
	uint64_t n = 0;

	if (read(m->told, &n, sizeof(n)) == sizeof(n) && n < NO_LISTENER) {
		int listener = (int)(n - 1);

		if (m->take(m->data, listener) < 0)
			(void)syscall(SYS_exit_group, 1);
		(void)close(listener);
		(void)!read(m->turnstile, &n, sizeof(n));
	}
	(void)syscall(SYS_exit, 0);
	return 0;
}

int seccomp_messenger_start(struct seccomp_messenger *m, struct err *err)
{
	const int flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	uint64_t full = FULL;
	char *stack;

	m->told = eventfd(0, EFD_CLOEXEC);
	m->turnstile = eventfd(0, EFD_CLOEXEC);
	if (m->told < 0 || m->turnstile < 0 ||
	    write(m->turnstile, &full, sizeof(full)) != sizeof(full))
		return err_set(err, errno, "make an eventfd");
	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return err_set(err, errno, "map the stack of a thread");
	if (clone(carry, stack + STACK_SIZE, flags, m) >= 0)
		return 0;
	if (errno == EAGAIN)
		err_hint(err,
			 "a limit on tasks has to leave room for one while the process starts");
	return err_set(err, errno, "make a thread for the seccomp listener");
}

/* Both of these writes may be the last system calls that succeed. */
static int pass(const struct seccomp_messenger *m, uint64_t what)
{
	static const uint64_t one = 1;

	if (write(m->told, &what, sizeof(what)) != sizeof(what))
		return -errno;
	if (what < NO_LISTENER && write(m->turnstile, &one, sizeof(one)) != sizeof(one))
		return -errno;
	return 0;
}

int seccomp_install_listener(const struct seccomp_filter *f, struct seccomp_messenger *m,
			     bool optional, struct err *err)
{
	struct sock_fprog program = {.len = (unsigned short)f->n, .filter = f->insns};
	unsigned flags = f->flags | f->listener_flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	int r;

	if (fd >= 0) {
		r = pass(m, (uint64_t)fd + 1);
		return r < 0 ? err_set(err, -r, "hand the seccomp listener over") : 0;
	}
	r = errno;
	(void)pass(m, NO_LISTENER);
	if (optional && r != EACCES)
		return seccomp_install(f, err);
	if (r == EACCES)
		err_hint(err, "without noNewPrivileges a filter needs CAP_SYS_ADMIN");
	if (r == EBUSY)
		err_hint(err, "the kernel takes one listener: a filter of the caller's has one");
	return err_set(err, r, "install the seccomp filter of %zu instructions with a listener",
		       f->n);
}

/* ---- outside ---- */

#define NO_AGENT "failed to connect with seccomp agent"

int seccomp_agent_look(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, errno, NO_AGENT " %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ENOTSOCK, NO_AGENT " %s", path);
	return 0;
}

/* The stream's first bytes carry the descriptor. */
static int send_all(int sock, const char *text, size_t size, int listener, int64_t deadline_ms)
{
	int r = fd_nonblock(sock, true);
	size_t sent = 0;

	while (r == 0 && sent < size) {
		ssize_t n = io_send_some(sock, text + sent, size - sent, &listener, sent == 0);

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		if (n != -EAGAIN)
			return n == 0 ? -EIO : (int)n;
		r = io_poll_until(sock, POLLOUT, deadline_ms);
		r = r < 0 ? r : r == 0 ? -ETIMEDOUT : 0;
	}
	return r;
}

int seccomp_agent_send(const char *path, const void *text, size_t size, int listener,
		       int64_t deadline_ms, struct err *err)
{
	AUTO_CLOSE int sock = io_connect(path, SOCK_STREAM, deadline_ms);
	int r;

	if (sock < 0)
		return err_set(err, -sock, NO_AGENT " %s", path);
	r = send_all(sock, text, size, listener, deadline_ms);
	return r < 0 ? err_set(err, -r, "send the seccomp listener to the agent at %s", path) : 0;
}
