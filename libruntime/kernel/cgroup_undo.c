/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stood in limit files before an update wrote into them: when a later limit is refused, all of
 * them go back to it. Device rules are not among them; they are written last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "kernel/cgroup_internal.h"

#define FILE_MAX 16384

/* The line of @text that begins with the first word of @written and a blank, or NULL. */
static char *find_line(char *text, const char *written, size_t word)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (strncmp(line, written, word) == 0 && line[word] == ' ')
			return line;
	return NULL;
}

static ssize_t read_effective(const struct cgroup_write *w, char *buf, size_t size)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s.effective", w->file);
	return io_read_at(w->dir, name, buf, size);
}

/* What has to be written so that @w's file says what it says now. 0, or < 0 if that is not known.
 */
static int old_text(const struct cgroup_write *w, const char *written, char *buf, size_t size)
{
	char text[FILE_MAX], *line = text;
	size_t word = strcspn(written, " ");
	int n;

	if (io_read_at(w->dir, w->file, text, sizeof(text)) < 0)
		return -EIO;
	/* "oom_kill_disable 0" and two lines more, of which the first is what is written. */
	if (str_starts(text, "oom_kill_disable ")) {
		text[strcspn(text, "\n")] = '\0';
		line = strchr(text, ' ') + 1;
	} else if (written[word] && !str_eq(w->file, "cpu.max")) {
		line = find_line(text, written, word);
	}
	if (line && strchr(line, '\n'))
		return -EINVAL;
	/* v2: all that the parent has, which cannot be said again while processes are there. */
	if (line && !line[0] && str_starts(w->file, "cpuset."))
		(void)read_effective(w, text, sizeof(text));
	if (line) /* an empty write is none */
		n = snprintf(buf, size, "%s", line[0] ? line : "\n");
	else if (str_eq(w->file, "io.max"))
		n = snprintf(buf, size, "%.*s rbps=max wbps=max riops=max wiops=max", (int)word,
			     written);
	else
		n = snprintf(buf, size, "%.*s %s", (int)word, written,
			     str_starts(w->file, "io.") ? "default" : "0");
	return n < 0 || (size_t)n >= size ? -E2BIG : 0;
}

static bool is_noted(const struct cgroup_undo *u, const struct cgroup_write *w, const char *written)
{
	size_t word = strcspn(written, " ");

	for (const struct cgroup_undo_entry *e = u->last; e; e = e->before)
		if (e->dir == w->dir && str_eq(e->file, w->file) &&
		    (!written[word] || strncmp(e->text, written, word + 1) == 0))
			return true;
	return false;
}

/* To leave the idle state gives the cgroup the default weight. */
static void note_weight(struct cgroup_undo *u, int dir)
{
	static const char *const files[] = {"cpu.weight", "cpu.shares"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (cgroup_has_file(dir, files[i]))
			cgroup_undo_note(u, &(struct cgroup_write){
						    .dir = dir, .file = files[i], .text = "1"});
}

void cgroup_undo_note(struct cgroup_undo *u, const struct cgroup_write *w)
{
	const char *written = w->text ? w->text : w->value;
	struct cgroup_undo_entry *e;

	if (!u || is_noted(u, w, written))
		return;
	if (str_eq(w->file, "cpu.idle"))
		note_weight(u, w->dir);
	e = calloc(1, sizeof(*e));
	if (!e)
		return;
	e->dir = w->dir;
	if (strlen(w->file) >= sizeof(e->file) ||
	    old_text(w, written, e->text, sizeof(e->text)) < 0) {
		free(e);
		return;
	}
	memcpy(e->file, w->file, strlen(w->file) + 1);
	e->before = u->last;
	u->last = e;
}

/* What depends on each other is tried until nothing more is taken, the last one first. */
void cgroup_undo_do(struct cgroup_undo *u)
{
	bool progress = true;

	while (progress) {
		progress = false;
		for (struct cgroup_undo_entry *e = u->last; e; e = e->before)
			if (!e->done && io_write_at(e->dir, e->file, e->text) == 0)
				e->done = progress = true;
	}
}

void cgroup_undo_done(struct cgroup_undo *u)
{
	while (u->last) {
		struct cgroup_undo_entry *e = u->last;

		u->last = e->before;
		free(e);
	}
}
