/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pen of plans and reports: what each fact looks like for people and as JSON, which words stand
 * for which numbers (what has no word is a number, never nothing), and a doctor's findings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/mount.h"
#include "run/doctor.h"
#include "run/plan_words.h"

static char out[16384];

/* What @facts writes as the only step, in one of the two forms. */
static const char *written(void (*facts)(struct plan_writer *w), bool json)
{
	struct plan_writer w;
	struct strbuf b;

	strbuf_init(&b, out, sizeof(out));
	plan_writer_begin(&w, &b, json, NULL);
	plan_stage(&w, "nothing happens here");
	plan_stage(&w, "mounts");
	plan_step(&w, "bind");
	facts(&w);
	plan_writer_end(&w);
	assert_false(b.overflow);
	return out;
}

#define JSON(facts) "{\"stages\":[{\"stage\":\"mounts\",\"steps\":[{\"do\":\"bind\"" facts "}]}]}\n"
#define TEXT(facts) "mounts\n  bind" facts "\n"

static void looks(void (*facts)(struct plan_writer *w), const char *text, const char *json)
{
	struct err err = ERR_INIT;
	struct arena arena = ARENA_INIT;
	struct json *top;

	assert_string_equal(written(facts, false), text);
	assert_string_equal(written(facts, true), json);
	assert_int_equal(json_parse(json, strlen(json), "plan", &arena, &top, &err), 0);
	arena_done(&arena);
}

static void no_facts(struct plan_writer *w)
{
	plan_text(w, "target", NULL);
	plan_flag(w, "recursive", false);
	plan_words(w, "flags", NULL);
	plan_words(w, "flags", (const char *const[]){NULL});
}

static void kinds(struct plan_writer *w)
{
	plan_text(w, "target", "/data");
	plan_fmt(w, "mode", "%04o", 0755u);
	plan_number(w, "score", -1000);
	plan_unsigned(w, "limit", UINT64_MAX);
	plan_flag(w, "recursive", true);
	plan_flag(w, "not at all", false);
	plan_list(w, "flags");
	plan_word(w, "ro");
	plan_word_fmt(w, "%s%d", "x", 1);
	plan_list(w, "none -- of them");
	plan_words(w, "names", (const char *const[]){"a", "b", NULL});
}

/* The name of the first is left out, whatever it is. */
static void first_flag(struct plan_writer *w)
{
	plan_flag(w, "read-only", true);
	plan_flag(w, "(at the end)", true);
}

static void first_number(struct plan_writer *w)
{
	plan_number(w, "pid", 1);
}

static void first_list(struct plan_writer *w)
{
	plan_list(w, "argv");
}

static void nasty_texts(struct plan_writer *w)
{
	static const char *const words[] = {"",	    "a b",	"a,b",	"a\"b",	  "a\\b",
					    "a\nb", "\xc3\xa9", "\xff", "a:b/c=", NULL};

	plan_words(w, "words", words);
}

static void facts(void **state)
{
	(void)state;
	looks(no_facts, TEXT(""), JSON(""));
	looks(kinds,
	      TEXT(" /data, mode 0755, score -1000, limit 18446744073709551615, recursive, "
		   "flags ro x1, none -- of them none, names a b"),
	      JSON(",\"target\":\"/data\",\"mode\":\"0755\",\"score\":-1000,"
		   "\"limit\":18446744073709551615,\"recursive\":true,\"flags\":[\"ro\",\"x1\"],"
		   "\"none_of_them\":[],\"names\":[\"a\",\"b\"]"));
	looks(first_flag, TEXT(" read-only, (at the end)"),
	      JSON(",\"read_only\":true,\"_at_the_end_\":true"));
	looks(first_number, TEXT(" 1"), JSON(",\"pid\":1"));
	looks(first_list, TEXT(" none"), JSON(",\"argv\":[]"));
	looks(nasty_texts,
	      TEXT(" \"\" \"a b\" \"a,b\" \"a\\\"b\" \"a\\\\b\" \"a\\nb\" \"\xc3\xa9\" "
		   "\"\\ufffd\" a:b/c="),
	      JSON(",\"words\":[\"\",\"a b\",\"a,b\",\"a\\\"b\",\"a\\\\b\",\"a\\nb\",\"\xc3\xa9\","
		   "\"\\ufffd\",\"a:b/c=\"]"));
}

/* Stages and steps are divided, and an empty stage is not shown. */
static void two_of_each(struct plan_writer *w)
{
	plan_text(w, "target", "/a");
	plan_step(w, "mount");
	plan_list(w, "flags");
	plan_stage(w, "nothing");
	plan_stage(w, "the end");
	plan_step(w, "exec");
}

