/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Id-mapped mounts; see idmap.h. */
#include "kernel/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
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

/* An id of the container as the host has it; false where it is not mapped. */
static bool translate(uint32_t *id, const struct ns_idmap *maps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (*id < maps[i].container || *id - maps[i].container >= maps[i].size)
			continue;
		*id = maps[i].host + (*id - maps[i].container);
		return true;
	}
	return false;
}

/* "[@]A-B-N" separated by '#', up to ';' or the end. NULL and an error, or behind it. */
static const char *read_triples(const char *text, const struct ns_idmap *maps, size_t n_maps,
				struct ns_idmap *out, size_t *ret_n)
{
	for (;;) {
		bool relative = *text == '@';
		struct ns_idmap *m = &out[*ret_n];

		text += relative;
		if (!number(&text, '-', &m->container) || !number(&text, '-', &m->host) ||
		    !number(&text, '\0', &m->size) || m->size == 0)
			return NULL;
		if (relative && !translate(&m->host, maps, n_maps))
			return NULL;
		++*ret_n;
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

int idmap_parse(const char *text, const struct idmap_relative *container, struct arena *arena,
		struct idmap *ret, struct err *err)
{
	struct ns_idmap *uids = arena_array(arena, count_triples(text), sizeof(*uids));
	struct ns_idmap *gids = arena_array(arena, count_triples(text), sizeof(*gids));
	const char *p = text;
	size_t n_uids = 0, n_gids = 0;

	if (!uids || !gids)
		return err_set(err, ENOMEM, "id mapping");
	while (p && *p) {
		if (str_starts(p, "uids=") && !n_uids)
			p = read_triples(p + 5, container->uids, container->n_uids, uids, &n_uids);
		else if (str_starts(p, "gids=") && !n_gids)
			p = read_triples(p + 5, container->gids, container->n_gids, gids, &n_gids);
		else
			p = NULL;
		if (p && *p == ';')
			p++;
	}
	if (!p || !n_uids || !n_gids)
		return err_kind(
			err, ERR_CONFIG, 0,
			"id mapping \"%.200s\": expected uids=A-B-N#…;gids=A-B-N#…, with @ an "
			"id that the container's user namespace maps",
			text);
	ret->uids = uids;
	ret->gids = gids;
	ret->n_uids = n_uids;
	ret->n_gids = n_gids;
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

static int open_userns(pid_t pid, struct err *err)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open the user namespace of an id-mapped mount") : fd;
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
	r = userns_map(pid, &(struct ns_idmaps){map->uids, map->n_uids},
		       &(struct ns_idmaps){map->gids, map->n_gids}, err);
	if (r == 0)
		r = open_userns(pid, err);
	(void)kill(pid, SIGKILL); /* our child, not reaped: the pid is still its own */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
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
		return err_kind(err, ERR_UNSUPPORTED, EINVAL,
				"id-map the mount: this file system cannot be id-mapped by this "
				"kernel, or it is mapped already");
	if (errno == EPERM)
		err_hint(err, "it needs CAP_SYS_ADMIN in the user namespace that mounted the file "
			      "system, and a mapping that is not empty");
	return err_set(err, errno, "id-map the mount");
}
