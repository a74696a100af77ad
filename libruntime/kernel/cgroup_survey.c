/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Could a container's cgroup be made? Asked of the directories that are there, by the rights that
 * we have in them, without making one. What only a cgroup of one's own could show is not known
 * here.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

struct survey {
	struct cgroup_prospect at;
	cgroup_problem *problem;
	void *data;
	bool leaf_refused;
};

static void report(const struct survey *s, const struct err *err)
{
	s->problem(s->data, err);
}

bool cgroup_find_existing(char *dir, size_t mount_len)
{
	bool whole = true;

	while (access(dir, F_OK) < 0) {
		char *slash = strrchr(dir, '/');

		whole = false;
		if ((size_t)(slash - dir) < mount_len)
			break;
		*slash = '\0';
	}
	return whole;
}

static void look_at_leaf(struct survey *s, const struct cgroup_hierarchy *h, const char *dir)
{
	AUTO_CLOSE int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;

	if (fd < 0 && errno == ENOTDIR)
		err_set(&err, errno, "open cgroup %s", dir);
	else if (fd >= 0 && cgroup_dir_populated(fd, h->v2) > 0)
		err_kind(&err, ERR_STATE, 0, "container's cgroup is not empty");
	else if (fd >= 0 && (h->v2 || (h->controllers & CGROUP_C_FREEZER)) &&
		 cgroup_freeze_look(fd, h->v2) > 0)
		err_kind(&err, ERR_STATE, 0, "container's cgroup unexpectedly frozen");
	/* All hierarchies have it by one name. */
	if (err.kind == ERR_NONE || s->leaf_refused)
		return;
	s->leaf_refused = true;
	err_pointer(&err, "/linux/cgroupsPath");
	err_hint(&err,
		 err.code ? CGROUP_HINT_FILE : "%s is in use: choose another /linux/cgroupsPath",
		 dir);
	err_prefix(&err, "cgroup %s", s->at.path);
	report(s, &err);
}

/* A file that is there and says something, be it too much for the buffer. */
static bool has_text(const char *dir, const char *file)
{
	char name[CGROUP_DIR_MAX + 32], text[16];
	ssize_t n;

	snprintf(name, sizeof(name), "%s/%s", dir, file);
	n = io_read_at(AT_FDCWD, name, text, sizeof(text));
	return n > 0 || n == -EFBIG;
}

/* These may compete with processes of the cgroup itself; a directory with processes cannot pass the
 * others on (EBUSY), unless it is the root, which has no type. */
#define THREADED (CGROUP_C_CPU | CGROUP_C_CPUSET | CGROUP_C_PIDS)

static bool is_occupied(const char *dir)
{
	return has_text(dir, "cgroup.type") && has_text(dir, "cgroup.procs");
}

/* v2: a parent that is there and does not pass on what is needed: could it? */
static void look_at_parent(const struct survey *s, const char *dir, uint32_t need)
{
	uint32_t want = need & cgroup_v2_read_in(dir, "cgroup.controllers") &
			~cgroup_v2_read_in(dir, "cgroup.subtree_control");
	struct err err = ERR_INIT;
	int code = 0;

	if (want && !cgroup_may(dir, "cgroup.subtree_control", W_OK))
		code = EACCES;
	else if ((want & ~(uint32_t)THREADED) && is_occupied(dir))
		code = EBUSY;
	if (!code)
		return;
	err_kind(&err, ERR_UNSUPPORTED, code,
		 "controllers cannot be enabled in %s/cgroup.subtree_control", dir);
	if (code == EBUSY)
		err_hint(&err, "processes live in %s itself; move them to a sub-cgroup", dir);
	else
		err_hint(&err, "have that cgroup delegated to this user");
	err_prefix(&err, "cgroup %s", s->at.path);
	report(s, &err);
}

/* A sub-cgroup shows the files that the root has not. */
static int open_model(const char *dir)
{
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3), found = -1;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	while (d && found < 0 && (e = readdir(d)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			found = openat(fd, e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d)
		closedir(d);
	else
		fd_close(copy);
	return found;
}

static bool is_file(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode);
}

