/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user namespace maps. Runs in the parent only: it uses the heap, and for a namespace that
 * is not ours a process. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/ns.h"

#define FIRST_INODE  0xeffffffd /* PROC_USER_INIT_INO, the same since Linux 3.8 */
#define MAP_FILE_MAX (64 << 10) /* 340 lines of 33 bytes */

bool userns_is_first(void)
{
	struct stat st;

	/* A kernel without user namespaces has no such file. */
	return stat("/proc/self/ns/user", &st) < 0 || st.st_ino == FIRST_INODE;
}

bool userns_is_root(void)
{
	return geteuid() == 0 && userns_is_first();
}

bool userns_may_unshare(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN));
}

bool userns_may_mount(void)
{
	AUTO_CLOSE int mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int owner = mounts < 0 ? -1 : ioctl(mounts, NS_GET_USERNS);
	struct stat here, there;

	/* EPERM: its owner is above us. */
	if (owner < 0)
		return errno != EPERM;
	return fstat(owner, &there) == 0 && stat("/proc/self/ns/user", &here) == 0 &&
	       here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

/* "         0       1000          1" */
static bool parse_line(const char *line, struct ns_idmap *ret)
{
	uint32_t *const columns[] = {&ret->container, &ret->host, &ret->size};

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		size_t len;
		uint64_t v;

		line += strspn(line, " ");
		len = strcspn(line, " \n");
		if (strn_to_u64(line, len, 0, UINT32_MAX, &v) < 0)
			return false;
		*columns[i] = (uint32_t)v;
		line += len;
	}
	return true;
}

static int parse_map(const char *text, struct arena *arena, struct ns_idmaps *ret)
{
	size_t lines = 0;
	struct ns_idmap *v;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	v = arena_array(arena, lines + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	ret->v = v;
	ret->n = 0;
	while (*text) {
		if (!parse_line(text, &v[ret->n]))
			return -EPROTO;
		ret->n++;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return 0;
}

static int read_map(pid_t pid, const char *file, struct arena *arena, struct ns_idmaps *ret,
		    struct err *err)
{
	char path[64], *text;
	size_t size;
	int r;

	if (pid)
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	else
		(void)snprintf(path, sizeof(path), "/proc/self/%s", file);
	r = io_read_stream(path, MAP_FILE_MAX, arena, &text, &size, err);
	if (r < 0)
		return r;
	r = parse_map(text, arena, ret);
	return r < 0 ? err_set(err, -r, "read %s", path) : 0;
}

static int read_maps(pid_t pid, struct arena *arena, struct ns_idmaps *uids, struct ns_idmaps *gids,
		     struct err *err)
{
	int r = read_map(pid, "uid_map", arena, uids, err);

	return r < 0 ? r : read_map(pid, "gid_map", arena, gids, err);
}

int userns_own_maps(struct arena *arena, struct ns_idmaps *uids, struct ns_idmaps *gids,
		    struct err *err)
{
	return read_maps(0, arena, uids, gids, err);
}

/* A member for as long as @channel is open at the other end. */
static _Noreturn void be_member(int ns, int channel)
{
	char c = 0;

	if (setns(ns, CLONE_NEWUSER) < 0)
		_exit(errno < 256 ? errno : EPERM);
	if (write(channel, &c, 1) == 1)
		(void)!read(channel, &c, 1);
	_exit(0);
}

int userns_maps_of(int ns, struct arena *arena, struct ns_idmaps *uids, struct ns_idmaps *gids,
		   struct err *err)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	int ends[2], status = 0, r;
	char c;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, errno, "look at the user namespace");
	pid = sys_clone3(&args);
	if (pid == 0) {
		fd_close(ends[0]);
		be_member(ns, ends[1]);
	}
	r = pid < 0 ? -errno : 0;
	fd_close(ends[1]);
	if (r == 0 && io_read(ends[0], &c, 1) == 1)
		r = read_maps(pid, arena, uids, gids, err);
	else if (r == 0)
		r = 1;
	fd_close(ends[0]);
	if (pid > 0)
		(void)proc_reap(pid, &status);
	if (r == 1)
		return err_set(err, WIFEXITED(status) ? WEXITSTATUS(status) : EINTR,
			       "join the user namespace");
	return r < 0 && err->kind == ERR_NONE ? err_set(err, -r, "look at the user namespace") : r;
}
