/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a container to its supervisor's control socket, never to that of a recycled pid. */
#ifndef OAKUM_SUPERVISE_CONNECT_H
#define OAKUM_SUPERVISE_CONNECT_H

#include <stdint.h>

struct err;
struct oakum_state;

struct connection {
	int sock;  /* blocking */
	int pidfd; /* of the supervisor */
};

enum { CONNECT_DONE = 0, CONNECT_NONE = 1 };

/* CONNECT_DONE: both descriptors are the caller's. CONNECT_NONE: it has no supervisor (any more). <
 * 0: @err. */
int connect_open(const struct oakum_state *state, struct connection *ret, struct err *err);

/* Introduce oneself; *@ret_flags are those of WELCOME. CONNECT_DONE, CONNECT_NONE, or < 0 with
 * @err. */
int connect_hello(const struct connection *c, uint32_t flags, uint32_t *ret_flags, struct err *err);

/* Close both; wait first (2 s at most) for the supervisor's end if @to_end. */
void connect_close(struct connection *c, int to_end);

#endif
