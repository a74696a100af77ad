/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The doors of spec/: the top of config.json, its mounts, hooks and annotations, and
 * process.json. The rest of the tables is in spec_process.c, spec_linux.c, spec_resources.c and
 * spec_seccomp.c; what depends on several members is in spec_check.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "spec/spec_read.h"

#define NEWEST_MINOR 3 /* of the specification 1.x that the tables know */

/* MAJOR.MINOR.PATCH of semantic versioning; what follows '-' or '+' is not looked at. */
static bool split_version(const char *text, uint64_t part[3])
{
	for (int i = 0; i < 3; i++) {
		size_t len = strspn(text, "0123456789");

		if (strn_to_u64(text, len, 0, UINT32_MAX, &part[i]) < 0)
			return false;
		text += len;
		if (i < 2 && *text++ != '.')
			return false;
	}
	return *text == '\0' || ((*text == '-' || *text == '+') && text[1]);
}

static void read_version(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	uint64_t part[3] = {0};
	char found[96];

	spec_read_text(r, j, out, arg);
	if (j->type != JSON_STRING)
		return;
	spec_describe(j, found, sizeof(found));
	if (!split_version(j->text, part))
		spec_fail(r, j, "expected a version (1.3.0), found %s", found);
	else if (part[0] != 1)
		spec_fail(r, j, "version 1.x.y of the specification is needed, found %s", found);
	else if (part[1] > NEWEST_MINOR)
		spec_note(r, j,
			  "newer than the 1.%d.x that this version knows: what that adds is "
			  "ignored",
			  NEWEST_MINOR);
}

