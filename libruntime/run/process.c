/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a process in the right place to the program that was asked for; see process.h. */
#include "run/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/creds.h"
#include "kernel/lsm.h"
#include "kernel/program.h"
#include "kernel/signal.h"
#include "run/hooks.h"
#include "run/sync.h"

#define STACK_DEFAULT (8u << 20)   /* the kernel's _STK_LIM */
#define ARGS_LEAST    (128u << 10) /* its ARG_MAX */

/* A directory that is missing is made, but not among the kernel's own: there a name that comes and
 * goes
 * (/proc/self/fd/N) is a door, not a directory to be. */
static int open_cwd(int root, const char *cwd, bool make)
{
	int dir = path_open(root, cwd, O_PATH | O_DIRECTORY);
	char clean[PATH_MAX];

	if (dir != -ENOENT || !make || path_clean(cwd, clean, sizeof(clean)) < 0 ||
	    str_starts(clean, "/proc/") || str_starts(clean, "/sys/"))
		return dir;
	return path_mkdirs(root, cwd);
}

void process_make_cwd(int root, const struct plan_process *p)
{
	if (!str_eq(p->cwd, "/"))
		fd_close(open_cwd(root, p->cwd, true));
}

static int cwd_refused(const struct plan_process *p, int code, struct err *err)
{
	err_pointer(err, "/process/cwd");
	if (code == EROFS)
		err_hint(err, "it does not exist, and the root is read-only: make it in the image");
	else if (code == ELOOP)
		err_hint(err,
			 "its symlinks lead in a circle, or through /proc out of the container");
	return err_kind(err, ERR_CONFIG, code, "chdir to cwd (\"%s\")", p->cwd);
}

static int enter_cwd(const struct plan_process *p, bool make, struct err *err)
{
	AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int dir = -1;

	if (root < 0)
		return err_set(err, errno, "open the container's root");
	dir = open_cwd(root, p->cwd, make);
	/* Root with few capabilities may be refused where the container's user is not: tried again
	 * later. */
	if (dir == -EACCES || (dir >= 0 && fchdir(dir) < 0 && errno == EACCES))
		return chdir("/") < 0 ? err_set(err, errno, "chdir to /") : 0;
	return dir < 0 ? cwd_refused(p, -dir, err) : 0;
}

/*
 * Again as the user: root with few capabilities may have been refused where the user is not. A
 * directory outside the container's root shows as "(unreachable)…" (CVE-2024-21626).
 */
static int reenter_cwd(const struct plan_process *p, struct err *err)
{
	AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int dir = root < 0 ? -1 : path_open(root, p->cwd, O_PATH | O_DIRECTORY);
	char now[PATH_MAX];
	bool entered = dir >= 0 && fchdir(dir) == 0;

	/* The system call itself: the library's fallback would walk up the tree. */
	if (syscall(SYS_getcwd, now, sizeof(now)) < 0 || now[0] != '/') {
		err_pointer(err, "/process/cwd");
		return err_kind(err, ERR_CONFIG, 0,
				"the working directory \"%s\" is outside the container", p->cwd);
	}
	if (!entered && str_eq(now, "/") && !str_eq(p->cwd, "/")) {
		err_pointer(err, "/process/cwd");
		if (dir == -ENOENT)
			err_hint(err, "it does not exist, and we may not make it: make it in the "
				      "image");
		else
			err_hint(err, "uid %u may not search it", p->uid);
		return err_set(err, EACCES, "chdir to cwd (\"%s\")", p->cwd);
	}
	return 0;
}

static bool next_candidate(const char **dirs, const char *name, char *buf, size_t size)
{
	size_t n;

	if (!*dirs)
		return false;
	n = strcspn(*dirs, ":");
	snprintf(buf, size, "%.*s%s%s", (int)n, *dirs, n ? "/" : "./", name);
	*dirs = (*dirs)[n] ? *dirs + n + 1 : NULL;
	return true;
}

static int not_found(const struct plan_process *p, struct err *err)
{
	const char *name = p->argv[0];

	err_pointer(err, "/process/args/0");
	if (strchr(name, '/')) {
		program_explain(name, ENOENT, false, err);
		return err_kind(err, ERR_NOT_FOUND, 0,
				"exec: \"%s\": stat %s: no such file or directory", name, name);
	}
	err_hint(err, "none of %s has it; name it with its path, or set PATH in /process/env",
		 p->path);
	return err_kind(err, ERR_NOT_FOUND, 0, "exec: \"%s\": executable file not found in $PATH",
			name);
}

