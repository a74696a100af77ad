/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels for the next execve(2); see lsm.h. */
#include "kernel/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"

#define LABEL_MAX	4096 /* a page is what the kernel takes */
#define UNKNOWN_CONTEXT "the loaded policy does not know this context"

bool lsm_enabled(enum lsm which)
{
	char text[16];
	struct statfs fs;

	if (which == LSM_SELINUX)
		return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
	return io_read_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text, sizeof(text)) >
		       0 &&
	       text[0] == 'Y';
}

int lsm_on_exec(int proc, enum lsm which, const char *label, struct err *err)
{
	const char *file = "thread-self/attr/exec";
	char text[LABEL_MAX];
	struct strbuf b;
	int r = -ENOENT;

	strbuf_init(&b, text, sizeof(text));
	strbuf_add(&b, which == LSM_APPARMOR ? "exec " : "");
	strbuf_add(&b, label);
	if (b.overflow)
		return err_set(err, ENAMETOOLONG, "the label of the process");
	/* Since Linux 5.8 each module has a directory of its own. */
	if (which == LSM_APPARMOR)
		r = io_write_at(proc, "thread-self/attr/apparmor/exec", text);
	if (r == -ENOENT)
		r = io_write_at(proc, file, text);
	if (r == -ENOENT && which == LSM_APPARMOR)
		err_hint(err, "load the profile: apparmor_parser -r FILE");
	if (r == -EINVAL && which == LSM_SELINUX)
		err_hint(err, UNKNOWN_CONTEXT);
	if (r < 0)
		return err_set(err, -r, "%s \"%s\"",
			       which == LSM_APPARMOR ? "apply the AppArmor profile"
						     : "apply the SELinux label",
			       label);
	return 0;
}

int lsm_keyrings(int proc, const char *label, struct err *err)
{
	int r = io_write_at(proc, "thread-self/attr/keycreate", label[0] ? label : "\n");

	if (r == -EINVAL)
		err_hint(err, UNKNOWN_CONTEXT);
	return r < 0 ? err_set(err, -r, "apply the SELinux label \"%s\" to keyrings", label) : 0;
}
