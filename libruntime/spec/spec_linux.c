/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "linux" of config.json but for resources and seccomp: the table, and the readers of
 * namespaces, id mappings, devices and sysctls. What depends on several of them is in
 * spec_check.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/spec_read.h"

static const struct spec_int id_range = {.type = SPEC_U32, .max = SPEC_MAX_ID};
static const struct spec_int size_range = {.type = SPEC_U32, .min = 1, .max = UINT32_MAX};
static const struct spec_int id_option = {.type = SPEC_U32, .option = true, .max = SPEC_MAX_ID};
static const struct spec_int mode_option = {.type = SPEC_U32, .option = true, .max = UINT32_MAX};
/* The kernel's dev_t: 12 bits and 20 bits; mknod(2) would cut more without a word. */
static const struct spec_int major_range = {.type = SPEC_I64, .max = 4095};
static const struct spec_int minor_range = {.type = SPEC_I64, .max = 1048575};

struct namespace
{
	const char *type, *path;
};

static const struct spec_field namespace_fields[] = {
	{"type", spec_read_text, offsetof(struct namespace, type), NULL, SPEC_REQUIRED},
	{"path", spec_read_word, offsetof(struct namespace, path), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

static int find_namespace(const char *name)
{
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		if (str_eq(spec_ns_name((enum spec_ns)i), name))
			return i;
	return -1;
}

static void add_namespace(struct spec_reading *r, const struct json *j, const struct namespace *n,
			  struct spec_namespace *all)
{
	int type = find_namespace(n->type);
	char found[96];

	if (type < 0) {
		spec_describe(json_get(j, "type"), found, sizeof(found));
		spec_fail(r, json_get(j, "type"),
			  "expected pid, network, ipc, uts, mount, user, cgroup or time, found %s",
			  found);
	} else if (all[type].present) {
		spec_fail(r, j, "namespace %s is given twice", n->type);
	} else {
		all[type].present = true;
		all[type].path = n->path;
		all[type].index = j->index;
	}
	if (n->path && *n->path != '/')
		spec_fail_type(r, json_get(j, "path"), "an absolute path");
}

static void read_namespaces(struct spec_reading *r, const struct json *j, void *out,
			    const void *arg)
{
	size_t at_first = r->errors->total;

	(void)arg;
	if (!spec_is(r, j, JSON_ARRAY, 4 * SPEC_NS_COUNT)) {
		r->bad_namespaces = true;
		return;
	}
	for (const struct json *c = j->child; c; c = c->next) {
		struct namespace n = {NULL, NULL};
		size_t before = r->errors->total;

		spec_read_fields(r, c, &n, namespace_fields);
		if (r->errors->total == before)
			add_namespace(r, c, &n, out);
	}
	r->bad_namespaces = r->errors->total != at_first;
}

static const struct spec_field idmap_fields[] = {
	{"containerID", spec_read_int, offsetof(struct spec_idmap, container), &id_range,
	 SPEC_REQUIRED},
	{"hostID", spec_read_int, offsetof(struct spec_idmap, host), &id_range, SPEC_REQUIRED},
	{"size", spec_read_int, offsetof(struct spec_idmap, size), &size_range, SPEC_REQUIRED},
	{NULL, NULL, 0, NULL, 0},
};

static void check_idmap(struct spec_reading *r, const struct json *j, void *element)
{
	const struct spec_idmap *m = element;
	uint32_t first = m->container > m->host ? m->container : m->host;

	if ((uint64_t)first + m->size > UINT32_MAX)
		spec_fail(r, j, "%u ids from %u on go beyond %u", m->size, first, SPEC_MAX_ID);
}

static const struct spec_list idmap_list = {
	.fields = idmap_fields,
	.size = sizeof(struct spec_idmap),
	.max = SPEC_MAX_IDMAPS,
	.check = check_idmap,
};

SPEC_LIST_LAYOUT(struct spec_idmaps, v, n);

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

static void check_overlap(struct spec_reading *r, const struct json *j,
			  const struct spec_idmap *maps, size_t i)
{
	const struct spec_idmap *m = &maps[i];

	for (size_t k = 0; k < i; k++) {
		bool inside = overlap(m->container, m->size, maps[k].container, maps[k].size);
		uint32_t mine = inside ? m->container : m->host;
		uint32_t other = inside ? maps[k].container : maps[k].host;

		if (!inside && !overlap(m->host, m->size, maps[k].host, maps[k].size))
			continue;
		spec_fail(r, j, "%s ids %u-%u overlap those of entry %zu (%u-%u)",
			  inside ? "container" : "host", mine, mine + (m->size - 1), k, other,
			  other + (maps[k].size - 1));
		return;
	}
}

void spec_read_idmaps(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_idmaps *maps = out;
	size_t before = r->errors->total;

	(void)arg;
	spec_read_list(r, j, maps, &idmap_list);
	if (r->errors->total == before)
		for (const struct json *c = j->child; c; c = c->next)
			check_overlap(r, c, maps->v, c->index);
	r->bad_idmaps |= r->errors->total != before;
}

static void read_device_type(struct spec_reading *r, const struct json *j, void *out,
			     const void *arg)
{
	const char *text = spec_string(r, j);
	char found[96];

	(void)arg;
	if (!text)
		return;
	if (strlen(text) == 1 && strchr("cbpu", *text)) {
		*(char *)out = *text == 'u' ? 'c' : *text;
		return;
	}
	spec_describe(j, found, sizeof(found));
	spec_fail(r, j, "expected c, b, u or p, found %s", found);
}

static void read_device_path(struct spec_reading *r, const struct json *j, void *out,
			     const void *arg)
{
	const char *path;
	char found[96];

	spec_read_path(r, j, &path, arg);
	*(const char **)out = path;
	if (!path || *path != '/')
		return;
	spec_describe(j, found, sizeof(found));
	if (path_has_dotdot(path))
		spec_fail(r, j, "must not have a \"..\" component, found %s", found);
	else if (path[strspn(path, "/.")] == '\0')
		spec_fail(r, j, "expected the path of a file, found %s", found);
}

static const struct spec_field device_fields[] = {
	{"path", read_device_path, offsetof(struct spec_device, path), NULL, SPEC_REQUIRED},
	{"type", read_device_type, offsetof(struct spec_device, type), NULL, SPEC_REQUIRED},
	{"major", spec_read_int, offsetof(struct spec_device, major), &major_range, 0},
	{"minor", spec_read_int, offsetof(struct spec_device, minor), &minor_range, 0},
	{"fileMode", spec_read_int, offsetof(struct spec_device, mode), &mode_option, 0},
	{"uid", spec_read_int, offsetof(struct spec_device, uid), &id_option, 0},
	{"gid", spec_read_int, offsetof(struct spec_device, gid), &id_option, 0},
	{NULL, NULL, 0, NULL, 0},
};

static void check_device(struct spec_reading *r, const struct json *j, void *element)
{
	struct spec_device *d = element;

	/* Engines put the file type, and Go its own high bits, beside the permissions. */
	d->mode.v &= 07777;
	if (d->type == 'p')
		return;
	if (!spec_given(j, "major"))
		spec_fail_missing(r, j, "major", NULL);
	if (!spec_given(j, "minor"))
		spec_fail_missing(r, j, "minor", NULL);
}

static const struct spec_list device_list = {
	.fields = device_fields,
	.size = sizeof(struct spec_device),
	.max = SPEC_MAX_DEVICES,
	.check = check_device,
};

SPEC_LIST_LAYOUT(struct spec, devices, n_devices);

/* The same path twice is harmless where it is the same device. */
static void read_devices(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec *s = out;
	size_t before = r->errors->total;
	struct spec_set paths;

	(void)arg;
	spec_read_list(r, j, &s->devices, &device_list);
	if (r->errors->total != before || !spec_set_init(r, &paths, j->len))
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		const struct spec_device *d = &s->devices[c->index], *other;
		ssize_t first = spec_set_add(&paths, d->path, strlen(d->path), c->index);

		if (first < 0)
			continue;
		other = &s->devices[first];
		if (d->type != other->type || d->major != other->major || d->minor != other->minor)
			spec_fail(r, c, "%.100s is another device in entry %zd", d->path, first);
	}
}

/*
 * The path below /proc/sys: what stands first, '.' or '/', is the separator, the other one is
 * then a '.' inside a name (net.ipv4.conf.eth0/100, net/ipv4/conf/eth0.100).
 */
static char *sysctl_path(struct spec_reading *r, const char *key)
{
	char *path = arena_strdup(r->arena, key);
	const char *first = strpbrk(key, "./");

	if (!path)
		r->no_memory = true;
	if (!path || !first || *first == '/')
		return path;
	for (char *p = path; *p; p++) {
		if (*p == '.')
			*p = '/';
		else if (*p == '/')
			*p = '.';
	}
	return path;
}

static bool good_sysctl_path(const char *path)
{
	const char *p = path;

	if (!strchr(path, '/'))
		return false;
	for (;;) {
		size_t len = strcspn(p, "/");

		if (len == 0 || *p == '.')
			return false;
		p += len;
		if (!*p)
			return true;
		p++;
	}
}

static void read_sysctl(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_pairs *pairs = out;
	struct spec_set names;

	(void)arg;
	if (!spec_is(r, j, JSON_OBJECT, SPEC_MAX_SYSCTL) || !spec_set_init(r, &names, j->len))
		return;
	pairs->v = spec_alloc(r, j->len + 1, sizeof(*pairs->v));
	r->sysctl = spec_alloc(r, j->len + 1, sizeof(*r->sysctl));
	if (!pairs->v || !r->sysctl)
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		const char *value = spec_string(r, c);
		char *path = sysctl_path(r, c->key);

		if (!value || !path)
			continue;
		r->sysctl[pairs->n] = path;
		if (!good_sysctl_path(path))
			spec_fail(r, c, "not the name of a sysctl");
		else if (spec_set_add(&names, path, strlen(path), 0) >= 0)
			spec_fail(r, c, "the same sysctl is given twice");
		else
			pairs->v[pairs->n++] = (struct spec_pair){c->key, value};
	}
}

