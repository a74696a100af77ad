/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits: which controller a limit belongs to, where that controller lives on this host, and
 * writing the files in an order that the kernel accepts. The files themselves are in cgroup_v1.c
 * and cgroup_v2.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define DEVICE_RULES_MAX 2048

static bool wants_memory(const struct cgroup_limits *l)
{
	return l->memory_limit.set || l->memory_reservation.set || l->memory_swap.set ||
	       l->memory_swappiness.set || l->memory_disable_oom_killer.set;
}

static bool wants_cpu(const struct cgroup_limits *l)
{
	return l->cpu_shares.set || l->cpu_period.set || l->cpu_quota.set || l->cpu_burst.set ||
	       l->cpu_idle.set || l->cpu_rt_runtime.set || l->cpu_rt_period.set;
}

static bool wants_cpuset(const struct cgroup_limits *l)
{
	return l->cpuset_cpus || l->cpuset_mems;
}

static bool wants_pids(const struct cgroup_limits *l)
{
	return l->pids_limit.set;
}

static bool wants_io(const struct cgroup_limits *l)
{
	return l->io_weight.set || l->io_leaf_weight.set || l->n_io_weights || l->n_io_rates;
}

static bool wants_hugetlb(const struct cgroup_limits *l)
{
	return l->n_hugepages;
}

static bool wants_net_class(const struct cgroup_limits *l)
{
	return l->net_class.set;
}

static bool wants_net_priorities(const struct cgroup_limits *l)
{
	return l->n_net_priorities;
}

static bool wants_rdma(const struct cgroup_limits *l)
{
	return l->n_rdma;
}

#define POINTER "/linux/resources/"

/* clang-format off */
const struct cgroup_controller cgroup_controllers[] = {
	{"cpuset", "cpuset", POINTER "cpu", CGROUP_C_CPUSET, true,
	 wants_cpuset, cgroup_any_cpuset, cgroup_any_cpuset},
	{"memory", "memory limit", POINTER "memory", CGROUP_C_MEMORY, false,
	 wants_memory, cgroup_v1_memory, cgroup_v2_memory},
	{"cpu", "cpu limit", POINTER "cpu", CGROUP_C_CPU, false,
	 wants_cpu, cgroup_v1_cpu, cgroup_v2_cpu},
	{"pids", "pids limit", POINTER "pids", CGROUP_C_PIDS, false,
	 wants_pids, cgroup_any_pids, cgroup_any_pids},
	{"io", "block I/O limit", POINTER "blockIO", CGROUP_C_BLKIO, false,
	 wants_io, cgroup_v1_io, cgroup_v2_io},
	{"hugetlb", "huge page limit", POINTER "hugepageLimits", CGROUP_C_HUGETLB, false,
	 wants_hugetlb, cgroup_any_hugetlb, cgroup_any_hugetlb},
	{"net_cls", "network class", POINTER "network/classID", CGROUP_C_NET_CLS, false,
	 wants_net_class, cgroup_v1_net_class, cgroup_v2_no_network},
	{"net_prio", "network priorities", POINTER "network/priorities", CGROUP_C_NET_PRIO, false,
	 wants_net_priorities, cgroup_v1_net_priorities, cgroup_v2_no_network},
	{"rdma", "rdma limit", POINTER "rdma", CGROUP_C_RDMA, false,
	 wants_rdma, cgroup_any_rdma, cgroup_any_rdma},
};
/* clang-format on */
const size_t cgroup_controllers_count = ARRAY_SIZE(cgroup_controllers);

