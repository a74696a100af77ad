/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The annotations that mean something: what each takes, where a bad one is named, and what is kept
 * of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "spec/spec.h"
#include "spec/spec_read.h"

static const char config[] =
	"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/\","
	"\"args\":[\"sh\"],\"user\":{\"uid\":0,\"gid\":0}},\"annotations\":{%s}}";

/* The configuration with these annotations: "NAME":"VALUE",… */
static int parse(const char *annotations, struct arena *arena, struct spec **ret,
		 struct spec_errors *errors)
{
	char text[2048];
	int n = snprintf(text, sizeof(text), config, annotations);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	return spec_parse(text, (size_t)n, "config.json", arena, ret, errors);
}

static struct spec *good(const char *annotations, struct arena *arena)
{
	struct spec_errors errors;
	struct spec *spec = NULL;

	if (parse(annotations, arena, &spec, &errors) < 0)
		fail_msg("%s: %s: %s", annotations, errors.v[0].pointer, errors.v[0].text);
	return spec;
}

static void values(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec *s;

	(void)state;
	s = good("\"run.oci.pidfd_receiver\":\"/run/p\",\"run.oci.keep_original_groups\":\"1\","
		 "\"run.oci.hooks.stdout\":\"out\",\"run.oci.hooks.stderr\":\"/var/err\","
		 "\"run.oci.seccomp.receiver\":\"/run/agent\","
		 "\"run.oci.seccomp_fail_unknown_syscall\":\"true\","
		 "\"run.oci.delegate-cgroup\":\"/init//x\",\"run.oci.systemd.subgroup\":\"\","
		 "\"run.oci.mount_context_type\":\"rootcontext\",\"org.criu.config\":\"/etc/c\"",
		 &arena);
	assert_string_equal(s->known.pidfd_receiver, "/run/p");
	assert_true(s->known.keep_groups);
	assert_string_equal(s->known.hooks_stdout, "out");
	assert_string_equal(s->known.hooks_stderr, "/var/err");
	assert_string_equal(s->known.seccomp_receiver, "/run/agent");
	assert_true(s->known.seccomp_fail_unknown);
	assert_string_equal(s->known.delegate_cgroup, "init//x");
	assert_string_equal(s->known.systemd_subgroup, "");
	assert_string_equal(s->known.mount_context_type, "rootcontext");
	assert_string_equal(s->known.criu_config, "/etc/c");
	assert_int_equal(s->annotations.n, 10);
	assert_string_equal(s->annotations.v[6].key, "run.oci.delegate-cgroup");

	s = good("\"run.oci.keep_original_groups\":\"0\",\"run.oci.delegate-cgroup\":\"\","
		 "\"run.oci.handler\":\"\",\"x\":\"y\",\"run.oci.no_such\":\"z\"",
		 &arena);
	assert_false(s->known.keep_groups);
	assert_null(s->known.delegate_cgroup);
	assert_null(s->known.systemd_subgroup);
	assert_null(s->known.pidfd_receiver);
	assert_int_equal(s->annotations.n, 5);
}

static void handler_of_a_sandbox(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;

	(void)state;
	good("\"run.oci.handler\":\"krun\",\"io.kubernetes.cri.container-type\":\"sandbox\"",
	     &arena);
}

static void bpf(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	/* ld [0]; ret ALLOW */
	static const uint8_t want[] = {0x20, 0, 0, 0, 0, 0, 0, 0, 0x06, 0, 0, 0, 0, 0, 0xff, 0x7f};
	struct spec *s = good("\"run.oci.seccomp_bpf_data\":\"IAAAAAAAAAAGAAAAAAD/fw==\"", &arena);

	(void)state;
	assert_int_equal(s->known.seccomp_bpf_size, sizeof(want));
	assert_memory_equal(s->known.seccomp_bpf, want, sizeof(want));
}

static void properties(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec *s = good("\"org.systemd.property.CollectMode\":\"'inactive-or-failed'\","
			      "\"a\":\"b\",\"org.systemd.property.CPUWeight\":\"uint64 200\"",
			      &arena);

	(void)state;
	assert_int_equal(s->known.systemd_properties.n, 2);
	assert_string_equal(s->known.systemd_properties.v[0].key, "CollectMode");
	assert_string_equal(s->known.systemd_properties.v[0].value, "'inactive-or-failed'");
	assert_string_equal(s->known.systemd_properties.v[1].key, "CPUWeight");
	assert_int_equal(s->annotations.n, 3);
}

