/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manual pages and completions: all that is in the tables and not hidden, in words that man(7) and
 * the shells read as they are meant. */
#include "cli/generate.h"
#include "test_cli.h"

static const char *written(void (*what)(FILE *f))
{
	static char text[1u << 18];
	FILE *f = fmemopen(text, sizeof(text), "w");

	assert_non_null(f);
	what(f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static const struct command *of;

static void man(FILE *f)
{
	generate_man(f, of);
}

/* A command with whatever a table may have. */
static const struct option_def odd_options[] = {
	{"first-one", 'f', "DIR", "it's `bold` \\ and.\n.no request", 0, NULL},
	{"second", 0, "WHEN", "…", OPTION_OPTIONAL | OPTION_REPEAT, "a b"},
	{"third", 't', NULL, "a switch", 0, NULL},
	{"hidden", 0, NULL, "not shown", OPTION_HIDDEN, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};

static const struct command odd = {
	.name = "odd",
	.usage = "ID",
	.summary = "do what is odd",
	.description = "One.\n\n.Two",
	.examples = "odd -f\n.odd",
	.options = odd_options,
};

static void page_of_a_command(void **state)
{
	const char *text;
	char want[1024];

	(void)state;
	of = &odd;
	text = written(man);
	snprintf(want, sizeof(want),
		 ".\\\" Written by the program from its option tables.\n"
		 ".TH oakum\\-odd 1 \"\" \"oakum %s\" \"User Commands\"\n.SH NAME\n"
		 "oakum\\-odd \\- do what is odd\n.SH SYNOPSIS\n.B oakum\n"
		 "[\\fIGLOBAL OPTION\\fR]...\n.B odd\n[\\fIOPTION\\fR]...\nID\n.SH DESCRIPTION\n"
		 "One.\n.PP\n\\&.Two\n.SH OPTIONS\n",
		 oakum_version());
	assert_memory_equal(text, want, strlen(want));
	assert_string_equal(text + strlen(want),
			    ".TP\n\\fB\\-f\\fR, \\fB\\-\\-first\\-one\\fR=\\fIDIR\\fR\n"
			    "it\\(aqs \\fBbold\\fR \\e and.\n\\&.no request\n"
			    ".TP\n\\fB\\-\\-second\\fR[=\\fIWHEN\\fR]\n...\n(one of: a b)\n"
			    "(may be repeated)\n"
			    ".TP\n\\fB\\-t\\fR, \\fB\\-\\-third\\fR\na switch\n"
			    ".SH EXAMPLES\n.nf\nodd \\-f\n\\&.odd\n.fi\n"
			    ".SH SEE ALSO\n.BR oakum (1)\n");
}

/* The name as man(7) has it. */
static const char *escaped(const char *name)
{
	static char text[128];
	size_t n = 0;

	for (; *name && n < sizeof(text) - 2; name++) {
		if (*name == '-')
			text[n++] = '\\';
		text[n++] = *name;
	}
	text[n] = '\0';
	return text;
}

static void check_page(const char *text, const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->name; d++) {
		char want[160];

		snprintf(want, sizeof(want), "\\fB\\-\\-%s\\fR", escaped(d->name));
		if (!strstr(text, want) != !!(d->flags & OPTION_HIDDEN))
			fail_msg("%s", want);
	}
	/* Requests that are ours, and nothing that is one by chance. */
	for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
		if (*p == '.' && p[1] != '\\' && !strchr("BTSPfn", p[1]))
			fail_msg("a request: %.20s", p);
	for (const char *p = text; *p; p++)
		assert_true((unsigned char)*p < 0x80);
}

static void pages_of_all(void **state)
{
	const char *text;

	(void)state;
	for (const struct command *const *t = command_table; *t; t++) {
		of = *t;
		check_page(written(man), (*t)->options);
	}
	of = NULL;
	text = written(man);
	check_page(text, command_globals);
	for (const struct command *const *t = command_table; *t; t++) {
		char want[64];

		snprintf(want, sizeof(want), ".TP\n\\fB%s\\fR ", (*t)->name);
		assert_int_equal(!strstr(text, want), !!((*t)->flags & COMMAND_HIDDEN));
	}
}

/* ---- completions, asked of the shells themselves where they are ---- */

static char place[64];

static int make_place(void **state)
{
	(void)snprintf(place, sizeof(place), "/tmp/oakum-generate-XXXXXX");
	return mkdtemp(place) ? set_up(state) : -1;
}

static int remove_place(void **state)
{
	(void)tear_down(state);
	return nftw(place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in_place(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return path;
}

static void put(const char *name, const char *text)
{
	int fd = open(in_place(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* What /bin/bash prints of @script in the place. */
static const char *bash(const char *script)
{
	static char text[8192];
	int ends[2], status;
	ssize_t n, len = 0;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (chdir(place) == 0 && dup2(ends[1], 1) == 1)
			execl("/bin/bash", "bash", "--norc", "-c", script, NULL);
		_exit(127);
	}
	close(ends[1]);
	while ((n = read(ends[0], text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += n;
	text[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s: %d", script, status);
	return text;
}

/* Words of a line whose last one is completed, each in front of '|'. */
#define COMPLETE                                                                                   \
	"PATH=$PWD:$PATH; . ./bash-completion; "                                                   \
	"try() { COMP_WORDS=(oakum \"$@\"); COMP_CWORD=$#; _oakum 2>/dev/null; "                   \
	"IFS='|'; echo \"${COMPREPLY[*]}\"; unset IFS; }; "

static void completes_in_bash(void **state)
{
	static const struct {
		const char *words, *want;
	} rows[] = {
		{"cre", "create\n"},
		{"__", "\n"},
		{"--log-f", "--log-format=\n"},
		{"--log-format ''", "text|json\n"},
		{"--log-format = j", "json\n"},
		{"--cri", "\n"},
		{"--cgroup-manager d", "disabled\n"},
		/* The command is what follows the value of an option. */
		{"--root up pau", "pause\n"},
		{"--root = up pau", "pause\n"},
		{"create --no-n", "--no-new-keyring\n"},
		{"create -b ''", "dir\n"},
		{"create --bundle d", "dir\n"},
		{"create --pid-file f", "file\n"},
		{"create ''", "\n"},
		{"list --format t", "table\n"},
		{"up --memory ''", "\n"},
		/* Ids of that root, and of no other. */
		{"kill ''", "one|two\n"},
		{"--root /r kill t", "three\n"},
		{"--root=/r kill t", "two\n"},
	};
	char script[4096];
	const char *got;
	size_t n;

	(void)state;
	put("bash-completion", written(generate_bash));
	put("file", "");
	put("oakum", "#!/bin/sh\n[ \"$*\" = 'list -q' ] && printf 'one\\ntwo\\n'\n"
		     "[ \"$*\" = '--root /r list -q' ] && echo three\n");
	assert_int_equal(mkdir(in_place("dir"), 0755), 0);
	n = (size_t)snprintf(script, sizeof(script), "%s", COMPLETE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		n += (size_t)snprintf(script + n, sizeof(script) - n, "try %s\n", rows[i].words);
	assert_true(n < sizeof(script));
	got = bash(script);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].want);

		if (strncmp(got, rows[i].want, len) != 0)
			fail_msg("%s: %.*s", rows[i].words, (int)strcspn(got, "\n"), got);
		got += len;
	}
	assert_string_equal(got, "");
}

/* Of quotes in the words of the tables: a string that does not end would swallow what follows. */
static void check_quotes(const char *text)
{
	for (const char *p = text; *p; p += strcspn(p, "\n") + 1) {
		bool quoted = false;

		for (size_t i = 0; p[i] && p[i] != '\n'; i++) {
			if (!quoted && p[i] == '\\' && p[i + 1])
				i++;
			else if (p[i] == '\'')
				quoted = !quoted;
		}
		if (quoted)
			fail_msg("%.*s", (int)strcspn(p, "\n"), p);
	}
}

static void for_every_option(const char *text, const char *format)
{
	for (const struct command *const *t = command_table; *t; t++)
		for (const struct option_def *d = (*t)->options; d && d->name; d++) {
			char want[160];

			if ((*t)->flags & COMMAND_HIDDEN)
				continue;
			snprintf(want, sizeof(want), format, d->name);
			if (!(d->flags & OPTION_HIDDEN) && !strstr(text, want))
				fail_msg("no %s", want);
		}
	assert_null(strstr(text, "kernel-memory"));
	assert_null(strstr(text, "__generate"));
}

static void for_zsh_and_fish(void **state)
{
	const char *text = written(generate_zsh);

	(void)state;
	check_quotes(text);
	for_every_option(text, "--%s");
	assert_non_null(strstr(text, "'(-b --bundle)'{-b+,--bundle=}'[directory of config.json and "
				     "root filesystem (default\\: the current one)]:DIR:_files "
				     "-/'"));
	assert_non_null(strstr(text, "'--log-format=[form of the log (default\\: text)]:FORMAT:"
				     "(text json)'"));
	assert_non_null(strstr(text, "'--rootless=-[go on where rights over cgroups are missing]::"
				     "WHEN:(auto true false)'"));
	assert_non_null(strstr(text, "'*'{-e+,--env=}'[set an environment variable]:KEY=VALUE:'"));
	text = written(generate_fish);
	check_quotes(text);
	for_every_option(text, " -l %s -d '");
	assert_non_null(strstr(text, "complete -c oakum -n '__fish_seen_subcommand_from create' -s "
				     "b -l bundle -d '"));
	assert_non_null(strstr(text, " -l log-format -d 'form of the log (default: text)' -x -a "
				     "'text json'\n"));
	assert_non_null(strstr(text, "__fish_seen_subcommand_from kill' -a '(oakum list -q "));
	assert_null(strstr(text, "__fish_seen_subcommand_from create' -a '(oakum list -q "));
}

/* ---- generate.c ---- */

static void kinds(void **state)
{
	static const struct {
		const char *metavar;
		enum generate_kind kind;
	} rows[] = {
		{NULL, GENERATE_NONE},	   {"DIR", GENERATE_DIRECTORY}, {"FILE", GENERATE_FILE},
		{"SOCKET", GENERATE_FILE}, {"N", GENERATE_NONE},	{"FILES", GENERATE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct option_def d = {.name = "x", .metavar = rows[i].metavar};

		assert_int_equal(generate_kind_of(&d), rows[i].kind);
	}
	assert_true(generate_takes_id(&command_kill));
	assert_true(generate_takes_id(&command_stats));
	assert_false(generate_takes_id(&command_create));
	assert_false(generate_takes_id(&command_run));
	assert_false(generate_takes_id(&command_up));
	assert_false(generate_takes_id(&command_list));
}

static int generate(void **state, const char *line)
{
	char copy[512];

	return HEAR(command_generate.run(parse_row(state, line, copy)));
}

static void command(void **state)
{
	assert_int_equal(generate(state, "__generate flags"), 0);
	assert_non_null(strstr(said[1], "* --root\n"));
	assert_non_null(strstr(said[1], "create --bundle -b\n"));
	assert_non_null(strstr(said[1], "update --kernel-memory (hidden)\n"));
	assert_int_equal(generate(state, "__generate man kill"), 0);
	of = &command_kill;
	assert_string_equal(said[1], written(man));
	assert_int_equal(generate(state, "__generate man none"), 2);
	assert_string_equal(said[2], "oakum: __generate: unknown command 'none'\n");
	assert_int_equal(generate(state, "__generate tcsh"), 2);
	assert_string_equal(said[1], "");
	assert_string_equal(said[2],
			    "oakum: __generate: 'tcsh' is none of: man bash zsh fish flags\n");
	assert_int_equal(generate(state, "__generate fish"), 0);
	assert_string_equal(said[1], written(generate_fish));
}

#define TEST(f)	    cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_of_a_command),
		cmocka_unit_test(pages_of_all),
		IN_PLACE(completes_in_bash),
		cmocka_unit_test(for_zsh_and_fish),
		cmocka_unit_test(kinds),
		TEST(command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
