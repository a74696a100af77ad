/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The door of seccomp: a profile in, a program for the kernel out, from the cache or from a
 * short-lived process that compiles it; and the installation. Rules and names are in the files
 * beside.
 */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/sys.h"
#include "kernel/seccomp_priv.h"

#define COMPILE_TIMEOUT_MS 30000

/* What the compiling process says, in memory that it shares with us. */
struct answer {
	bool done;
	int result;
	struct err err;
};

int seccomp_bytes_map(struct seccomp_bytes *b, size_t size)
{
	/* Populated at once: a fault a page costs more than the copy. */
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	*b = (struct seccomp_bytes){.p = p, .mapped = size};
	return 0;
}

void seccomp_bytes_done(struct seccomp_bytes *b)
{
	if (b->p)
		(void)munmap(b->p, b->mapped);
	*b = (struct seccomp_bytes){0};
}

void seccomp_free(struct seccomp_filter *f)
{
	if (!f)
		return;
	if (f->insns)
		(void)munmap(f->insns, f->mapped);
	*f = (struct seccomp_filter){0};
}

/*
 * A program at NULL is refused only after the flags have been accepted: EFAULT means that the
 * kernel knows them. Waiting killably is a property of a listener and is refused without one.
 */
static bool kernel_knows(unsigned flag)
{
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

bool seccomp_flag_supported(const char *flag)
{
	int value = seccomp_flag_value(flag);

	return value >= 0 && kernel_knows((unsigned)value);
}

/* TSYNC would say nothing: what is filtered is one thread. */
#define FLAGS_PASSED	(SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW)
#define FLAGS_LISTENING SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV

static int choose_flags(const struct seccomp_profile *p, struct seccomp_filter *f, struct err *err)
{
	unsigned flags = 0;

	if (p->listener && !kernel_knows(SECCOMP_FILTER_FLAG_NEW_LISTENER)) {
		err_pointer(err, "/linux/seccomp/listenerPath");
		return err_kind(err, ERR_UNSUPPORTED, 0,
				"this kernel has no seccomp notifications (Linux 5.0 has)");
	}
	if (!p->flags_present && kernel_knows(SECCOMP_FILTER_FLAG_SPEC_ALLOW))
		flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	for (size_t i = 0; p->flags_present && p->flags && p->flags[i]; i++) {
		int value = seccomp_flag_value(p->flags[i]);

		if (value >= 0 && kernel_knows((unsigned)value)) {
			flags |= (unsigned)value;
			continue;
		}
		err_pointer(err, "/linux/seccomp/flags/%zu", i);
		if (value < 0)
			return err_kind(err, ERR_CONFIG, 0, "unknown seccomp flag \"%s\"",
					p->flags[i]);
		return err_kind(err, ERR_UNSUPPORTED, 0, "this kernel has no seccomp flag %s",
				p->flags[i]);
	}
	f->flags = flags & FLAGS_PASSED;
	f->listener_flags = flags & FLAGS_LISTENING;
	return 0;
}

/* The compiling process. It dies with us. */
static void compile_and_exit(const struct seccomp_profile *profile, int out, struct answer *a,
			     pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent) {
		a->result = seccomp_compile(profile, out, &a->err);
		a->done = true;
	}
	_exit(0);
}

/* 0, or -errno: it has ended, whatever it answered. */
static int wait_for(pid_t pid)
{
	int r = proc_reap_until(pid, clock_deadline(COMPILE_TIMEOUT_MS), NULL);

	if (r < 0)
		(void)proc_end(pid, -1);
	return r;
}

static int run_compiler(const struct seccomp_profile *profile, int out, struct answer *a,
			struct err *err)
{
	pid_t parent = getpid(), pid = fork();
	int r;

	if (pid < 0)
		return err_set(err, errno, "start a process to compile the seccomp filter");
	if (pid == 0)
		compile_and_exit(profile, out, a, parent);
	r = wait_for(pid);
	if (r < 0)
		return err_set(err, -r, "wait for the compiled seccomp filter");
	if (!a->done)
		return err_set(err, ECHILD, "compile the seccomp filter: the process was killed");
	if (a->result < 0 && err)
		*err = a->err;
	return a->result;
}

