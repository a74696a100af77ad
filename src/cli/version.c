/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --version: who we are, for which specification, and a line of what is built in. The first line
 * names the program as it was called, since engines look for "runc version" and "crun version";
 * what is built in, runc says in another form than crun.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/help.h"

/* Each tag stands for a truth in the features document. */
static const struct {
	const char *tag, *key, *member;
} tags[] = {
	{" +SECCOMP", "seccomp", "enabled"}, {" +APPARMOR", "apparmor", "enabled"},
	{" +SELINUX", "selinux", "enabled"}, {" +SYSTEMD", "cgroup", "systemd"},
	{" +EBPF", "cgroup", "v2"},	     {" +INTELRDT", "intelRdt", "enabled"},
};

static void put_tags(struct strbuf *b, const struct json *features)
{
	const struct json *kernel = json_get(features, "linux");

	strbuf_add(b, "+CAP");
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		const struct json *j = json_get(kernel, tags[i].key);

		j = j ? json_get(j, tags[i].member) : NULL;
		if (j && j->type == JSON_BOOL && j->boolean)
			strbuf_add(b, tags[i].tag);
	}
	/* The program is asked when it is needed: what is built in is the use of it. */
	if (json_get(json_get(features, "annotations"), "io.oakum.checkpoint.enabled"))
		strbuf_add(b, " +CRIU");
	strbuf_addc(b, '\n');
}

static void put_built_in(struct strbuf *b, enum cli_peer peer, const char *text)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct json *features;
	const struct json *j;

	if (json_parse(text, strlen(text), "features", &arena, &features, &err) < 0)
		return;
	if (peer != CLI_RUNC) {
		put_tags(b, features);
		return;
	}
	j = json_get(json_get(features, "annotations"), "io.github.seccomp.libseccomp.version");
	if (j && j->type == JSON_STRING)
		strbuf_fmt(b, "libseccomp: %s\n", j->text);
}

int help_version(struct command_context *c)
{
	static const char *const names[] = {"oakum", "runc", "crun"};
	struct oakum_options options = OAKUM_OPTIONS(oakum_options, .rootless = -1);
	AUTO_FREE char *features = NULL;
	struct oakum *o = NULL;
	char text[1024];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	strbuf_fmt(&b, "%s version %s\ncommit: %s\nspec: %s\n", names[c->peer], oakum_version(),
		   oakum_commit(), oakum_spec_version());
	if (c->peer != CLI_OAKUM)
		strbuf_fmt(&b, "program: oakum %s\n", oakum_version());
	if (oakum_new(&options, &o) == 0 && oakum_features(o, &features) == 0)
		put_built_in(&b, c->peer, features);
	oakum_free(o);
	return cli_output(c, b.p, b.len);
}
