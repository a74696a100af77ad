/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a program does not run: made files, what is read from them, and what is said of them. Where
 * this machine's kernel can be asked, its execve(2) gives the errno.
 */
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "kernel/program.h"
#include "test_fork.h"

static char dir[64];

/* DIR/NAME, in one of a few buffers. */
static const char *at(const char *name)
{
	static char path[4][160];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static void make(const char *name, const void *bytes, size_t n, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void make_text(const char *name, const char *text)
{
	make(name, text, strlen(text), 0755);
}

/* What this machine's kernel says of it; 0 if it runs. */
static int refused(const char *path)
{
	char *argv[] = {(char *)path, NULL}, *envp[] = {NULL};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		execve(path, argv, envp);
		_exit(errno);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *explain(const char *path, int code)
{
	static struct err err;

	err = ERR_INIT;
	err_kind(&err, ERR_NOT_EXECUTABLE, code, "exec %s", path);
	program_explain(path, code, false, &err);
	return err.hint;
}

static void says(const char *hint, const char *part)
{
	if (!strstr(hint, part))
		fail_msg("\"%s\" does not say \"%s\"", hint, part);
}

/* The same before it is tried. */
static void foresee(const char *path, int code, const char *part)
{
	struct err err = ERR_INIT;
	int r = program_foresee(path, false, &err);

	if (r != code)
		fail_msg("%s: %s was foreseen, not %s", path, strerrorname_np(r),
			 strerrorname_np(code));
	says(err.hint, code ? part : "");
}

/* The kernel refuses @name with @code, and the hint says @part. */
static void expect(const char *name, int code, const char *part)
{
	int r = refused(at(name));

	if (r != code)
		fail_msg("%s: execve gave %s, not %s", name, strerrorname_np(r),
			 strerrorname_np(code));
	says(explain(at(name), code), part);
	/* Who writes to a file now cannot be foreseen. */
	foresee(at(name), code == ETXTBSY ? 0 : code, code == ELOOP ? "" : part);
}

/* ---- ELF files, made byte by byte ---- */

struct image {
	unsigned char bytes[4096];
	size_t n;
};

static void put(struct image *i, size_t where, uint64_t value, size_t size, bool big)
{
	for (size_t k = 0; k < size; k++)
		i->bytes[where + k] = (unsigned char)(value >> 8 * (big ? size - 1 - k : k));
	if (where + size > i->n)
		i->n = where + size;
}

/* A 64-bit header with one program header, PT_INTERP to @loader where that is not NULL. */
static void elf64(struct image *i, uint16_t machine, bool big, const char *loader)
{
	memset(i, 0, sizeof(*i));
	memcpy(i->bytes, ELFMAG, SELFMAG);
	i->bytes[EI_CLASS] = ELFCLASS64;
	i->bytes[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	i->bytes[EI_VERSION] = EV_CURRENT;
	put(i, offsetof(Elf64_Ehdr, e_type), ET_EXEC, 2, big);
	put(i, offsetof(Elf64_Ehdr, e_machine), machine, 2, big);
	put(i, offsetof(Elf64_Ehdr, e_version), EV_CURRENT, 4, big);
	put(i, offsetof(Elf64_Ehdr, e_phoff), sizeof(Elf64_Ehdr), 8, big);
	put(i, offsetof(Elf64_Ehdr, e_ehsize), sizeof(Elf64_Ehdr), 2, big);
	put(i, offsetof(Elf64_Ehdr, e_phentsize), sizeof(Elf64_Phdr), 2, big);
	put(i, offsetof(Elf64_Ehdr, e_phnum), 1, 2, big);
	put(i, sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_type), loader ? PT_INTERP : PT_NOTE, 4,
	    big);
	put(i, sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_offset), 1024, 8, big);
	put(i, sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), loader ? strlen(loader) + 1 : 0,
	    8, big);
	i->n = 1024;
	if (loader) {
		memcpy(i->bytes + 1024, loader, strlen(loader) + 1);
		i->n += strlen(loader) + 1;
	}
}

static bool is_big(void)
{
	const uint16_t one = 1;

	return *(const unsigned char *)&one == 0;
}

static struct program read_back(const char *name)
{
	AUTO_CLOSE int fd = open(at(name), O_RDONLY | O_CLOEXEC);
	struct program p;

	assert_true(fd >= 0);
	program_read(fd, &p);
	return p;
}

static void elf_is_read(void **state)
{
	struct image i;
	struct program p;

	(void)state;
	elf64(&i, program_own_machine(), is_big(), "/lib/ld-made.so");
	make("good", i.bytes, i.n, 0755);
	p = read_back("good");
	assert_int_equal(p.kind, PROGRAM_ELF);
	assert_int_equal(p.machine, program_own_machine());
	assert_int_equal(p.type, ET_EXEC);
	assert_string_equal(p.interpreter, "/lib/ld-made.so");
	assert_false(p.damaged);

	/* Every shorter piece of it is damaged or without a loader, never read beyond. */
	for (size_t n = 0; n < i.n; n++) {
		make("cut", i.bytes, n, 0755);
		p = read_back("cut");
		assert_true(p.kind != PROGRAM_ELF || p.damaged);
		assert_string_equal(p.interpreter, "");
	}
	/* A name without an end, or a longer one than the kernel takes. */
	memset(i.bytes + 1024, 'x', 1024);
	make("endless", i.bytes, 2048, 0755);
	assert_true(read_back("endless").damaged);
	put(&i, sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), 5000, 8, is_big());
	make("endless", i.bytes, i.n, 0755);
	assert_true(read_back("endless").damaged);
}

