/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For the tests of spec/: a configuration with everything in it, and a way to spoil one place. */
#ifndef OAKUM_TEST_SPEC_H
#define OAKUM_TEST_SPEC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "spec/spec.h"

/* Written with single quotes; quote_config() makes them double. */
static char good_config[] =
	"{\n"
	" 'ociVersion': '1.3.0',\n"
	" 'process': {\n"
	"  'terminal': true,\n"
	"  'consoleSize': {'height': 24, 'width': 80},\n"
	"  'user': {'uid': 1000, 'gid': 1001, 'umask': 18,\n"
	"   'additionalGids': [5, 6], 'username': 'ignored'},\n"
	"  'args': ['/bin/sh', '-c', 'true'],\n"
	"  'env': ['A=1', 'B=2', 'A=3', 'C=', 'D=x=y'],\n"
	"  'cwd': '/work',\n"
	"  'capabilities': {\n"
	"   'bounding': ['CAP_CHOWN', 'CAP_KILL'],\n"
	"   'effective': ['CAP_CHOWN'],\n"
	"   'inheritable': [],\n"
	"   'permitted': ['CAP_CHOWN', 'CAP_CHECKPOINT_RESTORE'],\n"
	"   'ambient': null\n"
	"  },\n"
	"  'rlimits': [\n"
	"   {'type': 'RLIMIT_NOFILE', 'soft': 1024, 'hard': 4096},\n"
	"   {'type': 'RLIMIT_CORE', 'soft': 0, 'hard': 18446744073709551615}\n"
	"  ],\n"
	"  'noNewPrivileges': true,\n"
	"  'oomScoreAdj': -500,\n"
	"  'apparmorProfile': '', 'selinuxLabel': ''\n"
	" },\n"
	" 'root': {'path': 'rootfs', 'readonly': true},\n"
	" 'hostname': 'box',\n"
	" 'domainname': 'example',\n"
	" 'mounts': [\n"
	"  {'destination': '/proc', 'type': 'proc', 'source': 'proc'},\n"
	"  {'destination': '/data', 'type': 'bind', 'source': '/srv',\n"
	"   'options': ['rbind', 'ro'], 'uidMappings': []},\n"
	"  {'destination': '/tmp', 'type': 'tmpfs', 'options': ['size=1m']}\n"
	" ],\n"
	" 'hooks': {\n"
	"  'prestart': [{'path': '/bin/a'}],\n"
	"  'createRuntime': [{'path': '/bin/b', 'args': ['b', 'x'],\n"
	"   'env': ['K=V'], 'timeout': 5}, {'path': '/bin/c'}],\n"
	"  'createContainer': [], 'startContainer': [],\n"
	"  'poststart': [], 'poststop': [{'path': '/bin/d', 'env': []}]\n"
	" },\n"
	" 'annotations': {'com.example.key': 'value', 'empty': ''},\n"
	" 'linux': {\n"
	"  'namespaces': [\n"
	"   {'type': 'pid'},\n"
	"   {'type': 'network', 'path': '/run/netns/blue'},\n"
	"   {'type': 'ipc', 'path': ''},\n"
	"   {'type': 'uts'}, {'type': 'mount'}, {'type': 'user'},\n"
	"   {'type': 'cgroup'}\n"
	"  ],\n"
	"  'uidMappings': [{'containerID': 0, 'hostID': 100000, 'size': 1000},\n"
	"   {'containerID': 1000, 'hostID': 500, 'size': 1}],\n"
	"  'gidMappings': [{'containerID': 0, 'hostID': 100000, 'size': 65536}],\n"
	"  'devices': [\n"
	"   {'path': '/dev/fuse', 'type': 'c', 'major': 10, 'minor': 229,\n"
	"    'fileMode': 33206, 'uid': 0, 'gid': 7},\n"
	"   {'path': '/dev/fifo', 'type': 'p'},\n"
	"   {'path': '/dev/char', 'type': 'u', 'major': 1, 'minor': 3}\n"
	"  ],\n"
	"  'cgroupsPath': '/pods/box',\n"
	"  'resources': {\n"
	"   'devices': [{'allow': false, 'access': 'rwm'},\n"
	"    {'allow': true, 'type': 'c', 'major': 1, 'access': 'rm'}],\n"
	"   'memory': {'limit': 1000000, 'reservation': 500000, 'swap': -1,\n"
	"    'kernel': -1, 'kernelTCP': -1, 'swappiness': 60,\n"
	"    'disableOOMKiller': false, 'useHierarchy': true,\n"
	"    'checkBeforeUpdate': true},\n"
	"   'cpu': {'shares': 1024, 'quota': -1, 'burst': 0,\n"
	"    'period': 100000, 'idle': 0, 'cpus': '0-1,3', 'mems': '0',\n"
	"    'realtimeRuntime': 0, 'realtimePeriod': null},\n"
	"   'pids': {'limit': 100},\n"
	"   'blockIO': {'weight': 0, 'weightDevice': []},\n"
	"   'hugepageLimits': [], 'network': {}, 'rdma': {}, 'unified': {}\n"
	"  },\n"
	"  'sysctl': {'net.ipv4.ip_forward': '1', 'kernel/shmmax': '4096',\n"
	"   'fs.mqueue.msg_max': '10', 'kernel.domainname': 'example'},\n"
	"  'seccomp': {\n"
	"   'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 1,\n"
	"   'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],\n"
	"   'flags': ['SECCOMP_FILTER_FLAG_LOG'],\n"
	"   'listenerPath': '',\n"
	"   'syscalls': [\n"
	"    {'names': ['read', 'nosuchcall'], 'action': 'SCMP_ACT_ALLOW'},\n"
	"    {'names': ['personality'], 'action': 'SCMP_ACT_ERRNO',\n"
	"     'errnoRet': 38, 'args': [{'index': 5,\n"
	"     'value': 18446744073709551615, 'valueTwo': 1,\n"
	"     'op': 'SCMP_CMP_MASKED_EQ'}]},\n"
	"    {'names': ['write'], 'action': 'SCMP_ACT_LOG', 'errnoRet': 0}\n"
	"   ]\n"
	"  },\n"
	"  'maskedPaths': ['/proc/kcore'],\n"
	"  'readonlyPaths': ['/proc/sys', '/proc/bus'],\n"
	"  'rootfsPropagation': 'rslave',\n"
	"  'mountLabel': '', 'intelRdt': {}, 'personality': null,\n"
	"  'timeOffsets': {}, 'netDevices': {}, 'memoryPolicy': null\n"
	" },\n"
	" 'vm': {'anything': [1, 2]}, 'windows': {'x': 1}\n"
	"}\n";