static const struct {
	const char *name, *value, *text;
	enum err_kind kind;
} bad[] = {
	{"run.oci.pidfd_receiver", "run/p", "expected an absolute path", ERR_CONFIG},
	{"run.oci.pidfd_receiver", "", "must not be empty", ERR_CONFIG},
	{"run.oci.keep_original_groups", "yes", "expected \"1\" or \"0\"", ERR_CONFIG},
	{"run.oci.keep_original_groups", "", "expected \"1\" or \"0\"", ERR_CONFIG},
	{"run.oci.seccomp_fail_unknown_syscall", "2", "expected \"1\" or \"0\"", ERR_CONFIG},
	{"run.oci.hooks.stdout", "", "must not be empty", ERR_CONFIG},
	{"run.oci.hooks.stderr", "", "must not be empty", ERR_CONFIG},
	{"run.oci.seccomp.receiver", "@agent", "expected an absolute path", ERR_CONFIG},
	{"run.oci.seccomp.plugins", "x.so", "cannot answer seccomp", ERR_UNSUPPORTED},
	{"run.oci.seccomp_bpf_data", "", "0 bytes", ERR_CONFIG},
	{"run.oci.seccomp_bpf_data", "IAAAAA==", "4 bytes", ERR_CONFIG},
	{"run.oci.seccomp_bpf_data", "*", "not base64", ERR_CONFIG},
	{"run.oci.delegate-cgroup", "../up", "delegate-cgroup \\\"../up\\\": `..`", ERR_CONFIG},
	{"run.oci.delegate-cgroup", "a/..", "`..` components are not allowed", ERR_CONFIG},
	{"run.oci.systemd.subgroup", "a/../b", "subgroup", ERR_CONFIG},
	{"run.oci.systemd.force_cgroup_v1", "/sys/fs/cgroup/systemd", "v1 hierarchy",
	 ERR_UNSUPPORTED},
	{"run.oci.mount_context_type", "ctx", "expected context, fscontext", ERR_CONFIG},
	{"run.oci.handler", "krun", "no handler \\\"krun\\\"", ERR_UNSUPPORTED},
	{"org.criu.config", "c.conf", "expected an absolute path", ERR_CONFIG},
	{"org.systemd.property.", "1", "cannot be the name", ERR_CONFIG},
	{"org.systemd.property.ab", "1", "cannot be the name", ERR_CONFIG},
	{"org.systemd.property.CPU-Weight", "1", "cannot be the name", ERR_CONFIG},
	{"org.systemd.property.9Lives", "1", "cannot be the name", ERR_CONFIG},
	{"org.systemd.property.CPUWeight", "many", "not a number", ERR_CONFIG},
};

static void bad_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_ARENA struct arena arena = ARENA_INIT;
		char one[512], pointer[256], text[256];
		struct spec_errors errors;
		struct spec *spec;
		struct strbuf b;

		snprintf(one, sizeof(one), "\"%s\":\"%s\"", bad[i].name, bad[i].value);
		snprintf(pointer, sizeof(pointer), "/annotations/%s", bad[i].name);
		strbuf_init(&b, text, sizeof(text));
		for (const char *p = bad[i].text; *p; p++)
			if (*p != '\\')
				strbuf_addc(&b, *p);
		assert_true(parse(one, &arena, &spec, &errors) < 0);
		assert_int_equal(errors.n, 1);
		assert_string_equal(errors.v[0].pointer, pointer);
		assert_int_equal(errors.v[0].kind, bad[i].kind);
		if (!strstr(errors.v[0].text, text))
			fail_msg("%s: %s", one, errors.v[0].text);
	}
}

static void gvariant(void **state)
{
	static const char *const fine[] = {
		"true",
		" 5 ",
		"-7",
		"0x1F",
		"1.5",
		"1e-3",
		"'a'",
		"\"a'b\"",
		"'it\\'s'",
		"uint64 5",
		"@as []",
		"['a', 'b']",
		"(1, 'x')",
		"(5,)",
		"()",
		"{'k': <'v'>}",
		"{'k', 5}",
		"[]",
		"<(true, [byte 1])>",
		"just 5",
		"nothing",
		"@mi nothing",
		"b'bytes'",
		"inf",
		"objectpath '/a'",
		"[(uint32 1, 2), (3, 4)]",
	};
	static const char *const wrong[] = {
		"",
		"   ",
		"yes",
		"5 6",
		"'a",
		"\"a",
		"[1, 2",
		"[1 2]",
		"(1, 2",
		"{1: 2",
		"{1}",
		"<5",
		"<>",
		"0x",
		"1.2.3",
		"5x",
		"uint64",
		"@ 5",
		"''x",
		"[,]",
		"truely",
		"1,",
		"'a\\'",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		if (spec_bad_gvariant(fine[i]))
			fail_msg("%s: %s", fine[i], spec_bad_gvariant(fine[i]));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (!spec_bad_gvariant(wrong[i]))
			fail_msg("%s: taken", wrong[i]);
}

/* Each row has words, and a prefix hides no other row. */
static void the_table(void **state)
{
	const struct spec_annotation *a, *b;
	size_t n_unsafe = 0;

	(void)state;
	for (size_t i = 0; (a = spec_annotation(i)); i++) {
		assert_true(strlen(a->meaning) > 5);
		n_unsafe += a->is_unsafe;
		for (size_t k = 0; (b = spec_annotation(k)); k++)
			assert_true(i == k || strncmp(a->name, b->name, strlen(a->name)) != 0);
	}
	assert_true(n_unsafe > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),     cmocka_unit_test(handler_of_a_sandbox),
		cmocka_unit_test(bpf),	      cmocka_unit_test(properties),
		cmocka_unit_test(bad_values), cmocka_unit_test(gvariant),
		cmocka_unit_test(the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
