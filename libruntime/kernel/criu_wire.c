/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to criu as bytes (field numbers of its rpc.proto), and what its log says of a failure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/pb.h"
#include "base/str.h"
#include "kernel/criu.h"

#define LOG_LEVEL 4

/* Of criu_req. */
enum { REQUEST_TYPE = 1, REQUEST_OPTIONS = 2 };

/* Of criu_opts. */
enum {
	O_IMAGES_DIR_FD = 1,
	O_PID = 2,
	O_LEAVE_RUNNING = 3,
	O_EXT_UNIX_SK = 4,
	O_TCP_ESTABLISHED = 5,
	O_EVASIVE_DEVICES = 6,
	O_SHELL_JOB = 7,
	O_FILE_LOCKS = 8,
	O_LOG_LEVEL = 9,
	O_LOG_FILE = 10,
	O_PAGE_SERVER = 11,
	O_NOTIFY_SCRIPTS = 12,
	O_ROOT = 13,
	O_PARENT_IMG = 14,
	O_TRACK_MEM = 15,
	O_AUTO_DEDUP = 16,
	O_WORK_DIR_FD = 17,
	O_LINK_REMAP = 18,
	O_MANAGE_CGROUPS = 24,
	O_CGROUP_ROOT = 25,
	O_RST_SIBLING = 26,
	O_INHERIT_FD = 27,
	O_MANAGE_CGROUPS_MODE = 34,
	O_EXTERNAL = 37,
	O_EMPTY_NS = 38,
	O_JOIN_NS = 39,
	O_FREEZE_CGROUP = 44,
	O_TCP_SKIP_IN_FLIGHT = 46,
	O_LAZY_PAGES = 48,
	O_ORPHAN_PTS_MASTER = 50,
	O_CONFIG_FILE = 51,
	O_TCP_CLOSE = 52,
	O_LSM_PROFILE = 53,
	O_LSM_MOUNT_CONTEXT = 63,
	O_NETWORK_LOCK = 64,
};

static void put_flags(struct pb_out *m, const struct criu_request *q)
{
	pb_flag(m, O_LEAVE_RUNNING, q->leave_running);
	pb_flag(m, O_EXT_UNIX_SK, q->ext_unix_sk);
	pb_flag(m, O_TCP_ESTABLISHED, q->tcp_established);
	pb_flag(m, O_SHELL_JOB, q->shell_job);
	pb_flag(m, O_FILE_LOCKS, q->file_locks);
	pb_flag(m, O_AUTO_DEDUP, q->auto_dedup);
	pb_flag(m, O_LINK_REMAP, q->link_remap);
	pb_flag(m, O_TCP_SKIP_IN_FLIGHT, q->tcp_skip_in_flight);
	pb_flag(m, O_LAZY_PAGES, q->lazy_pages);
	pb_flag(m, O_TCP_CLOSE, q->tcp_close);
	pb_flag(m, O_NOTIFY_SCRIPTS, true);
	pb_flag(m, O_ORPHAN_PTS_MASTER, true);
}

/* A message of one number and one string, or of two strings, as most of them are. */
static void put_pair(struct pb_out *m, unsigned field, unsigned a, const char *text, unsigned b,
		     const char *other, const int *number)
{
	unsigned char mem[2 * 4096];
	struct pb_out inner;

	pb_init(&inner, mem, sizeof(mem));
	pb_text(&inner, a, text);
	pb_text(&inner, b, other);
	if (number)
		pb_i64(&inner, b, *number);
	pb_message(m, field, &inner);
}

