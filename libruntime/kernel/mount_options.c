/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The option words of a "mounts" entry (config-linux.md, mount(8)) and what each means as data.
 * One list; nothing here touches the kernel.
 */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/mount.h"

enum meaning {
	NOTHING,
	SET,
	CLEAR, /* attributes of the top mount */
	REC_SET,
	REC_CLEAR, /* of the whole tree */
	ATIME,
	REC_ATIME, /* the kind of access time */
	SB_SET,
	SB_CLEAR, /* the superblock */
	SPREAD,	  /* propagation */
	BIND,
	RBIND,
	REMOUNT,
	COPYUP,
	COPY_SYMLINK,
	SOURCE_NOFOLLOW,
	TARGET_NOFOLLOW,
	IDMAP,
	RIDMAP,
};

/*
 * Words in alphabetical order. The three kinds of access time exclude each other; a word that takes
 * one away leaves relatime, the kernel's default. "norelatime" therefore changes nothing.
 */
/* clang-format off */
#define OPTIONS(X)                                                     \
	X("acl",            SB_SET,          MS_POSIXACL)              \
	X("async",          SB_CLEAR,        MS_SYNCHRONOUS)           \
	X("atime",          ATIME,           MOUNT_ATTR_RELATIME)      \
	X("bind",           BIND,            0)                        \
	X("copy-symlink",   COPY_SYMLINK,    0)                        \
	X("defaults",       NOTHING,         0)                        \
	X("dest-nofollow",  TARGET_NOFOLLOW, 0)                        \
	X("dev",            CLEAR,           MOUNT_ATTR_NODEV)         \
	X("diratime",       CLEAR,           MOUNT_ATTR_NODIRATIME)    \
	X("dirsync",        SB_SET,          MS_DIRSYNC)               \
	X("exec",           CLEAR,           MOUNT_ATTR_NOEXEC)        \
	X("idmap",          IDMAP,           0)                        \
	X("iversion",       SB_SET,          MS_I_VERSION)             \
	X("lazytime",       SB_SET,          MS_LAZYTIME)              \
	X("loud",           SB_CLEAR,        MS_SILENT)                \
	X("mand",           SB_SET,          MS_MANDLOCK)              \
	X("noacl",          SB_CLEAR,        MS_POSIXACL)              \
	X("noatime",        ATIME,           MOUNT_ATTR_NOATIME)       \
	X("nodev",          SET,             MOUNT_ATTR_NODEV)         \
	X("nodiratime",     SET,             MOUNT_ATTR_NODIRATIME)    \
	X("noexec",         SET,             MOUNT_ATTR_NOEXEC)        \
	X("noiversion",     SB_CLEAR,        MS_I_VERSION)             \
	X("nolazytime",     SB_CLEAR,        MS_LAZYTIME)              \
	X("nomand",         SB_CLEAR,        MS_MANDLOCK)              \
	X("norelatime",     NOTHING,         0)                        \
	X("nostrictatime",  ATIME,           MOUNT_ATTR_RELATIME)      \
	X("nosuid",         SET,             MOUNT_ATTR_NOSUID)        \
	X("nosymfollow",    SET,             MOUNT_ATTR_NOSYMFOLLOW)   \
	X("private",        SPREAD,          MS_PRIVATE)               \
	X("rasync",         SB_CLEAR,        MS_SYNCHRONOUS)           \
	X("ratime",         REC_ATIME,       MOUNT_ATTR_RELATIME)      \
	X("rbind",          RBIND,           0)                        \
	X("rdev",           REC_CLEAR,       MOUNT_ATTR_NODEV)         \
	X("rdiratime",      REC_CLEAR,       MOUNT_ATTR_NODIRATIME)    \
	X("rdirsync",       SB_SET,          MS_DIRSYNC)               \
	X("relatime",       ATIME,           MOUNT_ATTR_RELATIME)      \
	X("remount",        REMOUNT,         0)                        \
	X("rexec",          REC_CLEAR,       MOUNT_ATTR_NOEXEC)        \
	X("ridmap",         RIDMAP,          0)                        \
	X("rmand",          SB_SET,          MS_MANDLOCK)              \
	X("rnoatime",       REC_ATIME,       MOUNT_ATTR_NOATIME)       \
	X("rnodev",         REC_SET,         MOUNT_ATTR_NODEV)         \
	X("rnodiratime",    REC_SET,         MOUNT_ATTR_NODIRATIME)    \
	X("rnoexec",        REC_SET,         MOUNT_ATTR_NOEXEC)        \
	X("rnomand",        SB_CLEAR,        MS_MANDLOCK)              \
	X("rnorelatime",    REC_ATIME,       MOUNT_ATTR_RELATIME)      \
	X("rnostrictatime", REC_ATIME,       MOUNT_ATTR_RELATIME)      \
	X("rnosuid",        REC_SET,         MOUNT_ATTR_NOSUID)        \
	X("rnosymfollow",   REC_SET,         MOUNT_ATTR_NOSYMFOLLOW)   \
	X("ro",             SET,             MOUNT_ATTR_RDONLY)        \
	X("rprivate",       SPREAD,          MS_PRIVATE | MS_REC)      \
	X("rrelatime",      REC_ATIME,       MOUNT_ATTR_RELATIME)      \
	X("rro",            REC_SET,         MOUNT_ATTR_RDONLY)        \
	X("rrw",            REC_CLEAR,       MOUNT_ATTR_RDONLY)        \
	X("rshared",        SPREAD,          MS_SHARED | MS_REC)       \
	X("rslave",         SPREAD,          MS_SLAVE | MS_REC)        \
	X("rstrictatime",   REC_ATIME,       MOUNT_ATTR_STRICTATIME)   \
	X("rsuid",          REC_CLEAR,       MOUNT_ATTR_NOSUID)        \
	X("rsymfollow",     REC_CLEAR,       MOUNT_ATTR_NOSYMFOLLOW)   \
	X("rsync",          SB_SET,          MS_SYNCHRONOUS)           \
	X("runbindable",    SPREAD,          MS_UNBINDABLE | MS_REC)   \
	X("rw",             CLEAR,           MOUNT_ATTR_RDONLY)        \
	X("shared",         SPREAD,          MS_SHARED)                \
	X("silent",         SB_SET,          MS_SILENT)                \
	X("slave",          SPREAD,          MS_SLAVE)                 \
	X("src-nofollow",   SOURCE_NOFOLLOW, 0)                        \
	X("strictatime",    ATIME,           MOUNT_ATTR_STRICTATIME)   \
	X("suid",           CLEAR,           MOUNT_ATTR_NOSUID)        \
	X("symfollow",      CLEAR,           MOUNT_ATTR_NOSYMFOLLOW)   \
	X("sync",           SB_SET,          MS_SYNCHRONOUS)           \
	X("tmpcopyup",      COPYUP,          0)                        \
	X("unbindable",     SPREAD,          MS_UNBINDABLE)
