/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors as one line "oakum: WHAT: WHY; HINT" on stderr, and once more in the log where there is
 * one; debug lines in the log only. And what exit status an error has.
 */
#include "cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "supervise/journal.h"

static enum log_level level_of(const struct command_context *c)
{
	const char *wanted = opt_string(c, "log-level");

	if (opt_bool(c, "debug"))
		return LOG_LEVEL_DEBUG;
	if (!wanted)
		return LOG_LEVEL_WARNING;
	if (str_eq(wanted, "error"))
		return LOG_LEVEL_ERROR;
	if (str_eq(wanted, "debug"))
		return LOG_LEVEL_DEBUG;
	return str_eq(wanted, "info") ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
}

/* Opened without blocking, so that a FIFO that nobody reads is an error and not a hang. */
static int open_file(const char *name, struct err *err)
{
	AUTO_CLOSE int fd =
		open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);

	if (fd < 0)
		return err_set(err, errno, "open the log %s", name);
	fd_nonblock(fd, false);
	return fd_take(&fd);
}

/* A log service that is not there is no reason not to run a container: said once, and gone on. */
static void open_service(const char *path, enum log_form form, const char *ident,
			 struct log_options *o)
{
	int fd = io_connect(path, SOCK_DGRAM, CLOCK_FOREVER);

	if (fd < 0) {
		log_setup(o);
		log_warning("--log: connect to %s: %s: nothing is logged", path, strerror(-fd));
		return;
	}
	o->fd = fd;
	o->form = form;
	o->ident = *ident ? ident : "oakum";
}

/* Where @name leads. 0, or < 0 with @err. */
static int open_log(struct command_context *c, const char *name, struct log_options *o,
		    struct err *err)
{
	int r;

	if (str_starts(name, "syslog:")) {
		open_service("/dev/log", LOG_SYSLOG, name + 7, o);
		c->log_file = o->fd != 2;
		return 0;
	}
	if (str_starts(name, "journald:")) {
		open_service(JOURNAL_SOCKET, LOG_JOURNAL, name + 9, o);
		c->log_file = o->fd != 2;
		return 0;
	}
	if (str_starts(name, "file:"))
		name += 5;
	else if (name[strcspn(name, "/:")] == ':')
		return err_kind(err, ERR_USAGE, 0,
				"--log %s: no such kind of log; file:%s is a file", name, name);
	r = open_file(name, err);
	if (r < 0)
		return r;
	o->fd = r;
	o->form = LOG_FILE;
	c->log_file = true;
	return 0;
}

int report_open(struct command_context *c, struct err *err)
{
	const char *name = opt_string(c, "log"), *format = opt_string(c, "log-format");
	struct log_options o = {.fd = 2, .level = level_of(c), .program = "oakum"};
	int r;

	c->log_json = o.json = format && str_eq(format, "json");
	o.form = LOG_FILE;
	r = name ? open_log(c, name, &o, err) : 0;
	log_setup(&o);
	return r < 0 ? r : 0;
}

/* One write, so that lines of several processes do not mix. */
static void print_line(const char *level, const char *text, const char *hint)
{
	char safe[4096], advice[512], line[4736];
	struct strbuf b;

	(void)str_printable(text, safe, sizeof(safe));
	(void)str_printable(hint, advice, sizeof(advice));
	strbuf_init(&b, line, sizeof(line));
	strbuf_add(&b, "oakum: ");
	strbuf_add(&b, level);
	strbuf_add(&b, safe);
	if (hint[0]) {
		strbuf_add(&b, "; ");
		strbuf_add(&b, advice);
	}
	strbuf_addc(&b, '\n');
	(void)io_write(STDERR_FILENO, b.p, b.len);
}

static void put_error(const struct command_context *c, const char *text, const char *hint)
{
	if (c->log_file || c->log_json)
		log_error("%s%s%s", text, hint[0] ? "; " : "", hint);
	if (c->log_file || !c->log_json)
		print_line("", text, hint);
}

static void put_warning(const struct command_context *c, const char *text)
{
	if (c->log_file || c->log_json)
		log_warning("%s", text);
	if (log_enabled(LOG_LEVEL_WARNING) && (c->log_file || !c->log_json))
		print_line("warning: ", text, "");
}

int cli_status(const struct command_context *c, enum oakum_error_kind kind)
{
	bool exec = c->command && (c->command->flags & COMMAND_EXEC);
	bool program = kind == OAKUM_E_NOT_EXECUTABLE || kind == OAKUM_E_NOT_FOUND;

	if (kind == OAKUM_OK)
		return 0;
	if (c->peer != CLI_OAKUM)
		return exec && c->understood ? 255 : 1;
	return exec && !program ? 255 : (int)kind;
}

/* runc's own process has become the container's when execve fails: it prints the bare words. */
static bool put_as_runc(const struct command_context *c)
{
	const char *words = strstr(oakum_error_text(c->oakum, 0), "exec /");
	enum oakum_error_kind kind = oakum_error_kind(c->oakum);

	if (c->peer != CLI_RUNC || c->log_json || !words ||
	    (kind != OAKUM_E_NOT_EXECUTABLE && kind != OAKUM_E_NOT_FOUND))
		return false;
	if (c->log_file)
		log_error("%s", oakum_error_text(c->oakum, 0));
	(void)io_write(STDERR_FILENO, words, strlen(words));
	(void)io_write(STDERR_FILENO, "\n", 1);
	return true;
}

int cli_fail(const struct command_context *c)
{
	size_t n = c->oakum ? oakum_error_count(c->oakum) : 0;
	int status = n ? cli_status(c, oakum_error_kind(c->oakum)) : 0;

	if (n == 1 && put_as_runc(c))
		return status;
	for (size_t i = 0; i < n; i++)
		put_error(c, oakum_error_text(c->oakum, i), oakum_error_hint(c->oakum, i));
	if (n == 0)
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "open the state root");
	return status;
}

int report_err(const struct command_context *c, const struct err *err)
{
	char text[1024];
	struct err advised = *err;

	err_advise(&advised);
	err_format(err, text, sizeof(text));
	put_error(c, text, advised.hint);
	return cli_status(c, (enum oakum_error_kind)err->kind);
}

int cli_error(const struct command_context *c, enum oakum_error_kind kind, int code,
	      const char *fmt, ...)
{
	struct err err = ERR_INIT;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_kind(&err, (enum err_kind)kind, code, "%s", text);
	if (c->command)
		err_prefix(&err, "%s", c->command->name);
	return report_err(c, &err);
}

void cli_warn(const struct command_context *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_warning(c, text);
}

int cli_output(const struct command_context *c, const char *text, size_t size)
{
	int r = io_write(STDOUT_FILENO, text, size);

	return r < 0 ? cli_error(c, OAKUM_E_RUNTIME, -r, "write to standard output") : 0;
}

void report_debug(void *data, const char *line)
{
	(void)data;
	log_debug("%s", line);
}

void report_warn(void *data, const char *line)
{
	put_warning(data, line);
}
