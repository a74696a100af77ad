/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records to text. Lines are counted per stream, since pieces of lines of both may alternate. With
 * --tail the log is read twice through the same descriptors, so no rotation comes between.
 */
#include "supervise/logs.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/str.h"
#include "supervise/exit_record.h"
#include "supervise/logfile.h"
#include "supervise/logreader.h"

#define OUT_SIZE     (64u << 10)
#define SINCE_MAX_MS ((int64_t)10 * 365 * 86400 * 1000)

struct show {
	const struct logs_options *o;
	struct logreader reader;
	bool open[3];	/* this stream's line has begun and not ended */
	bool hidden[3]; /* and is one of those not shown */
	uint64_t lines; /* begun so far */
	uint64_t skip;	/* lines not shown, from the first on */
	int fd;		/* of what is in out */
	size_t used;
	char out[OUT_SIZE];
};

int logs_parse_since(const char *text, int64_t *ret)
{
	struct timespec now;
	int64_t ms, at = clock_parse(text);

	if (at >= 0) {
		*ret = at;
		return 0;
	}
	if (str_to_ms(text, SINCE_MAX_MS, &ms) < 0)
		return -EINVAL;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - ms * 1000000;
	return 0;
}

static int flush(struct show *s, struct err *err)
{
	int r = s->used > 0 ? io_write(s->fd, s->out, s->used) : 0;

	s->used = 0;
	return r < 0 ? err_set(err, -r, "write the log") : 0;
}

static int put(struct show *s, int fd, const char *data, size_t size, struct err *err)
{
	int r;

	if (fd != s->fd || s->used + size > OUT_SIZE) {
		r = flush(s, err);
		if (r < 0)
			return r;
		s->fd = fd;
	}
	if (size > OUT_SIZE) {
		r = io_write(fd, data, size);
		return r < 0 ? err_set(err, -r, "write the log") : 0;
	}
	memcpy(s->out + s->used, data, size);
	s->used += size;
	return 0;
}

static bool wanted(const struct show *s, const struct record *r)
{
	char time[CLOCK_TEXT_SIZE];

	if (s->o->since_ns == 0)
		return true;
	memcpy(time, r->time, r->time_len);
	time[r->time_len] = '\0';
	return clock_parse(time) >= s->o->since_ns;
}

static int show_record(struct show *s, const struct record *r, struct err *err)
{
	int fd = r->stream == RECORD_STDERR ? STDERR_FILENO : STDOUT_FILENO;
	bool begins = !s->open[r->stream];
	int ret = 0;

	s->open[r->stream] = !r->full;
	if (begins)
		s->hidden[r->stream] = s->lines++ < s->skip;
	if (s->hidden[r->stream])
		return 0;
	if (begins && s->o->timestamps) {
		ret = put(s, fd, r->time, r->time_len, err);
		if (ret == 0)
			ret = put(s, fd, " ", 1, err);
	}
	if (ret == 0)
		ret = put(s, fd, r->text, r->text_len, err);
	if (ret == 0 && r->full)
		ret = put(s, fd, "\n", 1, err);
	return ret;
}

