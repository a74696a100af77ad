/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small duties of create and exec towards the outside: pid files, sockets, the filter cache. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/json.h"
#include "base/names.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/lsm.h"
#include "run/create.h"
#include "run/plan.h"
#include "run/state.h"
#include "spec/spec.h"

#define END_MS 2000 /* of a process that is seen dying */

int create_open_cache(struct oakum *o)
{
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int root = state_open_root(o, true, &ignored);
	int fd;

	if (root < 0)
		return -1;
	fd = openat(root, ".cache", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && mkdirat(root, ".cache", 0700) == 0)
		fd = openat(root, ".cache", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

static int keep_errors(struct oakum *o, const struct spec_errors *errors, int r)
{
	if (errors->n == 0)
		return r;
	(void)handle_begin(o);
	o->err = errors->v[0];
	o->more = errors->n > 1 ? calloc(errors->n - 1, sizeof(*o->more)) : NULL;
	if (o->more) {
		memcpy(o->more, errors->v + 1, (errors->n - 1) * sizeof(*o->more));
		o->n_more = errors->n - 1;
	}
	return r;
}

int create_refuse(struct oakum *o, const struct spec_errors *errors)
{
	return keep_errors(o, errors, errors->v[0].code ? -errors->v[0].code : -EINVAL);
}

static void tell_notes(struct oakum *o, const struct spec_errors *errors, const char *file)
{
	for (size_t i = 0; i < errors->n_notes; i++) {
		const struct spec_note *n = &errors->notes[i];
		struct err e = ERR_INIT;

		err_set(&e, 0, "%s:%d:%d: %s: %s", file, n->line, n->column, n->pointer, n->text);
		if (n->is_warning)
			handle_warn(o, &e);
		else
			handle_debug(o, "%s", e.text);
	}
}

int create_parsed(struct oakum *o, struct spec_errors *errors, const char *file, int r)
{
	if (o->strict)
		spec_strict(errors, file);
	if (errors->total)
		return keep_errors(o, errors, r < 0 ? r : -EINVAL);
	tell_notes(o, errors, file);
	return r;
}

/* "DIR/NAME" into its parts; "." for a plain name. */
static int split_path(const char *path, char *dir, size_t size, const char **name)
{
	const char *slash = strrchr(path, '/');
	int n;

	*name = slash ? slash + 1 : path;
	if (!slash)
		n = snprintf(dir, size, ".");
	else
		n = snprintf(dir, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return n < 0 || (size_t)n >= size || !(*name)[0] ? -EINVAL : 0;
}

int create_check_pid_file(const char *path, struct err *err)
{
	char dir[PATH_MAX];
	const char *name;

	if (!path)
		return 0;
	if (split_path(path, dir, sizeof(dir), &name) < 0)
		return err_kind(err, ERR_USAGE, 0, "pid file \"%s\" has no name", path);
	if (access(dir, W_OK | X_OK) < 0) {
		err_hint(err, "its directory has to be there, and ours to write");
		return err_set(err, errno, "write the pid file %s", path);
	}
	return 0;
}

int create_write_pid(const char *path, pid_t pid, struct err *err)
{
	char dir[PATH_MAX], temporary[NAME_MAX + 32], text[16];
	AUTO_CLOSE int dirfd = -1;
	AUTO_CLOSE int fd = -1;
	const char *name;
	int r, n;

	if (!path)
		return 0;
	r = split_path(path, dir, sizeof(dir), &name);
	if (r < 0)
		return err_kind(err, ERR_USAGE, 0, "pid file \"%s\" has no name", path);
	snprintf(temporary, sizeof(temporary), ".%.200s.%d", name, getpid());
	dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = dirfd < 0 ? -1
		       : openat(dirfd, temporary,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0) {
		err_hint(err, "its directory has to be there, and ours to write");
		return err_set(err, errno, "write the pid file %s", path);
	}
	n = snprintf(text, sizeof(text), "%d", pid);
	r = io_write(fd, text, (size_t)n);
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, temporary, 0);
		if (r == -EISDIR)
			err_hint(err, "a directory has that name: choose another");
		return err_set(err, -r, "write the pid file %s", path);
	}
	return 0;
}

static int nobody_there(const char *path, int code, struct err *err)
{
	err_hint(err, "whoever is to have the pidfd has to listen there before");
	return err_set(err, code, "connect to the pidfd socket %s", path);
}

int create_look_pidfd(const char *path, struct err *err)
{
	struct stat st;

	if (!path)
		return 0;
	if (stat(path, &st) < 0)
		return nobody_there(path, errno, err);
	return S_ISSOCK(st.st_mode) ? 0 : nobody_there(path, ECONNREFUSED, err);
}

int create_send_pidfd(const char *path, int pidfd, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r;

	if (!path)
		return 0;
	fd = io_connect(path, SOCK_STREAM, clock_deadline(IO_CONNECT_MS));
	if (fd < 0)
		return nobody_there(path, -fd, err);
	r = io_send_fds(fd, "pidfd", 5, &pidfd, 1);
	return r < 0 ? err_set(err, -r, "send a pidfd to %s", path) : 0;
}

int create_check_labels(struct plan_process *p, struct err *err)
{
	if (p->apparmor && !lsm_enabled(LSM_APPARMOR)) {
		if (!str_eq(p->apparmor, "unconfined")) {
			err_pointer(err, "/process/apparmorProfile");
			err_hint(err, "the kernel's command line and /sys/kernel/security/lsm say "
				      "which security modules are at work");
			return err_kind(err, ERR_UNSUPPORTED, 0,
					"profile \"%s\": AppArmor is not enabled on this host",
					p->apparmor);
		}
		p->apparmor = NULL;
	}
	if (p->selinux && !lsm_enabled(LSM_SELINUX)) {
		err_pointer(err, "/process/selinuxLabel");
		err_hint(err, "leave it out: no other security module reads it");
		return err_kind(err, ERR_UNSUPPORTED, 0,
				"label \"%s\": SELinux is not enabled on this host", p->selinux);
	}
	return 0;
}

void create_warn_ambient(const struct oakum *o, const struct plan_process *p)
{
	uint64_t lost = p->caps.ambient & ~(p->caps.permitted & p->caps.inheritable);
	char names[200], buf[NAMES_TEXT];
	struct strbuf b;
	struct err err = ERR_INIT;

	if (!lost)
		return;
	strbuf_init(&b, names, sizeof(names));
	for (int cap = 0; cap < 64; cap++) {
		if (!(lost & (UINT64_C(1) << cap)))
			continue;
		if (b.len)
			strbuf_add(&b, ", ");
		strbuf_add(&b, names_capability_text(cap, buf));
	}
	err_pointer(&err, "/process/capabilities/ambient");
	err_set(&err, 0, "can't raise ambient capability %s%s: not both permitted and inheritable",
		names, b.overflow ? "…" : "");
	handle_warn(o, &err);
}

const char *create_input_name(const char *file, const char *otherwise)
{
	if (!file)
		return otherwise;
	return str_eq(file, "-") ? "standard input" : file;
}

int create_read(const char *file, struct arena *arena, const char **text, size_t *size,
		struct err *err)
{
	char *data;
	int r;

	if (*text)
		return 0;
	if (str_eq(file, "-"))
		r = io_read_rest(STDIN_FILENO, create_input_name(file, NULL), JSON_MAX_SIZE, arena,
				 &data, size, err);
	else
		r = io_read_stream(file, JSON_MAX_SIZE, arena, &data, size, err);
	if (r == 0)
		*text = data;
	return r;
}

int create_read_first(struct oakum *o, const char *id, const char *file, struct arena *arena,
		      const char **text, size_t *size, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	int r = file ? state_need(o, id, &dir, err) : 0;

	return !file || r < 0 ? r : create_read(file, arena, text, size, err);
}

int create_helper(int (*body)(void *data, struct err *err), void *data, int64_t deadline_ms,
		  struct err *err)
{
	AUTO_CLOSE int from = -1;
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe");
	from = pipes[0];
	pid = fork();
	if (pid == 0) {
		struct err own = ERR_INIT;
		int r = body(data, &own);

		_exit(io_write(pipes[1], &own, sizeof(own)) < 0 || r < 0);
	}
	close(pipes[1]);
	if (pid < 0)
		return err_set(err, errno, "fork");
	if (io_poll_until(from, POLLIN, deadline_ms) == 0) {
		err_set(err, ETIMEDOUT, "a process of ours in the container does not come back");
		(void)create_name_late(pid, -ETIMEDOUT, err);
	} else if (io_read(from, err, sizeof(*err)) != (ssize_t)sizeof(*err)) {
		*err = ERR_INIT;
		err_set(err, ECHILD, "a process of ours in the container has ended early");
	}
	(void)proc_end(pid, -1);
	return err->kind ? -(err->code ? err->code : EINVAL) : 0;
}

static int not_executed(int status, struct err *err)
{
	char buf[NAMES_TEXT];
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (sig == SIGKILL) {
		err_hint(err, "the memory limit may be too low for it");
		return err_set(err, 0, "the process was killed before its program was executed");
	}
	err_pointer(err, "/linux/seccomp");
	err_hint(err, "allow execve(2), and what goes with it");
	if (sig == SIGSYS)
		return err_kind(err, ERR_NOT_EXECUTABLE, 0,
				"the seccomp profile kills the process for executing its program");
	return err_kind(err, ERR_NOT_EXECUTABLE, 0,
			"the seccomp profile keeps the process from executing its program, and "
			"from saying so%s%s",
			sig ? ": killed by " : "", sig ? names_signal_text(sig, buf) : "");
}

/* /proc tells who is not root nothing of an undumpable process, but a parent may wait for it. 0: it
 * is none of ours. */
static int status_of_child(pid_t pid)
{
	AUTO_CLOSE int pidfd = sys_pidfd_open(pid, 0);
	siginfo_t info = {.si_pid = 0};

	if (pidfd < 0)
		return 0;
	(void)proc_wait(pidfd, clock_deadline(END_MS));
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || !info.si_pid)
		return 0;
	return info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
}

int create_executed(pid_t pid, const char *comm, bool told, struct err *err)
{
	int status;

	if (told && !proc_died_as(pid, comm, &status))
		return 0;
	if (told)
		return not_executed(status ? status : status_of_child(pid), err);
	err_hint(err, "the seccomp profile may forbid what startContainer hooks need, or the "
		      "memory limit be too low");
	return err_set(err, 0, "the process ended before its program was executed");
}

int create_name_late(pid_t pid, int r, struct err *err)
{
	char text[300];
	struct strbuf b;

	if (r != -ETIMEDOUT)
		return r;
	strbuf_init(&b, text, sizeof(text));
	proc_describe(&b, pid);
	err_prefix(err, "process %s", text);
	return r;
}
