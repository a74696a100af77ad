/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Statistics as a table for people, and as JSON for programs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/json_put.h"
#include "base/str.h"
#include "cli/columns.h"
#include "cli/stats_rows.h"

#define CELL 80

/* 512B, 12.3MiB: one digit behind the point. */
static void size_text(uint64_t v, char *buf, size_t size)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;
	uint64_t tenths;

	if (v < 1024) {
		snprintf(buf, size, "%" PRIu64 "B", v);
		return;
	}
	/* What would be rounded to 1024.0 is 1 of the next. */
	for (; unit + 1 < ARRAY_SIZE(units) && v >= (1ull << 20) - 51; unit++)
		v >>= 10;
	tenths = (v * 10 + 512) / 1024;
	snprintf(buf, size, "%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10, units[unit]);
}

static void put_size(const struct oakum_stats *s, enum oakum_stat what, char *buf, size_t size)
{
	uint64_t v;

	if (oakum_stats_value(s, what, &v))
		size_text(v, buf, size);
	else
		snprintf(buf, size, "-");
}

static void pair(const struct oakum_stats *s, enum oakum_stat one, enum oakum_stat other,
		 char cell[CELL])
{
	char a[32], b[32];

	put_size(s, one, a, sizeof(a));
	put_size(s, other, b, sizeof(b));
	snprintf(cell, CELL, "%s / %s", a, b);
}

/* Hundredths of a percent, rounded to one digit behind the point. */
static void percent(bool known, uint64_t v, char *buf, size_t size)
{
	if (known)
		snprintf(buf, size, "%" PRIu64 ".%" PRIu64, (v + 5) / 100, (v + 5) / 10 % 10);
	else
		snprintf(buf, size, "-");
}

static bool memory_share(const struct oakum_stats *s, uint64_t *ret)
{
	uint64_t used, limit;

	if (!oakum_stats_value(s, OAKUM_STAT_MEMORY, &used) ||
	    !oakum_stats_value(s, OAKUM_STAT_MEMORY_LIMIT, &limit) || !limit)
		return false;
	*ret = (uint64_t)((double)used * 10000 / (double)limit);
	return true;
}

static void count(const struct oakum_stats *s, char cell[CELL])
{
	uint64_t n, limit;

	if (!oakum_stats_value(s, OAKUM_STAT_PIDS, &n))
		snprintf(cell, CELL, "-");
	else if (oakum_stats_value(s, OAKUM_STAT_PIDS_LIMIT, &limit))
		snprintf(cell, CELL, "%" PRIu64 " / %" PRIu64, n, limit);
	else
		snprintf(cell, CELL, "%" PRIu64, n);
}

static void pressures(const struct oakum_stats *s, char cell[CELL])
{
	static const enum oakum_stat which[] = {OAKUM_STAT_CPU_PRESSURE, OAKUM_STAT_MEMORY_PRESSURE,
						OAKUM_STAT_IO_PRESSURE};
	struct strbuf b;

	strbuf_init(&b, cell, CELL);
	for (size_t i = 0; i < ARRAY_SIZE(which); i++) {
		uint64_t v = 0;
		bool known = oakum_stats_value(s, which[i], &v);
		char text[32];

		percent(known, v, text, sizeof(text));
		strbuf_add(&b, i ? " / " : "");
		strbuf_add(&b, text);
	}
}

static int add_row(struct columns *t, const struct stats_row *row)
{
	char cpu[CELL], memory[CELL], share[CELL], pids[CELL], network[CELL], block[CELL];
	char pressure[CELL];
	const char *const cells[] = {row->id, cpu, memory, share, pids, network, block, pressure};
	uint64_t v = 0;
	bool known = stats_row_cpu(row, &v);

	percent(known, v, cpu, sizeof(cpu));
	known = memory_share(row->now, &v);
	percent(known, v, share, sizeof(share));
	pair(row->now, OAKUM_STAT_MEMORY, OAKUM_STAT_MEMORY_LIMIT, memory);
	count(row->now, pids);
	pair(row->now, OAKUM_STAT_NETWORK_RECEIVED, OAKUM_STAT_NETWORK_SENT, network);
	pair(row->now, OAKUM_STAT_BLOCK_READ, OAKUM_STAT_BLOCK_WRITTEN, block);
	pressures(row->now, pressure);
	return columns_add(t, cells);
}

int stats_put_table(const struct stats_rows *rows, FILE *f)
{
	static const char *const header[] = {
		"ID",	"CPU %",   "MEMORY / LIMIT", "MEM %",
		"PIDS", "NET I/O", "BLOCK I/O",	     "WAITING % (CPU / MEM / IO)",
	};
	struct columns table = {.n = ARRAY_SIZE(header), .compact = true};
	int r = columns_add(&table, header);

	for (size_t i = 0; i < rows->n && r == 0; i++)
		r = add_row(&table, &rows->v[i]);
	columns_print(&table, f);
	columns_done(&table);
	return r;
}

/* ---- JSON ---- */

static void put_value(struct strbuf *b, const char *name, bool known, uint64_t v)
{
	json_put_key(b, name);
	if (known)
		strbuf_u64(b, v);
	else
		strbuf_add(b, "null");
}

static void put_percent(struct strbuf *b, const char *name, bool known, uint64_t v)
{
	put_value(b, name, known, v / 100);
	if (known)
		strbuf_fmt(b, ".%02u", (unsigned)(v % 100));
}

static void put_row(struct strbuf *b, const struct stats_row *row)
{
	static const struct {
		const char *name;
		enum oakum_stat what;
		bool percent;
	} members[] = {
		{"cpu_ns", OAKUM_STAT_CPU_NS, false},
		{"memory", OAKUM_STAT_MEMORY, false},
		{"memory_limit", OAKUM_STAT_MEMORY_LIMIT, false},
		{"pids", OAKUM_STAT_PIDS, false},
		{"pids_limit", OAKUM_STAT_PIDS_LIMIT, false},
		{"network_received", OAKUM_STAT_NETWORK_RECEIVED, false},
		{"network_sent", OAKUM_STAT_NETWORK_SENT, false},
		{"block_read", OAKUM_STAT_BLOCK_READ, false},
		{"block_written", OAKUM_STAT_BLOCK_WRITTEN, false},
		{"cpu_waiting_percent", OAKUM_STAT_CPU_PRESSURE, true},
		{"memory_waiting_percent", OAKUM_STAT_MEMORY_PRESSURE, true},
		{"io_waiting_percent", OAKUM_STAT_IO_PRESSURE, true},
	};
	uint64_t v = 0;
	bool known = stats_row_cpu(row, &v);

	json_put_item(b);
	strbuf_addc(b, '{');
	json_put_text(b, "id", row->id);
	put_percent(b, "cpu_percent", known, v);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		known = oakum_stats_value(row->now, members[i].what, &v);
		if (members[i].percent)
			put_percent(b, members[i].name, known, v);
		else
			put_value(b, members[i].name, known, v);
	}
	strbuf_addc(b, '}');
}

void stats_put_json(const struct stats_rows *rows, FILE *f)
{
	char text[2048];
	struct strbuf b;

	fputc('[', f);
	for (size_t i = 0; i < rows->n; i++) {
		strbuf_init(&b, text, sizeof(text));
		put_row(&b, &rows->v[i]);
		fprintf(f, "%s%s", i ? "," : "", text);
	}
	fputs("]\n", f);
}
