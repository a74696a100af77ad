/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The id maps of a child's new user namespace, written by its parent. The kernel is asked first: it
 * alone knows what we may map. What it refuses goes to newuidmap(1) and newgidmap(1), which may do
 * what /etc/subuid and /etc/subgid grant. Runs in the parent only: it starts programs.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/str.h"
#include "kernel/ns.h"

#define MAP_TEXT    4096 /* the kernel takes less than a page in its one write */
#define MAP_EXTENTS 340	 /* UID_GID_MAP_MAX_EXTENTS, Linux 4.15 */

extern char **environ;

/* uid_map or gid_map: what differs between the two. */
struct map_kind {
	const char *file, *helper, *noun;
};

static const struct map_kind uid_kind = {"uid_map", "newuidmap", "uid"};
static const struct map_kind gid_kind = {"gid_map", "newgidmap", "gid"};

struct map_request {
	pid_t pid;
	int dir; /* /proc/PID */
	const struct ns_idmap *maps;
	size_t n;
	int64_t deadline_ms;
};

static int open_process(pid_t pid, struct err *err)
{
	char path[32];
	struct strbuf b;
	struct statfs fs;
	AUTO_CLOSE int fd = -1;

	strbuf_init(&b, path, sizeof(path));
	strbuf_add(&b, "/proc/");
	strbuf_i64(&b, pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_set(err, errno, "open %s", path);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_set(err, EINVAL, "%s is not on a proc file system", path);
	return fd_take(&fd);
}

static int write_map(const struct map_request *q, const struct map_kind *kind, struct err *err)
{
	char text[MAP_TEXT];
	struct strbuf b;
	int r;

	strbuf_init(&b, text, sizeof(text));
	for (size_t i = 0; i < q->n; i++) {
		strbuf_u64(&b, q->maps[i].container);
		strbuf_addc(&b, ' ');
		strbuf_u64(&b, q->maps[i].host);
		strbuf_addc(&b, ' ');
		strbuf_u64(&b, q->maps[i].size);
		strbuf_addc(&b, '\n');
	}
	if (b.overflow)
		return err_kind(err, ERR_CONFIG, E2BIG, "write %s: %zu mappings are too many",
				kind->file, q->n);
	r = io_write_at(q->dir, kind->file, text);
	/* EPERM is an answer: the caller tries the next way. */
	if (r < 0 && r != -EPERM)
		return err_set(err, -r, "write %s of process %d", kind->file, q->pid);
	return r;
}

/* Numbers as text, in one buffer, for the helper's argv. */
struct helper_args {
	char *argv[3 * MAP_EXTENTS + 3];
	char text[3 * MAP_EXTENTS * 11 + 16];
	size_t n, used;
};

static void add_number(struct helper_args *a, uint64_t number)
{
	struct strbuf b;

	strbuf_init(&b, a->text + a->used, sizeof(a->text) - a->used);
	strbuf_u64(&b, number);
	a->argv[a->n++] = b.p;
	a->used += b.len + 1;
}

static int spawn_helper(char *const argv[], int out, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY,
						     0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawnp(ret, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* What it says, until it closes its output. 0, or -ETIMEDOUT. */
static int listen_to(int fd, char *said, size_t size, int64_t deadline_ms)
{
	size_t len = 0;
	char drop[256] = {0};

	for (;;) {
		bool room = len + 1 < size;
		int r = io_poll_until(fd, POLLIN, deadline_ms);
		ssize_t n;

		if (r <= 0)
			return r == 0 ? -ETIMEDOUT : r;
		n = read(fd, room ? said + len : drop, room ? size - 1 - len : sizeof(drop));
		if (n <= 0)
			break;
		if (room)
			len += (size_t)n;
	}
	while (len > 0 && said[len - 1] == '\n')
		len--;
	said[len] = '\0';
	return 0;
}

/* It has not ended in time: who it is and what it waits for; then it is killed. */
static int fail_late(pid_t pid, const char *name, struct err *err)
{
	char who[200];
	struct strbuf b;

	strbuf_init(&b, who, sizeof(who));
	proc_describe(&b, pid);
	(void)proc_end(pid, -1);
	return err_set(err, ETIMEDOUT, "wait for %s, process %s", name, who);
}

static int run_helper(char *const argv[], int64_t deadline, struct err *err)
{
	char said[256] = "";
	int out[2], status = 0, r;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe for %s", argv[0]);
	r = spawn_helper(argv, out[1], &pid);
	fd_close(out[1]);
	if (r == 0)
		r = listen_to(out[0], said, sizeof(said), deadline);
	else
		pid = -1;
	fd_close(out[0]);
	if (pid < 0) {
		if (r == -ENOENT)
			err_hint(err, "install newuidmap and newgidmap, or map only the own id");
		return err_kind(err, ERR_UNSUPPORTED, -r, "run %s", argv[0]);
	}
	if (r == 0)
		r = proc_reap_until(pid, deadline, &status);
	if (r < 0)
		return fail_late(pid, argv[0], err);
	if (status != 0)
		return err_kind(err, ERR_UNSUPPORTED, EPERM, "%s refused: %s", argv[0],
				said[0] ? said : "no reason given");
	return 0;
}

static int ask_helper(const struct map_request *q, const struct map_kind *kind, struct err *err)
{
	struct helper_args a = {.argv = {(char *)(uintptr_t)kind->helper}, .n = 1};

	if (q->n > MAP_EXTENTS)
		return err_kind(err, ERR_CONFIG, E2BIG, "write %s: %zu mappings are too many",
				kind->file, q->n);
	add_number(&a, (uint64_t)q->pid);
	for (size_t i = 0; i < q->n; i++) {
		add_number(&a, q->maps[i].container);
		add_number(&a, q->maps[i].host);
		add_number(&a, q->maps[i].size);
	}
	return run_helper(a.argv, q->deadline_ms, err);
}

static bool only_own(const struct map_request *q, uint32_t own)
{
	return q->n == 1 && q->maps[0].size == 1 && q->maps[0].host == own;
}

static int map_uids(const struct map_request *q, struct err *err)
{
	int r = write_map(q, &uid_kind, err);

	return r == -EPERM ? ask_helper(q, &uid_kind, err) : r;
}

/*
 * Without rights the kernel takes a map of the own gid, but only after setgroups(2) has been denied
 * in the namespace: else its root could drop a group that is there to keep it out (CVE-2014-8989).
 */
static int map_gids(const struct map_request *q, struct err *err)
{
	int r = write_map(q, &gid_kind, err);

	if (r != -EPERM)
		return r;
	if (!only_own(q, getegid()))
		return ask_helper(q, &gid_kind, err);
	r = io_write_at(q->dir, "setgroups", "deny");
	if (r < 0)
		return err_set(err, -r, "deny setgroups to process %d", q->pid);
	r = write_map(q, &gid_kind, err);
	return r == -EPERM ? err_set(err, EPERM, "write gid_map of process %d", q->pid) : r;
}

int userns_map(pid_t pid, const struct ns_idmaps *uids, const struct ns_idmaps *gids,
	       int64_t deadline_ms, struct err *err)
{
	AUTO_CLOSE int dir = open_process(pid, err);
	int r = 0;

	if (dir < 0)
		return dir;
	if (uids && uids->n > 0)
		r = map_uids(&(struct map_request){pid, dir, uids->v, uids->n, deadline_ms}, err);
	if (r == 0 && gids && gids->n > 0)
		r = map_gids(&(struct map_request){pid, dir, gids->v, gids->n, deadline_ms}, err);
	return r;
}

const struct ns_idmap *userns_find(const struct ns_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (id >= maps->v[i].container && id - maps->v[i].container < maps->v[i].size)
			return &maps->v[i];
	return NULL;
}

bool userns_host_id(const struct ns_idmaps *maps, uint32_t id, uint32_t *ret)
{
	const struct ns_idmap *m = userns_find(maps, id);

	if (m)
		*ret = m->host + (id - m->container);
	return m;
}
