/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules on cgroup v1. OCI's list is ordered and its last match wins; the kernel keeps a
 * default and a set of exceptions from it, and cannot make an exception from an exception. So the
 * list is folded into that form first, and what cannot be said in it is an error instead of a
 * device that is open by mistake. Before the first rule everything is denied. (v2: cgroup_bpf.c)
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define ENTRIES_MAX 65536

enum { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_MKNOD = 4, ACCESS_ALL = 7 };

struct entry {
	char type; /* 'b' or 'c' */
	unsigned access;
	int64_t major, minor;
};

/* A default and what differs from it. */
struct folded {
	bool allow;
	struct entry *e;
	size_t n, cap;
};

static unsigned access_of(const struct cgroup_device_rule *r)
{
	return (r->read ? ACCESS_READ : 0) | (r->write ? ACCESS_WRITE : 0) |
	       (r->mknod ? ACCESS_MKNOD : 0);
}

static bool same_device(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

/* Does @a cover every device of @b? */
static bool covers(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && (a->major < 0 || a->major == b->major) &&
	       (a->minor < 0 || a->minor == b->minor);
}

static bool overlaps(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && (a->major < 0 || b->major < 0 || a->major == b->major) &&
	       (a->minor < 0 || b->minor < 0 || a->minor == b->minor);
}

static void describe(const struct entry *e, char *buf, size_t size)
{
	struct strbuf b;

	strbuf_init(&b, buf, size);
	strbuf_addc(&b, e->type);
	strbuf_addc(&b, ' ');
	for (int i = 0; i < 2; i++) {
		int64_t v = i ? e->minor : e->major;

		if (v < 0)
			strbuf_addc(&b, '*');
		else
			strbuf_i64(&b, v);
		strbuf_addc(&b, i ? ' ' : ':');
	}
	strbuf_add(&b, e->access & ACCESS_READ ? "r" : "");
	strbuf_add(&b, e->access & ACCESS_WRITE ? "w" : "");
	strbuf_add(&b, e->access & ACCESS_MKNOD ? "m" : "");
}

static int append(struct folded *f, const struct entry *e)
{
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 32;
		struct entry *grown;

		if (f->n >= ENTRIES_MAX)
			return -E2BIG;
		grown = reallocarray(f->e, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		f->e = grown;
		f->cap = cap;
	}
	f->e[f->n++] = *e;
	return 0;
}

/*
 * The kernel looks for one exception that has all the access wanted. So each gets what wider ones
 * give to its devices too, and where two cross ("c *:3 r", "c 1:* w") what they share becomes one
 * of its own.
 */
static int add_exception(struct folded *f, const struct entry *e)
{
	struct entry new = *e;
	size_t n = f->n;
	bool known = false;

	for (size_t i = 0; i < n; i++) {
		if (covers(&f->e[i], &new) && !(new.access & ~f->e[i].access))
			return 0;
		if (covers(&f->e[i], &new))
			new.access |= f->e[i].access;
	}
	for (size_t i = 0; i < n; i++) {
		if (covers(&new, &f->e[i]))
			f->e[i].access |= new.access;
		known |= same_device(&f->e[i], &new);
	}
	if (!known && append(f, &new) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct entry both = f->e[i];
		int r;

		if (covers(&both, &new) || covers(&new, &both) || !overlaps(&both, &new))
			continue;
		both.major = both.major < 0 ? new.major : both.major;
		both.minor = both.minor < 0 ? new.minor : both.minor;
		both.access |= new.access;
		/* Only one that is concrete, so this goes no deeper. */
		r = add_exception(f, &both);
		if (r < 0)
			return r;
	}
	return 0;
}

/* @back says what the default says: it takes exceptions back. -EXDEV: part of one would have to
 * stay. */
static int remove_exception(struct folded *f, const struct entry *back)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct entry *e = &f->e[i];

		if (covers(back, e))
			e->access &= ~back->access;
		else if (overlaps(back, e) && (back->access & e->access))
			return -EXDEV;
		if (e->access)
			f->e[n++] = *e;
	}
	f->n = n;
	return 0;
}

static int fold_one(struct folded *f, const struct cgroup_device_rule *r)
{
	struct entry e = {.access = access_of(r), .major = r->major, .minor = r->minor};
	const char *types = r->type == 'a' ? "bc" : r->type == 'b' ? "b" : "c";

	if (r->type == 'a' && e.major < 0 && e.minor < 0 && e.access == ACCESS_ALL) {
		f->allow = r->allow;
		f->n = 0;
		return 0;
	}
	for (; *types && e.access; types++) {
		int n;

		e.type = *types;
		n = r->allow != f->allow ? add_exception(f, &e) : remove_exception(f, &e);
		if (n < 0)
			return n;
	}
	return 0;
}

