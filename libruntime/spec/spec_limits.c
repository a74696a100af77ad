/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "linux.resources", the controllers that few ask for: blockIO, hugepageLimits, network, rdma and
 * the unified map (config-linux.md). Which of them this host has is not judged here.
 */
#include <string.h>

#include "base/str.h"
#include "spec/spec_read.h"

#define MAX_UNIFIED_VALUE 4096

/* Engines write 0 for "not set". */
static const struct spec_int weight_range = {.type = SPEC_U64, .option = true, .max = 1000};
static const struct spec_int number_range = {.type = SPEC_I64, .max = UINT32_MAX};
static const struct spec_int rate_range = {.type = SPEC_U64, .max = UINT64_MAX};
static const struct spec_int class_range = {.type = SPEC_U32, .option = true, .max = UINT32_MAX};
static const struct spec_int priority_range = {.type = SPEC_U32, .max = UINT32_MAX};
static const struct spec_int rdma_range = {.type = SPEC_U32, .option = true, .max = INT32_MAX};

/* ---- blockIO ---- */

static void read_weight(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	typeof(((struct spec_io *)0)->weight) *weight = out;

	spec_read_int(r, j, out, arg);
	if (weight->set && weight->v && weight->v < 10)
		spec_fail(r, j, "%llu is out of range (10..1000)", (unsigned long long)weight->v);
}

static const struct spec_field weight_fields[] = {
	{"major", spec_read_int, offsetof(struct spec_io_weight, major), &number_range,
	 SPEC_REQUIRED},
	{"minor", spec_read_int, offsetof(struct spec_io_weight, minor), &number_range,
	 SPEC_REQUIRED},
	{"weight", read_weight, offsetof(struct spec_io_weight, weight), &weight_range, 0},
	{"leafWeight", read_weight, offsetof(struct spec_io_weight, leaf_weight), &weight_range, 0},
	{NULL, NULL, 0, NULL, 0},
};

static const struct spec_field rate_fields[] = {
	{"major", spec_read_int, offsetof(struct spec_io_rate, major), &number_range,
	 SPEC_REQUIRED},
	{"minor", spec_read_int, offsetof(struct spec_io_rate, minor), &number_range,
	 SPEC_REQUIRED},
	{"rate", spec_read_int, offsetof(struct spec_io_rate, rate), &rate_range, SPEC_REQUIRED},
	{NULL, NULL, 0, NULL, 0},
};

static const struct spec_list weight_list = {
	.fields = weight_fields, .size = sizeof(struct spec_io_weight), .max = SPEC_MAX_IO};
static const struct spec_list rate_list = {
	.fields = rate_fields, .size = sizeof(struct spec_io_rate), .max = SPEC_MAX_IO};

SPEC_LIST_LAYOUT(struct spec_io, weights, n_weights);
SPEC_LIST_LAYOUT(struct spec_io_rates, v, n);

#define RATES(kind) offsetof(struct spec_io, rates[kind])

