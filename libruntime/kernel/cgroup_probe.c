/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which cgroup hierarchies this mount namespace has. A directory below /sys/fs/cgroup proves
 * nothing: on its tmpfs anybody may have made a plain one with the name of a controller.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/mountinfo.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define TOP "/sys/fs/cgroup"

static const struct {
	const char *name;
	uint32_t bit;
} controller_names[] = {
	{"cpu", CGROUP_C_CPU},		 {"cpuacct", CGROUP_C_CPUACCT},
	{"cpuset", CGROUP_C_CPUSET},	 {"memory", CGROUP_C_MEMORY},
	{"devices", CGROUP_C_DEVICES},	 {"freezer", CGROUP_C_FREEZER},
	{"pids", CGROUP_C_PIDS},	 {"blkio", CGROUP_C_BLKIO},
	{"hugetlb", CGROUP_C_HUGETLB},	 {"net_cls", CGROUP_C_NET_CLS},
	{"net_prio", CGROUP_C_NET_PRIO}, {"perf_event", CGROUP_C_PERF_EVENT},
	{"rdma", CGROUP_C_RDMA},	 {"misc", CGROUP_C_MISC},
};

/* @options is cut up: "rw,cpu,cpuacct", "rw,name=systemd". */
static uint32_t parse_controllers(char *options)
{
	uint32_t found = 0;
	char *save = NULL;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		if (str_starts(o, "name="))
			found |= CGROUP_C_NAMED;
		for (size_t i = 0; i < ARRAY_SIZE(controller_names); i++)
			if (str_eq(o, controller_names[i].name))
				found |= controller_names[i].bit;
	}
	return found;
}

/* The place for a mount at @mount: that of the one it covers, else a new one; NULL: the table is
 * full. */
static struct cgroup_hierarchy *place_for(struct cgroup_host *host, const char *mount)
{
	for (size_t i = 0; i < host->n; i++)
		if (str_eq(host->h[i].mount, mount))
			return &host->h[i];
	return host->n < CGROUP_MAX ? &host->h[host->n++] : NULL;
}

static void parse_line(struct cgroup_host *host, char *line)
{
	struct cgroup_hierarchy *h;
	struct mountinfo m;
	const char *name;
	char *options;
	bool v2;

	if (!strstr(line, " - cgroup") || mountinfo_parse(line, &m) < 0)
		return;
	v2 = str_eq(m.type, "cgroup2");
	if ((!v2 && !str_eq(m.type, "cgroup")) || !str_starts(m.point, TOP) ||
	    strlen(m.point) >= sizeof(h->mount) || strlen(m.root) >= sizeof(h->root))
		return;
	/* Only what is mounted on /sys/fs/cgroup itself (v2) or directly below it. */
	name = m.point + strlen(TOP);
	if (*name ? *name != '/' || strchr(name + 1, '/') || strlen(name + 1) >= sizeof(h->name)
		  : !v2)
		return;
	options = strrchr(m.rest, ' ');
	h = options ? place_for(host, m.point) : NULL;
	if (!h)
		return;
	memset(h, 0, sizeof(*h));
	snprintf(h->mount, sizeof(h->mount), "%s", m.point);
	snprintf(h->root, sizeof(h->root), "%s", m.root);
	snprintf(h->name, sizeof(h->name), "%s", *name ? name + 1 : "");
	h->v2 = v2;
	h->controllers = v2 ? 0 : parse_controllers(options + 1);
}

/* Lines of /proc/self/cgroup: as many hierarchies can be mounted at most. SIZE_MAX: unknown. */
static size_t count_hierarchies(void)
{
	AUTO_CLOSE int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	char buf[4096];
	size_t lines = 0;
	ssize_t n;

	if (fd < 0)
		return SIZE_MAX;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	return n < 0 || lines == 0 ? SIZE_MAX : lines;
}

/*
 * The kernel hands mountinfo out a page at a time and pays for every mount in it; a host with
 * thousands of them has its cgroups near the beginning. @whole: read on nevertheless.
 */
