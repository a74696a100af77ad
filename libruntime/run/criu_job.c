/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/criu_job.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/spec.h"

struct word {
	const char *name;
	int value;
};

static const struct word cgroup_modes[] = {
	{"soft", CRIU_CGROUPS_SOFT},
	{"full", CRIU_CGROUPS_FULL},
	{"strict", CRIU_CGROUPS_STRICT},
	{"ignore", CRIU_CGROUPS_IGNORE},
	{NULL, 0},
};

static const struct word network_locks[] = {
	{"iptables", CRIU_LOCK_IPTABLES},
	{"nftables", CRIU_LOCK_NFTABLES},
	{"skip", CRIU_LOCK_SKIP},
	{NULL, 0},
};

static int find_word(struct criu_job *j, const char *option, const struct word *words,
		     const char *text, int *ret)
{
	char expected[64];
	struct strbuf b;

	strbuf_init(&b, expected, sizeof(expected));
	for (const struct word *w = words; w->name; w++) {
		if (str_eq(w->name, text)) {
			*ret = w->value;
			return 0;
		}
		strbuf_add(&b, w == words ? "" : w[1].name ? ", " : " or ");
		strbuf_add(&b, w->name);
	}
	return err_kind(j->err, ERR_USAGE, 0, "--%s \"%s\": expected %s", option, text, expected);
}

static int read_words(struct criu_job *j)
{
	const struct oakum_criu *o = j->options;
	int mode = CRIU_CGROUPS_SOFT, lock = CRIU_LOCK_DEFAULT, r = 0;

	if (o->manage_cgroups_mode)
		r = find_word(j, "manage-cgroups-mode", cgroup_modes, o->manage_cgroups_mode,
			      &mode);
	if (r == 0 && o->network_lock)
		r = find_word(j, "network-lock", network_locks, o->network_lock, &lock);
	j->request.cgroup_mode = (enum criu_cgroup_mode)mode;
	j->request.network_lock = (enum criu_network_lock)lock;
	return r;
}

/* "ADDRESS:PORT", "[ADDRESS]:PORT" */
static int read_page_server(struct criu_job *j)
{
	const char *text = j->options->page_server, *colon = text ? strrchr(text, ':') : NULL;
	uint64_t port;
	size_t n;

	if (!text)
		return 0;
	if (!colon || colon == text || str_to_u64(colon + 1, 1, UINT16_MAX, &port) < 0)
		return err_kind(j->err, ERR_USAGE, 0, "--page-server \"%s\": expected ADDRESS:PORT",
				text);
	n = (size_t)(colon - text);
	if (n > 2 && text[0] == '[' && colon[-1] == ']') {
		text++;
		n -= 2;
	}
	j->request.page_server = arena_strndup(j->arena, text, n);
	j->request.page_server_port = (int)port;
	return j->request.page_server ? 0 : err_set(j->err, ENOMEM, "read --page-server");
}

static int open_directory(struct criu_job *j, const char *path, int *ret)
{
	AUTO_CLOSE int made = -1;
	AUTO_CLOSE int root = -1;
	bool dump = j->request.action != CRIU_RESTORE;

	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0 && errno == ENOENT && dump) {
		root = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		made = root < 0 ? -errno : path_mkdirs(root, path);
		if (made < 0)
			return err_set(j->err, -made, "make the directory %s", path);
		/* Memory of the container's processes will lie there. */
		*ret = openat(made, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*ret >= 0 && fchmod(*ret, 0700) < 0)
			return err_set(j->err, errno, "make the directory %s", path);
	}
	if (*ret >= 0)
		return 0;
	if (errno == ENOENT)
		err_hint(j->err, "--image-path names the directory of a checkpoint");
	return err_set(j->err, errno, "open the directory %s", path);
}

static int check_parent(struct criu_job *j)
{
	const char *parent = j->options->parent_path;
	struct stat st;
	int code;

	if (!parent || j->request.action == CRIU_RESTORE)
		return 0;
	if (parent[0] == '/')
		return err_kind(j->err, ERR_USAGE, 0,
				"--parent-path \"%s\": must be relative to --image-path", parent);
	code = fstatat(j->images, parent, &st, 0) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	if (code)
		return err_kind(j->err, ERR_USAGE, code, "invalid --parent-path: %s/%s",
				j->request.images, parent);
	j->request.parent = parent;
	return 0;
}

