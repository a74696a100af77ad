/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading /etc/subuid and /etc/subgid; without NSS, since the program is static. */
#include "kernel/subid.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/str.h"

#define FILE_MAX   (16u << 20)
#define RANGES_MAX 300 /* a map has 340 extents, and one id of our own between */

/* A file of the system's as text; "" where there is none. */
static int read_file(const char *file, struct arena *arena, char **ret, struct err *err)
{
	size_t size;
	int r = io_read_alloc(AT_FDCWD, file, FILE_MAX, arena, ret, &size, err);

	if (r == -ENOENT) {
		*err = ERR_INIT;
		*ret = arena_strdup(arena, "");
		return *ret ? 0 : err_set(err, ENOMEM, "read %s", file);
	}
	return r;
}

/* Cut the line at its colons. The number of fields. */
static size_t split(char *line, char *field[], size_t max)
{
	size_t n = 0;

	while (line && n < max) {
		field[n++] = line;
		line = strchr(line, ':');
		if (line)
			*line++ = '\0';
	}
	return n;
}

/* The next line of @*text, or NULL. */
static char *next_line(char **text)
{
	char *line = *text, *end;

	if (!*line)
		return NULL;
	end = line + strcspn(line, "\n");
	*text = *end ? end + 1 : end;
	*end = '\0';
	return line;
}

/* The name of @uid, or what the session says where no file has one. NULL: none. */
static int find_name(uint32_t uid, struct arena *arena, const char **ret, struct err *err)
{
	char *text, *line, *field[3];
	int r = read_file("/etc/passwd", arena, &text, err);
	uint64_t id;

	if (r < 0)
		return r;
	while ((line = next_line(&text))) {
		if (split(line, field, 3) < 3 || !field[0][0])
			continue;
		field[2][strcspn(field[2], ":")] = '\0';
		if (str_to_u64(field[2], 0, UINT32_MAX, &id) < 0 || id != uid)
			continue;
		*ret = field[0];
		return 0;
	}
	*ret = getenv("USER");
	return 0;
}

int subid_ranges(const char *file, uint32_t uid, struct arena *arena, struct ns_idmaps *ret,
		 struct err *err)
{
	struct ns_idmap *v = arena_array(arena, RANGES_MAX, sizeof(*v));
	char *text, *line, *field[3], number[16];
	const char *name = NULL;
	uint64_t first, size;
	size_t n = 0;
	int r;

	*ret = (struct ns_idmaps){v, 0};
	if (!v)
		return err_set(err, ENOMEM, "read %s", file);
	r = read_file(file, arena, &text, err);
	if (r == 0)
		r = find_name(uid, arena, &name, err);
	if (r < 0)
		return r;
	(void)snprintf(number, sizeof(number), "%u", uid);
	while (n < RANGES_MAX && (line = next_line(&text))) {
		if (split(line, field, 3) != 3)
			continue;
		if (!str_eq(field[0], number) && !(name && str_eq(field[0], name)))
			continue;
		if (str_to_u64(field[1], 0, UINT32_MAX - 1, &first) < 0 ||
		    str_to_u64(field[2], 1, UINT32_MAX - first, &size) < 0)
			continue;
		v[n++] = (struct ns_idmap){0, (uint32_t)first, (uint32_t)size};
	}
	ret->n = n;
	return 0;
}

static bool have(const char *name)
{
	const char *dirs = getenv("PATH");
	char path[PATH_MAX];

	while (dirs && *dirs) {
		size_t len = strcspn(dirs, ":");

		(void)snprintf(path, sizeof(path), "%.*s/%s", (int)len, dirs, name);
		if (len && access(path, X_OK) == 0)
			return true;
		dirs += len + (dirs[len] == ':');
	}
	return false;
}

bool subid_have_helpers(void)
{
	return have("newuidmap") && have("newgidmap");
}