bool cgroup_has_file(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

static bool make_room(struct cgroup_writes *ws)
{
	size_t room = 4 * ws->room;
	struct cgroup_write *more;

	if (!ws->w) {
		ws->w = ws->few;
		ws->room = ARRAY_SIZE(ws->few);
	}
	if (ws->n < ws->room)
		return true;
	more = calloc(room, sizeof(*more));
	if (!more)
		return false;
	memcpy(more, ws->w, ws->n * sizeof(*more));
	/* What pointed into an element points into its copy. */
	for (size_t i = 0; i < ws->n; i++)
		if (ws->w[i].file == ws->w[i].name)
			more[i].file = more[i].name;
	if (ws->w != ws->few)
		free(ws->w);
	ws->w = more;
	ws->room = room;
	return true;
}

struct cgroup_write *cgroup_writes_add(struct cgroup_writes *ws, int dir, struct cgroup_what what,
				       const char *file)
{
	struct cgroup_write *w = &ws->spare;

	if (make_room(ws))
		w = &ws->w[ws->n++];
	else
		ws->no_memory = true;
	*w = (struct cgroup_write){.dir = dir, .what = what, .file = file};
	return w;
}

struct cgroup_write *cgroup_writes_add_named(struct cgroup_writes *ws, int dir,
					     struct cgroup_what what, const char *format,
					     const char *part)
{
	struct cgroup_write *w = cgroup_writes_add(ws, dir, what, NULL);
	const char *gap = strstr(format, "%s");

	snprintf(w->name, sizeof(w->name), "%.*s%s%s", (int)(gap - format), format, part, gap + 2);
	w->file = w->name;
	return w;
}

void cgroup_writes_done(struct cgroup_writes *ws)
{
	if (ws->w != ws->few)
		free(ws->w);
	ws->w = NULL;
	ws->n = ws->room = 0;
}

#define PARENT_CPUS  "its parent cgroup has CPUs %s"
#define PARENT_NODES "its parent cgroup has memory nodes %s"
#define SUB_CPUSET   "it stays at %s: a sub-cgroup of the container has of them what would go"
#define QUOTA	     "the quota is %s, and the burst may not be more"
#define IDLE	     "cpu.idle is %s, and what is idle has no shares: switch that off as well"

/* Where the kernel's one word for it leaves open what is in the way; v2's cpusets may be empty, for
 * all that the parent has. */
static const struct {
	const char *file;
	int error;
	const char *look, *hint;
} advices[] = {
	{"memory.limit_in_bytes", EBUSY, "memory.usage_in_bytes", "%s bytes are in use"},
	{"memory.memsw.limit_in_bytes", EBUSY, "memory.memsw.usage_in_bytes",
	 "%s bytes are in use"},
	{"memory.limit_in_bytes", EINVAL, "memory.memsw.limit_in_bytes",
	 "the limit of memory and swap together is %s, and may not be less: give both"},
	{"memory.memsw.limit_in_bytes", EINVAL, "memory.limit_in_bytes",
	 "the memory limit is %s, and may not be more: give both"},
	{"cpu.cfs_quota_us", EINVAL, "cpu.cfs_period_us",
	 "the period is %s; a parent cgroup may allow less CPU time than that, a sub-cgroup have "
	 "more, or the burst be more than the quota"},
	{"cpu.cfs_period_us", EINVAL, "cpu.cfs_quota_us",
	 "the quota is %s; a parent cgroup may allow less CPU time than that in each period, or a "
	 "sub-cgroup have more"},
	{"cpu.max", EINVAL, "cpu.max.burst", "the burst is %s, and may not be more than the quota"},
	{"cpu.shares", EINVAL, "cpu.idle", IDLE},
	{"cpu.weight", EINVAL, "cpu.idle", IDLE},
	{"pids.max", EINVAL, "pids.max",
	 "it stays at %s; the kernel takes up to 4194304, and -1 for no limit"},
	{"cpuset.cpus", EINVAL, "../cpuset.cpus", PARENT_CPUS},
	{"cpuset.mems", EINVAL, "../cpuset.mems.effective", PARENT_NODES},
	{"cpuset.cpus", ERANGE, "../cpuset.cpus", PARENT_CPUS},
	{"cpuset.cpus", ERANGE, "../cpuset.cpus.effective", PARENT_CPUS},
	{"cpuset.cpus", EACCES, "../cpuset.cpus", PARENT_CPUS},
	{"cpuset.cpus", EBUSY, "cpuset.cpus", SUB_CPUSET},
	{"cpuset.mems", EBUSY, "cpuset.mems", SUB_CPUSET},
	{"cpu.cfs_burst_us", EINVAL, "cpu.cfs_quota_us", QUOTA},
	{"cpu.max.burst", EINVAL, "cpu.max", QUOTA},
	{"cpu.rt_runtime_us", EINVAL, "../cpu.rt_runtime_us",
	 "its parent cgroup has %s microseconds of realtime for all below it"},
	{"cpuset.mems", EINVAL, "../cpuset.mems", PARENT_NODES},
	{"cpuset.mems", ERANGE, "../cpuset.mems", PARENT_NODES},
	{"cpuset.mems", ERANGE, "../cpuset.mems.effective", PARENT_NODES},
	{"cpuset.mems", EACCES, "../cpuset.mems", PARENT_NODES},
};

static void advise(const struct cgroup_write *w, int error, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		char text[64];

		if (advices[i].error != error || !str_eq(advices[i].file, w->file) ||
		    io_read_at(w->dir, advices[i].look, text, sizeof(text)) <= 0)
			continue;
		err_hint(err, advices[i].hint, text);
		return;
	}
}