static void read_cgroups_path(struct spec_reading *r, const struct json *j, void *out,
			      const void *arg)
{
	const char *path;

	spec_read_word(r, j, &path, arg);
	*(const char **)out = path;
	if (path && path_has_dotdot(path))
		spec_fail(r, j, "must not have a \"..\" component");
	else if (path && strchr(path, '\n'))
		spec_fail(r, j, "must not have a newline: the kernel takes none");
	spec_check_path(r, j, path);
}

static void read_propagation(struct spec_reading *r, const struct json *j, void *out,
			     const void *arg)
{
	static const char *const known[] = {"private", "rprivate", "slave",	 "rslave",
					    "shared",  "rshared",  "unbindable", "runbindable"};
	const char *text;
	char found[96];

	spec_read_word(r, j, &text, arg);
	if (!text)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(known[i], text)) {
			*(const char **)out = text;
			return;
		}
	spec_describe(j, found, sizeof(found));
	spec_fail(r, j,
		  "expected private, slave, shared or unbindable, or one of them with an r "
		  "in front, found %s",
		  found);
}

#define AT(member) offsetof(struct spec, member)

/* netdev_name_ok() of the kernel; '%' would be a pattern there. */
static bool good_interface(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < 16 && !str_eq(name, ".") && !str_eq(name, "..") &&
	       !name[strcspn(name, "/:% \t\n\v\f\r")];
}

