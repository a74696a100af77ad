/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The error object: filling it where something fails, adding phrases on the way out, and
 * one line of text at the end. Nothing here allocates or prints.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define PREFIX_MAX 200

/* @errno survives, so that a caller can still look at it after recording a failure. */
static void put(char *to, size_t size, const char *fmt, va_list ap)
{
	int saved = errno;
	size_t len = 0;
	int n = vsnprintf(to, size, fmt, ap);

	errno = saved;
	if (n < 0)
		to[0] = '\0';
	if (n < 0 || (size_t)n < size)
		return;
	/* Cut: half a character at the end goes too. */
	while (to[len] && str_utf8(to + len, size - 1 - len) > 0)
		len += str_utf8(to + len, size - 1 - len);
	if (size - 1 - len < 4)
		to[len] = '\0';
}

static int fill(struct err *err, int code, const char *fmt, va_list ap)
{
	char text[sizeof(err->text)];

	if (code < 0)
		code = -code;
	if (err) {
		/* By way of a copy: the arguments may point into ->text. */
		put(text, sizeof(text), fmt, ap);
		memcpy(err->text, text, sizeof(text));
		err->code = code;
		if (err->kind == ERR_NONE)
			err->kind = ERR_RUNTIME;
	}
	return code ? -code : -EINVAL;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fill(err, code, fmt, ap);
	va_end(ap);
	return r;
}

int err_kind(struct err *err, enum err_kind kind, int code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fill(err, code, fmt, ap);
	va_end(ap);
	if (err && kind != ERR_NONE)
		err->kind = kind;
	return r;
}

/* What went wrong is worth more than a long name in front of it. The length that is left. */
static size_t cut_prefix(char *text)
{
	size_t len = strlen(text);

	if (len <= PREFIX_MAX)
		return len;
	for (len = PREFIX_MAX; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
		;
	memcpy(text + len, "…", sizeof("…"));
	return len + strlen("…");
}

void err_prefix(struct err *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	size_t len, rest;
	va_list ap;

	if (!err || err->kind == ERR_NONE)
		return;
	va_start(ap, fmt);
	put(text, sizeof(text) - 2, fmt, ap);
	va_end(ap);
	len = cut_prefix(text);
	memcpy(text + len, ": ", 3);
	len += 2;
	rest = strlen(err->text);
	if (rest > sizeof(text) - 1 - len) {
		rest = sizeof(text) - 1 - len;
		/* Never cut inside a character. */
		while (rest > 0 && ((unsigned char)err->text[rest] & 0xc0) == 0x80)
			rest--;
	}
	memcpy(text + len, err->text, rest);
	text[len + rest] = '\0';
	memcpy(err->text, text, len + rest + 1);
}

void err_pointer(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->pointer[0])
		return;
	va_start(ap, fmt);
	put(err->pointer, sizeof(err->pointer), fmt, ap);
	va_end(ap);
}

