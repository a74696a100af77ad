/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The systemd unit of a container, where systemd makes its cgroup: a scope's name, slice and place,
 * and the properties that it begins with. What limits become is in plan_unit_limits.c.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "run/plan.h"

#define UNIT_NAME_MAX 255
#define FORM	      "slice:prefix:name, such as system.slice:oakum:web"
#define UNIT_CHARS    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\"

static int bad_path(const struct spec *spec, struct err *err, const char *why)
{
	err_pointer(err, "/linux/cgroupsPath");
	err_hint(err, "the systemd cgroup manager takes " FORM);
	return err_kind(err, ERR_CONFIG, 0, "\"%.200s\": %s", spec->cgroups_path, why);
}

/* What unit names may not have as \xNN, as systemd-escape(1) does. */
static const char *escape(const char *text, struct arena *arena)
{
	char *mem = arena_alloc(arena, 4 * strlen(text) + 1);
	struct strbuf b;

	if (!mem)
		return NULL;
	strbuf_init(&b, mem, 4 * strlen(text) + 1);
	for (const char *p = text; *p; p++) {
		if (strchr(UNIT_CHARS, *p) && *p != '\\')
			strbuf_addc(&b, *p);
		else
			strbuf_fmt(&b, "\\x%02x", (unsigned char)*p);
	}
	return mem;
}

static const char *bad_slice(const char *slice)
{
	size_t len = strlen(slice);

	if (len < sizeof(".slice") || !str_eq(slice + len - 6, ".slice"))
		return "the slice's name does not end in .slice";
	if (str_eq(slice, "-.slice"))
		return NULL;
	if (strspn(slice, UNIT_CHARS) != len)
		return "the slice's name has characters that no unit may have";
	if (slice[0] == '-' || slice[len - 7] == '-' || strstr(slice, "--"))
		return "a dash in a slice's name divides parents from children";
	if (len > UNIT_NAME_MAX)
		return "the slice's name is longer than any unit's";
	return NULL;
}

/* Is "cpu.slice" one to systemd, since the kernel has files "cpu.…"? Up to its version 253 that is
 * what stands before the last dot, then before the first. */
static bool like_controller(const char *name, size_t len, unsigned version)
{
	static const char *const controllers[] = {"cpu",
						  "cpuacct",
						  "cpuset",
						  "io",
						  "blkio",
						  "memory",
						  "devices",
						  "pids",
						  "bpf-firewall",
						  "bpf-devices",
						  "bpf-foreign",
						  "bpf-socket-bind",
						  "bpf-restrict-network-interfaces"};

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		size_t n = strlen(controllers[i]);

		if (n < len && name[n] == '.' && memcmp(name, controllers[i], n) == 0 &&
		    (version >= 254 || !memchr(name + n + 1, '.', len - n - 1)))
			return true;
	}
	return false;
}

/* The directory of a unit, as systemd makes it: with a "_" before what could be taken for a file of
 * the kernel's, and before what begins with one. */
static const char *escape_directory(const char *name, size_t len, unsigned version)
{
	return name[0] == '_' || name[0] == '.' || str_starts(name, "cgroup.") ||
			       like_controller(name, len, version)
		       ? "_"
		       : "";
}

/* "a-b.slice" lies at "/a.slice/a-b.slice", "-.slice" is the root. NULL: out of memory. */
static const char *place_slice(const char *slice, unsigned version, struct arena *arena)
{
	size_t len = strlen(slice) - strlen(".slice");
	const char *path = "";

	if (str_eq(slice, "-.slice"))
		return path;
	for (size_t i = 1; path && i <= len; i++) {
		const char *name;

		if (i < len && slice[i] != '-')
			continue;
		name = arena_printf(arena, "%.*s.slice", (int)i, slice);
		path = name ? arena_printf(arena, "%s/%s%s", path,
					   escape_directory(name, strlen(name), version), name)
			    : NULL;
	}
	return path;
}

/* The text that the GVariant @value is, if it is one. */
static bool read_string(const char *value, char *ret, size_t size)
{
	struct strbuf b;
	char quote;

	value += strspn(value, " \t\n\r");
	if (str_starts(value, "@s"))
		value += 2;
	else if (str_starts(value, "string"))
		value += strlen("string");
	value += strspn(value, " \t\n\r");
	quote = *value++;
	if (quote != '\'' && quote != '"')
		return false;
	strbuf_init(&b, ret, size);
	for (; *value && *value != quote; value++) {
		/* No unit has another character that has to be written so. */
		if (*value == '\\' && (!*++value || !strchr("\\'\"", *value)))
			return false;
		strbuf_addc(&b, *value);
	}
	return *value == quote && b.len + 1 < size;
}

