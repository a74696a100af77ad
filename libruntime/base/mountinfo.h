/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of /proc/PID/mountinfo. */
#ifndef OAKUM_BASE_MOUNTINFO_H
#define OAKUM_BASE_MOUNTINFO_H

/* "ID PARENT DEV ROOT POINT OPTIONS [TAGS] - TYPE SOURCE SUPER_OPTIONS", cut up in place. */
struct mountinfo {
	const char *id, *dev; /* "38", "0:29" */
	char *root, *point;   /* unescaped */
	const char *options;  /* of the mount: "ro,nosuid,relatime" */
	const char *type;
	char *rest; /* source and options of the file system, as they stand there */
};

/* 0 and *@ret, which points into @line; -EINVAL. No heap; the child may call it. */
int mountinfo_parse(char *line, struct mountinfo *ret);

/* Call @each for the mounts in @path, in order; stops at a value other than 0 and returns it. 0, or
 * -errno. What @each is given lasts as long as its call. Parent only: it uses the heap. */
typedef int mountinfo_visitor(void *data, const struct mountinfo *m);
int mountinfo_each(const char *path, mountinfo_visitor *each, void *data);

#endif
