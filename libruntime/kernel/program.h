/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why execve(2) refused a program: its errno says "no such file" of a file that is there. The file
 * itself knows more: the loader or the #! line it names, the machine it was built for.
 * Looked at only after the failure, since only the kernel knows what it runs (binfmt_misc).
 */
#ifndef OAKUM_KERNEL_PROGRAM_H
#define OAKUM_KERNEL_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

#define PROGRAM_NAME_SIZE 256 /* the kernel's BINPRM_BUF_SIZE, which bounds a #! line */

enum program_kind {
	PROGRAM_UNREADABLE, /* there, but we may not read it, or it is no regular file */
	PROGRAM_EMPTY,
	PROGRAM_ELF,
	PROGRAM_SCRIPT, /* begins with #! */
	PROGRAM_MARKED, /* with a byte order mark, and #! behind it */
	PROGRAM_TEXT,
	PROGRAM_OTHER,
};

/* What a file says of itself. */
struct program {
	enum program_kind kind;
	const char *what; /* PROGRAM_OTHER: "a Windows program", or NULL */
	/* ELF */
	uint16_t machine, type; /* e_machine, e_type */
	bool damaged;		/* its headers lead nowhere */
	/* A loader (PT_INTERP) or what stands behind #!, "" if none. */
	char interpreter[PROGRAM_NAME_SIZE];
	bool cut; /* the #! line goes on beyond what the kernel reads */
	bool cr;  /* the interpreter's name ends in a carriage return */
};

/* Read the file's own words. Never fails: what cannot be read is PROGRAM_UNREADABLE. */
void program_read(int fd, struct program *ret);

/* One file on the way to the program: itself, its interpreter, that one's. */
struct program_look {
	const char *path;
	enum program_kind from; /* of the file that names it; PROGRAM_UNREADABLE: nobody, it is the
				   program */
	int missing;		/* errno of stat(2); 0: it is there, and the rest is known */
	mode_t mode;
	uid_t uid, gid;
	bool noexec;	 /* its file system is mounted so */
	bool has_caps;	 /* it carries capabilities */
	char stop[64];	 /* missing: the first part of the path that is not there, or that we may
			    not search (EACCES); "" */
	char target[64]; /* missing, and a symbolic link: where it leads, or "" */
	struct program file;
};

/* Look at @path as the caller sees it now. */
void program_look(const char *path, enum program_kind from, struct program_look *ret);

/*
 * Pure: say in @err's hint why execve(2) failed with @code, if this file is why; the caller is
 * @uid, @gid. True if it is.
 */
bool program_judge(const struct program_look *look, int code, uid_t uid, gid_t gid,
		   struct err *err);

/*
 * execve(2) of @path has failed with @code: find out why and put it into the hint of @err, which
 * has its text already. @filtered: a seccomp filter is installed, which may have been what
 * refused; it may also kill us for looking, so send what is known first. The child calls it.
 */
void program_explain(const char *path, int code, bool filtered, struct err *err);

/*
 * The errno that execve(2) of @path would give the caller, 0: none that the file tells of. The
 * hint of @err then says why. @binfmt: handlers for other kinds of programs may be registered.
 */
int program_foresee(const char *path, bool binfmt, struct err *err);

/* "x86_64", "aarch64"; NULL for a machine we have no name for. And that of this program. */
const char *program_machine(uint16_t e_machine);
uint16_t program_own_machine(void);

#endif
