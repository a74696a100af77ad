/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what a file says of itself and what execve(2) said of it to a line that a person can act
 * on; see program.h. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "kernel/program.h"

#define MAX_CHAIN 6 /* a script whose interpreter is a script …: the kernel follows five */

/* "" for the program itself, "its loader /lib/ld.so: " for what it needs. */
struct phrase {
	char text[96];
};

static const char *noun(enum program_kind from)
{
	return from == PROGRAM_ELF ? "loader" : "#! interpreter";
}

static const char *who(const struct program_look *l, struct phrase *p)
{
	p->text[0] = '\0';
	if (l->from != PROGRAM_UNREADABLE)
		snprintf(p->text, sizeof(p->text), "its %s %.64s: ", noun(l->from), l->path);
	return p->text;
}

/* Which C library a loader that is not there belongs to: the usual reason is an image of another
 * distribution. */
static const char *library(const char *loader)
{
	if (strstr(loader, "/ld-musl-"))
		return "; the program was built for musl (Alpine)";
	if (strstr(loader, "/ld-linux"))
		return "; the program was built for glibc";
	return "";
}

static bool judge_missing(const struct program_look *l, struct err *err)
{
	size_t n = strlen(l->path);

	if (l->from == PROGRAM_UNREADABLE && l->target[0])
		err_hint(err, "it is a symbolic link to %s, which does not exist", l->target);
	else if (l->from == PROGRAM_UNREADABLE && l->stop[0])
		err_hint(err, "%s is missing, or no directory", l->stop);
	else if (l->from == PROGRAM_UNREADABLE)
		return false;
	else if (n && l->path[n - 1] == '\r')
		err_hint(err,
			 "its #! line ends in a carriage return, so the kernel looks for "
			 "\"%.*s\\r\": convert the file from CRLF to LF (dos2unix)",
			 n < 41 ? (int)n - 1 : 40, l->path);
	else if (l->from == PROGRAM_ELF)
		err_hint(err, "the loader it needs, %.64s, does not exist%s", l->path,
			 library(l->path));
	else
		err_hint(err, "its #! line names %.96s, which does not exist", l->path);
	return true;
}

static bool judge_elf(const struct program_look *l, const char *prefix, struct err *err)
{
	const struct program *f = &l->file;
	const char *theirs = program_machine(f->machine);

	if (f->machine && f->machine != program_own_machine()) {
		if (theirs)
			err_hint(err, "%sthe program is for %s, this machine is %s", prefix, theirs,
				 program_machine(program_own_machine()));
		else
			err_hint(err, "%sthe program is for machine %u of ELF, this machine is %s",
				 prefix, f->machine, program_machine(program_own_machine()));
		return true;
	}
	if (f->type == ET_REL || f->type == ET_CORE) {
		err_hint(err, "%s%s, not a program", prefix,
			 f->type == ET_REL ? "an object file" : "a core dump");
		return true;
	}
	if (!f->damaged)
		return false;
	err_hint(err, "%sits ELF headers are damaged: was it copied to the end?", prefix);
	return true;
}

static bool judge_script(const struct program_look *l, const char *prefix, struct err *err)
{
	if (l->file.cut)
		err_hint(err, "%sits #! line is longer than the %d bytes that the kernel reads",
			 prefix, PROGRAM_NAME_SIZE - 1);
	else if (!l->file.interpreter[0])
		err_hint(err, "%sits #! line names no interpreter", prefix);
	else
		return false;
	return true;
}

/* ENOEXEC and ELIBBAD: the bytes of the file are at fault. */
static bool judge_format(const struct program_look *l, struct err *err)
{
	struct phrase p;
	const char *prefix = who(l, &p);

	switch (l->file.kind) {
	case PROGRAM_ELF:
		return judge_elf(l, prefix, err);
	case PROGRAM_SCRIPT:
		return judge_script(l, prefix, err);
	case PROGRAM_EMPTY:
		err_hint(err, "%sthe file is empty", prefix);
		return true;
	case PROGRAM_MARKED:
		err_hint(err, "%sa byte order mark stands before #!: remove the first three bytes",
			 prefix);
		return true;
	case PROGRAM_TEXT:
		err_hint(err, "%sa text file without #!: begin it with #!/bin/sh, or run it by sh",
			 prefix);
		return true;
	case PROGRAM_OTHER:
		err_hint(err, "%s%s, not a program of Linux", prefix,
			 l->file.what ? l->file.what : "data");
		return true;
	case PROGRAM_UNREADABLE:
		break;
	}
	return false;
}

static bool may_execute(const struct program_look *l, uid_t uid, gid_t gid)
{
	if (uid == 0)
		return l->mode & 0111;
	if (uid == l->uid)
		return l->mode & 0100;
	/* Further groups are not looked at: then nothing is said. */
	return gid == l->gid ? l->mode & 0010 : l->mode & 0011;
}

