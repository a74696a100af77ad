/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Could a container's cgroup be made? Asked of the directories that are there, by the rights that
 * we have in them, without making one. What only a cgroup of one's own could show is not known
 * here.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"
#include "kernel/sched.h"

struct survey {
	const struct cgroup_host *host;
	const char *path;
	const struct cgroup_limits *limits;
	cgroup_problem *problem;
	void *data;
	/* A directory of each hierarchy that has what a new cgroup would have, -1: none is there.
	 */
	int model[CGROUP_MAX];
	bool leaf_refused;
};

static void report(const struct survey *s, const struct err *err)
{
	s->problem(s->data, err);
}

bool cgroup_find_existing(char *dir, size_t mount_len)
{
	bool whole = true;

	while (access(dir, F_OK) < 0) {
		char *slash = strrchr(dir, '/');

		whole = false;
		if ((size_t)(slash - dir) < mount_len)
			break;
		*slash = '\0';
	}
	return whole;
}

static void look_at_leaf(struct survey *s, const struct cgroup_hierarchy *h, const char *dir)
{
	AUTO_CLOSE int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;

	if (fd < 0 && errno == ENOTDIR)
		err_set(&err, errno, "open cgroup %s", dir);
	else if (fd >= 0 && cgroup_dir_populated(fd, h->v2) > 0)
		err_kind(&err, ERR_STATE, 0, "container's cgroup is not empty");
	else if (fd >= 0 && (h->v2 || (h->controllers & CGROUP_C_FREEZER)) &&
		 cgroup_freeze_look(fd, h->v2) > 0)
		err_kind(&err, ERR_STATE, 0, "container's cgroup unexpectedly frozen");
	/* All hierarchies have it by one name. */
	if (err.kind == ERR_NONE || s->leaf_refused)
		return;
	s->leaf_refused = true;
	err_pointer(&err, "/linux/cgroupsPath");
	err_hint(&err,
		 err.code ? "it is a file of the cgroup above: choose another name"
			  : "%s is in use: choose another /linux/cgroupsPath",
		 dir);
	err_prefix(&err, "cgroup %s", s->path);
	report(s, &err);
}

/* A file that is there and says something, be it too much for the buffer. */
static bool has_text(const char *dir, const char *file)
{
	char name[CGROUP_DIR_MAX + 32], text[16];
	ssize_t n;

	snprintf(name, sizeof(name), "%s/%s", dir, file);
	n = io_read_at(AT_FDCWD, name, text, sizeof(text));
	return n > 0 || n == -EFBIG;
}

static uint32_t controllers_in(const char *dir, const char *file)
{
	char name[CGROUP_DIR_MAX + 32], text[256];

	snprintf(name, sizeof(name), "%s/%s", dir, file);
	return io_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0 ? 0 : cgroup_v2_parse(text);
}

/* These may compete with processes of the cgroup itself; a directory with processes cannot pass the
 * others on (EBUSY), unless it is the root, which has no type. */
#define THREADED (CGROUP_C_CPU | CGROUP_C_CPUSET | CGROUP_C_PIDS)

static bool is_occupied(const char *dir)
{
	return has_text(dir, "cgroup.type") && has_text(dir, "cgroup.procs");
}

/* v2: a parent that is there and does not pass on what is needed: could it? */
static void look_at_parent(const struct survey *s, const char *dir, uint32_t need)
{
	uint32_t want = need & controllers_in(dir, "cgroup.controllers") &
			~controllers_in(dir, "cgroup.subtree_control");
	struct err err = ERR_INIT;
	int code = 0;

	if (want && !cgroup_may(dir, "cgroup.subtree_control", W_OK))
		code = EACCES;
	else if ((want & ~(uint32_t)THREADED) && is_occupied(dir))
		code = EBUSY;
	if (!code)
		return;
	err_kind(&err, ERR_UNSUPPORTED, code,
		 "controllers cannot be enabled in %s/cgroup.subtree_control", dir);
	if (code == EBUSY)
		err_hint(&err, "processes live in %s itself; move them to a sub-cgroup", dir);
	else
		err_hint(&err, "have that cgroup delegated to this user");
	err_prefix(&err, "cgroup %s", s->path);
	report(s, &err);
}

