/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON as it is written: where there is a comma, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_put.h"
#include "base/str.h"

static void test_put(void **state)
{
	char mem[256];
	struct strbuf b;

	(void)state;
	strbuf_init(&b, mem, sizeof(mem));
	strbuf_addc(&b, '{');
	json_put_array(&b, "none");
	strbuf_addc(&b, ']');
	json_put_array(&b, "numbers");
	for (uint64_t v = 7; v < 9; v++) {
		json_put_item(&b);
		strbuf_u64(&b, v);
	}
	strbuf_addc(&b, ']');
	json_put_object(&b, "o\"");
	json_put_some(&b, "zero", 0);
	json_put_i64(&b, "below", -1);
	json_put_array(&b, "texts");
	json_put_item(&b);
	strbuf_json(&b, "[");
	json_put_item(&b);
	strbuf_json(&b, "");
	strbuf_add(&b, "]}");
	json_put_flag(&b, "yes", true);
	json_put_text(&b, "t", "{");
	strbuf_addc(&b, '}');
	assert_false(b.overflow);
	assert_string_equal(mem, "{\"none\":[],\"numbers\":[7,8],\"o\\\"\":{\"below\":-1,"
				 "\"texts\":[\"[\",\"\"]},\"yes\":true,\"t\":\"{\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
