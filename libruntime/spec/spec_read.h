/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private to spec/: one reading of a configuration, and the tables that drive it. An object of
 * the specification is a table of struct spec_field; a row says how a member is read and where
 * in the C structure it goes. Readers record errors and go on, so that one run finds them all.
 */
#ifndef OAKUM_SPEC_SPEC_READ_H
#define OAKUM_SPEC_SPEC_READ_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/json.h"
#include "spec/spec.h"

#define SPEC_MAX_NOTES	     128
#define SPEC_MAX_FIELDS	     40
#define SPEC_MAX_MOUNTS	     4096
#define SPEC_MAX_HOOKS	     4096
#define SPEC_MAX_ANNOTATIONS 1024
#define SPEC_MAX_IDMAPS	     340   /* UID_GID_MAP_MAX_EXTENTS, Linux 4.15 */
#define SPEC_MAX_GROUPS	     65536 /* NGROUPS_MAX */
#define SPEC_MAX_DEVICES     4096
#define SPEC_MAX_SYSCTL	     1024
#define SPEC_MAX_RULES	     4096
#define SPEC_MAX_PATHS	     4096
#define SPEC_MAX_IO	     1024
#define SPEC_MAX_NET_DEVICES 256
#define SPEC_MAX_NODE	     1023 /* the largest MAX_NUMNODES is 1024 */
#define SPEC_MAX_UNIFIED     256

#define SPEC_MAX_ID 4294967294u /* 4294967295 is (uid_t)-1: "no change" to the kernel */

struct spec_reading {
	struct arena *arena;
	const char *file; /* for messages */
	struct spec_errors *errors;
	bool whole; /* config.json; false: a process.json */
	bool brief; /* a few members, each meant: what is not known is worth a warning */
	bool no_memory;
	bool bad_namespaces; /* they are in error: what depends on them is not judged */
	bool bad_idmaps;
	const char **sysctl;	 /* paths below /proc/sys of spec->sysctl */
	struct spec_note *notes; /* room for SPEC_MAX_NOTES */
	size_t n_notes;
};

typedef void spec_reader(struct spec_reading *r, const struct json *j, void *out, const void *arg);

enum {
	SPEC_REQUIRED = 1,	  /* absent or null is an error */
	SPEC_REQUIRED_CONFIG = 2, /* only in config.json */
	SPEC_TWICE = 4,		  /* an object that may be given in parts: "cpu" and "CPU" */
};

/* A table ends with a row without a name. */
struct spec_field {
	const char *name;
	spec_reader *read;
	size_t offset;
	const void *arg;
	unsigned flags;
};

/* What a list of objects is; the C side is a pointer followed by its size_t count. */
struct spec_list {
	const struct spec_field *fields;
	size_t size; /* of one element */
	size_t max;
	/* After an element was read: what depends on more than one member. May be NULL. */
	void (*check)(struct spec_reading *r, const struct json *j, void *element);
};

