/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of /proc/PID/mountinfo. No heap; the child may call everything here. */
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

/* 0 and *@ret, which points into @line; -EINVAL. */
int mountinfo_parse(char *line, struct mountinfo *ret);

#endif
