/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * liboakum: the life of OCI containers, as a library.
 *
 * One handle (struct oakum) is one state root with its settings; it is used by one thread at a
 * time. Every function that can fail returns 0, a positive answer named at the function, or a
 * negative errno; the words are then in the handle (oakum_error_*). Option structs begin with their
 * size, so that they can grow: set it with OAKUM_OPTIONS(). Nothing here prints or exits.
 *
 * Strings and arrays passed in are copied or used before the call returns; what is handed out is
 * owned as said at each function. Descriptors handed out are close-on-exec.
 */
#ifndef OAKUM_H
#define OAKUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OAKUM_OPTIONS(type, ...) ((struct type){.size = sizeof(struct type), __VA_ARGS__})

struct oakum;
struct oakum_state;

/* Classes of failure; also the exit statuses of oakum(1) (docs/errors.md). */
enum oakum_error_kind {
	OAKUM_OK = 0,
	OAKUM_E_RUNTIME = 1,
	OAKUM_E_USAGE = 2,
	OAKUM_E_CONFIG = 3,
	OAKUM_E_STATE = 4,
	OAKUM_E_EXISTS = 5,
	OAKUM_E_UNSUPPORTED = 6,
	OAKUM_E_NOT_EXECUTABLE = 126,
	OAKUM_E_NOT_FOUND = 127,
};

enum oakum_cgroup_manager { OAKUM_CGROUPFS, OAKUM_CGROUP_SYSTEMD, OAKUM_CGROUP_DISABLED };

struct oakum_options {
	size_t size;
	const char *root; /* state root; NULL: /run/oakum, or $XDG_RUNTIME_DIR/oakum for others than
			     root, also for root of a user namespace unless $USER is "root" */
	enum oakum_cgroup_manager cgroup_manager;
	int rootless;				     /* -1 auto, 0 no, 1 yes */
	void (*debug)(void *data, const char *line); /* debug lines; NULL: none */
	void *debug_data;
	void (*warn)(void *data, const char *line); /* what went wrong and was survived (a poststop
						       hook); NULL: none */
	void *warn_data;
	bool strict; /* unknown members of a configuration, and what is warned of, are errors */
	const char *command; /* what errors begin with instead of the call's own name ("create"):
				the caller's, until the handle is freed; NULL: nothing else */
};

/*
 * Open a state root. It is made (mode 0700) when the first container is; one that is a symlink, is
 * owned by somebody else or may be written by others is refused. The handle is freed by
 * oakum_free(), which takes NULL. 0 and *@ret; < 0 and *@ret is a handle that only holds the error
 * (free it), or NULL out of memory.
 */
int oakum_new(const struct oakum_options *options, struct oakum **ret);
void oakum_free(struct oakum *o);

/* What went wrong in the last call on this handle: @i < count lines, outermost first words, no
 * newline. Valid until the next call. More than one only for a bad configuration. */
size_t oakum_error_count(const struct oakum *o);
const char *oakum_error_text(const struct oakum *o, size_t i);
const char *oakum_error_hint(const struct oakum *o, size_t i); /* advice, or "" */
enum oakum_error_kind oakum_error_kind(const struct oakum *o);
int oakum_error_errno(const struct oakum *o);

/* The version of the library, "0.1.0"; the newest specification it knows. */
const char *oakum_version(void);
const char *oakum_commit(void); /* of the source it was built from, or "unknown" */
const char *oakum_spec_version(void);

/*
 * Protect the program against being overwritten through /proc/PID/exe of a container process
 * (CVE-2019-5736): execute it again from a detached read-only mount of itself. Call it first in
 * main(), before threads, where a container process will be made. Returns 0 when the process
 * already runs from one, does not return when it executes, < 0 (-errno) when neither is possible.
 * @argv as main() got it.
 */
int oakum_protect(char *const argv[]);

