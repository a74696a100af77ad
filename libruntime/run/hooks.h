/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks (config.md, "POSIX-platform Hooks"): run in order, each with the state on its standard
 * input. */
#ifndef OAKUM_RUN_HOOKS_H
#define OAKUM_RUN_HOOKS_H

#include <stddef.h>

#include "spec/spec.h"

struct err;

/*
 * A descriptor to read @state_json from, for hooks_run(). memfd_create(2): a hook that does not
 * read its input cannot block us or send us SIGPIPE. The descriptor, or < 0 with @err. The child
 * may call it.
 */
int hooks_input(const char *state_json, struct err *err);

/* What hooks of one kind share. */
struct hooks_setting {
	int input;	 /* from hooks_input() */
	const char *dir; /* where they start, if it is still there; NULL: where the caller is */
	const char *const *env; /* for hooks that name no environment */
};

/*
 * Run the hooks of one kind; the first that fails stops them, with "error running KIND hook #N: …"
 * and the last of what it wrote to stderr. Waits for each as long as its timeout says (none: for
 * ever). The child calls it too: no heap.
 */
int hooks_run(const struct spec_hook *hooks, size_t n, enum spec_hook_kind kind,
	      const struct hooks_setting *setting, struct err *err);

#endif
