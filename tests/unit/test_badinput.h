/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For the generated bad inputs: tests/badinput/seeds, good configurations that between them have
 * every member of every table of spec/, and what is known of each place in them: the table and
 * the row that read it, learnt from the reader itself. A member that is added to a table without
 * a value in a seed fails the tests, so that it cannot stay untried.
 */
#ifndef OAKUM_TEST_BADINPUT_H
#define OAKUM_TEST_BADINPUT_H

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>

#include "base/io.h"
#include "spec/spec_read.h"
#include "test_spec.h"

#define MAX_OBJECTS 512
#define MAX_SEEDS   16

/* One of the three doors of spec/. */
typedef int parse_fn(const char *text, struct arena *arena, struct spec_errors *errors);

static inline int parse_config(const char *text, struct arena *arena, struct spec_errors *errors)
{
	struct spec *spec;

	return spec_parse(text, strlen(text), "config.json", arena, &spec, errors);
}

static inline int parse_process(const char *text, struct arena *arena, struct spec_errors *errors)
{
	struct spec_process process;

	return spec_parse_process(text, strlen(text), "process.json", arena, &process, errors);
}

static inline int parse_resources(const char *text, struct arena *arena, struct spec_errors *errors)
{
	struct spec_resources resources;

	return spec_parse_resources(text, strlen(text), "resources.json", arena, &resources,
				    errors);
}

static const struct door {
	const char *name;
	parse_fn *parse;
	const char *part[3]; /* the members of a seed that lead to what it reads */
} doors[] = {
	{"config", parse_config, {NULL}},
	{"process", parse_process, {"process", NULL}},
	{"resources", parse_resources, {"linux", "resources", NULL}},
};

struct seed {
	char name[64];
	const struct door *door;
	char *text;
	const struct json *root;
	/* Every object that was read by a table. */
	struct {
		char pointer[256];
		const struct spec_field *fields;
	} objects[MAX_OBJECTS];
	size_t n_objects;
};

static struct seed *observed; /* the seed that is being read */

static inline void observe(const struct json *object, const struct spec_field *fields)
{
	struct seed *s = observed;

	assert_true(s->n_objects < MAX_OBJECTS);
	json_pointer(object, s->objects[s->n_objects].pointer, sizeof(s->objects[0].pointer));
	s->objects[s->n_objects++].fields = fields;
}

static inline const struct spec_field *fields_at(const struct seed *s, const char *pointer)
{
	for (size_t i = 0; i < s->n_objects; i++)
		if (str_eq(s->objects[i].pointer, pointer))
			return s->objects[i].fields;
	return NULL;
}

static inline void first_error(const struct spec_errors *errors, char *buf, size_t size)
{
	if (errors->n)
		err_format(&errors->v[0], buf, size);
	else
		snprintf(buf, size, "no error");
}

/* @s is what @door reads of the configuration @top; it must be good, or there is no such part. */
static inline bool open_seed(struct seed *s, const char *name, const struct json *top,
			     const struct door *door, struct arena *arena)
{
	struct spec_errors errors;
	struct strbuf b;
	char line[1024];

	for (int i = 0; door->part[i]; i++)
		top = top ? json_get(top, door->part[i]) : NULL;
	if (!top)
		return false;
	snprintf(s->name, sizeof(s->name), "%s (%s)", name, door->name);
	s->door = door;
	s->text = arena_alloc(arena, 1 << 18);
	strbuf_init(&b, s->text, 1 << 18);
	json_write(&b, top);
	assert_false(b.overflow);
	s->root = parse_json(s->text, arena);
	observed = s;
	spec_observer = observe;
	if (door->parse(s->text, arena, &errors) < 0) {
		first_error(&errors, line, sizeof(line));
		fail_msg("the seed %s is not good: %s", s->name, line);
	}
	spec_observer = NULL;
	return true;
}

static inline void read_seed(const char *name, struct seed *seeds, size_t *n, struct arena *arena)
{
	struct err err = ERR_INIT;
	char path[512], *text;
	struct json *top;
	size_t size;

	snprintf(path, sizeof(path), TEST_DATA "/../badinput/seeds/%s", name);
	if (io_read_alloc(AT_FDCWD, path, JSON_MAX_SIZE, arena, &text, &size, &err) < 0 ||
	    json_parse(text, size, name, arena, &top, &err) < 0)
		fail_msg("%s: %s", name, err.text);
	for (size_t i = 0; i < ARRAY_SIZE(doors); i++) {
		assert_true(*n < MAX_SEEDS);
		*n += open_seed(&seeds[*n], name, top, &doors[i], arena);
	}
}

/* All of them, for all doors; the number of them. */
static inline size_t read_seeds(struct seed *seeds, struct arena *arena)
{
	DIR *d = opendir(TEST_DATA "/../badinput/seeds");
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		if (strstr(e->d_name, ".json"))
			read_seed(e->d_name, seeds, &n, arena);
	closedir(d);
	assert_true(n > 3);
	return n;
}

/* What @pointer leads to in @j, or NULL. */
static inline const struct json *json_at(const struct json *j, const char *pointer)
{
	char part[256], key[256];

	while (j && *pointer == '/') {
		size_t n = strcspn(++pointer, "/");

		snprintf(part, sizeof(part), "%.*s", (int)n, pointer);
		unescape(part, key);
		pointer += n;
		if (j->type == JSON_ARRAY) {
			size_t i = strtoul(key, NULL, 10);

			for (j = j->child; j && j->index != i; j = j->next)
				;
		} else {
			j = json_get(j, key);
		}
	}
	return j;
}

/* Is an error at @pointer or below it? */
static inline bool error_at(const struct spec_errors *errors, const char *pointer)
{
	size_t len = strlen(pointer);

	for (size_t i = 0; i < errors->n; i++)
		if (str_starts(errors->v[i].pointer, pointer) &&
		    (errors->v[i].pointer[len] == '\0' || errors->v[i].pointer[len] == '/'))
			return true;
	return false;
}

#endif