/* All that is there now. */
static int show_all(struct show *s, struct err *err)
{
	struct record record;
	int r;

	while ((r = logreader_next(&s->reader, &record, err)) == LOGREADER_RECORD) {
		if (!wanted(s, &record))
			continue;
		r = show_record(s, &record, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : flush(s, err);
}

static int count_lines(struct show *s, struct logreader *l, uint64_t *ret, struct err *err)
{
	bool open[3] = {false};
	struct record record;
	uint64_t lines = 0;
	int r;

	while ((r = logreader_next(l, &record, err)) == LOGREADER_RECORD) {
		if (!wanted(s, &record))
			continue;
		lines += !open[record.stream];
		open[record.stream] = !record.full;
	}
	*ret = lines;
	return r;
}

static int set_tail(struct show *s, struct err *err)
{
	struct logreader first = LOGREADER_INIT;
	uint64_t lines = 0;
	int r;

	if (s->o->tail == LOGS_ALL)
		return 0;
	r = logreader_clone(&s->reader, &first, err);
	if (r == 0)
		r = count_lines(s, &first, &lines, err);
	logreader_close(&first);
	logreader_rewind(&s->reader);
	s->skip = lines > s->o->tail ? lines - s->o->tail : 0;
	return r;
}

static int watch(int inotify, int fd, uint32_t mask, struct err *err)
{
	char path[FD_PATH_SIZE];

	if (inotify_add_watch(inotify, fd_path(fd, path), mask) < 0)
		return err_set(err, errno, "watch the log");
	return 0;
}

static void swallow(int inotify)
{
	char events[4096] __attribute__((aligned(8)));

	while (read(inotify, events, sizeof(events)) > 0)
		;
}

/* Nothing will be added: the record of the end is there, or nobody who could write it. */
static bool is_over(const struct show *s)
{
	return proc_ended(s->o->supervisor) || faccessat(s->o->dir, EXIT_NAME, F_OK, 0) == 0;
}

static int follow(struct show *s, struct err *err)
{
	AUTO_CLOSE int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r;

	if (inotify < 0)
		return err_set(err, errno, "watch the log");
	r = watch(inotify, s->o->dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE, err);
	while (r == 0) {
		struct pollfd p[2] = {{inotify, POLLIN, 0}, {s->o->supervisor, POLLIN, 0}};
		bool over;

		/* Looked at before the log is read: what was written before the end is then seen.
		 */
		r = watch(inotify, s->reader.fd, IN_MODIFY, err);
		over = is_over(s);
		if (r == 0)
			r = show_all(s, err);
		if (r < 0 || over)
			break;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_set(err, errno, "wait for the log");
		swallow(inotify);
	}
	return r;
}

static void warn(const struct show *s, const char *line)
{
	s->o->warn(s->o->warn_data, line);
}

static void say_what_lacks(const struct show *s)
{
	char line[96];

	if (s->reader.bad > 0) {
		snprintf(line, sizeof(line),
			 "%" PRIu64 " lines of the log are no records and were skipped",
			 s->reader.bad);
		warn(s, line);
	}
	if (s->reader.missed)
		warn(s, "the log was rotated faster than it could be shown: some of it is missing");
	if (s->o->follow && s->o->supervisor >= 0 && proc_ended(s->o->supervisor) &&
	    faccessat(s->o->dir, EXIT_NAME, F_OK, 0) < 0 &&
	    faccessat(s->o->dir, LOGFILE_NAME, F_OK, 0) == 0)
		warn(s, "the supervisor was killed: nothing is added to this log any more");
}

static int say_where(int dir, struct err *err)
{
	char link[PATH_MAX];
	ssize_t n = readlinkat(dir, LOGFILE_NAME, link, sizeof(link) - 1);

	link[n > 0 ? n : 0] = '\0';
	if (str_starts(link, LOGFILE_JOURNALD)) {
		err_hint(err, "journalctl CONTAINER_ID=%s", link + strlen(LOGFILE_JOURNALD));
		return err_kind(err, ERR_STATE, 0, "the log of this container is in the journal");
	}
	err_hint(err, "only `oakum up` keeps one, and not with --log-driver none");
	return err_kind(err, ERR_STATE, 0, "no log is kept of this container");
}

int logs_show(const struct logs_options *options, struct err *err)
{
	struct show *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, ENOMEM, "show the log");
	s->o = options;
	s->fd = STDOUT_FILENO;
	r = logreader_open(&s->reader, options->dir, err);
	if (r == LOGREADER_ABSENT)
		r = say_where(options->dir, err);
	if (r == 0)
		r = set_tail(s, err);
	if (r == 0)
		r = options->follow && options->supervisor >= 0 ? follow(s, err) : show_all(s, err);
	say_what_lacks(s);
	logreader_close(&s->reader);
	free(s);
	return r;
}
