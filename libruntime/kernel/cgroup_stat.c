/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a cgroup has used; see cgroup_stat.h. Here: which hierarchy is asked, and what both versions
 * have alike. */
#include "kernel/cgroup_stat.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_stat_internal.h"

#define FILE_MAX (4u << 20)

/* ---- reading ---- */

/* An absent file, a removed cgroup, and pressure that was switched off on the command line. */
static bool means_absent(int r)
{
	return cgroup_means_gone(r) || r == -EOPNOTSUPP;
}

char *stat_text(struct stat_reader *rd, const char *name)
{
	static char empty[1];
	struct err err = ERR_INIT;
	char *text = empty;
	size_t size;
	int r;

	empty[0] = '\0';
	if (rd->r < 0)
		return empty;
	r = io_read_alloc(rd->dir, name, FILE_MAX, rd->arena, &text, &size, &err);
	if (r < 0 && !means_absent(-err.code)) {
		*rd->err = err;
		rd->r = r;
	}
	return r < 0 ? empty : text;
}

char *stat_line(char **p)
{
	char *line;

	while ((line = strsep(p, "\n")))
		if (line[0])
			return line;
	return NULL;
}

int stat_parse(char **p, uint64_t *ret)
{
	size_t n = strcspn(*p, " :=\n");

	if (n == 3 && str_starts(*p, "max"))
		*ret = CGROUP_STAT_MAX;
	else if (strn_to_u64(*p, n, 0, UINT64_MAX, ret) < 0)
		return -EINVAL;
	*p += n;
	*p += strspn(*p, " :=");
	return 0;
}

uint64_t stat_number(struct stat_reader *rd, const char *name)
{
	char *text = stat_text(rd, name);
	uint64_t v = 0;

	return stat_parse(&text, &v) < 0 ? 0 : v;
}

uint64_t stat_number_of(struct stat_reader *rd, const char *prefix, const char *suffix)
{
	char name[NAME_MAX + 1];
	struct strbuf b;

	strbuf_init(&b, name, sizeof(name));
	strbuf_add(&b, prefix);
	strbuf_add(&b, suffix);
	return b.overflow ? 0 : stat_number(rd, name);
}

/* "KEY NUMBER": the key is cut off. */
static int parse_pair(char *line, uint64_t *ret)
{
	char *value = strchr(line, ' ');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	return stat_parse(&value, ret);
}

void stat_keys(struct stat_reader *rd, const char *name, const struct stat_key *keys, size_t n)
{
	char *text = stat_text(rd, name), *line;
	uint64_t v;

	while ((line = stat_line(&text))) {
		if (parse_pair(line, &v) < 0)
			continue;
		for (size_t i = 0; i < n; i++)
			if (str_eq(line, keys[i].key))
				*keys[i].to = v * keys[i].factor;
	}
}

void *stat_grow(struct stat_reader *rd, void *array, size_t *n, size_t size)
{
	void *more = arena_grow(rd->arena, array, *n, size);

	if (more)
		(*n)++;
	else if (rd->r == 0)
		rd->r = err_set(rd->err, ENOMEM, "read statistics");
	return more;
}

bool stat_add(struct stat_reader *rd, struct cgroup_stat_list *l, uint64_t v)
{
	uint64_t *more = stat_grow(rd, l->v, &l->n, sizeof(*l->v));

	if (!more)
		return false;
	l->v = more;
	l->v[l->n - 1] = v;
	return true;
}

void stat_cpus(struct stat_reader *rd, const char *name, struct cgroup_stat_list *ret)
{
	char *text = stat_text(rd, name), *range;

	text[strcspn(text, "\n")] = '\0';
	while ((range = strsep(&text, ","))) {
		char *dash = strchr(range, '-');
		uint64_t first, last;

		if (strn_to_u64(range, dash ? (size_t)(dash - range) : strlen(range), 0, UINT16_MAX,
				&first) < 0)
			return;
		last = first;
		if (dash && str_to_u64(dash + 1, first, UINT16_MAX, &last) < 0)
			return;
		for (uint64_t v = first; v <= last; v++)
			if (!stat_add(rd, ret, v))
				return;
	}
}

