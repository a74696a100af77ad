/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounts as typed: docker's long form "type=bind,source=/a,destination=/b,ro" and its short one
 * "/a:/b:ro". What is not a key of the long form is a mount option, judged by kernel/mount.c.
 */
#include "spec/spec_mount.h"

#include "base/arena.h"
#include "base/str.h"

enum key { KEY_TYPE, KEY_SOURCE, KEY_DESTINATION, KEY_OPTION };

static const struct {
	const char *name;
	enum key key;
} keys[] = {
	{"type", KEY_TYPE},	  {"source", KEY_SOURCE},
	{"src", KEY_SOURCE},	  {"destination", KEY_DESTINATION},
	{"dst", KEY_DESTINATION}, {"target", KEY_DESTINATION},
};

/* Docker's words for what mount(8) calls otherwise. */
static const struct {
	const char *word, *option;
} words[] = {
	{"readonly", "ro"},
	{"readonly=true", "ro"},
	{"readonly=false", "rw"},
};

static int bad(struct err *err, const char *text, const char *what)
{
	return err_kind(err, ERR_USAGE, 0, "mount \"%.200s\": %s", text, what);
}

static enum key find_key(const char *word, const char **ret_value)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i].name);

		if (strncmp(word, keys[i].name, len) == 0 && word[len] == '=') {
			*ret_value = word + len + 1;
			return keys[i].key;
		}
	}
	return KEY_OPTION;
}

static void add_option(struct spec_mount *m, const char *word)
{
	if (str_starts(word, "tmpfs-size=") || str_starts(word, "tmpfs-mode="))
		word += strlen("tmpfs-");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(words[i].word, word))
			word = words[i].option;
	m->options.v[m->options.n++] = word;
}

/* What the options of a mount begin with; a person's come later and win. */
static void add_defaults(struct spec_mount *m, bool tmpfs)
{
	if (tmpfs) {
		add_option(m, "nosuid");
		add_option(m, "nodev");
		add_option(m, "noexec");
	} else {
		add_option(m, "rbind");
		add_option(m, "rprivate");
	}
}

/* The options of @words, which is cut at its commas. */
static int take_words(struct spec_mount *m, char *list, const char *text, struct err *err)
{
	const char *value;
	char *word;

	while ((word = strsep(&list, ","))) {
		enum key key = find_key(word, &value);
		const char **member = key == KEY_TYPE	  ? &m->type
				      : key == KEY_SOURCE ? &m->source
							  : &m->destination;

		if (!*word)
			return bad(err, text, "an empty option");
		if (key == KEY_OPTION)
			add_option(m, word);
		else if (*member)
			return bad(err, text, "type, source or destination is given twice");
		else
			*member = value;
	}
	return 0;
}

static int check_paths(const struct spec_mount *m, bool tmpfs, const char *text, struct err *err)
{
	if (!m->destination || *m->destination != '/')
		return bad(err, text, "the destination must be an absolute path");
	if (tmpfs && m->source && *m->source)
		return bad(err, text, "a tmpfs has no source");
	if (!tmpfs && (!m->source || *m->source != '/'))
		return bad(err, text, "the source must be an absolute path");
	return 0;
}

static int parse_long(const char *text, char *copy, struct spec_mount *m, struct err *err)
{
	struct spec_mount given = {.options = m->options};
	bool tmpfs;
	int r;

	/* The defaults depend on the type, which may stand anywhere: their room is kept free. */
	given.options.v += 3;
	r = take_words(&given, copy, text, err);
	if (r < 0)
		return r;
	if (given.type && !str_eq(given.type, "bind") && !str_eq(given.type, "tmpfs"))
		return bad(err, text, "the type must be bind or tmpfs");
	tmpfs = given.type && str_eq(given.type, "tmpfs");
	r = check_paths(&given, tmpfs, text, err);
	if (r < 0)
		return r;
	m->type = tmpfs ? "tmpfs" : "bind";
	m->source = tmpfs ? "tmpfs" : given.source;
	m->destination = given.destination;
	add_defaults(m, tmpfs);
	memmove(&m->options.v[m->options.n], given.options.v,
		given.options.n * sizeof(*given.options.v));
	m->options.n += given.options.n;
	m->options.v[m->options.n] = NULL;
	return 0;
}

static int parse_short(const char *text, char *copy, struct spec_mount *m, struct err *err)
{
	char *list = copy;
	int r;

	m->type = "bind";
	m->source = strsep(&list, ":");
	m->destination = strsep(&list, ":");
	add_defaults(m, false);
	r = check_paths(m, false, text, err);
	for (char *word = NULL; r == 0 && list && (word = strsep(&list, ","));) {
		if (!*word)
			return bad(err, text, "an empty option");
		add_option(m, word);
	}
	return r;
}

int spec_mount_parse(const char *text, struct spec_mount *ret, struct arena *arena, struct err *err)
{
	struct spec_mount m = {.type = NULL};
	char *copy = arena_strdup(arena, text);
	size_t n = 5; /* defaults, one word more than commas, NULL */
	int r;

	for (const char *p = text; *p; p++)
		n += *p == ',';
	m.options.v = arena_array(arena, n, sizeof(*m.options.v));
	if (!copy || !m.options.v)
		return err_set(err, ENOMEM, "read a mount");
	r = *text == '/' ? parse_short(text, copy, &m, err) : parse_long(text, copy, &m, err);
	if (r < 0)
		return r;
	*ret = m;
	return 0;
}