/* clang-format on */

struct word {
	const char *name;
	enum meaning meaning;
	uint64_t bits;
};

#define WORD(name, meaning, bits) {name, meaning, bits},
#define NAME(name, meaning, bits) name,

static const struct word words[] = {OPTIONS(WORD)};
static const char *const names[] = {OPTIONS(NAME) NULL};
_Static_assert(ARRAY_SIZE(words) + 1 == ARRAY_SIZE(names), "one list");

/*
 * File systems without a device below: their read-only is the mount's. Some have one superblock for
 * many mounts, others must be written to before they turn read-only.
 */
static const char *const virtual_types[] = {
	"cgroup",  "cgroup2", "debugfs", "devpts",     "devtmpfs", "mqueue",
	"overlay", "proc",    "ramfs",	 "securityfs", "sysfs",	   "tmpfs",
};

const char *const *mount_option_names(void)
{
	return names;
}

static const struct word *find(const struct word *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(table[i].name, name))
			return &table[i];
	return NULL;
}

static const struct word *lookup(const char *option)
{
	/* crun's "idmap=uids=…;gids=…" */
	if (str_starts(option, "idmap="))
		option = "idmap";
	if (str_starts(option, "ridmap="))
		option = "ridmap";
	return find(words, ARRAY_SIZE(words), option);
}