static void look_at_hierarchy(struct survey *s, size_t i)
{
	const struct cgroup_hierarchy *h = &s->at.host->h[i];
	uint32_t need = h->v2 ? cgroup_dry_need(s->at.host, s->at.limits) : 0;
	struct err err = ERR_INIT;
	char dir[CGROUP_DIR_MAX];
	size_t mount_len = cgroup_dir(h, s->at.path, dir);

	if (cgroup_find_existing(dir, mount_len) || is_file(AT_FDCWD, dir)) {
		look_at_leaf(s, h, dir);
		s->at.model[i] = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return;
	}
	s->at.model[i] = open_model(dir);
	if (!cgroup_may(dir, "", W_OK | X_OK)) {
		err_set(&err, errno, "make cgroup %s%s", h->mount, s->at.path);
		if (err.code == EROFS)
			err_hint(&err, "%s is mounted read-only", h->mount);
		else
			err_hint(&err, "%s is not ours to write: have it delegated", dir);
		err_prefix(&err, "cgroup %s", s->at.path);
		report(s, &err);
	} else if (need) {
		look_at_parent(s, dir, need);
	}
}

static void say(const struct survey *s, const struct cgroup_dry_write *w, struct err *err)
{
	if (w->member)
		err_pointer(err, "%s/%s", w->pointer, w->member);
	else
		err_pointer(err, "%s", w->pointer);
	report(s, err);
}

/* v2 shows the files of enabled controllers only. */
static bool shows_files_of(const struct cgroup_dry_write *w, int model)
{
	uint32_t bit = cgroup_v2_controller_of(w->file);

	return !w->hierarchy->v2 || !bit || (cgroup_v2_read(model, "cgroup.controllers") & bit);
}

/* A file that a cgroup beside it has not, ours will not have. */
static void look_at_file(void *data, const struct cgroup_dry_write *w)
{
	const struct survey *s = data;
	int model = s->at.model[w->hierarchy - s->at.host->h];
	struct err err = ERR_INIT;

	if (!w->if_present && cgroup_judge(&s->at, w, &err) < 0) {
		say(s, w, &err);
		return;
	}
	if (model < 0 || w->if_present || w->bfq || cgroup_has_file(model, w->file) ||
	    !shows_files_of(w, model) || (str_starts(w->file, "hugetlb.") && !w->hierarchy->v2))
		return;
	err_kind(&err, ERR_UNSUPPORTED, ENOENT, "%s: this kernel's cgroups in %s have no such file",
		 w->file, w->hierarchy->mount);
	if (strstr(w->file, "memsw"))
		err_hint(&err, "swap accounting is off: boot with swapaccount=1");
	say(s, w, &err);
}

static void look_at_devices(const struct survey *s)
{
	struct err err = ERR_INIT;

	if (!s->at.limits->n_devices || cgroup_find(s->at.host, CGROUP_C_DEVICES) >= 0 ||
	    cgroup_find_v2(s->at.host) < 0)
		return;
	if (cgroup_devices_v2_check(s->at.limits->devices, s->at.limits->n_devices, &err) == 0)
		return;
	err_pointer(&err, "/linux/resources/devices");
	report(s, &err);
}

void cgroup_survey(const struct cgroup_host *host, const char *path,
		   const struct cgroup_limits *limits, cgroup_problem *problem, void *data)
{
	struct survey s = {{host, path, limits, {0}}, problem, data, false};

	for (size_t i = 0; i < host->n; i++)
		look_at_hierarchy(&s, i);
	(void)cgroup_dry(host, path, limits, look_at_file, &s, NULL);
	look_at_devices(&s);
	for (size_t i = 0; i < host->n; i++)
		fd_close(s.at.model[i]);
}

/* Has a cgroup like the one at @path a file in place of the directory @name? */
static bool has_file_named(const struct cgroup_hierarchy *h, const char *path, const char *name)
{
	char dir[CGROUP_DIR_MAX];
	size_t mount_len = cgroup_dir(h, path, dir);
	bool whole = cgroup_find_existing(dir, mount_len);
	AUTO_CLOSE int model = whole ? -1 : open_model(dir);

	/* Where none is like it, a new one has what the one above has. */
	if (model < 0)
		model = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return model >= 0 && is_file(model, name);
}

int cgroup_survey_below(const struct cgroup_host *host, const char *path, const char *below,
			struct err *err)
{
	char first[NAME_MAX + 1];

	below += strspn(below, "/");
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(below, "/"), below);
	for (size_t i = 0; i < host->n; i++)
		if (has_file_named(&host->h[i], path, first)) {
			err_hint(err, CGROUP_HINT_FILE);
			return err_set(err, ENOTDIR, "make cgroup %s/%s", path, below);
		}
	return 0;
}
