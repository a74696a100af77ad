/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pseudo terminals: the container's, and the person's in front of it. */
#ifndef OAKUM_KERNEL_TTY_H
#define OAKUM_KERNEL_TTY_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct err;

struct tty {
	int master, slave;
};

/*
 * A new pty from the devpts instance whose ptmx is open in @ptmx_dir (an O_PATH descriptor of
 * /dev/pts, or of a directory that holds "ptmx"); the slave by TIOCGPTPEER, never by name.
 * @rows, @columns: 0 leaves the size. The child may call it. Both descriptors are the caller's.
 */
int tty_open(int ptmx_dir, uint16_t rows, uint16_t columns, struct tty *ret, struct err *err);

/* Let a newline that the container writes be one, without "\r" in front: for output that no
 * terminal shows. The child calls it. */
int tty_plain(int slave, struct err *err);

/* setsid(2) must have been done: make @slave the controlling terminal and fds 0…2. The child calls
 * it. */
int tty_take(int slave, struct err *err);

/* fchown the slave to @uid with group @gid (5, or the devpts' gid option; (uint32_t)-1: leave, as
 * where the user namespace has no such group). */
int tty_chown(int slave, uint32_t uid, uint32_t gid, struct err *err);

/* Connect to the unix socket @path and send @master with the name of its slave as runc does
 * (one message, payload "/dev/pts/N"). 0, or < 0 with @err. */
int tty_send(const char *path, int master, struct err *err);

/* Put a person's terminal into raw mode; the old settings go to @ret_saved. @newlines: "\n" goes on
 * to be shown as "\r\n", which is for the output of a terminal that is plain. TTY_NONE: not a
 * terminal. */
enum { TTY_NONE = 1 };
int tty_raw(int fd, bool newlines, struct termios *ret_saved);
int tty_restore(int fd, const struct termios *saved);

/* Copy the window size of @from to @to. 0, TTY_NONE or -errno. */
int tty_copy_size(int from, int to);

#endif
