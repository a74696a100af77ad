/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An interface from one network namespace into another, by rtnetlink(7). The kernel takes its
 * addresses away on the way; hardware address and MTU it keeps.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/netdev.h"

#define ANSWER_SIZE   65536 /* a dump's message is at most 32 KiB */
#define MAX_ADDRESSES 4096

struct netdev_address {
	uint8_t family, prefix;
	uint32_t flags;
	uint8_t size; /* of each of these, 0: absent */
	bool has_local, has_peer, has_broadcast;
	uint32_t metric; /* 0: the usual one */
	uint8_t local[16], peer[16], broadcast[16];
};

/* What somebody has asked for, of all that the kernel says of an address. */
#define ASKED_FLAGS                                                                                \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MANAGETEMPADDR |            \
	 IFA_F_MCAUTOJOIN)

struct request {
	struct nlmsghdr h;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	};
	char attributes[256];
};

static void begin(struct request *q, uint16_t type, uint16_t flags, size_t body)
{
	memset(q, 0, sizeof(*q));
	q->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
	q->h.nlmsg_type = type;
	q->h.nlmsg_flags = NLM_F_REQUEST | flags;
}

static void add(struct request *q, uint16_t type, const void *data, size_t size)
{
	struct rtattr *a = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	q->h.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

/* Send, and call @each for every message of the answer; 0 or -errno. */
static int ask(int fd, const struct request *q, int (*each)(const struct nlmsghdr *h, void *data),
	       void *data)
{
	char *buf = malloc(ANSWER_SIZE);
	int r = !buf ? -ENOMEM : send(fd, q, q->h.nlmsg_len, 0) < 0 ? -errno : 1;

	while (r == 1) {
		ssize_t n = recv(fd, buf, ANSWER_SIZE, 0);
		size_t left = n > 0 ? (size_t)n : 0;

		if (n <= 0)
			r = n < 0 ? -errno : -EPROTO;
		for (const struct nlmsghdr *h = (const void *)buf; r == 1 && NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_ERROR)
				r = ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			else if (h->nlmsg_type == NLMSG_DONE)
				r = 0;
			else if (each)
				r = each(h, data);
		}
	}
	free(buf);
	return r;
}

static int open_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

/* A socket of another namespace stays there when we have left again. */
static int open_socket_in(int netns)
{
	AUTO_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd;

	if (own < 0 || setns(netns, CLONE_NEWNET) < 0)
		return -errno;
	fd = open_socket();
	if (setns(own, CLONE_NEWNET) < 0) {
		fd_close(fd);
		return -errno;
	}
	return fd;
}

/* ---- the interface ---- */

static int set_link(int fd, int index, bool up)
{
	struct request q;

	begin(&q, RTM_NEWLINK, NLM_F_ACK, sizeof(q.link));
	q.link.ifi_index = index;
	q.link.ifi_change = IFF_UP;
	q.link.ifi_flags = up ? IFF_UP : 0;
	return ask(fd, &q, NULL, NULL);
}

static int hand_over(int fd, int index, int netns, const char *name)
{
	struct request q;

	begin(&q, RTM_NEWLINK, NLM_F_ACK, sizeof(q.link));
	q.link.ifi_index = index;
	add(&q, IFLA_NET_NS_FD, &netns, sizeof(netns));
	add(&q, IFLA_IFNAME, name, strlen(name) + 1);
	return ask(fd, &q, NULL, NULL);
}

struct link {
	int index;
	bool up;
};

static int keep_link(const struct nlmsghdr *h, void *data)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	struct link *l = data;

	if (h->nlmsg_type != RTM_NEWLINK)
		return 1;
	l->index = m->ifi_index;
	l->up = m->ifi_flags & IFF_UP;
	return 0;
}

static int find_link(int fd, const char *name, struct link *ret)
{
	struct request q;

	begin(&q, RTM_GETLINK, 0, sizeof(q.link));
	add(&q, IFLA_IFNAME, name, strlen(name) + 1);
	return ask(fd, &q, keep_link, ret);
}

/* ---- its addresses ---- */

struct dump {
	int index;
	struct netdev *d;
};

static void keep_bytes(const struct rtattr *a, uint8_t to[16], bool *has, uint8_t *size)
{
	size_t n = RTA_PAYLOAD(a);

	if (n > 16)
		return;
	memcpy(to, RTA_DATA(a), n);
	*has = true;
	*size = (uint8_t)n;
}

