/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limit files of cgroup v2, what they are called in OCI's terms, which are v1's, and the
 * delegation of controllers through cgroup.subtree_control.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define DEFAULT_PERIOD 100000

static const char *const v2_names[] = {"cpuset",  "cpu",  "io",	  "memory",
				       "hugetlb", "pids", "rdma", "misc"};

static void add_bytes(struct cgroup_writes *ws, int dir, struct cgroup_what what, const char *file,
		      int64_t v)
{
	struct cgroup_write *w = cgroup_writes_add(ws, dir, what, file);

	if (v < 0)
		w->text = "max";
	else
		snprintf(w->value, sizeof(w->value), "%" PRId64, v);
}

static int64_t read_number(int dir, const char *file)
{
	char text[32];
	int64_t v;

	if (dir < 0 || io_read_at(dir, file, text, sizeof(text)) <= 0 ||
	    str_to_i64(text, 0, INT64_MAX, &v) < 0)
		return -1;
	return v;
}

/* The memory limit that will hold: the one asked for, else the one that stands; -1: none. */
static int64_t memory_limit_of(int dir, const struct cgroup_limits *l)
{
	if (l->memory_limit.set && l->memory_limit.v)
		return l->memory_limit.v;
	return read_number(dir, "memory.max");
}

/* OCI's swap is memory and swap together, v2's is swap alone. */
static int add_swap(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		    struct err *err)
{
	int64_t v = l->memory_swap.set ? l->memory_swap.v : -1;

	if (!l->memory_swap.set && !(l->memory_limit.set && l->memory_limit.v == -1))
		return 0;
	if (v > 0) {
		int64_t limit = memory_limit_of(dir, l);

		if (limit < 0) {
			err_hint(err, "give a limit of memory, other than -1, as well");
			return err_kind(err, ERR_CONFIG, EINVAL,
					"memory+swap limit: cannot be set without a memory limit "
					"on cgroup v2");
		}
		if (v < limit)
			return err_kind(err, ERR_CONFIG, EINVAL,
					"memory+swap limit %" PRId64
					" is less than the memory limit %" PRId64,
					v, limit);
		v -= limit;
	}
	add_bytes(ws, dir, WHAT("memory+swap limit", "swap"), "memory.swap.max", v);
	/* A kernel without it has no swap to limit, or no accounting of it: then neither "none" nor
	 * "all" is a loss that runc would speak of. */
	ws->w[ws->n - 1].if_present = v <= 0;
	return 0;
}

int cgroup_v2_no_network(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
			 struct err *err)
{
	(void)ws;
	(void)dir;
	return err_kind(
		err, ERR_UNSUPPORTED, ENOTSUP,
		"%s: the v1 controllers net_cls and net_prio are not mounted, and cgroup v2 "
		"has no such settings",
		l->net_class.set ? "network class" : "network priorities");
}

static int refuse_usage(const char *what, int64_t limit, int64_t used, struct err *err)
{
	err_hint(err, "give more, or leave checkBeforeUpdate out: then the kernel reclaims, and "
		      "kills where that is not enough");
	return err_set(err, EBUSY, "rejecting %s limit %" PRId64 ": %" PRId64 " bytes are in use",
		       what, limit, used);
}

/* memory.checkBeforeUpdate: the kernel would reclaim, and kill where that is not enough. */
static int check_usage(int dir, const struct cgroup_limits *l, struct err *err)
{
	int64_t used = read_number(dir, "memory.current"), swap;

	if (!l->memory_check || used < 0)
		return 0;
	swap = read_number(dir, "memory.swap.current");
	if (swap < 0)
		swap = 0;
	if (l->memory_swap.set && l->memory_swap.v > 0 && used + swap >= l->memory_swap.v)
		return refuse_usage("memory+swap", l->memory_swap.v, used + swap, err);
	if (l->memory_limit.set && l->memory_limit.v > 0 && used >= l->memory_limit.v)
		return refuse_usage("memory", l->memory_limit.v, used, err);
	return 0;
}

