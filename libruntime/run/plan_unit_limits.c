/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits as properties of the container's unit. systemd writes a unit's cgroup files whenever it
 * pleases, so it has to know what we write: each file that cgroup_dry() names has its property
 * here, also where the value comes from "unified". Files that systemd does not know (hugetlb, rdma,
 * misc) stay ours alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "run/plan.h"

#define QUOTA_STEP_US 10000 /* systemd rounds to it where it reads its own files again */
#define CPUS_MAX      8192
#define IDLE_SINCE    252 /* the version in which CPUWeight=0 came to mean cpu.idle */

enum { IO_READ, IO_WRITE, IO_READ_RATE, IO_WRITE_RATE, IO_WEIGHT, IO_LISTS };

struct making {
	const struct plan_unit_limits *request;
	struct plan_properties *before, *after;
	struct arena *arena;
	bool has_quota, has_period, idle, v2_cpu;
	uint64_t quota, period;	  /* UINT64_MAX: no limit */
	int cpu_dir;		  /* where the others of the two stand, -1: nowhere yet */
	const char *io[IO_LISTS]; /* "('/dev/block/8:0',uint64 1),(…" */
};

static bool add(struct making *m, const struct cgroup_dry_write *w, const char *name, uint64_t v)
{
	return plan_add_property(w->before ? m->before : m->after, m->arena, "%s=uint64 %" PRIu64,
				 name, v);
}

/* A number with a suffix, "max" or "-1". False: none of them, which the kernel will say too. */
static bool read_amount(const char *text, uint64_t *ret)
{
	*ret = UINT64_MAX;
	return str_eq(text, "max") || str_eq(text, "-1") || str_to_size(text, UINT64_MAX, ret) == 0;
}

static const struct {
	const char *file, *property;
} amounts[] = {
	{"memory.max", "MemoryMax"},
	{"memory.high", "MemoryHigh"},
	{"memory.low", "MemoryLow"},
	{"memory.min", "MemoryMin"},
	{"memory.swap.max", "MemorySwapMax"},
	{"memory.zswap.max", "MemoryZSwapMax"},
	{"memory.limit_in_bytes", "MemoryLimit"},
	{"pids.max", "TasksMax"},
	{"cpu.weight", "CPUWeight"},
	{"cpu.shares", "CPUShares"},
	{"blkio.weight", "BlockIOWeight"},
	{"blkio.bfq.weight", "BlockIOWeight"},
};

/* ---- cpu ---- */

/* "QUOTA PERIOD", "QUOTA"; each as it was where it is not given. */
static void note_cpu_max(struct making *m, const char *text)
{
	size_t len = strcspn(text, " ");
	const char *period = text[len] ? text + len + 1 : "";

	m->has_quota = true;
	if (strn_to_u64(text, len, 0, UINT64_MAX, &m->quota) < 0)
		m->quota = UINT64_MAX;
	if (str_to_u64(period, 1, UINT64_MAX, &m->period) == 0)
		m->has_period = true;
}

static bool note_cpu(struct making *m, const struct cgroup_dry_write *w, int dir)
{
	m->v2_cpu |= w->hierarchy->v2;
	if (str_eq(w->file, "cpu.max")) {
		note_cpu_max(m, w->value);
	} else if (str_eq(w->file, "cpu.cfs_quota_us")) {
		m->has_quota = read_amount(w->value, &m->quota);
	} else if (str_eq(w->file, "cpu.cfs_period_us")) {
		m->has_period = str_to_u64(w->value, 1, UINT64_MAX, &m->period) == 0;
	} else if (str_eq(w->file, "cpu.idle")) {
		m->idle = str_eq(w->value, "1");
	} else {
		return false;
	}
	m->cpu_dir = dir;
	return true;
}

/* What an update leaves alone is what stands in the cgroup. */
static void complete_cpu(struct making *m)
{
	struct cgroup_quota old;

	(void)cgroup_quota_read(m->cpu_dir, m->v2_cpu, &old);
	if (!m->has_quota)
		m->quota = old.quota < 0 ? UINT64_MAX : (uint64_t)old.quota;
	if (!m->has_period)
		m->period = old.period;
}

