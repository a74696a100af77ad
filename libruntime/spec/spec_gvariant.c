/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GVariant's text format, in which annotations give properties of systemd units: is a text one
 * value of it? The form alone is looked at: whether systemd knows the property, and takes a value
 * of that type, only systemd can say.
 */
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

#define MAX_DEPTH 32

struct scan {
	const char *p;
	unsigned depth;
	const char *bad; /* the first complaint */
};

static bool value(struct scan *s);

static bool fail(struct scan *s, const char *bad)
{
	if (!s->bad)
		s->bad = bad;
	return false;
}

static void blanks(struct scan *s)
{
	s->p += strspn(s->p, " \t\n\r");
}

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool take_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(s->p, word, n) != 0 || word_char(s->p[n]))
		return false;
	s->p += n;
	return true;
}

static bool take_char(struct scan *s, char c)
{
	blanks(s);
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

/* 'x' or "x", a backslash takes the next character with it. */
static bool string(struct scan *s)
{
	char quote = *s->p++;

	while (*s->p && *s->p != quote)
		s->p += s->p[0] == '\\' && s->p[1] ? 2 : 1;
	if (!*s->p)
		return fail(s, "a string without its end");
	s->p++;
	return true;
}

static bool number(struct scan *s)
{
	const char *digits = "0123456789";
	size_t n;

	s->p += strspn(s->p, "+-") > 0;
	if (take_word(s, "inf") || take_word(s, "nan"))
		return true;
	if (s->p[0] == '0' && (s->p[1] == 'x' || s->p[1] == 'X')) {
		s->p += 2;
		n = strspn(s->p, "0123456789abcdefABCDEF");
		s->p += n;
		return (n && !word_char(*s->p)) || fail(s, "not a number");
	}
	n = strspn(s->p, digits);
	s->p += n;
	if (*s->p == '.') {
		s->p++;
		n += strspn(s->p, digits);
		s->p += strspn(s->p, digits);
	}
	if (n && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		s->p += strspn(s->p, "+-") > 0;
		n = strspn(s->p, digits);
		s->p += n;
	}
	return (n && !word_char(*s->p) && *s->p != '.') || fail(s, "not a number");
}

/* "key: value" in a dictionary, a value elsewhere. */
static bool item(struct scan *s, char close)
{
	if (!value(s))
		return false;
	if (close != '}')
		return true;
	/* A dictionary entry may be written {key, value} as well. */
	if (!take_char(s, ':') && !take_char(s, ','))
		return fail(s, "a dictionary entry without its value");
	return value(s);
}

static bool list(struct scan *s, char close)
{
	if (take_char(s, close))
		return true;
	while (item(s, close)) {
		if (take_char(s, close))
			return true;
		if (!take_char(s, ','))
			return fail(s, "a list without its end");
		/* A tuple of one: (5,). */
		if (close == ')' && take_char(s, close))
			return true;
	}
	return false;
}

static bool bracketed(struct scan *s)
{
	switch (*s->p++) {
	case '[':
		return list(s, ']');
	case '(':
		return list(s, ')');
	case '{':
		return list(s, '}');
	default: /* '<' */
		return value(s) && (take_char(s, '>') || fail(s, "a variant without its end"));
	}
}

/* "@as", "uint64", "just": what may stand before a value. > 0: there was one. */
static bool prefix(struct scan *s)
{
	static const char *const words[] = {
		"boolean", "byte",   "int16",  "uint16",     "int32",	  "uint32", "handle",
		"int64",   "uint64", "double", "objectpath", "signature", "string", "just",
	};
	size_t n;

	if (*s->p == '@') {
		s->p++;
		n = strspn(s->p, "bynqiuxthdsogvma(){}*?r");
		s->p += n;
		return n || fail(s, "a type without its name");
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (take_word(s, words[i]))
			return true;
	return false;
}

static bool simple(struct scan *s)
{
	if (take_word(s, "true") || take_word(s, "false") || take_word(s, "nothing"))
		return true;
	if (s->p[0] == 'b' && (s->p[1] == '\'' || s->p[1] == '"'))
		s->p++;
	if (*s->p == '\'' || *s->p == '"')
		return string(s);
	return *s->p ? number(s) : fail(s, "a value is missing");
}

static bool value(struct scan *s)
{
	bool good;

	blanks(s);
	if (++s->depth > MAX_DEPTH)
		return fail(s, "nested too deeply");
	if (prefix(s))
		good = value(s);
	else
		good = !s->bad && (*s->p && strchr("[({<", *s->p) ? bracketed(s) : simple(s));
	s->depth--;
	return good;
}

const char *spec_bad_gvariant(const char *text)
{
	struct scan s = {.p = text};

	if (!value(&s))
		return s.bad ? s.bad : "not a value";
	blanks(&s);
	return *s.p ? "something follows the value" : NULL;
}
