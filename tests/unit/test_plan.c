/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Golden tests of the plan: tests/golden/NAME.json holds a host, options and a configuration,
 * NAME.plan every decision as text. OAKUM_GOLDEN_UPDATE=1 writes the plans anew: read the
 * difference before you commit it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "run/plan.h"

#define TEXT_SIZE (1 << 20)

static const char *golden_dir(void)
{
	return TEST_DATA "/../golden";
}

static const char *text_of(const struct json *j, const char *key, const char *otherwise)
{
	const struct json *v = json_get(j, key);

	return v && v->type == JSON_STRING ? v->text : otherwise;
}

static uint64_t number_of(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);
	uint64_t n = 0;

	if (v)
		assert_int_equal(json_u64(v, 0, UINT32_MAX, &n), 0);
	return n;
}

static bool flag_of(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);

	return v && v->type == JSON_BOOL && v->boolean;
}

/* "cpu,cpuacct" as CGROUP_C_* bits. */
static uint32_t controllers_of(const char *hierarchy)
{
	uint32_t bits = 0, bit;
	const char *name;

	for (size_t i = 0; (name = cgroup_controller_name(i, &bit)); i++)
		for (const char *part = hierarchy; part; part = strchr(part, ',')) {
			part += *part == ',';
			if (str_starts(part, name) &&
			    strspn(part + strlen(name), ",") == (part[strlen(name)] != '\0'))
				bits |= bit;
		}
	return bits;
}

static void read_cgroups(const struct json *host, struct cgroup_host *ret)
{
	const char *mode = text_of(host, "cgroups", "v1");
	const struct json *names = json_get(host, "hierarchies");

	memset(ret, 0, sizeof(*ret));
	ret->mode = str_eq(mode, "v2")	     ? CGROUP_V2
		    : str_eq(mode, "hybrid") ? CGROUP_HYBRID
		    : str_eq(mode, "none")   ? CGROUP_NONE
					     : CGROUP_V1;
	for (const struct json *n = names ? names->child : NULL; n; n = n->next) {
		struct cgroup_hierarchy *h = &ret->h[ret->n++];

		h->v2 = n->text[0] == '\0' || str_eq(n->text, "unified");
		h->controllers = h->v2 ? 0 : controllers_of(n->text);
		snprintf(h->name, sizeof(h->name), "%s", n->text);
		snprintf(h->mount, sizeof(h->mount), "/sys/fs/cgroup%s%s", n->text[0] ? "/" : "",
			 n->text);
		snprintf(h->root, sizeof(h->root), "/");
	}
}

/* [[CONTAINER, HOST, SIZE]…] */
static struct ns_idmaps maps_of(const struct json *host, const char *key, struct arena *arena)
{
	const struct json *j = json_get(host, key);
	struct ns_idmap *v = arena_array(arena, j ? j->len + 1 : 1, sizeof(*v));
	size_t n = 0;

	for (const struct json *m = j ? j->child : NULL; m; m = m->next, n++) {
		uint32_t *const to[] = {&v[n].container, &v[n].host, &v[n].size};
		size_t i = 0;

		for (const struct json *c = m->child; c; c = c->next) {
			uint64_t number = 0;

			assert_int_equal(json_u64(c, 0, UINT32_MAX, &number), 0);
			*to[i++] = (uint32_t)number;
		}
		assert_int_equal(i, 3);
	}
	return (struct ns_idmaps){v, n};
}

/* "own": ["network"…]: namespaces whose path leads to our own. */
static unsigned own_of(const struct json *host)
{
	const struct json *j = json_get(host, "own");
	unsigned own = 0;

	for (const struct json *c = j ? j->child : NULL; c; c = c->next)
		for (int i = 0; i < SPEC_NS_COUNT; i++)
			if (str_eq(c->text, spec_ns_name((enum spec_ns)i)))
				own |= (unsigned)plan_ns_kind((enum spec_ns)i);
	return own;
}

/* Lines of @text that begin with @indent blanks and no more. */
static size_t count_lines(const char *text, size_t indent)
{
	size_t n = 0;

	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		n += strspn(line, " ") == indent;
	return n;
}

/* The other form says the same: as many stages and steps, the same verbs in the same order. */
static void check_json(const struct plan *plan, const char *const *warnings, const char *text,
		       struct arena *arena)
{
	char *mem = arena_alloc(arena, TEXT_SIZE);
	const char *line = text;
	struct err err = ERR_INIT;
	size_t stages = 0, steps = 0;
	struct strbuf b;
	struct json *top;

	strbuf_init(&b, mem, TEXT_SIZE);
	plan_print(plan, warnings, true, &b);
	assert_false(b.overflow);
	if (json_parse(b.p, b.len, "plan", arena, &top, &err) < 0)
		fail_msg("%s: %s", err.text, b.p);
	for (const struct json *s = json_get(top, "stages")->child; s; s = s->next) {
		const char *name = json_get(s, "stage")->text;

		assert_true(str_starts(line, name) && line[strlen(name)] == '\n');
		stages++;
		for (const struct json *d = json_get(s, "steps")->child; d; d = d->next) {
			const char *verb = json_get(d, "do")->text;

			line = strchr(line, '\n') + 1;
			assert_true(str_starts(line, "  ") && str_starts(line + 2, verb));
			steps++;
		}
		line = strchr(line, '\n') + 1;
	}
	assert_int_equal(stages, count_lines(text, 0));
	assert_int_equal(steps, count_lines(text, 2));
}

