/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations that the library writes, and the terminal helpers of the programs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "kernel/tty.h"
#include "run/handle.h"
#include "run/host.h"
#include "spec/spec.h"

static int copy_out(const char *text, size_t size, char **ret, size_t *ret_size, struct err *err)
{
	char *copy = malloc(size + 1);

	if (!copy)
		return err_set(err, ENOMEM, "write a configuration");
	memcpy(copy, text, size);
	copy[size] = '\0';
	*ret = copy;
	*ret_size = size;
	return 0;
}

int oakum_spec(struct oakum *o, bool rootless, char **ret, size_t *ret_size)
{
	struct err *err = handle_begin(o);
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct cgroup_host *host = handle_cgroups(o, err);
	struct spec_default d = {
		.rootless = rootless,
		.cgroup_v2 = host && host->mode == CGROUP_V2,
		.uid = geteuid(),
		.gid = getegid(),
	};
	size_t size;
	char *text;
	int r;

	*err = ERR_INIT;
	r = spec_write_default(&d, &arena, &text, &size);
	if (r < 0)
		r = err_set(err, -r, "write a configuration");
	else
		r = copy_out(text, size, ret, ret_size, err);
	return handle_end(o, "spec", NULL, r);
}

/* In v2 a cgroup has what the one above it offers. */
static bool offers_pids(const struct cgroup_hierarchy *h, const char *parent)
{
	char path[PATH_MAX], controllers[512];
	int len = parent[0] ? (int)(strrchr(parent, '/') - parent) : 0;

	snprintf(path, sizeof(path), "%s%.*s/cgroup.controllers", h->mount, len, parent);
	return io_read_at(AT_FDCWD, path, controllers, sizeof(controllers)) > 0 &&
	       strstr(controllers, "pids");
}

/* Can a default limit on processes be kept? One that was asked for may fail; a default may not. */
static bool can_limit_pids(struct oakum *o, struct arena *arena)
{
	struct err ignored = ERR_INIT;
	const struct cgroup_host *host = handle_cgroups(o, &ignored);
	const char *parent = "";

	if (host && handle_rootless(o) &&
	    host_usable_cgroups(host, NULL, o->cgroup_parent, arena, &host, &parent, &ignored) < 0)
		return false;
	for (size_t i = 0; host && i < host->n; i++)
		if ((host->h[i].controllers & CGROUP_C_PIDS) ||
		    (host->h[i].v2 && offers_pids(&host->h[i], parent)))
			return true;
	return false;
}

int oakum_spec_hardened(struct oakum *o, const struct oakum_hardened *x, char **ret,
			size_t *ret_size)
{
	struct err *err = handle_begin(o);
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_hardened h;
	size_t size;
	char *text;
	int r = HANDLE_CHECK_OPTIONS(o, x, oakum_hardened);

	if (r < 0)
		return handle_end(o, "spec", NULL, r);
	h = (struct spec_hardened){
		.rootfs = x->rootfs,
		.args = x->args,
		.env = x->env,
		.mounts = x->mounts,
		.user = x->user,
		.workdir = x->workdir,
		.hostname = x->hostname,
		.id = x->id,
		.memory = x->memory,
		.pids = x->pids,
		.no_default_pids = !can_limit_pids(o, &arena),
		.cpus = x->cpus,
		.terminal = x->terminal,
		.read_only = x->read_only,
		.host_network = x->host_network,
	};
	r = spec_write_hardened(&h, &arena, &text, &size, err);
	if (r == 0)
		r = copy_out(text, size, ret, ret_size, err);
	return handle_end(o, "spec", x->id, r);
}

int oakum_terminal_raw(int fd, bool newlines, struct termios *ret_saved)
{
	return tty_raw(fd, newlines, ret_saved);
}

int oakum_terminal_restore(int fd, const struct termios *saved)
{
	return tty_restore(fd, saved);
}

int oakum_terminal_copy_size(int from, int to)
{
	return tty_copy_size(from, to);
}
