/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs ps(1) and keeps the lines whose column PID is one of ours. */
#include "cli/ps_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"

#define BLANKS " \t"

extern char **environ;

static const char *skip_fields(const char *line, int n)
{
	line += strspn(line, BLANKS);
	while (n-- > 0) {
		line += strcspn(line, BLANKS);
		line += strspn(line, BLANKS);
	}
	return line;
}

/* Which field of the header is PID, or -1. */
static int find_column(const char *header)
{
	const char *p = skip_fields(header, 0);

	for (int i = 0; *p; i++, p = skip_fields(p, 1))
		if (strcspn(p, BLANKS) == 3 && str_starts(p, "PID"))
			return i;
	return -1;
}

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static bool is_ours(const struct ps_pids *pids, const char *line, int column)
{
	const char *field = skip_fields(line, column);
	uint64_t value = 0;
	pid_t pid;

	if (strn_to_u64(field, strcspn(field, BLANKS), 1, INT_MAX, &value) < 0)
		return false;
	pid = (pid_t)value;
	return pids->n && bsearch(&pid, pids->v, pids->n, sizeof(pid), compare);
}

static int filter(const struct command_context *c, const struct ps_pids *pids, FILE *in, FILE *out,
		  bool *ret_header)
{
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	int column = -1;
	ssize_t n;

	while ((n = getline(&line, &size, in)) >= 0) {
		bool header = column < 0;

		*ret_header = true;
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (header)
			column = find_column(line);
		if (column < 0)
			return cli_error(c, OAKUM_E_USAGE, 0, "no column PID in the output of ps");
		if (header || is_ours(pids, line, column))
			fprintf(out, "%s\n", line);
	}
	return 0;
}

static int spawn(const struct command_context *c, int output, pid_t *ret)
{
	static char name[] = "ps", all[] = "-ef";
	char **words = calloc((size_t)c->n_args + 2, sizeof(*words));
	posix_spawn_file_actions_t actions;
	/* ps(1) has no use for it. */
	int first = c->n_args > 1 && str_eq(c->args[1], "--") ? 2 : 1;
	int r = ENOMEM;

	if (!words || posix_spawn_file_actions_init(&actions) != 0) {
		free(words);
		return r;
	}
	words[0] = name;
	words[1] = all;
	for (int i = first; i < c->n_args; i++)
		words[i - first + 1] = c->args[i];
	r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawnp(ret, name, &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(words);
	return r;
}

/* ps(1) ends with 1 where it found nothing to print, which is an answer, and where it does not take
 * its options: then there is no header either, and it has said why. */
static int finish(const struct command_context *c, pid_t pid, bool header)
{
	int status, r = proc_reap(pid, &status);

	if (r < 0)
		return cli_error(c, OAKUM_E_RUNTIME, -r, "wait for ps");
	if (WIFEXITED(status) && WEXITSTATUS(status) <= (header ? 1 : 0))
		return 0;
	if (WIFEXITED(status) && c->n_args > 1)
		return cli_error(c, OAKUM_E_USAGE, 0,
				 "ps(1) failed with status %d: what follows the ID is given to it "
				 "(options of `%s ps` stand before the ID)",
				 WEXITSTATUS(status), c->program);
	return cli_error(c, OAKUM_E_RUNTIME, 0, "ps(1) failed");
}

int ps_table(const struct command_context *c, const struct ps_pids *pids, FILE *out)
{
	AUTO_CLOSE int output = -1;
	int ends[2], status;
	bool header = false;
	FILE *in;
	pid_t pid;
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return cli_error(c, OAKUM_E_RUNTIME, errno, "make a pipe");
	output = ends[1];
	in = fdopen(ends[0], "r");
	if (!in) {
		fd_close(ends[0]);
		return cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "read from ps");
	}
	r = spawn(c, output, &pid);
	fd_replace(&output, -1);
	if (r == ENOENT)
		status = cli_error(c, OAKUM_E_UNSUPPORTED, 0,
				   "there is no ps(1) here (Debian: procps); --format json does "
				   "without");
	else
		status = r ? cli_error(c, OAKUM_E_UNSUPPORTED, r, "execute ps(1)")
			   : filter(c, pids, in, out, &header);
	/* Closed first: a ps that is still writing then ends, which is no failure of its own. */
	fclose(in);
	if (status && r == 0)
		(void)proc_reap(pid, NULL);
	return status ? status : finish(c, pid, header);
}
