/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespaces: namespaces(7). Kinds are the CLONE_NEW* bits. */
#ifndef OAKUM_KERNEL_NS_H
#define OAKUM_KERNEL_NS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* Open a namespace file and check with NS_GET_NSTYPE that it is of @kind (nsfs by fstatfs first).
 * The error says what kind it is: "/proc/self/ns/ipc is an ipc namespace, expected network". A
 * descriptor, or < 0. */
int ns_open(const char *path, int kind, struct err *err);

/* The namespace of @kind in which the process @pid is. A descriptor, or -errno. */
int ns_of(pid_t pid, int kind);

/* setns(2). The child may call it. */
int ns_join(int fd, int kind, struct err *err);

/* The kinds in the order in which a process may join them, the user namespace first. */
#define NS_KINDS 8
int ns_kind_at(size_t i);

/* "pid", "network", "mount" … for one CLONE_NEW* bit. */
const char *ns_kind_name(int kind);
/* "pid", "net", "mnt" …: its file below /proc/PID/ns. */
const char *ns_file_name(int kind);

/* Are two namespace files, or one and our own, the same? 1, 0, < 0. */
int ns_same(int fd, int kind, const char *proc_ns_path);

/* What no other namespace is called before the next boot, of an open file; 0: this kernel has no
 * such number, and its inode may become another's when it is gone. */
uint64_t ns_id(int fd);

struct ns_idmap {
	uint32_t container, host, size;
};

struct ns_idmaps {
	const struct ns_idmap *v;
	size_t n;
};

/* The entry that maps @id of the namespace, or NULL. */
const struct ns_idmap *userns_find(const struct ns_idmaps *maps, uint32_t id);
/* What @id of the namespace is outside, in *@ret. False: it is nobody there. */
bool userns_host_id(const struct ns_idmaps *maps, uint32_t id, uint32_t *ret);

/*
 * Write uid_map, setgroups and gid_map of the child @pid from its parent (user_namespaces(7)); with
 * rights in one write each; without, a single own id is written directly ("deny" to setgroups
 * first) and ranges go through newuidmap(1) and newgidmap(1). NULL, or none: not written.
 * The two programs have until @deadline_ms, most often USERNS_MAP_MS; who has not ended then is
 * named.
 */
int userns_map(pid_t pid, const struct ns_idmaps *uids, const struct ns_idmaps *gids,
	       int64_t deadline_ms, struct err *err);
#define USERNS_MAP_MS 10000

/* Are we in the first user namespace, where root is root? */
bool userns_is_first(void);
/* Root, and there. */
bool userns_is_root(void);

/* May we make namespaces without a new user namespace: CAP_SYS_ADMIN in our own one? */
bool userns_may_unshare(void);

/* Does our mount namespace belong to our user namespace, so that CAP_SYS_ADMIN counts in it? */
bool userns_may_mount(void);

/* The maps of our own user namespace, and those of @ns, whose ids are ours on the "host" side
 * (4294967295 where we have none). In @arena; a process joins @ns for the moment, so this tells
 * also whether we may: EPERM if not. 0, or < 0 with @err. */
struct arena;
int userns_own_maps(struct arena *arena, struct ns_idmaps *uids, struct ns_idmaps *gids,
		    struct err *err);
int userns_maps_of(int ns, struct arena *arena, struct ns_idmaps *uids, struct ns_idmaps *gids,
		   struct err *err);

/* sethostname(2), setdomainname(2). */
int uts_hostname(const char *name, struct err *err);
int uts_domainname(const char *name, struct err *err);

/* Write one sysctl ("net.ipv4.ip_forward" or with slashes) through the private procfs @proc:
 * openat2 below sys/ without symlinks or magic links; the value is read back where it can be. */
int sysctl_write(int proc, const char *key, const char *value, struct err *err);

#endif