static void either_byte_order(void **state)
{
	struct image i;

	(void)state;
	elf64(&i, EM_S390, true, NULL);
	make("s390x", i.bytes, i.n, 0755);
	assert_int_equal(read_back("s390x").machine, EM_S390);
	elf64(&i, EM_AARCH64, false, NULL);
	make("arm", i.bytes, i.n, 0755);
	assert_int_equal(read_back("arm").machine, EM_AARCH64);
	i.bytes[EI_CLASS] = ELFCLASS32;
	put(&i, offsetof(Elf32_Ehdr, e_machine), EM_ARM, 2, false);
	make("arm32", i.bytes, i.n, 0755);
	assert_int_equal(read_back("arm32").machine, EM_ARM);
}

static void another_machine(void **state)
{
	uint16_t theirs = program_own_machine() == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
	char part[96];
	struct image i;

	(void)state;
	elf64(&i, theirs, false, NULL);
	make("foreign", i.bytes, i.n, 0755);
	snprintf(part, sizeof(part), "the program is for %s, this machine is %s",
		 program_machine(theirs), program_machine(program_own_machine()));
	expect("foreign", ENOEXEC, part);
	elf64(&i, 9999, false, NULL);
	make("unheard", i.bytes, i.n, 0755);
	expect("unheard", ENOEXEC, "machine 9999");
}

static void no_program(void **state)
{
	struct image i;

	(void)state;
	elf64(&i, program_own_machine(), is_big(), NULL);
	put(&i, offsetof(Elf64_Ehdr, e_type), ET_REL, 2, is_big());
	make("object", i.bytes, i.n, 0755);
	expect("object", ENOEXEC, "an object file");
	make("header", i.bytes, 20, 0755);
	expect("header", ENOEXEC, "damaged");
	make("empty", "", 0, 0755);
	expect("empty", ENOEXEC, "empty");
	make_text("text", "echo hello\n");
	expect("text", ENOEXEC, "a text file without #!");
	make_text("utf8", "# größer\necho hello\n");
	expect("utf8", ENOEXEC, "a text file without #!");
	make_text("marked", "\xef\xbb\xbf#!/bin/sh\necho\n");
	expect("marked", ENOEXEC, "byte order mark");
	make("zip", "\x1f\x8b\x08\x00\x00", 5, 0755);
	expect("zip", ENOEXEC, "a gzip archive");
	make("windows", "MZ\x90\x00\x03", 5, 0755);
	expect("windows", ENOEXEC, "a Windows program");
	make("data", "\x01\x02\x03\x00\x05", 5, 0755);
	expect("data", ENOEXEC, "data, not a program");
}

