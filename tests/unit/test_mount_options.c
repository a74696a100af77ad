/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernel/mount_options.c: what each option word means. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/sys.h"
#include "kernel/mount.h"

#define SOFT                                                                                       \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |            \
	 MOUNT_ATTR_NOSYMFOLLOW)

static struct arena arena;
static struct err err;

/* Options separated by blanks. */
static int parse(struct mount_op *op, const char *target, const char *type, const char *options)
{
	const char *list[32];
	char *text = arena_strdup(&arena, options);
	size_t n = 0;

	for (char *p = text; *p && n < 32;) {
		size_t len = strcspn(p, " ");

		list[n++] = p;
		p += len;
		if (*p)
			*p++ = '\0';
	}
	err = ERR_INIT;
	*op = (struct mount_op){.target = target, .type = type, .index = 3};
	return mount_parse_options(op, list, n, &arena, &err);
}

static struct mount_op good(const char *target, const char *type, const char *options)
{
	struct mount_op op;

	if (parse(&op, target, type, options) < 0)
		fail_msg("%s: %s", options, err.text);
	return op;
}

static void test_kind(void **state)
{
	struct mount_op op;

	(void)state;
	assert_int_equal(good("/a", "tmpfs", "").kind, MOUNT_FS);
	assert_int_equal(good("/a", "bind", "").kind, MOUNT_BIND);
	assert_int_equal(good("/a", "none", "bind").kind, MOUNT_BIND);
	assert_int_equal(good("/a", NULL, "rbind").kind, MOUNT_BIND);
	assert_int_equal(good("/a", "cgroup2", "nosuid").kind, MOUNT_FS);
	assert_int_equal(good("/a", "none", "remount ro").kind, MOUNT_REMOUNT);
	assert_int_equal(good("/a", "none", "remount bind ro").kind, MOUNT_REMOUNT);
	assert_false(good("/a", "none", "bind").recursive);
	assert_true(good("/a", "none", "bind rbind").recursive);
	assert_true(good("/a", "none", "rbind bind").recursive);
	op = good("/a", NULL, "");
	assert_string_equal(op.type, "none");
	assert_string_equal(op.data, "");
}

