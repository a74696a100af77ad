/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ring of bytes that keeps the borders of messages by their own headers. */
#include "supervise/ring.h"

#include <string.h>

#include "supervise/message.h"

void ring_init(struct ring *r, char *memory, size_t size)
{
	*r = (struct ring){.memory = memory, .size = size};
}

size_t ring_used(const struct ring *r)
{
	return r->head - r->tail;
}

static void put_bytes(struct ring *r, const void *data, size_t size)
{
	size_t at = r->head & (r->size - 1);
	size_t first = r->size - at < size ? r->size - at : size;

	if (size == 0)
		return;
	memcpy(r->memory + at, data, first);
	memcpy(r->memory, (const char *)data + first, size - first);
	r->head += size;
}

static size_t front_size(const struct ring *r)
{
	struct message_head head;
	size_t at = r->tail & (r->size - 1);
	size_t first = r->size - at < sizeof(head) ? r->size - at : sizeof(head);

	memcpy(&head, r->memory + at, first);
	memcpy((char *)&head + first, r->memory, sizeof(head) - first);
	return sizeof(head) + head.size;
}

bool ring_put(struct ring *r, const void *head, const void *data, size_t size)
{
	if (r->size - ring_used(r) < sizeof(struct message_head) + size)
		return false;
	put_bytes(r, head, sizeof(struct message_head));
	put_bytes(r, data, size);
	return true;
}

bool ring_front(const struct ring *r, struct iovec ret[2])
{
	size_t at = r->tail & (r->size - 1), size, first;

	if (ring_used(r) == 0)
		return false;
	size = front_size(r);
	first = r->size - at < size ? r->size - at : size;
	ret[0] = (struct iovec){r->memory + at, first};
	ret[1] = (struct iovec){r->memory, size - first};
	return true;
}

void ring_pop(struct ring *r)
{
	r->tail += front_size(r);
}