static void loaders(void **state)
{
	struct image i;

	(void)state;
	elf64(&i, program_own_machine(), is_big(), "/lib/ld-musl-none.so.1");
	make("musl", i.bytes, i.n, 0755);
	expect("musl", ENOENT, "the loader it needs, /lib/ld-musl-none.so.1, does not exist");
	says(explain(at("musl"), ENOENT), "musl (Alpine)");
	elf64(&i, program_own_machine(), is_big(), "/lib/none/ld-linux.so.2");
	make("glibc", i.bytes, i.n, 0755);
	expect("glibc", ENOENT, "built for glibc");
}

static void scripts(void **state)
{
	char text[512], part[160];

	(void)state;
	make_text("gone", "#!/none/such foo bar\n");
	expect("gone", ENOENT, "its #! line names /none/such, which does not exist");
	make_text("crlf", "#!/bin/sh\r\necho hello\r\n");
	expect("crlf", ENOENT, "\"/bin/sh\\r\": convert the file from CRLF to LF");
	make_text("nobody", "#!\n");
	expect("nobody", ENOEXEC, "names no interpreter");
	make_text("blank", "#!   \t\n");
	expect("blank", ENOEXEC, "names no interpreter");
	snprintf(text, sizeof(text), "#!/%0300d\n", 1);
	make_text("long", text);
	expect("long", ENOEXEC, "longer than the 255 bytes");
	/* An interpreter that cannot run itself. */
	snprintf(text, sizeof(text), "#!%s\n", at("gone"));
	make_text("chain", text);
	expect("chain", ENOENT, "its #! line names /none/such");
	make("closed", "#!/bin/sh\n", 10, 0644);
	snprintf(text, sizeof(text), "#! %s -x\n", at("closed"));
	make_text("blocked", text);
	snprintf(part, sizeof(part), "its #! interpreter %s: no execute permission", at("closed"));
	expect("blocked", EACCES, part);
	snprintf(text, sizeof(text), "#!%s\n", dir);
	make_text("folder", text);
	expect("folder", EACCES, "it is a directory");
	/* In a circle. */
	snprintf(text, sizeof(text), "#!%s\n", at("ring"));
	make_text("ring", text);
	expect("ring", ELOOP, "#! interpreters that are scripts themselves");
}

static void not_allowed(void **state)
{
	(void)state;
	make("plain", "#!/bin/sh\n", 10, 0644);
	expect("plain", EACCES, "no execute permission for anybody (mode 0644): chmod +x");
	assert_int_equal(mkdir(at("sub"), 0755), 0);
	expect("sub", EACCES, "it is a directory");
	assert_int_equal(mkfifo(at("fifo"), 0755), 0);
	expect("fifo", EACCES, "not a regular file");
	assert_int_equal(symlink("circle", at("circle")), 0);
	expect("circle", ELOOP, "too many symbolic links");
	assert_int_equal(symlink("/none/such", at("dangling")), 0);
	expect("dangling", ENOENT, "a symbolic link to /none/such, which does not exist");
	expect("nowhere/sub/program", ENOENT, "nowhere is missing");
	expect("plain/program", ENOTDIR, "plain is missing, or no directory");
}

static void as_nobody(void)
{
	char part[160];

	CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	snprintf(part, sizeof(part), "mode 0700 of 0:0 does not let 65534:65534 execute it");
	CHECK(refused(at("private")) == EACCES);
	CHECK(strstr(explain(at("private"), EACCES), part));
	snprintf(part, sizeof(part), "the directory %s may not be searched by uid 65534",
		 at("locked"));
	CHECK(refused(at("locked/in/program")) == EACCES);
	foresee(at("locked/in/program"), EACCES, part);
	foresee(at("private"), EACCES, "mode 0700");
	CHECK(strstr(explain(at("locked/in/program"), EACCES), part));
}

static void of_another_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	make("private", "#!/bin/sh\n", 10, 0700);
	assert_int_equal(mkdir(at("locked"), 0700), 0);
	assert_int_equal(mkdir(at("locked/in"), 0700), 0);
	make("locked/in/program", "#!/bin/sh\n", 10, 0755);
	assert_int_equal(in_child(as_nobody), 0);
}

