/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log on disk: bounded, rotated, read back in order, also while it is written. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fd.h"
#include "supervise/logfile.h"
#include "supervise/logreader.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
