/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first half of create: is the bundle good? It reads, opens and decides; it changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "kernel/lsm.h"
#include "kernel/notify_socket.h"
#include "run/create.h"
#include "run/creation.h"
#include "run/host.h"
#include "run/init.h"
#include "run/rdt.h"
#include "run/unit.h"
#include "spec/spec.h"

#define FDS_FOR_WORK 64 /* descriptors that a creation may need besides the sources */

static int read_bundle(struct creation *c)
{
	const char *asked = c->options->bundle ? c->options->bundle : ".";
	const char *config = c->options->config ? c->options->config : "config.json";
	char bundle[PATH_MAX];
	AUTO_CLOSE int dir = -1;
	char *text;
	int r;

	if (!realpath(asked, bundle)) {
		err_hint(c->err, "name a directory that has a config.json with --bundle");
		return err_kind(c->err, ERR_CONFIG, errno, "bundle %s", asked);
	}
	c->state.bundle = arena_strdup(&c->arena, bundle);
	if (!c->state.bundle)
		return err_set(c->err, ENOMEM, "read the bundle");
	if (c->options->config_text) {
		c->text = c->options->config_text;
		c->text_size = c->options->config_text_size;
		return 0;
	}
	dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_kind(c->err, ERR_CONFIG, errno, "bundle %s", bundle);
	r = io_read_alloc(dir, config, JSON_MAX_SIZE, &c->arena, &text, &c->text_size, c->err);
	if (r < 0) {
		c->err->kind = ERR_CONFIG;
		err_prefix(c->err, "bundle %s", bundle);
		if (r == -ENOENT)
			err_hint(c->err, "`oakum spec` writes one to start from");
		return r;
	}
	c->text = text;
	return 0;
}

static int parse(struct creation *c)
{
	struct spec_errors *errors = arena_alloc(&c->arena, sizeof(*errors));
	const char *file = c->options->config ? c->options->config : "config.json";
	int r;

	if (!errors)
		return err_set(c->err, ENOMEM, "read %s", file);
	r = spec_parse(c->text, c->text_size, file, &c->arena, &c->spec, errors);
	return create_parsed(c->o, errors, file, r);
}

static int check_terminal(struct creation *c)
{
	bool terminal = c->spec->process.terminal;

	if (terminal && !c->options->console_socket && !c->options->keep_terminal) {
		err_pointer(c->err, "/process/terminal");
		return err_kind(c->err, ERR_USAGE, 0,
				"a terminal needs somebody to hold it: use --console-socket");
	}
	if (!terminal && c->options->console_socket) {
		err_pointer(c->err, "/process/terminal");
		return err_kind(c->err, ERR_USAGE, 0,
				"a console socket is of no use: the process has no terminal");
	}
	return 0;
}

/* A variable that nobody can make sense of keeps no container from running. */
static const char *good_notify_socket(const struct creation *c)
{
	const char *host = c->options->notify_socket;
	struct err err = ERR_INIT;

	if (!host || !host[0] || !notify_socket_bad(host))
		return host && host[0] ? host : NULL;
	err_set(&err, 0, "NOTIFY_SOCKET \"%s\" is %s: ignored", host, notify_socket_bad(host));
	handle_warn(c->o, &err);
	return NULL;
}

/*
 * BuildKit in dockerd names a scope and does not ask for systemd: to the cgroupfs manager that is a
 * path, as it is to runc and crun. Each RUN of a build would show a warning, so only who asks is
 * told.
 */
static void warn_of_scope(const struct creation *c)
{
	const char *path = c->spec->cgroups_path;
	struct err warning = ERR_INIT;

	if (!c->o->planning || c->host.systemd.wanted || !path || path[0] == '/' ||
	    !strchr(path, ':'))
		return;
	err_pointer(&warning, "/linux/cgroupsPath");
	err_set(&warning, 0, "\"%s\" is a path here; a scope only with --systemd-cgroup", path);
	handle_warn(c->o, &warning);
}

