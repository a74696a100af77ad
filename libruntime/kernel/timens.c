/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unshare(2) gives a time namespace to our children only, and its offsets can be written until the
 * first of them is in it: clone3(2) would be too late for that. setns(2) to it then takes ourselves
 * in.
 */
#include "kernel/timens.h"

#include <inttypes.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/ns.h"

#define OFFSETS "/proc/self/timens_offsets"

int timens_open(struct err *err)
{
	bool hidden = prctl(PR_GET_DUMPABLE) == 0;
	AUTO_CLOSE int fd = -1;
	struct statfs fs;
	int code;

	/* What an undumpable process has in /proc belongs to root. */
	fd = open(OFFSETS, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && hidden) {
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		fd = open(OFFSETS, O_WRONLY | O_CLOEXEC);
		code = errno;
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		errno = code;
	}
	if (fd < 0 && errno == ENOENT)
		return err_kind(err, ERR_UNSUPPORTED, ENOENT,
				"time namespaces need Linux 5.6 with CONFIG_TIME_NS");
	if (fd < 0)
		return err_set(err, errno, "open %s", OFFSETS);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return err_set(err, EXDEV, "%s is not on a proc file system", OFFSETS);
	return fd_take(&fd);
}

static int write_offset(int offsets, const struct timens_offset *o, struct err *err)
{
	char text[64];
	struct strbuf b;
	int r;

	strbuf_init(&b, text, sizeof(text));
	strbuf_add(&b, o->clock);
	strbuf_addc(&b, ' ');
	strbuf_i64(&b, o->secs);
	strbuf_addc(&b, ' ');
	strbuf_u64(&b, o->nanosecs);
	strbuf_addc(&b, '\n');
	r = io_write(offsets, text, b.len);
	if (r == 0)
		return 0;
	if (r == -ERANGE)
		err_hint(err,
			 "no clock may show a time before 0, or later than 146 years after it");
	return err_set(err, -r, "set the %s clock off by %" PRId64 " s", o->clock, o->secs);
}

int timens_make(int offsets, const struct timens_offset *v, size_t n, struct err *err)
{
	AUTO_CLOSE int ns = -1;

	if (unshare(CLONE_NEWTIME) < 0)
		return err_set(err, errno, "make a time namespace");
	for (size_t i = 0; i < n; i++) {
		int r = write_offset(offsets, &v[i], err);

		if (r < 0)
			return r;
	}
	ns = ns_open("/proc/self/ns/time_for_children", CLONE_NEWTIME, err);
	return ns < 0 ? ns : ns_join(ns, CLONE_NEWTIME, err);
}
