/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log on disk: bounded, rotated, read back in order, also while it is written. */
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys.h"
#include "supervise/exit_record.h"
#include "supervise/logfile.h"
#include "supervise/logreader.h"
#include "supervise/logs.h"
#include "test_cli.h"

struct place {
	char path[64];
	int dir;
	struct logfile log;
	char buffer[LOGFILE_BUFFER];
};

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	strcpy(p->path, "/tmp/oakum-log-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->log = LOGFILE_INIT;
	p->log.buffer = p->buffer;
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;

	logfile_close(&p->log);
	(void)unlinkat(p->dir, LOGFILE_NAME, 0);
	(void)unlinkat(p->dir, LOGFILE_OLD, 0);
	(void)unlinkat(p->dir, "user.log", 0);
	(void)unlinkat(p->dir, EXIT_NAME, 0);
	close(p->dir);
	rmdir(p->path);
	free(p);
	return 0;
}

static void open_default(struct place *p)
{
	struct err err = ERR_INIT;

	assert_int_equal(logfile_open(&p->log, LOGFILE_DEFAULT, NULL, "id", &err), 0);
	assert_int_equal(logfile_place(&p->log, p->dir, NULL, &err), 0);
}

static void write_number(struct place *p, unsigned number)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "line %u of many, with some text behind\n", number);

	logfile_write(&p->log, RECORD_STDOUT, line, (size_t)n);
}

static unsigned number_of(const struct record *r)
{
	char text[128];

	memcpy(text, r->text, r->text_len);
	text[r->text_len] = '\0';
	assert_int_equal(strncmp(text, "line ", 5), 0);
	return (unsigned)strtoul(text + 5, NULL, 10);
}

static void parses_drivers(void **state)
{
	enum logfile_driver driver;
	const char *path;

	(void)state;
	assert_int_equal(logfile_parse("default", &driver, &path), 0);
	assert_int_equal(driver, LOGFILE_DEFAULT);
	assert_int_equal(logfile_parse("none", &driver, &path), 0);
	assert_int_equal(driver, LOGFILE_NONE);
	assert_int_equal(logfile_parse("file:/a:b", &driver, &path), 0);
	assert_int_equal(driver, LOGFILE_FILE);
	assert_string_equal(path, "/a:b");
	assert_int_equal(logfile_parse("file:", &driver, &path), -EINVAL);
	assert_int_equal(logfile_parse("json", &driver, &path), -EINVAL);
	assert_int_equal(logfile_parse("", &driver, &path), -EINVAL);
}

static void stays_bounded_and_in_order(void **state)
{
	struct place *p = *state;
	struct logreader l;
	struct record record;
	struct err err = ERR_INIT;
	struct stat st;
	unsigned count = 100000, last = 0, seen = 0;

	open_default(p);
	for (unsigned i = 1; i <= count; i++)
		write_number(p, i);
	assert_int_equal(p->log.lost, 0);
	assert_int_equal(fstatat(p->dir, LOGFILE_NAME, &st, 0), 0);
	assert_true(st.st_size <= LOGFILE_MAX);
	assert_int_equal(fstatat(p->dir, LOGFILE_OLD, &st, 0), 0);
	assert_true(st.st_size <= LOGFILE_MAX && st.st_size > LOGFILE_MAX - 1024);

	assert_int_equal(logreader_open(&l, p->dir, &err), 0);
	while (logreader_next(&l, &record, &err) == LOGREADER_RECORD) {
		unsigned number = number_of(&record);

		assert_true(last == 0 || number == last + 1);
		last = number;
		seen++;
	}
	assert_int_equal(last, count);
	assert_true(seen > 10000);
	assert_int_equal(l.bad, 0);
	logreader_close(&l);
}

static void follows_through_rotations(void **state)
{
	struct place *p = *state;
	struct logreader l;
	struct record record;
	struct err err = ERR_INIT;
	unsigned last = 0;

	open_default(p);
	write_number(p, 1);
	assert_int_equal(logreader_open(&l, p->dir, &err), 0);
	for (unsigned i = 2; i <= 60000; i++) {
		write_number(p, i);
		if (i % 1000)
			continue;
		while (logreader_next(&l, &record, &err) == LOGREADER_RECORD)
			assert_int_equal(number_of(&record), ++last);
	}
	assert_int_equal(last, 60000);
	assert_false(l.missed);
	logreader_close(&l);
}

