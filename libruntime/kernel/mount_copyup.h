/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tmpcopyup: a new tmpfs filled with what it is going to hide. Within kernel/ only. */
#ifndef OAKUM_KERNEL_MOUNT_COPYUP_H
#define OAKUM_KERNEL_MOUNT_COPYUP_H

struct err;

/*
 * Copy the tree below the directory @from (any descriptor of it) into @to, the root of a mount that
 * nobody else sees: contents, modes and times; owners, extended attributes and device nodes as far
 * as we may. Other mounts below @from stay empty directories. No heap; the child calls it.
 */
int mount_copyup(int from, int to, struct err *err);

#endif