int cgroup_v2_memory(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l,
		     struct err *err)
{
	if (l->memory_swappiness.set)
		return err_kind(err, ERR_UNSUPPORTED, ENOTSUP,
				"memory swappiness: cgroup v2 has no such setting");
	if (l->memory_disable_oom_killer.set && l->memory_disable_oom_killer.v)
		return err_kind(
			err, ERR_UNSUPPORTED, ENOTSUP,
			"OOM killer switch: the OOM killer cannot be disabled on cgroup v2");
	if (check_usage(dir, l, err) < 0)
		return -EBUSY;
	if (l->memory_limit.set && l->memory_limit.v)
		add_bytes(ws, dir, WHAT("memory limit", "limit"), "memory.max", l->memory_limit.v);
	if (l->memory_reservation.set && l->memory_reservation.v)
		add_bytes(ws, dir, WHAT("memory reservation", "reservation"), "memory.low",
			  l->memory_reservation.v);
	return add_swap(ws, dir, l, err);
}

/* "QUOTA PERIOD"; QUOTA alone keeps the period, a period needs the quota that stands. */
static void add_cpu_max(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l)
{
	bool has_period = l->cpu_period.set && l->cpu_period.v,
	     has_quota = l->cpu_quota.set && l->cpu_quota.v;
	struct cgroup_quota now = {.quota = l->cpu_quota.v};
	struct cgroup_write *w;
	char quota[32] = "max";

	if (!has_period && !has_quota)
		return;
	w = cgroup_writes_add(ws, dir,
			      has_quota ? WHAT("cpu quota", "quota") : WHAT("cpu period", "period"),
			      "cpu.max");
	if (!has_quota)
		(void)cgroup_quota_read(dir, true, &now);
	if (now.quota > 0)
		snprintf(quota, sizeof(quota), "%" PRId64, now.quota);
	if (has_period)
		snprintf(w->value, sizeof(w->value), "%s %" PRIu64, quota, l->cpu_period.v);
	else
		snprintf(w->value, sizeof(w->value), "%s", quota);
}

int cgroup_v2_cpu(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l, struct err *err)
{
	struct cgroup_write *w;

	if (l->cpu_shares.set && l->cpu_shares.v) {
		w = cgroup_writes_add(ws, dir, WHAT("cpu shares", "shares"), "cpu.weight");
		snprintf(w->value, sizeof(w->value), "%" PRIu64,
			 cgroup_shares_to_weight(l->cpu_shares.v));
	}
	add_cpu_max(ws, dir, l);
	if (l->cpu_burst.set) {
		w = cgroup_writes_add(ws, dir, WHAT("cpu burst", "burst"), "cpu.max.burst");
		snprintf(w->value, sizeof(w->value), "%" PRIu64, l->cpu_burst.v);
		w->if_present = l->cpu_burst.v == 0;
	}
	if ((l->cpu_rt_runtime.set && l->cpu_rt_runtime.v) ||
	    (l->cpu_rt_period.set && l->cpu_rt_period.v))
		return err_kind(err, ERR_UNSUPPORTED, ENOTSUP,
				"cpu realtime runtime and period: cgroup v2 has no such settings");
	if (l->cpu_idle.set) {
		w = cgroup_writes_add(ws, dir, WHAT("cpu idle", "idle"), "cpu.idle");
		snprintf(w->value, sizeof(w->value), "%" PRId64, l->cpu_idle.v);
	}
	return 0;
}

/* log2 of x >= 1, bit by bit: the mantissa squared is above 2 exactly if the next bit is set. */
static double log_2(double x)
{
	double log = 0, bit = 1;

	while (x >= 2) {
		x /= 2;
		log += 1;
	}
	for (int i = 0; i < 60; i++) {
		x *= x;
		bit /= 2;
		if (x >= 2) {
			x /= 2;
			log += bit;
		}
	}
	return log;
}

/* 10^y for 0 <= y <= 4, by the power series of e^(y ln 10) halved eight times. */
static double pow_10(double y)
{
	double z = y * 2.302585092994045684 / 256, term = 1, sum = 1;

	for (int i = 1; i < 16; i++) {
		term *= z / i;
		sum += term;
	}
	for (int i = 0; i < 8; i++)
		sum *= sum;
	return sum;
}

