/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of `up`, judged before anything is made. */
#include "cli/up_options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/command.h"
#include "supervise/logfile.h"
#include "supervise/supervisor.h"

/* JOURNAL_STREAM of systemd.exec(5): what is written there is in the journal once already. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(fd, &st) < 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return str_eq(stream, ours);
}

static int fill_log(struct command_context *c, struct supervise_options *o)
{
	const char *text = opt_string(c, "log-driver");

	if (!text)
		return 0;
	if (logfile_parse(text, &o->driver, &o->log_path) == 0) {
		for (int fd = 1; fd <= 2; fd++)
			o->mute[fd] = o->driver == LOGFILE_JOURNAL && is_journal(fd);
		return 0;
	}
	return cli_error(c, OAKUM_E_USAGE, 0,
			 "--log-driver %s: want default, file:PATH, journald or none", text);
}

/* Are we what systemd has started? Others of the unit's processes may be in its cgroup, and are not
 * ours to move. Before its version 248 it does not say, and it has to be seen. */
static bool is_unit(const struct command_context *c)
{
	enum cli_pid main_pid = cli_whose_pid("SYSTEMD_EXEC_PID");

	if (main_pid == CLI_PID_UNSAID)
		return getenv("INVOCATION_ID") && oakum_unit_alone(c->oakum);
	return main_pid == CLI_PID_OURS;
}

static int no_unit(const struct command_context *c, bool unit)
{
	if (unit)
		return cli_error(c, OAKUM_E_UNSUPPORTED, 0,
				 "--cgroup unit: this systemd unit has no Delegate=yes");
	if (cli_whose_pid("SYSTEMD_EXEC_PID") == CLI_PID_UNSAID && getenv("INVOCATION_ID"))
		return cli_error(c, OAKUM_E_UNSUPPORTED, 0,
				 "--cgroup unit: SYSTEMD_EXEC_PID is not set, as systemd does "
				 "since version 248, and this is not the only process of a unit "
				 "either: it may not be the main one");
	return cli_error(c, OAKUM_E_UNSUPPORTED, 0,
			 "--cgroup unit: this is not the main process of a systemd unit with "
			 "Delegate=yes");
}

/* As sd_watchdog_enabled(3) has it. */
static uint64_t watchdog_usec(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	uint64_t ret;

	if (cli_whose_pid("WATCHDOG_PID") == CLI_PID_OTHER)
		return 0;
	return usec && str_to_u64(usec, 1, INT64_MAX, &ret) == 0 ? ret : 0;
}

static void fill_notify(struct command_context *c, struct supervise_options *o)
{
	const char *who = opt_string(c, "sdnotify"), *host = getenv("NOTIFY_SOCKET");

	if (!host || !host[0] || (who && str_eq(who, "none")))
		return;
	o->notify = (struct supervise_notify){.socket = host,
					      .container = who && str_eq(who, "container"),
					      .main_pid = getpid(),
					      .watchdog_usec = watchdog_usec()};
}

static int fill_cgroup(struct command_context *c, struct supervise_options *o, bool unit)
{
	const char *where = opt_string(c, "cgroup");
	bool wanted = where && str_eq(where, "unit");
	int r = OAKUM_NO_UNIT;

	if (where && !wanted)
		return 0;
	if (o->handle.cgroup_manager != OAKUM_CGROUPFS)
		return wanted ? cli_error(c, OAKUM_E_USAGE, 0,
					  "--cgroup unit needs the cgroup manager cgroupfs")
			      : 0;
	if (unit)
		r = oakum_unit_cgroup(c->oakum, wanted, &o->cgroup);
	if (r < 0)
		return cli_fail(c);
	if (r == OAKUM_NO_UNIT && wanted)
		return no_unit(c, unit);
	if (wanted)
		o->create.cgroup = o->cgroup;
	else
		o->create.cgroup_default = o->cgroup;
	return 0;
}

