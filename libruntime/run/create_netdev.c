/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Network devices of the host for a new container. They are handed over once the child is there
 * and come back when the creation fails. After that they are the namespace's: with its last process
 * the kernel gives physical ones back to the host and destroys virtual ones; in a namespace that
 * was joined by path they stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "base/fd.h"
#include "run/creation.h"

static int open_netns(struct creation *c, struct err *err)
{
	int fd;

	if (c->plan->create & CLONE_NEWNET) {
		fd = ns_of(c->pid, CLONE_NEWNET);
	} else {
		fd = fcntl(c->join[SPEC_NS_NETWORK], F_DUPFD_CLOEXEC, 3);
		fd = fd < 0 ? -errno : fd;
	}
	return fd < 0 ? err_set(err, -fd, "open the container's network namespace") : fd;
}

int creation_move_netdevs(struct creation *c)
{
	const struct plan *p = c->plan;

	if (p->n_net_devices == 0)
		return 0;
	c->netdevs = arena_array(&c->arena, p->n_net_devices, sizeof(*c->netdevs));
	if (!c->netdevs)
		return err_set(c->err, ENOMEM, "move network devices");
	c->netns = open_netns(c, c->err);
	if (c->netns < 0)
		return c->netns;
	if (ns_same(c->netns, CLONE_NEWNET, "/proc/self/ns/net") == 1) {
		err_pointer(c->err, "/linux/netDevices");
		return err_kind(c->err, ERR_CONFIG, 0,
				"the container's network namespace is the one that they are in");
	}
	for (size_t i = 0; i < p->n_net_devices; i++) {
		const struct spec_net_device *d = &p->net_devices[i];
		int r = netdev_move(d->name, d->new_name, c->netns, &c->netdevs[c->n_netdevs++],
				    c->err);

		if (r < 0) {
			err_pointer(c->err, "/linux/netDevices/%s", d->name);
			return r;
		}
	}
	return 0;
}

void creation_return_netdevs(struct creation *c)
{
	for (size_t i = 0; i < c->n_netdevs; i++) {
		struct err err = ERR_INIT;

		if (netdev_return(&c->netdevs[i], c->netns, &err) < 0)
			handle_warn(c->o, &err);
	}
}
