/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The resctrl file system. A directory is a class: `schemata` says what it may use, `tasks` who is
 * in it, and the directories in `mon_groups` count for a part of them each. rmdir(2) of a class
 * throws its tasks back into the root's: that is for nobody but the last to do.
 */
#include "kernel/rdt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/mountinfo.h"
#include "base/proc.h"
#include "base/str.h"

#define RDT_MARK      "trusted.oakum"
#define MARK_SIZE     512
#define SCHEMATA_SIZE 16384
#define MON_GROUPS    "mon_groups"

const char *rdt_bad_name(const char *name)
{
	static const char *const taken[] = {".", "..", "info", MON_GROUPS, "mon_data"};

	if (!*name || strlen(name) > NAME_MAX)
		return "a class has a name of 1 to 255 bytes";
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (str_eq(name, taken[i]))
			return "resctrl has something else of that name";
	for (; *name; name++)
		if (*name == '/' || (unsigned char)*name < ' ')
			return "a class has no '/' and no control character in its name";
	return NULL;
}

/* ---- the root ---- */

struct search {
	char *buf;
	size_t size;
};

/* 1: found. */
static int is_root(void *data, const struct mountinfo *m)
{
	const struct search *s = data;

	if (!str_eq(m->type, "resctrl") || strlen(m->point) >= s->size)
		return 0;
	memcpy(s->buf, m->point, strlen(m->point) + 1);
	return 1;
}

int rdt_find(const char *mountinfo, char *buf, size_t size)
{
	struct search s = {buf, size};
	int r = mountinfo_each(mountinfo, is_root, &s);

	return r < 0 ? r : r > 0 ? 0 : -ENOENT;
}

static bool is_known(void)
{
	AUTO_FREE char *line = NULL;
	size_t room = 0;
	FILE *f = fopen("/proc/filesystems", "re");
	bool known = false;

	while (f && !known && getline(&line, &room, f) > 0)
		known = str_eq(line + strcspn(line, "\t"), "\tresctrl\n");
	if (f)
		(void)fclose(f);
	return known;
}

static int is_missing(struct err *err)
{
	if (is_known()) {
		err_hint(err, "mount -t resctrl resctrl /sys/fs/resctrl");
		return err_kind(err, ERR_UNSUPPORTED, ENOENT, "resctrl is not mounted");
	}
	err_hint(err,
		 "it takes Linux 4.10 with CONFIG_X86_CPU_RESCTRL and a CPU with cat_l3, mba or "
		 "cqm among the flags of /proc/cpuinfo");
	return err_kind(err, ERR_UNSUPPORTED, ENODEV, "this kernel or this CPU has no resctrl");
}

int rdt_open(struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char path[PATH_MAX];
	struct statfs fs;
	int r = rdt_find("/proc/self/mountinfo", path, sizeof(path));

	if (r == -ENOENT)
		return is_missing(err);
	if (r < 0)
		return err_set(err, -r, "read /proc/self/mountinfo");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_set(err, errno, "open %s", path);
	if ((unsigned long)fs.f_type != RDTGROUP_SUPER_MAGIC)
		return is_missing(err); /* covered by another mount */
	return fd_take(&fd);
}

/* ---- what is there ---- */

