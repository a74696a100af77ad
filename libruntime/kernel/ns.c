/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Namespace files: opened, proved to be of the kind that was asked for, joined, compared. Making
 * new ones is the clone of run/create.
 */
#include "kernel/ns.h"

#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

#define NSFS_MAGIC_NUMBER 0x6e736673 /* linux/magic.h */

static const struct {
	int kind;
	const char *name, *file, *article;
} kinds[NS_KINDS] = {
	{CLONE_NEWUSER, "user", "user", "a"},	    {CLONE_NEWPID, "pid", "pid", "a"},
	{CLONE_NEWNET, "network", "net", "a"},	    {CLONE_NEWIPC, "ipc", "ipc", "an"},
	{CLONE_NEWUTS, "uts", "uts", "a"},	    {CLONE_NEWNS, "mount", "mnt", "a"},
	{CLONE_NEWCGROUP, "cgroup", "cgroup", "a"}, {CLONE_NEWTIME, "time", "time", "a"},
};

int ns_kind_at(size_t i)
{
	return kinds[i].kind;
}

static int find(int kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			return (int)i;
	return -1;
}

const char *ns_kind_name(int kind)
{
	int i = find(kind);

	return i < 0 ? "unknown" : kinds[i].name;
}

const char *ns_file_name(int kind)
{
	int i = find(kind);

	return i < 0 ? NULL : kinds[i].file;
}

int ns_open(const char *path, int kind, struct err *err)
{
	/* Not blocking: whatever the path leads to, a FIFO must not hang us. */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct statfs fs;
	int is;

	if (fd < 0) {
		err_hint(err, "who held it may be gone: /proc/PID/ns of a live process, or a mount "
			      "of it");
		return err_set(err, errno, "open the %s namespace %s", ns_kind_name(kind), path);
	}
	if (fstatfs(fd, &fs) < 0)
		return err_set(err, errno, "look at the %s namespace %s", ns_kind_name(kind), path);
	if ((unsigned long)fs.f_type != NSFS_MAGIC_NUMBER) {
		err_hint(err, "name a file of /proc/PID/ns, or a mount of one");
		return err_kind(err, ERR_CONFIG, 0, "%s is not a namespace, expected %s", path,
				ns_kind_name(kind));
	}
	is = ioctl(fd, NS_GET_NSTYPE);
	if (is < 0)
		return err_set(err, errno, "ask for the kind of the namespace %s", path);
	if (is != kind) {
		int i = find(is);

		return err_kind(err, ERR_CONFIG, 0, "%s is %s %s namespace, expected %s", path,
				i < 0 ? "an" : kinds[i].article, ns_kind_name(is),
				ns_kind_name(kind));
	}
	return fd_take(&fd);
}

int ns_of(pid_t pid, int kind)
{
	const char *file = ns_file_name(kind);
	char path[40];
	int fd;

	if (!file)
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int ns_join(int fd, int kind, struct err *err)
{
	if (setns(fd, kind) < 0)
		return err_set(err, errno, "join the %s namespace", ns_kind_name(kind));
	return 0;
}

int ns_same(int fd, int kind, const char *proc_ns_path)
{
	char own[32];
	struct strbuf path;
	struct stat a, b;

	if (!proc_ns_path) {
		const char *file = ns_file_name(kind);

		if (!file)
			return -EINVAL;
		strbuf_init(&path, own, sizeof(own));
		strbuf_add(&path, "/proc/self/ns/");
		strbuf_add(&path, file);
		proc_ns_path = own;
	}
	if (fstat(fd, &a) < 0 || stat(proc_ns_path, &b) < 0)
		return -errno;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

uint64_t ns_id(int fd)
{
	uint64_t id;

	if (ioctl(fd, NS_GET_ID, &id) == 0 || ioctl(fd, NS_GET_MNTNS_ID, &id) == 0)
		return id;
	return 0;
}
