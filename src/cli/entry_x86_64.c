/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the program begins on x86-64: before the C library has been set up, which takes longer than
 * all of this. A command that makes a container process is executed once more from a read-only
 * clone of the program's mount (oakum_protect()), so that the set-up is paid for once. Whatever
 * fails here is left to main(), which looks again and has words for it.
 *
 * No libc, no thread-local storage, no stack protector, nothing that is relocated. Only in the
 * static program without sanitizers; main() does all of it where this is not linked.
 */
#include <elf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "base/sys.h"

static long call(long n, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return r;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Is it perhaps one of the commands that main() protects? Too many only costs time. */
static bool makes_a_process(char **argv)
{
	for (; *argv; argv++)
		if (same(*argv, "run") || same(*argv, "create") || same(*argv, "exec") ||
		    same(*argv, "up"))
			return true;
	return false;
}

static bool is_secure(const Elf64_auxv_t *aux)
{
	for (; aux->a_type != AT_NULL; aux++)
		if (aux->a_type == AT_SECURE)
			return aux->a_un.a_val != 0;
	return true;
}

/* Called with the stack as the kernel has made it: argc, argv, environment, auxiliary vector. */
__attribute__((used, visibility("hidden"))) void entry_main(long *stack);
void entry_main(long *stack)
{
	char **argv = (char **)(stack + 1), **envp = argv + *stack + 1, **end = envp;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV};
	static const char exe[] = "/proc/self/exe";
	struct statfs fs;
	long fd;

	while (*end)
		end++;
	if (is_secure((const Elf64_auxv_t *)(end + 1)) || !makes_a_process(argv))
		return;
	if (call(SYS_statfs, (long)exe, (long)&fs, 0, 0, 0) < 0 || (fs.f_flags & ST_RDONLY))
		return;
	fd = call(SYS_open_tree, AT_FDCWD, (long)exe, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0, 0);
	if (fd < 0)
		return;
	if (call(SYS_mount_setattr, fd, (long)"", AT_EMPTY_PATH, (long)&attr, sizeof(attr)) == 0)
		call(SYS_execveat, fd, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
	call(SYS_close, fd, 0, 0, 0, 0);
}

__asm__(".text\n"
	".globl entry_start\n"
	".type entry_start, @function\n"
	"entry_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rdx, %rbx\n"
	"	mov %rsp, %rdi\n"
	"	call entry_main\n"
	"	mov %rbx, %rdx\n"
	"	jmp _start\n"
	".size entry_start, . - entry_start\n");
