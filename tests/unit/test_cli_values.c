/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the words of a command line to what the library is asked for. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>

#include "cli/container_options.h"
#include "cli/criu_options.h"
#include "cli/report.h"
#include "cli/up_options.h"
#include "cli/update_options.h"
#include "supervise/supervisor.h"
#include "test_cli.h"

/* ---- values.c ---- */

static void numbers(void **state)
{
	char copy[512];
	struct command_context *c = parse_row(state, "events --interval=1.5x x", copy);
	uint64_t n = 7;
	int64_t ms = 7;

	assert_int_equal(HEAR(opt_ms(c, "interval", 1000, &ms)), 2);
	assert_string_equal(said[2], "oakum: events: --interval: '1.5x' is not a duration "
				     "(10, 1.5s, 250ms, 2m30s)\n");
	c = parse_row(state, "events --interval=1s x", copy);
	assert_int_equal(opt_ms(c, "interval", 1000, &ms), 0);
	assert_int_equal(ms, 1000);
	assert_int_equal(HEAR(opt_ms(c, "interval", 999, &ms)), 2);
	assert_string_equal(said[2], "oakum: events: --interval: '1s' is out of range\n");
	assert_int_equal(ms, 1000);

	c = parse_row(state, "run --preserve-fds -1 --preserve-fds 0x10 x", copy);
	assert_int_equal(HEAR(opt_u64(c, "preserve-fds", 0, 100, &n)), 2);
	assert_string_equal(said[2], "oakum: run: --preserve-fds: '0x10' is not a number\n");
	c = parse_row(state, "run --preserve-fds 18446744073709551616 x", copy);
	assert_int_equal(HEAR(opt_u64(c, "preserve-fds", 0, UINT64_MAX, &n)), 2);
	assert_non_null(strstr(said[2], "is out of range"));
	assert_int_equal(n, 7);

	c = parse_row(state, "up -m 1.5k x", copy);
	assert_int_equal(opt_size(c, "memory", 1536, &n), 0);
	assert_int_equal(n, 1536);
	assert_int_equal(HEAR(opt_size(c, "memory", 1535, &n)), 2);
	assert_string_equal(said[2], "oakum: up: --memory: '1.5k' is out of range\n");
	c = parse_row(state, "up -m much x", copy);
	assert_int_equal(HEAR(opt_size(c, "memory", UINT64_MAX, &n)), 2);
	assert_string_equal(said[2], "oakum: up: --memory: 'much' is not a size (512k, 64m, 2g)\n");
	/* Called as runc, all that goes wrong is 1. */
	c->peer = CLI_RUNC;
	assert_int_equal(HEAR(opt_size(c, "memory", UINT64_MAX, &n)), 1);
}

static void whose_pid(void **state)
{
	char ours[16], others[][24] = {"", "1", "-5", "0", "4294967297", "99999999999999999999"};

	(void)state;
	unsetenv("OAKUM_PID");
	assert_int_equal(cli_whose_pid("OAKUM_PID"), CLI_PID_UNSAID);
	snprintf(ours, sizeof(ours), "%d", getpid());
	setenv("OAKUM_PID", ours, 1);
	assert_int_equal(cli_whose_pid("OAKUM_PID"), CLI_PID_OURS);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		setenv("OAKUM_PID", others[i], 1);
		assert_int_equal(cli_whose_pid("OAKUM_PID"), CLI_PID_OTHER);
	}
	unsetenv("OAKUM_PID");
}

/* ---- handle.c ---- */