/* A device that is named in the limit itself. */
static void advise_device(const char *controller, struct err *err)
{
	if (str_eq(controller, "io"))
		err_hint(err, "no block device here has this number; lsblk(8) lists them");
	else if (str_eq(controller, "net_prio"))
		err_hint(err, "no network interface of the host has this name; `ip link` lists "
			      "them");
	else if (str_eq(controller, "rdma"))
		err_hint(err, "no RDMA device has this name; they are in /sys/class/infiniband");
}

static int explain(const struct cgroup_writes *ws, const struct cgroup_write *w,
		   const char *controller, int r, struct err *err)
{
	const char *text = w->text ? w->text : w->value;

	if (ws->pointer && w->what.member)
		err_pointer(err, "%s/%s", ws->pointer, w->what.member);
	if (r == -ENODEV)
		advise_device(controller, err);
	if (r != -ENOENT)
		advise(w, -r, err);
	if (r == -EOPNOTSUPP && strstr(w->file, "weight"))
		err_hint(err,
			 "its scheduler (/sys/dev/block/%.*s/queue/scheduler) is not bfq, which "
			 "alone knows weights",
			 (int)strcspn(text, " "), text);
	if (r != -ENOENT)
		return err_set(err, -r, "%s: write %s to %s of cgroup %s", w->what.limit, text,
			       w->file, ws->cg->path);
	if (ws->v2 && !(cgroup_v2_read(w->dir, "cgroup.controllers") & cgroup_v2_parse(controller)))
		return cgroup_missing(ws->cg, w->what.limit, controller, err);
	if (str_starts(w->file, "hugetlb."))
		err_hint(err, "the sizes of this kernel are in /sys/kernel/mm/hugepages");
	if (strstr(w->file, "swap.max") || strstr(w->file, "memsw")) {
		err_hint(err, "boot with swapaccount=1, or leave the swap limit out");
		return err_kind(err, ERR_UNSUPPORTED, ENOENT,
				"%s: swap accounting is off in this kernel (no %s)", w->what.limit,
				w->file);
	}
	if (strstr(w->file, "leaf_weight"))
		err_hint(err, "leaf weights went with the cfq scheduler, in Linux 5.0");
	else if (strstr(w->file, "weight"))
		err_hint(err, CGROUP_HINT_WEIGHTS);
	if (!ws->v2 && str_eq(controller, "io"))
		controller = "blkio";
	return err_kind(err, ERR_UNSUPPORTED, ENOENT, "%s: controller %s of this kernel has no %s",
			w->what.limit, controller, w->file);
}

int cgroup_writes_do(struct cgroup_writes *ws, const char *controller, struct err *err)
{
	size_t left = ws->n;
	int r = ws->no_memory ? err_set(err, ENOMEM, "write limits") : 0;

	while (left && r == 0) {
		const struct cgroup_write *refused = NULL;
		size_t before = left;

		for (size_t i = 0; i < ws->n && r == 0; i++) {
			struct cgroup_write *w = &ws->w[i];

			if (w->done)
				continue;
			cgroup_undo_note(ws->undo, w);
			r = io_write_at(w->dir, w->file, w->text ? w->text : w->value);
			if (r == -EINVAL) {
				refused = refused ? refused : w;
				r = 0;
				continue;
			}
			if (r == -ENOENT && w->if_present)
				r = 0;
			if (r < 0)
				r = explain(ws, w, controller, r, err);
			w->done = true;
			left--;
		}
		if (r == 0 && left == before)
			r = explain(ws, refused, controller, -EINVAL, err);
	}
	cgroup_writes_done(ws);
	return r;
}

/* Only these names lead to "not mounted" here; the host has neither a v1 nor a v2 hierarchy for it.
 */
int cgroup_no_hierarchy(const struct cgroup *cg, const struct cgroup_controller *c, struct err *err)
{
	int i = cgroup_find(cg->host, c->bit);

	if (i >= 0)
		return err_kind(err, ERR_UNSUPPORTED, ENOENT, "%s: there is no cgroup %s in %s",
				c->limit, cg->path, cg->host->h[i].mount);
	if (cgroup_find_v2(cg->host) >= 0)
		return err_kind(err, ERR_UNSUPPORTED, ENOENT, "%s: there is no cgroup %s in %s",
				c->limit, cg->path, cg->host->h[cgroup_find_v2(cg->host)].mount);
	err_hint(err, "mount it there, or leave the limit out");
	return err_kind(err, ERR_UNSUPPORTED, ENOENT,
			"%s: controller %s is not mounted below /sys/fs/cgroup", c->limit, c->name);
}

