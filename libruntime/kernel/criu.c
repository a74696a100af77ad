/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A criu of our own: started, asked, listened to. It opens the directories it is told of by the pid
 * of who made the socket, and mounts in them: so the process that becomes criu makes the socket,
 * and opens the directories in the mount namespace that is criu's.
 */
#include "kernel/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/names.h"
#include "base/pb.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/cgroup.h"

#define REQUEST_SIZE (256u << 10) /* with as much again as scratch */
#define ANSWER_SIZE  (64u << 10)
#define LOG_TAIL     (128u << 10) /* of criu's log, where its last words are */

#define ANSWER_NOTIFY 6 /* a type of request and of answer */

struct talk {
	const struct criu_request *q;
	int sock;    /* our end */
	int dirs[2]; /* images and work, as criu has them */
	int failure; /* what become() returned, EOF when it did not */
	pid_t pid;
	pid_t restored;
	char message[128]; /* criu's own words, "" if none */
	bool success;
};

struct answer {
	uint64_t type;
	bool success;
	pid_t restored, pid;
	char what[64], message[128];
};

/* ---- the child ---- */

/*
 * criu wants the root of what it restores to be a mount; nobody else is to see that one. What it is
 * to mount from outside has a peer on the host where that shares its mounts, as under systemd. criu
 * takes the propagation over from the mount that a directory is on, but a file has to be a mount
 * itself: the kernel's MOVE_MOUNT_SET_GROUP takes roots alone.
 */
static int hide_mounts(const struct criu_request *q)
{
	const char *last = "";
	struct stat st;

	if (q->action != CRIU_RESTORE)
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -errno;
	if (mount(q->root, q->root, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < q->n_external; i++) {
		const char *source = strstr(q->external[i], "]:");

		if (!source || !str_starts(q->external[i], "mnt[") || str_eq(source, last))
			continue;
		last = source;
		if (stat(source + 2, &st) < 0 || S_ISDIR(st.st_mode))
			continue;
		/* One that is not there criu itself may speak of. */
		(void)mount(source + 2, source + 2, NULL, MS_BIND | MS_REC, NULL);
	}
	return 0;
}

static int take_stdio(const struct criu_request *q)
{
	for (int i = 0; q->action == CRIU_RESTORE && i < 3; i++) {
		if (q->stdio[i] >= 0 && q->stdio[i] != i && dup2(q->stdio[i], i) < 0)
			return -errno;
	}
	return 0;
}

/* The socket and the directories, made where criu will be; the other end goes to the parent. */
static int say_hello(const struct criu_request *q, int parent, int *ret_sock)
{
	AUTO_CLOSE int theirs = -1;
	int dirs[2], socks[2];

	dirs[0] = open(q->images, O_RDONLY | O_DIRECTORY);
	dirs[1] = dirs[0] < 0 ? -1 : open(q->work, O_RDONLY | O_DIRECTORY);
	if (dirs[1] < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, socks) < 0)
		return -errno;
	theirs = socks[0];
	*ret_sock = socks[1];
	return io_send_fds(parent, dirs, sizeof(dirs), &theirs, 1);
}

/* < 0: what had to be done first; > 0: errno of the execve itself. */
static int become(const struct criu_request *q, int parent)
{
	struct err ignored = ERR_INIT;
	char number[16];
	char *const argv[] = {"criu", "swrk", number, NULL};
	sigset_t none;
	int r = 0, sock = -1;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (q->enter)
		r = cgroup_join_self(q->enter, true, &ignored);
	if (r == 0)
		r = hide_mounts(q);
	if (r == 0)
		r = take_stdio(q);
	for (size_t i = 0; r == 0 && i < q->n_inherit; i++)
		r = fd_cloexec(q->inherit[i].fd, false);
	if (r == 0)
		r = say_hello(q, parent, &sock);
	if (r < 0)
		return r;
	snprintf(number, sizeof(number), "%d", sock);
	execvp(argv[0], argv);
	return errno;
}

/* ---- starting it ---- */

