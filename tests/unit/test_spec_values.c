/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Good configurations: what they become, and that what engines write is taken. */
#include <linux/capability.h>
#include <sys/resource.h>

#include "test_spec.h"

static size_t last_notes;

static struct spec *parse(const char *text, struct arena *arena)
{
	struct spec_errors errors;
	struct spec *spec = NULL;

	if (spec_parse(text, strlen(text), "config.json", arena, &spec, &errors) < 0)
		fail_msg("%s: %s", errors.v[0].pointer, errors.v[0].text);
	last_notes = errors.n_notes;
	return spec;
}

static void test_process(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec_process *p = &parse(good_config, &arena)->process;

	(void)state;
	assert_true(p->present && p->terminal && p->no_new_privileges);
	assert_true(p->console_rows.set && p->console_rows.v == 24);
	assert_true(p->console_columns.set && p->console_columns.v == 80);
	assert_int_equal(p->uid, 1000);
	assert_int_equal(p->gid, 1001);
	assert_int_equal(p->n_groups, 2);
	assert_int_equal(p->groups[1], 6);
	assert_true(p->umask.set && p->umask.v == 022);
	assert_int_equal(p->args.n, 3);
	assert_string_equal(p->args.v[2], "true");
	assert_null(p->args.v[3]);
	assert_string_equal(p->cwd, "/work");
	assert_true(p->oom_score_adj.set && p->oom_score_adj.v == -500);
	assert_int_equal(p->n_rlimits, 2);
	assert_int_equal(p->rlimits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(p->rlimits[0].soft, 1024);
	assert_true(p->rlimits[1].hard == RLIM_INFINITY);
}

/* The last value of a variable, in the place of the first. */
static void test_env(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec_strings *env = &parse(good_config, &arena)->process.env;

	(void)state;
	assert_int_equal(env->n, 4);
	assert_string_equal(env->v[0], "A=3");
	assert_string_equal(env->v[1], "B=2");
	assert_string_equal(env->v[2], "C=");
	assert_string_equal(env->v[3], "D=x=y");
	assert_null(env->v[4]);
}

static void test_caps(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec_caps *c = &parse(good_config, &arena)->process.caps;
	uint64_t chown = UINT64_C(1) << CAP_CHOWN;

	(void)state;
	assert_true(c->present);
	assert_true(c->bounding == (chown | UINT64_C(1) << CAP_KILL));
	assert_true(c->effective == chown);
	assert_true(c->permitted == (chown | UINT64_C(1) << CAP_CHECKPOINT_RESTORE));
	assert_true(c->inheritable == 0 && c->ambient == 0);
}

static void test_top(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec *s = parse(good_config, &arena);

	(void)state;
	assert_string_equal(s->version, "1.3.0");
	assert_string_equal(s->root_path, "rootfs");
	assert_true(s->root_readonly);
	assert_string_equal(s->hostname, "box");
	assert_string_equal(s->domainname, "example");
	assert_int_equal(s->n_mounts, 3);
	assert_string_equal(s->mounts[1].source, "/srv");
	assert_int_equal(s->mounts[1].options.n, 2);
	assert_string_equal(s->mounts[1].options.v[1], "ro");
	assert_null(s->mounts[2].source);
	assert_non_null(s->mounts[0].options.v);
	assert_int_equal(s->annotations.n, 2);
	assert_string_equal(s->annotations.v[0].key, "com.example.key");
	assert_string_equal(s->annotations.v[0].value, "value");
}

static void test_hooks(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec *s = parse(good_config, &arena);
	const struct spec_hook *h = s->hooks[SPEC_HOOK_CREATE_RUNTIME].v;

	(void)state;
	assert_int_equal(s->hooks[SPEC_HOOK_PRESTART].n, 1);
	assert_int_equal(s->hooks[SPEC_HOOK_CREATE_RUNTIME].n, 2);
	assert_int_equal(s->hooks[SPEC_HOOK_POSTSTOP].n, 1);
	assert_int_equal(s->hooks[SPEC_HOOK_POSTSTART].n, 0);
	assert_string_equal(h[0].path, "/bin/b");
	assert_int_equal(h[0].args.n, 2);
	assert_true(h[0].env_present && h[0].timeout.set && h[0].timeout.v == 5);
	assert_string_equal(h[0].env.v[0], "K=V");
	assert_true(!h[1].env_present && !h[1].timeout.set && h[1].args.n == 0);
	assert_true(s->hooks[SPEC_HOOK_POSTSTOP].v[0].env_present);
	assert_null(s->hooks[SPEC_HOOK_POSTSTOP].v[0].env.v[0]);
}

static void test_linux(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec *s = parse(good_config, &arena);

	(void)state;
	assert_true(s->ns[SPEC_NS_PID].present && !s->ns[SPEC_NS_PID].path);
	assert_string_equal(s->ns[SPEC_NS_NETWORK].path, "/run/netns/blue");
	assert_true(s->ns[SPEC_NS_IPC].present && !s->ns[SPEC_NS_IPC].path);
	assert_false(s->ns[SPEC_NS_TIME].present);
	assert_int_equal(s->uid_map.n, 2);
	assert_int_equal(s->uid_map.v[1].container, 1000);
	assert_int_equal(s->uid_map.v[1].host, 500);
	assert_int_equal(s->gid_map.v[0].size, 65536);
	assert_int_equal(s->n_devices, 3);
	assert_true(s->devices[0].mode.set && s->devices[0].mode.v == 0666);
	assert_true(s->devices[0].gid.set && s->devices[0].gid.v == 7);
	assert_int_equal(s->devices[1].type, 'p');
	assert_int_equal(s->devices[2].type, 'c');
	assert_string_equal(s->cgroups_path, "/pods/box");
	assert_int_equal(s->sysctl.n, 4);
	assert_string_equal(s->sysctl.v[1].key, "kernel/shmmax");
	assert_int_equal(s->masked_paths.n, 1);
	assert_int_equal(s->readonly_paths.n, 2);
	assert_string_equal(s->rootfs_propagation, "rslave");
}

static void test_resources(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec_resources *r = &parse(good_config, &arena)->resources;
	const struct spec_device_rule *all = &r->devices[0], *one = &r->devices[1];

	(void)state;
	assert_int_equal(r->n_devices, 2);
	assert_true(!all->allow && all->type == 'a' && all->major == -1 && all->minor == -1);
	assert_true(all->read && all->write && all->mknod);
	assert_true(one->allow && one->type == 'c' && one->major == 1 && one->minor == -1);
	assert_true(one->read && !one->write && one->mknod);
	assert_true(r->memory_limit.set && r->memory_limit.v == 1000000);
	assert_true(r->memory_swap.set && r->memory_swap.v == -1);
	assert_true(r->memory_swappiness.v == 60);
	assert_true(r->memory_disable_oom_killer.set && !r->memory_disable_oom_killer.v);
	assert_true(r->memory_check_before_update.set && r->memory_check_before_update.v);
	assert_true(r->cpu_shares.v == 1024 && r->cpu_quota.v == -1 && r->cpu_period.v == 100000);
	assert_true(r->cpu_idle.set && r->cpu_burst.set);
	assert_string_equal(r->cpuset_cpus, "0-1,3");
	assert_true(r->pids_limit.set && r->pids_limit.v == 100);
}

static void test_seccomp(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec_seccomp *s = &parse(good_config, &arena)->seccomp;
	const struct spec_seccomp_arg *a = s->rules[1].args;

	(void)state;
	assert_true(s->present && s->flags_present);
	assert_string_equal(s->default_action, "SCMP_ACT_ERRNO");
	assert_true(s->default_errno_ret.set && s->default_errno_ret.v == 1);
	assert_int_equal(s->architectures.n, 2);
	assert_int_equal(s->n_rules, 3);
	assert_int_equal(s->rules[0].names.n, 2);
	assert_false(s->rules[0].errno_ret.set);
	assert_int_equal(s->rules[1].errno_ret.v, 38);
	assert_int_equal(s->rules[1].n_args, 1);
	assert_true(a->index == 5 && a->value == UINT64_MAX && a->value_two == 1);
	assert_int_equal(a->op, 7); /* SCMP_CMP_MASKED_EQ */
	assert_string_equal(a->op_name, "SCMP_CMP_MASKED_EQ");
}

struct change {
	const char *at, *value;
};

/* Each is good, too. */
static void test_accepted(void **state)
{
	static const struct change changes[] = {
		{"/ociVersion", "\"1.0.0\""},
		{"/ociVersion", "\"1.0.0-rc1\""},
		{"/ociVersion", "\"1.0.2-dev\""},
		{"/ociVersion", "\"1.1.0+dev\""},
		{"/ociVersion", "\"1.2.9\""},
		{"/ociVersion", "\"1.9.0\""},
		{"/root/path", "\"/abs\""},
		{"/process/consoleSize", "{\"height\":0,\"width\":0}"},
		{"/process/user/uid", "999.0"},
		{"/process/user/uid", "1e2"},
		{"/process/capabilities", "null"},
		{"/process/capabilities/bounding", "[\"cap_kill\",\"CHOWN\",\"CAP_KILL\"]"},
		{"/process/rlimits", "[]"},
		{"/process/env", "null"},
		{"/process/scheduler", "null"},
		{"/process/oomScoreAdj", "0"},
		{"/mounts/0/destination", "\"proc\""},
		{"/mounts/1/type", "\"none\""},
		{"/mounts/1/type", NULL},
		{"/mounts", "[]"},
		{"/hooks", "null"},
		{"/hooks/unheard", "[{\"path\":5}]"},
		{"/linux/cgroupsPath", "\"system.slice:oakum:box\""},
		{"/linux/cgroupsPath", "\"relative/box\""},
		{"/linux/cgroupsPath", "\"\""},
		{"/linux/resources", "{}"},
		{"/linux/resources/memory", "{}"},
		{"/linux/resources/cpu/cpus", "\"\""},
		{"/linux/resources/cpu/cpus", "\"0-31:2/4,40\""},
		{"/linux/resources/pids/limit", "0"},
		{"/linux/resources/pids/limit", "-1"},
		{"/linux/seccomp", "null"},
		{"/linux/seccomp/flags", "null"},
		{"/linux/seccomp/syscalls", "null"},
		{"/linux/seccomp/syscalls/1/args", "null"},
		{"/linux/seccomp/defaultAction", "\"SCMP_ACT_TRACE\""},
		{"/linux/rootfsPropagation", "\"\""},
		{"/linux/sysctl/net.ipv4.conf.eth0~1100.forwarding", "\"1\""},
		{"/linux/sysctl/user.max_user_namespaces", "\"0\""},
		{"/linux/sysctl/kernel.sem", "\"250 32000 32 128\""},
		{"/linux/devices/-",
		 "{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229}"},
		{"/linux/devices/0/path", "\"/dev/fuse/\""},
		{"/linux/uidMappings/0/size", "1000"},
		{"/unheard", "{\"a\":[1]}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		AUTO_ARENA struct arena arena = ARENA_INIT;

		(void)parse(spoil(good_config, changes[i].at, changes[i].value, &arena), &arena);
	}
}

static const struct spec_note *note_of(const struct spec_errors *errors, const char *pointer)
{
	for (size_t i = 0; i < errors->n_notes; i++)
		if (str_eq(errors->notes[i].pointer, pointer))
			return &errors->notes[i];
	return NULL;
}

static void warned(const struct spec_errors *errors, const char *pointer, const char *text)
{
	const struct spec_note *n = note_of(errors, pointer);

	assert_non_null(n);
	assert_true(n->is_warning && n->line > 0 && n->column > 0);
	assert_string_equal(n->text, text);
}

static void noted(const struct spec_errors *errors, const char *pointer, const char *text)
{
	const struct spec_note *n = note_of(errors, pointer);

	assert_non_null(n);
	assert_false(n->is_warning);
	assert_non_null(strstr(n->text, text));
}

static size_t warnings(const struct spec_errors *errors)
{
	size_t n = 0;

	for (size_t i = 0; i < errors->n_notes; i++)
		n += errors->notes[i].is_warning;
	return n;
}

/* Ignored members are named, and what was probably meant; with spec_strict() they are errors. */
static void test_unknown(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const char *text = spoil(good_config, "/linux/maskedPath", "[\"/x\"]", &arena);
	struct spec_errors errors;
	struct spec *s;

	(void)state;
	text = spoil(text, "/annotation", "{}", &arena);
	text = spoil(text, "/process/frobnicate", "5", &arena);
	text = spoil(text, "/process/capabilities/bounding", "[\"CAP_TELEPORT\"]", &arena);
	text = spoil(text, "/ociVersion", "\"1.9.0\"", &arena);
	assert_int_equal(spec_parse(text, strlen(text), "config.json", &arena, &s, &errors), 0);
	assert_int_equal(warnings(&errors), 3);
	warned(&errors, "/process/capabilities/bounding/0",
	       "unknown capability \"CAP_TELEPORT\" is not granted");
	warned(&errors, "/linux/maskedPath",
	       "not known and ignored; did you mean \"maskedPaths\"?");
	warned(&errors, "/annotation", "not known and ignored; did you mean \"annotations\"?");
	noted(&errors, "/process/frobnicate", "not known and ignored");
	noted(&errors, "/linux/resources/memory/kernel", "deprecated");
	noted(&errors, "/ociVersion", "newer than the 1.3.x");
	assert_null(note_of(&errors, "/vm"));

	spec_strict(&errors, "config.json");
	assert_int_equal(errors.n_notes, 0);
	assert_int_equal(errors.total, 7);
	for (size_t i = 0; i < errors.n; i++) {
		assert_int_equal(errors.v[i].kind, ERR_CONFIG);
		assert_string_equal(errors.v[i].file, "config.json");
		assert_true(errors.v[i].pointer[0] && errors.v[i].line > 0);
		assert_true(i == 0 || errors.v[i].line > errors.v[i - 1].line ||
			    errors.v[i].column > errors.v[i - 1].column);
	}
	assert_string_equal(errors.v[0].pointer, "/ociVersion");
}

/* A required member under a slightly wrong name is pointed at; a known neighbour is not. */
static void test_near_missing(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const char *text = spoil(good_config, "/process/args", NULL, &arena);
	struct spec_errors errors;
	struct spec *s;

	(void)state;
	text = spoil(text, "/process/arg", "[\"sh\"]", &arena);
	text = spoil(text, "/process/cwd", NULL, &arena);
	assert_true(spec_parse(text, strlen(text), "c", &arena, &s, &errors) < 0);
	assert_int_equal(errors.total, 2);
	assert_string_equal(errors.v[0].pointer, "/process/args");
	assert_non_null(strstr(errors.v[0].hint, "did you mean it by \"arg\" at "));
	assert_string_equal(errors.v[1].pointer, "/process/cwd");
	assert_string_equal(errors.v[1].hint, "");
}

/* Members in another case are the same members: engines decode them so. */
static void test_case(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const char *text = spoil(good_config, "/process/noNewPrivileges", NULL, &arena);

	(void)state;
	text = spoil(text, "/process/NoNewPrivileges", "true", &arena);
	assert_true(parse(text, &arena)->process.no_new_privileges);
}

/* As jq and Go make it: one object under two spellings is one object, if no member is in both. */
static void test_parts(void **state)
{
	static const char both[] =
		"{\"cpu\":{\"shares\":512},\"CPU\":{\"Cpus\":\"0\",\"Mems\":\"1\"}}";
	static const char clash[] = "{\"cpu\":{\"cpus\":\"0\"},\"CPU\":{\"Cpus\":\"1\"}}";
	static const char twice[] = "{\"pids\":{\"limit\":1},\"Pids\":5}";
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_errors errors;
	struct spec_resources res;

	(void)state;
	assert_int_equal(spec_parse_resources(both, strlen(both), "r", &arena, &res, &errors), 0);
	assert_true(res.cpu_shares.v == 512);
	assert_string_equal(res.cpuset_cpus, "0");
	assert_string_equal(res.cpuset_mems, "1");
	assert_int_equal(spec_parse_resources(clash, strlen(clash), "r", &arena, &res, &errors),
			 -EINVAL);
	assert_string_equal(errors.v[0].pointer, "/CPU");
	assert_non_null(strstr(errors.v[0].text, "given twice"));
	assert_int_equal(spec_parse_resources(twice, strlen(twice), "r", &arena, &res, &errors),
			 -EINVAL);
	assert_string_equal(errors.v[0].pointer, "/Pids");
}

static const char smallest[] = "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
			       "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"}}";

