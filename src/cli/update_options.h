/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of `update` as the JSON that --resources takes, so that both go through one door.
 * Private to src/cli. */
#ifndef OAKUM_CLI_UPDATE_OPTIONS_H
#define OAKUM_CLI_UPDATE_OPTIONS_H

struct command_context;
struct strbuf;

/* "linux.resources" and "linux.intelRdt" of what was given; empty where nothing was. 0, or an exit
 * status after the error has been printed. */
int update_options(struct command_context *c, struct strbuf *limits, struct strbuf *rdt);

#endif