/* Lower case, as engines match it in the words of Go's runtime. */
static const char *reason(int code)
{
	switch (code) {
	case ENOENT:
		return "no such file or directory";
	case EACCES:
		return "permission denied";
	case ENOEXEC:
		return "exec format error";
	case ENOTDIR:
		return "not a directory";
	case E2BIG:
		return "argument list too long";
	default:
		return NULL;
	}
}

static int exec_failed(const char *path, int code, struct err *err)
{
	enum err_kind kind = code == ENOENT || code == ENOTDIR ? ERR_NOT_FOUND : ERR_NOT_EXECUTABLE;

	err_pointer(err, "/process/args/0");
	if (reason(code))
		err_kind(err, kind, 0, "exec %s: %s", path, reason(code));
	else
		err_kind(err, kind, code, "exec %s", path);
	return -code;
}

/* The same by execve(2). A filter may kill us for looking at the file: what is known is said
 * before. */
static int execve_failed(const struct process_exec *x, const char *path, int code, struct err *err)
{
	int r = exec_failed(path, code, err);

	if (x->filter)
		sync_send_error(x->channel, err);
	program_explain(path, code, x->filter, err);
	return r;
}

/* Existence, and no directory: whether the user may execute it is for execve to say. */
static int check_program(const struct plan_process *p, struct err *err)
{
	const char *name = p->argv[0], *dirs = p->path;
	char path[PATH_MAX];
	struct stat st;

	if (strchr(name, '/')) {
		if (stat(name, &st) < 0)
			return errno == ENOENT || errno == ENOTDIR ? not_found(p, err) : 0;
		if (!S_ISDIR(st.st_mode))
			return 0;
		err_hint(err, "it is a directory");
		return exec_failed(name, EACCES, err);
	}
	while (next_candidate(&dirs, name, path, sizeof(path)))
		if (stat(path, &st) == 0 || errno == EACCES)
			return 0;
	return not_found(p, err);
}

int process_prepare(const struct plan_process *p, bool make_cwd, char home[PROCESS_HOME_SIZE],
		    struct err *err)
{
	int r = enter_cwd(p, make_cwd, err);

	if (r < 0)
		return r;
	if (p->home_slot >= 0) {
		memcpy(home, "HOME=", 5);
		creds_home(p->uid, home + 5, PROCESS_HOME_SIZE - 5);
		p->envp[p->home_slot] = home;
	}
	return check_program(p, err);
}

static void count(const char *const *strings, uint64_t *size)
{
	for (; *strings; strings++)
		*size += strlen(*strings) + 1 + sizeof(*strings);
}

/* As the kernel's bprm_stack_limits(): strings and the pointers to them. */
static bool is_too_long(const struct plan_process *p, const char *path)
{
	uint64_t size = strlen(path) + 1 + sizeof(path), room = STACK_DEFAULT / 4 * 3;
	struct rlimit stack;

	if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur / 4 < room)
		room = stack.rlim_cur / 4;
	count(p->argv, &size);
	count((const char *const *)p->envp, &size);
	return size > (room < ARGS_LEAST ? ARGS_LEAST : room);
}

/* What execve(2) would say, as far as the file tells, and the words for it. */
static int foresee(const struct process_exec *x, const char *path, struct err *err)
{
	int code = program_foresee(path, x->binfmt, err);

	if (code == 0 && is_too_long(x->plan, path)) {
		int r = exec_failed(path, E2BIG, err);

		program_explain(path, E2BIG, false, err);
		return r;
	}
	return code ? exec_failed(path, code, err) : 0;
}

static int foresee_program(const struct process_exec *x, struct err *err)
{
	const struct plan_process *p = x->plan;
	const char *name = p->argv[0], *dirs = p->path;
	char path[PATH_MAX];
	struct stat st;

	if (strchr(name, '/'))
		return foresee(x, name, err);
	while (next_candidate(&dirs, name, path, sizeof(path)))
		if (stat(path, &st) == 0)
			return foresee(x, path, err);
	return not_found(p, err);
}

/* A filter may refuse with 0. */
static int code_of(long r)
{
	return r < 0 ? errno : EPERM;
}

/* What the filter alone says of execve(2): without it, no name at all is EFAULT, an empty one
 * ENOENT. */
