/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiled filters as files HASH.bpf: a header, the text of all that decided about the filter, the
 * instructions. The hash only finds the file; the text is compared byte by byte, so that two
 * profiles never share a filter. What is damaged, not ours, linked elsewhere or open to others is
 * not used.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/seccomp_priv.h"

#define FORMAT	  "oakum seccomp 2" /* changes whenever compiling or the stub does */
#define FILE_MAX  ((size_t)1 << 20)
#define NAME_SIZE 24

static const char magic[8] = {'o', 'a', 'k', 'u', 'm', 'B', 'P', 'F'};

struct header {
	char magic[8];
	uint64_t text_size, insns, sum;
};

/* Not against an attacker (the directory is ours alone): against damage, and fast. */
static uint64_t hash(uint64_t h, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t word;

	for (; size >= sizeof(word); p += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	word = (uint64_t)size << 56;
	memcpy(&word, p, size);
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t checksum(const struct header *h, const void *text, const void *insns)
{
	uint64_t sum = hash(h->insns, text, h->text_size);

	return hash(sum, insns, h->insns * sizeof(struct sock_filter));
}

/* One pass measures (no memory yet), the second writes. Strings end in NUL, lists in an empty one.
 */
static void put(struct seccomp_bytes *b, const void *data, size_t size)
{
	if (b->p)
		memcpy(b->p + b->size, data, size);
	b->size += size;
}

static void put_string(struct seccomp_bytes *b, const char *s)
{
	put(b, s, strlen(s) + 1);
}

static void put_number(struct seccomp_bytes *b, uint64_t v)
{
	put(b, &v, sizeof(v));
}

/* A member of a list is marked, because a name may be empty too. */
static void put_list(struct seccomp_bytes *b, const char *const *list)
{
	for (; list && *list; list++) {
		put(b, "+", 1);
		put_string(b, *list);
	}
	put(b, "", 1);
}

static void put_rule(struct seccomp_bytes *b, const struct seccomp_rule *rule)
{
	put_string(b, rule->action);
	put_number(b, rule->errno_set ? rule->errno_ret : UINT64_MAX);
	put_list(b, rule->names);
	put_number(b, rule->n_args);
	for (size_t i = 0; i < rule->n_args; i++) {
		put_number(b, rule->args[i].index);
		put_string(b, rule->args[i].op);
		put_number(b, rule->args[i].value);
		put_number(b, rule->args[i].value_two);
	}
}

static void put_all(struct seccomp_bytes *b, const struct seccomp_profile *p,
		    const struct utsname *u)
{
	put_string(b, FORMAT);
	put_number(b, seccomp_library());
	put_string(b, u->release);
	put_string(b, u->machine);
	put_string(b, p->default_action);
	put_number(b, p->default_errno_set ? p->default_errno : UINT64_MAX);
	put_list(b, p->architectures);
	put_number(b, p->fail_unknown);
	put_number(b, p->n_rules);
	for (size_t i = 0; i < p->n_rules; i++)
		put_rule(b, &p->rules[i]);
}

int seccomp_key_make(const struct seccomp_profile *profile, struct seccomp_key *ret)
{
	struct seccomp_bytes b = {0};
	struct utsname u;
	int r;

	if (uname(&u) < 0)
		return -errno;
	put_all(&b, profile, &u);
	r = seccomp_bytes_map(&b, b.size);
	if (r < 0)
		return r;
	put_all(&b, profile, &u);
	ret->text = b;
	ret->hash = hash(b.size, b.p, b.size);
	return 0;
}

void seccomp_key_done(struct seccomp_key *key)
{
	seccomp_bytes_done(&key->text);
}

static void file_name(uint64_t h, char name[NAME_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++)
		name[i] = digits[h >> (60 - 4 * i) & 15];
	memcpy(name + 16, ".bpf", 5);
}

static bool is_file_name(const char *name)
{
	return strlen(name) == 20 && strspn(name, "0123456789abcdef") == 16 &&
	       str_eq(name + 16, ".bpf");
}

static bool ours_alone(const struct stat *st)
{
	return st->st_uid == geteuid() && S_ISREG(st->st_mode) && (st->st_mode & 07777) == 0600 &&
	       st->st_nlink == 1;
}

static bool dir_is_ours(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 022) == 0;
}

/* Is the file, read into @file, the filter for @key? Then its instructions are moved to the front.
 */
static bool accept_file(struct seccomp_bytes *file, const struct seccomp_key *key, size_t *ret_n)
{
	const uint8_t *text = file->p + sizeof(struct header), *insns = text + key->text.size;
	struct header h;

	memcpy(&h, file->p, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)) != 0 || h.text_size != key->text.size ||
	    h.insns == 0 || h.insns > SECCOMP_MAX_INSNS ||
	    file->size != sizeof(h) + h.text_size + h.insns * sizeof(struct sock_filter) ||
	    memcmp(text, key->text.p, key->text.size) != 0 || h.sum != checksum(&h, text, insns))
		return false;
	memmove(file->p, insns, h.insns * sizeof(struct sock_filter));
	*ret_n = h.insns;
	return true;
}

