/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two files at most are read in order. A rotation renames what we have open, so it is read to its
 * end through the descriptor; which file comes next is told by inode numbers.
 */
#include "supervise/logreader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "supervise/logfile.h"

#define TRIES 16

static int open_file(const struct logreader *l, const char *name)
{
	int fd = openat(l->dir, name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_file(const struct logreader *l, const char *name, int fd)
{
	struct stat named, ours;

	return fd >= 0 && fstatat(l->dir, name, &named, 0) == 0 && fstat(fd, &ours) == 0 &&
	       same_file(&named, &ours);
}

static int check_regular(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "look at the log");
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "the log is not a regular file");
	return 0;
}

/*
 * Both files as they belong together: when "log" still is what was opened after "log.1" was, no
 * rotation came between.
 */
static int open_pair(struct logreader *l, struct err *err)
{
	for (int i = 0; i < TRIES; i++) {
		AUTO_CLOSE int old = open_file(l, LOGFILE_OLD);
		AUTO_CLOSE int new = open_file(l, LOGFILE_NAME);

		if (new < 0 && new != -ENOENT)
			return err_set(err, -new, "open the log");
		if (new < 0 && old < 0)
			return LOGREADER_ABSENT;
		if (old >= 0 ? !is_file(l, LOGFILE_OLD, old) : is_file(l, LOGFILE_OLD, new))
			continue;
		l->fd = old >= 0 ? fd_take(&old) : fd_take(&new);
		l->next = new >= 0 ? fd_take(&new) : -1;
		return LOGREADER_END;
	}
	return err_set(err, EAGAIN, "the log is rotated faster than it can be opened");
}

int logreader_open(struct logreader *l, int dir, struct err *err)
{
	int r;

	*l = LOGREADER_INIT;
	l->dir = dir;
	r = open_pair(l, err);
	if (r != LOGREADER_END)
		return r;
	r = check_regular(l->fd, err);
	if (r < 0)
		return r;
	l->buffer = malloc(LOGREADER_SIZE);
	return l->buffer ? 0 : err_set(err, ENOMEM, "read the log");
}

void logreader_close(struct logreader *l)
{
	fd_replace(&l->fd, -1);
	fd_replace(&l->next, -1);
	free(l->buffer);
	l->buffer = NULL;
}

int logreader_clone(const struct logreader *l, struct logreader *ret, struct err *err)
{
	*ret = LOGREADER_INIT;
	ret->dir = l->dir;
	ret->fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
	if (ret->fd >= 0 && l->next >= 0)
		ret->next = fcntl(l->next, F_DUPFD_CLOEXEC, 3);
	if (ret->fd < 0 || (l->next >= 0 && ret->next < 0))
		return err_set(err, errno, "read the log");
	ret->buffer = malloc(LOGREADER_SIZE);
	return ret->buffer ? 0 : err_set(err, ENOMEM, "read the log");
}

/* The descriptors of a clone share their offsets with the original's. */
void logreader_rewind(struct logreader *l)
{
	(void)lseek(l->fd, 0, SEEK_SET);
	if (l->next >= 0)
		(void)lseek(l->next, 0, SEEK_SET);
}

/* 1: there is more in the buffer. 0: end of the file for now. */
static int fill(struct logreader *l, struct err *err)
{
	ssize_t n;

	if (l->start > 0)
		memmove(l->buffer, l->buffer + l->start, l->end - l->start);
	l->end -= l->start;
	l->start = 0;
	if (l->end == LOGREADER_SIZE) {
		/* No record is that long: somebody else's line, dropped with what follows to its
		 * newline. */
		l->end = 0;
		l->bad++;
	}
	do {
		n = read(l->fd, l->buffer + l->end, LOGREADER_SIZE - l->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, errno, "read the log");
	l->end += (size_t)n;
	return n > 0;
}

static void move_to(struct logreader *l, int fd)
{
	fd_replace(&l->fd, fd);
	l->start = l->end = 0;
	l->last = false;
}

/* At the end of a file: 1 if there may be more, here or in the next one. */
static int advance(struct logreader *l)
{
	bool missed;
	int fd;

	if (l->next >= 0) {
		move_to(l, fd_take(&l->next));
		return 1;
	}
	if (is_file(l, LOGFILE_NAME, l->fd))
		return 0;
	/* It may have grown between our last look and its new name. */
	if (!l->last) {
		l->last = true;
		return 1;
	}
	/* Ours is "log.1" now, unless it was rotated out of that too. */
	missed = !is_file(l, LOGFILE_OLD, l->fd) && (fd = open_file(l, LOGFILE_OLD)) >= 0;
	if (!missed)
		fd = open_file(l, LOGFILE_NAME);
	if (fd < 0)
		return 0;
	l->missed = l->missed || missed;
	move_to(l, fd);
	return 1;
}

static bool take_line(struct logreader *l, struct record *ret)
{
	while (l->start < l->end) {
		char *line = l->buffer + l->start;
		const char *newline = memchr(line, '\n', l->end - l->start);

		if (!newline)
			return false;
		l->start += (size_t)(newline - line) + 1;
		if (record_parse(line, (size_t)(newline - line), ret))
			return true;
		l->bad++;
	}
	return false;
}

int logreader_next(struct logreader *l, struct record *ret, struct err *err)
{
	for (;;) {
		int r;

		if (take_line(l, ret))
			return LOGREADER_RECORD;
		r = fill(l, err);
		if (r < 0)
			return r;
		if (r == 0 && !advance(l))
			return LOGREADER_END;
	}
}
