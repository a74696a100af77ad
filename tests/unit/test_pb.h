/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For the tests of messages to and from criu. */
#ifndef OAKUM_TEST_PB_H
#define OAKUM_TEST_PB_H

#include <stdbool.h>

#include "base/pb.h"

/* The first field @number of a message. */
static inline bool find(const void *data, size_t size, unsigned number, struct pb_field *ret)
{
	struct pb_in in = {data, (const unsigned char *)data + size};

	while (pb_next(&in, ret) == 0)
		if (ret->number == number)
			return true;
	return false;
}

#endif
