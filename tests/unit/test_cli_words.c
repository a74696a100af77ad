/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the program says: errors, warnings and their log, help, the version, the output of ps(1). */
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/json.h"
#include "cli/follow.h"
#include "cli/help.h"
#include "cli/outcome.h"
#include "cli/ps_table.h"
#include "cli/report.h"
#include "run/handle.h"
#include "supervise/attach.h"
#include "supervise/journal.h"
#include "test_cli.h"

/* ---- report.c ---- */

static const char *in_root(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static const char *contents(const char *path)
{
	static char text[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void errors(void **state)
{
	struct command_context *c = &PARSE(state, "pause x")->c;
	struct err err = ERR_INIT;
	char want[600];

	assert_int_equal(HEAR(report_open(c, &err)), 0);
	assert_int_equal(HEAR(cli_error(c, OAKUM_E_STATE, ENOENT, "look at %s", "a\n\033[1mb")), 4);
	assert_string_equal(said[2], "oakum: pause: look at a\\x0a\\x1b[1mb: No such file or "
				     "directory (ENOENT)\n");
	assert_string_equal(said[1], "");
	c->command = NULL;
	assert_int_equal(HEAR(cli_error(c, OAKUM_E_USAGE, 0, "no command")), 2);
	assert_string_equal(said[2], "oakum: no command\n");

	err_hint(&err, "do\tthis");
	err_kind(&err, ERR_CONFIG, 0, "wrong");
	assert_int_equal(HEAR(report_err(c, &err)), 3);
	assert_string_equal(said[2], "oakum: wrong; do\\x09this\n");

	(void)HEAR((cli_warn(c, "mind %d", 5), 0));
	assert_string_equal(said[2], "oakum: warning: mind 5\n");
	/* Cut, and a line all the same. */
	memset(want, 'x', sizeof(want) - 1);
	want[sizeof(want) - 1] = '\0';
	assert_int_equal(HEAR(cli_error(c, OAKUM_E_RUNTIME, 0, "%s", want)), 1);
	assert_int_equal(strlen(said[2]), strlen("oakum: ") + 511 + 1);
	assert_int_equal(said[2][strlen(said[2]) - 1], '\n');

	oakum_free(c->oakum);
	c->oakum = NULL;
	assert_int_equal(HEAR(cli_fail(c)), 1);
	assert_string_equal(said[2], "oakum: open the state root: Cannot allocate memory (ENOMEM); "
				     "memory is short on this host, or in the cgroup that oakum "
				     "runs in\n");
}

static void errors_of_the_library(void **state)
{
	struct command_context *c = &PARSE(state, "state x")->c;
	struct oakum_state *none;

	assert_true(oakum_state(c->oakum, "x", &none) < 0);
	assert_int_equal(HEAR(cli_fail(c)), 4);
	assert_non_null(strstr(said[2], "oakum: state x: "));
	assert_ptr_equal(strchr(said[2], '\n'), said[2] + strlen(said[2]) - 1);
	c->oakum->err = ERR_INIT;
	err_kind(&c->oakum->err, ERR_NOT_FOUND, ENOENT, "start x: exec /bin/none");
	assert_int_equal(HEAR(cli_fail(c)), 127);
	assert_non_null(strstr(said[2], "oakum: start x: exec /bin/none: No such file"));
	/* The words of the container's process, which runc has become by then. */
	c->peer = CLI_RUNC;
	assert_int_equal(HEAR(cli_fail(c)), 1);
	assert_int_equal(strncmp(said[2], "exec /bin/none: No such file", 28), 0);
	c->oakum->err.kind = ERR_RUNTIME;
	assert_int_equal(HEAR(cli_fail(c)), 1);
	assert_non_null(strstr(said[2], "oakum: start x: exec /bin/none"));
}

/* Descriptor 1 for the time of one call. */
static int output_to(const struct command_context *c, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	(void)dup2(fd, 1);
	close(fd);
	return cli_output(c, text, strlen(text));
}

static void output(void **state)
{
	struct command_context *c = &PARSE(state, "list")->c;

	assert_int_equal(HEAR(cli_output(c, "a\0b", 1)), 0);
	assert_string_equal(said[1], "a");
	assert_int_equal(HEAR(output_to(c, "/dev/full", "text")), 1);
	assert_string_equal(said[2], "oakum: list: write to standard output: No space left on "
				     "device (ENOSPC); a file system is full: df shows bytes, df "
				     "-i inodes\n");
}

/* The last report_open() of a test, so that the next one has stderr again. */
static void close_log(void **state)
{
	struct err err = ERR_INIT;

	assert_int_equal(report_open(&PARSE(state, "list")->c, &err), 0);
}

static struct command_context *with_log(void **state, const char *options, const char *name,
					char copy[512])
{
	struct err err = ERR_INIT;
	struct command_context *c;
	char text[400];

	snprintf(text, sizeof(text), "%s --log %s list", options, name);
	c = parse_row(state, text, copy);
	assert_int_equal(report_open(c, &err), 0);
	return c;
}

static void log_files(void **state)
{
	char copy[512], name[144];
	struct command_context *c;

	snprintf(name, sizeof(name), "%s", in_root("log"));
	c = with_log(state, "", name, copy);
	assert_true(c->log_file);
	assert_int_equal(HEAR(cli_error(c, OAKUM_E_EXISTS, 0, "there is one")), 5);
	assert_string_equal(said[2], "oakum: list: there is one\n");
	report_debug(c, "not written");
	(void)HEAR((report_warn(c, "take care"), 0));
	assert_string_equal(said[2], "oakum: warning: take care\n");
	assert_non_null(strstr(contents(name), "level=error msg=\"list: there is one\"\n"));
	assert_non_null(strstr(contents(name), "level=warning msg=\"take care\"\n"));
	assert_null(strstr(contents(name), "not written"));

	/* Appended to, as JSON now. */
	snprintf(name, sizeof(name), "file:%s", in_root("log"));
	c = with_log(state, "--log-format json --debug", name, copy);
	report_debug(c, "written");
	assert_non_null(strstr(contents(name + 5), "level=error msg=\"list: there is one\"\n"));
	assert_non_null(strstr(contents(name + 5), "{\"level\":\"debug\",\"msg\":\"written\","));

	c = with_log(state, "--log-level error", name, copy);
	(void)HEAR((report_warn(c, "too little"), 0));
	assert_string_equal(said[2], "");
	assert_null(strstr(contents(name + 5), "too little"));
	close_log(state);
}

static void json_on_stderr(void **state)
{
	struct command_context *c = &PARSE(state, "--log-format json list")->c;
	struct err err = ERR_INIT;

	assert_int_equal(report_open(c, &err), 0);
	assert_int_equal(HEAR(cli_error(c, OAKUM_E_RUNTIME, 0, "a \"b\"")), 1);
	assert_non_null(strstr(said[2], "{\"level\":\"error\",\"msg\":\"list: a \\\"b\\\"\","));
	assert_null(strstr(said[2], "oakum: "));
	(void)HEAR((cli_warn(c, "w"), 0));
	assert_non_null(strstr(said[2], "{\"level\":\"warning\",\"msg\":\"w\","));
	assert_null(strstr(said[2], "oakum: "));
	close_log(state);
}

static void bad_logs(void **state)
{
	struct err err = ERR_INIT;
	char copy[512], text[400];

	assert_int_equal(mkfifo(in_root("fifo"), 0600), 0);
	snprintf(text, sizeof(text), "--log %s list", in_root("fifo"));
	assert_true(report_open(parse_row(state, text, copy), &err) < 0);
	assert_int_equal(err.code, ENXIO);
	assert_non_null(strstr(err.text, "open the log /tmp/"));
	err = ERR_INIT;
	snprintf(text, sizeof(text), "--log %s list", in_root("none/log"));
	assert_true(report_open(parse_row(state, text, copy), &err) < 0);
	assert_int_equal(err.code, ENOENT);
	err = ERR_INIT;
	assert_true(report_open(parse_row(state, "--log tcp:x list", copy), &err) < 0);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.text, "--log tcp:x: no such kind of log; file:tcp:x is a file");
	close_log(state);
}

static struct line *line_of_child;

/* In a mount namespace whose /run is ours. */
static void services(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	struct command_context *c;
	void *state = line_of_child;
	struct err err = ERR_INIT;
	char text[4096] = "";
	ssize_t n;
	int s;

	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("run", "/run", "tmpfs", 0, NULL) == 0);
	c = &PARSE(&state, "--log journald: list")->c;
	CHECK(HEAR(report_open(c, &err)) == 0);
	CHECK(strstr(said[2], "--log: connect to " JOURNAL_SOCKET
			      ": No such file or directory: nothing is logged"));
	CHECK(!c->log_file);
	CHECK(mkdir("/run/systemd", 0755) == 0 && mkdir("/run/systemd/journal", 0755) == 0);
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	c = &PARSE(&state, "--log journald:me list")->c;
	CHECK(HEAR(report_open(c, &err)) == 0);
	CHECK(c->log_file && !said[2][0]);
	CHECK(HEAR(cli_error(c, OAKUM_E_RUNTIME, 0, "to the journal")) == 1);
	CHECK(strcmp(said[2], "oakum: list: to the journal\n") == 0);
	n = recv(s, text, sizeof(text) - 1, MSG_DONTWAIT);
	CHECK(n > 0);
	CHECK(strstr(text, "SYSLOG_IDENTIFIER=me\n"));
	CHECK(strstr(text, "list: to the journal"));
}

static void log_services(void **state)
{
	line_of_child = *state;
	assert_int_equal(in_child(services), 0);
}

/* ---- outcome.c ---- */

static void outcomes(void **state)
{
	struct command_context *c = &PARSE(state, "attach x")->c;
	struct attach_result r = {.end = ATTACH_EXITED, .exit = {.status = 7, .known = 1}};
	struct err err = ERR_INIT;

	r.exit.oom_kills = -1;
	assert_int_equal(HEAR(outcome_attach(c, "x", &r)), 7);
	assert_string_equal(said[2], "");
	r.exit = (struct message_exit){.signal = 9, .known = 1, .oom_kills = 2};
	assert_int_equal(HEAR(outcome_attach(c, "x", &r)), 137);
	assert_string_equal(said[2], "oakum: warning: x: memory ran out: the kernel killed 2 of "
				     "its processes\n");
	/* It went well nevertheless. */
	r.exit = (struct message_exit){.known = 1, .oom_kills = 2};
	assert_int_equal(HEAR(outcome_attach(c, "x", &r)), 0);
	assert_string_equal(said[2], "");
	r.exit = (struct message_exit){.known = 0};
	assert_int_equal(HEAR(outcome_attach(c, "x", &r)), 1);
	assert_string_equal(said[2], "oakum: attach: x has ended, its exit status is unknown\n");
	r = (struct attach_result){.end = ATTACH_DETACHED};
	assert_int_equal(outcome_attach(c, "x", &r), 0);
	r = (struct attach_result){.end = ATTACH_SIGNALLED, .signal = 15};
	assert_int_equal(outcome_attach(c, "x", &r), 143);
	r = (struct attach_result){.end = ATTACH_ABANDONED};
	assert_int_equal(HEAR(outcome_attach(c, "x", &r)), 1);
	assert_non_null(strstr(said[2], "the supervisor of x was killed"));
	assert_non_null(strstr(said[2], "`oakum down x`"));

	err_kind(&err, ERR_STATE, 0, "no");
	assert_int_equal(HEAR(outcome_error(c, &err)), 4);
	assert_string_equal(said[2], "oakum: attach x: no\n");
	assert_string_equal(err.text, "no");
}

/* ---- help.c ---- */

static const char *wrapped(const char *text, int column, int indent)
{
	static char buf[1024];
	FILE *f = fmemopen(buf, sizeof(buf), "w");

	assert_non_null(f);
	help_wrap(f, text, column, indent);
	assert_int_equal(fclose(f), 0);
	return buf;
}

static void wrapping(void **state)
{
	char word[101];

	(void)state;
	memset(word, 'x', 100);
	word[100] = '\0';
	assert_string_equal(wrapped("", 0, 4), "\n");
	assert_string_equal(wrapped("a  b\nc", 0, 4), "a b c\n");
	assert_string_equal(wrapped("a\n\nb", 2, 4), "a\n\n    b\n");
	/* 80 columns are a line, 81 are two. */
	assert_string_equal(wrapped("12345678 9", 70, 2), "12345678 9\n");
	assert_string_equal(wrapped("12345678 90", 70, 2), "12345678\n  90\n");
	/* What is longer than a line stands alone. */
	assert_int_equal(strlen(wrapped(word, 0, 2)), 101);
	word[0] = ' ';
	assert_int_equal(strncmp(wrapped(word, 0, 2), "xx", 2), 0);
}

static void option_words(void **state)
{
	static const struct option_def table[] = {
		{"bundle", 'b', "DIR", "", 0, NULL},
		{"rootless", 0, "WHEN", "", OPTION_OPTIONAL, NULL},
		{"quiet", 'q', NULL, "", 0, NULL},
	};
	char buf[32];

	(void)state;
	help_option_words(&table[0], buf, sizeof(buf));
	assert_string_equal(buf, "-b, --bundle=DIR");
	help_option_words(&table[1], buf, sizeof(buf));
	assert_string_equal(buf, "    --rootless[=WHEN]");
	help_option_words(&table[2], buf, sizeof(buf));
	assert_string_equal(buf, "-q, --quiet");
}

static void check_width(const char *text)
{
	for (const char *p = text; *p; p += strcspn(p, "\n") + 1) {
		int columns = 0;

		for (size_t i = 0; p[i] && p[i] != '\n'; i++)
			columns += ((unsigned char)p[i] & 0xc0) != 0x80;
		if (columns > 80)
			fail_msg("%d columns: %s", columns, p);
	}
}

static void check_options(const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->name; d++) {
		char want[64];
		const char *at;

		snprintf(want, sizeof(want), "--%s", d->name);
		/* Its own line, not the word in a text. */
		at = strstr(said[1], want);
		while (at && strchr("abcdefghijklmnopqrstuvwxyz-", at[strlen(want)]) &&
		       at[strlen(want)])
			at = strstr(at + 1, want);
		if (!at != !!(d->flags & OPTION_HIDDEN) && !(d->flags & OPTION_HIDDEN))
			fail_msg("no %s in %s", want, said[1]);
		if (at && (d->flags & OPTION_HIDDEN))
			fail_msg("%s is hidden", want);
	}
}