static void add_cpu(struct making *m)
{
	uint64_t rate = UINT64_MAX;

	if (m->idle && (!m->request->systemd || m->request->systemd >= IDLE_SINCE))
		(void)plan_add_property(m->after, m->arena, "CPUWeight=uint64 0");
	if (!m->has_quota && !m->has_period)
		return;
	complete_cpu(m);
	if (m->quota < UINT64_MAX / 1000000) {
		rate = m->quota * 1000000 / m->period;
		rate = (rate + QUOTA_STEP_US - 1) / QUOTA_STEP_US * QUOTA_STEP_US;
	}
	(void)plan_add_property(m->after, m->arena, "CPUQuotaPeriodUSec=uint64 %" PRIu64,
				m->period);
	(void)plan_add_property(m->after, m->arena, "CPUQuotaPerSecUSec=uint64 %" PRIu64, rate);
}

/* "0-3,7" as the bits of bytes, the lowest first: "@ay [0x8f]". */
static bool add_cpus(struct making *m, const struct cgroup_dry_write *w, const char *property)
{
	uint8_t *bits = arena_alloc(m->arena, CPUS_MAX / 8);
	char *mem = arena_alloc(m->arena, CPUS_MAX / 8 * 5 + 1);
	size_t n = 0;
	struct strbuf b;

	if (!bits || !mem)
		return false;
	for (const char *p = w->value; *p; p += *p == ',') {
		size_t len = strcspn(p, ","), dash = strcspn(p, "-,");
		uint64_t first, last;

		if (strn_to_u64(p, dash, 0, CPUS_MAX - 1, &first) < 0)
			return true; /* the kernel says what is wrong with it */
		last = first;
		if (dash < len &&
		    strn_to_u64(p + dash + 1, len - dash - 1, first, CPUS_MAX - 1, &last) < 0)
			return true;
		for (uint64_t i = first; i <= last; i++)
			bits[i / 8] |= (uint8_t)(1u << i % 8);
		n = last / 8 + 1 > n ? last / 8 + 1 : n;
		p += len;
	}
	strbuf_init(&b, mem, CPUS_MAX / 8 * 5 + 1);
	for (size_t i = 0; i < n; i++)
		strbuf_fmt(&b, "%s0x%02x", i ? "," : "", bits[i]);
	return n == 0 || plan_add_property(w->before ? m->before : m->after, m->arena,
					   "%s=@ay [%s]", property, mem);
}

/* ---- block I/O ---- */

static const char *const io_v2[IO_LISTS] = {
	"IOReadBandwidthMax", "IOWriteBandwidthMax", "IOReadIOPSMax",
	"IOWriteIOPSMax",     "IODeviceWeight",
};
static const char *const io_v1[IO_LISTS] = {
	"BlockIOReadBandwidth", "BlockIOWriteBandwidth", NULL, NULL, "BlockIODeviceWeight",
};
static const struct {
	const char *word; /* of io.max, or a file of v1 */
	int list;
} io_words[] = {
	{"rbps", IO_READ},
	{"wbps", IO_WRITE},
	{"riops", IO_READ_RATE},
	{"wiops", IO_WRITE_RATE},
	{"blkio.throttle.read_bps_device", IO_READ},
	{"blkio.throttle.write_bps_device", IO_WRITE},
	{"blkio.weight_device", IO_WEIGHT},
	{"blkio.bfq.weight_device", IO_WEIGHT},
};

static void note_io(struct making *m, int list, const char *device, size_t len, uint64_t v)
{
	const char *old = m->io[list] ? m->io[list] : "";

	m->io[list] = arena_printf(m->arena, "%s%s('/dev/block/%.*s',uint64 %" PRIu64 ")", old,
				   *old ? "," : "", (int)len, device, v);
}

