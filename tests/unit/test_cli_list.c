/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that look at the containers of a state root: which, and in what words. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "cli/foreground.h"
#include "cli/match.h"
#include "cli/stats_rows.h"
#include "cli/stop_signal.h"
#include "run/stats.h"
#include "supervise/exit_record.h"
#include "test_root.h"

#define STOPPED_JSON                                                                               \
	"{\"ociVersion\":\"1.0.2\",\"id\":\"a1\",\"pid\":0,\"status\":\"stopped\","                \
	"\"bundle\":\"/b\",\"rootfs\":\"/b/root\","                                                \
	"\"created\":\"2026-11-23T13:05:59.123456789Z\",\"annotations\":{\"k 1\":\"a \\\"b\\\\\"}" \
	",\"owner\":\"root\"}"

static void put(void **state, const char *id, pid_t init, const char *annotations)
{
	close(put_container(state, id, "/b", init, annotations));
}

/* Two that can be read, one that cannot, and what is none. */
static void put_three(void **state)
{
	struct line *l = *state;
	int fd, dir = put_container(state, "b", "/b", 0, NULL);

	fd = openat(dir, STATE_FILE, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, "{", 1), 1);
	close(fd);
	close(dir);
	put(state, "c", getpid(), NULL);
	put(state, "a1", 0, "{\"k 1\":\"a \\\"b\\\\\"}");
	assert_int_equal(state_make(l->c.oakum, "nothing-yet", &dir, &l->err), 0);
	close(dir);
}

static int list(void **state, const char *line)
{
	char copy[512];

	return HEAR(command_list.run(parse_row(state, line, copy)));
}

static void lists(void **state)
{
	char want[1024];

	put_three(state);
	assert_int_equal(list(state, "list -q"), 0);
	assert_string_equal(said[1], "a1\nb\nc\n");
	assert_string_equal(said[2], "");

	assert_int_equal(list(state, "list"), 0);
	snprintf(want, sizeof(want),
		 "ID          PID         STATUS      BUNDLE      CREATED                          "
		 "OWNER\n"
		 "a1          0           stopped     /b          2026-11-23T13:05:59.123456789Z   "
		 "root\n"
		 "c           %-9d   running     /b          2026-11-23T13:05:59.123456789Z   "
		 "root\n",
		 getpid());
	assert_string_equal(said[1], want);
	assert_int_equal(strncmp(said[2], "oakum: warning: list b: state.json is damaged: ", 47),
			 0);

	assert_int_equal(list(state, "list -f json"), 0);
	assert_int_equal(
		strncmp(said[1], "[" STOPPED_JSON ",{\"ociVersion\"", strlen(STOPPED_JSON) + 15),
		0);
	snprintf(want, sizeof(want), "\"id\":\"c\",\"pid\":%d,\"status\":\"running\",", getpid());
	assert_non_null(strstr(said[1], want));
	assert_string_equal(said[1] + strlen(said[1]) - 3, "}]\n");
}

static void lists_nothing(void **state)
{
	assert_int_equal(list(state, "list -q"), 0);
	assert_string_equal(said[1], "");
	assert_int_equal(list(state, "list --format json"), 0);
	assert_string_equal(said[1], "null\n");
	/* What was named and is not there. */
	assert_int_equal(rmdir(root), 0);
	assert_int_equal(list(state, "list"), 1);
	assert_string_equal(said[1], "");
	assert_non_null(strstr(said[2], "No such file or directory (ENOENT)"));
	assert_int_equal(mkdir(root, 0700), 0);
}

/* ---- match.c ---- */

struct seen {
	char ids[64];
	int fail_from; /* statuses from here on, for ids from the second on */
};

static int see(struct command_context *c, const char *id, void *data)
{
	struct seen *s = data;
	bool first = !s->ids[0];

	(void)c;
	strncat(s->ids, id, sizeof(s->ids) - strlen(s->ids) - 2);
	strncat(s->ids, " ", 2);
	return first || !s->fail_from ? 0 : s->fail_from++;
}