/* Of every command and in every form. */
static void help_of_all(void **state)
{
	for (int peer = CLI_OAKUM; peer <= CLI_CRUN; peer++)
		for (const struct command *const *t = command_table; *t; t++) {
			struct command_context *c = &PARSE(state, "help")->c;

			c->peer = (enum cli_peer)peer;
			assert_int_equal(HEAR(help_print(c, *t)), 0);
			assert_string_equal(said[2], "");
			check_options((*t)->options);
			if (peer == CLI_OAKUM)
				check_width(said[1]);
		}
}

static void help_of_the_program(void **state)
{
	static const struct {
		const char *begin, *mark;
	} forms[] = {
		[CLI_OAKUM] = {"Usage: oakum [OPTION...] COMMAND", "\n  %-10s  "},
		[CLI_RUNC] = {"NAME:\n   runc - ", "\n   %-10s  "},
		[CLI_CRUN] = {"Usage: oakum [OPTION...] COMMAND", "\n\t%-11s - "},
	};

	for (int peer = CLI_OAKUM; peer <= CLI_CRUN; peer++) {
		struct command_context *c = &PARSE(state, "help")->c;

		c->peer = (enum cli_peer)peer;
		assert_int_equal(HEAR(help_print(c, NULL)), 0);
		assert_int_equal(strncmp(said[1], forms[peer].begin, strlen(forms[peer].begin)), 0);
		check_options(command_globals);
		for (const struct command *const *t = command_table; *t; t++) {
			char want[64];

			snprintf(want, sizeof(want), forms[peer].mark, (*t)->name);
			assert_int_equal(!strstr(said[1], want), !!((*t)->flags & COMMAND_HIDDEN));
		}
	}
}

