/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One message, one line, one write. The only state is how and where to; it is set once by the
 * program's main() and belongs to no thread but that.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"

#define TEXT_MAX       2048
#define LINE_MAX_BYTES (TEXT_MAX * 6 + 256) /* six bytes escape one at worst */

static struct log_options current = {.fd = 2, .level = LOG_LEVEL_WARNING, .program = "oakum"};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_setup(const struct log_options *o)
{
	current = *o;
	if (!current.program)
		current.program = "oakum";
}

bool log_enabled(enum log_level level)
{
	return level <= current.level;
}

static void json_line(struct strbuf *b, enum log_level level, const char *text)
{
	char now[CLOCK_TEXT_SIZE];

	clock_text(now);
	strbuf_add(b, "{\"level\":\"");
	strbuf_add(b, level_names[level]);
	strbuf_add(b, "\",\"msg\":");
	strbuf_json(b, text);
	strbuf_add(b, ",\"time\":\"");
	strbuf_add(b, now);
	strbuf_add(b, "\"}");
}

static void file_line(struct strbuf *b, enum log_level level, const char *text)
{
	char now[CLOCK_TEXT_SIZE];

	clock_text(now);
	strbuf_add(b, "time=\"");
	strbuf_add(b, now);
	strbuf_add(b, "\" level=");
	strbuf_add(b, level_names[level]);
	strbuf_add(b, " msg=");
	strbuf_json(b, text);
}

static void plain_line(struct strbuf *b, enum log_level level, const char *text)
{
	char safe[TEXT_MAX * 4];

	strbuf_add(b, current.program);
	strbuf_add(b, ": ");
	if (level != LOG_LEVEL_ERROR) {
		strbuf_add(b, level_names[level]);
		strbuf_add(b, ": ");
	}
	(void)str_printable(text, safe, sizeof(safe));
	strbuf_add(b, safe);
}

/* Severities of syslog(3), in the order of the levels. */
static const char severities[] = "3467";

static void syslog_line(struct strbuf *b, enum log_level level, const char *text)
{
	char safe[TEXT_MAX * 4];

	(void)str_printable(text, safe, sizeof(safe));
	/* Facility LOG_USER is 1. */
	strbuf_fmt(b, "<%d>%s[%d]: %s", 1 * 8 + (severities[level] - '0'), current.ident, getpid(),
		   safe);
}

static void journal_fields(struct strbuf *b, enum log_level level, const char *text)
{
	char safe[TEXT_MAX * 4];

	(void)str_printable(text, safe, sizeof(safe));
	strbuf_fmt(b, "PRIORITY=%c\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s", severities[level],
		   current.ident, safe);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char text[TEXT_MAX], line[LINE_MAX_BYTES];
	int saved = errno;
	struct strbuf b;
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strbuf_init(&b, line, sizeof(line) - 1);
	if (current.form == LOG_SYSLOG)
		syslog_line(&b, level, text);
	else if (current.form == LOG_JOURNAL)
		journal_fields(&b, level, text);
	else if (current.json)
		json_line(&b, level, text);
	else if (current.form == LOG_FILE)
		file_line(&b, level, text);
	else
		plain_line(&b, level, text);
	b.p[b.len++] = '\n';
	/* A log that cannot be written has nobody to tell. */
	(void)io_write(current.fd, line, b.len);
	errno = saved;
}