static int await_exec(struct talk *t, struct err *err)
{
	int code = 0;
	ssize_t n = io_read(t->failure, &code, sizeof(code));

	if (n != (ssize_t)sizeof(code))
		return 0;
	if (code == ENOENT || code == EACCES) {
		err_hint(err, "install criu; `oakum doctor` says whether it is found");
		return err_kind(err, ERR_UNSUPPORTED, code, "start criu from the PATH");
	}
	code = abs(code);
	if (code == EPERM) {
		err_hint(err, "it is for root, or needs CAP_SYS_ADMIN");
		return err_kind(err, ERR_UNSUPPORTED, code, "start criu");
	}
	return err_set(err, code, "start criu");
}

static int begin(struct talk *t, struct err *err)
{
	AUTO_CLOSE int ours = -1;
	AUTO_CLOSE int theirs = -1;
	AUTO_CLOSE int report = -1;
	int pair[2], pipes[2], code, nfds = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "socketpair");
	ours = pair[0];
	theirs = pair[1];
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe");
	t->failure = pipes[0];
	report = pipes[1];
	t->pid = fork();
	if (t->pid < 0)
		return err_set(err, errno, "fork");
	if (t->pid == 0) {
		code = become(t->q, theirs);
		io_write(report, &code, sizeof(code));
		_exit(1);
	}
	fd_replace(&report, -1);
	fd_replace(&theirs, -1);
	code = await_exec(t, err);
	if (code < 0)
		return code;
	if (io_recv_fds(ours, t->dirs, sizeof(t->dirs), &t->sock, &nfds) <= 0 || nfds == 0)
		return err_set(err, EPROTO, "start criu");
	return fd_cloexec(t->sock, true);
}