static bool judge_access(const struct program_look *l, uid_t uid, gid_t gid, struct err *err)
{
	struct phrase p;
	const char *prefix = who(l, &p);

	if (l->missing && l->stop[0])
		err_hint(err, "%sthe directory %s may not be searched by uid %u", prefix, l->stop,
			 uid);
	else if (l->missing)
		return false;
	else if (S_ISDIR(l->mode))
		err_hint(err, "%sit is a directory", prefix);
	else if (!S_ISREG(l->mode))
		err_hint(err, "%snot a regular file", prefix);
	else if (l->noexec)
		err_hint(err, "%sthe file system it is on is mounted noexec", prefix);
	else if (!(l->mode & 0111))
		err_hint(err, "%sno execute permission for anybody (mode %04o): chmod +x", prefix,
			 l->mode & 07777);
	else if (!may_execute(l, uid, gid))
		err_hint(err, "%smode %04o of %u:%u does not let %u:%u execute it", prefix,
			 l->mode & 07777, l->uid, l->gid, uid, gid);
	else
		return false;
	return true;
}

bool program_judge(const struct program_look *l, int code, uid_t uid, gid_t gid, struct err *err)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
		return l->missing && judge_missing(l, err);
	case ENOEXEC:
	case ELIBBAD:
		return !l->missing && judge_format(l, err);
	case EACCES:
		return judge_access(l, uid, gid, err);
	case EPERM:
		if (l->missing || !l->has_caps)
			return false;
		err_hint(err,
			 "the file has capabilities that /process/capabilities/bounding lacks");
		return true;
	default:
		return false;
	}
}

/* No file shows why. */
static const char *general(int code, bool filtered)
{
	switch (code) {
	case ENOENT:
		return "the root file system has no such file";
	case EACCES:
		return "no permission bit forbids it: a security module (AppArmor, SELinux) may";
	case EPERM:
		return filtered ? "the seccomp profile may forbid execve"
				: "a security module may forbid it";
	case ENOSYS:
		return filtered ? "the seccomp profile may forbid execve" : NULL;
	case ETXTBSY:
		return "somebody has the file open for writing: run it when that is done";
	case ELOOP:
		return "too many symbolic links, or #! interpreters that are scripts themselves";
	case E2BIG:
		return "args and env may take a quarter of RLIMIT_STACK, and 6 MiB at most";
	case EAGAIN:
		return "the user has as many processes as RLIMIT_NPROC allows";
	case ENOMEM:
		return "the memory limit may be too low";
	case ENOEXEC:
		return "neither a program of this machine nor a script that begins with #!";
	default:
		return NULL;
	}
}

void program_explain(const char *path, int code, bool filtered, struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	enum program_kind from = PROGRAM_UNREADABLE;
	char name[PATH_MAX];
	struct program_look l;
	const char *text;

	if (strlen(path) >= sizeof(name))
		return;
	memcpy(name, path, strlen(path) + 1);
	for (int i = 0; i < MAX_CHAIN; i++) {
		program_look(name, from, &l);
		if (program_judge(&l, code, uid, gid, err))
			return;
		if (l.missing || !l.file.interpreter[0])
			break;
		from = l.file.kind;
		memcpy(name, l.file.interpreter, sizeof(l.file.interpreter));
	}
	text = general(code, filtered);
	if (text)
		err_hint(err, "%s", text);
}

/* The bytes alone: what no handler of binfmt_misc is likely to be for, or nobody at all. */
static bool is_no_program(const struct program *f, bool binfmt)
{
	switch (f->kind) {
	case PROGRAM_EMPTY:
	case PROGRAM_MARKED:
	case PROGRAM_TEXT:
		return true;
	case PROGRAM_SCRIPT:
		return f->cut || !f->interpreter[0];
	case PROGRAM_ELF:
		return f->machine == program_own_machine()
			       ? f->damaged || f->type == ET_REL || f->type == ET_CORE
			       : !binfmt;
	case PROGRAM_OTHER:
		return !binfmt;
	case PROGRAM_UNREADABLE:
		break;
	}
	return false;
}

static int foresee_one(const struct program_look *l, bool binfmt)
{
	if (l->missing)
		return l->missing;
	if (!S_ISREG(l->mode) || l->noexec || faccessat(AT_FDCWD, l->path, X_OK, AT_EACCESS) < 0)
		return EACCES;
	return is_no_program(&l->file, binfmt) ? ENOEXEC : 0;
}

int program_foresee(const char *path, bool binfmt, struct err *err)
{
	enum program_kind from = PROGRAM_UNREADABLE;
	char name[PATH_MAX];
	struct program_look l;

	if (strlen(path) >= sizeof(name))
		return ENAMETOOLONG;
	memcpy(name, path, strlen(path) + 1);
	for (int i = 0; i < MAX_CHAIN; i++) {
		int code;

		program_look(name, from, &l);
		code = foresee_one(&l, binfmt);
		if (code) {
			(void)program_judge(&l, code, geteuid(), getegid(), err);
			return code;
		}
		if (!l.file.interpreter[0])
			return 0;
		from = l.file.kind;
		memcpy(name, l.file.interpreter, sizeof(l.file.interpreter));
	}
	return ELOOP;
}