static void note_io_word(struct making *m, const char *word, size_t word_len, const char *device,
			 size_t len, const char *value, size_t value_len)
{
	uint64_t v = UINT64_MAX;

	if (strn_to_u64(value, value_len, 0, UINT64_MAX, &v) < 0 &&
	    !(value_len == 3 && strncmp(value, "max", 3) == 0))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(io_words); i++)
		if (strlen(io_words[i].word) == word_len &&
		    strncmp(io_words[i].word, word, word_len) == 0)
			note_io(m, io_words[i].list, device, len, v);
}

/* "8:0 rbps=1 wbps=max" and more lines of the same. */
static void note_io_max(struct making *m, const char *text)
{
	while (*text) {
		size_t line = strcspn(text, "\n"), device = strcspn(text, " \n");
		const char *p = text + device, *end = text + line;

		while (p < end) {
			size_t len, word;

			p += strspn(p, " ");
			len = strcspn(p, " \n");
			word = strcspn(p, "= \n");
			if (word < len)
				note_io_word(m, p, word, text, device, p + word + 1,
					     len - word - 1);
			p += len;
		}
		text = end + (*end == '\n');
	}
}

/* io.weight: "300", "default 300" or "8:0 300", on systemd's own scale; bfq's is a tenth of it. */
static bool note_weight(struct making *m, const struct cgroup_dry_write *w)
{
	bool bfq = str_eq(w->file, "io.bfq.weight");
	const char *text = w->value, *gap = strchr(text, ' ');
	uint64_t v;

	if (!bfq && !str_eq(w->file, "io.weight"))
		return false;
	if (str_to_u64(gap ? gap + 1 : text, 1, 10000, &v) < 0)
		return true;
	v = bfq && v >= 10 ? 1 + (v - 10) * 9999 / 990 : v;
	if (gap && !str_starts(text, "default "))
		note_io(m, IO_WEIGHT, text, (size_t)(gap - text), v);
	else
		(void)add(m, w, "IOWeight", v);
	return true;
}

static bool note_v1_io(struct making *m, const struct cgroup_dry_write *w)
{
	const char *gap = strchr(w->value, ' ');

	if (!str_starts(w->file, "blkio.") || !gap)
		return false;
	note_io_word(m, w->file, strlen(w->file), w->value, (size_t)(gap - w->value), gap + 1,
		     strlen(gap + 1));
	return true;
}

static void add_io(struct making *m)
{
	bool v2 = m->request->host->mode == CGROUP_V2;

	for (size_t i = 0; i < IO_LISTS; i++) {
		const char *name = v2 ? io_v2[i] : io_v1[i];

		if (m->io[i] && name)
			(void)plan_add_property(m->after, m->arena, "%s=[%s]", name, m->io[i]);
	}
}

/* ---- all ---- */

static void note(void *data, const struct cgroup_dry_write *w)
{
	struct making *m = data;
	const struct cgroup *live = m->request->live;
	int dir = live ? live->fd[w->hierarchy - m->request->host->h] : -1;
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++)
		if (str_eq(w->file, amounts[i].file) && read_amount(w->value, &v)) {
			(void)add(m, w, amounts[i].property, v);
			return;
		}
	if (str_eq(w->file, "cpuset.cpus") && w->hierarchy->v2)
		(void)add_cpus(m, w, "AllowedCPUs");
	else if (str_eq(w->file, "cpuset.mems") && w->hierarchy->v2)
		(void)add_cpus(m, w, "AllowedMemoryNodes");
	else if (str_eq(w->file, "io.max"))
		note_io_max(m, w->value);
	else if (!note_cpu(m, w, dir) && !note_weight(m, w))
		(void)note_v1_io(m, w);
}

int plan_unit_limits(const struct plan_unit_limits *request, struct plan_properties *before,
		     struct plan_properties *after, struct arena *arena, struct err *err)
{
	struct making m = {
		.request = request,
		.before = before,
		.after = after,
		.arena = arena,
		.cpu_dir = -1,
	};
	int r = request->live
			? cgroup_dry_update(request->live, request->limits, note, &m, err)
			: cgroup_dry(request->host, request->path, request->limits, note, &m, err);

	if (r < 0)
		return r;
	add_cpu(&m);
	add_io(&m);
	return after->no_memory || before->no_memory ? err_set(err, ENOMEM, "plan the unit") : 0;
}
