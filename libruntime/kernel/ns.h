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

/* setns(2). The child may call it. */
int ns_join(int fd, int kind, struct err *err);

/* "pid", "network", "mount" … for one CLONE_NEW* bit. */
const char *ns_kind_name(int kind);
/* "pid", "net", "mnt" …: its file below /proc/PID/ns. */
const char *ns_file_name(int kind);

/* Are two namespace files, or one and our own, the same? 1, 0, < 0. */
int ns_same(int fd, int kind, const char *proc_ns_path);

struct ns_idmap {
	uint32_t container, host, size;
};

/*
 * Write uid_map, setgroups and gid_map of the child @pid from its parent (user_namespaces(7)); with
 * rights in one write each; without, a single own id is written directly ("deny" to setgroups
 * first) and ranges go through newuidmap(1) and newgidmap(1).
 */
int userns_map(pid_t pid, const struct ns_idmap *uids, size_t n_uids, const struct ns_idmap *gids,
	       size_t n_gids, struct err *err);

/* sethostname(2), setdomainname(2). */
int uts_hostname(const char *name, struct err *err);
int uts_domainname(const char *name, struct err *err);

/* Write one sysctl ("net.ipv4.ip_forward" or with slashes) through the private procfs @proc:
 * openat2 below sys/ without symlinks or magic links; the value is read back where it can be. */
int sysctl_write(int proc, const char *key, const char *value, struct err *err);

#endif
