/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * First the text becomes a tree, then each node gets a type: its own, that of its prefix, or the
 * one that all members of an array agree on; then the tree is appended.
 */
#include "systemd/gvariant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define MAX_DEPTH 32

enum kind { BOOLEAN, INTEGER, FLOATING, STRING, BYTES, ARRAY, TUPLE, DICTIONARY, ENTRY, VARIANT };

struct node {
	enum kind kind;
	const char *text; /* of a literal: the number, or the string without its escapes */
	size_t len;
	const char *type;	   /* given by a prefix, NULL: none */
	struct node *child, *next; /* members in order; ENTRY: key and value */
};

struct parser {
	const char *p;
	unsigned depth;
	struct arena arena;
	const char *bad; /* the first complaint */
};

static struct node *parse_value(struct parser *s);

static void *fail(struct parser *s, const char *bad)
{
	if (!s->bad)
		s->bad = bad;
	return NULL;
}

static struct node *new_node(struct parser *s, enum kind kind)
{
	struct node *n = arena_alloc(&s->arena, sizeof(*n));

	if (!n)
		return fail(s, "out of memory");
	n->kind = kind;
	return n;
}

static void blanks(struct parser *s)
{
	s->p += strspn(s->p, " \t\n\r");
}

static bool take(struct parser *s, char c)
{
	blanks(s);
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

static bool take_word(struct parser *s, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(s->p, word, n) != 0 ||
	    strspn(s->p + n, "abcdefghijklmnopqrstuvwxyz0123456789_"))
		return false;
	s->p += n;
	return true;
}

/* ---- strings ---- */

