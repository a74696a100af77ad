/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bundle of `oakum up --rootfs`: what docker gives a container by default, and less where
 * nothing is lost (no new privileges, no network of the host unless asked for). It is text, so
 * that it goes through the same checks as everybody's; what a person typed is judged here.
 */
#include <stdio.h>

#include "base/arena.h"
#include "spec/spec.h"
#include "spec/spec_mount.h"
#include "spec/spec_write.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

#define DEFAULT_PIDS 4096
#define CPU_PERIOD   100000
#define MAX_CPUS     8192
#define FIXED_SIZE   49152 /* all that does not depend on the request, about 25 KiB */
#define ESCAPED	     6	   /* most bytes that one byte of a string becomes: \u0001 */

/* Docker's fourteen. */
static const char *const default_caps[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_FSETID",
	"CAP_FOWNER",
	"CAP_MKNOD",
	"CAP_NET_RAW",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETFCAP",
	"CAP_SETPCAP",
	"CAP_NET_BIND_SERVICE",
	"CAP_SYS_CHROOT",
	"CAP_KILL",
	"CAP_AUDIT_WRITE",
	NULL,
};

static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
	NULL,
};

static int parse_id(const char *text, size_t len, uint64_t *ret)
{
	return strn_to_u64(text, len, 0, UINT32_MAX - 1, ret);
}

/* As docker: a user given by number alone is in group 0. */
static int parse_user(const char *user, uint64_t *ret_uid, uint64_t *ret_gid, struct err *err)
{
	size_t len;

	*ret_uid = *ret_gid = 0;
	if (!user)
		return 0;
	len = strcspn(user, ":");
	if (parse_id(user, len, ret_uid) == 0 &&
	    (!user[len] || parse_id(user + len + 1, strlen(user + len + 1), ret_gid) == 0))
		return 0;
	err_hint(err, "names are not looked up in the root; write \"1000:1000\"");
	return err_kind(err, ERR_USAGE, 0,
			"user \"%.60s\": expected UID[:GID] with numbers up to %u", user,
			UINT32_MAX - 1);
}

static int check_env(const char *const *env, struct err *err)
{
	for (; env && *env; env++)
		if (**env == '=' || !strchr(*env, '='))
			return err_kind(err, ERR_USAGE, 0,
					"environment \"%.100s\": expected NAME=VALUE", *env);
	return 0;
}

static int check_request(const struct spec_hardened *o, struct err *err)
{
	if (!o->rootfs || *o->rootfs != '/')
		return err_kind(err, ERR_USAGE, 0, "the root \"%.200s\" is no absolute path",
				o->rootfs ? o->rootfs : "");
	if (o->workdir && *o->workdir != '/')
		return err_kind(err, ERR_USAGE, 0,
				"the working directory \"%.200s\" is no absolute path", o->workdir);
	if (o->memory < 0)
		return err_kind(err, ERR_USAGE, 0, "memory: %lld is below 0", (long long)o->memory);
	if (o->pids < 0)
		return err_kind(err, ERR_USAGE, 0, "pids: %lld is below 0", (long long)o->pids);
	if (o->cpus != 0 && !(o->cpus >= 0.01 && o->cpus <= MAX_CPUS))
		return err_kind(err, ERR_USAGE, 0, "cpus: out of range (0.01..%d)", MAX_CPUS);
	return check_env(o->env, err);
}