static void handle(void **state)
{
	static const struct {
		const char *line;
		enum oakum_cgroup_manager manager;
		int rootless;
		bool strict;
	} rows[] = {
		{"list", OAKUM_CGROUPFS, -1, false},
		{"--systemd-cgroup list", OAKUM_CGROUP_SYSTEMD, -1, false},
		{"--systemd-cgroup=false list", OAKUM_CGROUPFS, -1, false},
		{"--cgroup-manager systemd list", OAKUM_CGROUP_SYSTEMD, -1, false},
		{"--cgroup-manager disabled --strict list", OAKUM_CGROUP_DISABLED, -1, true},
		{"--systemd-cgroup --cgroup-manager cgroupfs list", OAKUM_CGROUPFS, -1, false},
		{"--rootless list", OAKUM_CGROUPFS, 1, false},
		{"--rootless=auto list", OAKUM_CGROUPFS, -1, false},
		{"--rootless=false list", OAKUM_CGROUPFS, 0, false},
		/* An option of spec's own. */
		{"spec --rootless", OAKUM_CGROUPFS, -1, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char copy[512];
		struct command_context *c = parse_row(state, rows[i].line, copy);
		struct oakum_options o;

		cli_handle_options(c, &o);
		assert_int_equal(o.size, sizeof(o));
		assert_int_equal(o.cgroup_manager, rows[i].manager);
		assert_int_equal(o.rootless, rows[i].rootless);
		assert_int_equal(o.strict, rows[i].strict);
		assert_null(o.root);
		assert_string_equal(o.command, c->command->name);
		assert_ptr_equal(o.warn, report_warn);
		assert_ptr_equal(o.warn_data, c);
		assert_ptr_equal(o.debug, report_debug);
		assert_ptr_equal(o.debug_data, c);
	}
	assert_string_equal(opt_string(&PARSE(state, "--root /r list")->c, "root"), "/r");
}

/* ---- container_options.c, criu_options.c ---- */

static void containers(void **state)
{
	char copy[512];
	struct command_context *c = parse_row(
		state,
		"create -b /b -f /f --console-socket /c --pidfd-socket /p --pid-file /i --no-pivot "
		"--no-new-keyring --preserve-fds 1048576 x",
		copy);
	struct oakum_create r;

	setenv("NOTIFY_SOCKET", "/n", 1);
	setenv("LISTEN_FDS", "0", 1);
	assert_int_equal(container_request(c, &r), 0);
	assert_int_equal(r.size, sizeof(r));
	assert_string_equal(r.bundle, "/b");
	assert_string_equal(r.config, "/f");
	assert_string_equal(r.console_socket, "/c");
	assert_string_equal(r.pidfd_socket, "/p");
	assert_string_equal(r.pid_file, "/i");
	assert_string_equal(r.notify_socket, "/n");
	assert_int_equal(r.preserve_fds, 1048576);
	assert_int_equal(r.listen_fds, 0);
	assert_true(r.no_pivot && r.no_new_keyring);
	assert_false(r.hooks_in_root);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_FDS");

	c = parse_row(state, "run x", copy);
	c->peer = CLI_RUNC;
	assert_int_equal(container_request(c, &r), 0);
	assert_true(r.hooks_in_root);
	assert_null(r.bundle);
	assert_null(r.notify_socket);
	assert_int_equal(r.preserve_fds, 0);
	assert_int_equal(r.listen_fds, 0);
	assert_false(r.no_pivot || r.no_new_keyring);

	r.bundle = "untouched";
	c = parse_row(state, "run --preserve-fds 1048577 x", copy);
	assert_int_equal(HEAR(container_request(c, &r)), 2);
	assert_string_equal(said[2], "oakum: run: --preserve-fds: '1048577' is out of range\n");
	assert_string_equal(r.bundle, "untouched");
}

static void criu(void **state)
{
	char copy[512];
	struct command_context *c =
		parse_row(state,
			  "checkpoint --image-path /i --work-path /w --manage-cgroups-mode full "
			  "--network-lock skip --empty-ns network --tcp-established --shell-job "
			  "--auto-dedup x",
			  copy);
	struct oakum_criu r;

	criu_options(c, &r);
	assert_int_equal(r.size, sizeof(r));
	assert_string_equal(r.image_path, "/i");
	assert_string_equal(r.work_path, "/w");
	assert_string_equal(r.manage_cgroups_mode, "full");
	assert_string_equal(r.network_lock, "skip");
	assert_true(r.tcp_established && r.shell_job && r.auto_dedup && r.empty_network);
	assert_false(r.ext_unix_sk || r.file_locks || r.lazy_pages);
	assert_int_equal(r.status_fd, -1);
	criu_options(parse_row(state, "restore --ext-unix-sk --file-locks --lazy-pages x", copy),
		     &r);
	assert_true(r.ext_unix_sk && r.file_locks && r.lazy_pages);
	assert_false(r.tcp_established || r.shell_job || r.auto_dedup || r.empty_network);
	assert_null(r.image_path);
	assert_null(r.network_lock);
}

/* ---- update_options.c ---- */

static void limits(void **state)
{
	static const struct {
		const char *line, *limits, *rdt;
	} rows[] = {
		{"update x", "", ""},
		{"update --memory 512m x", "{\"memory\":{\"limit\":536870912}}", ""},
		{"update --memory -1 --memory-swap=-1 x", "{\"memory\":{\"limit\":-1,\"swap\":-1}}",
		 ""},
		{"update --memory 0 x", "{\"memory\":{\"limit\":0}}", ""},
		/* One object a group, whatever the order is. */
		{"update --pids-limit 5 --cpu-quota -1 --memory 1k --cpu-share 9 "
		 "--memory-reservation 2",
		 "{\"memory\":{\"limit\":1024,\"reservation\":2},\"cpu\":{\"shares\":9,"
		 "\"quota\":-1},\"pids\":{\"limit\":5}}",
		 ""},
		{"update --cpu-period 1 --cpu-burst 2 --cpu-idle 1 --cpu-rt-period 3 "
		 "--cpu-rt-runtime 4 --blkio-weight 10",
		 "{\"cpu\":{\"period\":1,\"burst\":2,\"idle\":1,\"realtimePeriod\":3,"
		 "\"realtimeRuntime\":4},\"blockIO\":{\"weight\":10}}",
		 ""},
		{"update --cpuset-cpus 0-3,\"7 --cpuset-mems=",
		 "{\"cpu\":{\"cpus\":\"0-3,\\\"7\",\"mems\":\"\"}}", ""},
		{"update --memory 9223372036854775807",
		 "{\"memory\":{\"limit\":9223372036854775807}}", ""},
		{"update --l3-cache-schema L3:0=f;1=\"f", "",
		 "{\"l3CacheSchema\":\"L3:0=f;1=\\\"f\"}"},
		{"update --mem-bw-schema MB:0=5 --l3-cache-schema L3:0=f --pids-limit -1",
		 "{\"pids\":{\"limit\":-1}}",
		 "{\"l3CacheSchema\":\"L3:0=f\",\"memBwSchema\":\"MB:0=5\"}"},
		{"update --mem-bw-schema MB:0=5", "", "{\"memBwSchema\":\"MB:0=5\"}"},
		/* Taken and not used. */
		{"update --kernel-memory 5m", "", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char copy[512], text[2][1024];
		struct strbuf b[2];

		strbuf_init(&b[0], text[0], sizeof(text[0]));
		strbuf_init(&b[1], text[1], sizeof(text[1]));
		assert_int_equal(update_options(parse_row(state, rows[i].line, copy), &b[0], &b[1]),
				 0);
		assert_string_equal(b[0].p, rows[i].limits);
		assert_string_equal(b[1].p, rows[i].rdt);
	}
}

static void refused_limits(void **state)
{
	static const struct {
		const char *option, *why;
	} rows[] = {
		{"--cpu-share=1.5", "--cpu-share: '1.5' is not a number"},
		{"--cpu-quota=", "--cpu-quota: '' is not a number"},
		{"--pids-limit=9223372036854775808",
		 "--pids-limit: '9223372036854775808' is out of range"},
		{"--memory=9223372036854775808", "--memory: '9223372036854775808' is out of range"},
		{"--memory=8e", "--memory: '8e' is not a size (512k, 64m, 2g)"},
		{"--memory=-1k", "--memory: '-1k' is not a size (512k, 64m, 2g)"},
		{"--memory-swap=", "--memory-swap: '' is not a size (512k, 64m, 2g)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char copy[512], text[1024], want[256];
		struct strbuf b, none;

		strbuf_init(&b, text, sizeof(text));
		strbuf_init(&none, want, sizeof(want));
		snprintf(text, sizeof(text), "update %s x", rows[i].option);
		assert_int_equal(HEAR(update_options(parse_row(state, text, copy), &b, &none)), 2);
		snprintf(want, sizeof(want), "oakum: update: %s\n", rows[i].why);
		assert_string_equal(said[2], want);
	}
}

/* ---- up_options.c ---- */

static struct supervise_options o;
static char root_path[64];

static int up(void **state, const char *text)
{
	char copy[512];
	struct command_context *c = parse_row(state, text, copy);

	free(o.config_text);
	o = (struct supervise_options){.id = c->args[0], .create = OAKUM_CREATE()};
	memset(root_path, 0, sizeof(root_path));
	return HEAR(up_options(c, &o, root_path, sizeof(root_path)));
}

/* Its configuration without blanks. */
static const char *config(void)
{
	static char text[32768];
	size_t n = 0;

	for (const char *p = o.config_text; *p && n < sizeof(text) - 1; p++)
		if (!strchr(" \t\n", *p))
			text[n++] = *p;
	text[n] = '\0';
	return text;
}

static void up_switches(void **state)
{
	assert_int_equal(up(state, "up x"), 0);
	assert_true(o.foreground);
	assert_false(o.interactive || o.remove || o.mute[1] || o.mute[2] || o.unit);
	assert_int_equal(o.driver, LOGFILE_DEFAULT);
	assert_null(o.handle.root);
	assert_null(o.config_text);
	assert_null(o.notify.socket);
	assert_int_equal(up(state, "up -di --rm -b /b --timeout 1.5s --log-driver file:/l x"), 0);
	assert_true(o.interactive && o.remove);
	assert_false(o.foreground);
	assert_string_equal(o.create.bundle, "/b");
	assert_int_equal(o.create.timeout_ms, 1500);
	assert_int_equal(o.driver, LOGFILE_FILE);
	/* In the foreground we have a stdin already. */
	assert_int_equal(up(state, "up -i --log-driver none x"), 0);
	assert_false(o.interactive);
	assert_int_equal(o.driver, LOGFILE_NONE);
}

static void up_root(void **state)
{
	char here[PATH_MAX], name[80], text[256];

	assert_int_equal(up(state, "--root /r up x"), 0);
	assert_string_equal(o.handle.root, "/r");
	assert_int_equal(chdir("/usr"), 0);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(up(state, "--root r/s up x"), 0);
	assert_string_equal(o.handle.root, "/usr/r/s");
	assert_ptr_equal(o.handle.root, root_path);
	/* 63 characters fit. */
	memset(name, 'a', sizeof(name));
	name[0] = '/';
	name[sizeof(root_path) - 1] = '\0';
	snprintf(text, sizeof(text), "--root %s up x", name);
	assert_int_equal(up(state, text), 0);
	assert_string_equal(o.handle.root, name);
	snprintf(text, sizeof(text), "--root %sa up x", name);
	assert_int_equal(up(state, text), 2);
	assert_non_null(strstr(said[2], "File name too long"));
	assert_int_equal(chdir("/"), 0);
}

static void up_refused(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *why;
	} rows[] = {
		{"up a/b", 2, "invalid container ID: "},
		{"up --rootfs / --bundle /b x", 2, "--rootfs and --bundle exclude each other"},
		{"up --log-driver file: x", 2,
		 "--log-driver file:: want default, file:PATH, journald or none"},
		{"up --timeout soon x", 2, "--timeout: 'soon' is not a duration"},
		{"up --timeout 2147484s x", 2, "--timeout: '2147484s' is out of range"},
		{"up -t x", 2, "--tty needs --rootfs: a bundle says it in its config.json"},
		{"up -e A=B x", 2, "--env needs --rootfs"},
		{"up --mount type=tmpfs x", 2, "--mount needs --rootfs"},
		{"up --memory 5m x", 2, "--memory needs --rootfs"},
		{"up --cpus 1 x", 2, "--cpus needs --rootfs"},
		{"up --pids 1 x", 2, "--pids needs --rootfs"},
		{"up --user 1 x", 2, "--user needs --rootfs"},
		{"up --workdir / x", 2, "--workdir needs --rootfs"},
		{"up --hostname h x", 2, "--hostname needs --rootfs"},
		{"up --network host x", 2, "--network needs --rootfs"},
		{"up --read-only x", 2, "--read-only needs --rootfs"},
		{"up x true", 2, "a COMMAND needs --rootfs: a bundle names its own"},
		{"up --rootfs /does/not/exist x true", 3, "rootfs /does/not/exist: No such file"},
		{"up --rootfs / --memory 5q x true", 2, "--memory: '5q' is not a size"},
		{"up --rootfs / --pids 0 x true", 2, "--pids: '0' is out of range"},
		{"up --rootfs / --pids 2147483648 x true", 2,
		 "--pids: '2147483648' is out of range"},
		{"up --cgroup unit x", 6,
		 "--cgroup unit: this is not the main process of a systemd unit"},
		{"--cgroup-manager systemd up --cgroup unit x", 2,
		 "--cgroup unit needs the cgroup manager cgroupfs"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int status = up(state, rows[i].line);

		if (status != rows[i].status || !strstr(said[2], rows[i].why))
			fail_msg("%s: %d, %s", rows[i].line, status, said[2]);
	}
}

static void up_cpus(void **state)
{
	static const struct {
		const char *text, *quota; /* of 100000; NULL: refused */
	} rows[] = {
		{"1", "100000"},  {"1.5", "150000"}, {"8192", "819200000"},
		{"0.01", "1000"}, {"0", NULL},	     {"0.0", NULL},
		{"", NULL},	  {".", NULL},	     {"1.2.3", NULL},
		{"-1", NULL},	  {"+1", NULL},	     {"1e3", NULL},
		{"0x1", NULL},	  {"inf", NULL},     {"nan", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128], want[64];
		int status;

		snprintf(text, sizeof(text), "up --rootfs / --cpus=%s x true", rows[i].text);
		status = up(state, text);
		if (status != (rows[i].quota ? 0 : 2))
			fail_msg("%s: %d", text, status);
		snprintf(want, sizeof(want), "\"quota\":%s", rows[i].quota ? rows[i].quota : "");
		if (rows[i].quota && !strstr(config(), want))
			fail_msg("%s: no %s in %s", text, want, config());
		if (!rows[i].quota)
			assert_non_null(strstr(said[2], ": want a number above 0, such as 1.5\n"));
	}
	assert_int_equal(up(state, "up --rootfs / --cpus 8192.1 x true"), 2);
	assert_string_equal(said[2], "oakum: up x: cpus: out of range (0.01..8192)\n");
	assert_int_equal(up(state, "up --rootfs / --cpus .009 x true"), 2);
	assert_string_equal(said[2], "oakum: up x: cpus: out of range (0.01..8192)\n");
}

static void up_makes_a_config(void **state)
{
	static const char *const parts[] = {
		"\"args\":[\"sh\",\"-c\",\"true\"]",
		"\"path\":\"/usr\"",
		"\"readonly\":true",
		"\"hostname\":\"h\"",
		"\"A=B\"",
		"\"limit\":5242880",
		"\"limit\":7",
		"\"cwd\":\"/w\"",
		"\"terminal\":true",
	};

	assert_int_equal(up(state, "up --rootfs /usr/../usr -m 5m --pids 7 -e A=B -w /w -t "
				   "--hostname h --read-only x sh -c true"),
			 0);
	assert_ptr_equal(o.create.config_text, o.config_text);
	assert_int_equal(o.create.config_text_size, strlen(o.config_text));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strstr(config(), parts[i]))
			fail_msg("no %s in %s", parts[i], config());
	assert_non_null(strstr(config(), "{\"type\":\"network\"}"));
	assert_int_equal(up(state, "up --rootfs / --network host x true"), 0);
	assert_null(strstr(config(), "{\"type\":\"network\"}"));
}

static void up_notifies(void **state)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(up(state, "up x"), 0);
	assert_null(o.notify.socket);
	setenv("NOTIFY_SOCKET", "/n", 1);
	assert_int_equal(up(state, "up --sdnotify none x"), 0);
	assert_null(o.notify.socket);
	assert_int_equal(up(state, "up x"), 0);
	assert_string_equal(o.notify.socket, "/n");
	assert_false(o.notify.container);
	assert_int_equal(o.notify.main_pid, getpid());
	assert_int_equal(o.notify.watchdog_usec, 3000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(up(state, "up --sdnotify container x"), 0);
	assert_true(o.notify.container);
	assert_int_equal(o.notify.watchdog_usec, 0);
	setenv("WATCHDOG_PID", pid, 1);
	setenv("WATCHDOG_USEC", "9223372036854775808", 1);
	assert_int_equal(up(state, "up --sdnotify runtime x"), 0);
	assert_false(o.notify.container);
	assert_int_equal(o.notify.watchdog_usec, 0);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");

	/* What systemd has started, and leaves a supervisor to it. */
	setenv("SYSTEMD_EXEC_PID", pid, 1);
	assert_int_equal(up(state, "up -d --cgroup config x"), 0);
	assert_true(o.unit && !o.foreground);
	assert_int_equal(up(state, "up --cgroup config x"), 0);
	assert_true(o.unit && o.foreground);
	setenv("SYSTEMD_EXEC_PID", "1", 1);
	assert_int_equal(up(state, "up -d --cgroup config x"), 0);
	assert_false(o.unit);
	unsetenv("SYSTEMD_EXEC_PID");
}

/* What is the journal by itself already does not get the stream a second time. */
static void journal_is_stdout(void **state)
{
	struct line *l = PARSE(state, "up --log-driver journald x");
	int ends[2], other = open("/dev/null", O_WRONLY | O_CLOEXEC), saved[2];
	char text[64];
	struct stat st;
	bool mute[3][3];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fstat(ends[1], &st), 0);
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	(void)fflush(NULL);
	for (int i = 0; i < 2; i++)
		saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 3; i++) {
		o = (struct supervise_options){.id = "x", .create = OAKUM_CREATE()};
		dup2(i == 1 ? other : ends[1], 1);
		dup2(i == 2 ? other : ends[1], 2);
		assert_int_equal(up_options(&l->c, &o, root_path, sizeof(root_path)), 0);
		memcpy(mute[i], o.mute, sizeof(mute[i]));
	}
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
		close(ends[i]);
	}
	close(other);
	unsetenv("JOURNAL_STREAM");
	assert_true(mute[0][1] && mute[0][2]);
	assert_true(!mute[1][1] && mute[1][2]);
	assert_true(mute[2][1] && !mute[2][2]);
}

