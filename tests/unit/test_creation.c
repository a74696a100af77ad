/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parent's half of create before there is a child: a bundle judged, all that it would fail for
 * found at once, sources opened while there are descriptors for them, devices lent.
 */
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include "run/creation.h"
#include "run/init.h"
#include "run/sync.h"
#include "test_state.h"

static struct creation c;
static struct plan plan;

/* %s: members of process, members of linux, and others. */
#define CONFIG                                                                                     \
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"process\":{%s\"cwd\":\"/\","   \
	"\"args\":[\"sh\"],\"user\":{\"uid\":0,\"gid\":0}},\"linux\":{%s\"namespaces\":[{"         \
	"\"type\":"                                                                                \
	"\"mount\"},{\"type\":\"network\"}]}%s}"

static int begin(const struct oakum_create *options, const char *id)
{
	err = ERR_INIT;
	creation_init(&c, o, options, &err);
	return creation_read(&c, id);
}

static void refused(const struct oakum_create *options, enum err_kind kind, int code,
		    const char *pointer, const char *text)
{
	assert_true(begin(options, "web") < 0);
	assert_string_equal(err.pointer, pointer);
	failed_as(kind, code, text);
	creation_release(&c);
}

static char config[2048];

static struct oakum_create with(const char *process, const char *linux_, const char *more)
{
	int n = snprintf(config, sizeof(config), CONFIG, process, linux_, more);

	return OAKUM_CREATE(.bundle = top, .config_text = config, .config_text_size = (size_t)n);
}

static void bundles(void **state)
{
	struct oakum_create options = OAKUM_CREATE(.bundle = in_root("none"));
	char path[96];

	(void)state;
	assert_true(begin(&options, "a/b") < 0);
	failed_as(ERR_USAGE, 0, "invalid container ID: ");
	refused(&options, ERR_CONFIG, ENOENT, "", "bundle ");
	options.bundle = top;
	assert_true(begin(&options, "web") < 0);
	assert_string_equal(err.hint, "`oakum spec` writes one to start from");
	failed_as(ERR_CONFIG, ENOENT, "config.json");
	options.config = "other.json";
	refused(&options, ERR_CONFIG, ENOENT, "", "other.json");
	snprintf(path, sizeof(path), "%s/other.json", top);
	put_text(AT_FDCWD, path, "{\"ociVersion\":5,");
	assert_true(begin(&options, "web") < 0);
	assert_string_equal(o->err.file, "other.json");
	handle_begin(o);
	creation_release(&c);
	assert_int_equal(unlink(path), 0);
	/* In place of any file. */
	options = with("", "", "");
	assert_int_equal(begin(&options, "web"), 0);
	assert_string_equal(c.plan->id, "web");
	assert_string_equal(c.plan->bundle, top);
	assert_string_equal(c.plan->process.argv[0], "sh");
	creation_release(&c);
}

static void options_that_do_not_fit(void **state)
{
	struct oakum_create options = with("\"terminal\":true,", "", "");

	(void)state;
	refused(&options, ERR_USAGE, 0, "/process/terminal", "use --console-socket");
	options.keep_terminal = true;
	assert_int_equal(begin(&options, "web"), 0);
	creation_release(&c);
	options.console_socket = "/no/such";
	assert_int_equal(begin(&options, "web"), 0);
	creation_release(&c);
	options = with("", "", "");
	options.console_socket = "/no/such";
	refused(&options, ERR_USAGE, 0, "/process/terminal", "a console socket is of no use");
	options.console_socket = NULL;
	options.pid_file = "/no/such/pid";
	refused(&options, ERR_RUNTIME, ENOENT, "", "write the pid file /no/such/pid");
	/* Nobody is kept from running by a variable that makes no sense. */
	options.pid_file = NULL;
	options.notify_socket = "relative";
	assert_int_equal(begin(&options, "web"), 0);
	assert_null(c.plan->notify);
	assert_non_null(strstr(warned, "NOTIFY_SOCKET \"relative\" is neither"));
	creation_release(&c);
	warned[0] = '\0';
	options.notify_socket = "";
	assert_int_equal(begin(&options, "web"), 0);
	assert_string_equal(warned, "");
	creation_release(&c);
}

static char found[1024];

static void keep_pointer(void *data, const struct err *e)
{
	(void)snprintf(data + strlen(data), sizeof(found) - strlen(data), "%s%s %d;", e->pointer,
		       e->pointer[0] ? "" : e->text, e->code);
}