static bool is_virtual(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(virtual_types); i++)
		if (str_eq(virtual_types[i], type))
			return true;
	return false;
}

/* The last word about a bit wins. */
static void change(uint64_t bits, bool clear, uint64_t *set, uint64_t *clr)
{
	*set = clear ? *set & ~bits : *set | bits;
	*clr = clear ? *clr | bits : *clr & ~bits;
}

/* mount_setattr(2) takes the kind only with the whole mask cleared; relatime is no bit at all. */
static void change_atime(uint64_t kind, uint64_t *set, uint64_t *clr)
{
	*set = (*set & ~(uint64_t)MOUNT_ATTR__ATIME) | kind;
	*clr |= MOUNT_ATTR__ATIME;
}

static void apply_superblock(struct mount_op *op, const struct word *w)
{
	unsigned long bits = (unsigned long)w->bits;

	if (w->meaning == SB_SET) {
		op->sb_flags |= bits;
		op->sb_clear &= ~bits;
	} else {
		op->sb_clear |= bits;
		op->sb_flags &= ~bits;
	}
}

static void apply_word(struct mount_op *op, const struct word *w, bool *asked)
{
	switch (w->meaning) {
	case SET:
	case CLEAR:
		*asked = true;
		change(w->bits, w->meaning == CLEAR, &op->attr_set, &op->attr_clr);
		break;
	case REC_SET:
	case REC_CLEAR:
		change(w->bits, w->meaning == REC_CLEAR, &op->rec_set, &op->rec_clr);
		break;
	case ATIME:
		*asked = true;
		change_atime(w->bits, &op->attr_set, &op->attr_clr);
		break;
	case REC_ATIME:
		change_atime(w->bits, &op->rec_set, &op->rec_clr);
		break;
	case SB_SET:
	case SB_CLEAR:
		apply_superblock(op, w);
		break;
	case SPREAD:
		op->propagation = (unsigned long)w->bits;
		break;
	case COPYUP:
		op->copyup = true;
		break;
	case RBIND:
		op->recursive = true;
		break;
	case COPY_SYMLINK:
		op->copy_symlink = true;
		break;
	case SOURCE_NOFOLLOW:
		op->source_nofollow = true;
		break;
	case TARGET_NOFOLLOW:
		op->target_nofollow = true;
		break;
	case IDMAP:
	case RIDMAP:
		op->idmap.kind = IDMAP_CONTAINER;
		op->idmap.recursive = w->meaning == RIDMAP;
		break;
	case NOTHING:
	case BIND:
	case REMOUNT:
		break;
	}
}

/* Words that have a meaning for some mounts only. NULL, or what is wrong. */
static const char *misplaced(const struct mount_op *op, const struct word *w)
{
	switch (w->meaning) {
	case COPYUP:
		return op->kind == MOUNT_FS && str_eq(op->type, "tmpfs") ? NULL : "for tmpfs only";
	case COPY_SYMLINK:
	case SOURCE_NOFOLLOW:
	case TARGET_NOFOLLOW:
	case IDMAP:
	case RIDMAP:
		return op->kind == MOUNT_BIND ? NULL : "for bind mounts only";
	default:
		return NULL;
	}
}

static bool has_meaning(const char *const *options, size_t n, enum meaning meaning)
{
	for (size_t i = 0; i < n; i++) {
		const struct word *w = lookup(options[i]);

		if (w && w->meaning == meaning)
			return true;
	}
	return false;
}

static int refuse(const struct mount_op *op, size_t i, const char *option, const char *why,
		  enum err_kind kind, struct err *err)
{
	int r = err_kind(err, kind, 0, "mount option \"%s\" of %s: %s", option, op->target, why);

	if (op->index >= 0)
		err_pointer(err, "/mounts/%d/options/%zu", op->index, i);
	return r;
}

/*
 * Of a bind, as mount(2) has it: a word that takes a kind of access time away does nothing, one
 * that names a kind replaces all of it, and nodiratime alone brings relatime.
 */
