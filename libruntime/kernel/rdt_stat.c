/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What resctrl says of a class: its shares, and what the CPU counted in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/rdt.h"

#define SCHEMATA_MAX 16384
#define DOMAINS_MAX  256

/* The text of a small file in @arena, or NULL if there is none. */
static const char *text_of(int dir, const char *name, struct arena *arena)
{
	char text[SCHEMATA_MAX];

	return io_read_at(dir, name, text, sizeof(text)) < 0 ? NULL : arena_strdup(arena, text);
}

static uint64_t number_of(int dir, const char *name)
{
	char text[64];
	uint64_t v = 0;

	/* "Unavailable" and "Error" are words a counter may have. */
	if (io_read_at(dir, name, text, sizeof(text)) > 0)
		(void)str_to_u64(text, 0, UINT64_MAX, &v);
	return v;
}

/* The line of @schemata that begins with @resource ("L3:"), without its indentation. */
static const char *line_of(const char *schemata, const char *resource, struct arena *arena)
{
	for (const char *line = schemata; line && *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		const char *name = line + strspn(line, " ");

		if (str_starts(name, resource))
			return arena_strndup(arena, name, strcspn(name, "\n"));
	}
	return NULL;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_cache(const struct dirent *e)
{
	return str_starts(e->d_name, "mon_L3_");
}

static int read_domains(int dir, struct arena *arena, struct rdt_stat *ret, struct err *err)
{
	struct dirent **names = NULL;
	int n = scandirat(dir, "mon_data", &names, is_cache, by_name), r = 0;

	if (n <= 0) {
		free(names);
		return 0;
	}
	ret->domains = arena_array(arena, (size_t)n, sizeof(*ret->domains));
	if (!ret->domains)
		r = err_set(err, ENOMEM, "read resctrl counters");
	for (int i = 0; i < n; i++) {
		char path[64 + sizeof(names[i]->d_name)];
		AUTO_CLOSE int domain = -1;

		snprintf(path, sizeof(path), "mon_data/%s", names[i]->d_name);
		free(names[i]);
		if (r < 0 || i >= DOMAINS_MAX)
			continue;
		domain = openat(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (domain < 0)
			continue;
		ret->domains[ret->n_domains++] = (struct rdt_stat_domain){
			number_of(domain, "llc_occupancy"),
			number_of(domain, "mbm_total_bytes"),
			number_of(domain, "mbm_local_bytes"),
		};
	}
	free(names);
	return r;
}

static void read_abilities(int root, struct arena *arena, struct rdt_stat *s)
{
	const char *features = text_of(root, "info/L3_MON/mon_features", arena);

	s->l3_mask = text_of(root, "info/L3/cbm_mask", arena);
	s->l3_min_bits = number_of(root, "info/L3/min_cbm_bits");
	s->l3_closids = number_of(root, "info/L3/num_closids");
	s->has_mb = faccessat(root, "info/MB", F_OK, 0) == 0;
	s->mb_granularity = number_of(root, "info/MB/bandwidth_gran");
	s->mb_linear = number_of(root, "info/MB/delay_linear");
	s->mb_minimum = number_of(root, "info/MB/min_bandwidth");
	s->mb_closids = number_of(root, "info/MB/num_closids");
	s->has_cmt = features && strstr(features, "llc_occupancy");
	s->has_mbm = features && strstr(features, "mbm_");
}

int rdt_stat(int root, const char *group, const char *monitor, struct arena *arena,
	     struct rdt_stat *ret, struct err *err)
{
	AUTO_CLOSE int dir = -1, counted = -1;
	const char *all;
	int r = rdt_open_class(root, group, &dir, err);

	*ret = (struct rdt_stat){.l3 = NULL};
	if (r != 0)
		return r;
	read_abilities(root, arena, ret);
	all = text_of(root, "schemata", arena);
	ret->schemata = text_of(dir, "schemata", arena);
	ret->l3_root = line_of(all, "L3:", arena);
	ret->l3 = line_of(ret->schemata, "L3:", arena);
	ret->mb_root = line_of(all, "MB:", arena);
	ret->mb = line_of(ret->schemata, "MB:", arena);
	if (monitor)
		counted = rdt_open_monitor(dir, monitor);
	return read_domains(counted >= 0 ? counted : dir, arena, ret, err);
}