static void test_smallest(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec *s = parse(smallest, &arena);

	(void)state;
	assert_true(s->process.uid == 0 && s->process.env.n == 0 && !s->process.caps.present);
	assert_non_null(s->process.env.v);
	assert_null(s->process.env.v[0]);
	assert_non_null(s->seccomp.flags.v);
	assert_false(s->seccomp.present);
	assert_true(s->n_mounts == 0 && last_notes == 0 && !s->resources.memory_limit.set);
}

/* As docker and podman fill in what nobody asked for. */
static const char engine[] =
	"{\"ociVersion\":\"1.2.0\",\"process\":{\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":["
	"0,10]},"
	"\"args\":[\"sh\"],\"env\":[\"PATH=/bin\"],\"cwd\":\"/\",\"consoleSize\":{\"height\":0,"
	"\"width\":0},\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"]},\"oomScoreAdj\":0,"
	"\"selinuxLabel\":\"\",\"rlimits\":[{\"type\":\"RLIMIT_NPROC\",\"hard\":4194304,"
	"\"soft\":4194304}]},\"root\":{\"path\":\"/var/lib/x/merged\"},\"hostname\":\"abc\","
	"\"mounts\":[{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\","
	"\"options\":[\"rprivate\",\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]},"
	"{\"destination\":\"/etc/hosts\",\"source\":\"/x/"
	"hosts\",\"options\":[\"rbind\",\"rprivate\"]}],"
	"\"hooks\":{\"prestart\":[{\"path\":\"/proc/1/exe\",\"args\":[\"libnetwork-setkey\"]}]},"
	"\"annotations\":{\"io.container.manager\":\"libpod\"},"
	"\"linux\":{\"sysctl\":{\"net.ipv4.ping_group_range\":\"0 "
	"0\"},\"cgroupsPath\":\"/docker/abc\","
	"\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,"
	"\"type\":\"c\",\"major\":1,\"minor\":5,\"access\":\"rwm\"}],\"memory\":{},"
	"\"cpu\":{\"shares\":0},\"pids\":{\"limit\":2048},\"blockIO\":{},\"hugepageLimits\":[]},"
	"\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\",\"path\":\"/run/netns/a\"},"
	"{\"type\":\"uts\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"cgroup\"}],"
	"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,"
	"\"architectures\":[\"SCMP_ARCH_X86_64\"],\"syscalls\":[{\"names\":[\"read\"],"
	"\"action\":\"SCMP_ACT_ALLOW\"}]},\"maskedPaths\":[\"/proc/asound\"],"
	"\"readonlyPaths\":[\"/proc/bus\"]}}";