/* The annotation comes last, so systemd goes by it. */
static int read_slice_annotation(const struct spec *spec, struct plan_unit *u, struct arena *arena,
				 struct err *err)
{
	const struct spec_pairs *annotations = &spec->known.systemd_properties;
	const char *value = NULL, *bad;
	char slice[UNIT_NAME_MAX + 2];

	for (size_t i = 0; i < annotations->n; i++)
		if (str_eq(annotations->v[i].key, "Slice"))
			value = annotations->v[i].value;
	if (!value)
		return 0;
	bad = read_string(value, slice, sizeof(slice)) ? bad_slice(slice)
						       : "not the name of a slice";
	if (bad) {
		err_pointer(err, "/annotations/org.systemd.property.Slice");
		err_hint(err, "such as 'machine.slice', in quotation marks");
		return err_kind(err, ERR_CONFIG, 0, "%.200s: %s", value, bad);
	}
	u->slice = arena_strdup(arena, slice);
	return u->slice ? 0 : err_set(err, ENOMEM, "plan the unit");
}

/* With the dash always, as runc and crun have it: "::n" is "-n.scope". */
static int name_unit(const struct spec *spec, const char *prefix, const char *name,
		     struct plan_unit *u, struct arena *arena, struct err *err)
{
	size_t len = strlen(name);

	if (strchr(name, ':'))
		return bad_path(spec, err, "not of the form slice:prefix:name");
	if (len > 6 && str_eq(name + len - 6, ".slice"))
		return bad_path(spec, err, "a slice cannot hold processes");
	u->name = arena_printf(arena, "%s-%s.scope", prefix, name);
	if (!u->name)
		return err_set(err, ENOMEM, "plan the unit");
	if (strspn(u->name, UNIT_CHARS) != strlen(u->name))
		return bad_path(spec, err, "no unit may have such characters in its name");
	return 0;
}

/* "slice:prefix:name" into its parts. */
static int read_path(const struct spec *spec, struct plan_unit *u, struct arena *arena,
		     struct err *err)
{
	char *slice = arena_strdup(arena, spec->cgroups_path);
	char *prefix = slice ? strchr(slice, ':') : NULL;
	char *name = prefix ? strchr(prefix + 1, ':') : NULL;
	const char *bad;

	if (!slice)
		return err_set(err, ENOMEM, "plan the unit");
	if (!name)
		return bad_path(spec, err, "not of the form slice:prefix:name");
	*prefix++ = *name++ = '\0';
	bad = slice[0] ? bad_slice(slice) : NULL;
	if (bad)
		return bad_path(spec, err, bad);
	if (slice[0])
		u->slice = slice;
	return name_unit(spec, prefix, name, u, arena, err);
}

int plan_make_unit(const struct spec *spec, const struct plan_host *host, struct plan *p,
		   const char **ret_path, struct arena *arena, struct err *err)
{
	struct plan_unit *u = arena_alloc(arena, sizeof(*u));
	unsigned version = host->systemd.version;
	const char *escaped, *place;
	int r;

	if (!u)
		return err_set(err, ENOMEM, "plan the unit");
	u->user = host->systemd.user;
	u->slice = u->user ? "user.slice" : "system.slice";
	if (spec->cgroups_path) {
		r = read_path(spec, u, arena, err);
		if (r < 0)
			return r;
	} else {
		escaped = escape(p->id, arena);
		if (escaped)
			u->name = arena_printf(arena, "%s-%s.scope",
					       host->default_cgroup_parent + 1, escaped);
	}
	r = read_slice_annotation(spec, u, arena, err);
	if (r < 0)
		return r;
	place = place_slice(u->slice, version, arena);
	if (!u->name || !place)
		return err_set(err, ENOMEM, "plan the unit");
	if (strlen(u->name) > UNIT_NAME_MAX)
		return err_kind(err, ERR_CONFIG, ENAMETOOLONG,
				"the unit's name would have %zu characters, at most %d may be",
				strlen(u->name), UNIT_NAME_MAX);
	*ret_path =
		arena_printf(arena, "%s%s/%s%s", host->systemd.root ? host->systemd.root : "",
			     place, escape_directory(u->name, strlen(u->name), version), u->name);
	p->unit = u;
	return *ret_path ? 0 : err_set(err, ENOMEM, "plan the unit");
}

