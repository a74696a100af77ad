/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contradictions: what each member alone does not show. Runs after all has been read, also when
 * errors were found, so it looks only at values that are there.
 */
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

/* Linux takes at most 3/4 of _STK_LIM, 6 MiB, for arguments and environment together. */
#define MAX_STRINGS (6u << 20)

static void check_names(struct spec_reading *r, const struct json *root, const struct spec *s)
{
	if (s->ns[SPEC_NS_UTS].present)
		return;
	if (s->hostname)
		spec_fail(r, json_get(root, "hostname"),
			  "needs a uts namespace in /linux/namespaces");
	if (s->domainname)
		spec_fail(r, json_get(root, "domainname"),
			  "needs a uts namespace in /linux/namespaces");
}

static void check_userns(struct spec_reading *r, const struct json *linux_, const struct spec *s)
{
	bool uids = s->uid_map.n > 0, gids = s->gid_map.n > 0;

	if (!s->ns[SPEC_NS_USER].present) {
		if (uids)
			spec_fail(r, json_get(linux_, "uidMappings"),
				  "needs a user namespace in /linux/namespaces");
		if (gids)
			spec_fail(r, json_get(linux_, "gidMappings"),
				  "needs a user namespace in /linux/namespaces");
	} else if (uids && !gids) {
		spec_fail_missing(r, linux_, "gidMappings", "/linux/uidMappings is given");
	} else if (gids && !uids) {
		spec_fail_missing(r, linux_, "uidMappings", "/linux/gidMappings is given");
	}
}

static void check_time(struct spec_reading *r, const struct json *linux_, const struct spec *s)
{
	const struct json *j = json_get(linux_, "timeOffsets");
	bool any = false;

	for (int i = 0; i < SPEC_CLOCK_COUNT; i++)
		any |= s->time_offsets[i].set;
	if (any && !s->ns[SPEC_NS_TIME].present)
		spec_fail(r, j, "needs a time namespace in /linux/namespaces");
	else if (any && s->ns[SPEC_NS_TIME].path)
		spec_fail(r, j, "the time namespace is joined, and its offsets cannot be changed");
}

static bool mapped(const struct spec_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (id >= maps->v[i].container && id - maps->v[i].container < maps->v[i].size)
			return true;
	return false;
}

/* setresuid(2) with an id that has no mapping is EINVAL, late and in the child. */
static void check_ids(struct spec_reading *r, const struct json *root, const struct spec *s)
{
	const struct json *user = json_get(json_get(root, "process"), "user"), *groups;
	const struct spec_process *p = &s->process;

	if (!user || r->bad_idmaps || !s->ns[SPEC_NS_USER].present || s->ns[SPEC_NS_USER].path ||
	    !s->uid_map.n || !s->gid_map.n)
		return;
	if (spec_given(user, "uid") && !mapped(&s->uid_map, p->uid))
		spec_fail(r, spec_given(user, "uid"), "%u is not mapped by /linux/uidMappings",
			  p->uid);
	if (spec_given(user, "gid") && !mapped(&s->gid_map, p->gid))
		spec_fail(r, spec_given(user, "gid"), "%u is not mapped by /linux/gidMappings",
			  p->gid);
	groups = spec_given(user, "additionalGids");
	if (!groups || !p->n_groups)
		return;
	for (const struct json *c = groups->child; c; c = c->next)
		if (!mapped(&s->gid_map, p->groups[c->index]))
			spec_fail(r, c, "%u is not mapped by /linux/gidMappings",
				  p->groups[c->index]);
}

/* Which namespace a sysctl belongs to. A directory ends in '/', a bare prefix in '*'. */
static const struct {
	const char *path;
	enum spec_ns ns;
} sysctls[] = {
	{"net/", SPEC_NS_NETWORK},    {"fs/mqueue/", SPEC_NS_IPC},
	{"kernel/msg*", SPEC_NS_IPC}, {"kernel/shm*", SPEC_NS_IPC},
	{"kernel/sem", SPEC_NS_IPC},  {"kernel/sem_next_id", SPEC_NS_IPC},
	{"user/", SPEC_NS_USER},      {"kernel/domainname", SPEC_NS_UTS},
};

