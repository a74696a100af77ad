/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scheduling of the calling process: asked of the kernel afterwards, in children of the test. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>

#include "kernel/sched.h"
#include "test_fork.h"

static struct err err;

static void test_parse(void **state)
{
	static const char *const bad[] = {"",	"a",	"1-",  "3-1", "1,",
					  ",1", "8192", "1 2", "-1",  "1--2"};
	struct sched_cpus cpus;

	(void)state;
	assert_int_equal(sched_parse_cpus("0-2,9,8191", &cpus), 0);
	assert_true(cpus.bits[0] == 7 && cpus.bits[1] == 2 && cpus.bits[1023] == 128);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		memset(&cpus, 5, sizeof(cpus));
		assert_int_equal(sched_parse_cpus(bad[i], &cpus), -EINVAL);
		assert_int_equal(cpus.bits[0], 5); /* untouched */
	}
}

static void body_pin(void)
{
	struct sched_cpus cpus;
	cpu_set_t all, now;
	int last = 0;

	CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &all))
			last = i;
	memset(&cpus, 0, sizeof(cpus));
	cpus.bits[last / 8] = (unsigned char)(1 << (last % 8));
	CHECK_OK(sched_pin(&cpus, &err), err);
	CHECK(sched_getaffinity(0, sizeof(now), &now) == 0);
	CHECK(CPU_COUNT(&now) == 1 && CPU_ISSET(last, &now));
	sched_unpin();
	CHECK(sched_getaffinity(0, sizeof(now), &now) == 0 && CPU_EQUAL(&now, &all));
	memset(&cpus, 0, sizeof(cpus));
	cpus.bits[1023] = 128;
	CHECK(sched_pin(&cpus, &err) == -EINVAL && err.hint[0]);
}

static void body_policy(void)
{
	struct sched_request q = {.name = "SCHED_BATCH", .policy = SCHED_BATCH, .nice = 7};

	CHECK_OK(sched_apply(&q, &err), err);
	CHECK(sched_getscheduler(0) == SCHED_BATCH);
	CHECK(syscall(SYS_getpriority, 0, 0) == 20 - 7);
	q = (struct sched_request){.name = "SCHED_IDLE", .policy = SCHED_IDLE};
	CHECK_OK(sched_apply(&q, &err), err);
	CHECK(sched_getscheduler(0) == SCHED_IDLE);
	q = (struct sched_request){.name = "SCHED_99", .policy = 99};
	CHECK(sched_apply(&q, &err) == -EINVAL && strstr(err.text, "SCHED_99"));
}

static void body_io(void)
{
	CHECK(setsid() > 0);
	CHECK_OK(ioprio_apply(2, "IOPRIO_CLASS_BE", 6, &err), err);
	CHECK(syscall(SYS_ioprio_get, 1, 0) == (2 << 13 | 6));
	CHECK_OK(ioprio_apply(3, "IOPRIO_CLASS_IDLE", 0, &err), err);
	CHECK(syscall(SYS_ioprio_get, 1, 0) >> 13 == 3);
	CHECK(ioprio_apply(5, "FIVE", 0, &err) == -EINVAL);
	CHECK(strcmp(err.text, "ioprio_set: FIVE, priority 0") == 0);
}

static void body_memory(void)
{
	struct mempolicy_request q = {"MPOL_BIND", 2, 0, "0"};
	unsigned long nodes[16] = {0};
	int mode = -1, r = mempolicy_apply(&q, &err);

	if (r == -ENOSYS)
		return;
	CHECK_OK(r, err);
	CHECK(syscall(SYS_get_mempolicy, &mode, nodes, 1024, NULL, 0) == 0);
	CHECK(mode == 2 && nodes[0] == 1);
	q = (struct mempolicy_request){"MPOL_DEFAULT", 0, 0, ""};
	CHECK_OK(mempolicy_apply(&q, &err), err);
	CHECK(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) == 0 && mode == 0);
	q = (struct mempolicy_request){"MPOL_BIND", 2, 0, "1023"};
	CHECK(mempolicy_apply(&q, &err) == -EINVAL && err.hint[0]);
	err = (struct err){.code = 0};
	q = (struct mempolicy_request){"MPOL_BIND", 2, 0, "1024"};
	CHECK(mempolicy_apply(&q, &err) == -EINVAL &&
	      strstr(err.text, "invalid memory policy node"));
}

static void body_persona(void)
{
	CHECK_OK(personality_apply(PER_LINUX32, &err), err);
	CHECK(personality(0xffffffff) == PER_LINUX32);
	CHECK_OK(personality_apply(PER_LINUX, &err), err);
	CHECK(personality(0xffffffff) == PER_LINUX);
}

#define IN_CHILD(name)                                                                             \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(in_child(body_##name), 0);                                        \
	}

IN_CHILD(pin)
IN_CHILD(policy)
IN_CHILD(io)
IN_CHILD(memory)
IN_CHILD(persona)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),  cmocka_unit_test(test_pin),
		cmocka_unit_test(test_policy), cmocka_unit_test(test_io),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_persona),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
