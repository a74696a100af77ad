#!/usr/bin/env bats
# The checks of the tree itself must be able to fail.

setup() {
	T=$(mktemp -d)
	mkdir -p "$T/libruntime"/{base,spec,kernel,run} "$T/src/cli" "$T/src/supervise"
	printf '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n' >"$T/libruntime/base/ok.c"
	CHECK=$BATS_TEST_DIRNAME/../check-includes
}

teardown() { rm -rf "$T"; }

file() {
	printf '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n%b\n' "$2" >"$T/$1"
}

breach() {
	run "$CHECK" "$T"
	[ "$status" != 0 ]
	[[ $output == *"$1"* ]]
}

@test "a good tree passes" {
	file libruntime/run/x.c '#include "kernel/a.h"\n#include "spec/b.h"\n#include "base/c.h"\n#include <stdio.h>\n/* never sleep() */\nchar *s = "system()";'
	file src/cli/x.c '#include "oakum.h"\n#include "base/c.h"'
	"$CHECK" "$T"
}

@test "each way up is refused" {
	file libruntime/base/x.c '#include "kernel/a.h"'
	breach "base/x.c:2: base may not include kernel/a.h"
	rm "$T/libruntime/base/x.c"
	file libruntime/kernel/x.c '#include "spec/a.h"'
	breach "kernel may not include spec/a.h"
	rm "$T/libruntime/kernel/x.c"
	file libruntime/spec/x.c '#include "run/a.h"'
	breach "spec may not include"
	rm "$T/libruntime/spec/x.c"
	file src/cli/x.c '#include "kernel/mount.h"'
	breach "src/cli may not include"
	rm "$T/src/cli/x.c"
	file libruntime/run/x.c '#include "bare.h"'
	breach "with its folder"
}

@test "conditional compilation, sleeps and banned functions are refused" {
	file libruntime/run/x.c '#ifdef FOO\n#endif'
	breach "conditional compilation"
	file libruntime/run/x.c 'void f(void) { usleep(5); }'
	breach "usleep()"
	file libruntime/run/x.c 'void f(void) { strcpy (a, b); }'
	breach "strcpy()"
	file libruntime/run/x.c 'int x;  '
	breach ""
	printf 'int x;\n' >"$T/libruntime/run/x.c"
	breach "licence"
}
