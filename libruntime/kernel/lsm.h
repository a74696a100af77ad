/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels of the Linux security modules: AppArmor's profiles and SELinux' contexts, by the files
 * below /proc/thread-self/attr (proc_pid_attr(5)). */
#ifndef OAKUM_KERNEL_LSM_H
#define OAKUM_KERNEL_LSM_H

#include <stdbool.h>

struct err;

enum lsm { LSM_APPARMOR, LSM_SELINUX };

/* Is it at work on this host? Asked of the host's /sys: not from within a container. */
bool lsm_enabled(enum lsm which);

/* Everything that is executed from now on gets @label. @proc: procfs_open(). The child calls it. */
int lsm_on_exec(int proc, enum lsm which, const char *label, struct err *err);

/* Keyrings made from now on get @label, "" for the default (SELinux). The child calls it. */
int lsm_keyrings(int proc, const char *label, struct err *err);

#endif
