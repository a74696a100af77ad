/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checkpoint: what criu has to know of a container to save it: which of its mounts, descriptors and
 * namespaces are the host's and will be there, perhaps elsewhere, when it is restored.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/mountinfo.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/ns.h"
#include "run/criu_job.h"
#include "run/lifecycle.h"
#include "spec/spec.h"

#define OPTIONS_SIZE (4u << 20)

struct dump {
	struct oakum *o;
	struct container *c;
	struct criu_job job;
	struct err *err;
	char (*devices)[16]; /* of the host's mounts: "0:29" */
	size_t n_devices;
	char (*mounts)[16]; /* of the container's: "38" */
	size_t n_mounts;
	char root_dev[16], root[PATH_MAX]; /* of the root, as mountinfo has it */
	struct strbuf options;		   /* for CRIU_JOB_MOUNTS */
	char stdio[3][64 + NAME_MAX];
};

/* ---- mounts ---- */

static int for_mounts(struct dump *d, const char *path, mountinfo_visitor *each)
{
	int r = mountinfo_each(path, each, d);

	return r < 0 && d->err->kind == ERR_NONE ? err_set(d->err, -r, "read %s", path) : r;
}

static bool is_in(char (*list)[16], size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], text))
			return true;
	return false;
}

static int add_to(struct dump *d, char (**list)[16], size_t *n, const char *text)
{
	char(*more)[16] = arena_grow(&d->c->arena, *list, *n, sizeof(**list));

	if (!more)
		return err_set(d->err, ENOMEM, "list mounts");
	*list = more;
	snprintf(more[(*n)++], sizeof(*more), "%s", text);
	return 0;
}

static int note_device(void *data, const struct mountinfo *m)
{
	struct dump *d = data;

	return is_in(d->devices, d->n_devices, m->dev)
		       ? 0
		       : add_to(d, &d->devices, &d->n_devices, m->dev);
}

/* Whose file system the host has mounted too is the host's to give again; the rest goes into the
 * images. The root is where the bundle says, and with it what shows a part of it. */
static int note_mount(void *data, const struct mountinfo *m)
{
	struct dump *d = data;

	if (str_eq(m->point, "/") && !d->root_dev[0]) {
		snprintf(d->root_dev, sizeof(d->root_dev), "%s", m->dev);
		snprintf(d->root, sizeof(d->root), "%s", m->root);
	}
	if (!(str_eq(m->dev, d->root_dev) && path_below(m->root, d->root)) &&
	    is_in(d->devices, d->n_devices, m->dev)) {
		criu_job_external(&d->job, "mnt[%s]:%s", m->point, m->point);
		strbuf_add(&d->options, d->options.len ? ",[" : "[[");
		strbuf_json(&d->options, m->point);
		strbuf_addc(&d->options, ',');
		strbuf_json(&d->options, m->options);
		strbuf_addc(&d->options, ']');
	}
	return add_to(d, &d->mounts, &d->n_mounts, m->id);
}

static int write_options(struct dump *d)
{
	int r;

	strbuf_add(&d->options, d->options.len ? "]" : "[]");
	if (d->options.overflow)
		return err_set(d->err, E2BIG, "list the options of mounts");
	r = io_replace_at(d->job.images, CRIU_JOB_MOUNTS, d->options.p, d->options.len);
	return r < 0 ? err_set(d->err, -r, "write %s/" CRIU_JOB_MOUNTS, d->job.request.images) : 0;
}

static int note_mounts(struct dump *d)
{
	char path[64], *mem = arena_alloc(&d->c->arena, OPTIONS_SIZE);
	int r = mem ? for_mounts(d, "/proc/self/mountinfo", note_device)
		    : err_set(d->err, ENOMEM, "list mounts");

	if (r < 0)
		return r;
	strbuf_init(&d->options, mem, OPTIONS_SIZE);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", d->c->state.init.pid);
	r = for_mounts(d, path, note_mount);
	return r < 0 ? r : write_options(d);
}

/* ---- stdio ---- */

/* Of descriptor @fd of the container: the id of its mount, "" if it has none. */
static void mount_of(const struct dump *d, int fd, char *buf, size_t size)
{
	char path[64], text[1024], *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", d->c->state.init.pid, fd);
	n = io_read_at(AT_FDCWD, path, text, sizeof(text));
	at = n > 0 ? strstr(text, "mnt_id:\t") : NULL;
	snprintf(buf, size, "%.*s", at ? (int)strcspn(at + 8, "\n") : 0, at ? at + 8 : "");
}

/*
 * What criu calls it. A pipe is known by its number alone. What lies on a mount that the container
 * does not have, as a log file that it was given, is the caller's to give again.
 */
static int note_descriptor(struct dump *d, int fd)
{
	char path[64], mount[16], *link = d->stdio[fd];
	struct stat st;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", d->c->state.init.pid, fd);
	n = readlink(path, link, sizeof(d->stdio[fd]) - 1);
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0 || stat(path, &st) < 0)
		return err_set(d->err, errno, "look at descriptor %d of the container", fd);
	link[n] = '\0';
	if (link[0] != '/')
		return 0;
	mount_of(d, fd, mount, sizeof(mount));
	if (!mount[0] || is_in(d->mounts, d->n_mounts, mount))
		return 0;
	if (S_ISCHR(st.st_mode) && strstr(link, "/pts/"))
		snprintf(link, sizeof(d->stdio[fd]), "tty[%lx:%lx]", (unsigned long)st.st_rdev,
			 (unsigned long)st.st_dev);
	else
		snprintf(link, sizeof(d->stdio[fd]), "file[%lx:%lx]", strtoul(mount, NULL, 10),
			 (unsigned long)st.st_ino);
	criu_job_external(&d->job, "%s", link);
	return 0;
}

