/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's lines as entries of the journal: a datagram each, as journald would take them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "supervise/journal.h"

static char dir[64], path[80];
static int journald = -1;
static struct journal j;

static void listen_anew(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(bind(journald, (struct sockaddr *)&a, sizeof(a)), 0);
}

static int set_up(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	strcpy(dir, "/tmp/oakum-journal-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	listen_anew();
	return journal_open(&j, path, "web", &err);
}

static int tear_down(void **state)
{
	(void)state;
	journal_close(&j);
	close(journald);
	unlink(path);
	return rmdir(dir);
}

static char entry[JOURNAL_LINE + 1024];

/* The next entry's value of @field; NULL: no entry, or no such field. */
static bool next(void)
{
	ssize_t n = recv(journald, entry, sizeof(entry) - 1, 0);

	entry[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool has(const char *line)
{
	return strstr(entry, line) != NULL;
}

static size_t message(const char **ret)
{
	char *m = strstr(entry, "\nMESSAGE\n");
	uint64_t size;

	assert_non_null(m);
	memcpy(&size, m + 9, sizeof(size));
	*ret = m + 17;
	assert_int_equal((*ret)[le64toh(size)], '\n');
	return le64toh(size);
}

static void expect(const char *text, bool partial)
{
	const char *m;
	size_t n;

	assert_true(next());
	n = message(&m);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(m, text, n);
	assert_int_equal(has("\nCONTAINER_PARTIAL_MESSAGE=true\n"), partial);
}

static void lines(void **state)
{
	(void)state;
	assert_int_equal(journal_write(&j, 1, "one\ntwo\n\nhalf", 13), 0);
	expect("one", false);
	assert_true(has("CONTAINER_ID=web\n"));
	assert_true(has("\nCONTAINER_ID_FULL=web\n"));
	assert_true(has("\nCONTAINER_NAME=web\n"));
	assert_true(has("\nSYSLOG_IDENTIFIER=web\n"));
	assert_true(has("\nCONTAINER_STREAM=stdout\n"));
	assert_true(has("\nPRIORITY=6\n"));
	expect("two", false);
	expect("", false);
	assert_false(next());
	/* Lines of the other stream do not mix with it. */
	assert_int_equal(journal_write(&j, 2, "wrong\n", 6), 0);
	expect("wrong", false);
	assert_true(has("\nCONTAINER_STREAM=stderr\n"));
	assert_true(has("\nPRIORITY=3\n"));
	journal_trim(&j);
	assert_int_equal(journal_write(&j, 1, "way\n", 4), 0);
	expect("halfway", false);
	journal_trim(&j);
	assert_int_equal(journal_write(&j, 1, "a\0b\n", 4), 0);
	assert_true(next());
	/* The end has no newline, and is written all the same. */
	assert_int_equal(journal_write(&j, 1, "last", 4), 0);
	assert_false(next());
	assert_int_equal(journal_close(&j), 0);
	expect("last", false);
}

static void long_lines(void **state)
{
	char *text = malloc(3 * JOURNAL_LINE);
	const char *m;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 3 * JOURNAL_LINE);
	text[JOURNAL_LINE + 4] = '\n';
	assert_int_equal(journal_write(&j, 1, text, 3), 0);
	assert_int_equal(journal_write(&j, 1, text, JOURNAL_LINE + 2), 0);
	assert_true(next());
	assert_int_equal(message(&m), JOURNAL_LINE);
	assert_true(has("\nCONTAINER_PARTIAL_MESSAGE=true\n"));
	assert_false(next());
	assert_int_equal(journal_write(&j, 1, "\n", 1), 0);
	expect("xxxxx", false);
	/* As long as fits, with its newline: one entry. */
	text[JOURNAL_LINE - 1] = '\n';
	assert_int_equal(journal_write(&j, 1, text, JOURNAL_LINE), 0);
	assert_true(next());
	assert_int_equal(message(&m), JOURNAL_LINE - 1);
	assert_false(has("PARTIAL"));
	/* ... and without it: whether that was all the next byte says, or the end. */
	text[JOURNAL_LINE - 1] = 'x';
	text[JOURNAL_LINE] = '\n';
	for (size_t first = JOURNAL_LINE - 1; first <= JOURNAL_LINE + 1; first++) {
		assert_int_equal(journal_write(&j, 1, text, first), 0);
		assert_int_equal(next(), first > JOURNAL_LINE);
		assert_int_equal(journal_write(&j, 1, text + first, JOURNAL_LINE + 1 - first), 0);
		assert_true(first > JOURNAL_LINE || next());
		assert_int_equal(message(&m), JOURNAL_LINE);
		assert_false(has("PARTIAL"));
		assert_false(next());
	}
	assert_int_equal(journal_write(&j, 1, text, JOURNAL_LINE), 0);
	assert_int_equal(journal_write(&j, 1, "more\n", 5), 0);
	assert_true(next());
	assert_int_equal(message(&m), JOURNAL_LINE);
	assert_true(has("\nCONTAINER_PARTIAL_MESSAGE=true\n"));
	expect("more", false);
	free(text);
}

/* A journal that does not read is waited for once, and what has no room is counted. */
static void no_room(void **state)
{
	size_t lost = 0;
	int sent = 0;
	int64_t began;

	(void)state;
	while (lost == 0 && sent < 100000) {
		lost = journal_write(&j, 1, "12345\n", 6);
		sent++;
	}
	assert_int_equal(lost, 5);
	began = clock_now_ms();
	for (int i = 0; i < 50; i++)
		assert_int_equal(journal_write(&j, 1, "12345\n", 6), 5);
	assert_true(clock_now_ms() - began < 900);
	while (next())
		;
	assert_int_equal(journal_write(&j, 1, "again\n", 6), 0);
	expect("again", false);
}

static void started_anew(void **state)
{
	struct journal none;
	struct err err = ERR_INIT;

	(void)state;
	close(journald);
	unlink(path);
	assert_int_equal(journal_write(&j, 1, "lost\n", 5), 4);
	assert_true(journal_open(&none, path, "web", &err) < 0);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(journal_close(&none), 0);
	listen_anew();
	assert_int_equal(journal_write(&j, 1, "here\n", 5), 0);
	expect("here", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(started_anew, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
