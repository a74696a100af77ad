/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for numbers; see plan_words.h. A bit without a word is shown as what it is: nothing of a
 * plan may be left out. */
#include "run/plan_words.h"

#include <inttypes.h>
#include <sys/mount.h>

#include "base/names.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/mount.h"

struct bit {
	uint64_t bits;
	const char *set, *clear;
};

static const struct bit attributes[] = {
	{MOUNT_ATTR_RDONLY, "ro", "rw"},
	{MOUNT_ATTR_NOSUID, "nosuid", "suid"},
	{MOUNT_ATTR_NODEV, "nodev", "dev"},
	{MOUNT_ATTR_NOEXEC, "noexec", "exec"},
	{MOUNT_ATTR_NODIRATIME, "nodiratime", "diratime"},
	{MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow"},
};

static const struct bit superblock[] = {
	{MS_RDONLY, "ro", "rw"},
	{MS_SYNCHRONOUS, "sync", "async"},
	{MS_DIRSYNC, "dirsync", "nodirsync"},
	{MS_MANDLOCK, "mand", "nomand"},
	{MS_LAZYTIME, "lazytime", "nolazytime"},
	{MS_I_VERSION, "iversion", "noiversion"},
	{MS_POSIXACL, "acl", "noacl"},
	{MS_SILENT, "silent", "loud"},
};

static const struct bit propagations[] = {
	{MS_PRIVATE, "private", "rprivate"},
	{MS_SLAVE, "slave", "rslave"},
	{MS_SHARED, "shared", "rshared"},
	{MS_UNBINDABLE, "unbindable", "runbindable"},
};

const char *plan_propagation(unsigned long flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(propagations); i++)
		if (flags & propagations[i].bits)
			return flags & MS_REC ? propagations[i].clear : propagations[i].set;
	return flags ? "unknown" : NULL;
}

static void put_bits(struct plan_writer *w, const struct bit *table, size_t n, uint64_t set,
		     uint64_t clear, const char *prefix)
{
	for (size_t i = 0; i < n; i++) {
		if (set & table[i].bits)
			plan_word_fmt(w, "%s%s", prefix, table[i].set);
		if (clear & table[i].bits)
			plan_word_fmt(w, "%s%s", prefix, table[i].clear);
		set &= ~table[i].bits;
		clear &= ~table[i].bits;
	}
	if (set)
		plan_word_fmt(w, "%s0x%" PRIx64, prefix, set);
	if (clear)
		plan_word_fmt(w, "no-%s0x%" PRIx64, prefix, clear);
}

static const char *atime_word(uint64_t set)
{
	switch (set & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_NOATIME:
		return "noatime";
	case MOUNT_ATTR_STRICTATIME:
		return "strictatime";
	default:
		return "relatime";
	}
}

static void put_attributes(struct plan_writer *w, uint64_t set, uint64_t clear, const char *prefix)
{
	if (clear & MOUNT_ATTR__ATIME)
		plan_word_fmt(w, "%s%s", prefix, atime_word(set));
	put_bits(w, attributes, ARRAY_SIZE(attributes), set & ~(uint64_t)MOUNT_ATTR__ATIME,
		 clear & ~(uint64_t)MOUNT_ATTR__ATIME, prefix);
}

void plan_mount_words(struct plan_writer *w, const struct mount_op *op)
{
	if (op->attr_set || op->attr_clr || op->rec_set || op->rec_clr) {
		plan_list(w, "flags");
		put_attributes(w, op->attr_set, op->attr_clr, "");
		put_attributes(w, op->rec_set, op->rec_clr, "r");
	}
	if (op->attr_soft) {
		plan_list(w, "and where allowed");
		put_attributes(w, 0, op->attr_soft, "");
	}
	if (op->sb_flags || op->sb_clear) {
		plan_list(w, "superblock");
		put_bits(w, superblock, ARRAY_SIZE(superblock), op->sb_flags, op->sb_clear, "");
	}
}

void plan_caps(struct plan_writer *w, const char *name, uint64_t set)
{
	plan_list(w, name);
	for (int i = 0; i < 64; i++) {
		if (!(set & UINT64_C(1) << i))
			continue;
		if (names_capability(i))
			plan_word(w, names_capability(i));
		else
			plan_word_fmt(w, "%d", i);
	}
}

void plan_spec_word(struct plan_writer *w, const char *name, enum spec_words table, uint64_t number)
{
	const char *word;
	uint64_t n;

	for (size_t i = 0; (word = spec_word(table, i, &n)); i++) {
		if (n != number)
			continue;
		plan_text(w, name, word);
		return;
	}
	plan_unsigned(w, name, number);
}

void plan_spec_bits(struct plan_writer *w, const char *name, enum spec_words table, uint64_t set)
{
	const char *word;
	uint64_t n;

	if (!set)
		return;
	plan_list(w, name);
	for (size_t i = 0; (word = spec_word(table, i, &n)); i++) {
		if (set & n)
			plan_word(w, word);
		set &= ~n;
	}
	if (set)
		plan_word_fmt(w, "0x%" PRIx64, set);
}
