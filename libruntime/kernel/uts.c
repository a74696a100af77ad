/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names in the own uts namespace. Whether it is the container's own is the plan's business. */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "kernel/ns.h"

/* uname(2) has 65 bytes with the NUL. */
#define NAME_LENGTH (sizeof(((struct utsname *)NULL)->nodename) - 1)

static int check_length(const char *what, const char *name, struct err *err)
{
	if (strlen(name) <= NAME_LENGTH)
		return 0;
	return err_kind(err, ERR_CONFIG, ENAMETOOLONG, "set the %s: longer than %zu bytes", what,
			NAME_LENGTH);
}

int uts_hostname(const char *name, struct err *err)
{
	int r = check_length("hostname", name, err);

	if (r < 0)
		return r;
	if (sethostname(name, strlen(name)) < 0)
		return err_set(err, errno, "set the hostname to %s", name);
	return 0;
}

int uts_domainname(const char *name, struct err *err)
{
	int r = check_length("domainname", name, err);

	if (r < 0)
		return r;
	if (setdomainname(name, strlen(name)) < 0)
		return err_set(err, errno, "set the domainname to %s", name);
	return 0;
}
