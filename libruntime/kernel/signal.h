/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signal state that a process starts with. */
#ifndef OAKUM_KERNEL_SIGNAL_H
#define OAKUM_KERNEL_SIGNAL_H

/*
 * All signals to their default, none blocked: what a program expects to be born with.
 * CLONE_CLEAR_SIGHAND leaves ignored signals ignored, and execve(2) hands them on. The child calls
 * it.
 */
void signal_reset(void);

/*
 * SIGHUP, SIGINT, SIGQUIT and SIGTERM end this process with status 128 + N, until signal_reset().
 * Their default action would not, in the first process of a pid namespace (pid_namespaces(7)). The
 * child calls it.
 */
void signal_obey(void);

#endif
