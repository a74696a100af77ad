/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network interfaces on their way between namespaces that are nobody's but the test's. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "kernel/netdev.h"
#include "test_fork.h"

#define SKIPPED 77

static int sock(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return fd;
}

static struct ifreq request(const char *name)
{
	struct ifreq q = {.ifr_flags = 0};

	(void)snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	return q;
}

/* A tap that stays, up, with 10.9.8.7. */
static void make(const char *name)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), s = sock();
	struct ifreq q = request(name);
	struct sockaddr_in a = {.sin_family = AF_INET};

	if (fd < 0)
		_exit(SKIPPED);
	q.ifr_flags = IFF_TAP | IFF_NO_PI;
	CHECK(ioctl(fd, TUNSETIFF, &q) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0);
	CHECK(close(fd) == 0);
	CHECK(inet_pton(AF_INET, "10.9.8.7", &a.sin_addr) == 1);
	q = request(name);
	memcpy(&q.ifr_addr, &a, sizeof(a));
	CHECK(ioctl(s, SIOCSIFADDR, &q) == 0);
	q = request(name);
	q.ifr_flags = IFF_UP;
	CHECK(ioctl(s, SIOCSIFFLAGS, &q) == 0);
	CHECK(close(s) == 0);
}

/* In the namespace we are in: is it there, up and with its address? */
static bool is_whole(const char *name)
{
	int s = sock();
	struct ifreq flags = request(name), address = request(name);
	struct sockaddr_in a;
	bool whole = ioctl(s, SIOCGIFFLAGS, &flags) == 0 && (flags.ifr_flags & IFF_UP) &&
		     ioctl(s, SIOCGIFADDR, &address) == 0;

	CHECK(close(s) == 0);
	memcpy(&a, &address.ifr_addr, sizeof(a));
	return whole && a.sin_addr.s_addr == htonl(0x0a090807);
}

static int here;

static bool is_whole_in(int netns, const char *name)
{
	bool whole;

	CHECK(setns(netns, CLONE_NEWNET) == 0);
	whole = is_whole(name);
	CHECK(setns(here, CLONE_NEWNET) == 0);
	return whole;
}

/* Two namespaces: we are in the first, of the second this is a descriptor, with a device of this
 * name. */
static int prepare(const char *taken)
{
	int there;

	CHECK(unshare(CLONE_NEWNET) == 0);
	there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (taken)
		make(taken);
	CHECK(unshare(CLONE_NEWNET) == 0);
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	CHECK(there >= 0 && here >= 0);
	make("dev");
	CHECK(is_whole("dev"));
	return there;
}

static void there_and_back_child(void)
{
	int there = prepare(NULL);
	struct err err = ERR_INIT;
	struct netdev d;

	CHECK_OK(netdev_move("dev", "new", there, &d, &err), err);
	CHECK(d.moved && d.up && strcmp(d.new_name, "new") == 0);
	CHECK(if_nametoindex("dev") == 0 && if_nametoindex("new") == 0);
	CHECK(is_whole_in(there, "new"));
	CHECK_OK(netdev_return(&d, there, &err), err);
	CHECK(!d.moved && is_whole("dev"));
	/* What is back is not fetched again. */
	CHECK_OK(netdev_return(&d, there, &err), err);
	netdev_done(&d);
}

static void numbered_child(void)
{
	int there = prepare("num0");
	struct err err = ERR_INIT;
	struct netdev d;

	CHECK_OK(netdev_move("dev", "num%d", there, &d, &err), err);
	CHECK(strcmp(d.new_name, "num1") == 0 && is_whole_in(there, "num1"));
	netdev_done(&d);
	make("dev");
	err = ERR_INIT;
	CHECK(netdev_move("dev", "fifteen-bytes-x%d", there, &d, &err) == -ENAMETOOLONG);
	CHECK(!d.moved && is_whole("dev"));
	netdev_done(&d);
}

static void taken_child(void)
{
	int there = prepare("taken");
	struct err err = ERR_INIT;
	struct netdev d;

	CHECK(netdev_move("dev", "taken", there, &d, &err) == -EEXIST);
	CHECK(strstr(err.text, "taken") && strstr(err.hint, "/linux/netDevices/dev/name"));
	CHECK(!d.moved && is_whole("dev") && is_whole_in(there, "taken"));
	CHECK_OK(netdev_return(&d, there, &err), err);
	netdev_done(&d);
}