static void read_attributes(const struct nlmsghdr *h, struct netdev_address *a)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	int left = (int)IFA_PAYLOAD(h);

	for (struct rtattr *t = IFA_RTA(m); RTA_OK(t, left); t = RTA_NEXT(t, left)) {
		if (t->rta_type == IFA_LOCAL)
			keep_bytes(t, a->local, &a->has_local, &a->size);
		else if (t->rta_type == IFA_ADDRESS)
			keep_bytes(t, a->peer, &a->has_peer, &a->size);
		else if (t->rta_type == IFA_BROADCAST)
			keep_bytes(t, a->broadcast, &a->has_broadcast, &a->size);
		else if (t->rta_type == IFA_FLAGS && RTA_PAYLOAD(t) == sizeof(a->flags))
			memcpy(&a->flags, RTA_DATA(t), sizeof(a->flags));
		else if (t->rta_type == IFA_RT_PRIORITY && RTA_PAYLOAD(t) == sizeof(a->metric))
			memcpy(&a->metric, RTA_DATA(t), sizeof(a->metric));
	}
}

/* Those of global scope that somebody gave it: others belong to the place or will end. */
static int keep_address(const struct nlmsghdr *h, void *data)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	struct netdev_address a = {.family = m->ifa_family, .prefix = m->ifa_prefixlen};
	struct dump *dump = data;
	struct netdev *d = dump->d;
	struct netdev_address *more;

	if (h->nlmsg_type != RTM_NEWADDR || (int)m->ifa_index != dump->index ||
	    m->ifa_scope != RT_SCOPE_UNIVERSE)
		return 1;
	a.flags = m->ifa_flags;
	read_attributes(h, &a);
	if (!(a.flags & IFA_F_PERMANENT) || (!a.has_local && !a.has_peer))
		return 1;
	if (d->n_addresses == MAX_ADDRESSES)
		return -E2BIG;
	more = reallocarray(d->addresses, d->n_addresses + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[d->n_addresses++] = a;
	d->addresses = more;
	return 1;
}

static int keep_addresses(int fd, int index, struct netdev *d)
{
	struct dump dump = {index, d};
	struct request q;

	begin(&q, RTM_GETADDR, NLM_F_DUMP, sizeof(q.address));
	return ask(fd, &q, keep_address, &dump);
}

static int give_address(int fd, int index, const struct netdev_address *a)
{
	uint32_t flags = a->flags & ASKED_FLAGS;
	struct request q;

	begin(&q, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, sizeof(q.address));
	q.address.ifa_family = a->family;
	q.address.ifa_prefixlen = a->prefix;
	q.address.ifa_scope = RT_SCOPE_UNIVERSE;
	q.address.ifa_index = (unsigned)index;
	if (a->has_local)
		add(&q, IFA_LOCAL, a->local, a->size);
	if (a->has_peer)
		add(&q, IFA_ADDRESS, a->peer, a->size);
	if (a->has_broadcast)
		add(&q, IFA_BROADCAST, a->broadcast, a->size);
	add(&q, IFA_FLAGS, &flags, sizeof(flags));
	if (a->metric)
		add(&q, IFA_RT_PRIORITY, &a->metric, sizeof(a->metric));
	return ask(fd, &q, NULL, NULL);
}

static int give_addresses(int fd, int index, const struct netdev *d)
{
	int r = 0;

	for (size_t i = 0; i < d->n_addresses && r == 0; i++)
		r = give_address(fd, index, &d->addresses[i]);
	return r;
}

/* ---- there and back ---- */

static int fail_move(const struct netdev *d, int code, struct err *err)
{
	if (code == EEXIST) {
		err_hint(err, "give it another /linux/netDevices/%s/name", d->name);
		return err_set(err, code,
			       "move network device %s: the container has one with the name %s",
			       d->name, d->new_name);
	}
	if (code == EOPNOTSUPP || code == EINVAL)
		err_hint(err,
			 "some kinds of devices cannot be moved (NETIF_F_NETNS_LOCAL), such as "
			 "the loopback, bridges of old kernels and tunnels");
	return err_set(err, code, "move network device %s", d->name);
}

/* In its new place: addresses, up. */
static int settle(const struct netdev *d, int netns, struct err *err)
{
	AUTO_CLOSE int fd = open_socket_in(netns);
	struct link l = {0};
	int r = fd < 0 ? fd : find_link(fd, d->new_name, &l);

	if (r == 0)
		r = give_addresses(fd, l.index, d);
	if (r == 0)
		r = set_link(fd, l.index, true);
	return r < 0 ? err_set(err, -r, "set up network device %s in the container", d->new_name)
		     : 0;
}

