/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GVariant's text format, in which properties come, as values of D-Bus messages: "uint64 5",
 * "[('/dev/null', 'rw')]", "@ay [0x0f]". Maybe types are not D-Bus's and refused.
 */
#ifndef OAKUM_SYSTEMD_GVARIANT_H
#define OAKUM_SYSTEMD_GVARIANT_H

#include <systemd/sd-bus.h>

struct err;

/* Append @text as a variant. 0, or < 0 with @err. */
int gvariant_append(sd_bus_message *m, const char *text, struct err *err);

/* Append the number @text in seconds as a variant of microseconds ("t"). 0, or < 0 with @err. */
int gvariant_append_seconds(sd_bus_message *m, const char *text, struct err *err);

#endif