/* A sub-cgroup shows the files that the root has not. */
static int open_model(const char *dir)
{
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3), found = -1;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	while (d && found < 0 && (e = readdir(d)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			found = openat(fd, e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d)
		closedir(d);
	else
		fd_close(copy);
	return found;
}

static void look_at_hierarchy(struct survey *s, size_t i)
{
	const struct cgroup_hierarchy *h = &s->host->h[i];
	uint32_t need = h->v2 ? cgroup_dry_need(s->host, s->limits) : 0;
	struct err err = ERR_INIT;
	char dir[CGROUP_DIR_MAX];
	size_t mount_len = cgroup_dir(h, s->path, dir);

	if (cgroup_find_existing(dir, mount_len)) {
		look_at_leaf(s, h, dir);
		s->model[i] = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return;
	}
	s->model[i] = open_model(dir);
	if (!cgroup_may(dir, "", W_OK | X_OK)) {
		err_set(&err, errno, "make cgroup %s%s", h->mount, s->path);
		if (err.code == EROFS)
			err_hint(&err, "%s is mounted read-only", h->mount);
		else
			err_hint(&err, "%s is not ours to write: have it delegated", dir);
		err_prefix(&err, "cgroup %s", s->path);
		report(s, &err);
	} else if (need) {
		look_at_parent(s, dir, need);
	}
}

#define PIDS_LIMIT   4194304 /* PID_MAX_LIMIT of the kernel */
#define MEMORY_PAGES 40	     /* what execve(2) alone takes: stack, page tables, the first pages */

static bool is_number(const struct cgroup_dry_write *w, const char *v1, const char *v2,
		      uint64_t *ret)
{
	return (str_eq(w->file, v1) || str_eq(w->file, v2)) &&
	       str_to_u64(w->value, 0, UINT64_MAX, ret) == 0;
}

static void point(const struct cgroup_dry_write *w, struct err *err)
{
	if (w->member)
		err_pointer(err, "%s/%s", w->pointer, w->member);
	else
		err_pointer(err, "%s", w->pointer);
}

/* The CPUs or memory nodes of the list @want that @h can give. Who cannot be read is not judged. */
static bool within(const struct cgroup_hierarchy *h, const char *file, const char *want)
{
	bool cpus = str_eq(file, "cpuset.cpus");
	char path[CGROUP_DIR_MAX + 32], text[4096];
	struct sched_cpus asked, have;

	if (h->v2)
		snprintf(path, sizeof(path), "/sys/devices/system/%s",
			 cpus ? "cpu/possible" : "node/has_memory");
	else
		snprintf(path, sizeof(path), "%s/%s", h->mount, file);
	if (io_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
	    sched_parse_cpus(text, &have) < 0 || sched_parse_cpus(want, &asked) < 0)
		return true;
	for (size_t i = 0; i < sizeof(asked.bits); i++)
		if (asked.bits[i] & ~have.bits[i])
			return false;
	return true;
}

/* "hugetlb.2MB.max": is it one of this kernel's sizes? */
static bool has_size(const char *file)
{
	const char *digits = file + strlen("hugetlb.");
	size_t n = strspn(digits, "0123456789");
	char path[64];
	uint64_t kb;

	if (strn_to_u64(digits, n, 0, UINT32_MAX, &kb) < 0)
		return true;
	kb <<= digits[n] == 'G' ? 20 : digits[n] == 'M' ? 10 : 0;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB", kb);
	return access("/sys/kernel/mm/hugepages", F_OK) < 0 || access(path, F_OK) == 0;
}

/* "8:0 …": is there such a block device? */
static bool has_device(const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%.*s", (int)strcspn(value, " "), value);
	return access("/sys/dev/block", F_OK) < 0 || access(path, F_OK) == 0;
}

/* "MAJOR:MINOR …": weights of all devices have no colon. */
static bool is_of_device(const struct cgroup_dry_write *w)
{
	return (str_starts(w->file, "blkio.") || str_starts(w->file, "io.")) &&
	       strchr(w->value, ':');
}

/* A weight of one device, where the kernel has them for those of the bfq scheduler alone. */
static bool lacks_bfq(const struct survey *s, const struct cgroup_dry_write *w)
{
	int model = s->model[w->hierarchy - s->host->h];
	char path[CGROUP_DIR_MAX + 32], text[256];

	snprintf(path, sizeof(path), "%s/blkio.bfq.io_service_bytes", w->hierarchy->mount);
	if (!w->bfq ||
	    (access(path, F_OK) < 0 && (model < 0 || !cgroup_has_file(model, "io.bfq.weight"))))
		return false;
	snprintf(path, sizeof(path), "/sys/dev/block/%.*s/queue/scheduler",
		 (int)strcspn(w->value, " "), w->value);
	return io_read_at(AT_FDCWD, path, text, sizeof(text)) > 0 && !strstr(text, "[bfq]");
}

/* What the cgroup above allows of realtime; one that is not made yet, nothing. */
static bool has_realtime(const struct survey *s, const struct cgroup_dry_write *w, uint64_t want)
{
	char dir[CGROUP_DIR_MAX], path[CGROUP_DIR_MAX + 32], text[32];
	uint64_t have = 0;

	(void)cgroup_dir(w->hierarchy, s->path, dir);
	*strrchr(dir, '/') = '\0';
	snprintf(path, sizeof(path), "%s/cpu.rt_runtime_us", dir);
	if (io_read_at(AT_FDCWD, path, text, sizeof(text)) > 0)
		(void)str_to_u64(text, 0, UINT64_MAX, &have);
	return want <= have;
}

/* v1: the limit of memory and swap together lies above that of memory, which is none at first. */
static bool swaps_alone(const struct survey *s, const struct cgroup_dry_write *w)
{
	uint64_t n;

	return is_number(w, "memory.memsw.limit_in_bytes", "memory.memsw.limit_in_bytes", &n) &&
	       !(s->limits->memory_limit.set && s->limits->memory_limit.v > 0);
}

static bool bursts_above_quota(const struct survey *s, const struct cgroup_dry_write *w)
{
	const struct cgroup_limits *l = s->limits;
	uint64_t n;

	return is_number(w, "cpu.cfs_burst_us", "cpu.max.burst", &n) && l->cpu_quota.set &&
	       l->cpu_quota.v > 0 && n > (uint64_t)l->cpu_quota.v;
}

/* Limits that do not go with each other, or with those of the cgroup above. True: it is said. */
static bool look_at_relation(const struct survey *s, const struct cgroup_dry_write *w,
			     struct err *err)
{
	uint64_t n;

	if (swaps_alone(s, w)) {
		err_hint(err, "give the memory limit as well");
		err_set(err, EINVAL, "memory+swap limit: %s is less than no memory limit at all",
			w->value);
	} else if (bursts_above_quota(s, w)) {
		err_hint(err, "the burst may not be more than the quota");
		err_set(err, EINVAL, "cpu burst: %s is more than the quota", w->value);
	} else if (is_number(w, "cpu.rt_runtime_us", "cpu.rt_runtime_us", &n) &&
		   !has_realtime(s, w, n)) {
		err_hint(err, "give its parent cgroup a cpu.rt_runtime_us");
		err_set(err, EINVAL, "cpu realtime runtime: the parent cgroup has not %s",
			w->value);
	}
	return err->kind != ERR_NONE;
}

/* What no cgroup of this machine takes, said as the kernel will say it. */
static void look_at_value(const struct survey *s, const struct cgroup_dry_write *w)
{
	struct err err = ERR_INIT;
	uint64_t n;

	if (look_at_relation(s, w, &err)) {
		;
	} else if (is_number(w, "memory.limit_in_bytes", "memory.max", &n) &&
		   n < MEMORY_PAGES * (uint64_t)sysconf(_SC_PAGESIZE)) {
		err_hint(&err, "the smallest programs start with 1 MiB");
		err_set(&err, 0, "memory limit: %s bytes are less than any process takes",
			w->value);
	} else if (is_number(w, "pids.max", "pids.max", &n) && n > PIDS_LIMIT) {
		err_set(&err, EINVAL, "pids limit: %s is more than the kernel's %d", w->value,
			PIDS_LIMIT);
	} else if (str_starts(w->file, "cpuset.") && !within(w->hierarchy, w->file, w->value)) {
		err_set(&err, ERANGE, "%s: this machine does not have all of %s", w->file,
			w->value);
	} else if (is_of_device(w) && !has_device(w->value)) {
		err_hint(&err, "lsblk(8) lists the block devices");
		err_set(&err, ENODEV, "%s: %s", w->file, w->value);
	} else if (is_of_device(w) && lacks_bfq(s, w)) {
		err_hint(&err, "its scheduler is not bfq, which alone knows weights");
		err_set(&err, EOPNOTSUPP, "%s: %s", w->file, w->value);
	} else if (str_starts(w->file, "hugetlb.") && !has_size(w->file)) {
		err_hint(&err, "the sizes of this kernel are in /sys/kernel/mm/hugepages");
		err_kind(&err, ERR_UNSUPPORTED, ENOENT, "no %s in this kernel", w->file);
	} else {
		return;
	}
	point(w, &err);
	report(s, &err);
}

/* A file that a cgroup beside it has not, ours will not have. */
static void look_at_file(void *data, const struct cgroup_dry_write *w)
{
	const struct survey *s = data;
	int model = s->model[w->hierarchy - s->host->h];
	struct err err = ERR_INIT;

	if (!w->if_present)
		look_at_value(s, w);
	/* v2 shows the files of enabled controllers only. */
	if (model < 0 || w->if_present || str_starts(w->file, "hugetlb.") || w->bfq ||
	    cgroup_has_file(model, w->file) || w->hierarchy->v2)
		return;
	err_kind(&err, ERR_UNSUPPORTED, ENOENT, "%s: this kernel's cgroups in %s have no such file",
		 w->file, w->hierarchy->mount);
	point(w, &err);
	if (strstr(w->file, "memsw"))
		err_hint(&err, "swap accounting is off: boot with swapaccount=1");
	report(s, &err);
}

static void look_at_devices(const struct survey *s)
{
	struct err err = ERR_INIT;

	if (!s->limits->n_devices || cgroup_find(s->host, CGROUP_C_DEVICES) >= 0 ||
	    cgroup_find_v2(s->host) < 0)
		return;
	if (cgroup_devices_v2_check(s->limits->devices, s->limits->n_devices, &err) == 0)
		return;
	err_pointer(&err, "/linux/resources/devices");
	report(s, &err);
}

void cgroup_survey(const struct cgroup_host *host, const char *path,
		   const struct cgroup_limits *limits, cgroup_problem *problem, void *data)
{
	struct survey s = {host, path, limits, problem, data, {0}, false};

	for (size_t i = 0; i < host->n; i++)
		look_at_hierarchy(&s, i);
	(void)cgroup_dry(host, path, limits, look_at_file, &s, NULL);
	look_at_devices(&s);
	for (size_t i = 0; i < host->n; i++)
		fd_close(s.model[i]);
}