static void put_utf8(char **to, unsigned long c)
{
	unsigned char *p = (unsigned char *)*to;

	if (c < 0x80) {
		*p++ = (unsigned char)c;
	} else if (c < 0x800) {
		*p++ = (unsigned char)(0xc0 | c >> 6);
		*p++ = (unsigned char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*p++ = (unsigned char)(0xe0 | c >> 12);
		*p++ = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		*p++ = (unsigned char)(0x80 | (c & 0x3f));
	} else {
		*p++ = (unsigned char)(0xf0 | (c >> 18 & 7));
		*p++ = (unsigned char)(0x80 | (c >> 12 & 0x3f));
		*p++ = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		*p++ = (unsigned char)(0x80 | (c & 0x3f));
	}
	*to = (char *)p;
}

/* \uXXXX, \UXXXXXXXX; in bytes \NNN. False: it is none. */
static bool numbered_escape(const char **from, char **to, bool bytes)
{
	char c = **from, digits[9] = "";
	size_t n = bytes ? 3 : c == 'u' ? 4 : 8;
	const char *start = bytes ? *from : *from + 1;
	size_t found = strspn(start, bytes ? "01234567" : "0123456789abcdefABCDEF");

	if (bytes ? c < '0' || c > '7' : c != 'u' && c != 'U')
		return false;
	if (bytes && found < n)
		n = found;
	if (found < n)
		return false;
	memcpy(digits, start, n);
	if (bytes)
		*(*to)++ = (char)strtoul(digits, NULL, 8);
	else
		put_utf8(to, strtoul(digits, NULL, 16));
	*from = start + n;
	return true;
}

static struct node *parse_string(struct parser *s, bool bytes)
{
	static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	struct node *n = new_node(s, bytes ? BYTES : STRING);
	char quote = *s->p++, *to = n ? arena_alloc(&s->arena, strlen(s->p) + 1) : NULL;
	const char *p = s->p, *name;

	if (!to)
		return fail(s, "out of memory");
	n->text = to;
	while (*p && *p != quote) {
		if (*p != '\\' || !p[1]) {
			*to++ = *p++;
			continue;
		}
		p++;
		if (numbered_escape(&p, &to, bytes))
			continue;
		if (!bytes && (*p == 'u' || *p == 'U'))
			return fail(s, "an escape of too few digits");
		name = strchr(names, *p);
		*to++ = name ? values[name - names] : *p;
		p++;
	}
	if (!*p)
		return fail(s, "a string without its end");
	s->p = p + 1;
	n->len = (size_t)(to - n->text);
	if (!bytes && strlen(n->text) != n->len)
		return fail(s, "a NUL in a string");
	return n;
}

/* ---- numbers ---- */

static struct node *parse_number(struct parser *s)
{
	size_t len = strspn(s->p, "+-.0123456789abcdefxABCDEFX");
	bool hex = strncmp(s->p + (*s->p == '-' || *s->p == '+'), "0x", 2) == 0;
	struct node *n;

	if (take_word(s, "inf") || take_word(s, "nan") || len == 0 || len > 40)
		return fail(s, "not a number");
	n = new_node(s, INTEGER);
	if (!n)
		return NULL;
	n->text = arena_strndup(&s->arena, s->p, len);
	n->len = len;
	if (!n->text)
		return fail(s, "out of memory");
	if (!hex && strpbrk(n->text, ".eE"))
		n->kind = FLOATING;
	s->p += len;
	return n;
}

/* ---- containers ---- */

static struct node *parse_entry(struct parser *s)
{
	struct node *entry = new_node(s, ENTRY), *key = parse_value(s);

	if (!entry || !key)
		return NULL;
	if (!take(s, ':') && !take(s, ','))
		return fail(s, "a dictionary entry without its value");
	entry->child = key;
	key->next = parse_value(s);
	return key->next ? entry : NULL;
}

static struct node *parse_list(struct parser *s, enum kind kind, char close)
{
	struct node *n = new_node(s, kind), **end = n ? &n->child : NULL;

	if (!n || take(s, close))
		return n;
	for (;;) {
		*end = kind == DICTIONARY ? parse_entry(s) : parse_value(s);
		if (!*end)
			return NULL;
		end = &(*end)->next;
		if (take(s, close))
			return n;
		if (!take(s, ','))
			return fail(s, "a list without its end");
		if (kind == TUPLE && take(s, close))
			return n;
	}
}

static struct node *parse_variant(struct parser *s)
{
	struct node *n = new_node(s, VARIANT);

	if (!n)
		return NULL;
	n->child = parse_value(s);
	if (n->child && !take(s, '>'))
		return fail(s, "a variant without its end");
	return n->child ? n : NULL;
}

static struct node *parse_bare(struct parser *s)
{
	struct node *n;

	switch (*s->p) {
	case '[':
		s->p++;
		return parse_list(s, ARRAY, ']');
	case '(':
		s->p++;
		return parse_list(s, TUPLE, ')');
	case '{':
		s->p++;
		return parse_list(s, DICTIONARY, '}');
	case '<':
		s->p++;
		return parse_variant(s);
	case '\'':
	case '"':
		return parse_string(s, false);
	}
	if (*s->p == 'b' && (s->p[1] == '\'' || s->p[1] == '"')) {
		s->p++;
		return parse_string(s, true);
	}
	if (strncmp(s->p, "true", 4) == 0 || strncmp(s->p, "false", 5) == 0) {
		n = new_node(s, BOOLEAN);
		if (n)
			n->text = *s->p == 't' ? "1" : "0";
		s->p += *s->p == 't' ? 4 : 5;
		return n;
	}
	return parse_number(s);
}

static const struct {
	const char *word, *type;
} prefixes[] = {
	{"boolean", "b"}, {"byte", "y"},       {"int16", "n"},	   {"uint16", "q"}, {"int32", "i"},
	{"uint32", "u"},  {"int64", "x"},      {"uint64", "t"},	   {"double", "d"}, {"handle", "h"},
	{"string", "s"},  {"objectpath", "o"}, {"signature", "g"},
};

/* The type that stands before a value, or NULL. */
static const char *parse_prefix(struct parser *s)
{
	size_t n;
	const char *type;

	if (*s->p == '@') {
		n = strspn(++s->p, "bynqiuxthdsogva(){}");
		type = arena_strndup(&s->arena, s->p, n);
		s->p += n;
		return type ? type : fail(s, "out of memory");
	}
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (take_word(s, prefixes[i].word))
			return prefixes[i].type;
	return NULL;
}

static struct node *parse_value(struct parser *s)
{
	struct node *n;
	const char *type;

	blanks(s);
	if (++s->depth > MAX_DEPTH)
		return fail(s, "nested too deeply");
	type = parse_prefix(s);
	if (s->bad)
		return NULL;
	blanks(s);
	n = parse_bare(s);
	if (n)
		n->type = type;
	s->depth--;
	return n;
}

/* ---- types ---- */

/* Length of the complete type that @t begins with; 0: none. */
static size_t type_len(const char *t, unsigned depth)
{
	size_t at = 1, n;
	char close = *t == '(' ? ')' : '}';

	if (!*t || depth > MAX_DEPTH)
		return 0;
	if (*t == 'a') {
		n = type_len(t + 1, depth + 1);
		return n ? n + 1 : 0;
	}
	if (*t != '(' && *t != '{')
		return strchr("bynqiuxthdsogv", *t) ? 1 : 0;
	while (t[at] != close) {
		n = type_len(t + at, depth + 1);
		if (n == 0)
			return 0;
		at += n;
	}
	return at > 1 ? at + 1 : 0;
}

static bool fits(const struct node *n, const char *type);

static bool members_fit(const struct node *n, const char *type, char close)
{
	const struct node *c;

	for (c = n->child, type++; c && *type != close; c = c->next) {
		if (!fits(c, type))
			return false;
		type += type_len(type, 0);
	}
	return !c && *type == close;
}

/* Can @n be a value of the first type in @type? */
static bool fits(const struct node *n, const char *type)
{
	size_t len = type_len(type, 0);

	if (n->type && (strlen(n->type) != len || strncmp(n->type, type, len) != 0))
		return false;
	switch (n->kind) {
	case BOOLEAN:
		return *type == 'b';
	case INTEGER:
		return strchr("ynqiuxtdh", *type) != NULL;
	case FLOATING:
		return *type == 'd';
	case STRING:
		return strchr("sog", *type) != NULL;
	case BYTES:
		return strncmp(type, "ay", 2) == 0;
	case VARIANT:
		return *type == 'v';
	case TUPLE:
		return *type == '(' && members_fit(n, type, ')');
	case ENTRY:
		return *type == '{' && members_fit(n, type, '}');
	case ARRAY:
	case DICTIONARY:
		break;
	}
	if (*type != 'a' || (n->kind == DICTIONARY) != (type[1] == '{'))
		return false;
	for (const struct node *c = n->child; c; c = c->next)
		if (!fits(c, type + 1))
			return false;
	return true;
}

/* The type of @n, where nothing around it says more; NULL with a complaint. */
static const char *type_of(struct parser *s, const struct node *n)
{
	static const char *const simple[] = {
		[BOOLEAN] = "b", [INTEGER] = "i", [FLOATING] = "d",
		[STRING] = "s",	 [BYTES] = "ay",  [VARIANT] = "v",
	};
	const char *all = n->kind == ENTRY ? "{" : "(", *type = NULL;

	if (n->type)
		return n->type;
	if (n->kind < ARRAY || n->kind == VARIANT)
		return simple[n->kind];
	for (const struct node *c = n->child; c; c = c->next) {
		type = type_of(s, c);
		if (!type)
			return NULL;
		if (n->kind == TUPLE || n->kind == ENTRY) {
			all = arena_printf(&s->arena, "%s%s", all, type);
		} else {
			all = arena_printf(&s->arena, "a%s", type);
			if (all && fits(n, all))
				return all;
		}
		if (!all)
			return fail(s, "out of memory");
	}
	if (n->kind == ARRAY || n->kind == DICTIONARY)
		return fail(s, n->child ? "members of more than one type" : "a list of no type");
	return n->child ? arena_printf(&s->arena, "%s%s", all, n->kind == ENTRY ? "}" : ")")
			: fail(s, "an empty tuple");
}

/* ---- appending ---- */

static int append(sd_bus_message *m, struct parser *s, const struct node *n, const char *type);

static const struct {
	char type;
	bool is_signed;
	unsigned char bits;
} integers[] = {
	{'y', false, 8},  {'n', true, 16}, {'q', false, 16}, {'i', true, 32},
	{'u', false, 32}, {'x', true, 64}, {'t', false, 64},
};

static int append_integer(sd_bus_message *m, const struct node *n, char type)
{
	bool negative = n->text[0] == '-', is_signed = false;
	const char *digits = n->text + (negative || n->text[0] == '+');
	union {
		uint8_t y;
		uint16_t q;
		uint32_t u;
	} narrow;
	uint64_t v, max = 0;
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(integers); i++)
		if (integers[i].type == type) {
			is_signed = integers[i].is_signed;
			max = UINT64_MAX >> (64 - integers[i].bits + is_signed);
		}
	/* strtoull(3) would take a second sign. */
	if (!max || *digits < '0' || *digits > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(digits, &end, 0);
	if (errno || *end || (negative && !is_signed && v))
		return errno == ERANGE ? -ERANGE : -EINVAL;
	if (v > max + (negative && is_signed))
		return -ERANGE;
	if (negative)
		v = -v;
	narrow.y = (uint8_t)v;
	if (type == 'y')
		return sd_bus_message_append_basic(m, type, &narrow.y);
	narrow.q = (uint16_t)v;
	if (type == 'n' || type == 'q')
		return sd_bus_message_append_basic(m, type, &narrow.q);
	narrow.u = (uint32_t)v;
	if (type == 'i' || type == 'u')
		return sd_bus_message_append_basic(m, type, &narrow.u);
	return sd_bus_message_append_basic(m, type, &v);
}

static int append_simple(sd_bus_message *m, const struct node *n, char type)
{
	int truth = n->text[0] == '1';
	double d;
	char *end;

	switch (type) {
	case 'b':
		return sd_bus_message_append_basic(m, 'b', &truth);
	case 's':
	case 'o':
	case 'g':
		return sd_bus_message_append_basic(m, type, n->text);
	case 'd':
		d = strtod(n->text, &end);
		return *end ? -EINVAL : sd_bus_message_append_basic(m, 'd', &d);
	default:
		return append_integer(m, n, type);
	}
}

static int append_members(sd_bus_message *m, struct parser *s, const struct node *n, char container,
			  const char *type)
{
	size_t len = type_len(type, 0);
	AUTO_ARENA struct arena mine = ARENA_INIT;
	const char *contents = container == 'a' ? arena_strndup(&mine, type + 1, len - 1)
						: arena_strndup(&mine, type + 1, len - 2);
	int r = contents ? sd_bus_message_open_container(m, container, contents) : -ENOMEM;

	type++;
	for (const struct node *c = n->child; r >= 0 && c; c = c->next) {
		r = append(m, s, c, type);
		if (container != 'a')
			type += type_len(type, 0);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append(sd_bus_message *m, struct parser *s, const struct node *n, const char *type)
{
	const char *inner;
	int r;

	switch (n->kind) {
	case BYTES:
		/* As GVariant has it: with the NUL at its end. */
		return sd_bus_message_append_array(m, 'y', n->text, n->len + 1);
	case ARRAY:
	case DICTIONARY:
		return append_members(m, s, n, 'a', type);
	case TUPLE:
		return append_members(m, s, n, 'r', type);
	case ENTRY:
		return append_members(m, s, n, 'e', type);
	case VARIANT:
		inner = type_of(s, n->child);
		r = inner ? sd_bus_message_open_container(m, 'v', inner) : -EINVAL;
		if (r >= 0)
			r = append(m, s, n->child, inner);
		return r < 0 ? r : sd_bus_message_close_container(m);
	default:
		return append_simple(m, n, *type);
	}
}

int gvariant_append(sd_bus_message *m, const char *text, struct err *err)
{
	struct parser s = {.p = text, .arena = ARENA_INIT};
	struct node *n = parse_value(&s), top = {.kind = VARIANT, .child = n};
	const char *type;
	int r = -EINVAL;

	blanks(&s);
	if (n && *s.p)
		fail(&s, "something follows the value");
	type = n && !s.bad ? type_of(&s, n) : NULL;
	if (type && (type_len(type, 0) != strlen(type) || !fits(n, type)))
		fail(&s, "the value is not of its type");
	if (type && !s.bad)
		r = append(m, &s, &top, "v");
	if (r < 0 && s.bad)
		err_kind(err, ERR_CONFIG, 0, "%.100s: %s", text, s.bad);
	else if (r < 0)
		err_kind(err, ERR_CONFIG, -r, "%.100s", text);
	arena_done(&s.arena);
	return r < 0 ? r : 0;
}

int gvariant_append_seconds(sd_bus_message *m, const char *text, struct err *err)
{
	struct parser s = {.p = text + strspn(text, " "), .arena = ARENA_INIT};
	const char *type = parse_prefix(&s), *p = s.p + strspn(s.p, " ");
	bool number = !s.bad && (!type || (strlen(type) == 1 && strchr("ynqiuxtd", *type)));
	double seconds;
	char *end;
	int r;

	arena_done(&s.arena);
	errno = 0;
	seconds = strtod(p, &end);
	if (!number || end == p || end[strspn(end, " ")] || errno ||
	    !(seconds >= 0 && seconds < 1e12))
		return err_kind(err, ERR_CONFIG, EINVAL, "%.100s: not a number of seconds", text);
	r = sd_bus_message_append(m, "v", "t", (uint64_t)(seconds * 1000000 + 0.5));
	return r < 0 ? err_set(err, -r, "%.100s", text) : 0;
}