static void test_attributes(void **state)
{
	struct mount_op op = good("/a", "tmpfs", "nosuid noexec nodev nodiratime nosymfollow");

	(void)state;
	assert_int_equal(op.attr_set, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV |
					      MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW);
	assert_int_equal(op.attr_soft, 0);
	/* The last word wins. */
	op = good("/a", "bind", "ro rw nosuid suid dev nodev");
	assert_int_equal(op.attr_set, MOUNT_ATTR_NODEV);
	assert_int_equal(op.attr_clr, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	assert_int_equal(op.attr_soft, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW);
	/* No word keeps the source's. */
	op = good("/a", "bind", "rprivate");
	assert_int_equal(op.attr_set | op.attr_clr | op.attr_soft, 0);
	op = good("/a", "bind", "dev");
	assert_int_equal(op.attr_clr | op.attr_soft, SOFT);
	assert_int_equal(op.attr_clr, MOUNT_ATTR_NODEV);
}

static void test_access_time(void **state)
{
	static const struct {
		const char *options;
		uint64_t set, clr, rec_set, rec_clr;
	} cases[] = {
		{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0, 0},
		{"noatime atime", 0, MOUNT_ATTR__ATIME, 0, 0},
		{"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0, 0},
		{"strictatime nostrictatime", 0, MOUNT_ATTR__ATIME, 0, 0},
		{"noatime relatime", 0, MOUNT_ATTR__ATIME, 0, 0},
		{"norelatime", 0, 0, 0, 0},
		{"nodiratime diratime", 0, MOUNT_ATTR_NODIRATIME, 0, 0},
		{"rnoatime", 0, 0, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
		{"rnoatime ratime", 0, 0, 0, MOUNT_ATTR__ATIME},
		{"rstrictatime", 0, 0, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
		{"rnostrictatime", 0, 0, 0, MOUNT_ATTR__ATIME},
		{"rrelatime", 0, 0, 0, MOUNT_ATTR__ATIME},
		{"rnorelatime", 0, 0, 0, MOUNT_ATTR__ATIME},
		{"rnodiratime", 0, 0, MOUNT_ATTR_NODIRATIME, 0},
		{"noatime rstrictatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME,
		 MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mount_op op = good("/a", "tmpfs", cases[i].options);

		assert_int_equal(op.attr_set, cases[i].set);
		assert_int_equal(op.attr_clr, cases[i].clr);
		assert_int_equal(op.rec_set, cases[i].rec_set);
		assert_int_equal(op.rec_clr, cases[i].rec_clr);
	}
}

/* Of a bind, as mount(2) does it. */
static void test_access_time_of_bind(void **state)
{
	const uint64_t all = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
	const struct {
		const char *options;
		uint64_t set, clr;
	} cases[] = {
		{"ro", MOUNT_ATTR_RDONLY, 0},
		{"atime", 0, 0},
		{"diratime", 0, 0},
		{"nostrictatime norelatime", 0, 0},
		{"relatime", 0, all},
		{"noatime", MOUNT_ATTR_NOATIME, all},
		{"noatime strictatime", MOUNT_ATTR_STRICTATIME, all},
		{"nodiratime", MOUNT_ATTR_NODIRATIME, MOUNT_ATTR__ATIME},
		{"nodiratime strictatime", MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_STRICTATIME,
		 MOUNT_ATTR__ATIME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mount_op op = good("/a", "bind", cases[i].options);

		assert_int_equal(op.attr_set, cases[i].set);
		assert_int_equal(op.attr_clr, cases[i].clr);
	}
}

static void test_idmap(void **state)
{
	struct mount_op op = good("/a", "bind", "rbind idmap");

	(void)state;
	assert_true(op.idmap.kind == IDMAP_CONTAINER && !op.idmap.recursive && !op.idmap_text);
	op = good("/a", "bind", "ridmap=uids=0-1-2;gids=0-1-2 ro");
	assert_true(op.idmap.kind == IDMAP_CONTAINER && op.idmap.recursive);
	assert_string_equal(op.idmap_text, "uids=0-1-2;gids=0-1-2");
	op = good("/a", "bind", "copy-symlink");
	assert_true(op.copy_symlink && !op.source_nofollow && !op.target_nofollow);
	op = good("/a", "bind", "src-nofollow dest-nofollow");
	assert_true(!op.copy_symlink && op.source_nofollow && op.target_nofollow);
}

static void test_recursive(void **state)
{
	struct mount_op op = good("/a", "none", "rbind rro rnosuid rnodev rnoexec rnosymfollow");

	(void)state;
	assert_int_equal(op.rec_set, SOFT);
	assert_int_equal(op.attr_soft, 0);
	op = good("/a", "none", "rbind rrw rsuid rdev rexec rsymfollow rdiratime");
	assert_int_equal(op.rec_clr, SOFT | MOUNT_ATTR_NODIRATIME);
	op = good("/a", "none", "rbind ro rro");
	assert_int_equal(op.attr_set, MOUNT_ATTR_RDONLY);
	assert_int_equal(op.rec_set, MOUNT_ATTR_RDONLY);
}

static void test_propagation(void **state)
{
	(void)state;
	assert_int_equal(good("/a", "bind", "rprivate").propagation, MS_PRIVATE | MS_REC);
	assert_int_equal(good("/a", "bind", "private").propagation, MS_PRIVATE);
	assert_int_equal(good("/a", "bind", "rshared").propagation, MS_SHARED | MS_REC);
	assert_int_equal(good("/a", "bind", "slave").propagation, MS_SLAVE);
	assert_int_equal(good("/a", "bind", "runbindable").propagation, MS_UNBINDABLE | MS_REC);
	assert_int_equal(good("/a", "bind", "shared rslave").propagation, MS_SLAVE | MS_REC);
	assert_int_equal(good("/a", "bind", "").propagation, 0);
}

static void test_superblock(void **state)
{
	struct mount_op op = good("/a", "ext4", "ro sync dirsync mand lazytime");

	(void)state;
	assert_int_equal(op.sb_flags,
			 MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME);
	assert_int_equal(op.attr_set, MOUNT_ATTR_RDONLY);
	assert_false(op.late_readonly);
	op = good("/a", "ext4", "sync async silent loud iversion noiversion");
	assert_int_equal(op.sb_flags, 0);
	assert_int_equal(op.sb_clear, MS_SYNCHRONOUS | MS_SILENT | MS_I_VERSION);
	/* The kernel's own file systems: the mount alone. */
	assert_int_equal(good("/a", "sysfs", "ro").sb_flags, 0);
	/* A bind must not change the host's superblock. */
	op = good("/a", "bind", "sync ro lazytime nomand");
	assert_int_equal(op.sb_flags | op.sb_clear, 0);
}

static void test_late_readonly(void **state)
{
	(void)state;
	assert_true(good("/dev", "tmpfs", "ro").late_readonly);
	assert_true(good("/run", "tmpfs", "ro").late_readonly);
	assert_true(good("/dev", "bind", "ro").late_readonly);
	assert_false(good("/run", "bind", "ro").late_readonly);
	assert_false(good("/sys", "sysfs", "ro").late_readonly);
	assert_false(good("/dev", "tmpfs", "ro rw").late_readonly);
	assert_false(good("/dev", "none", "remount ro").late_readonly);
}

static void test_data(void **state)
{
	(void)state;
	assert_string_equal(good("/a", "tmpfs", "size=64m nosuid mode=755").data,
			    "size=64m,mode=755");
	assert_string_equal(good("/a", "devpts", "newinstance ptmxmode=0666 ro gid=5").data,
			    "newinstance,ptmxmode=0666,gid=5");
	assert_string_equal(good("/a", "tmpfs", "defaults").data, "");
	assert_string_equal(good("/a", "cgroup2", "ro nsdelegate relatime").data, "nsdelegate");
	assert_true(good("/a", "tmpfs", "tmpcopyup").copyup);
}

static void test_errors(void **state)
{
	static const struct {
		const char *type, *options, *word, *pointer;
		enum err_kind kind;
	} cases[] = {
		{"bind", "ro size=64m", "size=64m", "/mounts/3/options/1", ERR_CONFIG},
		{"none", "frobnicate rbind", "frobnicate", "/mounts/3/options/0", ERR_CONFIG},
		{"tmpfs", "idmap", "idmap", "/mounts/3/options/0", ERR_CONFIG},
		{"proc", "ro ridmap", "ridmap", "/mounts/3/options/1", ERR_CONFIG},
		{"tmpfs", "copy-symlink", "copy-symlink", "/mounts/3/options/0", ERR_CONFIG},
		{"tmpfs", "src-nofollow", "src-nofollow", "/mounts/3/options/0", ERR_CONFIG},
		{"tmpfs", "dest-nofollow", "dest-nofollow", "/mounts/3/options/0", ERR_CONFIG},
		{"bind", "tmpcopyup", "tmpcopyup", "/mounts/3/options/0", ERR_CONFIG},
		{"proc", "tmpcopyup", "tmpcopyup", "/mounts/3/options/0", ERR_CONFIG},
	};
	struct mount_op op;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(parse(&op, "/a", cases[i].type, cases[i].options) < 0);
		assert_int_equal(err.kind, cases[i].kind);
		assert_non_null(strstr(err.text, cases[i].word));
		assert_string_equal(err.pointer, cases[i].pointer);
	}
}

/* Sorted, complete, and each word is one that a bind or a file system takes. */
static void test_names(void **state)
{
	static const char *const some[] = {"acl",	   "rro",	  "tmpcopyup",
					   "rnosymfollow", "nosymfollow", "rbind"};
	const char *const *names = mount_option_names();
	size_t n = 0;

	(void)state;
	for (; names[n]; n++) {
		struct mount_op op;
		bool bind = strcmp(names[n], "tmpcopyup") != 0;

		assert_int_equal(parse(&op, "/a", bind ? "bind" : "tmpfs", names[n]), 0);
		assert_string_equal(op.data, "");
		assert_true(n == 0 || strcmp(names[n - 1], names[n]) < 0);
	}
	assert_true(n > 60);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		size_t at = 0;

		while (names[at] && strcmp(names[at], some[i]) != 0)
			at++;
		assert_non_null(names[at]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind),	      cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_access_time),   cmocka_unit_test(test_recursive),
		cmocka_unit_test(test_propagation),   cmocka_unit_test(test_superblock),
		cmocka_unit_test(test_late_readonly), cmocka_unit_test(test_data),
		cmocka_unit_test(test_errors),	      cmocka_unit_test(test_names),
		cmocka_unit_test(test_idmap),	      cmocka_unit_test(test_access_time_of_bind),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	arena_done(&arena);
	return failed;
}