static void help_for_peers(void **state)
{
	static const char *const create[] = {
		[CLI_OAKUM] = "Usage: oakum create [OPTION]... ID\n",
		[CLI_RUNC] = "oakum create [command options] <container-id>\n",
		[CLI_CRUN] = "Usage: oakum [OPTION...] create CONTAINER\n",
	};

	for (int peer = CLI_OAKUM; peer <= CLI_CRUN; peer++) {
		struct command_context *c = &PARSE(state, "help create")->c;

		c->peer = (enum cli_peer)peer;
		assert_int_equal(HEAR(command_help.run(c)), 0);
		assert_non_null(strstr(said[1], create[peer]));
		assert_int_equal(!strstr(said[1], "--bundle value, -b value"), peer != CLI_RUNC);
		assert_int_equal(!strstr(said[1], "-b, --bundle=DIR"), peer == CLI_RUNC);
	}
	assert_int_equal(HEAR(command_help.run(&PARSE(state, "help none")->c)), 2);
	assert_string_equal(said[2], "oakum: help: unknown command 'none'\n");
}

/* ---- version.c ---- */

static bool is_true(const struct json *top, const char *key, const char *member)
{
	const struct json *j = json_get(json_get(json_get(top, "linux"), key), member);

	return j && j->type == JSON_BOOL && j->boolean;
}

