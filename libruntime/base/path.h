/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names inside a root that an attacker may have filled: resolved from one descriptor with
 * openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), made component by component, and used
 * only as descriptors from then on. Where openat2 is missing (ENOSYS, EPERM by an old seccomp
 * filter), a walk with O_NOFOLLOW and readlinkat does the same.
 * No heap; the child may call everything here.
 */
#ifndef OAKUM_BASE_PATH_H
#define OAKUM_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/* Open @path (with or without a leading '/') inside @rootfd. @flags as open(2), O_CLOEXEC is added.
 * A descriptor, or -errno. */
int path_open(int rootfd, const char *path, int flags);

/* As path_open() with no symbolic link anywhere in @path (RESOLVE_NO_SYMLINKS): -ELOOP if one is
 * met. */
int path_open_nolink(int rootfd, const char *path, int flags);

/*
 * mkdir -p inside @rootfd: missing components are made with mode 0755 less nothing of the umask,
 * symlinks are followed inside the root only, also dangling ones (their target is made).
 * An O_PATH descriptor of the directory, or -errno (-ENOTDIR: a component is no directory).
 */
int path_mkdirs(int rootfd, const char *path);

/* The same for a @path that path_open() has just not found. */
int path_make_missing(int rootfd, const char *path);

/* The parents as path_mkdirs(), then an empty regular file if nothing is there; symlinks as there.
 * An O_PATH descriptor of what is there (any type but a directory: -EISDIR), or -errno. */
int path_mkfile(int rootfd, const char *path);

/* The parent directory of @path made as path_mkdirs(); the last component goes to @name.
 * An O_PATH descriptor, or -errno (-EINVAL: @path ends in ".." or is the root). */
int path_parent(int rootfd, const char *path, char *name, size_t size);

/* True if @path has a ".." component. */
bool path_has_dotdot(const char *path);

/* Lexical clean-up: one leading '/', no "//", no ".", ".." removed with its parent (never above
 * the root), no trailing '/'. Length, or -ENAMETOOLONG. */
ssize_t path_clean(const char *path, char *buf, size_t size);

/* Of two clean paths: what follows @dir in @path, "/…", or "" where it is @dir itself. NULL: it
 * lies elsewhere. */
const char *path_below(const char *path, const char *dir);

#endif
