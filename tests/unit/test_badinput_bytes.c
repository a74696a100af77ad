/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts that are no JSON or that something has gnawed at: every seed cut at every byte, each byte
 * replaced by each of sixteen nasty ones, removed, and doubled. What is refused has an error with
 * its place within the text; with the sanitizers this shows that nothing else happens.
 */
#include "test_badinput.h"

static const unsigned char nasty[16] = {0x00, 0x01, 0x1f, ' ', '"', '\\', '{',	'}',
					'[',  ']',  ',',  ':', '0', '-',  0x80, 0xff};

static size_t runs;

/* The place of the end of a text. */
static void end_of(const char *text, size_t size, int *line, int *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}

static void judge(const char *text, size_t size, const struct spec_errors *errors)
{
	int line, column;

	end_of(text, size, &line, &column);
	assert_true(errors->n > 0 && errors->n <= SPEC_MAX_ERRORS && errors->total >= errors->n);
	for (size_t i = 0; i < errors->n; i++) {
		const struct err *e = &errors->v[i];

		assert_true(e->kind == ERR_CONFIG || e->kind == ERR_UNSUPPORTED);
		assert_true(e->text[0] && e->line >= 1 && e->column >= 1);
		assert_true(e->line < line || (e->line == line && e->column <= column));
		assert_true(e->pointer[0] == '\0' || e->pointer[0] == '/' ||
			    str_starts(e->pointer, "…"));
	}
}

/* Parse exactly these bytes, with nothing behind them that may be read. */
static int run(const char *text, size_t size, struct arena *arena, struct spec_errors *errors)
{
	char *copy = malloc(size ? size : 1);
	struct spec *spec;
	int r;

	assert_non_null(copy);
	memcpy(copy, text, size);
	arena_reset(arena);
	r = spec_parse(copy, size, "config.json", arena, &spec, errors);
	if (r < 0)
		judge(copy, size, errors);
	free(copy);
	runs++;
	return r;
}

struct text {
	char *p;
	size_t size;
};

/* Every configuration of the seeds as it was written, or of one line. */
static size_t read_texts(struct text *texts, size_t max, struct arena *arena)
{
	DIR *d = opendir(TEST_DATA "/../badinput/seeds");
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		struct err err = ERR_INIT;
		char path[512];

		if (!strstr(e->d_name, ".json"))
			continue;
		snprintf(path, sizeof(path), TEST_DATA "/../badinput/seeds/%s", e->d_name);
		assert_true(n < max);
		assert_int_equal(io_read_alloc(AT_FDCWD, path, JSON_MAX_SIZE, arena, &texts[n].p,
					       &texts[n].size, &err),
				 0);
		while (texts[n].size && texts[n].p[texts[n].size - 1] == '\n')
			texts[n].size--;
		n++;
	}
	closedir(d);
	return n;
}

static void cut_at_every_byte(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT, one = ARENA_INIT;
	struct text texts[MAX_SEEDS];
	struct spec_errors errors;
	size_t n = read_texts(texts, MAX_SEEDS, &arena);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t size = 0; size < texts[i].size; size++) {
			assert_true(run(texts[i].p, size, &one, &errors) < 0);
			assert_int_equal(errors.total, 1);
			assert_int_equal(errors.v[0].kind, ERR_CONFIG);
		}
	arena_done(&one);
}

/* In one line, so that there are no blanks to waste the time on. */
static void gnawed(const char *text, struct arena *arena)
{
	size_t size = strlen(text);
	struct spec_errors errors;
	char *copy = malloc(size + 2);

	assert_non_null(copy);
	for (size_t i = 0; i < size; i++) {
		memcpy(copy, text, size);
		for (size_t k = 0; k < sizeof(nasty); k++) {
			copy[i] = (char)nasty[k];
			(void)run(copy, size, arena, &errors);
		}
		memcpy(copy + i, text + i + 1, size - i - 1);
		(void)run(copy, size - 1, arena, &errors);
		memcpy(copy + i, text + i, 1);
		memcpy(copy + i + 1, text + i, size - i);
		(void)run(copy, size + 1, arena, &errors);
	}
	free(copy);
}

