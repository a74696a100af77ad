/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of the kernel's numbers: one table of each. No system calls, no heap; the child may call
 * all. */
#ifndef OAKUM_BASE_NAMES_H
#define OAKUM_BASE_NAMES_H

/* "CAP_CHOWN"; NULL where there is none. Static storage. */
const char *names_capability(int cap);
/* Of "CAP_SYS_ADMIN", "sys_admin"; -1: no such name. */
int names_capability_number(const char *name);

/* "SIGTERM", "SIGRTMIN+3"; NULL where there is none (the C library keeps 32 and 33). Static
 * storage. */
const char *names_signal(int sig);
/* Of "TERM", "SIGTERM", "term", "15", "0", "RTMIN+3", "SIGRTMAX-1"; -EINVAL. @text may be NULL. */
int names_signal_number(const char *text);

#define NAMES_TEXT 24

/* For messages: the name, or "signal 33" and "capability 45", written into @buf. */
const char *names_capability_text(int cap, char buf[NAMES_TEXT]);
const char *names_signal_text(int sig, char buf[NAMES_TEXT]);

#endif
