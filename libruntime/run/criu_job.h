/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What checkpoint and restore have in common: their options as a request to criu, and its lists. */
#ifndef OAKUM_RUN_CRIU_JOB_H
#define OAKUM_RUN_CRIU_JOB_H

#include "base/arena.h"
#include "kernel/criu.h"
#include "run/handle.h"

struct spec;

/* In the images: what 0, 1 and 2 were; and the options of mounts of the host's, by mount point. */
#define CRIU_JOB_STDIO	"descriptors.json"
#define CRIU_JOB_MOUNTS "oakum-mounts.json"

struct criu_job {
	struct criu_request request;
	const struct oakum_criu *options;
	struct arena *arena;
	struct err *err;
	int images; /* the directory */
	const char **external;
	struct criu_inherit inherit[8];
	struct criu_join join[8];
	bool failed; /* a list could not grow */
};

#define CRIU_JOB_INIT ((struct criu_job){.images = -1})

/* Check @options, open the images (made for a dump, as is the other directory), which
 * criu_job_done() closes. 0, or < 0 with @err (ERR_USAGE, mostly). */
int criu_job_begin(struct criu_job *j, const struct oakum_criu *options, enum criu_action action,
		   struct arena *arena, struct err *err);
/* Choose the configuration file. */
void criu_job_config(struct criu_job *j, const struct spec *spec);
void criu_job_done(struct criu_job *j);

/* One more of criu's "external" words; of what is inherited; of what is joined. */
void criu_job_external(struct criu_job *j, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void criu_job_inherit(struct criu_job *j, const char *key, int fd);
void criu_job_join(struct criu_job *j, const char *kind, const char *path);

/* criu_run() of what has been put together. */
int criu_job_run(struct criu_job *j, pid_t *ret_pid);

/* Write a zero byte to --status-fd, and close it: lazy pages can be had. */
void criu_job_ready(struct criu_job *j);

#endif
