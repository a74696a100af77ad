/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loopback interface, which a new network namespace has down. */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/netdev.h"

/* SIOC?IFFLAGS is answered by the interface layer on a socket of any family; AF_INET may be missing
 * from the kernel or be forbidden to us. */
static int any_socket(void)
{
	static const int families[] = {AF_INET, AF_UNIX, AF_NETLINK};
	int fd = -1;

	for (size_t i = 0; i < ARRAY_SIZE(families) && fd < 0; i++)
		fd = socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd;
}

int netdev_loopback_up(struct err *err)
{
	struct ifreq request = {.ifr_name = "lo"};
	AUTO_CLOSE int fd = any_socket();

	if (fd < 0)
		return err_set(err, errno, "open a socket for the loopback interface");
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return err_set(err, errno, "read the state of the loopback interface");
	if (request.ifr_flags & IFF_UP)
		return 0;
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_set(err, errno, "bring the loopback interface up");
	return 0;
}
