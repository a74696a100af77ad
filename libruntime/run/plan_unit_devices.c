/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules as systemd's: DevicePolicy=strict and a list of what is allowed, nothing denied. It
 * puts them into force by itself, and again after daemon-reload. On v2 our own program stands
 * beside systemd's and both must agree, so here more may be allowed but never less: a rule that
 * denies takes out what an earlier one allowed word for word, and is else left to our program.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "run/plan.h"

static bool same_device(const struct cgroup_device_rule *a, const struct cgroup_device_rule *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

/* Does @a, of a kind and perhaps any number, take in all that @b names? */
static bool covers(const struct cgroup_device_rule *a, const struct cgroup_device_rule *b)
{
	return (a->type == 'a' || a->type == b->type) && (a->major < 0 || a->major == b->major) &&
	       (a->minor < 0 || a->minor == b->minor);
}

static bool is_everything(const struct cgroup_device_rule *r)
{
	return r->type == 'a' && r->major < 0 && r->minor < 0 && r->read && r->write && r->mknod;
}

static void allow(struct cgroup_device_rule *list, size_t *n, const struct cgroup_device_rule *rule)
{
	for (size_t i = 0; i < *n; i++)
		if (same_device(&list[i], rule)) {
			list[i].read |= rule->read;
			list[i].write |= rule->write;
			list[i].mknod |= rule->mknod;
			return;
		}
	list[(*n)++] = *rule;
}

static void deny(struct cgroup_device_rule *list, size_t n, const struct cgroup_device_rule *rule)
{
	for (size_t i = 0; i < n; i++)
		if (covers(rule, &list[i])) {
			list[i].read &= !rule->read;
			list[i].write &= !rule->write;
			list[i].mknod &= !rule->mknod;
		}
}

/* What systemd calls the devices of a rule; it has no word for any major with one minor: then all
 * of them. */
static const char *name_devices(char kind, const struct cgroup_device_rule *r, char buf[64])
{
	const char *type = kind == 'b' ? "block" : "char";

	if (r->major < 0)
		snprintf(buf, 64, "%s-*", type);
	else if (r->minor < 0)
		snprintf(buf, 64, "%s-%" PRId64, type, r->major);
	else
		snprintf(buf, 64, "/dev/%s/%" PRId64 ":%" PRId64, type, r->major, r->minor);
	return buf;
}

static void print(struct strbuf *b, char kind, const struct cgroup_device_rule *r)
{
	char name[64];

	if (!(r->read || r->write || r->mknod) || (r->type != 'a' && r->type != kind))
		return;
	strbuf_fmt(b, "%s('%s','%s%s%s')", b->len ? "," : "", name_devices(kind, r, name),
		   r->read ? "r" : "", r->write ? "w" : "", r->mknod ? "m" : "");
}

void plan_unit_devices(const struct cgroup_limits *l, bool again, struct plan_properties *ret,
		       struct arena *arena)
{
	struct cgroup_device_rule *list = arena_array(arena, l->n_devices + 1, sizeof(*list));
	size_t size = l->n_devices * 2 * 64 + 1, n = 0;
	char *mem = arena_alloc(arena, size);
	bool everything = false;
	struct strbuf b;

	if (!list || !mem) {
		ret->no_memory = true;
		return;
	}
	for (size_t i = 0; i < l->n_devices; i++) {
		const struct cgroup_device_rule *rule = &l->devices[i];

		if (is_everything(rule)) {
			everything = rule->allow;
			n = 0;
		} else if (rule->allow) {
			allow(list, &n, rule);
		} else {
			deny(list, n, rule);
		}
	}
	if (again)
		(void)plan_add_property(ret, arena, "DeviceAllow=@a(ss) []");
	(void)plan_add_property(ret, arena, "DevicePolicy='%s'", everything ? "auto" : "strict");
	if (everything)
		return;
	strbuf_init(&b, mem, size);
	for (size_t i = 0; i < n; i++) {
		print(&b, 'b', &list[i]);
		print(&b, 'c', &list[i]);
	}
	if (b.len)
		(void)plan_add_property(ret, arena, "DeviceAllow=[%s]", mem);
}