static int note_stdio(struct dump *d)
{
	char text[3 * 8 * sizeof(d->stdio[0])];
	struct strbuf b;
	int r = 0;

	for (int fd = 0; r == 0 && fd < 3; fd++)
		r = note_descriptor(d, fd);
	if (r < 0)
		return r;
	strbuf_init(&b, text, sizeof(text));
	for (int fd = 0; fd < 3; fd++) {
		strbuf_addc(&b, fd ? ',' : '[');
		strbuf_json(&b, d->stdio[fd]);
	}
	strbuf_addc(&b, ']');
	r = io_replace_at(d->job.images, CRIU_JOB_STDIO, text, b.len);
	return r < 0 ? err_set(d->err, -r, "write %s/" CRIU_JOB_STDIO, d->job.request.images) : 0;
}

/* ---- namespaces and cgroup ---- */

/* criu is told of these two, and finds the others by joining them when it restores. One that is our
 * own is criu's too, and no question. */
static void note_namespaces(struct dump *d, const struct spec *spec)
{
	static const struct {
		enum spec_ns ns;
		int kind;
		const char *key;
	} kinds[] = {{SPEC_NS_NETWORK, CLONE_NEWNET, "extRootNetNS"},
		     {SPEC_NS_PID, CLONE_NEWPID, "extRootPidNS"}};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		AUTO_CLOSE int ns = ns_of(d->c->state.init.pid, kinds[i].kind);
		struct stat st;

		if (spec->ns[kinds[i].ns].path && ns >= 0 && fstat(ns, &st) == 0 &&
		    ns_same(ns, kinds[i].kind, NULL) == 0)
			criu_job_external(&d->job, "%s[%lu]:%s", ns_file_name(kinds[i].kind),
					  (unsigned long)st.st_ino, kinds[i].key);
	}
}

/* With a freezer criu stops all tasks at once; without, one by one. */
static int note_freezer(struct dump *d)
{
	const struct cgroup_host *host = handle_cgroups(d->o, d->err);

	if (!host)
		return -EINVAL;
	for (size_t i = 0; d->c->state.cgroup[0] && i < host->n; i++) {
		const struct cgroup_hierarchy *h = &host->h[i];
		bool v2 = h->v2 && host->mode == CGROUP_V2;

		if (!v2 && !(h->controllers & CGROUP_C_FREEZER))
			continue;
		d->job.request.freeze_cgroup =
			arena_printf(&d->c->arena, "%s%s", h->mount, d->c->state.cgroup);
		if (!d->job.request.freeze_cgroup)
			return err_set(d->err, ENOMEM, "name the freezer");
		return 0;
	}
	return 0;
}

static int notified(void *data, const char *what, pid_t pid, int fd, struct err *err)
{
	struct dump *d = data;

	(void)pid;
	(void)err;
	fd_close(fd);
	if (str_eq(what, "status-ready"))
		criu_job_ready(&d->job);
	return 0;
}

/* ---- the command ---- */

static int check_status(enum oakum_status status, struct err *err)
{
	if (status == OAKUM_RUNNING || status == OAKUM_PAUSED)
		return 0;
	err_hint(err, "only one that runs or is paused has something to save");
	return err_kind(err, ERR_STATE, 0, "cannot checkpoint a container that is %s",
			oakum_status_name(status));
}

static int save(struct dump *d, const struct oakum_criu *options)
{
	struct criu_request *q = &d->job.request;
	struct spec *spec;
	int r = state_load_config(d->c->dir, &d->c->arena, &spec, d->err);

	if (r == 0)
		r = criu_job_begin(&d->job, options, options->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
				   &d->c->arena, d->err);
	if (r < 0)
		return r;
	q->pid = d->c->state.init.pid;
	q->root = d->c->state.rootfs;
	q->notify = notified;
	q->data = d;
	criu_job_config(&d->job, spec);
	note_namespaces(d, spec);
	r = note_mounts(d);
	if (r == 0 && !options->pre_dump)
		r = note_stdio(d);
	if (r == 0)
		r = note_freezer(d);
	return r < 0 ? r : criu_job_run(&d->job, NULL);
}

static int checkpoint(struct dump *d, const char *id, const struct oakum_criu *options)
{
	int r = container_open(d->o, id, true, d->c, d->err);

	if (r == 0)
		r = check_status(d->c->status, d->err);
	if (r == 0)
		r = save(d, options);
	criu_job_done(&d->job);
	if (r < 0 || options->leave_running || options->pre_dump)
		return r;
	handle_debug(d->o, "checkpoint %s: saved in %s", id, d->job.request.images);
	return container_destroy(d->o, id, d->c, &OAKUM_OPTIONS(oakum_delete), d->err);
}

int oakum_checkpoint(struct oakum *o, const char *id, const struct oakum_criu *options)
{
	AUTO_CONTAINER struct container c = CONTAINER_INIT;
	struct dump d = {.o = o, .c = &c, .job = CRIU_JOB_INIT, .err = handle_begin(o)};
	int r = HANDLE_CHECK_OPTIONS(o, options, oakum_criu);

	if (r == 0)
		r = checkpoint(&d, id, options);
	return handle_end(o, "checkpoint", id, r);
}
