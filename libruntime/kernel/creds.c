/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who the process is: ids, limits, oom score, session keyring, and where its home is. Ids are
 * numbers only: no name is ever looked up, so no passwd file of an image can turn a number into
 * another user. Raw system calls, because libc's setters take a lock and signal threads.
 */
#include "kernel/creds.h"

#include <inttypes.h>
#include <linux/keyctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"

#define ID_NONE		 UINT32_MAX	    /* "leave as it is" for the kernel: never a user */
#define PASSWD_LIMIT	 ((size_t)64 << 20) /* of the image's file that are looked at */
#define KEY_OWNER_SEARCH 0x00080000u /* KEY_USR_SEARCH of linux/key.h, which is not exported */

static bool setgroups_denied(int proc)
{
	char text[16];

	return io_read_at(proc, "self/setgroups", text, sizeof(text)) > 0 && str_eq(text, "deny");
}

static int set_groups(const uint32_t *groups, size_t n, int proc, struct err *err)
{
	int have;

	if (syscall(SYS_NR_SETGROUPS, n, groups) < 0) {
		int code = errno;

		if (code != EPERM || !setgroups_denied(proc))
			return err_set(err, code, "set %zu additional groups", n);
		if (n == 0)
			return 0;
		err_hint(err, "leave out additionalGids, or map gids with newgidmap(1)");
		return err_kind(err, ERR_UNSUPPORTED, code,
				"set %zu additional groups: denied in this user namespace", n);
	}
	have = getgroups(0, NULL);
	if (have < 0 || (size_t)have != n)
		return err_set(err, EPERM, "additional groups: %d where %zu were asked for", have,
			       n);
	return 0;
}

static int check_ids(uint32_t uid, uint32_t gid, struct err *err)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) < 0 || getresgid(&rgid, &egid, &sgid) < 0)
		return err_set(err, errno, "read the ids back");
	if (ruid != uid || euid != uid || suid != uid)
		return err_set(err, EPERM, "uids read back as %u %u %u where %u was asked for",
			       ruid, euid, suid, uid);
	if (rgid != gid || egid != gid || sgid != gid)
		return err_set(err, EPERM, "gids read back as %u %u %u where %u was asked for",
			       rgid, egid, sgid, gid);
	return 0;
}

int creds_ids(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t n, int proc,
	      struct err *err)
{
	int r;

	if (uid == ID_NONE || gid == ID_NONE) {
		err_hint(err, "map it in the user namespace, or use another");
		return err_kind(err, ERR_CONFIG, ERANGE, "%s %u cannot be used",
				uid == ID_NONE ? "uid" : "gid", ID_NONE);
	}
	r = n == CREDS_KEEP_GROUPS ? 0 : set_groups(groups, n, proc, err);
	if (r < 0)
		return r;
	/* The gid first: after the uid has changed, the right to do it is gone. */
	if (syscall(SYS_NR_SETRESGID, gid, gid, gid) < 0)
		return err_set(err, errno, "set gid %u", gid);
	if (syscall(SYS_NR_SETRESUID, uid, uid, uid) < 0)
		return err_set(err, errno, "set uid %u", uid);
	return check_ids(uid, gid, err);
}

/* EPERM of prlimit(2) has two causes, and the reader can only mend one that is named. */
static int rlimit_refused(int resource, const char *name, uint64_t hard, struct err *err)
{
	int code = errno;
	struct rlimit now;

	if (code == EPERM && getrlimit(resource, &now) == 0 && hard > now.rlim_max) {
		err_hint(err, "raising a hard limit needs CAP_SYS_RESOURCE");
		return err_set(err, code, "set %s: hard limit %" PRIu64 " is above ours, %" PRIu64,
			       name, hard, (uint64_t)now.rlim_max);
	}
	if (code == EPERM && resource == RLIMIT_NOFILE)
		err_hint(err, "the bound for this limit is the sysctl fs.nr_open");
	return err_set(err, code, "set %s to %" PRIu64, name, hard);
}

int creds_rlimit(int resource, const char *name, uint64_t soft, uint64_t hard, struct err *err)
{
	struct rlimit want = {.rlim_cur = soft, .rlim_max = hard};
	struct rlimit have;

	if (soft > hard)
		return err_kind(err, ERR_CONFIG, EINVAL,
				"set %s: soft limit %" PRIu64 " is above the hard limit %" PRIu64,
				name, soft, hard);
	if (prlimit(0, resource, &want, NULL) < 0)
		return rlimit_refused(resource, name, hard, err);
	if (prlimit(0, resource, NULL, &have) < 0)
		return err_set(err, errno, "read %s back", name);
	if (have.rlim_cur != want.rlim_cur || have.rlim_max != want.rlim_max)
		return err_set(err, EPERM,
			       "%s reads back as %" PRIu64 " %" PRIu64 " where %" PRIu64 " %" PRIu64
			       " was asked for",
			       name, (uint64_t)have.rlim_cur, (uint64_t)have.rlim_max, soft, hard);
	return 0;
}

static int read_oom_score(int proc, const char *path, int64_t *ret, struct err *err)
{
	char text[16];
	ssize_t n = io_read_at(proc, path, text, sizeof(text));

	if (n >= 0)
		n = str_to_i64(text, -1000, 1000, ret);
	if (n < 0)
		return err_set(err, (int)-n, "read oom_score_adj");
	return 0;
}