static void test_engine(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct spec *s = parse(engine, &arena);

	(void)state;
	assert_int_equal(last_notes, 0);
	assert_int_equal(s->n_mounts, 2);
	assert_null(s->mounts[1].type);
	assert_true(s->process.console_rows.set && s->process.console_rows.v == 0);
}

static void test_process_file(void **state)
{
	static const char text[] = "{\"terminal\":false,\"args\":[\"id\"],\"cwd\":\"/tmp\","
				   "\"user\":{\"uid\":7},\"env\":[\"X=1\"]}";
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_process p = {.present = false};
	struct spec_errors errors;

	(void)state;
	assert_int_equal(spec_parse_process(text, strlen(text), "p.json", &arena, &p, &errors), 0);
	assert_true(p.present && p.uid == 7 && p.gid == 0);
	assert_string_equal(p.args.v[0], "id");
	assert_string_equal(p.env.v[0], "X=1");

	p.present = false;
	assert_int_equal(spec_parse_process("{\"args\":[]}", 11, "p.json", &arena, &p, &errors),
			 -EINVAL);
	assert_false(p.present); /* untouched */
	assert_int_equal(errors.n, 2);
	assert_string_equal(errors.v[0].pointer, "/cwd");
	assert_string_equal(errors.v[1].pointer, "/args");
}

