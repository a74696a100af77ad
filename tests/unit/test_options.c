/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser of command lines, with the tables of the program itself. */
#include "test_cli.h"

static void forms(void **state)
{
	static const char *const lines[] = {
		"create --bundle /b x", "create --bundle=/b x",
		"create -b /b x",	"create -b=/b x",
		"create -b/b x",	"create -bundle /b x",
		"create -bundle=/b x",	"create x -b /b",
		"create x --bundle=/b", "create --bundle /a x -b /b",
		"create -b /b -- x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char text[64];
		struct line *l;

		strcpy(text, lines[i]);
		l = parse(state, text);
		assert_int_equal(l->r, 0);
		assert_string_equal(l->c.command->name, "create");
		assert_string_equal(opt_string(&l->c, "bundle"), "/b");
		assert_int_equal(l->c.n_args, 1);
		assert_string_equal(l->c.args[0], "x");
		assert_null(l->c.args[1]);
	}
}

static void switches(void **state)
{
	struct line *l = PARSE(state, "exec -td -e A=B x true");

	assert_int_equal(l->r, 0);
	assert_true(opt_bool(&l->c, "tty"));
	assert_true(opt_bool(&l->c, "detach"));
	assert_string_equal(opt_string(&l->c, "env"), "A=B");
	l = PARSE(state, "exec -te A=B x true");
	assert_true(opt_bool(&l->c, "tty"));
	assert_string_equal(opt_string(&l->c, "env"), "A=B");
	l = PARSE(state, "exec --tty=false -d=true x true");
	assert_false(opt_bool(&l->c, "tty"));
	assert_true(opt_bool(&l->c, "detach"));
	l = PARSE(state, "exec --tty --tty=0 x true");
	assert_false(opt_bool(&l->c, "tty"));
	l = PARSE(state, "exec --tty=perhaps x true");
	assert_int_equal(l->err.kind, ERR_USAGE);
}

static void the_rest_is_the_commands(void **state)
{
	struct line *l = PARSE(state, "exec x -t sh -c -t --frob -- -e");

	assert_int_equal(l->r, 0);
	assert_true(opt_bool(&l->c, "tty"));
	assert_null(opt_string(&l->c, "env"));
	assert_int_equal(l->c.n_args, 7);
	assert_string_equal(l->c.args[1], "sh");
	assert_string_equal(l->c.args[5], "--");
	assert_string_equal(l->c.args[6], "-e");
	l = PARSE(state, "exec x -- -t");
	assert_false(opt_bool(&l->c, "tty"));
	assert_string_equal(l->c.args[1], "-t");
	l = PARSE(state, "ps -f json x -e -f");
	assert_string_equal(opt_string(&l->c, "format"), "json");
	assert_int_equal(l->c.n_args, 3);
	assert_string_equal(l->c.args[2], "-f");
}

static void lists(void **state)
{
	struct line *l = PARSE(state, "exec -e A=1 --env B=2 -eC=3 --env=D= x env");
	const char **env = opt_list(&l->c, "env");

	assert_non_null(env);
	assert_string_equal(env[0], "A=1");
	assert_string_equal(env[1], "B=2");
	assert_string_equal(env[2], "C=3");
	assert_string_equal(env[3], "D=");
	assert_null(env[4]);
	free(env);
	assert_null(opt_list(&l->c, "cap"));
}

static void globals(void **state)
{
	struct line *l = PARSE(state, "--root /r --log=/l --log-format json --debug list -q");

	assert_int_equal(l->r, 0);
	assert_string_equal(opt_string(&l->c, "root"), "/r");
	assert_string_equal(opt_string(&l->c, "log"), "/l");
	assert_true(opt_bool(&l->c, "debug"));
	assert_true(opt_bool(&l->c, "quiet"));
	l = PARSE(state, "list --root /r");
	assert_string_equal(opt_string(&l->c, "root"), "/r");
	l = PARSE(state, "--rootless list");
	assert_string_equal(opt_string(&l->c, "rootless"), "true");
	assert_string_equal(l->c.command->name, "list");
	l = PARSE(state, "--rootless false list");
	assert_string_equal(opt_string(&l->c, "rootless"), "false");
	l = PARSE(state, "--rootless=auto list");
	assert_string_equal(opt_string(&l->c, "rootless"), "auto");
	l = PARSE(state, "--rootless=true spec");
	assert_false(opt_bool(&l->c, "rootless"));
	assert_string_equal(options_global(&l->c, "rootless"), "true");
	l = PARSE(state, "spec --rootless");
	assert_true(opt_bool(&l->c, "rootless"));
	assert_null(options_global(&l->c, "rootless"));
}

static void an_error_keeps_what_came_before(void **state)
{
	struct line *l = PARSE(state, "--log /l list --frob");

	assert_true(l->r < 0);
	assert_int_equal(l->err.kind, ERR_USAGE);
	assert_non_null(strstr(l->err.text, "--frob"));
	assert_string_equal(opt_string(&l->c, "log"), "/l");
}

static void refused(void **state)
{
	static const struct {
		const char *line;
		enum err_kind kind;
	} cases[] = {
		{"frobnicate", ERR_USAGE},
		{"-b /b create x", ERR_USAGE},
		{"create -x y", ERR_USAGE},
		{"create -dx y", ERR_USAGE},
		{"create --pid-file", ERR_USAGE},
		{"create --bundl /b x", ERR_USAGE},
		{"create --bundles /b x", ERR_USAGE},
		{"--log-format junk list", ERR_USAGE},
		{"--log-format= list", ERR_USAGE},
		{"--log-format te list", ERR_USAGE},
		{"--cgroup-manager frob list", ERR_USAGE},
		{"list --format yaml", ERR_USAGE},
		{"state --=x y", ERR_USAGE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];
		struct line *l;

		strcpy(text, cases[i].line);
		l = parse(state, text);
		assert_true(l->r < 0);
		assert_int_equal(l->err.kind, cases[i].kind);
	}
}

