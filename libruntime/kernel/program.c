/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a file says of itself; see program.h. Why the kernel would not run it is in
 * program_judge.c. */
#include "kernel/program.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define MAX_HEADERS 128

static const struct {
	uint16_t number;
	const char *name;
} machines[] = {
	{EM_X86_64, "x86_64"},	 {EM_AARCH64, "aarch64"}, {EM_386, "i386"},
	{EM_ARM, "arm"},	 {EM_PPC64, "ppc64"},	  {EM_PPC, "ppc"},
	{EM_S390, "s390x"},	 {EM_RISCV, "riscv"},	  {EM_MIPS, "mips"},
	{EM_LOONGARCH, "loong"}, {EM_SPARCV9, "sparc64"}, {EM_IA_64, "ia64"},
	{EM_ALPHA, "alpha"},	 {EM_68K, "m68k"},	  {EM_PARISC, "parisc"},
	{EM_BPF, "bpf"},
};

const char *program_machine(uint16_t e_machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].number == e_machine)
			return machines[i].name;
	return NULL;
}

/* The linker's symbol for the header of what we are part of. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

uint16_t program_own_machine(void)
{
	return __ehdr_start.e_machine;
}

/* Numbers of an ELF file, whichever end it has first. */
struct elf {
	int fd;
	bool wide, swapped;
	struct program *to;
};

static uint64_t number(const struct elf *e, const void *at, size_t size)
{
	const unsigned char *p = at;
	bool big = e->swapped == (BYTE_ORDER == LITTLE_ENDIAN);
	uint64_t n = 0;

	for (size_t i = 0; i < size; i++)
		n |= (uint64_t)p[i] << 8 * (big ? size - 1 - i : i);
	return n;
}

#define FIELD(e, type, base, member)                                                               \
	number((e), (const char *)(base) + offsetof(type, member), sizeof(((type *)0)->member))