static int fold(struct folded *f, const struct cgroup_device_rule *rules, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct cgroup_device_rule *r = &rules[i];
		struct entry e = {r->type, access_of(r), r->major, r->minor};
		int failed = fold_one(f, r);
		char text[64];

		if (failed == 0)
			continue;
		describe(&e, text, sizeof(text));
		if (failed == -EXDEV)
			return err_kind(err, ERR_UNSUPPORTED, EXDEV,
					"device rule \"%s %s\": cgroup v1 cannot make an exception "
					"from an earlier, "
					"wider rule",
					r->allow ? "allow" : "deny", text);
		return err_set(err, -failed, "fold the device rules");
	}
	return 0;
}

/* "*" is -1. 0 or -EINVAL. */
static int parse_number(const char *from, const char *to, int64_t *ret)
{
	uint64_t n;

	if (to == from + 1 && *from == '*') {
		*ret = -1;
		return 0;
	}
	if (strn_to_u64(from, (size_t)(to - from), 0, INT64_MAX, &n) < 0)
		return -EINVAL;
	*ret = (int64_t)n;
	return 0;
}

/* A line of devices.list, "c 1:3 rwm". 0, 1: "a *:* rwm", or -errno. */
static int parse_line(const char *line, struct entry *e)
{
	const char *major = line + 2, *colon, *access;

	if (line[0] == 'a')
		return 1;
	colon = line[0] && line[1] == ' ' ? strchr(major, ':') : NULL;
	access = colon ? strchr(colon, ' ') : NULL;
	if (!access || parse_number(major, colon, &e->major) < 0 ||
	    parse_number(colon + 1, access, &e->minor) < 0)
		return -EBADMSG;
	e->type = line[0];
	e->access = (strchr(access, 'r') ? ACCESS_READ : 0) |
		    (strchr(access, 'w') ? ACCESS_WRITE : 0) |
		    (strchr(access, 'm') ? ACCESS_MKNOD : 0);
	return 0;
}

/* What stands, as it stands: a default of "allow", whose exceptions cannot be read, or the allowed
 * ones. */
static int read_list(int dir, struct folded *f)
{
	size_t size = 1 << 20;
	AUTO_FREE char *text = malloc(size);
	char *save = NULL;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = io_read_at(dir, "devices.list", text, size);
	if (n < 0)
		return (int)n;
	f->allow = false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct entry e;
		int r = parse_line(line, &e);

		f->allow |= r == 1;
		if (r == 0)
			r = append(f, &e);
		if (r)
			return r < 0 ? r : 0;
	}
	return 0;
}

/* Entries of @list less what @less says of the same device, each with one write to @file. */
static int write_entries(int dir, const char *file, const struct folded *list,
			 const struct folded *less, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	for (size_t i = 0; i < list->n; i++) {
		struct entry e = list->e[i];
		char text[64];

		for (size_t k = 0; less && k < less->n; k++)
			if (same_device(&e, &less->e[k]))
				e.access &= ~less->e[k].access;
		if (!e.access)
			continue;
		if (fd < 0)
			fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return err_set(err, errno, "device rules: open %s", file);
		describe(&e, text, sizeof(text));
		if (write(fd, text, strlen(text)) < 0)
			return err_set(err, errno, "device rules: write \"%s\" to %s", text, file);
	}
	return 0;
}

static int write_default(int dir, bool allow, struct err *err)
{
	const char *file = allow ? "devices.allow" : "devices.deny";
	int r = io_write_at(dir, file, "a");

	return r < 0 ? err_set(err, -r, "device rules: write \"a\" to %s", file) : 0;
}

/* From @now to @want; @fresh: @now has no exceptions that cannot be read. */
static int change(int dir, const struct folded *now, const struct folded *want, bool fresh,
		  struct err *err)
{
	int r = 0;

	/* From one set to another: at no moment is a device shut that both allow, or open that both
	 * deny. */
	if (!now->allow && !want->allow) {
		r = write_entries(dir, "devices.allow", want, now, err);
		return r < 0 ? r : write_entries(dir, "devices.deny", now, want, err);
	}
	if (!(fresh && now->allow && want->allow))
		r = write_default(dir, want->allow, err);
	if (r < 0)
		return r;
	return write_entries(dir, want->allow ? "devices.deny" : "devices.allow", want, NULL, err);
}

int cgroup_devices_v1(int dir, const struct cgroup_device_rule *rules, size_t n, bool fresh,
		      struct err *err)
{
	struct folded want = {.allow = false}, now = {.allow = true};
	int r = fold(&want, rules, n, err);

	if (r < 0)
		goto out;
	/* A new cgroup has its parent's rules, most likely "all": only where all is wanted is it
	 * worth a look. */
	if (!fresh || want.allow)
		r = read_list(dir, &now);
	if (r < 0)
		err_set(err, -r, "device rules: read devices.list");
	else
		r = change(dir, &now, &want, fresh, err);
out:
	free(want.e);
	free(now.e);
	return r;
}

int cgroup_devices_check(const struct cgroup_device_rule *rules, size_t n, struct err *err)
{
	struct folded want = {.allow = false};
	int r = fold(&want, rules, n, err);

	free(want.e);
	return r;
}