static int check_status_fd(struct criu_job *j)
{
	int fd = j->options->status_fd, flags;

	if (fd < 0)
		return 0;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return err_kind(j->err, ERR_USAGE, flags < 0 ? errno : 0,
				"--status-fd %d: not a descriptor that can be written to", fd);
	return 0;
}

static void copy_options(struct criu_job *j)
{
	const struct oakum_criu *o = j->options;
	struct criu_request *q = &j->request;

	q->leave_running = o->leave_running;
	q->tcp_established = o->tcp_established;
	q->tcp_close = o->tcp_close;
	q->tcp_skip_in_flight = o->tcp_skip_in_flight;
	q->link_remap = o->link_remap;
	q->ext_unix_sk = o->ext_unix_sk;
	q->shell_job = o->shell_job;
	q->file_locks = o->file_locks;
	q->auto_dedup = o->auto_dedup;
	q->lazy_pages = o->lazy_pages;
	q->empty_ns = o->empty_network ? CLONE_NEWNET : 0;
	q->lsm_profile = o->lsm_profile;
	q->lsm_mount_context = o->lsm_mount_context;
	q->log = q->action == CRIU_RESTORE ? "restore.log" : "dump.log";
}

int criu_job_begin(struct criu_job *j, const struct oakum_criu *options, enum criu_action action,
		   struct arena *arena, struct err *err)
{
	struct criu_request *q = &j->request;
	AUTO_CLOSE int work = -1;
	int r;

	j->options = options;
	j->arena = arena;
	j->err = err;
	q->action = action;
	copy_options(j);
	q->images = options->image_path ? options->image_path : "checkpoint";
	q->work = options->work_path ? options->work_path : q->images;
	r = read_words(j);
	if (r == 0)
		r = read_page_server(j);
	if (r == 0)
		r = check_status_fd(j);
	if (r == 0)
		r = open_directory(j, q->images, &j->images);
	if (r == 0)
		r = check_parent(j);
	if (r == 0 && options->work_path)
		r = open_directory(j, q->work, &work);
	return r;
}

/* The annotation, then the peers' own files, as they have them. What is in it wins over us. */
void criu_job_config(struct criu_job *j, const struct spec *spec)
{
	static const char *const files[] = {"/etc/criu/crun.conf", "/etc/criu/runc.conf"};

	j->request.config_file = spec->known.criu_config;
	for (size_t i = 0; !j->request.config_file && i < ARRAY_SIZE(files); i++)
		if (access(files[i], F_OK) == 0)
			j->request.config_file = files[i];
}

void criu_job_done(struct criu_job *j)
{
	fd_close(j->images);
}

void criu_job_external(struct criu_job *j, const char *fmt, ...)
{
	size_t *n = &j->request.n_external;
	const char **more = arena_grow(j->arena, j->external, *n, sizeof(*more));
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(j->arena, fmt, ap);
	va_end(ap);
	if (!text || !more) {
		j->failed = true;
		return;
	}
	j->external = more;
	more[(*n)++] = text;
}

void criu_job_inherit(struct criu_job *j, const char *key, int fd)
{
	if (j->request.n_inherit == ARRAY_SIZE(j->inherit))
		j->failed = true;
	else
		j->inherit[j->request.n_inherit++] = (struct criu_inherit){key, fd};
}

void criu_job_join(struct criu_job *j, const char *kind, const char *path)
{
	if (j->request.n_join == ARRAY_SIZE(j->join))
		j->failed = true;
	else
		j->join[j->request.n_join++] = (struct criu_join){kind, path};
}

int criu_job_run(struct criu_job *j, pid_t *ret_pid)
{
	if (j->failed)
		return err_set(j->err, ENOMEM, "put together the request to criu");
	j->request.external = j->external;
	j->request.inherit = j->inherit;
	j->request.join = j->join;
	return criu_run(&j->request, ret_pid, j->err);
}

void criu_job_ready(struct criu_job *j)
{
	if (j->options->status_fd >= 0)
		io_write(j->options->status_fd, "", 1);
}
