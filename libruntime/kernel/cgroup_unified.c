/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The unified map: files of the container's v2 cgroup by their names, written as they are, after
 * the limits that have names of their own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

static size_t controller_len(const char *key)
{
	return strcspn(key, ".");
}

uint32_t cgroup_v2_controller_of(const char *file)
{
	char name[32];
	size_t len = controller_len(file);

	if (len >= sizeof(name))
		return 0;
	memcpy(name, file, len);
	name[len] = '\0';
	return cgroup_v2_parse(name);
}

/* 0 and the bit that @key needs, or < 0 with @err. */
static int judge(const struct cgroup_host *host, const char *key, uint32_t *ret, struct err *err)
{
	uint32_t bit = cgroup_v2_controller_of(key);
	int v1 = bit ? cgroup_find(host, bit) : -1;

	if (cgroup_find_v2(host) < 0)
		return err_kind(
			err, ERR_UNSUPPORTED, ENOENT,
			"invalid configuration: unified resources need cgroup v2, and only v1 "
			"is mounted here");
	if (v1 >= 0)
		return err_kind(
			err, ERR_UNSUPPORTED, ENOENT,
			"invalid configuration: the controller of %s belongs to the cgroup v1 "
			"hierarchy %s here, unified resources to v2",
			key, host->h[v1].mount);
	if (!bit && !str_starts(key, "cgroup."))
		return err_kind(err, ERR_UNSUPPORTED, ENOENT,
				"the requested cgroup controller `%.*s` is not available",
				(int)controller_len(key), key);
	*ret |= bit;
	return 0;
}

int cgroup_unified_need(const struct cgroup *cg, const struct cgroup_limits *l, uint32_t *ret,
			struct err *err)
{
	for (size_t i = 0; i < l->n_unified; i++) {
		int r = judge(cg->host, l->unified[i].key, ret, err);

		if (r < 0) {
			err_pointer(err, "/linux/resources/unified/%s", l->unified[i].key);
			return r;
		}
	}
	return 0;
}

/* The kernel takes one line a write. */
static int write_lines(int dir, const struct cgroup_unified *u, struct cgroup_undo *undo,
		       struct err *err)
{
	char *copy = strdup(u->value), *rest = copy, *line;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && rest && (line = strsep(&rest, "\n"))) {
		if (!*line && *u->value)
			continue;
		cgroup_undo_note(undo,
				 &(struct cgroup_write){.dir = dir, .file = u->key, .text = line});
		r = io_write_at(dir, u->key, line);
	}
	free(copy);
	if (r >= 0)
		return 0;
	err_pointer(err, "/linux/resources/unified/%s", u->key);
	if (r == -ENOENT)
		return err_kind(err, ERR_UNSUPPORTED, 0,
				"open %s: no such file or directory: this kernel does not have it",
				u->key);
	return err_set(err, -r, "write %.100s to %s", u->value, u->key);
}

/*
 * The kernel takes a partition that it does not make, and says so in the file (cgroup-v2.rst,
 * cpuset.cpus.partition): "root invalid (Parent is not a partition root)". Whether it is one may
 * hang on what comes after it in the map.
 */
static int check_partition(int dir, const struct cgroup_limits *l, struct err *err)
{
	static const char file[] = "cpuset.cpus.partition";
	char now[256];

	for (size_t i = 0; i < l->n_unified; i++) {
		if (!str_eq(l->unified[i].key, file) ||
		    io_read_at(dir, file, now, sizeof(now)) < 0 || !strstr(now, " invalid"))
			continue;
		err_pointer(err, "/linux/resources/unified/%s", file);
		return err_set(err, EINVAL, "write %.100s to %s: the kernel made it \"%s\"",
			       l->unified[i].value, file, now);
	}
	return 0;
}

int cgroup_unified_write(struct cgroup *cg, const struct cgroup_limits *l, struct cgroup_undo *undo,
			 struct err *err)
{
	int dir = cgroup_v2_fd(cg), r = 0;

	for (size_t i = 0; i < l->n_unified && r == 0; i++)
		r = write_lines(dir, &l->unified[i], undo, err);
	return r < 0 ? r : check_partition(dir, l, err);
}
