/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every place of every seed, and every member that a table has and a seed's object has not, with
 * each of ten values in it that are mostly wrong there. What is right follows from the row that
 * reads the place, or stands in the one table below; everything else must be an error that names
 * exactly this place.
 */
#include "test_badinput.h"

static const char *const values[] = {"null", "true",  "0",  "-1", "1.5",
				     "\"\"", "\"x\"", "[]", "{}", "[null]"};

enum {
	NUL = 1 << 0,
	TRUE_ = 1 << 1,
	ZERO = 1 << 2,
	MINUS = 1 << 3,
	HALF = 1 << 4,
	EMPTY = 1 << 5,
	X = 1 << 6,
	LIST = 1 << 7,
	OBJECT = 1 << 8,
	LIST_OF_NULL = 1 << 9,
	ALL = (1 << 10) - 1,
};

/*
 * What is taken, or refused, otherwise than the generic readers do. @elsewhere: good in its place,
 * but then an error stands there.
 */
static const struct exception {
	const char *seed, *pattern; /* fnmatch(3) */
	unsigned taken, refused;
	const char *elsewhere; /* also a pattern */
} exceptions[] = {
#include "../badinput/accepted.h"
};

/* By the reader, for every row that has it. */
static const struct {
	spec_reader *read;
	unsigned taken;
} readers[] = {
	{spec_read_text, EMPTY | X},
	{spec_read_word, EMPTY | X},
	{spec_read_filled, X},
	{spec_read_path, 0},
	{spec_read_bool, TRUE_},
	{spec_read_bool_option, TRUE_},
	{spec_read_list, LIST},
	{spec_read_strings, LIST},
	{spec_read_paths, LIST},
	{spec_read_cpu_list, EMPTY},
	{spec_read_ignored, ALL},
	{spec_read_noted, ALL},
	{spec_read_unapplied, NUL | ZERO | EMPTY | LIST | OBJECT},
};

static bool has_required(const struct spec_field *fields, unsigned required)
{
	for (; fields->name; fields++)
		if (fields->flags & required)
			return true;
	return false;
}

static unsigned required_flags(const struct seed *s)
{
	return SPEC_REQUIRED | (str_eq(s->door->name, "config") ? SPEC_REQUIRED_CONFIG : 0);
}

static unsigned taken_by_row(const struct seed *s, const struct spec_field *row)
{
	unsigned taken = row->flags & required_flags(s) ? 0 : NUL;

	if (row->read == spec_read_int) {
		const struct spec_int *in = row->arg;

		taken |= in->min <= 0 ? ZERO : 0;
		taken |= in->min <= -1 ? MINUS : 0;
	}
	if (row->read == spec_read_object && !has_required(row->arg, required_flags(s)))
		taken |= OBJECT;
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if (readers[i].read == row->read)
			taken |= readers[i].taken;
	return taken;
}

static bool used[ARRAY_SIZE(exceptions)];
static size_t cases, wrong;

static const struct exception *exception_at(const struct seed *s, const char *pointer, unsigned bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++) {
		const struct exception *x = &exceptions[i];

		if (!((x->taken | x->refused) & bit) || fnmatch(x->seed, s->name, 0) != 0 ||
		    fnmatch(x->pattern, pointer, 0) != 0)
			continue;
		used[i] = true;
		return x;
	}
	return NULL;
}

static bool error_like(const struct spec_errors *errors, const char *pattern)
{
	for (size_t i = 0; i < errors->n; i++)
		if (fnmatch(pattern, errors->v[i].pointer, 0) == 0)
			return true;
	return false;
}

static void complain(const struct seed *s, const char *pointer, const char *value, const char *what,
		     const struct spec_errors *errors)
{
	char line[1024];

	first_error(errors, line, sizeof(line));
	/* Some are enough to see what is wrong. */
	if (wrong++ < 40)
		print_error("%s: %s = %s: %s (%s)\n", s->name, pointer, value, what, line);
}

static void try_value(const struct seed *s, const char *pointer, const struct spec_field *row,
		      unsigned v)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	unsigned bit = 1u << v;
	const struct exception *x = exception_at(s, pointer, bit);
	bool taken = x ? x->taken & bit : row && (taken_by_row(s, row) & bit);
	const char *elsewhere = x ? x->elsewhere : NULL;
	struct spec_errors errors;
	int r = s->door->parse(spoil(s->text, pointer, values[v], &arena), &arena, &errors);

	cases++;
	if (r < 0 && errors.n == 0)
		complain(s, pointer, values[v], "refused without an error", &errors);
	else if (elsewhere && !error_like(&errors, elsewhere))
		complain(s, pointer, values[v], "no error where one is expected", &errors);
	else if (taken && !elsewhere && r < 0)
		complain(s, pointer, values[v], "refused, but should be taken", &errors);
	else if (!taken && r == 0)
		complain(s, pointer, values[v], "taken, but should be refused", &errors);
	else if (!taken && !error_at(&errors, pointer))
		complain(s, pointer, values[v], "no error names the place", &errors);
}

static void try_all(const struct seed *s, const char *pointer, const struct spec_field *row)
{
	for (unsigned v = 0; v < ARRAY_SIZE(values); v++)
		try_value(s, pointer, row, v);
}

