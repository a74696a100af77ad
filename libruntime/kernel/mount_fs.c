/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File systems by fsopen(2), fsconfig(2) and fsmount(2). Where they go is mount.c's. */
#include "kernel/mount_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/mount.h"
#include "kernel/mount_tree.h"

#define WORD_MAX     256 /* fsconfig(2) takes no longer key or value */
#define MESSAGES_MAX 16

static const struct {
	unsigned long flag;
	const char *set, *clear;
} sb_words[] = {
	{MS_RDONLY, "ro", "rw"},	 {MS_SYNCHRONOUS, "sync", "async"},
	{MS_MANDLOCK, "mand", "nomand"}, {MS_LAZYTIME, "lazytime", "nolazytime"},
	{MS_DIRSYNC, "dirsync", NULL},
};

/* The first error in the kernel's log of @fs, "" if there is none: "tmpfs: Bad value for 'size'".
 */
static const char *read_log(int fs, char *buf, size_t size)
{
	for (int i = 0; i < MESSAGES_MAX; i++) {
		ssize_t n = read(fs, buf, size - 1);

		if (n <= 0)
			break;
		buf[n] = '\0';
		buf[strcspn(buf, "\n")] = '\0';
		if (str_starts(buf, "e "))
			return buf + 2;
	}
	return "";
}

static int fail(const struct mount_op *op, int fs, const char *option, struct err *err)
{
	int code = errno;
	char buf[256];
	const char *log = read_log(fs, buf, sizeof(buf));
	bool some = option[0] != '\0';

	return err_set(err, code, "mount %s on %s%s%s%s%s%s", op->type, op->target,
		       some ? ": option \"" : "", option, some ? "\"" : "", log[0] ? ": " : "",
		       log);
}

/* fsconfig(2) with one option of @len bytes: "key=value" or "flag". */
static int set_option(const struct mount_op *op, int fs, const char *option, size_t len,
		      struct err *err)
{
	char word[2 * WORD_MAX];
	char *value;
	int r;

	if (len >= sizeof(word))
		return err_set(err, ENAMETOOLONG, "mount %s on %s: an option", op->type,
			       op->target);
	memcpy(word, option, len);
	word[len] = '\0';
	value = strchr(word, '=');
	if (value)
		*value++ = '\0';
	if (value)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, word, value, 0);
	else
		r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, word, NULL, 0);
	if (r == 0)
		return 0;
	if (value)
		value[-1] = '=';
	return fail(op, fs, word, err);
}

static int set_superblock(const struct mount_op *op, int fs, bool clear, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(sb_words); i++) {
		const char *word = NULL;

		if (op->sb_flags & sb_words[i].flag)
			word = sb_words[i].set;
		else if (clear && (op->sb_clear & sb_words[i].flag))
			word = sb_words[i].clear;
		if (word && sys_fsconfig(fs, FSCONFIG_SET_FLAG, word, NULL, 0) < 0)
			return fail(op, fs, word, err);
	}
	return 0;
}

static int set_data(const struct mount_op *op, int fs, struct err *err)
{
	const char *p = op->data ? op->data : "";

	while (*p) {
		size_t len = strcspn(p, ",");
		int r = len ? set_option(op, fs, p, len, err) : 0;

		if (r < 0)
			return r;
		p += len + (p[len] == ',');
	}
	return 0;
}

/* Does fsconfig(2) know all of it? Not values beyond its length, nor commas behind a backslash
 * (overlay), nor the flags that only mount(2) has. */
static bool can_say(const struct mount_op *op)
{
	unsigned long flags = op->sb_flags;
	const char *p = op->data ? op->data : "";

	for (size_t i = 0; i < ARRAY_SIZE(sb_words); i++)
		flags &= ~sb_words[i].flag;
	if (flags || strchr(p, '\\') || (op->source && strlen(op->source) >= WORD_MAX))
		return false;
	while (*p) {
		size_t len = strcspn(p, ",");

		if (len >= WORD_MAX)
			return false;
		p += len + (p[len] == ',');
	}
	return true;
}

