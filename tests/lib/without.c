/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * without [-e ERRNO] CALL[,CALL...] COMMAND [ARG...]: run COMMAND on a kernel that has not these
 * system calls: a seccomp filter answers ENOSYS, or the errno of that number, for them.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(name)                                                                                 \
	{                                                                                          \
#name, SYS_##name                                                                  \
	}

static const struct {
	const char *name;
	long number;
} calls[] = {
	CALL(openat2), CALL(clone3),	 CALL(fsopen),	      CALL(open_tree),
	CALL(fsmount), CALL(move_mount), CALL(mount_setattr), CALL(close_range),
	CALL(fspick),  CALL(fsconfig),	 CALL(pidfd_open),    CALL(pidfd_send_signal),
	CALL(unshare), CALL(keyctl),	 CALL(add_key),	      CALL(seccomp),
};

#define MAX (sizeof(calls) / sizeof(calls[0]))

static int add(struct sock_filter *f, const char *name, int code)
{
	for (size_t i = 0; i < MAX; i++) {
		if (strcmp(calls[i].name, name) != 0)
			continue;
		f[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						    (unsigned)calls[i].number, 0, 1);
		f[1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						    SECCOMP_RET_ERRNO | (unsigned)code);
		return 2;
	}
	fprintf(stderr, "without: no call %s\n", name);
	exit(125);
}

int main(int argc, char **argv)
{
	struct sock_filter filter[2 * MAX + 2];
	struct sock_fprog prog = {.filter = filter};
	int code = ENOSYS, n = 0;
	char *save = NULL;

	if (argc > 2 && strcmp(argv[1], "-e") == 0) {
		code = atoi(argv[2]);
		argv += 2;
		argc -= 2;
	}
	if (argc < 3) {
		fprintf(stderr, "usage: without [-e ERRNO] CALL[,CALL...] COMMAND [ARG...]\n");
		return 125;
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	for (char *name = strtok_r(argv[1], ",", &save); name; name = strtok_r(NULL, ",", &save))
		n += add(filter + n, name, code);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0) {
		perror("without");
		return 125;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
