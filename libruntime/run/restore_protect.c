/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "run/create.h"
#include "run/creation.h"
#include "run/criu_job.h"
#include "run/restore.h"

#define OPTIONS_MAX (4u << 20)

static const struct {
	const char *word;
	uint64_t attr;
} words[] = {
	{"ro", MOUNT_ATTR_RDONLY},
	{"nosuid", MOUNT_ATTR_NOSUID},
	{"nodev", MOUNT_ATTR_NODEV},
	{"noexec", MOUNT_ATTR_NOEXEC},
	{"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW},
};

/* "ro,nosuid,relatime" */
static uint64_t forbidden(const char *options)
{
	uint64_t attr = 0;

	for (const char *at = options; *at; at += strspn(at, ",")) {
		size_t n = strcspn(at, ",");

		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (strlen(words[i].word) == n && strncmp(at, words[i].word, n) == 0)
				attr |= words[i].attr;
		at += n;
	}
	return attr;
}

/* [point, options]: one of the two; "" in a file that is not ours. */
static const char *part(const struct json *mount, bool options)
{
	const struct json *j = mount->type == JSON_ARRAY ? mount->child : NULL;

	if (j && options)
		j = j->next;
	return j && j->type == JSON_STRING ? j->text : "";
}

/* Another is mounted on it, which alone can be seen there. */
static bool is_covered(const struct json *mount)
{
	for (const struct json *j = mount->next; j; j = j->next)
		if (str_eq(part(j, false), part(mount, false)))
			return true;
	return false;
}

/* In the container's mount namespace, where nobody moves anything now. */
static int protect(int root, const struct json *mount, struct err *err)
{
	const char *point = part(mount, false), *options = part(mount, true);
	struct mount_attr attr = {.attr_set = forbidden(options)};
	AUTO_CLOSE int fd = -1;

	if (attr.attr_set == 0 || is_covered(mount))
		return 0;
	fd = path_open_nolink(root, point, O_PATH);
	if (fd < 0)
		return err_set(err, -fd, "open the mount %s", point);
	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
		return err_set(err, errno, "make the mount %s %s again", point, options);
	return 0;
}

struct protection {
	int ns;
	const struct json *mounts;
};

/* A process of ours goes there. */
static int protect_all(void *data, struct err *err)
{
	const struct protection *p = data;
	AUTO_CLOSE int root = -1;
	int r = 0;

	if (setns(p->ns, CLONE_NEWNS) < 0)
		return err_set(err, errno, "join the restored mount namespace");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(err, errno, "open the restored root");
	for (const struct json *j = p->mounts->child; r == 0 && j; j = j->next)
		r = protect(root, j, err);
	return r;
}

int restore_protect(struct creation *c, int images)
{
	struct json *mounts;
	AUTO_CLOSE int ns = -1;
	char *text;
	size_t size;
	int r = io_read_alloc(images, CRIU_JOB_MOUNTS, OPTIONS_MAX, &c->arena, &text, &size,
			      c->err);

	if (r == 0)
		r = json_parse(text, size, CRIU_JOB_MOUNTS, &c->arena, &mounts, c->err);
	if (r < 0)
		return r;
	ns = ns_of(c->pid, CLONE_NEWNS);
	if (ns < 0)
		return err_set(c->err, -ns, "open the container's mount namespace");
	return create_helper(protect_all, &(struct protection){ns, mounts}, c->deadline, c->err);
}
