/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What asks a container to end. */
#ifndef OAKUM_CLI_STOP_SIGNAL_H
#define OAKUM_CLI_STOP_SIGNAL_H

struct command_context;
struct oakum_state;

#define STOP_SIGNAL_ANNOTATION "org.opencontainers.image.stopSignal"

/* The signal that the annotation names; SIGTERM where there is none, and with a warning where it
 * is no signal. */
int stop_signal_of(struct command_context *c, const struct oakum_state *state);

#endif
