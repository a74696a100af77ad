/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* up: create and start a supervised container, and stay with it unless --detach. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/report.h"
#include "cli/up_options.h"
#include "supervise/attach.h"
#include "supervise/supervisor.h"

#define STATUS_SIZE 1200 /* an ID has at most 1024 characters */

static const struct option_def options[] = {
	{"detach", 'd', NULL, "return when the container runs", 0, NULL},
	{"replace", 0, NULL, "delete what there is of that ID first, running or not", 0, NULL},
	{"rm", 0, NULL, "delete the container when it has ended", 0, NULL},
	{"bundle", 'b', "DIR", "run the bundle in DIR (default: the current directory)", 0, NULL},
	{"rootfs", 0, "DIR", "run COMMAND in DIR; no bundle is needed", 0, NULL},
	{"pid-file", 0, "FILE", "write the pid of its first process to FILE", 0, NULL},
	{"interactive", 'i', NULL, "with --detach: keep stdin open for `attach`", 0, NULL},
	{"log-driver", 0, "default|file:PATH|journald|none", "where the output is kept", 0, NULL},
	{"cgroup", 0, "WHERE",
	 "below the cgroup of this systemd unit (Delegate=yes), the default where config.json "
	 "names none, "
	 "or as it says",
	 0, "unit config"},
	{"sdnotify", 0, "WHO",
	 "who says READY=1 to the service manager: up, when it runs (the default), the container, "
	 "or nobody",
	 0, "runtime container none"},
	{"timeout", 0, "DURATION", "bound the creation, hooks included (default: 60s)", 0, NULL},
	{"tty", 't', NULL, "give it a terminal", 0, NULL},
	{"env", 'e', "KEY=VALUE", "set an environment variable", OPTION_REPEAT, NULL},
	{"mount", 0, "type=TYPE,src=SOURCE,dst=PATH[,OPTION…]", "add a mount", OPTION_REPEAT, NULL},
	{"memory", 'm', "SIZE", "limit its memory", 0, NULL},
	{"cpus", 0, "NUMBER", "limit its processors", 0, NULL},
	{"pids", 0, "NUMBER", "limit its processes", 0, NULL},
	{"user", 'u', "UID[:GID]", "run as this user", 0, NULL},
	{"workdir", 'w', "PATH", "start in this directory", 0, NULL},
	{"hostname", 0, "NAME", "set its host name (default: the ID)", 0, NULL},
	{"network", 0, "MODE", "none (only lo) or the host's (default: none)", 0, "none host"},
	{"read-only", 0, NULL, "make its root file system read-only", 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

/* What the supervisor said instead of STARTED. It takes everything back before it ends. */
static int print_failure(struct command_context *c, const struct message *m)
{
	static struct message_failure f;
	char *line, *rest = NULL;
	int status = OAKUM_E_RUNTIME;

	if (m->head.type != MESSAGE_FAILED || message_get(m, &f, sizeof(f)) < 0)
		return cli_error(c, OAKUM_E_RUNTIME, EPROTO, "the supervisor's answer");
	f.text[sizeof(f.text) - 1] = f.hint[sizeof(f.hint) - 1] = '\0';
	for (line = strtok_r(f.text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct err err = ERR_INIT;

		err_kind(&err, (enum err_kind)f.kind, 0, "%s", line);
		if (!*rest)
			err_hint(&err, "%s", f.hint);
		status = report_err(c, &err);
	}
	return status;
}

static void reap(struct supervise_child *child)
{
	siginfo_t info;

	fd_replace(&child->sock, -1);
	(void)proc_wait(child->pidfd, CLOCK_FOREVER);
	(void)waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG);
}

/* By whom READY=1 has been said, so that this comes after it. */
static void tell_exit(const struct supervise_options *o, const struct message_exit *e)
{
	/* Last words: nobody says it again. */
	const struct oakum_notify to =
		OAKUM_OPTIONS(oakum_notify, .socket = o->notify.socket, .patient = true);
	char text[MANAGER_TEXT_SIZE];

	if (!o->notify.socket)
		return;
	manager_exit_text(e->known, e->status, e->signal, text, sizeof(text));
	(void)oakum_notify_tell(NULL, &to, text, false);
}

/* Until the container runs: what would end us is waited for, beside the supervisor. */
struct patience {
	int signals; /* -1: they end us as ever */
	sigset_t before;
};

static void patience_begin(struct patience *p)
{
	struct sigaction now;
	sigset_t set;

	attach_signals(&set);
	/* What is ignored would be heard of once it is blocked: nohup(1). */
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sigismember(&set, sig) == 1 && sigaction(sig, NULL, &now) == 0 &&
		    now.sa_handler == SIG_IGN)
			sigdelset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, &p->before);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (p->signals < 0)
		sigprocmask(SIG_SETMASK, &p->before, NULL);
}

static void patience_end(struct patience *p)
{
	if (p->signals < 0)
		return;
	fd_replace(&p->signals, -1);
	sigprocmask(SIG_SETMASK, &p->before, NULL);
}

/* True, and one of the two is to be heard; where both are, @fd. */
static bool is_first(const struct patience *p, int fd)
{
	struct pollfd both[] = {{fd, POLLIN, 0}, {p->signals, POLLIN, 0}};

	while (poll(both, ARRAY_SIZE(both), -1) < 0 && errno == EINTR)
		;
	return both[0].revents;
}

/* The supervisor takes everything back when we do not listen any more; we end as we have been told
 * to when it has, or when we are told again. */
