/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor: the least that the kernel can be asked for the container of tests/lib/bundle, with
 * nothing parsed, checked or reported. No runtime can be faster; how far one is above is what it
 * takes for its safety and its words.
 *
 * floor OP KIND BUNDLE STATE FILTER HIERARCHY...
 *
 * OP: run create start state kill pause resume list exec delete. KIND: min or full. STATE: the
 * directory of this one container (list: of all). FILTER: a compiled seccomp filter as oakum keeps
 * it (STATE-ROOT/.cache/HASH.bpf), "-" for none. HIERARCHY: the container's cgroup in one
 * hierarchy, below a parent that stands; "v2:DIR" for that of v2.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define NAMESPACES  (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS)
#define NO_PROGRAMS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define HIDDEN	    (MOUNT_ATTR_RDONLY | NO_PROGRAMS)
#define GROUPS	    24

struct file_system {
	const char *target, *type;
	unsigned attr;
	const char *options[5]; /* "key=value", "flag" */
};

static const struct file_system file_systems[] = {
	{"proc", "proc", 0, {NULL}},
	{"dev", "tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME, {"mode=755", "size=65536k"}},
	{"dev/pts",
	 "devpts",
	 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	 {"newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
	{"dev/shm", "tmpfs", NO_PROGRAMS, {"mode=1777", "size=65536k"}},
	{"dev/mqueue", "mqueue", NO_PROGRAMS, {NULL}},
	{"sys", "sysfs", HIDDEN, {NULL}},
	{"sys/fs/cgroup", "tmpfs", NO_PROGRAMS, {"mode=755", "size=1m"}},
};

static const struct {
	const char *path;
	unsigned major, minor;
} nodes[] = {
	{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
	{"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
};

static const char *const links[][2] = {
	{"/proc/self/fd", "dev/fd"},	   {"/proc/self/fd/0", "dev/stdin"},
	{"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
	{"pts/ptmx", "dev/ptmx"},
};

static const char *const masked[] = {
	"proc/asound",
	"proc/acpi",
	"proc/kcore",
	"proc/keys",
	"proc/timer_list",
	"proc/latency_stats",
	"proc/timer_stats",
	"proc/sched_debug",
	"proc/scsi",
	"sys/firmware",
	"sys/devices/virtual/powercap",
};
static const char *const readonly_paths[] = {
	"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
};

static const int caps_min[] = {CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE};
static const int caps_full[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,	CAP_FOWNER,	      CAP_MKNOD,
	CAP_NET_RAW, CAP_SETGID,       CAP_SETUID,	CAP_SETFCAP,	      CAP_SETPCAP,
	CAP_KILL,    CAP_SYS_CHROOT,   CAP_AUDIT_WRITE, CAP_NET_BIND_SERVICE,
};

static const struct {
	const char *hierarchy, *file, *value;
	bool full;
} limits[] = {
	{"devices", "devices.deny", "a", false},
	{"devices", "devices.allow", "c *:* m", true},
	{"devices", "devices.allow", "b *:* m", true},
	{"devices", "devices.allow", "c 1:3 rwm", false},
	{"devices", "devices.allow", "c 1:8 rwm", false},
	{"devices", "devices.allow", "c 1:7 rwm", false},
	{"devices", "devices.allow", "c 5:0 rwm", false},
	{"devices", "devices.allow", "c 1:5 rwm", false},
	{"devices", "devices.allow", "c 1:9 rwm", false},
	{"devices", "devices.allow", "c 5:1 rwm", true},
	{"devices", "devices.allow", "c 136:* rwm", false},
	{"devices", "devices.allow", "c 5:2 rwm", false},
	{"devices", "devices.allow", "c 10:200 rwm", true},
	{"memory", "memory.limit_in_bytes", "536870912", true},
	{"memory", "memory.memsw.limit_in_bytes", "536870912", true},
	{"cpu", "cpu.shares", "1024", true},
	{"cpu", "cpu.cfs_period_us", "100000", true},
	{"cpu", "cpu.cfs_quota_us", "100000", true},
	{"pids", "pids.max", "200", true},
};

static bool full;
static const char *bundle, *state_dir, *filter_path;
static struct sock_fprog filter;
static const char *cgroups[GROUPS];
static int tasks[GROUPS], v2 = -1, n_cgroups;
static int gate = -1, ready[2];

static long must(long r, const char *what)
{
	if (r >= 0)
		return r;
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	_exit(1);
}
#define MUST(call) must((long)(call), #call)

static const char *in_state(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	return path;
}

/* The hierarchy's name: ".../cpu,cpuacct/PARENT/ID" is "cpu,cpuacct". */
static bool is_hierarchy(const char *dir, const char *name)
{
	const char *at = dir + strlen("/sys/fs/cgroup/");
	size_t len = strlen(name);

	return strncmp(at, name, len) == 0 && (at[len] == '/' || at[len] == ',');
}

/* A descriptor stays open while one file is written to several times. */
static void write_limits(const char *dir)
{
	const char *open_file = "";
	int fd = -1;

	for (size_t i = 0; i < COUNT(limits); i++) {
		char path[512];

		if (!is_hierarchy(dir, limits[i].hierarchy) || (limits[i].full && !full))
			continue;
		if (strcmp(limits[i].file, open_file) != 0) {
			if (fd >= 0)
				close(fd);
			snprintf(path, sizeof(path), "%s/%s", dir, limits[i].file);
			fd = (int)MUST(open(path, O_WRONLY | O_CLOEXEC));
			open_file = limits[i].file;
		}
		MUST(write(fd, limits[i].value, strlen(limits[i].value)));
	}
	if (fd >= 0)
		close(fd);
}

static void open_cgroups(bool make)
{
	for (int i = 0; i < n_cgroups; i++) {
		bool is_v2 = strncmp(cgroups[i], "v2:", 3) == 0;
		const char *dir = cgroups[i] + (is_v2 ? 3 : 0);
		char path[512];

		if (make)
			MUST(mkdir(dir, 0755));
		tasks[i] = -1;
		if (is_v2) {
			v2 = (int)MUST(open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
			continue;
		}
		if (make)
			write_limits(dir);
		snprintf(path, sizeof(path), "%s/tasks", dir);
		tasks[i] = (int)MUST(open(path, O_WRONLY | O_CLOEXEC));
	}
}

static void remove_cgroups(void)
{
	for (int i = 0; i < n_cgroups; i++) {
		const char *dir = cgroups[i] + (strncmp(cgroups[i], "v2:", 3) == 0 ? 3 : 0);

		while (rmdir(dir) < 0 && errno == EBUSY)
			usleep(100);
	}
}

static void join_cgroups(void)
{
	for (int i = 0; i < n_cgroups; i++)
		if (tasks[i] >= 0)
			MUST(write(tasks[i], "0", 1));
}

static void bind_on(const char *source, const char *target, unsigned recursive, uint64_t attr)
{
	struct mount_attr change = {.attr_set = attr};
	int tree = (int)MUST(syscall(SYS_open_tree, AT_FDCWD, source,
				     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive));

	if (attr)
		MUST(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | recursive, &change,
			     sizeof(change)));
	MUST(syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH));
	close(tree);
}

static void mount_one(const struct file_system *f)
{
	int fs = (int)MUST(syscall(SYS_fsopen, f->type, FSOPEN_CLOEXEC)), mnt;

	for (int i = 0; f->options[i]; i++) {
		char key[32];
		const char *value = strchr(f->options[i], '=');

		snprintf(key, sizeof(key), "%.*s", (int)strcspn(f->options[i], "="), f->options[i]);
		MUST(syscall(SYS_fsconfig, fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key,
			     value ? value + 1 : NULL, 0));
	}
	MUST(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	mnt = (int)MUST(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, f->attr));
	MUST(syscall(SYS_move_mount, mnt, "", AT_FDCWD, f->target, MOVE_MOUNT_F_EMPTY_PATH));
	close(mnt);
	close(fs);
}

static void fill_dev(void)
{
	mkdir("dev/pts", 0755);
	mkdir("dev/shm", 0755);
	mkdir("dev/mqueue", 0755);
	for (size_t i = 0; i < COUNT(nodes); i++)
		MUST(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
	for (size_t i = 0; i < COUNT(links); i++)
		MUST(symlink(links[i][0], links[i][1]));
}

static void mount_cgroups(void)
{
	struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};

	for (int i = 0; i < n_cgroups; i++) {
		const char *dir = cgroups[i] + (strncmp(cgroups[i], "v2:", 3) == 0 ? 3 : 0);
		const char *name = dir + strlen("/sys/fs/cgroup/");
		char target[128];

		snprintf(target, sizeof(target), "sys/fs/cgroup/%.*s", (int)strcspn(name, "/"),
			 name);
		MUST(mkdir(target, 0755));
		bind_on(dir, target, 0, HIDDEN);
	}
	MUST(syscall(SYS_mount_setattr, AT_FDCWD, "sys/fs/cgroup", 0, &readonly, sizeof(readonly)));
}

static void bind_files(void)
{
	static const char *const names[] = {"resolv.conf", "hostname", "hosts"};
	char source[512], target[64];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(source, sizeof(source), "%s/etcfiles/%s", bundle, names[i]);
		snprintf(target, sizeof(target), "etc/%s", names[i]);
		bind_on(source, target, AT_RECURSIVE, 0);
	}
	snprintf(source, sizeof(source), "%s/volume", bundle);
	bind_on(source, "vol", AT_RECURSIVE, MOUNT_ATTR_RDONLY);
}

static void mask_paths(void)
{
	struct file_system empty = {
		.type = "tmpfs", .attr = HIDDEN, .options = {"nr_inodes=2", "mode=755"}};
	struct stat st;

	for (size_t i = 0; i < COUNT(readonly_paths); i++)
		if (stat(readonly_paths[i], &st) == 0)
			bind_on(readonly_paths[i], readonly_paths[i], AT_RECURSIVE,
				MOUNT_ATTR_RDONLY);
	for (size_t i = 0; i < COUNT(masked); i++) {
		empty.target = masked[i];
		if (stat(masked[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			mount_one(&empty);
		else
			bind_on("/dev/null", masked[i], 0, MOUNT_ATTR_RDONLY);
	}
}

static void build_root(void)
{
	struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
	char root[512];

	snprintf(root, sizeof(root), "%s/rootfs", bundle);
	MUST(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
	bind_on(root, root, AT_RECURSIVE, 0);
	MUST(chdir(root));
	for (size_t i = 0; i < COUNT(file_systems); i++) {
		if (strcmp(file_systems[i].target, "dev/pts") == 0)
			fill_dev();
		mount_one(&file_systems[i]);
	}
	mount_cgroups();
	if (full)
		bind_files();
	mask_paths();
	if (!full)
		MUST(syscall(SYS_mount_setattr, AT_FDCWD, ".", 0, &readonly, sizeof(readonly)));
	MUST(syscall(SYS_pivot_root, ".", "."));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir("/"));
}

static void network_up(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	MUST(ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
}

static void drop_rights(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {0};
	const struct rlimit files = {1024, 1024};
	const int *caps = full ? caps_full : caps_min;
	uint64_t keep = 0;

	for (size_t i = 0; i < (full ? COUNT(caps_full) : COUNT(caps_min)); i++)
		keep |= UINT64_C(1) << caps[i];
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!(keep >> cap & 1))
			MUST(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
	MUST(setrlimit(RLIMIT_NOFILE, &files));
	umask(022);
	MUST(syscall(SYS_setgroups, 0, NULL));
	MUST(syscall(SYS_setresgid, 0, 0, 0));
	MUST(syscall(SYS_setresuid, 0, 0, 0));
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(keep >> (32 * i));
	MUST(syscall(SYS_capset, &head, data));
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void execute(const char *program)
{
	static char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm",
		"HOME=/root", NULL};
	char *const args[] = {(char *)program, strstr(program, "sleep") ? "100000" : NULL, NULL};
	char byte;

	drop_rights();
	if (gate >= 0) {
		MUST(write(ready[1], "r", 1));
		MUST(read(gate, &byte, 1));
	}
	if (filter.len)
		MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			     &filter));
	MUST(execve(program, args, env));
}

static pid_t spawn(uint64_t flags)
{
	struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};

	if (v2 >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)v2;
	}
	return (pid_t)MUST(syscall(SYS_clone3, &args, sizeof(args)));
}

/* A header of 32 bytes: magic, size of the text that follows, number of instructions, sum. */
static void load_filter(void)
{
	static uint64_t file[1 << 13];
	int fd;

	if (strcmp(filter_path, "-") == 0)
		return;
	fd = (int)MUST(open(filter_path, O_RDONLY | O_CLOEXEC));
	MUST(read(fd, file, sizeof(file)));
	close(fd);
	filter.len = (unsigned short)file[2];
	filter.filter = (struct sock_filter *)((char *)file + 32 + file[1]);
}

static void create(bool run)
{
	char text[256], byte;
	int fd, n;
	pid_t pid;

	load_filter();
	MUST(mkdir(state_dir, 0700));
	open_cgroups(true);
	if (!run) {
		MUST(pipe2(ready, O_CLOEXEC));
		MUST(mknod(in_state("gate"), S_IFIFO | 0600, 0));
		gate = (int)MUST(open(in_state("gate"), O_RDWR | O_CLOEXEC));
	}
	pid = spawn(NAMESPACES);
	if (pid == 0) {
		umask(0);
		join_cgroups();
		setsid();
		MUST(sethostname("perf", 4));
		network_up();
		build_root();
		MUST(syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */));
		execute(run ? "/bin/true" : "/bin/sleep");
	}
	n = snprintf(text, sizeof(text), "%d\n", pid);
	fd = (int)MUST(open(in_state("state"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	MUST(write(fd, text, (size_t)n));
	close(fd);
	if (!run)
		MUST(read(ready[0], &byte, 1));
	else
		MUST(waitpid(pid, NULL, 0));
}

static void destroy(void)
{
	remove_cgroups();
	unlink(in_state("state"));
	unlink(in_state("gate"));
	MUST(rmdir(state_dir));
}

static pid_t load(const char *path)
{
	char text[32] = "";
	int fd = (int)MUST(open(path, O_RDONLY | O_CLOEXEC));

	MUST(read(fd, text, sizeof(text) - 1));
	close(fd);
	return atoi(text);
}

static void print_state(const char *id, pid_t pid)
{
	printf("%s %d %s\n", id, pid, kill(pid, 0) == 0 ? "running" : "stopped");
}

static void list(void)
{
	DIR *d = opendir(state_dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[300];

		snprintf(path, sizeof(path), "%s/state", e->d_name);
		if (e->d_name[0] != '.')
			print_state(e->d_name, load(in_state(path)));
	}
}

static void freeze(const char *want)
{
	char path[512], text[16];

	for (int i = 0; i < n_cgroups; i++) {
		int fd;

		if (!is_hierarchy(cgroups[i], "freezer"))
			continue;
		snprintf(path, sizeof(path), "%s/freezer.state", cgroups[i]);
		fd = (int)MUST(open(path, O_RDWR | O_CLOEXEC));
		MUST(write(fd, want, strlen(want)));
		do {
			MUST(pread(fd, text, sizeof(text), 0));
		} while (strncmp(text, want, strlen(want)) != 0);
	}
}

static void open_gate(void)
{
	int fd = (int)MUST(open(in_state("gate"), O_WRONLY | O_CLOEXEC));

	MUST(write(fd, "x", 1));
	close(fd);
	unlink(in_state("gate"));
}

static void send_kill(pid_t pid)
{
	int fd = (int)MUST(syscall(SYS_pidfd_open, pid, 0));

	MUST(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
}

static void enter(pid_t pid)
{
	int fd = (int)MUST(syscall(SYS_pidfd_open, pid, 0));
	pid_t child;

	load_filter();
	open_cgroups(false);
	MUST(setns(fd, NAMESPACES));
	child = spawn(0);
	if (child == 0) {
		join_cgroups();
		execute("/bin/true");
	}
	MUST(waitpid(child, NULL, 0));
}

int main(int argc, char **argv)
{
	const char *op = argc > 5 ? argv[1] : "";

	if (argc < 6 || argc - 6 > GROUPS)
		return 2;
	full = strcmp(argv[2], "full") == 0;
	bundle = argv[3];
	state_dir = argv[4];
	filter_path = full ? argv[5] : "-";
	for (int i = 6; i < argc; i++)
		cgroups[n_cgroups++] = argv[i];
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (strcmp(op, "run") == 0) {
		create(true);
		destroy();
	} else if (strcmp(op, "create") == 0) {
		create(false);
	} else if (strcmp(op, "start") == 0) {
		open_gate();
	} else if (strcmp(op, "state") == 0) {
		print_state("box", load(in_state("state")));
	} else if (strcmp(op, "list") == 0) {
		list();
	} else if (strcmp(op, "kill") == 0) {
		send_kill(load(in_state("state")));
	} else if (strcmp(op, "pause") == 0) {
		freeze("FROZEN");
	} else if (strcmp(op, "resume") == 0) {
		freeze("THAWED");
	} else if (strcmp(op, "exec") == 0) {
		enter(load(in_state("state")));
	} else if (strcmp(op, "delete") == 0) {
		destroy();
	} else {
		return 2;
	}
	return 0;
}
