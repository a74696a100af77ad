/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The BPF in front of a filter: system calls newer than any that the profile names are answered
 * ENOSYS, so that a C library which tries a new call first falls back to the old one instead of
 * seeing EPERM.
 *
 *   load arch
 *   is it A?  no: next section        (a short jump: a section has at most nine instructions)
 *       load nr; compare; return ENOSYS, or a far jump (BPF_JA has 32 bits) to the filter
 *   is it B?  ...
 *   the filter, which loads what it needs itself
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include "kernel/seccomp_priv.h"

#define NO_SYSCALL (SECCOMP_RET_ERRNO | ENOSYS)

struct program {
	struct sock_filter *out;
	size_t size, n;
};

static size_t emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->n < p->size)
		p->out[p->n] = (struct sock_filter){code, jt, jf, k};
	return p->n++;
}

static void load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/*
 * Compare the number with the newest. The instructions after it are always "return ENOSYS" and "go
 * to the filter", @ahead instructions away.
 */
static void compare(struct program *p, uint32_t newest, uint8_t ahead)
{
	emit(p, BPF_JMP | BPF_JGT | BPF_K, newest, ahead, (uint8_t)(ahead + 1));
}

/* x86_64 and x32 share one AUDIT_ARCH and differ in a bit of the number; one that the profile does
 * not name is left to the filter. */
static void compare_x86(struct program *p, const struct seccomp_stub_arch *a)
{
	if (a->has_plain && a->has_x32) {
		emit(p, BPF_JMP | BPF_JSET | BPF_K, SECCOMP_STUB_X32, 1, 0);
		compare(p, a->plain, 1);
		compare(p, a->x32, 0);
	} else if (a->has_plain) {
		emit(p, BPF_JMP | BPF_JSET | BPF_K, SECCOMP_STUB_X32, 2, 0);
		compare(p, a->plain, 0);
	} else {
		emit(p, BPF_JMP | BPF_JSET | BPF_K, SECCOMP_STUB_X32, 0, 2);
		compare(p, a->x32, 0);
	}
}

static size_t section(struct program *p, const struct seccomp_stub_arch *a, bool x86)
{
	size_t start = emit(p, BPF_JMP | BPF_JEQ | BPF_K, a->audit, 0, 0), far;

	load(p, offsetof(struct seccomp_data, nr));
	if (a->own_from)
		emit(p, BPF_JMP | BPF_JGE | BPF_K, a->own_from, 2, 0);
	if (x86)
		compare_x86(p, a);
	else
		compare(p, a->plain, 0);
	emit(p, BPF_RET | BPF_K, NO_SYSCALL, 0, 0);
	far = emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	if (start < p->size)
		p->out[start].jf = (uint8_t)(p->n - start - 1);
	return far;
}

int seccomp_stub(const struct seccomp_stub_arch *archs, size_t n, struct sock_filter *out,
		 size_t size)
{
	struct program p = {.out = out, .size = size};
	size_t far[SECCOMP_STUB_ARCHS], n_far = 0;

	if (n > SECCOMP_STUB_ARCHS)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		if (!archs[i].has_plain && !archs[i].has_x32)
			continue;
		if (n_far == 0)
			load(&p, offsetof(struct seccomp_data, arch));
		far[n_far++] = section(&p, &archs[i], archs[i].audit == AUDIT_ARCH_X86_64);
	}
	if (p.n > size)
		return -E2BIG;
	for (size_t i = 0; i < n_far; i++)
		out[far[i]].k = (uint32_t)(p.n - far[i] - 1);
	return (int)p.n;
}
