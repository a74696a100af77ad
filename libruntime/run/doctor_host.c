/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host has and lacks, whoever wants it. Nothing here is a failure by itself but what no
 * container can do without. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/feature.h"
#include "kernel/lsm.h"
#include "kernel/seccomp.h"
#include "kernel/subid.h"
#include "run/doctor.h"
#include "run/host.h"

#define MANAGER_MS 10000 /* for systemd to answer */

/* ---- kernel ---- */

static void missing_for_all(struct doctor *d, const struct feature *f)
{
	struct err err = ERR_INIT;

	err_kind(&err, ERR_UNSUPPORTED, ENOSYS, "%s: %s", f->name, f->without);
	err_hint(&err, "Linux %s brings it; a seccomp filter around us may take it away", f->since);
	doctor_problem(d, &err);
}

static void look_at_kernel(struct doctor *d)
{
	const struct feature *f;
	struct utsname u;

	doctor_area(d, "kernel");
	if (uname(&u) == 0)
		doctor_has(d, "Linux", "%s, %s", u.release, u.machine);
	for (size_t i = 0; (f = feature_at(i)); i++) {
		enum feature_answer a = f->probe();

		if (a == FEATURE_YES)
			doctor_has(d, f->name, NULL);
		else if (a == FEATURE_UNKNOWN)
			doctor_note(d, f->name, "cannot be seen from here; without it, %s",
				    f->without);
		else if (f->needed)
			missing_for_all(d, f);
		else
			doctor_lacks(d, f->name, f->since, "%s", f->without);
	}
}

/* ---- user namespaces ---- */

/* The text of a sysctl, or NULL where there is no such. */
static const char *sysctl(const char *path, char *buf, size_t size)
{
	return io_read_at(AT_FDCWD, path, buf, size) > 0 ? buf : NULL;
}

static void look_at_user_namespaces(struct doctor *d)
{
	static const char restriction[] = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
	char max[32], debian[32], ubuntu[32];
	const char *limit = sysctl("/proc/sys/user/max_user_namespaces", max, sizeof(max));
	const char *allowed =
		sysctl("/proc/sys/kernel/unprivileged_userns_clone", debian, sizeof(debian));
	const char *apparmor = sysctl(restriction, ubuntu, sizeof(ubuntu));
	int code = feature_user_namespace();

	doctor_area(d, "user namespaces");
	if (code == 0)
		doctor_has(d, "rights in a new user namespace", "max_user_namespaces is %s",
			   limit ? limit : "not known");
	else if (code == ENOSPC)
		doctor_lacks(d, "a new user namespace", NULL,
			     "/proc/sys/user/max_user_namespaces (%s) is reached",
			     limit ? limit : "not known");
	else if (code == EACCES)
		doctor_lacks(d, "rights in a new user namespace", NULL,
			     "it can be made and gives no rights: AppArmor restricts it (%s)",
			     restriction);
	else
		doctor_lacks(d, "a new user namespace", NULL, "%s (%s)", strerrordesc_np(code),
			     err_name(code));
	if (allowed && str_eq(allowed, "0"))
		doctor_note(d, "kernel.unprivileged_userns_clone",
			    "0: only root makes user namespaces");
	if (apparmor && str_eq(apparmor, "1"))
		doctor_note(d, "kernel.apparmor_restrict_unprivileged_userns",
			    "1: only programs with a profile get rights in one");
}

/* ---- cgroups ---- */

static const struct {
	const char *controller, *pointer;
} limits[] = {
	{"cpu", "/linux/resources/cpu"},       {"cpuset", "/linux/resources/cpu/cpus"},
	{"memory", "/linux/resources/memory"}, {"pids", "/linux/resources/pids"},
	{"blkio", "/linux/resources/blockIO"}, {"hugetlb", "/linux/resources/hugepageLimits"},
	{"rdma", "/linux/resources/rdma"},
};

