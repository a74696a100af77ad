/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of restore, one file each. */
#ifndef OAKUM_RUN_RESTORE_H
#define OAKUM_RUN_RESTORE_H

struct creation;

/*
 * criu gives the options of a mount to the first one of those that show one file system of the
 * host's, and forgets the others': a read-only bind may have become writable. While the restored
 * processes do not run yet, what was forbidden when they were saved is forbidden again.
 */
int restore_protect(struct creation *c, int images);

#endif
