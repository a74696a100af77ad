/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The annotations that mean something to oakum, in one table: how each is read, where it goes, what
 * it does, and whether an engine should take it from a stranger's bundle. `features` lists the last
 * from here. All others are of no concern to a runtime: they are kept and shown by `state`.
 */
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

#define BPF_MAX ((size_t)4096 * 8) /* BPF_MAXINSNS instructions of eight bytes */

static void read_switch(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text = j->text;

	(void)arg;
	if (str_eq(text, "1") || str_eq(text, "true"))
		*(bool *)out = true;
	else if (!str_eq(text, "0") && !str_eq(text, "false"))
		spec_fail_type(r, j, "\"1\" or \"0\"");
}

static void read_choice(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	char words[128];
	struct strbuf b;

	strbuf_init(&b, words, sizeof(words));
	for (const char *const *choice = arg; *choice; choice++) {
		if (str_eq(*choice, j->text)) {
			*(const char **)out = *choice;
			return;
		}
		strbuf_add(&b, b.len ? ", " : "");
		strbuf_add(&b, *choice);
	}
	spec_fail_type(r, j, words);
}

/* Base64 of what seccomp(2) takes. */
static void read_bpf(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_known *known = out;
	size_t size = j->len / 4 * 3, n = 0;
	void *bytes;

	(void)arg;
	if (size > BPF_MAX + 2) {
		spec_fail(r, j, "more than the %zu instructions that the kernel takes",
			  BPF_MAX / 8);
		return;
	}
	bytes = spec_alloc(r, size + 1, 1);
	if (!bytes)
		return;
	if (str_base64(j->text, bytes, size, &n) < 0)
		spec_fail(r, j, "not base64 (RFC 4648, with its padding)");
	else if (n == 0 || n % 8)
		spec_fail(r, j, "%zu bytes are no BPF instructions of eight bytes each", n);
	known->seccomp_bpf = bytes;
	known->seccomp_bpf_size = n;
}

/* A path of directories below another: no way up, no empty name. */
static const char *below(struct spec_reading *r, const struct json *j, const char *what)
{
	const char *text = j->text + strspn(j->text, "/"), *p = text;

	while (*p) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			spec_fail(r, j, "%s \"%.200s\": `..` components are not allowed", what,
				  j->text);
			return NULL;
		}
		p += n;
		p += strspn(p, "/");
	}
	return text;
}

static void read_delegate(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text = below(r, j, "delegate-cgroup");

	(void)arg;
	*(const char **)out = text && *text ? text : NULL;
}

static void read_subgroup(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	(void)arg;
	*(const char **)out = below(r, j, "subgroup");
}

/* Other ways to run a container than executing its program; none is built in. */
static void read_handler(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const struct json *type = json_get(j->parent, "io.kubernetes.cri.container-type");

	(void)out;
	(void)arg;
	/* A pod's sandbox is a container like any other, whatever runs the rest of the pod. */
	if (!*j->text || (type && type->type == JSON_STRING && str_eq(type->text, "sandbox")))
		return;
	spec_fail_unsupported(r, j, "this oakum has no handler \"%.100s\": programs are executed",
			      j->text);
}

static void read_missing(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	(void)out;
	if (*j->text)
		spec_fail_unsupported(r, j, "this oakum cannot %s", (const char *)arg);
}

/* The name behind the prefix is that of a unit's property: letters, as systemd has them. */
static void read_property(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *name = j->key + strlen(arg), *bad;
	struct spec_pairs *to = out;

	for (const char *p = name; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9' && p > name))) {
			spec_fail(r, j, "\"%.100s\" cannot be the name of a unit's property", name);
			return;
		}
	if (strlen(name) < 3) {
		spec_fail(r, j, "\"%s\" cannot be the name of a unit's property", name);
		return;
	}
	bad = spec_bad_gvariant(j->text);
	if (bad) {
		spec_fail(r, j, "not a value as GVariant writes it (uint64 5, 'text'): %s", bad);
		return;
	}
	to->v[to->n++] = (struct spec_pair){name, j->text};
}

static const char *const contexts[] = {"context", "fscontext", "defcontext", "rootcontext", NULL};
static const char property_prefix[] = "org.systemd.property.";

