/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers in a state root, as far as what is written down of them goes. */
#ifndef OAKUM_TESTS_TEST_ROOT_H
#define OAKUM_TESTS_TEST_ROOT_H

#include "run/state.h"
#include "test_cli.h"

/* A container of @init (0: it has ended), which is in no cgroup; its directory is the caller's. */
static inline int put_container(void **state, const char *id, const char *bundle, pid_t init,
				const char *annotations)
{
	struct line *l = *state;
	char boot[PROC_BOOT_ID_SIZE];
	struct err err = ERR_INIT;
	struct state s = {.oci_version = "1.0.2",
			  .id = id,
			  .bundle = bundle,
			  .rootfs = "/b/root",
			  .created = "2026-11-23T13:05:59.123456789Z",
			  .boot_id = boot,
			  .cgroup = "",
			  .complete = true,
			  .annotations = annotations};
	int dir;

	assert_int_equal(proc_boot_id(boot), 0);
	if (init)
		assert_int_equal(proc_identify(init, -1, &s.init), 0);
	assert_int_equal(state_make(l->c.oakum, id, &dir, &err), 0);
	assert_int_equal(state_write(dir, &s, &err), 0);
	return dir;
}

#endif