#define SPEC_LIST_LAYOUT(type, list, count)                                                        \
	_Static_assert(offsetof(type, count) == offsetof(type, list) + sizeof(void *), #list)

enum spec_int_type { SPEC_U16, SPEC_U32, SPEC_INT, SPEC_U64, SPEC_I64 };

struct spec_int {
	enum spec_int_type type;
	bool option; /* a SPEC_OPTION() */
	int64_t min;
	uint64_t max;
};

/* Record a problem with @j. */
void spec_fail(struct spec_reading *r, const struct json *j, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with a line of advice (may be NULL). */
void spec_fail_hint(struct spec_reading *r, const struct json *j, const char *hint, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));
/* The member @name of @object is absent. */
void spec_fail_missing(struct spec_reading *r, const struct json *object, const char *name,
		       const char *why);
/* This version does not do what is asked for. */
void spec_fail_unapplied(struct spec_reading *r, const struct json *j);
/* The same where the reason is worth saying. */
void spec_fail_unsupported(struct spec_reading *r, const struct json *j, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "expected @what, found …". */
void spec_fail_type(struct spec_reading *r, const struct json *j, const char *what);

/* Put it into the list, in the order of the file. */
void spec_record(struct spec_errors *list, const struct err *e);

/* For a debug line: something is ignored, as the specification has it. */
void spec_note(struct spec_reading *r, const struct json *j, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A member that no table has: a note, or a warning where a known name is near. */
void spec_note_unknown(struct spec_reading *r, const struct json *j,
		       const struct spec_field *fields);
/* The member of @object that no row of @fields is about and whose name is nearly @name, or NULL. */
const struct json *spec_near_member(const struct json *object, const char *name,
				    const struct spec_field *fields);
/* The row for the member @key: of exactly that name, else of that name in another case, as Go's
 * decoder takes it; or NULL. */
const struct spec_field *spec_find_field(const struct spec_field *fields, const char *key);
/* ASCII, whatever the locale. */
int spec_lower(char c);
/* What the user is to know though it is no error. */
void spec_warn(struct spec_reading *r, const struct json *j, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Memory of the reading; NULL sets ->no_memory. */
void *spec_alloc(struct spec_reading *r, size_t n, size_t size);

/* "the string \"x\"", "the number 5", "an array": at most @size bytes, cut at a character. */
void spec_describe(const struct json *j, char *buf, size_t size);

/* The member @name where it is there and not null. */
const struct json *spec_given(const struct json *object, const char *name);

/* Is there nothing in it (null, "", {}, [], false, 0, or an object of such)? */
bool spec_empty(const struct json *j);

/* Readers. @arg: as said. */
void spec_read_fields(struct spec_reading *r, const struct json *j, void *base,
		      const struct spec_field *fields);
/* An error where @path (may be NULL) is longer than the kernel takes one. */
void spec_check_path(struct spec_reading *r, const struct json *j, const char *path);
spec_reader spec_read_object; /* struct spec_field[] */
spec_reader spec_read_list;   /* struct spec_list */
spec_reader spec_read_int;    /* struct spec_int */
spec_reader spec_read_bool;   /* bool */
spec_reader spec_read_bool_option;
spec_reader spec_read_text;    /* const char *, any */
spec_reader spec_read_word;    /* const char *, NULL for "" */
spec_reader spec_read_filled;  /* const char *, never "" */
spec_reader spec_read_path;    /* const char *, absolute */
spec_reader spec_read_strings; /* struct spec_strings; arg: NULL, or the most elements as size_t */
spec_reader spec_read_paths;   /* struct spec_strings, absolute */
spec_reader spec_read_ignored; /* known, without meaning here */
spec_reader spec_read_noted;   /* the same, and noted */
spec_reader spec_read_unapplied; /* known, not applied yet: an error unless empty */

/* Told of every object and the table it is about to be read by: how a test knows what there is.
 * NULL: nobody asks. */
extern void (*spec_observer)(const struct json *object, const struct spec_field *fields);

/* The string of @j where it is one, else an error and NULL. */
const char *spec_string(struct spec_reading *r, const struct json *j);
/* True where @j is an object or array of at most @max members. */
bool spec_is(struct spec_reading *r, const struct json *j, enum json_type type, size_t max);

/* Which of @n names seen so far is @key? Index of the first one, or -1 and it is added as @index.
 */
struct spec_set {
	struct spec_slot {
		const char *key;
		size_t len;
		size_t index;
	} * slots;
	size_t mask;
};
bool spec_set_init(struct spec_reading *r, struct spec_set *set, size_t n);
ssize_t spec_set_add(struct spec_set *set, const char *key, size_t len, size_t index);

/* The objects, one file each. */
extern const struct spec_field spec_process_fields[];
extern const struct spec_field spec_linux_fields[];
extern const struct spec_field spec_resources_fields[];
spec_reader spec_read_idmaps;	     /* struct spec_idmaps */
spec_reader spec_read_scheduler;     /* struct spec_scheduler */
spec_reader spec_read_io_priority;   /* struct spec_io_priority */
spec_reader spec_read_memory_policy; /* struct spec_memory_policy */
spec_reader spec_read_rdt;	     /* struct spec_rdt */
spec_reader spec_read_personality;   /* SPEC_OPTION(uint32_t) */
spec_reader spec_read_cpu_list;	     /* const char *, a list of numbers, NULL for "" */
extern const struct spec_field spec_affinity_fields[]; /* struct spec_process */
extern const struct spec_field spec_io_fields[];       /* struct spec_io */
extern const struct spec_field spec_network_fields[];  /* struct spec_resources */
extern const struct spec_list spec_hugepage_list;
spec_reader spec_read_rdma;	    /* struct spec_resources */
spec_reader spec_read_unified;	    /* struct spec_pairs */
spec_reader spec_read_seccomp;	    /* struct spec_seccomp */
spec_reader spec_read_env;	    /* struct spec_strings */
spec_reader spec_read_time_offsets; /* struct spec_time_offset[SPEC_CLOCK_COUNT] */
spec_reader spec_read_annotations;  /* struct spec */

/* Is @text one value in GVariant's text format ("uint64 5", "['a', 'b']", "<true>")? NULL if so,
 * else what is wrong with it, in static words. */
const char *spec_bad_gvariant(const char *text);

void spec_check(struct spec_reading *r, const struct json *root, struct spec *s);

#endif
