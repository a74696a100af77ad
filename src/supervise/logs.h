/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Showing a log: what the container wrote to stdout goes to ours, what it wrote to stderr to ours.
 */
#ifndef OAKUM_SUPERVISE_LOGS_H
#define OAKUM_SUPERVISE_LOGS_H

#include <stdbool.h>
#include <stdint.h>

struct err;

#define LOGS_ALL UINT64_MAX

struct logs_options {
	int dir;	/* the state directory */
	int supervisor; /* its pidfd, or -1: nothing will be added any more */
	bool follow, timestamps;
	int64_t since_ns; /* CLOCK_REALTIME; 0: from the beginning */
	void (*warn)(void *data, const char *line);
	void *warn_data;
	uint64_t tail; /* lines, or LOGS_ALL */
};

/* "10m" ago or an RFC 3339 time: ns since the epoch. 0 or -EINVAL. */
int logs_parse_since(const char *text, int64_t *ret);

/* 0, or < 0 with @err. */
int logs_show(const struct logs_options *options, struct err *err);

#endif
