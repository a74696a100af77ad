/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The leak checker: everything a container can leave behind, one sorted line a thing.
 *
 *	leaks take [-r DIR]... [-x PATH]... [-p PID]
 *		print the lines
 *	leaks check [-r DIR]... [-x PATH]... [-p PID] BEFORE
 *		take until equal to the file BEFORE, 3 s at most; 0, or 1 and the difference
 *		("+" new, "-" gone)
 *
 * -x: PATH and all below it are not looked at: somebody else's, who comes and goes there.
 *
 * Lines: the tree and the inode count below each DIR (state roots, /run; ".cache" of a state root
 * is not a leak, and neither it nor its files are counted); this mount namespace's mounts; the
 * mount namespaces in use; directories of every cgroup hierarchy, with their freezer state;
 * processes, zombies included, but for this program, its ancestors and the kernel's threads; unix
 * sockets; System V IPC; /dev/null's type, mode and owner; the descriptors of PID.
 *
 * It is meant for tests/lib/enclosure, where all that can be seen is the test's own. The 3 s are
 * for what the kernel does by itself after the last descriptor of a thing is closed.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS	   3000
#define PF_KTHREAD 0x200000
#define ROOM	   16

/* What -x leaves out. */
static const char *except[ROOM];
static size_t n_except;

struct lines {
	char **line;
	size_t n, room;
};

static void die(const char *what)
{
	fprintf(stderr, "leaks: %s: %s\n", what, strerror(errno));
	exit(2);
}

__attribute__((format(printf, 2, 3))) static void add(struct lines *l, const char *format, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		die("out of memory");
	va_end(ap);
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->line = reallocarray(l->line, l->room, sizeof(*l->line));
		if (!l->line)
			die("out of memory");
	}
	l->line[l->n++] = text;
}

