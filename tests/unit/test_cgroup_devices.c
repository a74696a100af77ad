/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules against the kernel: a process in the cgroup tries every access to a few devices, and
 * what it gets is what the list says, read from its end, bit by bit. v1 and v2 alike.
 */
#include <sys/sysmacros.h>

#include "kernel/cgroup_internal.h"
#include "test_cgroup.h"

enum { R = 1, W = 2, M = 4 };

static const int majors[] = {1, 5}, minors[] = {3, 5};
static const unsigned accesses[] = {R, W, R | W, M};

#define NODES  8
#define PROBES (NODES * 4)

static int asks[2], answers[2];
static const char box[] = "/tmp"; /* of our own mount namespace */

static mode_t node_mode(int i)
{
	return i & 4 ? S_IFBLK : S_IFCHR;
}

static dev_t node_dev(int i)
{
	return makedev(majors[i >> 1 & 1], minors[i & 1]);
}

static const char *node_path(int i)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%d", box, i);
	return path;
}

/*
 * May it? access(2) asks the device cgroup as open(2) does, without waking a driver or loading one.
 */
static bool may(int node, unsigned access)
{
	char path[128];

	if (access != M)
		return faccessat(AT_FDCWD, node_path(node),
				 (access & R ? R_OK : 0) | (access & W ? W_OK : 0), 0) == 0;
	(void)snprintf(path, sizeof(path), "%s/new", box);
	if (mknod(path, node_mode(node) | 0600, node_dev(node)) < 0)
		return false;
	(void)unlink(path);
	return true;
}

static void answer(void)
{
	char byte, got[PROBES];

	while (read(asks[0], &byte, 1) == 1) {
		for (int i = 0; i < PROBES; i++)
			got[i] = may(i / 4, accesses[i % 4]);
		CHECK(write(answers[1], got, sizeof(got)) == (ssize_t)sizeof(got));
	}
}

static bool says(const struct cgroup_device_rule *rules, size_t n, int node, unsigned access)
{
	for (unsigned bit = R; bit <= M; bit <<= 1) {
		bool allowed = false;

		if (!(access & bit))
			continue;
		for (size_t i = 0; i < n; i++) {
			const struct cgroup_device_rule *r = &rules[i];
			unsigned bits = (r->read ? R : 0) | (r->write ? W : 0) | (r->mknod ? M : 0);

			if ((r->type == 'a' || (r->type == 'b') == (node_mode(node) == S_IFBLK)) &&
			    (r->major < 0 || r->major == (int64_t)major(node_dev(node))) &&
			    (r->minor < 0 || r->minor == (int64_t)minor(node_dev(node))) &&
			    (bits & bit))
				allowed = r->allow;
		}
		if (!allowed)
			return false;
	}
	return true;
}

static void print_rules(const struct cgroup_device_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)fprintf(stderr, "  %s %c %d:%d %s%s%s\n", rules[i].allow ? "allow" : "deny",
			      rules[i].type, (int)rules[i].major, (int)rules[i].minor,
			      rules[i].read ? "r" : "", rules[i].write ? "w" : "",
			      rules[i].mknod ? "m" : "");
}

static void check_rules(const struct cgroup_device_rule *rules, size_t n)
{
	char got[PROBES];

	CHECK(write(asks[1], "x", 1) == 1);
	CHECK(read(answers[0], got, sizeof(got)) == (ssize_t)sizeof(got));
	for (int i = 0; i < PROBES; i++) {
		if (got[i] == says(rules, n, i / 4, accesses[i % 4]))
			continue;
		(void)fprintf(stderr, "node %d access %u: %d by\n", i / 4, accesses[i % 4], got[i]);
		print_rules(rules, n);
		CHECK(false);
	}
}

static unsigned seed = 1;

static int pick(int n)
{
	seed = seed * 1103515245u + 12345u;
	return (int)(seed >> 16) % n;
}

static size_t random_rules(struct cgroup_device_rule *rules)
{
	size_t n = (size_t)pick(6) + 1;

	for (size_t i = 0; i < n; i++) {
		unsigned bits = (unsigned)pick(7) + 1;

		rules[i] = (struct cgroup_device_rule){
			.allow = pick(3) > 0,
			.type = "abccbc"[pick(6)],
			.major = pick(2) ? -1 : majors[pick(2)],
			.minor = pick(2) ? -1 : minors[pick(2)],
			.read = bits & R,
			.write = bits & W,
			.mknod = bits & M,
		};
		if (pick(6) == 0)
			rules[i] = (struct cgroup_device_rule){.allow = pick(2),
							       .type = 'a',
							       .major = -1,
							       .minor = -1,
							       .read = true,
							       .write = true,
							       .mknod = true};
	}
	return n;
}

static void setup_nodes(void)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("none", box, "tmpfs", 0, NULL) == 0);
	for (int i = 0; i < NODES; i++)
		CHECK(mknod(node_path(i), node_mode(i) | 0600, node_dev(i)) == 0);
	CHECK(pipe2(asks, O_CLOEXEC) == 0 && pipe2(answers, O_CLOEXEC) == 0);
}

static void done_nodes(void)
{
	CHECK(umount2(box, MNT_DETACH) == 0);
}