bool plan_add_property(struct plan_properties *l, struct arena *arena, const char *fmt, ...)
{
	const char **more = arena_grow(arena, l->v, l->n, sizeof(*l->v));
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(arena, fmt, ap);
	va_end(ap);
	if (!text || !more) {
		l->no_memory = true;
		return false;
	}
	l->v = more;
	l->v[l->n++] = text;
	return true;
}

/* A backslash is one that GVariant's text takes for the beginning of something. */
static const char *quote(const char *name, char *ret, size_t size)
{
	struct strbuf b;

	strbuf_init(&b, ret, size);
	for (; *name; name++) {
		if (*name == '\\')
			strbuf_addc(&b, '\\');
		strbuf_addc(&b, *name);
	}
	return ret;
}

/* Set first, so that an annotation of the same name has the last word. */
static void add_fixed(const struct plan *p, struct plan_properties *l, struct arena *arena)
{
	static const char *const fixed[] = {
		"Delegate=true",
		"DefaultDependencies=false",
		"CollectMode='inactive-or-failed'", /* a dead unit goes by itself */
		"CPUAccounting=true",
		"MemoryAccounting=true",
		"TasksAccounting=true",
	};
	char text[2 * UNIT_NAME_MAX + 1];

	(void)plan_add_property(l, arena, "Description='container %s'", p->id);
	(void)plan_add_property(l, arena, "Slice='%s'", quote(p->unit->slice, text, sizeof(text)));
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		(void)plan_add_property(l, arena, "%s", fixed[i]);
	(void)plan_add_property(l, arena, "%s=true",
				p->cgroups->mode == CGROUP_V2 ? "IOAccounting"
							      : "BlockIOAccounting");
}

int plan_make_unit_properties(const struct spec *spec, const struct plan_host *host, struct plan *p,
			      struct arena *arena, struct err *err)
{
	const struct spec_pairs *annotations = &spec->known.systemd_properties;
	struct plan_unit *u = p->unit;
	struct plan_unit_limits request = {
		.host = p->cgroups,
		.path = p->cgroup,
		.limits = &p->limits,
		.systemd = host->systemd.version,
	};
	int r;

	add_fixed(p, &u->start, arena);
	if (p->limits.n_devices)
		plan_unit_devices(&p->limits, false, &u->start, arena);
	r = plan_unit_limits(&request, &u->start, &u->set, arena, err);
	for (size_t i = 0; r == 0 && i < annotations->n; i++)
		(void)plan_add_property(&u->start, arena, "%s=%s", annotations->v[i].key,
					annotations->v[i].value);
	if (r == 0 && (u->start.no_memory || u->set.no_memory))
		r = err_set(err, ENOMEM, "plan the unit");
	return r;
}

/* Is @name a word of @text? */
static bool has_word(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = strstr(text, name); p; p = strstr(p + 1, name))
		if ((p == text || !isalnum((unsigned char)p[-1])) &&
		    !isalnum((unsigned char)p[len]))
			return true;
	return false;
}

/* "TimeoutStopSec" is "TimeoutStopUSec" to systemd. */
static bool names_property(const char *text, const char *name)
{
	int stem = (int)strlen(name) - 3;
	char other[128];

	if (has_word(text, name))
		return true;
	if (stem <= 0 || !str_eq(name + stem, "Sec"))
		return false;
	snprintf(other, sizeof(other), "%.*sUSec", stem, name);
	return has_word(text, other);
}

void plan_blame_property(const struct spec *spec, struct err *err)
{
	const struct spec_pairs *l = &spec->known.systemd_properties;
	const struct spec_pair *found = NULL;

	for (size_t i = 0; !found && i < l->n; i++)
		if (names_property(err->text, l->v[i].key))
			found = &l->v[i];
	/* Where another is named, it is one of ours. */
	if (!found && (l->n == 0 || strstr(err->text, "annot set property ")))
		return;
	if (found || l->n == 1)
		err_pointer(err, "/annotations/org.systemd.property.%s",
			    found ? found->key : l->v[0].key);
	else
		err_pointer(err, "/annotations");
	err->kind = ERR_CONFIG;
	err->code = 0;
}
