/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Id-mapped mounts; see idmap.h. */
#include "kernel/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

static bool number(const char **text, char end, uint32_t *ret)
{
	size_t len = strspn(*text, "0123456789");
	uint64_t n;

	if (strn_to_u64(*text, len, 0, UINT32_MAX, &n) < 0 || (end && (*text)[len] != end))
		return false;
	*ret = (uint32_t)n;
	*text += len + (end != 0);
	return true;
}

/* A kind of ids while it is read. */
struct reading {
	const struct ns_idmaps *maps; /* the container's */
	struct ns_idmap *out;
	size_t n;
	bool unmapped; /* an id behind '@' is not in @maps */
};

/* The ids of the container from @m->host on as the host has them: a range of them may be several
 * there, and ends where the container has no more. False where the first is not mapped. */
static bool add_relative(struct reading *r, struct ns_idmap m)
{
	bool first = true;

	for (; m.size > 0; first = false) {
		const struct ns_idmap *found = userns_find(r->maps, m.host);
		struct ns_idmap part = m;

		if (!found) {
			r->unmapped |= first;
			return !first;
		}
		part.host = found->host + (m.host - found->container);
		if (part.size > found->size - (m.host - found->container))
			part.size = found->size - (m.host - found->container);
		r->out[r->n++] = part;
		m.container += part.size;
		m.host += part.size;
		m.size -= part.size;
	}
	return true;
}

/* "[@]A-B-N" separated by '#', up to ';' or the end; '+' as crun's strtol(3) takes it. NULL and an
 * error, or behind it. */
static const char *read_triples(const char *text, struct reading *r)
{
	for (;;) {
		bool relative = *text == '@';
		struct ns_idmap m;

		text += relative || *text == '+';
		if (!number(&text, '-', &m.container) || !number(&text, '-', &m.host) ||
		    !number(&text, '\0', &m.size) || m.size == 0)
			return NULL;
		if (m.size - 1 > UINT32_MAX - m.container || m.size - 1 > UINT32_MAX - m.host)
			return NULL;
		if (!relative)
			r->out[r->n++] = m;
		else if (!add_relative(r, m))
			return NULL;
		if (*text == '#')
			text++;
		else
			return *text == ';' || *text == '\0' ? text : NULL;
	}
}

static size_t count_triples(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '#';
	return n;
}

/* A kind that the text leaves out is mapped as the container's is. */
static struct ns_idmaps take(const struct reading *r)
{
	return r->n ? (struct ns_idmaps){r->out, r->n} : *r->maps;
}

static int fail_mapping(const char *text, const char *why, struct err *err)
{
	return err_kind(err, ERR_CONFIG, 0, "id mapping \"%.160s\": %s", text, why);
}

int idmap_parse(const char *text, const struct idmap_relative *container, struct arena *arena,
		struct idmap *ret, struct err *err)
{
	struct reading uids = {.maps = &container->uids}, gids = {.maps = &container->gids};
	const char *p = text;

	uids.out = arena_array(arena, count_triples(text) * (uids.maps->n + 1), sizeof(*uids.out));
	gids.out = arena_array(arena, count_triples(text) * (gids.maps->n + 1), sizeof(*gids.out));
	if (!uids.out || !gids.out)
		return err_set(err, ENOMEM, "id mapping");
	while (p && *p) {
		if (str_starts(p, "uids=") && !uids.n)
			p = read_triples(p + 5, &uids);
		else if (str_starts(p, "gids=") && !gids.n)
			p = read_triples(p + 5, &gids);
		else
			p = NULL;
		if (p && *p == ';')
			p++;
	}
	if (uids.unmapped || gids.unmapped)
		return fail_mapping(
			text, "an id behind @ is none that the container's user namespace maps",
			err);
	if (!p)
		return fail_mapping(text, "expected uids=A-B-N#…;gids=A-B-N#…, with @ before an A",
				    err);
	if (!(uids.n + uids.maps->n) || !(gids.n + gids.maps->n))
		return fail_mapping(
			text, "uids or gids are left out, and no user namespace has any", err);
	ret->uids = take(&uids);
	ret->gids = take(&gids);
	return 0;
}

/* Waits to be killed; its parent's death kills it too. */
static _Noreturn void hold(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	for (;;)
		pause();
}