static uint32_t bit_of(const char *controller)
{
	uint32_t bit;
	const char *name;

	for (size_t i = 0; (name = cgroup_controller_name(i, &bit)); i++)
		if (str_eq(name, controller))
			return bit;
	return 0;
}

static void describe_hierarchies(struct doctor *d, const struct cgroup_host *host)
{
	static const char *const modes[] = {
		[CGROUP_NONE] = "none",
		[CGROUP_V1] = "v1",
		[CGROUP_HYBRID] = "hybrid: v1, and v2 beside it",
		[CGROUP_V2] = "v2",
	};
	char names[512];
	struct strbuf b;

	strbuf_init(&b, names, sizeof(names));
	for (size_t i = 0; i < host->n; i++)
		strbuf_fmt(&b, " %s", host->h[i].name[0] ? host->h[i].name : host->h[i].mount);
	doctor_has(d, "cgroups", "%s:%s", modes[host->mode], names);
}

static void look_at_controllers(struct doctor *d, const struct cgroup_host *host)
{
	uint32_t have = cgroup_controllers_offered(host);

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (have & bit_of(limits[i].controller))
			doctor_has(d, limits[i].controller, NULL);
		else
			doctor_lacks(d, limits[i].controller, NULL, "%s cannot be applied",
				     limits[i].pointer);
	}
}

/* A note only: a container may have a path elsewhere. */
static void note_problem(void *data, const struct err *err)
{
	struct doctor *d = data;
	char text[1024];

	err_format(err, text, sizeof(text));
	doctor_note(d, "delegation", "%s%s%s", text, err->hint[0] ? "; " : "", err->hint);
}

static void look_at_delegation(struct doctor *d, const struct cgroup_host *host)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	const struct cgroup_host *usable;
	struct err err = ERR_INIT;
	const char *parent;

	if (host_usable_cgroups(host, NULL, d->o->cgroup_parent, &arena, &usable, &parent, &err) <
	    0)
		doctor_problem(d, &err);
	else if (usable->n)
		doctor_has(d, "delegation", "cgroups may be made below %s%s", usable->h[0].mount,
			   parent);
	else
		doctor_lacks(d, "delegation", NULL,
			     "no cgroup is delegated to this user: no limits, no pause, and no "
			     "configuration with a cgroupsPath");
}

/* The bus, asked as create would ask it. */
static void look_at_manager(struct doctor *d)
{
	struct cgroup_systemd systemd = CGROUP_SYSTEMD_INIT;
	bool user = handle_rootless(d->o);
	struct err err = ERR_INIT;

	if (cgroup_systemd_open(&systemd, user, clock_deadline(MANAGER_MS), &err) < 0)
		doctor_problem(d, &err);
	else
		doctor_has(d, "manager", "systemd %u%s, at %s/", systemd.version,
			   user ? " of the user" : "", systemd.root);
	cgroup_systemd_close(&systemd);
}

static void look_at_cgroups(struct doctor *d)
{
	const struct cgroup_limits none = {.n_devices = 0};
	struct err err = ERR_INIT;
	const struct cgroup_host *host = handle_cgroups(d->o, &err);
	char path[64];

	doctor_area(d, "cgroups");
	if (!host) {
		doctor_problem(d, &err);
		return;
	}
	if (host->mode == CGROUP_NONE) {
		doctor_lacks(
			d, "cgroups", NULL,
			"none is mounted, or the manager is disabled: no limits, no pause, and "
			"no configuration with a cgroup mount");
		return;
	}
	describe_hierarchies(d, host);
	look_at_controllers(d, host);
	if (d->o->manager == OAKUM_CGROUP_SYSTEMD) {
		look_at_manager(d);
		return;
	}
	if (handle_rootless(d->o)) {
		look_at_delegation(d, host);
		return;
	}
	snprintf(path, sizeof(path), "%s/doctor", d->o->cgroup_parent);
	cgroup_survey(host, path, &none, note_problem, d);
}

/* ---- ids ---- */

