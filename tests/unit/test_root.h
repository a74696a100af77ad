/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers in a state root, as far as what is written down of them goes. */
#ifndef OAKUM_TESTS_TEST_ROOT_H
#define OAKUM_TESTS_TEST_ROOT_H

#include "run/state.h"
#include "test_cli.h"

/* What @s says of @id, in this boot; its directory is the caller's. */
static inline int put_state(void **state, const char *id, struct state *s)
{
	struct line *l = *state;
	char boot[PROC_BOOT_ID_SIZE];
	struct err err = ERR_INIT;
	int dir;

	assert_int_equal(proc_boot_id(AT_FDCWD, boot), 0);
	s->oci_version = "1.0.2";
	s->id = id;
	s->rootfs = "/b/root";
	s->created = "2026-11-23T13:05:59.123456789Z";
	s->boot_id = boot;
	s->cgroup = "";
	s->complete = true;
	assert_int_equal(state_make(l->c.oakum, id, &dir, &err), 0);
	assert_int_equal(state_write(dir, s, &err), 0);
	return dir;
}

/* A container of @init (0: it has ended), which is in no cgroup; its directory is the caller's. */
static inline int put_container(void **state, const char *id, const char *bundle, pid_t init,
				const char *annotations)
{
	struct state s = {.bundle = bundle, .annotations = annotations};

	if (init)
		assert_int_equal(proc_identify(init, -1, &s.init), 0);
	return put_state(state, id, &s);
}

#endif