static void settle_atime(struct mount_op *op, const char *const *options, size_t n)
{
	const uint64_t all = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
	uint64_t kind = MOUNT_ATTR_RELATIME, nodiratime = 0;
	bool named = false;

	for (size_t i = 0; i < n; i++) {
		if (str_eq(options[i], "nodiratime"))
			nodiratime = MOUNT_ATTR_NODIRATIME;
		else if (str_eq(options[i], "noatime"))
			kind = MOUNT_ATTR_NOATIME;
		else if (str_eq(options[i], "strictatime"))
			kind = MOUNT_ATTR_STRICTATIME;
		else if (str_eq(options[i], "relatime"))
			kind = MOUNT_ATTR_RELATIME;
		else
			continue;
		named = true;
	}
	op->attr_set &= ~all;
	op->attr_clr &= ~all;
	if (!named)
		return;
	op->attr_set |= kind | nodiratime;
	op->attr_clr |= all & ~nodiratime;
}

/* What is left when all words are known: the rules that need the whole list. */
static void settle(struct mount_op *op, bool asked)
{
	const uint64_t all = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			     MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;
	bool is_dev = str_eq(op->target, "/dev");

	/* As runc: a bind with any attribute has those asked for and no other; without one, its
	 * source's. */
	if (op->kind == MOUNT_BIND && asked)
		op->attr_soft = all & ~op->attr_set & ~op->attr_clr;
	if (!(op->attr_set & MOUNT_ATTR_RDONLY))
		return;
	if (op->kind == MOUNT_FS && !is_virtual(op->type))
		op->sb_flags |= MS_RDONLY;
	/* What is mounted and made below must find it writable. */
	op->late_readonly = op->kind != MOUNT_REMOUNT &&
			    (is_dev || (op->kind == MOUNT_FS && str_eq(op->type, "tmpfs")));
}

/* A bind's superblock is its source's, the host's. */
static void forget_superblock(struct mount_op *op)
{
	op->sb_flags = 0;
	op->sb_clear = 0;
}

/* "idmap=" says no more than "idmap". */
static void keep_idmap_text(struct mount_op *op, const char *equals)
{
	if (equals && equals[1])
		op->idmap_text = equals + 1;
}

static size_t data_size(const char *const *options, size_t n)
{
	size_t size = 1;

	for (size_t i = 0; i < n; i++)
		size += strlen(options[i]) + 1;
	return size;
}

int mount_parse_options(struct mount_op *op, const char *const *options, size_t n,
			struct arena *arena, struct err *err)
{
	bool bind = (op->type && str_eq(op->type, "bind")) || has_meaning(options, n, BIND) ||
		    has_meaning(options, n, RBIND);
	bool asked = false;
	struct strbuf data;
	char *mem = arena_alloc(arena, data_size(options, n));

	if (!mem)
		return err_set(err, ENOMEM, "mount options of %s", op->target);
	strbuf_init(&data, mem, data_size(options, n));
	if (!op->type)
		op->type = "none";
	op->kind = has_meaning(options, n, REMOUNT) ? MOUNT_REMOUNT : bind ? MOUNT_BIND : MOUNT_FS;
	for (size_t i = 0; i < n; i++) {
		const struct word *w = lookup(options[i]);

		if (!w && bind && options[i][0])
			return refuse(op, i, options[i], "unknown for a bind mount", ERR_CONFIG,
				      err);
		if (w && misplaced(op, w))
			return refuse(op, i, options[i], misplaced(op, w), ERR_CONFIG, err);
		if (w && (w->meaning == IDMAP || w->meaning == RIDMAP))
			keep_idmap_text(op, strchr(options[i], '='));
		if (w) {
			apply_word(op, w, &asked);
		} else if (options[i][0]) {
			strbuf_add(&data, data.len ? "," : "");
			strbuf_add(&data, options[i]);
		}
	}
	op->data = mem;
	if (bind)
		forget_superblock(op);
	if (op->kind == MOUNT_BIND)
		settle_atime(op, options, n);
	settle(op, asked);
	return 0;
}
