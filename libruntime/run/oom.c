/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OOM kills, counted beyond the cgroup's end; see oom.h. */
#include "run/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/stats.h"

#define LEDGER "oom"
#define NUMBER 24

int oom_watch_open(const struct container *c, const struct cgroup *cg, unsigned flags,
		   struct oom_watch *ret, struct err *err)
{
	bool scope = c->state.unit && c->state.unit[0];
	struct oom_watch w = OOM_WATCH_INIT;
	int r = cgroup_oom_open(cg, flags | (scope ? CGROUP_OOM_MANAGED : 0), &w.cg, err);

	*ret = OOM_WATCH_INIT;
	if (r != 0)
		return r;
	/* Before ours: a kill in between makes the parent's number too large, which proves nothing.
	 */
	if (cgroup_oom_kills_above(&w.cg, &w.above) != 0)
		fd_replace(&w.cg.above, -1);
	r = cgroup_oom_kills(&w.cg, &w.before);
	/* -ENODATA: a kernel that does not count. */
	if (r == CGROUP_GONE || r == -ENODATA) {
		oom_watch_close(&w);
		return CGROUP_GONE;
	}
	if (r < 0)
		err_set(err, -r, "count OOM kills");
	/* On a full disk, say, the count ends with the cgroup, and says so. */
	if (r == 0)
		w.ledger = openat(c->dir, LEDGER, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r == 0)
		*ret = w;
	else
		oom_watch_close(&w);
	return r;
}

void oom_watch_close(struct oom_watch *w)
{
	fd_replace(&w->ledger, -1);
	cgroup_oom_close(&w->cg);
}

static bool read_ledger(int fd, uint64_t *ret)
{
	char text[NUMBER];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 && strn_to_u64(text, (size_t)n, 0, UINT64_MAX, ret) == 0;
}

static void keep(struct oom_watch *w, uint64_t total)
{
	if (total > w->before && total - w->before > w->seen)
		w->seen = total - w->before;
}

/* Every kill below the parent since then is one of those that were seen here. */
static bool proves(const struct oom_watch *w)
{
	uint64_t n;

	return cgroup_oom_kills_above(&w->cg, &n) == 0 && n - w->above == w->seen &&
	       cgroup_oom_counts_below();
}

int oom_watch_look(struct oom_watch *w)
{
	uint64_t n;
	int r = cgroup_oom_kills(&w->cg, &n);

	if (r == 0)
		keep(w, n);
	/* Also while it is there: sub-cgroups, which v1 asks one by one, go first. */
	if (!read_ledger(w->ledger, &n))
		return r == 0 ? 0 : proves(w) ? CGROUP_GONE : OOM_UNKNOWN;
	keep(w, n);
	return r == 0 ? 0 : CGROUP_GONE;
}

/* A number that has grown covers the one before it. */
static void write_ledger(int fd, uint64_t n)
{
	char text[NUMBER];
	struct strbuf b;
	uint64_t before;

	if (read_ledger(fd, &before) && before >= n)
		return;
	strbuf_init(&b, text, sizeof(text));
	strbuf_u64(&b, n);
	(void)!pwrite(fd, b.p, b.len, 0);
}

void oom_note(struct oakum *o, const struct container *c)
{
	AUTO_CLOSE int fd = openat(c->dir, LEDGER, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct cgroup_oom w = CGROUP_OOM_INIT;
	struct err ignored = ERR_INIT;
	struct cgroup cg;
	uint64_t n;

	if (fd < 0)
		return;
	if (stats_open(o, c, &cg, &ignored) == 0 && cgroup_oom_open(&cg, 0, &w, &ignored) == 0 &&
	    cgroup_oom_kills(&w, &n) == 0)
		write_ledger(fd, n);
	cgroup_oom_close(&w);
	cgroup_close(&cg);
}

/* ---- for programs ---- */

struct oakum_oom {
	struct oom_watch watch;
};

int oakum_oom_open(struct oakum *o, const char *id, struct oakum_oom **ret)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	struct oakum_oom *w = calloc(1, sizeof(*w));
	struct err *err = handle_begin(o);
	struct cgroup cg;
	int r;

	*ret = NULL;
	if (!w)
		return handle_end(o, "watch", id, err_set(err, ENOMEM, "count OOM kills"));
	r = container_open(o, id, false, &c, err);
	if (r == 0 && !c.state.cgroup[0]) {
		r = CGROUP_GONE;
	} else if (r == 0) {
		r = stats_open(o, &c, &cg, err);
		if (r == 0)
			r = oom_watch_open(&c, &cg, 0, &w->watch, err);
		cgroup_close(&cg);
	}
	if (r == 0)
		*ret = w;
	else
		free(w);
	return r == CGROUP_GONE ? OAKUM_NOT_COUNTED : handle_end(o, "watch", id, r);
}

int oakum_oom_kills(struct oakum_oom *w, uint64_t *ret)
{
	int r = oom_watch_look(&w->watch);

	*ret = w->watch.seen;
	return r == OOM_UNKNOWN ? OAKUM_NOT_COUNTED : 0;
}

void oakum_oom_descriptors(const struct oakum_oom *w, int ret[OAKUM_OOM_DESCRIPTORS])
{
	ret[0] = w ? w->watch.cg.dir : -1;
	ret[1] = w ? w->watch.cg.file : -1;
	ret[2] = w ? w->watch.ledger : -1;
	ret[3] = w ? w->watch.cg.above : -1;
	ret[4] = oakum_oom_fd(w);
}

int oakum_oom_fd(const struct oakum_oom *w)
{
	return w ? w->watch.cg.emptied : -1;
}

void oakum_oom_close(struct oakum_oom *w)
{
	if (!w)
		return;
	oom_watch_close(&w->watch);
	free(w);
}