void err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->hint[0])
		return;
	va_start(ap, fmt);
	put(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

/* What can be done is much the same wherever the kernel said it. No engine may take these words for
 * its own: docs/compat.md has what they look for. */
struct advice {
	int code;
	const char *hint;
};

static const struct advice shortages[] = {
	{EMFILE, "raise this process's limit of open files (ulimit -n)"},
	{ENFILE, "the host's limit of open files is reached (sysctl fs.file-max)"},
	{EDQUOT, "a quota of this user is used up"},
	{ENOMEM, "memory is short on this host, or in the cgroup that oakum runs in"},
	{EAGAIN, "the limit of processes is reached (ulimit -u, pids.max of our own cgroup)"},
	{ENOSPC, "a file system is full: df shows bytes, df -i inodes"},
	{EROFS, "the file system is mounted read-only"},
	{EIO, "the kernel's log (dmesg) says more"},
	{ENOTCONN, "the server of that file system is gone: unmount it"},
	{ESTALE, "the server of that file system has lost it: mount it again"},
	{ENOSYS, "a newer kernel has it, or a seccomp filter around us forbids it: `oakum doctor`"},
	{0, NULL},
};

/* Of what is no fault of the configuration, the command line or the container. */
static const struct advice refusals[] = {
	{EOPNOTSUPP, "this kernel, or the file system, cannot do it: `oakum doctor`"},
	{ENODEV, "the kernel has no driver for it, or its module has not been loaded"},
	{ENXIO, "nothing is behind it: no driver, or no reader"},
	{ENOENT, "look whether all of the path is there: namei -l"},
	{ENOTDIR, "something on the way is a file: namei -l"},
	{EISDIR, "name a file in it"},
	{ELOOP, "a symbolic link is in the way: namei -l"},
	{ENAMETOOLONG, "take a shorter path"},
	{EEXIST, "take another name, or remove what is there"},
	{ENOTEMPTY, "remove what is in it"},
	{EBUSY, "something uses it: fuser -vm and findmnt show what"},
	{ETXTBSY, "somebody writes to it: wait until that is done"},
	{EXDEV, "both must lie on the same mount"},
	{EPERM, "a capability is missing, or a security module forbids it: `oakum doctor`, dmesg"},
	{EACCES, "its mode forbids it (namei -l), or a security module does (dmesg)"},
	{EINVAL, "the kernel does not take that here; its log (dmesg) may say why"},
	{ERANGE, "the kernel does not take a value of that size"},
	{E2BIG, "give less of it"},
	{EFBIG, "give less of it, or raise the limit of file sizes (ulimit -f)"},
	{EOVERFLOW, "an id or a size has no room there: look at the id mappings"},
	{EBADF, "a descriptor that was given is closed"},
	{ENOTTY, "no terminal is there"},
	{ESRCH, "it has ended meanwhile"},
	{EPIPE, "the other end has closed it"},
	{ECONNREFUSED, "nobody listens there"},
	{ECONNRESET, "the other end has died: try again"},
	{EPROTO, "the other end is of another version, or has died: try again"},
	{ETIMEDOUT, "the host is busy, or what is waited for hangs: try again"},
	{0, "the kernel's log (dmesg) may say more"},
};

static void advise_from(const struct advice *a, struct err *err)
{
	while (a->code && a->code != err->code)
		a++;
	if (a->hint)
		err_hint(err, "%s", a->hint);
}

void err_advise(struct err *err)
{
	bool refused = err->code == EPERM || err->code == EACCES;

	advise_from(shortages, err);
	if (refused && geteuid() != 0)
		err_hint(err, "`oakum doctor` says what this user may not do here");
	if (err->kind == ERR_UNSUPPORTED && err->pointer[0])
		err_hint(err, "leave it out, or take a host that has it");
	if (err->code && (err->kind == ERR_RUNTIME || err->kind == ERR_UNSUPPORTED))
		advise_from(refusals, err);
}

const char *err_name(int code)
{
	return code > 0 ? strerrorname_np(code) : NULL;
}

static void add_code(struct strbuf *b, int code)
{
	const char *words = strerrordesc_np(code);
	const char *name = err_name(code);

	if (words && name)
		strbuf_fmt(b, ": %s (%s)", words, name);
	else
		strbuf_fmt(b, ": errno %d", code);
}

size_t err_format(const struct err *err, char *buf, size_t size)
{
	char raw[sizeof(*err) + 128];
	struct strbuf b;

	strbuf_init(&b, raw, sizeof(raw));
	if (err->line > 0)
		strbuf_fmt(&b, "%s:%d:%d: ", err->file[0] ? err->file : "config.json", err->line,
			   err->column);
	if (err->pointer[0])
		strbuf_fmt(&b, "%s: ", err->pointer);
	strbuf_add(&b, err->text);
	if (err->code > 0)
		add_code(&b, err->code);
	return str_printable(raw, buf, size);
}

void err_top(struct err *err, const char *top)
{
	size_t n = strlen(top);

	if (strncmp(err->pointer, top, n) == 0 && err->pointer[n] == '/')
		memmove(err->pointer, err->pointer + n, strlen(err->pointer + n) + 1);
}

void err_fold(struct err *err)
{
	if (!err || !err->pointer[0] || err->line)
		return;
	err_prefix(err, "%s", err->pointer);
	err->pointer[0] = '\0';
}