static void put_lists(struct pb_out *m, const struct criu_request *q)
{
	for (size_t i = 0; i < q->n_external; i++)
		pb_text(m, O_EXTERNAL, q->external[i]);
	for (size_t i = 0; i < q->n_inherit; i++)
		put_pair(m, O_INHERIT_FD, 1, q->inherit[i].key, 2, NULL, &q->inherit[i].fd);
	for (size_t i = 0; i < q->n_join; i++)
		put_pair(m, O_JOIN_NS, 1, q->join[i].kind, 2, q->join[i].path, NULL);
	if (q->cgroup_root)
		put_pair(m, O_CGROUP_ROOT, 1, NULL, 2, q->cgroup_root, NULL);
	if (q->page_server)
		put_pair(m, O_PAGE_SERVER, 1, q->page_server, 2, NULL, &q->page_server_port);
}

static void put_options(struct pb_out *m, const struct criu_request *q, const int dirs[2])
{
	pb_i64(m, O_IMAGES_DIR_FD, dirs[0]);
	pb_i64(m, O_WORK_DIR_FD, dirs[1]);
	pb_u64(m, O_LOG_LEVEL, LOG_LEVEL);
	pb_text(m, O_LOG_FILE, q->log);
	pb_text(m, O_ROOT, q->root);
	if (q->action == CRIU_RESTORE) {
		pb_flag(m, O_RST_SIBLING, true);
		pb_flag(m, O_EVASIVE_DEVICES, true);
	} else {
		pb_i64(m, O_PID, q->pid);
	}
	put_flags(m, q);
	/* Versions before 1.6 know but the first of the two. */
	pb_flag(m, O_MANAGE_CGROUPS, q->cgroup_mode != CRIU_CGROUPS_IGNORE);
	pb_u64(m, O_MANAGE_CGROUPS_MODE, q->cgroup_mode);
	if (q->network_lock)
		pb_u64(m, O_NETWORK_LOCK, q->network_lock);
	if (q->empty_ns)
		pb_u64(m, O_EMPTY_NS, q->empty_ns);
	pb_text(m, O_PARENT_IMG, q->parent);
	pb_flag(m, O_TRACK_MEM, q->parent || q->action == CRIU_PRE_DUMP);
	pb_text(m, O_FREEZE_CGROUP, q->freeze_cgroup);
	pb_text(m, O_CONFIG_FILE, q->config_file);
	pb_text(m, O_LSM_PROFILE, q->lsm_profile);
	pb_text(m, O_LSM_MOUNT_CONTEXT, q->lsm_mount_context);
	put_lists(m, q);
}

int criu_encode(const struct criu_request *request, const int dirs[2], void *buf, size_t size,
		size_t *ret_size)
{
	struct pb_out whole, options;

	/* The second half is scratch. */
	pb_init(&whole, buf, size / 2);
	pb_init(&options, (unsigned char *)buf + size / 2, size - size / 2);
	put_options(&options, request, dirs);
	pb_u64(&whole, REQUEST_TYPE, request->action);
	pb_message(&whole, REQUEST_OPTIONS, &options);
	if (whole.overflow)
		return -E2BIG;
	*ret_size = whole.len;
	return 0;
}

/* "(00.014004)      1: Error (criu/cgroup.c:1187): cg: Can't move" from "cg: " on. */
static const char *words_of(const char *line)
{
	const char *words = strstr(line, "): ");

	if (line[0] == '(' && words && strstr(words, "Error"))
		words = strstr(words + 3, "): ");
	return words ? words + 3 : line;
}

void criu_log_errors(const char *text, char *buf, size_t size)
{
	static const char mark[] = "Error (";
	const char *last[2] = {NULL, NULL};
	struct strbuf b;

	for (const char *at = text; (at = strstr(at, mark)); at += sizeof(mark) - 1) {
		const char *end = strchrnul(at, '\n'), *words = words_of(at);
		const char *verdict = strstr(at, "FAILED.");

		if (verdict && verdict < end)
			break;
		last[0] = last[1];
		last[1] = words;
	}
	strbuf_init(&b, buf, size);
	for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
		if (!last[i])
			continue;
		strbuf_add(&b, b.len ? "; " : "");
		strbuf_addn(&b, last[i], (size_t)(strchrnul(last[i], '\n') - last[i]));
	}
}