static int try_execve(const struct process_exec *x, struct err *err)
{
	char *const none[] = {NULL};
	const char *name = x->plan->argv[0];
	int code = code_of(syscall(SYS_execve, NULL, none, none));

	if (code == EFAULT) {
		code = code_of(syscall(SYS_execve, "", none, none));
		if (code == ENOENT)
			return 0;
	}
	if ((code == ENOENT || code == ENOTDIR) && !strchr(name, '/'))
		return not_found(x->plan, err);
	return execve_failed(x, name, code, err);
}

/* What the files say, before a filter that may forbid to look at them. */
struct foreseen {
	struct err hooks, program;
};

static void look_ahead(const struct process_exec *x, struct foreseen *ret)
{
	*ret = (struct foreseen){ERR_INIT, ERR_INIT};
	if (hooks_foresee(&x->plan->hooks, SPEC_HOOK_START_CONTAINER, x->binfmt, &ret->hooks) < 0)
		return;
	(void)foresee_program(x, &ret->program);
}

static int end_rehearsal(const struct process_exec *x, const struct foreseen *f, struct err *err)
{
	int r = x->filter ? try_execve(x, err) : 0;

	if (r < 0)
		return r;
	if (f->program.kind != ERR_NONE) {
		*err = f->program;
		return -EINVAL;
	}
	*x->rehearsal = true;
	_exit(0);
}

static int exec_program(const struct process_exec *x, struct err *err)
{
	const struct plan_process *p = x->plan;
	const char *name = p->argv[0], *dirs = p->path;
	char *const *argv = (char *const *)p->argv;
	char path[PATH_MAX], denied[PATH_MAX] = "";
	int code;

	if (strchr(name, '/')) {
		code = code_of(execve(name, argv, (char *const *)p->envp));
		return execve_failed(x, name, code, err);
	}
	while (next_candidate(&dirs, name, path, sizeof(path))) {
		code = code_of(execve(path, argv, (char *const *)p->envp));
		if (code == EACCES)
			memcpy(denied, path, sizeof(denied));
		else if (code != ENOENT && code != ENOTDIR)
			return execve_failed(x, path, code, err);
	}
	return denied[0] ? execve_failed(x, denied, EACCES, err) : not_found(p, err);
}

static int set_rlimits(const struct plan_process *p, struct err *err)
{
	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct plan_rlimit *l = &p->rlimits[i];
		int r = creds_rlimit(l->resource, l->name, l->soft, l->hard, err);

		if (r < 0) {
			err_pointer(err, "/process/rlimits/%zu", i);
			return r;
		}
	}
	return 0;
}

/* In the messenger's thread: the other end of the channel passes the listener on to the agent. */
static int give_listener(void *data, int listener)
{
	const struct process_exec *x = data;
	struct sync_message m;

	sync_send(x->channel, SYNC_LISTENER, x->plan->listener.required, listener);
	return sync_expect(x->channel, SYNC_LISTENED, &m, NULL, CLOCK_FOREVER, NULL) == 0 ? 0 : -1;
}

static int install_filter(const struct process_exec *x, struct seccomp_messenger *m,
			  struct err *err)
{
	const struct plan_listener *listener = &x->plan->listener;
	int r;

	if (!x->filter)
		return 0;
	r = listener->path ? seccomp_install_listener(x->filter, m, !listener->required, err)
			   : seccomp_install(x->filter, err);
	if (r < 0)
		err_pointer(err, "/linux/seccomp");
	return r;
}

/*
 * seccomp(2) without no_new_privs wants CAP_SYS_ADMIN. What the filter then says of capset(2) and
 * prctl(2) must not matter, so that all is set before, with that one capability more; execve(2)
 * takes it away: no capability is permitted after it for having been permitted before
 * (capabilities(7), "Transformation of capabilities during execve()").
 */
static struct caps caps_for_filter(const struct caps *want)
{
	const uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN;
	struct caps caps = *want;

	caps.ambient &= want->permitted & want->inheritable;
	caps.permitted |= admin;
	caps.effective |= admin;
	return caps;
}

