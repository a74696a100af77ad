/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cache of compiled filters: used when it can be, never believed when it is damaged or foreign.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "test_seccomp.h"

static char cache_dir[] = "/tmp/oakum-seccomp-XXXXXX";
static int cache;
static struct large cached;

static int make_cache(void **state)
{
	(void)state;
	if (!mkdtemp(cache_dir))
		return -1;
	cache = open(cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	large_init(&cached, "uname");
	return cache < 0 ? -1 : 0;
}

/* The only file, or "" and *@n is how many there are. */
static void only_file(char name[64], size_t *n)
{
	char path[64];
	FILE *p;

	(void)snprintf(path, sizeof(path), "ls -A %s", cache_dir);
	p = popen(path, "re");
	assert_non_null(p);
	*n = 0;
	name[0] = '\0';
	while (fscanf(p, "%63s", path) == 1) {
		(void)snprintf(name, 64, "%.60s", path);
		++*n;
	}
	(void)pclose(p);
}

static int empty_cache(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s/* && chmod 700 %s", cache_dir,
		       cache_dir);
	return system(command);
}

static int remove_cache(void **state)
{
	(void)empty_cache(state);
	(void)close(cache);
	for (int i = 0; i < MANY; i++)
		free(many_names[i]);
	return rmdir(cache_dir);
}

/* In a process that cannot fork, only a cached filter can be had. 1: had it. */
static void without_fork_child(void)
{
	const struct seccomp_rule rule = {.names = NAMES("clone", "clone3", "fork", "vfork"),
					  .action = "SCMP_ACT_ERRNO"};
	const struct seccomp_profile no_fork = simple("SCMP_ACT_ALLOW", &rule);
	struct seccomp_filter f = {0};
	struct err err = ERR_INIT;

	CHECK_OK(seccomp_build(&no_fork, -1, &f, &err), err);
	install(&f);
	seccomp_free(&f);
	if (seccomp_build(&cached.profile, cache, &f, &err) < 0) {
		CHECK(err.code == EPERM);
		_exit(7);
	}
	/* It is the right one, too. */
	install(&f);
	CHECK(uname(&(struct utsname){0}) < 0 && errno == EPERM);
	CHECK(syscall(600) < 0 && errno == ENOSYS);
}

static bool is_cached(void)
{
	int status = in_child(without_fork_child);

	assert_true(status == 0 || WEXITSTATUS(status) == 7);
	return status == 0;
}

static void fill_cache(char name[64])
{
	struct seccomp_filter f;
	struct stat st;
	size_t n;

	build(&cached.profile, cache, &f);
	seccomp_free(&f);
	only_file(name, &n);
	assert_int_equal(n, 1);
	assert_int_equal(fstatat(cache, name, &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_true(is_cached());
}

static void cache_is_used(void **state)
{
	struct seccomp_filter a, b;
	char name[64];
	size_t n;

	(void)state;
	assert_false(is_cached());
	fill_cache(name);
	build(&cached.profile, -1, &a);
	build(&cached.profile, cache, &b);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.insns, b.insns, a.n * sizeof(struct sock_filter));
	assert_int_equal(a.flags, b.flags);
	seccomp_free(&a);
	seccomp_free(&b);

	/* Another profile is another file. */
	large_init(&cached, "getpid");
	assert_false(is_cached());
	build(&cached.profile, cache, &a);
	seccomp_free(&a);
	only_file(name, &n);
	assert_int_equal(n, 2);
	large_init(&cached, "uname");
	assert_true(is_cached());
}

/* Every member of the profile that decides about the filter is in the key. */
static void key_tells_apart(void **state)
{
	static const char *const a[] = {"a", NULL};
	const struct seccomp_arg args[] = {{0, "SCMP_CMP_EQ", 1, 2},
					   {1, "SCMP_CMP_EQ", 1, 2},
					   {0, "SCMP_CMP_NE", 1, 2},
					   {0, "SCMP_CMP_EQ", 2, 2},
					   {0, "SCMP_CMP_EQ", 1, 1}};
	struct seccomp_rule rules[16] = {
		{.names = NAMES("a"), .action = "A"},
		{.names = NAMES("b"), .action = "A"},
		{.names = NAMES("a", "b"), .action = "A"},
		{.names = NAMES("ab"), .action = "A"},
		{.names = NAMES("a", ""), .action = "A"},
		{.names = NULL, .action = "A"},
		{.names = NAMES("a"), .action = "B"},
		{.names = NAMES("a"), .action = "A", .errno_set = true},
		{.names = NAMES("a"), .action = "A", .errno_set = true, .errno_ret = 1}};
	struct seccomp_profile p[24];
	struct seccomp_key keys[24];
	size_t n = 9, count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(args); i++)
		rules[n++] = (struct seccomp_rule){
			.names = a, .action = "A", .args = &args[i], .n_args = 1};
	for (size_t i = 0; i < n; i++)
		p[count++] = (struct seccomp_profile){
			.default_action = "A", .rules = &rules[i], .n_rules = 1};
	p[count++] = (struct seccomp_profile){.default_action = "A"};
	p[count++] = (struct seccomp_profile){.default_action = "B"};
	p[count++] = (struct seccomp_profile){.default_action = "A", .default_errno_set = true};
	p[count++] = (struct seccomp_profile){.default_action = "A", .architectures = NAMES("a")};
	p[count++] = (struct seccomp_profile){.default_action = "A", .architectures = NAMES("b")};
	p[count++] = (struct seccomp_profile){.default_action = "A", .rules = rules, .n_rules = 2};
	for (size_t i = 0; i < count; i++)
		assert_int_equal(seccomp_key_make(&p[i], &keys[i]), 0);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct seccomp_bytes *x = &keys[i].text, *y = &keys[j].text;

			assert_false(x->size == y->size && memcmp(x->p, y->p, x->size) == 0);
			assert_true(keys[i].hash != keys[j].hash);
		}
	for (size_t i = 0; i < count; i++)
		seccomp_key_done(&keys[i]);
}

enum damage { FLIP, CUT, GROW, MODE, OWNER, LINKED, SYMLINK, FIFO, EMPTY, FOREIGN, DAMAGES };

static void flip_at(const char *name, off_t at)
{
	int fd = openat(cache, name, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	assert_int_equal(close(fd), 0);
}

/* The valid file of another profile under this one's name. */
static void put_foreign(const char *name)
{
	char other[64];
	struct large l;
	struct seccomp_filter f;
	size_t n;

	assert_int_equal(unlinkat(cache, name, 0), 0);
	large_init(&l, "chdir"); /* as long as "uname" */
	build(&l.profile, cache, &f);
	seccomp_free(&f);
	only_file(other, &n);
	assert_int_equal(n, 1);
	assert_int_equal(renameat(cache, other, cache, name), 0);
}

static void damage(enum damage what, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", cache_dir, name);
	switch (what) {
	case FLIP:
		flip_at(name, 12000);
		break;
	case CUT:
		assert_int_equal(truncate(path, 9000), 0);
		break;
	case GROW:
		assert_int_equal(truncate(path, 90000), 0);
		break;
	case MODE:
		assert_int_equal(chmod(path, 0644), 0);
		break;
	case OWNER:
		assert_int_equal(chown(path, 1000, 1000), 0);
		break;
	case LINKED:
		assert_int_equal(linkat(cache, name, cache, "second", 0), 0);
		break;
	case SYMLINK:
		assert_int_equal(renameat(cache, name, cache, "second"), 0);
		assert_int_equal(symlinkat("second", cache, name), 0);
		break;
	case FIFO:
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case EMPTY:
		assert_int_equal(truncate(path, 0), 0);
		break;
	case FOREIGN:
		put_foreign(name);
		break;
	case DAMAGES:
		break;
	}
}

/* Never used, and replaced by a good one at once. */
static void damaged_files(void **state)
{
	char name[64];

	for (enum damage what = 0; what < DAMAGES; what++) {
		(void)empty_cache(state);
		fill_cache(name);
		damage(what, name);
		if (is_cached())
			fail_msg("damage %d was not noticed", what);
		build(&cached.profile, cache, &(struct seccomp_filter){0});
		(void)unlinkat(cache, "second", 0);
		if (!is_cached())
			fail_msg("damage %d was not mended", what);
	}
}

/* One bit anywhere. */
static void flipped_bits(void **state)
{
	char name[64];
	struct stat st;

	(void)state;
	fill_cache(name);
	assert_int_equal(fstatat(cache, name, &st, 0), 0);
	for (off_t at = 0; at < st.st_size; at += at < 32 ? 1 : 997) {
		struct seccomp_key key;
		struct seccomp_filter f = {0};
		char copy[64];
		int fd;

		flip_at(name, at);
		assert_int_equal(seccomp_key_make(&cached.profile, &key), 0);
		assert_int_equal(seccomp_cache_load(cache, &key, &f), SECCOMP_NOT_CACHED);
		assert_null(f.insns);
		/* It has been removed. */
		fd = openat(cache, name, O_RDONLY | O_CLOEXEC);
		assert_int_equal(fd, -1);
		seccomp_key_done(&key);
		fill_cache(copy);
		assert_string_equal(copy, name);
	}
}

static void foreign_directory(void **state)
{
	struct seccomp_filter f;
	char name[64];
	size_t n;

	(void)state;
	fill_cache(name);
	assert_int_equal(fchmod(cache, 0777), 0);
	assert_false(is_cached());
	assert_int_equal(fchmod(cache, 0700), 0);
	assert_true(is_cached());
	assert_int_equal(fchown(cache, 1000, 1000), 0);
	assert_false(is_cached());
	(void)empty_cache(state);
	build(&cached.profile, cache, &f);
	seccomp_free(&f);
	only_file(name, &n);
	assert_int_equal(n, 0);
	assert_int_equal(fchown(cache, 0, 0), 0);
}

static void cache_is_bounded(void **state)
{
	char name[64];
	size_t n;

	(void)state;
	for (uint32_t i = 0; i < SECCOMP_CACHE_FILES + 6; i++) {
		struct seccomp_profile p = simple("SCMP_ACT_ERRNO", NULL);
		struct seccomp_filter f;

		p.default_errno_set = true;
		p.default_errno = i;
		build(&p, cache, &f);
		seccomp_free(&f);
	}
	only_file(name, &n);
	assert_int_equal(n, SECCOMP_CACHE_FILES);
	/* Files of others are not counted and not touched. */
	assert_int_equal(close(openat(cache, "README", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	build(&cached.profile, cache, &(struct seccomp_filter){0});
	only_file(name, &n);
	assert_int_equal(n, SECCOMP_CACHE_FILES + 1);
	assert_true(is_cached());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(cache_is_used, empty_cache),
		cmocka_unit_test(key_tells_apart),
		cmocka_unit_test_setup(damaged_files, empty_cache),
		cmocka_unit_test_setup(flipped_bits, empty_cache),
		cmocka_unit_test_setup(foreign_directory, empty_cache),
		cmocka_unit_test_setup(cache_is_bounded, empty_cache),
	};

	return cmocka_run_group_tests(tests, make_cache, remove_cache);
}
