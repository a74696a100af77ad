/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bounded queue of messages for one client that does not read as fast as the container
 * writes. Whole messages only, in the memory the caller gives (its size a power of two).
 */
#ifndef OAKUM_SUPERVISE_RING_H
#define OAKUM_SUPERVISE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct ring {
	char *memory;
	size_t size;	   /* power of two */
	size_t head, tail; /* bytes ever put and taken */
};

void ring_init(struct ring *r, char *memory, size_t size);

/* Bytes queued. */
size_t ring_used(const struct ring *r);

/* Queue one message: header (struct message_head) and data. False if it does not fit: nothing is
 * queued. */
bool ring_put(struct ring *r, const void *head, const void *data, size_t size);

/* The oldest message as one or two pieces (the second may be empty). False: none. */
bool ring_front(const struct ring *r, struct iovec ret[2]);
/* Forget the oldest message. */
void ring_pop(struct ring *r);

#endif