static int set_rights(const struct process_exec *x, struct err *err)
{
	const struct plan_process *p = x->plan;
	struct caps caps = p->caps;
	int r;

	r = caps_bound(&p->caps, err);
	if (r == 0)
		r = creds_ids(p->uid, p->gid, p->groups, p->n_groups, x->proc, err);
	if (r < 0)
		return r;
	r = reenter_cwd(p, err);
	if (r < 0)
		return r;
	if (p->hooks.n == 0)
		sync_send(x->channel, SYNC_EXEC, 0, -1);
	if (x->filter && !p->no_new_privileges)
		caps = caps_for_filter(&p->caps);
	r = caps_apply(&caps, NULL, err);
	if (r == 0 && p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_set(err, errno, "set no_new_privs");
	return r;
}

static int run_hooks(const struct process_exec *x, int input, const struct foreseen *f,
		     struct err *err)
{
	const struct plan_process *p = x->plan;
	const enum spec_hook_kind kind = SPEC_HOOK_START_CONTAINER;
	const struct hooks_setting setting = {
		.input = input,
		.env = (const char *const *)p->envp,
		.output = {x->hook_output[0], x->hook_output[1]},
		.filtered = x->filter,
		.dry = x->rehearsal,
	};
	int r;

	if (p->hooks.n == 0)
		return 0;
	r = x->rehearsal ? hooks_try(&p->hooks, kind, &setting, err)
			 : hooks_run(&p->hooks, kind, &setting, err);
	if (r == 0 && f->hooks.kind != ERR_NONE) {
		*err = f->hooks;
		return -EINVAL;
	}
	if (r == 0)
		sync_send(x->channel, SYNC_EXEC, 0, -1);
	return r;
}

/* With the rights that are dropped afterwards, and before a filter that may forbid it. */
static int set_scheduling(const struct plan_process *p, struct err *err)
{
	int r = 0;

	if (p->personality_set) {
		r = personality_apply(p->personality, err);
		if (r < 0)
			err_pointer(err, "/linux/personality");
	}
	if (r == 0 && p->memory) {
		r = mempolicy_apply(p->memory, err);
		if (r < 0)
			err_pointer(err, "/linux/memoryPolicy");
	}
	if (r == 0 && p->io_priority_set) {
		r = ioprio_apply(p->io_class, p->io_class_name, p->io_priority, err);
		if (r < 0)
			err_pointer(err, "/process/ioPriority");
	}
	if (r == 0 && p->scheduler) {
		r = sched_apply(p->scheduler, err);
		if (r < 0)
			err_pointer(err, "/process/scheduler");
	}
	return r;
}

/* For the next execve(2), while the rights to ask for it are there and no_new_privs is not. */
static int set_labels(const struct process_exec *x, struct err *err)
{
	const struct plan_process *p = x->plan;
	int r = p->apparmor ? lsm_on_exec(x->proc, LSM_APPARMOR, p->apparmor, err) : 0;

	if (r < 0) {
		err_pointer(err, "/process/apparmorProfile");
		return r;
	}
	r = p->selinux ? lsm_on_exec(x->proc, LSM_SELINUX, p->selinux, err) : 0;
	if (r < 0)
		err_pointer(err, "/process/selinuxLabel");
	return r;
}

int process_exec(const struct process_exec *x, struct err *err)
{
	const struct plan_process *p = x->plan;
	struct seccomp_messenger messenger = {.take = give_listener, .data = (void *)x};
	struct foreseen foreseen = {ERR_INIT, ERR_INIT};
	AUTO_CLOSE int input = -1;
	int r = 0;

	if (x->filter && p->listener.path)
		r = seccomp_messenger_start(&messenger, err);
	if (r == 0)
		r = set_rlimits(p, err);
	if (r == 0)
		r = set_scheduling(p, err);
	if (r == 0)
		r = set_labels(x, err);
	if (r < 0)
		return r;
	umask(p->umask_set ? p->umask : 0022);
	signal_reset();
	if (p->hooks.n && !x->rehearsal) {
		input = hooks_input(p->hook_state, err);
		if (input < 0)
			return input;
	}
	r = fd_cloexec_from(3 + p->keep_fds);
	if (r < 0)
		return err_set(err, -r, "mark descriptors close-on-exec");
	r = set_rights(x, err);
	if (r < 0)
		return r;
	if (x->rehearsal)
		look_ahead(x, &foreseen);
	r = install_filter(x, &messenger, err);
	if (r == 0)
		r = run_hooks(x, input, &foreseen, err);
	if (r < 0)
		return r;
	return x->rehearsal ? end_rehearsal(x, &foreseen, err) : exec_program(x, err);
}