/* The file of a program in the PATH, or NULL. */
static const char *find_program(const char *name, char *buf, size_t size)
{
	const char *dirs = getenv("PATH");

	while (dirs && *dirs) {
		size_t n = strcspn(dirs, ":");

		snprintf(buf, size, "%.*s/%s", (int)n, dirs, name);
		if (n && access(buf, X_OK) == 0)
			return buf;
		dirs += n + (dirs[n] == ':');
	}
	return NULL;
}

static void look_at_helper(struct doctor *d, const char *name)
{
	char path[PATH_MAX];
	const char *file = find_program(name, path, sizeof(path));
	struct stat st;

	if (!file)
		doctor_lacks(d, name, NULL,
			     "not in the PATH: an ordinary user has one id, and no ranges");
	else if (stat(file, &st) == 0 && !(st.st_mode & S_ISUID) &&
		 getxattr(file, "security.capability", NULL, 0) <= 0)
		doctor_lacks(d, name, NULL, "%s has neither the set-user-ID bit nor capabilities",
			     file);
	else
		doctor_has(d, name, "%s", file);
}

static void look_at_ranges(struct doctor *d, const char *file)
{
	struct ns_idmaps ranges = {NULL, 0};
	struct err err = ERR_INIT;
	uint64_t ids = 0;

	if (subid_ranges(file, geteuid(), d->arena, &ranges, &err) < 0) {
		doctor_note(d, file, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < ranges.n; i++)
		ids += ranges.v[i].size;
	if (ranges.n)
		doctor_has(d, file, "%llu ids for uid %u", (unsigned long long)ids, geteuid());
	else if (geteuid() != 0)
		doctor_lacks(d, file, NULL, "no range for uid %u", geteuid());
}

static void look_at_ids(struct doctor *d)
{
	doctor_area(d, "ids");
	look_at_helper(d, "newuidmap");
	look_at_helper(d, "newgidmap");
	look_at_ranges(d, SUBID_UIDS);
	look_at_ranges(d, SUBID_GIDS);
}

/* ---- security and tools ---- */

static void look_at_seccomp(struct doctor *d)
{
	char names[512];
	struct strbuf b;

	strbuf_init(&b, names, sizeof(names));
	for (const char *const *f = seccomp_flags(); *f; f++) {
		if (seccomp_flag_supported(*f))
			strbuf_fmt(&b, "%s%s", b.len ? " " : "", *f);
		else
			doctor_lacks(d, *f, NULL, "profiles with this flag are refused");
	}
	doctor_has(d, "seccomp flags", "%s", names);
}

static void look_at_security(struct doctor *d)
{
	char list[256];

	doctor_area(d, "security");
	if (io_read_at(AT_FDCWD, "/sys/kernel/security/lsm", list, sizeof(list)) > 0)
		doctor_has(d, "security modules", "%s", list);
	else
		doctor_note(d, "security modules", "/sys/kernel/security is not mounted");
	if (lsm_enabled(LSM_APPARMOR))
		doctor_has(d, "AppArmor", NULL);
	else
		doctor_lacks(d, "AppArmor", NULL, "/process/apparmorProfile is refused");
	if (lsm_enabled(LSM_SELINUX))
		doctor_has(d, "SELinux", NULL);
	else
		doctor_lacks(d, "SELinux", NULL,
			     "/process/selinuxLabel and /linux/mountLabel are refused");
	look_at_seccomp(d);
}

static void look_at_tools(struct doctor *d)
{
	char path[PATH_MAX];
	const char *criu = find_program("criu", path, sizeof(path));

	doctor_area(d, "tools");
	if (criu)
		doctor_has(d, "criu", "%s", criu);
	else
		doctor_lacks(d, "criu", NULL, "not in the PATH: no checkpoint, no restore");
}

void doctor_host(struct doctor *d)
{
	look_at_kernel(d);
	look_at_user_namespaces(d);
	look_at_cgroups(d);
	look_at_ids(d);
	look_at_security(d);
	look_at_tools(d);
}