static void clear(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i]);
	free(l->line);
	*l = (struct lines){0};
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_excepted(const char *path)
{
	for (size_t i = 0; i < n_except; i++) {
		size_t n = strlen(except[i]);

		if (strncmp(path, except[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
			return true;
	}
	return false;
}

/* Read a small file; "" if there is none. */
static void slurp(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buffer, size - 1);

	buffer[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static const char *kind(mode_t mode)
{
	return S_ISDIR(mode)	? "dir"
	       : S_ISREG(mode)	? "file"
	       : S_ISFIFO(mode) ? "fifo"
	       : S_ISSOCK(mode) ? "socket"
	       : S_ISLNK(mode)	? "link"
				: "device";
}

/* The tree below @path on one file system; returns how many inodes are below a ".cache" or left
 * out.
 */
static unsigned long walk(struct lines *l, const char *path, dev_t dev, bool cached)
{
	unsigned long n = 0;
	struct dirent *e;
	DIR *d = opendir(path);

	if (!d)
		return 0;
	while ((e = readdir(d))) {
		char below[4096];
		bool c = cached || strcmp(e->d_name, ".cache") == 0;
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		if (lstat(below, &st) < 0)
			continue;
		c = c || is_excepted(below);
		/* What is mounted there hides one inode of ours. */
		if (st.st_dev != dev) {
			n += c;
			continue;
		}
		if (c)
			n++;
		else
			add(l, "tree %s %s", below, kind(st.st_mode));
		if (S_ISDIR(st.st_mode))
			n += walk(l, below, dev, c);
	}
	closedir(d);
	return n;
}

static void take_tree(struct lines *l, const char *root)
{
	unsigned long cached;
	struct statvfs vfs;
	struct stat st;

	if (stat(root, &st) < 0 || statvfs(root, &vfs) < 0)
		return add(l, "root %s: %s", root, strerror(errno));
	add(l, "root %s mode %o owner %u:%u", root, st.st_mode, st.st_uid, st.st_gid);
	cached = walk(l, root, st.st_dev, false);
	add(l, "inodes %s %lu", root, (unsigned long)(vfs.f_files - vfs.f_ffree) - cached);
}

static void take_cgroups(struct lines *l, const char *path, int depth)
{
	char file[4096 + 32], state[64];
	struct dirent *e;
	DIR *d = opendir(path);

	if (!d || depth > 32) {
		if (d)
			closedir(d);
		return;
	}
	add(l, "cgroup %s", path);
	snprintf(file, sizeof(file), "%s/freezer.state", path);
	slurp(file, state, sizeof(state));
	if (state[0] && strcmp(state, "THAWED\n") != 0)
		add(l, "frozen %s", path);
	while ((e = readdir(d))) {
		char below[4096];

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		take_cgroups(l, below, depth + 1);
	}
	closedir(d);
}

static void take_mounts(struct lines *l)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;

	if (!f)
		die("/proc/self/mountinfo");
	while (getline(&line, &room, f) > 0) {
		char root[4096], point[4096], type[64] = "";
		const char *dash = strstr(line, " - ");

		if (sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2 || !dash)
			continue;
		if (is_excepted(point))
			continue;
		sscanf(dash, " - %63s", type);
		add(l, "mount %s %s %s", point, type, root);
		if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0)
			take_cgroups(l, point, 0);
	}
	free(line);
	fclose(f);
}

/* Fields of /proc/PID/stat after the name: state, ppid and start time. False if it is gone
 * or a thread of the kernel. */
static bool read_stat(const char *pid, char *name, char *ret_state, int *ret_ppid,
		      unsigned long long *ret_start)
{
	char path[64], text[1024], *open_, *close_;
	unsigned flags;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	slurp(path, text, sizeof(text));
	open_ = strchr(text, '(');
	close_ = strrchr(text, ')');
	if (!open_ || !close_)
		return false;
	snprintf(name, 64, "%.*s", (int)(close_ - open_ - 1), open_ + 1);
	return sscanf(close_ + 2,
		      "%c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		      "%llu",
		      ret_state, ret_ppid, &flags, ret_start) == 4 &&
	       !(flags & PF_KTHREAD);
}

static bool is_ancestor(int pid)
{
	int p = getpid();

	while (p > 1) {
		char name[64], state, text[16];
		unsigned long long start;

		if (p == pid)
			return true;
		snprintf(text, sizeof(text), "%d", p);
		if (!read_stat(text, name, &state, &p, &start))
			return false;
	}
	return pid == 1;
}

static void take_processes(struct lines *l)
{
	struct lines namespaces = {0};
	struct dirent *e;
	DIR *d = opendir("/proc");
	size_t n = 0;

	if (!d)
		die("/proc");
	while ((e = readdir(d))) {
		char name[64], state, path[64], ns[64];
		unsigned long long start;
		int ppid;
		ssize_t r;

		if (!isdigit((unsigned char)e->d_name[0]) ||
		    !read_stat(e->d_name, name, &state, &ppid, &start))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", e->d_name);
		r = readlink(path, ns, sizeof(ns) - 1);
		if (r > 0) {
			ns[r] = '\0';
			add(&namespaces, "%s", ns);
		}
		if (!is_ancestor(atoi(e->d_name)))
			add(l, "process %s %s started %llu%s", e->d_name, name, start,
			    state == 'Z' ? " zombie" : "");
	}
	closedir(d);
	qsort(namespaces.line, namespaces.n, sizeof(char *), by_text);
	for (size_t i = 0; i < namespaces.n; i++)
		n += i == 0 || strcmp(namespaces.line[i], namespaces.line[i - 1]) != 0;
	add(l, "mount-namespaces %zu", n);
	clear(&namespaces);
}

/* Each line of a table in /proc, but its first, if it contains @only. */
static void take_table(struct lines *l, const char *what, const char *path, const char *only)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	bool first = true;

	if (!f)
		return;
	while (getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (only ? strstr(line, only) != NULL : !first)
			add(l, "%s %s", what, line);
		first = false;
	}
	free(line);
	fclose(f);
}

/* Sockets of a process that comes and goes (a shell asking nscd) settle within the time of check.
 */
static void take_sockets(struct lines *l)
{
	FILE *f = fopen("/proc/net/unix", "re");
	char *line = NULL;
	size_t room = 0;

	if (!f)
		return;
	while (getline(&line, &room, f) > 0) {
		unsigned long inode;
		char path[256] = "";

		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %255s", &inode, path) >= 1 &&
		    !is_excepted(path))
			add(l, "socket %lu %s", inode, path);
	}
	free(line);
	fclose(f);
}