/* The place, what is in it, and what its table has besides. */
static void walk(const struct seed *s, const struct json *j)
{
	const struct spec_field *fields, *row = NULL;
	char pointer[256], member[400];

	json_pointer(j, pointer, sizeof(pointer));
	if (j->parent && j->key) {
		json_pointer(j->parent, member, sizeof(member));
		fields = fields_at(s, member);
		row = fields ? spec_find_field(fields, j->key) : NULL;
	}
	if (!row || row->read != spec_read_ignored || j->type == JSON_STRING)
		try_all(s, pointer, row);
	if (row && row->read == spec_read_ignored)
		return;
	for (const struct json *c = j->child; c; c = c->next)
		walk(s, c);
	fields = fields_at(s, pointer);
	for (; fields && fields->name; fields++) {
		if (json_get(j, fields->name))
			continue;
		snprintf(member, sizeof(member), "%s/%s", pointer, fields->name);
		try_all(s, member, fields);
	}
}

static void every_type(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct seed *seeds = arena_array(&arena, MAX_SEEDS, sizeof(*seeds));
	size_t n = read_seeds(seeds, &arena);

	(void)state;
	for (size_t i = 0; i < n; i++)
		walk(&seeds[i], seeds[i].root);
	print_message("%zu cases, %zu wrong\n", cases, wrong);
	assert_int_equal(wrong, 0);
	assert_true(cases > 6000);
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
		if (!used[i])
			fail_msg("nothing is at %s any more", exceptions[i].pattern);
}

/* ---- every member of every table stands in a seed ---- */

/* An empty list or object shows nothing of what may be in it. */
static bool shows(const struct json *j, const struct spec_field *row)
{
	if (!j || j->type == JSON_NULL)
		return false;
	return (j->type != JSON_ARRAY && j->type != JSON_OBJECT) || j->child ||
	       row->read == spec_read_unapplied || row->read == spec_read_ignored;
}

static bool has_value(const struct seed *seeds, size_t n, const struct spec_field *fields,
		      const struct spec_field *row)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < seeds[i].n_objects; k++) {
			const struct json *j, *c;

			if (seeds[i].objects[k].fields != fields)
				continue;
			j = json_at(seeds[i].root, seeds[i].objects[k].pointer);
			c = j ? json_get(j, row->name) : NULL;
			if (shows(c, row))
				return true;
		}
	return false;
}

static void every_member_has_a_seed(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct seed *seeds = arena_array(&arena, MAX_SEEDS, sizeof(*seeds));
	size_t n = read_seeds(seeds, &arena), missing = 0;

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < seeds[i].n_objects; k++)
			/* Of the flags of a personality none is known. */
			for (const struct spec_field *f = seeds[i].objects[k].fields; f->name;
			     f++) {
				if (has_value(seeds, n, seeds[i].objects[k].fields, f) ||
				    str_eq(seeds[i].objects[k].pointer, "/linux/personality"))
					continue;
				print_error("%s/%s: give it a value in tests/badinput/seeds\n",
					    seeds[i].objects[k].pointer, f->name);
				missing++;
			}
	assert_int_equal(missing, 0);
}

/* An object that no table has read: its members would not be tried. */
static const char *const maps[] = {
	"/annotations",
	"/linux/sysctl",
	"/linux/netDevices",
	"/linux/resources/unified",
	"/linux/resources/rdma",
	"/unified",
	"/rdma",
	"/linux/timeOffsets",
};

static size_t undescribed(const struct seed *s, const struct json *j)
{
	const struct spec_field *fields, *row = NULL;
	char pointer[256], parent[256];
	size_t n = 0;

	json_pointer(j, pointer, sizeof(pointer));
	if (j->parent && j->key) {
		json_pointer(j->parent, parent, sizeof(parent));
		fields = fields_at(s, parent);
		row = fields ? spec_find_field(fields, j->key) : NULL;
	}
	if (row && row->read == spec_read_ignored)
		return 0;
	if (j->type == JSON_OBJECT && !fields_at(s, pointer)) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
			known |= str_eq(maps[i], pointer);
		if (!known)
			print_error("%s: no table has read this object\n", pointer);
		n += !known;
	}
	for (const struct json *c = j->child; c; c = c->next)
		n += undescribed(s, c);
	return n;
}

static void every_object_has_a_table(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct seed *seeds = arena_array(&arena, MAX_SEEDS, sizeof(*seeds));
	size_t n = read_seeds(seeds, &arena), missing = 0;

	(void)state;
	for (size_t i = 0; i < n; i++)
		missing += undescribed(&seeds[i], seeds[i].root);
	assert_int_equal(missing, 0);
}

/* ---- required members ---- */

static bool is_missing(const struct spec_errors *errors, const char *pointer)
{
	for (size_t i = 0; i < errors->n; i++)
		if (str_eq(errors->v[i].pointer, pointer))
			return str_starts(errors->v[i].text, "missing");
	return false;
}

static void every_required_member(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct seed *seeds = arena_array(&arena, MAX_SEEDS, sizeof(*seeds));
	size_t n = read_seeds(seeds, &arena), tried = 0;

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < seeds[i].n_objects; k++) {
			const struct spec_field *f = seeds[i].objects[k].fields;

			for (; f->name; f++) {
				AUTO_ARENA struct arena one = ARENA_INIT;
				struct spec_errors errors;
				char pointer[400];

				if (!(f->flags & required_flags(&seeds[i])))
					continue;
				tried++;
				snprintf(pointer, sizeof(pointer), "%s/%s",
					 seeds[i].objects[k].pointer, f->name);
				assert_true(seeds[i].door->parse(
						    spoil(seeds[i].text, pointer, NULL, &one), &one,
						    &errors) < 0);
				if (!is_missing(&errors, pointer))
					fail_msg("%s removed: %s: %s", pointer, errors.v[0].pointer,
						 errors.v[0].text);
			}
		}
	assert_true(tried > 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_has_a_seed),
		cmocka_unit_test(every_object_has_a_table),
		cmocka_unit_test(every_required_member),
		cmocka_unit_test(every_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
