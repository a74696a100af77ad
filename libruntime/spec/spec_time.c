/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "linux.timeOffsets": a clock each. Whether there is a namespace for them is spec_check.c's. */
#include "base/str.h"
#include "spec/spec_read.h"

static const char *const clocks[SPEC_CLOCK_COUNT] = {
	[SPEC_CLOCK_MONOTONIC] = "monotonic",
	[SPEC_CLOCK_BOOTTIME] = "boottime",
};

/* KTIME_SEC_MAX: the kernel counts nanoseconds in 63 bits. */
#define MAX_SECS 9223372036

static const struct spec_int secs_range = {.type = SPEC_I64, .min = -MAX_SECS, .max = MAX_SECS};
static const struct spec_int nanosecs_range = {.type = SPEC_U32, .max = 999999999};

static const struct spec_field offset_fields[] = {
	{"secs", spec_read_int, offsetof(struct spec_time_offset, secs), &secs_range, 0},
	{"nanosecs", spec_read_int, offsetof(struct spec_time_offset, nanosecs), &nanosecs_range,
	 0},
	{NULL, NULL, 0, NULL, 0},
};

const char *spec_clock_name(enum spec_clock clock)
{
	return clocks[clock];
}

void spec_read_time_offsets(struct spec_reading *r, const struct json *j, void *out,
			    const void *arg)
{
	struct spec_time_offset *all = out;

	(void)arg;
	if (!spec_is(r, j, JSON_OBJECT, JSON_MAX_ITEMS))
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		int i = 0;

		while (i < SPEC_CLOCK_COUNT && !str_eq(clocks[i], c->key))
			i++;
		if (i == SPEC_CLOCK_COUNT) {
			spec_fail(r, c, "expected the clock monotonic or boottime");
			continue;
		}
		if (c->type == JSON_NULL)
			continue;
		all[i].set = true;
		spec_read_fields(r, c, &all[i], offset_fields);
	}
}