#define EITHER(e, kind, base, member)                                                              \
	((e)->wide ? FIELD(e, Elf64_##kind, base, member) : FIELD(e, Elf32_##kind, base, member))

static void read_loader(const struct elf *e, uint64_t at, uint64_t size)
{
	struct program *to = e->to;
	ssize_t n;

	if (size < 2 || size > sizeof(to->interpreter)) {
		to->damaged = true;
		return;
	}
	n = pread(e->fd, to->interpreter, size, (off_t)at);
	if (n != (ssize_t)size || to->interpreter[size - 1] != '\0') {
		to->interpreter[0] = '\0';
		to->damaged = true;
	}
}

static void read_elf(const struct elf *e, const unsigned char *head)
{
	size_t size = e->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	uint64_t at = EITHER(e, Ehdr, head, e_phoff), n = EITHER(e, Ehdr, head, e_phnum);

	e->to->machine = (uint16_t)EITHER(e, Ehdr, head, e_machine);
	e->to->type = (uint16_t)EITHER(e, Ehdr, head, e_type);
	if (e->to->machine != program_own_machine())
		return;
	if (n == 0 || n > MAX_HEADERS || EITHER(e, Ehdr, head, e_phentsize) != size) {
		e->to->damaged = true;
		return;
	}
	for (uint64_t i = 0; i < n; i++) {
		unsigned char header[sizeof(Elf64_Phdr)];

		if (pread(e->fd, header, size, (off_t)(at + i * size)) != (ssize_t)size) {
			e->to->damaged = true;
			return;
		}
		if (EITHER(e, Phdr, header, p_type) == PT_INTERP) {
			read_loader(e, EITHER(e, Phdr, header, p_offset),
				    EITHER(e, Phdr, header, p_filesz));
			return;
		}
	}
}

static void begin_elf(int fd, const unsigned char *head, size_t n, struct program *ret)
{
	struct elf e = {.fd = fd, .to = ret};

	ret->kind = PROGRAM_ELF;
	if (n < sizeof(Elf32_Ehdr) || (head[EI_CLASS] == ELFCLASS64 && n < sizeof(Elf64_Ehdr)) ||
	    (head[EI_CLASS] != ELFCLASS64 && head[EI_CLASS] != ELFCLASS32)) {
		ret->damaged = true;
		return;
	}
	e.wide = head[EI_CLASS] == ELFCLASS64;
	e.swapped = head[EI_DATA] != (BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB);
	read_elf(&e, head);
}

/* As the kernel's load_script(): blanks, a name, and a line's end or a blank behind it. */
static void read_script(const char *line, size_t n, struct program *ret)
{
	size_t begin = 2, end;

	ret->kind = PROGRAM_SCRIPT;
	while (begin < n && (line[begin] == ' ' || line[begin] == '\t'))
		begin++;
	for (end = begin; end < n && line[end] && !strchr(" \t\n", line[end]);)
		end++;
	ret->cut = end == n && n == PROGRAM_NAME_SIZE;
	memcpy(ret->interpreter, line + begin, end - begin);
	ret->cr = end > begin && line[end - 1] == '\r';
}

static const struct {
	const char *magic;
	size_t n;
	const char *what;
} others[] = {
	{"MZ", 2, "a Windows program"},
	{"\xcf\xfa\xed\xfe", 4, "a macOS program"},
	{"\xce\xfa\xed\xfe", 4, "a macOS program"},
	{"\xca\xfe\xba\xbe", 4, "a Java class or a macOS program"},
	{"\x1f\x8b", 2, "a gzip archive"},
	{"\x28\xb5\x2f\xfd", 4, "a zstd archive"},
	{"\xfd\x37zXZ", 5, "an xz archive"},
	{"PK\x03\x04", 4, "a zip archive"},
	{"!<arch>", 7, "an archive of object files"},
};

static bool is_text(const char *head, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t len = str_utf8(head + i, n - i);

		/* A character may be cut where the reading ended. */
		if (len == 0)
			return n - i < 4 && i > 0 && (head[i] & 0x80);
		if (len == 1 && (unsigned char)head[i] < ' ' && !strchr("\t\n\r\f\x1b", head[i]))
			return false;
		i += len;
	}
	return true;
}

static void read_other(const char *head, size_t n, struct program *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (n >= others[i].n && memcmp(head, others[i].magic, others[i].n) == 0)
			ret->what = others[i].what;
	ret->kind = !ret->what && is_text(head, n) ? PROGRAM_TEXT : PROGRAM_OTHER;
}

void program_read(int fd, struct program *ret)
{
	unsigned char head[PROGRAM_NAME_SIZE];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	*ret = (struct program){.kind = PROGRAM_UNREADABLE};
	if (n < 0)
		return;
	if (n == 0)
		ret->kind = PROGRAM_EMPTY;
	else if (n >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		begin_elf(fd, head, (size_t)n, ret);
	else if (n >= 2 && memcmp(head, "#!", 2) == 0)
		read_script((const char *)head, (size_t)n, ret);
	else if (n >= 5 && memcmp(head, "\xef\xbb\xbf#!", 5) == 0)
		ret->kind = PROGRAM_MARKED;
	else
		read_other((const char *)head, (size_t)n, ret);
}

/* "/a", "/a/b", …: all that lead to @path must be there, and searchable by us. */
static void find_stop(const char *path, struct program_look *ret)
{
	char part[PATH_MAX], target[sizeof(ret->target)] = "";
	const char *slash = path;

	while (*slash && (slash = strchr(slash + 1, '/'))) {
		size_t n = (size_t)(slash - path);

		if (n >= sizeof(part))
			return;
		memcpy(part, path, n);
		part[n] = '\0';
		if (access(part, X_OK) == 0)
			continue;
		snprintf(ret->stop, sizeof(ret->stop), "%.*s",
			 n < sizeof(ret->stop) ? (int)n : (int)sizeof(ret->stop) - 1, path);
		return;
	}
	if (readlink(path, target, sizeof(target) - 1) > 0)
		memcpy(ret->target, target, sizeof(target));
}

void program_look(const char *path, enum program_kind from, struct program_look *ret)
{
	AUTO_CLOSE int fd = -1;
	struct statvfs fs;
	struct stat st;

	*ret = (struct program_look){.path = path, .from = from};
	if (stat(path, &st) < 0) {
		ret->missing = errno;
		find_stop(path, ret);
		return;
	}
	ret->mode = st.st_mode;
	ret->uid = st.st_uid;
	ret->gid = st.st_gid;
	ret->noexec = statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOEXEC);
	ret->has_caps = getxattr(path, "security.capability", NULL, 0) > 0;
	/* Opening a FIFO or a device may do more than show it. */
	fd = S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
	if (fd >= 0)
		program_read(fd, &ret->file);
}