static int ask(struct talk *t, struct err *err)
{
	AUTO_FREE void *buf = malloc(2 * REQUEST_SIZE);
	size_t size;
	int r;

	if (!buf)
		return err_set(err, ENOMEM, "prepare the request to criu");
	r = criu_encode(t->q, t->dirs, buf, 2 * REQUEST_SIZE, &size);
	/* One that has ended already is told by its silence. */
	if (r == 0 && send(t->sock, buf, size, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		r = -errno;
	return r < 0 ? err_set(err, -r, "send the request to criu") : 0;
}

/* ---- listening ---- */

static void copy_text(const struct pb_field *f, char *buf, size_t size)
{
	struct strbuf b;

	strbuf_init(&b, buf, size);
	strbuf_addn(&b, (const char *)f->data, f->size);
}

/* The field @number of the message @f, which has one integer or text of interest. */
static void look_into(const struct pb_field *f, unsigned number, pid_t *ret_pid, char *text,
		      size_t size)
{
	struct pb_in in = {f->data, f->data + f->size};
	struct pb_field g;

	while (f->data && pb_next(&in, &g) == 0) {
		if (g.number == number && !g.data)
			*ret_pid = (pid_t)g.value;
		else if (g.number == 1 && g.data && text)
			copy_text(&g, text, size);
	}
}

static int read_answer(const void *data, size_t size, struct answer *ret)
{
	struct pb_in in = {data, (const unsigned char *)data + size};
	struct pb_field f;
	int r;

	*ret = (struct answer){.type = 0};
	while ((r = pb_next(&in, &f)) == 0) {
		switch (f.number) {
		case 1:
			ret->type = f.value;
			break;
		case 2:
			ret->success = f.value;
			break;
		case 4:
			look_into(&f, 1, &ret->restored, NULL, 0);
			break;
		case 5:
			look_into(&f, 2, &ret->pid, ret->what, sizeof(ret->what));
			break;
		case 9:
			if (f.data)
				copy_text(&f, ret->message, sizeof(ret->message));
			break;
		}
	}
	return r == PB_END ? 0 : r;
}

static int reply(struct talk *t, struct err *err)
{
	unsigned char buf[16];
	struct pb_out m;

	pb_init(&m, buf, sizeof(buf));
	pb_u64(&m, 1, ANSWER_NOTIFY);
	pb_flag(&m, 3, true);
	if (send(t->sock, buf, m.len, MSG_NOSIGNAL) < 0)
		return err_set(err, errno, "answer criu");
	return 0;
}

static int notified(struct talk *t, const struct answer *a, int fd, struct err *err)
{
	int r = 0;

	if (t->q->notify)
		r = t->q->notify(t->q->data, a->what, a->pid, fd, err);
	else
		fd_close(fd);
	/* Its silence would be ours: with the socket's end it gives up. */
	return r < 0 ? r : reply(t, err);
}

/* 1: that was the last answer. */
static int listen_once(struct talk *t, void *buf, struct err *err)
{
	int fd = -1, nfds = 1, r;
	ssize_t n = io_recv_fds(t->sock, buf, ANSWER_SIZE, &fd, &nfds);
	struct answer a;

	if (nfds == 0)
		fd = -1;
	if (n <= 0) {
		t->success = false;
		return n < 0 && n != -ECONNRESET ? err_set(err, (int)-n, "listen to criu") : 1;
	}
	r = read_answer(buf, (size_t)n, &a);
	if (r == 0 && a.type == ANSWER_NOTIFY && a.success)
		return notified(t, &a, fd, err);
	fd_close(fd);
	if (r < 0)
		return err_set(err, -r, "understand criu's answer");
	t->success = a.success;
	t->restored = a.restored;
	memcpy(t->message, a.message, sizeof(t->message));
	return 1;
}

static int listen_to(struct talk *t, struct err *err)
{
	AUTO_FREE void *buf = malloc(ANSWER_SIZE);
	int r = buf ? 0 : err_set(err, ENOMEM, "listen to criu");

	while (r == 0)
		r = listen_once(t, buf, err);
	return r < 0 ? r : 0;
}

/* ---- the end ---- */

/* The end of it, into @text of LOG_TAIL bytes and one. */
static ssize_t read_tail(const struct criu_request *q, char *text)
{
	AUTO_CLOSE int dir = open(q->work, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = openat(dir, q->log, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > (off_t)LOG_TAIL && lseek(fd, -(off_t)LOG_TAIL, SEEK_END) < 0)
		return -errno;
	return io_read(fd, text, LOG_TAIL);
}

static void read_log(const struct criu_request *q, char *buf, size_t size)
{
	AUTO_FREE char *text = malloc(LOG_TAIL + 1);
	ssize_t n = text ? read_tail(q, text) : -ENOMEM;

	buf[0] = '\0';
	if (n > 0) {
		text[n] = '\0';
		criu_log_errors(text, buf, size);
	}
}

static int refused(const struct talk *t, int status, struct err *err)
{
	const struct criu_request *q = t->q;
	const char *verb = q->action == CRIU_RESTORE ? "restore" : "checkpoint";
	char words[256], how[64] = "", buf[NAMES_TEXT];

	read_log(q, words, sizeof(words));
	if (!words[0])
		snprintf(words, sizeof(words), "%s", t->message);
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), " (killed by %s)",
			 names_signal_text(WTERMSIG(status), buf));
	else if (!words[0])
		snprintf(how, sizeof(how), " (it ended with status %d)", WEXITSTATUS(status));
	if (strstr(words, "Failed to copy sharing"))
		err_hint(err,
			 "binds of single files beside directories of one shared file system: give "
			 "them rprivate; criu's log is %s/%s",
			 q->work, q->log);
	else
		err_hint(err, "criu's log is %s/%s", q->work, q->log);
	return err_set(err, 0, "criu could not %s%s%s%s", verb, how, words[0] ? ": " : "", words);
}

static int end(struct talk *t)
{
	int status = 0;

	fd_replace(&t->sock, -1);
	fd_replace(&t->failure, -1);
	if (t->pid > 0)
		(void)proc_reap(t->pid, &status);
	return status;
}

int criu_run(const struct criu_request *request, pid_t *ret_pid, struct err *err)
{
	struct talk t = {.q = request, .sock = -1, .failure = -1};
	int status, r = begin(&t, err);

	if (r == 0)
		r = ask(&t, err);
	if (r == 0)
		r = listen_to(&t, err);
	status = end(&t);
	if (r < 0)
		return r;
	if (!t.success)
		return refused(&t, status, err);
	if (ret_pid)
		*ret_pid = t.restored;
	return 0;
}
