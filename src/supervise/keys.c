/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sequence of keys found in what is typed, across reads. */
#include "supervise/keys.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* One key of @len bytes. Its byte, or -EINVAL. */
static int parse_key(const char *text, size_t len)
{
	char c;

	if (len == 1)
		return (unsigned char)text[0];
	if (len != 6 || !str_starts(text, "ctrl-"))
		return -EINVAL;
	c = text[5];
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 1;
	if (c == '@' || (c >= '[' && c <= '_'))
		return c - '@';
	return -EINVAL;
}

int keys_parse(const char *text, struct keys *ret)
{
	struct keys k = {.count = 0};

	while (*text) {
		size_t len = strcspn(text, ",");
		int key = parse_key(text, len);

		if (key < 0 || k.count == KEYS_MAX)
			return -EINVAL;
		k.sequence[k.count++] = (unsigned char)key;
		text += len;
		if (*text == ',' && !*++text)
			return -EINVAL;
	}
	*ret = k;
	return 0;
}

/* Take @c into what is held back; what can no longer begin the sequence goes to @out. Bytes put
 * there. */
static size_t feed_one(struct keys *k, char c, char *out)
{
	unsigned char held[KEYS_MAX];
	size_t n = 0;

	memcpy(held, k->sequence, k->matched);
	held[k->matched++] = (unsigned char)c;
	while (k->matched > 0 && memcmp(held + n, k->sequence, k->matched) != 0) {
		out[n] = (char)held[n];
		n++;
		k->matched--;
	}
	return n;
}

bool keys_feed(struct keys *k, const char *in, size_t size, char *out, size_t *ret_size)
{
	size_t n = 0;

	if (k->count == 0) {
		memcpy(out, in, size);
		*ret_size = size;
		return false;
	}
	for (size_t i = 0; i < size && k->matched < k->count; i++)
		n += feed_one(k, in[i], out + n);
	*ret_size = n;
	return k->matched == k->count;
}