const struct spec_field spec_io_fields[] = {
	{"weight", read_weight, offsetof(struct spec_io, weight), &weight_range, 0},
	{"leafWeight", read_weight, offsetof(struct spec_io, leaf_weight), &weight_range, 0},
	{"weightDevice", spec_read_list, offsetof(struct spec_io, weights), &weight_list, 0},
	{"throttleReadBpsDevice", spec_read_list, RATES(SPEC_IO_READ_BPS), &rate_list, 0},
	{"throttleWriteBpsDevice", spec_read_list, RATES(SPEC_IO_WRITE_BPS), &rate_list, 0},
	{"throttleReadIOPSDevice", spec_read_list, RATES(SPEC_IO_READ_IOPS), &rate_list, 0},
	{"throttleWriteIOPSDevice", spec_read_list, RATES(SPEC_IO_WRITE_IOPS), &rate_list, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* ---- hugepageLimits ---- */

/* It becomes part of a file's name: "64KB", "2MB", "1GB", as the kernel writes it. */
static void read_page_size(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	const char *text = spec_string(r, j);
	size_t digits = text ? strspn(text, "0123456789") : 0;
	char found[96];

	(void)arg;
	if (!text)
		return;
	if (digits > 0 && digits < 12 && *text != '0' &&
	    (str_eq(text + digits, "KB") || str_eq(text + digits, "MB") ||
	     str_eq(text + digits, "GB"))) {
		*(const char **)out = text;
		return;
	}
	spec_describe(j, found, sizeof(found));
	spec_fail(r, j, "expected the size of a page such as 2MB or 1GB, found %s", found);
}

static const struct spec_field hugepage_fields[] = {
	{"pageSize", read_page_size, offsetof(struct spec_hugepage, size), NULL, SPEC_REQUIRED},
	{"limit", spec_read_int, offsetof(struct spec_hugepage, limit), &rate_range, SPEC_REQUIRED},
	{NULL, NULL, 0, NULL, 0},
};

const struct spec_list spec_hugepage_list = {
	.fields = hugepage_fields, .size = sizeof(struct spec_hugepage), .max = 64};

SPEC_LIST_LAYOUT(struct spec_resources, hugepages, n_hugepages);

/* ---- network ---- */

static void read_interface(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	spec_read_filled(r, j, out, arg);
	if (j->type == JSON_STRING && j->text[strcspn(j->text, " \t\n")])
		spec_fail(r, j, "the name of an interface has no blanks");
}

static const struct spec_field priority_fields[] = {
	{"name", read_interface, offsetof(struct spec_net_priority, name), NULL, SPEC_REQUIRED},
	{"priority", spec_read_int, offsetof(struct spec_net_priority, priority), &priority_range,
	 SPEC_REQUIRED},
	{NULL, NULL, 0, NULL, 0},
};

static const struct spec_list priority_list = {
	.fields = priority_fields, .size = sizeof(struct spec_net_priority), .max = 1024};

SPEC_LIST_LAYOUT(struct spec_resources, net_priorities, n_net_priorities);

const struct spec_field spec_network_fields[] = {
	{"classID", spec_read_int, offsetof(struct spec_resources, net_class), &class_range, 0},
	{"priorities", spec_read_list, offsetof(struct spec_resources, net_priorities),
	 &priority_list, 0},
	{NULL, NULL, 0, NULL, 0},
};

/* ---- rdma: an object a device ---- */

static const struct spec_field rdma_fields[] = {
	{"hcaHandles", spec_read_int, offsetof(struct spec_rdma, handles), &rdma_range, 0},
	{"hcaObjects", spec_read_int, offsetof(struct spec_rdma, objects), &rdma_range, 0},
	{NULL, NULL, 0, NULL, 0},
};

void spec_read_rdma(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_resources *res = out;

	(void)arg;
	if (!spec_is(r, j, JSON_OBJECT, 256))
		return;
	res->rdma = spec_alloc(r, j->len + 1, sizeof(*res->rdma));
	for (const struct json *c = j->child; c && res->rdma; c = c->next) {
		struct spec_rdma *one = &res->rdma[res->n_rdma++];

		one->device = c->key;
		if (!*c->key || strlen(c->key) > 63 || c->key[strcspn(c->key, " \t\n/")])
			spec_fail(r, c, "not the name of an RDMA device");
		spec_read_object(r, c, one, rdma_fields);
		if (c->type == JSON_OBJECT && !one->handles.set && !one->objects.set)
			spec_fail(r, c, "expected hcaHandles, hcaObjects or both");
	}
}

/* ---- unified ---- */

/* Files of the cgroup core that say who is in it and what it does are not limits. */
static bool is_core_file(const char *key)
{
	return str_starts(key, "cgroup.") && !str_eq(key, "cgroup.max.depth") &&
	       !str_eq(key, "cgroup.max.descendants") && !str_eq(key, "cgroup.pressure");
}

static bool good_key(const char *key)
{
	const char *dot = strchr(key, '.');

	return dot && dot != key && dot[1] && key[0] != '.' && !strchr(key, '/') &&
	       strlen(key) < 64;
}

void spec_read_unified(struct spec_reading *r, const struct json *j, void *out, const void *arg)
{
	struct spec_pairs *pairs = out;

	(void)arg;
	if (!spec_is(r, j, JSON_OBJECT, SPEC_MAX_UNIFIED))
		return;
	pairs->v = spec_alloc(r, j->len + 1, sizeof(*pairs->v));
	for (const struct json *c = j->child; c && pairs->v; c = c->next) {
		const char *value = spec_string(r, c);

		if (!good_key(c->key))
			spec_fail(r, c, "the specified key has not the form CONTROLLER.VALUE `%s`",
				  c->key);
		else if (is_core_file(c->key))
			spec_fail(r, c, "%s is not a limit", c->key);
		else if (value && strlen(value) > MAX_UNIFIED_VALUE)
			spec_fail(r, c, "more than %d bytes", MAX_UNIFIED_VALUE);
		else if (value)
			pairs->v[pairs->n++] = (struct spec_pair){c->key, value};
	}
}
