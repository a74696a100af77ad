/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the cgroup_stat files share. Nobody else includes it. */
#ifndef OAKUM_KERNEL_CGROUP_STAT_INTERNAL_H
#define OAKUM_KERNEL_CGROUP_STAT_INTERNAL_H

#include "kernel/cgroup_internal.h"
#include "kernel/cgroup_stat.h"

/*
 * Reads the files of one directory. One that is not there is empty; the first real failure is kept
 * in @err and @r, and everything reads as empty from then on.
 */
struct stat_reader {
	int dir;
	struct arena *arena;
	struct err *err;
	int r;
};

/* The file @name, to be cut up at will. Never NULL: "" if there is none. */
char *stat_text(struct stat_reader *rd, const char *name);
/* A file with one number, or "max"; 0 if there is none. */
uint64_t stat_number(struct stat_reader *rd, const char *name);
/* The same, of a file whose name is put together. */
uint64_t stat_number_of(struct stat_reader *rd, const char *prefix, const char *suffix);

/* The next line of *@p without its newline, or NULL. Empty ones are skipped. */
char *stat_line(char **p);
/* A number at *@p, which is moved behind it and what separates it from the next: blank, ':', '='.
 * 0 and *@ret, or -EINVAL. "max" is CGROUP_STAT_MAX. */
int stat_parse(char **p, uint64_t *ret);

/* Values of a file of "KEY NUMBER" lines, multiplied. */
struct stat_key {
	const char *key;
	uint64_t *to, factor;
};
void stat_keys(struct stat_reader *rd, const char *name, const struct stat_key *keys, size_t n);

/* arena_grow() that counts. NULL and rd->r where there is no memory. */
void *stat_grow(struct stat_reader *rd, void *array, size_t *n, size_t size);
/* Append @v. False and rd->r where there is no memory. */
bool stat_add(struct stat_reader *rd, struct cgroup_stat_list *l, uint64_t v);

/* "0-2,7" as numbers. */
void stat_cpus(struct stat_reader *rd, const char *name, struct cgroup_stat_list *ret);
/* memory.stat, whole. @cache: the name of what is the page cache. */
void stat_memory(struct stat_reader *rd, const char *cache, struct cgroup_stat_memory *ret);

typedef void stat_function(struct stat_reader *rd, struct cgroup_stat *s);
stat_function stat_v1_cpu, stat_v1_cpuacct, stat_v1_cpuset, stat_v1_memory, stat_v1_io;
stat_function stat_v2_cpu, stat_v2_memory, stat_v2_io;

/* What of hugetlb is called otherwise: "hugetlb.2MB" and with rsvd. */
void stat_v1_hugepage(struct stat_reader *rd, const char *base, struct cgroup_stat_hugepage *ret);
void stat_v2_hugepage(struct stat_reader *rd, const char *base, struct cgroup_stat_hugepage *ret);

#endif