/* ---- memory.stat ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cgroup_stat_named *)a)->name,
		      ((const struct cgroup_stat_named *)b)->name);
}

void stat_memory(struct stat_reader *rd, const char *cache, struct cgroup_stat_memory *ret)
{
	char *text = stat_text(rd, "memory.stat"), *line;
	uint64_t v;

	while ((line = stat_line(&text))) {
		struct cgroup_stat_named *more;

		if (parse_pair(line, &v) < 0)
			continue;
		more = stat_grow(rd, ret->raw, &ret->n_raw, sizeof(*ret->raw));
		if (!more)
			return;
		ret->raw = more;
		more[ret->n_raw - 1] = (struct cgroup_stat_named){line, v};
		if (str_eq(line, cache))
			ret->cache = v;
	}
	if (ret->n_raw)
		qsort(ret->raw, ret->n_raw, sizeof(*ret->raw), by_name);
}

/* ---- pids, hugetlb, rdma: the same names in both versions, or nearly so ---- */

static void read_pids(struct stat_reader *rd, struct cgroup_stat *s)
{
	struct cgroup_pidlist l = {.p = NULL};

	s->pids = stat_number(rd, "pids.current");
	s->pids_limit = stat_number(rd, "pids.max");
	/* Without its controller v2 knows all the same who lives there. */
	if (!s->pids && cgroup_list(rd->dir, "cgroup.threads", &l) == 0)
		s->pids = l.n;
	cgroup_pidlist_done(&l);
}

typedef void hugepage_function(struct stat_reader *rd, const char *base,
			       struct cgroup_stat_hugepage *ret);

static void add_hugepage(struct stat_reader *rd, struct cgroup_stat *s, const char *size,
			 size_t len, hugepage_function *read_one)
{
	struct cgroup_stat_hugepage *more =
		stat_grow(rd, s->hugepages, &s->n_hugepages, sizeof(*s->hugepages));
	const char *base = arena_printf(rd->arena, "hugetlb.%.*s", (int)len, size);

	if (!more)
		return;
	s->hugepages = more;
	more += s->n_hugepages - 1;
	*more = (struct cgroup_stat_hugepage){.size = arena_strndup(rd->arena, size, len)};
	if (base && more->size)
		read_one(rd, base, more);
	else
		s->n_hugepages--;
}

static int by_size(const void *a, const void *b)
{
	return strcmp(((const struct cgroup_stat_hugepage *)a)->size,
		      ((const struct cgroup_stat_hugepage *)b)->size);
}