__attribute__((constructor)) static void quote_config(void)
{
	for (char *p = good_config; *p; p++)
		if (*p == '\'')
			*p = '"';
}

/* Writes @j again with the value at @pointer replaced by @value (NULL: removed, ADD: see below). */
struct spoiler {
	struct strbuf out;
	const char *pointer, *value;
	bool done;
};

static inline void put_key(struct strbuf *b, const char *key)
{
	if (!key)
		return;
	strbuf_json(b, key);
	strbuf_addc(b, ':');
}

/* "~1" is '/' and "~0" is '~'. */
static inline void unescape(const char *from, char *to)
{
	for (; *from; from++) {
		if (from[0] == '~' && from[1])
			*to++ = *++from == '1' ? '/' : '~';
		else
			*to++ = *from;
	}
	*to = '\0';
}

static inline void spoil_value(struct spoiler *s, const struct json *j, const char *prefix);

static inline void spoil_members(struct spoiler *s, const struct json *j, const char *prefix)
{
	size_t len = strlen(prefix);
	bool first = true;

	for (const struct json *c = j->child; c; c = c->next) {
		char pointer[256];

		json_pointer(c, pointer, sizeof(pointer));
		if (str_eq(pointer, s->pointer) && !s->value) {
			s->done = true;
			continue;
		}
		if (!first)
			strbuf_addc(&s->out, ',');
		first = false;
		put_key(&s->out, c->key);
		spoil_value(s, c, pointer);
	}
	/* A member that is not there is added at the end: "/linux/new", "/mounts/-". */
	if (s->done || !s->value || !str_starts(s->pointer, prefix) || s->pointer[len] != '/' ||
	    strchr(s->pointer + len + 1, '/'))
		return;
	if (!first)
		strbuf_addc(&s->out, ',');
	if (j->type == JSON_OBJECT) {
		char key[256];

		unescape(s->pointer + len + 1, key);
		put_key(&s->out, key);
	}
	strbuf_add(&s->out, s->value);
	s->done = true;
}

static inline void spoil_value(struct spoiler *s, const struct json *j, const char *prefix)
{
	if (!s->done && str_eq(prefix, s->pointer)) {
		strbuf_add(&s->out, s->value);
		s->done = true;
	} else if (j->type == JSON_OBJECT || j->type == JSON_ARRAY) {
		strbuf_addc(&s->out, j->type == JSON_OBJECT ? '{' : '[');
		spoil_members(s, j, prefix);
		strbuf_addc(&s->out, j->type == JSON_OBJECT ? '}' : ']');
	} else {
		json_write(&s->out, j);
	}
}

#define SPOIL_SIZE (4u << 20)

static inline const struct json *parse_json(const char *text, struct arena *arena)
{
	struct err err = ERR_INIT;
	struct json *root;

	if (json_parse(text, strlen(text), "test", arena, &root, &err) < 0)
		fail_msg("the test's own text: %d:%d: %s", err.line, err.column, err.text);
	return root;
}

/* @text with one place changed, in @arena. */
static inline char *spoil(const char *text, const char *pointer, const char *value,
			  struct arena *arena)
{
	size_t size = 2 * strlen(text) + (value ? strlen(value) : 0) + 4096;
	struct spoiler s = {.pointer = pointer, .value = value};

	strbuf_init(&s.out, arena_alloc(arena, size), size);
	spoil_value(&s, parse_json(text, arena), "");
	if (!s.done || s.out.overflow)
		fail_msg("nothing at %s to change", pointer);
	return s.out.p;
}

#endif
