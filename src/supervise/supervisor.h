/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process behind `oakum up`: launch.c makes it and the container, loop.c is its life,
 * relay.c moves the container's bytes, client.c serves the attached. One thread, and
 * from the moment the container runs no heap.
 */
#ifndef OAKUM_SUPERVISE_SUPERVISOR_H
#define OAKUM_SUPERVISE_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "oakum.h"
#include "supervise/exit_record.h"
#include "supervise/logfile.h"
#include "supervise/message.h"
#include "supervise/ring.h"

struct err;

/* The service manager that `up` was started by. */
struct supervise_notify {
	const char *socket;	/* NOTIFY_SOCKET, or NULL: none */
	bool container;		/* what the container says is passed on, READY=1 above all; else it
				   gets no socket, and who runs it speaks for it */
	pid_t main_pid;		/* of the unit, as it knows now: `up` */
	uint64_t watchdog_usec; /* it wants to hear WATCHDOG=1 that often; 0: it does not */
};

struct supervise_options {
	struct oakum_options handle; /* ->root absolute: the supervisor leaves the directory */
	const char *id;
	struct oakum_create create;
	char *config_text; /* what create.config_text points to, or NULL; freed in the supervisor's
			      copy */
	char *cgroup;	   /* what create.cgroup or ->cgroup_default points to, or NULL */
	enum logfile_driver driver;
	const char *log_path; /* of LOGFILE_FILE */
	bool remove;	      /* --rm */
	bool foreground;      /* `up` stays as the first client */
	bool mute[3];	      /* but has no use for this stream's output, [1] or [2] */
	bool interactive;     /* stdin stays open for clients to come */
	bool unit; /* `up` is the main process of a systemd unit. Which signal stops it, and when it
		      has had its time, is the unit's to say. After --detach the supervisor is a
		      child of the service manager, which sees how that new main process ends */
	struct winsize size; /* of the user's terminal; zeroes: unknown */
	struct supervise_notify notify;
};

/* The maker's side of a supervisor that has just been forked. Both descriptors are the caller's. */
struct supervise_child {
	pid_t pid;
	int pidfd;
	int sock; /* STARTED or FAILED comes here; in the foreground then what any client gets */
};

/* Fork the supervisor. 0 in the caller, never returns in the child; < 0 with @err. */
int supervise_launch(const struct supervise_options *options, struct supervise_child *ret,
		     struct err *err);

/* What the rest of this header holds is only for the supervisor's own files. */

#define CLIENTS_MAX 32
#define CLIENT_RING (256u << 10)
/*
 * The first client's output is never dropped while the container lives; when it has died, what two
 * pipes of the largest ordinary size (1 MiB) may still hold has to fit.
 */
#define CLIENT_RING_FIRST (4u << 20)
#define CLIENT_HOLD	  (64u << 10) /* queued for the first client: stop reading the container */
#define READ_SIZE	  (64u << 10)

enum state { STATE_RUNNING, STATE_STOPPING, STATE_DRAINING, STATE_GONE, STATE_COUNT };

enum event {
	EVENT_OUTPUT,	  /* the container has written, or closed; index: the stream */
	EVENT_INPUT_ROOM, /* its stdin takes more */
	EVENT_ENDED,	  /* its first process has ended */
	EVENT_CONNECT,	  /* somebody attaches */
	EVENT_CLIENT,	  /* a client sends, or takes more; index: the client */
	EVENT_SIGNAL,	  /* the supervisor got SIGTERM or SIGINT; in a unit also another */
	EVENT_EMPTY,	  /* nobody may live in the cgroup any more: no action but count_first() */
	EVENT_NOTIFY,	  /* the container says something to its NOTIFY_SOCKET */
	EVENT_DEADLINE,	  /* ->deadline_ms has passed */
	EVENT_COUNT,
};