static void says_when_it_missed_some(void **state)
{
	struct place *p = *state;
	struct logreader l;
	struct record record;
	struct err err = ERR_INIT;
	unsigned last = 0, gaps = 0;

	open_default(p);
	write_number(p, 1);
	assert_int_equal(logreader_open(&l, p->dir, &err), 0);
	for (unsigned i = 2; i <= 60000; i++)
		write_number(p, i);
	while (logreader_next(&l, &record, &err) == LOGREADER_RECORD) {
		unsigned number = number_of(&record);

		gaps += number != last + 1;
		last = number;
	}
	assert_int_equal(last, 60000);
	assert_int_equal(gaps, 1);
	assert_true(l.missed);
	logreader_close(&l);
}

static void waits_for_the_rest_of_a_record(void **state)
{
	struct place *p = *state;
	struct logreader l;
	struct record record;
	struct err err = ERR_INIT;

	open_default(p);
	write_number(p, 1);
	assert_int_equal(logreader_open(&l, p->dir, &err), 0);
	assert_int_equal(logreader_next(&l, &record, &err), LOGREADER_RECORD);
	assert_int_equal(write(p->log.fd, "2026-11-23T13:05:59Z std", 24), 24);
	assert_int_equal(logreader_next(&l, &record, &err), LOGREADER_END);
	assert_int_equal(write(p->log.fd, "err F x\n", 8), 8);
	assert_int_equal(logreader_next(&l, &record, &err), LOGREADER_RECORD);
	assert_int_equal(record.stream, RECORD_STDERR);
	assert_int_equal(logreader_next(&l, &record, &err), LOGREADER_END);
	logreader_close(&l);
}

static void skips_and_counts_other_lines(void **state)
{
	struct place *p = *state;
	struct logreader l;
	struct record record;
	struct err err = ERR_INIT;
	char *big = malloc(LOGREADER_SIZE + 100);

	open_default(p);
	assert_int_equal(write(p->log.fd, "nonsense\n", 9), 9);
	memset(big, 'x', LOGREADER_SIZE + 100);
	assert_int_equal(write(p->log.fd, big, LOGREADER_SIZE + 100), LOGREADER_SIZE + 100);
	assert_int_equal(write(p->log.fd, "\n", 1), 1);
	free(big);
	write_number(p, 3);
	assert_int_equal(logreader_open(&l, p->dir, &err), 0);
	assert_int_equal(logreader_next(&l, &record, &err), LOGREADER_RECORD);
	assert_int_equal(number_of(&record), 3);
	assert_true(l.bad >= 2);
	logreader_close(&l);
}

static void counts_what_it_cannot_write(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;

	assert_int_equal(logfile_open(&p->log, LOGFILE_FILE, "/dev/full", "id", &err), 0);
	logfile_write(&p->log, RECORD_STDOUT, "hello\n", 6);
	logfile_write(&p->log, RECORD_STDERR, "more", 4);
	assert_int_equal(p->log.lost, 10);
}

static void appends_to_a_users_file(void **state)
{
	struct place *p = *state;
	struct logreader l;
	struct record record;
	struct err err = ERR_INIT;
	char path[128];

	snprintf(path, sizeof(path), "%s/user.log", p->path);
	assert_int_equal(logfile_open(&p->log, LOGFILE_FILE, path, "id", &err), 0);
	assert_int_equal(logfile_place(&p->log, p->dir, path, &err), 0);
	for (unsigned i = 1; i <= 40000; i++)
		write_number(p, i);
	assert_int_equal(faccessat(p->dir, LOGFILE_OLD, F_OK, 0), -1);
	assert_int_equal(logreader_open(&l, p->dir, &err), 0);
	for (unsigned i = 1; i <= 40000; i++) {
		assert_int_equal(logreader_next(&l, &record, &err), LOGREADER_RECORD);
		assert_int_equal(number_of(&record), i);
	}
	assert_int_equal(logreader_next(&l, &record, &err), LOGREADER_END);
	logreader_close(&l);
}

static void reads_twice_what_it_opened(void **state)
{
	struct place *p = *state;
	struct logreader l, first;
	struct record record;
	struct err err = ERR_INIT;
	unsigned counted = 0, again = 0;

	open_default(p);
	for (unsigned i = 1; i <= 30000; i++)
		write_number(p, i);
	assert_int_equal(logreader_open(&l, p->dir, &err), 0);
	assert_int_equal(logreader_clone(&l, &first, &err), 0);
	while (logreader_next(&first, &record, &err) == LOGREADER_RECORD)
		counted++;
	logreader_close(&first);
	logreader_rewind(&l);
	while (logreader_next(&l, &record, &err) == LOGREADER_RECORD)
		again++;
	assert_true(counted > 10000);
	assert_int_equal(again, counted);
	logreader_close(&l);
}

static void knows_that_there_is_none(void **state)
{
	struct place *p = *state;
	struct logreader l;
	struct err err = ERR_INIT;

	assert_int_equal(logreader_open(&l, p->dir, &err), LOGREADER_ABSENT);
	logreader_close(&l);
}

