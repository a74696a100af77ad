/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to spec/: the mounts that people write on a command line. */
#ifndef OAKUM_SPEC_SPEC_MOUNT_H
#define OAKUM_SPEC_SPEC_MOUNT_H

#include "spec/spec.h"

/*
 * "type=bind,source=/a,destination=/b,ro", "type=tmpfs,destination=/t,size=1m" or
 * "/a:/b[:options]" as an entry of "mounts" in @arena. 0, or < 0 with @err (ERR_USAGE, which
 * quotes @text).
 */
int spec_mount_parse(const char *text, struct spec_mount *ret, struct arena *arena,
		     struct err *err);

#endif