#define AT(member) offsetof(struct spec_known, member)

/* All are strings. @out is the member of struct spec_known at the offset. */
static const struct known {
	struct spec_annotation public;
	spec_reader *read;
	size_t offset;
	const void *arg;
} table[] = {
	{{"run.oci.pidfd_receiver", "unix socket that gets a pidfd of the process", true},
	 spec_read_path,
	 AT(pidfd_receiver),
	 NULL},
	{{"run.oci.keep_original_groups", "keep the caller's additional groups", true},
	 read_switch,
	 AT(keep_groups),
	 NULL},
	{{"run.oci.hooks.stdout", "file to which hooks append their output", true},
	 spec_read_filled,
	 AT(hooks_stdout),
	 NULL},
	{{"run.oci.hooks.stderr", "file to which hooks append their error output", true},
	 spec_read_filled,
	 AT(hooks_stderr),
	 NULL},
	{{"run.oci.seccomp.receiver", "as /linux/seccomp/listenerPath", true},
	 spec_read_path,
	 AT(seccomp_receiver),
	 NULL},
	{{"run.oci.seccomp.plugins", "answer seccomp notifications by plugins", true},
	 read_missing,
	 0,
	 "answer seccomp notifications by plugins"},
	{{"run.oci.seccomp_fail_unknown_syscall", "an unknown system call in a profile is an error",
	  false},
	 read_switch,
	 AT(seccomp_fail_unknown),
	 NULL},
	{{"run.oci.seccomp_bpf_data", "BPF in base64 instead of /linux/seccomp", true},
	 read_bpf,
	 0,
	 NULL},
	{{"run.oci.delegate-cgroup", "sub-cgroup for the container's own use", true},
	 read_delegate,
	 AT(delegate_cgroup),
	 NULL},
	{{"run.oci.systemd.subgroup", "sub-cgroup of the systemd scope", true},
	 read_subgroup,
	 AT(systemd_subgroup),
	 NULL},
	{{"run.oci.systemd.force_cgroup_v1", "a v1 hierarchy for an old systemd", true},
	 read_missing,
	 0,
	 "mount a v1 hierarchy for the container alone"},
	{{"run.oci.mount_context_type", "mount option that takes /linux/mountLabel", true},
	 read_choice,
	 AT(mount_context_type),
	 contexts},
	{{"run.oci.handler", "what runs the container", true}, read_handler, 0, NULL},
	{{"org.criu.config", "configuration file of CRIU", true},
	 spec_read_path,
	 AT(criu_config),
	 NULL},
	{{"io.kubernetes.cri.container-type", "\"sandbox\": no handler", false},
	 spec_read_ignored,
	 0,
	 NULL},
	{{property_prefix, "a property of the container's systemd unit", true},
	 read_property,
	 AT(systemd_properties),
	 property_prefix},
};

const struct spec_annotation *spec_annotation(size_t i)
{
	return i < ARRAY_SIZE(table) ? &table[i].public : NULL;
}

static const struct known *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *known = table[i].public.name;
		size_t n = strlen(known);

		if (known[n - 1] == '.' ? strncmp(name, known, n) == 0 : str_eq(name, known))
			return &table[i];
	}
	return NULL;
}

static void read_one(struct spec_reading *r, const struct json *j, struct spec *s)
{
	const struct known *known;

	if (!*j->key) {
		spec_fail(r, j, "the name of an annotation must not be empty");
		return;
	}
	if (!spec_string(r, j))
		return;
	s->annotations.v[s->annotations.n++] = (struct spec_pair){j->key, j->text};
	known = find(j->key);
	if (known)
		known->read(r, j, (char *)&s->known + known->offset, known->arg);
}

void spec_read_annotations(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec *s = out;

	(void)arg;
	if (!spec_is(r, j, JSON_OBJECT, SPEC_MAX_ANNOTATIONS))
		return;
	s->annotations.v = spec_alloc(r, j->len + 1, sizeof(*s->annotations.v));
	s->known.systemd_properties.v =
		spec_alloc(r, j->len + 1, sizeof(*s->known.systemd_properties.v));
	if (!s->annotations.v || !s->known.systemd_properties.v)
		return;
	for (const struct json *c = j->child; c; c = c->next)
		read_one(r, c, s);
}