/* ---- logs.c ---- */

static char warned[256];

static void keep_warning(void *data, const char *line)
{
	(void)data;
	(void)snprintf(warned, sizeof(warned), "%s", line);
}

static void put_lines(struct place *p, const char *lines)
{
	if (p->log.fd < 0)
		open_default(p);
	assert_int_equal(write(p->log.fd, lines, strlen(lines)), (ssize_t)strlen(lines));
}

static int show(struct place *p, struct logs_options o)
{
	struct err err = ERR_INIT;

	o.dir = p->dir;
	o.warn = keep_warning;
	warned[0] = '\0';
	return HEAR(logs_show(&o, &err));
}

#define ALL .supervisor = -1, .tail = LOGS_ALL

/* Lines of both streams, some in pieces that alternate. */
static const char mixed[] = "2026-01-01T00:00:01Z stdout F one\n"
			    "2026-01-01T00:00:02Z stdout P tw\n"
			    "2026-01-01T00:00:03Z stderr F error\n"
			    "2026-01-01T00:00:04Z stdout F o\n"
			    "2026-01-01T00:00:05Z stderr F \n"
			    "2026-01-01T00:00:06Z stdout P end";

static void shows_lines(void **state)
{
	struct place *p = *state;

	put_lines(p, mixed);
	put_lines(p, "\n");
	assert_int_equal(show(p, (struct logs_options){ALL}), 0);
	assert_string_equal(said[1], "one\ntwo\nend");
	assert_string_equal(said[2], "error\n\n");
	assert_string_equal(warned, "");
	/* A line has the time of its beginning. */
	assert_int_equal(show(p, (struct logs_options){ALL, .timestamps = true}), 0);
	assert_string_equal(said[1], "2026-01-01T00:00:01Z one\n2026-01-01T00:00:02Z two\n"
				     "2026-01-01T00:00:06Z end");
	assert_string_equal(said[2], "2026-01-01T00:00:03Z error\n2026-01-01T00:00:05Z \n");
}

static void shows_the_last_lines(void **state)
{
	static const struct {
		uint64_t tail;
		const char *out, *err;
	} rows[] = {
		{0, "", ""},
		{1, "end", ""},
		{2, "end", "\n"},
		{3, "end", "error\n\n"},
		{4, "two\nend", "error\n\n"},
		{5, "one\ntwo\nend", "error\n\n"},
		{6, "one\ntwo\nend", "error\n\n"},
	};
	struct place *p = *state;

	put_lines(p, mixed);
	put_lines(p, "\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct logs_options o = {.supervisor = -1, .tail = rows[i].tail};

		assert_int_equal(show(p, o), 0);
		assert_string_equal(said[1], rows[i].out);
		assert_string_equal(said[2], rows[i].err);
	}
}

static void shows_since(void **state)
{
	struct place *p = *state;
	struct logs_options o = {ALL};

	put_lines(p, mixed);
	put_lines(p, "\n");
	assert_int_equal(logs_parse_since("2026-01-01T00:00:05Z", &o.since_ns), 0);
	assert_int_equal(show(p, o), 0);
	assert_string_equal(said[1], "end");
	assert_string_equal(said[2], "\n");
	o.tail = 1;
	assert_int_equal(show(p, o), 0);
	assert_string_equal(said[1], "end");
	assert_string_equal(said[2], "");
	o.since_ns += 2000000000;
	o.tail = LOGS_ALL;
	assert_int_equal(show(p, o), 0);
	assert_string_equal(said[1], "");
}

/* A piece that is larger than what is gathered goes out where it belongs. */
static void shows_long_lines(void **state)
{
	static char line[100064];
	struct place *p = *state;
	size_t n;

	put_lines(p, "2026-01-01T00:00:01Z stdout F before\n");
	n = (size_t)snprintf(line, sizeof(line), "2026-01-01T00:00:01Z stdout F ");
	memset(line + n, 'x', 100000);
	line[n + 100000] = '\n';
	put_lines(p, line);
	put_lines(p, "2026-01-01T00:00:01Z stdout F after\n");
	assert_int_equal(show(p, (struct logs_options){ALL}), 0);
	assert_int_equal(strlen(said[1]), 7 + 100001 + 6);
	assert_memory_equal(said[1], "before\nx", 8);
	assert_string_equal(said[1] + 7 + 100000, "\nafter\n");
}

