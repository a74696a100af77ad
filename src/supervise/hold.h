/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The detached tmpfs of one supervisor: mounted nowhere, held by one descriptor. FIFOs and the
 * control socket in it go with the last descriptor, also when that is closed by SIGKILL.
 */
#ifndef OAKUM_SUPERVISE_HOLD_H
#define OAKUM_SUPERVISE_HOLD_H

struct err;

#define HOLD_SOCKET "ctl"

/* A new one: its root directory's descriptor (mode 0700, 16 inodes, 64 KiB). < 0 with @err. */
int hold_make(struct err *err);

/*
 * A FIFO named @name with both ends open: ->ours non-blocking (O_RDONLY or O_WRONLY), ->theirs
 * blocking (O_RDONLY, or O_RDWR to see neither SIGPIPE nor end of file). 0 or < 0 with @err.
 */
struct hold_fifo {
	int ours, theirs;
};
int hold_fifo(int hold, const char *name, int ours_flags, int theirs_flags, struct hold_fifo *ret,
	      struct err *err);

/* The listening control socket (non-blocking), or < 0 with @err. */
int hold_listen(int hold, struct err *err);

#endif
