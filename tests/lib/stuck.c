/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file system whose server does not answer. Static; nothing of oakum's.
 *
 *	stuck DIR    mount it on DIR, print "ready" and serve it until a signal comes
 *
 * It answers what mounting and binding it takes; a request for a file in it is read and never
 *answered. Linux waits for the answer to a request that has been read, whatever signal comes ("Wait
 *it out" in request_wait_answer() of fs/fuse/dev.c); while the server is stopped by SIGSTOP
 *requests are not read, and who waits for them may be killed. The end of the server ends all waits
 *with ECONNABORTED.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The one of a tmpfs that has it not: the name is gone again at once. */
static int open_fuse(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mknod("/dev/fuse", S_IFCHR | 0600, makedev(10, 229)) < 0)
		return -1;
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	unlink("/dev/fuse");
	return fd;
}

static void reply(int fd, const struct fuse_in_header *in, int error, const void *body, size_t size)
{
	char text[512];
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + (error ? 0 : size)),
		.error = -error,
		.unique = in->unique,
	};

	memcpy(text, &out, sizeof(out));
	memcpy(text + sizeof(out), body, size);
	if (write(fd, text, out.len) < 0 && errno != ENOENT)
		die("reply");
}

static void serve(int fd, const struct fuse_in_header *in)
{
	struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096};
	struct fuse_attr_out root = {
		.attr = {.ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2}};

	switch (in->opcode) {
	case FUSE_INIT:
		reply(fd, in, 0, &init, sizeof(init));
		break;
	case FUSE_GETATTR:
		reply(fd, in, 0, &root, sizeof(root));
		break;
	case FUSE_STATFS:
		reply(fd, in, 0, &(struct fuse_statfs_out){{.bsize = 4096}},
		      sizeof(struct fuse_statfs_out));
		break;
	case FUSE_LOOKUP:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(fd, in, ENOSYS, "", 0);
	}
}

int main(int argc, char **argv)
{
	static char request[FUSE_MIN_READ_BUFFER * 2];
	char options[64];
	int fd = open_fuse();

	if (argc != 2 || fd < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 fd);
	if (mount("stuck", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		die(argv[1]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		ssize_t n = read(fd, request, sizeof(request));

		if (n < 0 && errno == ENODEV)
			return 0;
		if (n < 0 && errno != EINTR && errno != ENOENT)
			die("read");
		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			serve(fd, (const struct fuse_in_header *)request);
	}
}
