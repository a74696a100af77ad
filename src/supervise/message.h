/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a supervisor and its clients say to each other, over AF_UNIX SOCK_SEQPACKET: one message
 * is one packet, a header and up to MESSAGE_MAX bytes. Numbers are in the machine's byte order:
 * both ends are this program on this machine.
 *
 * A client begins with HELLO and is answered by WELCOME; the one that made the supervisor
 * (`up`) needs no HELLO and is told STARTED or FAILED. A client sends its next INPUT only after
 * INPUT_DONE, so that a container that does not read its input holds up nothing else: SIGNAL and
 * WINSIZE are always taken at once. EXIT is the last message.
 */
#ifndef OAKUM_SUPERVISE_MESSAGE_H
#define OAKUM_SUPERVISE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define MESSAGE_VERSION	  1
#define MESSAGE_MAX	  (32u << 10)
#define MESSAGE_INPUT_MAX (16u << 10)

enum message_type {
	MESSAGE_HELLO = 1,  /* client: struct message_hello */
	MESSAGE_WELCOME,    /* supervisor: struct message_hello */
	MESSAGE_STARTED,    /* supervisor: the program runs */
	MESSAGE_FAILED,	    /* supervisor: struct message_failure */
	MESSAGE_OUTPUT,	    /* supervisor: bytes; ->stream is 1 or 2 */
	MESSAGE_LOST,	    /* supervisor: uint64_t, bytes of output this client did not get */
	MESSAGE_EXIT,	    /* supervisor: struct message_exit */
	MESSAGE_INPUT,	    /* client: bytes, at most MESSAGE_INPUT_MAX */
	MESSAGE_INPUT_DONE, /* supervisor: the last INPUT has been passed on */
	MESSAGE_INPUT_EOF,  /* client: no more input comes */
	MESSAGE_WINSIZE,    /* client: struct message_winsize */
	MESSAGE_REFUSED,    /* supervisor: instead of WELCOME: no room, or not for this user */
	MESSAGE_SIGNAL,	    /* client: int32_t, for the container's first process */
};

/* Flags of HELLO (what the client wants) and WELCOME (what there is). */
enum {
	MESSAGE_WANTS_OUTPUT = 1,
	MESSAGE_HAS_TERMINAL = 2,
	MESSAGE_HAS_INPUT = 4,
};

struct message_head {
	uint8_t type, stream;
	uint16_t reserved;
	uint32_t size;
};

struct message_hello {
	uint32_t version, flags;
};

struct message_exit {
	int32_t status;	   /* of exit(3), 0 if killed */
	int32_t signal;	   /* that killed it, or 0 */
	int32_t known;	   /* 0: nobody saw the status */
	int32_t oom_kills; /* -1: nobody counted */
};

struct message_winsize {
	uint16_t rows, columns;
};

/* The words of a creation that failed. */
struct message_failure {
	int32_t kind, code;
	char hint[160];
	char text[4096]; /* lines, separated by newlines */
};

struct message {
	struct message_head head;
	char data[MESSAGE_MAX];
};

#define MESSAGE_FULL 1

/*
 * Send one message; neither blocks nor raises SIGPIPE unless @fd blocks. 0; MESSAGE_FULL: the
 * peer's queue is full, nothing was sent; -errno.
 */
int message_send(int fd, enum message_type type, uint8_t stream, const void *data, size_t size);

/* As message_send() for a message already in memory, in two pieces. */
int message_send_raw(int fd, const struct iovec iov[2]);

/*
 * Receive one well-formed message. Size of its data, -ENOTCONN when the peer is gone,
 * -EAGAIN on a non-blocking socket without one, -EPROTO for a malformed one, -errno.
 */
ssize_t message_recv(int fd, struct message *ret);

/* Copy a payload of exactly @size bytes. 0 or -EPROTO. */
int message_get(const struct message *m, void *ret, size_t size);

#endif