static int apply(struct cgroup *cg, const struct cgroup_controller *c,
		 const struct cgroup_limits *l, struct cgroup_undo *undo, struct err *err)
{
	struct cgroup_writes ws = {.cg = cg, .undo = undo, .pointer = c->pointer};
	int i = cgroup_find(cg->host, c->bit), r;

	if (i < 0) {
		i = cgroup_find_v2(cg->host);
		ws.v2 = true;
	}
	if (i < 0 || cg->fd[i] < 0) {
		r = cgroup_no_hierarchy(cg, c, err);
	} else {
		r = (ws.v2 ? c->v2 : c->v1)(&ws, cg->fd[i], l, err);
		if (r == 0)
			r = cgroup_writes_do(&ws, c->name, err);
	}
	cgroup_writes_done(&ws);
	if (r < 0)
		err_pointer(err, "%s", c->pointer);
	return r;
}

/* v1 devices, or else v2's program. */
static int apply_devices(struct cgroup *cg, const struct cgroup_limits *l, bool fresh, bool v2,
			 struct err *err)
{
	int i = cgroup_find(cg->host, CGROUP_C_DEVICES);

	if (!l->n_devices || v2 != (i < 0))
		return 0;
	if (l->n_devices > DEVICE_RULES_MAX)
		return err_kind(err, ERR_CONFIG, E2BIG, "device rules: more than %d",
				DEVICE_RULES_MAX);
	if (v2)
		i = cgroup_find_v2(cg->host);
	if (i < 0 || cg->fd[i] < 0)
		return err_kind(
			err, ERR_UNSUPPORTED, ENOENT,
			"device rules: neither the v1 controller devices nor cgroup v2 is mounted "
			"below /sys/fs/cgroup");
	if (v2)
		return cgroup_devices_v2(cg->fd[i], l->devices, l->n_devices, err);
	return cgroup_devices_v1(cg->fd[i], l->devices, l->n_devices, fresh, err);
}

/* What the leaf of v2 has already. */
static uint32_t controllers_of(const struct cgroup *cg)
{
	int dir = cgroup_v2_fd(cg);

	return dir < 0 ? 0 : cgroup_v2_read(dir, "cgroup.controllers");
}

void cgroup_blame(const struct cgroup_limits *l, uint32_t bit, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(cgroup_controllers); i++)
		if (cgroup_controllers[i].bit == bit && cgroup_controllers[i].wanted(l))
			err_pointer(err, "%s", cgroup_controllers[i].pointer);
	for (size_t i = 0; i < l->n_unified; i++)
		if (bit && cgroup_v2_controller_of(l->unified[i].key) == bit)
			err_pointer(err, "/linux/resources/unified/%s", l->unified[i].key);
}

/* v2: the parents pass on the controllers that the limits need; when it is made, all there are. */
static int enable_needed(struct cgroup *cg, const struct cgroup_limits *l, bool update,
			 struct err *err)
{
	uint32_t need = 0, fault = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(cgroup_controllers); i++)
		if (cgroup_controllers[i].wanted(l) &&
		    cgroup_find(cg->host, cgroup_controllers[i].bit) < 0)
			need |= cgroup_controllers[i].bit & CGROUP_C_V2;
	r = cgroup_unified_need(cg, l, &need, err);
	if (r < 0 || cgroup_find_v2(cg->host) < 0)
		return r;
	r = cgroup_v2_thread(cg, need, &fault, err);
	if (r == 0 && (update ? need & ~controllers_of(cg) : need || cg->host->mode == CGROUP_V2))
		r = cgroup_v2_enable(cg, need, &fault, err);
	if (r < 0)
		cgroup_blame(l, fault, err);
	return r;
}

int cgroup_limit_before(struct cgroup *cg, const struct cgroup_limits *l, bool fresh,
			struct err *err)
{
	int r = enable_needed(cg, l, false, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(cgroup_controllers); i++) {
		if (!cgroup_controllers[i].before || !cgroup_controllers[i].wanted(l))
			continue;
		r = apply(cg, &cgroup_controllers[i], l, NULL, err);
		if (r < 0)
			return r;
	}
	return apply_devices(cg, l, fresh, false, err);
}

