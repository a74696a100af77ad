/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The wire format of Protocol Buffers, as far as criu's RPC needs it: integers and byte strings,
 * field by field. Messages within a message are byte strings that are built first. No heap.
 */
#ifndef OAKUM_BASE_PB_H
#define OAKUM_BASE_PB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message under construction in the caller's memory. Overflow is sticky and seen at the end. */
struct pb_out {
	unsigned char *p;
	size_t size, len;
	bool overflow;
};

void pb_init(struct pb_out *m, void *mem, size_t size);
/* Also booleans and enums. */
void pb_u64(struct pb_out *m, unsigned field, uint64_t value);
/* Negative ones take ten bytes, as int32 and int64 do. */
void pb_i64(struct pb_out *m, unsigned field, int64_t value);
void pb_bytes(struct pb_out *m, unsigned field, const void *data, size_t size);
/* No field where @text is NULL. */
void pb_text(struct pb_out *m, unsigned field, const char *text);
/* No field where @on is false. */
void pb_flag(struct pb_out *m, unsigned field, bool on);
/* The finished @inner as a field; its overflow is handed on. */
void pb_message(struct pb_out *m, unsigned field, const struct pb_out *inner);

/* A message being read, and one field of it. */
struct pb_in {
	const unsigned char *p, *end;
};
struct pb_field {
	unsigned number;
	uint64_t value; /* of an integer */
	const unsigned char *data;
	size_t size; /* of a byte string; @data is NULL for integers */
};

/* 0 and *@ret; PB_END; -EBADMSG. */
enum { PB_END = 1 };
int pb_next(struct pb_in *m, struct pb_field *ret);

#endif
