/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "process" of config.json, and process.json of `exec`: the tables, and the readers of its lists.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "base/str.h"
#include "spec/spec_read.h"

static const struct spec_int id_range = {.type = SPEC_U32, .max = SPEC_MAX_ID};
static const struct spec_int umask_range = {.type = SPEC_U32, .option = true, .max = 0777};
static const struct spec_int size_range = {.type = SPEC_U16, .option = true, .max = UINT16_MAX};
static const struct spec_int limit_range = {.type = SPEC_U64, .max = UINT64_MAX};
static const struct spec_int oom_range = {
	.type = SPEC_INT, .option = true, .min = -1000, .max = 1000};

static void read_groups(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_process *p = out;

	(void)arg;
	if (!spec_is(r, j, JSON_ARRAY, SPEC_MAX_GROUPS))
		return;
	p->groups = spec_alloc(r, j->len + 1, sizeof(*p->groups));
	if (!p->groups)
		return;
	p->n_groups = j->len;
	for (const struct json *c = j->child; c; c = c->next)
		spec_read_int(r, c, &p->groups[c->index], &id_range);
}

static const struct spec_field user_fields[] = {
	{"uid", spec_read_int, offsetof(struct spec_process, uid), &id_range, 0},
	{"gid", spec_read_int, offsetof(struct spec_process, gid), &id_range, 0},
	{"umask", spec_read_int, offsetof(struct spec_process, umask), &umask_range, 0},
	{"additionalGids", read_groups, 0, NULL, 0},
	{"username", spec_read_ignored, 0, NULL, 0}, /* Windows */
	{NULL, NULL, 0, NULL, 0},
};

/* Required by the specification; both peers take what is absent for 0. */
static void read_user(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	spec_read_fields(r, j, out, arg);
	if (j->type != JSON_OBJECT || !r->whole)
		return;
	if (!spec_given(j, "uid"))
		spec_warn(r, j, "uid is missing: 0 is taken");
	if (!spec_given(j, "gid"))
		spec_warn(r, j, "gid is missing: 0 is taken");
}

static const struct spec_field console_fields[] = {
	{"height", spec_read_int, offsetof(struct spec_process, console_rows), &size_range,
	 SPEC_REQUIRED},
	{"width", spec_read_int, offsetof(struct spec_process, console_columns), &size_range,
	 SPEC_REQUIRED},
	{NULL, NULL, 0, NULL, 0},
};

/* The kernel's MAX_ARG_STRLEN: an execve(2) with a longer string fails with E2BIG. */
static void check_length(struct spec_reading *r, const struct json *j)
{
	size_t max = 32 * (size_t)sysconf(_SC_PAGESIZE);

	if (j->len >= max)
		spec_fail(r, j,
			  "%zu bytes are more than the %zu that the kernel passes to a program",
			  j->len, max - 1);
}

static void read_args(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_strings *args = out;
	size_t before = r->errors->total;

	spec_read_strings(r, j, out, arg);
	if (r->errors->total != before)
		return;
	if (args->n == 0)
		spec_fail(r, j, "must not be empty: its first element is the program");
	else if (args->v[0][0] == '\0')
		spec_fail(r, j->child, "must not be empty: it is the program");
	for (const struct json *c = j->child; c; c = c->next)
		check_length(r, c);
}

static bool good_variable(struct spec_reading *r, const struct json *j)
{
	char found[96];
	const char *text = spec_string(r, j);

	if (!text)
		return false;
	spec_describe(j, found, sizeof(found));
	if (*text == '=')
		spec_fail(r, j, "expected NAME=VALUE, found %s without a name", found);
	else if (!strchr(text, '='))
		spec_fail(r, j, "expected NAME=VALUE, found %s without '='", found);
	check_length(r, j);
	return *text != '=' && strchr(text, '=');
}

/* The last value of a variable wins, in the place of its first. */
void spec_read_env(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_strings *env = out;
	struct spec_set names;

	(void)arg;
	if (!spec_is(r, j, JSON_ARRAY, JSON_MAX_ITEMS) || !spec_set_init(r, &names, j->len))
		return;
	env->v = spec_alloc(r, j->len + 1, sizeof(*env->v));
	if (!env->v)
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		ssize_t first;

		if (!good_variable(r, c))
			continue;
		first = spec_set_add(&names, c->text, strcspn(c->text, "="), env->n);
		env->v[first < 0 ? env->n++ : (size_t)first] = c->text;
	}
}

/* The specification wants a warning, not a failure, for a capability that cannot be granted. */
static void read_caps(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	uint64_t *set = out;

	(void)arg;
	if (!spec_is(r, j, JSON_ARRAY, 1024))
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		const char *name = spec_string(r, c);
		int cap = name ? names_capability_number(name) : -1;

		if (cap >= 0)
			*set |= UINT64_C(1) << cap;
		else if (name)
			spec_warn(r, c, "unknown capability \"%.64s\" is not granted", name);
	}
}