static void unmovable_child(void)
{
	int there = prepare(NULL);
	struct err err = ERR_INIT;
	struct netdev d;

	CHECK(netdev_move("none", "none", there, &d, &err) == -ENODEV && err.kind == ERR_CONFIG);
	CHECK(!d.moved);
	netdev_done(&d);
	/* Not a namespace. */
	err = ERR_INIT;
	CHECK(netdev_move("dev", "dev", 0, &d, &err) < 0 && strstr(err.text, "netlink"));
	CHECK(!d.moved && is_whole("dev"));
	netdev_done(&d);
	/* Each namespace has its own loopback. */
	err = ERR_INIT;
	CHECK_OK(netdev_loopback_up(&err), err);
	CHECK(netdev_move("lo", "lo9", there, &d, &err) < 0 && strstr(err.hint, "loopback"));
	CHECK(!d.moved && if_nametoindex("lo") == 1);
	netdev_done(&d);
}

/* Every figure in its place; what is no line of an interface, or no number. */
static const char counters[] =
	"Inter-|   Receive                            |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes packets\n"
	"    lo: 99 98 97 96 95 94 93 92 91 90 89 88 87 86 85 84\n"
	"  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	"a:b:18446744073709551615\t0 0 x 0 0 0 0 18446744073709551616\n"
	"\n"
	"short:";

static void counted_child(void)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct netdev_stat *v;
	size_t n = 9;
	int fd;

	CHECK(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(netdev_stats(-1, &arena, &v, &n, &err) == -ENOENT && n == 9);
	CHECK(strstr(err.text, "/proc/-1/net/dev"));
	CHECK_OK(netdev_stats(getpid(), &arena, &v, &n, &err), err);
	for (size_t i = 0; i < n; i++)
		CHECK(strcmp(v[i].name, "lo") != 0 && if_nametoindex(v[i].name) > 0);
	CHECK(mount("none", "/proc", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("/proc/5", 0755) == 0 && mkdir("/proc/5/net", 0755) == 0);
	fd = open("/proc/5/net/dev", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CHECK(write(fd, counters, sizeof(counters) - 1) == (ssize_t)sizeof(counters) - 1);
	CHECK_OK(netdev_stats(5, &arena, &v, &n, &err), err);
	CHECK(n == 3 && strcmp(v[0].name, "eth0") == 0);
	CHECK(v[0].rx_bytes == 1 && v[0].rx_packets == 2);
	CHECK(v[0].rx_errors == 3 && v[0].rx_dropped == 4);
	CHECK(v[0].tx_bytes == 9 && v[0].tx_packets == 10);
	CHECK(v[0].tx_errors == 11 && v[0].tx_dropped == 12);
	CHECK(strcmp(v[1].name, "a:b") == 0 && v[1].rx_bytes == UINT64_MAX);
	CHECK(v[1].rx_dropped == 0 && v[1].tx_bytes == 0 && v[1].tx_dropped == 0);
	CHECK(strcmp(v[2].name, "short") == 0 && v[2].rx_bytes == 0);
	/* Nothing but the loopback. */
	CHECK(ftruncate(fd, strstr(counters, "  eth0") - counters) == 0);
	CHECK_OK(netdev_stats(5, &arena, &v, &n, &err), err);
	CHECK(n == 0);
	CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, "one:1", 5, 0) == 5);
	CHECK_OK(netdev_stats(5, &arena, &v, &n, &err), err);
	CHECK(n == 1 && v[0].rx_bytes == 1 && v[0].rx_packets == 0);
	CHECK(close(fd) == 0 && umount("/proc") == 0);
}

static void run(void (*body)(void))
{
	int status;

	if (geteuid() != 0)
		skip();
	status = in_child(body);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

static void goes_there_and_back(void **state)
{
	(void)state;
	run(there_and_back_child);
}

static void gets_the_first_free_number(void **state)
{
	(void)state;
	run(numbered_child);
}

static void stays_whole_where_its_name_is_taken(void **state)
{
	(void)state;
	run(taken_child);
}

static void stays_where_it_cannot_go(void **state)
{
	(void)state;
	run(unmovable_child);
}

static void is_counted(void **state)
{
	(void)state;
	run(counted_child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_there_and_back),
		cmocka_unit_test(gets_the_first_free_number),
		cmocka_unit_test(stays_whole_where_its_name_is_taken),
		cmocka_unit_test(stays_where_it_cannot_go),
		cmocka_unit_test(is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