/*
 * weight = ceil(10^((l^2 + 125 l) / 612 - 7 / 34)) with l = log2(shares): a parabola in log-log
 * through (2, 1), (1024, 100) and (262144, 10000). Without libm, since the child's program is small
 * and static.
 */
uint64_t cgroup_shares_to_weight(uint64_t shares)
{
	double l, weight;
	uint64_t floor;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log_2((double)shares);
	weight = pow_10((l * l + 125 * l) / 612 - 7.0 / 34);
	/* 1024 is exactly 100; nothing else comes as near to a whole number from above. */
	weight -= 1e-9;
	floor = (uint64_t)weight;
	return floor + ((double)floor < weight);
}

/* Where is it then? /proc/cgroups: "name hierarchy cgroups enabled". 0: not in the kernel, 1: v1,
 * 2: v2 */
static int controller_place(const char *controller)
{
	char text[4096], *line;
	size_t len;

	if (str_eq(controller, "io")) /* its name of v1 */
		controller = "blkio";
	len = strlen(controller);
	if (io_read_at(AT_FDCWD, "/proc/cgroups", text, sizeof(text)) < 0)
		return 0;
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, controller, len) == 0 && line[len] == '\t')
			return line[len + 1] != '0' ? 1 : 2;
	}
	return 0;
}

/* The nearest parent of the leaf that offers @bit, cut out of @dir; false: none. */
static bool find_offering(char *dir, size_t mount_len, uint32_t bit)
{
	for (;;) {
		char *slash = strrchr(dir + mount_len, '/');

		if (!slash)
			return false;
		*slash = '\0';
		if (cgroup_v2_read_in(dir, "cgroup.controllers") & bit)
			return true;
	}
}

int cgroup_missing(const struct cgroup *cg, const char *limit, const char *controller,
		   struct err *err)
{
	const struct cgroup_hierarchy *h = &cg->host->h[cgroup_find_v2(cg->host)];
	char where[CGROUP_DIR_MAX];
	size_t mount_len = cgroup_dir(h, cg->path, where);

	if (find_offering(where, mount_len, cgroup_v2_parse(controller))) {
		err_hint(err, "write +%s into it, or have its owner do so", controller);
		return err_kind(err, ERR_UNSUPPORTED, ENOENT,
				"%s: controller %s is not enabled in %s/cgroup.subtree_control",
				limit, controller, where);
	}
	switch (controller_place(controller)) {
	case 1:
		err_hint(err, "boot with cgroup_no_v1=%s to have it in v2", controller);
		return err_kind(err, ERR_UNSUPPORTED, ENOENT,
				"%s: controller %s belongs to a cgroup v1 hierarchy, not to %s",
				limit, controller, h->mount);
	case 2:
		err_hint(err, "whoever made this namespace or container has to pass it on");
		return err_kind(err, ERR_UNSUPPORTED, ENOENT,
				"%s: controller %s is not in %s/cgroup.controllers", limit,
				controller, h->mount);
	default:
		err_hint(err, "leave the limit out, or take a kernel that is built with it");
		return err_kind(err, ERR_UNSUPPORTED, ENOENT,
				"%s: controller %s is not in this kernel", limit, controller);
	}
}

/* "+cpu +memory …" for @bits into one directory's cgroup.subtree_control. 0 or -errno. */
static int write_subtree(const char *dir, uint32_t bits)
{
	char name[CGROUP_DIR_MAX + 32], text[128];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(v2_names); i++) {
		if (!(cgroup_v2_parse(v2_names[i]) & bits))
			continue;
		strbuf_add(&b, b.len ? " +" : "+");
		strbuf_add(&b, v2_names[i]);
	}
	snprintf(name, sizeof(name), "%s/cgroup.subtree_control", dir);
	return io_write_at(AT_FDCWD, name, text);
}

/*
 * One parent: what it offers and does not pass on yet, together, else one by one. The first failure
 * that concerns @need is returned. Where processes live in it (EBUSY) one by one would do harm: it
 * takes the controllers of threads, and then nobody can be in a cgroup below it.
 */
static int enable_one(const char *dir, uint32_t need, uint32_t others, uint32_t *ret_fault,
		      struct err *err)
{
	uint32_t offered = cgroup_v2_read_in(dir, "cgroup.controllers");
	uint32_t want =
		(need | others) & offered & ~cgroup_v2_read_in(dir, "cgroup.subtree_control");