/* Which sizes there are the files tell: "hugetlb.SIZE" and @limit. */
static void read_hugetlb(struct stat_reader *rd, struct cgroup_stat *s, const char *limit,
			 hugepage_function *read_one)
{
	static const char prefix[] = "hugetlb.";
	int fd = openat(rd->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		fd_close(fd);
	while (d && (e = readdir(d))) {
		const char *size = e->d_name + strlen(prefix);
		const char *dot = str_starts(e->d_name, prefix) ? strchr(size, '.') : NULL;

		if (dot && str_eq(dot, limit))
			add_hugepage(rd, s, size, (size_t)(dot - size), read_one);
	}
	if (d)
		closedir(d);
	if (s->n_hugepages)
		qsort(s->hugepages, s->n_hugepages, sizeof(*s->hugepages), by_size);
}

static void read_v1_hugetlb(struct stat_reader *rd, struct cgroup_stat *s)
{
	read_hugetlb(rd, s, ".limit_in_bytes", stat_v1_hugepage);
}

static void read_v2_hugetlb(struct stat_reader *rd, struct cgroup_stat *s)
{
	read_hugetlb(rd, s, ".max", stat_v2_hugepage);
}

/* "mlx4_0 hca_handle=2 hca_object=2000" */
static void read_rdma_file(struct stat_reader *rd, const char *name, struct cgroup_stat_rdma **list,
			   size_t *n)
{
	char *text = stat_text(rd, name), *line;

	while ((line = stat_line(&text))) {
		struct cgroup_stat_rdma *more = stat_grow(rd, *list, n, sizeof(**list));
		char *word, *rest = line;

		if (!more)
			return;
		*list = more;
		more += *n - 1;
		*more = (struct cgroup_stat_rdma){.device = strsep(&rest, " ")};
		while ((word = strsep(&rest, " "))) {
			char *value = strchr(word, '=');

			if (value && str_starts(word, "hca_handle="))
				(void)stat_parse((value++, &value), &more->handles);
			else if (value && str_starts(word, "hca_object="))
				(void)stat_parse((value++, &value), &more->objects);
		}
	}
}

static void read_rdma(struct stat_reader *rd, struct cgroup_stat *s)
{
	read_rdma_file(rd, "rdma.current", &s->rdma_current, &s->n_rdma_current);
	read_rdma_file(rd, "rdma.max", &s->rdma_limit, &s->n_rdma_limit);
}

/* ---- all of it ---- */

static const struct {
	uint32_t controller;
	stat_function *v1, *v2;
} parts[] = {
	{CGROUP_C_CPU, stat_v1_cpu, NULL},
	/* v2 has both in one file. */
	{CGROUP_C_CPUACCT, stat_v1_cpuacct, stat_v2_cpu},
	{CGROUP_C_CPUSET, stat_v1_cpuset, NULL},
	{CGROUP_C_MEMORY, stat_v1_memory, stat_v2_memory},
	{CGROUP_C_PIDS, read_pids, read_pids},
	{CGROUP_C_BLKIO, stat_v1_io, stat_v2_io},
	{CGROUP_C_HUGETLB, read_v1_hugetlb, read_v2_hugetlb},
	{CGROUP_C_RDMA, read_rdma, read_rdma},
};

/* "some avg10=0.00 avg60=1.25 avg300=0.10 total=1234" */
static void parse_stall(char *line, struct cgroup_stat_stall *ret)
{
	uint32_t *const averages[] = {&ret->avg10, &ret->avg60, &ret->avg300};
	size_t i = 0;
	char *word;

	while ((word = strsep(&line, " "))) {
		char *value = strchr(word, '=');
		uint64_t whole = 0, part = 0;

		if (!value)
			continue;
		value++;
		if (str_starts(word, "total=")) {
			(void)str_to_u64(value, 0, UINT64_MAX, &ret->total);
		} else if (i < ARRAY_SIZE(averages)) {
			size_t n = strcspn(value, ".");

			(void)strn_to_u64(value, n, 0, 100, &whole);
			/* Two digits, of which the first may be a 0. */
			if (value[n] && value[n + 1] && value[n + 2])
				part = (uint64_t)(value[n + 1] - '0') * 10 +
				       (uint64_t)(value[n + 2] - '0');
			*averages[i++] = (uint32_t)(whole * 100 + part);
		}
	}
}

static void read_pressure(struct stat_reader *rd, const char *name,
			  struct cgroup_stat_pressure *ret)
{
	char *text = stat_text(rd, name), *line;

	while ((line = stat_line(&text))) {
		ret->known = true;
		if (str_starts(line, "some "))
			parse_stall(line, &ret->some);
		else if (str_starts(line, "full "))
			parse_stall(line, &ret->full);
	}
}

/* The v2 tree has it also beside v1's controllers. */
static void read_pressures(struct stat_reader *rd, struct cgroup_stat *s)
{
	read_pressure(rd, "cpu.pressure", &s->cpu.pressure);
	read_pressure(rd, "memory.pressure", &s->memory.pressure);
	read_pressure(rd, "io.pressure", &s->io.pressure);
}

static bool is_gone(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->host->n; i++)
		if (cg->fd[i] >= 0)
			return faccessat(cg->fd[i], "cgroup.procs", F_OK, 0) < 0;
	return true;
}

int cgroup_stat(const struct cgroup *cg, struct arena *arena, struct cgroup_stat *ret,
		struct err *err)
{
	int v2 = cgroup_find_v2(cg->host);
	struct stat_reader rd = {.arena = arena, .err = err};

	*ret = (struct cgroup_stat){.pids = 0};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int h = cgroup_find(cg->host, parts[i].controller);
		stat_function *read_part = h >= 0 ? parts[i].v1 : parts[i].v2;

		h = h >= 0 ? h : v2;
		if (!read_part || h < 0 || cg->fd[h] < 0)
			continue;
		rd.dir = cg->fd[h];
		read_part(&rd, ret);
	}
	if (v2 >= 0 && cg->fd[v2] >= 0) {
		rd.dir = cg->fd[v2];
		read_pressures(&rd, ret);
	}
	if (rd.r < 0) {
		err_prefix(err, "statistics of cgroup %s", cg->path);
		return rd.r;
	}
	/* Asked last: then what was read came from a cgroup that was there. */
	return is_gone(cg) ? CGROUP_GONE : 0;
}