/* Read, not mapped: a file that shrinks under a mapping would kill us by SIGBUS. */
static int read_file(int dir, const char *name, const struct seccomp_key *key,
		     struct seccomp_bytes *ret)
{
	AUTO_CLOSE int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !ours_alone(&st) || st.st_size > (off_t)FILE_MAX ||
	    st.st_size < (off_t)(sizeof(struct header) + key->text.size))
		return -EBADMSG;
	r = seccomp_bytes_map(ret, (size_t)st.st_size);
	if (r < 0)
		return r;
	ret->size = (size_t)st.st_size;
	return io_read(fd, ret->p, ret->size) == (ssize_t)ret->size ? 0 : -EBADMSG;
}

int seccomp_cache_load(int dir, const struct seccomp_key *key, struct seccomp_filter *ret)
{
	struct seccomp_bytes file = {0};
	char name[NAME_SIZE];
	size_t n;
	int r;

	if (!dir_is_ours(dir))
		return SECCOMP_NOT_CACHED;
	file_name(key->hash, name);
	r = read_file(dir, name, key, &file);
	if (r == 0 && accept_file(&file, key, &n)) {
		ret->insns = file.p;
		ret->mapped = file.mapped;
		ret->n = n;
		return SECCOMP_CACHED;
	}
	seccomp_bytes_done(&file);
	if (r != -ENOENT)
		(void)unlinkat(dir, name, 0);
	return SECCOMP_NOT_CACHED;
}

/* A file without a name until it is complete: a writer that is killed leaves nothing. */
static int write_nameless(int dir, const struct header *h, const struct seccomp_key *key,
			  const struct seccomp_filter *f)
{
	AUTO_CLOSE int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0600) < 0) /* whatever the umask took away */
		return -errno;
	r = io_write(fd, h, sizeof(*h));
	if (r == 0)
		r = io_write(fd, key->text.p, key->text.size);
	if (r == 0)
		r = io_write(fd, f->insns, f->n * sizeof(struct sock_filter));
	return r < 0 ? r : fd_take(&fd);
}

/* Where the file system has no nameless files (overlayfs before Linux 6.1). */
static void write_replacing(int dir, const char *name, const struct header *h,
			    const struct seccomp_key *key, const struct seccomp_filter *f)
{
	size_t insns = f->n * sizeof(struct sock_filter);
	struct seccomp_bytes b = {0};

	if (seccomp_bytes_map(&b, sizeof(*h) + key->text.size + insns) < 0)
		return;
	put(&b, h, sizeof(*h));
	put(&b, key->text.p, key->text.size);
	put(&b, f->insns, insns);
	(void)io_replace_at(dir, name, b.p, b.size);
	seccomp_bytes_done(&b);
}

static bool older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* How many files there are, and the name of the oldest but @keep. */
static size_t count_files(DIR *d, const char *keep, char oldest[NAME_SIZE])
{
	struct timespec when = {0};
	struct dirent *e;
	struct stat st;
	size_t n = 0;

	oldest[0] = '\0';
	rewinddir(d);
	while ((e = readdir(d))) {
		if (!is_file_name(e->d_name))
			continue;
		n++;
		if (str_eq(e->d_name, keep) ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!oldest[0] || older(&st.st_mtim, &when)) {
			when = st.st_mtim;
			memcpy(oldest, e->d_name, NAME_SIZE - 3);
		}
	}
	return n;
}

static void trim(int dir, const char *keep)
{
	AUTO_CLOSE int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char oldest[NAME_SIZE];
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return;
	(void)fd_take(&fd);
	while (count_files(d, keep, oldest) > SECCOMP_CACHE_FILES && oldest[0])
		if (unlinkat(dir, oldest, 0) < 0 && errno != ENOENT)
			break;
	(void)closedir(d);
}

void seccomp_cache_store(int dir, const struct seccomp_key *key, const struct seccomp_filter *f)
{
	struct header h = {.text_size = key->text.size, .insns = f->n};
	AUTO_CLOSE int fd = -1;
	char name[NAME_SIZE], path[FD_PATH_SIZE];

	if (!dir_is_ours(dir) ||
	    sizeof(h) + key->text.size + f->n * sizeof(struct sock_filter) > FILE_MAX)
		return;
	memcpy(h.magic, magic, sizeof(magic));
	h.sum = checksum(&h, key->text.p, f->insns);
	file_name(key->hash, name);
	fd = write_nameless(dir, &h, key, f);
	if (fd == -EOPNOTSUPP || fd == -EISDIR || fd == -EINVAL)
		write_replacing(dir, name, &h, key, f);
	else if (fd < 0)
		return;
	/* EEXIST: somebody else has just compiled the same. */
	else if (linkat(AT_FDCWD, fd_path(fd, path), dir, name, AT_SYMLINK_FOLLOW) < 0)
		return;
	trim(dir, name);
}