static void every_byte_spoilt(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT, one = ARENA_INIT;
	struct seed *seeds = arena_array(&arena, MAX_SEEDS, sizeof(*seeds));
	size_t n = read_seeds(seeds, &arena);

	(void)state;
	for (size_t i = 0; i < n; i++)
		if (str_eq(seeds[i].door->name, "config"))
			gnawed(seeds[i].text, &one);
	print_message("%zu texts\n", runs);
	assert_true(runs > 50000);
}

#define CONFIG                                                                                     \
	"\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}},"            \
	"\"root\":{\"path\":\"r\"}}"

/* A name for the test's output, the text, where and what the error is. */
static const struct {
	const char *text;
	size_t size; /* 0: strlen */
	int line, column;
	const char *pointer, *says;
} syntax[] = {
	{"", 0, 1, 1, "", "the file is empty"},
	{" \n\t\r\n ", 0, 3, 2, "", "the file is empty"},
	{"{\"ociVersion\":\"1.0.0\",}", 0, 1, 23, "", "expected a key, found '}'"},
	{"{\"ociVersion\":\"1.0.0\",,", 0, 1, 23, "", "expected a key, found ','"},
	{"{\"ociVersion\":\"1.0.0\"," CONFIG " x", 0, 1, 0, "", "expected the end of the file"},
	{"{\"ociVersion\":\"1.0.0\"," CONFIG "{}", 0, 1, 0, "", "expected the end of the file"},
	{"\xef\xbb\xbf{}", 0, 1, 1, "", "byte order mark"},
	{"\xff\xfe{\0}\0", 6, 1, 1, "", "not UTF-8"},
	{"\xfe\xff\0{\0}", 6, 1, 1, "", "not UTF-8"},
	{"\0\0\0{", 4, 1, 1, "", "not UTF-8"},
	{"{\0\"a\":1}", 8, 1, 2, "", "found byte 0x00"},
	{"{\"hostname\":\"a\0b\"}", 18, 1, 15, "/hostname", "byte 0x00"},
	{"{\"hostname\":\"a\\u0000b\"}", 0, 1, 15, "/hostname", "U+0000"},
	{"{\"hostname\":\"\\ud800\"}", 0, 1, 14, "/hostname", "lone surrogate"},
	{"{\"hostname\":\"\\udc00\\ud800\"}", 0, 1, 14, "/hostname", "lone surrogate"},
	{"{\"hostname\":\"\xc0\xaf\"}", 0, 1, 14, "/hostname", "not UTF-8"},
	{"{\"hostname\":\"\xed\xa0\x80\"}", 0, 1, 14, "/hostname", "not UTF-8"},
	{"{\"hostname\":\"\xf4\x90\x80\x80\"}", 0, 1, 14, "/hostname", "not UTF-8"},
	{"{\"hostname\":\"\x01\"}", 0, 1, 14, "/hostname", "has to be written \\u0001"},
	{"{\"hostname\":\"a\nb\"}", 0, 1, 15, "/hostname", "the line ends inside a string"},
	{"{ // no\n}", 0, 1, 3, "", "JSON has no comments"},
	{"{ /* no */ }", 0, 1, 3, "", "JSON has no comments"},
	{"{'hostname':1}", 0, 1, 2, "", "found '''"},
	{"{\"process\":{\"oomScoreAdj\":NaN}}", 0, 1, 27, "/process/oomScoreAdj",
	 "unknown word NaN"},
	{"{\"process\":{\"oomScoreAdj\":-Infinity}}", 0, 1, 0, "/process/oomScoreAdj", ""},
	{"{\"process\":{\"oomScoreAdj\":01}}", 0, 1, 27, "/process/oomScoreAdj", "leading zero"},
	{"{\"process\":{\"oomScoreAdj\":+1}}", 0, 1, 27, "/process/oomScoreAdj", "found '+'"},
	{"{\"process\":{\"oomScoreAdj\":1.}}", 0, 1, 0, "/process/oomScoreAdj", "malformed number"},
	{"{\"process\":{\"oomScoreAdj\":0x10}}", 0, 1, 28, "/process", "found 'x'"},
	{"null", 0, 1, 1, "", "expected an object, found null"},
	{"[]", 0, 1, 1, "", "expected an object, found an array"},
	{"\"x\"", 0, 1, 1, "", "found the string \"x\""},
	{"7", 0, 1, 1, "", "found the number 7"},
	{"true", 0, 1, 1, "", "found true"},
	{"{\"a\":1,\"a\":1}", 0, 1, 12, "/a", "given twice (first at 1:6)"},
	{"{\"process\":{\"args\":[],\n\"args\":[]}}", 0, 2, 8, "/process/args",
	 "given twice (first at 1:20)"},
};

