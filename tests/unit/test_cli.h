/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command lines by the program's own tables, what commands print, and a state root to look at. */
#ifndef OAKUM_TESTS_TEST_CLI_H
#define OAKUM_TESTS_TEST_CLI_H

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/options.h"
#include "test_fork.h"

struct line {
	struct command_context c;
	struct err err;
	char *argv[32];
	int r;
};

static inline int set_up(void **state)
{
	*state = calloc(1, sizeof(struct line));
	return *state ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct line *l = *state;

	options_done(&l->c);
	oakum_free(l->c.oakum);
	free(l);
	return 0;
}

/* Words separated by blanks. The handle stays. */
static inline struct line *parse(void **state, char *text)
{
	struct line *l = *state;
	char *rest = NULL;
	int n = 0;

	options_done(&l->c);
	*l = (struct line){.c = {.program = "oakum", .oakum = l->c.oakum}};
	l->argv[n++] = (char[]){"oakum"};
	for (char *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
		l->argv[n++] = w;
	l->r = options_parse(&l->c, n, l->argv, &l->err);
	return l;
}

#define PARSE(state, text) parse(state, (char[]){text})

/* The context of a line from a table of tests, which has to be right; @copy lives as long. */
static inline struct command_context *parse_row(void **state, const char *text, char copy[512])
{
	struct line *l;

	assert_true(strlen(text) < 512);
	(void)snprintf(copy, 512, "%s", text);
	l = parse(state, copy);
	if (l->r < 0)
		fail_msg("%s: %s", text, l->err.text);
	return &l->c;
}

/* What HEAR(call) has caught of descriptors 1 and 2. */
static char said[3][1u << 18];
static int said_saved[3], said_file[3];

static inline void hear_begin(void)
{
	(void)fflush(NULL);
	for (int fd = 1; fd <= 2; fd++) {
		said_saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
		said_file[fd] = memfd_create("said", MFD_CLOEXEC);
		(void)dup2(said_file[fd], fd);
	}
}

static inline int hear_end(int result)
{
	(void)fflush(NULL);
	for (int fd = 1; fd <= 2; fd++) {
		ssize_t n = pread(said_file[fd], said[fd], sizeof(said[fd]) - 1, 0);

		said[fd][n > 0 ? n : 0] = '\0';
		(void)dup2(said_saved[fd], fd);
		close(said_saved[fd]);
		close(said_file[fd]);
	}
	return result;
}

#define HEAR(call) (hear_begin(), hear_end(call))

/* ---- a state root ---- */

static char root[64];

static inline int make_root(void **state)
{
	const struct oakum_options options =
		OAKUM_OPTIONS(oakum_options, .root = root, .rootless = -1);
	struct line *l;

	(void)snprintf(root, sizeof(root), "/tmp/oakum-root-XXXXXX");
	if (set_up(state) < 0 || !mkdtemp(root))
		return -1;
	l = *state;
	return oakum_new(&options, &l->c.oakum);
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline int remove_root(void **state)
{
	(void)tear_down(state);
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
