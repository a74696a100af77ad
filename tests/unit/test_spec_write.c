/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bundles that oakum writes: what is in them, and that they pass its own checks. */
#include <limits.h>
#include <linux/capability.h>
#include <math.h>

#include "spec/spec_mount.h"
#include "test_spec.h"

static struct spec *parse(const char *text, struct arena *arena)
{
	struct spec_errors errors;
	struct spec *spec = NULL;

	if (spec_parse(text, strlen(text), "config.json", arena, &spec, &errors) < 0)
		fail_msg("%s: %s", errors.v[0].pointer, errors.v[0].text);
	assert_int_equal(errors.n_notes, 0);
	return spec;
}

static struct spec *write_default(const struct spec_default *o, struct arena *arena)
{
	char *text = NULL;
	size_t size = 0;

	assert_int_equal(spec_write_default(o, arena, &text, &size), 0);
	assert_int_equal(strlen(text), size);
	assert_int_equal(text[size - 1], '\n');
	assert_true(str_starts(
		text,
		"{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n\t\t\"terminal\": true,"));
	return parse(text, arena);
}

static const struct spec_mount *find_mount(const struct spec *s, const char *destination)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (str_eq(s->mounts[i].destination, destination))
			return &s->mounts[i];
	fail_msg("no mount on %s", destination);
	return NULL;
}

static bool has(const struct spec_strings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i], text))
			return true;
	return false;
}

static void test_default(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec *s = write_default(&(struct spec_default){.cgroup_v2 = false}, &arena);
	uint64_t caps = UINT64_C(1) << CAP_AUDIT_WRITE | UINT64_C(1) << CAP_KILL |
			UINT64_C(1) << CAP_NET_BIND_SERVICE;

	(void)state;
	assert_true(s->root_readonly && s->process.terminal && s->process.no_new_privileges);
	assert_string_equal(s->root_path, "rootfs");
	assert_string_equal(s->process.args.v[0], "sh");
	assert_true(s->process.caps.bounding == caps && s->process.caps.effective == caps &&
		    s->process.caps.permitted == caps);
	assert_true(s->process.caps.inheritable == 0 && s->process.caps.ambient == 0);
	assert_true(s->process.n_rlimits == 1 && s->process.rlimits[0].hard == 1024);
	assert_int_equal(s->n_mounts, 7);
	assert_true(has(&find_mount(s, "/dev/pts")->options, "gid=5"));
	assert_string_equal(find_mount(s, "/sys")->type, "sysfs");
	assert_true(s->ns[SPEC_NS_NETWORK].present && s->ns[SPEC_NS_MOUNT].present);
	assert_true(!s->ns[SPEC_NS_CGROUP].present && !s->ns[SPEC_NS_USER].present);
	assert_int_equal(s->masked_paths.n, 10);
	assert_int_equal(s->readonly_paths.n, 5);
	assert_int_equal(s->resources.n_devices, 1);
	s = write_default(&(struct spec_default){.cgroup_v2 = true}, &arena);
	assert_true(s->ns[SPEC_NS_CGROUP].present);
}

static void test_rootless(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec_default o = {.rootless = true, .uid = 1000, .gid = 4294967294u};
	const struct spec *s = write_default(&o, &arena);

	(void)state;
	assert_true(s->ns[SPEC_NS_USER].present && !s->ns[SPEC_NS_NETWORK].present);
	assert_int_equal(s->uid_map.v[0].host, 1000);
	assert_true(s->gid_map.v[0].host == 4294967294u);
	assert_int_equal(s->uid_map.v[0].size, 1);
	assert_false(has(&find_mount(s, "/dev/pts")->options, "gid=5"));
	assert_string_equal(find_mount(s, "/sys")->type, "none");
	assert_true(has(&find_mount(s, "/sys")->options, "rbind"));
	assert_int_equal(s->resources.n_devices, 0);
}

static struct spec *write_hardened(const struct spec_hardened *o, struct arena *arena)
{
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size = 0;

