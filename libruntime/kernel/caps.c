/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capabilities of the process about to be executed, by raw system calls: libcap's setters allocate
 * and, in a program with threads, signal every one of them. What the kernel really holds is read
 * back.
 */
#include "kernel/caps.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#include "base/err.h"
#include "base/names.h"
#include "base/sys.h"

#define BIT(cap) (UINT64_C(1) << (cap))

static int in_bounding(int cap)
{
	return prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
}

/*
 * Asked of the kernel, not read from cap_last_cap: /proc may be the container's own by now, and a
 * fake number there would leave capabilities in the bounding set.
 */
int caps_last(void)
{
	int cap = CAP_LAST_CAP;

	if (in_bounding(cap) < 0) {
		while (cap >= 0 && in_bounding(cap) < 0)
			cap--;
		return cap;
	}
	while (cap < 63 && in_bounding(cap + 1) >= 0)
		cap++;
	return cap;
}

static uint64_t known_mask(int last)
{
	return last >= 63 ? UINT64_MAX : BIT(last + 1) - 1;
}

/* -1: @mask is empty. */
static int lowest(uint64_t mask)
{
	return mask ? __builtin_ctzll(mask) : -1;
}

/* "@set capabilities: @what NAME" of the lowest in @mask. */
static int failed(const char *set, const char *what, uint64_t mask, int code, struct err *err)
{
	char buf[NAMES_TEXT];

	err_pointer(err, "/process/capabilities/%s", set);
	return err_set(err, code, "%s capabilities: %s %s", set, what,
		       names_capability_text(lowest(mask), buf));
}

static int lacking(const char *set, uint64_t mask, struct err *err)
{
	err_hint(err, "this process itself lacks it; ask for fewer or run with more");
	if (err)
		err->kind = ERR_UNSUPPORTED;
	return failed(set, "we do not have", mask, EPERM, err);
}

/* The bounding set; *@ret_known: all that this kernel knows. The kernel says EINVAL to the first
 * number beyond. */
static int read_bounding(uint64_t *ret, uint64_t *ret_known, struct err *err)
{
	uint64_t mask = 0;
	int cap = 0, r = 0;

	for (; cap <= 63; cap++) {
		r = in_bounding(cap);
		if (r < 0)
			break;
		if (r)
			mask |= BIT(cap);
	}
	if (cap == 0)
		return err_set(err, errno, "ask the kernel for its capabilities");
	*ret = mask;
	*ret_known = known_mask(cap - 1);
	return 0;
}

/* Of those in @mask. The kernel keeps all others out: ambient capabilities are permitted and
 * inheritable ones, whatever changes those sets. */
static uint64_t read_ambient(uint64_t mask)
{
	uint64_t found = 0;

	for (; mask; mask &= mask - 1) {
		int cap = lowest(mask);

		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
			found |= BIT(cap);
	}
	return found;
}

int caps_bound(const struct caps *want, struct err *err)
{
	uint64_t mask = 0, have = 0, missing, drop;
	int r = read_bounding(&have, &mask, err);

	if (r < 0)
		return r;
	missing = want->bounding & mask & ~have;
	if (missing)
		return lacking("bounding", missing, err);
	for (drop = have & ~want->bounding; drop; drop &= drop - 1)
		if (prctl(PR_CAPBSET_DROP, lowest(drop), 0, 0, 0) < 0)
			return failed("bounding", "drop", drop, errno, err);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "keep capabilities across the change of user");
	return 0;
}

static int read_sets(struct caps *ret, struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (syscall(SYS_capget, &head, data) < 0)
		return err_set(err, errno, "read capabilities back");
	ret->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	ret->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	ret->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

/* EPERM of capset(2) has three causes, and the reader can only mend one that is named. */
static int sets_refused(const struct caps *want, uint64_t mask, struct err *err)
{
	int code = errno;
	struct caps have;

	if (code == EPERM && read_sets(&have, NULL) == 0) {
		if (want->permitted & mask & ~have.permitted)
			return lacking("permitted", want->permitted & mask & ~have.permitted, err);
		if (want->effective & mask & ~want->permitted)
			return failed("effective",
				      "not permitted:", want->effective & mask & ~want->permitted,
				      code, err);
		if (want->inheritable & mask & ~have.inheritable & ~want->bounding)
			return failed("inheritable", "not in the bounding set:",
				      want->inheritable & mask & ~have.inheritable &
					      ~want->bounding,
				      code, err);
	}
	return err_set(err, code, "set capabilities");
}

static int write_sets(const struct caps *want, uint64_t mask, struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)((want->effective & mask) >> (32 * i));
		data[i].permitted = (uint32_t)((want->permitted & mask) >> (32 * i));
		data[i].inheritable = (uint32_t)((want->inheritable & mask) >> (32 * i));
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return sets_refused(want, mask, err);
	return 0;
}

/* Kernels before 4.3 have no ambient set: nothing to clear there, and nothing to raise. */
static int write_ambient(uint64_t want, struct err *err)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
		if (errno == EINVAL && want == 0)
			return 0;
		return err_set(err, errno, "clear the ambient capabilities");
	}
	for (; want; want &= want - 1)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, lowest(want), 0, 0) < 0)
			return failed("ambient", "raise", want, errno, err);
	return 0;
}

static int compare(const char *set, uint64_t want, uint64_t have, struct err *err)
{
	if (want == have)
		return 0;
	return failed(set, want & ~have ? "read back without" : "read back with",
		      want & ~have ? want & ~have : have & ~want, EPERM, err);
}

int caps_apply(const struct caps *want, uint64_t *ret_skipped, struct err *err)
{
	struct caps have = {0};
	uint64_t mask = 0, ambient;
	int r = read_bounding(&have.bounding, &mask, err);

	if (r < 0)
		return r;
	ambient = want->ambient & want->permitted & want->inheritable & mask;

	r = write_sets(want, mask, err);
	if (r == 0)
		r = write_ambient(ambient, err);
	if (r == 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		r = err_set(err, errno, "clear the flag that keeps capabilities");
	if (r == 0)
		r = read_sets(&have, err);
	if (r == 0)
		r = compare("bounding", want->bounding & mask, have.bounding, err);
	if (r == 0)
		r = compare("effective", want->effective & mask, have.effective, err);
	if (r == 0)
		r = compare("permitted", want->permitted & mask, have.permitted, err);
	if (r == 0)
		r = compare("inheritable", want->inheritable & mask, have.inheritable, err);
	if (r == 0)
		r = compare("ambient", ambient, read_ambient(have.permitted & have.inheritable),
			    err);
	if (r == 0 && ret_skipped)
		*ret_skipped = want->ambient & mask & ~ambient;
	return r;
}