static void stages(void **state)
{
	static const struct plan_writer_names names = {"areas", "area", "findings", "verdict"};
	struct plan_writer w;
	struct strbuf b;

	(void)state;
	looks(two_of_each, "mounts\n  bind /a\n  mount none\nthe end\n  exec\n",
	      "{\"stages\":[{\"stage\":\"mounts\",\"steps\":[{\"do\":\"bind\",\"target\":\"/a\"},"
	      "{\"do\":\"mount\",\"flags\":[]}]},{\"stage\":\"the end\",\"steps\":[{\"do\":"
	      "\"exec\"}]}]}\n");
	strbuf_init(&b, out, sizeof(out));
	plan_writer_begin(&w, &b, true, &names);
	plan_stage(&w, "never");
	plan_writer_end(&w);
	assert_string_equal(out, "{\"areas\":[]}\n");
	strbuf_init(&b, out, sizeof(out));
	plan_writer_begin(&w, &b, true, &names);
	plan_stage(&w, "a");
	plan_step(&w, "has");
	plan_writer_end(&w);
	assert_string_equal(
		out, "{\"areas\":[{\"area\":\"a\",\"findings\":[{\"verdict\":\"has\"}]}]}\n");
}

/* ---- words ---- */

static struct mount_op op;

static void mount_words(struct plan_writer *w)
{
	plan_mount_words(w, &op);
}

static void mount_is(const char *want)
{
	char text[512];

	snprintf(text, sizeof(text), "mounts\n  bind%s\n", want);
	assert_string_equal(written(mount_words, false), text);
}

static void mounts(void **state)
{
	(void)state;
	op = (struct mount_op){.kind = MOUNT_BIND};
	mount_is("");
	op.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
	op.attr_clr = MOUNT_ATTR_NODEV;
	op.rec_set = MOUNT_ATTR_NOSYMFOLLOW;
	op.rec_clr = MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME;
	mount_is(" ro nosuid dev rexec rdiratime rnosymfollow");
	op = (struct mount_op){.attr_clr = MOUNT_ATTR__ATIME};
	mount_is(" relatime");
	op.attr_set = MOUNT_ATTR_NOATIME;
	op.rec_set = MOUNT_ATTR_STRICTATIME;
	op.rec_clr = MOUNT_ATTR__ATIME;
	mount_is(" noatime rstrictatime");
	/* Bits without a word. */
	op = (struct mount_op){.attr_set = UINT64_C(1) << 40,
			       .attr_clr = UINT64_C(1) << 41,
			       .attr_soft = MOUNT_ATTR_NOSUID | UINT64_C(1) << 42};
	mount_is(" 0x10000000000 no-0x20000000000, and where allowed suid no-0x40000000000");
	op = (struct mount_op){.sb_flags = MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_SILENT,
			       .sb_clear = MS_LAZYTIME | MS_I_VERSION | MS_DIRSYNC | MS_POSIXACL};
	mount_is(" ro sync nodirsync mand nolazytime noiversion noacl silent");
	op = (struct mount_op){.sb_flags = 1ul << 40, .sb_clear = 1ul << 41};
	mount_is(" 0x10000000000 no-0x20000000000");
	op = (struct mount_op){.rec_clr = MOUNT_ATTR_RDONLY};
	mount_is(" rrw");
}

static void propagation(void **state)
{
	(void)state;
	assert_null(plan_propagation(0));
	assert_string_equal(plan_propagation(MS_PRIVATE), "private");
	assert_string_equal(plan_propagation(MS_PRIVATE | MS_REC), "rprivate");
	assert_string_equal(plan_propagation(MS_SLAVE), "slave");
	assert_string_equal(plan_propagation(MS_SLAVE | MS_REC), "rslave");
	assert_string_equal(plan_propagation(MS_SHARED), "shared");
	assert_string_equal(plan_propagation(MS_SHARED | MS_REC), "rshared");
	assert_string_equal(plan_propagation(MS_UNBINDABLE), "unbindable");
	assert_string_equal(plan_propagation(MS_UNBINDABLE | MS_REC), "runbindable");
	assert_string_equal(plan_propagation(MS_REC), "unknown");
}

static void some_words(struct plan_writer *w)
{
	plan_caps(w, "capabilities", UINT64_C(1) << 0 | UINT64_C(1) << 21 | UINT64_C(1) << 63);
	plan_caps(w, "ambient", 0);
	plan_spec_word(w, "policy", SPEC_POLICIES, 3);
	plan_spec_word(w, "unheard of", SPEC_POLICIES, 77);
	plan_spec_bits(w, "nothing", SPEC_SCHED_FLAGS, 0);
	plan_spec_bits(w, "flags", SPEC_SCHED_FLAGS, 1 | UINT64_C(1) << 50);
	plan_spec_bits(w, "mode", SPEC_MEMORY_FLAGS, 1 << 15);
}