	if (spec_write_hardened(o, arena, &text, &size, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(strlen(text), size);
	return parse(text, arena);
}

static void test_hardened(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec *s =
		write_hardened(&(struct spec_hardened){.rootfs = "/srv/root", .id = "web"}, &arena);

	(void)state;
	assert_string_equal(s->root_path, "/srv/root");
	assert_false(s->root_readonly || s->process.terminal);
	assert_true(s->process.no_new_privileges);
	assert_string_equal(s->process.args.v[0], "/bin/sh");
	assert_string_equal(s->process.cwd, "/");
	assert_string_equal(s->hostname, "web");
	assert_true(has(&s->process.env, "HOSTNAME=web"));
	assert_false(has(&s->process.env, "TERM=xterm"));
	assert_int_equal(__builtin_popcountll(s->process.caps.bounding), 14);
	assert_true(s->process.caps.ambient == 0 && s->process.caps.inheritable == 0);
	assert_true(s->ns[SPEC_NS_PID].present && s->ns[SPEC_NS_NETWORK].present &&
		    s->ns[SPEC_NS_IPC].present && s->ns[SPEC_NS_UTS].present &&
		    s->ns[SPEC_NS_MOUNT].present && s->ns[SPEC_NS_CGROUP].present);
	assert_true(has(&find_mount(s, "/sys/fs/cgroup")->options, "ro"));
	assert_true(has(&find_mount(s, "/dev/shm")->options, "size=65536k"));
	assert_string_equal(find_mount(s, "/dev/mqueue")->type, "mqueue");
	assert_true(has(&s->masked_paths, "/proc/kcore") && has(&s->readonly_paths, "/proc/sys"));
	assert_int_equal(s->resources.pids_limit.v, 4096);
	assert_false(s->resources.memory_limit.set || s->resources.cpu_quota.set);
	assert_int_equal(s->process.n_rlimits, 0);
}

static const struct spec_seccomp_rule *find_rule(const struct spec *s, const char *name,
						 size_t from)
{
	for (size_t i = from; i < s->seccomp.n_rules; i++)
		if (has(&s->seccomp.rules[i].names, name))
			return &s->seccomp.rules[i];
	return NULL;
}

static void test_hardened_seccomp(void **state)
{
	static const char *const denied[] = {"mount",
					     "unshare",
					     "setns",
					     "bpf",
					     "keyctl",
					     "add_key",
					     "request_key",
					     "userfaultfd",
					     "kexec_load",
					     "init_module",
					     "open_by_handle_at",
					     "reboot",
					     "swapon",
					     "pivot_root",
					     "perf_event_open",
					     "io_uring_setup"};
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec *s =
		write_hardened(&(struct spec_hardened){.rootfs = "/r", .id = "web"}, &arena);
	const struct spec_seccomp_rule *clone = find_rule(s, "clone", 0);

	(void)state;
	assert_true(s->seccomp.present && !s->seccomp.flags_present);
	assert_string_equal(s->seccomp.default_action, "SCMP_ACT_ERRNO");
	assert_int_equal(s->seccomp.default_errno_ret.v, EPERM);
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		if (find_rule(s, denied[i], 0))
			fail_msg("%s is allowed", denied[i]);
	assert_string_equal(find_rule(s, "chroot", 0)->action, "SCMP_ACT_ALLOW");
	assert_non_null(find_rule(s, "socket", 0));
	assert_true(clone->n_args == 1 && clone->args[0].value == 0x7e020000 &&
		    clone->args[0].value_two == 0);
	assert_string_equal(clone->args[0].op_name, "SCMP_CMP_MASKED_EQ");
	assert_int_equal(find_rule(s, "clone3", 0)->errno_ret.v, ENOSYS);
	assert_int_equal(find_rule(s, "personality", 0)->n_args, 1);
	for (size_t i = 0; i < s->seccomp.n_rules; i++)
		if (has(&s->seccomp.rules[i].names, "socket")) {
			const struct spec_seccomp_arg *a = s->seccomp.rules[i].args;

			assert_true(s->seccomp.rules[i].n_args == 1 && a->index == 0);
			assert_true(a->value != 38 && a->value != 40); /* AF_ALG, AF_VSOCK */
		}
}

static void test_hardened_options(void **state)
{
	const struct spec_hardened o = {
		.rootfs = "/r",
		.id = "web",
		.args = (const char *const[]){"/bin/echo", "a \"b\"\n\x01", NULL},
		.env = (const char *const[]){"PATH=/mine", "X=1", NULL},
		.mounts = (const char *const[]){"type=bind,source=/a,destination=/b,ro", "/c:/d",
						"type=tmpfs,destination=/t,size=1m", NULL},
		.user = "1000:2000",
		.workdir = "/w",
		.hostname = "other",
		.memory = 1 << 20,
		.pids = 7,
		.cpus = 1.5,
		.terminal = true,
		.read_only = true,
		.host_network = true,
	};
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec *s = write_hardened(&o, &arena);

	(void)state;
	assert_string_equal(s->process.args.v[1], "a \"b\"\n\x01");
	assert_true(has(&s->process.env, "PATH=/mine") && has(&s->process.env, "X=1"));
	assert_string_equal(s->process.env.v[0], "PATH=/mine");
	assert_true(has(&s->process.env, "TERM=xterm") && has(&s->process.env, "HOSTNAME=other"));
	assert_true(s->process.uid == 1000 && s->process.gid == 2000);
	assert_string_equal(s->process.cwd, "/w");
	assert_string_equal(s->hostname, "other");
	assert_true(s->resources.memory_limit.v == 1 << 20 &&
		    s->resources.memory_swap.v == 1 << 20);
	assert_true(s->resources.cpu_quota.v == 150000 && s->resources.cpu_period.v == 100000);
	assert_int_equal(s->resources.pids_limit.v, 7);
	assert_true(s->process.terminal && s->root_readonly && !s->ns[SPEC_NS_NETWORK].present);
	assert_string_equal(find_mount(s, "/b")->source, "/a");
	assert_true(has(&find_mount(s, "/b")->options, "ro"));
	assert_true(has(&find_mount(s, "/d")->options, "rbind"));
	assert_string_equal(find_mount(s, "/t")->type, "tmpfs");
	assert_true(has(&find_mount(s, "/t")->options, "size=1m"));
}

/* As large as a command line can be: nothing is cut. */
static void test_hardened_large(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	char *text = arena_alloc(&arena, 100001);
	const struct spec *s;

	(void)state;
	memset(text, '\x02', 100000);
	s = write_hardened(
		&(struct spec_hardened){.rootfs = "/r",
					.id = "web",
					.args = (const char *const[]){"a", text, text, NULL}},
		&arena);
	assert_string_equal(s->process.args.v[2], text);
}

static void refuse(const struct spec_hardened *change, const char *words)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_hardened o = *change;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size;

	o.rootfs = o.rootfs ? o.rootfs : "/r";
	o.id = "web";
	if (spec_write_hardened(&o, &arena, &text, &size, &err) >= 0)
		fail_msg("accepted, expected: %s", words);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(text);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void test_refused(void **state)
{
	static const char *const users[] = {"",		  "root", "1000:", "1000:x",
					    ":5",	  "-1",	  "1:2:3", "4294967295",
					    "4294967296", "01",	  "1 ",	   "1000:4294967295"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		refuse(&(struct spec_hardened){.user = users[i]}, "expected UID[:GID]");
	refuse(&(struct spec_hardened){.rootfs = "root"}, "\"root\" is no absolute path");
	refuse(&(struct spec_hardened){.workdir = "w"}, "\"w\" is no absolute path");
	refuse(&(struct spec_hardened){.memory = -1}, "memory: -1");
	refuse(&(struct spec_hardened){.pids = -1}, "pids: -1");
	refuse(&(struct spec_hardened){.cpus = -1}, "cpus: out of range");
	refuse(&(struct spec_hardened){.cpus = 0.001}, "cpus: out of range");
	refuse(&(struct spec_hardened){.cpus = 1e9}, "cpus: out of range");
	refuse(&(struct spec_hardened){.cpus = (double)NAN}, "cpus: out of range");
	refuse(&(struct spec_hardened){.env = (const char *const[]){"A=1", "B", NULL}},
	       "\"B\": expected NAME=VALUE");
	refuse(&(struct spec_hardened){.env = (const char *const[]){"=1", NULL}},
	       "expected NAME=VALUE");
	refuse(&(struct spec_hardened){.mounts = (const char *const[]){"/a", NULL}},
	       "mount \"/a\": ");
}

static void test_mounts(void **state)
{
	static const struct {
		const char *text, *type, *source, *destination, *options;
	} good[] = {
		{"/a:/b", "bind", "/a", "/b", "rbind,rprivate"},
		{"/a:/b:ro,z", "bind", "/a", "/b", "rbind,rprivate,ro,z"},
		{"source=/a,destination=/b", "bind", "/a", "/b", "rbind,rprivate"},
		{"dst=/b,readonly,src=/a,type=bind,noexec", "bind", "/a", "/b",
		 "rbind,rprivate,ro,noexec"},
		{"type=bind,src=/a,target=/b,readonly=false", "bind", "/a", "/b",
		 "rbind,rprivate,rw"},
		{"type=tmpfs,destination=/t", "tmpfs", "tmpfs", "/t", "nosuid,nodev,noexec"},
		{"size=1m,destination=/t,mode=700,type=tmpfs", "tmpfs", "tmpfs", "/t",
		 "nosuid,nodev,noexec,size=1m,mode=700"},
		{"type=tmpfs,dst=/t,tmpfs-size=5k,exec", "tmpfs", "tmpfs", "/t",
		 "nosuid,nodev,noexec,size=5k,exec"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO_ARENA struct arena arena = ARENA_INIT;
		struct err err = ERR_INIT;
		struct spec_mount m;
		char options[256];
		struct strbuf b;

		if (spec_mount_parse(good[i].text, &m, &arena, &err) < 0)
			fail_msg("%s", err.text);
		assert_string_equal(m.type, good[i].type);
		assert_string_equal(m.source, good[i].source);
		assert_string_equal(m.destination, good[i].destination);
		strbuf_init(&b, options, sizeof(options));
		for (size_t k = 0; k < m.options.n; k++) {
			strbuf_add(&b, k ? "," : "");
			strbuf_add(&b, m.options.v[k]);
		}
		assert_string_equal(options, good[i].options);
		assert_null(m.options.v[m.options.n]);
	}
}

static void test_bad_mounts(void **state)
{
	static const char *const bad_mounts[] = {
		"",
		"/a",
		"/a:",
		"/a:b",
		"/a::ro",
		"/a:/b:",
		"/a:/b:ro,,rw",
		"a:/b",
		"type=bind,destination=/b",
		"type=bind,source=/a",
		"type=bind,source=a,destination=/b",
		"type=bind,source=/a,destination=b",
		"type=bind,source=/a,destination=/b,",
		"type=bind,source=/a,src=/c,destination=/b",
		"type=volume,source=/a,destination=/b",
		"type=,source=/a,destination=/b",
		"type=tmpfs",
		"type=tmpfs,source=/a,destination=/t",
		"type=tmpfs,destination=",
		"ro",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_mounts); i++) {
		AUTO_ARENA struct arena arena = ARENA_INIT;
		struct err err = ERR_INIT;
		struct spec_mount m;
		char quoted[256];

		if (spec_mount_parse(bad_mounts[i], &m, &arena, &err) >= 0)
			fail_msg("\"%s\" was accepted", bad_mounts[i]);
		assert_int_equal(err.kind, ERR_USAGE);
		(void)snprintf(quoted, sizeof(quoted), "mount \"%s\": ", bad_mounts[i]);
		assert_non_null(strstr(err.text, quoted));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),		 cmocka_unit_test(test_rootless),
		cmocka_unit_test(test_hardened),	 cmocka_unit_test(test_hardened_seccomp),
		cmocka_unit_test(test_hardened_options), cmocka_unit_test(test_hardened_large),
		cmocka_unit_test(test_refused),		 cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_bad_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