static int needs_rootfs(struct command_context *c)
{
	static const char *const names[] = {"tty",	"env",	   "mount",    "memory",
					    "cpus",	"pids",	   "user",     "workdir",
					    "hostname", "network", "read-only"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (opt_string(c, names[i]))
			return cli_error(c, OAKUM_E_USAGE, 0,
					 "--%s needs --rootfs: a bundle says it in its config.json",
					 names[i]);
	if (c->n_args > 1)
		return cli_error(c, OAKUM_E_USAGE, 0,
				 "a COMMAND needs --rootfs: a bundle names its own in config.json");
	return 0;
}

/* 0 would be no limit; what is too little or too much the library says. */
static int parse_cpus(struct command_context *c, double *ret)
{
	const char *text = opt_string(c, "cpus");
	double cpus;
	char *end;

	if (!text)
		return 0;
	if (strspn(text, "0123456789.") == strlen(text)) {
		cpus = strtod(text, &end);
		if (end != text && !*end && cpus > 0) {
			*ret = cpus;
			return 0;
		}
	}
	return cli_error(c, OAKUM_E_USAGE, 0, "--cpus %s: want a number above 0, such as 1.5",
			 text);
}

static int fill_limits(struct command_context *c, struct oakum_hardened *h)
{
	uint64_t memory = 0, pids = 0;
	int status = opt_size(c, "memory", INT64_MAX, &memory);

	if (status == 0)
		status = opt_u64(c, "pids", 1, INT32_MAX, &pids);
	h->memory = (int64_t)memory;
	h->pids = (int64_t)pids;
	return status ? status : parse_cpus(c, &h->cpus);
}

static int make_config(struct command_context *c, struct supervise_options *o, const char *rootfs)
{
	AUTO_FREE const char **env = opt_list(c, "env");
	AUTO_FREE const char **mounts = opt_list(c, "mount");
	AUTO_FREE char *real = realpath(rootfs, NULL);
	const char *network = opt_string(c, "network");
	struct oakum_hardened h = OAKUM_OPTIONS(
		oakum_hardened, .id = o->id, .rootfs = real, .env = env, .mounts = mounts,
		.user = opt_string(c, "user"), .workdir = opt_string(c, "workdir"),
		.hostname = opt_string(c, "hostname"), .terminal = opt_bool(c, "tty"),
		.read_only = opt_bool(c, "read-only"),
		.host_network = network && str_eq(network, "host"));
	int status;

	if (!real)
		return cli_error(c, OAKUM_E_CONFIG, errno, "rootfs %s", rootfs);
	if (c->n_args > 1)
		h.args = (const char *const *)c->args + 1;
	status = fill_limits(c, &h);
	if (status)
		return status;
	if (oakum_spec_hardened(c->oakum, &h, &o->config_text, &o->create.config_text_size) < 0)
		return cli_fail(c);
	o->create.config_text = o->config_text;
	return 0;
}

/* The supervisor opens the state root again at the end, and from another directory. */
static int fill_handle(struct command_context *c, struct supervise_options *o, char *root,
		       size_t size)
{
	const char *given = opt_string(c, "root");
	char here[PATH_MAX];

	cli_handle_options(c, &o->handle);
	if (!given)
		return 0;
	if (given[0] != '/' && !getcwd(here, sizeof(here)))
		return cli_error(c, OAKUM_E_RUNTIME, errno, "find the current directory");
	if ((size_t)snprintf(root, size, given[0] == '/' ? "%s%s" : "%s/%s",
			     given[0] == '/' ? "" : here, given) >= size)
		return cli_error(c, OAKUM_E_USAGE, ENAMETOOLONG, "--root %s", given);
	o->handle.root = root;
	return 0;
}

int up_options(struct command_context *c, struct supervise_options *o, char *root, size_t size)
{
	const char *rootfs = opt_string(c, "rootfs"), *bundle = opt_string(c, "bundle");
	const char *bad = str_bad_id(o->id);
	bool unit;
	int status;

	if (bad)
		return cli_error(c, OAKUM_E_USAGE, 0, "invalid container ID: %s", bad);
	if (rootfs && bundle)
		return cli_error(c, OAKUM_E_USAGE, 0, "--rootfs and --bundle exclude each other");
	o->foreground = !opt_bool(c, "detach");
	o->interactive = !o->foreground && opt_bool(c, "interactive");
	o->remove = opt_bool(c, "rm");
	o->create.bundle = bundle;
	o->create.pid_file = opt_string(c, "pid-file");
	o->create.listen_fds = cli_listen_fds();
	(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &o->size);
	fill_notify(c, o);
	unit = is_unit(c);
	o->unit = unit;
	status = fill_log(c, o);
	if (status == 0)
		status = opt_ms(c, "timeout", INT32_MAX, &o->create.timeout_ms);
	if (status == 0)
		status = fill_handle(c, o, root, size);
	if (status == 0)
		status = rootfs ? make_config(c, o, rootfs) : needs_rootfs(c);
	return status ? status : fill_cgroup(c, o, unit);
}