static const struct spec_field caps_fields[] = {
	{"bounding", read_caps, offsetof(struct spec_caps, bounding), NULL, 0},
	{"effective", read_caps, offsetof(struct spec_caps, effective), NULL, 0},
	{"inheritable", read_caps, offsetof(struct spec_caps, inheritable), NULL, 0},
	{"permitted", read_caps, offsetof(struct spec_caps, permitted), NULL, 0},
	{"ambient", read_caps, offsetof(struct spec_caps, ambient), NULL, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* capset(2) refuses it, late and in the child. */
static void check_effective(struct spec_reading *r, const struct json *j,
			    const struct spec_caps *caps)
{
	const struct json *effective = spec_given(j, "effective");

	if (!effective || effective->type != JSON_ARRAY)
		return;
	for (const struct json *c = effective->child; c; c = c->next) {
		int cap = c->type == JSON_STRING ? names_capability_number(c->text) : -1;

		if (cap >= 0 && !(caps->permitted >> cap & 1))
			spec_fail(r, c, "%s cannot be effective without being permitted",
				  names_capability(cap));
	}
}

static void read_capabilities(struct spec_reading *r, const struct json *j, void *out,
			      const void *arg)
{
	struct spec_caps *caps = out;

	(void)arg;
	caps->present = true;
	spec_read_fields(r, j, caps, caps_fields);
	check_effective(r, j, caps);
}

static void read_rlimit_type(struct spec_reading *r, const struct json *j, void *out,
			     const void *arg)
{
	struct spec_rlimit *limit = out;
	char found[96];

	(void)arg;
	limit->name = spec_string(r, j);
	limit->resource = limit->name ? spec_rlimit_number(limit->name) : -1;
	if (!limit->name || limit->resource >= 0)
		return;
	spec_describe(j, found, sizeof(found));
	spec_fail(r, j, "expected the name of a resource limit (RLIMIT_NOFILE), found %s", found);
}

static void check_rlimit(struct spec_reading *r, const struct json *j, void *element)
{
	const struct spec_rlimit *limit = element;

	if (limit->soft > limit->hard)
		spec_fail(r, j, "soft %llu is above hard %llu (%s)",
			  (unsigned long long)limit->soft, (unsigned long long)limit->hard,
			  limit->name);
}

static const struct spec_field rlimit_fields[] = {
	{"type", read_rlimit_type, 0, NULL, SPEC_REQUIRED},
	{"soft", spec_read_int, offsetof(struct spec_rlimit, soft), &limit_range, SPEC_REQUIRED},
	{"hard", spec_read_int, offsetof(struct spec_rlimit, hard), &limit_range, SPEC_REQUIRED},
	{NULL, NULL, 0, NULL, 0},
};

static const struct spec_list rlimit_list = {
	.fields = rlimit_fields,
	.size = sizeof(struct spec_rlimit),
	.max = 64,
	.check = check_rlimit,
};

SPEC_LIST_LAYOUT(struct spec_process, rlimits, n_rlimits);

static void read_rlimits(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_process *p = out;
	size_t before = r->errors->total;
	uint64_t seen = 0;

	(void)arg;
	spec_read_list(r, j, &p->rlimits, &rlimit_list);
	if (r->errors->total != before)
		return;
	for (const struct json *c = j->child; c; c = c->next) {
		const struct spec_rlimit *limit = &p->rlimits[c->index];

		if (seen & (UINT64_C(1) << limit->resource))
			spec_fail(r, c, "%s is given twice", limit->name);
		seen |= UINT64_C(1) << limit->resource;
	}
}

#define AT(member) offsetof(struct spec_process, member)

const struct spec_field spec_process_fields[] = {
	{"terminal", spec_read_bool, AT(terminal), NULL, 0},
	{"consoleSize", spec_read_object, 0, console_fields, 0},
	{"user", read_user, 0, user_fields, 0},
	{"args", read_args, AT(args), NULL, SPEC_REQUIRED},
	{"env", spec_read_env, AT(env), NULL, 0},
	{"cwd", spec_read_path, AT(cwd), NULL, SPEC_REQUIRED},
	{"capabilities", read_capabilities, AT(caps), NULL, 0},
	{"rlimits", read_rlimits, 0, NULL, 0},
	{"noNewPrivileges", spec_read_bool, AT(no_new_privileges), NULL, 0},
	{"oomScoreAdj", spec_read_int, AT(oom_score_adj), &oom_range, 0},
	{"apparmorProfile", spec_read_word, AT(apparmor), NULL, 0},
	{"selinuxLabel", spec_read_word, AT(selinux), NULL, 0},
	{"scheduler", spec_read_scheduler, AT(scheduler), NULL, 0},
	{"ioPriority", spec_read_io_priority, AT(io_priority), NULL, 0},
	{"execCPUAffinity", spec_read_object, 0, spec_affinity_fields, 0},
	{"commandLine", spec_read_ignored, 0, NULL, 0}, /* Windows */
	{NULL, NULL, 0, NULL, 0},
};