/* create(1): a container whose process waits to be started. */
struct oakum_create {
	size_t size;
	const char *bundle;	 /* directory; NULL: "." */
	const char *config;	 /* file; NULL: config.json in the bundle */
	const char *config_text; /* instead of a file: the JSON itself; bundle is then for relative
				    paths */
	size_t config_text_size;
	const char *cgroup;	    /* its path, instead of cgroupsPath; NULL: as configured */
	const char *cgroup_default; /* its path where there is no cgroupsPath; NULL: oakum's own */
	const char *console_socket; /* unix socket that gets the terminal's master (SCM_RIGHTS) */
	const char *pid_file;
	const char *pidfd_socket; /* unix socket that gets a pidfd */
	unsigned preserve_fds;	  /* fds 3… passed on, after the listen fds */
	unsigned listen_fds;	  /* of the caller's LISTEN_FDS */
	/* The caller's NOTIFY_SOCKET: the container gets one of its own, whose messages
	   oakum_start() reads. NULL: none. */
	const char *notify_socket;
	/* With it, goes into the process's environment as WATCHDOG_USEC (sd_watchdog_enabled(3));
	   0: does not. */
	uint64_t watchdog_usec;
	bool no_pivot, no_new_keyring;
	bool hooks_in_root;  /* createContainer hooks run in the root, as runc has it, not in the
				bundle */
	bool keep_terminal;  /* hand the master to the caller (oakum_process.terminal) */
	bool plain_terminal; /* a newline of the program is not turned into "\r\n": for output
				that no terminal shows */
	bool detached;	     /* run -d: a terminal needs a console socket */
	int stdio[3];	    /* for the container's 0…2; -1: the caller's own 0…2. Not closed. */
	bool supervised;    /* the caller stays and answers for it: recorded in the state */
	int supervisor_fd;  /* descriptor number of the supervisor's control directory */
	int64_t timeout_ms; /* for the whole creation; 0: 60 s */
};
#define OAKUM_CREATE(...)                                                                          \
	OAKUM_OPTIONS(oakum_create, .stdio = {-1, -1, -1}, .supervisor_fd = -1, ##__VA_ARGS__)

/* A process just made. The caller owns both descriptors and, being its parent, reaps it. */
struct oakum_process {
	pid_t pid;
	int pidfd;
	int terminal; /* master of its pty, or -1 */
};
#define OAKUM_PROCESS_INIT ((struct oakum_process){.pid = 0, .pidfd = -1, .terminal = -1})

/*
 * 0 and *@ret (may be NULL). The process dies with the caller until the call returns, not after. On
 * failure nothing is left. Blocks for hooks, bounded by timeout_ms.
 */
int oakum_create(struct oakum *o, const char *id, const struct oakum_create *options,
		 struct oakum_process *ret);

/* Were we started by a manager of systemd, as the only process that its unit's cgroup has? To be
 * asked where systemd, before 248, has set no SYSTEMD_EXEC_PID. */
bool oakum_unit_alone(struct oakum *o);

/*
 * For a supervisor that is the main process of a systemd unit with Delegate=yes: the unit's cgroup
 * is its to use. The caller moves to a sub-cgroup of it, and *@ret (malloc'ed, free(3)) is the path
 * of another one, for oakum_create.cgroup. OAKUM_NO_UNIT: this is no such unit, as far as can be
 * told; with @claim a user's cgroup is taken for one that is delegated (his manager does not tell
 * before systemd 254). < 0.
 */
enum { OAKUM_NO_UNIT = 1 };
int oakum_unit_cgroup(struct oakum *o, bool claim, char **ret);

struct oakum_start {
	size_t size;
	const char *notify_socket; /* the caller's NOTIFY_SOCKET, or NULL */
	int64_t timeout_ms; /* for the program to be executed; 0: 60 s. With startContainer hooks
			       only where a seccomp agent answers, on top of their timeouts */
	int *ret_notify; /* gets the end that the container's notifications come to (the caller's),
			    or -1 if it has none; NULL: the call reads them itself */
};
/*
 * plan(1): what oakum_create() would do, in order, as text for people or as @json, malloc'ed
 * (free(3)). Changes nothing and needs no rights. < 0 where it would be refused; *@ret is not NULL
 * even then where the configuration itself is good, and to be freed. Of @options what concerns
 * terminals and sockets is not looked at. @id may be NULL: one called "ID".
 */
int oakum_plan(struct oakum *o, const char *id, const struct oakum_create *options, bool json,
	       char **ret);

/*
 * doctor(1): what this host lacks, and, with @bundle, for what of the bundle create or start would
 * fail on it, as text for people or as @json, malloc'ed (free(3)). The bundle is tried out as far
 * as that changes nothing: a process goes through all that a container's first process does, on a
 * copy of the root that nobody else sees. @id: as whom; @bundle: NULL for the host alone. 0:
 * nothing was found; < 0: the errors of the handle are those that create or start would give, in
 * that order, and
 * *@ret is still the report, unless it is NULL.
 */
int oakum_doctor(struct oakum *o, const char *id, const struct oakum_create *bundle, bool json,
		 char **ret);

/*
 * start(1): let it run. Returns after its program has been executed (or has failed to be, with
 * OAKUM_E_NOT_FOUND or OAKUM_E_NOT_EXECUTABLE) and the poststart hooks have run. Where the
 * container was created with a notify socket, there is one now, and nobody else is to read it: then
 * after the container has said READY=1, which is passed on with MAINPID, or has ended. @options may
 * be NULL.
 */
int oakum_start(struct oakum *o, const char *id, const struct oakum_start *options);

/* A service manager (sd_notify(3)), and what it is to know of its unit's main process. */
struct oakum_notify {
	size_t size;
	const char
		*socket; /* its NOTIFY_SOCKET; NULL, or none that can be sent to: nobody is told */
	pid_t main_pid;	 /* goes with READY=1, as MAINPID; 0: does not */
	pid_t sender;	 /* named as the sender where the kernel lets us, as a manager listens to
			    the main process alone unless NotifyAccess= says more; 0: ourselves */
	bool patient;	 /* other words than changes of state wait for room as well */
};
/* Pass on what has come to @fd (oakum_start.ret_notify), at most @max messages. Trouble is a
 * warning of @o (NULL: nobody is warned). How many there were; poll(2) says when to look. */
int oakum_notify_relay(struct oakum *o, int fd, const struct oakum_notify *to, int max);
/* Tell it @text ("READY=1\nSTATUS=…"). A change of state (READY, RELOADING, STOPPING, MAINPID)
 * waits for room in its queue, at most 5 s; with @wait it has read that, within 5 s more, when the
 * call returns. 0, or < 0. @o may be NULL. */
int oakum_notify_tell(struct oakum *o, const struct oakum_notify *to, const char *text, bool wait);

enum oakum_status { OAKUM_CREATING, OAKUM_CREATED, OAKUM_RUNNING, OAKUM_PAUSED, OAKUM_STOPPED };
const char *oakum_status_name(enum oakum_status s);

/* state(1). 0 and *@ret, freed by oakum_state_free(). */
int oakum_state(struct oakum *o, const char *id, struct oakum_state **ret);
void oakum_state_free(struct oakum_state *s);
/* Getters; strings live as long as @s. */
const char *oakum_state_id(const struct oakum_state *s);
enum oakum_status oakum_state_status(const struct oakum_state *s);
pid_t oakum_state_pid(const struct oakum_state *s); /* 0 when stopped */
const char *oakum_state_bundle(const struct oakum_state *s);
const char *oakum_state_rootfs(const struct oakum_state *s);
const char *oakum_state_created(const struct oakum_state *s); /* RFC 3339, nanoseconds, UTC */
const char *oakum_state_owner(const struct oakum_state *s);   /* user name, or the uid as text */
const char *
oakum_state_cgroup(const struct oakum_state *s);	/* path in every hierarchy, "" if none */
bool oakum_state_terminal(const struct oakum_state *s); /* process.terminal of its configuration */
/* Its supervisor: 0 and a pidfd checked to be that process (the caller's), its pid and the number
 * of the control directory's descriptor there; 1: not supervised, or the supervisor has ended; < 0.
 */
int oakum_state_supervisor(const struct oakum_state *s, int *ret_pidfd, pid_t *ret_pid,
			   int *ret_fd);
/* The JSON of the runtime specification ("State") with what runc and crun add, one member a line as
 * they print it, NUL-terminated. */
const char *oakum_state_json(const struct oakum_state *s);

/*
 * list(1): call @each for every container, sorted by id. The state is freed after the call. A
 * container that cannot be read is reported by @bad (id, one line) and skipped; @bad may be NULL. A
 * root that does not exist: 0 if it is the default, else -ENOENT.
 */
int oakum_list(struct oakum *o, int (*each)(void *data, const struct oakum_state *s),
	       void (*bad)(void *data, const char *id, const char *text), void *data);

/* The ids alone, sorted, of all that has a state: quick, as no state is read. Returns as
 * oakum_list(). */
int oakum_list_ids(struct oakum *o, int (*each)(void *data, const char *id), void *data);

/* The signal of "TERM", "SIGTERM", "15", "RTMIN+1"; -EINVAL. And its name ("SIGTERM") or NULL. */
int oakum_signal_parse(const char *text);
const char *oakum_signal_name(int sig);

/* kill(1). @all: every process of the container; without it all are killed too where the pid
 * namespace is shared and @sig is SIGKILL. After SIGKILL the container's process is waited for, at
 * most a second, and so are all others where all are killed: on success they are most likely
 * dead, and who is not is named in a warning. */
int oakum_kill(struct oakum *o, const char *id, int sig, bool all);

/* pause(1), resume(1): back when the kernel says so. @timeout_ms 0: 10 s. */
int oakum_pause(struct oakum *o, const char *id, int64_t timeout_ms);
int oakum_resume(struct oakum *o, const char *id, int64_t timeout_ms);

struct oakum_delete {
	size_t size;
	bool force;	 /* kill it first; an unknown id is no error */
	int64_t wait_ms; /* for dying tasks; 0: 10 s; -1: do not wait */
};
/* delete(1). Waits for a dying task instead of failing. What is left when it gives up is named
 * process by process. */
int oakum_delete(struct oakum *o, const char *id, const struct oakum_delete *options);

struct oakum_exec {
	size_t size;
	const char *process; /* a process.json, NULL: from args and the container's own process */
	const char *const *args;   /* NULL-terminated */
	const char *const *env;	   /* "K=V" added, NULL-terminated or NULL */
	const char *cwd;	   /* NULL: the container's */
	const char *user;	   /* "UID[:GID]", NULL: the container's */
	const char *const *groups; /* additional gids as text, NULL-terminated or NULL */
	const char *const *caps;   /* names added, NULL-terminated or NULL */
	bool terminal;
	bool no_new_privileges; /* true: set it; false: as the container */
	bool ignore_paused;	/* wait until resumed instead of failing */
	bool detached;
	bool keep_terminal, plain_terminal;
	const char *const *cgroups; /* sub-cgroups, "PATH" or (v1) "CONTROLLER[,CONTROLLER]:PATH",
				       NULL-terminated or NULL: the container's own */
	const char *console_socket, *pid_file, *pidfd_socket;
	const char *apparmor, *process_label;
	unsigned preserve_fds, listen_fds;
	int stdio[3]; /* -1: the caller's */
	int64_t timeout_ms;
};
#define OAKUM_EXEC(...) OAKUM_OPTIONS(oakum_exec, .stdio = {-1, -1, -1}, ##__VA_ARGS__)

/* exec(1): one more process in the container. Returns when its program has been executed; *@ret as
 * in oakum_create(). */
int oakum_exec(struct oakum *o, const char *id, const struct oakum_exec *options,
	       struct oakum_process *ret);

/*
 * update(1): change the limits of a container that is created, running or paused, live. What is not
 * named stays as it is; device rules, where there are any, replace all that stand.
 */
struct oakum_update {
	size_t size;
	const char *file; /* with the JSON of "linux.resources" (may be a pipe; "-": standard
			     input), or NULL */
	const char *text; /* instead: the JSON itself */
	size_t text_size;
	const char *rdt; /* besides, or alone: the JSON of "linux.intelRdt", whose lines are
			    written into the container's resctrl class; without one it gets one */
	size_t rdt_size;
};
int oakum_update(struct oakum *o, const char *id, const struct oakum_update *options);

/*
 * mounts(1): binds and tmpfs more, or less, for a container that is created, running or paused: all
 * that are given, or, where one cannot be added, none. Its configuration stays as it was.
 */
struct oakum_mounts {
	size_t size;
	const char *file; /* with a JSON array like "mounts" (may be a pipe; "-": standard
			     input), or NULL */
	const char *text; /* instead: the JSON itself */
	size_t text_size;
	bool remove; /* take away what is mounted at their destinations */
};
int oakum_mounts(struct oakum *o, const char *id, const struct oakum_mounts *options);

/*
 * checkpoint(1) and restore(1): what criu(8), which has to be in the PATH, is asked for. Both take
 * the same; of the paths, relative ones are the caller's.
 */
struct oakum_criu {
	size_t size;
	const char *image_path;	 /* directory of the images; NULL: "checkpoint" */
	const char *work_path;	 /* of criu's log and the rest; NULL: the images' */
	const char *parent_path; /* images of the dump before, relative to image_path, or NULL */
	bool leave_running;	 /* checkpoint: it goes on, and is not deleted */
	bool pre_dump;		 /* checkpoint: memory alone, and it goes on */
	bool tcp_established, tcp_close, tcp_skip_in_flight, link_remap, ext_unix_sk, shell_job,
		file_locks, auto_dedup, lazy_pages;
	const char *manage_cgroups_mode; /* "soft", "full", "strict", "ignore"; NULL: soft */
	const char *network_lock;	 /* "iptables", "nftables", "skip"; NULL: criu's own */
	const char *page_server;	 /* "ADDRESS:PORT", or NULL */
	bool empty_network;		 /* the network namespace is not saved, and is made empty */
	int status_fd; /* a zero byte is written there when lazy pages can be served; -1: nowhere */
	const char *lsm_profile, *lsm_mount_context; /* restore: "TYPE:NAME"; or NULL */
};
#define OAKUM_CRIU(...) OAKUM_OPTIONS(oakum_criu, .status_fd = -1, ##__VA_ARGS__)

/* Save a running or paused container, which is deleted afterwards unless the options say
 * otherwise. On failure it goes on. */
int oakum_checkpoint(struct oakum *o, const char *id, const struct oakum_criu *options);

/* A container from a bundle and the images of the one that was saved: it runs. 0 and *@ret as
 * oakum_create(); on failure nothing is left. */
int oakum_restore(struct oakum *o, const char *id, const struct oakum_criu *options,
		  const struct oakum_create *create, struct oakum_process *ret);

/*
 * What a container uses now: a picture, freed by oakum_stats_free().
 */
struct oakum_stats;
int oakum_stats(struct oakum *o, const char *id, struct oakum_stats **ret);
void oakum_stats_free(struct oakum_stats *s);
/* "data" of what events(1) prints, with the members that runc has; as long as @s. NULL out of
 * memory. */
const char *oakum_stats_json(const struct oakum_stats *s);

enum oakum_stat {
	OAKUM_STAT_TIME_NS,	 /* when it was taken, by CLOCK_MONOTONIC */
	OAKUM_STAT_CPU_NS,	 /* CPU time since its beginning */
	OAKUM_STAT_MEMORY,	 /* bytes, without file pages that nobody has used lately */
	OAKUM_STAT_MEMORY_LIMIT, /* bytes */
	OAKUM_STAT_PIDS,	 /* processes and threads */
	OAKUM_STAT_PIDS_LIMIT,
	OAKUM_STAT_NETWORK_RECEIVED, /* bytes, all interfaces of its own network but loopback */
	OAKUM_STAT_NETWORK_SENT,
	OAKUM_STAT_BLOCK_READ, /* bytes */
	OAKUM_STAT_BLOCK_WRITTEN,
	OAKUM_STAT_CPU_PRESSURE, /* of the last 10 s, the part in which some process had to wait;
				    hundredths of a percent */
	OAKUM_STAT_MEMORY_PRESSURE,
	OAKUM_STAT_IO_PRESSURE,
};
/* False: nobody counts that, or there is no such limit. */
bool oakum_stats_value(const struct oakum_stats *s, enum oakum_stat what, uint64_t *ret);

/*
 * events(1): what happens to a container until it ends. The watch is independent of the handle, but
 * for the words of a failure; events_close() takes NULL. The container must not be stopped.
 */
struct oakum_events;
struct oakum_watch {
	size_t size;
	int64_t interval_ms; /* between OAKUM_EVENT_STATS; 0: none */
};
int oakum_events_open(struct oakum *o, const char *id, const struct oakum_watch *options,
		      struct oakum_events **ret);
void oakum_events_close(struct oakum_events *e);

enum oakum_event_type {
	OAKUM_EVENT_STATS,
	OAKUM_EVENT_OOM, /* one process was killed because memory ran out; or, where that killer is
			    switched off (v1), one waits for memory */
	OAKUM_EVENT_PAUSED,
	OAKUM_EVENT_RESUMED,
	OAKUM_EVENT_EXIT, /* the last one */
};
const char *oakum_event_name(enum oakum_event_type type); /* "stats" */

struct oakum_event {
	enum oakum_event_type type;
	const struct oakum_stats *stats; /* of STATS, until the next call */
	/* Of EXIT: is the status known (Linux 6.15), one of both is 0. */
	bool known;
	int status, signal;
	uint64_t oom_kills; /* seen by this watch */
	bool oom_known;	    /* there were no others */
};

/* A descriptor that polls readable when there may be an event. The watch's. */
int oakum_events_fd(const struct oakum_events *e);

/* Wait, at most @timeout_ms (-1: for ever), for the next event. 0 and *@ret; OAKUM_NO_EVENT;
 * OAKUM_NO_MORE: EXIT has been told; < 0 (the words are in the handle). */
enum { OAKUM_NO_EVENT = 1, OAKUM_NO_MORE = 2 };
int oakum_events_next(struct oakum_events *e, int64_t timeout_ms, struct oakum_event *ret);

/*
 * Count OOM kills from now on until after the container's cgroup is gone: opened before
 * oakum_start(), none is missed. 0 and *@ret, freed by oakum_oom_close(); OAKUM_NOT_COUNTED: the
 * container has no cgroup or no memory controller, or the kernel does not count (before 4.13); < 0.
 */
struct oakum_oom;
enum { OAKUM_NOT_COUNTED = 1 };
int oakum_oom_open(struct oakum *o, const char *id, struct oakum_oom **ret);
void oakum_oom_close(struct oakum_oom *w);
/* 0 and how many there were; OAKUM_NOT_COUNTED: there may have been more, the cgroup was removed by
 * others than oakum_delete(). */
int oakum_oom_kills(struct oakum_oom *w, uint64_t *ret);
/* The descriptors that it holds, for who closes all others; -1 where @w is NULL. */
#define OAKUM_OOM_DESCRIPTORS 5
void oakum_oom_descriptors(const struct oakum_oom *w, int ret[OAKUM_OOM_DESCRIPTORS]);
/* Where others remove the cgroup with what it counts as soon as it is empty (systemd that of a
 * scope): a descriptor that polls EPOLLPRI | EPOLLET when it may be, to call oakum_oom_kills() at
 * once. -1: no need. */
int oakum_oom_fd(const struct oakum_oom *w);

/* Pids of the container in our pid namespace, sorted; *@ret is freed with free(3). */
int oakum_pids(struct oakum *o, const char *id, pid_t **ret, size_t *ret_n);

/*
 * The container's state directory (O_PATH|O_DIRECTORY, the caller's): what a supervisor keeps there
 * (log, exit record) goes with oakum_delete().
 */
int oakum_directory(struct oakum *o, const char *id, int *ret_fd);

/* spec(1): a config.json to start from, malloc'ed text (free(3)). */
int oakum_spec(struct oakum *o, bool rootless, char **ret, size_t *ret_size);

/* What `oakum up --rootfs` runs: a hardened config.json. */
struct oakum_hardened {
	size_t size;
	const char *id, *rootfs;
	const char *const *args, *const *env, *const *mounts; /* NULL-terminated or NULL */
	const char *user, *workdir, *hostname;
	int64_t memory, pids;
	double cpus;
	bool terminal, read_only, host_network;
};
int oakum_spec_hardened(struct oakum *o, const struct oakum_hardened *options, char **ret,
			size_t *ret_size);

/* features(1): the JSON of features.md, malloc'ed (free(3)). Made from the tables that do the work.
 */
int oakum_features(struct oakum *o, char **ret);

/* A person's terminal (termios(3)): raw mode, and back; the saved settings are the caller's,
 * sizeof(struct termios) bytes. @newlines: "\n" is still shown as "\r\n", which is for what comes
 * from a plain_terminal. 1: not a terminal. And the window size of one terminal given to another.
 */
struct termios;
int oakum_terminal_raw(int fd, bool newlines, struct termios *ret_saved);
int oakum_terminal_restore(int fd, const struct termios *saved);
int oakum_terminal_copy_size(int from, int to);

#ifdef __cplusplus
}
#endif

#endif