static int read_program(int fd, struct seccomp_filter *ret, struct err *err)
{
	struct seccomp_bytes b = {0};
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "read the compiled seccomp filter");
	if (st.st_size > (off_t)(SECCOMP_MAX_INSNS * sizeof(struct sock_filter))) {
		err_pointer(err, "/linux/seccomp/syscalls");
		err_hint(err, "conditions on arguments cost most: merge rules that have the same");
		return err_kind(err, ERR_CONFIG, E2BIG,
				"the seccomp filter has %zu instructions, the kernel takes %d",
				(size_t)st.st_size / sizeof(struct sock_filter), SECCOMP_MAX_INSNS);
	}
	r = seccomp_bytes_map(&b, (size_t)st.st_size);
	if (r == 0 && pread(fd, b.p, b.mapped, 0) != st.st_size)
		r = -EIO;
	if (r < 0) {
		seccomp_bytes_done(&b);
		return err_set(err, -r, "read the compiled seccomp filter");
	}
	ret->insns = b.p;
	ret->mapped = b.mapped;
	ret->n = b.mapped / sizeof(struct sock_filter);
	return 0;
}

static int compile(const struct seccomp_profile *profile, struct seccomp_filter *ret,
		   struct err *err)
{
	AUTO_CLOSE int out = memfd_create("seccomp", MFD_CLOEXEC);
	struct answer *a;
	int r;

	if (out < 0)
		return err_set(err, errno, "make a memory file for the seccomp filter");
	a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (a == MAP_FAILED)
		return err_set(err, errno, "map memory for the seccomp filter");
	r = run_compiler(profile, out, a, err);
	(void)munmap(a, sizeof(*a));
	return r < 0 ? r : read_program(out, ret, err);
}

/* Instructions that came ready made. What they are worth the kernel says. */
static int take_raw(const struct seccomp_profile *profile, struct seccomp_filter *ret,
		    struct err *err)
{
	struct seccomp_bytes b = {0};
	int r = seccomp_bytes_map(&b, profile->raw_size);

	if (r < 0)
		return err_set(err, -r, "map memory for the seccomp filter");
	memcpy(b.p, profile->raw, profile->raw_size);
	ret->insns = b.p;
	ret->mapped = b.mapped;
	ret->n = profile->raw_size / sizeof(struct sock_filter);
	return 0;
}

int seccomp_build(const struct seccomp_profile *profile, int cachefd, struct seccomp_filter *ret,
		  struct err *err)
{
	struct seccomp_filter f = {0};
	struct seccomp_key key = {0};
	bool cached = false;
	int r = choose_flags(profile, &f, err);

	if (r == 0 && profile->raw)
		r = take_raw(profile, &f, err);
	if (r == 0 && profile->raw)
		*ret = f;
	if (r < 0 || profile->raw)
		return r;
	if (cachefd >= 0 && seccomp_key_make(profile, &key) < 0)
		cachefd = -1;
	if (cachefd >= 0)
		cached = seccomp_cache_load(cachefd, &key, &f) == SECCOMP_CACHED;
	if (!cached)
		r = compile(profile, &f, err);
	if (r == 0 && !cached && cachefd >= 0)
		seccomp_cache_store(cachefd, &key, &f);
	seccomp_key_done(&key);
	if (r == 0)
		*ret = f;
	return r;
}

int seccomp_install(const struct seccomp_filter *f, struct err *err)
{
	struct sock_fprog program = {.len = (unsigned short)f->n, .filter = f->insns};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f->flags, &program) == 0)
		return 0;
	if (errno == EACCES)
		err_hint(err, "without noNewPrivileges a filter needs CAP_SYS_ADMIN");
	return err_set(err, errno, "install the seccomp filter of %zu instructions", f->n);
}
