/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a supervisor comes to be: forked from `up` (no exec), it makes its tmpfs and sockets, creates
 * and starts the container in its own process, says so, and becomes small. When something fails, or
 * the one who asked has died meanwhile, it takes everything away again.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervise/attach.h"
#include "supervise/hold.h"
#include "supervise/supervisor.h"

#define PIPE_SIZE    (256 << 10)
#define UP_SPEAKS_MS 11000 /* it waits for the manager, twice 5 s at most */

struct birth {
	struct supervisor *s;
	struct oakum *handle;
	int sock;     /* to `up` */
	int stdio[3]; /* the container's ends */
	bool created; /* there is a container to take away again */
};

static void report_failure(struct birth *b, const struct message_failure *f)
{
	(void)message_send(b->sock, MESSAGE_FAILED, 0, f, sizeof(*f));
}

static void report_err(struct birth *b, const struct err *err)
{
	struct message_failure f = {.kind = (int32_t)err->kind, .code = err->code};
	struct err plain = *err;

	err_advise(&plain);
	err_format(&plain, f.text, sizeof(f.text));
	snprintf(f.hint, sizeof(f.hint), "%s", plain.hint);
	report_failure(b, &f);
}

/* The library's words, before another call on the handle replaces them. */
static void report_library(struct birth *b)
{
	struct message_failure f = {.kind = (int32_t)oakum_error_kind(b->handle),
				    .code = oakum_error_errno(b->handle)};
	size_t count = oakum_error_count(b->handle);
	struct strbuf text;

	strbuf_init(&text, f.text, sizeof(f.text));
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			strbuf_addc(&text, '\n');
		strbuf_add(&text, oakum_error_text(b->handle, i));
	}
	if (count > 0)
		snprintf(f.hint, sizeof(f.hint), "%s", oakum_error_hint(b->handle, 0));
	report_failure(b, &f);
}

static bool asker_gone(const struct birth *b)
{
	return io_poll_until(b->sock, POLLIN, 0) > 0;
}

static int watch_signals(struct supervisor *s, struct err *err)
{
	sigset_t set;

	if (s->options->unit) {
		attach_signals(&set);
	} else {
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGINT);
	}
	/* Blocked, not caught: what comes during the creation is found by the loop. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return err_set(err, errno, "watch for signals");
	return 0;
}

static int open_output(struct birth *b, unsigned stream, const char *name, struct err *err)
{
	struct hold_fifo fifo;
	int r = hold_fifo(b->s->hold, name, O_RDONLY, O_RDWR, &fifo, err);

	if (r < 0)
		return r;
	/* Fewer turns between writer and reader. Refused where the user's pipes hold too much
	 * already. */
	(void)fcntl(fifo.ours, F_SETPIPE_SZ, PIPE_SIZE);
	b->s->output[stream] = fifo.ours;
	b->stdio[stream] = fifo.theirs;
	return 0;
}

/*
 * stdin for clients to come is held open by the container itself, as its outputs are, and never
 * ends. In the foreground end of file has to be passed on, so there the supervisor has the only
 * writing end.
 */
static int open_input(struct birth *b, struct err *err)
{
	const struct supervise_options *o = b->s->options;
	struct hold_fifo fifo;
	int r;

	if (!o->foreground && !o->interactive) {
		b->stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return b->stdio[0] < 0 ? err_set(err, errno, "open /dev/null") : 0;
	}
	r = hold_fifo(b->s->hold, "stdin", O_WRONLY, o->interactive ? O_RDWR : O_RDONLY, &fifo,
		      err);
	if (r < 0)
		return r;
	b->s->input = fifo.ours;
	b->stdio[0] = fifo.theirs;
	return 0;
}