/* The kernel moves first and renames then: a device that could not be renamed is there under its
 * old name. */
static void undo_move(int fd, int index, const struct link *was, int netns, struct netdev *d)
{
	struct link l;

	if (find_link(fd, d->name, &l) == -ENODEV) {
		struct netdev there = *d;

		memcpy(there.new_name, d->name, IFNAMSIZ);
		there.moved = true;
		(void)netdev_return(&there, netns, NULL);
		return;
	}
	if (was->up)
		(void)set_link(fd, index, true);
	(void)give_addresses(fd, index, d);
}

/* What it is and has, in our namespace; it is down afterwards, since one that is up cannot be
 * renamed on the way. */
static int prepare(int fd, struct netdev *d, struct link *ret, struct err *err)
{
	int r = find_link(fd, d->name, ret);

	if (r == -ENODEV)
		return err_kind(err, ERR_CONFIG, ENODEV, "network device %s", d->name);
	d->up = ret->up;
	if (r == 0)
		r = keep_addresses(fd, ret->index, d);
	if (r == 0 && ret->up)
		r = set_link(fd, ret->index, false);
	return r < 0 ? err_set(err, -r, "look at network device %s", d->name) : 0;
}

/*
 * "eth%d" is the first of that kind that is free there. The kernel could choose it, too, but does
 * not say which it was.
 */
static int choose_name(int there, const char *pattern, char ret[IFNAMSIZ])
{
	const char *number = strstr(pattern, "%d");
	struct link taken;
	int r = 0;

	for (unsigned i = 0; i < 32768 && r == 0; i++) {
		struct strbuf b;

		strbuf_init(&b, ret, IFNAMSIZ);
		strbuf_addn(&b, pattern, number ? (size_t)(number - pattern) : strlen(pattern));
		if (number) {
			strbuf_u64(&b, i);
			strbuf_add(&b, number + 2);
		}
		if (b.overflow)
			return -ENAMETOOLONG;
		r = find_link(there, ret, &taken);
		if (r == 0 && !number)
			break;
	}
	return r == 0 ? -EEXIST : r == -ENODEV ? 0 : r;
}

int netdev_move(const char *name, const char *new_name, int netns, struct netdev *ret,
		struct err *err)
{
	AUTO_CLOSE int fd = open_socket();
	AUTO_CLOSE int there = open_socket_in(netns);
	struct link l = {0};
	int r;

	*ret = (struct netdev){.moved = false};
	memcpy(ret->name, name, strnlen(name, IFNAMSIZ - 1));
	if (fd < 0 || there < 0)
		return err_set(err, fd < 0 ? -fd : -there, "open a netlink socket");
	r = choose_name(there, new_name, ret->new_name);
	if (r < 0)
		return fail_move(ret, -r, err);
	r = prepare(fd, ret, &l, err);
	if (r < 0)
		return r;
	r = hand_over(fd, l.index, netns, ret->new_name);
	if (r < 0) {
		undo_move(fd, l.index, &l, netns, ret);
		return fail_move(ret, -r, err);
	}
	ret->moved = true;
	r = settle(ret, netns, err);
	if (r < 0)
		(void)netdev_return(ret, netns, NULL);
	return r;
}

int netdev_return(struct netdev *d, int netns, struct err *err)
{
	AUTO_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int there = -1, here = -1;
	struct link l = {0};
	int r;

	if (!d->moved)
		return 0;
	there = open_socket_in(netns);
	here = open_socket();
	r = own < 0 ? -errno : there < 0 ? there : here < 0 ? here : 0;
	if (r == 0)
		r = find_link(there, d->new_name, &l);
	if (r == 0)
		r = set_link(there, l.index, false);
	if (r == 0)
		r = hand_over(there, l.index, own, d->name);
	if (r == 0) {
		d->moved = false;
		r = find_link(here, d->name, &l);
	}
	if (r == 0 && d->up)
		r = set_link(here, l.index, true);
	if (r == 0)
		r = give_addresses(here, l.index, d);
	return r < 0 ? err_set(err, -r, "take network device %s back", d->name) : 0;
}

void netdev_done(struct netdev *d)
{
	free(d->addresses);
	d->addresses = NULL;
	d->n_addresses = 0;
}
