/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* features (features.md of the runtime specification), written from the tables that do the work. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kernel/caps.h"
#include "kernel/mount.h"
#include "kernel/seccomp.h"
#include "run/handle.h"
#include "spec/spec.h"

#define FEATURES_SIZE 32768

static void key(struct strbuf *b, const char *name)
{
	if (b->len && b->p[b->len - 1] != '{')
		strbuf_addc(b, ',');
	strbuf_json(b, name);
	strbuf_addc(b, ':');
}

static void item(struct strbuf *b, const char *text)
{
	if (b->p[b->len - 1] != '[')
		strbuf_addc(b, ',');
	strbuf_json(b, text);
}

static void list(struct strbuf *b, const char *name, const char *const *v)
{
	key(b, name);
	strbuf_addc(b, '[');
	for (; *v; v++)
		item(b, *v);
	strbuf_addc(b, ']');
}

static void text(struct strbuf *b, const char *name, const char *value)
{
	key(b, name);
	strbuf_json(b, value);
}

static void flag(struct strbuf *b, const char *name, bool on)
{
	key(b, name);
	strbuf_add(b, on ? "true" : "false");
}

static void object(struct strbuf *b, const char *name)
{
	key(b, name);
	strbuf_addc(b, '{');
}

static void enabled(struct strbuf *b, const char *name)
{
	object(b, name);
	flag(b, "enabled", true);
	strbuf_addc(b, '}');
}

static void put_linux(struct strbuf *b)
{
	key(b, "namespaces");
	strbuf_addc(b, '[');
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		item(b, spec_ns_name(i));
	strbuf_addc(b, ']');
	key(b, "capabilities");
	strbuf_addc(b, '[');
	for (int i = 0; i <= caps_last() && spec_cap_name(i); i++)
		item(b, spec_cap_name(i));
	strbuf_addc(b, ']');
	object(b, "cgroup");
	flag(b, "v1", true);
	flag(b, "v2", true);
	flag(b, "systemd", false);
	flag(b, "systemdUser", false);
	flag(b, "rdma", true);
	strbuf_addc(b, '}');
}

static void put_seccomp(struct strbuf *b)
{
	object(b, "seccomp");
	flag(b, "enabled", true);
	list(b, "actions", seccomp_actions());
	list(b, "operators", seccomp_operators());
	list(b, "archs", seccomp_archs());
	list(b, "knownFlags", seccomp_flags());
	key(b, "supportedFlags");
	strbuf_addc(b, '[');
	for (const char *const *f = seccomp_flags(); *f; f++)
		if (seccomp_flag_supported(*f))
			item(b, *f);
	strbuf_add(b, "]}");
}

/* What an engine should not take from a bundle it does not trust. */
static void put_unsafe(struct strbuf *b)
{
	const struct spec_annotation *a;

	key(b, "potentiallyUnsafeConfigAnnotations");
	strbuf_addc(b, '[');
	for (size_t i = 0; (a = spec_annotation(i)); i++)
		if (a->is_unsafe)
			item(b, a->name);
	strbuf_addc(b, ']');
}

int oakum_features(struct oakum *o, char **ret)
{
	struct err *err = handle_begin(o);
	char *mem = malloc(FEATURES_SIZE);
	struct strbuf b;

	if (!mem)
		return handle_end(o, "features", NULL, err_set(err, ENOMEM, "list features"));
	strbuf_init(&b, mem, FEATURES_SIZE);
	strbuf_addc(&b, '{');
	text(&b, "ociVersionMin", "1.0.0");
	text(&b, "ociVersionMax", oakum_spec_version());
	key(&b, "hooks");
	strbuf_addc(&b, '[');
	for (int i = 0; i < SPEC_HOOK_COUNT; i++)
		item(&b, spec_hook_name(i));
	strbuf_addc(&b, ']');
	list(&b, "mountOptions", mount_option_names());
	object(&b, "linux");
	put_linux(&b);
	put_seccomp(&b);
	enabled(&b, "apparmor");
	enabled(&b, "selinux");
	object(&b, "intelRdt");
	flag(&b, "enabled", true);
	flag(&b, "schemata", true);
	flag(&b, "monitoring", true);
	strbuf_addc(&b, '}');
	object(&b, "mountExtensions");
	enabled(&b, "idmap");
	strbuf_addc(&b, '}');
	object(&b, "memoryPolicy");
	list(&b, "modes", spec_memory_modes());
	list(&b, "flags", spec_memory_flags());
	strbuf_addc(&b, '}');
	enabled(&b, "netDevices");
	strbuf_addc(&b, '}');
	object(&b, "annotations");
	text(&b, "io.oakum.version", oakum_version());
	text(&b, "io.oakum.commit", oakum_commit());
	text(&b, "io.oakum.checkpoint.enabled", "false");
	strbuf_addc(&b, '}');
	put_unsafe(&b);
	strbuf_addc(&b, '}');
	if (b.overflow) {
		free(mem);
		return handle_end(o, "features", NULL, err_set(err, EOVERFLOW, "list features"));
	}
	*ret = mem;
	return 0;
}
