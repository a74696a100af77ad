/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules on cgroup v2: a program made from the list, run by the kernel at each open and
 * mknod. Access is decided bit by bit: the rules are asked from the last to the first, each answers
 * for the bits that it names, and what nobody has allowed is denied. So "deny w" stops an open for
 * reading and writing, and "allow r" with "allow w" permits it.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define PROGRAM_NAME "oakum_dev"
#define INSNS_HEAD   8
#define INSNS_RULE   8
#define INSNS_TAIL   2
#define ATTACHED_MAX 64 /* the kernel's bound for one cgroup */

/* Registers of the program. */
enum { R_ANSWER = 0, R_CONTEXT = 1, R_OPEN = 2, R_TYPE = 3, R_MAJOR = 4, R_MINOR = 5, R_TEMP = 6 };

struct program {
	struct bpf_insn *insn;
	size_t n;
};

static void emit(struct program *p, uint8_t code, uint8_t dst, uint8_t src, int32_t imm)
{
	p->insn[p->n++] =
		(struct bpf_insn){.code = code, .dst_reg = dst, .src_reg = src, .imm = imm};
}

static void emit_load(struct program *p, uint8_t dst, int16_t offset)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, dst, R_CONTEXT, 0);
	p->insn[p->n - 1].off = offset;
}

static void emit_return(struct program *p, int32_t answer)
{
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, R_ANSWER, 0, answer);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0);
}

