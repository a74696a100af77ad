/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "systemd/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"

/* The cgroups of a process, as /proc/self/cgroup has them. */
struct place {
	ssize_t size;
	char text[16384];
};

static struct place born, now;

static void look(struct place *ret)
{
	ret->size = io_read_at(AT_FDCWD, "/proc/self/cgroup", ret->text, sizeof(ret->text));
}

static void on_term(int sig)
{
	(void)sig;
}

/* Until the helper is no more, or somebody says SIGTERM: systemd, which stops the scope, or who
 * ends all of oakum at once. It is not taken notice of but here. True: the scope has been asked
 * for. */
static bool stay(int life, const sigset_t *blocked)
{
	struct pollfd p = {.fd = life, .events = POLLIN};
	bool asked = false;
	char byte;

	while (ppoll(&p, 1, NULL, blocked) > 0 && read(life, &byte, 1) == 1)
		asked = true;
	return asked;
}

static void outlive(void)
{
	int64_t deadline = clock_deadline(KEEPER_MS);

	for (;;) {
		look(&now);
		if (born.size < 0 || now.size != born.size ||
		    memcmp(now.text, born.text, (size_t)now.size) != 0)
			break;
		if (clock_poll_ms(deadline) == 0)
			return;
		(void)poll(NULL, 0, KEEPER_LOOK_MS);
	}
	/* In all hierarchies of v1, not in the first alone. */
	(void)poll(NULL, 0, KEEPER_LOOK_MS);
}

static _Noreturn void keep(int life)
{
	struct sigaction term = {.sa_handler = on_term};
	sigset_t all, but_term;

	prctl(PR_SET_NAME, "oakum-scope", 0, 0, 0);
	/* Neither a terminal nor who kills a process group means this one. */
	(void)setpgid(0, 0);
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	but_term = all;
	sigdelset(&but_term, SIGTERM);
	(void)sigaction(SIGTERM, &term, NULL);
	if (dup2(life, 0) == 0 && fd_close_from(1) == 0 && stay(0, &but_term))
		outlive();
	_exit(0);
}

int keeper_make(struct keeper *k)
{
	int ends[2], code;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	look(&born);
	k->pid = fork();
	code = errno;
	if (k->pid == 0)
		keep(ends[0]);
	close(ends[0]);
	k->life = ends[1];
	if (k->pid > 0)
		return 0;
	k->pid = 0;
	fd_replace(&k->life, -1);
	return -code;
}

void keeper_end(struct keeper *k)
{
	(void)proc_end(k->pid, -1);
	k->pid = 0;
	fd_replace(&k->life, -1);
}