static const struct spec_field root_fields[] = {
	{"path", spec_read_filled, offsetof(struct spec, root_path), NULL, SPEC_REQUIRED},
	{"readonly", spec_read_bool, offsetof(struct spec, root_readonly), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

static const struct spec_field mount_fields[] = {
	{"destination", spec_read_filled, offsetof(struct spec_mount, destination), NULL,
	 SPEC_REQUIRED},
	{"type", spec_read_word, offsetof(struct spec_mount, type), NULL, 0},
	{"source", spec_read_word, offsetof(struct spec_mount, source), NULL, 0},
	{"options", spec_read_strings, offsetof(struct spec_mount, options), NULL, 0},
	{"uidMappings", spec_read_idmaps, offsetof(struct spec_mount, uid_map), NULL, 0},
	{"gidMappings", spec_read_idmaps, offsetof(struct spec_mount, gid_map), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

static bool has_option(const struct spec_mount *m, const char *const *words)
{
	for (size_t i = 0; i < m->options.n; i++)
		for (const char *const *w = words; *w; w++)
			if (str_eq(m->options.v[i], *w))
				return true;
	return false;
}

static void check_mount(struct spec_reading *r, const struct json *j, void *element)
{
	static const char *const bind[] = {"bind", "rbind", NULL};
	static const char *const remount[] = {"remount", NULL};
	static const char *const change[] = {"remount",	    "private", "rprivate", "slave",
					     "rslave",	    "shared",  "rshared",  "unbindable",
					     "runbindable", NULL};
	const struct spec_mount *m = element;
	bool binds = has_option(m, bind) || (m->type && str_eq(m->type, "bind"));

	if (binds && !m->source && !has_option(m, remount))
		spec_fail_missing(r, j, "source", "a bind mount needs one");
	if (!binds && !m->type && !has_option(m, change))
		spec_fail_missing(r, j, "type", "needed without the options bind and rbind");
	if (!m->uid_map.n != !m->gid_map.n)
		spec_fail_missing(r, j, m->uid_map.n ? "gidMappings" : "uidMappings",
				  "the other mapping is given");
	if (m->uid_map.n && !binds)
		spec_fail(r, json_get(j, "uidMappings"), "only a bind mount can be id-mapped");
}

static const struct spec_list mount_list = {
	.fields = mount_fields,
	.size = sizeof(struct spec_mount),
	.max = SPEC_MAX_MOUNTS,
	.check = check_mount,
};

SPEC_LIST_LAYOUT(struct spec, mounts, n_mounts);

static void read_hook_env(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_hook *hook = out;

	hook->env_present = true;
	spec_read_env(r, j, &hook->env, arg);
}

static const struct spec_int timeout_range = {
	.type = SPEC_INT, .option = true, .min = 1, .max = INT_MAX};

static const struct spec_field hook_fields[] = {
	{"path", spec_read_path, offsetof(struct spec_hook, path), NULL, SPEC_REQUIRED},
	{"args", spec_read_strings, offsetof(struct spec_hook, args), NULL, 0},
	{"env", read_hook_env, 0, NULL, 0},
	{"timeout", spec_read_int, offsetof(struct spec_hook, timeout), &timeout_range, 0},
	{NULL, NULL, 0, NULL, 0},
};

static const struct spec_list hook_list = {
	.fields = hook_fields,
	.size = sizeof(struct spec_hook),
	.max = SPEC_MAX_HOOKS,
};

SPEC_LIST_LAYOUT(struct spec_hooks, v, n);

#define HOOK(kind) (SPEC_HOOK_##kind * sizeof(struct spec_hooks)), &hook_list, 0

static const struct spec_field hooks_fields[] = {
	{"prestart", spec_read_list, HOOK(PRESTART)},
	{"createRuntime", spec_read_list, HOOK(CREATE_RUNTIME)},
	{"createContainer", spec_read_list, HOOK(CREATE_CONTAINER)},
	{"startContainer", spec_read_list, HOOK(START_CONTAINER)},
	{"poststart", spec_read_list, HOOK(POSTSTART)},
	{"poststop", spec_read_list, HOOK(POSTSTOP)},
	{NULL, NULL, 0, NULL, 0},
};

static void read_process(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_process *p = out;

	p->present = true;
	spec_read_fields(r, j, p, arg);
}

/* The kernel's __NEW_UTS_LEN. */
#define MAX_HOSTNAME 64

static void read_hostname(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	spec_read_word(r, j, out, arg);
	if (j->type == JSON_STRING && j->len > MAX_HOSTNAME)
		spec_fail(r, j, "%zu bytes are more than the %d of the kernel", j->len,
			  MAX_HOSTNAME);
}

#define AT(member) offsetof(struct spec, member)

static const struct spec_field top_fields[] = {
	{"ociVersion", read_version, AT(version), NULL, SPEC_REQUIRED},
	{"root", spec_read_object, 0, root_fields, SPEC_REQUIRED},
	{"process", read_process, AT(process), spec_process_fields, SPEC_REQUIRED},
	{"hostname", read_hostname, AT(hostname), NULL, 0},
	{"domainname", read_hostname, AT(domainname), NULL, 0},
	{"mounts", spec_read_list, AT(mounts), &mount_list, 0},
	{"hooks", spec_read_object, AT(hooks), hooks_fields, 0},
	{"annotations", spec_read_annotations, 0, NULL, 0},
	{"linux", spec_read_object, 0, spec_linux_fields, 0},
	{"windows", spec_read_ignored, 0, NULL, 0},
	{"solaris", spec_read_ignored, 0, NULL, 0},
	{"zos", spec_read_ignored, 0, NULL, 0},
	{"freebsd", spec_read_ignored, 0, NULL, 0},
	{"vm", spec_read_ignored, 0, NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* argv and envp are used as they are: they need their NULL even when nothing was given. */
static bool complete_strings(struct spec_reading *r, struct spec_strings *list)
{
	if (!list->v)
		list->v = spec_alloc(r, 1, sizeof(*list->v));
	return list->v;
}

static void complete_process(struct spec_reading *r, struct spec_process *p)
{
	if (!complete_strings(r, &p->args) || !complete_strings(r, &p->env))
		return;
	if (!p->groups)
		p->groups = spec_alloc(r, 1, sizeof(*p->groups));
}

static void complete_seccomp(struct spec_reading *r, struct spec_seccomp *s)
{
	if (complete_strings(r, &s->architectures))
		(void)complete_strings(r, &s->flags);
}

static void complete(struct spec_reading *r, struct spec *s)
{
	complete_process(r, &s->process);
	complete_seccomp(r, &s->seccomp);
	(void)complete_strings(r, &s->masked_paths);
	(void)complete_strings(r, &s->readonly_paths);
	for (size_t i = 0; i < s->n_mounts; i++)
		(void)complete_strings(r, &s->mounts[i].options);
	for (int kind = 0; kind < SPEC_HOOK_COUNT; kind++)
		for (size_t i = 0; i < s->hooks[kind].n; i++) {
			(void)complete_strings(r, &s->hooks[kind].v[i].args);
			(void)complete_strings(r, &s->hooks[kind].v[i].env);
		}
}

static int refuse(struct spec_errors *errors, const struct err *e)
{
	errors->v[0] = *e;
	errors->n = errors->total = 1;
	errors->n_notes = 0;
	return e->code ? -e->code : -EINVAL;
}

static int out_of_memory(struct spec_errors *errors, const char *file)
{
	struct err e = ERR_INIT;

	(void)err_kind(&e, ERR_RUNTIME, ENOMEM, "read %s", file);
	return refuse(errors, &e);
}

/* The top value of the text, and an empty reading. */
static int begin(struct spec_reading *r, const char *data, size_t size, struct json **ret)
{
	struct err e = ERR_INIT;

	r->errors->n = r->errors->total = r->errors->n_notes = 0;
	if (json_parse(data, size, r->file, r->arena, ret, &e) < 0)
		return refuse(r->errors, &e);
	r->notes = arena_array(r->arena, SPEC_MAX_NOTES, sizeof(*r->notes));
	return r->notes ? 0 : out_of_memory(r->errors, r->file);
}

static int end(struct spec_reading *r)
{
	if (r->no_memory)
		return out_of_memory(r->errors, r->file);
	r->errors->notes = r->notes;
	r->errors->n_notes = r->n_notes;
	return r->errors->total ? -EINVAL : 0;
}

int spec_parse(const char *data, size_t size, const char *file, struct arena *arena,
	       struct spec **ret, struct spec_errors *errors)
{
	struct spec_reading r = {.arena = arena, .file = file, .errors = errors, .whole = true};
	struct json *root;
	struct spec *s;
	int rc = begin(&r, data, size, &root);

	if (rc < 0)
		return rc;
	s = arena_alloc(arena, sizeof(*s));
	if (!s)
		return out_of_memory(errors, file);
	spec_read_fields(&r, root, s, top_fields);
	if (root->type == JSON_OBJECT && !r.no_memory)
		spec_check(&r, root, s);
	complete(&r, s);
	rc = end(&r);
	if (rc == 0)
		*ret = s;
	return rc;
}

int spec_parse_process(const char *data, size_t size, const char *file, struct arena *arena,
		       struct spec_process *ret, struct spec_errors *errors)
{
	struct spec_reading r = {.arena = arena, .file = file, .errors = errors};
	struct spec_process p = {.present = true};
	struct json *root;
	int rc = begin(&r, data, size, &root);

	if (rc < 0)
		return rc;
	spec_read_fields(&r, root, &p, spec_process_fields);
	complete_process(&r, &p);
	rc = end(&r);
	if (rc == 0)
		*ret = p;
	return rc;
}

int spec_parse_rdt(const char *data, size_t size, const char *file, struct arena *arena,
		   struct spec_rdt *ret, struct spec_errors *errors)
{
	struct spec_reading r = {.arena = arena, .file = file, .errors = errors};
	struct spec_rdt rdt = {.present = false};
	struct json *root;
	int rc = begin(&r, data, size, &root);

	if (rc < 0)
		return rc;
	spec_read_rdt(&r, root, &rdt, NULL);
	rc = end(&r);
	if (rc == 0)
		*ret = rdt;
	return rc;
}

/* Objects around "linux.resources", in which nothing would be known. */
static bool is_resources(struct spec_reading *r, const struct json *root)
{
	static const char *const around[] = {"linux", "resources"};

	for (size_t i = 0; i < ARRAY_SIZE(around); i++) {
		const struct json *j =
			root->type == JSON_OBJECT ? spec_given(root, around[i]) : NULL;

		if (!j || j->type != JSON_OBJECT)
			continue;
		spec_fail_hint(r, j,
			       "give what config.json has at /linux/resources: "
			       "`jq .linux.resources config.json` prints it",
			       "the limits are to stand at the top, not in \"%s\"", around[i]);
		return false;
	}
	return true;
}

int spec_parse_resources(const char *data, size_t size, const char *file, struct arena *arena,
			 struct spec_resources *ret, struct spec_errors *errors)
{
	struct spec_reading r = {.arena = arena, .file = file, .errors = errors, .brief = true};
	struct spec_resources resources = {.n_devices = 0};
	struct json *root;
	int rc = begin(&r, data, size, &root);

	if (rc < 0)
		return rc;
	if (is_resources(&r, root))
		spec_read_object(&r, root, &resources, spec_resources_fields);
	rc = end(&r);
	if (rc == 0)
		*ret = resources;
	return rc;
}

int spec_parse_mounts(const char *data, size_t size, const char *file, struct arena *arena,
		      struct spec *spec, struct spec_errors *errors)
{
	struct spec_reading r = {.arena = arena, .file = file, .errors = errors};
	struct {
		struct spec_mount *v;
		size_t n;
	} list = {NULL, 0};
	struct json *root;
	int rc = begin(&r, data, size, &root);

	if (rc < 0)
		return rc;
	spec_read_list(&r, root, &list, &mount_list);
	for (size_t i = 0; i < list.n; i++)
		(void)complete_strings(&r, &list.v[i].options);
	rc = end(&r);
	if (rc == 0) {
		spec->mounts = list.v;
		spec->n_mounts = list.n;
	}
	return rc;
}