static int make_plan(struct creation *c, const char *id)
{
	struct plan_options options = {
		.id = id,
		.bundle = c->state.bundle,
		.no_pivot = c->options->no_pivot,
		.hooks_in_root = c->options->hooks_in_root,
		.no_new_keyring = c->options->no_new_keyring,
		.preserve_fds = c->options->preserve_fds,
		.listen_fds = c->options->listen_fds,
		.notify_socket = good_notify_socket(c),
		.watchdog_usec = c->options->watchdog_usec,
	};
	struct err warning = ERR_INIT;
	int r;

	if (c->options->cgroup)
		c->spec->cgroups_path = c->options->cgroup;
	else if (!c->spec->cgroups_path && c->o->manager == OAKUM_CGROUPFS)
		c->spec->cgroups_path = c->options->cgroup_default;
	r = host_look(c->o, c->spec, c->join, &c->arena, &c->host, c->err);

	if (r == 0)
		r = unit_look(c->o, &c->systemd, c->deadline, &c->arena, &c->host.systemd, c->err);
	if (r == 0)
		r = plan_make(c->spec, &c->host, &options, &c->arena, &c->plan, c->err);
	if (r == 0)
		warn_of_scope(c);
	if (r == 0 && c->plan->implied_user)
		handle_debug(c->o, "without CAP_SYS_ADMIN: a user namespace is made for the "
				   "container, though its configuration has none");
	if (r == 0 && c->plan->private_mounts) {
		err_set(&warning, 0,
			"no mount namespace in /linux/namespaces: the container gets one, "
			"so that the host's mounts stay as they are");
		handle_warn(c->o, &warning);
	}
	if (r == 0 && !c->plan->cgroup[0] && c->host.rootless &&
	    !(c->plan->namespaces & CLONE_NEWPID)) {
		err_set(&warning, 0,
			"no cgroup and the pid namespace of the host: processes that outlive the "
			"first are found by their namespaces, before Linux 6.18 only if one is of "
			"its session. Such configuration is strongly discouraged");
		handle_warn(c->o, &warning);
	}
	return r;
}

/* A controller that is nowhere is missed before anything has been made. */
static int check_controllers(struct creation *c)
{
	if (!c->plan->cgroup[0])
		return 0;
	return cgroup_check_offered(c->host.cgroups, c->plan->cgroup, &c->plan->limits, c->err);
}

static int check_labels(struct creation *c)
{
	int r = create_check_labels(&c->plan->process, c->err);

	if (r == 0 && c->plan->mount_label && !lsm_enabled(LSM_SELINUX)) {
		err_pointer(c->err, "/linux/mountLabel");
		err_hint(c->err, "leave it out: no other security module reads it");
		return err_kind(c->err, ERR_UNSUPPORTED, 0,
				"label \"%s\": SELinux is not enabled on this host",
				c->plan->mount_label);
	}
	return r;
}

static int check_rootfs(struct creation *c)
{
	struct stat st;
	int code = stat(c->plan->rootfs, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;

	if (code == 0)
		return 0;
	err_pointer(c->err, "/root/path");
	err_hint(c->err, "unpack a root file system there");
	return err_kind(c->err, ERR_CONFIG, code, "rootfs %s", c->plan->rootfs);
}

static int look_at_source(struct creation *c, const struct mount_op *op)
{
	int flags = AT_EACCESS;

	if (op->copy_symlink || op->source_nofollow)
		flags |= AT_SYMLINK_NOFOLLOW;
	if (!plan_has_source(c->plan, op) || faccessat(AT_FDCWD, op->source, F_OK, flags) == 0)
		return 0;
	err_pointer(c->err, "/mounts/%d/source", op->index);
	if (errno == ENOENT || errno == ENOTDIR)
		err_hint(c->err, "make it, or take the mount out");
	return err_kind(c->err, ERR_CONFIG, errno, "source %s", op->source);
}

/* A missing one costs nothing now. */
static int look_at_sources(struct creation *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->plan->n_mounts; i++)
		r = look_at_source(c, &c->plan->mounts[i]);
	return r;
}

/* How many sources may be held at once. What is more is opened one by one, when the child asks. */
static size_t room_for_sources(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= FDS_FOR_WORK)
		return 0;
	return limit.rlim_cur - FDS_FOR_WORK;
}

/*
 * Is the source of @op for us to open? Where the container has a user namespace, since its root may
 * not be allowed to reach it; to map ids, since only we may do that. Not if we have no right to:
 * the child, in namespaces of its own, has.
 */
