/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state and list: what the containers of a root are, asked of the kernel now. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "run/lifecycle.h"

#define ID_MAX 255 /* str_bad_id() */

struct oakum_state {
	struct container c;
	char owner[64];
	char *json;
};

const char *oakum_status_name(enum oakum_status s)
{
	static const char *const names[] = {"creating", "created", "running", "paused", "stopped"};

	return (size_t)s < ARRAY_SIZE(names) ? names[s] : "unknown";
}

/* The name of a uid in the host's /etc/passwd, without NSS (the program is static); the number
 * where there is none. */
static void owner_name(uint32_t uid, char *buf, size_t size)
{
	char text[32768], *save = NULL;
	ssize_t n = uid ? io_read_at(AT_FDCWD, "/etc/passwd", text, sizeof(text)) : -1;

	snprintf(buf, size, uid ? "%u" : "root", uid);
	for (char *line = n > 0 ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *name_end = strchr(line, ':'),
		     *id = name_end ? strchr(name_end + 1, ':') : NULL;
		uint64_t value;

		if (!id || strn_to_u64(id + 1, strcspn(id + 1, ":"), 0, UINT32_MAX, &value) < 0 ||
		    value != uid)
			continue;
		snprintf(buf, size, "%.*s", (int)(name_end - line), line);
		return;
	}
}

static void put_line(struct strbuf *b, const char *key, const char *value)
{
	strbuf_add(b, ",\n  \"");
	strbuf_add(b, key);
	strbuf_add(b, "\": ");
	strbuf_json(b, value);
}

static int render(struct oakum_state *s)
{
	const struct state *st = &s->c.state;
	size_t size = 2048 +
		      6 * (strlen(st->oci_version) + strlen(st->bundle) + strlen(st->rootfs)) +
		      6 * (st->unit ? strlen(st->unit) : 0) + strlen(st->annotations);
	char *mem = arena_alloc(&s->c.arena, size);
	struct strbuf b;

	if (!mem)
		return -ENOMEM;
	strbuf_init(&b, mem, size);
	strbuf_add(&b, "{\n  \"ociVersion\": ");
	strbuf_json(&b, st->oci_version);
	put_line(&b, "id", st->id);
	strbuf_add(&b, ",\n  \"pid\": ");
	strbuf_i64(&b, oakum_state_pid(s));
	put_line(&b, "status", oakum_status_name(s->c.status));
	put_line(&b, "bundle", st->bundle);
	put_line(&b, "rootfs", st->rootfs);
	put_line(&b, "created", st->created);
	if (st->annotations[0]) {
		strbuf_add(&b, ",\n  \"annotations\": ");
		strbuf_add(&b, st->annotations);
	}
	put_line(&b, "owner", oakum_state_owner(s));
	if (st->unit && st->unit[0])
		put_line(&b, "systemd-scope", st->unit);
	strbuf_add(&b, "\n}");
	s->json = mem;
	return 0;
}

int oakum_state(struct oakum *o, const char *id, struct oakum_state **ret)
{
	struct err *err = handle_begin(o);
	struct oakum_state *s = calloc(1, sizeof(*s));
	int r;

	*ret = NULL;
	if (!s)
		return handle_end(o, "state", id, err_set(err, ENOMEM, "read the state"));
	s->c = CONTAINER_INIT;
	r = container_open(o, id, false, &s->c, err);
	if (r < 0) {
		oakum_state_free(s);
		return handle_end(o, "state", id, r);
	}
	*ret = s;
	return 0;
}

void oakum_state_free(struct oakum_state *s)
{
	if (!s)
		return;
	container_close(&s->c);
	free(s);
}

const char *oakum_state_id(const struct oakum_state *s)
{
	return s->c.state.id;
}

enum oakum_status oakum_state_status(const struct oakum_state *s)
{
	return s->c.status;
}

pid_t oakum_state_pid(const struct oakum_state *s)
{
	return s->c.status == OAKUM_STOPPED || s->c.status == OAKUM_CREATING ? 0
									     : s->c.state.init.pid;
}

const char *oakum_state_bundle(const struct oakum_state *s)
{
	return s->c.state.bundle;
}

const char *oakum_state_rootfs(const struct oakum_state *s)
{
	return s->c.state.rootfs;
}

const char *oakum_state_created(const struct oakum_state *s)
{
	return s->c.state.created;
}

const char *oakum_state_owner(const struct oakum_state *s)
{
	struct oakum_state *w = (struct oakum_state *)s; /* the text is a cache, not a property */

	if (!s->owner[0])
		owner_name(s->c.state.owner, w->owner, sizeof(w->owner));
	return s->owner;
}

const char *oakum_state_cgroup(const struct oakum_state *s)
{
	return s->c.state.cgroup;
}

bool oakum_state_terminal(const struct oakum_state *s)
{
	return s->c.state.terminal;
}

const char *oakum_state_json(const struct oakum_state *s)
{
	if (!s->json && render((struct oakum_state *)s) < 0)
		return NULL;
	return s->json;
}