/* A class of the root, or a monitoring group of a directory of them. A descriptor, or -errno. */
static int open_group(int root, const char *group)
{
	int fd = openat(root, str_eq(group, "/") ? "." : group,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int rdt_open_class(int root, const char *group, int *ret, struct err *err)
{
	int fd = open_group(root, group);

	if (fd == -ENOENT)
		return RDT_GONE;
	if (fd < 0)
		return err_set(err, -fd, "open resctrl class %s", group);
	*ret = fd;
	return 0;
}

int rdt_open_monitor(int dir, const char *name)
{
	AUTO_CLOSE int groups = openat(dir, MON_GROUPS, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return groups < 0 ? -errno : open_group(groups, name);
}

/* The value of @id in "  L3:0=7f0;1=1f"; @base is that of its numbers. */
static bool find_value(const char *line, unsigned long long id, int base, unsigned long long *ret)
{
	const char *p = line + strcspn(line, ":\n");

	while (*p == ':' || *p == ';') {
		char *end;
		unsigned long long found = strtoull(p + 1, &end, 10);

		if (end == p + 1 || *end != '=')
			return false;
		p = end + 1;
		*ret = strtoull(p, &end, base);
		if (end == p)
			return false;
		if (found == id)
			return true;
		p = end;
	}
	return false;
}

/* The line of the resource that @want names, or NULL. */
static const char *find_line(const char *have, const char *want)
{
	size_t len = strcspn(want, ":\n");

	for (; *have; have += strcspn(have, "\n"), have += *have == '\n') {
		const char *name = have + strspn(have, " ");

		if (strncmp(name, want, len) == 0 && name[len] == ':')
			return name;
	}
	return NULL;
}

/* The kernel rounds a bandwidth up to what the CPU can do. */
static unsigned long long round_bandwidth(int root, unsigned long long v)
{
	char text[32];
	uint64_t step;

	if (io_read_at(root, "info/MB/bandwidth_gran", text, sizeof(text)) <= 0 ||
	    str_to_u64(text, 1, UINT32_MAX, &step) < 0)
		return v;
	return (v + step - 1) / step * step;
}

static bool has_line(int root, const char *have, const char *want)
{
	const char *line = find_line(have, want), *p = want + strcspn(want, ":\n");
	bool bandwidth = str_starts(want, "MB:") || str_starts(want, "SMBA:");
	int base = bandwidth ? 10 : 16;

	if (!line || *p != ':')
		return false;
	while ((*p == ':' || *p == ';') && p[1] && p[1] != '\n') {
		char *end;
		unsigned long long id = strtoull(p + 1, &end, 10), is, wanted;

		if (end == p + 1 || *end != '=' || !find_value(line, id, base, &is))
			return false;
		p = end + 1;
		wanted = strtoull(p, &end, base);
		if (end == p)
			return false;
		if (is != wanted && (!bandwidth || is != round_bandwidth(root, wanted)))
			return false;
		p = end;
	}
	return true;
}

static int check_schema(int root, int group, const struct rdt_request *q, struct err *err)
{
	char have[SCHEMATA_SIZE];
	ssize_t n = io_read_at(group, "schemata", have, sizeof(have));

	if (n < 0)
		return err_set(err, (int)-n, "read the schemata of resctrl class %s", q->group);
	for (const char *want = q->schema; *want;
	     want += strcspn(want, "\n"), want += *want == '\n') {
		if (has_line(root, have, want))
			continue;
		err_hint(err,
			 "name another closID, or leave the schema out to take the class as it is");
		return err_kind(err, ERR_CONFIG, 0,
				"resctrl class %s exists and does not have \"%.*s\"", q->group,
				(int)strcspn(want, "\n"), want);
	}
	return 0;
}

static int check_monitor(int root, int group, const struct rdt_request *q, struct err *err)
{
	AUTO_CLOSE int groups = openat(group < 0 ? root : group, MON_GROUPS,
				       O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (groups < 0) {
		err_hint(err, "it takes Linux 4.14 and a CPU with cqm among the flags of "
			      "/proc/cpuinfo");
		return err_kind(err, ERR_UNSUPPORTED, errno, "resctrl does not monitor here");
	}
	if (group >= 0 && faccessat(groups, q->monitor, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_kind(err, ERR_EXISTS, 0,
				"resctrl class %s has a monitoring group %s already", q->group,
				q->monitor);
	return 0;
}

int rdt_look(int root, const struct rdt_request *q, bool *ret_make, struct err *err)
{
	AUTO_CLOSE int group = -1;
	int r = rdt_open_class(root, q->group, &group, err);

	if (r < 0)
		return r;
	if (r == RDT_GONE && q->must_exist) {
		err_hint(err, "make the class, or give a schema to have it made");
		return err_kind(err, ERR_CONFIG, ENOENT, "resctrl class %s", q->group);
	}
	r = 0;
	if (group >= 0 && q->schema)
		r = check_schema(root, group, q, err);
	if (r == 0 && q->monitor)
		r = check_monitor(root, group, q, err);
	if (r == 0)
		*ret_make = group < 0;
	return r;
}

/* ---- making ---- */

/* With the kernel's own words for it, which it keeps until the next attempt. */
static int refused(int root, int code, struct err *err, const char *what, const char *name)
{
	char said[128];

	if (io_read_at(root, "info/last_cmd_status", said, sizeof(said)) > 0 && !str_eq(said, "ok"))
		err_hint(err, "the kernel says: %s", said);
	else if (code == ENOSPC)
		err_hint(err, "all classes or monitoring groups that the CPU has are in use "
			      "(info/*/num_closids, num_rmids)");
	return err_set(err, code, "%s %s", what, name);
}

static int make_group(int root, const struct rdt_request *q, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	if (mkdirat(root, q->group, 0755) < 0)
		return refused(root, errno, err, "make resctrl class", q->group);
	fd = open_group(root, q->group);
	if (fd >= 0)
		(void)fsetxattr(fd, RDT_MARK, q->mark, strlen(q->mark), 0);
	return 0;
}

static int make_monitor(int root, int group, const struct rdt_request *q, struct err *err)
{
	AUTO_CLOSE int groups = openat(group, MON_GROUPS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = -1;

	if (groups < 0 || mkdirat(groups, q->monitor, 0755) < 0)
		return refused(root, errno, err, "make resctrl monitoring group", q->monitor);
	fd = open_group(groups, q->monitor);
	if (fd >= 0)
		(void)fsetxattr(fd, RDT_MARK, q->mark, strlen(q->mark), 0);
	return 0;
}

int rdt_make(int root, const struct rdt_request *q, bool make, struct err *err)
{
	AUTO_CLOSE int group = -1;
	int r = make ? make_group(root, q, err) : 0;

	if (r < 0)
		return r;
	group = open_group(root, q->group);
	if (group < 0)
		return err_set(err, -group, "open resctrl class %s", q->group);
	/* One write for all lines of a kind: the kernel takes them together or not at all. */
	if (make && q->schema)
		r = io_write_at(group, "schemata", q->schema);
	if (r == 0 && q->schemata)
		r = io_write_at(group, "schemata", q->schemata);
	if (r < 0)
		return refused(root, -r, err, "write the schemata of resctrl class", q->group);
	return q->monitor ? make_monitor(root, group, q, err) : 0;
}

int rdt_update(int root, const char *group, const char *schemata, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	int r = rdt_open_class(root, group, &dir, err);

	if (r != 0)
		return r;
	r = io_write_at(dir, "schemata", schemata);
	if (r == -ENOENT)
		return RDT_GONE;
	return r < 0 ? refused(root, -r, err, "write the schemata of resctrl class", group) : 0;
}

static int move(int dir, const char *name, const char *pid, struct err *err)
{
	int r = io_write_at(dir, "tasks", pid);

	if (r == -ENOENT)
		return RDT_GONE;
	return r < 0 ? err_set(err, -r, "put the process into resctrl class %s", name) : 0;
}

int rdt_join(int root, const char *group, const char *monitor, pid_t pid, struct err *err)
{
	AUTO_CLOSE int dir = -1, counted = -1;
	char text[24];
	struct strbuf b;
	int r = rdt_open_class(root, group, &dir, err);

	if (r != 0)
		return r;
	strbuf_init(&b, text, sizeof(text));
	strbuf_u64(&b, (uint64_t)pid);
	/* The class first: only who is in it may be counted in it. */
	r = move(dir, group, text, err);
	if (r != 0 || !monitor)
		return r;
	counted = rdt_open_monitor(dir, monitor);
	if (counted == -ENOENT)
		return RDT_GONE;
	return counted < 0 ? err_set(err, -counted, "open resctrl monitoring group %s", monitor)
			   : move(counted, monitor, text, err);
}

/* ---- removing ---- */

static bool has_mark(int dir, const char *mark)
{
	char value[MARK_SIZE];
	ssize_t n = fgetxattr(dir, RDT_MARK, value, sizeof(value));

	return n >= 0 &&
	       (!mark || ((size_t)n == strlen(mark) && memcmp(value, mark, (size_t)n) == 0));
}

/* A process that has ended stands in `tasks` until its parent has seen it. */
static bool has_tasks(int dir)
{
	AUTO_CLOSE int fd = openat(dir, "tasks", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	AUTO_FREE char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (!f)
		return fd >= 0;
	(void)fd_take(&fd);
	while (!found && getline(&line, &room, f) > 0) {
		pid_t pid = (pid_t)strtol(line, NULL, 10);
		char state = pid > 0 ? proc_state(pid) : '?';

		found = state != '?' && state != 'Z' && state != 'X';
	}
	(void)fclose(f);
	return found;
}

/* Calls @each with every directory in @dir until it is < 0. */
static int for_each(int dir, int (*each)(int dir, const char *name, void *data), void *data)
{
	AUTO_CLOSE int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!d)
		return -errno;
	(void)fd_take(&fd);
	while (r >= 0 && (e = readdir(d)))
		if (e->d_type == DT_DIR && !rdt_bad_name(e->d_name))
			r = each(dir, e->d_name, data);
	closedir(d);
	return r;
}

static int say_busy(int dir, const char *name, void *data)
{
	(void)dir;
	(void)name;
	(void)data;
	return -EBUSY;
}

static bool is_used(int dir)
{
	AUTO_CLOSE int groups = openat(dir, MON_GROUPS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return has_tasks(dir) || (groups >= 0 && for_each(groups, say_busy, NULL) < 0);
}

static int remove_directory(int dir, const char *name, struct err *err)
{
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove resctrl group %s", name);
	return 0;
}

int rdt_remove(int root, const char *group, const char *monitor, bool made, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	AUTO_CLOSE int groups = -1;
	int r = rdt_open_class(root, group, &dir, err);

	if (r != 0)
		return r < 0 ? r : 0;
	if (monitor) {
		groups = openat(dir, MON_GROUPS, O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = groups < 0 ? 0 : remove_directory(groups, monitor, err);
	}
	if (r < 0 || str_eq(group, "/") || (!made && !has_mark(dir, NULL)) || is_used(dir))
		return r;
	return remove_directory(root, group, err);
}

struct sweep {
	const char *mark;
	struct err *err;
};

static int sweep_monitor(int groups, const char *name, void *data)
{
	AUTO_CLOSE int dir = open_group(groups, name);
	const struct sweep *s = data;

	return dir >= 0 && has_mark(dir, s->mark) ? remove_directory(groups, name, s->err) : 0;
}

static int sweep_group(int root, const char *name, void *data)
{
	AUTO_CLOSE int dir = open_group(root, name);
	AUTO_CLOSE int groups =
		dir < 0 ? -1 : openat(dir, MON_GROUPS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct sweep *s = data;
	int r = groups < 0 ? 0 : for_each(groups, sweep_monitor, data);

	if (r < 0 || dir < 0 || str_eq(name, ".") || !has_mark(dir, s->mark) || is_used(dir))
		return r;
	return remove_directory(root, name, s->err);
}

int rdt_sweep(int root, const char *mark, struct err *err)
{
	struct sweep s = {mark, err};
	int r = sweep_group(root, ".", &s);

	if (r == 0)
		r = for_each(root, sweep_group, &s);
	return r;
}
