#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What docs/systemd.md tells, done: its blocks with this build's program, in directories of the test's.
load common
export ROOT OAKUM

DOC=$BATS_TEST_DIRNAME/../../docs/systemd.md

# page NAME: a block, with places and names of this test's.
page() {
	doc "$1" | sed -e "s|^\\(Exec[A-Za-z]*=-\\?$OAKUM\\) |\\1 --root $ROOT |" \
		-e "s|/var/lib/oakum/web|$W/lib/$C|g" -e "s|/etc/systemd/system/web|/run/systemd/system/oakumtest-$C|" \
		-e "s|oakum@web|oakumtest-$C@$C|g" -e "s|systemctl start web|systemctl start oakumtest-$C|" \
		-e "s|CONTAINER_ID=web|CONTAINER_ID=$C|" -e "s|\\bweb\\b|$C|g"
}

# run_page FILE: as a shell does that finds this build's program in its PATH.
run_page() {
	ok sh -e -c 'oakum() { "$OAKUM" --root "$ROOT" "$@"; }; . "$1"' sh "$W/$1"
}

service() {
	UNIT=oakumtest-$C.service
	unit "$UNIT" < <(page "$1")
}

is_active() { [ "$(property ActiveState)" = active ]; }

rootfs() { cp -a "$FIXTURE/rootfs" "$W/rootfs"; }

@test "the template's instance, and a drop-in" {
	rootfs
	UNIT=oakumtest-$C@$C.service
	unit "oakumtest-$C@.service" < <(sed -e "s|=\\(-\\?\\)[^ ]*/oakum |=\\1$OAKUM --root $ROOT |" -e "s|%S/oakum/|$W/lib/|" "$LIB/../../src/systemd/oakum@.service")
	echo "$UNIT" >>"$W/units"
	# The edit that the comment tells of, before the start.
	page instance | sed '/spec --bundle/a jq ".process.args = [\\"sh\\", \\"-c\\", \\"trap exit TERM; while :; do sleep 1000 & wait; done\\"] | .process.terminal = false" '"$W/lib/$C/config.json >$W/lib/$C/new; mv $W/lib/$C/new $W/lib/$C/config.json" >script
	run_page script
	is_active
	mkdir "/run/systemd/system/$UNIT.d"
	page drop-in >"/run/systemd/system/$UNIT.d/50.conf"
	systemctl daemon-reload
	ok systemctl restart "$UNIT"
	is_active
	shows MemoryMax 268435456
	shows TasksMax 200
	rm -r "/run/systemd/system/$UNIT.d"
	ok systemctl stop "$UNIT"
	shows Result success
}

@test "a unit that is generated" {
	rootfs
	mkdir lib
	UNIT=oakumtest-$C.service
	echo "$UNIT" >>units
	page generate | sed "s/httpd -f -p 8080/sh -c 'trap \"exit 0\" TERM; while :; do sleep 1000 \& wait; done'/" >script
	run_page script
	is_active
}

may_be_stopped() { catches TERM "$(oakum state "$C" | jq .pid)"; }

@test "a unit by hand" {
	sleeper
	mkdir lib
	mv "$B" "lib/$C"
	service service
	ok systemctl start "$UNIT"
	is_active
	is "$(oakum state "$C" | jq -r .status)" running
	until_true may_be_stopped
	ok systemctl stop "$UNIT"
	shows Result success
}

@test "a unit that is locked up itself" {
	local ROOT=/run/oakum-$C
	sleeper
	mkdir lib
	mv "$B" "lib/$C"
	service sandbox
	ok systemctl start "$UNIT"
	is_active
	[ -d "$ROOT/$C" ]
	until_true may_be_stopped
	ok systemctl stop "$UNIT"
	shows Result success
	[ ! -e "$ROOT" ]
}

@test "ready when the container says so, with a watchdog" {
	bundle '.process.args = ["sh", "-c", "[ \"$WATCHDOG_USEC\" = 30000000 ] || exit 1; trap \"exit 0\" TERM; inside notify READY=1; while :; do sleep 1000 & wait; done"]'
	mkdir lib
	mv "$B" "lib/$C"
	service sdnotify
	ok systemctl start "$UNIT"
	is_active
	shows WatchdogUSec 30s
	ok systemctl stop "$UNIT"
	shows Result success
}

@test "a socket, which the installed example has too" {
	local socket=oakumtest-$C@$C.socket
	sleeper
	mkdir lib
	mv "$B" "lib/$C"
	UNIT=oakumtest-$C@$C.service
	unit "oakumtest-$C@.service" < <(page service)
	echo "$UNIT" >>units
	unit "$socket" < <(page socket | sed "s|127.0.0.1:8080|$W/socket|")
	ok systemctl start "$socket"
	shows ActiveState inactive
	timeout 30 python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])' "$W/socket"
	until_true is_active
	is "$(readlink "/proc/$(oakum state "$C" | jq .pid)/fd/3" | grep -c socket)" 1
	is "$(grep -v -e '^#' -e '^\[Unit' -e '^Desc' -e '^$' "$BATS_TEST_DIRNAME/../../src/systemd/oakum@.socket.example")" "$(doc socket | grep -v '^$')"
	until_true may_be_stopped
	ok systemctl stop "$socket"
	ok systemctl stop "$UNIT"
	shows Result success
}

@test "the journal" {
	bundle '.process.args = ["sh", "-c", "echo out; echo err >&2"]'
	ok oakum up --rm --log-driver journald -b "$B" "$C"
	said() { [ "$(page journal | sh)" = out ]; }
	until_true said
}