static bool is_ours_to_open(const struct creation *c, const struct mount_op *op)
{
	if (op->idmap.kind != IDMAP_NONE)
		return true;
	return (c->plan->namespaces & CLONE_NEWUSER) && c->host.may_unshare && userns_may_mount();
}

int creation_open_sources(struct creation *c)
{
	const struct plan *p = c->plan;
	size_t room = SIZE_MAX, held = 0;

	c->sources = arena_array(&c->arena, p->n_mounts + 1, sizeof(int));
	if (!c->sources)
		return err_set(c->err, ENOMEM, "open mount sources");
	for (size_t i = 0; i < p->n_mounts; i++)
		c->sources[i] = INIT_SOURCE_NONE;
	for (size_t i = 0; i < p->n_mounts; i++) {
		const struct mount_op *op = &p->mounts[i];

		if (!plan_has_source(p, op) || !is_ours_to_open(c, op))
			continue;
		if (room == SIZE_MAX)
			room = room_for_sources();
		if (held++ >= room) {
			c->sources[i] = INIT_SOURCE_LATER;
			continue;
		}
		c->sources[i] = mount_open_source(op, c->err);
		if (c->sources[i] < 0) {
			err_pointer(c->err, "/mounts/%d", op->index);
			return c->sources[i];
		}
	}
	return 0;
}

/* An agent that is not there is better missed now than when the container starts. */
static int look_for_agent(struct creation *c)
{
	const struct plan_listener *l = &c->plan->process.listener;
	int r = l->required ? seccomp_agent_look(l->path, c->err) : 0;

	if (r < 0)
		err_pointer(c->err, "/linux/seccomp/listenerPath");
	return r;
}

static int look_for_receiver(struct creation *c)
{
	int r = create_look_pidfd(c->plan->known->pidfd_receiver, c->err);

	if (r < 0)
		err_pointer(c->err, "/annotations/run.oci.pidfd_receiver");
	return r < 0 ? r : create_look_pidfd(c->options->pidfd_socket, c->err);
}

/* They are taken before any hook runs. */
static int look_for_netdevs(struct creation *c)
{
	for (size_t i = 0; i < c->plan->n_net_devices; i++) {
		const char *name = c->plan->net_devices[i].name;

		if (if_nametoindex(name))
			continue;
		err_pointer(c->err, "/linux/netDevices/%s", name);
		err_hint(c->err, "`ip link` lists those that this host has");
		return err_kind(c->err, ERR_CONFIG, ENODEV, "network device %s", name);
	}
	return 0;
}

/* What can be seen of the host without a right to anything. */
static int (*const looks[])(struct creation *c) = {
	check_controllers, check_labels,     check_rootfs,    look_for_agent,
	look_for_receiver, look_for_netdevs, look_at_sources,
};

int creation_read(struct creation *c, const char *id)
{
	const char *bad = str_bad_id(id);
	int r;

	if (bad) {
		err_hint(c->err,
			 "letters, digits and _ + - . are good, and a point not at the beginning");
		return err_kind(c->err, ERR_USAGE, 0, "invalid container ID: %s", bad);
	}
	r = read_bundle(c);
	if (r == 0)
		r = parse(c);
	if (r == 0 && !c->o->planning)
		r = check_terminal(c);
	if (r == 0)
		r = create_check_pid_file(c->options->pid_file, c->err);
	return r < 0 ? r : make_plan(c, id);
}

void creation_survey(struct creation *c, void (*problem)(void *data, const struct err *err),
		     void *data)
{
	struct err *own = c->err, err;

	c->err = &err;
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		err = ERR_INIT;
		if (looks[i] != look_at_sources && looks[i](c) < 0)
			problem(data, &err);
	}
	for (size_t i = 0; i < c->plan->n_mounts; i++) {
		err = ERR_INIT;
		if (look_at_source(c, &c->plan->mounts[i]) < 0)
			problem(data, &err);
	}
	c->err = own;
}

int creation_judge(struct creation *c, const char *id)
{
	int r = creation_read(c, id);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(looks); i++)
		r = looks[i](c);
	if (r == 0)
		r = creation_open_rdt(c);
	if (r == 0)
		r = creation_open_sources(c);
	return r < 0 ? r : creation_idmap(c, false);
}