static int own_handle(void **state)
{
	const struct oakum_options options = OAKUM_OPTIONS(
		oakum_options, .root = "/does/not/exist/root", .rootless = -1, .command = "up");
	struct line *l;

	if (set_up(state) < 0)
		return -1;
	l = *state;
	return oakum_new(&options, &l->c.oakum);
}

static int forget_up(void **state)
{
	free(o.config_text);
	o.config_text = NULL;
	return tear_down(state);
}

/* ---- write_new.c ---- */

static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int make_dir(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/oakum-cli-XXXXXX");
	return mkdtemp(dir) ? set_up(state) : -1;
}

static int remove_dir(void **state)
{
	(void)tear_down(state);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void new_files(void **state)
{
	struct command_context *c = &PARSE(state, "spec")->c;
	struct stat st;
	char text[16] = "";
	int fd;

	umask(022);
	assert_int_equal(cli_write_new(c, dir, "a", 0666, "text\n", 5), 0);
	assert_int_equal(stat(in_dir("a"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(HEAR(cli_write_new(c, dir, "a", 0666, "other\n", 6)), 5);
	assert_non_null(strstr(said[2], "oakum: spec: File /tmp/oakum-cli-"));
	assert_non_null(strstr(said[2], "/a exists. Remove it first\n"));
	fd = open(in_dir("a"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "text\n");
	close(fd);

	/* Never through a symlink, also one that leads nowhere. */
	assert_int_equal(symlink("target", in_dir("link")), 0);
	assert_int_equal(HEAR(cli_write_new(c, dir, "link", 0666, "x", 1)), 5);
	assert_int_equal(lstat(in_dir("target"), &st), -1);

	assert_int_equal(HEAR(cli_write_new(c, in_dir("none"), "a", 0666, "x", 1)), 1);
	assert_non_null(strstr(said[2], "/none: No such file or directory (ENOENT); look "));
	assert_int_equal(HEAR(cli_write_new(c, in_dir("a"), "b", 0666, "x", 1)), 1);
	assert_non_null(strstr(said[2], "oakum: spec: open the bundle /tmp/"));
	assert_non_null(strstr(said[2], "Not a directory"));
	assert_int_equal(HEAR(cli_write_new(c, dir, "no/a", 0666, "x", 1)), 1);
	assert_non_null(strstr(said[2], "oakum: spec: create /tmp/"));

	/* The current directory has no name in messages. */
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(HEAR(cli_write_new(c, NULL, "a", 0666, "x", 1)), 5);
	assert_string_equal(said[2], "oakum: spec: File a exists. Remove it first\n");
	assert_int_equal(cli_write_new(c, NULL, "b", 0600, "", 0), 0);
	assert_int_equal(stat(in_dir("b"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(chdir("/"), 0);
}

static struct command_context *no_room_context;

/* A file that cannot be written whole is taken away again. */
static void no_room_body(void)
{
	const struct rlimit four = {4, 4};

	CHECK(setrlimit(RLIMIT_FSIZE, &four) == 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK(dup2(open("/dev/null", O_WRONLY), 2) == 2);
	CHECK(cli_write_new(no_room_context, dir, "a", 0666, "four", 4) == 0);
	CHECK(cli_write_new(no_room_context, dir, "b", 0666, "five!", 5) == 1);
}

static void no_room(void **state)
{
	struct stat st;

	no_room_context = &PARSE(state, "spec")->c;
	assert_int_equal(in_child(no_room_body), 0);
	assert_int_equal(stat(in_dir("a"), &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(stat(in_dir("b"), &st), -1);
}

#define TEST(f)	  cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define UP(f)	  cmocka_unit_test_setup_teardown(f, own_handle, forget_up)
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	static const char *const names[] = {"NOTIFY_SOCKET",   "LISTEN_FDS",   "LISTEN_PID",
					    "WATCHDOG_USEC",   "WATCHDOG_PID", "JOURNAL_STREAM",
					    "SYSTEMD_EXEC_PID"};
	const struct CMUnitTest tests[] = {
		TEST(numbers),	      cmocka_unit_test(whose_pid),
		TEST(handle),	      TEST(containers),
		TEST(criu),	      TEST(limits),
		TEST(refused_limits), UP(up_switches),
		UP(up_root),	      UP(up_refused),
		UP(up_cpus),	      UP(up_makes_a_config),
		UP(up_notifies),      UP(journal_is_stdout),
		IN_DIR(new_files),    IN_DIR(no_room),
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
