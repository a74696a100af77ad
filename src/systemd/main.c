/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The systemd helper: the one program of oakum that is linked to libsystemd. The runtime starts it
 * with one end of a socket pair as descriptor 3, asks (kernel/systemd_message.h), and is answered
 * until it closes. It has no arguments and no other users.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "kernel/systemd_message.h"
#include "systemd/keeper.h"
#include "systemd/manager.h"

#define PROPERTIES_MAX 4096
#define KEEPER_LEAVES_MS                                                                           \
	500 /* of a helper that was killed: it ends as soon as it is in its scope */

struct helper {
	struct manager manager;
	bool connected;
	struct keeper keeper;
};

struct request {
	struct systemd_request head;
	const char *unit; /* "" : none */
	const char *properties[PROPERTIES_MAX];
	size_t n;
};

static int hello(struct helper *h, const struct request *q, struct systemd_answer *a,
		 struct err *err)
{
	int r;

	if (h->connected)
		return err_set(err, EALREADY, "connected already");
	r = manager_open(&h->manager, q->head.user, q->head.deadline_ms, a->path, sizeof(a->path),
			 err);
	h->connected = r == 0;
	return r;
}

static int start(struct helper *h, const struct request *q, struct systemd_answer *a,
		 struct err *err)
{
	int r;

	if (h->keeper.pid)
		return err_set(err, EALREADY, "there is a scope already");
	r = keeper_make(&h->keeper);
	if (r < 0)
		return err_set(err, -r, "fork");
	h->manager.asking = h->keeper.life;
	r = manager_start(&h->manager, q->unit, q->properties, q->n, h->keeper.pid,
			  q->head.deadline_ms, a->path, sizeof(a->path), err);
	if (r != 0)
		keeper_end(&h->keeper);
	return r == MANAGER_IN_USE ? SYSTEMD_IN_USE : r;
}

static int release(struct helper *h, const struct request *q, struct systemd_answer *a,
		   struct err *err)
{
	(void)q;
	(void)a;
	(void)err;
	keeper_end(&h->keeper);
	return 0;
}

static int set(struct helper *h, const struct request *q, struct systemd_answer *a, struct err *err)
{
	(void)a;
	return manager_set(&h->manager, q->unit, q->properties, q->n, q->head.deadline_ms, err);
}

static int attach(struct helper *h, const struct request *q, struct systemd_answer *a,
		  struct err *err)
{
	(void)a;
	return manager_attach(&h->manager, q->unit, q->n ? q->properties[0] : "", q->head.pid,
			      q->head.deadline_ms, err);
}

static int stop(struct helper *h, const struct request *q, struct systemd_answer *a,
		struct err *err)
{
	int r = manager_stop(&h->manager, q->unit, q->head.deadline_ms, err);

	(void)a;
	return r == MANAGER_GONE ? SYSTEMD_GONE : r;
}

static int stop_empty(struct helper *h, const struct request *q, struct systemd_answer *a,
		      struct err *err)
{
	int64_t soon = clock_deadline(KEEPER_LEAVES_MS);
	int r;

	if (q->head.deadline_ms < soon)
		soon = q->head.deadline_ms;
	while ((r = manager_look_empty(&h->manager, q->unit, q->head.deadline_ms, err)) ==
		       MANAGER_IN_USE &&
	       clock_poll_ms(soon) > 0)
		(void)poll(NULL, 0, KEEPER_LOOK_MS);
	if (r == 0)
		return stop(h, q, a, err);
	return r == MANAGER_GONE ? SYSTEMD_GONE : r == MANAGER_IN_USE ? SYSTEMD_IN_USE : r;
}

static const struct {
	int (*act)(struct helper *, const struct request *, struct systemd_answer *, struct err *);
	bool needs_unit;
} verbs[] = {
	[SYSTEMD_HELLO] = {hello, false},	   [SYSTEMD_START] = {start, true},
	[SYSTEMD_RELEASE] = {release, false},	   [SYSTEMD_SET] = {set, true},
	[SYSTEMD_ATTACH] = {attach, true},	   [SYSTEMD_STOP] = {stop, true},
	[SYSTEMD_STOP_EMPTY] = {stop_empty, true},
};

/* @mem holds @size bytes and a NUL behind them. */
static int unpack(char *mem, size_t size, struct request *ret, struct err *err)
{
	const char *p = mem + sizeof(ret->head), *end = mem + size;

	if (size < sizeof(ret->head))
		return err_set(err, EPROTO, "a request of %zu bytes", size);
	memcpy(&ret->head, mem, sizeof(ret->head));
	ret->unit = p < end ? p : "";
	ret->n = 0;
	for (p += strlen(ret->unit) + (p < end); p < end; p += strlen(p) + 1) {
		if (ret->n == PROPERTIES_MAX)
			return err_set(err, E2BIG, "more than %d properties", PROPERTIES_MAX);
		ret->properties[ret->n++] = p;
	}
	if (ret->head.version != SYSTEMD_MESSAGE_VERSION)
		return err_set(err, EPROTO, "a request of version %u", ret->head.version);
	if (ret->head.verb >= ARRAY_SIZE(verbs) || !verbs[ret->head.verb].act)
		return err_set(err, EPROTO, "verb %u", ret->head.verb);
	if (verbs[ret->head.verb].needs_unit && !ret->unit[0])
		return err_set(err, EPROTO, "a request without its unit");
	return 0;
}

_Static_assert(sizeof(((struct systemd_answer *)0)->text) == sizeof(((struct err *)0)->text) &&
		       sizeof(((struct systemd_answer *)0)->hint) ==
			       sizeof(((struct err *)0)->hint),
	       "an error goes as it is");

static void answer(struct helper *h, char *mem, size_t size)
{
	static struct request q;
	struct systemd_answer a = {.version = SYSTEMD_MESSAGE_VERSION};
	struct err err = ERR_INIT;
	int r = unpack(mem, size, &q, &err);

	if (r == 0 && q.head.verb != SYSTEMD_HELLO && !h->connected)
		r = err_set(&err, ENOTCONN, "there is no manager yet");
	h->manager.property = false;
	if (r == 0)
		r = verbs[q.head.verb].act(h, &q, &a, &err);
	a.systemd = h->manager.version;
	a.property = h->manager.property;
	a.result = r;
	if (r < 0) {
		if (err.kind == ERR_NONE)
			err_set(&err, -r, "D-Bus");
		a.code = err.code;
		a.kind = (int32_t)err.kind;
		memcpy(a.text, err.text, sizeof(a.text));
		memcpy(a.hint, err.hint, sizeof(a.hint));
	}
	(void)send(SYSTEMD_HELPER_FD, &a, sizeof(a), MSG_NOSIGNAL);
}

int main(void)
{
	static char mem[SYSTEMD_MESSAGE_MAX + 1];
	struct helper h = {.keeper = KEEPER_INIT};
	ssize_t n;

	while ((n = recv(SYSTEMD_HELPER_FD, mem, SYSTEMD_MESSAGE_MAX, 0)) > 0 ||
	       (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		mem[n] = '\0';
		answer(&h, mem, (size_t)n);
	}
	/* Who was oakum's and is not heard any more has nothing to say to its user. */
	if (n < 0 && (errno == EBADF || errno == ENOTSOCK)) {
		fprintf(stderr, "oakum-systemd: descriptor %d: %s\n", SYSTEMD_HELPER_FD,
			strerror(errno));
		fputs("This program is started by oakum; there is nothing else to do with it.\n",
		      stderr);
	}
	keeper_end(&h.keeper);
	return n < 0;
}
