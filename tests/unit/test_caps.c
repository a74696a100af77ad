/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The five sets: what was asked for is what /proc/self/status says, or it is refused. */
#include <linux/capability.h>
#include <sys/prctl.h>

#include "kernel/caps.h"
#include "test_fork.h"

#define BIT(cap) (UINT64_C(1) << (cap))
#define SOME	 (BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_NET_BIND_SERVICE))

static uint64_t status_mask(const char *key)
{
	char text[64];

	own_status(key, text, sizeof(text));
	return strtoull(text, NULL, 16);
}

static void check_sets(const struct caps *want)
{
	CHECK(status_mask("CapBnd") == want->bounding);
	CHECK(status_mask("CapEff") == want->effective);
	CHECK(status_mask("CapPrm") == want->permitted);
	CHECK(status_mask("CapInh") == want->inheritable);
	CHECK(status_mask("CapAmb") == want->ambient);
}

static void apply(const struct caps *want, uint32_t uid, uint64_t *ret_skipped)
{
	struct err err = ERR_INIT;

	CHECK_OK(caps_bound(want, &err), err);
	CHECK(setresuid(uid, uid, uid) == 0);
	CHECK_OK(caps_apply(want, ret_skipped, &err), err);
}

static void last_matches(void **state)
{
	FILE *f = fopen("/proc/sys/kernel/cap_last_cap", "re");
	int last = -1;

	(void)state;
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &last), 1);
	(void)fclose(f);
	assert_int_equal(caps_last(), last);
}

static void root_child(void)
{
	const struct caps want = {.bounding = SOME, .effective = SOME, .permitted = SOME};

	apply(&want, 0, NULL);
	check_sets(&want);
}

static void none_child(void)
{
	const struct caps want = {0};

	apply(&want, 0, NULL);
	check_sets(&want);
}

static void each_set_child(void)
{
	const struct caps want = {
		.bounding = SOME | BIT(CAP_SETUID),
		.effective = BIT(CAP_CHOWN),
		.permitted = SOME,
		.inheritable = BIT(CAP_KILL) | BIT(CAP_CHOWN),
		.ambient = BIT(CAP_KILL),
	};

	apply(&want, 1000, NULL);
	check_sets(&want);
	CHECK(prctl(PR_GET_KEEPCAPS) == 0);
}

static void ambient_child(void)
{
	struct caps want = {
		.bounding = SOME,
		.effective = SOME,
		.permitted = SOME,
		.inheritable = BIT(CAP_KILL),
		.ambient = BIT(CAP_KILL) | BIT(CAP_CHOWN) | BIT(CAP_SETUID),
	};
	uint64_t skipped = 0;

	apply(&want, 1000, &skipped);
	CHECK(skipped == (BIT(CAP_CHOWN) | BIT(CAP_SETUID)));
	want.ambient = BIT(CAP_KILL);
	check_sets(&want);
}

static void unknown_child(void)
{
	const struct caps want = {
		.bounding = SOME | BIT(63),
		.effective = SOME | BIT(62),
		.permitted = SOME | BIT(62),
		.ambient = BIT(61),
	};
	uint64_t skipped = 1;

	CHECK(caps_last() < 61);
	apply(&want, 0, &skipped);
	CHECK(skipped == 0);
	CHECK(status_mask("CapEff") == SOME);
	CHECK(status_mask("CapBnd") == SOME);
}

static void missing_bounding_child(void)
{
	const struct caps want = {.bounding = SOME};
	struct err err = ERR_INIT;

	CHECK(prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0) == 0);
	CHECK(caps_bound(&want, &err) < 0);
	CHECK(err.code == EPERM && err.kind == ERR_UNSUPPORTED);
	CHECK(strcmp(err.text, "bounding capabilities: we do not have CAP_KILL") == 0);
	CHECK(strcmp(err.pointer, "/process/capabilities/bounding") == 0 && err.hint[0]);
}

static void missing_permitted_child(void)
{
	struct caps want = {
		.bounding = SOME, .permitted = BIT(CAP_CHOWN), .effective = BIT(CAP_CHOWN)};
	struct err err = ERR_INIT;

	apply(&want, 0, NULL);
	want.permitted = want.effective = SOME;
	CHECK(caps_apply(&want, NULL, &err) < 0);
	CHECK(err.code == EPERM && err.kind == ERR_UNSUPPORTED);
	CHECK(strcmp(err.text, "permitted capabilities: we do not have CAP_KILL") == 0);
}

/* Effective outside permitted: the kernel refuses, we pass it on instead of shrinking. */
static void contradiction_child(void)
{
	const struct caps want = {.bounding = SOME, .permitted = BIT(CAP_CHOWN), .effective = SOME};
	struct err err = ERR_INIT;

	CHECK_OK(caps_bound(&want, &err), err);
	CHECK(caps_apply(&want, NULL, &err) < 0);
	CHECK(strcmp(err.text, "effective capabilities: not permitted: CAP_KILL") == 0);
}

static void inheritable_child(void)
{
	const struct caps want = {.bounding = SOME, .inheritable = BIT(CAP_SYS_BOOT)};
	struct err err = ERR_INIT;

	CHECK_OK(caps_bound(&want, &err), err);
	CHECK(caps_apply(&want, NULL, &err) < 0);
	CHECK(strcmp(err.text, "inheritable capabilities: not in the bounding set: CAP_SYS_BOOT") ==
	      0);
}

/* The bounding set was not dropped before: apply notices. */
static void unbounded_child(void)
{
	const struct caps want = {.bounding = SOME, .permitted = SOME, .effective = SOME};
	struct err err = ERR_INIT;

	CHECK(caps_apply(&want, NULL, &err) < 0);
	CHECK(strcmp(err.text, "bounding capabilities: read back with CAP_DAC_OVERRIDE") == 0);
}

#define IN_CHILD(name)                                                                             \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(name##_child), 0);                                       \
	}

IN_CHILD(root)
IN_CHILD(none)
IN_CHILD(each_set)
IN_CHILD(ambient)
IN_CHILD(unknown)
IN_CHILD(missing_bounding)
IN_CHILD(missing_permitted)
IN_CHILD(contradiction)
IN_CHILD(inheritable)
IN_CHILD(unbounded)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_matches),
		cmocka_unit_test(root),
		cmocka_unit_test(none),
		cmocka_unit_test(each_set),
		cmocka_unit_test(ambient),
		cmocka_unit_test(unknown),
		cmocka_unit_test(missing_bounding),
		cmocka_unit_test(missing_permitted),
		cmocka_unit_test(contradiction),
		cmocka_unit_test(inheritable),
		cmocka_unit_test(unbounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
