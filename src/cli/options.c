/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one parser of command lines. "--name value", "--name=value", "-n value", "-n=value",
 * "-nvalue", several switches behind one dash, and, as runc takes it, "-name value". Options may
 * stand behind words until the command says that the rest belongs to somebody else.
 */
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

struct parser {
	struct command_context *c;
	char **word; /* the next one; the list ends with NULL */
	struct err *err;
};

static int usage(struct parser *p, const char *what, const char *word)
{
	const struct command *command = p->c->command;

	err_kind(p->err, ERR_USAGE, 0, "%s%s%s '%s'", command ? command->name : "",
		 command ? ": " : "", what, word);
	err_hint(p->err, "see `%s%s%s --help`", p->c->program, command ? " " : "",
		 command ? command->name : "");
	return -EINVAL;
}

static const struct option_def *find_name(const struct option_def *table, const char *name,
					  size_t len)
{
	for (const struct option_def *d = table; d && d->name; d++)
		if (strlen(d->name) == len && memcmp(d->name, name, len) == 0)
			return d;
	return NULL;
}

static const struct option_def *find_letter(const struct option_def *table, char letter)
{
	for (const struct option_def *d = table; d && d->name; d++)
		if (d->letter == letter)
			return d;
	return NULL;
}

static const struct option_def *look_up(const struct parser *p, const char *name, size_t len)
{
	const struct command *command = p->c->command;
	const struct option_def *d = command ? find_name(command->options, name, len) : NULL;

	if (d)
		return d;
	/* argp's, from which crun has them. */
	if (p->c->peer == CLI_CRUN && len == 5 && memcmp(name, "usage", 5) == 0)
		return find_name(command_globals, "help", 4);
	return find_name(command_globals, name, len);
}

static const struct option_def *look_up_letter(const struct parser *p, char letter)
{
	const struct command *command = p->c->command;
	const struct option_def *d = command ? find_letter(command->options, letter) : NULL;

	if (letter == '?')
		letter = 'h';
	if (letter == 'V' && p->c->peer == CLI_CRUN)
		letter = 'v';
	if (d || (command && letter != 'h'))
		return d;
	return find_letter(command_globals, letter);
}

static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (const char *s = choices; *s; s += strcspn(s, " "), s += *s == ' ')
		if (strcspn(s, " ") == len && memcmp(s, value, len) == 0)
			return len > 0;
	return false;
}

/* What Go's parser, and so runc, takes for a switch; NULL for anything else. */
static const char *switch_value(const char *text)
{
	if (is_choice("true True TRUE t T 1", text))
		return "true";
	if (is_choice("false False FALSE f F 0", text))
		return "false";
	return NULL;
}

static int add(struct parser *p, const struct option_def *d, const char *value)
{
	const struct command *command = p->c->command;
	const char *taken = d->metavar ? value : switch_value(value);

	if (!taken || (d->choices && !is_choice(d->choices, taken))) {
		err_kind(p->err, ERR_USAGE, 0, "%s%s--%s: '%s' is none of: %s",
			 command ? command->name : "", command ? ": " : "", d->name, value,
			 d->choices ? d->choices : "true false");
		return -EINVAL;
	}
	p->c->values[p->c->n_values++] = (struct option_value){d, taken};
	return 0;
}

/* @word is the option as written; @value what stands behind it in the same word, or NULL. */
static int take(struct parser *p, const struct option_def *d, const char *word, const char *value)
{
	const char *next = *p->word;

	if (!value && !d->metavar)
		value = "true";
	if (!value && (d->flags & OPTION_OPTIONAL)) {
		if (next && d->choices && is_choice(d->choices, next))
			value = *p->word++;
		else
			value = "true";
	}
	if (!value) {
		/* In runc's words: by them podman finds out that there is such an option. */
		if (!next)
			return usage(p, "flag needs an argument:", word);
		value = *p->word++;
	}
	return add(p, d, value);
}

static int parse_long(struct parser *p, const char *word, const char *name)
{
	size_t len = strcspn(name, "=");
	const struct option_def *d = look_up(p, name, len);

	if (!d)
		return usage(p, "unknown option", word);
	return take(p, d, word, name[len] ? name + len + 1 : NULL);
}

static int parse_letters(struct parser *p, const char *word)
{
	for (const char *s = word + 1; *s; s++) {
		const struct option_def *d = look_up_letter(p, *s);
		const char *value = NULL;
		int r;

		if (!d)
			return usage(p, "unknown option", word);
		if (s[1] == '=')
			value = s + 2;
		else if (d->metavar && s[1])
			value = s + 1;
		r = take(p, d, word, value);
		if (r < 0 || value)
			return r;
	}
	return 0;
}

static int parse_option(struct parser *p, const char *word)
{
	size_t len = strcspn(word + 1, "=");

	if (word[1] == '-')
		return parse_long(p, word, word + 2);
	if (len > 1 && look_up(p, word + 1, len))
		return parse_long(p, word, word + 1);
	return parse_letters(p, word);
}

const struct command *options_find_command(const char *name)
{
	for (const struct command *const *t = command_table; *t; t++)
		if (str_eq((*t)->name, name))
			return *t;
	return NULL;
}

static int take_word(struct parser *p, char *word)
{
	struct command_context *c = p->c;

	if (c->command) {
		c->args[c->n_args++] = word;
		return 0;
	}
	c->command = options_find_command(word);
	if (c->command)
		return 0;
	if (c->peer == CLI_RUNC)
		return err_kind(p->err, ERR_USAGE, 0, "No help topic for '%s'", word);
	return usage(p, "unknown command", word);
}

static bool options_ended(const struct command_context *c)
{
	int end = c->command ? c->command->options_end : 0;

	return end && c->n_args >= end;
}

int options_parse(struct command_context *c, int argc, char **argv, struct err *err)
{
	struct parser p = {.c = c, .word = argv + (argc > 0), .err = err};
	bool ended = false;
	int r = 0;

	c->values = calloc((size_t)argc + 1, sizeof(*c->values));
	c->args = calloc((size_t)argc + 1, sizeof(*c->args));
	if (!c->values || !c->args)
		return err_set(err, ENOMEM, "read the command line");
	while (r == 0 && *p.word) {
		char *word = *p.word++;

		ended = ended || options_ended(c);
		if (!ended && str_eq(word, "--"))
			ended = true;
		else if (!ended && word[0] == '-' && word[1])
			r = parse_option(&p, word);
		else
			r = take_word(&p, word);
	}
	return r;
}

void options_done(struct command_context *c)
{
	free(c->values);
	free(c->args);
	c->values = NULL;
	c->args = NULL;
}

int options_check_words(const struct command_context *c, struct err *err)
{
	const struct command *k = c->command;

	if (c->n_args >= k->min_args && (k->max_args < 0 || c->n_args <= k->max_args))
		return 0;
	if (c->n_args < k->min_args)
		err_kind(err, ERR_USAGE, 0, "%s: too few arguments", k->name);
	else
		err_kind(err, ERR_USAGE, 0, "%s: unexpected argument '%s'", k->name,
			 c->args[k->max_args]);
	err_hint(err, "usage: %s %s [OPTION]... %s", c->program, k->name, k->usage);
	return -EINVAL;
}