static int read_mounts(struct cgroup_host *host, bool whole)
{
	AUTO_CLOSE int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char buf[16384];
	size_t used = 0, want = 0;
	bool cut = false;
	int reads = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + used, sizeof(buf) - 1 - used)) > 0) {
		char *line = buf, *end;

		used += (size_t)n;
		buf[used] = '\0';
		for (; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			if (!cut)
				parse_line(host, line);
			cut = false;
		}
		used -= (size_t)(line - buf);
		memmove(buf, line, used);
		/* A line longer than the buffer is no cgroup. */
		if (used == sizeof(buf) - 1) {
			used = 0;
			cut = true;
		}
		/* Short tables are read to their end more cheaply than it is found out what to
		 * expect. */
		if (whole || host->n == 0 || ++reads < 3)
			continue;
		if (!want)
			want = count_hierarchies();
		if (host->n >= want)
			return 0;
	}
	return n < 0 ? -errno : 0;
}

static bool believe(const struct cgroup_hierarchy *h)
{
	struct statfs fs;

	return statfs(h->mount, &fs) == 0 &&
	       (unsigned long)fs.f_type == (h->v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

/* Drop what is covered by another mount. True if nothing had to be. */
static bool keep_believed(struct cgroup_host *host)
{
	size_t n = 0;
	bool all;

	for (size_t i = 0; i < host->n; i++)
		if (believe(&host->h[i]))
			host->h[n++] = host->h[i];
	all = n == host->n;
	host->n = n;
	/* v2 on /sys/fs/cgroup itself covers whatever was mounted below that before. */
	for (size_t i = 0; i < host->n; i++) {
		if (!host->h[i].name[0]) {
			host->h[0] = host->h[i];
			host->n = 1;
		}
	}
	return all;
}

static enum cgroup_mode find_mode(const struct cgroup_host *host)
{
	bool v1 = false, v2 = false;

	for (size_t i = 0; i < host->n; i++) {
		v1 |= !host->h[i].v2;
		v2 |= host->h[i].v2;
	}
	if (v1)
		return v2 ? CGROUP_HYBRID : CGROUP_V1;
	return v2 ? CGROUP_V2 : CGROUP_NONE;
}

int cgroup_probe(struct cgroup_host *ret, struct err *err)
{
	struct cgroup_host *host = ret;
	int r;

	host->n = 0;
	r = read_mounts(host, false);
	if (r >= 0 && !keep_believed(host)) {
		host->n = 0;
		r = read_mounts(host, true);
		(void)keep_believed(host);
	}
	if (r < 0)
		return err_set(err, -r, "read /proc/self/mountinfo");
	host->mode = find_mode(host);
	return 0;
}

int cgroup_find(const struct cgroup_host *host, uint32_t controller)
{
	for (size_t i = 0; i < host->n; i++)
		if (!host->h[i].v2 && (host->h[i].controllers & controller))
			return (int)i;
	return -1;
}

int cgroup_find_v2(const struct cgroup_host *host)
{
	for (size_t i = 0; i < host->n; i++)
		if (host->h[i].v2)
			return (int)i;
	return -1;
}

uint32_t cgroup_v2_parse(const char *text)
{
	uint32_t found = 0;

	while (*text) {
		size_t len = strcspn(text, " \n");

		for (size_t i = 0; i < ARRAY_SIZE(controller_names); i++)
			if (strlen(controller_names[i].name) == len &&
			    memcmp(text, controller_names[i].name, len) == 0)
				found |= controller_names[i].bit;
		/* v2's name of blkio. */
		if (len == 2 && memcmp(text, "io", 2) == 0)
			found |= CGROUP_C_BLKIO;
		text += len;
		text += strspn(text, " \n");
	}
	return found;
}

uint32_t cgroup_v2_read(int dir, const char *file)
{
	char text[256];

	return io_read_at(dir, file, text, sizeof(text)) <= 0 ? 0 : cgroup_v2_parse(text);
}

uint32_t cgroup_v2_read_in(const char *dir, const char *file)
{
	char name[CGROUP_DIR_MAX + 32];

	snprintf(name, sizeof(name), "%s/%s", dir, file);
	return cgroup_v2_read(AT_FDCWD, name);
}

const char *cgroup_controller_name(size_t i, uint32_t *ret_bit)
{
	if (i >= ARRAY_SIZE(controller_names))
		return NULL;
	*ret_bit = controller_names[i].bit;
	return controller_names[i].name;
}