static int prepare(struct birth *b, struct err *err)
{
	struct supervisor *s = b->s;
	int r;

	if ((r = watch_signals(s, err)) < 0)
		return r;
	r = logfile_open(&s->log, s->options->driver, s->options->log_path, s->options->id, err);
	if (r < 0)
		return r;
	if ((s->hold = hold_make(err)) < 0)
		return s->hold;
	if ((s->listener = hold_listen(s->hold, err)) < 0)
		return s->listener;
	if ((r = open_input(b, err)) < 0 || (r = open_output(b, 1, "stdout", err)) < 0 ||
	    (r = open_output(b, 2, "stderr", err)) < 0)
		return r;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return err_set(err, errno, "make an epoll instance");
	s->scratch = mmap(NULL, sizeof(*s->scratch), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->scratch == MAP_FAILED)
		return err_set(err, errno, "map the supervisor's buffers");
	s->log.buffer = s->scratch->format;
	return 0;
}

/* The container has a terminal: the FIFOs made for it are not needed. */
static int use_terminal(struct birth *b, int master, struct err *err)
{
	static const char *const names[] = {"stdin", "stdout", "stderr"};
	struct supervisor *s = b->s;

	fd_replace(&s->input, -1);
	fd_replace(&s->output[1], master);
	fd_replace(&s->output[2], -1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlinkat(s->hold, names[i], 0);
	s->terminal = fcntl(master, F_DUPFD_CLOEXEC, 3);
	s->input = fcntl(master, F_DUPFD_CLOEXEC, 3);
	if (s->terminal < 0 || s->input < 0)
		return err_set(err, errno, "duplicate the terminal");
	if (s->options->size.ws_row > 0)
		(void)ioctl(master, TIOCSWINSZ, &s->options->size);
	return fd_nonblock(master, true) < 0 ? err_set(err, EIO, "set up the terminal") : 0;
}

static int create(struct birth *b)
{
	struct supervisor *s = b->s;
	struct oakum_create options = s->options->create;
	struct oakum_process process = OAKUM_PROCESS_INIT;
	struct err err = ERR_INIT;
	int r;

	/* Who deletes after an `up` that was killed does not want to find us creating. */
	if (asker_gone(b))
		return -EPIPE;
	memcpy(options.stdio, b->stdio, sizeof(options.stdio));
	options.keep_terminal = true;
	options.plain_terminal = true; /* for the log */
	options.supervised = true;
	options.supervisor_fd = s->hold;
	if (s->options->notify.container) {
		options.notify_socket = s->options->notify.socket;
		options.watchdog_usec = s->options->notify.watchdog_usec;
	}
	r = oakum_create(b->handle, s->options->id, &options, &process);
	if (r < 0) {
		report_library(b);
		return r;
	}
	b->created = true;
	s->pid = process.pid;
	s->pidfd = process.pidfd;
	for (int i = 0; i < 3; i++)
		fd_replace(&b->stdio[i], -1);
	if (process.terminal >= 0 && (r = use_terminal(b, process.terminal, &err)) < 0) {
		report_err(b, &err);
		return r;
	}
	r = oakum_directory(b->handle, s->options->id, &s->dir);
	if (r < 0) {
		report_library(b);
		return r;
	}
	/* Before it is started: no kill is missed. */
	if (oakum_oom_open(b->handle, s->options->id, &s->oom) < 0) {
		report_library(b);
		return -EINVAL;
	}
	r = logfile_place(&s->log, s->dir, s->options->log_path, &err);
	if (r < 0)
		report_err(b, &err);
	return r;
}

static int start(struct birth *b)
{
	struct supervisor *s = b->s;
	const struct oakum_start options = OAKUM_OPTIONS(oakum_start, .ret_notify = &s->notify);
	struct message_hello hello = {.version = MESSAGE_VERSION,
				      .flags = s->terminal >= 0 ? MESSAGE_HAS_TERMINAL : 0};

	if (asker_gone(b))
		return -EPIPE;
	clock_text(s->exit.started);
	s->exit.pid = s->pid;
	manager_begin(s);
	if (oakum_start(b->handle, s->options->id, &options) < 0) {
		report_library(b);
		return -EINVAL;
	}
	if (s->notify >= 0 && loop_watch(s, s->notify, EPOLLIN, EVENT_NOTIFY, 0) < 0)
		fd_replace(&s->notify, -1);
	if (asker_gone(b))
		return -EPIPE;
	/* Its socket is reached by /proc/PID/fd, which of an undumpable process is root's. A
	 * container in a user namespace of its own may not trace us for that. */
	if (geteuid() != 0)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return message_send(b->sock, MESSAGE_STARTED, 0, &hello, sizeof(hello)) == 0 ? 0 : -EPIPE;
}

/*
 * After --detach `up` says READY=1 and who is the main process from now on, which is us. What we
 * say is listened to after that, and is to stand after it: so we begin when `up` has ended.
 */
static void let_up_speak(const struct birth *b)
{
	const struct supervise_options *o = b->s->options;

	if (o->notify.socket && !o->notify.container && !o->foreground)
		(void)io_poll_until(b->sock, POLLIN, clock_deadline(UP_SPEAKS_MS));
}

static int watch_container(struct birth *b)
{
	struct supervisor *s = b->s;
	struct err err = ERR_INIT;
	int r;

	/*
	 * By edge: the kernel hides a dead child from us as long as a tracer has not let go of it,
	 * while its pidfd stays readable. When it lets go, the pidfd is woken again.
	 */
	r = loop_watch(s, s->pidfd, EPOLLIN | EPOLLET, EVENT_ENDED, 0);

	if (r == 0)
		r = loop_watch(s, s->listener, EPOLLIN, EVENT_CONNECT, 0);
	if (r == 0)
		r = loop_watch(s, s->signals, EPOLLIN, EVENT_SIGNAL, 0);
	for (unsigned stream = 1; r == 0 && stream <= 2; stream++)
		if (s->output[stream] >= 0)
			r = loop_watch(s, s->output[stream], EPOLLIN, EVENT_OUTPUT, stream);
	if (r == 0 && oakum_oom_fd(s->oom) >= 0)
		r = loop_watch(s, oakum_oom_fd(s->oom), EPOLLPRI | EPOLLET, EVENT_EMPTY, 0);
	if (r < 0) {
		err_set(&err, -r, "watch the container");
		report_err(b, &err);
	}
	return r;
}

static void undo(struct birth *b)
{
	struct oakum_delete options = OAKUM_OPTIONS(oakum_delete, .force = true);

	if (b->created)
		(void)oakum_delete(b->handle, b->s->options->id, &options);
	oakum_free(b->handle);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* What the caller had open may be a pipe that somebody waits on. */
static void close_others(const struct supervisor *s)
{
	const int ours[] = {s->epoll,	     s->hold,	  s->listener,	s->signals,
			    s->dir,	     s->pidfd,	  s->output[1], s->output[2],
			    s->input,	     s->terminal, s->notify,	logfile_descriptor(&s->log),
			    s->clients[0].fd};
	int keep[ARRAY_SIZE(ours) + OAKUM_OOM_DESCRIPTORS];
	unsigned from = 3;

	memcpy(keep, ours, sizeof(ours));
	oakum_oom_descriptors(s->oom, keep + ARRAY_SIZE(ours));
	qsort(keep, ARRAY_SIZE(keep), sizeof(keep[0]), by_number);
	for (size_t i = 0; i < ARRAY_SIZE(keep); i++) {
		if (keep[i] < (int)from)
			continue;
		if ((unsigned)keep[i] > from)
			(void)sys_close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	(void)sys_close_range(from, ~0U, 0);
}

static void leave_caller(void)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct log_options quiet = {.fd = 2, .level = LOG_LEVEL_ERROR, .program = "oakum"};

	log_setup(&quiet);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void)dup2(null, fd);
	if (null < 3)
		null = -1;
	(void)!chdir("/");
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

/* The deep stack of the creation: nothing below this frame is in use. */
static void trim_stack(void)
{
	char here;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t top = ((uintptr_t)&here & ~(page - 1)) - page;

	(void)madvise((void *)(top - (1u << 20)), 1u << 20, MADV_DONTNEED);
}

static void become_small(struct birth *b)
{
	AUTO_CLOSE int adj = -1;

	oakum_free(b->handle);
	b->handle = NULL;
	free(b->s->options->config_text);
	free(b->s->options->cgroup);
	leave_caller();
	/* Now, not before: the container inherited what was there. Refused to the unprivileged. */
	adj = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (adj >= 0)
		(void)!write(adj, "-999", 4);
	fd_replace(&adj, -1);
	close_others(b->s);
	malloc_trim(0);
	trim_stack();
}

static void init(struct supervisor *s, const struct supervise_options *options)
{
	*s = (struct supervisor){.options = options,
				 .epoll = -1,
				 .hold = -1,
				 .listener = -1,
				 .signals = -1,
				 .dir = -1,
				 .pidfd = -1,
				 .output = {-1, -1, -1},
				 .input = -1,
				 .terminal = -1,
				 .notify = -1,
				 .log = LOGFILE_INIT};
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		client_init(&s->clients[i]);
}

/* The first client is there from the first byte of output on. */
static void settle_first(struct birth *b)
{
	struct supervisor *s = b->s;
	struct client *c;

	if (!s->options->foreground) {
		fd_replace(&b->sock, -1);
		return;
	}
	(void)fd_nonblock(b->sock, true);
	c = client_add(s, b->sock);
	if (!c)
		return;
	b->sock = -1;
	c->first = true;
	c->greeted = true;
	for (int stream = 1; stream <= 2; stream++)
		c->output[stream] = !s->options->mute[stream];
}

static __attribute__((noreturn)) void supervise(const struct supervise_options *options, int sock)
{
	static struct supervisor supervisor;
	struct birth b = {.s = &supervisor, .sock = sock, .stdio = {-1, -1, -1}};
	struct err err = ERR_INIT;

	setsid();
	init(&supervisor, options);
	if (prepare(&b, &err) < 0) {
		report_err(&b, &err);
		_exit(1);
	}
	if (oakum_new(&options->handle, &b.handle) < 0) {
		report_library(&b);
		undo(&b);
		_exit(1);
	}
	if (create(&b) < 0 || watch_container(&b) < 0 || start(&b) < 0) {
		undo(&b);
		_exit(1);
	}
	let_up_speak(&b);
	settle_first(&b);
	become_small(&b);
	loop_run(&supervisor);
	/* Of interest where we have become the main process of a systemd unit. */
	_exit(exit_shell_status(supervisor.exit.status, supervisor.exit.signal));
}

static pid_t fork_it(const struct supervise_options *options)
{
	struct clone_args args = {.flags = CLONE_PARENT};

	return options->unit && !options->foreground ? sys_clone3(&args) : fork();
}

int supervise_launch(const struct supervise_options *options, struct supervise_child *ret,
		     struct err *err)
{
	AUTO_CLOSE int pidfd = -1;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make the socket to the supervisor");
	fflush(NULL);
	pid = fork_it(options);
	if (pid == 0) {
		close(pair[0]);
		supervise(options, pair[1]);
	}
	close(pair[1]);
	if (pid > 0)
		pidfd = sys_pidfd_open(pid, 0);
	if (pidfd < 0) {
		/* The supervisor sees the closed socket and takes back what it has made. */
		close(pair[0]);
		return err_set(err, errno, pid < 0 ? "fork the supervisor" : "hold the supervisor");
	}
	ret->pid = pid;
	ret->pidfd = fd_take(&pidfd);
	ret->sock = pair[0];
	return 0;
}