/* One "%d" stands for a number that is free. */
static bool good_pattern(const char *name)
{
	const char *number = strstr(name, "%d");
	char plain[16];
	size_t before = number ? (size_t)(number - name) : 0;

	if (!number || strlen(name) >= sizeof(plain) + 1)
		return good_interface(name);
	memcpy(plain, name, before);
	plain[before] = '0';
	memcpy(plain + before + 1, number + 2, strlen(number + 2) + 1);
	return good_interface(plain);
}

static void read_new_name(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *name;

	spec_read_word(r, j, &name, arg);
	if (name && !good_pattern(name))
		spec_fail(r, j,
			  "not the name of a network device (1 to 15 bytes, no / : or blank, and "
			  "no %% "
			  "but one %%d for a number)");
	else if (name)
		*(const char **)out = name;
}

static const struct spec_field net_device_fields[] = {
	{"name", read_new_name, offsetof(struct spec_net_device, new_name), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

static void check_new_name(struct spec_reading *r, const struct json *j, const struct spec *s)
{
	const struct spec_net_device *d = &s->net_devices[s->n_net_devices - 1];

	if (str_eq(d->new_name, "lo"))
		spec_fail(r, j, "the container has a device lo of its own");
	for (size_t i = 0; i + 1 < s->n_net_devices && !strchr(d->new_name, '%'); i++)
		if (str_eq(s->net_devices[i].new_name, d->new_name))
			spec_fail(r, j, "a device of the name %s is given already", d->new_name);
}

static void read_net_devices(struct spec_reading *r, const struct json *j, void *out,
			     const void *arg)
{
	struct spec *s = out;

	(void)arg;
	if (!spec_is(r, j, JSON_OBJECT, SPEC_MAX_NET_DEVICES))
		return;
	s->net_devices = spec_alloc(r, j->len + 1, sizeof(*s->net_devices));
	for (const struct json *c = j->child; c && s->net_devices; c = c->next) {
		struct spec_net_device *d = &s->net_devices[s->n_net_devices++];

		*d = (struct spec_net_device){c->key, c->key};
		if (!good_interface(c->key))
			spec_fail(r, c, "not the name of a network device");
		if (c->type != JSON_NULL)
			spec_read_fields(r, c, d, net_device_fields);
		check_new_name(r, c, s);
	}
}

const struct spec_field spec_linux_fields[] = {
	{"namespaces", read_namespaces, AT(ns), NULL, 0},
	{"uidMappings", spec_read_idmaps, AT(uid_map), NULL, 0},
	{"gidMappings", spec_read_idmaps, AT(gid_map), NULL, 0},
	{"devices", read_devices, 0, NULL, 0},
	{"cgroupsPath", read_cgroups_path, AT(cgroups_path), NULL, 0},
	{"resources", spec_read_object, AT(resources), spec_resources_fields, 0},
	{"rootfsPropagation", read_propagation, AT(rootfs_propagation), NULL, 0},
	{"sysctl", read_sysctl, AT(sysctl), NULL, 0},
	{"seccomp", spec_read_seccomp, AT(seccomp), NULL, 0},
	{"maskedPaths", spec_read_paths, AT(masked_paths), NULL, 0},
	{"readonlyPaths", spec_read_paths, AT(readonly_paths), NULL, 0},
	{"mountLabel", spec_read_word, AT(mount_label), NULL, 0},
	{"intelRdt", spec_read_rdt, AT(rdt), NULL, 0},
	{"memoryPolicy", spec_read_memory_policy, AT(memory_policy), NULL, 0},
	{"personality", spec_read_personality, AT(personality), NULL, 0},
	{"timeOffsets", spec_read_time_offsets, AT(time_offsets), NULL, 0},
	{"netDevices", read_net_devices, 0, NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

_Static_assert(ARRAY_SIZE(spec_linux_fields) <= SPEC_MAX_FIELDS, "the largest table");