static void put_env(struct spec_writer *w, const struct spec_hardened *o)
{
	const char *hostname = o->hostname ? o->hostname : o->id;
	char text[512];

	spec_open(w, "env", '[');
	spec_put_text(w, NULL, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if (hostname) {
		(void)snprintf(text, sizeof(text), "HOSTNAME=%s", hostname);
		spec_put_text(w, NULL, text);
	}
	if (o->terminal)
		spec_put_text(w, NULL, "TERM=xterm");
	for (const char *const *e = o->env; e && *e; e++)
		spec_put_text(w, NULL, *e);
	spec_close(w, ']');
}

static void put_process(struct spec_writer *w, const struct spec_hardened *o, uint64_t uid,
			uint64_t gid)
{
	spec_open(w, "process", '{');
	spec_put_bool(w, "terminal", o->terminal);
	spec_open(w, "user", '{');
	spec_put_u64(w, "uid", uid);
	spec_put_u64(w, "gid", gid);
	spec_close(w, '}');
	spec_put_list(w, "args", o->args && o->args[0] ? o->args : LIST("/bin/sh"));
	put_env(w, o);
	spec_put_text(w, "cwd", o->workdir ? o->workdir : "/");
	spec_open(w, "capabilities", '{');
	spec_put_list(w, "bounding", default_caps);
	/* Effective and permitted ones are dropped by execve(2) for others than root. */
	spec_put_list(w, "effective", default_caps);
	spec_put_list(w, "permitted", default_caps);
	spec_close(w, '}');
	spec_put_bool(w, "noNewPrivileges", true);
	spec_close(w, '}');
}

static int put_mounts(struct spec_writer *w, const struct spec_hardened *o, struct arena *arena,
		      struct err *err)
{
	spec_open(w, "mounts", '[');
	spec_put_mount(w, "/proc", "proc", "proc", LIST("nosuid", "noexec", "nodev"));
	spec_put_mount(w, "/dev", "tmpfs", "tmpfs",
		       LIST("nosuid", "strictatime", "mode=755", "size=65536k"));
	spec_put_mount(
		w, "/dev/pts", "devpts", "devpts",
		LIST("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"));
	spec_put_mount(w, "/dev/shm", "tmpfs", "shm",
		       LIST("nosuid", "noexec", "nodev", "mode=1777", "size=65536k"));
	spec_put_mount(w, "/dev/mqueue", "mqueue", "mqueue", LIST("nosuid", "noexec", "nodev"));
	spec_put_mount(w, "/sys", "sysfs", "sysfs", LIST("nosuid", "noexec", "nodev", "ro"));
	spec_put_mount(w, "/sys/fs/cgroup", "cgroup", "cgroup",
		       LIST("nosuid", "noexec", "nodev", "relatime", "ro"));
	for (const char *const *m = o->mounts; m && *m; m++) {
		struct spec_mount mount;
		int r = spec_mount_parse(*m, &mount, arena, err);

		if (r < 0)
			return r;
		spec_put_mount(w, mount.destination, mount.type, mount.source, mount.options.v);
	}
	spec_close(w, ']');
	return 0;
}

static void put_device_rule(struct spec_writer *w, bool allow, const char *type, const char *access)
{
	spec_open(w, NULL, '{');
	spec_put_bool(w, "allow", allow);
	if (type)
		spec_put_text(w, "type", type);
	spec_put_text(w, "access", access);
	spec_close(w, '}');
}

static void put_resources(struct spec_writer *w, const struct spec_hardened *o)
{
	spec_open(w, "resources", '{');
	/* Nodes may be made (CAP_MKNOD) but not opened; the default devices are added by oakum. */
	spec_open(w, "devices", '[');
	put_device_rule(w, false, NULL, "rwm");
	put_device_rule(w, true, "c", "m");
	put_device_rule(w, true, "b", "m");
	spec_close(w, ']');
	if (o->memory) {
		spec_open(w, "memory", '{');
		spec_put_i64(w, "limit", o->memory);
		spec_put_i64(w, "swap", o->memory);
		spec_close(w, '}');
	}
	if (o->cpus != 0) {
		spec_open(w, "cpu", '{');
		spec_put_i64(w, "quota", (int64_t)(o->cpus * CPU_PERIOD + 0.5));
		spec_put_u64(w, "period", CPU_PERIOD);
		spec_close(w, '}');
	}
	if (o->pids || !o->no_default_pids) {
		spec_open(w, "pids", '{');
		spec_put_i64(w, "limit", o->pids ? o->pids : DEFAULT_PIDS);
		spec_close(w, '}');
	}
	spec_close(w, '}');
}

static void put_linux(struct spec_writer *w, const struct spec_hardened *o)
{
	static const enum spec_ns types[] = {SPEC_NS_PID,   SPEC_NS_IPC,    SPEC_NS_UTS,
					     SPEC_NS_MOUNT, SPEC_NS_CGROUP, SPEC_NS_NETWORK};

	spec_open(w, "linux", '{');
	put_resources(w, o);
	spec_open(w, "namespaces", '[');
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i] == SPEC_NS_NETWORK && o->host_network)
			continue;
		spec_open(w, NULL, '{');
		spec_put_text(w, "type", spec_ns_name(types[i]));
		spec_close(w, '}');
	}
	spec_close(w, ']');
	spec_put_seccomp(w);
	spec_put_list(w, "maskedPaths", masked_paths);
	spec_put_list(w, "readonlyPaths", spec_readonly_paths);
	spec_close(w, '}');
}

/* Of the members and of the array's own syntax. */
static size_t list_size(const char *const *v)
{
	size_t sum = 0;

	for (; v && *v; v++)
		sum += ESCAPED * strlen(*v) + 16;
	return sum;
}

static size_t text_size(const char *text)
{
	return text ? ESCAPED * strlen(text) : 0;
}

static size_t estimate(const struct spec_hardened *o)
{
	size_t mounts = 0;

	for (const char *const *m = o->mounts; m && *m; m++)
		mounts += ESCAPED * strlen(*m) + 512;
	return FIXED_SIZE + list_size(o->args) + list_size(o->env) + mounts + text_size(o->rootfs) +
	       text_size(o->workdir) + 2 * text_size(o->hostname) + 2 * text_size(o->id);
}

int spec_write_hardened(const struct spec_hardened *o, struct arena *arena, char **ret_text,
			size_t *ret_size, struct err *err)
{
	struct spec_writer w = {.depth = 0};
	size_t size = estimate(o);
	uint64_t uid, gid;
	char *memory;
	int r;

	r = check_request(o, err);
	if (r == 0)
		r = parse_user(o->user, &uid, &gid, err);
	if (r < 0)
		return r;
	memory = arena_alloc(arena, size);
	if (!memory)
		return err_set(err, ENOMEM, "write a configuration of %zu bytes", size);
	strbuf_init(&w.b, memory, size);
	spec_open(&w, NULL, '{');
	spec_put_text(&w, "ociVersion", "1.3.0");
	put_process(&w, o, uid, gid);
	spec_open(&w, "root", '{');
	spec_put_text(&w, "path", o->rootfs);
	spec_put_bool(&w, "readonly", o->read_only);
	spec_close(&w, '}');
	if (o->hostname || o->id)
		spec_put_text(&w, "hostname", o->hostname ? o->hostname : o->id);
	r = put_mounts(&w, o, arena, err);
	if (r < 0)
		return r;
	put_linux(&w, o);
	spec_close(&w, '}');
	if (w.b.overflow)
		return err_set(err, EOVERFLOW, "write a configuration");
	*ret_text = memory;
	*ret_size = w.b.len;
	return 0;
}
