/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids by regular expression; see match.h. */
#include "cli/match.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct ids {
	regex_t pattern;
	char **v;
	size_t n;
};

static int keep(void *data, const char *id)
{
	struct ids *ids = data;
	char **more;

	if (regexec(&ids->pattern, id, 0, NULL, 0) != 0)
		return 0;
	more = reallocarray(ids->v, ids->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	ids->v = more;
	ids->v[ids->n] = strdup(id);
	return ids->v[ids->n++] ? 0 : -ENOMEM;
}

int match_each(struct command_context *c, const char *pattern,
	       int (*each)(struct command_context *c, const char *id, void *data), void *data)
{
	struct ids ids = {.n = 0};
	int status = 0, r = regcomp(&ids.pattern, pattern, REG_EXTENDED | REG_NOSUB);
	char why[128];

	if (r != 0) {
		(void)regerror(r, &ids.pattern, why, sizeof(why));
		return cli_error(c, OAKUM_E_USAGE, 0, "regular expression '%s': %s", pattern, why);
	}
	r = oakum_list_ids(c->oakum, keep, &ids);
	if (r < 0)
		status = r == -ENOMEM ? cli_error(c, OAKUM_E_RUNTIME, ENOMEM, "list containers")
				      : cli_fail(c);
	for (size_t i = 0; r >= 0 && i < ids.n; i++) {
		int one = each(c, ids.v[i], data);

		status = status ? status : one;
	}
	for (size_t i = 0; i < ids.n; i++)
		free(ids.v[i]);
	free(ids.v);
	regfree(&ids.pattern);
	return status;
}