static bool matches(const char *path, const char *pattern)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '/')
		return strncmp(path, pattern, len) == 0;
	if (pattern[len - 1] == '*')
		return strncmp(path, pattern, len - 1) == 0 && !strchr(path + len - 1, '/');
	return str_eq(path, pattern);
}

static enum spec_ns namespace_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++)
		if (matches(path, sysctls[i].path))
			return sysctls[i].ns;
	return SPEC_NS_COUNT;
}

enum spec_ns spec_sysctl_namespace(const char *key)
{
	char path[256];
	size_t n = strlen(key), first = strcspn(key, "./");

	if (n >= sizeof(path))
		return SPEC_NS_COUNT;
	memcpy(path, key, n + 1);
	/* As written: what stands first is the separator. */
	for (char *p = path; key[first] == '.' && *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return namespace_of(path);
}

static void check_sysctl(struct spec_reading *r, const struct json *j, const struct spec *s,
			 const char *path)
{
	enum spec_ns ns = namespace_of(path);

	if (str_eq(path, "kernel/hostname")) {
		spec_fail(r, j, "use /hostname instead");
		return;
	}
	if (ns == SPEC_NS_COUNT)
		spec_fail(r, j, "not a namespaced sysctl: it would change the host");
	else if (!s->ns[ns].present)
		spec_fail(r, j, "needs a namespace of type %s in /linux/namespaces",
			  spec_ns_name(ns));
	else if (str_eq(path, "kernel/domainname") && s->domainname &&
		 !str_eq(j->text, s->domainname))
		spec_fail(r, j, "contradicts /domainname");
}

/* Only where every sysctl was read do values and members stand side by side. */
static void check_sysctls(struct spec_reading *r, const struct json *linux_, const struct spec *s)
{
	const struct json *j = json_get(linux_, "sysctl");
	size_t i = 0;

	if (!j || j->type != JSON_OBJECT || s->sysctl.n != j->len)
		return;
	for (const struct json *c = j->child; c; c = c->next)
		check_sysctl(r, c, s, r->sysctl[i++]);
}

static void check_size(struct spec_reading *r, const struct json *root, const struct spec *s)
{
	const struct json *process = json_get(root, "process");
	const struct json *env = json_get(process, "env"), *args = json_get(process, "args");
	size_t sum = 0;

	for (size_t i = 0; i < s->process.args.n; i++)
		sum += strlen(s->process.args.v[i]) + 1 + sizeof(char *);
	for (size_t i = 0; i < s->process.env.n; i++)
		sum += strlen(s->process.env.v[i]) + 1 + sizeof(char *);
	if (sum > MAX_STRINGS)
		spec_fail(
			r, env ? env : args,
			"args and env take %zu bytes, more than the %u that the kernel passes to a "
			"program",
			sum, MAX_STRINGS);
}

void spec_check(struct spec_reading *r, const struct json *root, struct spec *s)
{
	const struct json *linux_ = json_get(root, "linux");

	check_size(r, root, s);
	if (r->bad_namespaces)
		return;
	check_names(r, root, s);
	if (!linux_ || linux_->type != JSON_OBJECT)
		return;
	check_userns(r, linux_, s);
	check_time(r, linux_, s);
	check_ids(r, root, s);
	check_sysctls(r, linux_, s);
	if (s->rootfs_propagation && !s->ns[SPEC_NS_MOUNT].present)
		spec_fail(r, json_get(linux_, "rootfsPropagation"),
			  "needs a mount namespace in /linux/namespaces");
	if (s->n_net_devices && !s->ns[SPEC_NS_NETWORK].present)
		spec_fail(r, json_get(linux_, "netDevices"),
			  "needs a network namespace in /linux/namespaces");
}