struct client {
	int fd;		/* -1: a free slot */
	bool first;	/* `up` in the foreground: the container waits for it, as for a pipe */
	bool output[3]; /* wants it: [1], [2] */
	bool greeted;	/* has said HELLO, or need not */
	bool exit_due;	/* EXIT is to follow what is queued */
	bool done_due;	/* INPUT_DONE could not be sent yet */
	char *memory;	/* of the ring and the input, mapped at the first need */
	struct ring ring;
	uint64_t lost; /* bytes dropped and not told of yet */
	char *input;   /* input_size bytes wait, input_at of them are written */
	uint32_t input_size, input_at;
};

/* Pages that are given back when nothing happens. */
struct scratch {
	char read[READ_SIZE];
	char format[LOGFILE_BUFFER];
	struct message message;
};

struct supervisor {
	const struct supervise_options *options;
	enum state state;
	int epoll, hold, listener, signals;
	int dir; /* the state directory */
	int pidfd;
	int output[3];	  /* [1], [2]: FIFOs, or the terminal's master as [1]; -1: closed */
	int input;	  /* FIFO, or a second descriptor of the master; -1: closed */
	int terminal;	  /* the master, or -1 */
	int notify;	  /* what the container notifies comes here, or -1 */
	bool output_held; /* not reading: the first client is behind */
	bool input_armed; /* waiting for EVENT_INPUT_ROOM */
	bool dirty;	  /* scratch pages were used since the last quiet moment */
	int64_t deadline_ms;
	int64_t watchdog_ms; /* when WATCHDOG=1 is due */
	pid_t pid;
	struct logfile log;
	struct exit_record exit;
	struct oakum_oom *oom; /* NULL: nobody counts */
	struct scratch *scratch;
	struct client clients[CLIENTS_MAX];
};

/* loop.c: from a running container to nothing. */
void loop_run(struct supervisor *s);
/* Watch @fd for @event; epoll's own errno as -errno. */
int loop_watch(struct supervisor *s, int fd, uint32_t epoll_events, enum event event,
	       unsigned index);
int loop_change(struct supervisor *s, int fd, uint32_t epoll_events, enum event event,
		unsigned index);

/* manager.c: all of it goes nowhere where there is no service manager. */
/* Who it is to hear of from now on. */
void manager_begin(struct supervisor *s);
/* What the container has said. */
void manager_relay(struct supervisor *s);
/* WATCHDOG=1, where that is due: when it is next. */
void manager_watchdog(struct supervisor *s);
/* How it ended. In the foreground `up` says that, after its READY=1. */
void manager_exit(struct supervisor *s);
#define MANAGER_TEXT_SIZE 96
void manager_exit_text(bool known, int status, int signal, char *ret, size_t size);

/* relay.c */
void relay_output(struct supervisor *s, unsigned stream);
/* Everything that is still there; says if the end of all streams was seen. */
bool relay_drain(struct supervisor *s);
/* Stop or resume reading the container, as the first client's queue demands. */
void relay_hold(struct supervisor *s);
/* Write what @c sent: true when all of it has been passed on (or there is nowhere to). */
bool relay_input(struct supervisor *s, struct client *c, const char *data, size_t size);
void relay_input_room(struct supervisor *s);
void relay_input_eof(struct supervisor *s);

/* client.c */
void client_init(struct client *c);
/* Take over @fd as a client (non-blocking). NULL: all slots are in use, @fd stays the caller's. */
struct client *client_add(struct supervisor *s, int fd);
/* Let in who waits at the control socket. False: nobody. */
bool client_connect(struct supervisor *s);
void client_event(struct supervisor *s, unsigned index, uint32_t epoll_events);
void client_output(struct supervisor *s, int stream, const char *data, size_t size);
void client_input_done(struct supervisor *s, struct client *c);
/* Tell everyone how it ended, after what is queued for them. */
void client_exit(struct supervisor *s);
/* Somebody still has to be told something. */
bool client_any(const struct supervisor *s);
void client_drop(struct supervisor *s, struct client *c);
/* Give back the queues' pages that hold nothing. */
void client_trim(struct supervisor *s);

#endif