static void make(const struct json *top, struct arena *arena, struct strbuf *out)
{
	const struct json *host = json_get(top, "host"), *options = json_get(top, "options");
	struct cgroup_host cgroups;
	struct plan_host h = {
		.cgroups = &cgroups,
		.default_cgroup_parent = "/oakum",
		.rootless = flag_of(host, "rootless"),
		.no_rights = flag_of(host, "noRights"),
		.no_devices = flag_of(host, "noDevices"),
		.may_unshare = !flag_of(host, "unprivileged"),
		.own = own_of(host),
		.joined_uids = maps_of(host, "joinedUids", arena),
		.joined_gids = maps_of(host, "joinedGids", arena),
		.own_uids = maps_of(host, "ownUids", arena),
		.own_gids = maps_of(host, "ownGids", arena),
		.sub_uids = maps_of(host, "subUids", arena),
		.sub_gids = maps_of(host, "subGids", arena),
		.uid = (uint32_t)number_of(host, "uid"),
		.gid = (uint32_t)number_of(host, "gid"),
		.seccomp_receiver = text_of(host, "seccompReceiver", NULL),
		.systemd = {.wanted = json_get(host, "systemd") != NULL,
			    .user = flag_of(host, "systemdUser"),
			    .version = (unsigned)number_of(host, "systemd"),
			    .root = text_of(host, "systemdRoot", "")},
	};
	struct plan_options o = {
		.id = text_of(options, "id", "web"),
		.bundle = text_of(options, "bundle", "/bundle"),
		.no_pivot = flag_of(options, "noPivot"),
		.preserve_fds = (unsigned)number_of(options, "preserveFds"),
		.listen_fds = (unsigned)number_of(options, "listenFds"),
		.notify_socket = text_of(options, "notifySocket", NULL),
	};
	struct spec_errors *errors = arena_alloc(arena, sizeof(*errors));
	const char **warnings = arena_array(arena, SPEC_MAX_ERRORS, sizeof(*warnings));
	char *config = arena_alloc(arena, TEXT_SIZE), line[1024];
	struct err err = ERR_INIT;
	struct strbuf b;
	struct spec *spec;
	struct plan *plan;

	read_cgroups(host, &cgroups);
	strbuf_init(&b, config, TEXT_SIZE);
	json_write(&b, json_get(top, "config"));
	assert_false(b.overflow);
	if (spec_parse(config, b.len, "config.json", arena, &spec, errors) < 0) {
		err_format(&errors->v[0], line, sizeof(line));
		fail_msg("%s", line);
	}
	for (size_t i = 0; i < errors->n_notes && i + 1 < SPEC_MAX_ERRORS; i++)
		warnings[i] = arena_printf(arena, "%s: %s", errors->notes[i].pointer,
					   errors->notes[i].text);
	if (plan_make(spec, &h, &o, arena, &plan, &err) < 0) {
		err_format(&err, line, sizeof(line));
		strbuf_fmt(out, "refused: %s\n", line);
		return;
	}
	plan_print(plan, warnings, false, out);
	check_json(plan, warnings, out->p, arena);
}

static void check_one(const char *name)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	char path[4352], *data, *expected, *text = arena_alloc(&arena, TEXT_SIZE);
	struct err err = ERR_INIT;
	struct strbuf out;
	struct json *top;
	size_t size;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", golden_dir(), name);
	assert_int_equal(io_read_alloc(AT_FDCWD, path, JSON_MAX_SIZE, &arena, &data, &size, &err),
			 0);
	assert_int_equal(json_parse(data, size, name, &arena, &top, &err), 0);
	strbuf_init(&out, text, TEXT_SIZE);
	make(top, &arena, &out);
	assert_false(out.overflow);

	snprintf(path + strlen(path) - strlen("json"), 8, "plan");
	if (getenv("OAKUM_GOLDEN_UPDATE")) {
		f = fopen(path, "we");
		assert_non_null(f);
		assert_int_equal(fwrite(out.p, 1, out.len, f), out.len);
		assert_int_equal(fclose(f), 0);
		return;
	}
	assert_int_equal(
		io_read_alloc(AT_FDCWD, path, JSON_MAX_SIZE, &arena, &expected, &size, &err), 0);
	if (strcmp(out.p, expected) != 0)
		fail_msg("%s: the plan is now:\n%s", name, out.p);
}

static void every_golden_plan(void **state)
{
	DIR *d = opendir(golden_dir());
	struct dirent *e;
	size_t n = 0;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (len > 5 && str_eq(e->d_name + len - 5, ".json")) {
			check_one(e->d_name);
			n++;
		}
	}
	closedir(d);
	assert_true(n >= 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_golden_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