	int all = want ? write_subtree(dir, want) : 0;

	if (all == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(v2_names); i++) {
		uint32_t bit = cgroup_v2_parse(v2_names[i]) & want;
		int r = !bit ? 0 : all == -EBUSY ? all : write_subtree(dir, bit);

		if (r == 0 || !(bit & need))
			continue;
		*ret_fault = bit;
		if (r == -EBUSY)
			err_hint(err, "processes live in %s itself; move them to a sub-cgroup",
				 dir);
		else if (r == -EACCES || r == -EPERM)
			err_hint(err, "have its owner write +%s into it", v2_names[i]);
		return err_kind(err, ERR_UNSUPPORTED, -r,
				"%s limit: enable controller %s in %s/cgroup.subtree_control",
				v2_names[i], v2_names[i], dir);
	}
	return 0;
}

/* 0 or -errno. */
static int make_valid(const char *dir)
{
	AUTO_CLOSE int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char type[CGROUP_TYPE_SIZE];

	if (!str_eq(cgroup_type(fd, type), "domain invalid"))
		return 0;
	return io_write_at(fd, "cgroup.type", "threaded");
}

int cgroup_v2_thread(const struct cgroup *cg, uint32_t need, uint32_t *ret_fault, struct err *err)
{
	const struct cgroup_hierarchy *h = &cg->host->h[cgroup_find_v2(cg->host)];
	char dir[CGROUP_DIR_MAX], buf[CGROUP_TYPE_SIZE], *slash;
	const char *type = cgroup_type(cgroup_v2_fd(cg), buf);
	size_t mount_len = cgroup_dir(h, cg->path, dir);

	if (!str_eq(type, "domain invalid") && !str_eq(type, "threaded"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(v2_names); i++) {
		*ret_fault = cgroup_v2_parse(v2_names[i]) & need & ~CGROUP_C_THREADED;
		if (!*ret_fault)
			continue;
		err_hint(err, "choose a cgroup that is not below a threaded one");
		return err_kind(err, ERR_UNSUPPORTED, EOPNOTSUPP,
				"%s limit: cgroup %s is threaded, where controller %s cannot be",
				v2_names[i], dir, v2_names[i]);
	}
	/* From above: below who is not there is nothing to be. */
	for (slash = dir + mount_len; slash; *slash = '/') {
		int r;

		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		r = make_valid(dir);
		if (r < 0)
			return err_set(err, -r, "make cgroup %s threaded, as its parent is", dir);
		if (!slash)
			break;
	}
	return 0;
}

int cgroup_v2_enable(const struct cgroup *cg, uint32_t need, uint32_t *ret_fault, struct err *err)
{
	const struct cgroup_hierarchy *h = &cg->host->h[cgroup_find_v2(cg->host)];
	char dir[CGROUP_DIR_MAX], *slash;
	size_t mount_len = cgroup_dir(h, cg->path, dir);
	/* On a hybrid host v2 is an extra of which only what is needed is touched. */
	uint32_t others = cg->host->mode == CGROUP_V2 ? UINT32_MAX : 0;
	uint32_t root, have;

	slash = strrchr(dir, '/');
	*slash = '\0';
	root = cgroup_v2_read_in(h->mount, "cgroup.controllers");
	have = cgroup_v2_read_in(dir, "cgroup.subtree_control");
	if (!((root & others) & ~have) && !(need & ~have))
		return 0;
	*slash = '/';
	for (slash = dir + mount_len; slash; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = enable_one(dir, need, others, ret_fault, err);
		if (r < 0)
			return r;
		have = cgroup_v2_read_in(dir, "cgroup.subtree_control");
		*slash = '/';
	}
	for (size_t i = 0; i < ARRAY_SIZE(v2_names); i++) {
		char limit[32];

		snprintf(limit, sizeof(limit), "%s limit", v2_names[i]);
		*ret_fault = cgroup_v2_parse(v2_names[i]) & need & ~have;
		if (*ret_fault)
			return cgroup_missing(cg, limit, v2_names[i], err);
	}
	return 0;
}
