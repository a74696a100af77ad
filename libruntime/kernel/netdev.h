/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Network interfaces: the loopback of a new network namespace, and interfaces of the host that are
 * handed over to a container (config-linux.md, "Network Devices"), by rtnetlink(7).
 */
#ifndef OAKUM_KERNEL_NETDEV_H
#define OAKUM_KERNEL_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct err;
struct netdev_address;

/* Bring the loopback interface of the own network namespace up. The child calls it. */
int netdev_loopback_up(struct err *err);

/* One interface on its way, and what it needs to come back. */
struct netdev {
	char name[IFNAMSIZ], new_name[IFNAMSIZ];
	bool up, moved;
	struct netdev_address *addresses; /* permanent ones of global scope */
	size_t n_addresses;
};

/*
 * Move the interface @name of our network namespace into @netns (a descriptor) as @new_name ("%d"
 * in it stands for the first number that is free there), with its permanent addresses of global
 * scope, its MTU and its hardware address, and bring it up. 0; < 0 with @err and the interface is
 * back where it was. *@ret is freed by netdev_done() in any case. The caller has a single thread:
 * it visits @netns for a moment.
 */
int netdev_move(const char *name, const char *new_name, int netns, struct netdev *ret,
		struct err *err);

/* Take it back from @netns, under its old name and with its addresses. */
int netdev_return(struct netdev *d, int netns, struct err *err);

void netdev_done(struct netdev *d);

/* What has passed through an interface. */
struct netdev_stat {
	const char *name;
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

/* All interfaces in the network namespace of process @pid but the loopback, into @arena. 0, or < 0
 * with @err. */
int netdev_stats(pid_t pid, struct arena *arena, struct netdev_stat **ret, size_t *ret_n,
		 struct err *err);

#endif