static void take_descriptors(struct lines *l, const char *pid)
{
	char path[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			add(l, "descriptor %s of %s", e->d_name, pid);
	closedir(d);
}

static void take_null(struct lines *l)
{
	struct stat st;

	if (stat("/dev/null", &st) < 0)
		return add(l, "/dev/null: %s", strerror(errno));
	add(l, "/dev/null mode %o owner %u:%u device %lx", st.st_mode, st.st_uid, st.st_gid,
	    (unsigned long)st.st_rdev);
}

struct request {
	const char *roots[ROOM];
	size_t n_roots;
	const char *pid;
};

static void take(struct lines *l, const struct request *q)
{
	for (size_t i = 0; i < q->n_roots; i++)
		take_tree(l, q->roots[i]);
	take_mounts(l);
	take_processes(l);
	take_sockets(l);
	take_table(l, "shm", "/proc/sysvipc/shm", NULL);
	take_table(l, "sem", "/proc/sysvipc/sem", NULL);
	take_table(l, "msg", "/proc/sysvipc/msg", NULL);
	if (q->pid)
		take_descriptors(l, q->pid);
	take_null(l);
	qsort(l->line, l->n, sizeof(char *), by_text);
}

static void load(struct lines *l, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;

	if (!f)
		die(path);
	while (getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		add(l, "%s", line);
	}
	free(line);
	fclose(f);
	qsort(l->line, l->n, sizeof(char *), by_text);
}

/* Walk two sorted lists; @print shows what is in one only. True if they are the same. */
static bool compare(const struct lines *a, const struct lines *b, bool print)
{
	size_t i = 0, j = 0;
	bool same = true;

	while (i < a->n || j < b->n) {
		int c = i == a->n ? 1 : j == b->n ? -1 : strcmp(a->line[i], b->line[j]);

		if (c == 0) {
			i++;
			j++;
			continue;
		}
		same = false;
		if (!print)
			break;
		printf("%c %s\n", c < 0 ? '-' : '+', c < 0 ? a->line[i++] : b->line[j++]);
	}
	return same;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int check(const struct request *q, const char *before)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	long end = now_ms() + WAIT_MS;
	struct lines then = {0};

	load(&then, before);
	for (;;) {
		struct lines now = {0};
		bool late = now_ms() >= end, same;

		take(&now, q);
		same = compare(&then, &now, late);
		clear(&now);
		if (same || late) {
			clear(&then);
			return same ? 0 : 1;
		}
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	struct request q = {0};
	struct lines l = {0};
	int c;

	if (argc < 2)
		goto usage;
	optind = 2;
	while ((c = getopt(argc, argv, "r:x:p:")) != -1) {
		if (c == 'r' && q.n_roots < ROOM)
			q.roots[q.n_roots++] = optarg;
		else if (c == 'x' && n_except < ROOM)
			except[n_except++] = optarg;
		else if (c == 'p')
			q.pid = optarg;
		else
			goto usage;
	}
	if (strcmp(argv[1], "check") == 0 && optind + 1 == argc)
		return check(&q, argv[optind]);
	if (strcmp(argv[1], "take") != 0 || optind != argc)
		goto usage;
	take(&l, &q);
	for (size_t i = 0; i < l.n; i++)
		puts(l.line[i]);
	clear(&l);
	return fflush(stdout) == 0 ? 0 : 2;
usage:
	fprintf(stderr, "usage: leaks take|check [-r DIR]... [-x PATH]... [-p PID] [BEFORE]\n");
	return 2;
}