static void matches(void **state)
{
	static const struct {
		const char *pattern, *ids;
	} rows[] = {
		{"", "a1 b c "},  {"^[bc]$", "b c "}, {"1", "a1 "},    {"^1", ""},
		{"a|c", "a1 c "}, {"^.$", "b c "},    {"nothing", ""}, {"(b)", "b "},
	};
	struct command_context *c = &PARSE(state, "delete x")->c;
	struct seen s;

	put_three(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		s = (struct seen){.ids = ""};
		assert_int_equal(match_each(c, rows[i].pattern, see, &s), 0);
		assert_string_equal(s.ids, rows[i].ids);
	}
	/* All are tried; the first failure counts. */
	s = (struct seen){.fail_from = 4};
	assert_int_equal(match_each(c, ".", see, &s), 4);
	assert_string_equal(s.ids, "a1 b c ");
	s = (struct seen){.ids = ""};
	assert_int_equal(HEAR(match_each(c, "a(", see, &s)), 2);
	assert_int_equal(strncmp(said[2], "oakum: delete: regular expression 'a(': ", 40), 0);
	assert_string_equal(s.ids, "");
}

static void matches_in_no_root(void **state)
{
	struct command_context *c = &PARSE(state, "delete x")->c;
	struct seen s = {.ids = ""};

	assert_int_equal(rmdir(root), 0);
	assert_int_equal(HEAR(match_each(c, ".", see, &s)), 1);
	assert_non_null(strstr(said[2], "No such file or directory (ENOENT)"));
	assert_int_equal(mkdir(root, 0700), 0);
}

/* ---- stop_signal.c ---- */

static void stop_signals(void **state)
{
	static const struct {
		const char *annotations;
		int sig;
	} rows[] = {
		{NULL, SIGTERM},
		{"{\"other\":\"SIGQUIT\"}", SIGTERM},
		{"{\"" STOP_SIGNAL_ANNOTATION "\":\"SIGQUIT\"}", SIGQUIT},
		{"{\"a\":\"b\",\"" STOP_SIGNAL_ANNOTATION "\":\"INT\"}", SIGINT},
		{"{\"" STOP_SIGNAL_ANNOTATION "\":\"37\"}", 37},
		{"{\"" STOP_SIGNAL_ANNOTATION "\":\"RTMIN+3\"}", 37},
		{"{\"" STOP_SIGNAL_ANNOTATION "\":\"0\"}", SIGTERM},
		{"{\"" STOP_SIGNAL_ANNOTATION "\":\"65\"}", SIGTERM},
		{"{\"" STOP_SIGNAL_ANNOTATION "\":\"\"}", SIGTERM},
		{"{\"" STOP_SIGNAL_ANNOTATION "\":9}", SIGTERM},
	};
	struct line *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oakum_state *s;
		char id[16];

		snprintf(id, sizeof(id), "n%zu", i);
		put(state, id, 0, rows[i].annotations);
		assert_int_equal(oakum_state(l->c.oakum, id, &s), 0);
		assert_int_equal(stop_signal_of(&l->c, s), rows[i].sig);
		oakum_state_free(s);
	}
}

/* ---- foreground.c ---- */

static void clears_up(void **state)
{
	struct command_context *c = &PARSE(state, "run x")->c;

	/* Somebody else was faster. */
	assert_int_equal(HEAR(foreground_clear_up(c, false, 7)), 7);
	assert_string_equal(said[2], "");
	put(state, "x", 0, NULL);
	assert_int_equal(HEAR(foreground_clear_up(c, false, 7)), 7);
	assert_int_equal(list(state, "list -q"), 0);
	assert_string_equal(said[1], "");
}

/* ---- generate_systemd.c ---- */

#define CONFIG	    "{\"root\":{\"path\":\"/the/root\"}}\n"
#define ODD_NAME    "a b%c$d\"e\\f\ng'h;"
#define ODD_ESCAPED "a b%%%%c$$d\\\"e\\\\f\\x0ag'h;"

static char bundle[128];

