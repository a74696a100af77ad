/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages for people and engines: text ("level=debug msg=…" when a log file is named, plain
 * "oakum: …" on a terminal) or JSON lines as runc writes them {"level","msg","time"}.
 * Used by programs; libruntime only offers debug lines. Not for the child.
 */
#ifndef OAKUM_BASE_LOG_H
#define OAKUM_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* The form of a message: the last two are one datagram each. */
enum log_form {
	LOG_PLAIN,  /* "oakum: TEXT" */
	LOG_FILE,   /* key=value */
	LOG_SYSLOG, /* "<PRIORITY>IDENT[PID]: TEXT" for /dev/log (RFC 3164, as glibc's syslog(3)) */
	LOG_JOURNAL, /* fields for systemd-journald's native socket */
};

struct log_options {
	int fd; /* where to; not owned; default 2 */
	bool json;
	enum log_form form;
	const char *ident;    /* syslog, journal */
	enum log_level level; /* default LOG_LEVEL_WARNING */
	const char *program;  /* the prefix on stderr */
};

void log_setup(const struct log_options *o);
bool log_enabled(enum log_level level);
/* One line, one write(2). Newlines in the text are escaped. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_enabled(LOG_LEVEL_DEBUG))                                                  \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                   \
	} while (0)

#endif