static void words(void **state)
{
	(void)state;
	looks(some_words,
	      TEXT(" CAP_CHOWN CAP_SYS_ADMIN 63, ambient none, policy SCHED_BATCH, unheard of 77, "
		   "flags SCHED_FLAG_RESET_ON_FORK 0x4000000000000, mode MPOL_F_STATIC_NODES"),
	      JSON(",\"capabilities\":[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\",\"63\"],\"ambient\":[],"
		   "\"policy\":\"SCHED_BATCH\",\"unheard_of\":77,\"flags\":["
		   "\"SCHED_FLAG_RESET_ON_FORK\",\"0x4000000000000\"],\"mode\":["
		   "\"MPOL_F_STATIC_NODES\"]"));
}

/* ---- findings ---- */

static void find(struct doctor *d)
{
	struct err err = ERR_INIT;

	doctor_area(d, "kernel");
	doctor_area(d, "ids");
	doctor_has(d, "subuid", NULL);
	doctor_has(d, "newuidmap", "version %d", 4);
	doctor_lacks(d, "time namespaces", "5.6", "no %s", "/linux/timeOffsets");
	doctor_lacks(d, "\033[31mred", NULL, "nothing");
	doctor_area(d, "cgroups");
	doctor_note(d, "memory", "%zu bytes", (size_t)5);
	err_pointer(&err, "/mounts/3");
	err_hint(&err, "leave it out");
	err_set(&err, ENOENT, "open %s", "/srv");
	doctor_report_problem(d, &err);
	err = ERR_INIT;
	err_set(&err, 0, "plain");
	doctor_problem(d, &err);
}

static struct doctor examine(struct spec_errors *problems, struct strbuf *b, bool json)
{
	static const struct plan_writer_names names = {"areas", "area", "findings", "verdict"};
	struct doctor d = {.problems = problems, .text = json ? NULL : b};

	memset(problems, 0, sizeof(*problems));
	strbuf_init(b, out, sizeof(out));
	if (json)
		plan_writer_begin(&d.w, b, json, &names);
	find(&d);
	if (json)
		plan_writer_end(&d.w);
	return d;
}

static void findings(void **state)
{
	static struct spec_errors problems;
	struct doctor d;
	struct strbuf b;

	(void)state;
	(void)examine(&problems, &b, false);
	assert_string_equal(out,
			    "ids\n"
			    "  has     subuid\n"
			    "  has     newuidmap: version 4\n"
			    "  lacks   time namespaces (Linux 5.6): no /linux/timeOffsets\n"
			    "  lacks   \\x1b[31mred: nothing\n"
			    "cgroups\n"
			    "  note    memory: 5 bytes\n"
			    "  fails   /mounts/3: open /srv: No such file or directory (ENOENT); "
			    "leave it out\n"
			    "  fails   plain\n");
	assert_int_equal(problems.n, 2);
	assert_int_equal(problems.total, 2);
	assert_string_equal(problems.v[0].pointer, "/mounts/3");
	assert_int_equal(problems.v[0].code, ENOENT);
	d = examine(&problems, &b, true);
	assert_string_equal(
		out,
		"{\"areas\":[{\"area\":\"ids\",\"findings\":[{\"verdict\":\"has\",\"what\":"
		"\"subuid\"},{\"verdict\":\"has\",\"what\":\"newuidmap\",\"detail\":\"version 4\"},"
		"{\"verdict\":\"lacks\",\"what\":\"time namespaces\",\"since\":\"5.6\",\"detail\":"
		"\"no /linux/timeOffsets\"},{\"verdict\":\"lacks\",\"what\":\"\\u001b[31mred\","
		"\"detail\":\"nothing\"}]},{\"area\":\"cgroups\",\"findings\":[{\"verdict\":"
		"\"note\",\"what\":\"memory\",\"detail\":\"5 bytes\"},{\"verdict\":\"fails\","
		"\"what\":\"/mounts/3: open /srv: No such file or directory (ENOENT)\",\"pointer\":"
		"\"/mounts/3\",\"advice\":\"leave it out\"},{\"verdict\":\"fails\",\"what\":"
		"\"plain\"}]}]}\n");
	/* What is more than there is room for is counted. */
	d.text = &b;
	for (int i = 0; i < 30; i++)
		doctor_problem(&d, &problems.v[0]);
	assert_int_equal(problems.n, SPEC_MAX_ERRORS);
	assert_int_equal(problems.total, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts),       cmocka_unit_test(stages), cmocka_unit_test(mounts),
		cmocka_unit_test(propagation), cmocka_unit_test(words),	 cmocka_unit_test(findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
