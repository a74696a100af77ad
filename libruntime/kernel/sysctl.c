/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One sysctl, written below "sys" of a procfs that nobody else can mount on. Which ones a container
 * may have is decided by spec/ and run/plan; here is only the file.
 */
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "kernel/ns.h"

#define KEY_SIZE   256
#define VALUE_SIZE 1024

/*
 * sysctl(8): the first separator says which of '.' and '/' separates in this key, and the other one
 * stands for itself, swapped: "net.ipv4.conf.eth0/1.forwarding" is the interface "eth0.1".
 */
static int key_to_path(const char *key, struct strbuf *path)
{
	const char *first = strpbrk(key, "./");
	bool dots = first && *first == '.';

	strbuf_add(path, "sys/");
	for (const char *c = key; *c; c++) {
		if (dots && *c == '.')
			strbuf_addc(path, '/');
		else if (dots && *c == '/')
			strbuf_addc(path, '.');
		else
			strbuf_addc(path, *c);
	}
	if (path->overflow || !first || path->p[4] == '/' || path->p[path->len - 1] == '/')
		return -EINVAL;
	return strstr(path->p, "//") || strstr(path->p, "/./") || path_has_dotdot(path->p) ? -EINVAL
											   : 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static size_t next_token(const char **text)
{
	const char *s = *text;
	size_t len = 0;

	while (is_blank(*s))
		s++;
	while (s[len] && !is_blank(s[len]))
		len++;
	*text = s;
	return len;
}

static bool numeric(const char *token, size_t len, bool *ret_negative, uint64_t *ret)
{
	*ret_negative = len > 0 && *token == '-';
	return strn_to_u64(token + *ret_negative, len - *ret_negative, 0, UINT64_MAX, ret) == 0;
}

/* Do the two texts hold numbers that differ? The kernel writes other values in its own manner
 * (ranges, names, white space), so only plain numbers can be compared. */
static bool numbers_differ(const char *a, const char *b)
{
	for (;;) {
		size_t la = next_token(&a), lb = next_token(&b);
		bool na, nb;
		uint64_t va, vb;

		if (la == 0 || lb == 0)
			return false;
		if (numeric(a, la, &na, &va) && numeric(b, lb, &nb, &vb) && (na != nb || va != vb))
			return true;
		a += la;
		b += lb;
	}
}

static bool read_value(int fd, char *buf)
{
	ssize_t n = pread(fd, buf, VALUE_SIZE - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static int write_value(int fd, bool readable, const char *key, const char *value, struct err *err)
{
	char before[VALUE_SIZE], after[VALUE_SIZE];
	size_t len = strlen(value);
	ssize_t n;

	readable = readable && read_value(fd, before);
	/* One write: the kernel takes each as a whole value. */
	n = pwrite(fd, value, len, 0);
	if (n < 0)
		return err_set(err, errno, "sysctl %s: write %s", key, value);
	if ((size_t)n != len)
		return err_set(err, EINVAL, "sysctl %s: only %zd bytes of the value were taken",
			       key, n);
	if (!readable || !read_value(fd, after) || !str_eq(before, after))
		return 0;
	/* Rounding is the kernel's right (times in jiffies, sizes of tables), ignoring is not. */
	if (numbers_differ(value, after))
		return err_set(err, EPERM, "sysctl %s: still %.*s after writing %s", key,
			       (int)strcspn(after, "\n"), after, value);
	return 0;
}

static int open_failed(const char *key, int code, struct err *err)
{
	if (code == ENOENT || code == ENOTDIR) {
		err_hint(err, "`sysctl -a` lists those that there are");
		return err_kind(err, ERR_UNSUPPORTED, code,
				"sysctl %s: no such sysctl in this kernel", key);
	}
	return err_set(err, code, "sysctl %s: open it for writing", key);
}

int sysctl_write(int proc, const char *key, const char *value, struct err *err)
{
	char mem[KEY_SIZE + 8];
	struct strbuf path;
	struct statfs fs;
	AUTO_CLOSE int fd = -1;
	bool readable = true;

	strbuf_init(&path, mem, sizeof(mem));
	if (key_to_path(key, &path) < 0)
		return err_kind(err, ERR_CONFIG, EINVAL, "sysctl %s: not the name of a sysctl",
				key);
	fd = path_open_nolink(proc, path.p, O_RDWR | O_NONBLOCK | O_NOCTTY);
	if (fd == -EACCES) {
		/* Some may only be written: net.ipv4.route.flush. */
		readable = false;
		fd = path_open_nolink(proc, path.p, O_WRONLY | O_NONBLOCK | O_NOCTTY);
	}
	if (fd < 0)
		return open_failed(key, -fd, err);
	if (fstatfs(fd, &fs) < 0)
		return err_set(err, errno, "sysctl %s: look at its file", key);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_set(err, EINVAL, "sysctl %s: not a file of the proc file system", key);
	return write_value(fd, readable, key, value, err);
}
