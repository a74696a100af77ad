/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exit.json: the last thing a supervisor writes. */
#include "supervise/exit_record.h"

#include <errno.h>
#include <fcntl.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/json_put.h"
#include "base/str.h"

#define EXIT_MAX 4096

int exit_write(int dir, const struct exit_record *r)
{
	char text[EXIT_MAX];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	strbuf_addc(&b, '{');
	json_put_i64(&b, "status", r->status);
	json_put_i64(&b, "signal", r->signal);
	json_put_flag(&b, "known", r->known);
	json_put_i64(&b, "pid", r->pid);
	json_put_text(&b, "started", r->started);
	json_put_text(&b, "finished", r->finished);
	json_put_i64(&b, "stdout_bytes", (int64_t)r->bytes[1]);
	json_put_i64(&b, "stderr_bytes", (int64_t)r->bytes[2]);
	json_put_i64(&b, "log_lost_bytes", (int64_t)r->log_lost);
	json_put_count(&b, "oom_kills", r->oom_kills);
	json_put_flag(&b, "complete", r->complete);
	strbuf_add(&b, "}\n");
	return io_replace_at(dir, EXIT_NAME, b.p, b.len);
}

static int get_number(const struct json *top, const char *name, int *ret)
{
	const struct json *j = json_get(top, name);
	int64_t v;
	int r;

	if (!j)
		return -EINVAL;
	r = json_i64(j, 0, 255, &v);
	if (r < 0)
		return r;
	*ret = (int)v;
	return 0;
}

int exit_read(int dir, struct exit_record *ret, struct err *err)
{
	AUTO_ARENA struct arena arena = ARENA_INIT;
	struct exit_record record = {.known = false, .oom_kills = -1};
	struct err local = ERR_INIT;
	const struct json *known, *kills;
	struct json *top;
	char *data;
	size_t size;
	int r;

	r = io_read_alloc(dir, EXIT_NAME, EXIT_MAX, &arena, &data, &size, &local);
	if (r == -ENOENT)
		return EXIT_ABSENT;
	if (r < 0) {
		*err = local;
		return r;
	}
	r = json_parse(data, size, EXIT_NAME, &arena, &top, err);
	if (r < 0)
		return r;
	known = json_get(top, "known");
	record.known = known && known->type == JSON_BOOL && known->boolean;
	if (get_number(top, "status", &record.status) < 0 ||
	    get_number(top, "signal", &record.signal) < 0)
		return err_set(err, EINVAL, "%s has no status", EXIT_NAME);
	kills = json_get(top, "oom_kills");
	if (kills && kills->type == JSON_NUMBER)
		(void)json_i64(kills, 0, INT32_MAX, &record.oom_kills);
	*ret = record;
	return EXIT_PRESENT;
}

int exit_shell_status(int status, int signal)
{
	return signal ? 128 + signal : status;
}
