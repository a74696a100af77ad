/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"

/* Blank, tab, newline and backslash are written as \ooo. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; to++) {
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to = *s++;
		}
	}
	*to = '\0';
}

int mountinfo_parse(char *line, struct mountinfo *ret)
{
	static const char dash[] = " - ";
	char *tail = strstr(line, dash), *field[6], *save = NULL;

	if (!tail)
		return -EINVAL;
	*tail = '\0';
	tail += sizeof(dash) - 1;
	for (unsigned i = 0; i < 6; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return -EINVAL;
	}
	tail[strcspn(tail, "\n")] = '\0';
	*ret = (struct mountinfo){.id = field[0],
				  .dev = field[2],
				  .root = field[3],
				  .point = field[4],
				  .options = field[5],
				  .type = tail,
				  .rest = tail + strcspn(tail, " ")};
	if (*ret->rest)
		*ret->rest++ = '\0';
	unescape(ret->root);
	unescape(ret->point);
	return 0;
}

int mountinfo_each(const char *path, mountinfo_visitor *each, void *data)
{
	AUTO_FREE char *line = NULL;
	FILE *f = fopen(path, "re");
	struct mountinfo m;
	size_t size = 0;
	int r = 0;

	if (!f)
		return -errno;
	while (r == 0 && getline(&line, &size, f) > 0)
		if (mountinfo_parse(line, &m) == 0)
			r = each(data, &m);
	(void)fclose(f);
	return r;
}
