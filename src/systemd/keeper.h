/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process that keeps a scope until the container's is in it. A scope whose only process is a
 * zombie when systemd puts it there was never populated: no event says that it is empty, and it
 * stays. So where the helper ends before its keeper does, and the scope has been asked for, the
 * keeper lives on until it has been moved, at most for KEEPER_MS.
 */
#ifndef OAKUM_SYSTEMD_KEEPER_H
#define OAKUM_SYSTEMD_KEEPER_H

#include <sys/types.h>

#define KEEPER_MS      10000
#define KEEPER_LOOK_MS 10 /* between two looks at where it is */

struct keeper {
	pid_t pid; /* 0: none */
	int life;  /* our end of a pipe: a byte says that the scope is being asked for, its end of
		      file is our death; -1: none */
};

#define KEEPER_INIT                                                                                \
	{                                                                                          \
		.life = -1                                                                         \
	}

/* 0 or -errno. */
int keeper_make(struct keeper *k);
void keeper_end(struct keeper *k);

#endif
