/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state.json: written by create and start, believed only together with the kernel's answer
 * about the process it names.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/json.h"
#include "base/json_put.h"
#include "base/path.h"
#include "base/str.h"
#include "run/state.h"
#include "spec/spec.h"

#define STATE_FORMAT   1
#define STATE_MAX_SIZE (8u << 20)

static void put_proc(struct strbuf *b, const char *key, const struct proc_id *id)
{
	if (id->pid <= 0)
		return;
	json_put_array(b, key);
	strbuf_u64(b, (uint64_t)id->pid);
	strbuf_addc(b, ',');
	strbuf_u64(b, id->start);
	strbuf_addc(b, ',');
	strbuf_u64(b, id->inode);
	strbuf_addc(b, ']');
}

static void write_members(struct strbuf *b, const struct state *s)
{
	strbuf_addc(b, '{');
	json_put_u64(b, "format", STATE_FORMAT);
	json_put_text(b, "ociVersion", s->oci_version);
	json_put_text(b, "id", s->id);
	json_put_text(b, "bundle", s->bundle);
	json_put_text(b, "rootfs", s->rootfs);
	json_put_text(b, "created", s->created);
	json_put_text(b, "bootId", s->boot_id);
	json_put_text(b, "cgroup", s->cgroup);
	json_put_u64(b, "owner", s->owner);
	json_put_u64(b, "complete", s->complete);
	json_put_u64(b, "terminal", s->terminal);
	json_put_u64(b, "chrooted", s->chrooted);
	json_put_u64(b, "keyring", s->keyring);
	json_put_u64(b, "namespaces", s->namespaces);
	json_put_u64(b, "ownNamespaces", s->own_namespaces);
	json_put_u64(b, "familyNs", s->family_ns);
	json_put_u64(b, "familyNsId", s->family_ns_id);
	json_put_u64(b, "hooks", s->hooks);
	put_proc(b, "init", &s->init);
	put_proc(b, "creator", &s->creator);
	put_proc(b, "supervisor", &s->supervisor);
	if (s->supervisor.pid > 0)
		json_put_u64(b, "supervisorFd", (uint64_t)s->supervisor_fd);
	if (s->unit && s->unit[0]) {
		json_put_text(b, "unit", s->unit);
		json_put_u64(b, "userUnit", s->user_unit);
	}
	if (s->delegate && s->delegate[0])
		json_put_text(b, "delegate", s->delegate);
	if (s->listener && s->listener[0])
		json_put_text(b, "listener", s->listener);
	if (s->rdt_group && s->rdt_group[0]) {
		json_put_text(b, "rdtGroup", s->rdt_group);
		json_put_text(b, "rdtMonitor", s->rdt_monitor ? s->rdt_monitor : "");
		json_put_u64(b, "rdtMade", s->rdt_made);
	}
	if (s->annotations && s->annotations[0]) {
		json_put_key(b, "annotations");
		strbuf_add(b, s->annotations);
	}
	strbuf_add(b, "}\n");
}

static size_t size_needed(const struct state *s)
{
	return 1024 +
	       6 * (strlen(s->oci_version) + strlen(s->id) + strlen(s->bundle) + strlen(s->rootfs) +
		    strlen(s->cgroup)) +
	       (s->unit ? 6 * strlen(s->unit) : 0) + (s->delegate ? 6 * strlen(s->delegate) : 0) +
	       (s->listener ? 6 * strlen(s->listener) : 0) +
	       (s->rdt_group ? 6 * strlen(s->rdt_group) : 0) +
	       (s->rdt_monitor ? 6 * strlen(s->rdt_monitor) : 0) +
	       (s->annotations ? strlen(s->annotations) : 0);
}

static int no_room(int r, const char *name, struct err *err)
{
	if (r == -ENOSPC || r == -EDQUOT)
		err_hint(err, "the state root is full: free space or inodes there, or name another "
			      "with --root");
	else if (r == -ENOENT)
		err_hint(err, "the container's directory in the state root was deleted meanwhile: "
			      "leave that to `oakum delete`");
	return r < 0 ? err_set(err, -r, "write %s", name) : 0;
}

static int write_as(int dir, const char *name, const struct state *s, struct err *err)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	size_t size = size_needed(s);
	char small[4096]; /* most often enough */
	char *mem = size <= sizeof(small) ? small : arena_alloc(&arena, size);
	struct strbuf b;

	if (!mem)
		return err_set(err, ENOMEM, "write %s", name);
	strbuf_init(&b, mem, size);
	write_members(&b, s);
	if (b.overflow)
		return err_set(err, EOVERFLOW, "write %s", name);
	return no_room(io_replace_at(dir, name, b.p, b.len), name, err);
}

