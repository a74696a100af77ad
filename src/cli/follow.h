/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that print until they are told to end. Private to src/cli. */
#ifndef OAKUM_CLI_FOLLOW_H
#define OAKUM_CLI_FOLLOW_H

#include <stdbool.h>

/* Wait until @fd polls readable. False: whoever reads our standard output has gone. */
bool follow_wait(int fd);

#endif