int idmap_userns(const struct idmap *map, struct err *err)
{
	struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_CLEAR_SIGHAND,
				  .exit_signal = SIGCHLD};
	pid_t self = getpid(), pid = sys_clone3(&args);
	int r;

	if (pid == 0)
		hold(self);
	if (pid < 0)
		return err_set(err, errno, "make a user namespace for an id-mapped mount");
	r = userns_map(pid, &map->uids, &map->gids, clock_deadline(USERNS_MAP_MS), err);
	if (r == 0) {
		r = ns_of(pid, CLONE_NEWUSER);
		if (r < 0)
			err_set(err, -r, "open the user namespace of an id-mapped mount");
	}
	(void)proc_end(pid, -1);
	return r;
}

/* Since which version of Linux a file system can be id-mapped (mount_setattr(2)); NULL: not yet. */
static const struct {
	unsigned long magic;
	const char *name, *since;
} file_systems[] = {
	{EXT4_SUPER_MAGIC, "ext4", "5.12"},
	{XFS_SUPER_MAGIC, "xfs", "5.12"},
	{MSDOS_SUPER_MAGIC, "vfat", "5.12"},
	{BTRFS_SUPER_MAGIC, "btrfs", "5.15"},
	{0x7366746e, "ntfs3", "5.15"},
	{F2FS_SUPER_MAGIC, "f2fs", "5.18"},
	{EROFS_SUPER_MAGIC_V1, "erofs", "5.19"},
	{SQUASHFS_MAGIC, "squashfs", "6.2"},
	{TMPFS_MAGIC, "tmpfs", "6.3"},
	{CEPH_SUPER_MAGIC, "ceph", "6.7"},
	{HUGETLBFS_MAGIC, "hugetlbfs", "6.9"},
	{FUSE_SUPER_MAGIC, "fuse", "6.12"},
	{OVERLAYFS_SUPER_MAGIC, "overlay", NULL},
	{NFS_SUPER_MAGIC, "nfs", NULL},
	{V9FS_MAGIC, "9p", NULL},
	{PROC_SUPER_MAGIC, "proc", NULL},
	{SYSFS_MAGIC, "sysfs", NULL},
	{CGROUP_SUPER_MAGIC, "cgroup", NULL},
	{CGROUP2_SUPER_MAGIC, "cgroup2", NULL},
	{DEVPTS_SUPER_MAGIC, "devpts", NULL},
};

/* The kernel says EINVAL and no more. */
static int fail_file_system(int tree, struct err *err)
{
	struct statfs fs = {.f_type = 0};
	size_t i = 0;

	(void)fstatfs(tree, &fs);
	while (i < ARRAY_SIZE(file_systems) && file_systems[i].magic != (unsigned long)fs.f_type)
		i++;
	if (i == ARRAY_SIZE(file_systems))
		return err_kind(err, ERR_UNSUPPORTED, EINVAL,
				"id-map the mount: the file system (type 0x%lx) cannot be "
				"id-mapped by this kernel",
				(unsigned long)fs.f_type);
	if (!file_systems[i].since) {
		err_hint(err, "take another file system, or leave the id mapping out");
		return err_kind(err, ERR_UNSUPPORTED, EINVAL,
				"id-map the mount: %s cannot be id-mapped by this kernel",
				file_systems[i].name);
	}
	err_hint(err, "or its user namespace is the one that the file system belongs to already");
	return err_kind(err, ERR_UNSUPPORTED, EINVAL,
			"id-map the mount: %s cannot be id-mapped by this kernel (Linux %s can)",
			file_systems[i].name, file_systems[i].since);
}

int idmap_apply(int tree, int userns, bool recursive, struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns};

	if (sys_mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr) == 0)
		return 0;
	if (errno == ENOSYS)
		return err_kind(err, ERR_UNSUPPORTED, ENOSYS,
				"id-mapped mounts need mount_setattr(2) (Linux 5.12)");
	if (errno == EINVAL)
		return fail_file_system(tree, err);
	if (errno == EPERM)
		err_hint(err, "it needs CAP_SYS_ADMIN in the user namespace that mounted the file "
			      "system, and a mount that is not id-mapped already");
	return err_set(err, errno, "id-map the mount");
}
