/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writing side of the log; the reading one is logreader.c. */
#include "supervise/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "supervise/record.h"

int logfile_parse(const char *text, enum logfile_driver *ret, const char **ret_path)
{
	*ret_path = NULL;
	if (str_eq(text, "default"))
		*ret = LOGFILE_DEFAULT;
	else if (str_eq(text, "journald"))
		*ret = LOGFILE_JOURNAL;
	else if (str_eq(text, "none"))
		*ret = LOGFILE_NONE;
	else if (str_starts(text, "file:") && text[5])
		*ret = LOGFILE_FILE, *ret_path = text + 5;
	else
		return -EINVAL;
	return 0;
}

int logfile_open(struct logfile *log, enum logfile_driver driver, const char *path, const char *id,
		 struct err *err)
{
	log->driver = driver;
	if (driver == LOGFILE_JOURNAL)
		return journal_open(&log->journal, JOURNAL_SOCKET, id, err);
	if (driver != LOGFILE_FILE)
		return 0;
	/* O_NONBLOCK: a FIFO without a reader, or with a slow one, must not stop the container. */
	log->fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0600);
	if (log->fd < 0)
		return err_set(err, errno, "open the log %s", path);
	return 0;
}

static int open_new(struct logfile *log)
{
	int fd = openat(log->dir, LOGFILE_NAME,
			O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	fd_replace(&log->fd, fd);
	log->size = 0;
	return 0;
}

static int place_link(struct logfile *log, const char *kind, const char *to, struct err *err)
{
	char text[PATH_MAX + sizeof(LOGFILE_JOURNALD)];

	snprintf(text, sizeof(text), "%s%s", kind, to);
	if (symlinkat(text, log->dir, LOGFILE_NAME) < 0)
		return err_set(err, errno, "link the log into the state directory");
	return 0;
}

int logfile_place(struct logfile *log, int dir, const char *path, struct err *err)
{
	AUTO_FREE char *real = NULL;
	int r;

	log->dir = dir;
	if (log->driver == LOGFILE_NONE)
		return 0;
	if (log->driver == LOGFILE_DEFAULT) {
		r = open_new(log);
		return r < 0 ? err_set(err, -r, "make the log in the state directory") : 0;
	}
	if (log->driver == LOGFILE_JOURNAL)
		return place_link(log, LOGFILE_JOURNALD, log->journal.id, err);
	real = realpath(path, NULL);
	if (!real)
		return err_set(err, errno, "resolve the log %s", path);
	return place_link(log, "", real, err);
}

/*
 * One rotation is kept. Where the new file cannot be made, the old one goes on under its new name
 * and takes no more: its bound is kept, and each write tries again.
 */
static int rotate(struct logfile *log)
{
	if (renameat(log->dir, LOGFILE_NAME, log->dir, LOGFILE_OLD) < 0 && errno != ENOENT)
		return -errno;
	return open_new(log);
}

/* A half-written record would run into the next one: what was written of the block is taken back.
 */
static void take_back(struct logfile *log, size_t written)
{
	struct stat st;

	if (written == 0 || fstat(log->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (st.st_size >= (off_t)written)
		(void)!ftruncate(log->fd, st.st_size - (off_t)written);
}

static int write_block(struct logfile *log, size_t size)
{
	size_t done = 0;

	if (log->driver == LOGFILE_DEFAULT && log->size + size > LOGFILE_MAX) {
		int r = rotate(log);

		if (r < 0)
			return r;
	}
	while (done < size) {
		ssize_t n = write(log->fd, log->buffer + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int code = n < 0 ? errno : ENOSPC;

			take_back(log, done);
			return -code;
		}
		done += (size_t)n;
	}
	log->size += size;
	return 0;
}

void logfile_write(struct logfile *log, int stream, const char *data, size_t size)
{
	struct record_prefix prefix;
	char now[CLOCK_TEXT_SIZE];

	if (log->journal.fd >= 0)
		log->lost += journal_write(&log->journal, stream, data, size);
	if (log->fd < 0)
		return;
	clock_text(now);
	record_prefix(&prefix, now, stream);
	while (size > 0) {
		size_t taken;
		size_t n = record_format(&prefix, data, size, log->buffer, LOGFILE_BUFFER, &taken);

		if (write_block(log, n) < 0)
			log->lost += taken;
		data += taken;
		size -= taken;
	}
}

int logfile_descriptor(const struct logfile *log)
{
	return log->fd >= 0 ? log->fd : log->journal.fd;
}

void logfile_trim(struct logfile *log)
{
	journal_trim(&log->journal);
}

void logfile_close(struct logfile *log)
{
	log->lost += journal_close(&log->journal);
	fd_replace(&log->fd, -1);
}
