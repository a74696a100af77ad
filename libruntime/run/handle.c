/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * oakum_new() to oakum_free(): the settings of one state root and the words of what went wrong.
 * Whether the root may be used is decided where it is opened (state.c).
 */
#include "run/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "kernel/ns.h"
#include "kernel/rootfs.h"

bool handle_is_user(void)
{
	const char *user = getenv("USER");

	return geteuid() != 0 || ((!user || !str_eq(user, "root")) && !userns_is_first());
}

static int choose_root(struct oakum *o, const char *wanted)
{
	char text[PATH_MAX / 2], cwd[PATH_MAX / 4];
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int n;

	o->root_is_default = !wanted;
	if (wanted && !wanted[0])
		return err_kind(&o->err, ERR_USAGE, 0, "the state root is empty");
	if (wanted && wanted[0] != '/') {
		if (!getcwd(cwd, sizeof(cwd)))
			return err_set(&o->err, errno, "find the current directory");
		n = snprintf(text, sizeof(text), "%s/%s", cwd, wanted);
	} else if (wanted) {
		n = snprintf(text, sizeof(text), "%s", wanted);
	} else if (runtime && runtime[0] == '/' && handle_is_user()) {
		n = snprintf(text, sizeof(text), "%s/oakum", runtime);
	} else {
		n = snprintf(text, sizeof(text), "/run/oakum");
	}
	if (n < 0 || (size_t)n >= sizeof(text) || path_clean(text, o->root, sizeof(o->root)) < 0)
		return err_kind(&o->err, ERR_USAGE, ENAMETOOLONG, "state root");
	return 0;
}

static void name_cgroup_parent(struct oakum *o)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (const char *p = o->root; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
	if (o->root_is_default)
		snprintf(o->cgroup_parent, sizeof(o->cgroup_parent), "/oakum");
	else
		snprintf(o->cgroup_parent, sizeof(o->cgroup_parent), "/oakum-%08x",
			 (unsigned)(hash ^ (hash >> 32)));
}

int oakum_new(const struct oakum_options *options, struct oakum **ret)
{
	struct oakum *o = calloc(1, sizeof(*o));
	int r;

	*ret = o;
	if (!o)
		return -ENOMEM;
	r = HANDLE_CHECK_OPTIONS(o, options, oakum_options);
	if (r < 0)
		return r;
	o->manager = options->cgroup_manager;
	o->rootless = options->rootless;
	o->strict = options->strict;
	o->command = options->command;
	o->debug = options->debug;
	o->debug_data = options->debug_data;
	o->warn = options->warn;
	o->warn_data = options->warn_data;
	r = choose_root(o, options->root);
	if (r == 0)
		name_cgroup_parent(o);
	return r;
}

void oakum_free(struct oakum *o)
{
	if (!o)
		return;
	free(o->more);
	free(o);
}

int handle_check_size(size_t size, size_t want, struct err *err)
{
	if (size != want)
		return err_kind(err, ERR_USAGE, EINVAL,
				"an option structure of %zu bytes where this library has %zu", size,
				want);
	return 0;
}

struct err *handle_begin(struct oakum *o)
{
	free(o->more);
	o->more = NULL;
	o->n_more = 0;
	o->err = ERR_INIT;
	return &o->err;
}

const char *handle_verb(const struct oakum *o, const char *verb)
{
	return o->command ? o->command : verb;
}

int handle_end(struct oakum *o, const char *verb, const char *id, int r)
{
	if (r >= 0)
		return r;
	if (o->err.kind == ERR_NONE)
		err_set(&o->err, -r, "unexpected failure");
	err_advise(&o->err);
	err_fold(&o->err);
	if (o->err.line == 0 && id)
		err_prefix(&o->err, "%s %s", handle_verb(o, verb), id);
	else if (o->err.line == 0)
		err_prefix(&o->err, "%s", handle_verb(o, verb));
	return r;
}

const struct cgroup_host *handle_cgroups(struct oakum *o, struct err *err)
{
	if (o->cgroups_known)
		return &o->cgroups;
	if (o->manager != OAKUM_CGROUP_DISABLED && cgroup_probe(&o->cgroups, err) < 0)
		return NULL;
	o->cgroups_known = true;
	return &o->cgroups;
}

bool handle_rootless(struct oakum *o)
{
	if (o->rootless < 0)
		o->rootless = !userns_is_root();
	return o->rootless;
}

/* /proc may have processes alone (subset=pid, as ProcSubset= of a systemd unit has it). */
static int look_elsewhere(char *ret)
{
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int proc = procfs_open(&ignored);

	return proc < 0 ? proc : proc_boot_id(proc, ret);
}

const char *handle_boot_id(struct oakum *o)
{
	if (!o->boot_id[0] && proc_boot_id(AT_FDCWD, o->boot_id) < 0 &&
	    look_elsewhere(o->boot_id) < 0)
		o->boot_id[0] = '\0';
	return o->boot_id;
}

void handle_debug(const struct oakum *o, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!o->debug)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	o->debug(o->debug_data, line);
}

void handle_warn(const struct oakum *o, const struct err *err)
{
	char line[1024];

	if (!o->warn)
		return;
	err_format(err, line, sizeof(line));
	o->warn(o->warn_data, line);
}

size_t oakum_error_count(const struct oakum *o)
{
	return o->err.kind == ERR_NONE ? 0 : 1 + o->n_more;
}

static const struct err *nth(const struct oakum *o, size_t i)
{
	if (i == 0)
		return &o->err;
	return i <= o->n_more ? &o->more[i - 1] : NULL;
}

const char *oakum_error_text(const struct oakum *o, size_t i)
{
	const struct err *e = nth(o, i);
	struct oakum *w = (struct oakum *)o; /* the text is a cache, not a property */

	if (!e)
		return "";
	err_format(e, w->text, sizeof(w->text));
	return w->text;
}

const char *oakum_error_hint(const struct oakum *o, size_t i)
{
	const struct err *e = nth(o, i);

	return e ? e->hint : "";
}

enum oakum_error_kind oakum_error_kind(const struct oakum *o)
{
	return (enum oakum_error_kind)o->err.kind;
}

int oakum_error_errno(const struct oakum *o)
{
	return o->err.code;
}

const char *oakum_version(void)
{
	return OAKUM_VERSION;
}

const char *oakum_commit(void)
{
	return OAKUM_COMMIT;
}

const char *oakum_spec_version(void)
{
	return "1.3.0";
}
