/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The format of the log, both ways. */
#include "supervise/record.h"

#include <string.h>

#define STREAM_SIZE 7 /* "stdout ", "stderr " */
#define TIME_MIN    20
#define TIME_MAX    39

static const char *const stream_text[] = {
	[RECORD_STDOUT] = "stdout ",
	[RECORD_STDERR] = "stderr ",
};

void record_prefix(struct record_prefix *p, const char *time, int stream)
{
	size_t n = strnlen(time, TIME_MAX);

	memcpy(p->text, time, n);
	p->text[n++] = ' ';
	memcpy(p->text + n, stream_text[stream], STREAM_SIZE);
	p->len = n + STREAM_SIZE;
}

size_t record_format(const struct record_prefix *p, const char *in, size_t in_size, char *out,
		     size_t out_size, size_t *ret_taken)
{
	const size_t extra = p->len + 3; /* "F " and the newline */
	size_t used = 0, taken = 0;

	while (taken < in_size && out_size - used > extra) {
		size_t room = out_size - used - extra, left = in_size - taken;
		const char *newline = memchr(in + taken, '\n', left < room + 1 ? left : room + 1);
		size_t len = newline ? (size_t)(newline - in) - taken : left < room ? left : room;

		/* A line that only lacks room is left for the next buffer, unless it is the first.
		 */
		if (!newline && len < left && used > 0)
			break;
		memcpy(out + used, p->text, p->len);
		used += p->len;
		out[used++] = newline ? 'F' : 'P';
		out[used++] = ' ';
		memcpy(out + used, in + taken, len);
		used += len;
		out[used++] = '\n';
		taken += len + (newline ? 1 : 0);
	}
	*ret_taken = taken;
	return used;
}

bool record_parse(const char *line, size_t len, struct record *ret)
{
	const char *space = memchr(line, ' ', len < TIME_MAX + 1 ? len : TIME_MAX + 1);
	struct record r = {.time = line};
	size_t rest;

	if (!space || space - line < TIME_MIN)
		return false;
	r.time_len = (size_t)(space - line);
	rest = len - r.time_len - 1;
	if (rest < STREAM_SIZE + 2)
		return false;
	if (memcmp(space + 1, stream_text[RECORD_STDOUT], STREAM_SIZE) == 0)
		r.stream = RECORD_STDOUT;
	else if (memcmp(space + 1, stream_text[RECORD_STDERR], STREAM_SIZE) == 0)
		r.stream = RECORD_STDERR;
	else
		return false;
	r.text = space + 1 + STREAM_SIZE;
	/* Other writers of this format add tags after a colon; none of them is ours. */
	if ((r.text[0] != 'F' && r.text[0] != 'P') || r.text[1] != ' ')
		return false;
	r.full = r.text[0] == 'F';
	r.text += 2;
	r.text_len = rest - STREAM_SIZE - 2;
	*ret = r;
	return true;
}
