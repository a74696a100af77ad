/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* features (features.md of the runtime specification), written from the tables that do the work. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_put.h"
#include "base/names.h"
#include "base/str.h"
#include "kernel/caps.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/mount.h"
#include "kernel/seccomp.h"
#include "run/handle.h"
#include "spec/spec.h"

#define FEATURES_SIZE 32768

static void item(struct strbuf *b, const char *text)
{
	json_put_item(b);
	strbuf_json(b, text);
}

static void list(struct strbuf *b, const char *name, const char *const *v)
{
	json_put_array(b, name);
	for (; *v; v++)
		item(b, *v);
	strbuf_addc(b, ']');
}

static void enabled(struct strbuf *b, const char *name)
{
	json_put_object(b, name);
	json_put_flag(b, "enabled", true);
	strbuf_addc(b, '}');
}

static void put_linux(struct strbuf *b)
{
	json_put_array(b, "namespaces");
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		item(b, spec_ns_name(i));
	strbuf_addc(b, ']');
	json_put_array(b, "capabilities");
	for (int i = 0; i <= caps_last() && names_capability(i); i++)
		item(b, names_capability(i));
	strbuf_addc(b, ']');
	json_put_object(b, "cgroup");
	json_put_flag(b, "v1", true);
	json_put_flag(b, "v2", true);
	json_put_flag(b, "systemd", cgroup_systemd_built());
	json_put_flag(b, "systemdUser", cgroup_systemd_built());
	json_put_flag(b, "rdma", true);
	strbuf_addc(b, '}');
}

static void put_seccomp(struct strbuf *b)
{
	json_put_object(b, "seccomp");
	json_put_flag(b, "enabled", true);
	list(b, "actions", seccomp_actions());
	list(b, "operators", seccomp_operators());
	list(b, "archs", seccomp_archs());
	list(b, "knownFlags", seccomp_flags());
	json_put_array(b, "supportedFlags");
	for (const char *const *f = seccomp_flags(); *f; f++)
		if (seccomp_flag_supported(*f))
			item(b, *f);
	strbuf_add(b, "]}");
}

static void put_library(struct strbuf *b)
{
	uint32_t v = seccomp_library();
	char text[16];

	snprintf(text, sizeof(text), "%u.%u.%u", v >> 16, v >> 8 & 0xff, v & 0xff);
	json_put_text(b, "io.github.seccomp.libseccomp.version", text);
}

/* What an engine should not take from a bundle it does not trust. */
static void put_unsafe(struct strbuf *b)
{
	const struct spec_annotation *a;

	json_put_array(b, "potentiallyUnsafeConfigAnnotations");
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
	json_put_text(&b, "ociVersionMin", "1.0.0");
	json_put_text(&b, "ociVersionMax", oakum_spec_version());
	json_put_array(&b, "hooks");
	for (int i = 0; i < SPEC_HOOK_COUNT; i++)
		item(&b, spec_hook_name(i));
	strbuf_addc(&b, ']');
	list(&b, "mountOptions", mount_option_names());
	json_put_object(&b, "linux");
	put_linux(&b);
	put_seccomp(&b);
	enabled(&b, "apparmor");
	enabled(&b, "selinux");
	json_put_object(&b, "intelRdt");
	json_put_flag(&b, "enabled", true);
	json_put_flag(&b, "schemata", true);
	json_put_flag(&b, "monitoring", true);
	strbuf_addc(&b, '}');
	json_put_object(&b, "mountExtensions");
	enabled(&b, "idmap");
	strbuf_addc(&b, '}');
	json_put_object(&b, "memoryPolicy");
	list(&b, "modes", spec_memory_modes());
	list(&b, "flags", spec_memory_flags());
	strbuf_addc(&b, '}');
	enabled(&b, "netDevices");
	strbuf_addc(&b, '}');
	json_put_object(&b, "annotations");
	json_put_text(&b, "io.oakum.version", oakum_version());
	json_put_text(&b, "io.oakum.commit", oakum_commit());
	json_put_text(&b, "io.oakum.checkpoint.enabled", "true");
	/* Where engines and crun's own tests look. */
	json_put_text(&b, "org.opencontainers.runc.checkpoint.enabled", "true");
	json_put_text(&b, "run.oci.crun.checkpoint.enabled", "true");
	json_put_text(&b, "run.oci.crun.commit", oakum_commit());
	put_library(&b);
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
