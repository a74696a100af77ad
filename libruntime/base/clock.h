/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time: deadlines are absolute CLOCK_MONOTONIC milliseconds. */
#ifndef OAKUM_BASE_CLOCK_H
#define OAKUM_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_FOREVER INT64_MAX

/* Now, in ms of CLOCK_MONOTONIC. The child may call it. */
int64_t clock_now_ms(void);

/* Now + @ms, saturating; @ms < 0 or CLOCK_FOREVER gives CLOCK_FOREVER. */
int64_t clock_deadline(int64_t ms);

/* What is left until @deadline_ms for poll(2): 0…INT_MAX, or -1 for CLOCK_FOREVER. */
int clock_poll_ms(int64_t deadline_ms);

/* A timerfd(2) on this clock, non-blocking and the caller's: readable after @first_us (0: not
 * before clock_timer_set() says when), then every @interval_us (0: once). Or -errno. */
int clock_timer(int64_t first_us, int64_t interval_us);
/* Set it anew. 0 or -errno. */
int clock_timer_set(int fd, int64_t first_us, int64_t interval_us);

/* CLOCK_REALTIME as RFC 3339 with nanoseconds in UTC: "2026-11-23T13:05:59.123456789Z". */
#define CLOCK_TEXT_SIZE 40
void clock_text(char buf[CLOCK_TEXT_SIZE]);

/* The parse of such a text (fraction and offset optional): ns since the epoch, or -1. */
int64_t clock_parse(const char *text);

#endif