static void every_syntax_error(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_errors errors;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(syntax); i++) {
		size_t size = syntax[i].size ? syntax[i].size : strlen(syntax[i].text);
		const struct err *e = &errors.v[0];

		if (run(syntax[i].text, size, &arena, &errors) == 0)
			fail_msg("%zu is taken: %s", i, syntax[i].text);
		if (e->line != syntax[i].line ||
		    (syntax[i].column && e->column != syntax[i].column) ||
		    !str_eq(e->pointer, syntax[i].pointer) || !strstr(e->text, syntax[i].says))
			fail_msg("%zu: %s: %d:%d: %s: %s", i, syntax[i].text, e->line, e->column,
				 e->pointer, e->text);
	}
}

/* What is right though it looks odd. */
static void odd_but_good(void **state)
{
	static const char *const texts[] = {
		"{\"ociVersion\":\"1.0.0\",\"hostname\":null," CONFIG,
		"\r\n\t {\"ociVersion\":\"1.0.0\"," CONFIG "\n\n",
		"{\"ociVersion\":\"1.0\\u002e0\"," CONFIG,
		"{\"ociVersion\":\"1.0.0\",\"\\ud83d\\ude00\":1e400," CONFIG,
		"{\"ociVersion\":\"1.0.0\",\"vm\":[-0,-0.0,1E+2,1e-2]," CONFIG,
	};
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_errors errors;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (run(texts[i], strlen(texts[i]), &arena, &errors) < 0)
			fail_msg("%s: %s", texts[i], errors.v[0].text);
}

/* What has a bound. */
static void too_much(void **state)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct spec_errors errors;
	char *big = malloc(JSON_MAX_SIZE + 64);
	size_t n;

	(void)state;
	assert_non_null(big);
	for (int k = 0; k < 2; k++) {
		n = (size_t)sprintf(big, "{\"annotations\":");
		memset(big + n, "[{"[k], 100000);
		assert_true(run(big, n + 100000, &arena, &errors) < 0);
	}
	n = (size_t)sprintf(big, "{\"");
	memset(big + n, 'k', 10u << 20);
	n += 10u << 20;
	n += (size_t)sprintf(big + n, "\":1}");
	assert_true(run(big, n, &arena, &errors) < 0);
	assert_non_null(strstr(errors.v[0].text, "bytes"));
	memset(big, ' ', JSON_MAX_SIZE + 1);
	assert_true(spec_parse(big, JSON_MAX_SIZE + 1, "config.json", &arena,
			       &(struct spec *){NULL}, &errors) < 0);
	assert_int_equal(errors.v[0].code, EFBIG);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_byte), cmocka_unit_test(every_syntax_error),
		cmocka_unit_test(odd_but_good),	     cmocka_unit_test(too_much),
		cmocka_unit_test(every_byte_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
