/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests that change the process run in a child of their own: its status is the result. */
#ifndef OAKUM_TESTS_TEST_FORK_H
#define OAKUM_TESTS_TEST_FORK_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

/* In the child: say what is wrong and end. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__,         \
				      #condition);                                                 \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define CHECK_OK(r, err)                                                                           \
	do {                                                                                       \
		if ((r) < 0) {                                                                     \
			(void)fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__,        \
				      (err).text, (err).code);                                     \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* The wait status of @body run in a child. */
static inline int in_child(void (*body)(void))
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* The text after "@key:" in /proc/self/status, without the white space before it. */
static inline void own_status(const char *key, char *buf, size_t size)
{
	char line[4096];
	FILE *f = fopen("/proc/self/status", "re");
	size_t len = strlen(key);

	CHECK(f);
	buf[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) != 0 || line[len] != ':')
			continue;
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(buf, size, "%s", line + len + 1 + strspn(line + len + 1, " \t"));
		break;
	}
	(void)fclose(f);
}

#endif
