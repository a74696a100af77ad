/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/pb.h"

#include <errno.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

#define VARINT_BITS 64

void pb_init(struct pb_out *m, void *mem, size_t size)
{
	*m = (struct pb_out){.p = mem, .size = size};
}

static void put(struct pb_out *m, const void *data, size_t size)
{
	if (m->overflow || size > m->size - m->len) {
		m->overflow = true;
		return;
	}
	if (size)
		memcpy(m->p + m->len, data, size);
	m->len += size;
}

static void put_varint(struct pb_out *m, uint64_t value)
{
	do {
		unsigned char byte = (unsigned char)(value & 0x7f);

		value >>= 7;
		if (value)
			byte |= 0x80;
		put(m, &byte, 1);
	} while (value);
}

void pb_u64(struct pb_out *m, unsigned field, uint64_t value)
{
	put_varint(m, (uint64_t)field << 3 | WIRE_VARINT);
	put_varint(m, value);
}

void pb_i64(struct pb_out *m, unsigned field, int64_t value)
{
	pb_u64(m, field, (uint64_t)value);
}

void pb_bytes(struct pb_out *m, unsigned field, const void *data, size_t size)
{
	put_varint(m, (uint64_t)field << 3 | WIRE_BYTES);
	put_varint(m, size);
	put(m, data, size);
}

void pb_text(struct pb_out *m, unsigned field, const char *text)
{
	if (text)
		pb_bytes(m, field, text, strlen(text));
}

void pb_flag(struct pb_out *m, unsigned field, bool on)
{
	if (on)
		pb_u64(m, field, 1);
}

void pb_message(struct pb_out *m, unsigned field, const struct pb_out *inner)
{
	m->overflow |= inner->overflow;
	pb_bytes(m, field, inner->p, inner->len);
}

static int get_varint(struct pb_in *m, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < VARINT_BITS && m->p < m->end; shift += 7) {
		unsigned char byte = *m->p++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		*ret = value;
		return 0;
	}
	return -EBADMSG;
}

static int skip(struct pb_in *m, size_t size)
{
	if (size > (size_t)(m->end - m->p))
		return -EBADMSG;
	m->p += size;
	return 0;
}

int pb_next(struct pb_in *m, struct pb_field *ret)
{
	uint64_t key, size;

	if (m->p == m->end)
		return PB_END;
	if (get_varint(m, &key) < 0 || key >> 3 == 0 || key >> 32)
		return -EBADMSG;
	*ret = (struct pb_field){.number = (unsigned)(key >> 3)};
	switch (key & 7) {
	case WIRE_VARINT:
		return get_varint(m, &ret->value);
	case WIRE_64:
		return skip(m, 8);
	case WIRE_32:
		return skip(m, 4);
	case WIRE_BYTES:
		if (get_varint(m, &size) < 0 || size > (size_t)(m->end - m->p))
			return -EBADMSG;
		ret->data = m->p;
		ret->size = (size_t)size;
		m->p += size;
		return 0;
	}
	return -EBADMSG;
}