int state_write(int dir, const struct state *s, struct err *err)
{
	return write_as(dir, STATE_FILE, s, err);
}

int state_write_claim(int dir, const struct state *s, struct err *err)
{
	return write_as(dir, STATE_CLAIM, s, err);
}

int state_claim(int dir, struct err *err)
{
	return no_room(linkat(dir, STATE_FILE, dir, STATE_CLAIM, 0) < 0 ? -errno : 0, STATE_CLAIM,
		       err);
}

bool state_claimed(int dir, const struct state *s)
{
	return s->complete || faccessat(dir, STATE_CLAIM, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static const char *get_text(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);

	return v && v->type == JSON_STRING ? v->text : "";
}

static uint64_t get_number(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);
	uint64_t n = 0;

	if (v)
		json_u64(v, 0, UINT64_MAX, &n);
	return n;
}

static struct proc_id get_proc(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);
	struct proc_id id = {.pid = 0};
	uint64_t n[3] = {0};
	size_t i = 0;

	if (!v || v->type != JSON_ARRAY)
		return id;
	for (const struct json *c = v->child; c && i < 3; c = c->next)
		json_u64(c, 0, UINT64_MAX, &n[i++]);
	if (n[0] > 0 && n[0] <= INT32_MAX)
		id = (struct proc_id){.pid = (pid_t)n[0], .start = n[1], .inode = n[2]};
	return id;
}

static void read_members(const struct json *j, struct state *s)
{
	s->oci_version = get_text(j, "ociVersion");
	s->id = get_text(j, "id");
	s->bundle = get_text(j, "bundle");
	s->rootfs = get_text(j, "rootfs");
	s->created = get_text(j, "created");
	s->boot_id = get_text(j, "bootId");
	s->cgroup = get_text(j, "cgroup");
	s->unit = get_text(j, "unit");
	s->user_unit = get_number(j, "userUnit") != 0;
	s->delegate = get_text(j, "delegate");
	s->listener = get_text(j, "listener");
	s->rdt_group = get_text(j, "rdtGroup");
	s->rdt_monitor = get_text(j, "rdtMonitor");
	s->rdt_made = get_number(j, "rdtMade") != 0;
	s->owner = (uint32_t)get_number(j, "owner");
	s->complete = get_number(j, "complete") != 0;
	s->terminal = get_number(j, "terminal") != 0;
	s->chrooted = get_number(j, "chrooted") != 0;
	s->keyring = get_number(j, "keyring") != 0;
	s->namespaces = (unsigned)get_number(j, "namespaces");
	s->own_namespaces = (unsigned)get_number(j, "ownNamespaces");
	s->family_ns = get_number(j, "familyNs");
	s->family_ns_id = get_number(j, "familyNsId");
	s->hooks = (unsigned)get_number(j, "hooks");
	s->init = get_proc(j, "init");
	s->creator = get_proc(j, "creator");
	s->supervisor = get_proc(j, "supervisor");
	s->supervisor_fd = s->supervisor.pid > 0 ? (int)get_number(j, "supervisorFd") : -1;
}

int state_damaged(const char *what, struct err *err)
{
	err_hint(err, "`oakum delete --force` removes what is left of it");
	return err_kind(err, ERR_STATE, 0, "state.json is damaged: %s", what);
}

static int keep_annotations(const struct json *j, struct arena *arena, struct state *s,
			    struct err *err)
{
	const struct json *a = json_get(j, "annotations");
	size_t size = 64;
	struct strbuf b;
	char *mem;

	s->annotations = "";
	if (!a || a->type != JSON_OBJECT || !a->child)
		return 0;
	for (const struct json *c = a->child; c; c = c->next)
		size += 8 + 6 * (strlen(c->key) + (c->type == JSON_STRING ? c->len : 0));
	mem = arena_alloc(arena, size);
	if (!mem)
		return err_set(err, ENOMEM, "read state.json");
	strbuf_init(&b, mem, size);
	json_write(&b, a);
	if (b.overflow)
		return state_damaged("annotations that are no strings", err);
	s->annotations = mem;
	return 0;
}

/* @text: all of a state.json. */
static int parse(const char *text, size_t size, struct arena *arena, struct state *ret,
		 struct err *err)
{
	struct err inner = ERR_INIT;
	struct json *j;

	if (json_parse(text, size, "state.json", arena, &j, &inner) < 0)
		return state_damaged(inner.text, err);
	if (j->type != JSON_OBJECT || get_number(j, "format") == 0)
		return state_damaged("no format number", err);
	memset(ret, 0, sizeof(*ret));
	read_members(j, ret);
	if (!ret->id[0] || !ret->bundle[0])
		return state_damaged("no id or bundle", err);
	return keep_annotations(j, arena, ret, err);
}

