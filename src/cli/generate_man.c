/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manual pages, in man(7): oakum(1) and one a command. */
#include <string.h>

#include "base/str.h"
#include "cli/generate.h"

/* One character of a table's text. "…" would need a coding that troff(1) is not told; `x` is bold.
 */
static const char *put_character(FILE *f, const char *p, bool *bold)
{
	if (str_starts(p, "…")) {
		fputs("...", f);
		return p + strlen("…");
	}
	if (*p == '`') {
		*bold = !*bold;
		fputs(*bold ? "\\fB" : "\\fR", f);
	} else if (*p == '\\') {
		fputs("\\e", f);
	} else if (*p == '-') {
		fputs("\\-", f);
	} else if (*p == '\'') {
		fputs("\\(aq", f);
	} else {
		fputc(*p, f);
	}
	return p + 1;
}

static void put_inline(FILE *f, const char *text)
{
	bool bold = false;

	for (const char *p = text; *p;)
		p = put_character(f, p, &bold);
}

/* Lines; an empty one begins a paragraph. A dot in front would be a request. */
static void put_text(FILE *f, const char *text)
{
	bool bold = false, start = true;

	for (const char *p = text; *p;) {
		if (p[0] == '\n' && p[1] == '\n') {
			fputs("\n.PP\n", f);
			start = true;
			p += 2;
			continue;
		}
		if (start && *p == '.')
			fputs("\\&", f);
		start = *p == '\n';
		p = put_character(f, p, &bold);
	}
	fputc('\n', f);
}

static void put_header(FILE *f, const char *page, const char *summary)
{
	fprintf(f, ".\\\" Written by the program from its option tables.\n");
	fprintf(f, ".TH %s 1 \"\" \"oakum %s\" \"User Commands\"\n.SH NAME\n%s \\- ", page,
		oakum_version(), page);
	put_text(f, summary);
}

static void put_option(FILE *f, const struct option_def *d)
{
	fputs(".TP\n\\fB", f);
	if (d->letter)
		fprintf(f, "\\-%c\\fR, \\fB", d->letter);
	fputs("\\-\\-", f);
	put_inline(f, d->name);
	fputs("\\fR", f);
	if (d->metavar) {
		fputs(d->flags & OPTION_OPTIONAL ? "[=\\fI" : "=\\fI", f);
		put_inline(f, d->metavar);
		fputs(d->flags & OPTION_OPTIONAL ? "\\fR]" : "\\fR", f);
	}
	fputc('\n', f);
	put_text(f, d->help);
	if (d->choices) {
		fputs("(one of: ", f);
		fputs(d->choices, f);
		fputs(")\n", f);
	}
	if (d->flags & OPTION_REPEAT)
		fputs("(may be repeated)\n", f);
}

static void put_options(FILE *f, const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->name; d++)
		if (generate_shows_option(d))
			put_option(f, d);
}

static void put_examples(FILE *f, const char *examples)
{
	fputs(".SH EXAMPLES\n.nf\n", f);
	put_text(f, examples);
	fputs(".fi\n", f);
}

static void put_command(FILE *f, const struct command *k)
{
	char page[64];
	struct strbuf b;

	strbuf_init(&b, page, sizeof(page));
	strbuf_add(&b, "oakum\\-");
	strbuf_add(&b, k->name);
	put_header(f, page, k->summary);
	fprintf(f,
		".SH SYNOPSIS\n.B oakum\n[\\fIGLOBAL OPTION\\fR]...\n.B %s\n[\\fIOPTION\\fR]...\n",
		k->name);
	put_text(f, k->usage);
	fputs(".SH DESCRIPTION\n", f);
	put_text(f, k->description ? k->description : k->summary);
	if (k->options) {
		fputs(".SH OPTIONS\n", f);
		put_options(f, k->options);
	}
	if (k->examples)
		put_examples(f, k->examples);
	fputs(".SH SEE ALSO\n.BR oakum (1)\n", f);
}

static const char description[] =
	"oakum makes and runs OCI containers from bundles, and supervises them. It takes the "
	"command "
	"lines of runc and of crun: installed under one of these names, it also answers with their "
	"forms and exit statuses.\n\n"
	"Options may be written --name value or --name=value, and may stand behind the other words "
	"of "
	"a command up to the command of a container; -- ends them.";

static const char exit_status[] =
	".TP\n0\ndone\n.TP\n1\nthe kernel refused, or a resource is short\n.TP\n2\nwrong command "
	"line\n"
	".TP\n3\nwrong config.json or process.json\n.TP\n4\nno such container, or it is in the "
	"wrong "
	"state\n.TP\n5\nthe ID is in use\n.TP\n6\na right, a kernel feature or a part of oakum is "
	"missing\n.TP\n126, 127\nthe program of the container cannot be executed, does not exist\n"
	".TP\n255\n.B exec\ncould not begin\n.PP\n\\fBrun\\fR, \\fBexec\\fR, \\fBup\\fR and "
	"\\fBwait\\fR end with the status of the container's process, 128 + N when signal N ended "
	"it. Called as runc or crun, 1 stands for 2 to 6, 126 and 127.\n";

static const char files[] =
	".TP\n\\fI/run/oakum/ID\\fR\nstate of a container ($XDG_RUNTIME_DIR/oakum/ID for users "
	"without "
	"privileges): gone when it is deleted\n.SH ENVIRONMENT\n.TP\nXDG_RUNTIME_DIR\nwhere the "
	"state "
	"root of a user without privileges is\n.TP\nLISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES\n"
	"descriptors of socket activation, passed on to the container\n.TP\nNOTIFY_SOCKET\n"
	"of \\fBcreate\\fR, \\fBstart\\fR and \\fBrun\\fR: the container has one too, and what it "
	"says of "
	"its state is passed on; \\fBstart\\fR and \\fBrun --detach\\fR return when it is "
	"ready\n.TP\n"
	"RUN_OCI_SECCOMP_RECEIVER\nunix socket of a seccomp agent, where the configuration names "
	"none\n.TP\nPATH\nwhere \\fBps\\fR finds ps(1)\n";

static void put_program(FILE *f)
{
	put_header(f, "oakum", "run and supervise OCI containers");
	fputs(".SH SYNOPSIS\n.B oakum\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIOPTION\\fR]... "
	      "[\\fIWORD\\fR]...\n.SH DESCRIPTION\n",
	      f);
	put_text(f, description);
	fputs(".SH COMMANDS\n", f);
	for (const struct command *const *t = command_table; *t; t++) {
		if (!generate_shows(*t))
			continue;
		fprintf(f, ".TP\n\\fB%s\\fR ", (*t)->name);
		put_text(f, (*t)->usage);
		put_text(f, (*t)->summary);
	}
	fputs(".PP\n.BR oakum\\-COMMAND (1)\ntells more of each.\n", f);
	fputs(".SH GLOBAL OPTIONS\n", f);
	put_options(f, command_globals);
	fputs(".SH EXIT STATUS\n", f);
	fputs(exit_status, f);
	fputs(".SH FILES\n", f);
	fputs(files, f);
	fputs(".SH SEE ALSO\n.BR oakum\\-annotations (7),\n.BR oakum\\-compat (7),\n.BR "
	      "oakum\\-engines (7),\n.BR oakum\\-errors (7),\n.BR oakum\\-systemd "
	      "(7),\n.BR runc (8),\n.BR crun (1)\n",
	      f);
}

void generate_man(FILE *f, const struct command *k)
{
	if (k)
		put_command(f, k);
	else
		put_program(f);
}