int creds_oom_score(int proc, pid_t pid, int value, struct err *err)
{
	char path[48], text[16];
	struct strbuf b;
	int64_t now;
	int r;

	strbuf_init(&b, path, sizeof(path));
	if (pid)
		strbuf_i64(&b, pid);
	else
		strbuf_add(&b, "self");
	strbuf_add(&b, "/oom_score_adj");
	r = read_oom_score(proc, path, &now, err);
	if (r < 0 || now == value)
		return r;
	strbuf_init(&b, text, sizeof(text));
	strbuf_i64(&b, value);
	r = io_write_at(proc, path, text);
	if (r == -EACCES && value < now)
		err_hint(err, "a value below the caller's own (%d) needs CAP_SYS_RESOURCE",
			 (int)now);
	if (r < 0)
		return err_set(err, -r, "write %s to oom_score_adj", text);
	r = read_oom_score(proc, path, &now, err);
	if (r == 0 && now != value)
		return err_set(err, EPERM, "oom_score_adj reads back as %d where %d was written",
			       (int)now, value);
	return r;
}

/*
 * One pass over passwd(5), byte by byte, so that no line is too long:
 * name:password:uid:gid:gecos:home:shell.
 */
struct passwd_scan {
	uint32_t uid;
	unsigned field;
	bool skip;	 /* the rest of this line cannot be what we look for */
	char digits[12]; /* of the uid */
	size_t n_digits;
	char *home;
	size_t size, len;
};

static void next_line(struct passwd_scan *s)
{
	s->field = 0;
	s->skip = false;
	s->n_digits = 0;
	s->len = 0;
}

static bool uid_matches(const struct passwd_scan *s)
{
	uint64_t uid;

	return strn_to_u64(s->digits, s->n_digits, 0, ID_NONE - 1, &uid) == 0 && uid == s->uid;
}

/* True when the line of our user is complete up to its home. */
static bool end_field(struct passwd_scan *s)
{
	if (s->field == 2 && !uid_matches(s))
		s->skip = true;
	if (s->field == 5 && !s->skip)
		return true;
	s->field++;
	return false;
}

static void take_byte(struct passwd_scan *s, char c)
{
	if (s->field == 2) {
		if (s->n_digits == sizeof(s->digits))
			s->skip = true;
		else
			s->digits[s->n_digits++] = c;
	} else if (s->field == 5) {
		if (s->len + 1 >= s->size)
			s->skip = true;
		else
			s->home[s->len++] = c;
	}
}

/* True: found. A line that ends at its sixth field still has a home. */
static bool scan_block(struct passwd_scan *s, const char *block, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (block[i] == '\n') {
			if (!s->skip && s->field == 5)
				return true;
			next_line(s);
		} else if (s->skip) {
			continue;
		} else if (block[i] == ':') {
			if (end_field(s))
				return true;
		} else {
			take_byte(s, block[i]);
		}
	}
	return false;
}

/* Links are followed, but not those of /proc that lead out of the root. */
static int open_passwd(void)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	AUTO_CLOSE int fd = sys_openat2(AT_FDCWD, "/etc/passwd", &how);
	struct stat st;

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open("/etc/passwd", (int)how.flags);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	return fd_take(&fd);
}

static bool scan_passwd(int fd, struct passwd_scan *s)
{
	char block[8192];

	for (size_t total = 0; total < PASSWD_LIMIT; total += sizeof(block)) {
		ssize_t n = io_read(fd, block, sizeof(block));

		if (n <= 0)
			break;
		if (scan_block(s, block, (size_t)n))
			return true;
	}
	return !s->skip && s->field == 5;
}

void creds_home(uint32_t uid, char *buf, size_t size)
{
	struct passwd_scan s = {.uid = uid, .home = buf, .size = size};
	AUTO_CLOSE int fd = open_passwd();
	struct strbuf b;

	if (fd >= 0 && scan_passwd(fd, &s) && s.len > 0 && buf[0] == '/' &&
	    !memchr(buf, '\0', s.len)) {
		buf[s.len] = '\0';
		return;
	}
	strbuf_init(&b, buf, size);
	strbuf_add(&b, uid == 0 ? "/root" : "/");
}

static int allow_search(long key, struct err *err)
{
	char text[256];
	const char *perm = text;
	uint32_t mask = 0;
	long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof(text) - 1);

	if (n < 0)
		return err_set(err, errno, "look at the session keyring");
	text[n < (long)sizeof(text) ? n : (long)sizeof(text) - 1] = '\0';
	/* "keyring;UID;GID;PERM;NAME", PERM in hexadecimal. */
	for (int i = 0; i < 3 && perm; i++) {
		perm = strchr(perm, ';');
		perm = perm ? perm + 1 : NULL;
	}
	for (; perm && *perm && *perm != ';'; perm++) {
		const char *digits = "0123456789abcdef", *d = strchr(digits, *perm);

		if (!d)
			return err_set(err, EINVAL, "look at the session keyring: %s", text);
		mask = mask << 4 | (uint32_t)(d - digits);
	}
	if (!(mask & KEY_OWNER_SEARCH) &&
	    syscall(SYS_keyctl, KEYCTL_SETPERM, key, mask | KEY_OWNER_SEARCH) < 0)
		return err_set(err, errno, "make the session keyring searchable");
	return 0;
}

int creds_keyring(const char *id, struct err *err)
{
	char name[512];
	struct strbuf b;
	long key;

	strbuf_init(&b, name, sizeof(name));
	strbuf_add(&b, "_ses.");
	strbuf_add(&b, id);
	if (b.overflow)
		return err_set(err, ENAMETOOLONG, "name the session keyring after %s", id);
	key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	if (key < 0 && errno == ENOSYS)
		return 0;
	if (key < 0) {
		int code = errno;

		err_hint(err, code == EDQUOT
				      ? "the user's quota of keys is used up (sysctl kernel.keys.*)"
				      : "--no-new-keyring keeps the caller's keyring");
		return err_set(err, code, "join the session keyring %s", name);
	}
	return allow_search(key, err);
}