/* All of it at once, and nothing of the creation's own error. */
static void survey(void **state)
{
	struct oakum_create options =
		with("",
		     "\"netDevices\":{\"oakum-none\":{}},\"seccomp\":{\"defaultAction\":"
		     "\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/no/agent\",\"syscalls\":[{\"names\":["
		     "\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]},",
		     ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/no/a\","
		     "\"options\":[\"bind\"]},{\"destination\":\"/t\",\"type\":\"tmpfs\","
		     "\"source\":\"tmpfs\"},{\"destination\":\"/b\",\"type\":\"bind\",\"source\":"
		     "\"/dev/null/b\",\"options\":[\"bind\"]}]");
	char want[512], rootfs[96];

	(void)state;
	options.pidfd_socket = "/no/pidfd";
	assert_int_equal(begin(&options, "web"), 0);
	found[0] = '\0';
	creation_survey(&c, keep_pointer, found);
	snprintf(want, sizeof(want),
		 "/root/path %d;/linux/seccomp/listenerPath %d;connect to the pidfd socket "
		 "/no/pidfd %d;/linux/netDevices/oakum-none %d;/mounts/0/source %d;"
		 "/mounts/2/source %d;",
		 ENOENT, ENOENT, ENOENT, ENODEV, ENOENT, ENOTDIR);
	assert_string_equal(found, want);
	assert_int_equal(err.kind, ERR_NONE);
	assert_ptr_equal(c.err, &err);
	creation_release(&c);
	/* Judged, the first of them is what it fails for. */
	err = ERR_INIT;
	creation_init(&c, o, &options, &err);
	assert_true(creation_judge(&c, "web") < 0);
	assert_string_equal(err.pointer, "/root/path");
	assert_string_equal(err.hint, "unpack a root file system there");
	creation_release(&c);
	/* What is there, but is no directory. */
	snprintf(rootfs, sizeof(rootfs), "%s/rootfs", top);
	put_text(AT_FDCWD, rootfs, "");
	options = with("", "", "");
	assert_int_equal(begin(&options, "web"), 0);
	found[0] = '\0';
	creation_survey(&c, keep_pointer, found);
	snprintf(want, sizeof(want), "/root/path %d;", ENOTDIR);
	assert_string_equal(found, want);
	creation_release(&c);
	assert_int_equal(unlink(rootfs), 0);
	handle_begin(o);
}

/* ---- sources ---- */

static const struct oakum_create no_options = OAKUM_CREATE(.bundle = NULL);

static void begin_sources(struct mount_op *ops, unsigned namespaces)
{
	for (int i = 0; i < 3; i++)
		ops[i] = (struct mount_op){
			.kind = MOUNT_BIND, .source = top, .target = "/x", .index = 5 + i};
	plan = (struct plan){.mounts = ops,
			     .n_mounts = 3,
			     .rootfs = "/r",
			     .cgroup = "",
			     .namespaces = namespaces};
	err = ERR_INIT;
	creation_init(&c, o, &no_options, &err);
	c.plan = &plan;
	c.host.may_unshare = true;
}

static void limit_fds(rlim_t n)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = n;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void body_sources(void)
{
	struct mount_op ops[3];

	/* Nobody else has to. */
	begin_sources(ops, CLONE_NEWNS);
	CHECK_OK(creation_open_sources(&c), err);
	CHECK(c.sources[0] == INIT_SOURCE_NONE && c.sources[2] == INIT_SOURCE_NONE);
	creation_release(&c);
	begin_sources(ops, CLONE_NEWUSER);
	ops[1].kind = MOUNT_FS;
	CHECK_OK(creation_open_sources(&c), err);
	CHECK(c.sources[0] >= 0 && c.sources[1] == INIT_SOURCE_NONE && c.sources[2] >= 0);
	creation_release(&c);
	begin_sources(ops, CLONE_NEWUSER);
	ops[2].source = "/no/such";
	CHECK(creation_open_sources(&c) == -ENOENT && str_eq(err.pointer, "/mounts/7"));
	creation_release(&c);
	/* As many as there is room for beside the work. */
	limit_fds(66);
	begin_sources(ops, CLONE_NEWUSER);
	CHECK_OK(creation_open_sources(&c), err);
	CHECK(c.sources[0] >= 0 && c.sources[1] >= 0 && c.sources[2] == INIT_SOURCE_LATER);
	creation_release(&c);
	limit_fds(64);
	begin_sources(ops, CLONE_NEWUSER);
	CHECK_OK(creation_open_sources(&c), err);
	CHECK(c.sources[0] == INIT_SOURCE_LATER && c.sources[2] == INIT_SOURCE_LATER);
	creation_release(&c);
	limit_fds(20);
	begin_sources(ops, CLONE_NEWUSER);
	CHECK_OK(creation_open_sources(&c), err);
	CHECK(c.sources[0] == INIT_SOURCE_LATER);
	creation_release(&c);
}

static void body_asked_for(void)
{
	struct mount_op ops[3];
	struct sync_message m;
	struct stat a, b;
	int ends[2], tree = -1;

	begin_sources(ops, CLONE_NEWUSER);
	CHECK_OK(sync_pair(ends, &err), err);
	c.sync = ends[0];
	limit_fds(64);
	CHECK_OK(creation_open_sources(&c), err);
	CHECK_OK(creation_send_source(&c, 1), err);
	CHECK(sync_expect(ends[1], SYNC_SOURCE, &m, &tree, CLOCK_FOREVER, &err) == 0);
	CHECK(m.value == 1 && fstat(tree, &a) == 0 && stat(top, &b) == 0 && a.st_ino == b.st_ino);
	ops[0].source = "/no/such";
	CHECK(creation_send_source(&c, 0) == -ENOENT && str_eq(err.pointer, "/mounts/5"));
	/* Nothing that a child may ask for. */
	ops[2].kind = MOUNT_FS;
	CHECK(creation_send_source(&c, 2) == -EPROTO);
	CHECK(creation_send_source(&c, 3) == -EPROTO);
	CHECK(creation_send_source(&c, -1) == -EPROTO);
	plan.n_mounts = 1;
	CHECK(creation_send_source(&c, 1) == -EPROTO);
	plan.n_mounts = 3;
	creation_release(&c);
}