static int read_as(int dir, const char *name, struct arena *arena, struct state *ret,
		   struct err *err)
{
	struct err inner = ERR_INIT;
	char *text;
	size_t size;
	int r;

	r = io_read_alloc(dir, name, STATE_MAX_SIZE, arena, &text, &size, &inner);
	if (r == -ENOENT)
		return STATE_ABSENT;
	if (r < 0) {
		if (err)
			*err = inner;
		return r;
	}
	return parse(text, size, arena, ret, err);
}

int state_read(int dir, struct arena *arena, struct state *ret, struct err *err)
{
	return read_as(dir, STATE_FILE, arena, ret, err);
}

int state_read_claim(int dir, struct arena *arena, struct state *ret, struct err *err)
{
	return read_as(dir, STATE_CLAIM, arena, ret, err);
}

int state_read_at(int dir, const char *path, struct arena *arena, struct state *ret,
		  struct err *err)
{
	AUTO_CLOSE int fd = path_open_nolink(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	char *text;
	size_t size;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return STATE_ABSENT;
	if (fd < 0)
		return err_set(err, -fd, "open %s", path);
	r = io_read_all(fd, STATE_FILE, STATE_MAX_SIZE, arena, &text, &size, err);
	return r < 0 ? r : parse(text, size, arena, ret, err);
}

int state_keep_config(int dir, const char *text, size_t size, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir, "config.json",
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_set(err, errno, "make a copy of config.json");
	r = io_write(fd, text, size);
	return r < 0 ? err_set(err, -r, "write a copy of config.json") : 0;
}

int state_load_config(int dir, struct arena *arena, struct spec **ret, struct err *err)
{
	struct spec_errors *errors;
	size_t size;
	char *text;
	int r;

	r = io_read_alloc(dir, "config.json", JSON_MAX_SIZE, arena, &text, &size, err);
	if (r < 0)
		return r;
	errors = arena_alloc(arena, sizeof(*errors));
	if (!errors)
		return err_set(err, ENOMEM, "read config.json");
	r = spec_parse(text, size, "config.json", arena, ret, errors);
	if (r < 0 && errors->n > 0)
		*err = errors->v[0];
	return r;
}

char *state_hook_json(struct arena *arena, const struct state *s, const char *status, pid_t pid)
{
	size_t size = size_needed(s);
	char *mem = arena_alloc(arena, size);
	struct strbuf b;

	if (!mem)
		return NULL;
	strbuf_init(&b, mem, size);
	strbuf_addc(&b, '{');
	json_put_text(&b, "ociVersion", s->oci_version);
	json_put_text(&b, "id", s->id);
	json_put_text(&b, "status", status);
	if (pid > 0)
		json_put_u64(&b, "pid", (uint64_t)pid);
	json_put_text(&b, "bundle", s->bundle);
	if (s->annotations && s->annotations[0]) {
		json_put_key(&b, "annotations");
		strbuf_add(&b, s->annotations);
	}
	strbuf_addc(&b, '}');
	return mem;
}

static bool is_paused(struct oakum *o, const struct state *s)
{
	const struct cgroup_host *host;
	struct err ignored = ERR_INIT;
	int r = s->cgroup[0] ? cgroup_look_frozen(s->cgroup) : 0;

	if (r != CGROUP_GONE)
		return r == CGROUP_FROZEN;
	host = handle_cgroups(o, &ignored);
	return host && cgroup_is_frozen(host, s->cgroup) == 1;
}

enum oakum_status state_status_at(struct oakum *o, int dir, const char *gate, const struct state *s)
{
	bool same_boot = str_eq(s->boot_id, handle_boot_id(o));

	if (!s->complete)
		return same_boot && proc_check(&s->creator) == PROC_ALIVE ? OAKUM_CREATING
									  : OAKUM_STOPPED;
	if (!same_boot || s->init.pid <= 0 || proc_check(&s->init) != PROC_ALIVE)
		return OAKUM_STOPPED;
	if (is_paused(o, s))
		return OAKUM_PAUSED;
	if (faccessat(dir, gate, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return OAKUM_CREATED;
	return OAKUM_RUNNING;
}

enum oakum_status state_status(struct oakum *o, int dir, const struct state *s)
{
	return state_status_at(o, dir, STATE_GATE, s);
}

int state_family_kind(const struct state *s)
{
	static const int kinds[] = {CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWNS};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (s->own_namespaces & (unsigned)kinds[i])
			return kinds[i];
	return 0;
}