static void says_what_it_skips(void **state)
{
	struct place *p = *state;

	put_lines(p, "nonsense\n2026-01-01T00:00:01Z stdout F x\n2026-01-01T00:00:01Z stdin F x\n");
	assert_int_equal(show(p, (struct logs_options){ALL}), 0);
	assert_string_equal(said[1], "x\n");
	assert_string_equal(warned, "2 lines of the log are no records and were skipped");
}

static void says_where_the_log_is(void **state)
{
	struct place *p = *state;
	struct logs_options o = {.dir = p->dir, .warn = keep_warning, ALL};
	struct err err = ERR_INIT;

	assert_true(logs_show(&o, &err) < 0);
	assert_int_equal(err.kind, ERR_STATE);
	assert_string_equal(err.text, "no log is kept of this container");
	err = ERR_INIT;
	assert_int_equal(symlinkat(LOGFILE_JOURNALD "web", p->dir, LOGFILE_NAME), 0);
	assert_true(logs_show(&o, &err) < 0);
	assert_int_equal(err.kind, ERR_STATE);
	assert_string_equal(err.text, "the log of this container is in the journal");
	assert_string_equal(err.hint, "journalctl CONTAINER_ID=web");
}

static int show_on_a_full_disk(struct logs_options o, struct err *err)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)dup2(fd, 1);
	close(fd);
	return logs_show(&o, err);
}

static void output_that_fails(void **state)
{
	struct place *p = *state;
	struct logs_options o = {.dir = p->dir, .warn = keep_warning, ALL};
	struct err err = ERR_INIT;

	put_lines(p, mixed);
	assert_int_equal(HEAR(show_on_a_full_disk(o, &err)), -ENOSPC);
	assert_string_equal(err.text, "write the log");
}

/* A process in the supervisor's place that adds a line, and then says how it ended. */
static pid_t supervise(struct place *p, bool record)
{
	static const struct exit_record end = {.known = true};
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		put_lines(p, "\n2026-01-01T00:00:07Z stdout F ed\n");
		if (record)
			CHECK(exit_write(p->dir, &end) == 0);
		while (record)
			pause();
		_exit(0);
	}
	return pid;
}

static void follows_to_the_end(void **state)
{
	struct place *p = *state;

	for (int record = 1; record >= 0; record--) {
		struct logs_options o = {ALL, .follow = true};
		pid_t pid;

		(void)unlinkat(p->dir, LOGFILE_NAME, 0);
		(void)unlinkat(p->dir, EXIT_NAME, 0);
		open_default(p);
		put_lines(p, mixed);
		pid = supervise(p, record);
		o.supervisor = sys_pidfd_open(pid, 0);
		assert_int_equal(show(p, o), 0);
		assert_string_equal(said[1], "one\ntwo\nended\n");
		assert_string_equal(warned, record ? ""
						   : "the supervisor was killed: nothing is added "
						     "to this log any more");
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		close(o.supervisor);
	}
}

static void parses_since(void **state)
{
	struct timespec now;
	int64_t ns = 7;

	(void)state;
	assert_int_equal(logs_parse_since("1970-01-01T00:00:01.5Z", &ns), 0);
	assert_int_equal(ns, 1500000000);
	assert_int_equal(logs_parse_since("soon", &ns), -EINVAL);
	assert_int_equal(logs_parse_since("", &ns), -EINVAL);
	assert_int_equal(logs_parse_since("-5m", &ns), -EINVAL);
	assert_int_equal(logs_parse_since("87601h", &ns), -EINVAL);
	assert_int_equal(ns, 1500000000);
	assert_int_equal(logs_parse_since("87600h", &ns), 0);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	/* Ten years; between the two looks at the clock less than an hour. */
	assert_true(now.tv_sec - ns / 1000000000 >= 315360000 &&
		    now.tv_sec - ns / 1000000000 < 315360000 + 3600);
}

#define WITH_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_drivers),
		WITH_PLACE(stays_bounded_and_in_order),
		WITH_PLACE(follows_through_rotations),
		WITH_PLACE(says_when_it_missed_some),
		WITH_PLACE(waits_for_the_rest_of_a_record),
		WITH_PLACE(skips_and_counts_other_lines),
		WITH_PLACE(counts_what_it_cannot_write),
		WITH_PLACE(appends_to_a_users_file),
		WITH_PLACE(reads_twice_what_it_opened),
		WITH_PLACE(knows_that_there_is_none),
		WITH_PLACE(shows_lines),
		WITH_PLACE(shows_the_last_lines),
		WITH_PLACE(shows_since),
		WITH_PLACE(shows_long_lines),
		WITH_PLACE(says_what_it_skips),
		WITH_PLACE(says_where_the_log_is),
		WITH_PLACE(output_that_fails),
		WITH_PLACE(follows_to_the_end),
		cmocka_unit_test(parses_since),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