static void on_noexec(void)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("none", at("sub"), "tmpfs", MS_NOEXEC, NULL) == 0);
	make("sub/program", "#!/bin/sh\n", 10, 0755);
	CHECK(refused(at("sub/program")) == EACCES);
	foresee(at("sub/program"), EACCES, "mounted noexec");
	CHECK(strstr(explain(at("sub/program"), EACCES), "mounted noexec"));
}

static void noexec_mount(void **state)
{
	struct program_look look = {.path = "/x", .mode = S_IFREG | 0755, .noexec = true};
	struct err err = ERR_INIT;

	(void)state;
	assert_true(program_judge(&look, EACCES, 0, 0, &err));
	says(err.hint, "mounted noexec");
	if (geteuid() == 0)
		assert_int_equal(in_child(on_noexec), 0);
}

static void busy(void **state)
{
	int fd;

	(void)state;
	make_text("writing", "#!/bin/sh\n");
	fd = open(at("writing"), O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	expect("writing", ETXTBSY, "open for writing");
	close(fd);
}

static void judged_alone(void **state)
{
	struct program_look caps = {.path = "/x", .mode = S_IFREG | 0755, .has_caps = true};
	struct program_look good = {
		.path = "/x", .mode = S_IFREG | 0755, .file = {.kind = PROGRAM_SCRIPT}};
	struct err err = ERR_INIT;

	(void)state;
	strcpy(good.file.interpreter, "/bin/sh");
	assert_true(program_judge(&caps, EPERM, 0, 0, &err));
	says(err.hint, "/process/capabilities/bounding");
	err = ERR_INIT;
	for (int code = 1; code < 134; code++)
		assert_false(program_judge(&good, code, 0, 0, &err));
	assert_string_equal(err.hint, "");
	/* A group of ours that is not the first may let us: nothing is claimed. */
	good.mode = S_IFREG | 0710;
	good.gid = 7;
	assert_false(program_judge(&good, EACCES, 1000, 7, &err));
	assert_false(program_judge(&good, EACCES, 1000, 1000, &err));
	good.mode = S_IFREG | 0700;
	assert_true(program_judge(&good, EACCES, 1000, 7, &err));
}

/* What may be for a handler of binfmt_misc, and what no handler is for. */
static void foreseen(void **state)
{
	static const char *const others[] = {"foreign", "unheard", "windows", "data"};
	static const char *const none[] = {"text", "empty", "marked", "nobody", "long", "object"};
	char name[PATH_MAX + 2] = "/";
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(program_foresee(at(others[i]), true, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(program_foresee(at(none[i]), true, &err), ENOEXEC);
	make_text("fine", "#!/bin/sh\n");
	foresee(at("fine"), 0, "");
	foresee("/bin/sh", 0, "");
	memset(name + 1, 'x', PATH_MAX);
	assert_int_equal(program_foresee(name, false, &err), ENAMETOOLONG);
	program_explain(name, ENAMETOOLONG, false, &err);
}

static void filtered(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	make_text("fine", "#!/bin/sh\n");
	err_set(&err, EPERM, "exec");
	program_explain(at("fine"), EPERM, true, &err);
	says(err.hint, "the seccomp profile may forbid execve");
	says(explain(at("fine"), EPERM), "security module");
	says(explain(at("fine"), E2BIG), "RLIMIT_STACK");
	says(explain(at("fine"), EAGAIN), "RLIMIT_NPROC");
	says(explain(at("fine"), ENOMEM), "memory limit");
	says(explain(at("fine"), EACCES), "AppArmor");
	assert_string_equal(explain(at("fine"), EIO), "");
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/oakum-program.XXXXXX");
	return mkdtemp(dir) && chmod(dir, 0755) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char *argv[] = {"rm", "-rf", dir, NULL};
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		execvp("rm", argv);
		_exit(1);
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elf_is_read),	   cmocka_unit_test(either_byte_order),
		cmocka_unit_test(another_machine), cmocka_unit_test(no_program),
		cmocka_unit_test(loaders),	   cmocka_unit_test(scripts),
		cmocka_unit_test(not_allowed),	   cmocka_unit_test(of_another_user),
		cmocka_unit_test(noexec_mount),	   cmocka_unit_test(busy),
		cmocka_unit_test(judged_alone),	   cmocka_unit_test(filtered),
		cmocka_unit_test(foreseen),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
