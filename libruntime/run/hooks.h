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

/*
 * The files of the annotations run.oci.hooks.stdout and .stderr, opened to append, made when
 * missing (0600): relative to @bundle, regular, not behind a symbolic link. -1 each where there is
 * no annotation. 0, or < 0 with @err; hooks_outputs_close() takes both cases.
 */
int hooks_outputs(const char *bundle, const struct spec_known *known, int ret[2], struct err *err);
void hooks_outputs_close(int outputs[2]);
/* Could they be opened? Makes nothing. 0, or < 0 with @err. */
int hooks_outputs_look(const char *bundle, const struct spec_known *known, struct err *err);

/* What hooks of one kind share. */
struct hooks_setting {
	int input;	 /* from hooks_input() */
	const char *dir; /* where they start, if it is still there; NULL: where the caller is */
	const char *const *env; /* for hooks that name no environment */
	int output[2]; /* their stdout and stderr, from hooks_outputs(); -1: /dev/null, and a
			* pipe whose end is the evidence */
	bool filtered; /* the caller has a seccomp filter */
	bool dry;      /* see hooks_try() */
};
#define HOOKS_SETTING(...) ((struct hooks_setting){.input = -1, .output = {-1, -1}, ##__VA_ARGS__})

/*
 * Run the hooks of one kind; the first that fails stops them, with "error running KIND hook #N: …"
 * and the last of what it wrote to stderr. Waits for each as long as its timeout says (none: for
 * ever); what a hook has left running is not waited for. The child calls it too: no heap.
 */
int hooks_run(const struct spec_hooks *hooks, enum spec_hook_kind kind,
	      const struct hooks_setting *setting, struct err *err);
/* Would they fail for what their files are? The same error, of the first that would. @binfmt: as
 * for program_foresee(). The child calls it too. */
int hooks_foresee(const struct spec_hooks *hooks, enum spec_hook_kind kind, bool binfmt,
		  struct err *err);
int hooks_foresee_one(const struct spec_hooks *hooks, size_t i, enum spec_hook_kind kind,
		      bool binfmt, struct err *err);
/* The first of them, but it executes nothing (->dry): does a seccomp filter let the caller come so
 * far?
 */
int hooks_try(const struct spec_hooks *hooks, enum spec_hook_kind kind,
	      const struct hooks_setting *setting, struct err *err);

/* The one hook @i of them. */
int hooks_run_one(const struct spec_hooks *hooks, size_t i, enum spec_hook_kind kind,
		  const struct hooks_setting *setting, struct err *err);

#endif