/* A smaller arena at each step: out of memory is an answer, too. */
static void test_memory(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t limit = 64; limit < 1u << 20; limit += limit / 16 + 64) {
		AUTO_ARENA struct arena arena = ARENA_INIT;
		struct spec_errors errors;
		struct spec *spec = NULL;
		int r;

		arena.limit = limit;
		r = spec_parse(good_config, strlen(good_config), "config.json", &arena, &spec,
			       &errors);
		assert_true(r == 0 || r == -ENOMEM);
		failed += r != 0;
		if (r != 0)
			assert_int_equal(errors.n, 1);
		assert_true((r == 0) == (spec != NULL));
	}
	assert_true(failed > 10);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(spec_ns_name(SPEC_NS_NETWORK), "network");
	assert_string_equal(spec_ns_name(SPEC_NS_TIME), "time");
	assert_string_equal(spec_hook_name(SPEC_HOOK_POSTSTOP), "poststop");
	assert_int_equal(spec_rlimit_number("RLIMIT_RTTIME"), RLIMIT_RTTIME);
	assert_int_equal(spec_rlimit_number("RLIMIT_X"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),	     cmocka_unit_test(test_env),
		cmocka_unit_test(test_caps),	     cmocka_unit_test(test_top),
		cmocka_unit_test(test_hooks),	     cmocka_unit_test(test_linux),
		cmocka_unit_test(test_resources),    cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_accepted),     cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_near_missing), cmocka_unit_test(test_case),
		cmocka_unit_test(test_parts),	     cmocka_unit_test(test_smallest),
		cmocka_unit_test(test_engine),	     cmocka_unit_test(test_process_file),
		cmocka_unit_test(test_memory),	     cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