static void sources(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(body_sources), 0);
	assert_int_equal(in_child(body_asked_for), 0);
}

/* ---- devices ---- */

#define NODE(name, kind, a, b, owner, group, at)                                                   \
	{                                                                                          \
		.path = name, .type = kind, .major = a, .minor = b, .mode = 0640, .uid = owner,    \
		.gid = group, .index = at                                                          \
	}

static const struct dev_node nodes[] = {
	NODE("/dev/null", 'c', 1, 3, 0, 0, 0),	      /* the host has it */
	NODE("/dev/null", 'c', 1, 5, 5, 6, 1),	      /* not under that name */
	NODE("/dev/oakum-none", 'p', 0, 0, 0, 0, 2),  /* anybody may make it */
	NODE("/dev/oakum-none", 'c', 1, 3, 0, 0, -1), /* a default one */
	NODE("/dev/oakum-none", 'b', 7, 99, 9, 0, 3),
};

static void begin_devices(void)
{
	static const struct ns_idmap map = {0, 100000, 10};

	plan = (struct plan){.namespaces = CLONE_NEWUSER,
			     .mounts_namespace = true,
			     .uids = {&map, 1},
			     .gids = {&map, 1},
			     .devices = nodes,
			     .n_devices = ARRAY_SIZE(nodes),
			     .rootfs = "/r",
			     .cgroup = ""};
	err = ERR_INIT;
	creation_init(&c, o, &no_options, &err);
	c.plan = &plan;
	assert_int_equal(state_make(o, "web", &c.dir, &err), 0);
}

static void end_devices(void)
{
	assert_int_equal(state_remove(o, "web", c.dir, &err), 0);
	creation_release(&c);
}

static void who_is_lent(void **state)
{
	struct dev_node n = nodes[1];

	(void)state;
	begin_devices();
	assert_int_equal(creation_would_lend(&c, &nodes[0]), 0);
	assert_int_equal(creation_would_lend(&c, &nodes[1]), CREATION_LENDS);
	assert_int_equal(creation_would_lend(&c, &nodes[2]), 0);
	assert_int_equal(creation_would_lend(&c, &nodes[3]), 0);
	assert_int_equal(creation_would_lend(&c, &nodes[4]), CREATION_LENDS);
	n.gid = 10;
	assert_true(creation_would_lend(&c, &n) < 0);
	assert_string_equal(err.pointer, "/linux/devices/1/gid");
	failed_as(ERR_CONFIG, 0, "device /dev/null: its owner is not mapped");
	n.uid = 10;
	assert_true(creation_would_lend(&c, &n) < 0);
	assert_string_equal(err.pointer, "/linux/devices/1/uid");
	err = ERR_INIT;
	plan.mounts_namespace = false;
	assert_int_equal(creation_would_lend(&c, &nodes[1]), 0);
	plan.mounts_namespace = true;
	plan.namespaces = CLONE_NEWNS;
	assert_int_equal(creation_would_lend(&c, &nodes[1]), 0);
	assert_int_equal(creation_lend_devices(&c), 0);
	assert_null(c.devices);
	end_devices();
}

static void is_node(int fd, mode_t mode, dev_t device, uid_t uid, gid_t gid)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, mode);
	assert_int_equal(st.st_rdev, device);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
}

static void lent(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	begin_devices();
	if (creation_lend_devices(&c) < 0)
		fail_msg("%s: %d", err.text, err.code);
	if (c.devices[1] == -EPERM) {
		end_devices();
		skip(); /* root of a container */
	}
	assert_int_equal(c.devices[0], -1);
	assert_int_equal(c.devices[2] + c.devices[3], -2);
	is_node(c.devices[1], S_IFCHR | 0640, makedev(1, 5), 100005, 100006);
	is_node(c.devices[4], S_IFBLK | 0640, makedev(7, 99), 100009, 100000);
	end_devices();
	/* No room, or a name that is taken: said of the device. */
	begin_devices();
	put_text(c.dir, "device-1", "");
	assert_int_equal(creation_lend_devices(&c), -EEXIST);
	failed_as(ERR_RUNTIME, EEXIST, "device /dev/null");
	end_devices();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATE_TEST(bundles),	 STATE_TEST(options_that_do_not_fit),
		STATE_TEST(survey),	 STATE_TEST(sources),
		STATE_TEST(who_is_lent), STATE_TEST(lent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
