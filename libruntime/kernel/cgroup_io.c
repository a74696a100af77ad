/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Block I/O: v1's blkio and v2's io. Weights belong to the bfq scheduler where the kernel has it
 * (blkio.bfq.weight, io.bfq.weight), else to what came before (blkio.weight) and after it
 * (io.weight of the io.cost controller, 1…10000).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "kernel/cgroup_internal.h"

static const struct {
	const char *v1, *v2; /* file of v1, key of v2's io.max */
	struct cgroup_what what;
} rates[CGROUP_IO_COUNT] = {
	[CGROUP_IO_READ_BPS] = {"blkio.throttle.read_bps_device",
				"rbps",
				{"read bytes a second", "throttleReadBpsDevice"}},
	[CGROUP_IO_WRITE_BPS] = {"blkio.throttle.write_bps_device",
				 "wbps",
				 {"written bytes a second", "throttleWriteBpsDevice"}},
	[CGROUP_IO_READ_IOPS] = {"blkio.throttle.read_iops_device",
				 "riops",
				 {"reads a second", "throttleReadIOPSDevice"}},
	[CGROUP_IO_WRITE_IOPS] = {"blkio.throttle.write_iops_device",
				  "wiops",
				  {"writes a second", "throttleWriteIOPSDevice"}},
};

/* "WEIGHT", or "MAJOR:MINOR WEIGHT" for one device. */
static struct cgroup_write *add_weight(struct cgroup_writes *ws, int dir, const char *file,
				       const struct cgroup_io_weight *d, uint64_t weight)
{
	bool leaf = strstr(file, "leaf");
	struct cgroup_what what = d	 ? WHAT("block I/O weight of a device", "weightDevice")
				  : leaf ? WHAT("block I/O leaf weight", "leafWeight")
					 : WHAT("block I/O weight", "weight");
	struct cgroup_write *w = cgroup_writes_add(ws, dir, what, file);

	if (d)
		snprintf(w->value, sizeof(w->value), "%" PRIu32 ":%" PRIu32 " %" PRIu64, d->major,
			 d->minor, weight);
	else
		snprintf(w->value, sizeof(w->value), "%" PRIu64, weight);
	return w;
}

/*
 * Into the file of bfq where the kernel has it, else into another, on whose scale @weight is
 * @other. Of a cgroup that is not made yet nobody knows: then the first is said to stand for the
 * second.
 */
static void add_weight_of(struct cgroup_writes *ws, int dir, const char *const files[2],
			  const struct cgroup_io_weight *d, const uint64_t weight[2])
{
	bool bfq = dir >= 0 && cgroup_has_file(dir, files[0]);
	struct cgroup_write *w =
		add_weight(ws, dir, bfq ? files[0] : files[1], d, bfq ? weight[0] : weight[1]);

	if (dir >= 0)
		return;
	snprintf(w->name, sizeof(w->name), "%s %" PRIu64, files[0], weight[0]);
	w->has_other = true;
}

int cgroup_v1_io(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l, struct err *err)
{
	static const char *const all[] = {"blkio.bfq.weight", "blkio.weight"};
	static const char *const one[] = {"blkio.bfq.weight_device", "blkio.weight_device"};

	(void)err;
	if (l->io_weight.set)
		add_weight_of(ws, dir, all, NULL, (uint64_t[]){l->io_weight.v, l->io_weight.v});
	if (l->io_leaf_weight.set)
		add_weight(ws, dir, "blkio.leaf_weight", NULL, l->io_leaf_weight.v);
	for (size_t i = 0; i < l->n_io_weights; i++) {
		const struct cgroup_io_weight *d = &l->io_weights[i];

		if (d->weight)
			add_weight_of(ws, dir, one, d, (uint64_t[]){d->weight, d->weight});
		if (d->leaf_weight)
			add_weight(ws, dir, "blkio.leaf_weight_device", d, d->leaf_weight);
	}
	for (size_t i = 0; i < l->n_io_rates; i++) {
		const struct cgroup_io_rate *r = &l->io_rates[i];
		struct cgroup_write *w =
			cgroup_writes_add(ws, dir, rates[r->kind].what, rates[r->kind].v1);
		bool bytes = r->kind == CGROUP_IO_READ_BPS || r->kind == CGROUP_IO_WRITE_BPS;
		/* The kernel cuts operations off at 32 bits, from above. */
		uint64_t rate = bytes || r->rate < UINT32_MAX ? r->rate : UINT32_MAX;

		snprintf(w->value, sizeof(w->value), "%" PRIu32 ":%" PRIu32 " %" PRIu64, r->major,
			 r->minor, rate);
	}
	return 0;
}

/* 10…1000 on bfq's scale to 1…10000 on that of io.weight. */
static uint64_t scaled(uint64_t weight)
{
	return 1 + (weight - 10) * 9999 / 990;
}

static bool any_leaf(const struct cgroup_limits *l)
{
	for (size_t i = 0; i < l->n_io_weights; i++)
		if (l->io_weights[i].leaf_weight)
			return true;
	return l->io_leaf_weight.set;
}

int cgroup_v2_io(struct cgroup_writes *ws, int dir, const struct cgroup_limits *l, struct err *err)
{
	static const char *const files[] = {"io.bfq.weight", "io.weight"};

	if (any_leaf(l))
		return err_kind(err, ERR_UNSUPPORTED, ENOTSUP,
				"block I/O leaf weight: cgroup v2 has no such setting");
	if (l->io_weight.set)
		add_weight_of(ws, dir, files, NULL,
			      (uint64_t[]){l->io_weight.v, scaled(l->io_weight.v)});
	for (size_t i = 0; i < l->n_io_weights; i++) {
		const struct cgroup_io_weight *d = &l->io_weights[i];

		if (d->weight)
			add_weight_of(ws, dir, files, d,
				      (uint64_t[]){d->weight, scaled(d->weight)});
	}
	for (size_t i = 0; i < l->n_io_rates; i++) {
		const struct cgroup_io_rate *r = &l->io_rates[i];
		struct cgroup_write *w = cgroup_writes_add(ws, dir, rates[r->kind].what, "io.max");
		int n = snprintf(w->value, sizeof(w->value),
				 "%" PRIu32 ":%" PRIu32 " %s=", r->major, r->minor,
				 rates[r->kind].v2);

		if (r->rate)
			snprintf(w->value + n, sizeof(w->value) - (size_t)n, "%" PRIu64, r->rate);
		else
			snprintf(w->value + n, sizeof(w->value) - (size_t)n, "max");
	}
	return 0;
}