int oakum_state_supervisor(const struct oakum_state *s, int *ret_pidfd, pid_t *ret_pid, int *ret_fd)
{
	const struct state *st = &s->c.state;
	struct err ignored = ERR_INIT;
	int r;

	if (st->supervisor.pid <= 0)
		return 1;
	r = proc_open(&st->supervisor, ret_pidfd, &ignored);
	if (r != PROC_ALIVE)
		return r < 0 ? r : 1;
	*ret_pid = st->supervisor.pid;
	*ret_fd = st->supervisor_fd;
	return 0;
}

int oakum_directory(struct oakum *o, const char *id, int *ret_fd)
{
	struct err *err = handle_begin(o);
	int r = state_need(o, id, ret_fd, err);

	return handle_end(o, "open", id, r);
}

struct listing {
	struct oakum *o;
	int root;
	int (*each)(void *data, const struct oakum_state *s);
	void (*bad)(void *data, const char *id, const char *text);
	void *data;
};

/* 0, or what @each returned. A container that is just being made or taken away is none. */
static int visit(struct listing *l, const char *id, struct oakum_state *s)
{
	char path[ID_MAX + sizeof("/" STATE_FILE)], text[512];
	struct err err = ERR_INIT;
	size_t len = strlen(id);
	int r;

	memcpy(path, id, len);
	memcpy(path + len, "/" STATE_FILE, sizeof("/" STATE_FILE));
	s->json = NULL;
	s->owner[0] = '\0';
	r = state_read_at(l->root, path, &s->c.arena, &s->c.state, &err);
	if (r == STATE_ABSENT)
		return 0;
	if (r == 0) {
		memcpy(path + len, "/" STATE_GATE, sizeof("/" STATE_GATE));
		s->c.status = state_status_at(l->o, l->root, path, &s->c.state);
		return l->each(l->data, s);
	}
	err_format(&err, text, sizeof(text));
	if (l->bad)
		l->bad(l->data, id, text);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted names of the root's directories that can be ids; in @arena. */
static ssize_t read_names(int root, struct arena *arena, char ***ret)
{
	char **names = NULL, **more, *name;
	size_t n = 0;
	struct dirent *e;
	DIR *d = fdopendir(dup(root));

	if (!d)
		return -errno;
	rewinddir(d);
	while ((e = readdir(d))) {
		if (str_bad_id(e->d_name))
			continue;
		more = arena_grow(arena, names, n, sizeof(*names));
		name = arena_strdup(arena, e->d_name);
		if (!more || !name) {
			closedir(d);
			return -ENOMEM;
		}
		names = more;
		names[n++] = name;
	}
	closedir(d);
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	*ret = names;
	return (ssize_t)n;
}

/* 0 and *@ret_root with the names in @arena; 1: nothing is there, and need not be; < 0. */
static int open_list(struct oakum *o, int *ret_root, struct arena *arena, char ***ret_names,
		     size_t *ret_n)
{
	struct err *err = handle_begin(o);
	AUTO_CLOSE int root = state_open_root(o, false, err);
	ssize_t n;

	if (root == -ENOENT && o->root_is_default) {
		handle_begin(o);
		return 1;
	}
	if (root < 0)
		return handle_end(o, "list", o->root, root);
	n = read_names(root, arena, ret_names);
	if (n < 0)
		return handle_end(o, "list", o->root, err_set(err, (int)-n, "read the state root"));
	*ret_n = (size_t)n;
	*ret_root = fd_take(&root);
	return 0;
}

int oakum_list(struct oakum *o, int (*each)(void *data, const struct oakum_state *s),
	       void (*bad)(void *data, const char *id, const char *text), void *data)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	AUTO_CLOSE int root = -1;
	struct listing l = {.o = o, .each = each, .bad = bad, .data = data};
	struct oakum_state s = {.c = CONTAINER_INIT};
	char **names = NULL;
	size_t n = 0;
	int r = open_list(o, &root, &arena, &names, &n);

	if (r != 0)
		return r < 0 ? r : 0;
	l.root = root;
	for (size_t i = 0; i < n && r == 0; i++) {
		r = visit(&l, names[i], &s);
		arena_reset(&s.c.arena);
	}
	arena_done(&s.c.arena);
	return r;
}

int oakum_list_ids(struct oakum *o, int (*each)(void *data, const char *id), void *data)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	AUTO_CLOSE int root = -1;
	char **names = NULL;
	size_t n = 0;
	int r = open_list(o, &root, &arena, &names, &n);

	if (r != 0)
		return r < 0 ? r : 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		char path[ID_MAX + sizeof("/" STATE_FILE)];
		size_t len = strlen(names[i]);

		memcpy(path, names[i], len);
		memcpy(path + len, "/" STATE_FILE, sizeof("/" STATE_FILE));
		if (faccessat(root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			r = each(data, names[i]);
	}
	return r;
}
