/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every integer of every table at and beyond the ends of its range, and the versions. */
#include "test_badinput.h"

/* Whose range has a hole that the table does not show: what is refused within it. */
static const struct {
	const char *pattern;
	__int128 from, to;
} holes[] = {
	{"*/cpu/period", 1, 999},
	{"*/cpu/period", 1000001, UINT64_MAX},
	{"*/cpu/quota", 1, 999},
	{"*/weight", 1, 9},
	{"*/leafWeight", 1, 9},
	{"*/syscalls/1/errnoRet", 4096, 65535},
	{"*/defaultErrnoRet", 4096, 65535},
};

static bool in_hole(const char *pointer, __int128 v)
{
	for (size_t i = 0; i < ARRAY_SIZE(holes); i++)
		if (fnmatch(holes[i].pattern, pointer, 0) == 0 && v >= holes[i].from &&
		    v <= holes[i].to)
			return true;
	return false;
}

static void write_number(__int128 v, char *buf, size_t size)
{
	char digits[48];
	size_t n = 0, at = 0;
	unsigned __int128 u = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;

	do {
		digits[n++] = (char)('0' + (int)(u % 10));
		u /= 10;
	} while (u);
	assert_true(n + 2 < size);
	if (v < 0)
		buf[at++] = '-';
	while (n)
		buf[at++] = digits[--n];
	buf[at] = '\0';
}

static size_t cases;

static bool out_of_range(const struct spec_errors *errors, const char *pointer)
{
	for (size_t i = 0; i < errors->n; i++)
		if (str_eq(errors->v[i].pointer, pointer) &&
		    strstr(errors->v[i].text, "out of range"))
			return true;
	return false;
}

static void try_number(const struct seed *s, const char *pointer, const struct spec_int *in,
		       __int128 v, const char *suffix)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	__int128 max = in->type == SPEC_INT || in->type == SPEC_I64 ? (__int128)(int64_t)in->max
								    : (__int128)in->max;
	bool good = v >= in->min && v <= max && !in_hole(pointer, v);
	struct spec_errors errors;
	char text[64];
	int r;

	write_number(v, text, sizeof(text) - 8);
	strncat(text, suffix, 7);
	r = s->door->parse(spoil(s->text, pointer, text, &arena), &arena, &errors);
	cases++;
	if (good && out_of_range(&errors, pointer))
		fail_msg("%s: %s = %s is refused", s->name, pointer, text);
	if (!good && (r == 0 || !out_of_range(&errors, pointer)))
		fail_msg("%s: %s = %s is not refused as out of range (%s: %s)", s->name, pointer,
			 text, errors.n ? errors.v[0].pointer : "",
			 errors.n ? errors.v[0].text : "");
}

static void try_row(const struct seed *s, const char *object, const struct spec_field *row)
{
	const struct spec_int *in = row->arg;
	const __int128 one = 1;
	const __int128 v[] = {
		in->min - one,
		in->min,
		(__int128)(in->type == SPEC_I64 || in->type == SPEC_INT ? (__int128)(int64_t)in->max
									: (__int128)in->max),
		(__int128)(in->type == SPEC_I64 || in->type == SPEC_INT ? (__int128)(int64_t)in->max
									: (__int128)in->max) +
			one,
		-one,
		0,
		one << 31,
		(one << 32) - 1,
		one << 32,
		(one << 63) - 1,
		one << 63,
		(one << 64) - 1,
		one << 64,
		one << 100,
		-(one << 63) - 1};
	char pointer[400];

	snprintf(pointer, sizeof(pointer), "%s/%s", object, row->name);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		try_number(s, pointer, in, v[i], "");
		try_number(s, pointer, in, v[i], ".0");
	}
}

static void every_integer(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct seed *seeds = arena_array(&arena, MAX_SEEDS, sizeof(*seeds));
	size_t n = read_seeds(seeds, &arena);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < seeds[i].n_objects; k++) {
			const struct spec_field *f = seeds[i].objects[k].fields;

			for (; f->name; f++)
				if (f->read == spec_read_int)
					try_row(&seeds[i], seeds[i].objects[k].pointer, f);
		}
	print_message("%zu cases\n", cases);
	assert_true(cases > 1500);
}

