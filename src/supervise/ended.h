/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for the end of a container, from any process: by its supervisor, its exit record or its
 * pidfd. */
#ifndef OAKUM_SUPERVISE_ENDED_H
#define OAKUM_SUPERVISE_ENDED_H

#include "supervise/exit_record.h"

struct err;
struct oakum;
struct oakum_state;

enum {
	ENDED_DONE = 0,
	ENDED_LIBRARY = 1, /* the library failed; its words are in the handle */
};

/*
 * Hold the container's first process: *@ret_pidfd is the caller's, or -1 when it has ended.
 * ENDED_DONE, ENDED_LIBRARY or < 0 with @err.
 */
int ended_hold(struct oakum *o, const char *id, int *ret_pidfd, struct err *err);

/*
 * Block until the container has ended. ENDED_DONE: ->status, ->signal and ->known of @ret;
 * ENDED_LIBRARY; < 0 with @err.
 */
int ended_wait(struct oakum *o, const char *id, struct exit_record *ret, struct err *err);

#endif
