/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the runtime and its systemd helper (src/systemd) say to each other over one SOCK_SEQPACKET
 * pair: a request, then its answer, until one of the two closes. A request is the struct and behind
 * it, in one message, NUL-terminated strings: the unit's name and then its properties, each as
 * NAME=VALUE with the value in GVariant's text format. Included by both programs, which are built
 * and installed together; the version says if they were not.
 */
#ifndef OAKUM_KERNEL_SYSTEMD_MESSAGE_H
#define OAKUM_KERNEL_SYSTEMD_MESSAGE_H

#include <stdint.h>

#define SYSTEMD_MESSAGE_VERSION 3
#define SYSTEMD_MESSAGE_MAX	(128u << 10) /* bytes, the struct included */
#define SYSTEMD_HELPER_FD	3	     /* the helper's end */

enum systemd_verb {
	SYSTEMD_HELLO = 1,  /* connect to the manager; ->user chooses which */
	SYSTEMD_START,	    /* make the unit, a scope with one process that only keeps it */
	SYSTEMD_RELEASE,    /* end that process: the scope is the container's */
	SYSTEMD_SET,	    /* set properties of the unit that lives */
	SYSTEMD_ATTACH,	    /* move process ->pid into the unit, or the sub-cgroup of it that stands
			       in the place of a property */
	SYSTEMD_STOP,	    /* stop the unit, forget its failure, wait until it is gone */
	SYSTEMD_STOP_EMPTY, /* the same if no process is in it */
};

struct systemd_request {
	uint32_t version;
	uint32_t verb;
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	uint32_t user;	     /* 1: the user's manager */
	int32_t pid;
};

/* ->result of SYSTEMD_STOP: there is no such unit; of SYSTEMD_START: somebody has one of that name;
 * of SYSTEMD_STOP_EMPTY: either. */
#define SYSTEMD_GONE   1
#define SYSTEMD_IN_USE 2

struct systemd_answer {
	uint32_t version;
	int32_t result;	    /* 0, one of the above, or < 0 with ->text */
	int32_t code, kind; /* of a failure, as in struct err */
	uint32_t property;  /* 1: it is the name or the value of a property that was refused */
	uint32_t systemd;   /* its version: 252 */
	char path[1024];    /* HELLO: the manager's own control group, "" for the root; START: the
			       unit's */
	char text[512], hint[160]; /* as in struct err */
};

#endif