/* Each tag stands where the features document says so. */
static void version(void **state)
{
	struct command_context *c = &PARSE(state, "list")->c;
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	char *features, want[256];
	struct json *top;

	assert_int_equal(oakum_features(c->oakum, &features), 0);
	assert_int_equal(json_parse(features, strlen(features), "features", &arena, &top, &err), 0);
	assert_int_equal(HEAR(help_version(c)), 0);
	snprintf(want, sizeof(want), "oakum version %s\ncommit: %s\nspec: %s\n+CAP",
		 oakum_version(), oakum_commit(), oakum_spec_version());
	assert_int_equal(strncmp(said[1], want, strlen(want)), 0);
	assert_int_equal(!strstr(said[1], " +SECCOMP"), !is_true(top, "seccomp", "enabled"));
	assert_int_equal(!strstr(said[1], " +SYSTEMD"), !is_true(top, "cgroup", "systemd"));
	assert_int_equal(!strstr(said[1], " +EBPF"), !is_true(top, "cgroup", "v2"));
	assert_int_equal(!strstr(said[1], " +INTELRDT"), !is_true(top, "intelRdt", "enabled"));
	assert_null(strstr(said[1], "libseccomp"));
	c->peer = CLI_RUNC;
	assert_int_equal(HEAR(help_version(c)), 0);
	assert_int_equal(strncmp(said[1], "runc version ", 13), 0);
	assert_null(strstr(said[1], "+CAP"));
	assert_int_equal(!strstr(said[1], "\nlibseccomp: "), !is_true(top, "seccomp", "enabled"));
	assert_non_null(strstr(said[1], "\nprogram: oakum "));
	c->peer = CLI_CRUN;
	assert_int_equal(HEAR(help_version(c)), 0);
	assert_int_equal(strncmp(said[1], "crun version ", 13), 0);
	assert_non_null(strstr(said[1], "\n+CAP"));
	free(features);
}

