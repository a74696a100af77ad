/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counters of the interfaces of somebody else's network namespace: /proc/PID/net/dev (proc(5)). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/netdev.h"

#define FILE_MAX (4u << 20)
#define BLANKS	 " \t"

static uint64_t take_number(char **p)
{
	uint64_t v = 0;
	size_t n;

	*p += strspn(*p, BLANKS);
	n = strcspn(*p, BLANKS);
	(void)strn_to_u64(*p, n, 0, UINT64_MAX, &v);
	*p += n;
	return v;
}

/* "  eth0: 2776 26 0 0 0 0 0 0 2776 26 0 0 0 0 0 0": received, then sent, each bytes, packets,
 * errs, drop, fifo, frame (colls), compressed (carrier), multicast (compressed). False: none. */
static bool parse_line(char *line, struct netdev_stat *ret)
{
	char *colon = strrchr(line, ':');

	if (!colon)
		return false;
	*colon++ = '\0';
	ret->name = line + strspn(line, BLANKS);
	ret->rx_bytes = take_number(&colon);
	ret->rx_packets = take_number(&colon);
	ret->rx_errors = take_number(&colon);
	ret->rx_dropped = take_number(&colon);
	for (int i = 0; i < 4; i++)
		(void)take_number(&colon);
	ret->tx_bytes = take_number(&colon);
	ret->tx_packets = take_number(&colon);
	ret->tx_errors = take_number(&colon);
	ret->tx_dropped = take_number(&colon);
	return !str_eq(ret->name, "lo");
}

int netdev_stats(pid_t pid, struct arena *arena, struct netdev_stat **ret, size_t *ret_n,
		 struct err *err)
{
	char path[64], *text, *line;
	struct netdev_stat *list;
	size_t size, room = 0, n = 0;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
	r = io_read_alloc(AT_FDCWD, path, FILE_MAX, arena, &text, &size, err);
	if (r < 0)
		return r;
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		room++;
	list = arena_array(arena, room + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read %s", path);
	while ((line = strsep(&text, "\n")) && n <= room)
		if (parse_line(line, &list[n]))
			n++;
	*ret = list;
	*ret_n = n;
	return 0;
}
