/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `oakum spec` writes: the bundle that people and test suites know from runc and crun. The
 * text is a start for an editor; what oakum itself runs is in spec_hardened.c.
 */
#include "base/arena.h"
#include "spec/spec.h"
#include "spec/spec_write.h"

#define TEXT_SIZE 16384 /* the text has about 3 KiB */

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

const char *const spec_readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

static void put_ids(struct spec_writer *w)
{
	spec_open(w, "user", '{');
	spec_put_u64(w, "uid", 0);
	spec_put_u64(w, "gid", 0);
	spec_close(w, '}');
}

static void put_process(struct spec_writer *w)
{
	const char *const *caps = LIST("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE");

	spec_open(w, "process", '{');
	spec_put_bool(w, "terminal", true);
	put_ids(w);
	spec_put_list(w, "args", LIST("sh"));
	spec_put_list(w, "env",
		      LIST("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			   "TERM=xterm"));
	spec_put_text(w, "cwd", "/");
	spec_open(w, "capabilities", '{');
	spec_put_list(w, "bounding", caps);
	spec_put_list(w, "effective", caps);
	spec_put_list(w, "permitted", caps);
	spec_close(w, '}');
	spec_open(w, "rlimits", '[');
	spec_open(w, NULL, '{');
	spec_put_text(w, "type", "RLIMIT_NOFILE");
	spec_put_u64(w, "hard", 1024);
	spec_put_u64(w, "soft", 1024);
	spec_close(w, '}');
	spec_close(w, ']');
	spec_put_bool(w, "noNewPrivileges", true);
	spec_close(w, '}');
}

/* One id is mapped, so group 5 (tty) does not exist; and sysfs needs an own network namespace. */
static void put_mounts(struct spec_writer *w, bool rootless)
{
	spec_open(w, "mounts", '[');
	spec_put_mount(w, "/proc", "proc", "proc", NULL);
	spec_put_mount(w, "/dev", "tmpfs", "tmpfs",
		       LIST("nosuid", "strictatime", "mode=755", "size=65536k"));
	spec_put_mount(w, "/dev/pts", "devpts", "devpts",
		       LIST("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
			    rootless ? NULL : "gid=5"));
	spec_put_mount(w, "/dev/shm", "tmpfs", "shm",
		       LIST("nosuid", "noexec", "nodev", "mode=1777", "size=65536k"));
	spec_put_mount(w, "/dev/mqueue", "mqueue", "mqueue", LIST("nosuid", "noexec", "nodev"));
	if (rootless)
		spec_put_mount(w, "/sys", "none", "/sys",
			       LIST("rbind", "nosuid", "noexec", "nodev", "ro"));
	else
		spec_put_mount(w, "/sys", "sysfs", "sysfs",
			       LIST("nosuid", "noexec", "nodev", "ro"));
	spec_put_mount(w, "/sys/fs/cgroup", "cgroup", "cgroup",
		       LIST("nosuid", "noexec", "nodev", "relatime", "ro"));
	spec_close(w, ']');
}

static void put_mapping(struct spec_writer *w, const char *key, uint32_t id)
{
	spec_open(w, key, '[');
	spec_open(w, NULL, '{');
	spec_put_u64(w, "containerID", 0);
	spec_put_u64(w, "hostID", id);
	spec_put_u64(w, "size", 1);
	spec_close(w, '}');
	spec_close(w, ']');
}

static void put_resources(struct spec_writer *w)
{
	spec_open(w, "resources", '{');
	spec_open(w, "devices", '[');
	spec_open(w, NULL, '{');
	spec_put_bool(w, "allow", false);
	spec_put_text(w, "access", "rwm");
	spec_close(w, '}');
	spec_close(w, ']');
	spec_close(w, '}');
}

static void put_namespace(struct spec_writer *w, enum spec_ns type)
{
	spec_open(w, NULL, '{');
	spec_put_text(w, "type", spec_ns_name(type));
	spec_close(w, '}');
}

static void put_namespaces(struct spec_writer *w, const struct spec_default *o)
{
	spec_open(w, "namespaces", '[');
	put_namespace(w, SPEC_NS_PID);
	if (!o->rootless)
		put_namespace(w, SPEC_NS_NETWORK);
	put_namespace(w, SPEC_NS_IPC);
	put_namespace(w, SPEC_NS_UTS);
	put_namespace(w, SPEC_NS_MOUNT);
	if (o->cgroup_v2)
		put_namespace(w, SPEC_NS_CGROUP);
	if (o->rootless)
		put_namespace(w, SPEC_NS_USER);
	spec_close(w, ']');
}

static void put_linux(struct spec_writer *w, const struct spec_default *o)
{
	spec_open(w, "linux", '{');
	if (o->rootless) {
		put_mapping(w, "uidMappings", o->uid);
		put_mapping(w, "gidMappings", o->gid);
	} else {
		put_resources(w);
	}
	put_namespaces(w, o);
	spec_put_list(w, "maskedPaths",
		      LIST("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
			   "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
			   "/proc/sched_debug", "/sys/firmware", "/proc/scsi"));
	spec_put_list(w, "readonlyPaths", spec_readonly_paths);
	spec_close(w, '}');
}

int spec_write_default(const struct spec_default *o, struct arena *arena, char **ret_text,
		       size_t *ret_size)
{
	struct spec_writer w = {.depth = 0};
	char *memory = arena_alloc(arena, TEXT_SIZE);

	if (!memory)
		return -ENOMEM;
	strbuf_init(&w.b, memory, TEXT_SIZE);
	spec_open(&w, NULL, '{');
	spec_put_text(&w, "ociVersion", "1.3.0");
	put_process(&w);
	spec_open(&w, "root", '{');
	spec_put_text(&w, "path", "rootfs");
	spec_put_bool(&w, "readonly", true);
	spec_close(&w, '}');
	spec_put_text(&w, "hostname", "oakum");
	put_mounts(&w, o->rootless);
	put_linux(&w, o);
	spec_close(&w, '}');
	if (w.b.overflow)
		return -EOVERFLOW;
	*ret_text = memory;
	*ret_size = w.b.len;
	return 0;
}