static void body_rules(void)
{
	struct cgroup_device_rule rules[8];
	struct cgroup_limits l = {.devices = rules};
	int applied = 0;
	pid_t pid;

	setup_nodes();
	for (int round = 0; round < 12; round++) {
		CHECK(round == 0 || cgroup_signal_all(&cg, SIGKILL, &err) == 0);
		CHECK(round == 0 || waitpid(pid, NULL, 0) == pid);
		CHECK(round == 0 || cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
		do {
			l.n_devices = random_rules(rules);
			err = ERR_INIT;
		} while (cgroup_create(&cg, below("/d"), &l, &err) == -EXDEV);
		CHECK_OK(err.code ? -1 : 0, err);
		CHECK_OK(cgroup_limit(&cg, &l, false, &err), err);
		pid = start_member(&cg, answer);
		check_rules(rules, l.n_devices);
		for (int i = 0; i < 60; i++) {
			int r;

			l.n_devices = random_rules(rules);
			err = ERR_INIT;
			r = cgroup_limit(&cg, &l, true, &err);
			if (r == -EXDEV)
				continue;
			CHECK_OK(r, err);
			check_rules(rules, l.n_devices);
			applied++;
		}
	}
	CHECK(applied > 200);
	CHECK_OK(cgroup_signal_all(&cg, SIGKILL, &err), err);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
	done_nodes();
}
HERE_AND_V2(rules)

static void hammer(void)
{
	unsigned long tries = 0;

	while (!may(0, R) && may(1, R))
		tries++;
	_exit(tries ? 3 : 4);
}

/* While rules change, nothing is open, or shut, that neither the old nor the new ones say. */
static void body_no_gap(void)
{
	struct cgroup_device_rule rules[] = {
		{.type = 'a', .major = -1, .minor = -1, .read = true, .write = true, .mknod = true},
		{.allow = true, .type = 'c', .major = 1, .minor = 5, .read = true},
		{.allow = true, .type = 'c', .major = 5, .minor = -1, .read = true},
	};
	struct cgroup_limits l = {.devices = rules, .n_devices = 3};
	int status;
	pid_t pid;

	setup_nodes();
	CHECK_OK(cgroup_create(&cg, below("/g"), &l, &err), err);
	CHECK_OK(cgroup_limit(&cg, &l, false, &err), err);
	pid = start_member(&cg, hammer);
	for (int i = 0; i < 300; i++) {
		rules[2].write = i % 2;
		CHECK_OK(cgroup_limit(&cg, &l, true, &err), err);
	}
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK_OK(cgroup_signal_all(&cg, SIGKILL, &err), err);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(cgroup_remove(&cg, clock_deadline(5000), &err) == 0);
	done_nodes();
}
HERE_AND_V2(no_gap)

/* v1 cannot take back a part of what it allows: said, not done wrong. */
static void body_inexpressible(void)
{
	static const struct cgroup_device_rule rules[] = {
		{.type = 'a', .major = -1, .minor = -1, .read = true, .write = true, .mknod = true},
		{.allow = true, .type = 'c', .major = 1, .minor = -1, .read = true, .write = true},
		{.type = 'c', .major = 1, .minor = 3, .write = true},
	};
	struct cgroup_limits l = {.devices = rules, .n_devices = 3};

	if (v1_of(CGROUP_C_DEVICES) < 0)
		return;
	err = ERR_INIT;
	CHECK(cgroup_create(&cg, below("/i"), &l, &err) == -EXDEV);
	CHECK(err.kind == ERR_UNSUPPORTED && strstr(err.text, "\"deny c 1:3 w\""));
}

static void test_inexpressible(void **state)
{
	(void)state;
	run_here(body_inexpressible);
}

/* More than anybody writes, and what no number of a device is; without a cgroup. */
static void body_checked(void)
{
	struct cgroup_device_rule many[64];
	struct cgroup_device_rule big = {
		.allow = true, .type = 'b', .major = 1, .minor = INT64_C(1) << 31, .read = true};

	for (size_t i = 0; i < 64; i++)
		many[i] = (struct cgroup_device_rule){.allow = i % 3,
						      .type = i % 2 ? 'b' : 'c',
						      .major = INT32_MAX,
						      .minor = (int64_t)i,
						      .read = true,
						      .mknod = i % 5};
	CHECK_OK(cgroup_devices_v2_check(many, 64, &err), err);
	CHECK_OK(cgroup_devices_v2_check(NULL, 0, &err), err);
	CHECK(cgroup_devices_v2_check(&big, 1, &err) == -ERANGE && err.kind == ERR_CONFIG);
	CHECK(strcmp(err.text, "device rules: device number") == 0);
	/* v1 takes rules that allow; one that takes back a part, not. */
	CHECK(cgroup_devices_check(NULL, 0, &err) == 0 && cgroup_devices_check(&big, 1, &err) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	err = ERR_INIT;
	CHECK(cgroup_devices_v2_check(many, 5, &err) == -EPERM && strstr(err.hint, "CAP_BPF"));
}

static void test_checked(void **state)
{
	(void)state;
	assert_int_equal(in_child(body_checked), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_HERE_AND_V2(rules),
		TEST_HERE_AND_V2(no_gap),
		cmocka_unit_test(test_inexpressible),
		cmocka_unit_test(test_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