static void call_off(struct patience *p, struct supervise_child *child)
{
	struct signalfd_siginfo info = {.ssi_signo = SIGTERM};
	int sig;

	(void)!read(p->signals, &info, sizeof(info));
	fd_replace(&child->sock, -1);
	(void)is_first(p, child->pidfd);
	/* Nobody is ended by WINCH itself. */
	sig = info.ssi_signo == SIGWINCH ? SIGTERM : (int)info.ssi_signo;
	signal(sig, SIG_DFL);
	(void)raise(sig);
	patience_end(p);
}

static int stay(struct command_context *c, const struct supervise_options *o,
		const struct message_hello *hello, struct supervise_child *child,
		struct patience *patience)
{
	struct attach_options attach = {.sock = child->sock,
					.terminal = hello->flags & MESSAGE_HAS_TERMINAL,
					.input = true,
					.warn = report_warn,
					.warn_data = c,
					.signals = true};
	struct attach_result result;
	struct err err = ERR_INIT;
	int r;

	(void)keys_parse(KEYS_DEFAULT, &attach.keys);
	r = attach_run(&attach, &result, &err);
	patience_end(patience);
	if (r == 0 && result.end == ATTACH_EXITED) {
		tell_exit(o, &result.exit);
		reap(child);
	}
	return r < 0 ? outcome_error(c, &err) : outcome_attach(c, o->id, &result);
}

/* The manager listens to us, its main process; after --detach that is the supervisor. */
static void tell_ready(struct command_context *c, const struct supervise_options *o, pid_t pid)
{
	const struct oakum_notify to = OAKUM_OPTIONS(oakum_notify, .socket = o->notify.socket);
	char text[STATUS_SIZE];

	if (!o->notify.socket)
		return;
	if (o->notify.container) {
		if (oakum_notify_tell(c->oakum, &to, NULL, false) < 0)
			cli_warn(c, "%s", oakum_error_text(c->oakum, 0));
		return;
	}
	snprintf(text, sizeof(text), "READY=1\nSTATUS=container %s runs\nMAINPID=%d", o->id,
		 o->foreground ? getpid() : pid);
	/* It looks up who has sent that, so who ends at once waits for it to have been read. */
	if (oakum_notify_tell(c->oakum, &to, text, !o->foreground) < 0)
		cli_warn(c, "%s", oakum_error_text(c->oakum, 0));
}

static int wait_started(struct command_context *c, const struct supervise_options *o,
			struct supervise_child *child)
{
	static struct message m;
	struct message_hello hello;
	struct patience patience;
	ssize_t n;
	int status;

	patience_begin(&patience);
	if (!is_first(&patience, child->sock))
		call_off(&patience, child);
	n = message_recv(child->sock, &m);
	if (n >= 0 && m.head.type == MESSAGE_STARTED &&
	    message_get(&m, &hello, sizeof(hello)) == 0) {
		tell_ready(c, o, child->pid);
		status = o->foreground ? stay(c, o, &hello, child, &patience) : 0;
		patience_end(&patience);
		return status;
	}
	patience_end(&patience);
	if (n < 0)
		status = cli_error(
			c, OAKUM_E_RUNTIME, 0,
			"the supervisor was killed before %s ran (`oakum delete --force %s` "
			"removes what is left)",
			o->id, o->id);
	else
		status = print_failure(c, &m);
	reap(child);
	return status;
}

static int replace(struct command_context *c)
{
	const struct oakum_delete force = OAKUM_OPTIONS(oakum_delete, .force = true);

	return oakum_delete(c->oakum, c->args[0], &force) < 0 ? cli_fail(c) : 0;
}

static int run(struct command_context *c)
{
	struct supervise_options o = {.id = c->args[0], .create = OAKUM_CREATE()};
	struct supervise_child child;
	struct err err = ERR_INIT;
	char root[PATH_MAX];
	int status = up_options(c, &o, root, sizeof(root));

	if (status == 0 && opt_bool(c, "replace"))
		status = replace(c);
	if (status == 0 && supervise_launch(&o, &child, &err) < 0)
		status = outcome_error(c, &err);
	else if (status == 0)
		status = wait_started(c, &o, &child);
	free(o.config_text);
	free(o.cgroup);
	return status;
}

const struct command command_up = {
	.name = "up",
	.usage = "ID [-- COMMAND [ARG…]]",
	.summary = "run a supervised container",
	.description =
		"Create and start a container with a supervisor that keeps its output for `logs`, "
		"lets "
		"`attach` in and records how it ended for `wait`. In the foreground, input, "
		"output, "
		"window size and the signals TERM INT HUP QUIT USR1 USR2, the real-time ones and, "
		"without a terminal, WINCH are passed on, and the "
		"exit "
		"status is the container's (128 + N when signal N killed it); with a terminal, "
		"Ctrl-P "
		"Ctrl-Q leaves it running. Before the program runs, such a signal ends the command "
		"when "
		"all has been taken back, a second one at once. With --detach the command returns "
		"when the program runs "
		"and "
		"prints nothing.\n\n"
		"With --rootfs a hardened configuration is made: all namespaces new, few "
		"capabilities, a "
		"seccomp filter, no new privileges. Its options (--env to --read-only) need "
		"--rootfs.\n\n"
		"The default log is kept with the container's state: 1 MiB and one older file of "
		"that "
		"size. It is deleted with the container. A file is appended to without bound. What "
		"cannot be written is counted, and does not stop the container.",
	.examples = "oakum up --rootfs ./rootfs web -- httpd -f -p 8080\n"
		    "oakum up -d --rm --bundle ./bundle job",
	.options = options,
	.run = run,
	.min_args = 1,
	.max_args = -1,
	.options_end = 2,
	.flags = COMMAND_PROTECT,
};
