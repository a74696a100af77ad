/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sd_notify(3) across the border of a container. Inside is a socket of our own, in a tmpfs that has
 * no other name than the container's mount, so that it goes with the container; what comes to it is
 * read by whoever has its descriptor, and what a service may say of itself is passed on to the
 * host's.
 */
#ifndef OAKUM_KERNEL_NOTIFY_SOCKET_H
#define OAKUM_KERNEL_NOTIFY_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct rootfs;

#define NOTIFY_NAME "notify"

/* Mount it on the directory @dir inside (made when missing). The receiving descriptor, or < 0 with
 * @err. The child calls it. */
int notify_socket_make(struct rootfs *root, const char *dir, struct err *err);

/* What @host is where nothing can be sent to it: it is neither an absolute path nor '@' and an
 * abstract name, or too long. NULL: it can be sent to. */
const char *notify_socket_bad(const char *host);

/* Answers of notify_socket_relay(), as bits. */
enum {
	NOTIFY_EMPTY = 0, /* nothing was there */
	NOTIFY_TAKEN = 1, /* one datagram was read; it may have been of no concern to the host */
	NOTIFY_READY = 2, /* it had READY=1 */
};

/* Who is told, and as whose word. */
struct notify_host {
	const char *path; /* a good one, or NULL: nobody */
	pid_t main_pid;	  /* added to READY=1 as MAINPID; 0: nothing is */
	pid_t sender;	  /* named as the sender where we may (SCM_CREDENTIALS of unix(7), for which
			     CAP_SYS_ADMIN is needed), for a manager that listens to the main process
			     of a unit alone; 0: ourselves */
	bool patient;	  /* notify_socket_tell() waits for room whatever is told */
};

/*
 * Read one datagram from @from, if there is one, and send what the host may know to @host: a
 * service's state, never another's pid, descriptors or access. "BARRIER=1" goes with its
 * descriptor. Waits for room at the host only for what changes the state, at most 5 s. NOTIFY_*
 * bits; < 0 with @err where the host could not be told.
 */
int notify_socket_relay(int from, const struct notify_host *host, struct err *err);

/* Tell @host something of our own, waiting for room in the same way. 0 or < 0 with @err. */
int notify_socket_tell(const struct notify_host *host, const char *text, struct err *err);

/* Does somebody listen there? 0 or < 0 with @err. */
int notify_socket_look(const struct notify_host *host, struct err *err);

/* Wait until the host has read all that was sent before (sd_notify_barrier(3)), at most until
 * @deadline_ms. 0 or < 0 with @err. */
int notify_socket_barrier(const struct notify_host *host, int64_t deadline_ms, struct err *err);

#endif
