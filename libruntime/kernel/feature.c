/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Probes of system calls and namespaces; see feature.h. A call is made with arguments that can do
 * nothing: one that exists says what is wrong with them, one that does not is ENOSYS.
 */
#include "kernel/feature.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

static enum feature_answer exists(long r)
{
	return r >= 0 || errno != ENOSYS ? FEATURE_YES : FEATURE_NO;
}

/* A filter that knows a call does not answer as the kernel would. */
static enum feature_answer answers(long r, int code)
{
	return r < 0 && errno == code ? FEATURE_YES : FEATURE_NO;
}

static enum feature_answer probe_openat2(void)
{
	return answers(syscall(SYS_openat2, -1, NULL, NULL, 0), EINVAL);
}

static enum feature_answer probe_clone3(void)
{
	return answers(syscall(SYS_clone3, NULL, 0), EINVAL);
}

/* A cgroup that is no descriptor: those who know the flag find that out. */
static enum feature_answer probe_clone_into(void)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 1 << 30};
	long r = sys_clone3(&args);

	if (r == 0)
		_exit(0);
	if (r > 0)
		(void)proc_reap((pid_t)r, NULL);
	return answers(r, EBADF);
}

static enum feature_answer probe_pidfd(void)
{
	return answers(sys_pidfd_open(-1, 0), EINVAL);
}

static enum feature_answer probe_pidfd_signal(void)
{
	return answers(sys_pidfd_send_signal(-1, 0, NULL, 0), EBADF);
}

/* Of a child that has been reaped: only the pidfd knows how it ended. */
static enum feature_answer probe_pidfd_exit(void)
{
	struct sys_pidfd_info info = {.mask = PIDFD_INFO_EXIT};
	AUTO_CLOSE int fd = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(3);
	if (pid < 0)
		return FEATURE_UNKNOWN;
	fd = sys_pidfd_open(pid, 0);
	(void)proc_reap(pid, NULL);
	if (fd < 0)
		return FEATURE_NO;
	return sys_pidfd_get_info(fd, &info) == 0 && (info.mask & PIDFD_INFO_EXIT) ? FEATURE_YES
										   : FEATURE_NO;
}

/* Without the right to mount it is EPERM, whatever the arguments are. */
static enum feature_answer probe_mount_api(void)
{
	return exists(sys_fsopen(NULL, 0));
}

static enum feature_answer probe_mount_setattr(void)
{
	struct mount_attr attr = {.attr_set = 0};

	return exists(sys_mount_setattr(-1, "", 0, &attr));
}

static enum feature_answer probe_close_range(void)
{
	return answers(sys_close_range(1, 0, 0), EINVAL);
}

static enum feature_answer has_namespace(const char *name)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (stat(path, &st) == 0)
		return FEATURE_YES;
	return access("/proc/self/ns", F_OK) == 0 ? FEATURE_NO : FEATURE_UNKNOWN;
}

static enum feature_answer probe_ns_cgroup(void)
{
	return has_namespace("cgroup");
}

static enum feature_answer probe_ns_time(void)
{
	return has_namespace("time");
}

static enum feature_answer probe_ns_user(void)
{
	return has_namespace("user");
}

static enum feature_answer probe_ns_pid(void)
{
	return has_namespace("pid");
}

static enum feature_answer probe_ns_network(void)
{
	return has_namespace("net");
}

static enum feature_answer probe_ns_ipc(void)
{
	return has_namespace("ipc");
}

static enum feature_answer probe_seccomp(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 ? FEATURE_YES : FEATURE_NO;
}

static enum feature_answer probe_keyrings(void)
{
	/* KEYCTL_GET_KEYRING_ID of a keyring that is not: EINVAL or ENOKEY. */
	return exists(syscall(SYS_keyctl, 0, -99, 0));
}

static const struct feature features[] = {
	{"pid namespaces", "2.6.24", "a container shares the host's process ids", false,
	 probe_ns_pid},
	{"network namespaces", "2.6.29", "a container shares the host's network", false,
	 probe_ns_network},
	{"ipc namespaces", "2.6.19", "a container shares the host's IPC", false, probe_ns_ipc},
	{"user namespaces", "3.8", "no rootless containers, no id mappings", false, probe_ns_user},
	{"cgroup namespaces", "4.6", "a container sees where its cgroup is", false,
	 probe_ns_cgroup},
	{"time namespaces", "5.6", "no /linux/timeOffsets", false, probe_ns_time},
	{"clone3", "5.3", "no container can be made", true, probe_clone3},
	{"clone3 into a cgroup", "5.7", "no container on cgroup v2", false, probe_clone_into},
	{"pidfd_open", "5.3", "no container can be made", true, probe_pidfd},
	{"pidfd_send_signal", "5.1", "no container can be made", true, probe_pidfd_signal},
	{"exit status by pidfd", "6.15",
	 "a supervisor that adopts a container does not learn how it ends", false,
	 probe_pidfd_exit},
	{"openat2", "5.6", "paths are walked component by component", false, probe_openat2},
	{"new mount calls (fsopen)", "5.2", "mount(2) is used", false, probe_mount_api},
	{"mount_setattr", "5.12", "no recursive mount options, no id-mapped mounts", false,
	 probe_mount_setattr},
	{"close_range", "5.9", "descriptors are closed one by one", false, probe_close_range},
	{"session keyrings", "2.6.10", "containers need --no-new-keyring", false, probe_keyrings},
	{"seccomp", "3.5", "no /linux/seccomp", false, probe_seccomp},
};

const struct feature *feature_at(size_t i)
{
	return i < ARRAY_SIZE(features) ? &features[i] : NULL;
}

/* What AppArmor's restriction takes away is the rights: the namespace itself may be had. */
static int try_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return errno;
	return unshare(CLONE_NEWNS) < 0 && errno == EPERM ? EACCES : 0;
}

int feature_user_namespace(void)
{
	int status, r;
	pid_t pid = fork();

	if (pid == 0)
		_exit(try_user_namespace());
	if (pid < 0)
		return errno;
	r = proc_reap(pid, &status);
	if (r < 0)
		return -r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}