static int limit(struct cgroup *cg, const struct cgroup_limits *l, bool update,
		 struct cgroup_undo *undo, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cgroup_controllers) && r == 0; i++)
		if (cgroup_controllers[i].wanted(l) && (!cgroup_controllers[i].before || update))
			r = apply(cg, &cgroup_controllers[i], l, undo, err);
	return r < 0 ? r : cgroup_unified_write(cg, l, undo, err);
}

static int update_limits(struct cgroup *cg, const struct cgroup_limits *l, cgroup_tell *tell,
			 void *data, struct err *err)
{
	struct cgroup_undo undo = {.last = NULL};
	int r = enable_needed(cg, l, true, err);

	if (r == 0)
		r = limit(cg, l, true, &undo, err);
	if (r == 0 && tell) {
		r = tell(data, err);
		if (r == 0)
			r = limit(cg, l, true, &undo, err);
	}
	/* Nothing takes device rules back: behind all else, what others may refuse included. */
	if (r == 0)
		r = apply_devices(cg, l, false, false, err);
	if (r == 0)
		r = apply_devices(cg, l, false, true, err);
	if (r < 0)
		cgroup_undo_do(&undo);
	cgroup_undo_done(&undo);
	return r;
}

int cgroup_limit(struct cgroup *cg, const struct cgroup_limits *l, bool update, struct err *err)
{
	int r = update ? update_limits(cg, l, NULL, NULL, err) : limit(cg, l, false, NULL, err);

	return r < 0 || update ? r : apply_devices(cg, l, true, true, err);
}

int cgroup_quota_read(int dir, bool v2, struct cgroup_quota *ret)
{
	struct cgroup_quota q = {.quota = -1, .period = 100000};
	char text[64];
	char *period;
	int r;

	*ret = q;
	/* v2: "QUOTA PERIOD" */
	r = io_read_at(dir, v2 ? "cpu.max" : "cpu.cfs_quota_us", text, sizeof(text));
	if (r < 0)
		return r;
	period = text + strcspn(text, " ");
	if (*period)
		*period++ = '\0';
	if (str_to_i64(text, -1, INT64_MAX, &q.quota) < 0)
		q.quota = -1;
	if (!v2) {
		r = io_read_at(dir, "cpu.cfs_period_us", text, sizeof(text));
		period = text;
	}
	if (r < 0 || str_to_u64(period, 1, UINT64_MAX, &q.period) < 0)
		return r < 0 ? r : -ENODATA;
	*ret = q;
	return 0;
}

/* The directory with the files of the cpu controller, or -1. */
static int cpu_dir(const struct cgroup *cg, bool *ret_v2)
{
	int i = cgroup_find(cg->host, CGROUP_C_CPU);

	*ret_v2 = i < 0;
	return i < 0 ? cgroup_v2_fd(cg) : cg->fd[i];
}

void cgroup_lift_quota(const struct cgroup *cg)
{
	bool v2;
	int dir = cpu_dir(cg, &v2);

	if (dir >= 0)
		(void)io_write_at(dir, v2 ? "cpu.max" : "cpu.cfs_quota_us", v2 ? "max" : "-1");
}

/* Of quota and period, one that is given alone goes with the other one that stands. */
static void complete_quota(const struct cgroup *cg, struct cgroup_limits *l)
{
	struct cgroup_quota now;
	bool v2;
	int dir = cpu_dir(cg, &v2);

	if (l->cpu_period.set == l->cpu_quota.set || dir < 0 ||
	    cgroup_quota_read(dir, v2, &now) < 0)
		return;
	if (!l->cpu_quota.set)
		l->cpu_quota.v = now.quota;
	if (!l->cpu_period.set)
		l->cpu_period.v = now.period;
	l->cpu_quota.set = l->cpu_period.set = true;
}

/* v2: to systemd, which knows idleness as a weight, shares alone end it. */
static void end_idle(const struct cgroup *cg, struct cgroup_limits *l)
{
	char text[8];
	bool v2;
	int dir = cpu_dir(cg, &v2);

	if (!v2 || dir < 0 || !l->cpu_shares.set || !l->cpu_shares.v || l->cpu_idle.set ||
	    io_read_at(dir, "cpu.idle", text, sizeof(text)) <= 0 || !str_eq(text, "1"))
		return;
	l->cpu_idle.set = true;
	l->cpu_idle.v = 0;
}

int cgroup_limit_managed(struct cgroup *cg, const struct cgroup_limits *limits, cgroup_tell *tell,
			 void *data, struct err *err)
{
	struct cgroup_limits l = *limits;

	complete_quota(cg, &l);
	end_idle(cg, &l);
	return update_limits(cg, &l, tell, data, err);
}