static int configure(const struct mount_op *op, int fs, const char *mode, struct err *err)
{
	int r;

	if (op->source && op->source[0] &&
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", op->source, 0) < 0)
		return fail(op, fs, "source", err);
	r = set_superblock(op, fs, false, err);
	if (r == 0)
		r = set_data(op, fs, err);
	if (r == 0 && mode[0])
		r = set_option(op, fs, mode, strlen(mode), err);
	if (r == 0 && op->label &&
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, op->label_key, op->label, 0) < 0)
		return fail(op, fs, op->label_key, err);
	return r;
}

/* Old file systems see their options only now, all together. */
static int create(const struct mount_op *op, int fs, struct err *err)
{
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		return 0;
	if (errno == EPERM)
		return MOUNT_FS_OLD;
	return fail(op, fs, op->data ? op->data : "", err);
}

int mount_fs_make(const struct mount_op *op, const char *mode, uint64_t attr, int *ret,
		  struct err *err)
{
	AUTO_CLOSE int fs = -1;
	int r;

	if (!can_say(op))
		return MOUNT_FS_OLD;
	fs = sys_fsopen(op->type, FSOPEN_CLOEXEC);
	if (fs < 0 && mount_tree_missing(-errno))
		return MOUNT_FS_OLD;
	if (fs < 0 && errno == ENODEV)
		return err_kind(err, ERR_UNSUPPORTED, ENODEV,
				"mount %s on %s: a file system this kernel has not", op->type,
				op->target);
	if (fs < 0)
		return err_set(err, errno, "mount %s on %s", op->type, op->target);
	r = configure(op, fs, mode, err);
	if (r == 0)
		r = create(op, fs, err);
	if (r != 0)
		return r;
	r = sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr);
	if (r < 0 && mount_tree_missing(-errno))
		return MOUNT_FS_OLD;
	if (r < 0)
		return fail(op, fs, "", err);
	*ret = r;
	return 0;
}

int mount_fs_reconfigure(const struct mount_op *op, int fd, struct err *err)
{
	AUTO_CLOSE int fs = -1;
	int r;

	if (!can_say(op))
		return MOUNT_FS_OLD;
	fs = sys_fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
	if (fs < 0 && mount_tree_missing(-errno))
		return MOUNT_FS_OLD;
	if (fs < 0)
		return err_set(err, errno, "remount %s", op->target);
	r = set_superblock(op, fs, true, err);
	if (r == 0)
		r = set_data(op, fs, err);
	if (r < 0)
		return r;
	if (sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return fail(op, fs, op->data ? op->data : "", err);
	return 0;
}

/* Is it not said to be "nodev"? */
static bool is_on_device(const char *type)
{
	char list[4096], line[64];

	snprintf(line, sizeof(line), "\n\t%s\n", type);
	return io_read_at(AT_FDCWD, "/proc/filesystems", list, sizeof(list)) > 0 &&
	       strstr(list, line);
}

int mount_fs_look(const struct mount_op *op, struct err *err)
{
	AUTO_CLOSE int fs = can_say(op) ? sys_fsopen(op->type, FSOPEN_CLOEXEC) : -1;

	struct stat st;
	int r;

	/* Who may not even begin, or says it in mount(2)'s words, learns it from the mount. */
	r = fs < 0 ? 0 : configure(op, fs, "", err);
	if (r < 0 || !op->source || !is_on_device(op->type))
		return r;
	if (stat(op->source, &st) < 0)
		return err_set(err, errno, "mount %s on %s: %s", op->type, op->target, op->source);
	return S_ISBLK(st.st_mode) ? 0
				   : err_set(err, ENOTBLK, "mount %s on %s: %s", op->type,
					     op->target, op->source);
}

bool mount_fs_known(const char *type)
{
	int fs = sys_fsopen(type, FSOPEN_CLOEXEC);

	if (fs >= 0)
		close(fs);
	return fs >= 0 || errno != ENODEV;
}