static void words_are_counted(void **state)
{
	static const struct {
		const char *line;
		bool good;
	} cases[] = {
		{"state", false},   {"state x", true}, {"state x y", false},   {"kill x", true},
		{"kill x 9", true}, {"kill", false},   {"kill x 9 y", false},  {"list", true},
		{"list x", false},  {"exec", false},   {"exec x a b c", true}, {"state -", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];
		struct line *l;

		strcpy(text, cases[i].line);
		l = parse(state, text);
		assert_int_equal(l->r, 0);
		assert_int_equal(options_check_words(&l->c, &l->err) == 0, cases[i].good);
	}
}

static void numbers_are_strict(void **state)
{
	struct line *l = PARSE(state, "run --preserve-fds 12 x");
	uint64_t n = 7;
	int64_t ms = 7;

	assert_int_equal(opt_u64(&l->c, "preserve-fds", 0, 100, &n), 0);
	assert_int_equal(n, 12);
	l = PARSE(state, "run x");
	n = 7;
	assert_int_equal(opt_u64(&l->c, "preserve-fds", 0, 100, &n), 0);
	assert_int_equal(n, 7);
	l = PARSE(state, "delete --wait=1.5s x");
	assert_int_equal(opt_ms(&l->c, "wait", 10000, &ms), 0);
	assert_int_equal(ms, 1500);
}

/* What the engine relies on, for every table of the program. */
static void tables_are_sound(void **state)
{
	(void)state;
	for (const struct command *const *t = command_table; *t; t++) {
		const struct command *k = *t;

		assert_ptr_equal(options_find_command(k->name), k);
		assert_non_null(k->usage);
		assert_non_null(k->summary);
		assert_non_null(k->run);
		for (const struct option_def *d = k->options; d && d->name; d++) {
			assert_non_null(d->help);
			assert_false(d->letter == 'h' || str_eq(d->name, "help"));
			for (const struct option_def *e = d + 1; e->name; e++) {
				assert_string_not_equal(e->name, d->name);
				assert_false(d->letter && e->letter == d->letter);
			}
		}
	}
}

static void listen_fds(void **state)
{
	char pid[16];
	int kept[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		kept[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 10);
		assert_int_equal(dup2(0, 3 + i), 3 + i);
	}
	assert_int_equal(fcntl(5, F_SETFD, FD_CLOEXEC), 0);
	unsetenv("LISTEN_PID");
	setenv("LISTEN_FDS", "2", 1);
	assert_int_equal(cli_listen_fds(), 2);
	setenv("LISTEN_PID", "1", 1);
	assert_int_equal(cli_listen_fds(), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	assert_int_equal(cli_listen_fds(), 2);
	/* No more than were handed down, and are there. */
	setenv("LISTEN_FDS", "1000000", 1);
	assert_int_equal(cli_listen_fds(), 2);
	close(3);
	assert_int_equal(cli_listen_fds(), 0);
	setenv("LISTEN_FDS", "-3", 1);
	assert_int_equal(cli_listen_fds(), 0);
	unsetenv("LISTEN_FDS");
	assert_int_equal(cli_listen_fds(), 0);
	unsetenv("LISTEN_PID");
	for (int i = 0; i < 3; i++) {
		close(3 + i);
		if (kept[i] >= 0)
			assert_int_equal(fcntl(kept[i], F_DUPFD_CLOEXEC, 3 + i), 3 + i);
	}
}

/* docs/errors.md */
static void exit_statuses(void **state)
{
	struct command_context c = {.command = &command_create};

	(void)state;
	assert_int_equal(cli_status(&c, OAKUM_OK), 0);
	assert_int_equal(cli_status(&c, OAKUM_E_CONFIG), 3);
	assert_int_equal(cli_status(&c, OAKUM_E_NOT_FOUND), 127);
	c.peer = CLI_RUNC;
	assert_int_equal(cli_status(&c, OAKUM_E_CONFIG), 1);
	assert_int_equal(cli_status(&c, OAKUM_E_NOT_EXECUTABLE), 1);
	c.command = &command_exec;
	assert_int_equal(cli_status(&c, OAKUM_E_USAGE), 1);
	c.understood = true;
	assert_int_equal(cli_status(&c, OAKUM_E_STATE), 255);
	assert_int_equal(cli_status(&c, OAKUM_E_NOT_FOUND), 255);
	c.peer = CLI_OAKUM;
	assert_int_equal(cli_status(&c, OAKUM_E_STATE), 255);
	assert_int_equal(cli_status(&c, OAKUM_E_NOT_FOUND), 127);
	c.command = NULL;
	assert_int_equal(cli_status(&c, OAKUM_E_USAGE), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(forms),
		TEST(switches),
		TEST(the_rest_is_the_commands),
		TEST(lists),
		TEST(globals),
		TEST(an_error_keeps_what_came_before),
		TEST(refused),
		TEST(words_are_counted),
		TEST(numbers_are_strict),
		cmocka_unit_test(tables_are_sound),
		cmocka_unit_test(listen_fds),
		cmocka_unit_test(exit_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