static void put_config(int at, const char *text)
{
	int fd = openat(at, "config.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* A container x with its configuration, and the bundle it has come from. */
static int put_bundle(void **state, const char *config, const char *annotations)
{
	int dir, at;

	snprintf(bundle, sizeof(bundle), "%s/%s", root, ODD_NAME);
	assert_int_equal(mkdir(bundle, 0755), 0);
	at = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	put_config(at, config);
	dir = put_container(state, "x", bundle, 0, annotations);
	put_config(dir, config);
	close(dir);
	return at;
}

static int generate(void **state, const char *format)
{
	char copy[512], text[256];

	snprintf(text, sizeof(text), format, root);
	return HEAR(command_generate_systemd.run(parse_row(state, text, copy)));
}

static bool says(const char *format)
{
	char text[512];

	snprintf(text, sizeof(text), format, root);
	return strstr(said[1], text) != NULL;
}

static void units(void **state)
{
	int at = put_bundle(state, CONFIG, "{\"" STOP_SIGNAL_ANNOTATION "\":\"SIGINT\"}");

	assert_int_equal(generate(state, "--root %s generate systemd x"), 0);
	assert_true(says("\nDescription=container x\n"));
	assert_true(says("\nType=notify\nSlice=oakum.slice\nDelegate=yes\nKillMode=mixed\n"));
	assert_true(says("\nKillSignal=SIGINT\nSuccessExitStatus=130\nRestart=on-failure\n"));
	assert_true(says(" --root %1$s up --replace --rm --cgroup unit --log-driver journald "
			 "--bundle \"%1$s/" ODD_ESCAPED "\" x\nExecStopPost=-"));
	assert_true(says(" --root %s delete --force x\n\n[Install]\n"
			 "WantedBy=multi-user.target\n"));

	assert_int_equal(generate(state, "generate --restart always --sdnotify container "
					 "systemd x"),
			 0);
	assert_true(says("\nRestart=always\n"));
	assert_true(says(" up --replace --rm --cgroup unit --log-driver journald --sdnotify "
			 "container --bundle "));
	assert_false(says(" --root "));
	assert_false(says("NotifyAccess"));
	close(at);
}

/* The bundle has changed since, or gone: its copy needs a place, and a root that is found there. */
static void copies(void **state)
{
	int at = put_bundle(state, CONFIG, NULL);
	char path[160];
	struct stat st;

	assert_int_equal(generate(state, "generate systemd --bundle %s/copy x"), 2);
	assert_non_null(strstr(said[2], ": the container has a bundle, /tmp/oakum-root-"));
	put_config(at, CONFIG " ");
	assert_int_equal(generate(state, "generate systemd x"), 4);
	assert_non_null(strstr(said[2], "x was not made from a bundle that is still there; "
					"--bundle DIR writes one\n"));
	assert_int_equal(generate(state, "generate systemd --bundle %s/copy x"), 0);
	assert_true(says(" --bundle %s/copy x\n"));
	assert_false(says("KillSignal"));
	assert_true(says("\nSuccessExitStatus=143\n"));
	snprintf(path, sizeof(path), "%s/copy/config.json", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_size, strlen(CONFIG));
	/* Not a second time over what is there. */
	assert_int_equal(generate(state, "generate systemd --bundle %s/copy x"), 5);
	assert_int_equal(generate(state, "generate systemd --bundle %s/no/copy x"), 1);
	assert_non_null(strstr(said[2], "oakum: generate: make the bundle /tmp/"));
	assert_string_equal(said[1], "");
	close(at);
}

static void relative_root(void **state)
{
	int at = put_bundle(state, "{\"root\":{\"path\":\"root\"}}", NULL);

	assert_int_equal(generate(state, "generate systemd x"), 0);
	put_config(at, "{}");
	assert_int_equal(generate(state, "generate systemd --bundle %s/copy x"), 4);
	assert_non_null(strstr(said[2], "root.path is relative to the bundle"));
	close(at);
	assert_int_equal(generate(state, "generate upstart x"), 2);
	assert_string_equal(said[2],
			    "oakum: generate: 'upstart': all that is generated is systemd\n");
	assert_int_equal(generate(state, "generate systemd y"), 4);
	assert_int_equal(generate(state, "--root %s/none generate systemd x"), 1);
	assert_non_null(strstr(said[2], "oakum: generate: resolve /tmp/oakum-root-"));
}

/* ---- stats_rows.c, stats_text.c ---- */

static struct oakum_stats *picture(uint64_t time_ns, uint64_t cpu_ns)
{
	struct oakum_stats *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->arena = ARENA_INIT;
	s->time_ns = time_ns;
	s->cg.cpu.total = cpu_ns;
	s->cg.pids_limit = CGROUP_STAT_MAX;
	s->cg.memory.usage.limit = CGROUP_STAT_MAX;
	return s;
}

static void cpu(void **state)
{
	static const struct {
		uint64_t time[2], used[2], want;
		bool known;
	} rows[] = {
		{{5, 1000000005}, {7, 500000007}, 5000, true}, /* half of a second */
		{{0, 1000000000}, {0, 4000000000}, 40000, true},
		{{0, 3}, {0, 2}, 6666, true},
		{{0, 1000000000}, {9, 9}, 0, true},
		{{5, 5}, {0, 1}, 0, false}, /* no time between */
		{{6, 5}, {0, 1}, 0, false},
		{{0, 9}, {10, 9}, 0, false}, /* another container of that name */
		/* 128 CPUs for 12 days in which we were stopped. */
		{{0, 1036800000000000}, {0, 132710400000000000}, 1280000, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stats_row row = {.before = picture(rows[i].time[0], rows[i].used[0]),
					.now = picture(rows[i].time[1], rows[i].used[1])};
		uint64_t v = 0;

		assert_int_equal(stats_row_cpu(&row, &v), rows[i].known);
		assert_int_equal(v, rows[i].want);
		oakum_stats_free(row.before);
		row.before = NULL;
		assert_false(stats_row_cpu(&row, &v));
		oakum_stats_free(row.now);
	}
}

static const char *printed(const struct stats_rows *rows, bool json)
{
	static char text[8192];
	FILE *f = fmemopen(text, sizeof(text), "w");

	assert_non_null(f);
	if (json)
		stats_put_json(rows, f);
	else
		assert_int_equal(stats_put_table(rows, f), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* A row with a value in every column, and one that nobody knows anything of. */
static void pictures(void **state)
{
	static struct cgroup_stat_named raw[] = {{"total_inactive_file", 0}};
	static struct cgroup_stat_io_entry io[] = {{8, 0, "Read", 1023}, {8, 0, "Write", 1048525}};
	static struct netdev_stat net[] = {{.name = "eth0", .rx_bytes = 1076, .tx_bytes = 1048524}};
	struct stats_row v[] = {{.id = (char[]){"web"}, .before = picture(0, 0)},
				{.id = (char[]){"db"}}};
	const struct stats_rows rows = {v, 2};
	struct oakum_stats *s = v[0].now = picture(1000000000, 123450000);

	(void)state;
	s->cg.memory.raw = raw;
	s->cg.memory.n_raw = 1;
	s->cg.memory.usage =
		(struct cgroup_stat_memory_entry){.usage = 512 << 20, .limit = (uint64_t)3 << 29};
	s->cg.pids = 5;
	s->cg.pids_limit = 100;
	s->cg.io.kind[CGROUP_STAT_IO_BYTES].v = io;
	s->cg.io.kind[CGROUP_STAT_IO_BYTES].n = 2;
	s->has_network = true;
	s->interfaces = net;
	s->n_interfaces = 1;
	s->cg.cpu.pressure = (struct cgroup_stat_pressure){.known = true, .some.avg10 = 125};
	s->cg.io.pressure = (struct cgroup_stat_pressure){.known = true, .some.avg10 = 9995};
	v[1].now = picture(1, 1);
	assert_string_equal(printed(&rows, false), "ID   CPU %  MEMORY / LIMIT     MEM %  PIDS     "
						   "NET I/O             BLOCK I/O       "
						   "WAITING % (CPU / MEM / IO)\n"
						   "web  12.3   512.0MiB / 1.5GiB  33.3   5 / 100  "
						   "1.1KiB / 1023.9KiB  1023B / 1.0MiB  "
						   "1.3 / - / 100.0\n"
						   "db   -      - / -              -      -        "
						   "- / -               0B / 0B         "
						   "- / - / -\n");
	assert_string_equal(
		printed(&rows, true),
		"[{\"id\":\"web\",\"cpu_percent\":12.34,\"cpu_ns\":123450000,\"memory\":536870912,"
		"\"memory_limit\":1610612736,\"pids\":5,\"pids_limit\":100,"
		"\"network_received\":1076,\"network_sent\":1048524,\"block_read\":1023,"
		"\"block_written\":1048525,\"cpu_waiting_percent\":1.25,"
		"\"memory_waiting_percent\":null,\"io_waiting_percent\":99.95},"
		"{\"id\":\"db\",\"cpu_percent\":null,\"cpu_ns\":1,\"memory\":null,"
		"\"memory_limit\":null,\"pids\":null,\"pids_limit\":null,"
		"\"network_received\":null,\"network_sent\":null,\"block_read\":0,"
		"\"block_written\":0,\"cpu_waiting_percent\":null,"
		"\"memory_waiting_percent\":null,\"io_waiting_percent\":null}]\n");
	assert_string_equal(printed(&(struct stats_rows){.n = 0}, true), "[]\n");
	oakum_stats_free(v[0].before);
	oakum_stats_free(v[0].now);
	oakum_stats_free(v[1].now);
}

static void sizes(void **state)
{
	static const struct {
		uint64_t v;
		const char *text;
	} rows[] = {
		{0, "0B"},
		{1023, "1023B"},
		{1024, "1.0KiB"},
		{1075, "1.0KiB"},
		{1076, "1.1KiB"},
		{1048524, "1023.9KiB"},
		{1048525, "1.0MiB"},
		{(uint64_t)5 << 40, "5.0TiB"},
		{UINT64_MAX, "16.0EiB"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct netdev_stat net = {.name = "eth0", .rx_bytes = rows[i].v, .tx_bytes = 1};
		struct stats_row row = {.id = (char[]){"x"}, .now = picture(0, 0)};
		char want[32];

		row.now->has_network = true;
		row.now->interfaces = &net;
		row.now->n_interfaces = 1;
		snprintf(want, sizeof(want), "  %s / 1B  ", rows[i].text);
		assert_non_null(strstr(printed(&(struct stats_rows){&row, 1}, false), want));
		oakum_stats_free(row.now);
	}
}

/* Of what has no cgroup nothing is counted: left out, unless it was asked for. */
static void rows_of_nothing(void **state)
{
	struct stats_rows rows = {.n = 0};
	char copy[512];

	put_three(state);
	assert_int_equal(HEAR(stats_rows_take(parse_row(state, "stats", copy), &rows, true)), 0);
	assert_int_equal(rows.n, 0);
	assert_string_equal(said[2], "");
	assert_int_equal(HEAR(stats_rows_take(parse_row(state, "stats c", copy), &rows, true)), 6);
	assert_int_equal(rows.n, 0);
	/* At first it has to be there; later it has ended. */
	assert_int_equal(HEAR(stats_rows_take(parse_row(state, "stats none", copy), &rows, true)),
			 4);
	assert_int_equal(HEAR(stats_rows_take(parse_row(state, "stats a1", copy), &rows, true)), 4);
	assert_int_equal(
		HEAR(stats_rows_take(parse_row(state, "stats a1 none", copy), &rows, false)), 0);
	assert_int_equal(rows.n, 0);
	stats_rows_done(&rows);
}

/* ---- commands: what they make of their words, and of what the library says ---- */

/* A process that stays until it is ended. */
static pid_t put_running(void **state, const char *id)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			pause();
	}
	put(state, id, pid, NULL);
	return pid;
}

static void commands(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *out, *err;
	} rows[] = {
		{"state a1", 0, "\"status\": \"stopped\"", ""},
		{"state none", 4, "", "oakum: state none: "},
		{"state b", 4, "", "state.json is damaged"},
		{"features", 0, "\"ociVersionMin\"", ""},
		{"spec -b ROOT -f new.json", 0, "", ""},
		{"spec -b ROOT -f new.json", 5, "", "/new.json exists. Remove it first"},
		{"spec -b ROOT/none", 1, "", "open the bundle"},
		{"kill a1 FROB", 2, "", "kill: unknown signal 'FROB'"},
		{"kill a1", 4, "", "oakum: kill a1: "},
		{"kill -r ( KILL", 2, "", "regular expression '('"},
		{"kill -r ^[cz]$ CONT", 0, "", ""},
		{"kill -r [ac] CONT", 4, "", "oakum: kill a1: "},
		{"pause a1", 4, "", "oakum: pause a1: "},
		{"resume a1", 4, "", "oakum: resume a1: "},
		{"start a1", 4, "", "oakum: start a1: "},
		{"start c", 4, "", "oakum: start c: "},
		{"exec a1 true", 255, "", "oakum: exec a1: "},
		{"checkpoint a1", 4, "", "oakum: checkpoint a1: "},
		{"attach a1", 4, "", "oakum: attach"},
		{"logs a1", 4, "", "no log is kept of this container; only `oakum up` keeps one"},
		{"logs --since soon a1", 2, "", "soon"},
		{"logs --tail x a1", 2, "", "x"},
		{"events --interval 0 c", 2, "", "duration interval must be greater than 0"},
		{"events --stats c", 6, "", "stats c: the container has no cgroup"},
		{"mounts frob c f", 2, "", "'frob': expected add or remove"},
		{"update c", 2, "", "update: nothing to change"},
		{"update --memory x c", 2, "", "update: --memory: 'x' is not a size"},
		{"down --signal FROB c", 2, "", "down: --signal FROB: no such signal"},
		{"down --timeout soon c", 2, "", "down: --timeout: 'soon' is not a duration"},
		{"down none", 4, "", "none"},
		{"wait a1", 1, "unknown\n", ""},
		{"wait none", 4, "", "none"},
		{"delete c", 4, "", "oakum: delete c: "},
		{"delete none", 4, "", "oakum: delete none: "},
		{"delete -f none", 0, "", ""},
		{"delete a1", 0, "", ""},
		{"state a1", 4, "", "oakum: state a1: "},
		{"down c", 0, "", ""},
		{"state c", 4, "", "oakum: state c: "},
	};
	struct line *l = *state;
	int fd, dir, status;
	pid_t pid;

	dir = put_container(state, "b", "/b", 0, NULL);
	fd = openat(dir, STATE_FILE, O_WRONLY | O_TRUNC | O_CLOEXEC);
	close(fd);
	close(dir);
	put(state, "a1", 0, NULL);
	pid = put_running(state, "c");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *at = strstr(rows[i].line, "ROOT");
		char line[256], copy[512];
		const struct command_context *c;

		snprintf(line, sizeof(line), "%.*s%s%s",
			 at ? (int)(at - rows[i].line) : (int)strlen(rows[i].line), rows[i].line,
			 at ? root : "", at ? at + 4 : "");
		c = parse_row(state, line, copy);
		l->c.understood = true;
		status = HEAR(c->command->run(&l->c));
		if (status != rows[i].status || !strstr(said[1], rows[i].out) ||
		    !strstr(said[2], rows[i].err) || (!rows[i].err[0] && said[2][0]) ||
		    (!rows[i].out[0] && said[1][0]))
			fail_msg("%s: %d\n%s\n%s", line, status, said[1], said[2]);
	}
	/* By the signal that asks, not the one that forces. */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, SIGTERM);
}

/* The status of the record, in the words of a shell. */
static void waits(void **state)
{
	const struct exit_record ends[] = {{.known = true, .status = 3, .oom_kills = -1},
					   {.known = true, .signal = 9, .oom_kills = -1}};
	int dir = put_container(state, "x", "/b", 0, NULL);
	char copy[512];

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		assert_int_equal(exit_write(dir, &ends[i]), 0);
		assert_int_equal(HEAR(command_wait.run(parse_row(state, "wait x", copy))), 0);
		assert_string_equal(said[1], i ? "137\n" : "3\n");
		assert_int_equal(HEAR(command_wait.run(parse_row(state, "wait --exit x", copy))),
				 i ? 137 : 3);
	}
	close(dir);
}

#define IN_ROOT(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOT(lists),
		IN_ROOT(lists_nothing),
		IN_ROOT(matches),
		IN_ROOT(matches_in_no_root),
		IN_ROOT(stop_signals),
		IN_ROOT(clears_up),
		IN_ROOT(units),
		IN_ROOT(copies),
		IN_ROOT(relative_root),
		cmocka_unit_test(cpu),
		cmocka_unit_test(pictures),
		cmocka_unit_test(sizes),
		IN_ROOT(rows_of_nothing),
		IN_ROOT(commands),
		IN_ROOT(waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
