/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages to criu, byte by byte; messages that are broken; what its log says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mountinfo.h"
#include "base/pb.h"
#include "base/str.h"
#include "kernel/criu.h"

#include "test_pb.h"

static void test_numbers(void **state)
{
	static const struct {
		int64_t value;
		const char *bytes;
		size_t size;
	} rows[] = {
		{0, "\x08\x00", 2},	  {1, "\x08\x01", 2},
		{127, "\x08\x7f", 2},	  {128, "\x08\x80\x01", 3},
		{300, "\x08\xac\x02", 3}, {-1, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned char mem[16];
		struct pb_out m;
		struct pb_in in;
		struct pb_field f;

		pb_init(&m, mem, sizeof(mem));
		pb_i64(&m, 1, rows[i].value);
		assert_int_equal(m.len, rows[i].size);
		assert_memory_equal(mem, rows[i].bytes, rows[i].size);
		in = (struct pb_in){mem, mem + m.len};
		assert_int_equal(pb_next(&in, &f), 0);
		assert_int_equal(f.number, 1);
		assert_null(f.data);
		assert_int_equal((int64_t)f.value, rows[i].value);
		assert_int_equal(pb_next(&in, &f), PB_END);
	}
}

static void test_nothing_is_written_beyond(void **state)
{
	unsigned char mem[4] = {0, 0, 0, 0xaa}, large[16];
	struct pb_out m, outer;

	(void)state;
	pb_init(&m, mem, 3);
	pb_text(&m, 1, NULL);
	pb_flag(&m, 2, false);
	assert_int_equal(m.len, 0);
	pb_text(&m, 1, "ab");
	assert_true(m.overflow);
	assert_int_equal(mem[3], 0xaa);
	pb_init(&outer, mem, 3);
	pb_message(&outer, 1, &m);
	assert_true(outer.overflow);
	/* There would be room for what there is of it. */
	pb_init(&outer, large, sizeof(large));
	pb_message(&outer, 1, &m);
	assert_true(outer.overflow);
}

static void test_broken_messages(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} rows[] = {
		{"\x08", 1},	 /* no value */
		{"\x08\x80", 2}, /* one that does not end */
		{"\x0a\x05"
		 "abc",
		 5},						  /* shorter than it says */
		{"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10}, /* longer than memory */
		{"\x00\x00", 2},				  /* field 0 */
		{"\x0b\x00", 2},				  /* a group */
		{"\x09\x01\x02", 3},				  /* half of eight bytes */
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
		{"\x88\x80\x80\x80\x10\x00", 6}, /* field 2^29 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const unsigned char *p = (const unsigned char *)rows[i].bytes;
		struct pb_in in = {p, p + rows[i].size};
		struct pb_field f;

		assert_int_equal(pb_next(&in, &f), -EBADMSG);
	}
}

/* What criu does not say is stepped over, an empty text is one, the largest of all comes through.
 */
static void test_other_fields(void **state)
{
	static const unsigned char bytes[] = {0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4};
	unsigned char mem[64];
	struct pb_in in = {bytes, bytes + sizeof(bytes)};
	struct pb_field f;
	struct pb_out m;

	(void)state;
	assert_int_equal(pb_next(&in, &f), 0);
	assert_int_equal(f.number, 1);
	assert_int_equal(pb_next(&in, &f), 0);
	assert_int_equal(f.number, 2);
	assert_null(f.data);
	assert_int_equal(pb_next(&in, &f), PB_END);
	in = (struct pb_in){bytes, bytes + sizeof(bytes) - 1};
	assert_int_equal(pb_next(&in, &f), 0);
	assert_int_equal(pb_next(&in, &f), -EBADMSG);

	pb_init(&m, mem, sizeof(mem));
	pb_bytes(&m, 3, "", 0);
	pb_u64(&m, (1u << 29) - 1, UINT64_MAX);
	pb_flag(&m, 16, true);
	assert_false(m.overflow);
	in = (struct pb_in){mem, mem + m.len};
	assert_int_equal(pb_next(&in, &f), 0);
	assert_non_null(f.data);
	assert_int_equal(f.size, 0);
	assert_int_equal(pb_next(&in, &f), 0);
	assert_int_equal(f.number, (1u << 29) - 1);
	assert_true(f.value == UINT64_MAX);
	assert_int_equal(pb_next(&in, &f), 0);
	assert_int_equal(f.number, 16);
	assert_int_equal(f.value, 1);
	assert_int_equal(pb_next(&in, &f), PB_END);
}

static void has_number(const struct pb_field *options, unsigned number, uint64_t value)
{
	struct pb_field f;

	assert_true(find(options->data, options->size, number, &f));
	assert_int_equal(f.value, value);
}

static void has_text(const struct pb_field *options, unsigned number, const char *text)
{
	struct pb_field f;

	assert_true(find(options->data, options->size, number, &f));
	assert_int_equal(f.size, strlen(text));
	assert_memory_equal(f.data, text, f.size);
}

static void test_dump(void **state)
{
	const char *const external[] = {"mnt[/a]:/a"};
	const struct criu_request q = {
		.action = CRIU_DUMP,
		.log = "dump.log",
		.pid = 4711,
		.root = "/r",
		.file_locks = true,
		.cgroup_mode = CRIU_CGROUPS_STRICT,
		.parent = "../before",
		.page_server = "::1",
		.page_server_port = 27000,
		.external = external,
		.n_external = 1,
	};
	const int dirs[2] = {5, 6};
	unsigned char buf[8192];
	struct pb_field options, f;
	size_t size;

	(void)state;
	assert_int_equal(criu_encode(&q, dirs, buf, sizeof(buf), &size), 0);
	assert_true(find(buf, size, 1, &f));
	assert_int_equal(f.value, 1);
	assert_true(find(buf, size, 2, &options));
	has_number(&options, 1, 5);
	has_number(&options, 17, 6);
	has_number(&options, 2, 4711);
	has_number(&options, 8, 1);
	has_number(&options, 15, 1); /* the parent wants memory tracked */
	has_number(&options, 34, 5);
	has_text(&options, 10, "dump.log");
	has_text(&options, 13, "/r");
	has_text(&options, 14, "../before");
	has_text(&options, 37, "mnt[/a]:/a");
	assert_true(find(options.data, options.size, 11, &f));
	has_text(&f, 1, "::1");
	has_number(&f, 2, 27000);
	assert_false(find(options.data, options.size, 3, &f));	/* leave_running */
	assert_false(find(options.data, options.size, 26, &f)); /* restored as a sibling */
}

static void test_restore(void **state)
{
	const struct criu_inherit inherit[] = {{"pipe:[7]", 0}, {"extRootNetNS", 9}};
	const struct criu_join join[] = {{"ipc", "/run/ipc"}};
	struct criu_request q = {
		.action = CRIU_RESTORE,
		.log = "restore.log",
		.root = "/r",
		.cgroup_mode = CRIU_CGROUPS_IGNORE,
		.network_lock = CRIU_LOCK_SKIP,
		.cgroup_root = "/oakum/x",
		.inherit = inherit,
		.n_inherit = 2,
		.join = join,
		.n_join = 1,
	};
	const int dirs[2] = {5, 5};
	unsigned char buf[4096];
	struct pb_field options, f;
	size_t size;

	(void)state;
	assert_int_equal(criu_encode(&q, dirs, buf, sizeof(buf), &size), 0);
	assert_true(find(buf, size, 1, &f));
	assert_int_equal(f.value, 2);
	assert_true(find(buf, size, 2, &options));
	has_number(&options, 26, 1);
	has_number(&options, 34, 0);
	has_number(&options, 64, 3);
	assert_false(find(options.data, options.size, 2, &f));
	assert_true(find(options.data, options.size, 27, &f));
	has_text(&f, 1, "pipe:[7]");
	has_number(&f, 2, 0);
	assert_true(find(options.data, options.size, 39, &f));
	has_text(&f, 2, "/run/ipc");
	assert_true(find(options.data, options.size, 25, &f));
	has_text(&f, 2, "/oakum/x");
	assert_int_equal(criu_encode(&q, dirs, buf, 64, &size), -E2BIG);
}

/* The options of @q in @buf. */
static struct pb_field encode(const struct criu_request *q, unsigned char *buf, size_t size)
{
	const int dirs[2] = {5, 6};
	struct pb_field options;
	size_t used;

	assert_int_equal(criu_encode(q, dirs, buf, size, &used), 0);
	assert_true(find(buf, used, 2, &options));
	return options;
}

static bool has(const struct pb_field *options, unsigned number)
{
	struct pb_field f;

	return find(options->data, options->size, number, &f);
}

/* Each by the number that rpc.proto gives it, and none that was not asked for. */
#define MEMBER(name, number)                                                                       \
	{                                                                                          \
		offsetof(struct criu_request, name), number                                        \
	}

static const struct member {
	size_t offset;
	unsigned number;
} flags[] = {
	MEMBER(leave_running, 3), MEMBER(ext_unix_sk, 4),	  MEMBER(tcp_established, 5),
	MEMBER(shell_job, 7),	  MEMBER(file_locks, 8),	  MEMBER(auto_dedup, 16),
	MEMBER(link_remap, 18),	  MEMBER(tcp_skip_in_flight, 46), MEMBER(lazy_pages, 48),
	MEMBER(tcp_close, 52),
};

static const struct member texts[] = {
	MEMBER(log, 10),
	MEMBER(root, 13),
	MEMBER(parent, 14),
	MEMBER(freeze_cgroup, 44),
	MEMBER(config_file, 51),
	MEMBER(lsm_profile, 53),
	MEMBER(lsm_mount_context, 63),
};

static void test_every_option(void **state)
{
	unsigned char buf[4096];
	struct pb_field options;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct criu_request q = {.action = CRIU_DUMP};

		*(bool *)((char *)&q + flags[i].offset) = true;
		options = encode(&q, buf, sizeof(buf));
		for (size_t k = 0; k < ARRAY_SIZE(flags); k++)
			assert_int_equal(has(&options, flags[k].number), k == i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct criu_request q = {.action = CRIU_DUMP};

		*(const char **)(void *)((char *)&q + texts[i].offset) = "words";
		options = encode(&q, buf, sizeof(buf));
		has_text(&options, texts[i].number, "words");
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			assert_int_equal(has(&options, texts[k].number), k == i);
	}
}

static void test_modes(void **state)
{
	struct criu_request q = {.action = CRIU_PRE_DUMP,
				 .pid = 5,
				 .cgroup_mode = CRIU_CGROUPS_SOFT,
				 .empty_ns = 0x40000000};
	unsigned char buf[4096];
	struct pb_field options = encode(&q, buf, sizeof(buf));

	(void)state;
	has_number(&options, 9, 4);  /* its log tells all */
	has_number(&options, 12, 1); /* it tells us, too */
	has_number(&options, 15, 1); /* the next dump is to know what has changed */
	has_number(&options, 24, 1);
	has_number(&options, 34, 3);
	has_number(&options, 38, 0x40000000);
	has_number(&options, 50, 1);
	assert_false(has(&options, 6) || has(&options, 64));
	q = (struct criu_request){.action = CRIU_RESTORE, .network_lock = CRIU_LOCK_IPTABLES};
	options = encode(&q, buf, sizeof(buf));
	has_number(&options, 6, 1); /* devices that have moved */
	has_number(&options, 64, 1);
	assert_false(has(&options, 15) || has(&options, 24) || has(&options, 38));
	/* None too many, whichever it is that does not fit. */
	for (size_t size = 2; size < 200; size += 2) {
		const int dirs[2] = {5, 6};
		size_t used = 77;
		int r = criu_encode(&q, dirs, buf, size, &used);

		assert_true(r == 0 ? used <= size / 2 : r == -E2BIG && used == 77);
	}
}

static void test_log(void **state)
{
	static const struct {
		const char *log, *words;
	} rows[] = {
		{"", ""},
		{"(00.1) fine\n", ""},
		{"(00.1) Error (criu/a.c:1): one\n", "one"},
		{"(00.1)    1: Error (criu/a.c:1): a: one\n(00.2) x\n(00.3) Error (criu/b.c:2): "
		 "two\n"
		 "(00.4) Error (criu/cr-dump.c:9): Dumping FAILED.\n(00.5) Error (criu/c.c:3): "
		 "late\n",
		 "a: one; two"},
		{"Error (criu/a.c:1): 1\nError (criu/a.c:1): 2\nError (criu/a.c:1): 3", "2; 3"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		criu_log_errors(rows[i].log, buf, sizeof(buf));
		assert_string_equal(buf, rows[i].words);
	}
	criu_log_errors("Error (criu/a.c:1): 0123456789", buf, 8);
	assert_string_equal(buf, "0123456");
}

/* The root is what it stops at. */
static int count_until_root(void *data, const struct mountinfo *m)
{
	(*(int *)data)++;
	return strcmp(m->point, "/") == 0 ? 7 : 0;
}

static void test_mountinfo_each(void **state)
{
	FILE *f = tmpfile();
	char path[FD_PATH_SIZE];
	int n = 0;

	(void)state;
	assert_non_null(f);
	(void)fputs("1 0 0:1 / /a rw - tmpfs t rw\nrubbish\n2 0 0:2 / / rw - tmpfs t rw\n"
		    "3 0 0:3 / /b rw - tmpfs t rw\n",
		    f);
	assert_int_equal(fflush(f), 0);
	assert_int_equal(mountinfo_each(fd_path(fileno(f), path), count_until_root, &n), 7);
	assert_int_equal(n, 2);
	(void)fclose(f);
	assert_int_equal(mountinfo_each("/dev/null", count_until_root, &n), 0);
	assert_int_equal(mountinfo_each("/none", count_until_root, &n), -ENOENT);
	assert_int_equal(n, 2);
}

static void test_mountinfo(void **state)
{
	char good[] =
		"36 35 98:0 /mnt\\0401 /a\\134b rw,noatime master:1 - ext3 /dev/root rw,errors=x";
	char bare[] = "1 2 0:3 / / rw - tmpfs";
	char odd[] = "1 2 0:3 /\\04 /\\0409\\8 rw a:1 b:2 c - fuse.x\n";
	char *const bad[] = {(char[]){""}, (char[]){"36 35 98:0 / /a rw"}, (char[]){"36 35 - x"},
			     (char[]){"36 35 98:0 / /a - x"}};
	struct mountinfo m;

	(void)state;
	assert_int_equal(mountinfo_parse(good, &m), 0);
	assert_string_equal(m.id, "36");
	assert_string_equal(m.dev, "98:0");
	assert_string_equal(m.root, "/mnt 1");
	assert_string_equal(m.point, "/a\\b");
	assert_string_equal(m.options, "rw,noatime");
	assert_string_equal(m.type, "ext3");
	assert_string_equal(m.rest, "/dev/root rw,errors=x");
	assert_int_equal(mountinfo_parse(bare, &m), 0);
	assert_string_equal(m.type, "tmpfs");
	assert_string_equal(m.rest, "");
	assert_int_equal(mountinfo_parse(odd, &m), 0);
	assert_string_equal(m.root, "/\\04");
	assert_string_equal(m.point, "/ 9\\8");
	assert_string_equal(m.type, "fuse.x");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mountinfo_parse(bad[i], &m), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_nothing_is_written_beyond),
		cmocka_unit_test(test_broken_messages),
		cmocka_unit_test(test_other_fields),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_mountinfo),
		cmocka_unit_test(test_mountinfo_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