/* Integers that are read one by one, in lists or with rules of their own. */
static void others(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct seed *seeds = arena_array(&arena, MAX_SEEDS, sizeof(*seeds));
	size_t n = read_seeds(seeds, &arena);
	static const struct spec_int group = {.type = SPEC_U32, .max = SPEC_MAX_ID};
	static const struct spec_int weight = {.type = SPEC_U64, .max = 1000};
	static const struct {
		const char *pointer;
		const struct spec_int *in;
	} places[] = {
		{"/process/user/additionalGids/0", &group},
		{"/linux/resources/blockIO/weight", &weight},
		{"/linux/resources/blockIO/weightDevice/0/leafWeight", &weight},
	};
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			__int128 max = (__int128)places[k].in->max;

			if (!json_at(seeds[i].root, places[k].pointer))
				continue;
			tried++;
			for (int d = -1; d <= 1; d++) {
				try_number(&seeds[i], places[k].pointer, places[k].in, d, "");
				try_number(&seeds[i], places[k].pointer, places[k].in, max + d, "");
				try_number(&seeds[i], places[k].pointer, places[k].in, 9 + d, ".0");
			}
		}
	assert_true(tried >= ARRAY_SIZE(places));
}

static void every_version(void **state)
{
	static const struct {
		const char *value;
		const char *text; /* of the error; NULL: taken */
		bool noted;
	} versions[] = {
		{"\"1.0.0\"", NULL, false},
		{"\"1.0.0-rc1\"", NULL, false},
		{"\"1.0.2-dev+git\"", NULL, false},
		{"\"1.1.0\"", NULL, false},
		{"\"1.2.0\"", NULL, false},
		{"\"1.2.1\"", NULL, false},
		{"\"1.2.9\"", NULL, false},
		{"\"1.3.0\"", NULL, false},
		{"\"1.3.7\"", NULL, false},
		{"\"1.4.0\"", NULL, true},
		{"\"1.99.0-rc2\"", NULL, true},
		{NULL, "missing", false},
		{"null", "missing", false},
		{"\"\"", "expected a version", false},
		{"\"0.1.0\"", "1.x.y", false},
		{"\"2.0.0\"", "1.x.y", false},
		{"\"9.0.0\"", "1.x.y", false},
		{"\"1\"", "expected a version", false},
		{"\"1.0\"", "expected a version", false},
		{"\"1.0.0.0\"", "expected a version", false},
		{"\"01.0.0\"", "expected a version", false},
		{"\"1.00.0\"", "expected a version", false},
		{"\" 1.0.0\"", "expected a version", false},
		{"\"v1.0.0\"", "expected a version", false},
		{"\"1.0.0-\"", "expected a version", false},
		{"\"1.0.0+\"", "expected a version", false},
		{"\"1.99999999999999999999.0\"", "expected a version", false},
		{"\"banana\"", "expected a version", false},
		{"1.0", "expected a string", false},
		{"[1, 0, 0]", "expected a string", false},
	};
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct seed *seeds = arena_array(&arena, MAX_SEEDS, sizeof(*seeds));

	(void)state;
	(void)read_seeds(seeds, &arena);
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		AUTO_ARENA struct arena one = ARENA_INIT;
		struct spec_errors errors;
		bool noted = false;
		int r = parse_config(spoil(seeds[0].text, "/ociVersion", versions[i].value, &one),
				     &one, &errors);

		for (size_t k = 0; k < errors.n_notes; k++)
			noted |= str_eq(errors.notes[k].pointer, "/ociVersion");
		if ((r == 0) != !versions[i].text || noted != versions[i].noted)
			fail_msg("%s: %d, %s", versions[i].value, r,
				 errors.n ? errors.v[0].text : "no error");
		if (r < 0)
			assert_string_equal(errors.v[0].pointer, "/ociVersion");
		if (r < 0 && !strstr(errors.v[0].text, versions[i].text))
			fail_msg("%s: \"%s\" lacks \"%s\"", versions[i].value, errors.v[0].text,
				 versions[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_integer),
		cmocka_unit_test(others),
		cmocka_unit_test(every_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
