/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that end an attachment and not the container: "ctrl-p,ctrl-q". */
#ifndef OAKUM_SUPERVISE_KEYS_H
#define OAKUM_SUPERVISE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#define KEYS_DEFAULT "ctrl-p,ctrl-q"
#define KEYS_MAX     8

struct keys {
	unsigned char sequence[KEYS_MAX];
	size_t count;	/* 0: no such keys */
	size_t matched; /* typed so far, and held back */
};

/*
 * Keys separated by commas: one character, or ctrl-X with X one of a-z @ [ \ ] ^ _; "" for none.
 * 0 or -EINVAL.
 */
int keys_parse(const char *text, struct keys *ret);

/*
 * Pass @in to @out (room for @size + KEYS_MAX bytes) without what may be the start of the
 * sequence. True when it is complete; *@ret_size bytes are to be passed on in both cases.
 */
bool keys_feed(struct keys *k, const char *in, size_t size, char *out, size_t *ret_size);

#endif