/* ---- ps_table.c ---- */

static char saved_path[4096];

/* A ps(1) of our own, alone on the PATH. */
static void put_ps(const char *script)
{
	int fd = open(in_root("ps"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	assert_int_equal(dprintf(fd, "#!/bin/sh\n%s\n", script), (int)strlen(script) + 11);
	close(fd);
	setenv("PATH", root, 1);
}

static int ps(void **state, const char *line, const char *script, const pid_t *v, size_t n,
	      char text[1024])
{
	const struct ps_pids pids = {v, n};
	FILE *f = fmemopen(text, 1024, "w");
	char copy[512];
	int status;

	memset(text, 0, 1024);
	snprintf(saved_path, sizeof(saved_path), "%s", getenv("PATH"));
	put_ps(script);
	if (!script[0])
		assert_int_equal(unlink(in_root("ps")), 0);
	status = HEAR(ps_table(parse_row(state, line, copy), &pids, f));
	setenv("PATH", saved_path, 1);
	fclose(f);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return status;
}

static void ps_lines(void **state)
{
	static const pid_t pids[] = {2, 30, 2147483647};
	char text[1024];

	assert_int_equal(ps(state, "ps x",
			    "echo \"UID  PID PPID $*\"\n"
			    "echo '0 1 2 no'\necho '0 2 1 yes'\necho '  0\t30 1 yes'\n"
			    "echo '30 3 30 no'\necho '0 30x 1 no'\necho '0 -2 1 no'\necho 0\n"
			    "echo\nprintf '0 2147483647 1 yes'",
			    pids, 3, text),
			 0);
	assert_string_equal(text, "UID  PID PPID -ef\n0 2 1 yes\n  0\t30 1 yes\n"
				  "0 2147483647 1 yes\n");
	/* Other words; nothing of ours; the column may be the first. */
	assert_int_equal(ps(state, "ps x -o pid,args -A",
			    "echo \"PID $1 $2 $3.\"\necho '2 a'\nexit 1", pids, 0, text),
			 0);
	assert_string_equal(text, "PID -o pid,args -A.\n");
	assert_int_equal(ps(state, "ps x", "echo 'XPID PIDX  PID'\necho '2 2 1'\necho '1 1 2'",
			    pids, 3, text),
			 0);
	assert_string_equal(text, "XPID PIDX  PID\n1 1 2\n");
}

static void ps_failures(void **state)
{
	static const pid_t pids[] = {2};
	char text[1024];

	assert_int_equal(ps(state, "ps x", "", pids, 1, text), 6);
	assert_string_equal(
		said[2],
		"oakum: ps: there is no ps(1) here (Debian: procps); --format json does without\n");
	assert_int_equal(ps(state, "ps x -o comm", "echo COMMAND\necho x", pids, 1, text), 2);
	assert_string_equal(said[2], "oakum: ps: no column PID in the output of ps\n");
	assert_int_equal(ps(state, "ps x --frob", "echo bad >&2\nexit 1", pids, 1, text), 2);
	assert_non_null(strstr(said[2], "oakum: ps: ps(1) failed with status 1: what follows"));
	assert_int_equal(ps(state, "ps x --frob", "echo PID\nexit 2", pids, 1, text), 2);
	assert_non_null(strstr(said[2], "with status 2"));
	assert_int_equal(ps(state, "ps x", "exit 1", pids, 1, text), 1);
	assert_string_equal(said[2], "oakum: ps: ps(1) failed\n");
	assert_int_equal(ps(state, "ps x", "echo PID\nkill -9 $$", pids, 1, text), 1);
	/* One that would write for ever is told that nobody listens. */
	assert_int_equal(ps(state, "ps x", "echo COMMAND\nwhile echo x; do :; done", pids, 1, text),
			 2);
	assert_string_equal(said[2], "oakum: ps: no column PID in the output of ps\n");
}

/* ---- follow.c ---- */

/* True: there is something to read. False: nobody reads what we print. */
static void follows(void **state)
{
	int in[2], out[2], saved = fcntl(1, F_DUPFD_CLOEXEC, 3);
	bool readable, deaf;

	(void)state;
	(void)fflush(stdout);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(dup2(out[1], 1), 1);
	close(out[1]);
	(void)!write(in[1], "x", 1);
	readable = follow_wait(in[0]);
	close(out[0]);
	deaf = !follow_wait(in[0]);
	(void)dup2(saved, 1);
	close(saved);
	close(in[0]);
	close(in[1]);
	assert_true(readable);
	assert_true(deaf);
}

#define IN_ROOT(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOT(errors),
		IN_ROOT(errors_of_the_library),
		IN_ROOT(output),
		IN_ROOT(log_files),
		IN_ROOT(json_on_stderr),
		IN_ROOT(bad_logs),
		IN_ROOT(log_services),
		IN_ROOT(outcomes),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(option_words),
		IN_ROOT(help_of_all),
		IN_ROOT(help_of_the_program),
		IN_ROOT(help_for_peers),
		IN_ROOT(version),
		IN_ROOT(ps_lines),
		IN_ROOT(ps_failures),
		cmocka_unit_test(follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