/* access_type is (access << 16) | type. */
static void emit_head(struct program *p)
{
	emit_load(p, R_OPEN, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, R_TYPE, R_OPEN, 0);
	emit(p, BPF_ALU64 | BPF_AND | BPF_K, R_TYPE, 0, 0xffff);
	emit(p, BPF_ALU64 | BPF_RSH | BPF_K, R_OPEN, 0, 16);
	emit_load(p, R_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(p, R_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

static int32_t access_of(const struct cgroup_device_rule *r)
{
	return (r->read ? BPF_DEVCG_ACC_READ : 0) | (r->write ? BPF_DEVCG_ACC_WRITE : 0) |
	       (r->mknod ? BPF_DEVCG_ACC_MKNOD : 0);
}

static bool is_for_all(const struct cgroup_device_rule *r)
{
	return r->type == 'a' && r->major < 0 && r->minor < 0 &&
	       access_of(r) == (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD);
}

static void emit_rule(struct program *p, const struct cgroup_device_rule *r)
{
	size_t skip[3], skips = 0;

	if (r->type != 'a') {
		skip[skips++] = p->n;
		emit(p, BPF_JMP | BPF_JNE | BPF_K, R_TYPE, 0,
		     r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	}
	if (r->major >= 0) {
		skip[skips++] = p->n;
		emit(p, BPF_JMP | BPF_JNE | BPF_K, R_MAJOR, 0, (int32_t)r->major);
	}
	if (r->minor >= 0) {
		skip[skips++] = p->n;
		emit(p, BPF_JMP | BPF_JNE | BPF_K, R_MINOR, 0, (int32_t)r->minor);
	}
	if (r->allow) {
		/* These bits are settled; if none is open any more, the answer is yes. */
		emit(p, BPF_ALU64 | BPF_AND | BPF_K, R_OPEN, 0, ~access_of(r));
		emit(p, BPF_JMP | BPF_JNE | BPF_K, R_OPEN, 0, 0);
		p->insn[p->n - 1].off = 2;
		emit_return(p, 1);
	} else {
		emit(p, BPF_JMP | BPF_JSET | BPF_K, R_OPEN, 0, access_of(r));
		p->insn[p->n - 1].off = 1;
		emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
		p->insn[p->n - 1].off = 2;
		emit_return(p, 0);
	}
	for (size_t i = 0; i < skips; i++)
		p->insn[skip[i]].off = (int16_t)(p->n - skip[i] - 1);
}

static void make(struct program *p, const struct cgroup_device_rule *rules, size_t n)
{
	emit_head(p);
	for (size_t i = n; i-- > 0;) {
		/* Nothing before it matters, and the verifier refuses what cannot be reached. */
		if (is_for_all(&rules[i])) {
			emit_return(p, rules[i].allow);
			return;
		}
		if (access_of(&rules[i]))
			emit_rule(p, &rules[i]);
	}
	emit_return(p, 0);
}

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* A descriptor or -errno. */
static int load(const struct program *p)
{
	static const char license[] = "LGPL-2.1-or-later";
	struct rlimit old, unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE};
	int fd;

	attr.insn_cnt = (uint32_t)p->n;
	attr.insns = (uintptr_t)p->insn;
	attr.license = (uintptr_t)license;
	memcpy(attr.prog_name, PROGRAM_NAME, sizeof(PROGRAM_NAME));
	fd = sys_bpf(BPF_PROG_LOAD, &attr);
	if (fd >= 0 || errno != EPERM)
		return fd >= 0 ? fd : -errno;
	/* Before Linux 5.11 programs count as locked memory. Whoever may not raise the limit needs
	 * not: */
	if (getrlimit(RLIMIT_MEMLOCK, &old) < 0 || setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0)
		return -EPERM;
	fd = sys_bpf(BPF_PROG_LOAD, &attr);
	fd = fd >= 0 ? fd : -errno;
	(void)setrlimit(RLIMIT_MEMLOCK, &old);
	return fd;
}

/* Is it one of our programs? */
static bool is_ours(int prog)
{
	struct bpf_prog_info info = {.type = 0};
	union bpf_attr attr = {.info = {.bpf_fd = (uint32_t)prog, .info_len = sizeof(info)}};

	attr.info.info = (uintptr_t)&info;
	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && str_eq(info.name, PROGRAM_NAME);
}

/* Descriptors of our programs on @dir, at most @max. Their number, 0 also where the kernel does not
 * tell. */
static size_t find_ours(int dir, int *ret, size_t max)
{
	uint32_t ids[ATTACHED_MAX] = {0};
	union bpf_attr attr = {
		.query = {.target_fd = (uint32_t)dir, .attach_type = BPF_CGROUP_DEVICE}};
	size_t found = 0;

	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = ATTACHED_MAX;
	if (sys_bpf(BPF_PROG_QUERY, &attr) < 0)
		return 0;
	for (uint32_t i = 0; i < attr.query.prog_cnt && found < max; i++) {
		union bpf_attr get = {.prog_id = ids[i]};
		int fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &get);

		if (fd >= 0 && is_ours(fd))
			ret[found++] = fd;
		else
			fd_close(fd);
	}
	return found;
}

static int attach(int dir, int prog, int replace)
{
	union bpf_attr attr = {.target_fd = (uint32_t)dir};

	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI | (replace >= 0 ? BPF_F_REPLACE : 0);
	attr.replace_bpf_fd = replace >= 0 ? (uint32_t)replace : 0;
	return sys_bpf(BPF_PROG_ATTACH, &attr) < 0 ? -errno : 0;
}

static void detach(int dir, int prog)
{
	union bpf_attr attr = {.target_fd = (uint32_t)dir};

	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	(void)sys_bpf(BPF_PROG_DETACH, &attr);
}

/*
 * In place of the first of ours in one step (Linux 5.6); on older kernels beside it, and then the
 * old one goes: all attached programs must agree, so that in between less is allowed, never more.
 */
static int attach_instead(int dir, int prog)
{
	int old[4], r;
	size_t n = find_ours(dir, old, ARRAY_SIZE(old)), first = 0;

	r = n ? attach(dir, prog, old[0]) : -EINVAL;
	if (r == 0)
		first = 1;
	else
		r = attach(dir, prog, -1);
	for (size_t i = 0; i < n; i++) {
		if (r == 0 && i >= first)
			detach(dir, old[i]);
		fd_close(old[i]);
	}
	return r;
}

/* A descriptor, or < 0 with @err. */
static int load_rules(const struct cgroup_device_rule *rules, size_t n, struct err *err)
{
	AUTO_FREE void *mem = NULL;
	struct program p = {.n = 0};
	int prog;

	for (size_t i = 0; i < n; i++)
		if (rules[i].major > INT32_MAX || rules[i].minor > INT32_MAX)
			return err_kind(err, ERR_CONFIG, ERANGE, "device rules: device number");
	mem = reallocarray(NULL, INSNS_HEAD + INSNS_RULE * n + INSNS_TAIL, sizeof(struct bpf_insn));
	if (!mem)
		return err_set(err, ENOMEM, "device rules");
	p.insn = mem;
	make(&p, rules, n);
	prog = load(&p);
	if (prog == -E2BIG)
		err_hint(err,
			 "%zu rules are more than the kernel's verifier looks through: "
			 "give fewer",
			 n);
	else if (prog < 0)
		err_hint(err, "it needs CAP_BPF or CAP_SYS_ADMIN, and a kernel with "
			      "CONFIG_CGROUP_BPF");
	return prog < 0 ? err_set(err, -prog, "device rules: load the eBPF program for cgroup v2")
			: prog;
}

int cgroup_devices_v2(int dir, const struct cgroup_device_rule *rules, size_t n, struct err *err)
{
	AUTO_CLOSE int prog = load_rules(rules, n, err);
	int r = prog < 0 ? prog : attach_instead(dir, prog);

	if (prog < 0)
		return prog;
	return r < 0 ? err_set(err, -r, "device rules: attach the eBPF program to the cgroup") : 0;
}

int cgroup_devices_v2_check(const struct cgroup_device_rule *rules, size_t n, struct err *err)
{
	AUTO_CLOSE int prog = load_rules(rules, n, err);

	return prog < 0 ? prog : 0;
}
